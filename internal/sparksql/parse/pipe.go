package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// pipe parses one |> operator; it becomes a query over the one before it.
func (p *parser) pipe(q *ast.Query) (*ast.Query, error) {
	at := p.here()
	p.i++
	input := func() ast.TableRef { return &ast.SubqueryRef{At: q.At, Pipe: true, Query: q} }
	wrap := func(b ast.Body) *ast.Query { return &ast.Query{At: at, Body: b} }
	sel := &ast.Select{At: at, Items: []ast.SelectItem{{X: &ast.Star{At: at}}}, From: []ast.TableRef{input()}}
	switch {
	case p.cur().kind == tEOF, p.isOp(")"), p.isOp("|>"), p.isOp(";"): // an operator that does nothing
		q.Idle++
		return q, nil
	case p.isWord("SELECT"):
		sel.Items = nil
		b, err := p.selectRest(sel)
		if err == nil && sel.Where != nil {
			err = p.fail(p.cur(), "PARSE_SYNTAX_ERROR", "42601", "WHERE cannot stand behind |> SELECT; write |> WHERE")
		}
		return wrap(b), err
	case p.isWord("EXTEND"):
		p.i++
		items, err := list(p, p.selectItem)
		sel.Pipe, sel.Kept = "EXTEND", len(sel.Items)
		sel.Items = append(sel.Items, items...)
		return wrap(sel), err
	case p.accept("WHERE"):
		var err error
		sel.Where, err = p.expr()
		return wrap(sel), err
	case p.accept("AS"):
		id, err := p.ident("a table alias")
		sel.From = []ast.TableRef{&ast.SubqueryRef{At: q.At, Pipe: true, Query: q, Alias: ast.TableAlias{Name: &id}}}
		return wrap(sel), err
	case p.isWord("AGGREGATE"):
		return p.pipeAggregate(sel)
	case p.isWord("LIMIT", "OFFSET", "ORDER", "SORT", "CLUSTER", "DISTRIBUTE"):
		return p.pipeResult(wrap(sel))
	case p.isWord("UNION", "EXCEPT", "MINUS", "SETMINUS", "INTERSECT"):
		return p.pipeSet(q)
	case p.isWord("WINDOW"):
		return nil, p.fail(p.cur(), "UNSUPPORTED_FEATURE.CLAUSE_WITH_PIPE_OPERATORS", "0A000", "the clause WINDOW cannot stand behind |>")
	case p.isWord("SET", "DROP"):
		return p.pipeColumns(sel)
	case p.isWord("PIVOT") && p.peekOp(1, "("):
		ref, err := p.pivot(input())
		sel.From = []ast.TableRef{ref}
		return wrap(sel), err
	case p.isWord("UNPIVOT"):
		ref, err := p.unpivot(input())
		sel.From = []ast.TableRef{ref}
		return wrap(sel), err
	case p.isWord("TABLESAMPLE"):
		s, err := p.sample()
		sel.From = []ast.TableRef{&ast.SubqueryRef{At: q.At, Pipe: true, Query: q, Sample: s}}
		return wrap(sel), err
	}
	j, err := p.join(input())
	if err != nil {
		return nil, err
	}
	if j == nil {
		return nil, p.expected("SELECT, EXTEND, SET, DROP, AS, WHERE, AGGREGATE, JOIN, ORDER BY, LIMIT or a set operation after |>")
	}
	sel.From = []ast.TableRef{j}
	return wrap(sel), nil
}

// pipeResult parses one of ORDER BY, LIMIT, OFFSET and their like; LIMIT and
// OFFSET may stand together.
func (p *parser) pipeResult(q *ast.Query) (*ast.Query, error) {
	t := p.cur()
	if err := p.organize(q); err != nil {
		return nil, err
	}
	if (q.Limit != nil || q.Offset != nil) && t.up != "LIMIT" && t.up != "OFFSET" {
		return nil, p.fail(t, "MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS", "42000", "%s and LIMIT cannot stand in one |> operator", t.up)
	}
	return q, nil
}

