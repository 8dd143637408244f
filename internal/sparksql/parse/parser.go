package parse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/types"
)

const (
	// maxDepth bounds how deep expressions, queries and types nest.
	maxDepth = 400
	// maxChain bounds operators, joins and set operations in a row, which nest
	// to the left.
	maxChain = 4000
	// maxInner bounds lambdas and sub-queries inside one another's expressions:
	// each level doubles the work of planning.
	maxInner = 16
)

type parser struct {
	src    string
	base   sparksql.Pos
	toks   []token
	i      int
	depth  int
	params int // "?" seen so far
	cases  int // CASE expressions that are open
	inner  int // lambdas and sub-queries of expressions that are open
	// parens counts the parentheses around expressions, which trees do not
	// show; nil where nobody asks.
	parens map[ast.Expr]int
	// markers counts "?" and ":name" together.
	markers int
	// dynamic: the statement has a name that is IDENTIFIER(x); script: it
	// stands in BEGIN ... END, where scopes are the labels around it.
	dynamic bool
	script  *scriptScope
	// lenient puts off the error of an unknown type, the first of which late is,
	// until the text around it is read.
	lenient bool
	late    error
}

// Statements parses all statements of a file, separated by semicolons.
func Statements(file, text string) ([]ast.Statement, error) {
	p, err := newParser(sparksql.Pos{File: file}, text)
	if err != nil {
		return nil, err
	}
	return p.all()
}

func (p *parser) all() ([]ast.Statement, error) {
	var out []ast.Statement
	for {
		for p.acceptOp(";") {
		}
		if p.cur().kind == tEOF {
			return out, nil
		}
		st, err := p.one()
		if err != nil {
			return nil, err
		}
		out = append(out, st)
		if p.cur().kind != tEOF && !p.isOp(";") {
			return nil, p.expected("end of the statement or ;")
		}
	}
}

// Statement parses a text that holds one statement, perhaps with a semicolon.
func Statement(file, text string) (ast.Statement, error) {
	return StatementAt(sparksql.Pos{File: file}, text)
}

// Quotes says what a session's settings make of quotes.
type Quotes struct {
	// Raw strings know no escapes (spark.sql.parser.escapedStringLiterals): a
	// backslash only keeps a quote from ending its string, and both stay in it.
	Raw bool
	// Names stand in double quotes, too (spark.sql.ansi.doubleQuotedIdentifiers),
	// where else strings stand in them.
	Names bool
}

// StatementOf is Statement for a session with such quotes.
func StatementOf(text string, quotes Quotes) (ast.Statement, error) {
	return statement(sparksql.Pos{}, text, quotes)
}

// StatementAt is Statement for a text that stands at a place of a file: its
// positions count from there.
func StatementAt(at sparksql.Pos, text string) (ast.Statement, error) {
	return statement(at, text, Quotes{})
}

func statement(at sparksql.Pos, text string, quotes Quotes) (ast.Statement, error) {
	p, err := quotesParser(at, text, quotes)
	if err != nil {
		return nil, err
	}
	for p.acceptOp(";") {
	}
	if p.cur().kind == tEOF {
		if strings.TrimSpace(text) != "" { // semicolons or comments
			return nil, p.expected("a statement")
		}
		return nil, parseError("PARSE_EMPTY_STATEMENT", "42617", p.pos(), "expected a statement, found nothing")
	}
	st, err := p.one()
	if err != nil {
		return nil, err
	}
	for p.acceptOp(";") {
	}
	if p.cur().kind != tEOF {
		return nil, p.expected("end of the statement")
	}
	return st, nil
}

// Split gives the texts of the statements; comments, strings and scripts may
// hold semicolons. Only BEGIN ... END is parsed.
func Split(file, text string) ([]string, error) {
	p, err := newParser(sparksql.Pos{File: file}, text)
	if err != nil {
		return nil, err
	}
	var out []string
	for {
		for p.acceptOp(";") {
		}
		if p.cur().kind == tEOF {
			return out, nil
		}
		start := p.i
		if p.isWord("BEGIN") && !p.endsAt(1) {
			if _, err := p.one(); err != nil {
				return nil, err
			}
		}
		for p.cur().kind != tEOF && !p.isOp(";") {
			p.i++
		}
		out = append(out, p.textFrom(start))
	}
}

// Expression parses one expression.
func Expression(text string) (ast.Expr, error) {
	return whole(text, (*parser).expr)
}

// DataType parses a type: "INT", "array<decimal(10,2)>".
func DataType(text string) (types.Type, error) {
	return whole(text, func(p *parser) (types.Type, error) {
		p.lenient = true
		return p.dataType()
	})
}

