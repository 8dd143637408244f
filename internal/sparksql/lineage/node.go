package lineage

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// def is what an attribute stands for: a column of a source, or expressions
// over other attributes, all of them with a kind.
type def struct {
	source Source
	field  string

	parts []part
}

// part is an expression that an attribute takes its value from; path leads
// into it, and opaque stops the paths of who asks for a field of the
// attribute.
type part struct {
	x      plan.Expr
	path   []string
	kind   Kind
	opaque bool
}

// walker collects the definitions of a plan's attributes from the bottom.
type walker struct {
	defs map[plan.ID]def
	// known are the inputs of attributes that were asked for as a whole.
	known map[plan.ID]set
	// open are the attributes under way: a recursive query refers to itself.
	open map[plan.ID]bool
	// cycles counts how often an attribute led back to itself; partial are the
	// inputs of such attributes as far as they are found.
	cycles  int
	partial map[plan.ID]set
	// vars are the collections that lambda variables run over.
	vars map[plan.ID]part
}

func newWalker() *walker {
	return &walker{defs: map[plan.ID]def{}, known: map[plan.ID]set{}, open: map[plan.ID]bool{}, vars: map[plan.ID]part{}, partial: map[plan.ID]set{}}
}

func (w *walker) define(id plan.ID, parts ...part) {
	if len(parts) == 1 {
		if c, ok := parts[0].x.(*plan.Column); ok && c.Attr.ID == id {
			return // passed on
		}
	}
	w.defs[id] = def{parts: parts}
}

func (w *walker) named(es []plan.NamedExpr) {
	for _, e := range es {
		w.define(e.Attr.ID, part{x: e.X, kind: direct(Identity)})
	}
}

func column(a plan.Attr) plan.Expr { return &plan.Column{Attr: a} }

// node defines the attributes of n, not those below it.
func (w *walker) node(n plan.Node) {
	switch n := n.(type) {
	case *plan.Scan:
		src := sourceOf(n.Source)
		for i, a := range n.Attrs {
			if at := n.Ordinals[i]; at >= 0 { // where a row lies is no column
				w.defs[a.ID] = def{source: src, field: n.Source.Columns[at].Name}
			}
		}
	case *plan.Values:
		w.values(n)
	case *plan.Project:
		w.named(n.Exprs)
	case *plan.Aggregate:
		w.named(n.Keys)
		w.named(n.Aggs)
	case *plan.Window:
		w.named(n.Exprs)
	case *plan.Generate:
		w.generate(n)
	case *plan.TimeWindow:
		parts := []part{{x: n.Time, kind: direct(Transformation), opaque: true}}
		if n.End != nil {
			parts = append(parts, part{x: n.End, kind: direct(Transformation), opaque: true})
		}
		for _, p := range n.Partition {
			parts = append(parts, part{x: p, kind: indirect(Window), opaque: true})
		}
		w.define(n.Window.ID, parts...)
	case *plan.SetOp:
		if n.Kind == plan.Union {
			w.merge(n.Attrs, n.Left.Output(), n.Right.Output())
		} else { // the right side only says which rows of the left one stay
			w.merge(n.Attrs, n.Left.Output())
		}
	case *plan.Recursion:
		w.merge(n.Attrs, n.Anchor.Output(), n.Step.Output())
	case *plan.CTERef:
		if n.CTE.Plan != nil {
			w.merge(n.Attrs, n.CTE.Plan.Output())
		}
	}
}

// rows adds what decides about the rows of n; everything is defined.
func (w *walker) rows(n plan.Node, out *set) {
	for _, in := range n.Inputs() {
		w.rows(in, out)
	}
	switch n := n.(type) {
	case *plan.Filter:
		w.expr(n.Cond, nil, indirect(Filter), out)
	case *plan.Join:
		if n.Cond != nil {
			w.expr(n.Cond, nil, indirect(Join), out)
		}
	case *plan.Aggregate:
		for _, k := range n.Keys {
			w.expr(k.X, nil, indirect(GroupBy), out)
		}
	case *plan.Sort:
		for _, k := range n.Keys {
			w.expr(k.X, nil, indirect(Sort), out)
		}
	case *plan.Distinct:
		w.attrs(n.Input.Output(), indirect(GroupBy), out)
	case *plan.SetOp:
		if n.Kind != plan.Union {
			w.attrs(n.Right.Output(), indirect(Filter), out)
		}
		if !n.All {
			w.attrs(n.Attrs, indirect(GroupBy), out)
		}
	}
}

