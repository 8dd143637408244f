package analyze

import (
	"slices"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// target is the node that yields the table's rows.
func (t *targetRelation) node() plan.Node {
	if t.grown != nil {
		return t.grown
	}
	return t.scan
}

func (g *merger) join(kind plan.JoinKind) *plan.Join {
	l, r := g.t.node(), g.src.node
	return &plan.Join{Kind: kind, Left: l, Right: r, Cond: g.on, Attrs: joinAttrs(kind, l, r)}
}

// touched finds the rows that meet the source, and how many of its rows each
// meets. A sole DELETE without condition may meet several; rows that the
// clauses rule out by what stands in the table alone do not count.
func (g *merger) touched(matched []clause) (plan.Node, error) {
	ctx := g.a.fctx(g.ast.Pos())
	yes := plan.Expr(&plan.Literal{Value: true, Typ: types.Boolean})
	counts := plan.Expr(&plan.Literal{Value: len(matched) == 0, Typ: types.Boolean})
	for _, c := range matched {
		x, err := g.targetOnly(c.cond, ctx)
		if err != nil {
			return nil, err
		}
		if counts, err = funcs.Resolve("or", []plan.Expr{counts, x}, ctx); err != nil {
			return nil, err
		}
	}
	forbid := yes
	if len(matched) == 1 && matched[0].cond == nil && matched[0].action == plan.RowDeleted {
		forbid = &plan.Literal{Value: false, Typ: types.Boolean}
	}
	wants := plan.Expr(&plan.Literal{Value: false, Typ: types.Boolean})
	for _, c := range matched {
		x := c.cond
		if x == nil {
			x = yes
		}
		var err error
		if wants, err = funcs.Resolve("or", []plan.Expr{wants, x}, ctx); err != nil {
			return nil, err
		}
	}
	one := func(cond plan.Expr) plan.Expr {
		return &plan.Case{When: []plan.When{{Cond: cond, Then: intLit(1)}}, Else: intLit(0), Typ: types.Int}
	}
	pairs := &plan.Project{Input: g.join(plan.InnerJoin)}
	file, row := newAttr("file", types.String), newAttr("row", types.BigInt)
	bad, want := newAttr("counts", types.Int), newAttr("wants", types.Int)
	both, err := funcs.Resolve("and", []plan.Expr{forbid, counts}, ctx)
	if err != nil {
		return nil, err
	}
	pairs.Exprs = []plan.NamedExpr{
		{X: &plan.Column{Attr: g.t.file}, Attr: file}, {X: &plan.Column{Attr: g.t.row}, Attr: row},
		{X: one(both), Attr: bad}, {X: one(wants), Attr: want},
	}
	perRow := &plan.Aggregate{Input: pairs, Keys: []plan.NamedExpr{passOn(file), passOn(row)}}
	badSum, met, wanted := newAttr("bad", types.BigInt), newAttr("met", types.BigInt), newAttr("wanted", types.Int)
	perRow.Aggs = []plan.NamedExpr{
		{X: agg("sum", bad, types.BigInt), Attr: badSum}, {X: countRows(), Attr: met}, {X: agg("max", want, types.Int), Attr: wanted},
	}
	perFile := &plan.Aggregate{Input: perRow, Keys: []plan.NamedExpr{passOn(file)}}
	perFile.Aggs = []plan.NamedExpr{
		{X: agg("sum", wanted, types.BigInt), Attr: newAttr("rows", types.BigInt)},
		{X: agg("max", badSum, types.BigInt), Attr: newAttr("bad", types.BigInt)},
		{X: agg("max", met, types.BigInt), Attr: newAttr("met", types.BigInt)},
	}
	return g.a.plan(g.ctes, perFile), nil
}

func passOn(at plan.Attr) plan.NamedExpr {
	return plan.NamedExpr{X: &plan.Column{Attr: at}, Attr: at}
}

func agg(fn string, at plan.Attr, t types.Type) *plan.AggCall {
	return &plan.AggCall{Fn: fn, Args: []plan.Expr{&plan.Column{Attr: at}}, Typ: t, Null: true}
}

// targetOnly is the part of a condition that needs no column of the source.
func (g *merger) targetOnly(x plan.Expr, ctx funcs.Context) (plan.Expr, error) {
	yes := plan.Expr(&plan.Literal{Value: true, Typ: types.Boolean})
	if x == nil {
		return yes, nil
	}
	if c, ok := x.(*plan.Call); ok && c.Fn == "and" && len(c.Args) == 2 {
		l, err := g.targetOnly(c.Args[0], ctx)
		if err != nil {
			return nil, err
		}
		r, err := g.targetOnly(c.Args[1], ctx)
		if err != nil {
			return nil, err
		}
		return funcs.Resolve("and", []plan.Expr{l, r}, ctx)
	}
	mine := map[plan.ID]bool{}
	for _, c := range g.src.cols {
		mine[c.ID] = true
	}
	if contains(x, func(y plan.Expr) bool { c, ok := y.(*plan.Column); return ok && mine[c.Attr.ID] }) {
		return yes, nil
	}
	return x, nil
}

// patch is rows for a change of rows in their places, nil where that is not
// possible. Rows that do not meet the source stay out of it.
func (g *merger) patch(inserts bool) (*plan.Patch, error) {
	if !g.t.patches() {
		return nil, nil
	}
	var sets [][]plan.Expr
	for _, c := range g.clauses {
		if c.action == plan.RowUpdated {
			sets = append(sets, c.vals)
		}
	}
	kept := g.t.keptBy(sets...)
	kind := plan.InnerJoin
	if inserts {
		kind = plan.RightJoin
	}
	rows, err := g.rows(kind, false, kept)
	if err != nil {
		return nil, err
	}
	return &plan.Patch{Rows: *rows, Kept: kept}, nil
}

// rows yields what the table holds afterwards of the touched files, and the
// new rows; with once, each row of the table at most once. With kept they are
// those of a plan.Patch.
func (g *merger) rows(kind plan.JoinKind, once bool, kept []bool) (*plan.Rows, error) {
	ctx := g.a.fctx(g.ast.Pos())
	var in plan.Node = g.join(kind)
	here, err := funcs.Resolve("is not null", []plan.Expr{&plan.Column{Attr: nullable(g.t.file)}}, ctx)
	if err != nil {
		return nil, err
	}
	there, err := funcs.Resolve("is not null", []plan.Expr{&plan.Column{Attr: nullable(g.there)}}, ctx)
	if err != nil {
		return nil, err
	}
	act, at := newAttr("action", types.Int), newAttr("clause", types.Int)
	which := g.which(here, there)
	p := &plan.Project{Input: in, Exprs: []plan.NamedExpr{{X: which, Attr: at}}}
	for _, o := range in.Output() {
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: o}, Attr: o})
	}
	in = p
	if once {
		if in, err = g.once(in, at); err != nil {
			return nil, err
		}
	}
	// Rows of the source that no clause takes, and rows of files that are only
	// looked at, leave here.
	keep, err := funcs.Resolve(">=", []plan.Expr{&plan.Column{Attr: at}, intLit(-1)}, ctx)
	if err != nil {
		return nil, err
	}
	in = &plan.Filter{Input: in, Cond: keep}
	acted := &plan.Project{Input: in, Exprs: []plan.NamedExpr{{X: g.actionOf(at, ctx), Attr: act}}}
	for _, o := range in.Output() {
		acted.Exprs = append(acted.Exprs, plan.NamedExpr{X: &plan.Column{Attr: o}, Attr: o})
	}
	vals, err := g.values(at, ctx, kept)
	if err != nil {
		return nil, err
	}
	old := g.t.values()
	b := &rowBuilder{a: g.a, target: g.t.src, schema: g.schema, s: g.s, pos: g.ast.Pos(), ctes: g.ctes, action: &plan.Column{Attr: act}}
	if b.kept = kept; kept != nil {
		b.place = g.t.where()
		return b.build(acted, vals, old)
	}
	b.place, b.before, b.tracked = g.t.place(), g.t.before(), g.t.ids()
	return b.build(acted, vals, old)
}

