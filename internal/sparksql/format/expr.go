package format

import (
	"slices"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

// expr prints an expression with the parentheses that stand around it.
func (p *printer) expr(x ast.Expr) doc { return p.inParens(x, p.src.Parens(x)) }

func (p *printer) inParens(x ast.Expr, n int) doc {
	if n == 0 {
		return p.bare(x)
	}
	return p.parens(func() doc { return p.inParens(x, n-1) })
}

// bare prints an expression without its parentheses.
func (p *printer) bare(x ast.Expr) doc {
	switch x := x.(type) {
	case *ast.Literal:
		return p.literal(x)
	case *ast.TypedLiteral:
		return p.typedLiteral()
	case *ast.Interval:
		return p.interval(x)
	case *ast.Column:
		return p.name(x.Name)
	case *ast.Star:
		return p.star(x)
	case *ast.Field:
		return join(p.expr(x.X), p.op("."), p.ident())
	case *ast.Index:
		return join(p.expr(x.X), p.op("["), p.expr(x.I), p.op("]"))
	case *ast.Path:
		return p.path(x)
	case *ast.Unary:
		return p.unary(x)
	case *ast.Binary:
		return p.chain(x)
	case *ast.Is, *ast.Between, *ast.In, *ast.Like:
		return p.predicate(x)
	case *ast.Case:
		return p.caseExpr(x)
	case *ast.Cast:
		return p.cast(x)
	case *ast.Call:
		if x.Syntax == "concat" {
			return p.chain(x)
		}
		return p.call(x)
	case *ast.NamedArg:
		return p.namedArg(x)
	case *ast.Alias:
		return p.aliased(p.expr(x.X))
	case *ast.Lambda:
		return p.lambda(x)
	case *ast.Tuple:
		return p.parenList(len(x.Items), func(i int) doc { return p.expr(x.Items[i]) })
	case *ast.Subquery:
		return p.parens(func() doc { return p.query(x.Query) })
	case *ast.Exists:
		return spaced(p.kw("EXISTS"), p.parens(func() doc { return p.query(x.Query) }))
	case *ast.Param:
		return p.param(x)
	case *ast.Collate:
		return spaced(p.expr(x.X), p.kw("COLLATE"), p.name(x.Name))
	case *ast.TableArg:
		return p.tableArg(x)
	case *ast.ColumnEdit:
		return p.columnEdit(x)
	}
	p.bad = true
	return nothing
}

func (p *printer) literal(x *ast.Literal) doc {
	switch t := p.at(0); {
	case t.Kind == parse.String: // adjacent strings are one
		out := []doc{p.raw()}
		for p.at(0).Kind == parse.String {
			out = append(out, p.raw())
		}
		return spaced(out...)
	case t.Kind == parse.Number:
		return p.raw()
	case t.Text == "-" && p.at(1).Kind == parse.Number:
		return join(p.raw(), p.raw())
	case t.Upper == "X" && p.at(1).Kind == parse.String:
		return join(p.as("X"), p.raw())
	case t.Upper == "NULL":
		return p.as("NULL")
	case t.Kind == parse.Word:
		if _, ok := x.Value.(bool); ok {
			return p.raw()
		}
		return p.raw() // a unit or field that a special form takes
	}
	p.bad = true
	return nothing
}

func (p *printer) typedLiteral() doc {
	w := p.as(p.at(0).Upper)
	if p.at(0).Kind != parse.String {
		p.bad = true
	}
	return spaced(w, p.raw())
}

func (p *printer) interval(x *ast.Interval) doc {
	out := []doc{p.kw("INTERVAL")}
	for _, part := range x.Parts {
		value := join(p.maybeSign(), p.raw())
		out = append(out, value)
		if part.Unit != "" {
			out = append(out, p.as(p.at(0).Upper))
		}
	}
	if x.To != "" {
		out = append(out, p.kw("TO"), p.as(p.at(0).Upper))
	}
	return spaced(out...)
}

func (p *printer) maybeSign() doc {
	if p.isOp("-") || p.isOp("+") {
		return p.raw()
	}
	return nothing
}

func (p *printer) star(x *ast.Star) doc {
	var out []doc
	if x.Qualifier != nil {
		out = append(out, p.name(x.Qualifier), p.op("."))
	}
	out = append(out, p.op("*"))
	if x.Except != nil {
		out = append(out, space, p.kw("EXCEPT"), space, p.parenList(len(x.Except), func(i int) doc { return p.name(x.Except[i]) }))
	}
	return join(out...)
}

// path prints x:a.b[0].
func (p *printer) path(x *ast.Path) doc {
	out := []doc{p.expr(x.X), p.op(":")}
	for first := true; ; first = false {
		switch {
		case p.isOp("["):
			out = append(out, p.raw(), p.raw(), p.op("]"))
		case first:
			out = append(out, p.ident())
		case p.isOp("."):
			out = append(out, p.raw(), p.ident())
		default:
			return join(out...)
		}
		if p.bad {
			return nothing
		}
	}
}

func (p *printer) unary(x *ast.Unary) doc {
	switch {
	case p.isWord("NOT"):
		return spaced(p.kw("NOT"), p.expr(x.X))
	case x.Op == "not":
		return join(p.op("!"), p.expr(x.X))
	}
	sign := p.op(x.Op)
	if p.isOp("-") || p.isOp("+") { // "--" would be a comment
		return spaced(sign, p.expr(x.X))
	}
	return join(sign, p.expr(x.X))
}

// powers orders the operators that chains hold, weakest first.
var powers = map[string]int{
	"or": 1, "and": 2,
	"=": 3, "==": 3, "<>": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "<=>": 3, "is distinct from": 4, "is not distinct from": 4,
	"|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8, ">>>": 8, "+": 9, "-": 9, "||": 9, "*": 10, "/": 10, "%": 10, "div": 10,
}

// infix gives the parts of an operator with two sides.
func infix(x ast.Expr) (op string, l, r ast.Expr) {
	switch x := x.(type) {
	case *ast.Binary:
		return x.Op, x.L, x.R
	case *ast.Call:
		if x.Syntax == "concat" && len(x.Args) == 2 {
			return "||", x.Args[0], x.Args[1]
		}
	}
	return "", nil, nil
}

// chain prints operators of one power that follow each other, which nest to
// the left, without recursion.
func (p *printer) chain(x ast.Expr) doc {
	type step struct {
		op string
		r  ast.Expr
	}
	op, l, r := infix(x)
	power := powers[op]
	if power == 0 {
		p.bad = true
		return nothing
	}
	steps := []step{{op, r}}
	for p.src.Parens(l) == 0 {
		o, ll, rr := infix(l)
		if powers[o] != power {
			break
		}
		steps = append(steps, step{o, rr})
		l = ll
	}
	first := p.expr(l)
	var rest []doc
	for _, s := range slices.Backward(steps) {
		rest = append(rest, newline, p.operator(s.op), space, p.expr(s.r))
		if p.bad {
			return nothing
		}
	}
	return fill(first, indent(rest...))
}

func (p *printer) operator(op string) doc {
	switch op {
	case "and", "or", "div":
		return p.as(p.at(0).Upper)
	case "is distinct from":
		return p.kw("IS", "DISTINCT", "FROM")
	case "is not distinct from":
		return p.kw("IS", "NOT", "DISTINCT", "FROM")
	case "<<", ">>", ">>>":
		var out []doc
		for i := range op {
			out = append(out, p.op(op[i:i+1]))
		}
		return join(out...)
	}
	return p.op(op)
}

// not takes NOT or !, which negates a predicate.
func (p *printer) not(is bool) doc {
	switch {
	case !is:
		return nothing
	case p.isOp("!"):
		return p.raw()
	}
	return p.kw("NOT")
}

func (p *printer) predicate(x ast.Expr) doc {
	switch x := x.(type) {
	case *ast.Is:
		v := p.expr(x.X)
		return spaced(v, p.kw("IS"), p.not(x.Not), p.oneOf("NULL", "TRUE", "FALSE", "UNKNOWN"))
	case *ast.Between:
		v := p.expr(x.X)
		return spaced(v, p.not(x.Not), p.kw("BETWEEN"), p.expr(x.Lo), p.kw("AND"), p.expr(x.Hi))
	case *ast.In:
		v := spaced(p.expr(x.X), p.not(x.Not), p.kw("IN"))
		if x.Query != nil {
			return spaced(v, p.parens(func() doc { return p.query(x.Query) }))
		}
		return spaced(v, p.parenList(len(x.List), func(i int) doc { return p.expr(x.List[i]) }))
	case *ast.Like:
		return p.like(x)
	}
	p.bad = true
	return nothing
}

func (p *printer) like(x *ast.Like) doc {
	v := spaced(p.expr(x.X), p.not(x.Not), p.oneOf("LIKE", "ILIKE", "RLIKE", "REGEXP"))
	if x.Quantifier != "" {
		return spaced(v, p.oneOf("ANY", "SOME", "ALL"), p.parenList(len(x.Patterns), func(i int) doc { return p.expr(x.Patterns[i]) }))
	}
	v = spaced(v, p.expr(x.Patterns[0]))
	if x.Escape == nil {
		return v
	}
	return spaced(v, p.kw("ESCAPE"), p.expr(x.Escape))
}

func (p *printer) caseExpr(x *ast.Case) doc {
	head := p.kw("CASE")
	if x.Operand != nil {
		head = spaced(head, p.expr(x.Operand))
	}
	var arms []doc
	for _, w := range x.When {
		cond := spaced(p.kw("WHEN"), p.expr(w.Cond))
		arms = append(arms, newline, fill(cond, indent(newline, spaced(p.kw("THEN"), p.expr(w.Then)))))
		if p.bad {
			return nothing
		}
	}
	if x.Else != nil {
		arms = append(arms, newline, spaced(p.kw("ELSE"), p.expr(x.Else)))
	}
	return short(head, indent(arms...), newline, p.kw("END"))
}

func (p *printer) cast(x *ast.Cast) doc {
	if !p.isWord("CAST", "TRY_CAST") || !p.opAt(1, "(") || x.Pos().Offset != p.off() {
		return join(p.expr(x.X), p.op("::"), p.dataType())
	}
	name := p.oneOf("CAST", "TRY_CAST")
	return join(name, p.parens(func() doc { return spaced(p.expr(x.X), p.kw("AS"), p.dataType()) }))
}

func (p *printer) lambda(x *ast.Lambda) doc {
	var params doc
	if p.isOp("(") {
		params = p.idents(len(x.Params))
	} else {
		params = p.ident()
	}
	arrow := p.op("->")
	return fill(params, space, arrow, indent(newline, p.expr(x.Body)))
}

func (p *printer) param(x *ast.Param) doc {
	if x.Index >= 0 {
		return p.op("?")
	}
	return join(p.op(":"), p.ident())
}

func (p *printer) tableArg(x *ast.TableArg) doc {
	w := p.kw("TABLE")
	if p.isOp("(") {
		return join(w, p.parens(func() doc { return p.query(x.Query) }))
	}
	return spaced(w, p.query(x.Query))
}

// aliased prints [AS] name behind what has it; AS is always written.
func (p *printer) aliased(x doc) doc {
	if k := p.at(1).Kind; p.isWord("AS") && (k == parse.Word || k == parse.Quoted) {
		return spaced(x, p.kw("AS"), p.ident())
	}
	return spaced(x, text("AS"), p.ident())
}
