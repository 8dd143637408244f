package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
)

// declare parses DECLARE [OR REPLACE] [VARIABLE] names [type] [DEFAULT x].
func (p *parser) declare(base ast.Stmt) (ast.Statement, error) {
	d := &ast.DeclareVariable{Stmt: base}
	p.i++
	if p.accept("OR") {
		d.Replace = true
		if err := p.need("REPLACE"); err != nil {
			return nil, err
		}
	}
	if p.isWord("VARIABLE") && !p.endsAt(1) && !p.peekOp(1, "=") {
		p.i++
	}
	var err error
	if d.Names, err = list(p, func() (ast.Name, error) { return p.name("a variable") }); err != nil {
		return nil, err
	}
	if p.isIdent() && !p.isWord("DEFAULT") {
		if p.isWord("NOT", "HANDLER") {
			return nil, p.expected("a data type or DEFAULT")
		}
		if d.Type, err = p.dataType(); err != nil {
			return nil, err
		}
	}
	if p.accept("DEFAULT") || p.acceptOp("=") {
		start := p.i
		if d.Default, err = p.expr(); err != nil {
			return nil, err
		}
		d.DefaultText = p.textFrom(start)
	}
	if d.Type == nil && d.Default == nil && (p.cur().kind == tEOF || p.isOp(";")) {
		return nil, parseError("INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED", "42000", base.Pos(), "a variable needs a data type or a DEFAULT")
	}
	return d, nil
}

// setVariable parses what follows SET VAR: a = x, ... or (a, b) = (query).
func (p *parser) setVariable(s *ast.SetVariable) (ast.Statement, error) {
	variable := func() (ast.Name, error) { return p.name("a variable") }
	var err error
	if p.isOp("(") {
		if s.Targets, err = parens(p, func() ([]ast.Name, error) { return list(p, variable) }); err != nil {
			return nil, err
		}
		if err := p.needOp("="); err != nil {
			return nil, err
		}
		s.Query, err = parens(p, p.query)
		return s, err
	}
	_, err = list(p, func() (ast.Name, error) {
		n, err := variable()
		if err != nil {
			return nil, err
		}
		if !p.acceptOp("=") && !p.acceptOp("==") {
			return nil, p.expected("=")
		}
		x, err := p.expr()
		s.Targets, s.Values = append(s.Targets, n), append(s.Values, x)
		return n, err
	})
	return s, err
}

// setSyntax is what Spark says of SET statements that it cannot read.
func (p *parser) setSyntax(pos ast.At) error {
	return parseError("INVALID_SET_SYNTAX", "42000", pos.P, "expected SET, SET key or SET key=value; backquotes hold keys with odd characters")
}

// setVar parses SET VAR ... outside of scripts, where any error is one of SET.
func (p *parser) setVar(base ast.Stmt) (ast.Statement, error) {
	p.i++
	st, err := p.setVariable(&ast.SetVariable{Stmt: base})
	if err == nil && p.cur().kind != tEOF && !p.isOp(";") {
		err = p.expected("end of the statement")
	}
	if err != nil {
		return nil, p.setSyntax(base.At)
	}
	return st, nil
}

// dropVariable parses [IF EXISTS] name behind DROP TEMPORARY VARIABLE.
func (p *parser) dropVariable(base ast.Stmt) (ast.Statement, error) {
	d := &ast.DropVariable{Stmt: base, IfExists: p.accept("IF", "EXISTS")}
	var err error
	d.Name, err = p.name("a variable")
	return d, err
}

// execute parses EXECUTE IMMEDIATE text [INTO names] [USING args].
func (p *parser) execute(base ast.Stmt) (ast.Statement, error) {
	p.i++
	if err := p.need("IMMEDIATE"); err != nil {
		return nil, err
	}
	e := &ast.ExecuteImmediate{Stmt: base}
	var err error
	if e.Query, err = p.expr(); err != nil {
		return nil, err
	}
	if p.accept("INTO") {
		if e.Into, err = list(p, func() (ast.Name, error) { return p.name("a variable") }); err != nil {
			return nil, err
		}
	}
	if !p.accept("USING") {
		return e, nil
	}
	if e.Using, err = list(p, p.namedExpr); err != nil {
		return nil, err
	}
	if len(e.Using) == 1 { // USING (a, b)
		if t, ok := e.Using[0].(*ast.Tuple); ok {
			e.Using = t.Items
		}
	}
	seen := map[string]bool{}
	for _, x := range e.Using {
		if a, ok := x.(*ast.Alias); ok {
			if seen[a.Name.Name] {
				return nil, parseError("EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES", "42701", a.Pos(), "USING has two arguments %s", a.Name.Name)
			}
			seen[a.Name.Name] = true
		}
	}
	return e, nil
}

