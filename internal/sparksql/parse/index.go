package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// index parses CREATE INDEX and DROP INDEX behind that word: Spark has them for
// tables of other sources, and Delta's refuse them by name.
func (p *parser) index(c *ast.Command) (ast.Statement, error) {
	create := c.Verb == "create index"
	if err := p.ifExists(c, create); err != nil {
		return nil, err
	}
	if _, err := p.ident("the index's name"); err != nil {
		return nil, err
	}
	if err := p.need("ON"); err != nil {
		return nil, err
	}
	p.accept("TABLE")
	var err error
	if c.Name, err = p.name("a table"); err != nil || !create {
		return c, err
	}
	if p.accept("USING") {
		if _, err := p.ident("a kind of index"); err != nil {
			return nil, err
		}
	}
	cols, err := parens(p, func() ([]ast.Name, error) { return list(p, p.indexed) })
	if err != nil {
		return nil, err
	}
	names := make([]string, len(cols))
	for i, n := range cols {
		names[i] = strings.Join(n.Strings(), ".")
	}
	c.Args["columns"] = strings.Join(names, "\x00")
	if p.accept("OPTIONS") {
		_, err = p.properties()
	}
	return c, err
}

// indexed parses a column of an index with its options.
func (p *parser) indexed() (ast.Name, error) {
	n, err := p.name("a column")
	if err == nil && p.accept("OPTIONS") {
		_, err = p.properties()
	}
	return n, err
}

// generate parses GENERATE mode FOR TABLE t.
func (p *parser) generate(base ast.Stmt) (ast.Statement, error) {
	p.i++
	c := &ast.Command{Stmt: base, Verb: "generate", Args: map[string]string{}}
	mode, err := p.ident("symlink_format_manifest")
	if err != nil {
		return nil, err
	}
	c.Args["mode"] = mode.Name
	if err := p.need("FOR", "TABLE"); err != nil {
		return nil, err
	}
	c.Name, err = p.name("a table")
	return c, err
}
