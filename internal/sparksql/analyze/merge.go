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
	if g.t.refused != nil {
		return nil, g.t.refused
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
	x, err := g.a.expr(e, &scope{place: g.p, cols: cols})
	if err != nil {
		return nil, err
	}
	if t := x.Type(); what == "WHEN" && t != types.Boolean && t != types.Void {
		return nil, g.a.errorf(e.Pos(), "CANNOT_UP_CAST_DATATYPE", "42846", "The condition of WHEN is %s, not BOOLEAN.", t.SQL())
	}
	if x, err = funcs.Condition(x, what, g.a.fctx(e.Pos())); err != nil {
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
			if !mergeable(g.schema[i].Type, c.Type) {
				return g.a.errorf(g.ast.Using.Pos(), "DELTA_FAILED_TO_MERGE_FIELDS", "22005", "The column %s is %s in the table and %s in the source, and no type holds both.", quote(c.Name), g.schema[i].Type.SQL(), c.Type.SQL())
			}
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
	switch c.Action {
	case ast.MergeDelete:
		out.action = plan.RowDeleted
	case ast.MergeUpdate:
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
			if len(s.Target) > 1 && fieldAt(g.schema, s.Target[0].Name) >= 0 {
				return nil, g.a.errorf(s.Pos(), "DELTA_UNSUPPORTED_NESTED_FIELD_IN_OPERATION", "0AKDC", "INSERT of MERGE takes whole columns, not the field %s.", quoteAll(s.Target.Strings()))
			}
		}
	}
	for _, s := range c.Set {
		if isDefault(s.Value) {
			return nil, g.a.errorf(s.Pos(), "DELTA_MERGE_UNRESOLVED_EXPRESSION", "42601", "DEFAULT cannot stand in MERGE.").hint("Leave the column out.")
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
		s := g.s
		if g.evolve && c.Action == ast.MergeUpdate {
			s.old = &plan.Column{Attr: nullable(g.t.cols[i].Attr)}
		}
		x, err := s.assign(&plan.Column{Attr: from.Attr}, f.Type, f.Name, c.Pos())
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
	if len(matched)+len(orphans) > 0 {
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
	if out.Rewrite, err = g.rows(kind, false, nil); err != nil {
		return nil, err
	}
	if len(matched) > 0 && len(orphans) == 0 {
		if out.Patch, err = g.patch(out.Inserts); err != nil {
			return nil, err
		}
	}
	if len(matched) > 0 {
		if out.Once, err = g.rows(kind, true, nil); err != nil {
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
	if src, _, _, err := a.source(t.Target); err == nil && src != nil && src.Files != nil {
		return a.truncateFiles(src, t)
	}
	r, err := a.target(t.Target, "TRUNCATE TABLE")
	if err != nil {
		return nil, err
	}
	if len(t.Partition) > 0 {
		return nil, a.errorf(t.Pos(), "DELTA_TRUNCATE_TABLE_PARTITION_NOT_SUPPORTED", "0AKDC", "TRUNCATE takes no partition.").hint("Use DELETE.")
	}
	return &plan.Truncate{Target: r.src, Pos: t.Pos()}, nil
}
