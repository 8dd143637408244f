package lower_test

import (
	"bufio"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

var rewrite = flag.Bool("rewrite", false, "write the answers into testdata")

const functionsFile = "testdata/functions.txt"

// bench answers expressions over four rows of i, s, f, a, b.
type bench struct {
	db   *sql.DB
	rows *plan.Values
	cols map[string]plan.Attr
}

func newBench(t *testing.T) *bench {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("SET TimeZone = 'UTC'"); err != nil {
		t.Fatal(err)
	}
	b := &bench{db: db, cols: map[string]plan.Attr{}, rows: &plan.Values{}}
	for n, ty := range map[string]types.Type{"i": types.Int, "s": types.String, "f": types.Double, "b": types.Boolean, "m": types.Decimal{Precision: 5, Scale: 2}} {
		b.cols[n] = plan.Attr{ID: plan.NewID(), Name: n, Type: ty, Nullable: true}
	}
	data := [][]string{{"1", "'x'", "0.5d", "true", "1.10"}, {"2", "'y'", "2.5d", "false", "2.20"}, {"2", "null", "null", "null", "3.35"}, {"null", "'x'", "4.0d", "true", "null"}}
	order := []string{"i", "s", "f", "b", "m"}
	for _, n := range order {
		b.rows.Attrs = append(b.rows.Attrs, b.cols[n])
	}
	for _, row := range data {
		var exprs []plan.Expr
		for k, w := range row {
			x, err := (&reader{}).atom(w)
			if err != nil {
				t.Fatal(err)
			}
			exprs = append(exprs, funcs.CastTo(x, b.cols[order[k]].Type, funcs.Context{ANSI: true}))
		}
		b.rows.Rows = append(b.rows.Rows, exprs)
	}
	return b
}

var now = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// answer runs one expression: the values, comma-separated, and the type; the
// error's class; or the kernels that it needs.
func (b *bench) answer(text string, ansi bool) string {
	r := &reader{text: text, cols: b.cols, vars: map[string]*plan.LambdaVar{}, ctx: funcs.Context{ANSI: ansi, User: "ann", Catalog: "main", Schema: "lab",
		Conf: map[string]string{"spark.sql.timeType.enabled": "true"},
		ParseType: func(string) (types.Type, error) {
			return types.Struct{Fields: []types.Field{{Name: "a", Type: types.Int, Nullable: true}}}, nil
		}}}
	e, err := r.expr()
	if err != nil {
		return "error " + sparksql.ClassOf(err) + " (analysis)"
	}
	return b.run(b.node(e), ansi)
}

// node puts an expression where it may stand.
func (b *bench) node(e plan.Expr) plan.Node {
	out := plan.Attr{ID: plan.NewID(), Name: "r", Type: e.Type(), Nullable: e.Nullable()}
	one := []plan.NamedExpr{{X: e, Attr: out}}
	empty := &plan.Values{Rows: [][]plan.Expr{{}}}
	switch e := e.(type) {
	case *plan.AggCall:
		if e.Fn == "grouping" || e.Fn == "grouping_id" {
			k := b.cols["s"]
			return &plan.Aggregate{Input: b.rows, Keys: []plan.NamedExpr{{X: &plan.Column{Attr: k}, Attr: k}}, Sets: [][]int{{0}, {}}, Aggs: one}
		}
		return &plan.Aggregate{Input: b.rows, Aggs: one}
	case *plan.Call:
		switch d := funcs.Lookup(e.Fn); d.Kind {
		case funcs.Generator:
			g := &plan.Generate{Input: empty, Gen: e}
			for _, f := range d.Columns(e) {
				g.Attrs = append(g.Attrs, plan.Attr{ID: plan.NewID(), Name: f.Name, Type: f.Type, Nullable: f.Nullable})
			}
			return g
		case funcs.Window:
			w, err := funcs.Over(e, nil, []plan.SortKey{{X: &plan.Column{Attr: b.cols["i"]}, NullsFirst: true}, {X: &plan.Column{Attr: b.cols["f"]}, NullsFirst: true}}, nil, funcs.Context{ANSI: true})
			if err != nil {
				return empty
			}
			one[0].X = w
			return &plan.Project{Input: &plan.Window{Input: b.rows, Exprs: one}, Exprs: []plan.NamedExpr{{X: &plan.Column{Attr: out}, Attr: out}}}
		}
	}
	if !funcs.IsFoldable(e) {
		return &plan.Project{Input: b.rows, Exprs: one}
	}
	return &plan.Project{Input: empty, Exprs: one}
}

func (b *bench) run(n plan.Node, ansi bool) string {
	res, err := lower.Query(n, lower.Options{Now: now, ANSI: ansi})
	if err != nil {
		return "error " + sparksql.ClassOf(err) + " (lowering)"
	}
	if len(res.Kernels) > 0 {
		var kinds []string
		for _, k := range res.Kernels {
			kinds = append(kinds, k.Kind+"("+strings.Join(k.Args, ", ")+") "+k.Return+" "+string(k.Params))
		}
		return "kernel " + strings.Join(kinds, "; ")
	}
	var cells []string
	for i, c := range res.Columns {
		cells = append(cells, fmt.Sprintf("coalesce(CAST(c%d AS VARCHAR), 'NULL')", i))
		if err := b.sameType(res.SQL, i, c); err != nil {
			return err.Error()
		}
	}
	rows, err := b.db.Query("SELECT concat_ws(' ', " + strings.Join(cells, ", ") + ") FROM (" + res.SQL + ")")
	if err == nil {
		defer rows.Close()
		var out []string
		for rows.Next() {
			var s string
			if err = rows.Scan(&s); err != nil {
				break
			}
			out = append(out, s)
		}
		if err == nil {
			err = rows.Err()
		}
		if _, grouped := n.(*plan.Aggregate); grouped {
			slices.Sort(out)
		}
		if err == nil {
			return strings.Join(out, ", ") + " : " + typesOf(res)
		}
	}
	if e := lower.RuntimeError(err.Error()); e != nil {
		return "error " + e.Class
	}
	return "DUCKDB " + err.Error()
}

// sameType demands that the text has the right type before the final cast.
func (b *bench) sameType(text string, i int, c lower.Column) error {
	_, inner, ok := strings.Cut(text, " FROM (")
	if !ok {
		return fmt.Errorf("no inner query")
	}
	col := strings.SplitN(strings.Split(text, "CAST(")[i+1], " AS ", 2)[0]
	var want, got string
	q := "SELECT typeof(" + col + "), typeof(CAST(" + col + " AS " + c.DuckType + ")) FROM (" + inner + " LIMIT 1"
	err := b.db.QueryRow(q).Scan(&got, &want)
	if err == nil && got != want && got != `"NULL"` {
		return fmt.Errorf("DUCKDB type %s, want %s", got, want)
	}
	return nil
}

func typesOf(r lower.Result) string {
	var out []string
	for _, c := range r.Columns {
		out = append(out, c.Type.String())
	}
	return strings.Join(out, ", ")
}

// TestFunctions answers testdata/functions.txt: an expression a line (after
// "legacy " without ANSI), its answer on the next, indented.
func TestFunctions(t *testing.T) {
	b := newBench(t)
	var out strings.Builder
	for _, c := range cases(t) {
		text, legacy := strings.CutPrefix(c[0], "legacy ")
		got := b.answer(text, !legacy)
		fmt.Fprintf(&out, "%s\n    %s\n", c[0], got)
		if !*rewrite && got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
	if *rewrite {
		if err := os.WriteFile(functionsFile, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func cases(t *testing.T) [][2]string {
	t.Helper()
	f, err := os.Open(functionsFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out [][2]string
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		line := sc.Text()
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "    "):
			out[len(out)-1][1] = strings.TrimPrefix(line, "    ")
		default:
			out = append(out, [2]string{line})
		}
	}
	return out
}

// Every function and operator that can be called needs a case.
func TestEveryFunctionHasACase(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range cases(t) {
		for _, w := range strings.Split(c[0], "(")[1:] {
			name, _, _ := strings.Cut(strings.TrimRight(w, ") "), " ")
			seen[name] = true
		}
	}
	var missing []string
	for _, n := range funcs.All() {
		if !seen[strings.ReplaceAll(n, " ", "_")] && !internalName(n) {
			missing = append(missing, n)
		}
	}
	if diff := cmp.Diff([]string(nil), missing); diff != "" {
		t.Errorf("functions without a case in %s: %s", functionsFile, diff)
	}
}

// internalName tells the entries that only other functions make.
func internalName(n string) bool {
	return n == "array field" || strings.Contains(n, "iv") && n != "div" && n != "try_divide" ||
		slices.Contains([]string{"ts+dt", "ts-dt", "ts+ym", "ts-ym", "date+ym", "date-ym", "ts-ts", "date-date", "date+dt", "date-dt", "t+calendar", "t-calendar", "calendar*n", "calendar/n",
			"time+dt", "time-dt", "time-time"}, n)
}
