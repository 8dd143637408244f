package corpus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/objstore"
)

// Names that the corpus uses.
const (
	labCatalog  = "spark_catalog"
	labSchema   = "lab"
	stepsSchema = "w"
)

// pathsFolder holds the tables that statements name by their paths: pathsMask
// in a statement stands for it.
const (
	pathsFolder = "paths"
	pathsMask   = "<paths>"
)

// Memory of the DuckDB instance that runs the statements.
const memory = 1 << 30

// Lab holds the base tables as Delta tables of a catalog, and an engine over
// them. Close it.
type Lab struct {
	dir     string
	catalog *catalog.Catalog
	tables  *query.Tables
	pool    *duck.Pool
	engine  *query.Engine
	base    map[string]bool // IDs of the base tables
}

// Open makes a lab in the empty folder dir from the corpus' setup.sql and
// tables.
func Open(ctx context.Context, corpus, dir string) (_ *Lab, err error) {
	l := &Lab{dir: dir, base: map[string]bool{}}
	defer func() {
		if err != nil {
			_ = l.Close() // err says more
		}
	}()
	if corpus, err = filepath.Abs(corpus); err != nil {
		return nil, err
	}
	store, paths := filepath.Join(dir, "tables"), filepath.Join(dir, pathsFolder)
	for _, d := range []string{store, paths} {
		if err := os.MkdirAll(d, 0o750); err != nil {
			return nil, err
		}
	}
	if l.catalog, err = catalog.Open(ctx, filepath.Join(dir, "catalog.db")); err != nil {
		return nil, err
	}
	l.tables = query.NewTables(objstore.Local(store))
	root, err := query.LocalRoot(paths)
	if err != nil {
		return nil, err
	}
	l.tables.Allow(root)
	l.pool, err = duck.Open(duck.Config{
		Memory: memory, Instances: 1, Threads: 1, ReadOnlySandbox: true, AllowedDirs: []string{store, paths, filepath.Join(corpus, "tables")},
	})
	if err != nil {
		return nil, err
	}
	l.engine = query.New(query.Config{Catalog: l.catalog, Tables: l.tables, Executor: query.InProcess{Pool: l.pool}})
	for _, s := range baseSchemas {
		if err := l.catalog.EnsureSchema(ctx, labCatalog, s, "corpus"); err != nil {
			return nil, err
		}
	}
	return l, l.load(ctx, corpus)
}

// Close frees what the lab holds; the folder is the caller's.
func (l *Lab) Close() error {
	var errs []error
	if l.pool != nil {
		errs = append(errs, l.pool.Close())
	}
	if l.catalog != nil {
		errs = append(errs, l.catalog.Close())
	}
	return errors.Join(errs...)
}

