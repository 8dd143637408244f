package parse

import (
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// tableStatement parses the statements that begin with a word of their own.
func (p *parser) tableStatement(base ast.Stmt) (ast.Statement, error) {
	switch p.cur().up {
	case "ALTER":
		return p.alter(base)
	case "OPTIMIZE":
		return p.optimize(base)
	case "REORG":
		return p.reorg(base)
	case "RESTORE":
		return p.restore(base)
	case "TRUNCATE":
		return p.truncate(base)
	case "VACUUM":
		return p.vacuum(base)
	case "REPLACE":
		p.i++
		if !p.isWord("TABLE") {
			return nil, p.expected("TABLE")
		}
		return p.createTable(&ast.CreateTable{Stmt: base, Replace: true}, false)
	}
	return p.convert(base)
}

func (p *parser) dropTable(base ast.Stmt) (ast.Statement, error) {
	d := &ast.DropTable{Stmt: base}
	p.i++
	d.IfExists = p.accept("IF", "EXISTS")
	var err error
	if d.Target, err = p.target("a table"); err != nil {
		return nil, err
	}
	d.Purge = p.accept("PURGE")
	return d, nil
}

// createTable parses from the word TABLE on.
func (p *parser) createTable(c *ast.CreateTable, temporary bool) (ast.Statement, error) {
	t := p.cur()
	c.External = p.accept("EXTERNAL")
	p.i++
	if p.isWord("IF") {
		if c.Replace {
			return nil, p.expected("a table")
		}
		if err := p.need("IF", "NOT", "EXISTS"); err != nil {
			return nil, err
		}
		c.IfNotExists = true
	}
	var err error
	if c.Target, err = p.target("the table's name"); err != nil {
		return nil, err
	}
	if p.isOp("(") {
		if err := p.tableColumns(c); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	for {
		if err := p.onlyOnce(seen, "COMMENT", "TBLPROPERTIES", "OPTIONS", "LOCATION", "PARTITIONED", "CLUSTER", "CLUSTERED"); err != nil {
			return nil, err
		}
		if p.isWord("USING") && c.Provider != "" {
			return nil, p.expected("another clause or AS")
		}
		more, err := p.tableClause(c)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	if temporary && c.Query == nil {
		return nil, p.fail(t, "_LEGACY_ERROR_TEMP_2242", "", "there are no temporary tables; use a temporary view")
	}
	if c.Query == nil && c.Clone == nil && (p.accept("AS") || p.queryAt(0)) {
		if c.Query, err = p.query(); err != nil {
			return nil, err
		}
	}
	return c, p.checkTable(c, t)
}

// onlyOnce refuses a clause that stands a second time; seen are those before.
func (p *parser) onlyOnce(seen map[string]bool, words ...string) error {
	if !p.isWord(words...) {
		return nil
	}
	w := p.cur().up
	if seen[w] {
		return p.fail(p.cur(), "DUPLICATE_CLAUSES", "42614", "the clause %s stands twice", w)
	}
	seen[w] = true
	return nil
}

// checkTable refuses clauses that cannot stand together.
func (p *parser) checkTable(c *ast.CreateTable, t token) error {
	switch {
	case c.Query != nil && len(c.Columns) > 0:
		return p.fail(t, "_LEGACY_ERROR_TEMP_0035", "", "the columns of a table made AS SELECT come from the query; leave the list out")
	case c.Clustered && (len(c.PartitionBy) > 0 || c.Buckets):
		return p.fail(t, "_LEGACY_ERROR_TEMP_0035", "", "CLUSTER BY cannot stand beside PARTITIONED BY or buckets")
	}
	if c.Query != nil {
		for _, i := range c.PartitionBy {
			if i.Type != nil {
				return p.fail(t, "_LEGACY_ERROR_TEMP_0035", "", "the partition columns of a table made AS SELECT have no types")
			}
		}
	}
	return nil
}

// tableClause parses one clause behind the column list; false where none stands.
func (p *parser) tableClause(c *ast.CreateTable) (bool, error) {
	var err error
	switch {
	case p.accept("USING"):
		var id ast.Ident
		id, err = p.ident("a format")
		c.Provider = id.Name
	case p.accept("COMMENT"):
		c.Comment, err = p.str("the comment's text")
	case p.accept("TBLPROPERTIES"):
		c.Properties, err = p.tableProperties()
	case p.isWord("OPTIONS") && p.peekOp(1, "("):
		p.i++
		c.Options, err = p.properties()
	case p.accept("LOCATION"):
		c.Location, err = p.str("a path")
	case p.accept("PARTITIONED", "BY"):
		c.PartitionBy, err = parens(p, func() ([]ast.PartitionItem, error) { return list(p, p.partitionItem) })
	case p.accept("CLUSTER", "BY"):
		c.Clustered = true
		if p.accept("NONE") || p.accept("AUTO") {
			return true, nil
		}
		c.ClusterBy, err = p.names()
	case p.accept("CLUSTERED", "BY"):
		c.Buckets = true
		if _, err = p.idents(); err != nil {
			return true, err
		}
		if p.accept("SORTED", "BY") {
			p.needOp("(") //nolint:errcheck,gosec // what is wrong shows at INTO
			p.skipTo()
			p.acceptOp(")")
		}
		if err = p.need("INTO"); err == nil {
			p.i++
			err = p.need("BUCKETS")
		}
	case p.isWord("DEFAULT") && p.wordAt(1, "COLLATION"):
		p.i += 2
		_, err = p.name("a collation")
	case !c.Replace && p.accept("LIKE"):
		c.Like, err = p.target("a table")
	case p.isWord("SHALLOW") && p.wordAt(1, "CLONE"):
		p.i += 2
		err = p.clone(c)
	default:
		return false, nil
	}
	return true, err
}

func (p *parser) names() ([]ast.Name, error) {
	return parens(p, func() ([]ast.Name, error) {
		return list(p, func() (ast.Name, error) { return p.name("a column") })
	})
}

func (p *parser) clone(c *ast.CreateTable) error {
	c.Clone = &ast.Clone{}
	var err error
	if c.Clone.Source, err = p.target("the table to clone"); err != nil {
		return err
	}
	t := &ast.TableName{}
	err = p.temporal(t)
	c.Clone.Version, c.Clone.Timestamp = t.Version, t.Timestamp
	return err
}

func (p *parser) partitionItem() (ast.PartitionItem, error) {
	it := ast.PartitionItem{At: p.here()}
	var err error
	if it.Name, err = p.name("a column"); err != nil {
		return it, err
	}
	switch {
	case p.isOp("("):
		it.Transform = strings.ToLower(it.Name[0].Name)
		_, err = parens(p, func() ([]ast.Expr, error) { return list(p, p.expr) })
	case p.isIdent():
		if it.Type, err = p.dataType(); err == nil && p.accept("NOT", "NULL") {
			return it, nil
		}
		if err == nil && p.accept("COMMENT") {
			_, err = p.str("the comment's text")
		}
	}
	return it, err
}

// tableColumns parses the column list of CREATE TABLE.
func (p *parser) tableColumns(c *ast.CreateTable) error {
	p.i++
	for {
		switch {
		case p.isWord("CONSTRAINT") && !p.peekOp(1, ":"):
			p.i += 2
			fallthrough
		case p.words("PRIMARY", "KEY"), p.words("FOREIGN", "KEY"), p.isWord("CHECK", "UNIQUE") && p.peekOp(1, "("):
			if err := p.tableConstraint(c); err != nil {
				return err
			}
		default:
			d, err := p.tableColumn(c)
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

// tableConstraint notes a CHECK or key, which tables made here cannot have.
func (p *parser) tableConstraint(c *ast.CreateTable) error {
	if !p.isWord("PRIMARY", "FOREIGN", "CHECK", "UNIQUE") {
		return p.expected("CHECK, PRIMARY KEY, FOREIGN KEY or UNIQUE")
	}
	if c.Constraint == "" {
		c.Constraint = p.cur().up
	}
	p.skipTo()
	return nil
}

// tableColumn parses a column with its options; c collects constraints, nil
// where none may stand.
func (p *parser) tableColumn(c *ast.CreateTable) (ast.TableColumn, error) {
	d := ast.TableColumn{At: p.here()}
	var err error
	if d.Path, err = p.name("a column name"); err != nil {
		return d, err
	}
	p.acceptOp(":")
	if d.Type, err = p.dataType(); err != nil {
		return d, err
	}
	seen := map[string]bool{}
	for {
		if w := p.cur(); c != nil && p.isWord("NOT", "COMMENT", "DEFAULT", "GENERATED") {
			if seen[w.up] {
				return d, p.fail(w, "CREATE_TABLE_COLUMN_DESCRIPTOR_DUPLICATE", "42710", "%s stands twice for the column %s", w.up, d.Path[len(d.Path)-1].Name)
			}
			seen[w.up] = true
		}
		more, err := p.columnOption(&d, c)
		if err != nil || !more {
			return d, err
		}
	}
}

func (p *parser) columnOption(d *ast.TableColumn, c *ast.CreateTable) (bool, error) {
	var err error
	switch {
	case p.words("NOT", "NULL"):
		p.i += 2
		d.NotNull = true
	case p.accept("COMMENT"):
		d.Comment, err = p.str("the comment's text")
	case p.accept("DEFAULT"):
		start := p.i
		d.Default, err = p.expr()
		d.Text = p.textFrom(start)
	case p.isWord("GENERATED"):
		p.i++
		err = p.generated(d)
	case p.isWord("FIRST", "AFTER") && c == nil:
		d.Position, d.After, err = p.position()
	case c != nil && p.isWord("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "REFERENCES"):
		if p.accept("CONSTRAINT") {
			p.i++
		}
		if c.Constraint == "" {
			c.Constraint = p.cur().up
		}
		p.skipTo()
	default:
		return false, nil
	}
	return true, err
}

// position parses FIRST or AFTER x.
func (p *parser) position() (string, ast.Ident, error) {
	if p.accept("FIRST") {
		return "first", ast.Ident{}, nil
	}
	if err := p.need("AFTER"); err != nil {
		return "", ast.Ident{}, err
	}
	id, err := p.ident("a column")
	return "after", id, err
}

// generated parses ALWAYS AS (x), ALWAYS AS IDENTITY and BY DEFAULT AS IDENTITY.
func (p *parser) generated(d *ast.TableColumn) error {
	always := p.accept("ALWAYS")
	if !always {
		if err := p.need("BY", "DEFAULT"); err != nil {
			return err
		}
	}
	if err := p.need("AS"); err != nil {
		return err
	}
	if p.isOp("(") && always {
		p.i++
		start := p.i
		var err error
		if d.Generated, err = p.expr(); err != nil {
			return err
		}
		d.Text = p.textFrom(start)
		return p.needOp(")")
	}
	if err := p.need("IDENTITY"); err != nil {
		return err
	}
	d.Identity = &ast.Identity{Always: always, Start: 1, Step: 1}
	if !p.acceptOp("(") {
		return nil
	}
	for !p.acceptOp(")") {
		to := &d.Identity.Start
		switch {
		case p.accept("START", "WITH"):
		case p.accept("INCREMENT", "BY"):
			to = &d.Identity.Step
		default:
			return p.expected("START WITH, INCREMENT BY or )")
		}
		t := p.cur()
		n, err := p.integer()
		if err != nil {
			return err
		}
		if *to = n; d.Identity.Step == 0 {
			return p.fail(t, "IDENTITY_COLUMNS_ILLEGAL_STEP", "42611", "the step of an IDENTITY column cannot be 0")
		}
	}
	return nil
}

func (p *parser) integer() (int64, error) {
	sign := ""
	if p.acceptOp("-") {
		sign = "-"
	}
	n, err := strconv.ParseInt(sign+p.cur().text, 10, 64)
	if err != nil || p.cur().kind != tNumber {
		return 0, p.expected("an integer")
	}
	p.i++
	return n, nil
}
