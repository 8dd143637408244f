package format

import (
	"slices"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

func (p *printer) from(s *ast.Select) doc {
	w := p.kw("FROM")
	if len(s.From) == 1 {
		return spaced(w, p.ref(s.From[0]))
	}
	return p.clause(w, lines(p.list(len(s.From), func(i int) doc { return p.ref(s.From[i]) })))
}

// ref prints a FROM item with its joins, which nest to the left, without
// recursion.
func (p *printer) ref(r ast.TableRef) doc {
	chain := []ast.TableRef{}
	for in := r; ; {
		switch x := in.(type) {
		case *ast.Join:
			chain, in = append(chain, x), x.Left
			continue
		case *ast.Pivot:
			chain, in = append(chain, x), x.Input
			continue
		case *ast.Unpivot:
			chain, in = append(chain, x), x.Input
			continue
		}
		out := []doc{p.leaf(in)}
		for _, c := range slices.Backward(chain) {
			out = append(out, newline, p.refTail(c))
			if p.bad {
				return nothing
			}
		}
		return join(out...)
	}
}

// refTail prints what stands behind the input of a join or pivot.
func (p *printer) refTail(r ast.TableRef) doc {
	switch r := r.(type) {
	case *ast.Join:
		return p.joinTail(r)
	case *ast.Pivot:
		return spaced(p.kw("PIVOT"), p.parens(func() doc { return p.pivotBody(r) }), p.alias(r.Alias))
	case *ast.Unpivot:
		w := p.kw("UNPIVOT")
		if p.isWord("INCLUDE", "EXCLUDE") {
			w = spaced(w, p.oneOf("INCLUDE", "EXCLUDE"), p.kw("NULLS"))
		}
		return spaced(w, p.parens(func() doc { return p.unpivotBody(r) }), p.alias(r.Alias))
	case *ast.SubqueryRef:
		if r.Sample != nil {
			return p.sample(r.Sample)
		}
	}
	p.bad = true
	return nothing
}

func (p *printer) joinTail(j *ast.Join) doc {
	var out []doc
	for !p.isWord("JOIN") {
		out = append(out, p.oneOf("NATURAL", "INNER", "CROSS", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI", "OUTER"))
		if p.bad {
			return nothing
		}
	}
	out = append(out, p.kw("JOIN"), p.ref(j.Right))
	d := spaced(out...)
	switch {
	case j.On != nil:
		return fill(d, indent(newline, spaced(p.kw("ON"), p.expr(j.On))))
	case j.Using != nil:
		return spaced(d, p.kw("USING"), p.idents(len(j.Using)))
	}
	return d
}

func (p *printer) pivotBody(v *ast.Pivot) doc {
	aggs := lines(p.list(len(v.Aggs), func(i int) doc { return p.selectItem(v.Aggs[i]) }))
	w := p.kw("FOR")
	var cols doc
	if p.isOp("(") {
		cols = p.parenList(len(v.For), func(i int) doc { return p.expr(v.For[i]) })
	} else {
		cols = p.ident()
	}
	in := p.kw("IN")
	values := p.parenList(len(v.Values), func(i int) doc { return p.selectItem(v.Values[i]) })
	return join(aggs, newline, spaced(w, cols, in, values))
}

func (p *printer) unpivotBody(u *ast.Unpivot) doc {
	var values doc
	if p.isOp("(") {
		values = p.idents(len(u.Values))
	} else {
		values = p.ident()
	}
	w := spaced(p.kw("FOR"), p.ident(), p.kw("IN"))
	return join(values, newline, spaced(w, p.parenList(len(u.Columns), func(i int) doc { return p.unpivotColumn(u.Columns[i]) })))
}

func (p *printer) unpivotColumn(c ast.UnpivotColumn) doc {
	var d doc
	if p.isOp("(") {
		d = p.parenList(len(c.Names), func(i int) doc { return p.name(c.Names[i]) })
	} else {
		d = p.name(c.Names[0])
	}
	if c.Alias == nil {
		return d
	}
	return p.aliased(d)
}

// leaf prints a table, a query or a function with what belongs to it.
func (p *printer) leaf(r ast.TableRef) doc {
	lateral := nothing
	if p.isWord("LATERAL") && r.Pos().Offset != p.off() {
		lateral = p.kw("LATERAL")
	}
	switch r := r.(type) {
	case *ast.TableName:
		return spaced(lateral, p.tableName(r))
	case *ast.TableFunc:
		call := func() doc { return p.nameAndArgs(r.Call) }
		return spaced(lateral, p.stream(r.Stream, call), p.watermark(r.Watermark), p.alias(r.Alias))
	case *ast.SubqueryRef:
		d := p.parens(func() doc { return p.query(r.Query) })
		return spaced(lateral, d, p.sample(r.Sample), p.watermark(r.Watermark), p.alias(r.Alias))
	case *ast.ValuesRef:
		return spaced(lateral, p.values(r.Values))
	case *ast.ParenRef:
		d := p.parens(func() doc { return p.ref(r.Ref) })
		return spaced(lateral, d, p.alias(r.Alias))
	}
	p.bad = true
	return nothing
}

// stream prints STREAM x or STREAM(x) around what is streamed.
func (p *printer) stream(is bool, f func() doc) doc {
	if !is {
		return f()
	}
	w := p.kw("STREAM")
	if p.isOp("(") {
		return join(w, p.parens(f))
	}
	return spaced(w, f())
}

func (p *printer) tableName(t *ast.TableName) doc {
	d := p.stream(t.Stream, func() doc { return p.name(t.Name) })
	if t.Version != nil || t.Timestamp != nil {
		d = spaced(d, p.maybe("FOR"), p.oneOf("VERSION", "SYSTEM_VERSION", "TIMESTAMP", "SYSTEM_TIME"), p.kw("AS", "OF"))
		if t.Version != nil {
			d = spaced(d, p.expr(t.Version))
		} else {
			d = spaced(d, p.expr(t.Timestamp))
		}
	}
	if t.Options != nil {
		d = spaced(d, p.kw("WITH"), p.properties())
	}
	return spaced(d, p.sample(t.Sample), p.watermark(t.Watermark), p.alias(t.Alias))
}

func (p *printer) sample(s *ast.Sample) doc {
	if s == nil {
		return nothing
	}
	d := spaced(p.kw("TABLESAMPLE"), p.parens(func() doc {
		word := func() bool { return p.isOp(")") || p.isWord("PERCENT", "ROWS", "BUCKET", "OUT", "OF", "ON") }
		var out []doc
		for p.i < p.end && !p.isOp(")") {
			out = append(out, p.rawUntil(word), p.maybeOne("PERCENT", "ROWS", "BUCKET", "OUT", "OF", "ON"))
		}
		return spaced(out...)
	}))
	if s.Seed == nil {
		return d
	}
	return spaced(d, p.kw("REPEATABLE"), p.parens(func() doc { return p.expr(s.Seed) }))
}

func (p *printer) watermark(w *ast.Watermark) doc {
	if w == nil {
		return nothing
	}
	d := spaced(p.kw("WATERMARK"), p.expr(w.X))
	if w.Alias != nil {
		d = spaced(d, p.kw("AS"), p.ident())
	}
	return spaced(d, p.kw("DELAY", "OF"), p.expr(w.Delay))
}

// alias prints [AS] t [(a, b)] as it is written.
func (p *printer) alias(a ast.TableAlias) doc {
	if a.Name == nil && a.Columns == nil {
		return nothing
	}
	d := nothing
	if a.Name == nil || a.Name.P.Offset != p.off() { // otherwise AS, too, is a name
		if d = p.maybe("AS"); empty(d) && a.Name != nil {
			p.bad = true
			return nothing
		}
	}
	name := nothing
	if a.Name != nil {
		name = p.ident()
	}
	if a.Columns != nil {
		name = join(name, p.idents(len(a.Columns)))
	}
	return spaced(d, name)
}

// properties prints (key = value, ...).
func (p *printer) properties() doc {
	l := p.op("(")
	var items []doc
	for !p.isOp(")") && !p.bad && p.i < p.end {
		key := p.key()
		if p.isOp("=") {
			key = spaced(key, p.raw())
		}
		value := p.rawUntil(func() bool { return p.isOp(",") || p.isOp(")") })
		d := spaced(key, value)
		if p.isOp(",") {
			d = join(d, p.op(","))
		}
		items = append(items, d)
	}
	return fill(l, indent(softline, lines(items)), softline, p.op(")"))
}

// key prints a key: a string or a name with dots.
func (p *printer) key() doc {
	if k := p.at(0).Text; k != "" && (k[0] == '\'' || k[0] == '"' || k[0] == 'r' && len(k) > 1 && k[1] == '\'') {
		return p.str()
	}
	return p.rawName()
}
