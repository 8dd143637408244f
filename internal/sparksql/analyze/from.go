package analyze

import (
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// from joins the items of FROM; without FROM it is one row without columns.
func (a *analyzer) from(refs []ast.TableRef, p place) (relation, error) {
	if len(refs) == 0 {
		return relation{node: oneRow()}, nil
	}
	out, err := a.ref(refs[0], p, nil)
	for _, r := range refs[1:] {
		if err != nil {
			return out, err
		}
		out, err = a.beside(r, out, p)
	}
	return out, err
}

// beside joins an item of FROM to those before its comma. What follows a table,
// a join or PIVOT, applies to all that stand before it.
func (a *analyzer) beside(r ast.TableRef, before relation, p place) (relation, error) {
	switch r := r.(type) {
	case *ast.Join:
		l, err := a.beside(r.Left, before, p)
		if err != nil {
			return l, err
		}
		return a.joinRef(r, l, p)
	case *ast.Pivot:
		in, err := a.beside(r.Input, before, p)
		if err != nil {
			return in, err
		}
		return a.pivot(r, p, in)
	case *ast.Unpivot:
		in, err := a.beside(r.Input, before, p)
		if err != nil {
			return in, err
		}
		return a.unpivot(r, p, in)
	}
	return a.joinRef(&ast.Join{At: ast.At{P: r.Pos()}, Kind: ast.CrossJoin, Right: r}, before, p)
}

// ref analyses one item of FROM. left is what a LATERAL item sees.
func (a *analyzer) ref(r ast.TableRef, p place, left *relation) (relation, error) {
	switch r := r.(type) {
	case *ast.TableName:
		return a.tableName(r, p)
	case *ast.TableFunc:
		return a.tableFunc(r, p, left)
	case *ast.SubqueryRef:
		return a.subqueryRef(r, p, left)
	case *ast.ValuesRef:
		return a.values(r.Values, p)
	case *ast.ParenRef:
		in, err := a.ref(r.Ref, p, left)
		if err != nil || r.Alias.Name == nil && r.Alias.Columns == nil {
			return in, err
		}
		return a.alias2(in, r.Alias, r.Pos(), "")
	case *ast.Join:
		l, err := a.ref(r.Left, p, left)
		if err != nil {
			return l, err
		}
		return a.joinRef(r, l, p)
	case *ast.Pivot:
		in, err := a.ref(r.Input, p, left)
		if err != nil {
			return in, err
		}
		return a.pivot(r, p, in)
	case *ast.Unpivot:
		in, err := a.ref(r.Input, p, left)
		if err != nil {
			return in, err
		}
		return a.unpivot(r, p, in)
	}
	return relation{}, a.errorf(r.Pos(), "UNSUPPORTED_FEATURE.TABLE_REFERENCE", "0A000", "This table reference is not supported.")
}

// alias2 gives a relation its alias and column names; fallback is the
// qualifier without one ("" keeps what there is).
func (a *analyzer) alias2(r relation, al ast.TableAlias, pos sparksql.Pos, fallback string) (relation, error) {
	vis := r.visible()
	if len(al.Columns) > 0 && len(al.Columns) != len(vis) {
		return r, a.errorf(pos, "ASSIGNMENT_ARITY_MISMATCH", "42802", "The table has %d columns, its alias names %d.", len(vis), len(al.Columns))
	}
	q := fallback
	if al.Name != nil {
		q = al.Name.Name
	}
	for i := range vis {
		if len(al.Columns) > 0 {
			vis[i].Name, vis[i].origin = al.Columns[i].Name, plan.NewID()
		}
		if q != "" {
			vis[i].Qualifier = []string{q}
		}
	}
	for _, c := range r.cols { // what is known of a table's rows stays in reach
		if c.metadata {
			if q != "" {
				c.Qualifier = []string{q}
			}
			vis = append(vis, c)
		}
	}
	r.cols = vis
	return r, nil
}

func (a *analyzer) subqueryRef(r *ast.SubqueryRef, p place, left *relation) (relation, error) {
	if r.Lateral && left != nil {
		p.outer = &scope{place: p, cols: left.cols}
		p.outer.outer = nil
	}
	p.files = true
	out, err := a.query(r.Query, p)
	if err != nil {
		return out, err
	}
	if r.Sample != nil {
		if out, err = a.sample(out, r.Sample, p); err != nil {
			return out, err
		}
	}
	if r.Pipe { // names reach through |>
		return alias(out, r.Alias), nil
	}
	out = relation{node: out.node, cols: append(out.visible(), metadataOf(out.cols)...)}
	if out, err = a.watermark(out, r.Watermark, p); err != nil {
		return out, err
	}
	for i := range out.cols { // names of the inner tables do not reach out
		out.cols[i].Qualifier = nil
	}
	return a.alias2(out, r.Alias, r.Pos(), "__auto_generated_subquery_name")
}

// alias puts every column under one qualifier, where there is an alias.
func alias(r relation, al ast.TableAlias) relation {
	if al.Name == nil {
		return r
	}
	out := relation{node: r.node, cols: r.visible()}
	for i := range out.cols {
		out.cols[i].Qualifier = []string{al.Name.Name}
	}
	return out
}

// values analyses an inline table: constant rows of one common type a column.
func (a *analyzer) values(v *ast.Values, p place) (relation, error) {
	s := &scope{place: p}
	out := &plan.Values{}
	var kinds [][]types.Type
	for _, r := range v.Rows {
		items := []ast.Expr{r}
		switch r := r.(type) {
		case *ast.Tuple:
			items = r.Items
		case *ast.Call:
			if r.Syntax == "struct" {
				items = r.Args
			}
		}
		row, err := a.exprs(items, s)
		if err != nil {
			return relation{}, err
		}
		if kinds == nil {
			kinds = make([][]types.Type, len(row))
		}
		for i, x := range row {
			if err := a.inlineCell(x, r.Pos()); err != nil {
				return relation{}, err
			}
			kinds[i] = append(kinds[i], x.Type())
		}
		out.Rows = append(out.Rows, row)
	}
	if err := a.commonColumns(v, out, kinds); err != nil {
		return relation{}, err
	}
	return a.alias2(relationOf(out), v.Alias, v.Pos(), "")
}

// inlineCell refuses what VALUES cannot hold.
func (a *analyzer) inlineCell(x plan.Expr, pos sparksql.Pos) error {
	if contains(x, func(y plan.Expr) bool { _, ok := y.(*plan.Subquery); return ok }) {
		return a.errorf(pos, "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.SCALAR_SUBQUERY_IN_VALUES", "0A000", "VALUES cannot hold a sub-query.")
	}
	if contains(x, func(y plan.Expr) bool { _, ok := y.(*plan.Outer); return ok }) {
		return a.errorf(pos, "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", "42000", "VALUES cannot use columns of the query around it.")
	}
	if contains(x, nullMapKey) {
		return a.errorf(pos, "INVALID_INLINE_TABLE.FAILED_SQL_EXPRESSION_EVALUATION", "42000", "A map of VALUES has a key that is NULL: %s.", funcs.SQLName(x))
	}
	if volatile(x) || hasAggregate(x) || hasWindow(x) || hasGenerator(x) || contains(x, func(y plan.Expr) bool { c, ok := y.(*plan.Call); return ok && c.Fn == "raise_error" }) {
		return a.errorf(pos, "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", "42000", "VALUES cannot hold %s.", funcs.SQLName(x))
	}
	return nil
}

// nullMapKey tells of map(NULL, ...).
func nullMapKey(x plan.Expr) bool {
	c, ok := x.(*plan.Call)
	if !ok || c.Fn != "map" {
		return false
	}
	for i := 0; i < len(c.Args); i += 2 {
		if lit, ok := funcs.Eval(c.Args[i]); ok && lit.Value == nil {
			return true
		}
	}
	return false
}

// mixedCollations tells that texts of different collations stand in one column.
func mixedCollations(ts []types.Type) bool {
	for _, t := range ts {
		if (types.HasCollation(t) || types.HasCollation(ts[0])) && !types.Equal(t, ts[0]) && t != types.Void && ts[0] != types.Void {
			return true
		}
	}
	return false
}

func (a *analyzer) commonColumns(v *ast.Values, out *plan.Values, kinds [][]types.Type) error {
	for i, ts := range kinds {
		t, ok := funcs.InlineType(ts)
		if !ok || mixedCollations(ts) {
			e := a.errorf(v.Pos(), "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", "42000", "The values of column %d of VALUES have no common type.", i+1)
			e.Phase = sparksql.PhaseParse
			return e
		}
		at := plan.Attr{ID: plan.NewID(), Name: "col" + itoa(i+1), Type: t}
		for _, row := range out.Rows {
			row[i] = funcs.CastTo(row[i], t, a.fctx(v.Pos()))
			at.Nullable = at.Nullable || row[i].Nullable()
		}
		out.Attrs = append(out.Attrs, at)
	}
	return nil
}

var joinKinds = map[ast.JoinKind]plan.JoinKind{
	ast.InnerJoin: plan.InnerJoin, ast.CrossJoin: plan.CrossJoin, ast.LeftJoin: plan.LeftJoin, ast.RightJoin: plan.RightJoin,
	ast.FullJoin: plan.FullJoin, ast.SemiJoin: plan.SemiJoin, ast.AntiJoin: plan.AntiJoin,
}

// joinRef joins the right item of j to left.
func (a *analyzer) joinRef(j *ast.Join, left relation, p place) (relation, error) {
	if f, ok := j.Right.(*ast.TableFunc); ok && f.Lateral {
		if generating(f) && j.Kind == ast.LeftJoin && j.On != nil && !isTrue(j.On) {
			k := *j
			k.Right = lateralQuery(f)
			return a.joinRef(&k, left, p)
		}
		if r, done, err := a.lateralGenerator(j, f, left, p); done || err != nil {
			return r, err
		}
	}
	right, err := a.ref(j.Right, p, &left)
	if err != nil {
		return right, err
	}
	if len(left.cols)+len(right.cols) > maxColumns {
		return right, a.tooComplex(j.Pos(), "joins to more than %d columns", maxColumns)
	}
	right = freshRight(left, right)
	out := &plan.Join{Kind: joinKinds[j.Kind], Left: left.node, Right: right.node, Lateral: lateralRef(j.Right)}
	r := relation{node: out, cols: joinColumns(out.Kind, left.cols, right.cols)}
	using := j.Using
	if j.Natural && (j.Kind == ast.SemiJoin || j.Kind == ast.AntiJoin) {
		return r, a.errorf(j.Pos(), "UNSUPPORTED_FEATURE.NATURAL_JOIN", "0A000", "There is no NATURAL SEMI or ANTI join.").hint("Write the columns in USING.")
	}
	if j.Natural && j.Kind == ast.CrossJoin {
		return r, a.errorf(j.Pos(), "INCOMPATIBLE_JOIN_TYPES", "42613", "A join cannot be NATURAL and CROSS.")
	}
	if out.Lateral && (len(using) > 0 || j.Natural) {
		return r, a.errorf(j.Pos(), "UNSUPPORTED_FEATURE.LATERAL_JOIN_USING", "0A000", "A lateral join cannot have USING or be NATURAL.").hint("Use ON.")
	}
	if out.Lateral && j.Kind != ast.InnerJoin && j.Kind != ast.CrossJoin && j.Kind != ast.LeftJoin {
		return r, a.errorf(j.Pos(), "INVALID_LATERAL_JOIN_TYPE", "42613", "A lateral join can be INNER, CROSS or LEFT only.")
	}
	if j.Natural {
		using = a.common(left, right)
	}
	if len(using) > 0 {
		return a.using(out, using, left, right)
	}
	if j.On != nil {
		s := &scope{place: p, cols: append(append([]column{}, left.cols...), right.cols...)}
		cond, err := a.boolean(j.On, "JOIN", s)
		if err = a.outsideSelect(err, j.On.Pos()); err != nil {
			return r, err
		}
		if acrossSides(cond, left, right) {
			return r, a.errorf(j.On.Pos(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION", "0A000",
				"A sub-query of a join condition cannot use columns of both sides.")
		}
		if err := a.scalarOnly(cond, j.On.Pos(), "in a join condition"); err != nil {
			return r, err
		}
		if volatile(cond) {
			return r, a.errorf(j.On.Pos(), "INVALID_NON_DETERMINISTIC_EXPRESSIONS", "42K0E", "The condition of a join cannot have another value each time.")
		}
		out.Cond = cond
		if out.Kind == plan.CrossJoin {
			out.Kind = plan.InnerJoin
		}
	}
	out.Attrs = joinAttrs(out.Kind, left.node, right.node)
	return r, nil
}

// freshRight gives the right side new attributes where both sides read the
// same ones (a lateral query that passes outer columns through).
func freshRight(left, right relation) relation {
	have := map[plan.ID]bool{}
	for _, at := range left.node.Output() {
		have[at.ID] = true
	}
	clash := false
	for _, at := range right.node.Output() {
		clash = clash || have[at.ID]
	}
	if !clash {
		return right
	}
	p := &plan.Project{Input: right.node}
	ids := map[plan.ID]plan.ID{}
	for _, at := range right.node.Output() {
		c := at
		c.ID = plan.NewID()
		ids[at.ID] = c.ID
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: at}, Attr: c})
	}
	out := relation{node: p}
	for _, c := range right.cols {
		c.ID = ids[c.ID]
		out.cols = append(out.cols, c)
	}
	return out
}

