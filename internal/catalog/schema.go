package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrNotEmpty says that a schema still holds something.
var ErrNotEmpty = errors.New("catalog: not empty")

// CreateSchema makes a schema, and its catalog where it is missing. ErrExists
// where the name is taken.
func (c *Catalog) CreateSchema(ctx context.Context, s Schema) error {
	if err := fold(&s.Catalog, &s.Name); err != nil {
		return err
	}
	props, err := properties(s.Properties)
	if err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	return c.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO catalogs VALUES (?, ?, '', ?) ON CONFLICT DO NOTHING", s.Catalog, s.Owner, now)
		if err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
		r, err := tx.ExecContext(ctx, "INSERT INTO schemas (catalog, name, owner, comment, created, properties, location) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			s.Catalog, s.Name, s.Owner, s.Comment, now, props, s.Location)
		if err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
		if n, err := r.RowsAffected(); err == nil && n == 0 {
			return fmt.Errorf("%w: schema %s.%s", ErrExists, s.Catalog, s.Name)
		}
		return nil
	})
}

func properties(m map[string]string) (string, error) {
	if m == nil {
		m = map[string]string{}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("catalog: %w", err)
	}
	return string(b), nil
}

// ChangeSchema replaces a schema's comment, properties and location.
func (c *Catalog) ChangeSchema(ctx context.Context, s Schema) error {
	props, err := properties(s.Properties)
	if err != nil {
		return err
	}
	return c.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "UPDATE schemas SET comment = ?, properties = ?, location = ? WHERE catalog = ? AND name = ?",
			s.Comment, props, s.Location, s.Catalog, s.Name)
		return one(r, err, s.Catalog+"."+s.Name)
	})
}

// DropSchema removes a schema. Where it holds tables, views or functions it
// is ErrNotEmpty, unless cascade is set: then views and functions go with it,
// and the IDs of the tables, whose files are the caller's, come back.
func (c *Catalog) DropSchema(ctx context.Context, catalog, schema string, cascade bool) ([]string, error) {
	if err := fold(&catalog, &schema); err != nil {
		return nil, err
	}
	var ids []string
	err := c.tx(ctx, func(tx *sql.Tx) error {
		all, err := find(ctx, tx, "t.catalog = ? AND t.schema = ?", catalog, schema)
		if err != nil {
			return err
		}
		var funcs int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM functions WHERE catalog = ? AND schema = ?", catalog, schema).Scan(&funcs); err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
		if len(all)+funcs > 0 && !cascade {
			return fmt.Errorf("%w: schema %s.%s", ErrNotEmpty, catalog, schema)
		}
		for _, t := range all {
			if t.Type != View {
				ids = append(ids, t.ID)
			}
		}
		for _, q := range []string{"DELETE FROM functions WHERE catalog = ? AND schema = ?", "DELETE FROM tables WHERE catalog = ? AND schema = ?"} {
			if _, err := tx.ExecContext(ctx, q, catalog, schema); err != nil {
				return fmt.Errorf("catalog: %w", err)
			}
		}
		r, err := tx.ExecContext(ctx, "DELETE FROM schemas WHERE catalog = ? AND name = ?", catalog, schema)
		return one(r, err, catalog+"."+schema)
	})
	return ids, err
}

// Schema finds a schema.
func (c *Catalog) Schema(ctx context.Context, catalog, schema string) (Schema, error) {
	if err := fold(&catalog, &schema); err != nil {
		return Schema{}, err
	}
	all, err := c.schemas(ctx, "catalog = ?1 AND name = ?2", catalog, schema)
	if err != nil {
		return Schema{}, err
	}
	if len(all) == 0 {
		return Schema{}, fmt.Errorf("%w: schema %s.%s", ErrNotFound, catalog, schema)
	}
	return all[0], nil
}

// Schemas lists the schemas of a catalog by name; "" lists those of all.
func (c *Catalog) Schemas(ctx context.Context, catalog string) ([]Schema, error) {
	return c.schemas(ctx, "?1 = '' OR catalog = lower(?1)", catalog)
}

func (c *Catalog) schemas(ctx context.Context, where string, args ...any) ([]Schema, error) {
	var out []Schema
	err := c.rows(ctx, func(r *sql.Rows) error {
		var s Schema
		var created int64
		var props string
		if err := r.Scan(&s.Catalog, &s.Name, &s.Owner, &s.Comment, &created, &props, &s.Location); err != nil {
			return err
		}
		s.Created = time.UnixMilli(created).UTC()
		if err := json.Unmarshal([]byte(props), &s.Properties); err != nil {
			return fmt.Errorf("properties of %s.%s: %w", s.Catalog, s.Name, err)
		}
		out = append(out, s)
		return nil
	}, "SELECT catalog, name, owner, comment, created, properties, location FROM schemas WHERE "+where+" ORDER BY catalog, name", args...)
	return out, err
}

// RenameTable gives a table or view another name. ErrExists where it is taken,
// ErrNotFound where the schema is missing.
func (c *Catalog) RenameTable(ctx context.Context, id, catalog, schema, name string) error {
	if err := fold(&catalog, &schema, &name); err != nil {
		return err
	}
	return c.tx(ctx, func(tx *sql.Tx) error {
		old, err := find(ctx, tx, "t.catalog = ? AND t.schema = ? AND t.name = ?", catalog, schema, name)
		if err != nil {
			return err
		}
		if len(old) > 0 {
			return fmt.Errorf("%w: %s", ErrExists, old[0].FullName())
		}
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM schemas WHERE catalog = ? AND name = ?", catalog, schema).Scan(&n); err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
		if n == 0 {
			return fmt.Errorf("%w: schema %s.%s", ErrNotFound, catalog, schema)
		}
		r, err := tx.ExecContext(ctx, "UPDATE tables SET catalog = ?, schema = ?, name = ?, updated = ? WHERE id = ?", catalog, schema, name, time.Now().UnixMilli(), id)
		return one(r, err, id)
	})
}