func (w *walker) attrs(attrs []plan.Attr, kind Kind, out *set) {
	for _, a := range attrs {
		w.attr(a.ID, nil, kind, out)
	}
}

func (w *walker) values(n *plan.Values) {
	for i, a := range n.Attrs {
		var parts []part
		for _, r := range n.Rows {
			parts = append(parts, part{x: r[i], kind: direct(Identity)})
		}
		w.define(a.ID, parts...)
	}
}

// merge defines attributes by position from several inputs.
func (w *walker) merge(out []plan.Attr, inputs ...[]plan.Attr) {
	for i, a := range out {
		var parts []part
		for _, in := range inputs {
			if i < len(in) && in[i].ID != a.ID {
				parts = append(parts, part{x: column(in[i]), kind: direct(Identity)})
			}
		}
		if len(parts) > 0 {
			w.defs[a.ID] = def{parts: parts}
		}
	}
}

// generate defines the columns of a generator.
func (w *walker) generate(n *plan.Generate) {
	args := n.Gen.Args
	for i, a := range n.Attrs {
		p := part{kind: direct(Transformation)}
		switch strings.TrimSuffix(n.Gen.Fn, "_outer") {
		case "explode", "posexplode":
			p.x = args[0]
			p.opaque = i == 0 && len(n.Attrs) > 1 // an ordinal or a key
		case "inline":
			p.x = args[0]
			if arr, ok := args[0].Type().(types.Array); ok {
				if st, ok := arr.Elem.(types.Struct); ok && i < len(st.Fields) {
					p.path = []string{st.Fields[i].Name}
				}
			}
		case "json_tuple":
			p.x = args[0]
			if k, ok := text(args, i+1); ok {
				p.path = []string{k}
			}
		case "stack":
			w.stack(a.ID, i, len(n.Attrs), args)
			continue
		case "variant_explode":
			p.x = args[0]
		default:
			var parts []part
			for _, x := range args {
				parts = append(parts, part{x: x, kind: p.kind, opaque: true})
			}
			w.define(a.ID, parts...)
			continue
		}
		w.define(a.ID, p)
	}
}

// stack(n, a, b, c, d) has column 0 from a and c, column 1 from b and d.
func (w *walker) stack(id plan.ID, i, width int, args []plan.Expr) {
	var parts []part
	for j := 1 + i; j < len(args); j += width {
		parts = append(parts, part{x: args[j], kind: direct(Identity)})
	}
	w.define(id, parts...)
}

// text is argument i where it is a constant string.
func text(args []plan.Expr, i int) (string, bool) {
	if i >= len(args) {
		return "", false
	}
	x := args[i]
	if c, ok := x.(*plan.Cast); ok {
		x = c.X
	}
	l, ok := x.(*plan.Literal)
	if !ok {
		return "", false
	}
	s, ok := l.Value.(string)
	return s, ok
}

// attr adds the inputs of an attribute, or of the field of it that path names.
func (w *walker) attr(id plan.ID, path []string, kind Kind, out *set) {
	d, ok := w.defs[id]
	if !ok {
		return
	}
	if w.open[id] {
		w.cycles++
		for in := range w.partial[id] {
			in.Kind = kind.over(in.Kind)
			out.add(in)
		}
		return
	}
	if d.parts == nil && d.field != "" {
		field := d.field
		if len(path) > 0 {
			field += "." + strings.Join(path, ".")
		}
		out.add(Input{Source: d.source, Field: field, Kind: kind.over(direct(Identity))})
		return
	}
	w.open[id] = true
	defer delete(w.open, id)
	if len(path) > 0 {
		w.parts(d.parts, path, kind, out)
		return
	}
	for in := range w.whole(id, d) {
		in.Kind = kind.over(in.Kind)
		out.add(in)
	}
}

// whole are the inputs of an attribute without a path, remembered but for
// those within a recursion. A recursion is gone through until it finds no more.
func (w *walker) whole(id plan.ID, d def) set {
	if known, ok := w.known[id]; ok {
		return known
	}
	defer delete(w.partial, id)
	for {
		cycles := w.cycles
		var found set
		w.parts(d.parts, nil, direct(Identity), &found)
		if w.cycles == cycles {
			w.known[id] = found
			return found
		}
		if len(found) == len(w.partial[id]) {
			return found
		}
		w.partial[id] = found
	}
}

func (w *walker) parts(parts []part, path []string, kind Kind, out *set) {
	for _, p := range parts {
		into := append(append([]string{}, p.path...), path...)
		if p.opaque {
			into = nil
		}
		w.expr(p.x, into, kind.over(p.kind), out)
	}
}
