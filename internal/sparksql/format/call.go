package format

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

func (p *printer) call(c *ast.Call) doc {
	switch c.Syntax {
	case "":
		return p.plainCall(c)
	case "current":
		return p.ident()
	case "struct":
		name := p.ident()
		return p.callTail(c, join(name, p.parenList(len(c.Args), func(i int) doc { return p.expr(c.Args[i]) })))
	}
	name := p.ident()
	return p.callTail(c, join(name, p.parens(func() doc { return p.special(c) })))
}

// special prints what stands between the parentheses of a form with a grammar
// of its own: arguments with words or commas between.
func (p *printer) special(c *ast.Call) doc {
	var out []doc
	if c.Syntax == "trim" {
		out = append(out, p.maybeOne("BOTH", "LEADING", "TRAILING"))
	}
	for i, a := range c.Args {
		switch {
		case i > 0 || p.isWord("FROM") && c.Syntax == "trim":
			if p.isOp(",") {
				out[len(out)-1] = join(out[len(out)-1], p.op(","))
			} else {
				out = append(out, p.oneOf("FROM", "FOR", "IN", "PLACING"))
			}
		}
		out = append(out, p.expr(a))
		if p.bad {
			return nothing
		}
	}
	return spaced(out...)
}

// plainCall prints name(args) and what hangs on it.
func (p *printer) plainCall(c *ast.Call) doc {
	return p.callTail(c, p.nameAndArgs(c))
}

func (p *printer) nameAndArgs(c *ast.Call) doc {
	name := p.name(c.Name)
	if c.NameExpr != nil {
		name = join(name, p.parens(func() doc { return p.expr(c.NameExpr) }))
	}
	return join(name, p.args(c))
}

func (p *printer) args(c *ast.Call) doc {
	l := p.op("(")
	if p.isOp(")") {
		return join(l, p.op(")"))
	}
	how := nothing
	if c.Distinct || p.isWord("ALL") && !p.opAt(1, ")") && !p.opAt(1, ",") && len(c.Args) > 0 && c.Args[0].Pos().Offset != p.off() {
		how = p.oneOf("DISTINCT", "ALL")
	}
	named := 0
	items := p.list(len(c.Args), func(i int) doc {
		if _, ok := c.Args[i].(*ast.NamedArg); ok {
			named++
		}
		d := p.expr(c.Args[i])
		if i == len(c.Args)-1 && p.isWord("IGNORE", "RESPECT") {
			d = spaced(d, p.oneOf("IGNORE", "RESPECT"), p.kw("NULLS"))
		}
		return d
	})
	body := spaced(how, lines(items))
	limit := pageWidth
	if named > 1 {
		limit = listWidth
	}
	if hugged(c) { // a lone lambda or query keeps to its parenthesis
		return join(l, body, p.op(")"))
	}
	return group{join(l, indent(softline, body), softline, p.op(")")), limit}
}

// hugged tells whether the only argument is a call or a CASE, which breaks
// within its own parentheses.
func hugged(c *ast.Call) bool {
	if len(c.Args) != 1 {
		return false
	}
	switch x := c.Args[0].(type) {
	case *ast.Call:
		return x.Syntax != "concat" && x.Over == nil
	}
	return false
}

func (p *printer) callTail(c *ast.Call, d doc) doc {
	if c.Within != nil {
		d = spaced(d, p.kw("WITHIN", "GROUP"), p.parens(func() doc { return spaced(p.kw("ORDER", "BY"), p.sortItems(c.Within)) }))
	}
	if c.Filter != nil {
		d = spaced(d, p.kw("FILTER"), p.parens(func() doc { return spaced(p.kw("WHERE"), p.expr(c.Filter)) }))
	}
	if p.isWord("IGNORE", "RESPECT") && p.wordAt(1, "NULLS") && (c.IgnoreNulls || c.RespectNulls) {
		d = spaced(d, p.oneOf("IGNORE", "RESPECT"), p.kw("NULLS"))
	}
	if c.Over != nil {
		d = spaced(d, p.kw("OVER"), p.windowSpec(c.Over))
	}
	return d
}

func (p *printer) windowSpec(w *ast.WindowSpec) doc {
	if !p.isOp("(") {
		return p.ident()
	}
	return p.parens(func() doc {
		var out []doc
		if w.Ref != nil {
			out = append(out, p.ident())
		}
		if w.Partition != nil {
			by := spaced(p.oneOf("PARTITION", "DISTRIBUTE", "CLUSTER"), p.kw("BY"))
			out = append(out, p.clause(by, p.exprs(w.Partition)))
		}
		if w.Order != nil {
			by := spaced(p.oneOf("ORDER", "SORT"), p.kw("BY"))
			out = append(out, p.clause(by, p.sortItems(w.Order)))
		}
		if w.Frame != nil {
			out = append(out, p.frame(w.Frame))
		}
		return lines(out)
	})
}

