package analyze

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// sample keeps a share of the rows, or the first ones.
func (a *analyzer) sample(r relation, s *ast.Sample, p place) (relation, error) {
	if s.Kind == "rows" && len(s.Args) == 1 {
		x, err := a.limit(s.Args[0], p, "TABLESAMPLE", r.cols)
		if err != nil {
			return r, err
		}
		r.node = &plan.Limit{Input: r.node, N: x}
		return r, nil
	}
	var n [2]float64
	for i, e := range s.Args[:min(2, len(s.Args))] {
		x, err := a.expr(e, &scope{place: p})
		if err != nil {
			return r, err
		}
		lit, ok := funcs.Eval(funcs.CastTo(x, types.Double, a.fctx(e.Pos())))
		if !ok {
			return r, a.errorf(e.Pos(), "INVALID_SQL_SYNTAX.INVALID_TABLE_SAMPLE", "42000", "TABLESAMPLE takes constants.")
		}
		n[i], _ = lit.Value.(float64)
	}
	share := n[0] / 100
	switch s.Kind {
	case "bucket":
		if n[1] <= 0 || n[0] > n[1] {
			return r, a.errorf(s.Pos(), "INVALID_SQL_SYNTAX.INVALID_TABLE_SAMPLE", "42000", "TABLESAMPLE (BUCKET x OUT OF y) needs x <= y.")
		}
		share = n[0] / n[1]
	case "percent":
	default:
		return r, a.errorf(s.Pos(), "UNSUPPORTED_FEATURE.TABLESAMPLE", "0A000", "TABLESAMPLE (%s) is not supported.", strings.ToUpper(s.Kind)).hint("Use PERCENT or ROWS.")
	}
	switch {
	case share < 0 || share > 1:
		return r, a.errorf(s.Pos(), "_LEGACY_ERROR_TEMP_0064", "42000", "The share of TABLESAMPLE must lie between 0 and 100 percent.")
	case share == 1:
		return r, nil
	}
	var args []plan.Expr
	if s.Seed != nil {
		x, err := a.expr(s.Seed, &scope{place: p})
		if err != nil {
			return r, err
		}
		args = append(args, x)
	}
	ctx := a.fctx(s.Pos())
	u, err := funcs.Resolve("rand", args, ctx)
	if err != nil {
		return r, err
	}
	cond, err := funcs.Resolve("<", []plan.Expr{u, &plan.Literal{Value: share, Typ: types.Double}}, ctx)
	r.node = &plan.Filter{Input: r.node, Cond: cond}
	return r, err
}
