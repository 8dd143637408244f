package format

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

// statement prints one statement without its semicolon.
func (p *printer) statement(st ast.Statement) doc {
	switch st := st.(type) {
	case *ast.QueryStatement:
		return p.tall(st.Query)
	case *ast.CreateDataset:
		return p.dataset(st)
	case *ast.CreateView:
		return p.define(func() doc { return p.defined(&st.Clauses, st.Query) })
	case *ast.CreateFlow:
		return p.flow(st)
	case *ast.AlterView:
		return p.alterView(st)
	case *ast.CaseOf:
		return p.caseOf(st)
	case *ast.Command:
		return p.command(st)
	case *ast.Compound:
		return p.compound(st)
	case *ast.CreateFunction:
		return p.createFunction(st)
	case *ast.DeclareVariable:
		return p.declare(st)
	case *ast.DropVariable:
		return p.dropVariable(st)
	case *ast.ExecuteImmediate:
		return p.execute(st)
	case *ast.For:
		return p.forLoop(st)
	case *ast.If:
		return p.ifStatement(st)
	case *ast.Jump:
		return p.jump(st)
	case *ast.Loop:
		return p.loop(st)
	case *ast.SetVariable:
		return p.setVariable(st)
	case *ast.AlterTable, *ast.CreateTable, *ast.Delete, *ast.DropTable, *ast.Insert, *ast.Merge, *ast.Optimize, *ast.Reorg,
		*ast.Restore, *ast.Truncate, *ast.Update, *ast.Vacuum:
		return p.change(st)
	case *ast.Explain:
		w := p.kw("EXPLAIN")
		if st.Mode != "" {
			w = spaced(w, p.oneOf("EXTENDED", "FORMATTED", "CODEGEN", "COST", "LOGICAL"))
		}
		return join(w, hardline, p.statement(st.Statement))
	case *ast.CopyInto, *ast.Inserts, *ast.Unsupported:
		return p.verbatim()
	}
	p.bad = true
	return nothing
}

// verbatim prints the rest of the statement as it is written.
func (p *printer) verbatim() doc {
	if p.i >= p.end {
		return nothing
	}
	from, to := p.off(), p.src.Tokens[p.end-1].End
	lead := p.leading()
	p.i = p.end
	for p.c < len(p.src.Comments) && p.src.Comments[p.c].Off < to {
		p.c++
	}
	return join(lead, text(p.src.Text[from:to]), p.trailing())
}

// define prints CREATE ... kind [IF NOT EXISTS] name, then the rest.
func (p *printer) define(rest func() doc) doc {
	out := []doc{p.kw("CREATE")}
	for p.isWord("OR", "REFRESH", "REPLACE", "PRIVATE", "GLOBAL", "TEMPORARY", "TEMP", "LIVE", "STREAMING", "MATERIALIZED") {
		out = append(out, p.as(p.at(0).Upper))
	}
	out = append(out, p.oneOf("TABLE", "VIEW"))
	if p.words("IF", "NOT", "EXISTS") {
		out = append(out, p.kw("IF", "NOT", "EXISTS"))
	}
	out = append(out, p.rawName())
	return join(spaced(out...), rest())
}

func (p *printer) dataset(d *ast.CreateDataset) doc {
	return p.define(func() doc {
		if d.Flow == nil {
			return p.defined(&d.Clauses, d.Query)
		}
		head := p.clauseLines(&d.Clauses)
		return join(head, hardline, p.kw("FLOW"), space, p.flowSpec(d.Flow))
	})
}

// defined prints the clauses of a table or view and AS query.
func (p *printer) defined(c *ast.Clauses, q *ast.Query) doc {
	head := p.clauseLines(c)
	if q == nil {
		return head
	}
	if empty(head) {
		return join(space, p.kw("AS"), hardline, p.tall(q))
	}
	return join(head, hardline, p.kw("AS"), space, p.tall(q))
}

// clauseLines prints the column list and the clauses in the order of the
// source, each behind a new line.
func (p *printer) clauseLines(c *ast.Clauses) doc {
	var out []doc
	if p.isOp("(") {
		out = append(out, space, p.columns(c))
	}
	for p.i < p.end && !p.isWord("AS", "FLOW") && !p.bad {
		out = append(out, hardline, p.oneClause())
	}
	return join(out...)
}

