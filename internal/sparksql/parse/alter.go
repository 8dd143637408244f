package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// alter parses ALTER TABLE.
func (p *parser) alter(base ast.Stmt) (ast.Statement, error) {
	a := &ast.AlterTable{Stmt: base}
	p.i++
	switch {
	case p.accept("TABLE"):
	case p.isWord("VIEW", "SCHEMA", "DATABASE", "CATALOG", "FUNCTION", "VOLUME", "STREAMING", "MATERIALIZED"):
		return p.unsupported(base, "ALTER "+p.cur().up)
	default:
		return nil, p.expected("TABLE, VIEW or SCHEMA")
	}
	var err error
	if a.Target, err = p.target("a table"); err != nil {
		return nil, err
	}
	a.Action, err = p.alterAction()
	return a, err
}

func (p *parser) alterAction() (ast.AlterAction, error) {
	at := p.here()
	t := p.next()
	switch t.up {
	case "ADD":
		return p.alterAdd(at)
	case "DROP":
		return p.alterDrop(at)
	case "RENAME":
		return p.alterRename(at)
	case "ALTER", "CHANGE":
		p.accept("COLUMN")
		return p.alterColumns(at, t.up == "CHANGE")
	case "REPLACE":
		if err := p.need("COLUMNS"); err != nil {
			return nil, err
		}
		if p.isOp("(") && p.peekOp(1, ")") {
			return nil, p.fail(p.cur(), "INVALID_STATEMENT_OR_CLAUSE", "42601", "REPLACE COLUMNS needs columns")
		}
		cols, err := parens(p, p.addedColumns)
		return &ast.AddColumns{At: at, Columns: cols, Replace: true}, err
	case "SET":
		return p.alterSet(at)
	case "UNSET":
		if err := p.need("TBLPROPERTIES"); err != nil {
			return nil, err
		}
		u := &ast.UnsetProperties{At: at, IfExists: p.accept("IF", "EXISTS")}
		var err error
		u.Keys, err = parens(p, func() ([]ast.Property, error) { return list(p, p.propertyKey) })
		return u, err
	case "CLUSTER":
		if err := p.need("BY"); err != nil {
			return nil, err
		}
		c := &ast.AlterClusterBy{At: at}
		if p.accept("NONE") || p.accept("AUTO") {
			return c, nil
		}
		var err error
		c.Columns, err = p.names()
		return c, err
	case "PARTITION":
		p.rest()
		return &ast.AlterOther{At: at, What: "partition"}, nil
	case "RECOVER":
		return &ast.AlterOther{At: at, What: "recover partitions", Verb: "repair"}, p.need("PARTITIONS")
	}
	p.i--
	return nil, p.expected("ADD, DROP, RENAME, ALTER, CHANGE, REPLACE, SET, UNSET or CLUSTER BY")
}

func (p *parser) addedColumns() ([]ast.TableColumn, error) {
	return list(p, func() (ast.TableColumn, error) {
		t := p.cur()
		c, err := p.tableColumn(nil)
		if err == nil && (c.Generated != nil || c.Identity != nil) {
			return c, p.fail(t, "PARSE_SYNTAX_ERROR", "42601", "a column that is added cannot be GENERATED")
		}
		return c, err
	})
}

func (p *parser) alterAdd(at ast.At) (ast.AlterAction, error) {
	switch {
	case p.isWord("COLUMN", "COLUMNS"):
		p.i++
		if p.words("IF", "NOT", "EXISTS") {
			return nil, p.expected("a column's name")
		}
		paren := p.acceptOp("(")
		cols, err := p.addedColumns()
		if err == nil && paren {
			err = p.needOp(")")
		}
		return &ast.AddColumns{At: at, Columns: cols}, err
	case p.isWord("CONSTRAINT"):
		p.i++
		name, err := p.ident("the constraint's name")
		if err != nil {
			return nil, err
		}
		return p.addConstraint(&ast.AddConstraint{At: at, Name: name})
	case p.isWord("CHECK", "PRIMARY", "FOREIGN", "UNIQUE"):
		c, err := p.addConstraint(&ast.AddConstraint{At: at})
		if err == nil {
			c.Kind = "unnamed " + c.Kind
		}
		return c, err
	case p.isWord("IF", "PARTITION"):
		return p.partitions(at, "add")
	}
	return nil, p.expected("COLUMN, COLUMNS, CONSTRAINT or PARTITION")
}

func (p *parser) addConstraint(c *ast.AddConstraint) (*ast.AddConstraint, error) {
	if !p.isWord("CHECK") {
		if !p.isWord("PRIMARY", "FOREIGN", "UNIQUE") {
			return nil, p.expected("CHECK, PRIMARY KEY, FOREIGN KEY or UNIQUE")
		}
		c.Kind = strings.ToLower(p.cur().text)
		p.rest()
		return c, nil
	}
	p.i++
	c.Kind = "check"
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	start := p.i
	var err error
	if c.Cond, err = p.expr(); err != nil {
		return nil, err
	}
	c.Text = p.spaced(start)
	if err := p.needOp(")"); err != nil {
		return nil, err
	}
	if p.isWord("ENFORCED", "NOT", "RELY", "NORELY") {
		c.Kind = "check with options"
		p.rest()
	}
	return c, nil
}

