package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// one parses one statement without its semicolon.
func (p *parser) one() (ast.Statement, error) {
	p.params, p.depth, p.dynamic = 0, 0, false
	start := p.i
	base := ast.Stmt{At: p.here()}
	st, err := p.dispatch(base)
	if err != nil {
		return nil, err
	}
	p.finish(st, start)
	return st, nil
}

// finish notes what is known once a statement's end is reached.
func (p *parser) finish(st ast.Statement, start int) {
	if s, ok := st.(interface {
		SetSource(text string)
		SetDynamic()
	}); ok {
		s.SetSource(p.textFrom(start))
		if p.dynamic {
			s.SetDynamic()
		}
	}
}

func (p *parser) dispatch(base ast.Stmt) (ast.Statement, error) {
	if p.isOp("(") {
		return p.queryStatement(base)
	}
	t := p.cur()
	if t.kind != tIdent {
		return nil, p.expected("a statement: SELECT, WITH, CREATE, SHOW, DESCRIBE, USE, SET, ...")
	}
	switch t.up {
	case "SELECT", "VALUES", "TABLE":
		return p.queryStatement(base)
	case "WITH":
		return p.queryStatement(base)
	case "FROM":
		return p.queryStatement(base)
	case "CREATE":
		return p.create(base)
	case "APPLY":
		if p.words("APPLY", "CHANGES", "INTO") {
			return p.applyChanges(base)
		}
	case "EXPLAIN":
		return p.explain(base)
	case "SHOW", "DESCRIBE", "DESC", "USE", "SET", "RESET", "DROP", "REFRESH", "CACHE", "UNCACHE", "CLEAR", "ANALYZE":
		return p.command(base)
	case "BEGIN":
		return p.compoundStatement(base)
	case "CALL":
		return p.callProcedure(base)
	case "COMMENT":
		return p.comment(base)
	case "COPY":
		return p.copyInto(base)
	case "GENERATE":
		return p.generate(base)
	case "DECLARE":
		return p.declare(base)
	case "EXECUTE":
		return p.execute(base)
	case "ALTER":
		switch {
		case p.wordAt(1, "VIEW"):
			return p.alterView(base)
		case p.wordAt(1, "SCHEMA", "DATABASE", "NAMESPACE"):
			return p.alterSchema(base)
		}
		return p.tableStatement(base)
	case "MSCK", "REPAIR":
		return p.repair(base)
	case "INSERT", "UPDATE", "DELETE", "MERGE":
		return p.change(base, ast.Prelude{})
	case "CONVERT", "OPTIMIZE", "REORG", "REPLACE", "RESTORE", "TRUNCATE", "VACUUM":
		return p.tableStatement(base)
	case "COMMIT", "ROLLBACK", "GRANT", "REVOKE", "START", "LOCK", "UNLOCK", "EXPORT", "IMPORT", "DFS":
		return nil, p.fail(t, "INVALID_STATEMENT_OR_CLAUSE", "42601", "the statement %s is not supported", t.up)
	}
	if unsupportedWords[t.up] {
		return p.unsupported(base, t.up)
	}
	return nil, p.expected("a statement: SELECT, WITH, CREATE, SHOW, DESCRIBE, USE, SET, ...")
}

// Statements that are recognised, so that their error can name them.
var unsupportedWords = map[string]bool{
	"LOAD": true, "ADD": true, "LIST": true,
}

// callProcedure parses CALL name(arguments), though there are no procedures.
func (p *parser) callProcedure(base ast.Stmt) (ast.Statement, error) {
	p.i++
	if _, err := p.name("a procedure"); err != nil {
		return nil, err
	}
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	if !p.isOp(")") {
		if _, err := list(p, p.callArg); err != nil {
			return nil, err
		}
	}
	return &ast.Unsupported{Stmt: base, Word: "CALL"}, p.needOp(")")
}

// unsupported takes the statement as a whole.
func (p *parser) unsupported(base ast.Stmt, word string) (ast.Statement, error) {
	for p.cur().kind != tEOF && !p.isOp(";") {
		p.i++
	}
	return &ast.Unsupported{Stmt: base, Word: word}, nil
}

func (p *parser) queryStatement(base ast.Stmt) (ast.Statement, error) {
	if p.changeFollows() {
		if p.isWord("FROM") {
			return p.fromInsert(base, ast.Prelude{})
		}
		return p.withChange(base)
	}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	return &ast.QueryStatement{Stmt: base, Query: q}, nil
}