func (p *printer) frame(f *ast.Frame) doc {
	unit := p.oneOf("ROWS", "RANGE")
	if !p.isWord("BETWEEN") {
		return spaced(unit, p.bound(f.Start))
	}
	return spaced(unit, p.kw("BETWEEN"), p.bound(f.Start), p.kw("AND"), p.bound(f.End))
}

func (p *printer) bound(b ast.Bound) doc {
	switch b.Kind {
	case ast.UnboundedPreceding, ast.UnboundedFollowing:
		return spaced(p.kw("UNBOUNDED"), p.oneOf("PRECEDING", "FOLLOWING"))
	case ast.CurrentRow:
		return p.kw("CURRENT", "ROW")
	}
	return spaced(p.expr(b.X), p.oneOf("PRECEDING", "FOLLOWING"))
}

func (p *printer) exprs(xs []ast.Expr) doc {
	return lines(p.list(len(xs), func(i int) doc { return p.expr(xs[i]) }))
}

func (p *printer) sortItems(items []ast.SortItem) doc {
	return lines(p.list(len(items), func(i int) doc { return spaced(p.expr(items[i].X), p.sortTail()) }))
}

func (p *printer) sortTail() doc {
	d := p.maybeOne("ASC", "DESC")
	if p.isWord("NULLS") {
		d = spaced(d, p.kw("NULLS"), p.oneOf("FIRST", "LAST"))
	}
	return d
}

func (p *printer) namedArg(x *ast.NamedArg) doc {
	var out []doc
	for !p.isOp("=>") && !p.bad {
		if p.isOp(".") {
			out = append(out, p.raw())
		} else {
			out = append(out, p.ident())
		}
	}
	return spaced(join(out...), p.op("=>"), p.expr(x.X))
}

// fieldTypes are the words of types; other words in a type are field names.
var nestedTypes = map[string]bool{"STRUCT": true, "ARRAY": true, "MAP": true}

// dataType prints a type: its words in capitals, the names of fields as
// written.
func (p *printer) dataType() doc {
	if k := p.at(0).Kind; k != parse.Word {
		return p.ident() // a type in backticks
	}
	up := p.at(0).Upper
	out := p.as(up)
	switch {
	case nestedTypes[up] && p.isOp("<>"):
		return join(out, p.raw())
	case up == "STRUCT" && p.isOp("<"):
		l := p.op("<")
		var fields []doc
		for !p.isOp(">") && !p.bad {
			f := p.structField()
			if p.isOp(",") {
				f = join(f, p.op(","))
			}
			fields = append(fields, f)
		}
		return fill(out, l, indent(softline, lines(fields)), softline, p.op(">"))
	case nestedTypes[up] && p.isOp("<"):
		out = join(out, p.op("<"), p.dataType())
		for p.isOp(",") {
			out = join(out, p.op(","), space, p.dataType())
		}
		return join(out, p.op(">"))
	case p.isOp("("):
		return join(out, p.typeArgs())
	case up == "INTERVAL" && p.isWord("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"):
		out = spaced(out, p.as(p.at(0).Upper))
		if p.isWord("TO") {
			out = spaced(out, p.kw("TO"), p.as(p.at(0).Upper))
		}
		return out
	case up == "STRING" && p.isWord("COLLATE"):
		return spaced(out, p.kw("COLLATE"), p.rawName())
	case strings.HasPrefix(up, "TIMESTAMP") && p.isWord("WITHOUT", "WITH") && p.wordAt(1, "LOCAL", "TIME"):
		return spaced(out, p.oneOf("WITHOUT", "WITH"), p.maybe("LOCAL"), p.kw("TIME", "ZONE"))
	}
	return out
}

func (p *printer) typeArgs() doc {
	out := []doc{p.op("(")}
	for !p.isOp(")") && !p.bad {
		if p.isOp(",") {
			out = append(out, p.raw(), space)
			continue
		}
		out = append(out, p.raw())
	}
	return join(append(out, p.op(")"))...)
}

func (p *printer) structField() doc {
	name := p.ident()
	if p.isOp(":") {
		name = join(name, p.raw())
	}
	return spaced(name, p.dataType(), p.fieldTail())
}

// fieldTail prints NOT NULL and COMMENT '...' behind a field or column.
func (p *printer) fieldTail() doc {
	d := nothing
	for !p.bad {
		switch {
		case p.words("NOT", "NULL"):
			d = spaced(d, p.kw("NOT", "NULL"))
		case p.isWord("COMMENT") && p.at(1).Kind == parse.String:
			d = spaced(d, p.kw("COMMENT"), p.raw())
		default:
			return d
		}
	}
	return d
}

// rawName prints a.b.c as it comes.
func (p *printer) rawName() doc {
	out := []doc{p.ident()}
	if p.isOp("(") && strings.EqualFold(p.src.Tokens[p.i-1].Text, "IDENTIFIER") {
		out = append(out, p.op("("), p.rawUntil(func() bool { return p.isOp(")") }), p.op(")"))
	}
	for p.isOp(".") && !p.bad {
		out = append(out, p.raw(), p.ident())
	}
	return join(out...)
}
