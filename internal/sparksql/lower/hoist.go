package lower

import "github.com/marisma/marisma/internal/sparksql/plan"

// hoisted computes the sub-queries of an outer join's condition in the side
// whose columns they use, for DuckDB takes none in such a condition. What uses
// both sides stays.
func hoisted(j *plan.Join) *plan.Join {
	sides := [2]plan.Node{j.Left, j.Right}
	var extra [2][]plan.NamedExpr
	cond := plan.Transform(j.Cond, func(x plan.Expr) plan.Expr {
		s, ok := x.(*plan.Subquery)
		if !ok {
			return x
		}
		for i, side := range sides {
			if !usesOnly(s, side) {
				continue
			}
			at := plan.Attr{ID: plan.NewID(), Name: "subquery", Type: s.Typ, Nullable: true}
			extra[i] = append(extra[i], plan.NamedExpr{X: s, Attr: at})
			return &plan.Column{Attr: at}
		}
		return x
	})
	if extra[0] == nil && extra[1] == nil {
		return j
	}
	c := *j
	c.Cond = cond
	c.Left, c.Right = with(j.Left, extra[0]), with(j.Right, extra[1])
	return &c
}

func with(n plan.Node, extra []plan.NamedExpr) plan.Node {
	if extra == nil {
		return n
	}
	p := &plan.Project{Input: n}
	for _, a := range n.Output() {
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: a}, Attr: a})
	}
	p.Exprs = append(p.Exprs, extra...)
	return p
}

// usesOnly tells whether every column that s takes from around it is one of n.
func usesOnly(s *plan.Subquery, n plan.Node) bool {
	have := map[plan.ID]bool{}
	for _, a := range n.Output() {
		have[a.ID] = true
	}
	ok := true
	for _, x := range s.Left {
		plan.Walk(x, func(y plan.Expr) bool {
			if c, isCol := y.(*plan.Column); isCol {
				ok = ok && have[c.Attr.ID]
			}
			return true
		})
	}
	plan.VisitNodes(s.Plan, func(m plan.Node) {
		for _, a := range m.Output() {
			have[a.ID] = true
		}
	})
	plan.VisitNodes(s.Plan, func(m plan.Node) {
		for _, e := range plan.Exprs(m) {
			plan.Walk(e, func(y plan.Expr) bool {
				if o, isOuter := y.(*plan.Outer); isOuter {
					ok = ok && have[o.Attr.ID]
				}
				return true
			})
		}
	})
	return ok
}
