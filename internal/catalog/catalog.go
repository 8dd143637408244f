package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// steps bring the database from one version to the next; PRAGMA user_version
// counts those done. Steps are only ever added.
func steps() []string {
	return []string{`
CREATE TABLE catalogs (
  name TEXT PRIMARY KEY, owner TEXT NOT NULL, comment TEXT NOT NULL, created INTEGER NOT NULL
) STRICT;
CREATE TABLE schemas (
  catalog TEXT NOT NULL REFERENCES catalogs(name), name TEXT NOT NULL,
  owner TEXT NOT NULL, comment TEXT NOT NULL, created INTEGER NOT NULL,
  PRIMARY KEY (catalog, name)
) STRICT;
CREATE TABLE tables (
  id TEXT PRIMARY KEY, catalog TEXT NOT NULL, schema TEXT NOT NULL, name TEXT NOT NULL,
  type TEXT NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL, comment TEXT NOT NULL, properties TEXT NOT NULL,
  view_text TEXT NOT NULL, view_catalog TEXT NOT NULL, view_schema TEXT NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL,
  UNIQUE (catalog, schema, name),
  FOREIGN KEY (catalog, schema) REFERENCES schemas(catalog, name)
) STRICT;
CREATE TABLE columns (
  table_id TEXT NOT NULL REFERENCES tables(id) ON DELETE CASCADE, position INTEGER NOT NULL,
  name TEXT NOT NULL, type TEXT NOT NULL, nullable INTEGER NOT NULL, comment TEXT NOT NULL,
  PRIMARY KEY (table_id, position)
) STRICT;`, `
CREATE TABLE lineage (
  table_id TEXT PRIMARY KEY REFERENCES tables(id) ON DELETE CASCADE,
  made_by TEXT NOT NULL, lineage TEXT NOT NULL, updated INTEGER NOT NULL
) STRICT;`, `
ALTER TABLE tables ADD COLUMN view_columns TEXT NOT NULL DEFAULT '[]';
ALTER TABLE tables ADD COLUMN view_mode TEXT NOT NULL DEFAULT '';
ALTER TABLE schemas ADD COLUMN properties TEXT NOT NULL DEFAULT '{}';
ALTER TABLE schemas ADD COLUMN location TEXT NOT NULL DEFAULT '';
CREATE TABLE functions (
  catalog TEXT NOT NULL, schema TEXT NOT NULL, name TEXT NOT NULL,
  owner TEXT NOT NULL, comment TEXT NOT NULL, definition TEXT NOT NULL, created INTEGER NOT NULL,
  PRIMARY KEY (catalog, schema, name),
  FOREIGN KEY (catalog, schema) REFERENCES schemas(catalog, name)
) STRICT;`}
}

// Catalog is an open catalog. It is safe for concurrent use by one process.
type Catalog struct {
	db    *sql.DB
	write sync.Mutex // one writer; readers see the last commit
}

// Open opens the catalog in the SQLite file path, or makes it. ErrNewer where
// a later version wrote it.
func Open(ctx context.Context, path string) (*Catalog, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
	}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	c := &Catalog{db: db}
	if err := c.upgrade(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("catalog %s: %w", path, err), db.Close())
	}
	return c, nil
}

// Close closes the database.
func (c *Catalog) Close() error { return c.db.Close() }

func (c *Catalog) upgrade(ctx context.Context) error {
	return c.tx(ctx, func(tx *sql.Tx) error {
		var have int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
			return err
		}
		all := steps()
		if have > len(all) {
			return fmt.Errorf("%w (version %d, this one knows %d)", ErrNewer, have, len(all))
		}
		for _, s := range all[have:] {
			if _, err := tx.ExecContext(ctx, s); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(all)))
		return err
	})
}

// tx runs f as the one writer.
func (c *Catalog) tx(ctx context.Context, f func(*sql.Tx) error) error {
	c.write.Lock()
	defer c.write.Unlock()
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	if err := f(tx); err != nil {
		if rerr := tx.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
			err = errors.Join(err, rerr)
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	return nil
}

// EnsureSchema makes a schema and its catalog where they are missing.
func (c *Catalog) EnsureSchema(ctx context.Context, catalog, schema, owner string) error {
	if err := fold(&catalog, &schema); err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	return c.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO catalogs VALUES (?, ?, '', ?) ON CONFLICT DO NOTHING", catalog, owner, now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO schemas (catalog, name, owner, comment, created) VALUES (?, ?, ?, '', ?) ON CONFLICT DO NOTHING", catalog, schema, owner, now)
		return err
	})
}

// Catalogs lists the catalogs by name.
func (c *Catalog) Catalogs(ctx context.Context) ([]Info, error) {
	var out []Info
	err := c.rows(ctx, func(r *sql.Rows) error {
		var i Info
		var created int64
		if err := r.Scan(&i.Name, &i.Owner, &i.Comment, &created); err != nil {
			return err
		}
		i.Created = time.UnixMilli(created).UTC()
		out = append(out, i)
		return nil
	}, "SELECT name, owner, comment, created FROM catalogs ORDER BY name")
	return out, err
}

// rows runs a query and gives each row to f.
func (c *Catalog) rows(ctx context.Context, f func(*sql.Rows) error, query string, args ...any) error {
	return each(ctx, c.db, f, query, args...)
}

// querier is what *sql.DB and *sql.Tx have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func each(ctx context.Context, q querier, f func(*sql.Rows) error, query string, args ...any) (err error) {
	r, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	defer func() {
		if cerr := r.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("catalog: %w", cerr)
		}
	}()
	for r.Next() {
		if err := f(r); err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	return nil
}
