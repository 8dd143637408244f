package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// update analyses UPDATE.
func (a *analyzer) update(u *ast.Update) (plan.Statement, error) {
	p := a.here()
	ctes, err := a.prelude(u.Prelude, &p)
	if err != nil {
		return nil, err
	}
	t, err := a.target(u.Target, "UPDATE")
	if err != nil {
		return nil, err
	}
	cond, err := a.rowCondition(u.Where, t, p, "UPDATE")
	if err != nil {
		return nil, err
	}
	sc := &scope{place: p, cols: t.cols}
	if t.refused != nil {
		for _, s := range u.Set {
			if _, err := a.exprs([]ast.Expr{&ast.Column{At: s.At, Name: s.Target}, s.Value}, sc); err != nil {
				return nil, err
			}
		}
		return nil, t.refused
	}
	s := assigner{a: a, store: writeOverflow, byName: true}
	set, err := a.sets(u.Set, t, sc, s, "UPDATE")
	if err != nil {
		return nil, err
	}
	action := plan.Expr(intLit(plan.RowUpdated))
	if cond != nil {
		action = &plan.Case{When: []plan.When{{Cond: cond, Then: action}}, Else: intLit(plan.RowCopied), Typ: types.Int}
	}
	act := newAttr("action", types.Int)
	acted := &plan.Project{Input: t.scan, Exprs: []plan.NamedExpr{{X: action, Attr: act}}}
	for _, at := range t.scan.Attrs {
		acted.Exprs = append(acted.Exprs, plan.NamedExpr{X: &plan.Column{Attr: at}, Attr: at})
	}
	changed, err := funcs.Resolve("=", []plan.Expr{&plan.Column{Attr: act}, intLit(plan.RowUpdated)}, a.fctx(u.Pos()))
	if err != nil {
		return nil, err
	}
	vals := t.values()
	for i, x := range set {
		switch {
		case x != nil:
			vals[i] = &plan.Case{When: []plan.When{{Cond: changed, Then: x}}, Else: vals[i], Typ: x.Type()}
		case t.src.Rules.Columns[i].Generated != "":
			vals[i] = nil
		}
	}
	b := &rowBuilder{a: a, target: t.src, schema: t.src.Columns, s: s, pos: u.Pos(), ctes: ctes, action: &plan.Column{Attr: act}}
	b.place, b.before, b.tracked = t.place(), t.before(), t.ids()
	rows, err := b.build(acted, vals, t.values())
	if err != nil {
		return nil, err
	}
	out := &plan.Change{
		Kind: plan.ChangeUpdate, Target: t.src, Touched: t.touched(cond, ctes), Rewrite: rows, Pos: u.Pos(),
		Parameters: map[string]string{"predicate": "[]"},
	}
	if cond != nil {
		out.Parameters["predicate"] = predicates(cond)
	}
	if t.patches() {
		kept := t.keptBy(set)
		for i, x := range set {
			if vals[i] = none(vals[i]); x != nil {
				vals[i] = &plan.Case{When: []plan.When{{Cond: changed, Then: x}}, Else: vals[i], Typ: x.Type()}
			}
		}
		b := &rowBuilder{a: a, target: t.src, schema: t.src.Columns, s: s, pos: u.Pos(), ctes: ctes, action: &plan.Column{Attr: act}, kept: kept, place: t.where()}
		rows, err := b.build(acted, vals, t.values())
		if err != nil {
			return nil, err
		}
		out.Patch = &plan.Patch{Rows: *rows, Kept: kept}
	}
	return out, nil
}

// setter collects the assignments to one column.
type setter struct {
	whole  plan.Expr
	fields []fieldSet
}

type fieldSet struct {
	path []string
	x    plan.Expr
	pos  sparksql.Pos
}

// sets gives each column its new value, nil where it keeps the old one.
func (a *analyzer) sets(list []ast.Assignment, t *targetRelation, sc *scope, s assigner, verb string) ([]plan.Expr, error) {
	all := make([]setter, len(t.cols))
	for _, as := range list {
		i, path, err := a.setColumn(as, t)
		if err != nil {
			return nil, err
		}
		if id := t.src.Rules.Columns[i].Identity; id != nil && (verb != "MERGE INSERT" || !id.Explicit) {
			return nil, a.errorf(as.Pos(), "DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED", "42808", "The column %s is numbered by the table and cannot be set.", quote(t.cols[i].Name))
		}
		if all[i].conflicts(path) {
			return nil, a.errorf(as.Pos(), "DELTA_CONFLICT_SET_COLUMN", "42701", "The column %s is set twice.", quoteAll(as.Target.Strings()))
		}
		x, err := a.setValue(as, i, path, t, sc, s, verb)
		if err != nil {
			return nil, err
		}
		if len(path) == 0 {
			all[i].whole = x
		} else {
			all[i].fields = append(all[i].fields, fieldSet{path, x, as.Pos()})
		}
	}
	out := make([]plan.Expr, len(t.cols))
	for i := range all {
		out[i] = all[i].whole
		if len(all[i].fields) > 0 {
			x, err := a.rebuilt(&plan.Column{Attr: t.cols[i].Attr}, all[i].fields, s)
			if err != nil {
				return nil, err
			}
			out[i] = x
		}
	}
	return out, nil
}

