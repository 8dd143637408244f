package analyze

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// unpivot turns columns to rows with the generator stack.
func (a *analyzer) unpivot(v *ast.Unpivot, p place, in relation) (relation, error) {
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
			col, ok := x.(*plan.Column)
			if !ok {
				return in, a.errorf(n[0].P, "UNPIVOT_REQUIRES_ATTRIBUTES", "42K0A", "UNPIVOT takes columns, not fields of them: %s.", a.sqlName(x))
			}
			used[col.Attr.ID] = true
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
		r.cols = append(r.cols, column{Attr: at, origin: at.ID})
	}
	if !v.IncludeNulls {
		if r.node, err = a.someValue(g, r.cols, v.Pos()); err != nil {
			return in, err
		}
	}
	return a.alias2(r, v.Alias, v.Pos(), "")
}

// someValue keeps the rows of UNPIVOT that hold a value: the first that is not
// NULL is looked for by the names of the columns and in their common type.
func (a *analyzer) someValue(g *plan.Generate, cols []column, pos sparksql.Pos) (plan.Node, error) {
	var args []plan.Expr
	for _, at := range g.Attrs[1:] {
		var found []column
		for _, c := range cols {
			if strings.EqualFold(c.Name, at.Name) {
				found = append(found, c)
			}
		}
		if len(found) > 1 {
			return nil, a.ambiguous([]string{at.Name}, found, pos)
		}
		args = append(args, &plan.Column{Attr: at})
	}
	ctx := a.fctx(pos)
	x, err := args[0], error(nil)
	if len(args) > 1 {
		x, err = funcs.Resolve("coalesce", args, ctx)
	}
	if err == nil {
		x, err = funcs.Resolve("is not null", []plan.Expr{x}, ctx)
	}
	return &plan.Filter{Input: g, Cond: x}, err
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
