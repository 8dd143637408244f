package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// unmoved are the first two operands of a comparison, or of IN, written so that
// DuckDB computes them. It would take the arithmetic and the casts of whole
// numbers and decimals to the other side where that is constant (i + 1 = 5
// becomes i = 4, CAST(l AS TINYINT) = 5 becomes l = 5), and what raises or gives
// NULL for some rows would not.
func unmoved(xs []plan.Expr, a []string) []string {
	out := append([]string(nil), a...)
	for i, x := range xs[:2] {
		if movable(x, a[i]) && funcs.IsFoldable(xs[1-i]) {
			out[i] = unmovable(a[i])
		}
	}
	return out
}

// unmovable is a value that no rule of DuckDB's looks into.
func unmovable(x string) string { return "coalesce(" + x + ", NULL)" }

// movable tells whether DuckDB may take a part of x, whose text is given, to
// the other side of a comparison where x fails for some values.
func movable(x plan.Expr, text string) bool {
	switch x := x.(type) {
	case *plan.Cast:
		if funcs.IsFoldable(x) || !exact(x.To) {
			return false
		}
		if widens(x.X.Type(), x.To) {
			return movable(x.X, text)
		}
		return strings.HasPrefix(text, "CAST(") || strings.HasPrefix(text, "TRY_CAST(")
	case *plan.Call:
		if funcs.IsFoldable(x) || !exact(x.Typ) && !isInterval(x.Typ) {
			return false
		}
		switch x.Fn {
		case "+", "-", "*", "iv+iv", "iv-iv":
			return x.Raises
		case "try_add", "try_subtract", "try_multiply":
			return true
		}
		return strings.HasPrefix(text, "TRY_CAST(") || strings.HasPrefix(text, "CAST(") && x.Raises
	}
	return false
}

// exact tells whether t is a whole number or a decimal.
func exact(t types.Type) bool { return types.IsNumeric(t) && !types.IsFloating(t) }
