package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// pipeItem checks the last item, the i-th as written, of |> EXTEND or
// AGGREGATE: the one has no aggregates, the other nothing else.
func (a *analyzer) pipeItem(sel *selection, i int) error {
	if sel.ast.Pipe == "" || i < sel.ast.Kept {
		return nil
	}
	last := sel.items[len(sel.items)-1]
	switch agg := hasAggregate(last.x); {
	case agg && sel.ast.Pipe == "EXTEND":
		return a.errorf(last.pos, "PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION", "0A000", "|> EXTEND cannot hold an aggregate: %s.", a.sqlName(last.x)).hint("Use |> AGGREGATE.")
	case !agg && sel.ast.Pipe == "AGGREGATE":
		return a.errorf(last.pos, "PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION", "0A000", "|> AGGREGATE needs aggregates, and %s holds none.", a.sqlName(last.x))
	}
	return nil
}

// columnEdit is |> SET and |> DROP.
func (a *analyzer) columnEdit(e *ast.ColumnEdit, sel *selection) error {
	set, err := a.setColumns(e, sel)
	if err != nil {
		return err
	}
	drop := map[string]bool{}
	for _, d := range e.Drop {
		drop[strings.ToLower(d.Name)] = true
	}
	for _, c := range sel.scope.cols {
		low := strings.ToLower(c.Name)
		switch x, ok := set[low]; {
		case c.hidden || drop[low]:
			delete(drop, low)
		case ok:
			sel.items = append(sel.items, a.item(x, c.Name, true, e.Pos()))
			delete(set, low)
		default:
			sel.items = append(sel.items, a.item(&plan.Column{Attr: c.Attr}, c.Name, false, e.Pos()))
		}
	}
	for _, s := range e.Set {
		if _, missing := set[strings.ToLower(s.Aliases[0].Name)]; missing {
			return a.unresolved([]string{s.Aliases[0].Name}, s.Aliases[0].P, sel.scope.cols)
		}
	}
	for _, d := range e.Drop {
		if drop[strings.ToLower(d.Name)] && len(drop) > 0 {
			if found, _ := a.match(sel.scope.cols, []string{d.Name}); len(found) == 0 {
				return a.unresolved([]string{d.Name}, d.P, sel.scope.cols)
			}
		}
	}
	return nil
}

// pipeOrdinals puts columns of the input for the positions in GROUP BY of
// |> AGGREGATE.
func pipeOrdinals(s *ast.Select, cols []column) *ast.Select {
	out, group := *s, *s.Group
	out.Group, out.Items = &group, slices.Clone(s.Items)
	group.Items = slices.Clone(s.Group.Items)
	for i := range s.Kept {
		lit, ok := s.Items[i].X.(*ast.Literal)
		if !ok || lit.Type != types.Int {
			continue
		}
		n, _ := lit.Value.(int64)
		if n < 1 || int(n) > len(cols) {
			continue
		}
		c := cols[n-1]
		x := &ast.Column{At: lit.At}
		for _, part := range append(slices.Clone(c.Qualifier), c.Name) {
			x.Name = append(x.Name, ast.Ident{At: lit.At, Name: part})
		}
		out.Items[i].X = x
		group.Items[i] = ast.GroupItem{Sets: [][]ast.Expr{{x}}}
	}
	return &out
}

// setColumns are the values of |> SET by the columns' names; each sees those
// before it.
func (a *analyzer) setColumns(e *ast.ColumnEdit, sel *selection) (map[string]plan.Expr, error) {
	set := map[string]plan.Expr{}
	before := map[plan.ID]plan.Expr{}
	s := *sel.scope
	s.aliasFirst = true
	for _, it := range e.Set {
		x, err := a.expr(it.X, &s)
		if err != nil {
			return nil, err
		}
		if hasAggregate(x) {
			return nil, a.errorf(it.X.Pos(), "PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION", "0A000", "|> SET cannot hold an aggregate: %s.", a.sqlName(x)).hint("Use |> AGGREGATE.")
		}
		name := it.Aliases[0].Name
		x = substitute(x, before)
		set[strings.ToLower(name)] = x
		ref := plan.Attr{ID: plan.NewID(), Name: name, Type: x.Type(), Nullable: x.Nullable()}
		before[ref.ID] = x
		s.aliases = append(slices.DeleteFunc(slices.Clone(s.aliases), func(d aliasDef) bool { return strings.EqualFold(d.name, name) }), aliasDef{name: name, attr: ref, x: x})
	}
	return set, nil
}
