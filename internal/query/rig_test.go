package query_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"go.uber.org/goleak"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/vfs"
	"github.com/marisma/marisma/objstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a catalog with tables in a folder and a DuckDB pool that reads them.
type rig struct {
	t    *testing.T
	dir  string
	cat  *catalog.Catalog
	tabs *query.Tables
	pool *duck.Pool
}

func newRig(t *testing.T, dir string) *rig {
	t.Helper()
	ctx := context.Background()
	fs := vfs.NewOS(dir)
	if err := fs.MkdirAll("tables"); err != nil {
		t.Fatal(err)
	}
	cat, err := catalog.Open(ctx, filepath.Join(dir, "catalog.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cat.Close() })
	pool, err := duck.Open(duck.Config{
		Memory: 512 << 20, Instances: 1, Threads: 2, TempDir: t.TempDir(), AllowedDirs: []string{filepath.Join(dir, "tables")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return &rig{t: t, dir: dir, cat: cat, tabs: query.NewTables(objstore.LocalOn(fs, "tables")), pool: pool}
}

// create makes a table c.s.name; each record becomes a commit of its own.
func (r *rig) create(name string, schema *arrow.Schema, opts []delta.Option, recs ...arrow.RecordBatch) *delta.Table {
	r.t.Helper()
	ctx := context.Background()
	if err := r.cat.EnsureSchema(ctx, "c", "s", "me"); err != nil {
		r.t.Fatal(err)
	}
	fields, err := types.FromArrowFields(schema.Fields())
	if err != nil {
		r.t.Fatal(err)
	}
	var cols []catalog.Column
	for _, f := range fields {
		cols = append(cols, catalog.Column{Name: f.Name, Type: f.Type.String(), Nullable: f.Nullable})
	}
	row, err := r.cat.CreateTable(ctx, catalog.Table{Catalog: "c", Schema: "s", Name: name, Type: catalog.Managed, Owner: "me", Columns: cols})
	if err != nil {
		r.t.Fatal(err)
	}
	d, err := delta.Create(ctx, r.tabs.Store(), row.ID, schema, opts...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.tabs.Put(row, d)
	if err := r.cat.Activate(ctx, row.ID); err != nil {
		r.t.Fatal(err)
	}
	for _, rec := range recs {
		r.append(d, rec)
	}
	return d
}

func (r *rig) append(d *delta.Table, rec arrow.RecordBatch) {
	r.t.Helper()
	defer rec.Release()
	one := iter.Seq2[arrow.RecordBatch, error](func(yield func(arrow.RecordBatch, error) bool) { yield(rec, nil) })
	if _, err := d.Append(context.Background(), one); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) plan(sql string) (plan.Node, error) {
	env := analyze.Env{Resolver: query.NewResolver(r.cat, r.tabs, "c", "s"), Catalog: "c", Schema: "s", Now: time.Now()}
	q, err := analyze.Query(context.Background(), sql, env)
	if err != nil {
		return nil, err
	}
	return q.Plan, nil
}

// run gives the rows of a plan as text, in the order of their text.
func (r *rig) run(n plan.Node, inputs func(*plan.Scan) (query.Input, error)) ([]string, error) {
	ctx := context.Background()
	conn, err := r.pool.Get(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Put()
	rows, err := query.Run(ctx, conn, n, query.Options{Now: time.Now(), ANSI: true, Inputs: inputs})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for {
		rec, err := rows.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(out)
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, lines(rec)...)
		rec.Release()
	}
}

// ask runs a query the usual way.
func (r *rig) ask(sql string) ([]string, error) {
	n, err := r.plan(sql)
	if err != nil {
		return nil, err
	}
	return r.run(n, query.Inputs(context.Background(), n, r.tabs))
}

// want runs a query and compares its rows, without order.
func (r *rig) want(sql string, want ...string) {
	r.t.Helper()
	got, err := r.ask(sql)
	if err != nil {
		r.t.Errorf("%s: %v", sql, err)
		return
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.t.Errorf("%s:\n got %q\nwant %q", sql, got, want)
	}
}

func lines(rec arrow.RecordBatch) (out []string) {
	for i := range int(rec.NumRows()) {
		var vals []string
		for _, c := range rec.Columns() {
			if c.IsNull(i) {
				vals = append(vals, "NULL")
			} else {
				vals = append(vals, c.ValueStr(i))
			}
		}
		out = append(out, strings.Clone(strings.Join(vals, "|")))
	}
	return out
}