func nullable(at plan.Attr) plan.Attr { at.Nullable = true; return at }

// which is the number of the clause that takes a row: -1 for a row that stays,
// -2 for one that is left out.
func (g *merger) which(here, there plan.Expr) plan.Expr {
	pick := func(kind ast.MergeKind, none int64) plan.Expr {
		out := &plan.Case{Else: intLit(none), Typ: types.Int}
		for i, c := range g.clauses {
			if c.kind != kind {
				continue
			}
			cond := c.cond
			if cond == nil {
				out.Else = intLit(int64(i))
				break
			}
			out.When = append(out.When, plan.When{Cond: cond, Then: intLit(int64(i))})
		}
		if len(out.When) == 0 {
			return out.Else
		}
		return out
	}
	stays := int64(-1)
	if len(g.of(ast.Matched)) == 0 && len(g.of(ast.NotMatchedBySource)) == 0 {
		stays = -2 // nothing of the table is written anew
	}
	met := &plan.Case{When: []plan.When{{Cond: there, Then: pick(ast.Matched, stays)}}, Else: pick(ast.NotMatchedBySource, stays), Typ: types.Int}
	return &plan.Case{When: []plan.When{{Cond: here, Then: met}}, Else: pick(ast.NotMatched, -2), Typ: types.Int}
}

