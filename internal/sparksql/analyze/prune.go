package analyze

import (
	"slices"

	"github.com/marisma/marisma/internal/sparksql/plan"
)

// prune drops what nothing above uses: columns of scans, expressions of
// projections, aggregates and window functions, in sub-queries too. A
// projection keeps at least one column, and so does a scan but of a table, whose
// rows can be counted without.
func prune(root plan.Node) plan.Node {
	used := map[plan.ID]bool{}
	keepOutput(root, used)
	collect(root, used)
	return narrow(root, &needs{used, metadataUse(root)}, map[*plan.CTE]*plan.CTE{})
}

// needs are the attributes that a plan uses, and what of the scans' metadata.
type needs struct {
	used     map[plan.ID]bool
	metadata usedMetadata
}

func keepOutput(n plan.Node, used map[plan.ID]bool) {
	for _, at := range n.Output() {
		used[at.ID] = true
	}
}

// collect notes from the top what each node needs of those below it.
func collect(n plan.Node, used map[plan.ID]bool) {
	switch m := n.(type) {
	case *plan.Project:
		for _, e := range kept(m.Exprs, used, 1) {
			collectExpr(e.X, used)
		}
	case *plan.Window:
		for _, e := range kept(m.Exprs, used, 0) {
			collectExpr(e.X, used)
		}
	case *plan.Aggregate:
		for _, e := range m.Keys {
			used[e.Attr.ID] = true
			collectExpr(e.X, used)
		}
		for _, e := range kept(m.Aggs, used, 0) {
			collectExpr(e.X, used)
		}
	default:
		for _, e := range plan.Exprs(n) {
			collectExpr(e, used)
		}
	}
	switch m := n.(type) {
	case *plan.SetOp:
		keepOutput(m.Left, used)
		keepOutput(m.Right, used)
	case *plan.Recursion:
		keepOutput(m.Anchor, used)
		keepOutput(m.Step, used)
	case *plan.Distinct:
		keepOutput(m.Input, used)
	case *plan.Watermark:
		used[m.Attr.ID] = true
	case *plan.With: // the body says what it needs before the definitions are read
		collect(m.Body, used)
		for _, c := range slices.Backward(m.CTEs) {
			keepOutput(c.Plan, used)
			collect(c.Plan, used)
		}
		return
	case *plan.Join: // a lateral right side refers to the left one
		collect(m.Right, used)
		collect(m.Left, used)
		return
	}
	for _, in := range n.Inputs() {
		collect(in, used)
	}
}

// kept are the expressions that something uses, at least so many of them.
func kept(es []plan.NamedExpr, used map[plan.ID]bool, least int) []plan.NamedExpr {
	var out []plan.NamedExpr
	for _, e := range es {
		if used[e.Attr.ID] {
			out = append(out, e)
		}
	}
	for _, e := range es[:min(least, len(es))] {
		if len(out) < least {
			used[e.Attr.ID] = true
			out = append(out, e)
		}
	}
	return out
}

func collectExpr(e plan.Expr, used map[plan.ID]bool) {
	plan.Walk(e, func(x plan.Expr) bool {
		switch x := x.(type) {
		case *plan.Column:
			used[x.Attr.ID] = true
		case *plan.Outer:
			used[x.Attr.ID] = true
		case *plan.WindowExpr:
			for _, b := range []plan.Bound{x.Frame.Start, x.Frame.End} {
				if b.X != nil {
					collectExpr(b.X, used)
				}
			}
		case *plan.Subquery:
			keepOutput(x.Plan, used)
			collect(x.Plan, used)
		}
		return true
	})
}

func narrow(n plan.Node, need *needs, ctes map[*plan.CTE]*plan.CTE) plan.Node {
	expr := func(e plan.Expr) plan.Expr {
		return plan.Transform(e, func(x plan.Expr) plan.Expr {
			if s, ok := x.(*plan.Subquery); ok {
				c := *s
				c.Plan = narrow(s.Plan, need, ctes)
				return &c
			}
			return x
		})
	}
	switch m := n.(type) {
	case *plan.With: // definitions before the references to them
		out := &plan.With{}
		for _, c := range m.CTEs {
			d := &plan.CTE{Name: c.Name, ID: c.ID}
			ctes[c] = d // before its plan, which may refer to it
			d.Plan = narrow(c.Plan, need, ctes)
			out.CTEs = append(out.CTEs, d)
		}
		out.Body = narrow(m.Body, need, ctes)
		return out
	case *plan.Project:
		n = &plan.Project{Input: m.Input, Exprs: kept(m.Exprs, need.used, 1)}
	case *plan.Aggregate:
		n = &plan.Aggregate{Input: m.Input, Keys: m.Keys, Sets: m.Sets, Aggs: kept(m.Aggs, need.used, 0)}
	case *plan.Window:
		es := kept(m.Exprs, need.used, 0)
		if len(es) == 0 {
			return narrow(m.Input, need, ctes)
		}
		n = &plan.Window{Input: m.Input, Exprs: es}
	}
	in := func(m plan.Node) plan.Node { return narrow(m, need, ctes) }
	return mapNode(n, in, expr, func(m plan.Node) plan.Node {
		switch m := m.(type) {
		case *plan.Scan:
			return narrowScan(m, need)
		case *plan.Join:
			c := *m
			c.Attrs = present(m.Attrs, m.Left, m.Right)
			return &c
		case *plan.Watermark:
			c := *m
			c.Attrs = present(m.Attrs, m.Input)
			return &c
		case *plan.CTERef:
			if d := ctes[m.CTE]; d != nil {
				c := *m
				c.CTE = d
				return &c
			}
		}
		return m
	})
}

// present are the attributes that the inputs still have.
func present(attrs []plan.Attr, inputs ...plan.Node) []plan.Attr {
	have := map[plan.ID]bool{}
	for _, in := range inputs {
		keepOutput(in, have)
	}
	var out []plan.Attr
	for _, at := range attrs {
		if have[at.ID] {
			out = append(out, at)
		}
	}
	return out
}

func narrowScan(s *plan.Scan, need *needs) plan.Node {
	c := *s
	c.Attrs, c.Ordinals = nil, nil
	for i, at := range s.Attrs {
		if need.used[at.ID] {
			c.Attrs, c.Ordinals = append(c.Attrs, at), append(c.Ordinals, s.Ordinals[i])
		}
	}
	if len(c.Attrs) == 0 && len(s.Attrs) > 0 && s.Source.Kind != plan.SourceTable {
		best := 0
		for i, at := range s.Attrs {
			if width(at) < width(s.Attrs[best]) {
				best = i
			}
		}
		c.Attrs, c.Ordinals = s.Attrs[best:best+1], s.Ordinals[best:best+1]
	}
	need.metadata.narrowed(&c)
	return &c
}

// width ranks columns by how much reading one costs.
func width(at plan.Attr) int {
	switch at.Type.String() {
	case "boolean", "tinyint":
		return 0
	case "smallint", "int", "date", "float":
		return 1
	case "bigint", "timestamp", "timestamp_ntz", "double":
		return 2
	case "string", "binary":
		return 4
	}
	return 8
}