// Schema parses a list of columns as from_json and read_files take it: DDL
// ("a INT, b ARRAY<STRING>") or a struct type.
func Schema(text string) ([]types.Field, error) {
	fields, err := whole(text, func(p *parser) ([]types.Field, error) { return p.structFields("") })
	if err == nil {
		return fields, nil
	}
	if t, terr := DataType(text); terr == nil {
		if s, ok := t.(types.Struct); ok {
			return s.Fields, nil
		}
	}
	return nil, err
}

func whole[T any](text string, f func(*parser) (T, error)) (T, error) {
	var zero T
	p, err := newParser(sparksql.Pos{}, text)
	if err != nil {
		return zero, err
	}
	v, err := f(p)
	if err != nil {
		return zero, err
	}
	if p.cur().kind != tEOF {
		return zero, p.expected("end of the text")
	}
	return v, p.late
}

func newParser(base sparksql.Pos, text string) (*parser, error) {
	return quotesParser(base, text, Quotes{})
}

func quotesParser(base sparksql.Pos, text string, quotes Quotes) (*parser, error) {
	toks, err := lex(base, text, quotes)
	if err != nil {
		return nil, err
	}
	return &parser{src: text, base: base, toks: toks}, nil
}

func parseError(class, state string, pos sparksql.Pos, format string, args ...any) error {
	return &sparksql.Error{Class: class, SQLState: state, Phase: sparksql.PhaseParse, Pos: pos, Message: fmt.Sprintf(format, args...)}
}

// expected is the syntax error at the current token.
func (p *parser) expected(what string) error {
	t := p.cur()
	near := "end of input"
	if t.kind != tEOF {
		s := p.src[t.off:t.end]
		if r := []rune(s); len(r) > 40 {
			s = string(r[:40]) + "..."
		}
		near = "'" + s + "'"
	}
	return parseError("PARSE_SYNTAX_ERROR", "42601", p.pos(), "syntax error at or near %s; expected %s", near, what)
}

func (p *parser) fail(t token, class, state, format string, args ...any) error {
	return parseError(class, state, p.at(t), format, args...)
}

func (p *parser) at(t token) sparksql.Pos {
	return place(p.base, t.line, t.col, t.off)
}

func (p *parser) pos() sparksql.Pos { return p.at(p.cur()) }

func (p *parser) here() ast.At { return ast.At{P: p.pos()} }

func (p *parser) cur() token { return p.toks[p.i] }

// peek is the token n places on; the last one is EOF for ever.
func (p *parser) peek(n int) token { return p.toks[min(p.i+n, len(p.toks)-1)] }

func (p *parser) next() token {
	t := p.toks[p.i]
	if t.kind != tEOF {
		p.i++
	}
	return t
}

