package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// Words that begin a clause and so end an expression or a table reference.
// The value is what must follow for the word to be the clause ("" = anything).
var clauseWords = map[string]string{
	"FROM": "", "WHERE": "", "GROUP": "BY", "HAVING": "", "QUALIFY": "", "ORDER": "BY", "SORT": "BY",
	"CLUSTER": "BY", "DISTRIBUTE": "BY", "LIMIT": "", "OFFSET": "", "UNION": "", "EXCEPT": "", "MINUS": "",
	"SETMINUS": "", "INTERSECT": "", "ON": "", "USING": "", "JOIN": "", "INNER": "JOIN", "CROSS": "JOIN",
	"LATERAL": "", "PIVOT": "(", "UNPIVOT": "", "TABLESAMPLE": "(", "WATERMARK": "", "AND": "", "OR": "",
	"WHEN": "", "THEN": "", "ELSE": "", "END": "", "IN": "(", "WITH": "", "DESC": "", "ASC": "", "NULLS": "",
	"SELECT": "", "LEFT": "", "RIGHT": "", "FULL": "", "INSERT": "INTO", "SEMI": "JOIN", "ANTI": "JOIN", "NATURAL": "",
	"IGNORE": "NULLS", "RESPECT": "NULLS", "ROWS": "", "RANGE": "", "PRECEDING": "", "FOLLOWING": "",
	"IS": "", "BETWEEN": "", "LIKE": "", "ILIKE": "", "RLIKE": "", "REGEXP": "", "ESCAPE": "", "NOT": "", "AS": "", "DIV": "",
}

// strictWords cannot name a table even where nothing follows them.
var strictWords = map[string]bool{
	"ANTI": true, "CROSS": true, "EXCEPT": true, "FULL": true, "INNER": true, "INTERSECT": true, "JOIN": true,
	"LATERAL": true, "LEFT": true, "NATURAL": true, "ON": true, "RIGHT": true, "SEMI": true, "SETMINUS": true, "UNION": true, "USING": true,
}

// isClause tells whether the word n tokens on begins a clause. A clause word
// that nothing follows is a name: SELECT 1 FROM.
func (p *parser) isClause(n int) bool {
	t := p.peek(n)
	if t.kind != tIdent {
		return false
	}
	if t.up == "WINDOW" {
		return p.wordAt(n+2, "AS")
	}
	if t.up == "DO" && p.script != nil { // ends the query of FOR
		return true
	}
	must, ok := clauseWords[t.up]
	if !ok {
		return false
	}
	if t.up == "FROM" && p.wordAt(n+1, "WHERE") && p.isClause(n+1) { // no table stands behind it
		return false
	}
	if t.up == "DESC" || t.up == "ASC" || t.up == "END" && p.cases > 0 {
		return true
	}
	if p.endsAt(n + 1) {
		return false
	}
	if t.up == "INSERT" {
		return p.wordAt(n+1, "INTO", "OVERWRITE")
	}
	switch must {
	case "":
		return true
	case "(":
		return p.peekOp(n+1, "(")
	}
	return p.wordAt(n+1, must)
}

func (p *parser) from(s *ast.Select) error {
	p.i++
	refs, err := list(p, p.relation)
	s.From = refs
	return err
}

// relation parses a table with its joins.
func (p *parser) relation() (ast.TableRef, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	lateral := p.isWord("LATERAL") && !p.wordAt(1, "VIEW")
	if lateral {
		p.i++
	}
	l, err := p.tableRef(lateral)
	for n := 1; err == nil; n++ {
		if err := p.chain(n); err != nil {
			return nil, err
		}
		switch {
		case p.isWord("PIVOT") && p.peekOp(1, "("):
			l, err = p.pivot(l)
		case p.isWord("UNPIVOT") && (p.peekOp(1, "(") || p.wordAt(1, "INCLUDE", "EXCLUDE")):
			l, err = p.unpivot(l)
		default:
			var j *ast.Join
			if j, err = p.join(l); err != nil {
				return nil, err
			}
			if j == nil {
				return l, nil
			}
			l = j
		}
	}
	return nil, err
}