func (p *parser) pipeGrouping(t token) error {
	return p.fail(t, "UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE", "0A000", "%s cannot stand in |> AGGREGATE", t.text)
}

// pipeAggregate parses AGGREGATE items [GROUP BY keys]; the keys come first in
// the output.
func (p *parser) pipeAggregate(s *ast.Select) (*ast.Query, error) {
	p.i++
	var items []ast.SelectItem
	var err error
	if !p.words("GROUP", "BY") {
		if items, err = list(p, p.selectItem); err != nil {
			return nil, err
		}
	}
	s.Items = nil
	if p.words("GROUP", "BY") {
		s.Group = &ast.GroupBy{At: p.here()}
		p.i += 2
		if t := p.cur(); p.isWord("ROLLUP", "CUBE") && p.peekOp(1, "(") || p.isWord("GROUPING") && p.wordAt(1, "SETS") {
			return nil, p.pipeGrouping(t)
		}
		keys, err := list(p, p.selectItem)
		if err != nil {
			return nil, err
		}
		if t := p.cur(); p.isWord("WITH") && p.wordAt(1, "ROLLUP", "CUBE") {
			return nil, p.pipeGrouping(t)
		}
		for _, k := range keys {
			if c, ok := k.X.(*ast.Column); ok && len(keys) == 1 && len(c.Name) == 1 && strings.EqualFold(c.Name[0].Name, "ALL") && len(k.Aliases) == 0 {
				return nil, p.pipeGrouping(p.cur())
			}
			s.Group.Items = append(s.Group.Items, ast.GroupItem{Sets: [][]ast.Expr{{k.X}}})
		}
		s.Items = append(s.Items, keys...)
	}
	s.Pipe, s.Kept = "AGGREGATE", len(s.Items)
	s.Items = append(s.Items, items...)
	return &ast.Query{At: s.At, Body: s}, nil
}

func (p *parser) pipeSet(q *ast.Query) (*ast.Query, error) {
	var body ast.Body = &ast.Paren{At: q.At, Query: q}
	kind, ok := p.setKind(0)
	if !ok {
		kind, _ = p.setKind(1)
	}
	p.i++
	s := &ast.SetOp{At: q.At, Kind: kind, Left: body}
	if p.accept("ALL") {
		s.All = true
	} else {
		p.accept("DISTINCT")
	}
	var err error
	s.Right, err = p.operand()
	return &ast.Query{At: q.At, Body: s}, err
}

// pipeColumns parses SET a = x, ... and DROP a, ...
func (p *parser) pipeColumns(s *ast.Select) (*ast.Query, error) {
	drop := p.next().up == "DROP"
	edit := &ast.ColumnEdit{At: s.At}
	seen := map[string]bool{}
	_, err := list(p, func() (struct{}, error) {
		t := p.cur()
		name, err := p.name("a column")
		if err != nil {
			return struct{}{}, err
		}
		id := name[len(name)-1]
		if drop {
			if key := strings.ToLower(id.Name); seen[key] {
				return struct{}{}, p.fail(t, "EXCEPT_OVERLAPPING_COLUMNS", "42702", "the column %s stands twice in DROP", id.Name)
			}
			seen[strings.ToLower(id.Name)] = true
			edit.Drop = append(edit.Drop, id)
			return struct{}{}, nil
		}
		if len(name) > 1 {
			return struct{}{}, p.fail(t, "_LEGACY_ERROR_TEMP_0035", "", "SET takes the name of one column, not %s", p.textFrom(p.i-1))
		}
		if err := p.needOp("="); err != nil {
			return struct{}{}, err
		}
		x, err := p.expr()
		edit.Set = append(edit.Set, ast.SelectItem{X: x, Aliases: []ast.Ident{id}})
		return struct{}{}, err
	})
	s.Items = []ast.SelectItem{{X: edit}}
	return &ast.Query{At: s.At, Body: s}, err
}
