package format

import (
	"slices"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

// change prints a statement that changes a table. Rare forms whose words the
// tree does not show stay as they are written.
func (p *printer) change(st ast.Statement) doc {
	i, c := p.i, p.c
	var d doc
	switch st := st.(type) {
	case *ast.CreateTable:
		d = p.createTable(st)
	case *ast.Delete:
		d = p.deleteFrom(st)
	case *ast.Insert:
		d = p.insert(st)
	case *ast.Merge:
		d = p.merge(st)
	case *ast.Update:
		d = p.update(st)
	default:
		return p.upkeep()
	}
	if !p.bad && p.i == p.end && p.held == nil {
		return d
	}
	p.i, p.c, p.bad, p.held = i, c, false, nil
	return p.verbatim()
}

// upkeepWords begin statements of one line; what follows is as written.
var upkeepWords = []string{"ALTER", "DROP", "OPTIMIZE", "REORG", "RESTORE", "TABLE", "TRUNCATE", "VACUUM", "VIEW", "IF", "EXISTS"}

func (p *printer) upkeep() doc {
	var out []doc
	for p.isWord(upkeepWords...) && p.i+1 < p.end && p.at(1).Kind != parse.Operator {
		out = append(out, p.as(p.at(0).Upper))
	}
	return spaced(append(out, p.verbatim())...)
}

// prelude prints WITH in front of a statement, with the new line behind it.
func (p *printer) prelude(pre ast.Prelude) doc {
	if pre.With == nil {
		return nothing
	}
	return join(p.with(&ast.Query{With: pre.With, Recursive: pre.Recursive}), hardline)
}

func (p *printer) target(t ast.Target) doc {
	name := p.rawName()
	if t.NameExpr != nil {
		name = join(name, p.parens(func() doc { return p.expr(t.NameExpr) }))
	}
	if t.Alias == nil {
		return name
	}
	return spaced(name, p.maybe("AS"), p.ident())
}

func (p *printer) where(x ast.Expr) doc {
	if x == nil {
		return nothing
	}
	return join(hardline, p.kw("WHERE"), space, p.expr(x))
}

func (p *printer) assignments(set []ast.Assignment) doc {
	return p.clause(p.kw("SET"), lines(p.list(len(set), func(i int) doc {
		return spaced(p.name(set[i].Target), p.op("="), p.expr(set[i].Value))
	})))
}

func (p *printer) update(u *ast.Update) doc {
	pre := p.prelude(u.Prelude)
	return join(pre, spaced(p.kw("UPDATE"), p.target(u.Target)), hardline, p.assignments(u.Set), p.where(u.Where))
}

func (p *printer) deleteFrom(d *ast.Delete) doc {
	pre := p.prelude(d.Prelude)
	return join(pre, spaced(p.kw("DELETE", "FROM"), p.target(d.Target)), p.where(d.Where))
}

func (p *printer) insert(in *ast.Insert) doc {
	pre := p.prelude(in.Prelude)
	head := []doc{p.kw("INSERT"), p.maybe("WITH", "SCHEMA", "EVOLUTION"), p.oneOf("INTO", "OVERWRITE"), p.maybe("TABLE"), p.target(in.Target)}
	for in.Query != nil && p.off() < in.Query.P.Offset && !p.bad {
		switch {
		case p.isWord("PARTITION"):
			head = append(head, p.kw("PARTITION"), p.parens(func() doc { return p.rawUntil(func() bool { return p.isOp(")") }) }))
		case p.isWord("IF"):
			head = append(head, p.kw("IF", "NOT", "EXISTS"))
		case p.isWord("BY"):
			head = append(head, p.kw("BY", "NAME"))
		case p.isWord("REPLACE") && in.ReplaceCond != nil:
			head = append(head, p.kw("REPLACE"), p.oneOf("WHERE", "ON"), p.expr(in.ReplaceCond))
		case p.isOp("(") && len(in.Columns) > 0:
			head = append(head, p.idents(len(in.Columns)))
		default:
			head = append(head, p.kw("WITH", "SCHEMA", "EVOLUTION"))
		}
	}
	if in.Query == nil {
		p.bad = true
		return nothing
	}
	return join(pre, spaced(head...), hardline, p.tall(in.Query))
}

func (p *printer) merge(m *ast.Merge) doc {
	out := []doc{p.prelude(m.Prelude), spaced(p.kw("MERGE"), p.maybe("WITH", "SCHEMA", "EVOLUTION"), p.kw("INTO"), p.target(m.Target))}
	out = append(out, hardline, spaced(p.kw("USING"), p.ref(m.Using)), hardline, spaced(p.kw("ON"), p.expr(m.On)))
	for _, c := range m.Clauses {
		out = append(out, hardline, p.mergeClause(c))
		if p.bad {
			return nothing
		}
	}
	return join(out...)
}

func (p *printer) mergeClause(c ast.MergeClause) doc {
	head := spaced(p.kw("WHEN"), p.maybe("NOT"), p.kw("MATCHED"))
	if p.isWord("BY") {
		head = spaced(head, p.kw("BY"), p.oneOf("SOURCE", "TARGET"))
	}
	if c.Cond != nil {
		head = spaced(head, p.kw("AND"), p.expr(c.Cond))
	}
	head = spaced(head, p.kw("THEN"))
	switch c.Action {
	case ast.MergeDelete:
		return spaced(head, p.kw("DELETE"))
	case ast.MergeUpdate:
		if c.All {
			return spaced(head, p.kw("UPDATE", "SET"), p.op("*"))
		}
		return fill(head, indent(newline, spaced(p.kw("UPDATE"), p.assignments(c.Set))))
	}
	w := p.kw("INSERT")
	if c.All {
		return spaced(head, w, p.op("*"))
	}
	cols := p.parenList(len(c.Set), func(i int) doc { return p.name(c.Set[i].Target) })
	values := p.kw("VALUES")
	return fill(head, indent(newline, spaced(w, cols), newline, spaced(values, p.parenList(len(c.Set), func(i int) doc { return p.expr(c.Set[i].Value) }))))
}

// createTable prints the head, the columns, and the clauses in the order of
// the source; a CLONE or LIKE stays as written.
func (p *printer) createTable(t *ast.CreateTable) doc {
	if t.Clone != nil || t.Like.Name != nil || t.Like.NameExpr != nil {
		p.bad = true
		return nothing
	}
	var head []doc
	for p.isWord("CREATE", "OR", "REPLACE", "EXTERNAL", "TABLE", "IF", "NOT", "EXISTS") && p.i+1 < p.end && !slices.ContainsFunc(t.Target.Name, func(id ast.Ident) bool { return id.P.Offset == p.off() }) {
		head = append(head, p.as(p.at(0).Upper))
	}
	head = append(head, p.target(t.Target))
	rest := p.clauseLines(&ast.Clauses{})
	if t.Query == nil {
		return join(spaced(head...), rest)
	}
	as := p.maybe("AS")
	if empty(rest) && !empty(as) {
		return join(spaced(head...), space, as, hardline, p.tall(t.Query))
	}
	if !empty(as) {
		as = join(as, space)
	}
	return join(spaced(head...), rest, hardline, as, p.tall(t.Query))
}
