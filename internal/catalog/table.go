package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

const tableColumns = `id, catalog, schema, name, type, state, owner, comment, properties,
  view_text, view_catalog, view_schema, created, updated, view_columns, view_mode`

// CreateTable enters a table as CREATING and gives it back with its new ID.
// ErrExists where the name is taken, ErrNotFound where the schema is missing.
func (c *Catalog) CreateTable(ctx context.Context, t Table) (Table, error) {
	if t.Type == View {
		return Table{}, fmt.Errorf("%w: %s is a view", ErrInvalid, t.FullName())
	}
	t.State = Creating
	err := c.create(ctx, &t, false)
	return t, err
}

// CreateView enters a view as ACTIVE; it replaces a view of the same name,
// keeping its ID. ErrExists where a table has the name.
func (c *Catalog) CreateView(ctx context.Context, t Table) (Table, error) {
	t.Type, t.State = View, Active
	err := c.create(ctx, &t, true)
	return t, err
}

func (c *Catalog) create(ctx context.Context, t *Table, replace bool) error {
	if err := fold(&t.Catalog, &t.Schema, &t.Name); err != nil {
		return err
	}
	t.ID = uuid.NewString()
	t.Created = time.UnixMilli(time.Now().UnixMilli()).UTC()
	t.Updated = t.Created
	if t.Properties == nil {
		t.Properties = map[string]string{}
	}
	props, err := json.Marshal(t.Properties)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	viewColumns, err := json.Marshal(append([]string{}, t.ViewColumns...))
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	return c.tx(ctx, func(tx *sql.Tx) error {
		old, err := find(ctx, tx, "t.catalog = ? AND t.schema = ? AND t.name = ?", t.Catalog, t.Schema, t.Name)
		if err != nil {
			return err
		}
		if len(old) > 0 {
			if !replace || old[0].Type != View {
				return fmt.Errorf("%w: %s (a %s)", ErrExists, t.FullName(), old[0].Type)
			}
			t.ID, t.Created = old[0].ID, old[0].Created
			if _, err := tx.ExecContext(ctx, "DELETE FROM tables WHERE id = ?", t.ID); err != nil {
				return err
			}
		}
		var n int
		err = tx.QueryRowContext(ctx, "SELECT count(*) FROM schemas WHERE catalog = ? AND name = ?", t.Catalog, t.Schema).Scan(&n)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%w: schema %s.%s", ErrNotFound, t.Catalog, t.Schema)
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO tables ("+tableColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			t.ID, t.Catalog, t.Schema, t.Name, t.Type, t.State, t.Owner, t.Comment, string(props),
			t.ViewText, t.ViewCatalog, t.ViewSchema, t.Created.UnixMilli(), t.Updated.UnixMilli(), string(viewColumns), t.ViewMode)
		if err != nil {
			return err
		}
		return insertColumns(ctx, tx, t.ID, t.Columns)
	})
}

func insertColumns(ctx context.Context, tx *sql.Tx, id string, cols []Column) error {
	for i, col := range cols {
		_, err := tx.ExecContext(ctx, "INSERT INTO columns VALUES (?, ?, ?, ?, ?, ?)", id, i, col.Name, col.Type, col.Nullable, col.Comment)
		if err != nil {
			return fmt.Errorf("catalog: column %s: %w", col.Name, err)
		}
	}
	return nil
}

// Activate ends a table's birth.
func (c *Catalog) Activate(ctx context.Context, id string) error {
	return c.change(ctx, id, "state = ?", Active)
}

// SetProperties replaces a table's properties.
func (c *Catalog) SetProperties(ctx context.Context, id string, props map[string]string) error {
	data, err := json.Marshal(props)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	return c.change(ctx, id, "properties = ?", string(data))
}

// SetType changes what a table is, as when a pipeline redefines it.
func (c *Catalog) SetType(ctx context.Context, id string, typ Type) error {
	return c.change(ctx, id, "type = ?", typ)
}

// Relocate changes a table's type and properties in one step, as when its name
// gets another place.
func (c *Catalog) Relocate(ctx context.Context, id string, typ Type, props map[string]string) error {
	data, err := json.Marshal(props)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	return c.tx(ctx, func(tx *sql.Tx) error {
		if err := update(ctx, tx, id, "type = ?", typ); err != nil {
			return err
		}
		return update(ctx, tx, id, "properties = ?", string(data))
	})
}

func (c *Catalog) change(ctx context.Context, id, set string, value any) error {
	return c.tx(ctx, func(tx *sql.Tx) error { return update(ctx, tx, id, set, value) })
}

func update(ctx context.Context, tx *sql.Tx, id, set string, value any) error {
	//nolint:gosec // set is one of this file's constants
	r, err := tx.ExecContext(ctx, "UPDATE tables SET "+set+", updated = ? WHERE id = ?", value, time.Now().UnixMilli(), id)
	return one(r, err, id)
}

