package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// lists are the SHOW statements of the form SHOW x [IN name] [LIKE 'p'].
var lists = map[string]string{
	"CATALOGS": "show catalogs", "COLLATIONS": "show collations", "DATABASES": "show schemas", "NAMESPACES": "show schemas", "SCHEMAS": "show schemas",
	"TABLES": "show tables", "VIEWS": "show views",
}

func (p *parser) show(c *ast.Command) (ast.Statement, error) {
	var err error
	t := p.cur()
	switch {
	case t.kind == tIdent && lists[t.up] != "":
		c.Verb = lists[p.next().up]
		if err = p.inName(c); err == nil {
			err = p.pattern(c)
		}
	case p.accept("COLUMNS"):
		return p.showColumns(c)
	case p.accept("CREATE", "TABLE"):
		c.Verb = "show create table"
		if c.Name, err = p.name("a table"); err == nil && p.accept("AS", "SERDE") {
			c.Args["as serde"] = "true"
		}
	case p.accept("TABLE", "EXTENDED"):
		return p.showExtended(c)
	case p.accept("TBLPROPERTIES"):
		c.Verb = "show tblproperties"
		if c.Name, err = p.name("a table"); err == nil && p.isOp("(") {
			var key ast.Property
			key, err = parens(p, p.propertyKey)
			c.Args["key"] = key.Key
		}
	case p.accept("PARTITIONS"):
		c.Verb = "show partitions"
		if c.Name, err = p.name("a table"); err == nil && p.accept("PARTITION") {
			err = p.partition(c)
		}
	case p.isWord("FUNCTIONS") || p.isWord("USER", "SYSTEM", "ALL") && p.wordAt(1, "FUNCTIONS"):
		return p.showFunctions(c)
	case p.accept("CURRENT", "SCHEMA"), p.accept("CURRENT", "NAMESPACE"), p.accept("CURRENT", "DATABASE"):
		c.Verb = "show current schema"
	case p.isWord("LOCKS", "INDEX", "INDEXES", "ROLES", "PRINCIPALS", "TRANSACTIONS", "COMPACTIONS", "ROLE"):
		return nil, p.fail(t, "INVALID_STATEMENT_OR_CLAUSE", "42601", "the statement SHOW %s is not supported", t.up)
	case p.isWord("GRANTS", "VOLUMES", "SHARES", "RECIPIENTS", "GRANT", "PROCEDURES", "CACHED"):
		return p.unsupported(c.Stmt, "SHOW "+t.up)
	default:
		return nil, p.expected("TABLES, VIEWS, SCHEMAS, CATALOGS, COLUMNS, FUNCTIONS, TBLPROPERTIES, PARTITIONS or CREATE TABLE")
	}
	return c, err
}

// showColumns parses SHOW COLUMNS IN table [IN schema].
func (p *parser) showColumns(c *ast.Command) (ast.Statement, error) {
	c.Verb = "show columns"
	if !p.isWord("IN", "FROM") {
		return nil, p.expected("IN or FROM")
	}
	if err := p.inName(c); err != nil || !p.isWord("IN", "FROM") {
		return c, err
	}
	p.i++
	schema, err := p.name("a schema")
	if err != nil {
		return nil, err
	}
	if n := c.Name.Strings(); len(n) > 1 && !strings.EqualFold(n[len(n)-2], schema[len(schema)-1].Name) {
		c.Args["conflict"] = schema[len(schema)-1].Name
		return c, nil
	}
	c.Name = append(schema, c.Name[len(c.Name)-1])
	return c, nil
}

// showExtended parses SHOW TABLE EXTENDED [IN schema] LIKE 'p' [PARTITION ...].
func (p *parser) showExtended(c *ast.Command) (ast.Statement, error) {
	c.Verb = "show table extended"
	if err := p.inName(c); err != nil {
		return nil, err
	}
	if err := p.need("LIKE"); err != nil {
		return nil, err
	}
	var err error
	if c.Args["pattern"], err = p.str("a pattern in quotes"); err == nil && p.accept("PARTITION") {
		err = p.partition(c)
	}
	return c, err
}

// partition parses (a = x, ...) into Args "partition.a"; NULL is left out.
func (p *parser) partition(c *ast.Command) error {
	c.Args["partition"] = "true"
	_, err := parens(p, func() ([]ast.Ident, error) {
		return list(p, func() (ast.Ident, error) {
			id, err := p.ident("a partition column")
			if err != nil {
				return id, err
			}
			if !p.acceptOp("=") {
				return id, p.expected("=")
			}
			if p.accept("NULL") {
				c.Args["partition null."+id.Name] = "true"
				return id, nil
			}
			t := p.next()
			if t.kind != tString && t.kind != tNumber && t.kind != tIdent {
				return id, p.expected("a value")
			}
			c.Args["partition."+id.Name] = t.text
			return id, nil
		})
	})
	return err
}

// showFunctions parses SHOW [USER|SYSTEM|ALL] FUNCTIONS [IN schema] [[LIKE] p],
// where p may be a name.
func (p *parser) showFunctions(c *ast.Command) (ast.Statement, error) {
	c.Verb = "show functions"
	if !p.isWord("FUNCTIONS") {
		c.Args["scope"] = strings.ToLower(p.next().text)
	}
	p.i++
	if err := p.inName(c); err != nil {
		return nil, err
	}
	p.accept("LIKE")
	switch {
	case p.cur().kind == tString:
		c.Args["pattern"] = p.next().text
	case p.isIdent():
		n, err := p.name("a function")
		if err != nil {
			return nil, err
		}
		c.Args["pattern"] = strings.Join(n.Strings(), ".")
	}
	return c, nil
}
