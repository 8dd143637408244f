package analyze

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// targetRelation is a table that a statement changes, read with all of its
// columns and where each row lies.
type targetRelation struct {
	a         *analyzer
	src       *plan.Source
	scan      *plan.Scan
	cols      []column // the table's columns under the name that the statement uses
	file, row plan.Attr
	// grown is scan with the columns that a MERGE adds, nil without.
	grown   plan.Node
	tracked []plan.Attr // what row tracking knows of rows
	// refused is for a table whose rows do not change, once the names of the
	// statement are known to be right.
	refused error
}

// targetName is the name that a statement gives, IDENTIFIER resolved.
func (a *analyzer) targetName(t ast.Target) (ast.Name, error) {
	if t.NameExpr != nil {
		return a.identifier(t.NameExpr, a.here())
	}
	return t.Name, nil
}

// source finds the table that a statement names.
func (a *analyzer) source(t ast.Target) (*plan.Source, *View, ast.Name, error) {
	name, err := a.targetName(t)
	if err != nil {
		return nil, nil, nil, err
	}
	if s := sessionName(name.Strings()); s != "" {
		if v := a.env.Session.View(s); v != nil {
			return nil, v, name, nil
		}
	}
	src, view, err := a.env.Resolver.Table(a.ctx, qualified(name.Strings(), a.here()), TimeTravel{})
	if err != nil {
		return nil, nil, name, a.placed(err, t.Pos())
	}
	if src == nil && view == nil {
		return nil, nil, name, a.noTable(name.Strings(), t.Pos())
	}
	return src, view, name, nil
}

// target reads the table that a statement changes.
func (a *analyzer) target(t ast.Target, verb string) (*targetRelation, error) {
	src, view, name, err := a.source(t)
	if err != nil {
		return nil, noDeltaTable(err, verb)
	}
	if view != nil {
		return a.viewTarget(view, t, name, verb)
	}
	switch {
	case src.Rules != nil:
	case verb == "VACUUM" && src.Files != nil:
		return nil, a.errorf(t.Pos(), "DELTA_ONLY_OPERATION", "0AKDD", "%s is for Delta tables, and %s is none.", verb, quoteAll(src.Name))
	case verb == "REORG" && src.Files != nil:
		return nil, a.errorf(t.Pos(), "DELTA_NOT_A_DELTA_TABLE", "0AKDD", "%s is for Delta tables, and %s is none.", verb, quoteAll(src.Name))
	case verb == "RESTORE" && src.Files != nil:
		return nil, a.noTable(name.Strings(), t.Pos())
	case verb == "OPTIMIZE" || verb == "RESTORE" || verb == "REORG":
		return nil, a.errorf(t.Pos(), "DELTA_ONLY_OPERATION", "0AKDD", "%s is for Delta tables, and %s is none.", verb, quoteAll(src.Name))
	case verb == "VACUUM":
		return nil, a.errorf(t.Pos(), "DELTA_TABLE_ONLY_OPERATION", "0AKDD", "%s is for Delta tables, and %s is none.", verb, quoteAll(src.Name))
	case verb == "INSERT":
		return a.readTarget(src, t, name), nil
	default:
		refused := a.errorf(t.Pos(), "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The table %s does not support %s.", quoteAll(src.Name), verb)
		if verb != "UPDATE" && verb != "DELETE" && verb != "MERGE INTO TABLE" {
			return nil, refused
		}
		out := a.readTarget(src, t, name)
		out.refused = refused
		return out, nil
	}
	return a.readTarget(src, t, name), nil
}

// noDeltaTable gives the error of a path without anything the class that
// statements about a table's definition have for it.
func noDeltaTable(err error, verb string) error {
	e, ok := errors.AsType[*sparksql.Error](err)
	if !ok || e.Class != "PATH_NOT_FOUND" {
		return err
	}
	switch verb {
	case "INSERT", "UPDATE", "DELETE", "MERGE", "UPDATE TABLE", "MERGE INTO TABLE":
		return err
	}
	c := *e
	c.Class, c.SQLState = "DELTA_MISSING_DELTA_TABLE", "42P01"
	return &c
}

