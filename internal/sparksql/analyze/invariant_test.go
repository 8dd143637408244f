package analyze_test

import (
	"fmt"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// checkPlan says what is wrong with a plan: every column that an expression
// uses must come from the node's inputs with the same type, outer columns from
// the query around, no output may hold one ID twice, aggregates stand in
// Aggregate and Window only, and the sides of a set operation have its types.
func checkPlan(n plan.Node) error { return check(n, nil, map[*plan.CTE]bool{}) }

func check(n plan.Node, outer map[plan.ID]types.Type, ctes map[*plan.CTE]bool) error {
	in := map[plan.ID]types.Type{}
	for _, m := range n.Inputs() {
		for _, at := range m.Output() {
			in[at.ID] = at.Type
		}
	}
	seen := map[plan.ID]bool{}
	for _, at := range n.Output() {
		if seen[at.ID] {
			return fmt.Errorf("%T: %s#%d stands twice in the output", n, at.Name, at.ID)
		}
		seen[at.ID] = true
	}
	for _, e := range plan.Exprs(n) {
		if err := checkExpr(n, e, in, outer, ctes); err != nil {
			return err
		}
	}
	switch m := n.(type) {
	case *plan.SetOp:
		for _, side := range []plan.Node{m.Left, m.Right} {
			for i, at := range side.Output() {
				if !types.Equal(at.Type, m.Attrs[i].Type) {
					return fmt.Errorf("set operation: column %d is %s, not %s", i, at.Type, m.Attrs[i].Type)
				}
			}
		}
	case *plan.Scan:
		if len(m.Attrs) != len(m.Ordinals) {
			return fmt.Errorf("scan of %v has %d columns and %d ordinals", m.Source.Name, len(m.Attrs), len(m.Ordinals))
		}
	case *plan.CTERef:
		if !ctes[m.CTE] {
			return fmt.Errorf("%s is not defined above its reference", m.CTE.Name)
		}
		if len(m.Attrs) != len(m.CTE.Plan.Output()) {
			return fmt.Errorf("%s has %d columns, its reference %d", m.CTE.Name, len(m.CTE.Plan.Output()), len(m.Attrs))
		}
	case *plan.With:
		for _, c := range m.CTEs {
			if r, ok := c.Plan.(*plan.Recursion); ok && r.Self == c.ID {
				ctes[c] = true // its step refers to it
			}
			if err := check(c.Plan, outer, ctes); err != nil {
				return err
			}
			ctes[c] = true
		}
		return check(m.Body, outer, ctes)
	case *plan.Join:
		if err := check(m.Left, outer, ctes); err != nil {
			return err
		}
		around := outer
		if m.Lateral {
			around = map[plan.ID]types.Type{}
			for _, at := range m.Left.Output() {
				around[at.ID] = at.Type
			}
		}
		return check(m.Right, around, ctes)
	}
	for _, m := range n.Inputs() {
		if err := check(m, outer, ctes); err != nil {
			return err
		}
	}
	return nil
}

func checkExpr(n plan.Node, e plan.Expr, in, outer map[plan.ID]types.Type, ctes map[*plan.CTE]bool) error {
	var err error
	top := e
	lambda := map[plan.ID]bool{}
	plan.Walk(e, func(x plan.Expr) bool {
		switch x := x.(type) {
		case *plan.Column:
			t, ok := in[x.Attr.ID]
			if !ok {
				err = fmt.Errorf("%T: no input has %s#%d", n, x.Attr.Name, x.Attr.ID)
			} else if !types.Equal(t, x.Attr.Type) {
				err = fmt.Errorf("%T: %s is %s, but %s in the input", n, x.Attr.Name, x.Attr.Type, t)
			}
		case *plan.Outer:
			if _, ok := outer[x.Attr.ID]; !ok {
				err = fmt.Errorf("%T: the query around has no %s#%d", n, x.Attr.Name, x.Attr.ID)
			}
		case *plan.Lambda:
			for _, p := range x.Params {
				lambda[p.ID] = true
			}
		case *plan.LambdaVar:
			if !lambda[x.ID] {
				err = fmt.Errorf("%T: the lambda variable %s is not bound", n, x.Name)
			}
		case *plan.AggCall:
			_, agg := n.(*plan.Aggregate)
			_, win := n.(*plan.Window)
			if !win && (!agg || x != top) {
				err = fmt.Errorf("%T holds the aggregate %s", n, x.Fn)
			}
		case *plan.WindowExpr:
			if _, ok := n.(*plan.Window); !ok {
				err = fmt.Errorf("%T holds a window function", n)
			}
		case *plan.Subquery:
			if err == nil {
				err = check(x.Plan, in, ctes)
			}
		}
		return err == nil
	})
	return err
}
