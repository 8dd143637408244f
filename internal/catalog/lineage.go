package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/marisma/marisma/internal/sparksql/lineage"
)

// Lineage is where a table's columns come from, and what makes the table.
type Lineage struct {
	lineage.Lineage
	MadeBy  string // "pipeline <key>", "view of <owner>" or "statements"
	Updated time.Time
}

// SetLineage keeps the lineage of a table, in place of the one before.
func (c *Catalog) SetLineage(ctx context.Context, id, madeBy string, l lineage.Lineage) error {
	data, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	return c.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO lineage VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (table_id) DO UPDATE SET made_by = ?2, lineage = ?3, updated = ?4 WHERE made_by <> ?2 OR lineage <> ?3`,
			id, madeBy, string(data), time.Now().UnixMilli())
		return err
	})
}

// Lineage gives the lineage of a table; ErrNotFound where none is known.
func (c *Catalog) Lineage(ctx context.Context, id string) (Lineage, error) {
	var out Lineage
	var data string
	var updated int64
	err := c.db.QueryRowContext(ctx, "SELECT made_by, lineage, updated FROM lineage WHERE table_id = ?", id).Scan(&out.MadeBy, &data, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return out, fmt.Errorf("%w: lineage of the table %s", ErrNotFound, id)
	}
	if err != nil {
		return out, fmt.Errorf("catalog: %w", err)
	}
	out.Updated = time.UnixMilli(updated).UTC()
	if err := json.Unmarshal([]byte(data), &out.Lineage); err != nil {
		return out, fmt.Errorf("catalog: lineage of the table %s: %w", id, err)
	}
	return out, nil
}