func (a *analyzer) readTarget(src *plan.Source, t ast.Target, name ast.Name) *targetRelation {
	out := &targetRelation{a: a, src: src}
	alias := name[len(name)-1].Name
	if t.Alias != nil {
		alias = t.Alias.Name
	}
	out.scan = newScan(src, false, alias, t.Pos())
	qualifier := src.Name
	if t.Alias != nil {
		qualifier = []string{alias}
	}
	for _, at := range out.scan.Attrs {
		at.Qualifier = qualifier
		out.cols = append(out.cols, column{Attr: at, origin: at.ID})
	}
	out.file = plan.Attr{ID: plan.NewID(), Name: "file", Type: types.String}
	out.row = plan.Attr{ID: plan.NewID(), Name: "row", Type: types.BigInt}
	out.scan.Attrs = append(out.scan.Attrs, out.file, out.row)
	out.scan.Ordinals = append(out.scan.Ordinals, plan.FileOrdinal, plan.RowOrdinal)
	out.tracked = trackRows(out.scan)
	return out
}

// viewTarget goes through a temporary view that is nothing but a table.
func (a *analyzer) viewTarget(v *View, t ast.Target, name ast.Name, verb string) (*targetRelation, error) {
	switch verb {
	case "INSERT", "TRUNCATE TABLE", "OPTIMIZE", "VACUUM", "REORG":
		return nil, a.errorf(t.Pos(), "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", "%s takes a table, and %s is a view.", verb, quoteAll(name.Strings()))
	case "RESTORE":
		return nil, a.errorf(t.Pos(), "DELTA_ONLY_OPERATION", "0AKDD", "RESTORE is for Delta tables, and %s is a view.", quoteAll(name.Strings()))
	}
	if !v.Temporary {
		if r, err := a.tableName(&ast.TableName{At: t.At, Name: name}, a.here()); err == nil && len(plan.Scans(r.node)) == 0 && (verb == "UPDATE" || verb == "MERGE INTO TABLE") {
			return nil, a.errorf(t.Pos(), "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The view %s reads no table that could be changed.", quoteAll(name.Strings()))
		}
		return nil, a.errorf(t.Pos(), "DELTA_UNSUPPORTED_SOURCE", "0AKDD", "%s is a view; only tables can be changed.", quoteAll(name.Strings()))
	}
	tn := &ast.TableName{At: t.At, Name: name}
	if t.Alias != nil {
		tn.Alias.Name = t.Alias
	}
	r, err := a.tableName(tn, a.here())
	if err != nil {
		return nil, err
	}
	node := r.node
	for {
		p, ok := node.(*plan.Project)
		if !ok {
			break
		}
		for _, e := range p.Exprs {
			if _, plain := e.X.(*plan.Column); !plain {
				return nil, a.partialScan(t)
			}
		}
		node = p.Input
	}
	scan, ok := node.(*plan.Scan)
	if ok && scan.Source.Files != nil {
		return nil, a.errorf(t.Pos(), "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The table %s, a table of files, does not support this statement.", quoteAll(scan.Source.Name))
	}
	if !ok || len(scan.Source.Columns) != len(r.visible()) || scan.Source.Rules == nil {
		return nil, a.partialScan(t)
	}
	out := a.readTarget(scan.Source, ast.Target{At: t.At, Alias: aliasOf(t, name)}, name)
	a.renamed(out, scan, r.visible(), t, verb)
	return out, nil
}