// spaced are the tokens from index i up to the current one with blanks
// between, as Delta keeps the text of a constraint.
func (p *parser) spaced(i int) string {
	var parts []string
	for _, t := range p.toks[i:p.i] {
		parts = append(parts, p.src[t.off:t.end])
	}
	return strings.Join(parts, " ")
}

func (p *parser) alterDrop(at ast.At) (ast.AlterAction, error) {
	var err error
	switch {
	case p.isWord("COLUMN", "COLUMNS"):
		p.i++
		d := &ast.DropColumns{At: at, IfExists: p.accept("IF", "EXISTS")}
		if p.isOp("(") {
			d.Columns, err = p.names()
		} else {
			d.Columns, err = list(p, func() (ast.Name, error) { return p.name("a column") })
		}
		return d, err
	case p.accept("CONSTRAINT"):
		d := &ast.DropConstraint{At: at, IfExists: p.accept("IF", "EXISTS")}
		d.Name, err = p.ident("the constraint's name")
		return d, err
	case p.accept("FEATURE"):
		d := &ast.DropFeature{At: at}
		if p.cur().kind == tString {
			d.Name = p.next().text
		} else {
			var id ast.Ident
			id, err = p.ident("a feature's name")
			d.Name = id.Name
		}
		d.Truncate = p.accept("TRUNCATE", "HISTORY")
		return d, err
	case p.isWord("IF", "PARTITION"):
		return p.partitions(at, "drop")
	}
	return nil, p.expected("COLUMN, COLUMNS, CONSTRAINT, FEATURE or PARTITION")
}

func (p *parser) alterRename(at ast.At) (ast.AlterAction, error) {
	if p.accept("TO") {
		name, err := p.name("the new name")
		return &ast.RenameTable{At: at, To: name}, err
	}
	if err := p.need("COLUMN"); err != nil {
		return nil, err
	}
	r := &ast.RenameColumn{At: at}
	var err error
	if r.From, err = p.name("a column"); err != nil {
		return nil, err
	}
	if err := p.need("TO"); err != nil {
		return nil, err
	}
	r.To, err = p.ident("the column's new name")
	return r, err
}

func (p *parser) alterColumns(at ast.At, change bool) (ast.AlterAction, error) {
	cols, err := list(p, func() (ast.AlterColumn, error) {
		c := ast.AlterColumn{At: p.here()}
		var err error
		if c.Column, err = p.name("a column"); err != nil {
			return c, err
		}
		if change && p.isIdent() && !p.isWord("TYPE", "COMMENT", "SET", "DROP", "FIRST", "AFTER") {
			return c, p.hiveColumn(&c)
		}
		return c, p.columnChange(&c)
	})
	return &ast.AlterColumns{At: at, Columns: cols}, err
}

// hiveColumn parses CHANGE COLUMN a b TYPE [COMMENT 'x'] [FIRST | AFTER c].
func (p *parser) hiveColumn(c *ast.AlterColumn) error {
	t := p.cur()
	id, err := p.ident("the column's new name")
	if err != nil {
		return err
	}
	if c.Type, err = p.dataType(); err != nil {
		return err
	}
	if !strings.EqualFold(id.Name, c.Column[len(c.Column)-1].Name) {
		return p.fail(t, "_LEGACY_ERROR_TEMP_0034", "", "CHANGE COLUMN renames no column; use RENAME COLUMN")
	}
	c.NewName = &id
	if p.accept("COMMENT") {
		s, err := p.str("the comment's text")
		if err != nil {
			return err
		}
		c.Comment = &s
	}
	if p.isWord("FIRST", "AFTER") {
		c.Position, c.After, err = p.position()
	}
	return err
}

func (p *parser) columnChange(c *ast.AlterColumn) error {
	var err error
	switch {
	case p.accept("TYPE"):
		c.Type, err = p.dataType()
	case p.accept("COMMENT"):
		var s string
		s, err = p.str("the comment's text")
		c.Comment = &s
	case p.isWord("FIRST", "AFTER"):
		c.Position, c.After, err = p.position()
	case p.accept("SET", "NOT", "NULL"), p.accept("DROP", "NOT", "NULL"):
		set := p.toks[p.i-3].up == "SET"
		c.NotNull = &set
	case p.accept("DROP", "DEFAULT"):
		c.DropDefault = true
	case p.accept("SET", "DEFAULT"):
		start := p.i
		c.Default, err = p.expr()
		c.Text = p.textFrom(start)
	case p.accept("SYNC", "IDENTITY"):
		c.Sync = true
	default:
		err = p.expected("TYPE, COMMENT, FIRST, AFTER, SET, DROP or SYNC IDENTITY")
	}
	return err
}

func (p *parser) alterSet(at ast.At) (ast.AlterAction, error) {
	switch {
	case p.accept("TBLPROPERTIES"):
		props, err := p.tableProperties()
		if err != nil {
			return nil, err
		}
		return &ast.SetProperties{At: at, Properties: props}, nil
	case p.accept("LOCATION"):
		s, err := p.str("a path")
		return &ast.SetLocation{At: at, Path: s}, err
	case p.isWord("SERDE", "SERDEPROPERTIES"):
		p.rest()
		return &ast.AlterOther{At: at, What: "serde"}, nil
	case p.isWord("FILEFORMAT"):
		t := p.cur()
		return nil, p.fail(t, "INVALID_STATEMENT_OR_CLAUSE", "42601", "the clause SET FILEFORMAT is not supported")
	}
	return nil, p.expected("TBLPROPERTIES or LOCATION")
}
