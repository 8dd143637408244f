package parse

import "github.com/marisma/marisma/internal/sparksql/ast"

func (p *parser) groupBy() (*ast.GroupBy, error) {
	g := &ast.GroupBy{At: p.here()}
	p.i += 2
	if p.isWord("ALL") && !p.peekOp(1, ",") && !p.wordAt(1, "WITH") && (p.endsAt(1) || p.isClause(1)) {
		p.i++
		g.All = true
		return g, nil
	}
	var err error
	if g.Items, err = list(p, p.groupItem); err != nil {
		return nil, err
	}
	if p.isWord("WITH") && p.wordAt(1, "ROLLUP", "CUBE") {
		kind := ast.GroupRollup
		if p.wordAt(1, "CUBE") {
			kind = ast.GroupCube
		}
		p.i += 2
		item := ast.GroupItem{Kind: kind}
		for _, i := range g.Items {
			item.Sets = append(item.Sets, i.Sets...)
		}
		g.Items = []ast.GroupItem{item}
		return g, nil
	}
	if p.words("GROUPING", "SETS") && p.peekOp(2, "(") { // the older spelling: keys, then their sets
		item, err := p.groupItem()
		if err != nil {
			return nil, err
		}
		g.Items = []ast.GroupItem{item}
	}
	return g, nil
}

func (p *parser) groupItem() (ast.GroupItem, error) {
	if err := p.enter(); err != nil {
		return ast.GroupItem{}, err
	}
	defer p.leave()
	switch {
	case p.isWord("ROLLUP", "CUBE") && p.peekOp(1, "(") && !p.peekOp(2, ")"): // cube() is a function
		item := ast.GroupItem{Kind: ast.GroupRollup}
		if p.next().up == "CUBE" {
			item.Kind = ast.GroupCube
		}
		var err error
		item.Sets, err = parens(p, func() ([][]ast.Expr, error) { return list(p, p.groupingSet) })
		return item, err
	case p.words("GROUPING", "SETS") && p.peekOp(2, "("):
		p.i += 2
		item := ast.GroupItem{Kind: ast.GroupSets}
		nested, err := parens(p, func() ([]ast.GroupItem, error) {
			return list(p, func() (ast.GroupItem, error) {
				if p.isWord("ROLLUP", "CUBE") && p.peekOp(1, "(") || p.words("GROUPING", "SETS") {
					return p.groupItem()
				}
				set, err := p.groupingSet()
				return ast.GroupItem{Sets: [][]ast.Expr{set}}, err
			})
		})
		item.Nested = nested
		return item, err
	}
	x, err := p.expr()
	return ast.GroupItem{Sets: [][]ast.Expr{{x}}}, err
}

// groupingSet parses (a, b), () or a.
func (p *parser) groupingSet() ([]ast.Expr, error) {
	if p.isOp("(") && p.peekOp(1, ")") {
		p.i += 2
		return []ast.Expr{}, nil
	}
	x, err := p.expr()
	if err != nil {
		return nil, err
	}
	if t, ok := x.(*ast.Tuple); ok {
		return t.Items, nil
	}
	return []ast.Expr{x}, nil
}