// changeFollows finds WITH ... INSERT, UPDATE, DELETE or MERGE, and FROM ...
// INSERT.
func (p *parser) changeFollows() bool {
	if !p.isWord("WITH", "FROM") {
		return false
	}
	from := p.isWord("FROM")
	for n, depth := 1, 0; ; n++ {
		t := p.peek(n)
		switch {
		case t.kind == tEOF || t.kind == tOp && t.text == ";":
			return false
		case t.kind == tOp && t.text == "(":
			depth++
		case t.kind == tOp && t.text == ")":
			depth--
		case depth > 0 || t.kind != tIdent:
		case t.up == "SELECT" || t.up == "AS" && !p.peekOp(n+1, "("):
			if !from {
				return false
			}
		case t.up == "INSERT" && p.wordAt(n+1, "INTO", "OVERWRITE", "WITH"):
			return true
		case !from && (t.up == "MERGE" && p.wordAt(n+1, "INTO", "WITH") || t.up == "DELETE" && p.wordAt(n+1, "FROM")):
			return true
		case !from && t.up == "UPDATE" && p.peekOp(n-1, ")"):
			return true
		}
	}
}

// create parses the CREATE statements.
func (p *parser) create(base ast.Stmt) (ast.Statement, error) {
	start := p.i
	p.i++
	refresh, replace := false, false
	if p.accept("OR") {
		refresh = p.accept("REFRESH")
		replace = !refresh && p.accept("REPLACE")
		if !refresh && !replace {
			return nil, p.expected("REFRESH or REPLACE")
		}
	}
	private := p.accept("PRIVATE")
	global := p.accept("GLOBAL")
	temporary := p.accept("TEMPORARY") || p.accept("TEMP") || p.accept("LIVE") && false
	d := &ast.CreateDataset{Stmt: base, Refresh: refresh, Replace: replace, Private: private}
	switch {
	case p.accept("STREAMING", "TABLE") || p.accept("STREAMING", "LIVE", "TABLE"):
		return p.dataset(d)
	case p.accept("MATERIALIZED", "VIEW"):
		d.Kind = ast.MaterializedView
		return p.dataset(d)
	case refresh:
		return nil, p.expected("STREAMING TABLE or MATERIALIZED VIEW after OR REFRESH")
	case p.accept("VIEW"):
		return p.view(&ast.CreateView{Stmt: base, Replace: replace, Temporary: temporary, Global: global})
	case p.isWord("FLOW") && !temporary:
		p.i++
		return p.flow(base)
	case p.isWord("SCHEMA", "DATABASE", "NAMESPACE") && !temporary && !replace:
		return p.createSchema(base)
	case p.isWord("FUNCTION") && !global:
		return p.createFunction(&ast.CreateFunction{Stmt: base, Replace: replace, Temporary: temporary})
	case p.isWord("TABLE") || p.words("EXTERNAL", "TABLE"):
		return p.createTable(&ast.CreateTable{Stmt: base, Create: true, Replace: replace}, temporary)
	case p.isWord("INDEX") && !temporary && !replace:
		p.i++
		return p.index(&ast.Command{Stmt: base, Verb: "create index", Args: map[string]string{}})
	case p.isWord("INDEX", "VOLUME", "CONNECTION", "SHARE", "RECIPIENT", "BLOOMFILTER"):
		word := "CREATE " + p.cur().up
		return p.unsupported(base, word)
	}
	p.i = max(p.i, start+1)
	return nil, p.expected("STREAMING TABLE, MATERIALIZED VIEW, VIEW, FLOW, SCHEMA or TABLE")
}

