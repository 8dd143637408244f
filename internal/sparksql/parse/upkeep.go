package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// upkeep parses the statements by which Spark keeps caches and statistics:
// REFRESH, CACHE, UNCACHE, CLEAR CACHE and ANALYZE, behind their first word.
func (p *parser) upkeep(c *ast.Command, word string) (ast.Statement, error) {
	var err error
	c.Verb = strings.ToLower(word) + " table"
	switch word {
	case "CLEAR":
		c.Verb = "clear cache"
		return c, p.need("CACHE")
	case "REFRESH":
		return p.refresh(c)
	case "ANALYZE":
		if p.accept("TABLES") {
			c.Verb = "analyze tables"
			err = p.inName(c)
		} else if err = p.need("TABLE"); err == nil {
			c.Name, err = p.name("a table")
		}
		if err == nil {
			err = p.statistics(c)
		}
		return c, err
	case "CACHE":
		if p.accept("LAZY") {
			c.Args["lazy"] = "true"
		}
	}
	if err := p.need("TABLE"); err != nil {
		return nil, err
	}
	if err := p.ifExists(c, false); err != nil {
		return nil, err
	}
	if c.Name, err = p.name("a table"); err != nil || word != "CACHE" {
		return c, err
	}
	if p.accept("OPTIONS") {
		if _, err = p.properties(); err != nil {
			return nil, err
		}
	}
	if !p.accept("AS") && !p.queryAt(0) {
		return c, nil
	}
	start := p.i
	_, err = p.query()
	c.Args["query"] = p.textFrom(start)
	return c, err
}

func (p *parser) refresh(c *ast.Command) (ast.Statement, error) {
	var err error
	switch {
	case p.accept("TABLE"):
		c.Name, err = p.name("a table")
	case p.accept("FUNCTION"):
		c.Verb = "refresh function"
		c.Name, err = p.name("a function")
	case p.isWord("MATERIALIZED", "STREAMING"):
		return p.unsupported(c.Stmt, "REFRESH "+p.cur().up)
	case p.cur().kind == tEOF || p.isOp(";"):
		return nil, p.expected("TABLE, FUNCTION or a path")
	default:
		c.Verb = "refresh path"
		p.rest()
	}
	return c, err
}

// statistics parses what follows ANALYZE TABLE name.
func (p *parser) statistics(c *ast.Command) error {
	if p.isWord("PARTITION") && p.peekOp(1, "(") {
		p.i += 2
		p.skipParen()
	}
	if p.accept("COMPUTE", "DELTA", "STATISTICS") {
		return nil
	}
	if err := p.need("COMPUTE", "STATISTICS"); err != nil {
		return err
	}
	switch {
	case p.accept("NOSCAN"), p.accept("FOR", "ALL", "COLUMNS"):
	case p.accept("FOR", "COLUMNS"):
		cols, err := list(p, func() (ast.Ident, error) { return p.ident("a column") })
		c.Args["columns"] = strings.Join(ast.Name(cols).Strings(), "\x00")
		return err
	}
	return nil
}

// skipParen moves behind the parenthesis that closes this level.
func (p *parser) skipParen() {
	for depth := 1; depth > 0 && p.cur().kind != tEOF; p.i++ {
		switch {
		case p.isOp("("):
			depth++
		case p.isOp(")"):
			depth--
		}
	}
}
