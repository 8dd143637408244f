package lower

import (
	"slices"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// sameBranches tells whether a CASE has one value, whatever its conditions are,
// which Spark does not evaluate then.
func (l *lowerer) sameBranches(e *plan.Case) bool {
	var conds []plan.Expr
	for _, w := range e.When {
		conds = append(conds, w.Cond)
	}
	if !l.superfluous(conds) {
		return false
	}
	last := l.expr(e.Else)
	return !slices.ContainsFunc(e.When, func(w plan.When) bool { return l.expr(w.Then) != last })
}

// over is the text of expressions over the rows of a node.
func (l *lowerer) over(input plan.Node, text func() string) string {
	old := l.inline
	l.inline = inline(input)
	defer func() { l.inline = old }()
	return text()
}

// inline tells whether a node has rows that stand in the statement itself.
// Spark evaluates expressions over such rows before it makes them simpler.
func inline(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Values:
		return true
	case *plan.Project:
		return inline(n.Input)
	case *plan.Filter:
		return inline(n.Input)
	case *plan.Limit:
		return inline(n.Input)
	}
	return false
}

// superfluous tells of conditions that may raise and have no other effect: one
// with an aggregate makes groups, and a volatile one is evaluated for its own
// sake.
func (l *lowerer) superfluous(conds []plan.Expr) bool {
	if l.inline || !slices.ContainsFunc(conds, l.canRaise) {
		return false
	}
	pure := true
	for _, c := range conds {
		plan.Walk(c, func(x plan.Expr) bool {
			switch x := x.(type) {
			case *plan.AggCall, *plan.WindowExpr, *plan.Subquery:
				pure = false
			case *plan.Call:
				d := funcs.Lookup(x.Fn)
				pure = pure && (d == nil || !d.Volatile)
			}
			return pure
		})
	}
	return pure
}

// choice is if and nvl2: cond chooses one of two texts.
func (l *lowerer) choice(c *plan.Call, cond, yes, no string) string {
	if yes == no && l.superfluous(c.Args[:1]) {
		return yes
	}
	return "CASE WHEN " + cond + " THEN " + yes + " ELSE " + no + " END"
}
