package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Note adds a line's end to the operator of a scan, "" for none.
type Note func(*plan.Scan) string

// Tree prints a plan. note may be nil.
func Tree(n plan.Node, note Note) string {
	p := &printer{ids: map[plan.ID]int{}, note: note}
	p.node(n, "", "")
	return p.b.String()
}

type printer struct {
	b    strings.Builder
	ids  map[plan.ID]int
	note Note
}

// node prints n behind lead, what follows it behind rest.
func (p *printer) node(n plan.Node, lead, rest string) {
	p.b.WriteString(lead + p.operator(n) + "\n")
	type child struct {
		label string
		node  plan.Node
	}
	var below []child
	for i, q := range subqueries(n) {
		below = append(below, child{fmt.Sprintf("Subquery %s [id=%d]", subqueryWord(q.Kind), i+1), q.Plan})
	}
	for _, in := range n.Inputs() {
		below = append(below, child{"", in})
	}
	for i, c := range below {
		l, r := rest+":- ", rest+":  "
		if i == len(below)-1 {
			l, r = rest+"+- ", rest+"   "
		}
		if c.label != "" {
			p.b.WriteString(l + c.label + "\n")
			l, r = r+"+- ", r+"   "
		}
		p.node(c.node, l, r)
	}
}

func subqueries(n plan.Node) []*plan.Subquery {
	var out []*plan.Subquery
	for _, e := range plan.Exprs(n) {
		plan.Walk(e, func(x plan.Expr) bool {
			if s, ok := x.(*plan.Subquery); ok && !slices.Contains(out, s) {
				out = append(out, s)
			}
			return true
		})
	}
	return out
}

func subqueryWord(k plan.SubqueryKind) string {
	switch k {
	case plan.ExistsSubquery:
		return "exists"
	case plan.InSubquery:
		return "in"
	}
	return "scalar"
}

// operator prints a node's own line.
func (p *printer) operator(n plan.Node) string {
	switch n := n.(type) {
	case *plan.Scan:
		return p.scan(n)
	case *plan.Values:
		if len(n.Attrs) == 0 {
			return "OneRowRelation"
		}
		return fmt.Sprintf("LocalRelation %s, %d rows", p.attrs(n.Attrs), len(n.Rows))
	case *plan.Project:
		return "Project " + p.named(n.Exprs)
	case *plan.Filter:
		return "Filter " + p.expr(n.Cond)
	case *plan.Join:
		return p.join(n)
	case *plan.Aggregate:
		s := fmt.Sprintf("Aggregate keys=%s, functions=%s", p.named(n.Keys), p.named(n.Aggs))
		if n.Sets != nil {
			s += fmt.Sprintf(", sets=%v", n.Sets)
		}
		return s
	case *plan.Window:
		return "Window " + p.named(n.Exprs)
	case *plan.Generate:
		return fmt.Sprintf("Generate %s, outer=%t, %s", p.expr(n.Gen), n.Outer, p.attrs(n.Attrs))
	case *plan.TimeWindow:
		return p.timeWindow(n)
	case *plan.Sort:
		return "Sort [" + p.keys(n.Keys) + "], true"
	case *plan.Limit:
		return p.limit(n)
	case *plan.SetOp:
		word := [...]string{"Union", "Intersect", "Except"}[n.Kind]
		return fmt.Sprintf("%s all=%t %s", word, n.All, p.attrs(n.Attrs))
	case *plan.Distinct:
		return "Distinct"
	case *plan.Watermark:
		return fmt.Sprintf("EventTimeWatermark %s, %s", p.attr(n.Attr), microseconds(n.Delay))
	case *plan.With:
		names := make([]string, len(n.CTEs))
		for i, c := range n.CTEs {
			names[i] = c.Name
		}
		return "WithCTE [" + strings.Join(names, ", ") + "]"
	case *plan.Recursion:
		return fmt.Sprintf("UnionLoop %s, at most %d rounds", p.attrs(n.Attrs), n.MaxLevel)
	case *plan.CTERef:
		return fmt.Sprintf("CTERelationRef %s %s", n.CTE.Name, p.attrs(n.Attrs))
	}
	// A node that has no line here yet still shows by its name.
	return strings.TrimPrefix(fmt.Sprintf("%T", n), "*plan.") + " " + p.attrs(n.Output())
}