// join parses a join behind l, nil where none follows.
func (p *parser) join(l ast.TableRef) (*ast.Join, error) {
	j := &ast.Join{At: ast.At{P: l.Pos()}, Left: l}
	save := p.i
	j.Natural = p.accept("NATURAL")
	switch {
	case p.isWord("JOIN"):
	case p.accept("INNER"):
	case p.accept("CROSS"):
		j.Kind = ast.CrossJoin
	case p.accept("LEFT"):
		j.Kind = ast.LeftJoin
		switch {
		case p.accept("SEMI"):
			j.Kind = ast.SemiJoin
		case p.accept("ANTI"):
			j.Kind = ast.AntiJoin
		default:
			p.accept("OUTER")
		}
	case p.accept("RIGHT"):
		j.Kind = ast.RightJoin
		p.accept("OUTER")
	case p.accept("FULL"):
		j.Kind = ast.FullJoin
		p.accept("OUTER")
	case p.accept("SEMI"):
		j.Kind = ast.SemiJoin
	case p.accept("ANTI"):
		j.Kind = ast.AntiJoin
	}
	if !p.isWord("JOIN") {
		if p.i == save {
			return nil, nil
		}
		return nil, p.expected("JOIN")
	}
	p.i++
	lateral := p.isWord("LATERAL") && !p.wordAt(1, "VIEW")
	if lateral {
		p.i++
	}
	var err error
	if j.Right, err = p.tableRef(lateral); err != nil {
		return nil, err
	}
	if j.Natural {
		return j, nil
	}
	switch {
	case p.isWord("ON") && !p.endsAt(1):
		p.i++
		j.On, err = p.expr()
	case p.isWord("USING") && p.peekOp(1, "("):
		p.i++
		j.Using, err = p.idents()
	}
	return j, err
}

// tableAlias parses [AS] t [(a, b)].
func (p *parser) tableAlias() (ast.TableAlias, error) {
	var a ast.TableAlias
	if p.isWord("AS") && p.endsAt(1) { // it is the name
		id, err := p.ident("a table alias")
		a.Name = &id
		return a, err
	}
	as := p.accept("AS")
	if !as && (!p.isIdent() || p.isClause(0) || p.cur().kind == tIdent && strictWords[p.cur().up]) {
		return a, nil
	}
	if as && p.isOp("(") {
		cols, err := p.idents()
		a.Columns = cols
		return a, err
	}
	id, err := p.ident("a table alias")
	if err != nil {
		return a, err
	}
	a.Name = &id
	if p.isOp("(") {
		a.Columns, err = p.idents()
	}
	return a, err
}

// pivotAlias parses [AS] t, the alias of PIVOT and UNPIVOT, which names no columns.
func (p *parser) pivotAlias() (ast.TableAlias, error) {
	a, err := p.tableAlias()
	if err == nil && a.Columns != nil {
		return a, p.expected("no columns behind the alias of PIVOT")
	}
	return a, err
}

// tableRef parses one table, query or table function.
func (p *parser) tableRef(lateral bool) (ast.TableRef, error) {
	at := p.here()
	switch {
	case p.isOp("("):
		return p.parenRef(at, lateral)
	case p.isWord("VALUES") && !p.endsAt(1) && !p.isClause(1) && !p.peekOp(1, "."):
		v, err := p.values()
		if err != nil {
			return nil, err
		}
		return &ast.ValuesRef{At: at, Values: v}, nil
	case p.isWord("STREAM") && p.streamFollows():
		return p.stream(at)
	}
	name, err := p.name("a table, a query in parentheses or a table function")
	if err != nil {
		return nil, err
	}
	if p.isOp("(") {
		return p.tableFunc(at, name, lateral, false)
	}
	if lateral {
		return nil, p.fail(p.cur(), "INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC", "42000", "LATERAL needs a query or a table function, not the table %s", name[len(name)-1].Name)
	}
	return p.tableName(&ast.TableName{At: at, Name: name})
}

func (p *parser) streamFollows() bool {
	if p.peekOp(1, "(") {
		return true
	}
	k := p.peek(1).kind
	return (k == tIdent || k == tQuoted) && !p.isClause(1) && !p.wordAt(1, "AS")
}

// stream parses STREAM t, STREAM(t), STREAM f(...), STREAM(f(...)).
func (p *parser) stream(at ast.At) (ast.TableRef, error) {
	p.i++
	paren := p.acceptOp("(")
	name, err := p.name("a table or a table function after STREAM")
	if err != nil {
		return nil, err
	}
	if p.isOp("(") {
		p.i++
		c := &ast.Call{At: name[0].At, Name: name}
		if err := p.callArgs(c); err != nil {
			return nil, err
		}
		if paren {
			if err := p.needOp(")"); err != nil {
				return nil, err
			}
		}
		return p.funcTail(&ast.TableFunc{At: at, Call: c, Stream: true})
	}
	if paren {
		if err := p.needOp(")"); err != nil {
			return nil, err
		}
	}
	return p.tableName(&ast.TableName{At: at, Name: name, Stream: true})
}

func (p *parser) tableFunc(at ast.At, name ast.Name, lateral, stream bool) (ast.TableRef, error) {
	p.i++
	c := &ast.Call{At: at, Name: name}
	if p.isWord("TABLE") && (p.peek(1).kind == tIdent || p.peek(1).kind == tQuoted) {
		return nil, p.fail(p.cur(), "INVALID_SQL_SYNTAX.INVALID_TABLE_FUNCTION_IDENTIFIER_ARGUMENT_MISSING_PARENTHESES", "42000", "a table as an argument stands in parentheses: TABLE(name)")
	}
	if err := p.callArgs(c); err != nil {
		return nil, err
	}
	if err := p.namedByExpr(c); err != nil {
		return nil, err
	}
	return p.funcTail(&ast.TableFunc{At: at, Call: c, Lateral: lateral, Stream: stream})
}

