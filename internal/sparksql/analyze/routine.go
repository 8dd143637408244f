package analyze

import (
	"context"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Routines is a Resolver that knows SQL functions: Routine finds one by its
// name of one to three parts; nil, nil where there is none.
type Routines interface {
	Routine(ctx context.Context, name []string) (*plan.Routine, error)
}

// maxRoutineDepth bounds SQL functions that call each other.
const maxRoutineDepth = 50

// routine finds an SQL function by the name of a call; nil where there is none.
func (a *analyzer) routine(n ast.Name, p place) (*plan.Routine, error) {
	name := n.Strings()
	if s := sessionName(name); s != "" {
		if r := a.env.Session.Routine(s); r != nil {
			a.temporary("FUNCTION", s)
			return r, nil
		}
	}
	rs, ok := a.env.Resolver.(Routines)
	if !ok || len(name) > 3 {
		return nil, nil
	}
	return rs.Routine(a.ctx, qualified(name, p))
}

// sessionName is the name of a temporary object, "" where name can be none.
func sessionName(name []string) string {
	switch {
	case len(name) == 1,
		len(name) == 2 && strings.EqualFold(name[0], "session"),
		len(name) == 3 && strings.EqualFold(name[0], "system") && strings.EqualFold(name[1], "session"):
		return name[len(name)-1]
	}
	return ""
}

// enterRoutine begins the analysis of a body; the caller defers the result.
func (a *analyzer) enterRoutine(r *plan.Routine, pos sparksql.Pos) (func(), error) {
	full := strings.ToLower(strings.Join(r.Name, "."))
	if slices.Contains(a.within, full) || len(a.within) >= maxRoutineDepth {
		return nil, a.errorf(pos, "RECURSIVE_FUNCTION", "42K0H", "The function %s calls itself.", quoteAll(r.Name))
	}
	if a.expansions++; a.expansions > maxExpansions {
		return nil, a.tooComplex(pos, "calls functions and reads views more than %d times", maxExpansions)
	}
	if err := a.ctx.Err(); err != nil {
		return nil, err
	}
	a.within = append(a.within, full)
	return func() { a.within = a.within[:len(a.within)-1] }, nil
}

// parameters is where a body's names resolve, with its parameters.
func parameters(r *plan.Routine) place {
	p := place{catalog: r.Catalog, schema: r.Schema}
	for _, d := range r.Params {
		at := plan.Attr{ID: plan.NewID(), Name: d.Name, Type: d.Type, Nullable: true, Qualifier: r.Name[len(r.Name)-1:]}
		p.params = append(p.params, column{Attr: at, origin: at.ID})
	}
	return p
}

// arguments are the values of p's parameters.
func (p place) arguments(args []plan.Expr) map[plan.ID]plan.Expr {
	m := make(map[plan.ID]plan.Expr, len(args))
	for i, c := range p.params {
		m[c.ID] = args[i]
	}
	return m
}

// routineBody analyses a scalar function's body over its parameters.
func (a *analyzer) routineBody(r *plan.Routine, p place, pos sparksql.Pos) (plan.Expr, error) {
	text := r.Body
	if r.Query {
		text = "(" + text + ")"
	}
	e, err := parse.Expression(text)
	if err != nil {
		return nil, a.placed(err, pos)
	}
	x, err := a.expr(e, &scope{place: p})
	if err != nil {
		return nil, a.placed(err, pos)
	}
	plan.Place(x, pos)
	if hasGenerator(x) {
		return nil, a.errorf(pos, "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E", "A function's value cannot be made by a generator.")
	}
	if hasAggregate(x) || hasWindow(x) {
		return nil, a.errorf(pos, "USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS", "42601", "A scalar SQL function cannot hold aggregates and window functions: %s.", funcs.SQLName(x)).
			hint("Use a sub-query.")
	}
	if r.Returns == nil {
		return x, nil
	}
	if x, err = funcs.ExplicitCast(x, r.Returns, plan.CastANSI, a.fctx(pos)); err != nil {
		return nil, err
	}
	return x, nil
}

// callRoutine inlines a call of a scalar SQL function.
func (a *analyzer) callRoutine(r *plan.Routine, e *ast.Call, s *scope) (plan.Expr, error) {
	name := strings.ToLower(r.Name[len(r.Name)-1])
	switch {
	case r.Table:
		return nil, a.errorf(e.Pos(), "NOT_A_SCALAR_FUNCTION", "42887", "%s makes a table, not a value.", quoteAll(r.Name)).hint("Call it in FROM.")
	case e.Over != nil:
		return nil, a.errorf(e.Pos(), "UNSUPPORTED_SQL_UDF_USAGE", "0A000", "The SQL function %s cannot stand before OVER.", quote(name))
	case e.Distinct || e.Filter != nil || e.IgnoreNulls || e.RespectNulls || e.Within != nil:
		return nil, a.errorf(e.Pos(), "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000", "The function %s does not support DISTINCT, FILTER, IGNORE NULLS or WITHIN GROUP.", quote(name))
	}
	done, err := a.enterRoutine(r, e.Pos())
	if err != nil {
		return nil, err
	}
	defer done()
	depth := len(a.within) - 1
	args, shown, err := a.routineArgs(r, e, depth, func(x ast.Expr) ([]plan.Expr, error) {
		if star, ok := x.(*ast.Star); ok {
			cols, err := a.star(star, s)
			out := make([]plan.Expr, len(cols))
			for i, c := range cols {
				out[i] = c.x
			}
			return out, err
		}
		v, err := a.expr(x, s)
		return []plan.Expr{v}, err
	})
	if err == nil {
		err = a.routinePlace(r, args, e, s)
	}
	if err != nil {
		return nil, err
	}
	if !r.Temporary() {
		defer a.withoutSession()()
	}
	inner := parameters(r)
	x, err := a.routineBody(r, inner, e.Pos())
	if err == nil {
		b := binder{a: a, args: inner.arguments(args), pos: e.Pos()}
		x, err = b.expr(x, false), b.err
	}
	if err != nil {
		return nil, err
	}
	if !r.Temporary() {
		name = strings.ToLower(strings.Join(r.Name, "."))
	}
	return a.title(x, name+"("+strings.Join(shown, ", ")+")", false), nil
}

// routinePlace refuses calls where a scalar SQL function cannot stand.
func (a *analyzer) routinePlace(r *plan.Routine, args []plan.Expr, e *ast.Call, s *scope) error {
	for _, x := range args {
		if contains(x, func(y plan.Expr) bool { _, ok := y.(*plan.LambdaVar); return ok }) {
			return a.errorf(e.Pos(), "UNSUPPORTED_FEATURE.LAMBDA_FUNCTION_WITH_SQL_UDF", "0A000", "The SQL function %s cannot take a lambda function's parameter.", quoteAll(r.Name))
		}
	}
	if s.noRoutines != "" {
		return a.errorf(e.Pos(), "UNSUPPORTED_SQL_UDF_USAGE", "0A000", "The SQL function %s cannot stand in %s.", quoteAll(r.Name), s.noRoutines).
			hint("Call it in a select list, and use its name.")
	}
	return nil
}

// binder puts arguments in the place of parameters, in sub-queries too.
type binder struct {
	a    *analyzer
	args map[plan.ID]plan.Expr
	pos  sparksql.Pos
	err  error
}

// expr binds in x; inner tells that x stands in a query inside of the one that
// the arguments belong to.
func (b *binder) expr(x plan.Expr, inner bool) plan.Expr {
	return plan.Transform(x, func(y plan.Expr) plan.Expr {
		switch y := y.(type) {
		case *plan.Parameter:
			v, ok := b.args[y.Attr.ID]
			switch {
			case !ok:
				return y
			case !inner:
				return v
			case hasAggregate(v) || hasWindow(v):
				b.err = b.a.errorf(b.pos, "UNSUPPORTED_SQL_UDF_USAGE", "0A000", "The function's body uses the argument %q in a query, where an aggregate or a window function cannot be put.", funcs.SQLName(v)).
					hint("Compute the argument in a sub-query.")
			}
			return outward(v)
		case *plan.Subquery:
			c := *y
			c.Plan = b.node(y.Plan, true)
			return &c
		}
		return y
	})
}

func (b *binder) node(n plan.Node, inner bool) plan.Node {
	return mapPlan(n, func(x plan.Expr) plan.Expr { return b.expr(x, inner) }, func(m plan.Node) plan.Node {
		if w, ok := m.(*plan.With); ok {
			for _, c := range w.CTEs { // references point at them
				c.Plan = b.node(c.Plan, inner)
			}
		}
		return m
	})
}

// outward is x as a query inside of x's own sees it.
func outward(x plan.Expr) plan.Expr {
	return plan.Transform(x, func(y plan.Expr) plan.Expr {
		if c, ok := y.(*plan.Column); ok {
			return &plan.Outer{Attr: c.Attr}
		}
		return y
	})
}

// routineArgs gives a value for every parameter, cast to its type, and the
// arguments as the call's name shows them. depth is that of the caller.
func (a *analyzer) routineArgs(r *plan.Routine, e *ast.Call, depth int, value func(ast.Expr) ([]plan.Expr, error)) ([]plan.Expr, []string, error) {
	inner := a.within
	a.within = a.within[:depth] // arguments belong to the caller
	defer func() { a.within = inner }()
	vals := make([]plan.Expr, len(r.Params))
	n, last, named := 0, -1, ""
	for _, arg := range e.Args {
		if na, ok := arg.(*ast.NamedArg); ok {
			i, err := a.namedParam(r, na, vals, n)
			if err != nil {
				return nil, nil, err
			}
			v, err := value(na.X)
			if err != nil {
				return nil, nil, err
			}
			vals[i], named, last = v[0], na.Name.Name, max(last, i)
			continue
		}
		if named != "" {
			return nil, nil, a.errorf(arg.Pos(), "UNEXPECTED_POSITIONAL_ARGUMENT", "4274K", "An argument without a name follows the one for %s.", quote(named)).hint("Write arguments by name last.")
		}
		vs, err := value(arg)
		if err != nil {
			return nil, nil, err
		}
		for _, v := range vs {
			if n < len(vals) {
				vals[n] = v
			}
			n++
		}
	}
	wrong := func() error {
		return a.errorf(e.Pos(), "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The function %s takes %d arguments, but got %d.", quoteAll(r.Name), len(vals), n)
	}
	if n > len(vals) {
		return nil, nil, wrong()
	}
	var shown []string
	for i, p := range r.Params {
		given := vals[i] != nil
		if !given {
			if p.Default == "" {
				if named != "" {
					return nil, nil, a.errorf(e.Pos(), "REQUIRED_PARAMETER_NOT_FOUND", "4274K", "The function %s needs a value for %s.", quoteAll(r.Name), quote(p.Name))
				}
				return nil, nil, wrong()
			}
			x, err := parse.Expression(p.Default)
			if err != nil {
				return nil, nil, err
			}
			if vals[i], err = a.expr(x, &scope{place: place{catalog: r.Catalog, schema: r.Schema}}); err != nil {
				return nil, nil, err
			}
		}
		if given || i < last || named != "" && len(r.Params) > 0 && last >= 0 {
			shown = append(shown, a.sqlName(vals[i]))
		}
		v, err := funcs.ExplicitCast(vals[i], p.Type, plan.CastANSI, a.fctx(e.Pos()))
		if err != nil {
			return nil, nil, err
		}
		vals[i] = v
	}
	return vals, shown, nil
}

// namedParam finds the parameter of name => x; n arguments came without names.
func (a *analyzer) namedParam(r *plan.Routine, na *ast.NamedArg, vals []plan.Expr, n int) (int, error) {
	names := make([]string, len(r.Params))
	for i, p := range r.Params {
		names[i] = p.Name
		if !strings.EqualFold(p.Name, na.Name.Name) {
			continue
		}
		switch {
		case i < n:
			return 0, a.errorf(na.Pos(), "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED", "4274K", "The parameter %s gets a value by its place and by its name.", quote(p.Name))
		case vals[i] != nil:
			return 0, a.errorf(na.Pos(), "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE", "4274K", "The parameter %s gets a value twice.", quote(p.Name))
		}
		return i, nil
	}
	return 0, a.errorf(na.Pos(), "UNRECOGNIZED_PARAMETER_NAME", "4274K", "The function %s has no parameter %s.", quoteAll(r.Name), quote(na.Name.Name)).
		hint("Did you mean " + nearest(na.Name.Name, names, 1) + "?")
}

// tableRoutine inlines a call of an SQL table function in FROM.
func (a *analyzer) tableRoutine(r *plan.Routine, f *ast.TableFunc, p place, left *relation) (relation, error) {
	if !r.Table {
		return relation{}, a.errorf(f.Pos(), "NOT_A_TABLE_FUNCTION", "42887", "%s makes a value, not a table.", quoteAll(r.Name))
	}
	done, err := a.enterRoutine(r, f.Pos())
	if err != nil {
		return relation{}, err
	}
	defer done()
	s := &scope{place: p}
	if f.Lateral && left != nil {
		s.outer = &scope{place: p, cols: left.cols}
		s.outer.outer = nil
	}
	args, _, err := a.routineArgs(r, f.Call, len(a.within)-1, func(x ast.Expr) ([]plan.Expr, error) {
		v, err := a.expr(x, s)
		return []plan.Expr{v}, err
	})
	if err != nil {
		return relation{}, err
	}
	if !r.Temporary() {
		defer a.withoutSession()()
	}
	inner := parameters(r)
	n, err := a.tableBody(r, inner, f.Pos())
	if err != nil {
		return relation{}, err
	}
	b := binder{a: a, args: inner.arguments(args), pos: f.Pos()}
	n = b.node(n, false)
	return relationOf(n), b.err
}

// tableBody analyses a table function's query.
func (a *analyzer) tableBody(r *plan.Routine, p place, pos sparksql.Pos) (plan.Node, error) {
	st, err := parse.Statement("", r.Body)
	if err != nil {
		return nil, a.placed(err, pos)
	}
	q, ok := st.(*ast.QueryStatement)
	if !ok {
		return nil, a.errorf(pos, "USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY", "42601", "The body of the table function %s must be a query.", quoteAll(r.Name))
	}
	rel, err := a.query(q.Query, p)
	if err != nil {
		return nil, a.placed(err, pos)
	}
	rel = relation{node: rel.node, cols: rel.visible()}
	n := exact(rel)
	plan.PlaceNode(n, pos)
	if r.Columns == nil {
		return n, nil
	}
	out := n.Output()
	if len(out) != len(r.Columns) {
		return nil, a.errorf(pos, "USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH", "42601", "RETURNS TABLE names %d columns, the query makes %d.", len(r.Columns), len(out))
	}
	pr := &plan.Project{Input: n}
	for i, c := range r.Columns {
		x, err := funcs.ExplicitCast(&plan.Column{Attr: out[i]}, c.Type, plan.CastANSI, a.fctx(pos))
		if err != nil {
			return nil, err
		}
		pr.Exprs = append(pr.Exprs, plan.NamedExpr{X: x, Attr: plan.Attr{ID: plan.NewID(), Name: c.Name, Type: x.Type(), Nullable: true, Comment: c.Comment}})
	}
	return pr, nil
}
