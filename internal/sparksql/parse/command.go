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
			var ok bool
			if c.Args["key"], ok = setting(p.rest()); !ok {
				return nil, parseError("INVALID_RESET_COMMAND_FORMAT", "42000", c.P, "expected RESET or RESET key; backquotes hold keys with odd characters")
			}
		}
		return c, nil
	case "DROP":
		return p.drop(c)
	case "ANALYZE", "CACHE", "CLEAR", "REFRESH", "UNCACHE":
		return p.upkeep(c, t.up)
	}
	return p.unsupported(base, t.up)
}

// explain parses EXPLAIN [mode] statement.
func (p *parser) explain(base ast.Stmt) (ast.Statement, error) {
	p.i++
	e := &ast.Explain{Stmt: base}
	if p.isWord("EXTENDED", "FORMATTED", "CODEGEN", "COST", "LOGICAL") {
		e.Mode = strings.ToLower(p.next().up)
	}
	if p.cur().kind == tEOF || p.isOp(";") {
		return nil, p.expected("the statement to explain")
	}
	if p.isWord("EXPLAIN") {
		return nil, p.expected("a statement that EXPLAIN can show")
	}
	var err error
	e.Statement, err = p.one()
	return e, err
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
		if k := p.cur().kind; k == tString || k == tOp && c.Verb == "describe function" {
			at := p.here()
			c.Name = ast.Name{{At: at, Name: p.next().text, Quoted: true}}
			if k == tString && c.Verb != "describe function" {
				c.Name = append(ast.Name{{At: at, Name: "delta"}}, c.Name...)
			}
		} else if c.Name, err = p.name("a name"); err != nil {
			return nil, err
		}
		if p.accept("LIMIT") {
			if t := p.cur(); t.kind != tNumber || strings.Trim(t.text, "0123456789") != "" {
				return nil, p.expected("a number")
			}
			c.Args["limit"] = p.next().text
		}
		return c, nil
	case p.isWord("QUERY") && p.queryAt(1), p.queryAt(0) && !p.isWord("TABLE"):
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
	if p.isWord("TABLE") && !p.endsAt(1) {
		p.i++
	}
	if p.isWord("EXTENDED", "FORMATTED") && !p.endsAt(1) {
		p.i++
		c.Args["extended"] = "true"
	}
	if c.Name, err = p.name("a table"); err != nil {
		return nil, err
	}
	if p.accept("AS", "JSON") {
		if c.Args["extended"] == "" {
			return nil, p.fail(p.cur(), "DESCRIBE_JSON_NOT_EXTENDED", "0A000", "AS JSON needs EXTENDED")
		}
		c.Args["json"] = "true"
	}
	if p.isWord("PARTITION") && p.peekOp(1, "(") {
		p.i++
		if err := p.partition(c); err != nil {
			return nil, err
		}
	}
	if p.isIdent() {
		n, err := p.name("a column")
		if err != nil {
			return nil, err
		}
		c.Args["column"] = strings.Join(n.Strings(), ".")
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
			return nil, p.fail(p.cur(), "_LEGACY_ERROR_TEMP_0045", "", "SET TIME ZONE takes a zone in quotes, LOCAL or an INTERVAL")
		}
		start := p.i
		if _, err := p.interval(); err != nil {
			return nil, err
		}
		c.Args["interval"] = p.textFrom(start)
		return c, nil
	case p.isWord("VAR", "VARIABLE") && !p.endsAt(1) && !p.peekOp(1, "=") && !p.peekOp(1, "."):
		return p.setVar(c.Stmt)
	}
	text := p.rest()
	if text == "" || text == "-v" {
		return c, nil
	}
	key, value, found := strings.Cut(text, "=")
	var ok bool
	if c.Args["key"], ok = setting(key); !ok {
		return nil, p.setSyntax(c.At)
	}
	if found {
		if v, ok := setting(value); ok {
			c.Args["value"] = v
		} else {
			c.Args["value"] = strings.TrimSpace(value)
		}
	}
	return c, nil
}

// setting is a key or a value of SET: a word without white space and
// parentheses, or anything in backticks.
func setting(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if n := len(s); n >= 2 && s[0] == '`' && s[n-1] == '`' {
		return strings.ReplaceAll(s[1:n-1], "``", "`"), true
	}
	return s, s != "" && !strings.ContainsAny(s, " \t\n\r()")
}

func (p *parser) drop(c *ast.Command) (ast.Statement, error) {
	t := p.cur()
	switch {
	case p.accept("SCHEMA"), p.accept("DATABASE"), p.accept("NAMESPACE"):
		c.Verb = "drop schema"
	case p.isWord("TABLE"):
		return p.dropTable(c.Stmt)
	case p.accept("MATERIALIZED", "VIEW"), p.accept("STREAMING", "TABLE"):
		c.Verb = "drop table"
	case p.accept("VIEW"):
		c.Verb = "drop view"
	case p.isWord("TEMPORARY", "TEMP") && p.wordAt(1, "VARIABLE"):
		p.i += 2
		return p.dropVariable(c.Stmt)
	case p.accept("FUNCTION"):
		c.Verb = "drop function"
	case p.isWord("TEMPORARY", "TEMP") && p.wordAt(1, "FUNCTION"):
		p.i += 2
		c.Verb, c.Args["temporary"] = "drop function", "true"
	case p.accept("INDEX"):
		c.Verb = "drop index"
		return p.index(c)
	case p.isWord("CATALOG", "VOLUME", "FLOW", "SHARE", "RECIPIENT"):
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
	if c.Args["temporary"] == "true" && !temporaryName(c.Name) {
		return nil, p.temporaryQualifier(c.At, "FUNCTION", c.Name)
	}
	for _, w := range []string{"CASCADE", "RESTRICT", "PURGE"} {
		if p.accept(w) {
			c.Args[strings.ToLower(w)] = "true"
		}
	}
	return c, nil
}
