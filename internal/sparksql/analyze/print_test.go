package analyze_test

import (
	"fmt"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// printer prints plans for the tests: attributes are numbered in the order in
// which they appear.
type printer struct {
	b   strings.Builder
	ids map[plan.ID]int
}

func printPlan(n plan.Node) string {
	p := &printer{ids: map[plan.ID]int{}}
	p.node(n, 0)
	return p.b.String()
}

func (p *printer) id(id plan.ID) int {
	if _, ok := p.ids[id]; !ok {
		p.ids[id] = len(p.ids) + 1
	}
	return p.ids[id]
}

func (p *printer) attr(a plan.Attr) string {
	null := ""
	if !a.Nullable {
		null = " not null"
	}
	if a.EventTime != nil {
		null += fmt.Sprintf(" event time -%d", *a.EventTime)
	}
	return fmt.Sprintf("%s#%d %s%s", a.Name, p.id(a.ID), a.Type, null)
}

func (p *printer) attrs(as []plan.Attr) string {
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = p.attr(a)
	}
	return strings.Join(out, ", ")
}

func (p *printer) line(depth int, format string, args ...any) {
	p.b.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(&p.b, format+"\n", args...)
}

func (p *printer) named(es []plan.NamedExpr) string {
	out := make([]string, len(es))
	for i, e := range es {
		if c, ok := e.X.(*plan.Column); ok && c.Attr.ID == e.Attr.ID {
			out[i] = p.attr(e.Attr)
			continue
		}
		out[i] = p.expr(e.X) + " -> " + p.attr(e.Attr)
	}
	return strings.Join(out, ", ")
}

func (p *printer) node(n plan.Node, d int) {
	switch n := n.(type) {
	case *plan.Scan:
		kind := "scan"
		if n.Streaming {
			kind = "stream"
		}
		p.line(d, "%s %s [%s]", kind, strings.Join(n.Source.Name, "."), p.attrs(n.Attrs))
	case *plan.Values:
		p.line(d, "values %d rows [%s]", len(n.Rows), p.attrs(n.Attrs))
	case *plan.Project:
		p.line(d, "project %s", p.named(n.Exprs))
	case *plan.Filter:
		p.line(d, "filter %s", p.expr(n.Cond))
	case *plan.Join:
		kind := [...]string{"inner", "left", "right", "full", "semi", "anti", "cross"}[n.Kind]
		cond := ""
		if n.Lateral {
			kind += " lateral"
		}
		if n.Cond != nil {
			cond = " on " + p.expr(n.Cond)
		}
		p.line(d, "join %s%s [%s]", kind, cond, p.attrs(n.Attrs))
	case *plan.Aggregate:
		sets := ""
		if n.Sets != nil {
			sets = fmt.Sprintf(" sets %v", n.Sets)
		}
		p.line(d, "aggregate keys [%s]%s aggs [%s]", p.named(n.Keys), sets, p.named(n.Aggs))
	case *plan.Window:
		p.line(d, "window %s", p.named(n.Exprs))
	case *plan.Generate:
		p.line(d, "generate %s outer=%v [%s]", p.expr(n.Gen), n.Outer, p.attrs(n.Attrs))
	case *plan.TimeWindow:
		p.line(d, "time window %s width %d slide %d start %d [%s]", p.expr(n.Time), n.Width, n.Slide, n.Start, p.attr(n.Window))
	case *plan.Sort:
		p.line(d, "sort %s", p.keys(n.Keys))
	case *plan.Limit:
		s := "limit"
		if n.N != nil {
			s += " " + p.expr(n.N)
		}
		if n.Offset != nil {
			s += " offset " + p.expr(n.Offset)
		}
		p.line(d, "%s", s)
	case *plan.SetOp:
		p.line(d, "%s all=%v [%s]", [...]string{"union", "intersect", "except"}[n.Kind], n.All, p.attrs(n.Attrs))
	case *plan.Distinct:
		p.line(d, "distinct")
	case *plan.Watermark:
		p.line(d, "watermark %s delay %d", p.attr(n.Attr), n.Delay)
	case *plan.With:
		p.line(d, "with")
		for _, c := range n.CTEs {
			p.line(d+1, "cte %s", c.Name)
			p.node(c.Plan, d+2)
		}
		p.node(n.Body, d+1)
		return
	case *plan.CTERef:
		p.line(d, "cte ref %s [%s]", n.CTE.Name, p.attrs(n.Attrs))
	default:
		p.line(d, "%T", n)
	}
	for _, in := range n.Inputs() {
		p.node(in, d+1)
	}
}

func (p *printer) keys(ks []plan.SortKey) string {
	out := make([]string, len(ks))
	for i, k := range ks {
		out[i] = p.expr(k.X)
		if k.Desc {
			out[i] += " desc"
		}
		if k.NullsFirst == k.Desc {
			out[i] += fmt.Sprintf(" nulls first=%v", k.NullsFirst)
		}
	}
	return strings.Join(out, ", ")
}

func (p *printer) expr(e plan.Expr) string {
	switch e := e.(type) {
	case *plan.Column:
		return fmt.Sprintf("%s#%d", e.Attr.Name, p.id(e.Attr.ID))
	case *plan.Outer:
		return fmt.Sprintf("outer(%s#%d)", e.Attr.Name, p.id(e.Attr.ID))
	case *plan.Literal:
		if s, ok := e.Value.(string); ok {
			return fmt.Sprintf("%q", s)
		}
		return funcs.SQLName(e) + ":" + e.Typ.String()
	case *plan.Cast:
		verb := [...]string{"cast", "try_cast", "legacy_cast"}[e.Mode]
		if e.Implicit {
			verb = "implicit_" + verb
		}
		return fmt.Sprintf("%s(%s as %s)", verb, p.expr(e.X), e.To)
	case *plan.Call:
		return e.Fn + "(" + p.exprs(e.Args) + ")"
	case *plan.AggCall:
		s := e.Fn + "(" + p.exprs(e.Args) + ")"
		if e.Distinct {
			s += " distinct"
		}
		if e.Filter != nil {
			s += " filter " + p.expr(e.Filter)
		}
		return s
	case *plan.Field:
		return p.expr(e.X) + "." + e.Name
	case *plan.Case:
		return "case(" + p.exprs(e.Children()) + ")"
	case *plan.Lambda:
		var ps []string
		for _, v := range e.Params {
			ps = append(ps, v.Name)
		}
		return "(" + strings.Join(ps, ", ") + ") -> " + p.expr(e.Body)
	case *plan.LambdaVar:
		return e.Name
	case *plan.WindowExpr:
		return fmt.Sprintf("%s over (partition %s order %s)", p.expr(e.Fn), p.exprs(e.Partition), p.keys(e.Order))
	case *plan.Subquery:
		q := &printer{ids: p.ids}
		q.node(e.Plan, 0)
		text := strings.ReplaceAll(strings.TrimSpace(q.b.String()), "\n", "; ")
		return [...]string{"scalar", "exists", "in"}[e.Kind] + "(" + p.exprs(e.Left) + " {" + text + "})"
	}
	return fmt.Sprintf("%T", e)
}

func (p *printer) exprs(es []plan.Expr) string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = p.expr(e)
	}
	return strings.Join(out, ", ")
}
