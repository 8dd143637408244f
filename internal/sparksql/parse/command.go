package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// command parses the statements that the session runs itself.
func (p *parser) command(base ast.Stmt) (ast.Statement, error) {
	c := &ast.Command{Stmt: base, Args: map[string]string{}}
	t := p.next()
	switch t.up {
	case "SHOW":
		return p.show(c)
	case "DESCRIBE", "DESC":
		return p.describe(c)
	case "USE":
		return p.use(c)
	case "SET":
		return p.set(c)
	case "RESET":
		c.Verb = "reset"
		if p.cur().kind != tEOF && !p.isOp(";") {
			c.Args["key"] = p.rest()
		}
		return c, nil
	case "DROP":
		return p.drop(c)
	case "REFRESH":
		if p.accept("TABLE") {
			c.Verb = "refresh table"
			var err error
			c.Name, err = p.name("a table")
			return c, err
		}
		return p.unsupported(base, "REFRESH")
	}
	return p.unsupported(base, t.up)
}

// rest takes everything up to the statement's end as text.
func (p *parser) rest() string {
	start := p.i
	for p.cur().kind != tEOF && !p.isOp(";") {
		p.i++
	}
	return p.textFrom(start)
}

// inName parses [FROM|IN name].
func (p *parser) inName(c *ast.Command) error {
	if !p.accept("IN") && !p.accept("FROM") {
		return nil
	}
	var err error
	c.Name, err = p.name("a schema")
	return err
}

// pattern parses [[LIKE] 'pattern'].
func (p *parser) pattern(c *ast.Command) error {
	if p.accept("LIKE") && p.cur().kind != tString {
		return p.expected("a pattern in quotes")
	}
	if p.cur().kind == tString {
		c.Args["pattern"] = p.next().text
	}
	return nil
}

func (p *parser) show(c *ast.Command) (ast.Statement, error) {
	var err error
	switch {
	case p.accept("TABLES"), p.isWord("VIEWS", "SCHEMAS", "DATABASES", "CATALOGS"):
		c.Verb = "show tables"
		if p.isWord("VIEWS", "SCHEMAS", "DATABASES", "CATALOGS") {
			c.Verb = map[string]string{"VIEWS": "show views", "SCHEMAS": "show schemas", "DATABASES": "show schemas", "CATALOGS": "show catalogs"}[p.next().up]
		}
		if err = p.inName(c); err == nil {
			err = p.pattern(c)
		}
	case p.accept("COLUMNS"):
		c.Verb = "show columns"
		if !p.isWord("IN", "FROM") {
			return nil, p.expected("IN or FROM")
		}
		if err = p.inName(c); err == nil && p.isWord("IN", "FROM") {
			p.i++
			var schema ast.Name
			schema, err = p.name("a schema")
			c.Name = append(schema, c.Name[len(c.Name)-1])
		}
	case p.accept("CREATE", "TABLE"):
		c.Verb = "show create table"
		if c.Name, err = p.name("a table"); err == nil && p.accept("AS", "SERDE") {
			c.Args["as serde"] = "true"
		}
	case p.accept("TBLPROPERTIES"):
		c.Verb = "show tblproperties"
		if c.Name, err = p.name("a table"); err == nil && p.isOp("(") {
			var key ast.Property
			key, err = parens(p, p.propertyKey)
			c.Args["key"] = key.Key
		}
	case p.accept("PARTITIONS"):
		c.Verb = "show partitions"
		c.Name, err = p.name("a table")
	case p.isWord("FUNCTIONS", "USER", "SYSTEM", "ALL"):
		c.Verb = "show functions"
		if !p.isWord("FUNCTIONS") {
			c.Args["scope"] = strings.ToLower(p.next().text)
		}
		if err = p.need("FUNCTIONS"); err == nil {
			if err = p.inName(c); err == nil {
				err = p.pattern(c)
			}
		}
	case p.accept("CURRENT", "SCHEMA"), p.accept("CURRENT", "NAMESPACE"), p.accept("CURRENT", "DATABASE"):
		c.Verb = "show current schema"
	case p.isWord("TABLE", "GRANTS", "VOLUMES", "SHARES", "RECIPIENTS", "LOCKS", "INDEX", "INDEXES", "ROLES", "PRINCIPALS", "CATALOG", "GRANT", "ROLE", "TRANSACTIONS", "COMPACTIONS", "PROCEDURES", "COLLATIONS", "CACHED"):
		return p.unsupported(c.Stmt, "SHOW "+p.cur().up)
	default:
		return nil, p.expected("TABLES, VIEWS, SCHEMAS, CATALOGS, COLUMNS, FUNCTIONS, TBLPROPERTIES, PARTITIONS or CREATE TABLE")
	}
	return c, err
}

func (p *parser) propertyKey() (ast.Property, error) {
	pr := ast.Property{At: p.here()}
	if p.cur().kind == tString {
		pr.Key = p.next().text
		return pr, nil
	}
	n, err := p.name("a key")
	pr.Key = strings.Join(n.Strings(), ".")
	return pr, err
}

