package analyze

import (
	"slices"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// grouping is an aggregation under construction: expressions over its input
// are rewritten to expressions over its output.
type grouping struct {
	a       *analyzer
	byKey   map[string]plan.Attr // key() of a grouping expression -> its attribute
	keyIDs  map[plan.ID]bool     // input columns that are keys by themselves
	renamed map[plan.ID]plan.Attr
	keys    []plan.NamedExpr
	sets    [][]int
	aggs    []plan.NamedExpr
	aggBy   map[string]plan.Attr
	pass    map[plan.ID]bool // columns that are made above the aggregate
	global  bool             // no GROUP BY
	all     bool             // GROUP BY ALL
	late    error            // about a key, for after the select list
	above   bool             // what is rewritten stands above the aggregation: HAVING and the like
}

// groupBy resolves GROUP BY; nil where the select is no aggregation.
func (a *analyzer) groupBy(sel *selection) (*grouping, error) {
	s := sel.ast
	aggregated := s.Group != nil || s.Having != nil
	for _, it := range sel.items {
		aggregated = aggregated || hasAggregate(it.x)
	}
	for _, gen := range sel.gens {
		aggregated = aggregated || hasAggregate(gen.Gen)
	}
	if !aggregated {
		return nil, nil
	}
	g := &grouping{a: a, byKey: map[string]plan.Attr{}, keyIDs: map[plan.ID]bool{}, renamed: map[plan.ID]plan.Attr{}, aggBy: map[string]plan.Attr{}, pass: map[plan.ID]bool{}, global: s.Group == nil}
	for _, gen := range sel.gens {
		for _, at := range gen.Attrs {
			g.pass[at.ID] = true
		}
	}
	if s.Group == nil {
		return g, nil
	}
	if s.Group.All {
		return g, a.groupAll(sel, g)
	}
	sets := [][]int{{}}
	multi := false
	for _, item := range s.Group.Items {
		its, err := a.groupItem(item, sel, g)
		if err != nil {
			return nil, err
		}
		multi = multi || item.Kind != ast.GroupExpr
		if len(sets)*len(its) > 65536 {
			return nil, a.errorf(s.Group.Pos(), "GROUPING_SIZE_LIMIT_EXCEEDED", "54000", "The grouping sets are too many.")
		}
		var next [][]int
		for _, l := range sets {
			for _, r := range its {
				next = append(next, union(l, r))
			}
		}
		sets = next
	}
	if multi {
		g.sets = sets
		g.nullable()
	}
	return g, a.keyQueries(sel, g)
}

// keyQueries refuses correlated queries as keys that the select list lacks.
func (a *analyzer) keyQueries(sel *selection, g *grouping) error {
	for _, k := range g.keys {
		s, ok := k.X.(*plan.Subquery)
		if !ok || s.Kind != plan.ScalarSubquery || !correlated(s) {
			continue
		}
		want := key(s)
		if !slices.ContainsFunc(sel.items, func(it item) bool {
			return contains(it.x, func(x plan.Expr) bool { q, ok := x.(*plan.Subquery); return ok && key(q) == want })
		}) {
			return a.errorf(sel.ast.Group.Pos(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.MUST_AGGREGATE_CORRELATED_SCALAR_SUBQUERY", "0A000",
				"A correlated sub-query in GROUP BY must stand in the select list, too.")
		}
	}
	return nil
}

func union(a, b []int) []int {
	out := append([]int{}, a...)
	for _, x := range b {
		dup := false
		for _, y := range a {
			dup = dup || x == y
		}
		if !dup {
			out = append(out, x)
		}
	}
	return out
}

// nullable gives the keys of grouping sets attributes of their own: a key that
// a set leaves out is NULL there.
func (g *grouping) nullable() {
	for i, k := range g.keys {
		at := k.Attr
		at.ID, at.Nullable = plan.NewID(), true
		g.byKey[key(k.X)] = at
		if c, ok := k.X.(*plan.Column); ok {
			g.renamed[c.Attr.ID] = at
			delete(g.keyIDs, c.Attr.ID)
		}
		g.keys[i].Attr = at
	}
}

// groupItem gives the grouping sets of one term as indexes into the keys.
func (a *analyzer) groupItem(item ast.GroupItem, sel *selection, g *grouping) ([][]int, error) {
	if item.Nested != nil {
		var out [][]int
		for _, n := range item.Nested {
			its, err := a.groupItem(n, sel, g)
			if err != nil {
				return nil, err
			}
			out = append(out, its...)
		}
		return out, nil
	}
	var sets [][]int
	for _, set := range item.Sets {
		var ids []int
		for _, e := range set {
			i, err := a.groupKey(e, sel, g)
			if err != nil {
				return nil, err
			}
			ids = union(ids, []int{i})
		}
		sets = append(sets, ids)
	}
	switch item.Kind {
	case ast.GroupRollup:
		var out [][]int
		for n := len(sets); n >= 0; n-- {
			all := []int{}
			for _, s := range sets[:n] {
				all = union(all, s)
			}
			out = append(out, all)
		}
		return out, nil
	case ast.GroupCube:
		if len(sets) > 12 {
			return nil, a.errorf(sel.ast.Group.Pos(), "GROUPING_SIZE_LIMIT_EXCEEDED", "54000", "CUBE takes at most 12 terms.")
		}
		var out [][]int
		for mask := 1<<len(sets) - 1; mask >= 0; mask-- {
			all := []int{}
			for i, s := range sets {
				if mask&(1<<(len(sets)-1-i)) != 0 {
					all = union(all, s)
				}
			}
			out = append(out, all)
		}
		return out, nil
	}
	return sets, nil
}

// groupKey resolves one grouping expression: an ordinal, an input column, an
// alias of the select list, or any expression.
func (a *analyzer) groupKey(e ast.Expr, sel *selection, g *grouping) (int, error) {
	if lit, ok := e.(*ast.Literal); ok && lit.Type == types.Int && a.on("spark.sql.groupByOrdinal") {
		n, _ := lit.Value.(int64)
		if n < 1 || int(n) > len(sel.items) {
			return 0, a.errorf(e.Pos(), "GROUP_BY_POS_OUT_OF_RANGE", "42805", "GROUP BY position %d is not in the select list (1 to %d).", n, len(sel.items))
		}
		if slices.ContainsFunc(sel.ast.Items, func(it ast.SelectItem) bool { _, star := it.X.(*ast.Star); return star }) {
			return 0, a.errorf(e.Pos(), "STAR_GROUP_BY_POS", "0A000", "GROUP BY takes no position beside * in the select list.").hint("Write the columns.")
		}
		it := sel.items[n-1]
		if sel.ofGenerator(it.x) {
			return 0, a.errorf(e.Pos(), "GROUP_BY_POS_OUT_OF_RANGE", "42805", "GROUP BY position %d refers to a generator, which makes its rows later.", n)
		}
		if hasAggregate(it.x) {
			return 0, a.errorf(e.Pos(), "GROUP_BY_POS_AGGREGATE", "42903", "GROUP BY %d refers to an expression with an aggregate function.", n)
		}
		return g.add(substitute(it.x, sel.lca), it.attr.Name), nil
	}
	s := *sel.scope
	s.aliases = slices.DeleteFunc(slices.Clone(s.aliases), func(d aliasDef) bool { return sel.ofGenerator(d.x) || !a.on("spark.sql.groupByAliases") })
	x, err := a.expr(e, &s)
	if err != nil {
		return 0, err
	}
	x = substitute(x, sel.lca)
	if err := a.groupable(x, e.Pos()); err != nil {
		if !hasWindow(x) && !hasGenerator(x) || g.late != nil {
			return 0, err
		}
		g.late = err // what the select list lacks is told first
	}
	return g.add(x, a.sqlName(x)), nil
}

// ofGenerator tells whether x uses what a generator of the select list makes,
// above the aggregation.
func (sel *selection) ofGenerator(x plan.Expr) bool {
	return x != nil && contains(substitute(x, sel.lca), sel.generated)
}

func (a *analyzer) groupable(x plan.Expr, pos sparksql.Pos) error {
	if err := a.groupingOutside(x, pos); err != nil {
		return err
	}
	switch {
	case hasAggregate(x):
		return a.errorf(pos, "GROUP_BY_AGGREGATE", "42903", "GROUP BY cannot hold an aggregate function.")
	case hasWindow(x):
		return a.errorf(pos, "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "GROUP BY cannot hold a window function.").hint("Use a sub-query.")
	case hasGenerator(x):
		return a.errorf(pos, "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "GROUP BY cannot hold a generator.").hint("Use LATERAL VIEW.")
	case types.Contains(x.Type(), func(t types.Type) bool { return t == types.Variant }):
		return a.errorf(pos, "GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE", "42822", "Rows cannot be grouped by %s: its type %s holds a VARIANT.", a.sqlName(x), x.Type().SQL())
	}
	return nil
}

// add makes x a key, once, and returns its index.
func (g *grouping) add(x plan.Expr, name string) int {
	k := key(x)
	for i, old := range g.keys {
		if key(old.X) == k {
			return i
		}
	}
	at := plan.Attr{ID: plan.NewID(), Name: name, Type: x.Type(), Nullable: x.Nullable()}
	if c, ok := x.(*plan.Column); ok {
		at = c.Attr
		g.keyIDs[at.ID] = true
	}
	g.byKey[k] = at
	g.keys = append(g.keys, plan.NamedExpr{X: x, Attr: at})
	return len(g.keys) - 1
}

// groupAll makes every item without aggregate a key.
func (a *analyzer) groupAll(sel *selection, g *grouping) error {
	g.all = true
	for _, it := range sel.items {
		x := substitute(it.x, sel.lca)
		if !hasAggregate(x) {
			if hasWindow(x) {
				continue
			}
			if c, ok := x.(*plan.Column); ok && g.pass[c.Attr.ID] {
				continue
			}
			if err := a.groupable(x, it.pos); err != nil {
				return err
			}
			if _, lit := x.(*plan.Literal); !lit {
				g.add(x, it.attr.Name)
			}
		}
	}
	return nil
}

// rewrite turns an expression over the input into one over the aggregate.
func (g *grouping) rewrite(e plan.Expr, pos sparksql.Pos) (plan.Expr, error) {
	return topDown(e, func(x plan.Expr) (plan.Expr, error) {
		if at, ok := g.byKey[key(x)]; ok {
			return &plan.Column{Attr: at}, nil
		}
		switch x := x.(type) {
		case *plan.AggCall:
			return g.aggregate(x, pos)
		case *plan.WindowExpr:
			return g.window(x, pos)
		case *plan.Column:
			if g.pass[x.Attr.ID] {
				return x, nil
			}
			return nil, g.missing(x, pos)
		case *plan.Subquery:
			if !g.above && x.Kind == plan.ScalarSubquery && correlated(x) {
				return nil, g.a.errorf(pos, "SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION", "0A000", "A correlated sub-query stands neither in GROUP BY nor in an aggregate function.")
			}
			return g.subquery(x, pos)
		case *plan.Call:
			if x.Fn == "window_time" {
				return nil, g.a.errorf(pos, "MISSING_AGGREGATION", "42803", "window_time(window) stands neither in GROUP BY nor in an aggregate function.")
			}
		}
		return nil, nil
	})
}

func (g *grouping) missing(c *plan.Column, pos sparksql.Pos) error {
	if g.all && len(g.keys) == 0 {
		return g.a.errorf(pos, "UNRESOLVED_ALL_IN_GROUP_BY", "42803", "GROUP BY ALL finds no key for the column %s.", quote(c.Attr.Name)).hint("Write the keys.")
	}
	if g.above {
		return g.a.errorf(pos, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "The column %s stands neither in GROUP BY nor in an aggregate function.", quote(c.Attr.Name)).
			hint("Add it to GROUP BY, or use any_value(" + c.Attr.Name + ").")
	}
	if g.global {
		return g.a.errorf(pos, "MISSING_GROUP_BY", "42803", "The query has aggregates but no GROUP BY, so it cannot use the column %s.", quote(c.Attr.Name)).
			hint("Add GROUP BY, or put the column into an aggregate such as any_value().")
	}
	return g.a.errorf(pos, "MISSING_AGGREGATION", "42803", "The column %s stands neither in GROUP BY nor in an aggregate function.", quote(c.Attr.Name)).
		hint("Add it to GROUP BY, or use any_value(" + c.Attr.Name + ").")
}

func (g *grouping) aggregate(x *plan.AggCall, pos sparksql.Pos) (plan.Expr, error) {
	if x.Fn == "grouping" || x.Fn == "grouping_id" {
		r, err := g.groupingCall(x, pos)
		if err != nil {
			return nil, err
		}
		x = r
	}
	k := key(x)
	at, ok := g.aggBy[k]
	if !ok {
		at = plan.Attr{ID: plan.NewID(), Name: g.a.sqlName(x), Type: x.Typ, Nullable: x.Null}
		g.aggBy[k] = at
		g.aggs = append(g.aggs, plan.NamedExpr{X: x, Attr: at})
	}
	return &plan.Column{Attr: at}, nil
}

// groupingCalls checks the calls of grouping and grouping_id in e.
func (g *grouping) groupingCalls(e plan.Expr, pos sparksql.Pos) error {
	var err error
	plan.Walk(e, func(x plan.Expr) bool {
		if c, ok := x.(*plan.AggCall); ok && err == nil && (c.Fn == "grouping" || c.Fn == "grouping_id") {
			_, err = g.groupingCall(c, pos)
		}
		return err == nil
	})
	return err
}

// groupingCall checks grouping(key); grouping_id() means all keys.
func (g *grouping) groupingCall(x *plan.AggCall, pos sparksql.Pos) (*plan.AggCall, error) {
	if g.sets == nil {
		return nil, g.a.errorf(pos, "UNSUPPORTED_GROUPING_EXPRESSION", "42K0E", "grouping() and grouping_id() need GROUPING SETS, ROLLUP or CUBE.")
	}
	args := x.Args
	if len(args) == 0 {
		for _, k := range g.keys {
			args = append(args, k.X)
		}
	}
	if x.Fn == "grouping_id" && len(x.Args) > 0 && !g.allKeys(x.Args) {
		return nil, g.a.errorf(pos, "GROUPING_ID_COLUMN_MISMATCH", "42803", "grouping_id takes all grouping columns in their order, or nothing.")
	}
	for _, arg := range args {
		if _, ok := g.byKey[key(arg)]; !ok {
			return nil, g.a.errorf(pos, "GROUPING_COLUMN_MISMATCH", "42803", "%s is no grouping column.", quote(funcs.SQLName(arg)))
		}
	}
	c := *x
	c.Args = args
	return &c, nil
}

// allKeys tells whether args are the keys in their order.
func (g *grouping) allKeys(args []plan.Expr) bool {
	if len(args) != len(g.keys) {
		return false
	}
	for i, k := range g.keys {
		if key(k.X) != key(args[i]) {
			return false
		}
	}
	return true
}

// window rewrites what stands inside fn OVER (...): its function stays.
func (g *grouping) window(w *plan.WindowExpr, pos sparksql.Pos) (plan.Expr, error) {
	var kids []plan.Expr
	fnKids := w.Fn.Children()
	next := make([]plan.Expr, len(fnKids))
	for i, k := range fnKids {
		x, err := g.rewrite(k, pos)
		if err != nil {
			return nil, err
		}
		next[i] = x
	}
	fn := w.Fn
	if len(next) > 0 {
		fn = fn.WithChildren(next)
	}
	kids = append(kids, fn)
	for _, k := range w.Children()[1:] {
		x, err := g.rewrite(k, pos)
		if err != nil {
			return nil, err
		}
		kids = append(kids, x)
	}
	return w.WithChildren(kids), nil
}

// subquery checks that a correlated query refers to grouping columns only.
func (g *grouping) subquery(s *plan.Subquery, pos sparksql.Pos) (plan.Expr, error) {
	var err error
	c := *s
	c.Plan = mapPlan(s.Plan, func(x plan.Expr) plan.Expr {
		return plan.Transform(x, func(y plan.Expr) plan.Expr {
			o, ok := y.(*plan.Outer)
			if !ok || g.keyIDs[o.Attr.ID] {
				return y
			}
			if at, ok := g.renamed[o.Attr.ID]; ok {
				return &plan.Outer{Attr: at}
			}
			err = g.a.errorf(pos, "SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION", "0A000", "The sub-query refers to the column %s, which stands neither in GROUP BY nor in an aggregate function.", quote(o.Attr.Name))
			return y
		})
	}, func(n plan.Node) plan.Node { return n })
	if err != nil {
		return nil, err
	}
	c.Left = nil
	for _, l := range s.Left {
		x, err := g.rewrite(l, pos)
		if err != nil {
			return nil, err
		}
		c.Left = append(c.Left, x)
	}
	return &c, nil
}

// node makes the Aggregate.
func (g *grouping) node(in plan.Node) plan.Node {
	return &plan.Aggregate{Input: in, Keys: g.keys, Sets: g.sets, Aggs: g.aggs}
}

// visible are the columns of cols that are keys, which stay in reach above the
// aggregation.
func (g *grouping) visible(cols []column) []column {
	var out []column
	for _, c := range cols {
		if g.keyIDs[c.ID] {
			out = append(out, c)
		}
	}
	return out
}
