package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
)

// expr parses a boolean expression: OR over AND over NOT over predicates.
func (p *parser) expr() (ast.Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	l, err := p.conjunction()
	for n := 1; err == nil && p.isWord("OR") && !p.endsAt(1); n++ {
		l, err = p.boolTail(l, n, p.conjunction)
	}
	return l, err
}

func (p *parser) conjunction() (ast.Expr, error) {
	l, err := p.negation()
	for n := 1; err == nil && p.isWord("AND") && !p.endsAt(1); n++ {
		l, err = p.boolTail(l, n, p.negation)
	}
	return l, err
}

func (p *parser) boolTail(l ast.Expr, n int, right func() (ast.Expr, error)) (ast.Expr, error) {
	if err := p.chain(n); err != nil {
		return nil, err
	}
	op := p.next()
	r, err := right()
	if err != nil {
		return nil, err
	}
	return &ast.Binary{At: ast.At{P: l.Pos()}, Op: map[string]string{"OR": "or", "AND": "and"}[op.up], L: l, R: r, OpPos: p.at(op)}, nil
}

func (p *parser) negation() (ast.Expr, error) {
	at := p.here()
	if p.isOp("!") || p.isWord("NOT") && !p.endsAt(1) && !p.peekOp(1, ".") {
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		p.i++
		x, err := p.negation()
		if err != nil {
			return nil, err
		}
		return &ast.Unary{At: at, Op: "not", X: x}, nil
	}
	if p.isWord("EXISTS") && p.peekOp(1, "(") && p.queryAt(2) {
		p.i++
		q, err := parens(p, p.innerQuery)
		if err != nil {
			return nil, err
		}
		return &ast.Exists{At: at, Query: q}, nil
	}
	x, err := p.value(0)
	if err != nil {
		return nil, err
	}
	return p.predicate(x)
}

// predicate parses what may follow a value once: IS, BETWEEN, IN, LIKE.
func (p *parser) predicate(x ast.Expr) (ast.Expr, error) {
	at := ast.At{P: x.Pos()}
	if p.isWord("IS") {
		return p.isPredicate(x)
	}
	not := 0
	if p.isWord("NOT") || p.isOp("!") {
		not = 1
	}
	switch {
	case p.wordAt(not, "BETWEEN") && !p.endsAt(not+1):
		p.i += not + 1
		lo, err := p.value(0)
		if err != nil {
			return nil, err
		}
		if err := p.need("AND"); err != nil {
			return nil, err
		}
		hi, err := p.value(0)
		if err != nil {
			return nil, err
		}
		return &ast.Between{At: at, X: x, Lo: lo, Hi: hi, Not: not > 0}, nil
	case p.wordAt(not, "IN") && p.peekOp(not+1, "("):
		p.i += not + 1
		return p.inPredicate(&ast.In{At: at, X: x, Not: not > 0})
	case p.wordAt(not, "LIKE", "ILIKE", "RLIKE", "REGEXP") && !p.endsAt(not+1):
		p.i += not
		return p.likePredicate(x, not > 0)
	}
	return x, nil
}

func (p *parser) isPredicate(x ast.Expr) (ast.Expr, error) {
	if p.endsAt(1) {
		return x, nil
	}
	at := ast.At{P: x.Pos()}
	op := p.next()
	not := p.accept("NOT")
	what := map[string]string{"NULL": "null", "TRUE": "true", "FALSE": "false", "UNKNOWN": "unknown"}[p.cur().up]
	if what != "" {
		p.i++
		return &ast.Is{At: at, X: x, What: what, Not: not}, nil
	}
	if !p.accept("DISTINCT", "FROM") {
		return nil, p.expected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM after IS")
	}
	r, err := p.value(0)
	if err != nil {
		return nil, err
	}
	b := &ast.Binary{At: at, Op: "is distinct from", L: x, R: r, OpPos: p.at(op)}
	if not {
		b.Op = "is not distinct from"
	}
	return b, nil
}

// listOfQueries tells IN ((SELECT ...), x) from IN ((SELECT ...) UNION ...).
func (p *parser) listOfQueries() bool {
	end, ok := p.innerQueryEnd()
	return ok && (p.peekOp(end, ")") || p.valueOfQuery())
}

// valueOfQuery tells ((SELECT ...), x) and ((SELECT ...) + x) from a query.
func (p *parser) valueOfQuery() bool {
	end, ok := p.innerQueryEnd()
	if !ok || p.peekOp(end, ")") || p.peekOp(end, "|>") {
		return false
	}
	return !p.wordAt(end, "UNION", "EXCEPT", "MINUS", "SETMINUS", "INTERSECT", "ORDER", "LIMIT", "OFFSET", "SORT", "CLUSTER", "DISTRIBUTE", "WINDOW")
}

