package lower

import (
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// canRaise is plan.CanRaise with constant casts worked out: a comparison with
// the text of a date needs no guard, and stays where DuckDB can push it down.
func (l *lowerer) canRaise(e plan.Expr) bool {
	if !plan.CanRaise(e) {
		return false
	}
	return plan.CanRaise(plan.Transform(e, func(x plan.Expr) plan.Expr {
		if c, ok := x.(*plan.Cast); ok {
			if k, ok := l.constCast(c); ok {
				return k
			}
		}
		return x
	}))
}

// constCast works out the cast of a constant text to a date, a timestamp or an
// integer.
func (l *lowerer) constCast(c *plan.Cast) (*plan.Literal, bool) {
	k, ok := c.X.(*plan.Literal)
	if !ok {
		return nil, false
	}
	text, ok := k.Value.(string)
	switch {
	case !ok:
		return nil, false
	case types.IsIntegral(c.To):
		return funcs.Eval(c)
	case c.To == types.Date, c.To == types.Timestamp, c.To == types.TimestampNTZ:
		zone := c.TimeZone
		if zone == "" {
			zone = l.opt.TimeZone
		}
		v, ok := funcs.TimeOfText(text, c.To, l.opt.Now, zone)
		return &plan.Literal{Value: v, Typ: c.To}, ok
	}
	return nil, false
}