// one makes ErrNotFound of a statement that met no row.
func one(r sql.Result, err error, id string) error {
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return nil
}

// SetColumns replaces a table's columns and comment.
func (c *Catalog) SetColumns(ctx context.Context, id string, cols []Column, comment string) error {
	return c.tx(ctx, func(tx *sql.Tx) error {
		if err := update(ctx, tx, id, "comment = ?", comment); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM columns WHERE table_id = ?", id); err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
		return insertColumns(ctx, tx, id, cols)
	})
}

// DropTable removes a table's or view's name; its files are the caller's.
func (c *Catalog) DropTable(ctx context.Context, id string) error {
	return c.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM tables WHERE id = ?", id)
		return one(r, err, id)
	})
}

// Table finds a table or view by name, in any state.
func (c *Catalog) Table(ctx context.Context, catalog, schema, name string) (Table, error) {
	if err := fold(&catalog, &schema, &name); err != nil {
		return Table{}, err
	}
	all, err := find(ctx, c.db, "t.catalog = ? AND t.schema = ? AND t.name = ?", catalog, schema, name)
	if err != nil {
		return Table{}, err
	}
	if len(all) == 0 {
		return Table{}, fmt.Errorf("%w: %s.%s.%s", ErrNotFound, catalog, schema, name)
	}
	return all[0], nil
}

// Tables lists the ACTIVE tables and views of a schema by name.
func (c *Catalog) Tables(ctx context.Context, catalog, schema string) ([]Table, error) {
	if err := fold(&catalog, &schema); err != nil {
		return nil, err
	}
	return find(ctx, c.db, "t.state = 'ACTIVE' AND t.catalog = ? AND t.schema = ?", catalog, schema)
}

// AllTables lists all ACTIVE tables and views by name.
func (c *Catalog) AllTables(ctx context.Context) ([]Table, error) {
	return find(ctx, c.db, "t.state = 'ACTIVE'")
}

// Creating lists the tables whose birth did not end.
func (c *Catalog) Creating(ctx context.Context) ([]Table, error) {
	return find(ctx, c.db, "t.state = 'CREATING'")
}

// find reads tables with their columns in one query, which sees one state.
func find(ctx context.Context, q querier, where string, args ...any) ([]Table, error) {
	var out []Table
	err := each(ctx, q, func(r *sql.Rows) error {
		var t Table
		var props, viewColumns string
		var created, updated int64
		var name, typ, comment sql.NullString
		var nullable sql.NullBool
		err := r.Scan(&t.ID, &t.Catalog, &t.Schema, &t.Name, &t.Type, &t.State, &t.Owner, &t.Comment, &props,
			&t.ViewText, &t.ViewCatalog, &t.ViewSchema, &created, &updated, &viewColumns, &t.ViewMode, &name, &typ, &nullable, &comment)
		if err != nil {
			return err
		}
		if n := len(out); n == 0 || out[n-1].ID != t.ID {
			t.Created, t.Updated = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
			if err := json.Unmarshal([]byte(props), &t.Properties); err != nil {
				return fmt.Errorf("properties of %s: %w", t.FullName(), err)
			}
			if err := json.Unmarshal([]byte(viewColumns), &t.ViewColumns); err != nil {
				return fmt.Errorf("columns of the view %s: %w", t.FullName(), err)
			}
			if len(t.ViewColumns) == 0 {
				t.ViewColumns = nil
			}
			out = append(out, t)
		}
		if name.Valid {
			last := &out[len(out)-1]
			last.Columns = append(last.Columns, Column{name.String, typ.String, nullable.Bool, comment.String})
		}
		return nil
	}, `SELECT t.id, t.catalog, t.schema, t.name, t.type, t.state, t.owner, t.comment, t.properties,
  t.view_text, t.view_catalog, t.view_schema, t.created, t.updated,
  t.view_columns, t.view_mode, c.name, c.type, c.nullable, c.comment
FROM tables t LEFT JOIN columns c ON c.table_id = t.id WHERE `+where+`
ORDER BY t.catalog, t.schema, t.name, c.position`, args...)
	return out, err
}

// Rename gives a table or view another name in its schema. ErrExists where the
// name is taken.
func (c *Catalog) Rename(ctx context.Context, id, name string) error {
	if err := fold(&name); err != nil {
		return err
	}
	return c.tx(ctx, func(tx *sql.Tx) error {
		all, err := find(ctx, tx, "t.id = ?", id)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return fmt.Errorf("%w: table with id %s", ErrNotFound, id)
		}
		taken, err := find(ctx, tx, "t.catalog = ? AND t.schema = ? AND t.name = ?", all[0].Catalog, all[0].Schema, name)
		if err != nil {
			return err
		}
		if len(taken) > 0 {
			return fmt.Errorf("%w: %s", ErrExists, taken[0].FullName())
		}
		return update(ctx, tx, id, "name = ?", name)
	})
}
