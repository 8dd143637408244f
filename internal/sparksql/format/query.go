package format

import (
	"slices"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

// query prints a query, its clauses on one line if they fit.
func (p *printer) query(q *ast.Query) doc { return short(p.clauses(q)) }

// tall prints a query with each clause on a line of its own.
func (p *printer) tall(q *ast.Query) doc {
	d := p.clauses(q)
	if s, ok := d.(seq); ok && len(s.docs) == 1 {
		return d
	}
	return seq{docs: []doc{d}, brk: true}
}

// clauses are a query's clauses with new lines between.
func (p *printer) clauses(q *ast.Query) doc {
	d := p.operators(q)
	for range q.Idle {
		d = join(d, newline, p.op("|>"))
	}
	return d
}

func (p *printer) operators(q *ast.Query) doc {
	if in, ok := pipeInput(q); ok {
		return join(p.clauses(in), newline, p.op("|>"), space, indent(p.pipe(q)))
	}
	var out []doc
	if q.With != nil {
		out = append(out, p.with(q), hardline)
	}
	return join(append(out, p.body(q.Body), p.organize(q))...)
}

func (p *printer) with(q *ast.Query) doc {
	head := spaced(p.kw("WITH"), p.maybeRecursive(q))
	items := p.list(len(q.With), func(i int) doc { return p.cte(q.With[i]) })
	var out []doc
	for i, d := range items {
		if i > 0 {
			out = append(out, hardline)
		}
		out = append(out, d)
	}
	return join(head, space, join(out...))
}

func (p *printer) maybeRecursive(q *ast.Query) doc {
	if q.Recursive {
		return p.kw("RECURSIVE")
	}
	return nothing
}

func (p *printer) cte(c ast.CTE) doc {
	name := p.ident()
	if c.Columns != nil {
		name = join(name, p.idents(len(c.Columns)))
	}
	if c.MaxLevel != nil {
		name = spaced(name, p.kw("MAX", "RECURSION", "LEVEL"), p.expr(c.MaxLevel))
	}
	as := doc(text("AS"))
	if p.isWord("AS") {
		as = p.kw("AS")
	}
	l := p.op("(")
	return join(spaced(name, as, l), indent(hardline, p.tall(c.Query)), hardline, p.op(")"))
}

// clause is a keyword and its list, which goes below it where it is long.
func (p *printer) clause(word, list doc) doc { return short(word, indent(newline, list)) }

// organize prints ORDER BY to OFFSET, each behind a new line.
func (p *printer) organize(q *ast.Query) doc {
	var out []doc
	for !p.bad {
		var d doc
		switch {
		case p.words("ORDER", "BY") && q.OrderAll != nil:
			d = spaced(p.kw("ORDER", "BY", "ALL"), p.sortTail())
		case p.words("ORDER", "BY") && q.Order != nil:
			d = p.clause(p.kw("ORDER", "BY"), p.sortItems(q.Order))
		case p.words("SORT", "BY") && q.Sort != nil:
			d = p.clause(p.kw("SORT", "BY"), p.sortItems(q.Sort))
		case p.words("DISTRIBUTE", "BY") && q.Distribute != nil:
			d = p.clause(p.kw("DISTRIBUTE", "BY"), p.exprs(q.Distribute))
		case p.words("CLUSTER", "BY") && q.Cluster != nil:
			d = p.clause(p.kw("CLUSTER", "BY"), p.exprs(q.Cluster))
		case p.isWord("WINDOW") && q.Windows != nil:
			d = p.namedWindows(q.Windows)
		default:
			return join(append(out, p.limit(q))...)
		}
		out = append(out, newline, d)
	}
	return nothing
}

func (p *printer) limit(q *ast.Query) doc {
	var out []doc
	switch {
	case q.Limit != nil:
		out = append(out, newline, spaced(p.kw("LIMIT"), p.expr(q.Limit)))
	case p.words("LIMIT", "ALL"):
		out = append(out, newline, p.kw("LIMIT", "ALL"))
	}
	if q.Offset != nil {
		out = append(out, newline, spaced(p.kw("OFFSET"), p.expr(q.Offset)))
	}
	return join(out...)
}

func (p *printer) namedWindows(ws []ast.NamedWindow) doc {
	return p.clause(p.kw("WINDOW"), lines(p.list(len(ws), func(i int) doc {
		return spaced(p.ident(), p.kw("AS"), p.windowSpec(ws[i].Spec))
	})))
}

func (p *printer) body(b ast.Body) doc {
	switch b := b.(type) {
	case *ast.Select:
		return p.selectBody(b)
	case *ast.SetOp:
		return p.setOp(b)
	case *ast.Values:
		return p.values(b)
	case *ast.Table:
		if len(b.Name) > 0 && b.Name[0].P.Offset != p.off() {
			return spaced(p.kw("TABLE"), p.name(b.Name))
		}
		return p.name(b.Name)
	case *ast.Paren:
		return p.parens(func() doc { return p.query(b.Query) })
	}
	p.bad = true
	return nothing
}

// setOp prints set operations, which nest to the left, without recursion.
func (p *printer) setOp(s *ast.SetOp) doc {
	chain := []*ast.SetOp{s}
	l := s.Left
	for {
		in, ok := l.(*ast.SetOp)
		if !ok {
			break
		}
		chain = append(chain, in)
		l = in.Left
	}
	out := []doc{p.body(l)}
	for _, s := range slices.Backward(chain) {
		out = append(out, newline, p.setWord(), newline, p.body(s.Right))
		if p.bad {
			return nothing
		}
	}
	return join(out...)
}

func (p *printer) setWord() doc {
	return spaced(p.oneOf("UNION", "INTERSECT", "EXCEPT", "MINUS", "SETMINUS"), p.maybeOne("ALL", "DISTINCT"))
}

func (p *printer) values(v *ast.Values) doc {
	w := p.kw("VALUES")
	rows := p.clause(w, p.exprs(v.Rows))
	return spaced(rows, p.alias(v.Alias))
}

func (p *printer) selectBody(s *ast.Select) doc {
	if p.isWord("FROM") {
		d := p.from(s)
		if !p.isWord("SELECT") {
			return join(d, p.fromTail(s))
		}
		return join(d, newline, p.selectList(s, s.Items), p.fromTail(s))
	}
	d := p.selectList(s, s.Items)
	if s.From != nil {
		d = join(d, newline, p.from(s))
	}
	return join(d, p.fromTail(s))
}

func (p *printer) selectList(s *ast.Select, items []ast.SelectItem) doc {
	w := p.kw("SELECT")
	switch {
	case s.Distinct:
		w = spaced(w, p.kw("DISTINCT"))
	case p.isWord("ALL") && len(items) > 0 && items[0].X.Pos().Offset != p.off():
		w = spaced(w, p.kw("ALL"))
	}
	if len(items) == 1 { // no list: it may begin on the line of SELECT
		return spaced(w, p.selectItem(items[0]))
	}
	return p.clause(w, p.items(items))
}

func (p *printer) items(items []ast.SelectItem) doc {
	return lines(p.list(len(items), func(i int) doc { return p.selectItem(items[i]) }))
}

func (p *printer) selectItem(it ast.SelectItem) doc {
	d := p.expr(it.X)
	switch {
	case len(it.Aliases) == 0:
		return d
	case p.isWord("AS") && p.opAt(1, "("):
		return spaced(d, p.kw("AS"), p.idents(len(it.Aliases)))
	}
	return p.aliased(d)
}

// fromTail prints LATERAL VIEW to WINDOW, each behind a new line.
func (p *printer) fromTail(s *ast.Select) doc {
	var out []doc
	for _, v := range s.Views {
		out = append(out, newline, p.lateralView(v))
	}
	if s.Where != nil {
		out = append(out, newline, spaced(p.kw("WHERE"), p.expr(s.Where)))
	}
	if s.Group != nil {
		out = append(out, newline, p.groupBy(s.Group))
	}
	if s.Having != nil {
		out = append(out, newline, spaced(p.kw("HAVING"), p.expr(s.Having)))
	}
	if s.Qualify != nil {
		out = append(out, newline, spaced(p.kw("QUALIFY"), p.expr(s.Qualify)))
	}
	if s.Windows != nil {
		out = append(out, newline, p.namedWindows(s.Windows))
	}
	return join(out...)
}

func (p *printer) lateralView(v ast.LateralView) doc {
	d := spaced(p.kw("LATERAL", "VIEW"), p.maybe("OUTER"), p.nameAndArgs(v.Call))
	if v.Table != nil {
		d = spaced(d, p.ident())
	}
	if v.Columns == nil {
		return d
	}
	as := doc(text("AS"))
	if p.isWord("AS") {
		as = p.kw("AS")
	}
	return spaced(d, as, spaced(p.list(len(v.Columns), func(int) doc { return p.ident() })...))
}

func (p *printer) groupBy(g *ast.GroupBy) doc {
	by := p.kw("GROUP", "BY")
	if g.All {
		return spaced(by, p.kw("ALL"))
	}
	if len(g.Items) == 1 {
		it := g.Items[0]
		prefix := p.isWord("ROLLUP", "CUBE") && p.opAt(1, "(")
		switch {
		case (it.Kind == ast.GroupRollup || it.Kind == ast.GroupCube) && !prefix:
			keys := lines(p.list(len(it.Sets), func(i int) doc { return p.set(it.Sets[i]) }))
			return spaced(p.clause(by, keys), p.kw("WITH"), p.oneOf("ROLLUP", "CUBE"))
		case it.Kind == ast.GroupSets && !p.words("GROUPING", "SETS"): // the older spelling
			keys := p.rawUntil(func() bool { return p.words("GROUPING", "SETS") && p.opAt(2, "(") })
			return spaced(by, keys, p.groupItem(it))
		}
	}
	return p.clause(by, lines(p.list(len(g.Items), func(i int) doc { return p.groupItem(g.Items[i]) })))
}

func (p *printer) groupItem(it ast.GroupItem) doc {
	switch it.Kind {
	case ast.GroupRollup, ast.GroupCube:
		w := p.oneOf("ROLLUP", "CUBE")
		return spaced(w, p.parenList(len(it.Sets), func(i int) doc { return p.set(it.Sets[i]) }))
	case ast.GroupSets:
		w := p.kw("GROUPING", "SETS")
		return spaced(w, p.parenList(len(it.Nested), func(i int) doc { return p.groupItem(it.Nested[i]) }))
	}
	return p.set(it.Sets[0])
}

// set prints a, (a, b) or ().
func (p *printer) set(xs []ast.Expr) doc {
	if len(xs) == 1 {
		return p.expr(xs[0])
	}
	return p.parenList(len(xs), func(i int) doc { return p.expr(xs[i]) })
}

// pipeInput is the query before the last |> of q.
func pipeInput(q *ast.Query) (*ast.Query, bool) {
	switch b := q.Body.(type) {
	case *ast.Select:
		if len(b.From) != 1 {
			return nil, false
		}
		ref := b.From[0]
		for {
			switch r := ref.(type) {
			case *ast.SubqueryRef:
				return r.Query, r.Pipe
			case *ast.Join:
				ref = r.Left
			case *ast.Pivot:
				ref = r.Input
			case *ast.Unpivot:
				ref = r.Input
			default:
				return nil, false
			}
		}
	case *ast.SetOp:
		// A query in real parentheses starts behind them.
		if in, ok := b.Left.(*ast.Paren); ok && in.P.Offset == in.Query.P.Offset {
			return in.Query, true
		}
	}
	return nil, false
}

// pipe prints what stands behind |>; the word that comes says what it is.
func (p *printer) pipe(q *ast.Query) doc {
	if s, ok := q.Body.(*ast.SetOp); ok {
		return join(p.setWord(), newline, p.body(s.Right))
	}
	s := q.Body.(*ast.Select)
	switch {
	case p.isWord("SELECT"):
		return join(p.selectList(s, s.Items), p.fromTail(s))
	case p.isWord("EXTEND") && len(s.Items) > 1:
		return p.clause(p.kw("EXTEND"), p.items(s.Items[1:]))
	case p.isWord("WHERE") && s.Where != nil:
		return spaced(p.kw("WHERE"), p.expr(s.Where))
	case p.isWord("AS"):
		return spaced(p.kw("AS"), p.ident())
	case p.isWord("AGGREGATE"):
		return p.pipeAggregate(s)
	case p.isWord("SET", "DROP") && len(s.Items) == 1:
		return p.expr(s.Items[0].X)
	case p.isWord("PIVOT", "UNPIVOT", "TABLESAMPLE"):
		return p.refTail(s.From[0])
	}
	if j, ok := s.From[0].(*ast.Join); ok {
		return p.joinTail(j)
	}
	return p.first(p.organize(q))
}

// first drops the new line that a clause begins with.
func (p *printer) first(d doc) doc {
	if s, ok := d.(seq); ok && len(s.docs) > 0 {
		if in, ok := s.docs[0].(seq); ok && len(in.docs) > 0 {
			return join(append([]doc{p.first(in)}, s.docs[1:]...)...)
		}
		return join(s.docs[1:]...)
	}
	return d
}

func (p *printer) pipeAggregate(s *ast.Select) doc {
	w := p.kw("AGGREGATE")
	keys := 0
	if s.Group != nil {
		keys = len(s.Group.Items)
	}
	if aggs := s.Items[keys:]; len(aggs) > 0 {
		w = p.clause(w, p.items(aggs))
	}
	if keys == 0 {
		return w
	}
	return join(w, newline, p.clause(p.kw("GROUP", "BY"), p.items(s.Items[:keys])))
}

func (p *printer) columnEdit(x *ast.ColumnEdit) doc {
	if x.Drop != nil {
		return p.clause(p.kw("DROP"), lines(p.list(len(x.Drop), func(int) doc { return p.ident() })))
	}
	return p.clause(p.kw("SET"), lines(p.list(len(x.Set), func(i int) doc {
		return spaced(p.ident(), p.op("="), p.expr(x.Set[i].X))
	})))
}

func (p *printer) str() doc {
	if p.at(0).Kind != parse.String {
		p.bad = true
		return nothing
	}
	return p.raw()
}
