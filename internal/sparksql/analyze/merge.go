package analyze

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// merger analyses one MERGE.
type merger struct {
	a      *analyzer
	ast    *ast.Merge
	p      place
	ctes   []*plan.CTE
	t      *targetRelation
	src    relation
	s      assigner
	evolve bool
	schema []types.Field
	on     plan.Expr
	// there marks the rows of the source.
	there   plan.Attr
	clauses []clause
}

// clause is an analysed WHEN.
type clause struct {
	kind   ast.MergeKind
	cond   plan.Expr // nil without
	action int64
	vals   []plan.Expr // for each column of the schema: nil keeps it, or is generated
}

func (a *analyzer) merge(m *ast.Merge) (plan.Statement, error) {
	g := &merger{a: a, ast: m, p: a.here(), evolve: m.Evolve || strings.EqualFold(a.env.Conf[autoMerge], "true")}
	g.s = assigner{a: a, store: writeOverflow, byName: true, evolve: g.evolve}
	var err error
	if g.ctes, err = a.prelude(m.Prelude, &g.p); err != nil {
		return nil, err
	}
	if g.t, err = a.target(m.Target, "MERGE INTO TABLE"); err != nil {
		return nil, err
	}
	if err := g.source(); err != nil {
		return nil, err
	}
	both := append(slices.Clone(g.t.cols), g.src.cols...)
	if g.on, err = g.condition(m.On, both, "ON"); err != nil {
		return nil, err
	}
	if err := g.newColumns(); err != nil {
		return nil, err
	}
	for _, c := range m.Clauses {
		k, err := g.clause(c, both)
		if err != nil {
			return nil, err
		}
		g.clauses = append(g.clauses, k)
	}
	return g.change()
}

// source analyses USING and marks its rows.
func (g *merger) source() error {
	r, err := g.a.ref(g.ast.Using, g.p, nil)
	if err != nil {
		return err
	}
	g.src = relation{node: r.node, cols: r.visible()}
	g.there = plan.Attr{ID: plan.NewID(), Name: "there", Type: types.Boolean}
	p := &plan.Project{Input: g.src.node, Exprs: []plan.NamedExpr{{X: &plan.Literal{Value: true, Typ: types.Boolean}, Attr: g.there}}}
	seen := map[plan.ID]bool{}
	for i, c := range g.src.cols {
		at := c.Attr
		if seen[at.ID] { // SELECT k, k: each output has an ID of its own
			at.ID = plan.NewID()
			g.src.cols[i].Attr, g.src.cols[i].origin = at, at.ID
		}
		seen[at.ID] = true
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: c.Attr}, Attr: at})
	}
	g.src.node = p
	return nil
}

// condition analyses ON and the conditions of clauses.
func (g *merger) condition(e ast.Expr, cols []column, what string) (plan.Expr, error) {
	x, err := g.a.boolean(e, what, &scope{place: g.p, cols: cols})
	if err != nil {
		return nil, err
	}
	if err := g.a.noSubquery(x, e.Pos(), "MERGE"); err != nil {
		return nil, err
	}
	if hasAggregate(x) || hasWindow(x) {
		return nil, g.a.errorf(e.Pos(), "DELTA_AGGREGATION_NOT_SUPPORTED", "42903", "The conditions of MERGE cannot hold aggregates.")
	}
	if contains(x, func(y plan.Expr) bool { c, ok := y.(*plan.Call); return ok && c.Volatile }) {
		return nil, g.a.errorf(e.Pos(), "DELTA_NON_DETERMINISTIC_FUNCTION_NOT_SUPPORTED", "0AKDC", "The conditions of MERGE cannot hold functions that differ each time.")
	}
	return x, g.a.scalarOnly(x, e.Pos(), "in MERGE")
}

// newColumns adds the source's columns that clauses assign and the table lacks.
func (g *merger) newColumns() error {
	g.schema = g.t.src.Columns
	if !g.evolve {
		return nil
	}
	all, named := false, map[string]bool{}
	for _, c := range g.ast.Clauses {
		all = all || c.All
		for _, s := range c.Set {
			named[strings.ToLower(s.Target[len(s.Target)-1].Name)] = true
		}
	}
	for _, c := range g.src.cols {
		i := fieldAt(g.schema, c.Name)
		if !all && !named[strings.ToLower(c.Name)] {
			continue
		}
		typ := c.Type
		if i >= 0 {
			typ = mergeFields(g.schema[i].Type, c.Type)
			if strings.EqualFold(g.t.src.Rules.Properties["delta.enableTypeWidening"], "true") && widens(typ, c.Type) {
				typ = c.Type
			}
			if types.Equal(typ, g.schema[i].Type) {
				continue
			}
			g.schema = slices.Clone(g.schema)
			g.schema[i].Type = typ
			continue
		}
		g.schema = append(slices.Clone(g.schema), types.Field{Name: c.Name, Type: stored(typ), Nullable: true})
	}
	return g.extend()
}

