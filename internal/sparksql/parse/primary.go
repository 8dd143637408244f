package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// primary parses an operand without its postfix.
func (p *parser) primary() (ast.Expr, error) {
	t := p.cur()
	at := p.here()
	switch t.kind {
	case tString:
		return p.stringLiteral(), nil
	case tNumber:
		return p.numberLiteral()
	case tQuoted:
		if p.peekOp(1, "->") {
			return p.lambda()
		}
		if p.peek(1).kind == tString {
			return p.typedLiteral()
		}
		return p.nameOrCall()
	case tIdent:
		return p.wordPrimary(t)
	case tOp:
		switch t.text {
		case "-":
			if p.peek(1).kind == tNumber {
				return p.numberLiteral()
			}
		case "(":
			return p.parenthesized()
		case "*":
			p.i++
			return p.star(&ast.Star{At: at})
		case "?":
			p.i++
			p.params++
			p.markers++
			return &ast.Param{At: at, Index: p.params - 1}, nil
		case ":":
			p.i++
			p.markers++
			id, err := p.ident("a parameter name after :")
			return &ast.Param{At: at, Name: id.Name, Index: -1}, err
		}
	}
	return nil, p.expected("an expression")
}

// star parses EXCEPT (...) behind a star.
func (p *parser) star(s *ast.Star) (ast.Expr, error) {
	if p.isWord("EXCEPT") && p.peekOp(1, "(") && !p.queryAt(2) {
		p.i++
		var err error
		s.Except, err = parens(p, func() ([]ast.Name, error) {
			return list(p, func() (ast.Name, error) { return p.name("a column") })
		})
		return s, err
	}
	return s, nil
}

// wordPrimary parses an operand that starts with a plain word.
func (p *parser) wordPrimary(t token) (ast.Expr, error) {
	at := p.here()
	call := p.peekOp(1, "(")
	dotted := p.peekOp(1, ".")
	switch {
	case t.up == "INTERVAL" && !call && p.intervalStarts():
		return p.intervalOrText()
	case p.peek(1).kind == tString && typedLiterals[t.up]:
		return p.typedLiteral()
	case dotted:
		return p.nameOrCall()
	case t.up == "NULL":
		p.i++
		return &ast.Literal{At: at, Type: types.Void}, nil
	case t.up == "TRUE" || t.up == "FALSE":
		p.i++
		return &ast.Literal{At: at, Value: t.up == "TRUE", Type: types.Boolean}, nil
	case t.up == "CASE" && p.whenFollows():
		return p.caseExpr()
	case call:
		p.i += 2
		x, handled, err := p.specialForm(t)
		if err != nil {
			return nil, err
		}
		if handled {
			return p.callTail(x)
		}
		p.i -= 2
	case bareFunctions[t.up]:
		p.i++
		return &ast.Call{At: at, Name: ast.Name{{At: at, Name: t.text}}, Syntax: "current"}, nil
	}
	if p.peekOp(1, "->") {
		return p.lambda()
	}
	if p.peek(1).kind == tString && (!p.isClause(0) || p.isWord("SELECT")) {
		return p.typedLiteral()
	}
	return p.nameOrCall()
}

// caseReach bounds how many tokens are looked at to tell a CASE apart.
const caseReach = 1024

// whenFollows tells whether the CASE here is an expression's: whether WHEN and
// THEN follow, maybe after an operand. Otherwise it is the name of a column or
// of a function.
func (p *parser) whenFollows() bool {
	nested := 0 // parentheses and CASE expressions that are open
	when := false
	for n := 1; n < caseReach; n++ {
		if p.peek(n).kind == tEOF {
			return false
		}
		switch {
		case p.peekOp(n, "("), p.peekOp(n, "["), p.wordAt(n, "CASE") && !p.peekOp(n+1, ")"):
			nested++
		case p.peekOp(n, ")"), p.peekOp(n, "]"), p.wordAt(n, "END"):
			if nested--; nested < 0 {
				return false
			}
		case nested > 0:
		case p.wordAt(n, "WHEN"):
			when = true
		case p.wordAt(n, "THEN"):
			return when
		case p.peekOp(n, ","), p.peekOp(n, ";"):
			return false
		}
	}
	return true
}

// intervalOrText parses INTERVAL '...' alone, or with units.
func (p *parser) intervalOrText() (ast.Expr, error) {
	if p.peek(1).kind == tString {
		if _, ok := intervalUnits[p.peek(2).up]; !ok {
			return p.typedLiteral()
		}
	}
	return p.interval()
}

// Functions that may stand without parentheses.
var bareFunctions = map[string]bool{
	"CURRENT_DATE": true, "CURRENT_TIMESTAMP": true, "CURRENT_USER": true, "USER": true, "SESSION_USER": true, "CURRENT_TIME": true,
}

