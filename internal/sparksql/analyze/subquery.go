package analyze

import (
	"slices"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// inner analyses a query that may refer to the columns of s.
func (a *analyzer) inner(q *ast.Query, s *scope) (relation, error) {
	p := s.place
	// A query sees the columns around it, but not those two levels up.
	around := *s
	around.outer = nil
	p.outer = &around
	if len(s.lambdas) > 0 {
		return relation{}, a.errorf(q.Pos(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.HIGHER_ORDER_FUNCTION", "0A000", "A sub-query cannot stand in a lambda function.")
	}
	r, err := a.query(q, p)
	if err != nil {
		return r, a.precede(q, p, err)
	}
	return relationOf(exact(r)), nil
}

func (a *analyzer) scalarSubquery(e *ast.Subquery, s *scope) (plan.Expr, error) {
	r, err := a.inner(e.Query, s)
	if err != nil {
		return nil, err
	}
	if len(r.cols) != 1 {
		return nil, a.errorf(e.Pos(), "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "42823",
			"A query as a value must have one column, this one has %d.", len(r.cols))
	}
	if mixedAggregate(r.node) {
		return nil, a.errorf(e.Pos(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES", "0A000",
			"An aggregate of a sub-query cannot use its own columns and those of the query around it together.")
	}
	if outerInAggregate(r.node) {
		return nil, a.errorf(e.Pos(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE", "0A000",
			"The result of a sub-query's aggregation cannot use columns of the query around it.").hint("Use them in its WHERE.")
	}
	return &plan.Subquery{Kind: plan.ScalarSubquery, Plan: r.node, Typ: r.cols[0].Type, Null: true}, nil
}

func (a *analyzer) exists(e *ast.Exists, s *scope) (plan.Expr, error) {
	r, err := a.inner(e.Query, s)
	if err != nil {
		return nil, err
	}
	return &plan.Subquery{Kind: plan.ExistsSubquery, Plan: r.node, Typ: types.Boolean}, nil
}

func (a *analyzer) in(e *ast.In, s *scope) (plan.Expr, error) {
	if e.Query == nil {
		args, err := a.exprs(append([]ast.Expr{e.X}, e.List...), s)
		if err == nil {
			err = a.noGenerator(args, e.Pos())
		}
		if err == nil {
			args, err = a.sameNames(args, e)
		}
		if err != nil {
			return nil, err
		}
		return a.compare("in", args, e.Pos())
	}
	left := []ast.Expr{e.X}
	switch t := e.X.(type) {
	case *ast.Tuple:
		left = t.Items
	case *ast.Call:
		if t.Syntax == "struct" && len(t.Args) > 0 {
			left = t.Args
		}
	}
	args, err := a.exprs(left, s)
	if err != nil {
		return nil, err
	}
	r, err := a.inner(e.Query, s)
	if err != nil {
		return nil, err
	}
	if len(args) != len(r.cols) {
		return nil, a.errorf(e.Pos(), "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "42K09",
			"IN compares %d values with a query of %d columns.", len(args), len(r.cols))
	}
	return a.inColumns(args, r, e.Pos())
}

// sameNames gives the rows of (a, b) IN ((1, 2), ...) the field names of (a, b).
func (a *analyzer) sameNames(args []plan.Expr, e *ast.In) ([]plan.Expr, error) {
	st, ok := args[0].Type().(types.Struct)
	if _, tuple := e.X.(*ast.Tuple); !ok || !tuple {
		return args, nil
	}
	for i, x := range args[1:] {
		row, ok := x.Type().(types.Struct)
		if _, tuple := e.List[i].(*ast.Tuple); !tuple || !ok || len(row.Fields) != len(st.Fields) {
			continue
		}
		if slices.EqualFunc(row.Fields, st.Fields, func(x, y types.Field) bool { return x.Name == y.Name }) {
			continue
		}
		if !slices.EqualFunc(row.Fields, st.Fields, func(x, y types.Field) bool { return types.Equal(x.Type, y.Type) }) {
			continue
		}
		named := types.Struct{Fields: slices.Clone(row.Fields)}
		for j, f := range st.Fields {
			named.Fields[j].Name = f.Name
		}
		args[i+1] = funcs.CastTo(x, named, a.fctx(e.List[i].Pos()))
	}
	return args, nil
}

// correlated tells whether a sub-query uses columns of the query around it.
func correlated(s *plan.Subquery) bool {
	own := map[plan.ID]bool{}
	plan.VisitNodes(s.Plan, func(n plan.Node) { keepOutput(n, own) })
	hit := false
	plan.VisitNodes(s.Plan, func(n plan.Node) {
		for _, e := range plan.Exprs(n) {
			plan.Walk(e, func(x plan.Expr) bool {
				o, ok := x.(*plan.Outer)
				hit = hit || ok && !own[o.Attr.ID]
				return !hit
			})
		}
	})
	return hit
}

// hasCorrelated tells whether e holds a correlated scalar sub-query.
func hasCorrelated(e plan.Expr) bool {
	return contains(e, func(x plan.Expr) bool {
		s, ok := x.(*plan.Subquery)
		return ok && s.Kind == plan.ScalarSubquery && correlated(s)
	})
}

// mixedAggregate tells whether an aggregate's argument has columns of the query
// and of the one around it.
func mixedAggregate(n plan.Node) bool {
	found := false
	plan.VisitNodes(n, func(m plan.Node) {
		agg, ok := m.(*plan.Aggregate)
		if !ok {
			return
		}
		for _, e := range agg.Aggs {
			outer := contains(e.X, func(x plan.Expr) bool { _, ok := x.(*plan.Outer); return ok })
			found = found || outer && contains(e.X, func(x plan.Expr) bool { _, ok := x.(*plan.Column); return ok })
		}
	})
	return found
}

// outerInAggregate tells whether an aggregation's result is computed with
// columns of the query around, which Spark does not do.
func outerInAggregate(n plan.Node) bool {
	uses := func(es []plan.NamedExpr) bool {
		for _, e := range es {
			if contains(e.X, func(x plan.Expr) bool { _, ok := x.(*plan.Outer); return ok }) {
				return true
			}
		}
		return false
	}
	switch m := n.(type) {
	case *plan.Aggregate:
		return uses(m.Aggs)
	case *plan.Project:
		if agg, ok := m.Input.(*plan.Aggregate); ok {
			return uses(m.Exprs) || uses(agg.Aggs)
		}
		return outerInAggregate(m.Input)
	case *plan.Limit:
		return outerInAggregate(m.Input)
	case *plan.Sort:
		return outerInAggregate(m.Input)
	}
	return false
}

// inColumns casts both sides of IN (query) to their common types.
func (a *analyzer) inColumns(args []plan.Expr, r relation, pos sparksql.Pos) (plan.Expr, error) {
	ctx := a.fctx(pos)
	sub := &plan.Subquery{Kind: plan.InSubquery, Typ: types.Boolean}
	to := make([]types.Type, len(args))
	for i, x := range args {
		// What "=" makes of two operands says what they are compared as.
		eq, err := funcs.Resolve("=", []plan.Expr{x, &plan.Column{Attr: r.cols[i].Attr}}, ctx)
		if err != nil {
			return nil, a.errorf(pos, "DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH", "42K09",
				"IN cannot compare %s with %s.", x.Type().SQL(), r.cols[i].Type.SQL())
		}
		to[i] = eq.Children()[0].Type()
		sub.Left = append(sub.Left, funcs.CastTo(x, to[i], ctx))
		sub.Null = sub.Null || x.Nullable() || r.cols[i].Nullable
	}
	sub.Plan = a.castColumns(r, to, ctx).node
	return sub, nil
}

// castColumns casts the columns of r to the given types.
func (a *analyzer) castColumns(r relation, to []types.Type, ctx funcs.Context) relation {
	p := &plan.Project{Input: r.node}
	same := true
	for i, c := range r.cols {
		x := funcs.CastTo(&plan.Column{Attr: c.Attr}, to[i], ctx)
		at := c.Attr
		if _, plain := x.(*plan.Column); !plain {
			same = false
			at.ID, at.Type, at.Nullable, at.EventTime = plan.NewID(), x.Type(), x.Nullable(), nil
		}
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: x, Attr: at})
	}
	if same {
		return r
	}
	return relationOf(p)
}
