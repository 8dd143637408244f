package query

import (
	"math/big"
	"slices"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// conjunct is a comparison of an attribute with a constant that every row of
// interest fulfils.
type conjunct struct {
	id    plan.ID
	op    delta.Op
	value *plan.Literal
}

// Prune collects, for each scan below n, the comparisons that its rows must
// fulfil to matter. Filters are pushed through operators that keep rows apart
// (projections, joins) and stop where rows meet (aggregates, windows, limits).
func Prune(n plan.Node) map[*plan.Scan][]delta.Predicate {
	p := pruner{out: map[*plan.Scan][]delta.Predicate{}}
	p.node(n, nil)
	return p.out
}

type pruner struct {
	out map[*plan.Scan][]delta.Predicate
}

func (p pruner) node(n plan.Node, known []conjunct) {
	for _, e := range plan.Exprs(n) {
		p.subqueries(e)
	}
	switch n := n.(type) {
	case *plan.Scan:
		p.scan(n, known)
	case *plan.Filter:
		p.node(n.Input, append(slices.Clone(known), conjuncts(n.Cond)...))
	case *plan.Project:
		p.node(n.Input, throughProject(n, known))
	case *plan.Sort:
		p.node(n.Input, known)
	case *plan.Distinct:
		p.node(n.Input, known)
	case *plan.Watermark:
		p.node(n.Input, known)
	case *plan.Generate:
		p.node(n.Input, known)
	case *plan.TimeWindow:
		p.node(n.Input, known)
	case *plan.Join:
		p.join(n, known)
	default:
		for _, m := range n.Inputs() {
			p.node(m, nil)
		}
	}
}

func (p pruner) subqueries(e plan.Expr) {
	plan.Walk(e, func(x plan.Expr) bool {
		if s, ok := x.(*plan.Subquery); ok {
			p.node(s.Plan, nil)
		}
		return true
	})
}

// join pushes to both sides: a comparison is true only for a value that is
// not NULL, so rows that an outer join fills up are not wanted anyway. The ON
// condition holds for an inner join's rows only.
func (p pruner) join(j *plan.Join, known []conjunct) {
	left, right := known, known
	if j.Cond != nil {
		on := append(slices.Clone(known), conjuncts(j.Cond)...)
		switch j.Kind {
		case plan.InnerJoin, plan.CrossJoin, plan.SemiJoin:
			left, right = on, on
		case plan.LeftJoin, plan.AntiJoin:
			right = on
		case plan.RightJoin:
			left = on
		}
	}
	p.node(j.Left, left)
	p.node(j.Right, right)
}

// throughProject keeps the comparisons whose column is passed on, under the
// input's attribute.
func throughProject(n *plan.Project, known []conjunct) []conjunct {
	var out []conjunct
	for _, k := range known {
		for _, e := range n.Exprs {
			if e.Attr.ID != k.id {
				continue
			}
			if c, ok := e.X.(*plan.Column); ok {
				out = append(out, conjunct{c.Attr.ID, k.op, k.value})
			}
			break
		}
	}
	return out
}

func (p pruner) scan(s *plan.Scan, known []conjunct) {
	preds := p.out[s]
	for _, k := range known {
		for i, a := range s.Attrs {
			if a.ID != k.id || s.Ordinals[i] < 0 {
				continue
			}
			f := s.Source.Columns[s.Ordinals[i]]
			if v, ok := statValue(k.value, f.Type); ok {
				preds = append(preds, delta.Predicate{Column: f.Name, Op: k.op, Value: v})
			}
		}
	}
	p.out[s] = preds
}

var comparisons = map[string][2]delta.Op{ // as written, and with the sides swapped
	"=": {delta.Eq, delta.Eq}, "==": {delta.Eq, delta.Eq},
	"<": {delta.Lt, delta.Gt}, "<=": {delta.LtEq, delta.GtEq},
	">": {delta.Gt, delta.Lt}, ">=": {delta.GtEq, delta.LtEq},
}

// conjuncts are the comparisons that hold whenever e is true.
func conjuncts(e plan.Expr) []conjunct {
	c, ok := e.(*plan.Call)
	if !ok {
		return nil
	}
	if c.Fn == "and" && len(c.Args) == 2 {
		return append(conjuncts(c.Args[0]), conjuncts(c.Args[1])...)
	}
	ops, ok := comparisons[c.Fn]
	if !ok || len(c.Args) != 2 {
		return nil
	}
	if k, ok := compared(c.Args[0], c.Args[1], ops[0]); ok {
		return []conjunct{k}
	}
	if k, ok := compared(c.Args[1], c.Args[0], ops[1]); ok {
		return []conjunct{k}
	}
	return nil
}

func compared(x, y plan.Expr, op delta.Op) (conjunct, bool) {
	col, ok := x.(*plan.Column)
	if !ok {
		return conjunct{}, false
	}
	lit, ok := y.(*plan.Literal)
	if !ok || lit.Value == nil || !types.Equal(lit.Typ, col.Attr.Type) {
		return conjunct{}, false
	}
	return conjunct{col.Attr.ID, op, lit}, true
}

// statValue is a literal as delta.Predicate takes it.
func statValue(l *plan.Literal, t types.Type) (any, bool) {
	switch v := l.Value.(type) {
	case int64:
		switch t {
		case types.Date:
			return time.Unix(v*secondsPerDay, 0).UTC(), true
		case types.Timestamp, types.TimestampNTZ:
			return time.UnixMicro(v).UTC(), true
		}
		return v, types.IsIntegral(t)
	case bool, float64, string:
		return v, true
	case float32:
		return float64(v), true
	case *big.Int:
		if d, ok := t.(types.Decimal); ok {
			return new(big.Rat).SetFrac(v, pow10(d.Scale)).FloatString(d.Scale), true
		}
	}
	return nil, false
}

const secondsPerDay = 86400

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
