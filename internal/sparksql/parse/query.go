package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// queryAt tells whether a query in parentheses begins n tokens on: SELECT,
// WITH, FROM, VALUES, TABLE or more parentheses before one of them.
func (p *parser) queryAt(n int) bool {
	for p.peekOp(n, "(") {
		n++
	}
	switch {
	case p.endsAt(n + 1):
		return false
	case p.wordAt(n, "SELECT"):
		t := p.peek(n + 1)
		return t.kind != tOp || strings.Contains("(*-+~?:", t.text)
	case p.wordAt(n, "VALUES"):
		t := p.peek(n + 1)
		return t.kind != tOp || t.text == "(" || t.text == "-"
	case p.wordAt(n, "FROM", "TABLE", "WITH", "REDUCE", "MAP"):
		k := p.peek(n + 1).kind
		if p.wordAt(n, "REDUCE", "MAP") {
			return false
		}
		return k == tIdent || k == tQuoted || p.wordAt(n, "FROM") && p.peekOp(n+1, "(")
	}
	return false
}

// query parses a whole query with WITH, set operations, ORDER BY and LIMIT.
func (p *parser) query() (*ast.Query, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start := p.i
	q := &ast.Query{At: p.here()}
	if p.isWord("WITH") {
		if err := p.with(q); err != nil {
			return nil, err
		}
	}
	var err error
	if q.Body, err = p.body(0); err != nil {
		return nil, err
	}
	q.Text = p.textFrom(start)
	for n := 1; p.isOp("|>"); n++ {
		if err := p.chain(n); err != nil {
			return nil, err
		}
		if q, err = p.pipe(q); err != nil {
			return nil, err
		}
		q.Text = p.textFrom(start)
	}
	if p.isWord("ORDER", "SORT", "CLUSTER", "DISTRIBUTE", "LIMIT", "OFFSET") && organized(q) { // the clauses that follow are of the whole
		at := p.here()
		q = &ast.Query{At: at, Body: &ast.Select{At: at, Items: []ast.SelectItem{{X: &ast.Star{At: at}}},
			From: []ast.TableRef{&ast.SubqueryRef{At: q.At, Pipe: true, Query: q}}}}
	}
	if err := p.organize(q); err != nil {
		return nil, err
	}
	q.Text = p.textFrom(start)
	return q, nil
}

// organized tells whether a query has an order or a limit of its own.
func organized(q *ast.Query) bool {
	return q.Limit != nil || q.Offset != nil || q.OrderAll != nil || len(q.Order)+len(q.Sort)+len(q.Cluster)+len(q.Distribute) > 0
}

// queryOrTable is a query, or a table's name in TABLE(name).
func (p *parser) queryOrTable() (*ast.Query, error) {
	if p.isIdent() && !p.isWord("SELECT", "FROM", "WITH", "VALUES", "TABLE") {
		at := p.here()
		name, err := p.name("a table")
		return &ast.Query{At: at, Body: &ast.Table{At: at, Name: name}}, err
	}
	return p.query()
}

func (p *parser) with(q *ast.Query) error {
	p.i++
	if p.isWord("RECURSIVE") && !p.wordAt(1, "AS") {
		p.i++
		q.Recursive = true
	}
	seen := map[string]bool{}
	ctes, err := list(p, func() (ast.CTE, error) {
		t := p.cur()
		c, err := p.cte()
		if err != nil {
			return c, err
		}
		key := strings.ToLower(c.Name.Name)
		if seen[key] {
			return c, p.fail(t, "DUPLICATED_CTE_NAMES", "42602", "the name %s stands twice in WITH", c.Name.Name)
		}
		seen[key] = true
		return c, nil
	})
	q.With = ctes
	return err
}

