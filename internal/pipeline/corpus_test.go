package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// streamCase is one case of the corpus of what Spark answered.
type streamCase struct {
	ID      string
	Sources map[string]struct{ Schema, Kind string }
	Lake    string `json:"lakeflow"`
	Mode    string
	Names   []string
	Types   []string
	Error   any
	Batches []struct {
		Input        map[string]json.RawMessage
		Query        string // from here on
		Result       [][]any
		Error        any
		Dropped      *int64
		Expectations []struct {
			Name           string
			Passed, Failed int64
		}
	}
}

// TestCorpusOfStreams runs the cases that MARISMA_CORPUS names (the folder
// with streams/) through whole pipelines over Delta tables.
func TestCorpusOfStreams(t *testing.T) {
	root := os.Getenv("MARISMA_CORPUS")
	if root == "" {
		t.Skip("MARISMA_CORPUS is not set")
	}
	for _, group := range []string{"stateless", "static-join", "expectations", "mv"} {
		files, err := filepath.Glob(filepath.Join(root, "streams", group, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no cases (%v)", group, err)
		}
		for _, f := range files {
			t.Run(group+"/"+strings.TrimSuffix(filepath.Base(f), ".json"), func(t *testing.T) { runCase(t, f) })
		}
	}
}

func runCase(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c streamCase
	if err := json.Unmarshal(data, &c); err != nil {
		t.Skip(err)
	}
	if c.Mode != "append" && c.Mode != "mv" {
		t.Skip("mode " + c.Mode)
	}
	for _, ty := range c.Types {
		if strings.ContainsAny(ty, "<") || ty == "binary" || ty == "variant" {
			t.Skip("nested result")
		}
	}
	r := newRig(t, t.TempDir())
	for name, s := range c.Sources {
		r.source(name, s.Schema)
	}
	b := bundle.Pipeline{Key: "p", Name: "p", Catalog: "c", Schema: "s", Files: []bundle.SourceFile{{Path: "a.sql", Text: c.Lake}}}
	p, err := Load(context.Background(), r.config(b))
	if err != nil {
		if strings.Contains(err.Error(), "stateful streaming") {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	defer func() { _ = p.journal.Close() }()
	for i, batch := range c.Batches {
		for name, in := range batch.Input {
			if !r.feed(name, c.Sources[name].Schema, in) {
				t.Logf("from batch %d on a source is changed by SQL", i)
				return
			}
		}
		if batch.Query != "" {
			_ = p.journal.Close()
			b.Files[0].Text = "CREATE OR REFRESH STREAMING TABLE out AS " + batch.Query
			if p, err = Load(context.Background(), r.config(b)); err != nil {
				t.Fatal(err)
			}
		}
		err := p.Update(context.Background())
		if (err != nil) != (batch.Error != nil) {
			t.Fatalf("batch %d: %v, Spark: %v; the table has %q", i, err, batch.Error, r.ask("SELECT * FROM out"))
		}
		if batch.Result == nil && batch.Error != nil {
			continue
		}
		cols := make([]string, len(c.Names))
		for j, n := range c.Names {
			cols[j] = "CAST(" + types.QuoteIfNeeded(n) + " AS STRING)"
		}
		got := r.ask("SELECT " + strings.Join(cols, ", ") + " FROM out")
		r.same(fmt.Sprintf("batch %d", i), got, expected(batch.Result, c.Types)...)
		for _, e := range batch.Expectations {
			n := node0(t, p, "out")
			if !slices.ContainsFunc(n.Expectations, func(x Expectation) bool { return x.Name == e.Name && x.Passed >= e.Passed && x.Failed >= e.Failed }) {
				t.Errorf("batch %d: %+v is not in %+v", i, e, n.Expectations)
			}
		}
	}
}

// TestCorpusOfRefusedStreams: what Spark refuses is refused here too.
func TestCorpusOfRefusedStreams(t *testing.T) {
	root := os.Getenv("MARISMA_CORPUS")
	if root == "" {
		t.Skip("MARISMA_CORPUS is not set")
	}
	files, _ := filepath.Glob(filepath.Join(root, "streams", "unsupported", "*.json"))
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var c streamCase
			if err := json.Unmarshal(data, &c); err != nil {
				t.Skip(err)
			}
			if c.Lake == "" || !strings.Contains(string(data), `"error"`) || c.Mode != "append" {
				t.Skip("no Lakeflow statement, or Spark runs it")
			}
			if c.ID == "watermark-interval-string" {
				t.Skip("INTERVAL '10 seconds' is read here")
			}
			r := newRig(t, t.TempDir())
			for name, s := range c.Sources {
				r.source(name, s.Schema)
			}
			b := bundle.Pipeline{Key: "p", Name: "p", Catalog: "c", Schema: "s", Files: []bundle.SourceFile{{Path: "a.sql", Text: c.Lake}}}
			p, err := Load(context.Background(), r.config(b))
			if err == nil {
				_ = p.journal.Close()
				t.Errorf("passes: %s", c.Lake)
			}
			t.Log(err)
		})
	}
}

