package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// pivot is an aggregation by the columns that PIVOT does not name, with one
// filtered aggregate per value.
func (a *analyzer) pivot(v *ast.Pivot, p place, left *relation) (relation, error) {
	in, err := a.ref(v.Input, p, left)
	if err != nil {
		return in, err
	}
	s := &scope{place: p, cols: in.cols}
	keys, err := a.exprs(v.For, s)
	if err != nil {
		return in, err
	}
	used := map[plan.ID]bool{}
	note := func(x plan.Expr) {
		plan.Walk(x, func(y plan.Expr) bool {
			if c, ok := y.(*plan.Column); ok {
				used[c.Attr.ID] = true
			}
			return true
		})
	}
	for i, k := range keys {
		if !funcs.Orderable(k.Type()) {
			return in, a.errorf(v.For[i].Pos(), "INCOMPARABLE_PIVOT_COLUMN", "42818", "The column %s of PIVOT has no order: it is %s.", a.sqlName(k), k.Type().SQL())
		}
		note(k)
	}
	var aggs []item
	for _, g := range v.Aggs {
		x, err := a.expr(g.X, s)
		if err != nil {
			return in, err
		}
		if !hasAggregate(x) {
			return in, a.errorf(g.X.Pos(), "PIVOT_AGGREGATE_FUNCTION_REQUIRED", "42K0E", "PIVOT needs aggregate functions.")
		}
		note(x)
		name := a.sqlName(x)
		if len(g.Aliases) > 0 {
			name = g.Aliases[0].Name
		}
		aggs = append(aggs, a.item(x, name, true, g.X.Pos()))
	}
	g := &grouping{a: a, byKey: map[string]plan.Attr{}, keyIDs: map[plan.ID]bool{}, aggBy: map[string]plan.Attr{}}
	var out []item
	for _, c := range in.visible() {
		if !used[c.ID] {
			g.add(&plan.Column{Attr: c.Attr}, c.Name)
			out = append(out, a.item(&plan.Column{Attr: c.Attr}, c.Name, false, v.Pos()))
		}
	}
	spread := !slices.ContainsFunc(aggs, func(i item) bool { return !spreads(i.x.Type()) })
	for _, val := range v.Values {
		cond, name, err := a.pivotValue(val, keys)
		if err != nil {
			return in, err
		}
		for _, agg := range aggs {
			x, err := a.pivotCell(agg.x, cond, val, spread)
			if err != nil {
				return in, err
			}
			n := name
			if len(aggs) > 1 {
				n += "_" + agg.attr.Name
			}
			out = append(out, a.item(x, n, true, val.X.Pos()))
		}
	}
	pr := &plan.Project{}
	for _, it := range out {
		x, err := g.rewrite(it.x, it.pos)
		if err != nil {
			return in, err
		}
		it.attr.Nullable = x.Nullable()
		pr.Exprs = append(pr.Exprs, plan.NamedExpr{X: x, Attr: it.attr})
	}
	pr.Input = g.node(in.node)
	return a.alias2(relationOf(pr), v.Alias, v.Pos(), "")
}

// pivotValue is the condition that a row belongs to a value, and its name.
func (a *analyzer) pivotValue(val ast.SelectItem, keys []plan.Expr) (plan.Expr, string, error) {
	items := []ast.Expr{val.X}
	if t, ok := val.X.(*ast.Tuple); ok && len(keys) > 1 {
		items = t.Items
	}
	ctx := a.fctx(val.X.Pos())
	if len(items) != len(keys) {
		return nil, "", a.errorf(val.X.Pos(), "PIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", "PIVOT compares %d columns with %d values.", len(keys), len(items))
	}
	var cond plan.Expr
	var names []string
	for i, e := range items {
		if al, ok := e.(*ast.Alias); ok {
			e = al.X
		}
		x, err := a.expr(e, &scope{})
		if err != nil || !funcs.IsFoldable(x) {
			return nil, "", a.errorf(e.Pos(), "NON_LITERAL_PIVOT_VALUES", "42K08", "The values of PIVOT must be constants.")
		}
		names = append(names, a.pivotName(x))
		if t := keys[i].Type(); !types.Equal(x.Type(), t) {
			if x, err = funcs.ExplicitCast(x, t, ctx.CastMode(), ctx); err != nil {
				x = &plan.Literal{Typ: t} // Spark takes what cannot be cast for NULL
			}
		}
		eq, err := funcs.Resolve("<=>", []plan.Expr{keys[i], x}, ctx)
		if err == nil && cond != nil {
			eq, err = funcs.Resolve("and", []plan.Expr{cond, eq}, ctx)
		}
		if err != nil {
			return nil, "", err
		}
		cond = eq
	}
	name := names[0]
	if len(names) > 1 {
		name = "{" + strings.Join(names, ", ") + "}"
	}
	if len(val.Aliases) > 0 {
		name = val.Aliases[0].Name
	}
	return cond, name, nil
}

func (a *analyzer) pivotName(x plan.Expr) string {
	lit, ok := funcs.Eval(x)
	if !ok {
		return a.sqlName(x)
	}
	if lit.Value == nil {
		return "null"
	}
	name := a.sqlName(lit)
	if i := strings.IndexByte(name, '\''); i >= 0 && !types.IsString(lit.Typ) { // DATE '...' is called by its text
		return strings.Trim(name[i:], "'")
	}
	return name
}

// spreads tells whether Spark aggregates values of type t first and spreads
// them over the columns then.
func spreads(t types.Type) bool { return types.IsNumeric(t) || t == types.Boolean }

