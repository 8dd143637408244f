package analyze

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// maxRecursion is Spark's limit of rounds, unless MAX RECURSION LEVEL or the
// session's setting says another.
const maxRecursion = 100

// recursive analyses a CTE that refers to itself: anchor UNION ALL step.
func (a *analyzer) recursive(c ast.CTE, p *place) (*plan.CTE, error) {
	u, ok := c.Query.Body.(*ast.SetOp)
	if !ok || u.Kind != ast.Union || c.Query.Limit != nil || c.Query.Order != nil {
		return nil, a.errorf(c.Name.P, "INVALID_RECURSIVE_CTE", "42836", "A recursive common table expression must be anchor UNION ALL step.")
	}
	if !u.All {
		return nil, a.errorf(u.Pos(), "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE", "42836", "A recursive common table expression takes UNION ALL, not UNION.")
	}
	inner, within := *p, []*plan.CTE(nil)
	if len(c.Query.With) > 0 {
		var err error
		if within, err = a.with(c.Query, &inner); err != nil {
			return nil, err
		}
	}
	around := func(n plan.Node) plan.Node {
		if len(within) == 0 {
			return n
		}
		return &plan.With{CTEs: within, Body: n}
	}
	name := strings.ToLower(c.Name.Name)
	def := &cteDef{name: c.Name.Name, open: true}
	p.ctes.defs[name] = def
	r, err := a.operand(u.Left, inner)
	if err != nil {
		return nil, err
	}
	r = relation{node: r.node, cols: r.visible()}
	if r, err = a.alias2(r, ast.TableAlias{Columns: c.Columns}, c.Name.P, ""); err != nil {
		return nil, err
	}
	rec := &plan.Recursion{Self: plan.NewID(), Anchor: around(exact(r))}
	if rec.MaxLevel, err = a.recursionLevel(c, *p); err != nil {
		return nil, err
	}
	rec.MaxRows = -1
	if lit, ok := funcs.Eval(funcs.CastTo(text(a.env.Conf["spark.sql.cteRecursionRowLimit"]), types.BigInt, a.base)); ok {
		if n, ok := lit.Value.(int64); ok {
			rec.MaxRows = n
		}
	}
	for _, at := range rec.Anchor.Output() {
		at.ID, at.Qualifier, at.Nullable, at.EventTime = plan.NewID(), nil, true, nil
		rec.Attrs = append(rec.Attrs, at)
	}
	cte := &plan.CTE{Name: c.Name.Name, ID: rec.Self, Plan: rec}
	def.open, def.cte, def.cols = false, cte, relationOf(rec).cols
	step, err := a.operand(u.Right, inner)
	if err != nil {
		return nil, err
	}
	rec.Step = around(exact(step))
	if n := len(rec.Step.Output()); n != len(rec.Attrs) {
		def.cols = nil
		a.shapeless = a.errorf(u.Right.Pos(), "NUM_COLUMNS_MISMATCH", "42826", "UNION needs the same number of columns on both sides, but has %d and %d.", len(rec.Attrs), n)
		return cte, nil
	}
	return cte, a.checkStep(rec, u)
}

func (a *analyzer) recursionLevel(c ast.CTE, p place) (int64, error) {
	if c.MaxLevel != nil {
		x, err := a.limit(c.MaxLevel, p, "MAX RECURSION LEVEL", nil)
		if err != nil {
			return 0, err
		}
		n, _ := x.(*plan.Literal).Value.(int64)
		return n, nil
	}
	if lit, ok := funcs.Eval(funcs.CastTo(text(a.env.Conf["spark.sql.cteRecursionLevelLimit"]), types.Int, a.base)); ok {
		if n, ok := lit.Value.(int64); ok {
			return n, nil
		}
	}
	return maxRecursion, nil
}

// checkStep compares the step's columns with the anchor's, and looks where the
// step refers to the expression.
func (a *analyzer) checkStep(rec *plan.Recursion, u *ast.SetOp) error {
	for i, at := range rec.Step.Output() {
		if t, ok := funcs.Common([]types.Type{at.Type, rec.Attrs[i].Type}, a.base.ANSI); !ok || !types.Equal(t, rec.Attrs[i].Type) {
			return a.errorf(u.Right.Pos(), "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE", "42825", "Column %d is %s in the anchor and %s in the step.",
				i+1, rec.Attrs[i].Type.SQL(), at.Type.SQL()).hint("Cast it in the step.")
		}
	}
	if correlated(&plan.Subquery{Plan: rec}) {
		return a.errorf(u.Pos(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED", "0A000",
			"A recursive common table expression cannot use columns of the query around it.")
	}
	if misplaced(rec.Step, rec.Self) {
		return a.errorf(u.Right.Pos(), "INVALID_RECURSIVE_REFERENCE.PLACE", "42836",
			"The step cannot refer to the recursive expression below an aggregate, an order, a UNION of distinct rows or the optional side of an outer join.")
	}
	return nil
}

// misplaced tells whether n reads the recursive expression where its rows
// cannot be taken round by round.
func misplaced(n plan.Node, self plan.ID) bool {
	switch m := n.(type) {
	case *plan.Aggregate, *plan.Window, *plan.Sort:
		return reads(n, self)
	case *plan.SetOp:
		if m.Kind == plan.Union && !m.All {
			return reads(n, self)
		}
	case *plan.Join:
		switch m.Kind {
		case plan.LeftJoin, plan.SemiJoin, plan.AntiJoin:
			return reads(m.Right, self) || misplaced(m.Left, self)
		case plan.RightJoin:
			return reads(m.Left, self) || misplaced(m.Right, self)
		case plan.FullJoin:
			return reads(n, self)
		}
	}
	for _, in := range append(n.Inputs(), subplans(n)...) {
		if misplaced(in, self) {
			return true
		}
	}
	return false
}

// subplans are the plans of the sub-queries in n's own expressions.
func subplans(n plan.Node) []plan.Node {
	var out []plan.Node
	for _, e := range plan.Exprs(n) {
		plan.Walk(e, func(x plan.Expr) bool {
			if s, ok := x.(*plan.Subquery); ok {
				out = append(out, s.Plan)
			}
			return true
		})
	}
	return out
}

func reads(n plan.Node, self plan.ID) bool {
	found := false
	plan.VisitNodes(n, func(m plan.Node) {
		r, ok := m.(*plan.CTERef)
		found = found || ok && r.CTE.ID == self
	})
	return found
}