func expected(rows [][]any, ty []string) (out []string) {
	for _, row := range rows {
		var vals []string
		for i, v := range row[:min(len(row), len(ty))] {
			switch v := v.(type) {
			case nil:
				vals = append(vals, "NULL")
			case float64:
				vals = append(vals, fmt.Sprintf("%.0f", v))
			default:
				s := fmt.Sprint(v)
				if ty[i] == "timestamp" {
					s = strings.TrimSuffix(strings.Replace(s, "T", " ", 1), "Z")
				}
				vals = append(vals, s)
			}
		}
		out = append(out, strings.Join(vals, "|"))
	}
	return out
}

// source makes a table outside the pipeline.
func (r *rig) source(name, schema string) {
	r.t.Helper()
	ctx := context.Background()
	fields, err := parse.Schema(schema)
	if err != nil {
		r.t.Fatal(err)
	}
	af, err := types.ArrowFields(fields)
	if err != nil {
		r.t.Skip(err)
	}
	if err := r.cat.EnsureSchema(ctx, "c", "s", "admin"); err != nil {
		r.t.Fatal(err)
	}
	row, err := r.cat.CreateTable(ctx, catalog.Table{Catalog: "c", Schema: "s", Name: name, Type: catalog.Managed, Columns: columnsOf(fields)})
	if err != nil {
		r.t.Fatal(err)
	}
	tab, err := delta.Create(ctx, r.tabs.Store(), row.ID, arrow.NewSchema(af, nil))
	if err != nil {
		r.t.Fatal(err)
	}
	r.tabs.Put(row, tab)
	if err := r.cat.Activate(ctx, row.ID); err != nil {
		r.t.Fatal(err)
	}
}

// feed appends rows to a source; false where the input is no list of rows.
func (r *rig) feed(name, schema string, in json.RawMessage) bool {
	r.t.Helper()
	var rows [][]any
	over := struct {
		Rows      [][]any
		Overwrite bool
	}{}
	if json.Unmarshal(in, &rows) != nil {
		if json.Unmarshal(in, &over) != nil || !over.Overwrite {
			return false
		}
		rows = over.Rows
	}
	if len(rows) == 0 {
		return true
	}
	fields, err := parse.Schema(schema)
	if err != nil {
		r.t.Fatal(err)
	}
	var sel []string
	for _, row := range rows {
		var vals []string
		for i, v := range row {
			ty := fields[i].Type.SQL()
			switch v := v.(type) {
			case nil:
				vals = append(vals, "CAST(NULL AS "+ty+")")
			case []any, map[string]any:
				r.t.Skip("nested input")
			case float64:
				vals = append(vals, fmt.Sprintf("CAST(%.0f AS %s)", v, ty))
			default:
				text := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(fmt.Sprint(v))
				vals = append(vals, "CAST('"+text+"' AS "+ty+")")
			}
			vals[i] += " AS " + types.QuoteIfNeeded(fields[i].Name)
		}
		sel = append(sel, "SELECT "+strings.Join(vals, ", "))
	}
	r.append(name, strings.Join(sel, " UNION ALL "), over.Overwrite)
	return true
}

func (r *rig) append(name, sql string, overwrite bool) {
	r.t.Helper()
	ctx := context.Background()
	env := analyze.Env{Resolver: query.NewResolver(r.cat, r.tabs, "c", "s"), Catalog: "c", Schema: "s"}
	q, err := analyze.Query(ctx, sql, env)
	if err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	conn, err := r.pool.Get(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Put()
	rows, err := query.Run(ctx, conn, q.Plan, query.Options{ANSI: true, Inputs: query.Inputs(ctx, q.Plan, r.tabs)})
	if err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	row, err := r.cat.Table(ctx, "c", "s", name)
	if err != nil {
		r.t.Fatal(err)
	}
	tab, err := r.tabs.Open(ctx, row)
	if err != nil {
		r.t.Fatal(err)
	}
	snap, err := tab.Snapshot(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	var recs []arrow.RecordBatch
	for {
		rec, err := rows.Next()
		if err != nil {
			break
		}
		recs = append(recs, renamed(rec, snap.Schema()))
	}
	write := tab.Append
	if overwrite {
		write = tab.Overwrite
	}
	if _, err := write(ctx, delta.Batches(recs...)); err != nil {
		r.t.Fatal(err)
	}
}

func renamed(rec arrow.RecordBatch, s *arrow.Schema) arrow.RecordBatch {
	return array.NewRecordBatch(s, rec.Columns(), rec.NumRows())
}