// clauseStarts are the words that end a clause whose own grammar is not known.
var clauseStarts = []string{"AS", "FLOW", "COMMENT", "TBLPROPERTIES", "OPTIONS", "PARTITIONED", "CLUSTER", "USING", "LOCATION", "SCHEDULE", "TRIGGER", "WITH", "REFRESH", "ROW", "DEFAULT"}

func (p *printer) oneClause() doc {
	switch {
	case p.isWord("COMMENT"):
		return spaced(p.kw("COMMENT"), p.str())
	case p.isWord("TBLPROPERTIES", "OPTIONS"):
		return spaced(p.oneOf("TBLPROPERTIES", "OPTIONS"), p.properties())
	case p.words("PARTITIONED", "BY"):
		return spaced(p.kw("PARTITIONED", "BY"), p.rawUntil(func() bool { return p.isWord(clauseStarts...) }))
	case p.words("CLUSTER", "BY"):
		return spaced(p.kw("CLUSTER", "BY"), p.maybeOne("AUTO", "NONE"), p.rawUntil(func() bool { return p.isWord(clauseStarts...) }))
	case p.isWord("USING"):
		return spaced(p.kw("USING"), p.ident())
	case p.isWord("LOCATION"):
		return spaced(p.kw("LOCATION"), p.str())
	}
	if !p.isWord(clauseStarts...) {
		p.bad = true
		return nothing
	}
	first := p.as(p.at(0).Upper)
	return spaced(first, p.rawUntil(func() bool { return p.isWord("AS", "FLOW", "COMMENT", "TBLPROPERTIES") }))
}

// columns prints the list of columns and constraints: an item a line where
// there are constraints.
func (p *printer) columns(c *ast.Clauses) doc {
	l := p.op("(")
	rules := c.Expectations
	sep := newline
	var items []doc
	for !p.isOp(")") && !p.bad && p.i < p.end {
		var d doc
		if p.isWord("CONSTRAINT") {
			sep = hardline
			d, rules = p.constraint(rules)
		} else {
			d = p.column()
		}
		if p.isOp(",") {
			d = join(d, p.op(","))
		}
		items = append(items, d)
	}
	out := []doc{softline}
	for i, d := range items {
		if i > 0 {
			out = append(out, sep)
		}
		out = append(out, d)
	}
	d := join(l, indent(out...), softline, p.op(")"))
	if sep == hardline {
		d = seq{docs: []doc{d}, brk: true}
	}
	return short(d)
}

// itemEnds tells whether an item of a list in parentheses ends here.
func (p *printer) itemEnds() bool { return p.isOp(",") || p.isOp(")") }

func (p *printer) column() doc {
	name := p.ident()
	if p.isOp(":") {
		name = join(name, p.raw())
	}
	if p.itemEnds() {
		return name
	}
	if !p.isWord("COMMENT", "NOT") {
		name = spaced(name, p.dataType())
	}
	return spaced(name, p.fieldTail(), p.rawUntil(p.itemEnds))
}

func (p *printer) constraint(rules []ast.Expectation) (doc, []ast.Expectation) {
	head := spaced(p.kw("CONSTRAINT"), p.ident())
	if !p.isWord("EXPECT") || len(rules) == 0 {
		return spaced(head, p.rawUntil(p.itemEnds)), rules
	}
	d := spaced(head, p.kw("EXPECT"), p.parens(func() doc { return p.expr(rules[0].Cond) }))
	if p.isWord("ON") {
		d = spaced(d, p.kw("ON", "VIOLATION"), p.oneOf("DROP", "FAIL"), p.oneOf("ROW", "UPDATE"))
	}
	return group{d, ruleWidth}, rules[1:]
}

func (p *printer) flow(f *ast.CreateFlow) doc {
	if p.isWord("APPLY") {
		return join(p.kw("APPLY", "CHANGES", "INTO"), space, p.name(f.Target), p.cdc(f.Flow.CDC))
	}
	head := spaced(p.kw("CREATE", "FLOW"), p.name(f.Name))
	if p.isWord("COMMENT") {
		head = join(head, hardline, p.kw("COMMENT"), space, p.str())
	}
	as := p.kw("AS")
	if f.Flow.CDC != nil {
		return join(head, hardline, spaced(as, p.kw("AUTO", "CDC", "INTO"), p.name(f.Target)), p.cdc(f.Flow.CDC))
	}
	into := spaced(as, p.kw("INSERT"), p.maybe("ONCE"), p.kw("INTO"))
	if f.Target[0].P.Offset != p.off() {
		into = spaced(into, p.maybe("ONCE"))
	}
	return join(head, hardline, spaced(into, p.name(f.Target), p.kw("BY", "NAME")), hardline, p.tall(f.Flow.Query))
}