func lateralRef(r ast.TableRef) bool {
	switch r := r.(type) {
	case *ast.SubqueryRef:
		return r.Lateral
	case *ast.TableFunc:
		return r.Lateral
	}
	return false
}

// joinAttrs is a join's output: the side that may be missing becomes nullable.
func joinAttrs(k plan.JoinKind, l, r plan.Node) []plan.Attr {
	out := nullableAttrs(l.Output(), k == plan.RightJoin || k == plan.FullJoin)
	if k == plan.SemiJoin || k == plan.AntiJoin {
		return out
	}
	return append(out, nullableAttrs(r.Output(), k == plan.LeftJoin || k == plan.FullJoin)...)
}

func nullableAttrs(in []plan.Attr, null bool) []plan.Attr {
	out := append([]plan.Attr{}, in...)
	for i := range out {
		out[i].Nullable = out[i].Nullable || null
	}
	return out
}

func joinColumns(k plan.JoinKind, l, r []column) []column {
	out := nullableColumns(l, k == plan.RightJoin || k == plan.FullJoin)
	if k == plan.SemiJoin || k == plan.AntiJoin {
		return out
	}
	return append(out, nullableColumns(r, k == plan.LeftJoin || k == plan.FullJoin)...)
}

func nullableColumns(in []column, null bool) []column {
	out := append([]column{}, in...)
	for i := range out {
		out[i].Nullable = out[i].Nullable || null
	}
	return out
}