// renamed gives the target the names that a view has for its columns, and
// refuses the change then, once its names are found.
func (a *analyzer) renamed(out *targetRelation, scan *plan.Scan, view []column, t ast.Target, verb string) {
	for i, c := range out.cols {
		for _, shown := range view {
			if shown.ID != scan.Attrs[i].ID || strings.EqualFold(shown.Name, c.Name) {
				continue
			}
			out.cols[i].Name = shown.Name
			out.refused = a.errorf(t.Pos(), "DELTA_CANNOT_RESOLVE_COLUMN", "42703", "The view calls the column %s of its table %s, and changes go by the table's names.", quote(c.Name), quote(shown.Name))
			if verb == "MERGE INTO TABLE" {
				out.refused = a.errorf(t.Pos(), "MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_MISSING_FROM_INPUT", "XX000", "The view calls the column %s of its table %s, and MERGE goes by the table's names.", quote(c.Name), quote(shown.Name))
			}
		}
	}
}

func aliasOf(t ast.Target, name ast.Name) *ast.Ident {
	if t.Alias != nil {
		return t.Alias
	}
	return &name[len(name)-1]
}

func (a *analyzer) partialScan(t ast.Target) error {
	return a.errorf(t.Pos(), "DELTA_UNEXPECTED_PARTIAL_SCAN", "KD00A", "The view shows only a part of its table, or computes columns; a change through it would miss rows.")
}

// prelude analyses the WITH in front of a statement.
func (a *analyzer) prelude(pre ast.Prelude, p *place) ([]*plan.CTE, error) {
	if len(pre.With) == 0 {
		return nil, nil
	}
	return a.with(&ast.Query{With: pre.With, Recursive: pre.Recursive}, p)
}

// plan is a finished plan below a statement's WITH.
func (a *analyzer) plan(ctes []*plan.CTE, n plan.Node) plan.Node {
	return prune(a.strip(within(ctes, n)))
}

// within puts the CTEs of a statement's WITH around a plan.
func within(ctes []*plan.CTE, n plan.Node) plan.Node {
	if len(ctes) == 0 {
		return n
	}
	return &plan.With{CTEs: ctes, Body: n}
}

// rowCondition is the condition of UPDATE and DELETE.
func (a *analyzer) rowCondition(e ast.Expr, t *targetRelation, p place, verb string) (plan.Expr, error) {
	if e == nil {
		return nil, nil
	}
	x, err := a.boolean(e, verb, &scope{place: p, cols: t.cols})
	if err != nil {
		return nil, err
	}
	if err := a.scalarOnly(x, e.Pos(), "in the condition of "+verb); err != nil {
		return nil, err
	}
	if volatile(x) {
		return nil, a.errorf(e.Pos(), "INVALID_NON_DETERMINISTIC_EXPRESSIONS", "42K0E", "The condition of %s must have the same value each time.", verb)
	}
	return x, a.noSubquery(x, e.Pos(), verb)
}

func (a *analyzer) noSubquery(x plan.Expr, pos sparksql.Pos, verb string) error {
	if contains(x, func(y plan.Expr) bool { _, ok := y.(*plan.Subquery); return ok }) {
		return a.errorf(pos, "DELTA_UNSUPPORTED_SUBQUERY", "0AKDC", "Sub-queries are not supported in the condition of %s.", verb)
	}
	return nil
}

// touched counts the rows of each file that fulfil a condition.
func (t *targetRelation) touched(cond plan.Expr, ctes []*plan.CTE) plan.Node {
	var n plan.Node = t.scan
	if cond != nil {
		n = &plan.Filter{Input: n, Cond: cond}
	}
	agg := &plan.Aggregate{Input: n, Keys: []plan.NamedExpr{{X: &plan.Column{Attr: t.file}, Attr: newAttr("file", types.String)}}}
	agg.Aggs = []plan.NamedExpr{{X: countRows(), Attr: newAttr("rows", types.BigInt)}}
	return t.a.plan(ctes, agg)
}

func newAttr(name string, t types.Type) plan.Attr {
	return plan.Attr{ID: plan.NewID(), Name: name, Type: t, Nullable: true}
}

func countRows() *plan.AggCall {
	return &plan.AggCall{Fn: "count", Args: []plan.Expr{&plan.Literal{Value: int64(1), Typ: types.Int}}, Typ: types.BigInt}
}