func (p *printer) scan(n *plan.Scan) string {
	word := "Relation"
	if n.Streaming {
		word = "StreamingRelation"
	}
	s := fmt.Sprintf("%s %s%s", word, strings.Join(n.Source.Name, "."), p.attrs(n.Attrs))
	switch n.Source.Kind {
	case plan.SourceTable:
		s += " delta"
	case plan.SourceKafka:
		s += " kafka " + n.Source.Options["subscribe"]
	case plan.SourceFiles:
		s += " files"
	case plan.SourceBatch:
		s += " batch"
	}
	if n.Source.Version != nil {
		s += fmt.Sprintf(" version %d", *n.Source.Version)
	}
	if p.note != nil {
		if more := p.note(n); more != "" {
			s += " " + more
		}
	}
	return s
}

func (p *printer) join(n *plan.Join) string {
	word := [...]string{"Inner", "LeftOuter", "RightOuter", "FullOuter", "LeftSemi", "LeftAnti", "Cross"}[n.Kind]
	name := "Join "
	if n.Lateral {
		name = "LateralJoin "
	}
	if n.Cond == nil {
		return name + word
	}
	return name + word + ", " + p.expr(n.Cond)
}

func (p *printer) timeWindow(n *plan.TimeWindow) string {
	if n.End != nil {
		return fmt.Sprintf("SessionWindow %s, end %s, %s", p.expr(n.Time), p.expr(n.End), p.attr(n.Window))
	}
	if n.Session {
		return fmt.Sprintf("SessionWindow %s, gap %s, %s", p.expr(n.Time), microseconds(n.Width), p.attr(n.Window))
	}
	return fmt.Sprintf("TimeWindow %s, %s every %s, %s", p.expr(n.Time), microseconds(n.Width), microseconds(n.Slide), p.attr(n.Window))
}

func (p *printer) limit(n *plan.Limit) string {
	var out []string
	if n.N != nil {
		out = append(out, "Limit "+p.expr(n.N))
	}
	if n.Offset != nil {
		out = append(out, "Offset "+p.expr(n.Offset))
	}
	return strings.Join(out, ", ")
}

func microseconds(n int64) string { return strconv.FormatFloat(float64(n)/1e6, 'f', -1, 64) + "s" }

func (p *printer) keys(keys []plan.SortKey) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		dir, nulls := "ASC", "LAST"
		if k.Desc {
			dir = "DESC"
		}
		if k.NullsFirst {
			nulls = "FIRST"
		}
		out[i] = fmt.Sprintf("%s %s NULLS %s", p.expr(k.X), dir, nulls)
	}
	return strings.Join(out, ", ")
}

// id numbers an attribute.
func (p *printer) id(id plan.ID) int {
	n, ok := p.ids[id]
	if !ok {
		n = len(p.ids) + 1
		p.ids[id] = n
	}
	return n
}

func (p *printer) attr(a plan.Attr) string { return fmt.Sprintf("%s#%d", a.Name, p.id(a.ID)) }

func (p *printer) attrs(as []plan.Attr) string {
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = p.attr(a)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func (p *printer) named(es []plan.NamedExpr) string {
	out := make([]string, len(es))
	for i, e := range es {
		if c, ok := e.X.(*plan.Column); ok && c.Attr.ID == e.Attr.ID {
			out[i] = p.attr(e.Attr)
			continue
		}
		x := p.expr(e.X)
		out[i] = x + " AS " + p.attr(e.Attr)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// expr prints an expression in Spark's words, with numbered columns and the
// casts that analysis has put in.
func (p *printer) expr(e plan.Expr) string {
	return funcs.SQLName(plan.Transform(e, func(x plan.Expr) plan.Expr {
		switch x := x.(type) {
		case *plan.Column:
			return &plan.Column{Attr: p.shown(x.Attr)}
		case *plan.Outer:
			return &plan.Outer{Attr: p.shown(x.Attr)}
		case *plan.Cast:
			c := *x
			c.Implicit = false
			return &c
		}
		return x
	}))
}

func (p *printer) shown(a plan.Attr) plan.Attr {
	a.Name = p.attr(a)
	return a
}

// Schema prints output columns with their types, as the head of an analysed
// plan.
func Schema(n plan.Node) string {
	var out []string
	for _, a := range n.Output() {
		out = append(out, a.Name+": "+a.Type.String())
	}
	return strings.Join(out, ", ")
}
