package analyze

import "github.com/marisma/marisma/internal/sparksql/plan"

// prune drops the columns of scans that nothing uses, in sub-queries too. A
// scan keeps at least one column, a narrow one.
func prune(root plan.Node) plan.Node {
	used := map[plan.ID]bool{}
	collect(root, used)
	keepOutput(root, used)
	return narrow(root, used, map[*plan.CTE]*plan.CTE{})
}

func keepOutput(n plan.Node, used map[plan.ID]bool) {
	for _, at := range n.Output() {
		used[at.ID] = true
	}
}

// collect notes what expressions use and what counts by position.
func collect(n plan.Node, used map[plan.ID]bool) {
	for _, e := range plan.Exprs(n) {
		collectExpr(e, used)
	}
	switch m := n.(type) {
	case *plan.SetOp:
		keepOutput(m.Left, used)
		keepOutput(m.Right, used)
	case *plan.Distinct:
		keepOutput(m.Input, used)
	case *plan.Watermark:
		used[m.Attr.ID] = true
	case *plan.With:
		for _, c := range m.CTEs {
			keepOutput(c.Plan, used)
		}
	}
	for _, in := range n.Inputs() {
		collect(in, used)
	}
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
			collect(x.Plan, used)
			keepOutput(x.Plan, used)
		}
		return true
	})
}

func narrow(n plan.Node, used map[plan.ID]bool, ctes map[*plan.CTE]*plan.CTE) plan.Node {
	var expr func(e plan.Expr) plan.Expr
	expr = func(e plan.Expr) plan.Expr {
		return plan.Transform(e, func(x plan.Expr) plan.Expr {
			if s, ok := x.(*plan.Subquery); ok {
				c := *s
				c.Plan = narrow(s.Plan, used, ctes)
				return &c
			}
			return x
		})
	}
	if w, ok := n.(*plan.With); ok { // definitions before the references to them
		out := &plan.With{}
		for _, c := range w.CTEs {
			d := &plan.CTE{Name: c.Name, ID: c.ID, Plan: narrow(c.Plan, used, ctes)}
			ctes[c] = d
			out.CTEs = append(out.CTEs, d)
		}
		out.Body = narrow(w.Body, used, ctes)
		return out
	}
	in := func(m plan.Node) plan.Node { return narrow(m, used, ctes) }
	return mapNode(n, in, expr, func(m plan.Node) plan.Node {
		switch m := m.(type) {
		case *plan.Scan:
			return narrowScan(m, used)
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

func narrowScan(s *plan.Scan, used map[plan.ID]bool) plan.Node {
	c := *s
	c.Attrs, c.Ordinals = nil, nil
	for i, at := range s.Attrs {
		if used[at.ID] {
			c.Attrs, c.Ordinals = append(c.Attrs, at), append(c.Ordinals, s.Ordinals[i])
		}
	}
	if len(c.Attrs) == 0 && len(s.Attrs) > 0 {
		best := 0
		for i, at := range s.Attrs {
			if width(at) < width(s.Attrs[best]) {
				best = i
			}
		}
		c.Attrs, c.Ordinals = s.Attrs[best:best+1], s.Ordinals[best:best+1]
	}
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
