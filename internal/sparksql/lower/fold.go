package lower

import (
	"time"

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

// constCast works out the cast of a constant text to a date, a timestamp or
// an integer, in the plain formats only.
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
	case c.To == types.Date:
		t, err := time.Parse(time.DateOnly, text)
		return &plan.Literal{Value: t.Unix() / 86400, Typ: types.Date}, err == nil && t.Year() > 0 && t.Unix()%86400 == 0
	case c.To == types.Timestamp:
		zone := c.TimeZone
		if zone == "" {
			zone = l.opt.TimeZone
		}
		return constInstant(text, zone)
	}
	return nil, false
}

// constInstant reads a local time far from any change of the zone's offset.
func constInstant(text, zone string) (*plan.Literal, bool) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, false
	}
	for _, layout := range []string{time.DateOnly, time.DateTime, "2006-01-02T15:04:05"} {
		t, err := time.ParseInLocation(layout, text, loc)
		if err != nil || t.Year() < 1900 || t.Nanosecond()%1000 != 0 {
			continue
		}
		_, before := t.Add(-24 * time.Hour).Zone()
		_, after := t.Add(24 * time.Hour).Zone()
		return &plan.Literal{Value: t.UnixMicro(), Typ: types.Timestamp}, before == after
	}
	return nil, false
}
