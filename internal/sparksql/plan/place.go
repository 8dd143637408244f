package plan

import "github.com/marisma/marisma/internal/sparksql"

// Place puts all expressions of e at pos: those of a text that the statement
// only names (a function's body, a constraint) stand where it is named, or
// nowhere with the zero Pos. It changes e, which must be the caller's alone.
func Place(e Expr, pos sparksql.Pos) {
	Walk(e, func(x Expr) bool {
		switch x := x.(type) {
		case *Call:
			x.Pos = pos
		case *Cast:
			x.Pos = pos
		case *AggCall:
			x.Pos = pos
		case *Subquery:
			PlaceNode(x.Plan, pos)
		}
		return true
	})
}

// PlaceNode is Place for the expressions of a plan.
func PlaceNode(n Node, pos sparksql.Pos) {
	for _, e := range Exprs(n) {
		Place(e, pos)
	}
	for _, m := range n.Inputs() {
		PlaceNode(m, pos)
	}
}
