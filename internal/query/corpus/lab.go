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
	store := filepath.Join(dir, "tables")
	if err := os.MkdirAll(store, 0o750); err != nil {
		return nil, err
	}
	if l.catalog, err = catalog.Open(ctx, filepath.Join(dir, "catalog.db")); err != nil {
		return nil, err
	}
	l.tables = query.NewTables(objstore.Local(store))
	l.pool, err = duck.Open(duck.Config{
		Memory: memory, Instances: 1, Threads: 1, ReadOnlySandbox: true, AllowedDirs: []string{store, filepath.Join(corpus, "tables")},
	})
	if err != nil {
		return nil, err
	}
	l.engine = query.New(query.Config{Catalog: l.catalog, Tables: l.tables, Executor: query.InProcess{Pool: l.pool}})
	for _, s := range []string{labSchema, stepsSchema} {
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

// load makes a table for each CREATE TABLE of setup.sql.
func (l *Lab) load(ctx context.Context, corpus string) error {
	b, err := os.ReadFile(filepath.Join(corpus, "setup.sql")) //nolint:gosec // the caller names the folder
	if errors.Is(err, os.ErrNotExist) {
		return nil // a folder of expressions needs no tables
	}
	if err != nil {
		return err
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "CREATE TABLE "+labSchema+".")
		if !ok {
			continue
		}
		name, cols, _ := strings.Cut(rest, " (")
		cols, _, _ = strings.Cut(cols, ") USING")
		fields, err := parse.Schema(cols)
		if err != nil {
			return fmt.Errorf("setup.sql: %s: %w", name, err)
		}
		if err := l.table(ctx, name, fields, filepath.Join(corpus, "tables", name+".parquet")); err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
	}
	return nil
}

// table makes one Delta table from a Parquet file, columns by position.
func (l *Lab) table(ctx context.Context, name string, fields []types.Field, file string) error {
	t := catalog.Table{Catalog: labCatalog, Schema: labSchema, Name: name, Type: catalog.Managed}
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
	d, err := delta.Create(ctx, l.tables.Store(), t.ID, schema, opts...)
	if err != nil {
		return err
	}
	if _, err := d.Append(ctx, l.read(ctx, fields, file)); err != nil {
		return err
	}
	l.tables.Put(t, d)
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
	return nil
}