func intLit(n int64) plan.Expr { return &plan.Literal{Value: n, Typ: types.Int} }

// predicates is a condition as the history shows it.
func predicates(x plan.Expr) string {
	if x == nil {
		return `["true"]`
	}
	b, err := json.Marshal([]string{funcs.SQLName(x)})
	if err != nil {
		return "[]"
	}
	return string(b)
}

// deleteFrom analyses DELETE.
func (a *analyzer) deleteFrom(d *ast.Delete) (plan.Statement, error) {
	p := a.here()
	ctes, err := a.prelude(d.Prelude, &p)
	if err != nil {
		return nil, err
	}
	t, err := a.target(d.Target, "DELETE")
	if err != nil {
		return nil, err
	}
	cond, err := a.rowCondition(d.Where, t, p, "DELETE")
	if err != nil {
		return nil, err
	}
	if t.refused != nil {
		return nil, t.refused
	}
	return a.deletion(t, cond, ctes, d.Pos())
}

// deletion deletes the rows of t that fulfil cond, all where it is nil.
func (a *analyzer) deletion(t *targetRelation, cond plan.Expr, ctes []*plan.CTE, pos sparksql.Pos) (*plan.Change, error) {
	out := &plan.Change{Kind: plan.ChangeDelete, Target: t.src, Pos: pos, Parameters: map[string]string{"predicate": predicates(cond)}}
	if cond == nil {
		out.Every = true
		return out, nil
	}
	out.Touched = t.touched(cond, ctes)
	file, row := newAttr("file", types.String), newAttr("row", types.BigInt)
	out.Gone = a.plan(ctes, &plan.Project{Input: &plan.Filter{Input: t.scan, Cond: cond}, Exprs: []plan.NamedExpr{
		{X: &plan.Column{Attr: t.file}, Attr: file}, {X: &plan.Column{Attr: t.row}, Attr: row},
	}})
	return out, nil
}

// values are references to t's columns.
func (t *targetRelation) values() []plan.Expr {
	out := make([]plan.Expr, len(t.cols))
	for i, c := range t.cols {
		out[i] = &plan.Column{Attr: c.Attr}
	}
	return out
}

// place is where a row lies, nil where rows are not taken out of files.
func (t *targetRelation) place() []plan.Expr {
	if !strings.EqualFold(t.src.Rules.Properties["delta.enableDeletionVectors"], "true") {
		return nil
	}
	return []plan.Expr{&plan.Column{Attr: nullable(t.file)}, &plan.Column{Attr: nullable(t.row)}}
}

// ids are what row tracking knows of a row, nil without.
func (t *targetRelation) ids() []plan.Expr {
	var out []plan.Expr
	for _, at := range t.tracked {
		out = append(out, &plan.Column{Attr: nullable(at)})
	}
	return out
}

// trackRows has a scan read what row tracking knows of rows, nil without.
func trackRows(s *plan.Scan) []plan.Attr {
	if !s.Source.Rules.TracksRows() {
		return nil
	}
	out := []plan.Attr{
		{ID: plan.NewID(), Name: "row_id", Type: types.BigInt, Nullable: true}, {ID: plan.NewID(), Name: "row_commit_version", Type: types.BigInt, Nullable: true},
	}
	s.Attrs, s.Ordinals = append(s.Attrs, out...), append(s.Ordinals, plan.RowIDOrdinal, plan.RowVersionOrdinal)
	return out
}

// before are the columns as a change finds them, nil where the table has no
// change feed to note them in.
func (t *targetRelation) before() []plan.Expr {
	if !strings.EqualFold(t.src.Rules.Properties["delta.enableChangeDataFeed"], "true") {
		return nil
	}
	out := make([]plan.Expr, len(t.cols))
	for i, c := range t.cols {
		out[i] = &plan.Column{Attr: nullable(c.Attr)}
	}
	return out
}