func (p *parser) lambda() (ast.Expr, error) {
	at := p.here()
	var params []ast.Ident
	var err error
	if p.isOp("(") {
		if p.peekOp(2, ")") {
			return nil, p.expected("two parameters or more in parentheses")
		}
		params, err = parens(p, func() ([]ast.Ident, error) {
			return list(p, func() (ast.Ident, error) { return p.ident("a lambda parameter") })
		})
	} else {
		var id ast.Ident
		id, err = p.ident("a lambda parameter")
		params = []ast.Ident{id}
	}
	if err != nil {
		return nil, err
	}
	if err := p.needOp("->"); err != nil {
		return nil, err
	}
	body, err := within(p, p.expr)
	if err != nil {
		return nil, err
	}
	return &ast.Lambda{At: at, Params: params, Body: body}, nil
}

// parenthesized parses (expr), (a, b), (query) or (x, y) -> body.
func (p *parser) parenthesized() (ast.Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	at := p.here()
	if p.lambdaParams() {
		return p.lambda()
	}
	if p.queryAt(1) && !p.valueOfQuery() {
		if items, ok, err := p.valuesLikeQuery(2, p.namedExpr); ok {
			return &ast.Tuple{At: at, Items: items}, err
		}
		q, err := parens(p, p.innerQuery)
		if err != nil {
			return nil, err
		}
		return &ast.Subquery{At: at, Query: q}, nil
	}
	items, err := parens(p, func() ([]ast.Expr, error) { return list(p, p.namedExpr) })
	if err != nil {
		return nil, err
	}
	if len(items) == 1 {
		if _, alias := items[0].(*ast.Alias); alias {
			return nil, p.fail(p.peek(-1), "PARSE_SYNTAX_ERROR", "42601", "a single value in parentheses takes no alias; write struct(... AS name)")
		}
		if p.parens != nil {
			p.parens[items[0]]++
		}
		return items[0], nil
	}
	return &ast.Tuple{At: at, Items: items}, nil
}

// valuesLikeQuery parses what stands in parentheses and begins as a query where
// it is a list of so many values as well: Spark prefers these, with SELECT and
// VALUES as names, of a function before parentheses or a literal's type before
// a text.
func (p *parser) valuesLikeQuery(atLeast int, one func() (ast.Expr, error)) ([]ast.Expr, bool, error) {
	if t := p.peek(2); !p.wordAt(1, "SELECT", "VALUES") || t.kind != tString && (t.kind != tOp || !strings.Contains("(-+[", t.text)) {
		return nil, false, nil
	}
	saved := *p
	p.lenient, p.late = true, nil
	items, err := parens(p, func() ([]ast.Expr, error) { return list(p, one) })
	if err != nil || len(items) < atLeast {
		*p = saved
		return nil, false, nil
	}
	err, p.lenient, p.late = p.late, saved.lenient, saved.late
	return items, true, err
}

// lambdaParams tells whether (a, b) -> comes next.
func (p *parser) lambdaParams() bool {
	n := 1
	for {
		if k := p.peek(n).kind; k != tIdent && k != tQuoted {
			return false
		}
		if p.peekOp(n+1, ")") {
			return p.peekOp(n+2, "->")
		}
		if !p.peekOp(n+1, ",") {
			return false
		}
		n += 2
	}
}

// namedExpr parses expr [[AS] name].
func (p *parser) namedExpr() (ast.Expr, error) {
	x, err := p.expr()
	if err != nil {
		return nil, err
	}
	if p.isWord("AS") || p.isIdent() && !p.isClause(0) && !p.isWord("FROM", "FOR", "USING") {
		at := ast.At{P: x.Pos()}
		p.accept("AS")
		id, err := p.ident("an alias")
		if err != nil {
			return nil, err
		}
		return &ast.Alias{At: at, X: x, Name: id}, nil
	}
	return x, nil
}

func (p *parser) caseExpr() (ast.Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	c := &ast.Case{At: p.here()}
	p.i++
	p.cases++
	defer func() { p.cases-- }()
	var err error
	if !p.isWord("WHEN") {
		if c.Operand, err = p.expr(); err != nil {
			return nil, err
		}
	}
	for p.accept("WHEN") {
		var w ast.When
		if w.Cond, err = p.expr(); err != nil {
			return nil, err
		}
		if err := p.need("THEN"); err != nil {
			return nil, err
		}
		if w.Then, err = p.expr(); err != nil {
			return nil, err
		}
		c.When = append(c.When, w)
	}
	if len(c.When) == 0 {
		return nil, p.expected("WHEN")
	}
	if p.accept("ELSE") {
		if c.Else, err = p.expr(); err != nil {
			return nil, err
		}
	}
	return c, p.need("END")
}

