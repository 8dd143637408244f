package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/objstore"
)

// The statements; peer.py has their like.
const (
	mergeText = `MERGE INTO t USING source AS s ON t.id = s.id
WHEN MATCHED THEN UPDATE SET value = s.value + 1, note = s.note WHEN NOT MATCHED THEN INSERT *`
	deleteText = `DELETE FROM t WHERE id % 100 = 7`
	statsText  = `SELECT id, value, note FROM t WHERE id BETWEEN 1000000 AND 1000999`
	daysText   = `SELECT id, value, note FROM t WHERE day = '2024-01-07' AND id % 10 = 3`
)

// Names of the catalog, and the bounds of the engine.
const (
	catalogName  = "bench"
	schemaName   = "lab"
	engineMemory = 512 << 20
	threads      = 2
)

// engine runs SQL over the tables of a folder.
type engine struct {
	*query.Engine
	catalog *catalog.Catalog
	pool    *duck.Pool
	tables  *query.Tables
	rows    map[string]catalog.Table // by name
}

// newEngine knows the tables by their roots without having opened them.
func newEngine(ctx context.Context, dir string, names ...string) (_ *engine, err error) {
	e := &engine{rows: map[string]catalog.Table{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if e.catalog, err = catalog.Open(ctx, filepath.Join(dir, "catalog.db")); err != nil {
		return nil, err
	}
	if err := e.catalog.EnsureSchema(ctx, catalogName, schemaName, "bench"); err != nil {
		return nil, err
	}
	e.tables = query.NewTables(objstore.Local(dir))
	e.pool, err = duck.Open(duck.Config{Memory: engineMemory, Instances: 1, Threads: threads, TempDir: filepath.Join(dir, "temp"), AllowedDirs: []string{dir}})
	if err != nil {
		return nil, err
	}
	e.Engine = query.New(query.Config{Catalog: e.catalog, Tables: e.tables, Executor: query.InProcess{Pool: e.pool}})
	for _, name := range names {
		d, err := delta.Open(ctx, e.tables.Store(), name)
		if err != nil {
			return nil, err
		}
		snap, err := d.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		t := catalog.Table{Catalog: catalogName, Schema: schemaName, Name: name, Type: catalog.Managed}
		for _, f := range snap.Schema().Fields() {
			typ, err := types.FromArrow(f.Type)
			if err != nil {
				return nil, err
			}
			t.Columns = append(t.Columns, catalog.Column{Name: f.Name, Type: typ.String(), Nullable: true})
		}
		if t, err = e.catalog.CreateTable(ctx, t); err != nil {
			return nil, err
		}
		if err := e.catalog.Activate(ctx, t.ID); err != nil {
			return nil, err
		}
		e.rows[name] = t
	}
	return e, nil
}

func (e *engine) close() error {
	var errs []error
	if e.pool != nil {
		errs = append(errs, e.pool.Close())
	}
	if e.catalog != nil {
		errs = append(errs, e.catalog.Close())
	}
	return errors.Join(errs...)
}

// exec opens the tables, runs a statement and counts the rows it gives.
func (e *engine) exec(ctx context.Context, text string) (rows int64, err error) {
	for name, t := range e.rows {
		d, err := delta.Open(ctx, e.tables.Store(), name, e.tables.Options()...)
		if err != nil {
			return 0, err
		}
		e.tables.Put(t, d)
	}
	res, err := e.Run(ctx, &query.Session{Catalog: catalogName, Schema: schemaName}, text)
	if err != nil {
		return 0, err
	}
	defer res.Close()
	for {
		rec, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return 0, err
		}
		rows += rec.NumRows()
		rec.Release()
	}
}

// selects is a query; its result is the number of rows.
func selects(text string) func(context.Context, *side) error {
	return func(ctx context.Context, s *side) error {
		e, err := newEngine(ctx, s.dir, tableRoot)
		if err != nil {
			return err
		}
		err = s.timed(1, func() (err error) {
			s.Result, err = e.exec(ctx, text)
			return err
		})
		return errors.Join(err, e.close())
	}
}

// changes is a statement that changes the table; its result is the number of
// the table's rows afterwards.
func changes(text string) func(context.Context, *side) error {
	return func(ctx context.Context, s *side) error {
		e, err := newEngine(ctx, s.dir, tableRoot, sourceRoot)
		if err != nil {
			return err
		}
		err = s.timed(1, func() error {
			_, err := e.exec(ctx, text)
			return err
		})
		if err := errors.Join(err, e.close()); err != nil {
			return err
		}
		t, err := s.open(ctx, tableRoot)
		if err != nil {
			return err
		}
		snap, err := t.Snapshot(ctx)
		if err == nil {
			s.Result, _ = snap.Rows()
		}
		return err
	}
}