// alterView parses ALTER VIEW name ... behind ALTER.
func (p *parser) alterView(base ast.Stmt) (ast.Statement, error) {
	p.i += 2
	v := &ast.AlterView{Stmt: base}
	var err error
	if v.Name, err = p.name("a view"); err != nil {
		return nil, err
	}
	switch {
	case p.accept("RENAME", "TO"):
		v.Change = ast.ViewRename
		v.To, err = p.name("the view's new name")
	case p.accept("SET", "TBLPROPERTIES"):
		v.Change = ast.ViewSet
		v.Properties, err = p.tableProperties()
	case p.accept("UNSET", "TBLPROPERTIES"):
		v.Change = ast.ViewUnset
		v.IfExists = p.accept("IF", "EXISTS")
		v.Properties, err = parens(p, func() ([]ast.Property, error) { return list(p, p.propertyKey) })
	case p.words("WITH", "SCHEMA"):
		v.Change = ast.ViewSchemaMode
		v.SchemaMode, err = p.schemaMode()
	default:
		if !p.accept("AS") {
			if !p.queryAt(0) {
				return nil, p.expected("AS, RENAME TO, SET TBLPROPERTIES, UNSET TBLPROPERTIES or WITH SCHEMA")
			}
		}
		v.Query, err = p.query()
	}
	return v, err
}

// schemaMode parses WITH SCHEMA mode.
func (p *parser) schemaMode() (string, error) {
	p.i += 2
	for _, mode := range []string{"BINDING", "COMPENSATION", "TYPE EVOLUTION", "EVOLUTION"} {
		if p.accept(strings.Fields(mode)...) {
			return mode, nil
		}
	}
	return "", p.expected("BINDING, COMPENSATION, EVOLUTION or TYPE EVOLUTION")
}

// alterSchema parses ALTER SCHEMA name SET|UNSET ....
func (p *parser) alterSchema(base ast.Stmt) (ast.Statement, error) {
	p.i += 2
	c := &ast.Command{Stmt: base, Verb: "alter schema", Args: map[string]string{}}
	var err error
	if c.Name, err = p.name("a schema"); err != nil {
		return nil, err
	}
	unset := p.accept("UNSET")
	if !unset {
		if err := p.need("SET"); err != nil {
			return nil, err
		}
	}
	switch {
	case p.isWord("DBPROPERTIES", "PROPERTIES"):
		p.i++
		var props []ast.Property
		prefix := "property."
		if unset {
			prefix = "unset."
			props, err = parens(p, func() ([]ast.Property, error) { return list(p, p.propertyKey) })
		} else {
			props, err = p.properties()
		}
		for _, pr := range props {
			c.Args[prefix+pr.Key] = pr.Value
		}
	case !unset && p.accept("LOCATION"):
		c.Args["location"], err = p.str("a path")
	default:
		return nil, p.expected("DBPROPERTIES or LOCATION")
	}
	return c, err
}

// comment parses COMMENT ON TABLE|SCHEMA name IS text.
func (p *parser) comment(base ast.Stmt) (ast.Statement, error) {
	p.i++
	if err := p.need("ON"); err != nil {
		return nil, err
	}
	c := &ast.Command{Stmt: base, Args: map[string]string{}}
	switch {
	case p.accept("TABLE"):
		c.Verb = "comment on table"
	case p.isWord("SCHEMA", "DATABASE", "NAMESPACE"):
		p.i++
		c.Verb = "comment on schema"
	default:
		return nil, p.expected("TABLE or SCHEMA")
	}
	var err error
	if c.Name, err = p.name("a name"); err != nil {
		return nil, err
	}
	if err := p.need("IS"); err != nil {
		return nil, err
	}
	if p.accept("NULL") {
		return c, nil
	}
	c.Args["comment"], err = p.str("the comment's text or NULL")
	return c, err
}

// Markers tells which kinds of parameter markers a text holds.
func Markers(text string) (named, positional bool, err error) {
	toks, err := lex(sparksql.Pos{}, text, Quotes{})
	if err != nil {
		return false, false, err
	}
	for i, t := range toks {
		if t.kind != tOp {
			continue
		}
		switch t.text {
		case "?":
			positional = true
		case ":": // not a path (x:a), which follows a value
			next := toks[i+1].kind == tIdent || toks[i+1].kind == tQuoted
			value := i > 0 && toks[i-1].end == t.off && toks[i-1].kind != tOp
			if i > 0 && toks[i-1].kind == tOp && (toks[i-1].text == ")" || toks[i-1].text == "]") {
				value = true
			}
			named = named || next && !value
		}
	}
	return named, positional, nil
}