func (p *parser) cte() (ast.CTE, error) {
	var c ast.CTE
	var err error
	if c.Name, err = p.ident("a name in WITH"); err != nil {
		return c, err
	}
	if p.isOp("(") && !p.queryAt(1) {
		if c.Columns, err = p.idents(); err != nil {
			return c, err
		}
	}
	if p.accept("MAX") {
		if err = p.need("RECURSION", "LEVEL"); err != nil {
			return c, err
		}
		if c.MaxLevel, err = p.primary(); err != nil {
			return c, err
		}
	}
	p.accept("AS")
	c.Query, err = parens(p, p.query)
	return c, err
}

// idents parses (a, b, c).
func (p *parser) idents() ([]ast.Ident, error) {
	return parens(p, func() ([]ast.Ident, error) {
		return list(p, func() (ast.Ident, error) { return p.ident("a name") })
	})
}

// organize parses ORDER BY, SORT BY, ..., WINDOW, LIMIT and OFFSET.
func (p *parser) organize(q *ast.Query) error {
	start := p.cur()
	kinds := 0
	var err error
	if p.words("ORDER", "BY") {
		p.i += 2
		kinds++
		err = p.orderBy(q)
	}
	if err == nil && p.words("CLUSTER", "BY") {
		p.i += 2
		kinds++
		q.Cluster, err = list(p, p.expr)
	}
	if err == nil && p.words("DISTRIBUTE", "BY") {
		p.i += 2
		q.Distribute, err = list(p, p.expr)
	}
	if err == nil && p.words("SORT", "BY") {
		p.i += 2
		kinds++
		q.Sort, err = list(p, p.sortItem)
	}
	if err == nil && p.isWord("WINDOW") && p.wordAt(2, "AS") {
		q.Windows, err = p.namedWindows()
	}
	if err != nil {
		return err
	}
	if kinds > 1 || kinds > 0 && q.Distribute != nil && q.Sort == nil {
		return p.fail(start, "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES", "0A000", "ORDER BY, SORT BY, DISTRIBUTE BY and CLUSTER BY cannot stand together")
	}
	return p.limit(q)
}

func (p *parser) orderBy(q *ast.Query) error {
	if p.isWord("ALL") && (p.endsAt(1) || p.wordAt(1, "ASC", "DESC", "NULLS", "LIMIT", "OFFSET", "SORT", "WINDOW")) {
		start := p.i
		p.i++
		item, err := p.sortTail(nil)
		if err != nil {
			return err
		}
		if !p.isOp(",") {
			q.OrderAll = &item
			return nil
		}
		p.i = start // a column of that name, beside others
	}
	var err error
	q.Order, err = list(p, p.sortItem)
	return err
}

func (p *parser) limit(q *ast.Query) error {
	var err error
	if p.accept("LIMIT") {
		if p.isWord("ALL") && (p.endsAt(1) || p.wordAt(1, "OFFSET")) {
			p.i++
		} else if q.Limit, err = p.expr(); err != nil {
			return err
		}
	}
	if p.accept("OFFSET") {
		if q.Offset, err = p.expr(); err != nil {
			return err
		}
	}
	return nil
}

// body parses set operations: INTERSECT binds tighter (level 1) than UNION and
// EXCEPT (level 0).
func (p *parser) body(level int) (ast.Body, error) {
	operand := p.operand
	if level == 0 {
		operand = func() (ast.Body, error) { return p.body(1) }
	}
	l, err := operand()
	for n := 1; err == nil; n++ {
		kind, ok := p.setKind(level)
		if !ok {
			return l, nil
		}
		if err := p.chain(n); err != nil {
			return nil, err
		}
		s := &ast.SetOp{At: ast.At{P: l.Pos()}, Kind: kind, Left: l}
		p.i++
		switch {
		case p.accept("ALL"):
			s.All = true
		default:
			p.accept("DISTINCT")
		}
		if s.Right, err = operand(); err != nil {
			return nil, err
		}
		l = s
	}
	return l, err
}

