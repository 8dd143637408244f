package analyze

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// pivot is an aggregation by the columns that PIVOT does not name, with one
// filtered aggregate per value.
func (a *analyzer) pivot(v *ast.Pivot, p place, in relation) (relation, error) {
	s := &scope{place: p, cols: in.cols}
	keys, err := a.exprs(v.For, s)
	if err != nil {
		return in, err
	}
	for i, k := range keys {
		if _, err := funcs.Resolve("<=>", []plan.Expr{k, k}, a.fctx(v.For[i].Pos())); err != nil {
			return in, a.errorf(v.For[i].Pos(), "INCOMPARABLE_PIVOT_COLUMN", "42818", "PIVOT cannot compare values of %s.", a.sqlName(k))
		}
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
		if bareColumn(x) {
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
	cells, err := a.pivotCells(v, keys, aggs)
	if err != nil {
		return in, err
	}
	out = append(out, cells...)
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

// bareColumn tells whether x reads a column outside of an aggregate function.
func bareColumn(x plan.Expr) bool {
	found := false
	plan.Walk(x, func(y plan.Expr) bool {
		switch y.(type) {
		case *plan.AggCall, *plan.Subquery:
			return false
		case *plan.Column:
			found = true
		}
		return !found
	})
	return found
}

// pivotValue is one value of PIVOT.
type pivotValue struct {
	cond plan.Expr // that a row belongs to it
	name string
	key  string // tells equal values
	nan  bool   // a single NaN, which equals nothing where Spark spreads
}

// pivotCells are the columns of the values, one for each aggregate.
func (a *analyzer) pivotCells(v *ast.Pivot, keys []plan.Expr, aggs []item) ([]item, error) {
	spread := !slices.ContainsFunc(aggs, func(i item) bool { return !spreads(i.x.Type()) })
	vals := make([]pivotValue, len(v.Values))
	distinct := map[string]bool{}
	for i, val := range v.Values {
		var err error
		if vals[i], err = a.pivotValue(val, keys); err != nil {
			return nil, err
		}
		distinct[vals[i].key] = true
	}
	var out []item
	for i, val := range v.Values {
		for _, agg := range aggs {
			cond := vals[i].cond
			if spread && vals[i].nan {
				cond = &plan.Literal{Value: false, Typ: types.Boolean}
			}
			x, err := a.pivotCell(agg.x, cond, val, spread)
			if err == nil && spread && i >= len(distinct) {
				x, err = a.beyond(x.Type(), i, len(distinct), val.X.Pos())
			}
			if err != nil {
				return nil, err
			}
			n := vals[i].name
			if len(aggs) > 1 {
				n += "_" + agg.attr.Name
			}
			out = append(out, a.item(x, n, true, val.X.Pos()))
		}
	}
	return out, nil
}

// beyond is what Spark reads for a value that stands twice: it spreads into an
// array with an element for each distinct value, and reads by position.
func (a *analyzer) beyond(t types.Type, i, n int, pos sparksql.Pos) (plan.Expr, error) {
	ctx := a.fctx(pos)
	arr, err := funcs.Resolve("array", slices.Repeat([]plan.Expr{&plan.Literal{Typ: t}}, n), ctx)
	if err != nil {
		return nil, err
	}
	return funcs.Resolve("[]", []plan.Expr{arr, &plan.Literal{Value: int64(i), Typ: types.Int}}, ctx)
}

// pivotItems are the constants of one value, as many as there are keys.
func pivotItems(x ast.Expr, keys int) []ast.Expr {
	switch t := x.(type) {
	case *ast.Tuple:
		if keys > 1 {
			return t.Items
		}
	case *ast.Call:
		if keys > 1 && len(t.Name) == 1 && strings.EqualFold(t.Name[0].Name, "struct") {
			return t.Args
		}
	}
	return []ast.Expr{x}
}

// pivotValue analyses one value.
func (a *analyzer) pivotValue(val ast.SelectItem, keys []plan.Expr) (pivotValue, error) {
	var v pivotValue
	items := pivotItems(val.X, len(keys))
	ctx := a.fctx(val.X.Pos())
	if len(items) != len(keys) {
		return v, a.errorf(val.X.Pos(), "PIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", "PIVOT compares %d columns with %d values.", len(keys), len(items))
	}
	var names []string
	for i, e := range items {
		if al, ok := e.(*ast.Alias); ok {
			e = al.X
		}
		x, err := a.expr(e, &scope{})
		if err != nil || !funcs.IsFoldable(x) {
			return v, a.errorf(e.Pos(), "NON_LITERAL_PIVOT_VALUES", "42K08", "The values of PIVOT must be constants.")
		}
		names = append(names, a.pivotName(x))
		if t := keys[i].Type(); !types.Equal(x.Type(), t) {
			if x, err = funcs.ExplicitCast(x, t, ctx.CastMode(), ctx); err != nil {
				x = &plan.Literal{Typ: t} // Spark takes what cannot be cast for NULL
			}
		}
		eq, err := funcs.Resolve("<=>", []plan.Expr{keys[i], x}, ctx)
		if err == nil && v.cond != nil {
			eq, err = funcs.Resolve("and", []plan.Expr{v.cond, eq}, ctx)
		}
		if err != nil {
			return v, err
		}
		key, nan := a.pivotKey(x)
		v.cond, v.key, v.nan = eq, v.key+key+"\x00", nan && len(keys) == 1
	}
	v.name = names[0]
	if len(names) > 1 {
		v.name = "{" + strings.Join(names, ", ") + "}"
	}
	if len(val.Aliases) > 0 {
		v.name = val.Aliases[0].Name
	}
	return v, nil
}

// pivotKey is a text that equal values share, and whether x is NaN.
func (a *analyzer) pivotKey(x plan.Expr) (string, bool) {
	lit, ok := funcs.Eval(x)
	if !ok {
		name := a.pivotName(x)
		return name, name == "NaN" && types.IsNumeric(x.Type())
	}
	switch f := lit.Value.(type) {
	case float64:
		return fmt.Sprint(f + 0), math.IsNaN(f)
	case float32:
		return fmt.Sprint(f + 0), f != f
	}
	return fmt.Sprintf("%v", lit.Value), false
}

// pivotName is the text of a value as CAST prints it.
func (a *analyzer) pivotName(x plan.Expr) string {
	if c, ok := x.(*plan.Call); ok {
		if name, ok := a.nestedName(c); ok {
			return name
		}
	}
	lit, ok := funcs.Eval(x)
	if !ok {
		return a.sqlName(x)
	}
	if lit.Value == nil {
		return "null"
	}
	if s, ok := funcs.Eval(funcs.CastTo(lit, types.String, a.base)); ok {
		if s, ok := s.Value.(string); ok {
			return s
		}
	}
	if b, ok := lit.Value.([]byte); ok {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	name := a.sqlName(lit)
	if i := strings.IndexByte(name, '\''); i >= 0 && !types.IsString(lit.Typ) { // DATE '...' is called by its text
		return strings.Trim(name[i:], "'")
	}
	return name
}

// nestedName is the text of an array or a struct.
func (a *analyzer) nestedName(c *plan.Call) (string, bool) {
	ends, step, first := "[]", 1, 0
	switch c.Fn {
	case "array":
	case "struct", "named_struct":
		ends, step, first = "{}", 2, 1
	default:
		return "", false
	}
	var parts []string
	for i := first; i < len(c.Args); i += step {
		parts = append(parts, a.pivotName(c.Args[i]))
	}
	return ends[:1] + strings.Join(parts, ", ") + ends[1:], true
}

// spreads tells whether Spark aggregates values of type t first and spreads
// them over the columns then.
func spreads(t types.Type) bool { return types.IsNumeric(t) || t == types.Boolean }

// pivotCell filters the aggregates of x. Where Spark spreads them, a combination
// without rows is NULL; else it is what an aggregate of no rows is.
func (a *analyzer) pivotCell(x, cond plan.Expr, val ast.SelectItem, spread bool) (plan.Expr, error) {
	ctx := a.fctx(val.X.Pos())
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
		return &c, nil
	})
	if err != nil {
		return nil, err
	}
	if !spread {
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