// innerQueryEnd is where the tokens go on behind (SELECT ...) in ((SELECT ...).
func (p *parser) innerQueryEnd() (int, bool) {
	if !p.peekOp(1, "(") {
		return 0, false
	}
	depth := 0
	for n := 1; ; n++ {
		t := p.peek(n)
		switch {
		case t.kind == tEOF:
			return 0, false
		case t.kind != tOp:
		case t.text == "(":
			depth++
		case t.text == ")":
			if depth--; depth == 0 {
				return n + 1, true
			}
		}
	}
}

func (p *parser) inPredicate(in *ast.In) (ast.Expr, error) {
	var err error
	if p.queryAt(1) && !p.listOfQueries() {
		if items, ok, err := p.valuesLikeQuery(1, p.expr); ok {
			in.List = items
			return in, err
		}
		in.Query, err = parens(p, p.innerQuery)
		return in, err
	}
	if p.peekOp(1, ")") {
		return nil, p.fail(p.cur(), "INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE", "42000", "IN needs at least one value")
	}
	in.List, err = parens(p, func() ([]ast.Expr, error) { return list(p, p.expr) })
	return in, err
}

func (p *parser) likePredicate(x ast.Expr, not bool) (ast.Expr, error) {
	t := p.next()
	l := &ast.Like{At: ast.At{P: x.Pos()}, Op: map[string]string{"LIKE": "like", "ILIKE": "ilike", "RLIKE": "rlike", "REGEXP": "rlike"}[t.up], X: x, Not: not}
	if l.Op != "rlike" && p.isWord("ANY", "SOME", "ALL") && p.peekOp(1, "(") {
		l.Quantifier = map[string]string{"ANY": "any", "SOME": "any", "ALL": "all"}[p.next().up]
		if p.peekOp(1, ")") {
			return nil, p.fail(t, "_LEGACY_ERROR_TEMP_0064", "", "LIKE %s needs at least one pattern", l.Quantifier)
		}
		var err error
		l.Patterns, err = parens(p, func() ([]ast.Expr, error) { return list(p, p.expr) })
		return l, err
	}
	pat, err := p.value(0)
	if err != nil {
		return nil, err
	}
	l.Patterns = []ast.Expr{pat}
	if l.Op != "rlike" && p.isWord("ESCAPE") && p.peek(1).kind == tString {
		p.i++
		e := p.next()
		if len([]rune(e.text)) != 1 {
			return nil, p.fail(e, "INVALID_ESC", "42604", "the escape must be one character, found %q", e.text)
		}
		l.Escape = stringLiteral(p.at(e), e.text)
	}
	return l, nil
}

// Binding powers of the operators between values, weakest first.
var binding = map[string]int{
	"=": 1, "==": 1, "<>": 1, "!=": 1, "<": 1, "<=": 1, ">": 1, ">=": 1, "<=>": 1,
	"|": 2, "^": 3, "&": 4, "<<": 5, ">>": 5, ">>>": 5,
	"+": 6, "-": 6, "||": 6, "*": 7, "/": 7, "%": 7, "div": 7,
}

// operator is the operator between values that comes next, with the number of
// its tokens; "" where there is none.
func (p *parser) operator() (string, int) {
	t := p.cur()
	if t.kind == tIdent && t.up == "DIV" && !p.endsAt(1) {
		return "div", 1
	}
	if t.kind != tOp {
		return "", 0
	}
	if t.text == "<" || t.text == ">" { // shifts are written without a space
		n := 1
		for n < 3 && p.peekOp(n, t.text) && p.peek(n).off == p.peek(n-1).end {
			n++
		}
		switch {
		case t.text == "<" && n >= 2:
			return "<<", 2
		case n >= 2 && p.typesOpen() > 0:
			return "", 0
		case n == 2:
			return ">>", 2
		case n == 3:
			return ">>>", 3
		}
	}
	switch t.text { // not greater, not less
	case "!>":
		return "<=", 1
	case "!<":
		return ">=", 1
	}
	if binding[t.text] > 0 {
		return t.text, 1
	}
	return "", 0
}

// typesOpen is how many of the words ARRAY, MAP and STRUCT before the current
// token have met no ">" yet. Spark's lexer takes every one of them for the begin
// of a type, and ">>" behind it for the end of two.
func (p *parser) typesOpen() int {
	open := 0
	for _, t := range p.toks[:p.i] {
		switch {
		case t.kind == tIdent && (t.up == "ARRAY" || t.up == "MAP" || t.up == "STRUCT"):
			open++
		case t.kind == tOp && t.text == ">" && open > 0:
			open--
		}
	}
	return open
}

