package parse

import "github.com/marisma/marisma/internal/sparksql/ast"

// pivot parses PIVOT (aggs FOR columns IN (values)) [alias].
func (p *parser) pivot(in ast.TableRef) (ast.TableRef, error) {
	v := &ast.Pivot{At: ast.At{P: in.Pos()}, Input: in}
	p.i += 2
	var err error
	if v.Aggs, err = list(p, p.pivotItem); err != nil {
		return nil, err
	}
	if err := p.need("FOR"); err != nil {
		return nil, err
	}
	if p.isOp("(") {
		ids, err := p.idents()
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			v.For = append(v.For, &ast.Column{At: id.At, Name: ast.Name{id}})
		}
	} else {
		id, err := p.ident("a column")
		if err != nil {
			return nil, err
		}
		v.For = []ast.Expr{&ast.Column{At: id.At, Name: ast.Name{id}}}
	}
	if err := p.need("IN"); err != nil {
		return nil, err
	}
	if v.Values, err = parens(p, func() ([]ast.SelectItem, error) { return list(p, p.pivotItem) }); err != nil {
		return nil, err
	}
	if err := p.needOp(")"); err != nil {
		return nil, err
	}
	v.Alias, err = p.pivotAlias()
	return v, err
}

func (p *parser) pivotItem() (ast.SelectItem, error) {
	start := p.i
	x, err := p.expr()
	if err != nil {
		return ast.SelectItem{}, err
	}
	item := ast.SelectItem{X: x, Text: p.textFrom(start)}
	as := p.accept("AS")
	if as || p.isIdent() && !p.isWord("FOR") && !p.isClause(0) {
		id, err := p.ident("an alias")
		if err != nil {
			return item, err
		}
		item.Aliases = []ast.Ident{id}
	}
	return item, nil
}

// unpivot parses UNPIVOT [INCLUDE|EXCLUDE NULLS] (value FOR name IN (columns)).
func (p *parser) unpivot(in ast.TableRef) (ast.TableRef, error) {
	u := &ast.Unpivot{At: ast.At{P: in.Pos()}, Input: in}
	p.i++
	switch {
	case p.accept("INCLUDE", "NULLS"):
		u.IncludeNulls = true
	default:
		p.accept("EXCLUDE", "NULLS")
	}
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	var err error
	multi := p.isOp("(")
	if multi {
		u.Values, err = p.idents()
	} else {
		var id ast.Ident
		id, err = p.ident("the value column's name")
		u.Values = []ast.Ident{id}
	}
	if err != nil {
		return nil, err
	}
	if err := p.need("FOR"); err != nil {
		return nil, err
	}
	if u.Name, err = p.ident("the name column's name"); err != nil {
		return nil, err
	}
	if err := p.need("IN"); err != nil {
		return nil, err
	}
	u.Columns, err = parens(p, func() ([]ast.UnpivotColumn, error) {
		return list(p, func() (ast.UnpivotColumn, error) { return p.unpivotColumn(multi) })
	})
	if err != nil {
		return nil, err
	}
	if err := p.needOp(")"); err != nil {
		return nil, err
	}
	u.Alias, err = p.pivotAlias()
	return u, err
}

func (p *parser) unpivotColumn(multi bool) (ast.UnpivotColumn, error) {
	var c ast.UnpivotColumn
	var err error
	column := func() (ast.Name, error) { return p.name("a column") }
	if multi {
		c.Names, err = parens(p, func() ([]ast.Name, error) { return list(p, column) })
	} else {
		var n ast.Name
		n, err = column()
		c.Names = []ast.Name{n}
	}
	if err != nil {
		return c, err
	}
	as := p.accept("AS")
	if as || p.isIdent() {
		id, err := p.ident("an alias")
		if err != nil {
			return c, err
		}
		c.Alias = &id
	}
	return c, nil
}