func (p *parser) createSchema(base ast.Stmt) (ast.Statement, error) {
	c := &ast.Command{Stmt: base, Verb: "create schema", Args: map[string]string{}}
	p.i++
	if err := p.ifExists(c, true); err != nil {
		return nil, err
	}
	var err error
	if c.Name, err = p.name("a schema"); err != nil {
		return nil, err
	}
	for {
		if _, twice := c.Args["comment"]; twice && p.isWord("COMMENT") {
			return nil, p.fail(p.cur(), "DUPLICATE_CLAUSES", "42614", "the clause COMMENT stands twice")
		}
		switch {
		case p.accept("COMMENT"):
			c.Args["comment"], err = p.str("the comment's text")
		case p.accept("LOCATION"):
			c.Args["location"], err = p.str("a path")
		case p.accept("MANAGED", "LOCATION"):
			c.Args["location"], err = p.str("a path")
		case p.isWord("WITH") && p.wordAt(1, "DBPROPERTIES", "PROPERTIES"):
			p.i += 2
			var props []ast.Property
			props, err = p.properties()
			for _, pr := range props {
				c.Args["property."+pr.Key] = pr.Value
			}
		default:
			return c, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// ifExists parses IF [NOT] EXISTS.
func (p *parser) ifExists(c *ast.Command, not bool) error {
	if !p.isWord("IF") || !p.wordAt(1, "NOT", "EXISTS") {
		return nil
	}
	p.i++
	key := "if exists"
	if not {
		if err := p.need("NOT"); err != nil {
			return err
		}
		key = "if not exists"
	}
	c.Args[key] = "true"
	return p.need("EXISTS")
}

// tableProperties are the properties of TBLPROPERTIES, none of which may be
// one that a clause of its own sets.
func (p *parser) tableProperties() ([]ast.Property, error) {
	t := p.cur()
	props, err := p.properties()
	if err != nil {
		return nil, err
	}
	for _, pr := range props {
		switch pr.Key {
		case "location", "owner", "provider", "external", "is_managed_location":
			return nil, p.fail(t, "UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY", "0A000", "%s is no table property that can be set", pr.Key)
		}
	}
	return props, nil
}

// properties parses ('a' = 'b', c.d = 1, ...).
func (p *parser) properties() ([]ast.Property, error) {
	seen := map[string]bool{}
	return parens(p, func() ([]ast.Property, error) {
		return list(p, func() (ast.Property, error) {
			pr := ast.Property{At: p.here()}
			if p.cur().kind == tString {
				pr.Key = p.next().text
			} else {
				n, err := p.name("a key")
				if err != nil {
					return pr, err
				}
				pr.Key = strings.Join(n.Strings(), ".")
			}
			given := p.acceptOp("=")
			t := p.cur()
			if seen[pr.Key] {
				return pr, p.fail(t, "DUPLICATE_KEY", "23505", "the key %s stands twice", pr.Key)
			}
			seen[pr.Key] = true
			switch {
			case !given && (p.isOp(",") || p.isOp(")")):
				return pr, p.fail(t, "_LEGACY_ERROR_TEMP_0035", "", "the key %s needs a value", pr.Key)
			case t.kind == tString || t.kind == tNumber || t.kind == tIdent && (t.up == "TRUE" || t.up == "FALSE"):
				pr.Value = p.next().text
				if t.kind == tIdent {
					pr.Value = strings.ToLower(pr.Value)
				}
			case t.kind == tOp && t.text == "-" && p.peek(1).kind == tNumber:
				p.i++
				pr.Value = "-" + p.next().text
			default:
				return pr, p.expected("a value: a string, a number, true or false")
			}
			return pr, nil
		})
	})
}

func (p *parser) view(v *ast.CreateView) (ast.Statement, error) {
	t := p.cur()
	if p.accept("IF", "NOT", "EXISTS") {
		v.IfNotExists = true
	}
	switch {
	case v.Replace && v.IfNotExists:
		return nil, p.fail(t, "CREATE_VIEW_WITH_IF_NOT_EXISTS_AND_REPLACE", "42601", "CREATE VIEW takes OR REPLACE or IF NOT EXISTS, not both")
	case v.Temporary && v.IfNotExists:
		return nil, p.fail(t, "_LEGACY_ERROR_TEMP_0053", "", "a temporary view takes no IF NOT EXISTS")
	}
	var err error
	if v.Name, err = p.name("the view's name"); err != nil {
		return nil, err
	}
	if v.Temporary && !temporaryName(v.Name) {
		return nil, p.temporaryQualifier(v.At, "VIEW", v.Name)
	}
	if err := p.clauses(&v.Clauses); err != nil {
		return nil, err
	}
	if v.Temporary && len(v.Properties) > 0 && v.Provider == "" {
		return nil, p.fail(t, "_LEGACY_ERROR_TEMP_0035", "", "a temporary view takes no TBLPROPERTIES")
	}
	if v.Temporary && p.cur().kind == tEOF && v.Provider != "" {
		return &ast.Unsupported{Stmt: v.Stmt, Word: "CREATE TEMPORARY VIEW USING"}, nil
	}
	if err := p.need("AS"); err != nil {
		return nil, err
	}
	params := p.markers
	if v.Query, err = p.query(); err != nil {
		return nil, err
	}
	if p.markers > params {
		return nil, p.fail(t, "UNSUPPORTED_FEATURE.PARAMETER_MARKER_IN_UNEXPECTED_STATEMENT", "0A000", "the query of CREATE VIEW may not hold parameter markers")
	}
	if v.Temporary && len(v.Expectations) > 0 {
		return &ast.CreateDataset{Stmt: v.Stmt, Kind: ast.TemporaryView, Replace: v.Replace, Name: v.Name, Clauses: v.Clauses, Query: v.Query}, nil
	}
	return v, nil
}