// value parses operators that bind at least as tightly as min, all of them
// grouping to the left.
func (p *parser) value(least int) (ast.Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	l, err := p.unary()
	for n := 1; err == nil; n++ {
		op, width := p.operator()
		power := binding[op]
		if op == "" || power < least {
			return l, nil
		}
		if err := p.chain(n); err != nil {
			return nil, err
		}
		at := p.cur()
		p.i += width
		var r ast.Expr
		if r, err = p.value(power + 1); err != nil {
			return nil, err
		}
		l = p.binary(op, l, r, p.at(at))
	}
	return nil, err
}

func (p *parser) binary(op string, l, r ast.Expr, at sparksql.Pos) ast.Expr {
	if op == "||" {
		return &ast.Call{At: ast.At{P: l.Pos()}, Name: ast.Name{{At: ast.At{P: at}, Name: "concat"}}, Args: []ast.Expr{l, r}, Syntax: "concat"}
	}
	return &ast.Binary{At: ast.At{P: l.Pos()}, Op: op, L: l, R: r, OpPos: at}
}

func (p *parser) unary() (ast.Expr, error) {
	t := p.cur()
	if t.kind != tOp || t.text != "-" && t.text != "+" && t.text != "~" {
		return p.postfix()
	}
	if t.text == "-" && p.peek(1).kind == tNumber {
		return p.postfix() // a negative number is one literal
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.i++
	x, err := p.unary()
	if err != nil {
		return nil, err
	}
	return &ast.Unary{At: ast.At{P: p.at(t)}, Op: t.text, X: x}, nil
}

// postfix parses a primary and what hangs on it: .field, [index], ::type,
// :path, COLLATE.
func (p *parser) postfix() (ast.Expr, error) {
	x, err := p.primary()
	for n := 1; err == nil; n++ {
		at := ast.At{P: x.Pos()}
		switch {
		case p.isOp("."):
			p.i++
			var id ast.Ident
			if id, err = p.ident("a field name after ."); err == nil {
				x = p.field(x, id)
			}
		case p.isOp("["):
			p.i++
			var i ast.Expr
			if i, err = p.value(0); err == nil {
				x = &ast.Index{At: at, X: x, I: i}
				err = p.needOp("]")
			}
		case p.isOp("::"):
			p.i++
			c := &ast.Cast{At: at, X: x}
			c.Type, err = p.dataType()
			x = c
		case p.isOp(":") && p.pathFollows(x):
			x, err = p.path(x)
		case p.isWord("COLLATE") && (p.peek(1).kind == tIdent || p.peek(1).kind == tQuoted):
			p.i++
			c := &ast.Collate{At: at, X: x}
			c.Name, err = p.name("a collation")
			x = c
		default:
			return x, nil
		}
		if err == nil {
			err = p.chain(n)
		}
	}
	return nil, err
}

func (p *parser) field(x ast.Expr, id ast.Ident) ast.Expr {
	if c, ok := x.(*ast.Column); ok {
		return &ast.Column{At: c.At, Name: append(c.Name[:len(c.Name):len(c.Name)], id)}
	}
	return &ast.Field{At: ast.At{P: x.Pos()}, X: x, Name: id}
}

func (p *parser) pathFollows(x ast.Expr) bool {
	switch x.(type) {
	case *ast.Column, *ast.Field, *ast.Call, *ast.Index, *ast.Path:
		k := p.peek(1).kind
		return k == tIdent || k == tQuoted || p.peekOp(1, "[")
	}
	return false
}

// stepAhead tells whether the bracket here holds a step of a path: a whole
// number, a text or *.
func (p *parser) stepAhead() bool {
	t := p.peek(1)
	whole := t.kind == tNumber && strings.Trim(t.text, "0123456789") == ""
	return (whole || t.kind == tString || p.peekOp(1, "*")) && p.peekOp(2, "]")
}

// path parses x:a.b[0].
func (p *parser) path(x ast.Expr) (ast.Expr, error) {
	p.i++
	start := p.i
	for first := true; ; first = false {
		switch {
		case p.isOp("[") && !first && !p.stepAhead(): // an index of the value that the path leads to
			return &ast.Path{At: ast.At{P: x.Pos()}, X: x, Path: p.textFrom(start)}, nil
		case p.isOp("["):
			p.i++
			if k := p.cur().kind; k != tNumber && k != tString && !p.isOp("*") {
				return nil, p.expected("an index or a key in the path")
			}
			p.i++
			if err := p.needOp("]"); err != nil {
				return nil, err
			}
		case first || p.acceptOp("."):
			if _, err := p.ident("a path"); err != nil {
				return nil, err
			}
		default:
			return &ast.Path{At: ast.At{P: x.Pos()}, X: x, Path: p.textFrom(start)}, nil
		}
	}
}