// extend gives the target the columns that the schema has gained, as NULL.
func (g *merger) extend() error {
	grown := &plan.Project{Input: g.t.scan}
	cols := make([]column, 0, len(g.schema))
	for i, f := range g.schema {
		if i >= len(g.t.cols) {
			at := newAttr(f.Name, stored(f.Type))
			at.Qualifier = g.t.cols[0].Qualifier
			grown.Exprs = append(grown.Exprs, plan.NamedExpr{X: &plan.Literal{Typ: at.Type}, Attr: at})
			cols = append(cols, column{Attr: at, origin: at.ID})
			continue
		}
		c := g.t.cols[i]
		var x plan.Expr = &plan.Column{Attr: c.Attr}
		if !types.Equal(stored(f.Type), c.Type) {
			var err error
			if x, err = g.s.assign(x, f.Type, f.Name, g.ast.Pos()); err != nil {
				return err
			}
		}
		// The ON condition keeps the column that it was analysed with.
		at := c.Attr
		if x.Type() != nil && !types.Equal(x.Type(), c.Type) {
			at = newAttr(f.Name, x.Type())
			at.Qualifier = c.Qualifier
		}
		grown.Exprs = append(grown.Exprs, plan.NamedExpr{X: x, Attr: at})
		cols = append(cols, column{Attr: at, origin: at.ID})
	}
	if len(g.schema) == len(g.t.cols) && !slices.ContainsFunc(grown.Exprs, func(e plan.NamedExpr) bool { _, plain := e.X.(*plan.Column); return !plain }) {
		return nil
	}
	have := map[plan.ID]bool{}
	for _, e := range grown.Exprs {
		have[e.Attr.ID] = true
	}
	for _, at := range g.t.scan.Attrs {
		if !have[at.ID] {
			grown.Exprs = append(grown.Exprs, plan.NamedExpr{X: &plan.Column{Attr: at}, Attr: at})
		}
	}
	t := *g.t
	t.cols = cols
	src := *t.src
	src.Columns = g.schema
	rules := *src.Rules
	rules.Columns = append(slices.Clone(rules.Columns), make([]plan.ColumnRule, len(g.schema)-len(rules.Columns))...)
	src.Rules = &rules
	t.src = &src
	t.grown = grown
	g.t = &t
	return nil
}

func (g *merger) clause(c ast.MergeClause, both []column) (clause, error) {
	out := clause{kind: c.Kind}
	cols := both
	if len(g.t.cols)+len(g.src.cols) != len(both) || g.t.grown != nil {
		cols = append(slices.Clone(g.t.cols), g.src.cols...)
	}
	switch c.Kind {
	case ast.NotMatched:
		cols = g.src.cols
	case ast.NotMatchedBySource:
		cols = g.t.cols
	}
	var err error
	if c.Cond != nil {
		if out.cond, err = g.condition(c.Cond, cols, "WHEN"); err != nil {
			return out, err
		}
	}
	switch {
	case c.Action == ast.MergeDelete:
		out.action = plan.RowDeleted
	case c.Action == ast.MergeUpdate:
		out.action = plan.RowUpdated
		out.vals, err = g.set(c, cols, "MERGE")
	default:
		out.action = plan.RowInserted
		if out.vals, err = g.set(c, cols, "MERGE INSERT"); err == nil {
			err = g.insertDefaults(c, out.vals)
		}
	}
	return out, err
}

// set gives the values of a clause's assignments.
func (g *merger) set(c ast.MergeClause, cols []column, verb string) ([]plan.Expr, error) {
	if c.All {
		return g.setAll(c)
	}
	if verb == "MERGE INSERT" {
		seen := map[string]bool{}
		for _, s := range c.Set {
			low := strings.ToLower(s.Target[len(s.Target)-1].Name)
			if seen[low] {
				return nil, g.a.errorf(s.Pos(), "DELTA_DUPLICATE_COLUMNS_ON_INSERT", "42701", "INSERT names the column %s twice.", quote(low))
			}
			seen[low] = true
			if isDefault(s.Value) {
				return nil, g.a.errorf(s.Pos(), "DELTA_MERGE_UNRESOLVED_EXPRESSION", "42601", "DEFAULT cannot stand in MERGE.").hint("Leave the column out.")
			}
		}
	}
	return g.a.sets(c.Set, g.t, &scope{place: g.p, cols: cols}, g.s, verb)
}