// enter counts one level of nesting; the caller defers p.leave.
func (p *parser) enter() error {
	p.depth++
	if p.depth > maxDepth {
		return parseError("FAILED_TO_PARSE_TOO_COMPLEX", "54001", p.pos(), "the statement nests deeper than %d levels", maxDepth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// within parses a lambda's body or the sub-query of an expression.
func within[T any](p *parser, f func() (T, error)) (T, error) {
	p.inner++
	defer func() { p.inner-- }()
	if p.inner > maxInner {
		var none T
		return none, parseError("FAILED_TO_PARSE_TOO_COMPLEX", "54001", p.pos(), "more than %d lambdas or sub-queries of expressions inside one another", maxInner)
	}
	return f()
}

// innerQuery is the sub-query of an expression.
func (p *parser) innerQuery() (*ast.Query, error) { return within(p, p.query) }

func (p *parser) chain(n int) error {
	if n > maxChain {
		return parseError("FAILED_TO_PARSE_TOO_COMPLEX", "54001", p.pos(), "more than %d operators in a row", maxChain)
	}
	return nil
}

func (p *parser) isOp(op string) bool {
	t := p.cur()
	return t.kind == tOp && t.text == op
}

func (p *parser) peekOp(n int, op string) bool {
	t := p.peek(n)
	return t.kind == tOp && t.text == op
}

func (p *parser) acceptOp(op string) bool {
	if p.isOp(op) {
		p.i++
		return true
	}
	return false
}

func (p *parser) needOp(op string) error {
	if !p.acceptOp(op) {
		return p.expected(op)
	}
	return nil
}

// isWord tells whether the current token is one of the words (upper case).
func (p *parser) isWord(words ...string) bool { return p.wordAt(0, words...) }

func (p *parser) wordAt(n int, words ...string) bool {
	t := p.peek(n)
	if t.kind != tIdent {
		return false
	}
	return slices.Contains(words, t.up)
}

// words tells whether the next tokens are exactly these words.
func (p *parser) words(seq ...string) bool {
	for n, w := range seq {
		if !p.wordAt(n, w) {
			return false
		}
	}
	return true
}

// accept takes the words if all of them come next.
func (p *parser) accept(seq ...string) bool {
	if !p.words(seq...) {
		return false
	}
	p.i += len(seq)
	return true
}

func (p *parser) need(seq ...string) error {
	for _, w := range seq {
		if !p.accept(w) {
			return p.expected(w)
		}
	}
	return nil
}

// endsHere tells whether nothing of the statement follows the token n on.
func (p *parser) endsAt(n int) bool {
	t := p.peek(n)
	return t.kind == tEOF || t.kind == tOp && (t.text == ")" || t.text == ";" || t.text == "," || t.text == "|>")
}

// equal compares words without regard to case.
func equal(words []string, want ...string) bool {
	return slices.EqualFunc(words, want, strings.EqualFold)
}

func (p *parser) isIdent() bool {
	k := p.cur().kind
	return k == tIdent || k == tQuoted
}

// ident parses one part of a name, which may be IDENTIFIER('text').
func (p *parser) ident(what string) (ast.Ident, error) {
	if p.isWord("IDENTIFIER") && p.peekOp(1, "(") && p.peek(2).kind == tString && p.peekOp(3, ")") {
		return p.quotedIdent()
	}
	return p.plainIdent(what)
}

func (p *parser) plainIdent(what string) (ast.Ident, error) {
	t := p.cur()
	if t.kind != tIdent && t.kind != tQuoted {
		return ast.Ident{}, p.expected(what)
	}
	p.i++
	return ast.Ident{At: ast.At{P: p.at(t)}, Name: t.text, Quoted: t.kind == tQuoted}, nil
}

// wholeIdent is ident where no operator can follow: what a minus joins to an
// unquoted identifier was meant as one name.
func (p *parser) wholeIdent(what string) (ast.Ident, error) {
	id, err := p.ident(what)
	if err == nil {
		err = p.noHyphen()
	}
	return id, err
}

func (p *parser) noHyphen() error {
	if k := p.peek(1).kind; !p.isOp("-") || k != tIdent && k != tQuoted {
		return nil
	}
	return p.fail(p.cur(), "INVALID_IDENTIFIER", "42602", "an unquoted identifier holds no hyphen; put the name in backticks")
}

// quotedIdent parses IDENTIFIER('text') as one part.
func (p *parser) quotedIdent() (ast.Ident, error) {
	at := p.here()
	t := p.peek(2)
	n, err := Name(t.text)
	if err != nil {
		return ast.Ident{}, err
	}
	if len(n) != 1 {
		return ast.Ident{}, p.fail(t, "IDENTIFIER_TOO_MANY_NAME_PARTS", "42601", "%q is no identifier: it has %d parts, not one", t.text, len(n))
	}
	p.i += 4
	return ast.Ident{At: at, Name: n[0].Name, Quoted: true}, nil
}

// Name parses a text that holds a name: a.b.c.
func Name(text string) (ast.Name, error) {
	p, err := newParser(sparksql.Pos{}, text)
	if err != nil {
		return nil, err
	}
	if p.cur().kind == tEOF {
		return nil, parseError("PARSE_EMPTY_STATEMENT", "42617", p.pos(), "expected a name, found nothing")
	}
	n, err := p.name("a name")
	if err == nil && p.cur().kind != tEOF {
		err = p.expected("end of the name")
	}
	return n, err
}

// name parses a.b.c; the first part may be IDENTIFIER(x).
func (p *parser) name(what string) (ast.Name, error) {
	var id ast.Ident
	var err error
	if p.isWord("IDENTIFIER") && p.peekOp(1, "(") {
		id.At = p.here()
		p.i++
		p.dynamic = true
		id.X, err = parens(p, p.expr)
	} else {
		id, err = p.plainIdent(what)
	}
	if err != nil {
		return nil, err
	}
	out := ast.Name{id}
	for p.isOp(".") {
		p.i++
		if id, err = p.ident("a name after ."); err != nil {
			return nil, err
		}
		out = append(out, id)
		if err := p.chain(len(out)); err != nil {
			return nil, err
		}
	}
	return out, p.noHyphen()
}

func (p *parser) str(what string) (string, error) {
	if p.cur().kind != tString {
		return "", p.expected(what)
	}
	return p.next().text, nil
}

// list parses elements between commas.
func list[T any](p *parser, f func() (T, error)) ([]T, error) {
	var out []T
	for {
		v, err := f()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if !p.acceptOp(",") {
			return out, nil
		}
	}
}

// parens parses f between parentheses.
func parens[T any](p *parser, f func() (T, error)) (T, error) {
	var zero T
	if err := p.needOp("("); err != nil {
		return zero, err
	}
	v, err := f()
	if err != nil {
		return zero, err
	}
	return v, p.needOp(")")
}

// textFrom is the source between the token with index i and the current one.
func (p *parser) textFrom(i int) string {
	if p.i <= i {
		return ""
	}
	return strings.TrimSpace(p.src[p.toks[i].off:p.toks[p.i-1].end])
}
