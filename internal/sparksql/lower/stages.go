package lower

import "github.com/marisma/marisma/internal/sparksql/plan"

// maxRow is how many operators in a row one SELECT computes: DuckDB's planner
// takes time that grows with the cube of their number.
const maxRow = 96

// inARow tells the operators that compute their first operand whatever the
// second is, so that it may be computed before.
func inARow(fn string) bool {
	switch fn {
	case "+", "-", "*", "/", "%", "||", "concat", "&", "|", "^":
		return true
	}
	return false
}

// staged computes the lower ends of long rows of operators in a projection
// beneath.
func staged(p *plan.Project) *plan.Project {
	var extra []plan.NamedExpr
	exprs := make([]plan.NamedExpr, len(p.Exprs))
	for i, e := range p.Exprs {
		exprs[i] = plan.NamedExpr{X: shortened(e.X, maxRow, &extra), Attr: e.Attr}
	}
	if extra == nil {
		return p
	}
	return &plan.Project{Input: with(p.Input, extra), Exprs: exprs}
}

// shortened is e with the operand that lies left operators below it as a column.
func shortened(e plan.Expr, left int, extra *[]plan.NamedExpr) plan.Expr {
	switch x := e.(type) {
	case *plan.Cast:
		inner := shortened(x.X, left, extra)
		if inner == x.X {
			return e
		}
		c := *x
		c.X = inner
		return &c
	case *plan.Call:
		if !inARow(x.Fn) || len(x.Args) == 0 {
			return e
		}
		if left == 0 {
			at := plan.Attr{ID: plan.NewID(), Name: "stage", Type: x.Typ, Nullable: true}
			*extra = append(*extra, plan.NamedExpr{X: x, Attr: at})
			return &plan.Column{Attr: at}
		}
		inner := shortened(x.Args[0], left-1, extra)
		if inner == x.Args[0] {
			return e
		}
		c := *x
		c.Args = append([]plan.Expr{inner}, x.Args[1:]...)
		return &c
	}
	return e
}
