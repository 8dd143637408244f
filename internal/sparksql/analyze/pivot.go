package analyze

import (
	"github.com/marisma/marisma/internal/sparksql/ast"
)

func (a *analyzer) pivot(v *ast.Pivot, _ place, _ *relation) (relation, error) {
	return relation{}, a.errorf(v.Pos(), "UNSUPPORTED_FEATURE.PIVOT", "0A000", "PIVOT is not supported.").hint("Use aggregates with FILTER (WHERE ...).")
}

func (a *analyzer) unpivot(v *ast.Unpivot, _ place, _ *relation) (relation, error) {
	return relation{}, a.errorf(v.Pos(), "UNSUPPORTED_FEATURE.UNPIVOT", "0A000", "UNPIVOT is not supported.").hint("Use stack() in a LATERAL VIEW.")
}