// pivotCell filters the aggregates of x. Where Spark spreads them, a combination
// without rows is NULL, except for distinct aggregates; else it is what an
// aggregate of no rows is.
func (a *analyzer) pivotCell(x, cond plan.Expr, val ast.SelectItem, spread bool) (plan.Expr, error) {
	ctx := a.fctx(val.X.Pos())
	guard := spread
	out, err := topDown(x, func(y plan.Expr) (plan.Expr, error) {
		agg, ok := y.(*plan.AggCall)
		if !ok {
			return nil, nil
		}
		c := *agg
		c.Filter = cond
		if agg.Filter != nil {
			both, err := funcs.Resolve("and", []plan.Expr{cond, agg.Filter}, ctx)
			if err != nil {
				return nil, err
			}
			c.Filter = both
		}
		guard = guard && !agg.Distinct
		return &c, nil
	})
	if err != nil {
		return nil, err
	}
	if !guard {
		return out, nil
	}
	n, err := funcs.Resolve("count", []plan.Expr{&plan.Literal{Value: int64(1), Typ: types.Int}}, ctx)
	if err != nil {
		return nil, err
	}
	if agg, ok := n.(*plan.AggCall); ok {
		c := *agg
		c.Filter = cond
		n = &c
	}
	some, err := funcs.Resolve(">", []plan.Expr{n, &plan.Literal{Value: int64(0), Typ: types.Int}}, ctx)
	if err != nil {
		return nil, err
	}
	return funcs.Case([]plan.When{{Cond: some, Then: out}}, nil, ctx)
}

// unpivot turns columns to rows with the generator stack.
func (a *analyzer) unpivot(v *ast.Unpivot, p place, left *relation) (relation, error) {
	in, err := a.ref(v.Input, p, left)
	if err != nil {
		return in, err
	}
	s := &scope{place: p, cols: in.cols}
	used := map[plan.ID]bool{}
	kinds := make([][]types.Type, len(v.Values))
	rows := make([][]plan.Expr, len(v.Columns))
	labels := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		var names []string
		if len(c.Names) != len(v.Values) {
			return in, a.errorf(v.Pos(), "UNPIVOT_VALUE_SIZE_MISMATCH", "428C4", "UNPIVOT names %d value columns, but %d columns stand together.", len(v.Values), len(c.Names))
		}
		for j, n := range c.Names {
			x, err := a.column(&ast.Column{At: n[0].At, Name: n}, s)
			if err != nil {
				return in, err
			}
			if col, ok := x.(*plan.Column); ok {
				used[col.Attr.ID] = true
			}
			rows[i] = append(rows[i], x)
			kinds[j] = append(kinds[j], x.Type())
			names = append(names, n[len(n)-1].Name)
		}
		labels[i] = strings.Join(names, "_")
		if c.Alias != nil {
			labels[i] = c.Alias.Name
		}
	}
	ctx := a.fctx(v.Pos())
	args := []plan.Expr{&plan.Literal{Value: int64(len(rows)), Typ: types.Int}}
	for i, row := range rows {
		args = append(args, text(labels[i]))
		for j, x := range row {
			t, ok := funcs.Common(kinds[j], true)
			if !ok || mixesStrings(kinds[j]) {
				return in, a.errorf(v.Pos(), "UNPIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", "The columns of UNPIVOT have no common type.")
			}
			args = append(args, funcs.CastTo(x, t, ctx))
		}
	}
	call, err := funcs.Resolve("stack", args, ctx)
	if err != nil {
		return in, err
	}
	names := []string{v.Name.Name}
	for _, n := range v.Values {
		names = append(names, n.Name)
	}
	g, err := a.generate(generator(call), false, names, v.Pos())
	if err != nil {
		return in, err
	}
	g.Input = in.node
	r := relation{node: g}
	for _, c := range in.visible() {
		if !used[c.ID] {
			r.cols = append(r.cols, c)
		}
	}
	for _, at := range g.Attrs {
		for _, c := range r.cols {
			if strings.EqualFold(c.Name, at.Name) {
				return in, a.errorf(v.Pos(), "AMBIGUOUS_REFERENCE", "42704", "UNPIVOT makes a column %s beside one of that name.", quote(at.Name))
			}
		}
	}
	for _, at := range g.Attrs {
		r.cols = append(r.cols, column{Attr: at, origin: at.ID})
	}
	if !v.IncludeNulls {
		if r.node, err = a.someValue(g, ctx); err != nil {
			return in, err
		}
	}
	return a.alias2(r, v.Alias, v.Pos(), "")
}

// someValue keeps the rows of UNPIVOT that hold a value.
func (a *analyzer) someValue(g *plan.Generate, ctx funcs.Context) (plan.Node, error) {
	var cond plan.Expr
	for _, at := range g.Attrs[1:] {
		x, err := funcs.Resolve("is not null", []plan.Expr{&plan.Column{Attr: at}}, ctx)
		if err == nil && cond != nil {
			x, err = funcs.Resolve("or", []plan.Expr{cond, x}, ctx)
		}
		if err != nil {
			return nil, err
		}
		cond = x
	}
	return &plan.Filter{Input: g, Cond: cond}, nil
}

func mixesStrings(ts []types.Type) bool {
	str, other := false, false
	for _, t := range ts {
		switch {
		case t == types.Void:
		case types.IsString(t):
			str = true
		default:
			other = true
		}
	}
	return str && other
}
