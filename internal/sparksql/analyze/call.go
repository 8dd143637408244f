package analyze

import (
	"slices"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func itoa(n int) string { return strconv.Itoa(n) }

// function resolves a call with everything around it.
func (a *analyzer) function(e *ast.Call, s *scope) (plan.Expr, error) {
	e, column, err := a.namedCall(e, s.place)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return a.column(&ast.Column{At: column[0].At, Name: column}, s)
	}
	name := strings.ToLower(e.Name[len(e.Name)-1].Name)
	if len(e.Name) > 1 && !builtinName(e.Name) {
		return a.qualifiedCall(e, s)
	}
	ctx := a.fctx(e.Pos())
	if x, err := a.formed(e, name, s); x != nil || err != nil {
		return x, err
	}
	if e.Syntax == "current" {
		name = bareFunctions[name]
	}
	def := funcs.Lookup(name)
	if unit := e.Args; (name == "timestampadd" || name == "timestampdiff") && len(unit) > 0 {
		if _, text := unit[0].(*ast.Literal); !text { // the parser knows the units
			return nil, a.errorf(e.Pos(), "UNRESOLVED_ROUTINE", "42883", "There is no function %s with that unit.", quote(name))
		}
	}
	outer := false
	if base, ok := strings.CutSuffix(name, "_outer"); ok {
		if d := funcs.Lookup(base); d != nil && d.Kind == funcs.Generator {
			def, outer = d, true
		}
	}
	if e.RespectNulls && (name == "first_value" || name == "last_value") { // the form of first(x) and last(x)
		def = funcs.Lookup(def.Base)
	}
	if def == nil {
		r, err := a.routine(e.Name, s.place)
		if r != nil && err == nil {
			return a.callRoutine(r, e, s)
		}
		if err == nil && len(e.Name) > 1 {
			return nil, a.noFunction(e, s.place)
		}
		if err == nil && name == "cast" { // the form's name: wrong arguments come first
			_, err = a.exprs(e.Args, s)
		}
		if err == nil {
			_, err = funcs.Resolve(name, nil, ctx) // its error has the nearest name
		}
		return nil, err
	}
	if def.Kind == funcs.Scalar || def.Kind == funcs.Generator {
		if e.Filter != nil || e.IgnoreNulls || e.RespectNulls || e.Within != nil {
			return nil, a.errorf(e.Pos(), "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000",
				"The function %s does not support FILTER, IGNORE NULLS or WITHIN GROUP.", quote(name))
		}
	}
	if e.IgnoreNulls && (def.Kind == funcs.Aggregate && !ignoresNulls[def.Name] || def.Kind == funcs.Window && !shifts[def.Name]) || e.Filter != nil && def.Kind == funcs.Window {
		return nil, a.errorf(e.Pos(), "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000",
			"The function %s does not support IGNORE NULLS or FILTER.", quote(name))
	}
	if def.Kind == funcs.Aggregate && e.Over == nil {
		inner := *s
		inner.inAgg++
		s = &inner
	}
	if def.Kind == funcs.Generator {
		inner := *s
		inner.noRoutines = "a generator"
		s = &inner
	}
	args, err := a.args(e, def, s)
	if err != nil {
		return nil, err
	}
	if err := a.noGenerator(args, e.Pos()); err != nil {
		return nil, err
	}
	ctx.Distinct, ctx.IgnoreNulls = e.Distinct, e.IgnoreNulls
	if ctx.Within, err = a.sortKeys(e.Within, s); err != nil {
		return nil, err
	}
	if args, err = a.withinKey(e, def.Name, args, ctx.Within); err != nil {
		return nil, err
	}
	x, err := def.Resolve(args, ctx)
	if err != nil {
		return nil, err
	}
	if c, ok := x.(*plan.Call); ok && outer {
		d := *c
		d.Fn += "_outer"
		return &d, nil
	}
	if agg, ok := x.(*plan.AggCall); ok {
		if x, err = a.aggregate(agg, e, s); err != nil {
			return nil, err
		}
	}
	switch {
	case e.Over != nil:
		return a.over(x, e, s)
	case def.Kind == funcs.Window:
		return nil, a.errorf(e.Pos(), "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "42601", "The window function %s needs an OVER clause.", quote(name))
	}
	return x, nil
}

// withinKey puts the key of WITHIN GROUP before the arguments of the aggregates
// that take it for one.
func (a *analyzer) withinKey(e *ast.Call, name string, args []plan.Expr, keys []plan.SortKey) ([]plan.Expr, error) {
	switch {
	case len(keys) == 0, name != "percentile_cont" && name != "percentile_disc" && name != "mode":
		return args, nil
	case len(keys) > 1 || name == "mode" && len(args) > 0:
		return nil, a.errorf(e.Pos(), "INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS", "42K0K", "%s does not take %d expressions in WITHIN GROUP.", quote(name), len(keys))
	}
	return append([]plan.Expr{keys[0].X}, args...), nil
}

// formed is a call that is no function of its arguments alone: it has a form of
// its own, or looks at what FROM reads. It gives nil for others.
func (a *analyzer) formed(e *ast.Call, name string, s *scope) (plan.Expr, error) {
	if len(e.Args) == 0 && e.Over == nil && e.Filter == nil {
		if x, err := a.inputFile(name, e.Pos(), s); x != nil || err != nil {
			return x, err
		}
	}
	switch {
	case e.Syntax == "current":
		if x, err := a.lookup(e.Name.Strings(), e.Pos(), s); x != nil || err != nil {
			return x, err
		}
	case e.Syntax == "struct" || name == "struct":
		return a.structOf(e.Args, e.Pos(), s)
	case name == "window" && e.Over == nil && len(e.Args) >= 1:
		return a.timeWindow(e, s)
	case name == "session_window" && e.Over == nil:
		return a.sessionWindow(e, s)
	case name == "grouping" || name == "grouping_id":
		return a.grouping(e, name, s)
	case tableFunctions[name]:
		return nil, a.noScalar(e.Pos(), name)
	}
	return nil, nil
}

// tableFunctions are the built-in functions that stand in FROM only.
var tableFunctions = map[string]bool{"collations": true, "range": true, "sql_keywords": true}

// qualifiedCall calls an SQL function by the name of its schema and itself.
func (a *analyzer) qualifiedCall(e *ast.Call, s *scope) (plan.Expr, error) {
	r, err := a.routine(e.Name, s.place)
	if err != nil || r != nil {
		if err == nil {
			return a.callRoutine(r, e, s)
		}
		return nil, err
	}
	return nil, a.noFunction(e, s.place)
}

// noFunction is the error of a call whose name means nothing.
func (a *analyzer) noFunction(e *ast.Call, p place) error {
	if first := e.Name[0].Name; len(e.Name) > 3 || len(e.Name) == 3 && (strings.EqualFold(first, "system") || !a.knownCatalog(first, p)) {
		return a.errorf(e.Pos(), "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "There is no catalog %s, and a schema's name has one part: %s.", quote(first), quoteAll(e.Name.Strings()))
	}
	return a.errorf(e.Pos(), "UNRESOLVED_ROUTINE", "42883", "There is no function %s.", quoteAll(e.Name.Strings()))
}

// shifts are the window functions that take IGNORE NULLS.
var shifts = map[string]bool{"lag": true, "lead": true, "nth_value": true}

// ignoresNulls are the aggregates that take IGNORE NULLS; others drop NULLs or
// have no use for it.
var ignoresNulls = map[string]bool{"first": true, "last": true, "any_value": true, "first_value": true, "last_value": true,
	"collect_list": true, "collect_set": true, "array_agg": true}

// volatile tells whether an expression has another value each time.
func volatile(x plan.Expr) bool {
	return contains(x, func(y plan.Expr) bool {
		switch y := y.(type) {
		case *plan.Call:
			return y.Volatile
		case *plan.Titled:
			return y.Volatile
		}
		return false
	})
}

// builtinName tells whether a qualified name can mean a built-in function.
func builtinName(n ast.Name) bool {
	parts := n.Strings()
	if len(parts) == 3 && strings.EqualFold(parts[0], "system") {
		parts = parts[1:]
	}
	return len(parts) == 2 && strings.EqualFold(parts[0], "builtin")
}

// args resolves the arguments, stars expanded, lambdas last.
func (a *analyzer) args(e *ast.Call, def *funcs.Def, s *scope) ([]plan.Expr, error) {
	if def.Name == "count" && len(e.Args) == 1 {
		if star, ok := e.Args[0].(*ast.Star); ok && star.Qualifier == nil && star.Except == nil && !e.Distinct {
			return []plan.Expr{&plan.Literal{Value: int64(1), Typ: types.Int}}, nil
		}
	}
	if star, ok := starArg(e); ok && def.Name == "count" && star.Qualifier != nil {
		return nil, a.errorf(star.Pos(), "INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT", "42000", "count(t.*) is not allowed.").hint("Use count(*), or name the columns.")
	}
	var list []ast.Expr
	var out []plan.Expr
	names := make([]string, len(e.Args))
	lambdas, named := false, false
	for i, arg := range e.Args {
		if n, ok := arg.(*ast.NamedArg); ok {
			arg, names[i], named = n.X, n.Name.Name, true
		}
		switch arg := arg.(type) {
		case *ast.Star:
			if def.Name == "first" || def.Name == "last" || def.Name == "any_value" { // they have a syntax of their own
				return nil, a.errorf(arg.Pos(), "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "A * cannot stand in %s.", def.Name)
			}
			cols, err := a.star(arg, s)
			if err != nil {
				return nil, err
			}
			for _, c := range cols {
				list, out = append(list, nil), append(out, c.x)
			}
		case *ast.Lambda:
			lambdas = true
			list, out = append(list, arg), append(out, nil)
		default:
			x, err := a.expr(arg, s)
			if err != nil {
				return nil, err
			}
			list, out = append(list, nil), append(out, x)
		}
	}
	if named {
		return def.Arrange(out, names, a.fctx(e.Pos()))
	}
	if !lambdas {
		return out, nil
	}
	for i, x := range out { // a lambda in a wrong place is found by its type
		if x == nil {
			out[i] = &plan.Literal{Typ: types.Void}
		}
	}
	if len(out) < def.Min || def.Max >= 0 && len(out) > def.Max {
		return out, nil // Resolve says so
	}
	if l, ok := list[0].(*ast.Lambda); ok && def.HigherOrder() {
		return nil, a.errorf(l.Pos(), "INVALID_LAMBDA_FUNCTION_CALL.PARAMETER_DOES_NOT_ACCEPT_LAMBDA_FUNCTION", "42K0D", "The first argument of %s cannot be a lambda function.", quote(def.Name))
	}
	for i, l := range list {
		l, ok := l.(*ast.Lambda)
		if !ok {
			continue
		}
		x, err := a.lambda(l, i, out, def, s)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

// starArg is the star that is a call's one argument.
func starArg(e *ast.Call) (*ast.Star, bool) {
	if len(e.Args) != 1 {
		return nil, false
	}
	star, ok := e.Args[0].(*ast.Star)
	return star, ok
}

func (a *analyzer) lambda(l *ast.Lambda, i int, args []plan.Expr, def *funcs.Def, s *scope) (plan.Expr, error) {
	vars, err := def.LambdaVars(i, args, len(l.Params), a.fctx(l.Pos()))
	if err != nil {
		return nil, err
	}
	inner := *s
	inner.lambdas = slices.Clip(s.lambdas)
	out := &plan.Lambda{}
	for j := range vars {
		for k := range j {
			if strings.EqualFold(l.Params[j].Name, l.Params[k].Name) {
				return nil, a.errorf(l.Params[j].P, "INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES", "42K0D", "The lambda function has two parameters %s.", quote(l.Params[j].Name))
			}
		}
		v := vars[j]
		v.Name, v.ID = l.Params[j].Name, plan.NewID()
		out.Params = append(out.Params, &v)
		inner.lambdas = append(inner.lambdas, &v)
	}
	if out.Body, err = a.expr(l.Body, &inner); err != nil {
		return nil, err
	}
	switch {
	case hasGenerator(out.Body):
		return nil, a.errorf(l.Pos(), "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E", "A generator cannot stand in a lambda function.")
	case hasWindow(out.Body):
		return nil, a.errorf(l.Pos(), "MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_MISSING_FROM_INPUT", "XX000", "A window function cannot stand in a lambda function.")
	}
	return out, a.aggregatesOutside(out.Body, l.Pos())
}

// aggregatesOutside lets aggregates stand in a lambda function that use nothing
// of it: they are worked out before.
func (a *analyzer) aggregatesOutside(body plan.Expr, pos sparksql.Pos) error {
	var err error
	plan.Walk(body, func(x plan.Expr) bool {
		if g, ok := x.(*plan.AggCall); ok && contains(g, func(x plan.Expr) bool { _, ok := x.(*plan.LambdaVar); return ok }) {
			err = a.scalarOnly(g, pos, "in a lambda function over its parameters")
		}
		return err == nil
	})
	return err
}

// aggregate adds FILTER and refuses aggregates within aggregates.
func (a *analyzer) aggregate(agg *plan.AggCall, e *ast.Call, s *scope) (plan.Expr, error) {
	for _, x := range agg.Args {
		if volatile(x) {
			return nil, a.errorf(e.Pos(), "AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION", "42845", "The argument of an aggregate function cannot have another value each time.").hint("Compute it in a sub-query.")
		}
		if err := a.groupingOutside(x, e.Pos()); err != nil {
			return nil, err
		}
		if hasAggregate(x) && e.Over == nil {
			return nil, a.errorf(e.Pos(), "NESTED_AGGREGATE_FUNCTION", "42607", "An aggregate function cannot stand in the argument of another one.").hint("Use a sub-query.")
		}
		if hasWindow(x) && e.Over == nil {
			return nil, a.errorf(e.Pos(), "UNSUPPORTED_FEATURE.WINDOW_IN_AGGREGATE", "0A000", "A window function cannot stand in an aggregate's argument.").hint("Use a sub-query.")
		}
	}
	if e.Filter == nil {
		return agg, nil
	}
	f, err := a.expr(e.Filter, s)
	if err != nil {
		return nil, err
	}
	sub := ""
	switch {
	case f.Type() != types.Boolean:
		sub = "NOT_BOOLEAN"
	case hasAggregate(f):
		sub = "CONTAINS_AGGREGATE"
	case hasWindow(f):
		sub = "CONTAINS_WINDOW_FUNCTION"
	case volatile(f):
		sub = "NON_DETERMINISTIC"
	}
	if sub != "" {
		return nil, a.errorf(e.Filter.Pos(), "INVALID_AGGREGATE_FILTER."+sub, "42903", "FILTER (WHERE ...) needs a boolean condition without aggregates and window functions.")
	}
	c := *agg
	c.Filter = f
	return &c, nil
}

// over resolves the window of a call.
func (a *analyzer) over(fn plan.Expr, e *ast.Call, s *scope) (plan.Expr, error) {
	spec := e.Over
	for n := 0; spec.Ref != nil; n++ {
		found := (*ast.WindowSpec)(nil)
		for _, w := range s.windows {
			if w.Name.Name == spec.Ref.Name {
				found = w.Spec
			}
		}
		if found == nil || n > len(s.windows) {
			return nil, a.errorf(spec.Pos(), "MISSING_WINDOW_SPECIFICATION", "42P20", "The window %s is not defined.", quote(spec.Ref.Name)).
				hint("Define it with WINDOW " + spec.Ref.Name + " AS (...).")
		}
		spec = found
	}
	part, err := a.exprs(spec.Partition, s)
	if err != nil {
		return nil, err
	}
	for _, x := range part {
		if !funcs.Orderable(x.Type()) {
			return nil, a.errorf(e.Pos(), "EXPRESSION_TYPE_IS_NOT_ORDERABLE", "42822", "Rows cannot be parted by %s: its type %s has no order.", funcs.SQLName(x), x.Type().SQL())
		}
	}
	order, err := a.sortKeys(spec.Order, s)
	if err != nil {
		return nil, err
	}
	var frame *plan.Frame
	if f := spec.Frame; f != nil {
		frame = &plan.Frame{}
		if f.Rows {
			frame.Unit = plan.FrameRows
		}
		if frame.Start, err = a.bound(f.Start, s); err != nil {
			return nil, err
		}
		if frame.End, err = a.bound(f.End, s); err != nil {
			return nil, err
		}
	}
	return funcs.Over(fn, part, order, frame, a.fctx(e.Pos()))
}

func (a *analyzer) bound(b ast.Bound, s *scope) (plan.Bound, error) {
	out := plan.Bound{Kind: plan.BoundKind(b.Kind)}
	if b.X == nil {
		return out, nil
	}
	var err error
	out.X, err = a.expr(b.X, s)
	return out, err
}

// sortKeys resolves ORDER BY terms over one scope.
func (a *analyzer) sortKeys(items []ast.SortItem, s *scope) ([]plan.SortKey, error) {
	var out []plan.SortKey
	for _, it := range items {
		x, err := a.expr(it.X, s)
		if err != nil {
			return nil, err
		}
		k, err := a.sortKey(x, it)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

func (a *analyzer) sortKey(x plan.Expr, it ast.SortItem) (plan.SortKey, error) {
	k := plan.SortKey{X: x, Desc: it.Desc, NullsFirst: !it.Desc}
	if it.NullsFirst != nil {
		k.NullsFirst = *it.NullsFirst
	}
	if !funcs.Orderable(x.Type()) {
		pos := it.X
		return k, a.errorf(pos.Pos(), "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "42K09", "Rows cannot be ordered by %s: it is %s.", funcs.SQLName(x), x.Type().SQL())
	}
	return k, nil
}

// hasMap tells whether values of t have no order because of a MAP or VARIANT.
func hasMap(t types.Type) bool {
	return types.Contains(t, func(t types.Type) bool { _, ok := t.(types.Map); return ok || t == types.Variant })
}

// grouping is grouping(key) and grouping_id(keys...): they stand with the
// aggregates and read the grouping sets.
func (a *analyzer) grouping(e *ast.Call, name string, s *scope) (plan.Expr, error) {
	if e.Over != nil {
		return nil, a.errorf(e.Pos(), "UNSUPPORTED_EXPR_FOR_WINDOW", "42P20", "%s does not go with a window.", name)
	}
	if e.Distinct {
		return nil, a.errorf(e.Pos(), "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000", "The function %s does not support DISTINCT.", quote(name))
	}
	args, err := a.exprs(e.Args, s)
	if err != nil {
		return nil, err
	}
	var typ types.Type = types.BigInt
	if name == "grouping" {
		typ = types.TinyInt
		if len(args) != 1 {
			return nil, a.errorf(e.Pos(), "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The function `grouping` takes 1 argument, but got %d.", len(args))
		}
	}
	return &plan.AggCall{Fn: name, Args: args, Typ: typ, Pos: e.Pos()}, nil
}

// groupingOutside refuses grouping() and grouping_id() where no grouping sets
// can be read.
func (a *analyzer) groupingOutside(x plan.Expr, pos sparksql.Pos) error {
	if x == nil || !contains(x, func(y plan.Expr) bool {
		c, ok := y.(*plan.AggCall)
		return ok && (c.Fn == "grouping" || c.Fn == "grouping_id")
	}) {
		return nil
	}
	return a.errorf(pos, "UNSUPPORTED_GROUPING_EXPRESSION", "42K0E", "grouping() and grouping_id() need GROUPING SETS, ROLLUP or CUBE.")
}

func contains(e plan.Expr, f func(plan.Expr) bool) bool {
	hit := false
	plan.Walk(e, func(x plan.Expr) bool {
		hit = hit || f(x)
		return !hit
	})
	return hit
}

// hasAggregate tells whether e holds an aggregate that is no window function.
func hasAggregate(e plan.Expr) bool {
	hit := false
	plan.Walk(e, func(x plan.Expr) bool {
		switch x := x.(type) {
		case *plan.AggCall:
			hit = true
		case *plan.WindowExpr:
			for _, k := range x.Fn.Children() {
				hit = hit || hasAggregate(k)
			}
			for _, k := range x.Children()[1:] {
				hit = hit || hasAggregate(k)
			}
			return false
		}
		return !hit
	})
	return hit
}

func hasWindow(e plan.Expr) bool {
	return contains(e, func(x plan.Expr) bool { _, ok := x.(*plan.WindowExpr); return ok })
}

func generator(e plan.Expr) *plan.Call {
	c, ok := e.(*plan.Call)
	if !ok {
		return nil
	}
	if d := funcs.Lookup(strings.TrimSuffix(c.Fn, "_outer")); d != nil && d.Kind == funcs.Generator {
		return c
	}
	return nil
}

// noGenerator refuses generators as operands.
func (a *analyzer) noGenerator(args []plan.Expr, pos sparksql.Pos) error {
	for _, x := range args {
		if generator(x) != nil {
			return a.errorf(pos, "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E", "A generator must stand alone in the select list, not inside an expression.")
		}
	}
	return nil
}

func hasGenerator(e plan.Expr) bool {
	return contains(e, func(x plan.Expr) bool { return generator(x) != nil })
}

// sqlName is the name of an output column that has no alias.
func (a *analyzer) sqlName(x plan.Expr) string { return funcs.SQLNameIn(x, a.env.TimeZone) }
