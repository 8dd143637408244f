package format

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// within prints a statement of a script with the comments above it and its
// semicolon.
func (p *printer) within(st ast.Statement) doc {
	above := p.block()
	end, stop := p.end, p.off()+len(st.Source())
	p.end = p.i
	for p.end < end && p.src.Tokens[p.end].Off < stop {
		p.end++
	}
	d := p.statement(st)
	if p.i != p.end {
		p.bad = true
	}
	p.end = end
	return join(above, d, p.op(";"))
}

// steps prints the statements of a block, each on its own line.
func (p *printer) steps(body []ast.Statement) doc {
	var out []doc
	for _, st := range body {
		out = append(out, hardline, p.within(st))
	}
	return indent(out...)
}

// label prints name: in front of a block.
func (p *printer) label(l *ast.Ident) doc {
	if l == nil {
		return nothing
	}
	return join(p.ident(), p.op(":"), space)
}

// endLabel prints the label behind END, which may be left out.
func (p *printer) endLabel() doc {
	if p.i < p.end && !p.isOp(";") {
		return join(space, p.ident())
	}
	return nothing
}

// compound prints BEGIN ... END, declarations in the order of the source.
func (p *printer) compound(c *ast.Compound) doc {
	head := join(p.label(c.Label), p.kw("BEGIN"))
	if p.words("NOT", "ATOMIC") {
		head = spaced(head, p.kw("NOT", "ATOMIC"))
	}
	var out []doc
	conditions, handlers, body := len(c.Conditions), c.Handlers, c.Body
	for !p.isWord("END") && p.i < p.end && !p.bad {
		switch {
		case p.isWord("DECLARE") && p.wordAt(2, "HANDLER") && len(handlers) > 0:
			out = append(out, hardline, p.block(), p.handler(handlers[0]))
			handlers = handlers[1:]
		case p.isWord("DECLARE") && p.wordAt(2, "CONDITION") && conditions > 0:
			conditions--
			out = append(out, hardline, p.block(), spaced(p.kw("DECLARE"), p.ident(), p.kw("CONDITION"), p.rawUntil(func() bool { return p.isOp(";") })), p.op(";"))
		case len(body) > 0:
			out = append(out, hardline, p.within(body[0]))
			body = body[1:]
		default:
			p.bad = true
		}
	}
	return join(head, indent(out...), hardline, p.kw("END"), p.endLabel())
}

func (p *printer) handler(h *ast.Handler) doc {
	head := spaced(p.kw("DECLARE"), p.kw("EXIT"), p.kw("HANDLER", "FOR"))
	conditions := p.list(len(h.Conditions), func(i int) doc {
		switch c := h.Conditions[i]; {
		case c.Exception:
			return p.kw("SQLEXCEPTION")
		case c.NotFound:
			return p.kw("NOT", "FOUND")
		case c.State != "":
			return spaced(p.kw("SQLSTATE"), p.maybe("VALUE"), p.str())
		}
		var parts []doc
		for range strings.SplitSeq(h.Conditions[i].Name, ".") {
			parts = append(parts, p.ident(), p.maybeOp("."))
		}
		return join(parts...)
	})
	return join(spaced(append([]doc{head}, conditions...)...), indent(hardline, p.within(h.Body)))
}

// branch prints condition THEN statements.
func (p *printer) branch(word string, b ast.Branch) doc {
	return join(spaced(p.kw(word), p.expr(b.Cond), p.kw("THEN")), p.steps(b.Body))
}

func (p *printer) otherwise(els []ast.Statement) doc {
	if els == nil {
		return nothing
	}
	return join(hardline, p.kw("ELSE"), p.steps(els))
}

func (p *printer) ifStatement(s *ast.If) doc {
	var out []doc
	for i, b := range s.Branches {
		if i == 0 {
			out = append(out, p.branch("IF", b))
		} else {
			out = append(out, hardline, p.branch("ELSEIF", b))
		}
	}
	return join(join(out...), p.otherwise(s.Else), hardline, p.kw("END", "IF"))
}

func (p *printer) caseOf(s *ast.CaseOf) doc {
	head := p.kw("CASE")
	if s.Operand != nil {
		head = spaced(head, p.expr(s.Operand))
	}
	var out []doc
	for _, b := range s.Branches {
		out = append(out, hardline, p.branch("WHEN", b))
	}
	return join(head, indent(join(out...), p.otherwise(s.Else)), hardline, p.kw("END", "CASE"))
}

func (p *printer) loop(l *ast.Loop) doc {
	head := p.label(l.Label)
	switch l.Kind {
	case ast.LoopWhile:
		return join(head, spaced(p.kw("WHILE"), p.expr(l.Cond), p.kw("DO")), p.steps(l.Body), hardline, p.kw("END", "WHILE"), p.endLabel())
	case ast.LoopRepeat:
		d := join(head, p.kw("REPEAT"), p.steps(l.Body), hardline)
		return join(d, spaced(p.kw("UNTIL"), p.expr(l.Cond)), hardline, p.kw("END", "REPEAT"), p.endLabel())
	}
	return join(head, p.kw("LOOP"), p.steps(l.Body), hardline, p.kw("END", "LOOP"), p.endLabel())
}

func (p *printer) forLoop(f *ast.For) doc {
	head := join(p.label(f.Label), p.kw("FOR"))
	if f.Var != nil {
		head = spaced(head, p.ident(), p.kw("AS"))
	}
	return join(head, indent(hardline, p.tall(f.Query)), hardline, p.kw("DO"), p.steps(f.Body), hardline, p.kw("END", "FOR"), p.endLabel())
}

func (p *printer) jump(j *ast.Jump) doc {
	word := "LEAVE"
	if j.Iterate {
		word = "ITERATE"
	}
	return spaced(p.kw(word), p.ident())
}
