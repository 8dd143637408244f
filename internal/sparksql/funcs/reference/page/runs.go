package page

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/funcs/reference"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// call is a plain call of a DuckDB function over the arguments in order.
var call = regexp.MustCompile(`^\w+\((\$\d|\$\*)?(, \$\d)*\)$`)

// RunsAs tells how a function runs, from what its example is lowered to.
// refused: the example is one that Spark refuses.
func RunsAs(e reference.Entry, refused bool) (string, error) {
	q, err := analyze.Query(context.Background(), e.Example, analyze.Env{
		Catalog: "main", Schema: "default", Now: time.Unix(0, 0).UTC(),
		Conf: map[string]string{"spark.sql.timeType.enabled": "true"},
	})
	if err != nil && refused {
		return "an error", nil
	}
	if err != nil {
		return "", fmt.Errorf("%s: the example of %s: %w", e.File, e.Name, err)
	}
	d := funcs.Lookup(e.Name)
	x := find(q.Plan, d)
	if x == nil {
		return "analysis", nil
	}
	res, err := lower.Query(alone(x), lower.Options{Now: time.Unix(0, 0).UTC(), TimeZone: "UTC", ANSI: true})
	if err != nil { // it cannot stand without its example's arguments
		if res, err = lower.Query(q.Plan, lower.Options{Now: time.Unix(0, 0).UTC(), TimeZone: "UTC", ANSI: true}); err != nil {
			return "", fmt.Errorf("%s: the example of %s: %w", e.File, e.Name, err)
		}
	}
	switch {
	case len(res.Kernels) > 0:
		var names []string
		for _, k := range res.Kernels {
			if n := "`" + k.Kind + "`"; !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		slices.Sort(names)
		return "kernel " + strings.Join(names, ", "), nil
	case call.MatchString(d.SQL):
		return "native `" + d.SQL[:strings.IndexByte(d.SQL, '(')] + "`", nil
	}
	return "macro", nil
}

// find gives the first call of a function in a plan, nil where analysis has
// turned it into something else.
func find(n plan.Node, d *funcs.Def) plan.Expr {
	var found plan.Expr
	plan.VisitNodes(n, func(m plan.Node) {
		for _, e := range plan.Exprs(m) {
			plan.Walk(e, func(x plan.Expr) bool {
				switch y := x.(type) {
				case *plan.Call:
					if y.Fn == d.Name && found == nil {
						found = x
					}
				case *plan.AggCall:
					if y.Fn == d.Name && found == nil {
						found = x
					}
				case *plan.WindowExpr:
					if c, ok := y.Fn.(*plan.Call); ok && c.Fn == d.Name && found == nil {
						found = x
					}
				}
				return found == nil
			})
		}
	})
	return found
}

// alone is a plan of a call by itself: arguments that are no constants are
// columns.
func alone(x plan.Expr) plan.Node {
	in := &plan.Values{Rows: [][]plan.Expr{{}}}
	column := func(k plan.Expr) plan.Expr {
		switch k.(type) {
		case *plan.Literal, *plan.Lambda:
			return k
		}
		a := plan.Attr{ID: plan.NewID(), Name: "x", Type: k.Type(), Nullable: true}
		in.Attrs = append(in.Attrs, a)
		in.Rows[0] = append(in.Rows[0], &plan.Literal{Typ: k.Type()})
		return &plan.Column{Attr: a}
	}
	kids := func(x plan.Expr) plan.Expr {
		var out []plan.Expr
		for _, k := range x.Children() {
			out = append(out, column(k))
		}
		if out == nil {
			return x
		}
		return x.WithChildren(out)
	}
	one := func(x plan.Expr) []plan.NamedExpr {
		return []plan.NamedExpr{{X: x, Attr: plan.Attr{ID: plan.NewID(), Name: "r", Type: x.Type(), Nullable: true}}}
	}
	switch x := x.(type) {
	case *plan.AggCall:
		return &plan.Aggregate{Input: in, Aggs: one(kids(x))}
	case *plan.WindowExpr:
		w := *x
		w.Fn, w.Partition = kids(x.Fn), nil
		w.Order = nil
		for _, k := range x.Order {
			k.X = column(k.X)
			w.Order = append(w.Order, k)
		}
		return &plan.Window{Input: in, Exprs: one(&w)}
	case *plan.Call:
		if funcs.Lookup(x.Fn).Kind == funcs.Generator {
			g := &plan.Generate{Input: in, Gen: x}
			for _, f := range funcs.Lookup(x.Fn).Columns(x) {
				g.Attrs = append(g.Attrs, plan.Attr{ID: plan.NewID(), Name: f.Name, Type: f.Type, Nullable: true})
			}
			return g
		}
	}
	return &plan.Project{Input: in, Exprs: one(kids(x))}
}