func (g *merger) actionOf(at plan.Attr, ctx funcs.Context) plan.Expr {
	out := &plan.Case{Else: intLit(plan.RowCopied), Typ: types.Int}
	for i, c := range g.clauses {
		is, err := funcs.Resolve("=", []plan.Expr{&plan.Column{Attr: at}, intLit(int64(i))}, ctx)
		if err != nil { // two INTs always compare
			continue
		}
		out.When = append(out.When, plan.When{Cond: is, Then: intLit(c.action)})
	}
	return out
}

// values picks each column's value by the clause. With kept, those of a
// plan.Patch, what stands in the table is only read where some clause updates
// rows without setting the column and others set it.
func (g *merger) values(at plan.Attr, ctx funcs.Context, kept []bool) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(g.schema))
	for col := range out {
		var old plan.Expr = &plan.Column{Attr: nullable(g.t.cols[col].Attr)}
		if kept != nil && (kept[col] || g.alwaysSet(col)) {
			old = none(old)
		}
		generated := g.t.src.Rules.Columns[col].Generated != ""
		pick := &plan.Case{Else: old, Typ: stored(g.schema[col].Type)}
		given := false
		for i, c := range g.clauses {
			if c.action == plan.RowDeleted || c.vals[col] == nil {
				continue
			}
			given = true
			is, err := funcs.Resolve("=", []plan.Expr{&plan.Column{Attr: at}, intLit(int64(i))}, ctx)
			if err != nil {
				return nil, err
			}
			pick.When = append(pick.When, plan.When{Cond: is, Then: c.vals[col]})
		}
		switch {
		case given:
			out[col] = pick
		case !generated:
			out[col] = old
		}
	}
	return out, nil
}

// alwaysSet tells whether all clauses that update rows set a column.
func (g *merger) alwaysSet(col int) bool {
	return !slices.ContainsFunc(g.clauses, func(c clause) bool { return c.action == plan.RowUpdated && c.vals[col] == nil })
}

// once keeps one of several pairs of one row of the table.
func (g *merger) once(in plan.Node, at plan.Attr) (plan.Node, error) {
	ctx := g.a.fctx(g.ast.Pos())
	file, row := &plan.Column{Attr: nullable(g.t.file)}, &plan.Column{Attr: nullable(g.t.row)}
	n, err := funcs.Resolve("row_number", nil, ctx)
	if err != nil {
		return nil, err
	}
	over, err := funcs.Over(n, []plan.Expr{file, row}, []plan.SortKey{{X: &plan.Column{Attr: at}, Desc: true}}, nil, ctx)
	if err != nil {
		return nil, err
	}
	num := newAttr("number", over.Type())
	w := &plan.Window{Input: in, Exprs: []plan.NamedExpr{{X: over, Attr: num}}}
	first, err := funcs.Resolve("=", []plan.Expr{&plan.Column{Attr: num}, intLit(1)}, ctx)
	if err != nil {
		return nil, err
	}
	none, err := funcs.Resolve("is null", []plan.Expr{file}, ctx)
	if err == nil {
		first, err = funcs.Resolve("or", []plan.Expr{none, first}, ctx)
	}
	return &plan.Filter{Input: w, Cond: first}, err
}