// flowSpec prints what stands behind FLOW in a table's definition.
func (p *printer) flowSpec(f *ast.FlowSpec) doc {
	if f.CDC != nil {
		return join(p.kw("AUTO", "CDC"), p.cdc(f.CDC))
	}
	return join(spaced(p.kw("INSERT"), p.maybe("ONCE"), p.kw("BY", "NAME")), hardline, p.tall(f.Query))
}

// cdc prints the clauses of AUTO CDC in the order of the source, each behind a
// new line.
func (p *printer) cdc(c *ast.AutoCDC) doc {
	out := []doc{hardline, spaced(p.kw("FROM"), p.ref(c.Source)), hardline, spaced(p.kw("KEYS"), p.idents(len(c.Keys)))}
	for p.i < p.end && !p.bad {
		var d doc
		switch {
		case p.isWord("IGNORE"):
			d = p.kw("IGNORE", "NULL", "UPDATES")
		case p.words("APPLY", "AS", "DELETE"):
			d = spaced(p.kw("APPLY", "AS", "DELETE", "WHEN"), p.expr(c.DeleteWhen))
		case p.words("APPLY", "AS", "TRUNCATE"):
			d = spaced(p.kw("APPLY", "AS", "TRUNCATE", "WHEN"), p.expr(c.TruncateWhen))
		case p.isWord("SEQUENCE"):
			d = spaced(p.kw("SEQUENCE", "BY"), p.expr(c.SequenceBy))
		case p.isWord("COLUMNS"):
			d = spaced(p.kw("COLUMNS"), p.choice(len(c.Columns)+len(c.ExceptColumns)))
		case p.isWord("STORED"):
			d = spaced(p.kw("STORED", "AS", "SCD", "TYPE"), p.raw())
		case p.isWord("TRACK"):
			d = spaced(p.kw("TRACK", "HISTORY", "ON"), p.choice(len(c.TrackHistory)+len(c.TrackHistoryExcept)))
		default:
			p.bad = true
		}
		out = append(out, hardline, d)
	}
	return join(out...)
}

// choice prints (a, b), a, b or * EXCEPT (a, b).
func (p *printer) choice(n int) doc {
	star := p.maybeOp("*")
	if !empty(star) {
		star = spaced(star, p.kw("EXCEPT"))
	}
	if p.isOp("(") {
		return spaced(star, p.idents(n))
	}
	return lines(p.list(n, func(int) doc { return p.ident() }))
}

// commandWords are the words of commands, in capitals where they are no part
// of a name.
var commandWords = strings.Fields("SHOW TABLES VIEWS SCHEMAS DATABASES CATALOGS COLUMNS CREATE TABLE TBLPROPERTIES PARTITIONS FUNCTIONS USER SYSTEM ALL " +
	"CURRENT SCHEMA NAMESPACE DATABASE DESCRIBE DESC HISTORY DETAIL FUNCTION EXTENDED FORMATTED LIMIT AS JSON SERDE USE SET CATALOG " +
	"ALTER ANALYZE CACHE CLEAR COLLATIONS COMPUTE FOR IS LAZY NAMESPACES NOSCAN ON RESET STATISTICS UNCACHE UNSET " +
	"DROP VIEW MATERIALIZED STREAMING IF NOT EXISTS CASCADE RESTRICT PURGE IN FROM LIKE REFRESH COMMENT LOCATION MANAGED WITH DBPROPERTIES PROPERTIES")

// command prints a command on one line.
func (p *printer) command(c *ast.Command) doc {
	switch c.Verb {
	case "set", "reset", "set time zone", "describe query": // what follows is text, white space counts
		first := p.as(p.at(0).Upper)
		return spaced(first, p.maybe("TIME", "ZONE"), p.maybe("QUERY"), p.verbatim())
	}
	named := map[int]bool{}
	for _, id := range c.Name {
		named[id.P.Offset] = true
	}
	var out []doc
	for p.i < p.end {
		t := p.at(0)
		if len(out) > 0 && !p.isOp(",") && p.src.Tokens[p.i-1].End < t.Off {
			out = append(out, space)
		}
		if t.Kind == parse.Word && !named[t.Off] && slices.Contains(commandWords, t.Upper) {
			out = append(out, p.as(t.Upper))
		} else {
			out = append(out, p.raw())
		}
	}
	return join(out...)
}
