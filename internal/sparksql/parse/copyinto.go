package parse

import (
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// copyInto parses COPY INTO t [BY POSITION | (columns)] FROM source FILEFORMAT =
// format and what may follow.
func (p *parser) copyInto(base ast.Stmt) (ast.Statement, error) {
	c := &ast.CopyInto{Stmt: base}
	if err := p.need("COPY", "INTO"); err != nil {
		return nil, err
	}
	var err error
	if c.Target, err = p.target("a table"); err != nil {
		return nil, err
	}
	switch {
	case p.accept("BY", "POSITION"):
		c.ByPosition = true
	case p.isOp("("):
		if c.Columns, err = p.idents(); err != nil {
			return nil, err
		}
	}
	if err := p.need("FROM"); err != nil {
		return nil, err
	}
	if p.isOp("(") {
		_, err = parens(p, func() (struct{}, error) { return struct{}{}, p.copyQuery(c) })
	} else {
		err = p.copyPath(c)
	}
	if err != nil {
		return nil, err
	}
	if err := p.need("FILEFORMAT"); err != nil {
		return nil, err
	}
	p.acceptOp("=")
	if c.Format, err = p.word("a format: CSV, JSON, PARQUET, TEXT, ..."); err != nil {
		return nil, err
	}
	return c, p.copyClauses(c)
}

// word parses a bare or quoted word and gives it in capitals.
func (p *parser) word(what string) (string, error) {
	if p.cur().kind == tString {
		return strings.ToUpper(p.next().text), nil
	}
	id, err := p.ident(what)
	return strings.ToUpper(id.Name), err
}

// copyQuery parses SELECT items FROM 'path'.
func (p *parser) copyQuery(c *ast.CopyInto) error {
	if err := p.need("SELECT"); err != nil {
		return err
	}
	var err error
	if c.Items, err = list(p, p.selectItem); err != nil {
		return err
	}
	if err := p.need("FROM"); err != nil {
		return err
	}
	return p.copyPath(c)
}

func (p *parser) copyPath(c *ast.CopyInto) error {
	c.PathAt = p.here()
	t := p.cur()
	switch {
	case t.kind == tString:
		c.Path = p.next().text
	case p.isIdent():
		id, err := p.quotedIdent()
		if err != nil {
			return err
		}
		c.Path = id.Name
	default:
		return p.expected("a path in quotes")
	}
	if p.isWord("WITH") {
		return p.fail(p.cur(), "UNSUPPORTED_FEATURE.COPY_INTO_CREDENTIAL", "0A000", "credentials in COPY INTO are not supported; `paths` of marisma.yml and the environment have them")
	}
	return nil
}

func (p *parser) copyClauses(c *ast.CopyInto) error {
	for {
		var err error
		switch {
		case p.accept("VALIDATE"):
			c.Validate = true
			switch {
			case p.accept("ALL"):
			case p.cur().kind == tNumber:
				t := p.next()
				if c.Rows, err = strconv.ParseInt(t.text, 10, 64); err != nil || c.Rows < 1 {
					return p.fail(t, "PARSE_SYNTAX_ERROR", "42601", "VALIDATE takes a number of rows")
				}
				err = p.need("ROWS")
			}
		case p.accept("FILES"):
			p.acceptOp("=")
			c.Files, err = parens(p, func() ([]string, error) {
				return list(p, func() (string, error) { return p.str("the name of a file") })
			})
		case p.accept("PATTERN"):
			p.acceptOp("=")
			c.Pattern, err = p.str("a pattern")
		case p.accept("FORMAT_OPTIONS"):
			c.FormatOptions, err = p.properties()
		case p.accept("COPY_OPTIONS"):
			c.CopyOptions, err = p.properties()
		default:
			if c.Files != nil && c.Pattern != "" {
				return p.fail(p.cur(), "PARSE_SYNTAX_ERROR", "42601", "FILES and PATTERN exclude each other")
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}
