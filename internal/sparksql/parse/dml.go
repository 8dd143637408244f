package parse

import (
	"strconv"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// target parses the name of the table that a statement changes.
func (p *parser) target(what string) (ast.Target, error) {
	t := ast.Target{At: p.here()}
	var err error
	if p.isWord("IDENTIFIER") && p.peekOp(1, "(") {
		p.i++
		t.NameExpr, err = parens(p, p.expr)
		return t, err
	}
	t.Name, err = p.name(what)
	return t, err
}

// aliased is target with [AS] alias; the words end the name.
func (p *parser) aliased(words ...string) (ast.Target, error) {
	t, err := p.target("a table")
	if err != nil {
		return t, err
	}
	if p.accept("AS") || p.isIdent() && !p.isWord(words...) {
		id, err := p.ident("an alias")
		if err != nil {
			return t, err
		}
		t.Alias = &id
		if p.isOp("(") {
			return t, p.fail(p.cur(), "COLUMN_ALIASES_NOT_ALLOWED", "42601", "the table takes an alias, but no column aliases")
		}
	}
	return t, nil
}

// change parses INSERT, UPDATE, DELETE and MERGE, with the WITH that may stand
// before them.
func (p *parser) change(base ast.Stmt, pre ast.Prelude) (ast.Statement, error) {
	switch t := p.next(); t.up {
	case "INSERT":
		ins := &ast.Insert{Stmt: base, Prelude: pre}
		if err := p.insertHead(ins); err != nil {
			return nil, err
		}
		if ins.Replace == "using" || ins.Replace == "on" {
			p.rest() // analysis refuses them
			return ins, nil
		}
		var err error
		ins.Query, err = p.query()
		return ins, err
	case "UPDATE":
		return p.update(&ast.Update{Stmt: base, Prelude: pre})
	case "DELETE":
		return p.deleteFrom(&ast.Delete{Stmt: base, Prelude: pre})
	}
	return p.merge(&ast.Merge{Stmt: base, Prelude: pre})
}

// withChange parses WITH ... INSERT | UPDATE | DELETE | MERGE.
func (p *parser) withChange(base ast.Stmt) (ast.Statement, error) {
	q := &ast.Query{At: p.here()}
	if err := p.with(q); err != nil {
		return nil, err
	}
	pre := ast.Prelude{With: q.With, Recursive: q.Recursive}
	if p.isWord("FROM") {
		return p.fromInsert(base, pre)
	}
	return p.change(base, pre)
}

func (p *parser) assignments() ([]ast.Assignment, error) {
	return list(p, func() (ast.Assignment, error) {
		a := ast.Assignment{At: p.here()}
		var err error
		if a.Target, err = p.name("a column"); err != nil {
			return a, err
		}
		if err := p.needOp("="); err != nil {
			return a, err
		}
		a.Value, err = p.expr()
		return a, err
	})
}

func (p *parser) update(u *ast.Update) (ast.Statement, error) {
	var err error
	if u.Target, err = p.aliased("SET"); err != nil {
		return nil, err
	}
	if err := p.need("SET"); err != nil {
		return nil, err
	}
	if u.Set, err = p.assignments(); err != nil {
		return nil, err
	}
	if p.accept("WHERE") {
		u.Where, err = p.expr()
	}
	return u, err
}

func (p *parser) deleteFrom(d *ast.Delete) (ast.Statement, error) {
	if err := p.need("FROM"); err != nil {
		return nil, err
	}
	var err error
	if d.Target, err = p.aliased("WHERE", "USING", "VERSION", "TIMESTAMP", "FOR", "LIMIT"); err != nil {
		return nil, err
	}
	if p.accept("WHERE") {
		start := p.i
		d.Where, err = p.expr()
		d.WhereText = p.textFrom(start)
	}
	return d, err
}

func (p *parser) merge(m *ast.Merge) (ast.Statement, error) {
	if p.accept("WITH", "SCHEMA", "EVOLUTION") {
		m.Evolve = true
	}
	if err := p.need("INTO"); err != nil {
		return nil, err
	}
	var err error
	if m.Target, err = p.aliased("USING"); err != nil {
		return nil, err
	}
	if err := p.need("USING"); err != nil {
		return nil, err
	}
	at := p.here()
	if m.Using, err = p.mergeSource(); err != nil {
		return nil, err
	}
	if hasColumnAliases(m.Using) {
		return nil, parseError("COLUMN_ALIASES_NOT_ALLOWED", "42601", at.P, "the source of MERGE takes an alias, but no column aliases")
	}
	if err := p.need("ON"); err != nil {
		return nil, err
	}
	if m.On, err = p.expr(); err != nil {
		return nil, err
	}
	for p.isWord("WHEN") {
		c, err := p.mergeClause()
		if err != nil {
			return nil, err
		}
		m.Clauses = append(m.Clauses, c)
	}
	return m, p.checkClauses(m)
}

// mergeSource parses what stands behind USING: a table or a query.
func (p *parser) mergeSource() (ast.TableRef, error) {
	if p.isOp("(") && !p.queryAt(1) || p.isWord("VALUES") && p.peekOp(1, "(") {
		return nil, p.expected("a table or a query in parentheses")
	}
	t := p.cur()
	r, err := p.tableRef(false)
	if err != nil {
		return nil, err
	}
	switch r := r.(type) {
	case *ast.SubqueryRef:
		return r, nil
	case *ast.TableName:
		if r.Version == nil && r.Timestamp == nil && r.Sample == nil && len(r.Options) == 0 {
			return r, nil
		}
	}
	return nil, p.fail(t, "PARSE_SYNTAX_ERROR", "42601", "the source of MERGE is a table or a query in parentheses")
}

func hasColumnAliases(r ast.TableRef) bool {
	switch r := r.(type) {
	case *ast.TableName:
		return r.Alias.Columns != nil
	case *ast.SubqueryRef:
		return r.Alias.Columns != nil
	case *ast.ParenRef:
		return r.Alias.Columns != nil
	}
	return false
}

// checkClauses refuses MERGE without clauses, and clauses that an earlier one
// without condition hides.
func (p *parser) checkClauses(m *ast.Merge) error {
	if len(m.Clauses) == 0 {
		if p.cur().kind != tEOF && !p.isOp(";") {
			return p.expected("WHEN")
		}
		return parseError("MERGE_WITHOUT_WHEN", "42601", m.Pos(), "MERGE needs at least one WHEN clause")
	}
	class := map[ast.MergeKind]string{
		ast.Matched: "NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION", ast.NotMatched: "NON_LAST_NOT_MATCHED_BY_TARGET_CLAUSE_OMIT_CONDITION",
		ast.NotMatchedBySource: "NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION",
	}
	open := map[ast.MergeKind]bool{}
	for _, c := range m.Clauses {
		if open[c.Kind] {
			return parseError(class[c.Kind], "42613", c.Pos(), "only the last of several clauses of one kind may have no condition")
		}
		open[c.Kind] = c.Cond == nil
	}
	return nil
}

func (p *parser) mergeClause() (ast.MergeClause, error) {
	c := ast.MergeClause{At: p.here()}
	p.i++
	switch {
	case p.accept("MATCHED"):
	case p.accept("NOT", "MATCHED"):
		c.Kind = ast.NotMatched
		switch {
		case p.accept("BY", "SOURCE"):
			c.Kind = ast.NotMatchedBySource
		case p.isWord("BY"):
			if err := p.need("BY", "TARGET"); err != nil {
				return c, err
			}
		}
	default:
		return c, p.expected("MATCHED or NOT MATCHED")
	}
	if p.accept("AND") {
		start := p.i
		var err error
		if c.Cond, err = p.expr(); err != nil {
			return c, err
		}
		c.Text = p.textFrom(start)
	}
	if err := p.need("THEN"); err != nil {
		return c, err
	}
	return c, p.mergeAction(&c)
}

func (p *parser) mergeAction(c *ast.MergeClause) error {
	if c.Kind == ast.NotMatched {
		if err := p.need("INSERT"); err != nil {
			return err
		}
		c.Action = ast.MergeInsert
		return p.mergeInsert(c)
	}
	if p.accept("DELETE") {
		c.Action = ast.MergeDelete
		return nil
	}
	if err := p.need("UPDATE", "SET"); err != nil {
		return err
	}
	if c.Kind == ast.Matched && p.acceptOp("*") {
		c.All = true
		return nil
	}
	var err error
	c.Set, err = p.assignments()
	return err
}

func (p *parser) mergeInsert(c *ast.MergeClause) error {
	if p.acceptOp("*") {
		c.All = true
		return nil
	}
	t := p.cur()
	cols, err := parens(p, func() ([]ast.Name, error) {
		return list(p, func() (ast.Name, error) { return p.name("a column") })
	})
	if err != nil {
		return err
	}
	if err := p.need("VALUES"); err != nil {
		return err
	}
	vals, err := parens(p, func() ([]ast.Expr, error) { return list(p, p.expr) })
	if err != nil {
		return err
	}
	if len(cols) != len(vals) {
		return p.fail(t, "MERGE_INSERT_VALUE_COUNT_MISMATCH", "21S01", "INSERT names %d columns and has %d values", len(cols), len(vals))
	}
	for i, n := range cols {
		c.Set = append(c.Set, ast.Assignment{At: n[0].At, Target: n, Value: vals[i]})
	}
	return nil
}

func (p *parser) truncate(base ast.Stmt) (ast.Statement, error) {
	t := &ast.Truncate{Stmt: base}
	p.i++
	if err := p.need("TABLE"); err != nil {
		return nil, err
	}
	var err error
	if t.Target, err = p.target("a table"); err != nil {
		return nil, err
	}
	if p.accept("PARTITION") {
		t.Partition, err = p.partitionSpec()
	}
	return t, err
}

// place is target, or a path in quotes, which stands for delta.`path`.
func (p *parser) tableOrPath() (ast.Target, error) {
	if p.cur().kind != tString {
		return p.target("a table")
	}
	at := p.here()
	path := p.next().text
	return ast.Target{At: at, Name: ast.Name{{At: at, Name: "delta"}, {At: at, Name: path, Quoted: true}}}, nil
}

func (p *parser) optimize(base ast.Stmt) (ast.Statement, error) {
	o := &ast.Optimize{Stmt: base}
	p.i++
	var err error
	if p.isWord("TABLE") && p.peek(1).kind == tIdent && !p.wordAt(1, "WHERE", "ZORDER", "FULL") {
		p.i--
		return nil, p.expected("a statement")
	}
	if o.Target, err = p.tableOrPath(); err != nil {
		return nil, err
	}
	o.Full = p.accept("FULL")
	if p.accept("WHERE") {
		start := p.i
		if o.Where, err = p.expr(); err != nil {
			return nil, err
		}
		o.WhereText = p.textFrom(start)
	}
	if p.accept("ZORDER", "BY") {
		paren := p.acceptOp("(")
		if o.ZOrder, err = list(p, func() (ast.Name, error) { return p.name("a column") }); err == nil && paren {
			err = p.needOp(")")
		}
	}
	return o, err
}

func (p *parser) vacuum(base ast.Stmt) (ast.Statement, error) {
	v := &ast.Vacuum{Stmt: base}
	p.i++
	var err error
	if v.Target, err = p.tableOrPath(); err != nil {
		return nil, err
	}
	for {
		switch {
		case p.accept("LITE"):
			v.Lite = true
		case p.accept("FULL"):
		case p.accept("DRY", "RUN"):
			v.DryRun = true
		case p.accept("RETAIN"):
			minus := p.acceptOp("-")
			n, err := strconv.ParseFloat(p.cur().text, 64)
			if err != nil || p.cur().kind != tNumber {
				return nil, p.expected("a number of hours")
			}
			if minus {
				n = -n
			}
			p.i++
			v.Retain = &n
			if err := p.need("HOURS"); err != nil {
				return nil, err
			}
		default:
			return v, nil
		}
	}
}

func (p *parser) restore(base ast.Stmt) (ast.Statement, error) {
	r := &ast.Restore{Stmt: base}
	p.i++
	if p.isWord("TABLE") && (p.peek(1).kind == tIdent || p.peek(1).kind == tQuoted || p.peek(1).kind == tString) {
		p.i++
	}
	var err error
	if r.Target, err = p.tableOrPath(); err != nil {
		return nil, err
	}
	p.accept("TO")
	t := &ast.TableName{}
	if err := p.temporal(t); err != nil {
		return nil, err
	}
	if lit, ok := t.Timestamp.(*ast.Literal); t.Timestamp != nil && (!ok || lit.Type != types.String) {
		return nil, parseError("PARSE_SYNTAX_ERROR", "42601", t.Timestamp.Pos(), "RESTORE takes the time as a text")
	}
	r.Version, r.Timestamp = t.Version, t.Timestamp
	if r.Version == nil && r.Timestamp == nil {
		return nil, p.expected("VERSION AS OF or TIMESTAMP AS OF")
	}
	return r, nil
}

func (p *parser) reorg(base ast.Stmt) (ast.Statement, error) {
	r := &ast.Reorg{Stmt: base, Apply: "purge"}
	p.i++
	if err := p.need("TABLE"); err != nil {
		return nil, err
	}
	var err error
	if r.Target, err = p.tableOrPath(); err != nil {
		return nil, err
	}
	if p.accept("WHERE") {
		if r.Where, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if err := p.need("APPLY"); err != nil {
		return nil, err
	}
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	if !p.accept("PURGE") {
		if err := p.need("UPGRADE", "UNIFORM"); err != nil {
			return nil, err
		}
		r.Apply = "upgrade uniform"
		p.skipTo()
	}
	return r, p.needOp(")")
}
