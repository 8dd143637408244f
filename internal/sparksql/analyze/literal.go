package analyze

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// typedLiteral evaluates DATE '...', TIMESTAMP '...', TIMESTAMP_NTZ '...' and
// TIME '...'.
func (a *analyzer) typedLiteral(e *ast.TypedLiteral) (plan.Expr, error) {
	kind := e.Type
	if kind == "timestamp" && funcs.Stamp(a.env.Conf) == types.TimestampNTZ {
		x, ok := funcs.TimeOfText(e.Text, types.Timestamp, a.env.Now, "UTC")
		if y, _ := funcs.TimeOfText(e.Text, types.Timestamp, a.env.Now, "+05:00"); ok && x != y { // it names no zone
			kind = "timestamp_ntz"
		}
	}
	t, ok := map[string]types.Type{"date": types.Date, "timestamp": types.Timestamp, "timestamp_ltz": types.Timestamp,
		"timestamp_ntz": types.TimestampNTZ, "time": types.Time{Precision: 6}}[kind]
	if ok {
		if v, ok := funcs.TimeOfText(e.Text, t, a.env.Now, a.zone()); ok {
			return &plan.Literal{Value: v, Typ: t}, nil
		}
	}
	f := a.errorf(e.Pos(), "INVALID_TYPED_LITERAL", "42604", "The text %q is no %s.", e.Text, strings.ToUpper(e.Type))
	f.Phase = sparksql.PhaseParse
	return nil, f
}

// zone is the session's zone.
func (a *analyzer) zone() string {
	if a.env.TimeZone == "" {
		return "UTC"
	}
	return a.env.TimeZone
}
