package format

import "github.com/marisma/marisma/internal/sparksql/ast"

func (p *printer) declare(d *ast.DeclareVariable) doc {
	head := spaced(p.kw("DECLARE"), p.maybe("OR", "REPLACE"))
	if p.isWord("VARIABLE") && !p.opAt(1, ",") && d.Names[0][0].P.Offset != p.off() {
		head = spaced(head, p.kw("VARIABLE"))
	}
	names := p.list(len(d.Names), func(i int) doc { return p.name(d.Names[i]) })
	head = spaced(append([]doc{head}, names...)...)
	if d.Type != nil {
		head = spaced(head, p.dataType())
	}
	if d.Default == nil {
		return head
	}
	if p.isOp("=") {
		return spaced(head, p.op("="), p.expr(d.Default))
	}
	return spaced(head, p.kw("DEFAULT"), p.expr(d.Default))
}

func (p *printer) setVariable(s *ast.SetVariable) doc {
	head := p.kw("SET")
	if !s.Local {
		head = spaced(head, p.oneOf("VAR", "VARIABLE"))
	}
	if s.Query != nil {
		names := p.parenList(len(s.Targets), func(i int) doc { return p.name(s.Targets[i]) })
		return spaced(head, names, p.op("="), p.parens(func() doc { return p.query(s.Query) }))
	}
	set := p.list(len(s.Targets), func(i int) doc {
		name := p.name(s.Targets[i])
		if p.isOp("==") {
			return spaced(name, p.op("=="), p.expr(s.Values[i]))
		}
		return spaced(name, p.op("="), p.expr(s.Values[i]))
	})
	return spaced(head, short(indent(lines(set))))
}

func (p *printer) dropVariable(d *ast.DropVariable) doc {
	return spaced(p.kw("DROP"), p.oneOf("TEMPORARY", "TEMP"), p.kw("VARIABLE"), p.maybe("IF", "EXISTS"), p.name(d.Name))
}

func (p *printer) execute(e *ast.ExecuteImmediate) doc {
	d := spaced(p.kw("EXECUTE", "IMMEDIATE"), p.expr(e.Query))
	if len(e.Into) > 0 {
		d = spaced(d, p.kw("INTO"))
		d = spaced(append([]doc{d}, p.list(len(e.Into), func(i int) doc { return p.name(e.Into[i]) })...)...)
	}
	if len(e.Using) == 0 {
		return d
	}
	using := p.kw("USING")
	arg := func(i int) doc {
		if a, ok := e.Using[i].(*ast.Alias); ok {
			return p.aliased(p.expr(a.X))
		}
		return p.expr(e.Using[i])
	}
	if p.isOp("(") && len(e.Using) > 1 {
		return spaced(d, using, p.parenList(len(e.Using), arg))
	}
	return spaced(append([]doc{d, using}, p.list(len(e.Using), arg)...)...)
}

func (p *printer) createFunction(f *ast.CreateFunction) doc {
	out := []doc{p.kw("CREATE"), p.maybe("OR", "REPLACE"), p.maybeOne("TEMPORARY", "TEMP"), p.kw("FUNCTION"), p.maybe("IF", "NOT", "EXISTS"), p.name(f.Name)}
	head := spaced(out...)
	params := p.parenList(len(f.Params), func(i int) doc {
		d := spaced(p.ident(), p.dataType())
		for !p.itemEnds() && p.i < p.end && !p.bad {
			switch {
			case p.isWord("DEFAULT"):
				d = spaced(d, p.kw("DEFAULT"), p.expr(f.Params[i].Default))
			case p.isWord("COMMENT"):
				d = spaced(d, p.kw("COMMENT"), p.str())
			default:
				d = spaced(d, p.kw("NOT", "NULL"))
			}
		}
		return d
	})
	rest := []doc{join(head, params)}
	if p.isWord("RETURNS") {
		rest = append(rest, hardline, p.returns(f))
	}
	if d := p.rawUntil(func() bool { return p.isWord("RETURN") }); !empty(d) {
		rest = append(rest, hardline, d)
	}
	word := p.kw("RETURN")
	if f.Query != nil {
		return join(append(rest, hardline, word, indent(hardline, p.tall(f.Query)))...)
	}
	return join(append(rest, hardline, spaced(word, p.expr(f.Expr)))...)
}

func (p *printer) returns(f *ast.CreateFunction) doc {
	d := p.kw("RETURNS")
	if !f.Table {
		return spaced(d, p.dataType())
	}
	d = spaced(d, p.kw("TABLE"))
	if len(f.Columns) == 0 {
		return d
	}
	return spaced(d, p.parenList(len(f.Columns), func(int) doc {
		return spaced(p.ident(), p.dataType(), p.fieldTail())
	}))
}

func (p *printer) alterView(v *ast.AlterView) doc {
	head := spaced(p.kw("ALTER", "VIEW"), p.name(v.Name))
	switch v.Change {
	case ast.ViewAs:
		return join(spaced(head, p.maybe("AS")), hardline, p.tall(v.Query))
	case ast.ViewRename:
		return spaced(head, p.kw("RENAME", "TO"), p.name(v.To))
	case ast.ViewSet:
		return spaced(head, p.kw("SET", "TBLPROPERTIES"), p.properties())
	case ast.ViewUnset:
		return spaced(head, p.kw("UNSET", "TBLPROPERTIES"), p.maybe("IF", "EXISTS"), p.rawUntil(func() bool { return false }))
	}
	return spaced(head, p.kw("WITH", "SCHEMA"), p.maybe("TYPE"), p.oneOf("BINDING", "COMPENSATION", "EVOLUTION"))
}