// load makes a table for each CREATE TABLE of setup.sql, from its Parquet file,
// and for each CREATE VIEW, from the rows of its query.
func (l *Lab) load(ctx context.Context, corpus string) error {
	b, err := os.ReadFile(filepath.Join(corpus, "setup.sql"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // a folder of expressions needs no tables
	}
	if err != nil {
		return err
	}
	for text := range strings.SplitSeq(strings.ReplaceAll(string(b), "\r", ""), ";\n") {
		var lines []string
		for line := range strings.SplitSeq(text, "\n") {
			if !strings.HasPrefix(line, "--") {
				lines = append(lines, line)
			}
		}
		text = strings.TrimSpace(strings.Join(lines, "\n"))
		var name string
		var err error
		if rest, ok := strings.CutPrefix(text, "CREATE TABLE "+labSchema+"."); ok {
			var cols string
			name, cols, _ = strings.Cut(rest, " (")
			cols, _, _ = strings.Cut(cols, ") USING")
			err = l.fromFile(ctx, name, cols, filepath.Join(corpus, "tables", name+".parquet"))
		} else if rest, ok := strings.CutPrefix(text, "CREATE VIEW "+labSchema+"."); ok {
			var query string
			name, query, _ = strings.Cut(rest, " AS ")
			err = l.fromQuery(ctx, name, query)
		}
		if err != nil {
			return fmt.Errorf("setup.sql: %s: %w", name, err)
		}
	}
	return nil
}

// fromFile makes a table from a Parquet file, columns by position.
func (l *Lab) fromFile(ctx context.Context, name, cols, file string) error {
	fields, err := parse.Schema(cols)
	if err != nil {
		return err
	}
	return l.table(ctx, name, fields, l.read(ctx, fields, file))
}

// fromQuery makes a table of what a statement gives.
func (l *Lab) fromQuery(ctx context.Context, name, text string) error {
	res, err := l.engine.Run(ctx, &query.Session{Catalog: labCatalog, Schema: labSchema}, text)
	if err != nil {
		return err
	}
	defer res.Close()
	fields := make([]types.Field, len(res.Columns))
	for i, c := range res.Columns {
		fields[i] = types.Field{Name: c.Name, Type: c.Type, Nullable: true}
	}
	af, err := types.ArrowFields(fields)
	if err != nil {
		return err
	}
	schema := arrow.NewSchema(af, nil)
	return l.table(ctx, name, fields, func(yield func(arrow.RecordBatch, error) bool) {
		for {
			rec, err := res.Next(ctx)
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
	})
}

// table makes one table of Parquet files of rows.
func (l *Lab) table(ctx context.Context, name string, fields []types.Field, rows iter.Seq2[arrow.RecordBatch, error]) error {
	t := catalog.Table{Catalog: labCatalog, Schema: labSchema, Name: name, Type: catalog.Managed, Properties: map[string]string{"provider": "parquet", "files": `{"format":"parquet"}`}}
	for _, f := range fields {
		t.Columns = append(t.Columns, catalog.Column{Name: f.Name, Type: f.Type.String(), Nullable: f.Nullable})
	}
	t, err := l.catalog.CreateTable(ctx, t)
	if err != nil {
		return err
	}
	af, err := types.ArrowFields(fields)
	if err != nil {
		return err
	}
	schema := arrow.NewSchema(af, nil)
	var opts []delta.Option
	if slices.ContainsFunc(fields, func(f types.Field) bool { return f.Type == types.TimestampNTZ }) {
		opts = append(opts, delta.WithProperties(map[string]string{"delta.feature.timestampNtz": "supported"}))
	}
	d, err := delta.NewDraft(l.tables.Store(), t.ID, schema, opts...)
	if err != nil {
		return err
	}
	w, err := d.NewWriter(ctx, delta.WriterOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = w.Abort() }() // after Close it does nothing
	for rec, err := range rows {
		if err == nil {
			err = w.Write(rec)
		}
		if err != nil {
			return err
		}
	}
	if _, err := w.Close(); err != nil {
		return err
	}
	l.base[t.ID] = true
	return l.catalog.Activate(ctx, t.ID)
}

// read gives the batches of a Parquet file under the names and types of fields.
func (l *Lab) read(ctx context.Context, fields []types.Field, file string) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		err := func() error {
			conn, err := l.pool.Get(ctx)
			if err != nil {
				return err
			}
			defer conn.Put()
			cols := make([]string, len(fields))
			for i, f := range fields {
				t, err := lower.DuckType(f.Type)
				if err != nil {
					return err
				}
				name := `"` + strings.ReplaceAll(f.Name, `"`, `""`) + `"`
				cols[i] = "CAST(" + name + " AS " + t + ") AS " + name
			}
			rd, err := conn.Query(ctx, "SELECT "+strings.Join(cols, ", ")+" FROM read_parquet("+duck.Quote(file)+")")
			if err != nil {
				return err
			}
			defer rd.Close()
			for {
				rec, err := rd.Next()
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				ok := yield(rec, nil)
				rec.Release()
				if !ok {
					return nil
				}
			}
		}()
		if err != nil {
			yield(nil, err)
		}
	}
}

// baseSchemas are there in every case.
var baseSchemas = []string{"default", labSchema, stepsSchema}

// clean drops what a case has made.
func (l *Lab) clean(ctx context.Context) error {
	all, err := l.catalog.AllTables(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if l.base[t.ID] {
			continue
		}
		if err := l.catalog.DropTable(ctx, t.ID); err != nil {
			return err
		}
		l.tables.Forget(t)
		if err := os.RemoveAll(filepath.Join(l.dir, "tables", t.ID)); err != nil { //nolint:gosec // the catalog made the ID
			return err
		}
	}
	paths := filepath.Join(l.dir, pathsFolder)
	if err := os.RemoveAll(paths); err != nil { //nolint:gosec // below the test's own folder
		return err
	}
	if err := os.Mkdir(paths, 0o750); err != nil { //nolint:gosec // the same
		return err
	}
	schemas, err := l.catalog.Schemas(ctx, labCatalog)
	if err != nil {
		return err
	}
	for _, sc := range schemas {
		if slices.Contains(baseSchemas, sc.Name) {
			continue
		}
		if _, err := l.catalog.DropSchema(ctx, labCatalog, sc.Name, true); err != nil {
			return err
		}
	}
	return nil
}