// setAll takes each column from the source's column of the same name.
func (g *merger) setAll(c ast.MergeClause) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(g.t.cols))
	for i, f := range g.schema {
		var from *column
		for j := range g.src.cols {
			if strings.EqualFold(g.src.cols[j].Name, f.Name) {
				if from != nil {
					return nil, g.a.ambiguous([]string{f.Name}, []column{*from, g.src.cols[j]}, c.Pos())
				}
				from = &g.src.cols[j]
			}
		}
		if from == nil {
			if g.evolve || g.t.src.Rules.Columns[i].Generated != "" || g.t.src.Rules.Columns[i].Identity != nil {
				continue
			}
			return nil, g.a.errorf(c.Pos(), "DELTA_MERGE_UNRESOLVED_EXPRESSION", "42601", "The source has no column %s, which * needs.", quote(f.Name)).hint("List the columns, or use WITH SCHEMA EVOLUTION.")
		}
		x, err := g.s.assign(&plan.Column{Attr: from.Attr}, f.Type, f.Name, c.Pos())
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

// insertDefaults fills the columns that an INSERT leaves out.
func (g *merger) insertDefaults(c ast.MergeClause, vals []plan.Expr) error {
	for i := range vals {
		if vals[i] != nil {
			continue
		}
		x, err := g.a.defaultOf(g.t.src, i, g.s, c.Pos())
		if err != nil {
			return err
		}
		vals[i] = x
	}
	return nil
}

func (g *merger) of(kind ast.MergeKind) []clause {
	var out []clause
	for _, c := range g.clauses {
		if c.kind == kind {
			out = append(out, c)
		}
	}
	return out
}

// change puts the plans together.
func (g *merger) change() (plan.Statement, error) {
	out := &plan.Change{Kind: plan.ChangeMerge, Target: g.t.scan.Source, Pos: g.ast.Pos(), Parameters: g.parameters()}
	if g.t.grown != nil {
		out.Schema = g.schema
	}
	matched, inserts, orphans := g.of(ast.Matched), g.of(ast.NotMatched), g.of(ast.NotMatchedBySource)
	var err error
	if len(matched) > 0 {
		if out.Touched, err = g.touched(matched); err != nil {
			return nil, err
		}
	}
	out.Every, out.Inserts = len(orphans) > 0, len(inserts) > 0
	kind := plan.FullJoin
	switch {
	case len(matched) == 0 && len(orphans) == 0:
		kind = plan.RightJoin
	case len(inserts) == 0:
		kind = plan.LeftJoin
	}
	if out.Rewrite, err = g.rows(kind, false); err != nil {
		return nil, err
	}
	if len(matched) > 0 {
		if out.Once, err = g.rows(kind, true); err != nil {
			return nil, err
		}
	}
	for i, r := range g.t.src.Rules.Columns {
		if r.Identity != nil {
			out.Identity = append(out.Identity, g.t.src.Columns[i].Name)
		}
	}
	return out, nil
}

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
	counts := plan.Expr(&plan.Literal{Value: false, Typ: types.Boolean})
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

// rows yields what the table holds afterwards of the touched files, and the
// new rows; with once, each row of the table at most once.
func (g *merger) rows(kind plan.JoinKind, once bool) (*plan.Rows, error) {
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
	vals, err := g.values(at, ctx)
	if err != nil {
		return nil, err
	}
	old := g.t.values()
	b := &rowBuilder{a: g.a, target: g.t.src, schema: g.schema, s: g.s, pos: g.ast.Pos(), ctes: g.ctes, action: &plan.Column{Attr: act}}
	b.place, b.before = g.t.place(), g.t.before()
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

// values picks each column's value by the clause.
func (g *merger) values(at plan.Attr, ctx funcs.Context) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(g.schema))
	for col := range out {
		var old plan.Expr = &plan.Column{Attr: nullable(g.t.cols[col].Attr)}
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

// parameters describe the statement as Delta's history does.
func (g *merger) parameters() map[string]string {
	preds := map[ast.MergeKind][]map[string]string{ast.Matched: {}, ast.NotMatched: {}, ast.NotMatchedBySource: {}}
	words := map[ast.MergeAction]string{ast.MergeUpdate: "update", ast.MergeDelete: "delete", ast.MergeInsert: "insert"}
	for i, c := range g.ast.Clauses {
		m := map[string]string{"actionType": words[c.Action]}
		if x := g.clauses[i].cond; x != nil {
			m["predicate"] = funcs.SQLName(x)
		}
		preds[c.Kind] = append(preds[c.Kind], m)
	}
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			return "[]"
		}
		return string(b)
	}
	return map[string]string{
		"predicate":         text([]string{funcs.SQLName(g.on)}),
		"matchedPredicates": text(preds[ast.Matched]), "notMatchedPredicates": text(preds[ast.NotMatched]),
		"notMatchedBySourcePredicates": text(preds[ast.NotMatchedBySource]),
	}
}

// truncate analyses TRUNCATE TABLE.
func (a *analyzer) truncate(t *ast.Truncate) (plan.Statement, error) {
	r, err := a.target(t.Target, "TRUNCATE TABLE")
	if err != nil {
		return nil, err
	}
	if len(t.Partition) > 0 {
		return nil, a.errorf(t.Pos(), "DELTA_TRUNCATE_TABLE_PARTITION_NOT_SUPPORTED", "0AKDC", "TRUNCATE takes no partition.").hint("Use DELETE.")
	}
	return &plan.Truncate{Target: r.src, Pos: t.Pos()}, nil
}
