package analyze

import (
	"errors"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// orderTerms resolves the ORDER BY of the query around a SELECT: ordinals,
// output names, then input columns.
func (a *analyzer) orderTerms(sel *selection, q *ast.Query) error {
	terms := append(append([]ast.SortItem{}, q.Order...), q.Sort...)
	terms = append(terms, clusterTerms(q)...)
	if q.OrderAll != nil {
		for _, it := range sel.items {
			k, err := a.sortKey(&plan.Column{Attr: it.attr}, ast.SortItem{X: &ast.Literal{At: q.At}, Desc: q.OrderAll.Desc, NullsFirst: q.OrderAll.NullsFirst})
			if err != nil {
				return err
			}
			sel.keys = append(sel.keys, k)
		}
	}
	s := sel.orderScope()
	for _, d := range q.Distribute { // says where rows go, and changes no answer
		if constantTerm(d) {
			continue
		}
		x, err := a.orderTerm(ast.SortItem{X: d}, sel, s)
		if err != nil {
			return err
		}
		if hasAggregate(x) && sel.group == nil {
			return a.errorf(d.Pos(), "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "DISTRIBUTE BY has an aggregate, but the query has none.")
		}
	}
	for _, t := range terms {
		x, err := a.orderTerm(t, sel, s)
		if err != nil {
			return err
		}
		k, err := a.sortKey(x, t)
		if err != nil {
			return err
		}
		sel.keys = append(sel.keys, k)
	}
	return nil
}

// clusterTerms are the terms of CLUSTER BY, which takes no positions.
func clusterTerms(q *ast.Query) []ast.SortItem {
	var out []ast.SortItem
	for _, c := range q.Cluster {
		if !constantTerm(c) {
			out = append(out, ast.SortItem{X: c})
		}
	}
	return out
}

func constantTerm(e ast.Expr) bool {
	_, ok := e.(*ast.Literal)
	return ok
}

// orderScope is what ORDER BY sees: output names, then input columns.
func (sel *selection) orderScope() *scope {
	s := *sel.scope
	s.aliasFirst, s.noRoutines = true, "ORDER BY"
	s.aliases = nil
	for _, it := range sel.items {
		if it.aliased || !isColumn(it.x) || sel.generated(it.x) {
			s.aliases = append(s.aliases, aliasDef{name: it.attr.Name, attr: it.attr})
		}
	}
	s.aliases = uniqueAliases(s.aliases)
	return &s
}

// uniqueAliases drops names that stand for the same attribute twice.
func uniqueAliases(in []aliasDef) []aliasDef {
	seen := map[plan.ID]bool{}
	var out []aliasDef
	for _, d := range in {
		if !seen[d.attr.ID] {
			out = append(out, d)
		}
		seen[d.attr.ID] = true
	}
	return out
}

// generated tells of a column that a generator of the select list makes.
func (sel *selection) generated(x plan.Expr) bool {
	c, ok := x.(*plan.Column)
	return ok && slices.ContainsFunc(sel.gens, func(g *plan.Generate) bool {
		return slices.ContainsFunc(g.Attrs, func(at plan.Attr) bool { return at.ID == c.Attr.ID })
	})
}

func isColumn(x plan.Expr) bool {
	_, ok := x.(*plan.Column)
	return ok
}

func (a *analyzer) orderTerm(t ast.SortItem, sel *selection, s *scope) (plan.Expr, error) {
	if n, ok, err := a.ordinal(t.X, len(sel.items)); err != nil {
		return nil, err
	} else if ok {
		return &plan.Column{Attr: sel.items[n].attr}, nil
	}
	if sel.ast.Distinct && sel.ast.Group == nil {
		s = a.distinctScope(sel, s)
	}
	x, err := a.expr(t.X, s)
	switch sparksql.ClassOf(err) {
	case "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION": // the select list has names
		e, _ := errors.AsType[*sparksql.Error](err)
		return nil, a.errorf(t.X.Pos(), "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "%s", e.Message).hint(e.Hint)
	case "AMBIGUOUS_LATERAL_COLUMN_ALIAS", "AMBIGUOUS_REFERENCE", "FIELD_NOT_FOUND", "INVALID_EXTRACT_BASE_FIELD_TYPE":
		e, _ := errors.AsType[*sparksql.Error](err)
		return nil, a.errorf(t.X.Pos(), "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "ORDER BY: %s", e.Message).hint(e.Hint)
	}
	if err != nil {
		return nil, err
	}
	if hasCorrelated(x) {
		return nil, a.errorf(t.X.Pos(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY", "0A000",
			"ORDER BY cannot hold a sub-query that refers to the query around it.").hint("Put it into the select list and order by its name.")
	}
	if contains(x, func(y plan.Expr) bool { s, ok := y.(*plan.Subquery); return ok && s.Kind != plan.ScalarSubquery }) {
		return nil, a.errorf(t.X.Pos(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY", "0A000",
			"ORDER BY cannot hold IN (query) or EXISTS.").hint("Put it into the select list and order by its name.")
	}
	if hasWindow(x) { // it is computed below the projection
		if !slices.ContainsFunc(sel.items, func(it item) bool { return hasWindow(it.x) }) {
			return nil, a.errorf(t.X.Pos(), "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "ORDER BY has a window function, but the select list has none.")
		}
		m := map[plan.ID]plan.Expr{}
		for _, it := range sel.items {
			if !isColumn(it.x) {
				m[it.attr.ID] = it.x
			}
		}
		x = substitute(x, m)
	}
	// What stands in the select list is not computed again.
	k := key(x)
	for _, it := range sel.items {
		if key(it.x) == k {
			return &plan.Column{Attr: it.attr}, nil
		}
	}
	if hasGenerator(x) {
		return nil, a.errorf(t.X.Pos(), "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "42K0E", "A generator cannot stand in ORDER BY.")
	}
	return x, nil
}

// distinctScope is what ORDER BY sees above SELECT DISTINCT: input columns that
// are selected under an alias only are gone.
func (a *analyzer) distinctScope(sel *selection, s *scope) *scope {
	out := *s
	out.cols = nil
	for _, it := range sel.items {
		if _, plain := it.x.(*plan.Column); !plain {
			out.cols = append(out.cols, column{Attr: it.attr, origin: it.attr.ID})
		}
	}
	for _, c := range s.cols {
		for _, it := range sel.items {
			if col, ok := it.x.(*plan.Column); ok && col.Attr.ID == c.ID && (!it.aliased || strings.EqualFold(it.attr.Name, c.Name)) {
				out.cols = append(out.cols, c)
				break
			}
		}
	}
	return &out
}

// ordinal reads a position of ORDER BY, from 0.
func (a *analyzer) ordinal(e ast.Expr, n int) (int, bool, error) {
	lit, ok := e.(*ast.Literal)
	if !ok || lit.Type != types.Int || !a.on("spark.sql.orderByOrdinal") {
		return 0, false, nil
	}
	v, _ := lit.Value.(int64)
	if v < 1 || int(v) > n {
		return 0, false, a.errorf(e.Pos(), "ORDER_BY_POS_OUT_OF_RANGE", "42805", "ORDER BY position %d is not in the select list (1 to %d).", v, n)
	}
	return int(v) - 1, true, nil
}

// assemble builds the nodes of a select from the bottom: time windows,
// aggregate, HAVING, generator (HAVING over what it makes), windows, QUALIFY,
// projection, DISTINCT, sort.
func (a *analyzer) assemble(sel *selection) (relation, error) {
	outputs := map[plan.ID]plan.Attr{}
	for _, it := range sel.items {
		outputs[it.attr.ID] = it.attr
	}
	if err := a.windowNodes(sel); err != nil {
		return relation{}, err
	}
	if err := a.aggregateStage(sel, outputs); err != nil {
		return relation{}, err
	}
	if err := a.generatorStage(sel); err != nil {
		return relation{}, err
	}
	if sel.having != nil && sel.ofGenerator(sel.having) {
		sel.node = &plan.Filter{Input: sel.node, Cond: sel.having}
	}
	if err := a.windowStage(sel); err != nil {
		return relation{}, err
	}
	return a.projectStage(sel)
}

// aggregateStage rewrites everything over the aggregation.
func (a *analyzer) aggregateStage(sel *selection, outputs map[plan.ID]plan.Attr) error {
	g := sel.group
	if g == nil {
		for i := range sel.keys {
			if err := a.groupingOutside(sel.keys[i].X, sel.ast.Pos()); err != nil {
				return err
			}
			if hasAggregate(sel.keys[i].X) {
				return a.errorf(sel.ast.Pos(), "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "ORDER BY has an aggregate, but the query has none.")
			}
		}
		return nil
	}
	for _, it := range sel.items { // these errors count before those of other columns
		if err := g.groupingCalls(it.x, it.pos); err != nil {
			return err
		}
	}
	if g.sets == nil {
		for _, it := range sel.items {
			if err := a.groupingOutside(it.x, it.pos); err != nil {
				return err
			}
		}
	}
	for i := range sel.items {
		it := &sel.items[i]
		x, err := g.rewrite(it.x, it.pos)
		if err != nil {
			return err
		}
		old := it.attr.ID
		retype(it, x)
		outputs[old] = it.attr
	}
	for _, gen := range sel.gens {
		x, err := g.rewrite(gen.Gen, sel.ast.Pos())
		if err != nil {
			return err
		}
		if c, ok := x.(*plan.Call); ok {
			gen.Gen = c
		}
	}
	if g.late != nil {
		return g.late
	}
	g.above = true
	if sel.having != nil {
		x, err := g.rewrite(sel.having, sel.ast.Having.Pos())
		if err != nil {
			return err
		}
		sel.having = x
	}
	if sel.qualify != nil {
		x, err := g.rewrite(sel.qualify, sel.ast.Qualify.Pos())
		if err != nil {
			return err
		}
		sel.qualify = x
	}
	for i := range sel.keys {
		k := &sel.keys[i]
		x, err := topDown(k.X, func(x plan.Expr) (plan.Expr, error) {
			if c, ok := x.(*plan.Column); ok {
				if at, ok := outputs[c.Attr.ID]; ok {
					return &plan.Column{Attr: at}, nil
				}
			}
			_, agg := x.(*plan.AggCall)
			_, win := x.(*plan.WindowExpr)
			if agg || win || len(x.Children()) == 0 || !touches(x, outputs) {
				return g.rewrite(x, sel.ast.Pos())
			}
			return nil, nil
		})
		if err != nil {
			return err
		}
		k.X = x
	}
	sel.node = g.node(sel.node)
	if sel.having != nil && !sel.ofGenerator(sel.having) {
		sel.node = &plan.Filter{Input: sel.node, Cond: sel.having}
	}
	return nil
}

// touches tells whether e uses an output attribute of the select list.
func touches(e plan.Expr, outputs map[plan.ID]plan.Attr) bool {
	return contains(e, func(x plan.Expr) bool {
		c, ok := x.(*plan.Column)
		if !ok {
			return false
		}
		_, hit := outputs[c.Attr.ID]
		return hit
	})
}

// retype gives an item its rewritten expression; grouping sets may have made
// it nullable.
func retype(it *item, x plan.Expr) {
	passed := isColumn(it.x)
	it.x = x
	it.attr.Nullable = x.Nullable()
	if c, ok := x.(*plan.Column); ok && passed {
		it.attr.ID = c.Attr.ID
	}
}

// windowStage takes the window functions out into Window nodes: one for those
// whose operands are plain, one above it for those over them, and so on.
func (a *analyzer) windowStage(sel *selection) error {
	w := &windows{a: a, by: map[string]plan.Attr{}, level: map[plan.ID]int{}}
	var err error
	for i := range sel.items {
		if sel.items[i].x, err = w.extract(sel.items[i].x); err != nil {
			return err
		}
	}
	for i := range sel.keys {
		if sel.keys[i].X, err = w.extract(sel.keys[i].X); err != nil {
			return err
		}
	}
	if sel.qualify != nil {
		if sel.qualify, err = w.extract(sel.qualify); err != nil {
			return err
		}
	}
	for _, exprs := range w.stages {
		sel.node = &plan.Window{Input: sel.node, Exprs: exprs}
	}
	if sel.qualify != nil {
		sel.node = &plan.Filter{Input: sel.node, Cond: sel.qualify}
	}
	return nil
}

// windows gathers window functions by how deep they stand.
type windows struct {
	a      *analyzer
	by     map[string]plan.Attr
	level  map[plan.ID]int
	stages [][]plan.NamedExpr
}

// extract replaces each window function in e by its column.
func (w *windows) extract(e plan.Expr) (plan.Expr, error) {
	return topDown(e, func(x plan.Expr) (plan.Expr, error) {
		we, ok := x.(*plan.WindowExpr)
		if !ok {
			return nil, nil
		}
		name := w.a.sqlName(we)
		over, err := w.operands(we)
		if err != nil {
			return nil, err
		}
		k := key(over)
		at, ok := w.by[k]
		if !ok {
			at = plan.Attr{ID: plan.NewID(), Name: name, Type: we.Type(), Nullable: we.Nullable()}
			w.by[k] = at
			w.add(at, over)
		}
		return &plan.Column{Attr: at}, nil
	})
}

// operands extracts what stands inside of a window function; the function
// itself stays.
func (w *windows) operands(we *plan.WindowExpr) (plan.Expr, error) {
	kids := we.Children()
	next := make([]plan.Expr, len(kids))
	for i, k := range kids {
		var err error
		if i > 0 {
			next[i], err = w.extract(k)
		} else {
			inner := k.Children()
			for j := range inner {
				if inner[j], err = w.extract(inner[j]); err != nil {
					return nil, err
				}
			}
			next[i] = k
			if len(inner) > 0 {
				next[i] = k.WithChildren(inner)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return we.WithChildren(next), nil
}

// add puts a window function above those that it reads.
func (w *windows) add(at plan.Attr, x plan.Expr) {
	level := 0
	plan.Walk(x, func(y plan.Expr) bool {
		if c, ok := y.(*plan.Column); ok {
			if n, ok := w.level[c.Attr.ID]; ok {
				level = max(level, n+1)
			}
		}
		return true
	})
	w.level[at.ID] = level
	for len(w.stages) <= level {
		w.stages = append(w.stages, nil)
	}
	w.stages[level] = append(w.stages[level], plan.NamedExpr{X: x, Attr: at})
}

// projectStage makes the projection, DISTINCT and the sort. Columns that only
// the sort needs are projected and dropped again.
func (a *analyzer) projectStage(sel *selection) (relation, error) {
	p := &plan.Project{Input: sel.node}
	have := map[plan.ID]bool{}
	var cols []column
	for _, it := range sel.items {
		at := it.attr
		if have[at.ID] {
			at.ID = plan.NewID()
		}
		have[at.ID] = true
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: it.x, Attr: at})
		cols = append(cols, column{Attr: at, origin: it.origin})
	}
	for _, c := range sel.metadata {
		if !have[c.ID] {
			p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: c.Attr}, Attr: c.Attr})
		}
		have[c.ID] = true
		cols = append(cols, c)
	}
	r := relation{node: p, cols: cols}
	if sel.ast.Distinct {
		for _, c := range cols {
			if hasMap(c.Type) {
				return r, a.errorf(sel.ast.Pos(), "UNSUPPORTED_FEATURE.SET_OPERATION_ON_"+mapOrVariant(c.Type)+"_TYPE", "0A000", "DISTINCT cannot compare the column %s of the type %s.", quote(c.Name), c.Type.SQL())
			}
		}
		r.node = &plan.Distinct{Input: p}
	}
	keys := telling(sel.keys)
	if len(keys) == 0 {
		return r, nil
	}
	var extra []plan.NamedExpr
	for _, k := range keys {
		plan.Walk(k.X, func(x plan.Expr) bool {
			if c, ok := x.(*plan.Column); ok && !have[c.Attr.ID] {
				have[c.Attr.ID] = true
				extra = append(extra, plan.NamedExpr{X: c, Attr: c.Attr})
			}
			return true
		})
	}
	if len(extra) == 0 {
		r.node = &plan.Sort{Input: r.node, Keys: keys}
		return r, nil
	}
	if sel.ast.Distinct {
		return r, a.errorf(sel.ast.Pos(), "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "ORDER BY uses the column %s, which SELECT DISTINCT does not hold.", quote(extra[0].Attr.Name))
	}
	wide := &plan.Project{Input: sel.node, Exprs: append(append([]plan.NamedExpr{}, p.Exprs...), extra...)}
	sorted := &plan.Sort{Input: wide, Keys: keys}
	narrow := &plan.Project{Input: sorted}
	for _, e := range p.Exprs {
		narrow.Exprs = append(narrow.Exprs, plan.NamedExpr{X: &plan.Column{Attr: e.Attr}, Attr: e.Attr})
	}
	r.node = narrow
	return r, nil
}

// telling are the keys that can tell rows apart.
func telling(keys []plan.SortKey) []plan.SortKey {
	var out []plan.SortKey
	for _, k := range keys {
		if _, constant := k.X.(*plan.Literal); !constant {
			out = append(out, k)
		}
	}
	return out
}

func mapOrVariant(t types.Type) string {
	if t == types.Variant {
		return "VARIANT"
	}
	return "MAP"
}