func (p *parser) setKind(level int) (ast.SetKind, bool) {
	switch {
	case level == 0 && p.isWord("UNION"):
		return ast.Union, true
	case level == 0 && p.isWord("EXCEPT", "MINUS", "SETMINUS"):
		return ast.Except, true
	case level == 1 && p.isWord("INTERSECT"):
		return ast.Intersect, true
	}
	return 0, false
}

// operand parses one side of a set operation.
func (p *parser) operand() (ast.Body, error) {
	at := p.here()
	switch {
	case p.isOp("("):
		q, err := parens(p, p.query)
		return &ast.Paren{At: at, Query: q}, err
	case p.isWord("SELECT"):
		return p.selectBody()
	case p.isWord("FROM"):
		return p.fromFirst()
	case p.isWord("VALUES"):
		return p.values()
	case p.isWord("TABLE"):
		p.i++
		name, err := p.name("a table")
		return &ast.Table{At: at, Name: name}, err
	}
	return nil, p.expected("SELECT, VALUES, TABLE, FROM, WITH or (")
}

func (p *parser) values() (*ast.Values, error) {
	v := &ast.Values{At: p.here()}
	p.i++
	var err error
	t := p.cur()
	if v.Rows, err = list(p, p.expr); err != nil {
		return nil, err
	}
	width := -1
	for _, r := range v.Rows {
		n := RowWidth(r)
		if width < 0 {
			width = n
		}
		if n != width {
			return nil, p.fail(t, "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "42000", "the rows of VALUES have %d and %d columns", width, n)
		}
	}
	if v.Alias, err = p.tableAlias(); err != nil {
		return nil, err
	}
	if n := len(v.Alias.Columns); n > 0 && n != width {
		return nil, p.fail(t, "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "42000", "VALUES has %d columns, its alias names %d", width, n)
	}
	return v, nil
}

// RowWidth is the number of columns that a row of VALUES makes: a tuple and
// struct(...) make as many as they hold.
func RowWidth(r ast.Expr) int {
	switch r := r.(type) {
	case *ast.Tuple:
		return len(r.Items)
	case *ast.Call:
		if r.Syntax == "struct" {
			return len(r.Args)
		}
	}
	return 1
}

// fromFirst parses FROM t [SELECT ...].
func (p *parser) fromFirst() (ast.Body, error) {
	s := &ast.Select{At: p.here()}
	if err := p.from(s); err != nil {
		return nil, err
	}
	if p.isWord("SELECT") {
		return p.selectRest(s)
	}
	s.Items = []ast.SelectItem{{X: &ast.Star{At: s.At}}}
	if p.isWord("WHERE", "GROUP", "HAVING", "QUALIFY") && p.isClause(0) {
		return nil, p.expected("SELECT or |> before " + p.cur().up)
	}
	if !p.isOp("|>") && p.cur().kind != tEOF && !p.isOp(")") && !p.isOp(";") {
		return s, p.fromTail(s)
	}
	return s, nil
}

func (p *parser) selectBody() (ast.Body, error) {
	return p.selectRest(&ast.Select{At: p.here()})
}

// selectRest parses from the word SELECT on.
func (p *parser) selectRest(s *ast.Select) (ast.Body, error) {
	p.i++
	for p.cur().kind == tHint {
		hints, err := p.hints()
		if err != nil {
			return nil, err
		}
		s.Hints = append(s.Hints, hints...)
	}
	if p.isWord("DISTINCT") && !p.endsAt(1) {
		p.i++
		s.Distinct = true
	} else if p.isWord("ALL") && !p.endsAt(1) && (!p.isClause(1) || p.wordAt(1, "FROM") && !p.peekOp(2, "(")) {
		p.i++
	}
	items, err := list(p, p.selectItem)
	if err != nil {
		return nil, err
	}
	s.Items = items
	if p.isWord("FROM") {
		if len(s.From) > 0 {
			return nil, p.expected("WHERE or the end of the query, FROM was given before")
		}
		if err := p.from(s); err != nil {
			return nil, err
		}
	}
	return s, p.fromTail(s)
}

// fromTail parses LATERAL VIEW, WHERE, GROUP BY, HAVING, QUALIFY, WINDOW.
func (p *parser) fromTail(s *ast.Select) error {
	if err := p.lateralViews(s); err != nil {
		return err
	}
	var err error
	if p.isWord("WHERE") {
		p.i++
		if s.Where, err = p.expr(); err != nil {
			return err
		}
	}
	if p.words("GROUP", "BY") {
		if s.Group, err = p.groupBy(); err != nil {
			return err
		}
	}
	if p.accept("HAVING") {
		if s.Having, err = p.expr(); err != nil {
			return err
		}
	}
	if err := p.qualify(s); err != nil {
		return err
	}
	if p.isWord("WINDOW") && p.wordAt(2, "AS") {
		if s.Windows, err = p.namedWindows(); err != nil {
			return err
		}
	}
	if s.Qualify == nil {
		return p.qualify(s)
	}
	return nil
}

// qualify parses QUALIFY, which may stand before and behind WINDOW.
func (p *parser) qualify(s *ast.Select) error {
	var err error
	if p.accept("QUALIFY") {
		s.Qualify, err = p.expr()
	}
	return err
}

func (p *parser) selectItem() (ast.SelectItem, error) {
	start := p.i
	x, err := p.expr()
	if err != nil {
		return ast.SelectItem{}, err
	}
	item := ast.SelectItem{X: x, Text: p.textFrom(start)}
	as := p.isWord("AS") && !p.endsAt(1)
	if as && p.wordAt(1, "FROM") && p.isClause(1) && !p.wordAt(2, "FROM") { // AS is the name
		id, err := p.ident("an alias")
		item.Aliases = []ast.Ident{id}
		return item, err
	}
	if as {
		p.i++
	}
	switch {
	case p.isOp("(") && as:
		item.Aliases, err = p.idents()
		item.List = true
	case as || p.isIdent() && !p.isClause(0):
		var id ast.Ident
		id, err = p.wholeIdent("an alias")
		item.Aliases = []ast.Ident{id}
	}
	return item, err
}

func (p *parser) lateralViews(s *ast.Select) error {
	for p.words("LATERAL", "VIEW") {
		if err := p.chain(len(s.Views)); err != nil {
			return err
		}
		v := ast.LateralView{At: p.here()}
		p.i += 2
		v.Outer = p.accept("OUTER")
		name, err := p.name("a generator function")
		if err != nil {
			return err
		}
		v.Call = &ast.Call{At: name[0].At, Name: name}
		if err := p.needOp("("); err != nil {
			return err
		}
		if !p.isOp(")") { // no words and no names, as calls have them
			if v.Call.Args, err = list(p, p.expr); err != nil {
				return err
			}
		}
		if err := p.needOp(")"); err != nil {
			return err
		}
		if p.isIdent() && !p.isClause(0) && !p.isWord("AS") {
			id, err := p.ident("a table alias")
			if err != nil {
				return err
			}
			v.Table = &id
		}
		if p.accept("AS") {
			if v.Columns, err = list(p, func() (ast.Ident, error) { return p.ident("a column alias") }); err != nil {
				return err
			}
		} else if p.isIdent() && !p.isClause(0) { // AS may be left out
			if v.Columns, err = list(p, func() (ast.Ident, error) { return p.ident("a column alias") }); err != nil {
				return err
			}
		}
		if v.Table == nil && v.Columns == nil {
			return p.expected("a table alias or AS with column names after LATERAL VIEW")
		}
		s.Views = append(s.Views, v)
	}
	if len(s.Views) > 0 && p.isWord("PIVOT", "UNPIVOT") && p.isClause(0) {
		return p.fail(p.cur(), "NOT_ALLOWED_IN_FROM.LATERAL_WITH_"+p.cur().up, "42601", "%s cannot follow LATERAL VIEW", p.cur().up)
	}
	return nil
}