func (s *setter) conflicts(path []string) bool {
	if s.whole != nil || len(path) == 0 && len(s.fields) > 0 {
		return true
	}
	for _, f := range s.fields {
		n := min(len(f.path), len(path))
		if slices.EqualFunc(f.path[:n], path[:n], strings.EqualFold) {
			return true
		}
	}
	return false
}

// setColumn finds the column that an assignment sets and the path in it.
func (a *analyzer) setColumn(as ast.Assignment, t *targetRelation) (int, []string, error) {
	name := as.Target.Strings()
	found, n := a.match(t.cols, name)
	if len(found) == 0 {
		return 0, nil, a.unresolved(name, as.Pos(), t.cols)
	}
	for i, c := range t.cols {
		if c.ID != found[0].ID {
			continue
		}
		path, typ := name[n:], c.Type
		for _, f := range path {
			st, ok := typ.(types.Struct)
			if !ok {
				return 0, nil, a.errorf(as.Pos(), "DELTA_UNSUPPORTED_NESTED_FIELD_IN_UPDATE", "0A000", "Only fields of structs can be set, and %s is no struct.", quoteAll(name[:n]))
			}
			at := fieldAt(st.Fields, f)
			if at < 0 {
				return 0, nil, a.errorf(as.Pos(), "FIELD_NOT_FOUND", "42704", "There is no field %s in %s.", quote(f), quoteAll(name[:n])).hint("It has " + strings.Join(columnNames(st.Fields), ", ") + ".")
			}
			typ = st.Fields[at].Type
		}
		return i, path, nil
	}
	return 0, nil, a.unresolved(name, as.Pos(), t.cols)
}

// setValue is the value of an assignment, of the type of what it sets.
func (a *analyzer) setValue(as ast.Assignment, i int, path []string, t *targetRelation, sc *scope, s assigner, verb string) (plan.Expr, error) {
	typ := t.cols[i].Type
	for _, f := range path {
		st := typ.(types.Struct)
		typ = st.Fields[fieldAt(st.Fields, f)].Type
	}
	if isDefault(as.Value) && len(path) == 0 {
		x, err := a.defaultOf(t.src, i, s, as.Pos())
		if x == nil && err == nil {
			x = &plan.Literal{Typ: stored(typ)}
		}
		return x, err
	}
	x, err := a.expr(as.Value, sc)
	if err != nil {
		if verb == "UPDATE" && strings.HasPrefix(sparksql.ClassOf(err), "UNRESOLVED_COLUMN") && namesDefault(as.Value) {
			return nil, a.misplacedDefault(as.Value.Pos())
		}
		return nil, err
	}
	if err := a.scalarOnly(x, as.Value.Pos(), "in "+verb); err != nil {
		return nil, err
	}
	if contains(x, func(y plan.Expr) bool { q, ok := y.(*plan.Subquery); return ok && q.Kind != plan.ScalarSubquery }) {
		return nil, a.errorf(as.Value.Pos(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY", "0A000", "IN and EXISTS cannot stand in SET.").hint("Use MERGE.")
	}
	if hasCorrelated(x) {
		return nil, a.errorf(as.Value.Pos(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY", "0A000", "A sub-query in SET cannot use the columns of the row.").hint("Use MERGE.")
	}
	return s.assign(x, typ, as.Target[len(as.Target)-1].Name, as.Value.Pos())
}

// rebuilt is the struct x with some fields replaced; a NULL struct becomes one.
func (a *analyzer) rebuilt(x plan.Expr, sets []fieldSet, s assigner) (plan.Expr, error) {
	st := x.Type().(types.Struct)
	var args []plan.Expr
	var names []string
	for i, f := range st.Fields {
		var v plan.Expr = &plan.Field{X: x, Ordinal: i, Name: f.Name, Typ: f.Type, Null: true}
		var deeper []fieldSet
		for _, fs := range sets {
			switch {
			case !strings.EqualFold(fs.path[0], f.Name):
			case len(fs.path) == 1:
				v = fs.x
			default:
				deeper = append(deeper, fieldSet{fs.path[1:], fs.x, fs.pos})
			}
		}
		if len(deeper) > 0 {
			var err error
			if v, err = a.rebuilt(v, deeper, s); err != nil {
				return nil, err
			}
		}
		args, names = append(args, v), append(names, f.Name)
	}
	return funcs.Struct(args, names, a.fctx(sets[0].pos))
}
