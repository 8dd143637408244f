package lower_test

import (
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// x reads an expression over the bench's columns.
func (b *bench) x(t *testing.T, text string) plan.Expr {
	t.Helper()
	r := &reader{text: text, cols: b.cols, vars: map[string]*plan.LambdaVar{}, ctx: funcs.Context{ANSI: true}}
	e, err := r.expr()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (b *bench) as(t *testing.T, text string) plan.NamedExpr {
	e := b.x(t, text)
	return plan.NamedExpr{X: e, Attr: plan.Attr{ID: plan.NewID(), Name: "r", Type: e.Type(), Nullable: e.Nullable()}}
}

func (b *bench) project(t *testing.T, in plan.Node, texts ...string) plan.Node {
	p := &plan.Project{Input: in}
	for _, s := range texts {
		p.Exprs = append(p.Exprs, b.as(t, s))
	}
	return p
}

func key(b *bench, name string, desc, first bool) plan.SortKey {
	return plan.SortKey{X: &plan.Column{Attr: b.cols[name]}, Desc: desc, NullsFirst: first}
}

func fresh(attrs []plan.Attr) []plan.Attr {
	out := append([]plan.Attr(nil), attrs...)
	for i := range out {
		out[i].ID = plan.NewID()
	}
	return out
}

func TestNodes(t *testing.T) {
	b := newBench(t)
	col := func(n string) plan.NamedExpr {
		return plan.NamedExpr{X: &plan.Column{Attr: b.cols[n]}, Attr: b.cols[n]}
	}
	is := &plan.Project{Input: b.rows, Exprs: []plan.NamedExpr{col("i"), col("s")}}
	other := plan.Attr{ID: plan.NewID(), Name: "k", Type: types.Int, Nullable: true}
	right := &plan.Values{Attrs: []plan.Attr{other}, Rows: [][]plan.Expr{{b.x(t, "2")}, {b.x(t, "7")}}}
	on, err := funcs.Resolve("=", []plan.Expr{&plan.Column{Attr: b.cols["i"]}, &plan.Column{Attr: other}}, funcs.Context{ANSI: true})
	if err != nil {
		t.Fatal(err)
	}
	join := func(k plan.JoinKind, attrs ...plan.Attr) plan.Node {
		return &plan.Sort{Input: &plan.Join{Kind: k, Left: is, Right: right, Cond: on, Attrs: attrs}, Keys: []plan.SortKey{{X: &plan.Column{Attr: attrs[0]}, NullsFirst: true}, {X: &plan.Column{Attr: attrs[1]}, NullsFirst: true}}}
	}
	union := is.Output()
	cte := &plan.CTE{Name: "w", ID: plan.NewID(), Plan: is}
	ref1, ref2 := &plan.CTERef{CTE: cte, Attrs: fresh(union)}, &plan.CTERef{CTE: cte, Attrs: fresh(union)}
	winType := types.Struct{Fields: []types.Field{{Name: "start", Type: types.Timestamp}, {Name: "end", Type: types.Timestamp}}}
	at := func(text string) plan.Node { return b.project(t, &plan.Values{Rows: [][]plan.Expr{{}}}, text) }
	window := func(text string, width, slide int64) plan.Node {
		in := at(text)
		return &plan.Project{Input: &plan.TimeWindow{Input: in, Time: &plan.Column{Attr: in.Output()[0]}, Width: width, Slide: slide, Window: plan.Attr{ID: 1 << 40, Name: "window", Type: winType}},
			Exprs: []plan.NamedExpr{{X: &plan.Column{Attr: plan.Attr{ID: 1 << 40, Name: "window", Type: winType}}, Attr: plan.Attr{ID: 1 << 40, Name: "window", Type: winType}}}}
	}
	tests := []struct {
		name string
		node plan.Node
		want string
	}{
		{"sort nulls first", &plan.Sort{Input: is, Keys: []plan.SortKey{key(b, "i", false, true), key(b, "s", true, false)}}, "NULL x, 1 x, 2 y, 2 NULL"},
		{"sort descending", &plan.Limit{N: b.x(t, "2"), Offset: b.x(t, "1"), Input: &plan.Sort{Input: is, Keys: []plan.SortKey{key(b, "i", true, false), key(b, "s", false, true)}}}, "2 y, 1 x"},
		{"inner join", join(plan.InnerJoin, b.cols["i"], b.cols["s"], other), "2 NULL 2, 2 y 2"},
		{"left join", join(plan.LeftJoin, b.cols["i"], other), "NULL NULL, 1 NULL, 2 2, 2 2"},
		{"full join", join(plan.FullJoin, b.cols["i"], other), "NULL NULL, NULL 7, 1 NULL, 2 2, 2 2"},
		{"semi join", join(plan.SemiJoin, b.cols["i"], b.cols["s"]), "2 NULL, 2 y"},
		{"anti join", join(plan.AntiJoin, b.cols["i"], b.cols["s"]), "NULL x, 1 x"},
		{"union all", &plan.Limit{N: b.x(t, "1"), Input: &plan.SetOp{Kind: plan.Union, All: true, Left: is, Right: is, Attrs: fresh(union)}}, "1 x"},
		{"except", &plan.SetOp{Kind: plan.Except, Left: is, Right: is, Attrs: fresh(union)}, ""},
		{"CTE used twice", &plan.With{CTEs: []*plan.CTE{cte}, Body: &plan.SetOp{Kind: plan.Except, Left: ref1, Right: ref2, Attrs: fresh(union)}}, ""},
		{"no rows", &plan.Values{Attrs: union}, ""},
		{"tumbling window", window("ts'2024-01-01 00:07:00'", 300e6, 300e6), "{start: 2024-01-01 00:05:00+00, end: 2024-01-01 00:10:00+00}"},
		{"window before the epoch", window("ts'1969-12-31 23:59:00'", 300e6, 300e6), "{start: 1969-12-31 23:55:00+00, end: 1970-01-01 00:00:00+00}"},
		{"sliding window", window("ts'2024-01-01 00:07:00'", 600e6, 300e6), "{start: 2024-01-01 00:05:00+00, end: 2024-01-01 00:15:00+00}, {start: 2024-01-01 00:00:00+00, end: 2024-01-01 00:10:00+00}"},
		{"window of NULL", window("(timestamp null)", 300e6, 300e6), ""},
	}
	for _, tc := range tests {
		got, _, _ := strings.Cut(strings.ReplaceAll(b.run(tc.node, true), "'", ""), " : ")
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

// What a filter, CASE or AND excludes must not fail the query.
func TestGuards(t *testing.T) {
	b := newBench(t)
	not1 := b.x(t, "(<> i 1)")
	filtered := &plan.Filter{Input: b.rows, Cond: not1}
	tests := []struct {
		name string
		node plan.Node
		want string
	}{
		{"unguarded", b.project(t, b.rows, "(/ 1 (- i 1))"), "error DIVIDE_BY_ZERO"},
		{"WHERE below", b.project(t, filtered, "(/ 1 (- i 1))"), "1.0, 1.0"},
		{"WHERE over WHERE", b.project(t, &plan.Filter{Input: filtered, Cond: b.x(t, "(> (/ 1 (- i 1)) 0.5d)")}, "i"), "2, 2"},
		{"AND in WHERE", b.project(t, &plan.Filter{Input: b.rows, Cond: b.x(t, "(and (<> i 1) (> (/ 1 (- i 1)) 0.5d))")}, "i"), "2, 2"},
		{"AND in SELECT", b.project(t, b.rows, "(and (<> i 1) (> (/ 1 (- i 1)) 0.5d))"), "false, true, true, NULL"},
		{"OR in SELECT", b.project(t, b.rows, "(or (= i 1) (> (/ 1 (- i 1)) 0.5d))"), "true, true, true, NULL"},
		{"IF", b.project(t, b.rows, "(if (= i 1) 0.0d (/ 1 (- i 1)))"), "0.0, 1.0, 1.0, NULL"},
		{"coalesce", b.project(t, filtered, "(coalesce i (/ 1 0))"), "2.0, 2.0"},
		{"array index behind WHERE", b.project(t, filtered, "([] (array 5 6) (- i 1))"), "6, 6"},
		{"FILTER", &plan.Aggregate{Input: b.rows, Aggs: []plan.NamedExpr{filteredSum(t, b, not1)}}, "2.0"},
	}
	for _, tc := range tests {
		got, _, _ := strings.Cut(strings.ReplaceAll(b.run(tc.node, true), "'", ""), " : ")
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func filteredSum(t *testing.T, b *bench, cond plan.Expr) plan.NamedExpr {
	t.Helper()
	n := b.as(t, "(sum (/ 1 (- i 1)))")
	a, ok := n.X.(*plan.AggCall)
	if !ok {
		t.Fatalf("%T", n.X)
	}
	c := *a
	c.Filter = cond
	n.X = &c
	return n
}

// A comparison with a date's text must stay a plain conjunct.
func TestConstantTextsNeedNoGuard(t *testing.T) {
	b := newBench(t)
	for text, want := range map[string]string{
		"(and (= i 1) (> (current_date) '2024-01-01'))": `(("c" = CAST(1 AS INTEGER)) AND (CAST(make_timestamp(epoch_us(CAST('2024-05-06 07:08:09.000000+00' AS TIMESTAMP WITH TIME ZONE))) AS DATE) > (DATE '1970-01-01' + CAST(19723 AS INTEGER))))`,
		"(and (= i 1) (= (now) '2024-01-01 00:00:01'))": `(("c" = CAST(1 AS INTEGER)) AND (CAST('2024-05-06 07:08:09.000000+00' AS TIMESTAMP WITH TIME ZONE) = CAST('2024-01-01 00:00:01.000000+00' AS TIMESTAMP WITH TIME ZONE)))`,
	} {
		got, kernels, err := lower.Expression(b.x(t, text), lower.Options{Now: now})
		got = strings.ReplaceAll(got, lower.Col(b.cols["i"]), `"c"`)
		if err != nil || len(kernels) > 0 || got != want {
			t.Errorf("%s\n got %s %v %v\nwant %s", text, got, kernels, err, want)
		}
	}
}

func TestDuckType(t *testing.T) {
	for _, tc := range []struct {
		t    types.Type
		want string
	}{
		{types.Timestamp, "TIMESTAMP WITH TIME ZONE"}, {types.TimestampNTZ, "TIMESTAMP"}, {types.DayTime{}, "BIGINT"}, {types.YearMonth{}, "INTEGER"},
		{types.Array{Elem: types.Decimal{Precision: 5, Scale: 2}}, "DECIMAL(5,2)[]"}, {types.Map{Key: types.String, Value: types.Binary}, "MAP(VARCHAR, BLOB)"},
		{types.Struct{Fields: []types.Field{{Name: `a"b`, Type: types.Int}}}, `STRUCT("a""b" INTEGER)`},
		{types.Struct{}, `STRUCT("#none" BOOLEAN)`}, {types.Decimal{}, "DECIMAL(1,0)"},
	} {
		if got, err := lower.DuckType(tc.t); err != nil || got != tc.want {
			t.Errorf("%s: got %s, %v, want %s", tc.t, got, err, tc.want)
		}
	}
}

func TestRuntimeError(t *testing.T) {
	for text, want := range map[string]string{
		"Invalid Input Error: MARISMA:[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012":                                           "DIVIDE_BY_ZERO",
		"Out of Range Error: Overflow in addition of INT32 (1 + 2)!":                                                                "ARITHMETIC_OVERFLOW",
		"Out of Range Error: Overflow in addition of INT8 (1 + 2)!":                                                                 "BINARY_ARITHMETIC_OVERFLOW",
		"Conversion Error: Could not cast value 12345 to DECIMAL(3,1)":                                                              "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
		"Conversion Error: Type INT32 with value 300 can't be cast because the value is out of range for the destination type INT8": "CAST_OVERFLOW",
	} {
		e := lower.RuntimeError(text)
		if e == nil || e.Class != want || e.SQLState == "" {
			t.Errorf("%s: got %v, want %s", text, e, want)
		}
	}
	if e := lower.RuntimeError("Binder Error: no such column"); e != nil {
		t.Errorf("a plan's fault became %v", e)
	}
}
