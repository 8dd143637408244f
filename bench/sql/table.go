package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/objstore"
)

// Names of the benchmark's catalog, and the threads of both sides.
const (
	catalogName = "bench"
	schemaName  = "lab"
	threads     = 2
	memory      = 4 << 30
)

// source is a table with the DuckDB query that makes its rows; {rows} is their
// number.
type source struct{ name, columns, query string }

func sources() []source {
	return []source{
		{"readings", "seq BIGINT, device INT, ts TIMESTAMP, day DATE, metric STRING, value DOUBLE, price DECIMAL(10,2), status STRING, note STRING, payload STRING", `
SELECT i AS seq, CAST(hash(i) % 1000 AS INTEGER) AS device, make_timestamptz(1704067200000000 + i * 3000000) AS ts,
  CAST(make_timestamp(1704067200000000 + i * 3000000) AS DATE) AS day,
  ['temperature', 'pressure', 'humidity', 'speed'][CAST(1 + hash(i, 1) % 4 AS BIGINT)] AS metric,
  CASE WHEN hash(i, 2) % 50 > 0 THEN (hash(i, 3) % 100000) / 1000.0::DOUBLE END AS value,
  CAST((hash(i, 4) % 1000000) / 100.0 AS DECIMAL(10,2)) AS price,
  ['ok', 'ok', 'ok', 'warn', 'error'][CAST(1 + hash(i, 5) % 5 AS BIGINT)] AS status,
  'line-' || (hash(i, 6) % 40) || ' operator ' || (hash(i, 7) % 500) || ' batch B' || (i // 1000) AS note,
  '{"rpm":' || (hash(i, 8) % 3000) || ',"mode":"' || ['auto', 'manual', 'idle'][CAST(1 + hash(i, 9) % 3 AS BIGINT)] || '","load":' || (hash(i, 10) % 1000) / 10.0 || '}' AS payload
FROM range({rows}) AS t(i)`},
		{"devices", "device INT, name STRING, site STRING, kind STRING, installed DATE", `
SELECT CAST(i AS INTEGER) AS device, 'device ' || i AS name, 'site ' || (i % 12) AS site, ['press', 'oven', 'robot'][CAST(1 + i % 3 AS BIGINT)] AS kind,
  CAST(make_timestamp(1500000000000000 + i * 86400000000) AS DATE) AS installed
FROM range(least({rows}, 1000)) AS t(i)`},
	}
}

// bench holds the tables and both ways to them.
type bench struct {
	rows    int
	catalog *catalog.Catalog
	tables  *query.Tables
	pool    *duck.Pool
	engine  *query.Engine
	files   map[string]string // FROM items over the Parquet files, by table
}

func open(ctx context.Context, dir string, rows int) (_ *bench, err error) {
	dir, err = filepath.Abs(filepath.Join(dir, fmt.Sprint(rows)))
	if err != nil {
		return nil, err
	}
	b := &bench{rows: rows, files: map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	done := filepath.Join(dir, "done")
	if _, err := os.Stat(done); err != nil {
		if err := os.RemoveAll(dir); err != nil { // half made, or not at all
			return nil, err
		}
	}
	store := filepath.Join(dir, "tables")
	if err := os.MkdirAll(store, 0o750); err != nil {
		return nil, err
	}
	if b.catalog, err = catalog.Open(ctx, filepath.Join(dir, "catalog.db")); err != nil {
		return nil, err
	}
	if err := b.catalog.EnsureSchema(ctx, catalogName, schemaName, "bench"); err != nil {
		return nil, err
	}
	b.tables = query.NewTables(objstore.Local(store))
	b.pool, err = duck.Open(duck.Config{Memory: memory, Instances: 1, Threads: threads, TempDir: filepath.Join(dir, "temp"), AllowedDirs: []string{store}})
	if err != nil {
		return nil, err
	}
	b.engine = query.New(query.Config{Catalog: b.catalog, Tables: b.tables, Executor: query.InProcess{Pool: b.pool}})
	for _, s := range sources() {
		if err := b.table(ctx, s); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return b, os.WriteFile(done, nil, 0o600)
}

func (b *bench) close() error {
	var errs []error
	if b.pool != nil {
		errs = append(errs, b.pool.Close())
	}
	if b.catalog != nil {
		errs = append(errs, b.catalog.Close())
	}
	return errors.Join(errs...)
}

func (b *bench) session() *query.Session {
	return &query.Session{Catalog: catalogName, Schema: schemaName}
}

// overFiles puts the Parquet files in the place of the tables' names.
func (b *bench) overFiles(text string) string {
	for name, files := range b.files {
		text = strings.ReplaceAll(text, "FROM "+name, "FROM "+files)
		text = strings.ReplaceAll(text, "JOIN "+name, "JOIN "+files)
	}
	return text
}

// table makes a table, or opens the one that is there.
func (b *bench) table(ctx context.Context, s source) error {
	all, err := b.catalog.AllTables(ctx)
	if err != nil {
		return err
	}
	var d *delta.Table
	var row catalog.Table
	for _, t := range all {
		if t.Name == s.name {
			row = t
			d, err = b.tables.Open(ctx, t)
		}
	}
	if d == nil && err == nil {
		fmt.Printf("making %s\n", s.name)
		row, d, err = b.create(ctx, s)
	}
	if err != nil {
		return err
	}
	snap, err := d.Snapshot(ctx)
	if err != nil {
		return err
	}
	adds, _, err := snap.Files()
	if err != nil {
		return err
	}
	names := make([]string, len(adds))
	for i, a := range adds {
		names[i] = duck.Quote(b.tables.LocalPath(snap.Locate(a)))
	}
	b.files[row.Name] = "read_parquet([" + strings.Join(names, ", ") + "]) AS " + row.Name
	return nil
}

func (b *bench) create(ctx context.Context, s source) (catalog.Table, *delta.Table, error) {
	t := catalog.Table{Catalog: catalogName, Schema: schemaName, Name: s.name, Type: catalog.Managed}
	fields, err := parse.Schema(s.columns)
	if err != nil {
		return t, nil, err
	}
	for _, f := range fields {
		t.Columns = append(t.Columns, catalog.Column{Name: f.Name, Type: f.Type.String(), Nullable: true})
	}
	if t, err = b.catalog.CreateTable(ctx, t); err != nil {
		return t, nil, err
	}
	af, err := types.ArrowFields(fields)
	if err != nil {
		return t, nil, err
	}
	schema := arrow.NewSchema(af, nil)
	d, err := delta.Create(ctx, b.tables.Store(), t.ID, schema)
	if err != nil {
		return t, nil, err
	}
	if _, err := d.Append(ctx, b.made(ctx, strings.ReplaceAll(s.query, "{rows}", fmt.Sprint(b.rows)), schema)); err != nil {
		return t, nil, err
	}
	b.tables.Put(t, d)
	return t, d, b.catalog.Activate(ctx, t.ID)
}

// made are the rows of a DuckDB query under a schema.
func (b *bench) made(ctx context.Context, text string, schema *arrow.Schema) func(func(arrow.RecordBatch, error) bool) {
	return func(yield func(arrow.RecordBatch, error) bool) {
		conn, err := b.pool.Get(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		defer conn.Put()
		rd, err := conn.Query(ctx, text)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rd.Close()
		for {
			rec, err := rd.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			named := array.NewRecordBatch(schema, rec.Columns(), rec.NumRows())
			rec.Release()
			ok := yield(named, nil)
			named.Release()
			if !ok {
				return
			}
		}
	}
}