// nameOrCall parses a name, t.*, or a function call.
func (p *parser) nameOrCall() (ast.Expr, error) {
	at := p.here()
	id, err := p.plainIdent("an expression")
	if err != nil {
		return nil, err
	}
	name := ast.Name{id}
	for p.isOp(".") {
		if p.peekOp(1, "*") {
			p.i += 2
			return p.star(&ast.Star{At: at, Qualifier: name})
		}
		p.i++
		if id, err = p.plainIdent("a name after ."); err != nil {
			return nil, err
		}
		name = append(name, id)
		if err := p.chain(len(name)); err != nil {
			return nil, err
		}
	}
	if !p.isOp("(") {
		return &ast.Column{At: at, Name: name}, nil
	}
	p.i++
	c := &ast.Call{At: at, Name: name}
	if err := p.callArgs(c); err != nil {
		return nil, err
	}
	if err := p.namedByExpr(c); err != nil {
		return nil, err
	}
	return p.callTail(c)
}

// namedByExpr parses the arguments of IDENTIFIER(x)(...).
func (p *parser) namedByExpr(c *ast.Call) error {
	if !p.isOp("(") || len(c.Name) != 1 || !strings.EqualFold(c.Name[0].Name, "identifier") || len(c.Args) != 1 {
		return nil
	}
	p.i++
	c.NameExpr, c.Args = c.Args[0], nil
	return p.callArgs(c)
}

// callArgs parses [DISTINCT|ALL] args ")".
func (p *parser) callArgs(c *ast.Call) error {
	if p.acceptOp(")") {
		return nil
	}
	if p.isWord("DISTINCT") && !p.peekOp(1, ")") && !p.peekOp(1, ",") {
		p.i++
		c.Distinct = true
	} else if p.isWord("ALL") && !p.peekOp(1, ")") && !p.peekOp(1, ",") {
		p.i++
	}
	var err error
	if c.Args, err = list(p, p.callArg); err != nil {
		return err
	}
	// first(x IGNORE NULLS) may say so inside.
	p.nulls(c)
	return p.needOp(")")
}

func (p *parser) callArg() (ast.Expr, error) {
	at := p.here()
	if p.isIdent() && p.peekOp(1, "=>") {
		id, _ := p.ident("")
		p.i++
		x, err := p.callArg()
		return &ast.NamedArg{At: at, Name: id, X: x}, err
	}
	if p.isIdent() && p.peekOp(1, ".") { // `kafka.x` is quoted, but a.b => v may be written too
		n := 1
		for p.peekOp(n, ".") && (p.peek(n+1).kind == tIdent || p.peek(n+1).kind == tQuoted) {
			n += 2
		}
		if p.peekOp(n, "=>") {
			name, err := p.name("an argument name")
			if err != nil {
				return nil, err
			}
			p.i++
			text := strings.Join(name.Strings(), ".")
			x, err := p.callArg()
			return &ast.NamedArg{At: at, Name: ast.Ident{At: at, Name: text}, X: x}, err
		}
	}
	if p.isWord("TABLE") && (p.peekOp(1, "(") || p.peek(1).kind == tIdent && !p.endsAt(1)) {
		p.i++
		if p.isOp("(") {
			q, err := parens(p, p.queryOrTable)
			return &ast.TableArg{At: at, Query: q}, err
		}
		name, err := p.name("a table")
		return &ast.TableArg{At: at, Query: &ast.Query{At: at, Body: &ast.Table{At: at, Name: name}}}, err
	}
	return p.expr()
}

// nulls parses IGNORE NULLS or RESPECT NULLS.
func (p *parser) nulls(c *ast.Call) {
	switch {
	case p.accept("IGNORE", "NULLS"):
		c.IgnoreNulls = true
	case p.accept("RESPECT", "NULLS"):
		c.RespectNulls = true
	}
}

// callTail parses WITHIN GROUP, FILTER, IGNORE NULLS and OVER.
func (p *parser) callTail(x ast.Expr) (ast.Expr, error) {
	c, ok := x.(*ast.Call)
	if !ok {
		return x, nil
	}
	if p.words("WITHIN", "GROUP") {
		p.i += 2
		items, err := parens(p, func() ([]ast.SortItem, error) {
			if err := p.need("ORDER", "BY"); err != nil {
				return nil, err
			}
			return list(p, p.sortItem)
		})
		if err != nil {
			return nil, err
		}
		c.Within = items
	}
	if p.isWord("FILTER") && p.peekOp(1, "(") {
		p.i++
		f, err := parens(p, func() (ast.Expr, error) {
			if err := p.need("WHERE"); err != nil {
				return nil, err
			}
			return p.expr()
		})
		if err != nil {
			return nil, err
		}
		c.Filter = f
	}
	p.nulls(c)
	if p.isWord("OVER") && (p.peekOp(1, "(") || p.peek(1).kind == tIdent || p.peek(1).kind == tQuoted) {
		p.i++
		spec, err := p.windowSpec()
		if err != nil {
			return nil, err
		}
		c.Over = spec
	}
	return c, nil
}
