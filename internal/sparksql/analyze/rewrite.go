package analyze

import "github.com/marisma/marisma/internal/sparksql/plan"

// topDown rebuilds e: f answers nil to go on into the operands.
func topDown(e plan.Expr, f func(plan.Expr) (plan.Expr, error)) (plan.Expr, error) {
	r, err := f(e)
	if r != nil || err != nil {
		return r, err
	}
	kids := e.Children()
	if len(kids) == 0 {
		return e, nil
	}
	next := make([]plan.Expr, len(kids))
	changed := false
	for i, k := range kids {
		if next[i], err = topDown(k, f); err != nil {
			return nil, err
		}
		changed = changed || next[i] != k
	}
	if !changed {
		return e, nil
	}
	return e.WithChildren(next), nil
}

// substitute replaces columns by the expressions that they stand for.
func substitute(e plan.Expr, m map[plan.ID]plan.Expr) plan.Expr {
	if len(m) == 0 {
		return e
	}
	out, _ := topDown(e, func(x plan.Expr) (plan.Expr, error) {
		if c, ok := x.(*plan.Column); ok {
			if r, ok := m[c.Attr.ID]; ok {
				return substitute(r, m), nil
			}
		}
		return nil, nil
	})
	return out
}

// mapPlan rebuilds a plan: inputs first, then f over every expression, then g
// over the node itself.
func mapPlan(n plan.Node, f func(plan.Expr) plan.Expr, g func(plan.Node) plan.Node) plan.Node {
	return mapNode(n, func(m plan.Node) plan.Node { return mapPlan(m, f, g) }, f, g)
}

// mapNode rebuilds one node; in rebuilds its inputs.
func mapNode(n plan.Node, in func(plan.Node) plan.Node, f func(plan.Expr) plan.Expr, g func(plan.Node) plan.Node) plan.Node {
	namedExprs := func(es []plan.NamedExpr) []plan.NamedExpr {
		out := make([]plan.NamedExpr, len(es))
		for i, e := range es {
			out[i] = plan.NamedExpr{X: f(e.X), Attr: e.Attr}
		}
		return out
	}
	switch m := n.(type) {
	case *plan.Values:
		c := *m
		c.Rows = make([][]plan.Expr, len(m.Rows))
		for i, row := range m.Rows {
			for _, x := range row {
				c.Rows[i] = append(c.Rows[i], f(x))
			}
		}
		n = &c
	case *plan.Project:
		n = &plan.Project{Input: in(m.Input), Exprs: namedExprs(m.Exprs)}
	case *plan.Filter:
		n = &plan.Filter{Input: in(m.Input), Cond: f(m.Cond)}
	case *plan.Join:
		c := *m
		c.Left, c.Right = in(m.Left), in(m.Right)
		if m.Cond != nil {
			c.Cond = f(m.Cond)
		}
		n = &c
	case *plan.Aggregate:
		n = &plan.Aggregate{Input: in(m.Input), Keys: namedExprs(m.Keys), Sets: m.Sets, Aggs: namedExprs(m.Aggs)}
	case *plan.Window:
		n = &plan.Window{Input: in(m.Input), Exprs: namedExprs(m.Exprs)}
	case *plan.Generate:
		c := *m
		c.Input = in(m.Input)
		if gen, ok := f(m.Gen).(*plan.Call); ok {
			c.Gen = gen
		}
		n = &c
	case *plan.TimeWindow:
		c := *m
		c.Input, c.Time = in(m.Input), f(m.Time)
		if m.End != nil {
			c.End = f(m.End)
		}
		c.Partition = nil
		for _, x := range m.Partition {
			c.Partition = append(c.Partition, f(x))
		}
		n = &c
	case *plan.Sort:
		c := &plan.Sort{Input: in(m.Input)}
		for _, k := range m.Keys {
			k.X = f(k.X)
			c.Keys = append(c.Keys, k)
		}
		n = c
	case *plan.Limit:
		c := *m
		c.Input = in(m.Input)
		n = &c
	case *plan.SetOp:
		c := *m
		c.Left, c.Right = in(m.Left), in(m.Right)
		n = &c
	case *plan.Distinct:
		n = &plan.Distinct{Input: in(m.Input)}
	case *plan.Watermark:
		c := *m
		c.Input = in(m.Input)
		n = &c
	case *plan.Recursion:
		c := *m
		c.Anchor, c.Step = in(m.Anchor), in(m.Step)
		n = &c
	case *plan.With:
		n = &plan.With{CTEs: m.CTEs, Body: in(m.Body)}
	}
	return g(n)
}
