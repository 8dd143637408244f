package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// CreateFunction enters a function; replace puts it in the place of one of
// its name. ErrExists where the name is taken, ErrNotFound where the schema is
// missing.
func (c *Catalog) CreateFunction(ctx context.Context, f Function, replace bool) error {
	if err := fold(&f.Catalog, &f.Schema, &f.Name); err != nil {
		return err
	}
	return c.tx(ctx, func(tx *sql.Tx) error {
		var schemas, old int
		err := tx.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM schemas WHERE catalog = ?1 AND name = ?2), (SELECT count(*) FROM functions WHERE catalog = ?1 AND schema = ?2 AND name = ?3)",
			f.Catalog, f.Schema, f.Name).Scan(&schemas, &old)
		switch {
		case err != nil:
			return fmt.Errorf("catalog: %w", err)
		case schemas == 0:
			return fmt.Errorf("%w: schema %s.%s", ErrNotFound, f.Catalog, f.Schema)
		case old > 0 && !replace:
			return fmt.Errorf("%w: function %s", ErrExists, f.FullName())
		}
		_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO functions VALUES (?, ?, ?, ?, ?, ?, ?)",
			f.Catalog, f.Schema, f.Name, f.Owner, f.Comment, f.Definition, time.Now().UnixMilli())
		if err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
		return nil
	})
}

// Function finds a function by name; ErrNotFound where there is none.
func (c *Catalog) Function(ctx context.Context, catalog, schema, name string) (Function, error) {
	if err := fold(&catalog, &schema, &name); err != nil {
		return Function{}, err
	}
	all, err := c.functions(ctx, "catalog = ? AND schema = ? AND name = ?", catalog, schema, name)
	if err != nil {
		return Function{}, err
	}
	if len(all) == 0 {
		return Function{}, fmt.Errorf("%w: function %s.%s.%s", ErrNotFound, catalog, schema, name)
	}
	return all[0], nil
}

// Functions lists the functions of a schema by name.
func (c *Catalog) Functions(ctx context.Context, catalog, schema string) ([]Function, error) {
	if err := fold(&catalog, &schema); err != nil {
		return nil, err
	}
	return c.functions(ctx, "catalog = ? AND schema = ?", catalog, schema)
}

// DropFunction removes a function; ErrNotFound where there is none.
func (c *Catalog) DropFunction(ctx context.Context, catalog, schema, name string) error {
	if err := fold(&catalog, &schema, &name); err != nil {
		return err
	}
	return c.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM functions WHERE catalog = ? AND schema = ? AND name = ?", catalog, schema, name)
		return one(r, err, catalog+"."+schema+"."+name)
	})
}

func (c *Catalog) functions(ctx context.Context, where string, args ...any) ([]Function, error) {
	var out []Function
	err := c.rows(ctx, func(r *sql.Rows) error {
		var f Function
		var created int64
		if err := r.Scan(&f.Catalog, &f.Schema, &f.Name, &f.Owner, &f.Comment, &f.Definition, &created); err != nil {
			return err
		}
		f.Created = time.UnixMilli(created).UTC()
		out = append(out, f)
		return nil
	}, "SELECT catalog, schema, name, owner, comment, definition, created FROM functions WHERE "+where+" ORDER BY name", args...)
	return out, err
}
