package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

func (p *parser) dataset(d *ast.CreateDataset) (ast.Statement, error) {
	if p.accept("IF", "NOT", "EXISTS") {
		d.IfNotExists = true
	}
	var err error
	if d.Name, err = p.name("the table's name"); err != nil {
		return nil, err
	}
	if err := p.clauses(&d.Clauses); err != nil {
		return nil, err
	}
	switch {
	case p.accept("AS"):
		d.Query, err = p.query()
		return d, err
	case p.isWord("FLOW") && d.Kind == ast.StreamingTable:
		p.i++
		d.Flow = &ast.FlowSpec{At: p.here()}
		return d, p.inlineFlow(d.Flow)
	case d.Kind == ast.MaterializedView:
		return nil, p.expected("a clause or AS with the view's query")
	case p.cur().kind != tEOF && !p.isOp(";"):
		return nil, p.expected("a clause (COMMENT, TBLPROPERTIES, PARTITIONED BY, CLUSTER BY) or AS with a query")
	}
	return d, nil
}

// clauses parses the column list and the clauses in any order.
func (p *parser) clauses(c *ast.Clauses) error {
	if p.isOp("(") {
		if err := p.columns(c); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for {
		t := p.cur()
		err := p.onlyOnce(seen, "COMMENT", "TBLPROPERTIES", "PARTITIONED", "CLUSTER")
		if err != nil {
			return err
		}
		switch {
		case p.accept("COMMENT"):
			c.Comment, err = p.str("the comment's text")
		case p.isWord("TBLPROPERTIES", "OPTIONS"):
			p.i++
			var props []ast.Property
			props, err = p.tableProperties()
			c.Properties = append(c.Properties, props...)
		case p.accept("PARTITIONED", "BY"):
			c.PartitionBy, err = p.idents()
		case p.accept("CLUSTER", "BY"):
			if p.accept("AUTO") || p.accept("NONE") {
				continue
			}
			c.ClusterBy, err = p.idents()
		case p.accept("USING"):
			var id ast.Ident
			id, err = p.ident("a format")
			c.Provider = id.Name
		default:
			var more bool
			if more, err = p.rareClause(c, t); !more && err == nil {
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
}

// rareClause takes the clauses that Marisma knows but does not act on.
func (p *parser) rareClause(c *ast.Clauses, t token) (bool, error) {
	note := func(word string) {
		c.Unsupported = append(c.Unsupported, ast.Ident{At: ast.At{P: p.at(t)}, Name: word})
	}
	switch {
	case p.accept("LOCATION"):
		note("LOCATION")
		_, err := p.str("a path")
		return true, err
	case p.isWord("DEFAULT") && p.wordAt(1, "COLLATION"):
		p.i += 2
		_, err := p.name("a collation")
		return true, err
	case p.words("WITH", "SCHEMA"):
		var err error
		c.SchemaMode, err = p.schemaMode()
		return true, err
	case p.words("WITH", "ROW", "FILTER"), p.words("ROW", "FILTER"):
		note("ROW FILTER")
	case p.isWord("SCHEDULE"):
		note("SCHEDULE")
	case p.words("TRIGGER", "ON"):
		note("TRIGGER ON UPDATE")
	case p.words("REFRESH", "POLICY"):
		p.i += 2
		if !p.accept("AUTO") && !p.accept("FULL") && !p.accept("INCREMENTAL", "STRICT") && !p.accept("INCREMENTAL") {
			return true, p.expected("AUTO, INCREMENTAL, INCREMENTAL STRICT or FULL")
		}
		return true, nil
	default:
		return false, nil
	}
	// What follows is taken up to the query; analysis refuses the clause.
	for p.cur().kind != tEOF && !p.isOp(";") && !p.isWord("AS", "FLOW", "COMMENT", "TBLPROPERTIES") {
		p.i++
	}
	return true, nil
}

// columns parses the column list with its constraints.
func (p *parser) columns(c *ast.Clauses) error {
	p.i++
	for {
		switch {
		case p.isWord("CONSTRAINT"):
			if err := p.constraint(c); err != nil {
				return err
			}
		case p.words("PRIMARY", "KEY"), p.words("FOREIGN", "KEY"):
			return p.expected("a column or CONSTRAINT name EXPECT (condition)")
		default:
			d, err := p.columnDef(c)
			if err != nil {
				return err
			}
			c.Columns = append(c.Columns, d)
		}
		if p.acceptOp(")") {
			return nil
		}
		if !p.acceptOp(",") {
			return p.expected(", or )")
		}
	}
}

func (p *parser) columnDef(c *ast.Clauses) (ast.ColumnDef, error) {
	d := ast.ColumnDef{At: p.here()}
	id, err := p.ident("a column name or CONSTRAINT")
	if err != nil {
		return d, err
	}
	d.Name = id.Name
	if (p.isIdent() || p.isOp(":")) && !p.isWord("COMMENT", "NOT") {
		p.acceptOp(":")
		if d.Type, err = p.dataType(); err != nil {
			return d, err
		}
	}
	for {
		t := p.cur()
		switch {
		case p.accept("NOT", "NULL"):
			d.NotNull = true
		case p.accept("COMMENT"):
			if d.Comment, err = p.str("the comment's text"); err != nil {
				return d, err
			}
		case p.isWord("GENERATED", "DEFAULT", "MASK", "CONSTRAINT", "PRIMARY"):
			c.Unsupported = append(c.Unsupported, ast.Ident{At: ast.At{P: p.at(t)}, Name: t.up})
			p.skipTo()
		default:
			return d, nil
		}
	}
}

// skipTo moves to the next , or ) of this level.
func (p *parser) skipTo() {
	for depth := 0; p.cur().kind != tEOF; p.i++ {
		switch {
		case p.isOp("("):
			depth++
		case p.isOp(")") && depth == 0, p.isOp(",") && depth == 0:
			return
		case p.isOp(")"):
			depth--
		}
	}
}

// constraint parses CONSTRAINT name EXPECT (cond) [ON VIOLATION action].
func (p *parser) constraint(c *ast.Clauses) error {
	e := ast.Expectation{At: p.here()}
	p.i++
	var err error
	if e.Name, err = p.ident("the constraint's name"); err != nil {
		return err
	}
	if p.isWord("PRIMARY", "FOREIGN", "CHECK") {
		t := p.cur()
		c.Unsupported = append(c.Unsupported, ast.Ident{At: ast.At{P: p.at(t)}, Name: "CONSTRAINT " + t.up})
		p.skipTo()
		return nil
	}
	if err := p.need("EXPECT"); err != nil {
		return err
	}
	if err := p.needOp("("); err != nil {
		return err
	}
	start := p.i
	if e.Cond, err = p.expr(); err != nil {
		return err
	}
	e.Text = p.textFrom(start)
	if err := p.needOp(")"); err != nil {
		return err
	}
	if p.accept("ON", "VIOLATION") {
		switch {
		case p.accept("DROP", "ROW"):
			e.Action = "drop"
		case p.accept("FAIL", "UPDATE"):
			e.Action = "fail"
		default:
			return p.expected("DROP ROW or FAIL UPDATE")
		}
	}
	for _, o := range c.Expectations {
		if strings.EqualFold(o.Name.Name, e.Name.Name) {
			return parseError("DUPLICATE_EXPECTATION", "42710", e.Name.P, "the expectation %s is defined twice", e.Name.Name)
		}
	}
	c.Expectations = append(c.Expectations, e)
	return nil
}

// inlineFlow parses FLOW {INSERT [ONCE] BY NAME query | AUTO CDC ...}.
func (p *parser) inlineFlow(f *ast.FlowSpec) error {
	var err error
	switch {
	case p.accept("INSERT"):
		f.Once = p.accept("ONCE")
		if f.ByName = p.accept("BY", "NAME"); !f.ByName {
			return p.expected("BY NAME")
		}
		f.Query, err = p.query()
		return err
	case p.accept("AUTO", "CDC"):
		f.CDC, err = p.autoCDC()
		return err
	}
	return p.expected("INSERT BY NAME or AUTO CDC after FLOW")
}

// flow parses CREATE FLOW name [COMMENT 's'] AS ...
func (p *parser) flow(base ast.Stmt) (ast.Statement, error) {
	f := &ast.CreateFlow{Stmt: base}
	var err error
	if f.Name, err = p.name("the flow's name"); err != nil {
		return nil, err
	}
	if p.accept("COMMENT") {
		if f.Comment, err = p.str("the comment's text"); err != nil {
			return nil, err
		}
	}
	if err := p.need("AS"); err != nil {
		return nil, err
	}
	f.Flow.At = p.here()
	switch {
	case p.accept("INSERT"):
		f.Flow.Once = p.accept("ONCE")
		if err := p.need("INTO"); err != nil {
			return nil, err
		}
		if p.isWord("ONCE") && !p.wordAt(1, "BY") {
			p.i++
			f.Flow.Once = true
		}
		if f.Target, err = p.name("the table that the flow fills"); err != nil {
			return nil, err
		}
		if f.Flow.ByName = p.accept("BY", "NAME"); !f.Flow.ByName {
			return nil, p.expected("BY NAME")
		}
		f.Flow.Query, err = p.query()
		return f, err
	case p.accept("AUTO", "CDC", "INTO"):
		if f.Target, err = p.name("the table that the flow fills"); err != nil {
			return nil, err
		}
		f.Flow.CDC, err = p.autoCDC()
		return f, err
	}
	return nil, p.expected("INSERT INTO or AUTO CDC INTO")
}

// applyChanges parses the older APPLY CHANGES INTO t ...
func (p *parser) applyChanges(base ast.Stmt) (ast.Statement, error) {
	p.i += 3
	f := &ast.CreateFlow{Stmt: base, Flow: ast.FlowSpec{At: base.At}}
	var err error
	if f.Target, err = p.name("the table that the changes go into"); err != nil {
		return nil, err
	}
	f.Name = f.Target
	f.Flow.CDC, err = p.autoCDC()
	return f, err
}

// autoCDC parses FROM source KEYS (...) ... STORED AS SCD TYPE n.
func (p *parser) autoCDC() (*ast.AutoCDC, error) {
	c := &ast.AutoCDC{At: p.here(), SCD: 1}
	if err := p.need("FROM"); err != nil {
		return nil, err
	}
	var err error
	if c.Source, err = p.cdcSource(); err != nil {
		return nil, err
	}
	if err := p.need("KEYS"); err != nil {
		return nil, err
	}
	if c.Keys, err = p.idents(); err != nil {
		return nil, err
	}
	for err == nil {
		switch {
		case p.accept("IGNORE", "NULL", "UPDATES"):
			c.IgnoreNullUpdates = true
		case p.accept("APPLY", "AS", "DELETE", "WHEN"):
			c.DeleteWhen, err = p.expr()
		case p.accept("APPLY", "AS", "TRUNCATE", "WHEN"):
			c.TruncateWhen, err = p.expr()
		case p.accept("SEQUENCE", "BY"):
			c.SequenceBy, err = p.expr()
		case p.isWord("COLUMNS"):
			p.i++
			c.Columns, c.ExceptColumns, err = p.columnChoice()
		case p.accept("STORED", "AS", "SCD", "TYPE"):
			switch p.cur().text {
			case "1":
			case "2":
				c.SCD = 2
			default:
				return nil, p.expected("1 or 2")
			}
			p.i++
		case p.accept("TRACK", "HISTORY", "ON"):
			c.TrackHistory, c.TrackHistoryExcept, err = p.columnChoice()
		default:
			if c.SequenceBy == nil {
				return nil, p.expected("SEQUENCE BY")
			}
			return c, nil
		}
	}
	return nil, err
}

// cdcSource parses t, STREAM t or STREAM(t), without an alias.
func (p *parser) cdcSource() (ast.TableRef, error) {
	t := &ast.TableName{At: p.here()}
	if p.isWord("STREAM") && p.streamFollows() {
		t.Stream = true
		p.i++
	}
	paren := t.Stream && p.acceptOp("(")
	var err error
	if t.Name, err = p.name("the source of the changes"); err != nil {
		return nil, err
	}
	if paren {
		err = p.needOp(")")
	}
	return t, err
}

// columnChoice parses (a, b), a, b or * EXCEPT (a, b).
func (p *parser) columnChoice() (cols, except []ast.Ident, err error) {
	if p.acceptOp("*") {
		if err := p.need("EXCEPT"); err != nil {
			return nil, nil, err
		}
		except, err = p.idents()
		return nil, except, err
	}
	if p.isOp("(") {
		cols, err = p.idents()
		return cols, nil, err
	}
	cols, err = list(p, func() (ast.Ident, error) { return p.ident("a column") })
	return cols, nil, err
}