// common are the names that NATURAL joins by, in the left side's order.
func (a *analyzer) common(l, r relation) []ast.Ident {
	var out []ast.Ident
	seen := map[plan.ID]bool{}
	for _, c := range l.visible() {
		if seen[c.origin] {
			continue
		}
		seen[c.origin] = true
		if found, _ := a.match(r.cols, []string{c.Name}); len(found) > 0 {
			out = append(out, ast.Ident{Name: c.Name})
		}
	}
	return out
}

// using joins by equal names: the merged keys come first, each side's own key
// is reached with its qualifier.
func (a *analyzer) using(j *plan.Join, names []ast.Ident, left, right relation) (relation, error) {
	type pair struct{ l, r column }
	var pairs []pair
	for _, n := range names {
		var p pair
		for _, side := range []struct {
			r    relation
			into *column
			word string
		}{{left, &p.l, "left"}, {right, &p.r, "right"}} {
			found, _ := a.match(side.r.cols, []string{n.Name})
			if len(found) == 0 {
				return left, a.errorf(n.P, "UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703", "USING: the %s side has no column %s.", side.word, quote(n.Name))
			}
			if len(found) > 1 {
				return left, a.ambiguous([]string{n.Name}, found, n.P)
			}
			*side.into = found[0]
		}
		eq, err := a.compare("=", []plan.Expr{&plan.Column{Attr: p.l.Attr}, &plan.Column{Attr: p.r.Attr}}, n.P)
		if err == nil && j.Cond != nil {
			eq, err = funcs.Resolve("and", []plan.Expr{j.Cond, eq}, a.fctx(n.P))
		}
		if err != nil {
			return left, err
		}
		j.Cond = eq
		pairs = append(pairs, p)
	}
	if j.Kind == plan.CrossJoin {
		j.Kind = plan.InnerJoin
	}
	j.Attrs = joinAttrs(j.Kind, j.Left, j.Right)
	cols := joinColumns(j.Kind, left.cols, right.cols)
	byID := map[plan.ID]column{}
	for _, c := range cols {
		byID[c.ID] = c
	}
	r := relation{node: j}
	project := &plan.Project{Input: j}
	for _, at := range j.Attrs {
		project.Exprs = append(project.Exprs, plan.NamedExpr{X: &plan.Column{Attr: at}, Attr: at})
	}
	for _, p := range pairs {
		merged := byID[p.l.ID]
		switch j.Kind {
		case plan.RightJoin:
			merged = byID[p.r.ID]
		case plan.FullJoin:
			x, err := funcs.Resolve("coalesce", []plan.Expr{&plan.Column{Attr: byID[p.l.ID].Attr}, &plan.Column{Attr: byID[p.r.ID].Attr}}, a.fctx(sparksql.Pos{}))
			if err != nil {
				return r, err
			}
			at := plan.Attr{ID: plan.NewID(), Name: p.l.Name, Type: x.Type(), Nullable: x.Nullable()}
			project.Exprs = append(project.Exprs, plan.NamedExpr{X: x, Attr: at})
			merged = column{Attr: at, origin: at.ID}
			r.node = project
		}
		merged.Name = p.l.Name
		r.cols = append(r.cols, merged)
	}
	first := map[plan.ID]bool{}
	for _, c := range r.cols {
		first[c.ID] = true
	}
	for _, p := range pairs { // a side's own keys come first in its t.*
		for _, c := range []column{byID[p.l.ID], byID[p.r.ID]} {
			if !first[c.ID] {
				c.hidden, first[c.ID] = true, true
				r.cols = append(r.cols, c)
			}
		}
	}
	for _, c := range cols {
		if first[c.ID] {
			continue
		}
		for _, p := range pairs { // copies of a key go with it
			c.hidden = c.hidden || c.origin == p.l.origin || c.origin == p.r.origin
		}
		r.cols = append(r.cols, c)
	}
	return r, nil
}
