package query

import (
	"slices"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// conjunct is a comparison of an attribute with a constant that every row of
// interest fulfils. None holds for NULL.
type conjunct struct {
	id     plan.ID
	op     delta.Op
	values []*plan.Literal // one; more where op is delta.In; none for delta.IsNotNull
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
				out = append(out, conjunct{c.Attr.ID, k.op, k.values})
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
			if pred, ok := k.predicate(s.Source.Columns[s.Ordinals[i]]); ok {
				preds = append(preds, pred)
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

// predicate is the comparison for a table's column.
func (k conjunct) predicate(f types.Field) (delta.Predicate, bool) {
	p := delta.Predicate{Column: f.Name, Op: k.op}
	var list []any
	for _, l := range k.values {
		v, ok := statValue(l, f.Type)
		if !ok {
			return p, false
		}
		list = append(list, v)
	}
	switch {
	case k.op == delta.In:
		p.Value = list
	case len(list) == 1:
		p.Value = list[0]
	}
	return p, true
}

// maxListed bounds the values of an IN that files are compared with.
const maxListed = 1000

// conjuncts are the comparisons that hold whenever e is true.
func conjuncts(e plan.Expr) []conjunct {
	c, ok := e.(*plan.Call)
	if !ok {
		return nil
	}
	switch {
	case (c.Fn == "and" || c.Fn == "between") && len(c.Args) == 2:
		return append(conjuncts(c.Args[0]), conjuncts(c.Args[1])...)
	case c.Fn == "isnotnull" && len(c.Args) == 1:
		if col, ok := bareColumn(c.Args[0]); ok {
			return []conjunct{{col.Attr.ID, delta.IsNotNull, nil}}
		}
	case c.Fn == "in" && len(c.Args) > 1 && len(c.Args) <= maxListed:
		return oneOf(c)
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
	col, ok := bareColumn(x)
	if !ok {
		return conjunct{}, false
	}
	lit := known(y)
	if lit == nil || !types.Equal(lit.Typ, x.Type()) {
		return conjunct{}, false
	}
	return conjunct{col.Attr.ID, op, []*plan.Literal{lit}}, true
}

// oneOf is an IN of constants; a NULL among them makes no row fit.
func oneOf(c *plan.Call) []conjunct {
	col, ok := bareColumn(c.Args[0])
	if !ok {
		return nil
	}
	k := conjunct{id: col.Attr.ID, op: delta.In}
	for _, a := range c.Args[1:] {
		if l, ok := a.(*plan.Literal); ok && l.Value == nil {
			continue
		}
		l := known(a)
		if l == nil || !types.Equal(l.Typ, c.Args[0].Type()) {
			return nil
		}
		k.values = append(k.values, l)
	}
	if len(k.values) == 0 {
		return nil
	}
	return []conjunct{k}
}
