package analyze

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// expr types one expression. Aggregates, window functions and generators stay
// in place; the clause that holds the expression takes them out.
func (a *analyzer) expr(e ast.Expr, s *scope) (plan.Expr, error) {
	switch e := e.(type) {
	case *ast.Literal:
		return &plan.Literal{Value: e.Value, Typ: e.Type}, nil
	case *ast.TypedLiteral:
		return a.typedLiteral(e)
	case *ast.Interval:
		return a.interval(e)
	case *ast.Column:
		return a.column(e, s)
	case *ast.Field:
		return a.field(e, s)
	case *ast.Index:
		return a.call("[]", e.Pos(), s, e.X, e.I)
	case *ast.Unary:
		return a.call(map[string]string{"-": "u-", "+": "u+", "~": "~", "not": "not"}[e.Op], e.Pos(), s, e.X)
	case *ast.Binary:
		return a.binary(e, s)
	case *ast.Is:
		return a.is(e, s)
	case *ast.Between:
		return a.negate(e.Not, e.Pos())(a.call("between", e.Pos(), s, e.X, e.Lo, e.Hi))
	case *ast.In:
		return a.negate(e.Not, e.Pos())(a.in(e, s))
	case *ast.Like:
		return a.like(e, s)
	case *ast.Case:
		return a.caseWhen(e, s)
	case *ast.Cast:
		return a.cast(e, s)
	case *ast.Call:
		return a.function(e, s)
	case *ast.Tuple:
		return a.tuple(e, s)
	case *ast.Subquery:
		return a.scalarSubquery(e, s)
	case *ast.Exists:
		return a.exists(e, s)
	case *ast.Param:
		return a.param(e)
	case *ast.Alias:
		return a.expr(e.X, s)
	case *ast.Path:
		x, err := a.expr(e.X, s)
		if err != nil {
			return nil, err
		}
		return funcs.PathOf(x, e.Path, a.fctx(e.Pos()))
	case *ast.Star, *ast.ColumnEdit:
		return nil, a.errorf(e.Pos(), "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "A * cannot stand in an expression.")
	case *ast.Lambda:
		return nil, a.errorf(e.Pos(), "INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "42K0D", "A lambda function can only be an argument of a higher-order function.")
	case *ast.Collate:
		x, err := a.expr(e.X, s)
		if err != nil {
			return nil, err
		}
		name := e.Name[len(e.Name)-1].Name
		return funcs.Resolve("collate", []plan.Expr{x, &plan.Literal{Value: name, Typ: types.String}}, a.fctx(e.Pos()))
	case *ast.NamedArg:
		return nil, a.errorf(e.Pos(), "NAMED_PARAMETERS_NOT_SUPPORTED", "4274K", "Arguments by name are supported in table functions only.")
	}
	return nil, a.errorf(e.Pos(), "UNSUPPORTED_FEATURE.EXPRESSION", "0A000", "This expression is not supported here.")
}

func (a *analyzer) exprs(list []ast.Expr, s *scope) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		x, err := a.expr(e, s)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

// call resolves an operator over operands.
func (a *analyzer) call(name string, pos sparksql.Pos, s *scope, operands ...ast.Expr) (plan.Expr, error) {
	args, err := a.exprs(operands, s)
	if err == nil {
		err = a.noGenerator(args, pos)
	}
	if err != nil {
		return nil, err
	}
	return funcs.Resolve(name, args, a.fctx(pos))
}

// negate wraps a result in NOT.
func (a *analyzer) negate(not bool, pos sparksql.Pos) func(plan.Expr, error) (plan.Expr, error) {
	return func(x plan.Expr, err error) (plan.Expr, error) {
		if err != nil || !not {
			return x, err
		}
		return funcs.Resolve("not", []plan.Expr{x}, a.fctx(pos))
	}
}

// bareFunctions may be called by a bare name where no column has it; the values
// are the functions that they are.
var bareFunctions = map[string]string{
	"current_date": "current_date", "current_time": "current_time", "current_timestamp": "current_timestamp",
	"current_user": "current_user", "session_user": "current_user", "user": "current_user",
}

func (a *analyzer) column(e *ast.Column, s *scope) (plan.Expr, error) {
	name := e.Name.Strings()
	x, err := a.lookup(name, e.Pos(), s)
	if x != nil || err != nil {
		return x, err
	}
	if x, err = a.variable(name, e.Pos()); x != nil || err != nil {
		return x, err
	}
	if fn, ok := bareFunctions[strings.ToLower(name[0])]; ok && len(name) == 1 {
		return funcs.Resolve(fn, nil, a.fctx(e.Pos()))
	}
	return nil, a.unresolved(name, e.Pos(), append(s.cols[:len(s.cols):len(s.cols)], s.params...))
}

func (a *analyzer) field(e *ast.Field, s *scope) (plan.Expr, error) {
	x, err := a.expr(e.X, s)
	if err != nil {
		return nil, err
	}
	return a.fields(x, []string{e.Name.Name}, e.Pos())
}

// binary resolves operators; a chain of them is folded without recursion on
// the left.
func (a *analyzer) binary(e *ast.Binary, s *scope) (plan.Expr, error) {
	chain := []*ast.Binary{e}
	for {
		l, ok := chain[len(chain)-1].L.(*ast.Binary)
		if !ok {
			break
		}
		chain = append(chain, l)
	}
	x, err := a.expr(chain[len(chain)-1].L, s)
	for i := len(chain) - 1; i >= 0 && err == nil; i-- {
		b := chain[i]
		var r plan.Expr
		if r, err = a.expr(b.R, s); err != nil {
			return nil, err
		}
		if err = a.noGenerator([]plan.Expr{x, r}, b.Pos()); err != nil {
			return nil, err
		}
		switch b.Op {
		case "is distinct from":
			x, err = a.negate(true, b.OpPos)(a.compare("<=>", []plan.Expr{x, r}, b.OpPos))
		case "is not distinct from":
			x, err = a.compare("<=>", []plan.Expr{x, r}, b.OpPos)
		default:
			x, err = a.compare(b.Op, []plan.Expr{x, r}, b.OpPos)
		}
	}
	return x, err
}

func (a *analyzer) is(e *ast.Is, s *scope) (plan.Expr, error) {
	x, err := a.expr(e.X, s)
	if err != nil {
		return nil, err
	}
	ctx := a.fctx(e.Pos())
	switch e.What {
	case "true", "false":
		lit := &plan.Literal{Value: e.What == "true", Typ: types.Boolean}
		return a.negate(e.Not, e.Pos())(funcs.Resolve("<=>", []plan.Expr{x, lit}, ctx))
	case "unknown":
		if x.Type() == types.Void {
			x = funcs.CastTo(x, types.Boolean, ctx)
		}
	}
	if e.Not {
		return funcs.Resolve("is not null", []plan.Expr{x}, ctx)
	}
	return funcs.Resolve("is null", []plan.Expr{x}, ctx)
}

func (a *analyzer) like(e *ast.Like, s *scope) (plan.Expr, error) {
	args, err := a.exprs(append([]ast.Expr{e.X}, e.Patterns...), s)
	if err != nil {
		return nil, err
	}
	if e.Escape != nil {
		esc, err := a.expr(e.Escape, s)
		if err != nil {
			return nil, err
		}
		args = append(args, esc)
	}
	ctx := a.fctx(e.Pos())
	if e.Quantifier == "" {
		return a.negate(e.Not, e.Pos())(funcs.Resolve(e.Op, args, ctx))
	}
	constant := true // texts, not NULL
	for _, p := range args[1:] {
		lit, ok := funcs.Eval(p)
		constant = constant && ok && lit.Value != nil && types.IsString(p.Type())
	}
	if constant {
		name := "like " + e.Quantifier
		if e.Not {
			name = "not " + name
		}
		for i := range args {
			if e.Op == "ilike" {
				if args[i], err = funcs.Resolve("lower", args[i:i+1], ctx); err != nil {
					return nil, err
				}
			}
		}
		return funcs.Resolve(name, args, ctx)
	}
	// With other patterns ANY is a chain of OR, ALL one of AND.
	link := "or"
	if e.Quantifier == "all" {
		link = "and"
	}
	var out plan.Expr
	for _, p := range args[1:] {
		x, err := a.negate(e.Not, e.Pos())(funcs.Resolve(e.Op, []plan.Expr{args[0], p}, ctx))
		if err == nil && out != nil {
			x, err = funcs.Resolve(link, []plan.Expr{out, x}, ctx)
		}
		if err != nil {
			return nil, err
		}
		out = x
	}
	return out, nil
}

func (a *analyzer) caseWhen(e *ast.Case, s *scope) (plan.Expr, error) {
	ctx := a.fctx(e.Pos())
	var operand, els plan.Expr
	var err error
	if e.Operand != nil {
		if operand, err = a.expr(e.Operand, s); err != nil {
			return nil, err
		}
	}
	var when []plan.When
	for _, w := range e.When {
		cond, err := a.expr(w.Cond, s)
		if err == nil && operand != nil {
			cond, err = a.compare("=", []plan.Expr{operand, cond}, w.Cond.Pos())
		}
		if err != nil {
			return nil, err
		}
		then, err := a.expr(w.Then, s)
		if err != nil {
			return nil, err
		}
		when = append(when, plan.When{Cond: cond, Then: then})
	}
	if e.Else != nil {
		if els, err = a.expr(e.Else, s); err != nil {
			return nil, err
		}
	}
	for _, w := range when {
		if err := a.noGenerator([]plan.Expr{w.Cond, w.Then}, e.Pos()); err != nil {
			return nil, err
		}
	}
	return funcs.Case(when, els, ctx)
}

func (a *analyzer) cast(e *ast.Cast, s *scope) (plan.Expr, error) {
	x, err := a.expr(e.X, s)
	if err != nil {
		return nil, err
	}
	ctx := a.fctx(e.Pos())
	mode := ctx.CastMode()
	if e.Try {
		mode = plan.CastTry
	}
	return funcs.ExplicitCast(x, funcs.Stamped(e.Type, a.env.Conf), mode, ctx)
}

// structOf is struct(a, b AS x, t.*).
func (a *analyzer) structOf(items []ast.Expr, pos sparksql.Pos, s *scope) (plan.Expr, error) {
	var args []plan.Expr
	var names []string
	for _, it := range items {
		if star, ok := it.(*ast.Star); ok {
			cols, err := a.star(star, s)
			if err != nil {
				return nil, err
			}
			for _, c := range cols {
				name := ""
				if _, ok := c.x.(*plan.Field); ok { // fields are spread as x.a AS a
					name = c.name
				}
				args, names = append(args, c.x), append(names, name)
			}
			continue
		}
		x, err := a.expr(it, s)
		if err != nil {
			return nil, err
		}
		name := ""
		if al, ok := it.(*ast.Alias); ok {
			name = al.Name.Name
		}
		args, names = append(args, x), append(names, name)
	}
	if err := a.noGenerator(args, pos); err != nil {
		return nil, err
	}
	return funcs.Struct(args, names, a.fctx(pos))
}

// tuple is (a, b, ...): a STRUCT whose fields are called as the columns in it.
func (a *analyzer) tuple(e *ast.Tuple, s *scope) (plan.Expr, error) {
	var args []plan.Expr
	for i, it := range e.Items {
		x, err := a.expr(it, s)
		if err != nil {
			return nil, err
		}
		args = append(args, text(fieldName(it, x, i+1)), x)
	}
	return funcs.Resolve("named_struct", args, a.fctx(e.Pos()))
}

func text(s string) plan.Expr { return &plan.Literal{Value: s, Typ: types.String} }

// fieldName is the name of the n-th field of struct(...).
func fieldName(it ast.Expr, x plan.Expr, n int) string {
	switch it := it.(type) {
	case *ast.Alias:
		return it.Name.Name
	case *ast.Column:
		return it.Name[len(it.Name)-1].Name
	case *ast.Field:
		return it.Name.Name
	}
	if c, ok := x.(*plan.Column); ok {
		return c.Attr.Name
	}
	return "col" + itoa(n)
}

func (a *analyzer) param(e *ast.Param) (plan.Expr, error) {
	if e.Index >= 0 {
		if e.Index < len(a.env.Positional) {
			return a.env.Positional[e.Index], nil
		}
		return nil, a.errorf(e.Pos(), "UNBOUND_SQL_PARAMETER", "42P02", "The parameter %d (?) has no value.", e.Index+1)
	}
	if x, ok := a.env.Params[e.Name]; ok {
		return x, nil
	}
	return nil, a.errorf(e.Pos(), "UNBOUND_SQL_PARAMETER", "42P02", "The parameter :%s has no value.", e.Name)
}