func (p *parser) funcTail(f *ast.TableFunc) (ast.TableRef, error) {
	var err error
	if f.Watermark, err = p.watermark(); err != nil {
		return nil, err
	}
	f.Alias, err = p.tableAlias()
	return f, err
}

// tableName parses what may stand behind a table's name.
func (p *parser) tableName(t *ast.TableName) (ast.TableRef, error) {
	if err := p.temporal(t); err != nil {
		return nil, err
	}
	var err error
	if p.isWord("WITH") && p.peekOp(1, "(") {
		p.i++
		if t.Options, err = p.properties(); err != nil {
			return nil, err
		}
	}
	if p.isWord("TABLESAMPLE") && p.peekOp(1, "(") {
		if t.Sample, err = p.sample(); err != nil {
			return nil, err
		}
	}
	if t.Watermark, err = p.watermark(); err != nil {
		return nil, err
	}
	t.Alias, err = p.tableAlias()
	return t, err
}

func (p *parser) temporal(t *ast.TableName) error {
	n := 0
	if p.isWord("FOR") {
		n = 1
	}
	word := p.peek(n)
	if !p.wordAt(n, "VERSION", "SYSTEM_VERSION", "TIMESTAMP", "SYSTEM_TIME") || !p.wordAt(n+1, "AS") || !p.wordAt(n+2, "OF") {
		return nil
	}
	p.i += n + 3
	var err error
	if word.up == "VERSION" || word.up == "SYSTEM_VERSION" {
		if k := p.cur().kind; k != tNumber && k != tString {
			return p.expected("a version: a number or a string")
		}
		if t := p.cur(); t.kind == tNumber && strings.Trim(t.text, "0123456789") != "" {
			return p.expected("a version: a whole number or a string")
		}
		t.Version, err = p.primary()
		return err
	}
	t.Timestamp, err = p.value(0)
	return err
}

// watermark parses WATERMARK expr [AS name] DELAY OF interval.
func (p *parser) watermark() (*ast.Watermark, error) {
	if !p.isWord("WATERMARK") || p.endsAt(1) || p.isClause(1) {
		return nil, nil
	}
	w := &ast.Watermark{At: p.here()}
	p.i++
	x, err := p.expr()
	if err != nil {
		return nil, err
	}
	w.X = x
	if p.accept("AS") {
		id, err := p.ident("the event time's name")
		if err != nil {
			return nil, err
		}
		w.Alias = &id
	}
	if err := p.need("DELAY", "OF"); err != nil {
		return nil, err
	}
	if !p.isWord("INTERVAL") {
		return nil, p.expected("an INTERVAL after DELAY OF")
	}
	w.Delay, err = p.intervalOrText()
	return w, err
}

// parenRef parses (query) or (table reference).
func (p *parser) parenRef(at ast.At, lateral bool) (ast.TableRef, error) {
	if p.queryAt(1) && !p.tableInParens() {
		q, err := parens(p, p.query)
		if err != nil {
			return nil, err
		}
		s := &ast.SubqueryRef{At: at, Query: q, Lateral: lateral}
		if p.isWord("TABLESAMPLE") && p.peekOp(1, "(") {
			if s.Sample, err = p.sample(); err != nil {
				return nil, err
			}
		}
		if s.Watermark, err = p.watermark(); err != nil {
			return nil, err
		}
		s.Alias, err = p.tableAlias()
		return s, err
	}
	ref, err := parens(p, p.relation)
	if err != nil {
		return nil, err
	}
	r := &ast.ParenRef{At: at, Ref: ref}
	if p.isWord("TABLESAMPLE") && p.peekOp(1, "(") {
		return nil, p.expected("a table before TABLESAMPLE")
	}
	r.Alias, err = p.tableAlias()
	return r, err
}

// tableInParens tells ((SELECT ...) a JOIN b) from ((SELECT ...) UNION ...):
// behind the inner parentheses follows an alias or a join.
func (p *parser) tableInParens() bool {
	if !p.peekOp(1, "(") {
		return false
	}
	depth := 0
	for n := 1; ; n++ {
		t := p.peek(n)
		switch {
		case t.kind == tEOF:
			return false
		case t.kind != tOp:
		case t.text == "(":
			depth++
		case t.text == ")":
			if depth--; depth == 0 {
				return !p.peekOp(n+1, ")") && !p.wordAt(n+1, "UNION", "EXCEPT", "MINUS", "SETMINUS", "INTERSECT", "ORDER", "LIMIT", "OFFSET", "SORT", "CLUSTER", "DISTRIBUTE") && !p.peekOp(n+1, "|>")
			}
		}
	}
}
