package pipeline

import (
	"fmt"

	"github.com/marisma/marisma/internal/duck/kernel"
	"github.com/marisma/marisma/internal/pipeline/source"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// valueColumn is the log's column that holds the messages' bodies.
const valueColumn = "value"

// fuse has the log's reader do from_json(CAST(value AS STRING), ...): the call
// becomes a column of the scan, so that bodies are parsed where they are read
// and never copied into DuckDB. The parser is the kernel's own. Calls that can
// raise (FAILFAST) stay, and those whose value comes through more than filters
// and projections. n is changed in place; what was fused before stays so.
func fuse(n plan.Node, zone string) {
	plan.VisitNodes(n, func(m plan.Node) {
		p, ok := m.(*plan.Project)
		if !ok {
			return
		}
		if between, s := logBelow(p.Input); s != nil {
			(&fuser{scan: s, between: between, zone: zone, made: map[string]plan.Attr{}}).project(p)
		}
	})
}

// logBelow finds the log's scan under filters and projections, and these
// projections.
func logBelow(n plan.Node) (between []*plan.Project, s *plan.Scan) {
	for {
		switch m := n.(type) {
		case *plan.Filter:
			n = m.Input
		case *plan.Project:
			between = append(between, m)
			n = m.Input
		case *plan.Scan:
			if _, ok := m.Source.Handle.(*logHandle); ok && m.Streaming {
				return between, m
			}
			return nil, nil
		default:
			return nil, nil
		}
	}
}

// fuser fuses the calls of one projection.
type fuser struct {
	scan    *plan.Scan
	between []*plan.Project // pass the new columns on
	zone    string
	made    map[string]plan.Attr // by the parameters
}

func (f *fuser) project(p *plan.Project) {
	value, ok := f.value()
	if !ok {
		return
	}
	for i := range p.Exprs {
		p.Exprs[i].X = plan.Transform(p.Exprs[i].X, func(x plan.Expr) plan.Expr {
			c, ok := x.(*plan.Call)
			if !ok || c.Fn != "from_json" || len(c.Args) == 0 || !castOf(c.Args[0], value) {
				return x
			}
			if a, ok := f.column(c); ok {
				return &plan.Column{Attr: a}
			}
			return x
		})
	}
}

// value is the attribute of the messages' bodies.
func (f *fuser) value() (plan.ID, bool) {
	for i, o := range f.scan.Ordinals {
		if f.scan.Source.Columns[o].Name == valueColumn {
			return f.scan.Attrs[i].ID, true
		}
	}
	return 0, false
}

// castOf tells CAST(value AS STRING).
func castOf(x plan.Expr, value plan.ID) bool {
	c, ok := x.(*plan.Cast)
	if !ok || c.To != types.String {
		return false
	}
	col, ok := c.X.(*plan.Column)
	return ok && col.Attr.ID == value
}

// column is the scan's column that stands for a call.
func (f *fuser) column(c *plan.Call) (plan.Attr, bool) {
	spec, ok := c.Const.(funcs.JSONSpec)
	if !ok || spec.Mode() == "FAILFAST" {
		return plan.Attr{}, false
	}
	zone := f.zone
	if zone == "" {
		zone = "UTC"
	}
	params, err := lower.JSONParams(spec, zone)
	if err != nil {
		return plan.Attr{}, false
	}
	if a, ok := f.made[string(params)]; ok {
		return a, true
	}
	ret, err := lower.DuckType(c.Typ)
	if err != nil {
		return plan.Attr{}, false // lowering says why
	}
	t, err := kernel.JSONType(params, ret)
	if err != nil {
		return plan.Attr{}, false // the kernel says why
	}
	a := f.add(c.Typ, source.JSONColumn{Type: t, Params: params})
	f.made[string(params)] = a
	return a, true
}

// add puts a column into the scan and all that passes it on.
func (f *fuser) add(t types.Type, col source.JSONColumn) plan.Attr {
	s := f.scan
	src := *s.Source // may be shared
	h, _ := src.Handle.(*logHandle)
	col.Name = fmt.Sprintf("value as json %d", len(h.json)+1)
	src.Handle = &logHandle{opt: h.opt, json: append(h.json[:len(h.json):len(h.json)], col)}
	a := plan.Attr{ID: plan.NewID(), Name: col.Name, Type: t, Nullable: true}
	s.Attrs = append(s.Attrs[:len(s.Attrs):len(s.Attrs)], a)
	s.Ordinals = append(s.Ordinals[:len(s.Ordinals):len(s.Ordinals)], len(src.Columns))
	src.Columns = append(src.Columns[:len(src.Columns):len(src.Columns)], types.Field{Name: col.Name, Type: t, Nullable: true})
	s.Source = &src
	for _, p := range f.between {
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: a}, Attr: a})
	}
	return a
}