func (p *parser) describe(c *ast.Command) (ast.Statement, error) {
	var err error
	switch {
	case p.isWord("SCHEMA", "DATABASE", "NAMESPACE") && !p.endsAt(1):
		p.i++
		c.Verb = "describe schema"
		if p.accept("EXTENDED") {
			c.Args["extended"] = "true"
		}
		c.Name, err = p.name("a schema")
		return c, err
	case p.isWord("HISTORY", "DETAIL", "FUNCTION", "CATALOG") && !p.endsAt(1):
		c.Verb = "describe " + strings.ToLower(p.next().text)
		if p.accept("EXTENDED") {
			c.Args["extended"] = "true"
		}
		if p.cur().kind == tString {
			at := p.here()
			c.Name = ast.Name{{At: at, Name: p.next().text, Quoted: true}}
		} else if c.Name, err = p.name("a name"); err != nil {
			return nil, err
		}
		if p.accept("LIMIT") {
			c.Args["limit"] = p.rest()
		}
		return c, nil
	case p.isWord("QUERY") && !p.endsAt(1), p.isWord("SELECT", "WITH", "VALUES", "FROM") && !p.endsAt(1):
		p.accept("QUERY")
		start := p.i
		if _, err := p.query(); err != nil {
			return nil, err
		}
		c.Verb = "describe query"
		c.Args["query"] = p.textFrom(start)
		return c, nil
	}
	c.Verb = "describe table"
	p.accept("TABLE")
	if p.isWord("EXTENDED", "FORMATTED") && !p.endsAt(1) {
		p.i++
		c.Args["extended"] = "true"
	}
	if c.Name, err = p.name("a table"); err != nil {
		return nil, err
	}
	if p.accept("AS", "JSON") {
		c.Args["json"] = "true"
	}
	if p.isIdent() {
		n, err := p.name("a column")
		if err != nil {
			return nil, err
		}
		c.Args["column"] = strings.Join(n.Strings(), ".")
	}
	if p.words("PARTITION") {
		return p.unsupported(c.Stmt, "DESCRIBE PARTITION")
	}
	return c, nil
}

func (p *parser) use(c *ast.Command) (ast.Statement, error) {
	c.Verb = "use"
	if p.isWord("SCHEMA", "DATABASE", "NAMESPACE") && !p.endsAt(1) {
		p.i++
		c.Verb = "use schema"
	} else if p.isWord("CATALOG") && !p.endsAt(1) {
		return nil, p.expected("a name; write USE catalog.schema or SET CATALOG name")
	}
	var err error
	c.Name, err = p.name("a schema")
	return c, err
}

func (p *parser) set(c *ast.Command) (ast.Statement, error) {
	c.Verb = "set"
	switch {
	case p.isWord("CATALOG") && !p.endsAt(1) && !p.peekOp(1, "="):
		p.i++
		c.Verb = "set catalog"
		if p.cur().kind == tString {
			at := p.here()
			c.Name = ast.Name{{At: at, Name: p.next().text}}
			return c, nil
		}
		var err error
		c.Name, err = p.name("a catalog")
		return c, err
	case p.accept("TIME", "ZONE"):
		c.Verb = "set time zone"
		if p.cur().kind == tString {
			c.Args["value"] = p.next().text
			return c, nil
		}
		if p.accept("LOCAL") {
			c.Args["value"] = "LOCAL"
			return c, nil
		}
		if !p.isWord("INTERVAL") {
			return nil, p.expected("a zone in quotes, LOCAL or an INTERVAL")
		}
		c.Args["value"] = p.rest()
		return c, nil
	case p.isWord("VAR", "VARIABLE"):
		return p.unsupported(c.Stmt, "SET VARIABLE")
	}
	text := p.rest()
	if text == "" || text == "-v" {
		return c, nil
	}
	key, value, found := strings.Cut(text, "=")
	c.Args["key"] = strings.Trim(strings.TrimSpace(key), "`")
	if found {
		c.Args["value"] = unquoteSetting(strings.TrimSpace(value))
	}
	return c, nil
}

// unquoteSetting drops the quotes or backticks around a setting's value.
func unquoteSetting(s string) string {
	if n := len(s); n >= 2 && (s[0] == '`' || s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

func (p *parser) drop(c *ast.Command) (ast.Statement, error) {
	t := p.cur()
	switch {
	case p.accept("SCHEMA"), p.accept("DATABASE"):
		c.Verb = "drop schema"
	case p.accept("TABLE"):
		c.Verb = "drop table"
	case p.accept("MATERIALIZED", "VIEW"), p.accept("STREAMING", "TABLE"):
		c.Verb = "drop table"
	case p.accept("VIEW"):
		c.Verb = "drop view"
	case p.isWord("FUNCTION", "TEMPORARY", "CATALOG", "VARIABLE", "VOLUME", "INDEX", "FLOW", "SHARE", "RECIPIENT"):
		return p.unsupported(c.Stmt, "DROP "+t.up)
	default:
		return nil, p.expected("TABLE, VIEW, SCHEMA, MATERIALIZED VIEW or STREAMING TABLE")
	}
	if err := p.ifExists(c, false); err != nil {
		return nil, err
	}
	var err error
	if c.Name, err = p.name("a name"); err != nil {
		return nil, err
	}
	for _, w := range []string{"CASCADE", "RESTRICT", "PURGE"} {
		if p.accept(w) {
			c.Args[strings.ToLower(w)] = "true"
		}
	}
	return c, nil
}
