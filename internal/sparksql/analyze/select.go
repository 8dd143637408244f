package analyze

import (
	"cmp"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// item is one output of a select list.
type item struct {
	x    plan.Expr
	attr plan.Attr
	// origin is the ID of the input column that is passed through, else one of
	// its own.
	origin  plan.ID
	aliased bool
	pos     sparksql.Pos
}

// selection is a SELECT under analysis.
type selection struct {
	ast   *ast.Select
	scope *scope
	items []item
	// lca holds what select-list names stand for.
	lca   map[plan.ID]plan.Expr
	sizes map[plan.ID]int // of what they stand for, in nodes
	node  plan.Node
	group *grouping
	gens  []*plan.Generate // generators in the select list, without their inputs
	// keys are the ORDER BY terms over the output and the input.
	keys []plan.SortKey
	// metadata is what is known of rows, to be given along.
	metadata []column
	// having and qualify are conditions over what node yields.
	having, qualify plan.Expr
}

// trailingComma refuses the column FROM with a table's name for its alias, which
// is how a FROM clause behind a comma reads.
func (a *analyzer) trailingComma(items []ast.SelectItem) error {
	if len(items) < 2 {
		return nil
	}
	last := items[len(items)-1]
	if c, ok := last.X.(*ast.Column); ok && len(last.Aliases) > 0 && len(c.Name) == 1 && strings.EqualFold(c.Name[0].Name, "FROM") {
		return a.errorf(c.Pos(), "TRAILING_COMMA_IN_SELECT", "42601", "A comma stands before FROM.")
	}
	return nil
}

// selectBody analyses SELECT with the ORDER BY of the query around it, whose
// terms may use columns that are not selected.
func (a *analyzer) selectBody(s *ast.Select, q *ast.Query, p place) (relation, error) {
	files := p.files
	p.files = false
	if err := a.trailingComma(s.Items); err != nil {
		return relation{}, err
	}
	if err := a.hints(s.Hints); err != nil {
		return relation{}, err
	}
	from, err := a.from(s.From, p)
	if err != nil {
		return relation{}, err
	}
	if from, err = a.lateralViews(s.Views, from, p); err != nil {
		return relation{}, err
	}
	if s.Pipe == "AGGREGATE" && s.Kept > 0 {
		s = pipeOrdinals(s, from.visible())
	}
	sel := &selection{ast: s, lca: map[plan.ID]plan.Expr{}, sizes: map[plan.ID]int{}, node: from.node}
	sel.scope = &scope{place: p, cols: from.cols, windows: append(append([]ast.NamedWindow{}, s.Windows...), q.Windows...), times: &timeWindows{}}
	if s.Where != nil {
		if err := a.where(sel); err != nil {
			return relation{}, err
		}
	}
	if err := a.groupWindows(sel); err != nil {
		return relation{}, err
	}
	if err := a.items(sel); err != nil {
		return relation{}, err
	}
	if sel.group, err = a.groupBy(sel); err != nil {
		return relation{}, err
	}
	if err := a.filters(sel); err != nil {
		return relation{}, err
	}
	if err := a.hintColumns(sel); err != nil {
		return relation{}, err
	}
	if err := a.orderTerms(sel, q); err != nil {
		return relation{}, err
	}
	if files && sel.group == nil && !s.Distinct {
		sel.metadata = metadataOf(from.cols)
	}
	return a.assemble(sel)
}

// groupWindows resolves a window(...) of GROUP BY before the select list, which
// may call its column window.
func (a *analyzer) groupWindows(sel *selection) error {
	if sel.ast.Group == nil {
		return nil
	}
	for _, it := range sel.ast.Group.Items {
		for _, set := range it.Sets {
			for _, e := range set {
				if c, ok := e.(*ast.Call); ok && (strings.EqualFold(c.Name[0].Name, "window") || strings.EqualFold(c.Name[0].Name, "session_window")) && c.Over == nil {
					if _, err := a.expr(e, sel.scope); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func (a *analyzer) where(sel *selection) error {
	s := *sel.scope
	s.times = &timeWindows{}
	cond, err := a.boolean(sel.ast.Where, "WHERE", &s)
	if err = a.outsideSelect(err, sel.ast.Where.Pos()); err != nil {
		return err
	}
	if err := a.groupingOutside(cond, sel.ast.Where.Pos()); err != nil {
		return err
	}
	if hasAggregate(cond) {
		return a.errorf(sel.ast.Where.Pos(), "INVALID_WHERE_CONDITION", "42903", "WHERE cannot hold aggregates or window functions.").
			hint("Use HAVING or QUALIFY.")
	}
	if len(s.times.list) > 0 { // the rows of each window that a row is in
		around := *sel
		around.scope, around.group = &s, nil
		if err := a.windowNodes(&around); err != nil {
			return err
		}
		sel.node = around.node
	}
	sel.node = &plan.Filter{Input: sel.node, Cond: cond}
	return nil
}

// outsideSelect is the error of a generator that stands neither alone nor in a
// select list.
func (a *analyzer) outsideSelect(err error, pos sparksql.Pos) error {
	if sparksql.ClassOf(err) == "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS" {
		return a.errorf(pos, "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "42K0E", "A generator can stand in the select list only.")
	}
	return err
}

// boolean resolves a condition.
func (a *analyzer) boolean(e ast.Expr, what string, s *scope) (plan.Expr, error) {
	x, err := a.expr(e, s)
	switch {
	case err != nil:
		return nil, err
	case hasGenerator(x):
		return nil, a.errorf(e.Pos(), "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "42K0E", "%s cannot hold a generator.", what)
	case hasWindow(x) && what == "WHERE":
		return nil, a.errorf(e.Pos(), "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "42601", "WHERE cannot hold a window function.").hint("Use QUALIFY.")
	}
	return funcs.Condition(x, what, a.fctx(e.Pos()))
}

// scalarOnly refuses aggregates, window functions and generators.
func (a *analyzer) scalarOnly(x plan.Expr, pos sparksql.Pos, where string) error {
	if err := a.groupingOutside(x, pos); err != nil {
		return err
	}
	if hasAggregate(x) || hasWindow(x) || hasGenerator(x) {
		return a.errorf(pos, "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "Aggregates, window functions and generators cannot stand %s.", where)
	}
	return nil
}

// items resolves the select list from the left, so that an item may use the
// names of those before it.
func (a *analyzer) items(sel *selection) error {
	for i, it := range sel.ast.Items {
		if edit, ok := it.X.(*ast.ColumnEdit); ok {
			if err := a.columnEdit(edit, sel); err != nil {
				return err
			}
			continue
		}
		if star, ok := it.X.(*ast.Star); ok {
			if len(it.Aliases) > 0 {
				return a.errorf(star.Pos(), "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "A * takes no alias.")
			}
			cols, err := a.star(star, sel.scope)
			if err != nil {
				return err
			}
			if len(sel.items)+len(cols) > maxColumns {
				return a.tooComplex(star.Pos(), "selects more than %d columns", maxColumns)
			}
			for _, c := range cols {
				sel.items = append(sel.items, a.item(c.x, c.name, false, star.Pos()))
			}
			continue
		}
		if err := a.selectItem(it, sel); err != nil {
			return err
		}
		if err := a.pipeItem(sel, i); err != nil {
			return err
		}
	}
	return nil
}

func (a *analyzer) selectItem(it ast.SelectItem, sel *selection) error {
	x, err := a.expr(it.X, sel.scope)
	if err != nil {
		return err
	}
	if hasGenerator(x) {
		return a.generatorItem(x, it, sel)
	}
	if contains(x, func(y plan.Expr) bool { w, ok := y.(*plan.WindowExpr); return ok && lateral(w, sel.lca) }) {
		return a.errorf(it.X.Pos(), "UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_WINDOW", "0A000", "A window function cannot use the name of a column of the same select list.").hint("Use a sub-query.")
	}
	if it.List {
		return a.errorf(it.X.Pos(), "MULTI_ALIAS_WITHOUT_GENERATOR", "42K0E", "Several aliases need a generator function such as posexplode.")
	}
	name := a.outputName(it.X, x)
	if len(it.Aliases) == 1 {
		name = it.Aliases[0].Name
	}
	size, err := a.size(x, sel, it.X.Pos())
	if err != nil {
		return err
	}
	out := a.item(substitute(x, sel.lca), name, len(it.Aliases) == 1, it.X.Pos())
	if len(it.Aliases) == 0 && !ownName(it.X) {
		a.invented[out.attr.ID] = true
	}
	sel.items = append(sel.items, out)
	if out.aliased {
		sel.lateralAlias(out, size)
	}
	return nil
}

// lateralAlias lets the items that follow use the name of out.
func (sel *selection) lateralAlias(out item, size int) {
	name := out.attr.Name
	ref := plan.Attr{ID: plan.NewID(), Name: "lateralAliasReference(" + name + ")", Type: out.x.Type(), Nullable: out.x.Nullable()}
	sel.lca[ref.ID] = out.x
	sel.sizes[ref.ID] = size
	sel.scope.aliases = append(sel.scope.aliases, aliasDef{name: name, attr: ref, x: out.x})
}

// lateral tells whether x uses the name of another item.
func lateral(x plan.Expr, lca map[plan.ID]plan.Expr) bool {
	return contains(x, func(y plan.Expr) bool {
		c, ok := y.(*plan.Column)
		return ok && lca[c.Attr.ID] != nil
	})
}

// size counts the nodes of x with its lateral aliases replaced.
func (a *analyzer) size(x plan.Expr, sel *selection, pos sparksql.Pos) (int, error) {
	n := 0
	plan.Walk(x, func(y plan.Expr) bool {
		n++
		if c, ok := y.(*plan.Column); ok {
			n += sel.sizes[c.Attr.ID]
		}
		return n <= maxExprSize
	})
	if n > maxExprSize {
		return n, a.tooComplex(pos, "has an expression of more than %d parts", maxExprSize)
	}
	return n, nil
}

// item makes an output; a bare column passes through under its ID.
func (a *analyzer) item(x plan.Expr, name string, aliased bool, pos sparksql.Pos) item {
	at := plan.Attr{ID: plan.NewID(), Name: name, Type: x.Type(), Nullable: x.Nullable()}
	origin := at.ID
	if c, ok := x.(*plan.Column); ok {
		at = c.Attr
		at.Name = name
		origin = at.ID
		if aliased { // a column of its own
			at.Qualifier, origin = nil, plan.NewID()
		}
	}
	return item{x: x, attr: at, origin: origin, aliased: aliased, pos: pos}
}

// ownName tells whether an expression without alias has a name of its own: a
// column, a field, a cast of one, or a literal.
func ownName(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Column, *ast.Field, *ast.Index, *ast.Path, *ast.Literal, *ast.TypedLiteral, *ast.Interval:
		return true
	case *ast.Cast:
		_, column := e.X.(*ast.Column)
		return column
	case *ast.Unary:
		_, literal := e.X.(*ast.Literal)
		return e.Op == "-" && literal
	}
	return false
}

// outputName is the name of an item without alias.
func (a *analyzer) outputName(e ast.Expr, x plan.Expr) string {
	switch e := e.(type) {
	case *ast.Column:
		return e.Name[len(e.Name)-1].Name
	case *ast.Path:
		if _, last := funcs.VariantPath(e.Path); last != "" {
			return last
		}
	case *ast.Cast:
		if p, ok := e.X.(*ast.Path); ok {
			if _, last := funcs.VariantPath(p.Path); last != "" {
				return last
			}
		}
		// A cast to a nested type leaves no trace in the name.
		if _, ok := e.X.(*ast.Column); ok {
			return a.castName(e, x)
		}
	}
	return a.sqlName(x)
}

func (a *analyzer) castName(e *ast.Cast, x plan.Expr) string {
	if c, ok := x.(*plan.Cast); ok {
		if col, ok := c.X.(*plan.Column); ok {
			return col.Attr.Name
		}
	}
	return a.outputName(e.X, x)
}

// filters resolves HAVING and QUALIFY.
func (a *analyzer) filters(sel *selection) error {
	if h := sel.ast.Having; h != nil {
		s := *sel.scope
		s.aliases, s.aliasFirst = a.outputs(sel), true
		cond, err := a.expr(h, &s)
		err = a.outsideSelect(err, h.Pos())
		if err != nil && sel.ast.Group == nil {
			err = cmp.Or(a.ungrouped(sel), err)
		}
		if err != nil {
			return err
		}
		if hasWindow(cond) {
			return a.errorf(h.Pos(), "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "42601", "HAVING cannot hold a window function.").hint("Use QUALIFY.")
		}
		if hasGenerator(cond) {
			return a.errorf(h.Pos(), "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "42K0E", "HAVING cannot hold a generator.")
		}
		cond = substitute(cond, sel.lca)
		if cond.Type() != types.Boolean {
			if cond, err = a.havingCast(cond, h.Pos()); err != nil {
				return err
			}
		}
		sel.having = cond
	}
	q := sel.ast.Qualify
	if q == nil {
		return nil
	}
	s := *sel.scope
	s.aliases = a.outputs(sel)
	if sel.group != nil {
		s.cols = sel.group.visible(s.cols)
	}
	cond, err := a.expr(q, &s)
	if err != nil {
		return err
	}
	if hasAggregate(cond) {
		if contains(cond, func(x plan.Expr) bool { w, ok := x.(*plan.WindowExpr); return ok && hasAggregate(w) }) {
			return a.errorf(q.Pos(), "MISSING_GROUP_BY", "42803", "The window functions of QUALIFY cannot hold aggregates.").hint("Give the aggregate a name in the select list.")
		}
		return a.errorf(q.Pos(), "QUALIFY_AGGREGATE_NOT_ALLOWED", "42903", "QUALIFY cannot hold an aggregate.").hint("Use HAVING.")
	}
	cond = substitute(cond, sel.lca)
	windowed := hasWindow(cond)
	for _, it := range sel.items {
		windowed = windowed || hasWindow(it.x)
	}
	if !windowed {
		return a.errorf(q.Pos(), "QUALIFY_REQUIRES_WINDOW_FUNCTION", "42903", "QUALIFY needs a window function in it or in the select list.").hint("Use WHERE.")
	}
	if cond.Type() != types.Boolean {
		if cond, err = a.havingCast(cond, q.Pos()); err != nil {
			return err
		}
	}
	sel.qualify = cond
	return nil
}

// ungrouped refuses columns beside a HAVING without GROUP BY.
func (a *analyzer) ungrouped(sel *selection) error {
	for _, it := range sel.items {
		if _, column := it.x.(*plan.Column); column {
			return a.errorf(sel.ast.Pos(), "MISSING_GROUP_BY", "42803", "The query has HAVING but no GROUP BY, so it cannot use the column %s.", quote(it.attr.Name)).hint("Add GROUP BY.")
		}
	}
	return nil
}

// havingCast makes a condition of what Spark accepts in HAVING beside booleans.
func (a *analyzer) havingCast(cond plan.Expr, pos sparksql.Pos) (plan.Expr, error) {
	ctx := a.fctx(pos)
	if t := cond.Type(); !types.IsNumeric(t) && !types.IsString(t) && t != types.Void {
		return funcs.Condition(cond, "HAVING", ctx)
	}
	return funcs.CastTo(cond, types.Boolean, ctx), nil
}

// outputs are the select list's names as aliases, those without AS too.
func (a *analyzer) outputs(sel *selection) []aliasDef {
	out := append([]aliasDef{}, sel.scope.aliases...)
	for _, it := range sel.items {
		if it.aliased {
			continue
		}
		if _, ok := it.x.(*plan.Column); ok {
			continue
		}
		ref := plan.Attr{ID: plan.NewID(), Name: it.attr.Name, Type: it.attr.Type, Nullable: it.attr.Nullable}
		sel.lca[ref.ID] = it.x
		out = append(out, aliasDef{name: it.attr.Name, attr: ref, x: it.x})
	}
	return out
}
