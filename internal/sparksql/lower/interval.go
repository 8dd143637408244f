package lower

import (
	"errors"
	"fmt"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

var errPlan = errors.New("lower: the plan is not as the registry makes it")

func errOperand(c *plan.Call) error { return fmt.Errorf("%w: operands of %s", errPlan, c.Fn) }

func intervalRules() map[string]rule {
	months := func(sign string) rule {
		return func(l *lowerer, c *plan.Call, a []string) string {
			step := " " + sign + " to_months(" + a[1] + ")"
			switch c.Typ {
			case types.Date:
				return l.addMonths(sign, c.Args[1], a)
			case types.TimestampNTZ:
				return "(" + a[0] + step + ")"
			}
			return l.onClock(a[0], func(w string) string { return "(" + w + step + ")" })
		}
	}
	days := func(sign string) rule {
		return func(_ *lowerer, _ *plan.Call, a []string) string {
			return "(" + a[0] + " " + sign + " CAST(" + a[1] + " // 86400000000 AS INTEGER))"
		}
	}
	sum := func(op string) rule {
		return func(l *lowerer, c *plan.Call, a []string) string {
			return l.fitting(c, a, func(a []string) string { return a[0] + " " + op + " " + a[1] })
		}
	}
	return map[string]rule{
		"ts+dt": shiftDays("+"), "ts-dt": shiftDays("-"), "ts+ym": months("+"), "ts-ym": months("-"), "date+ym": months("+"), "date-ym": months("-"),
		"date+dt": days("+"), "date-dt": days("-"), "iv+iv": sum("+"), "iv-iv": sum("-"),
		"iv neg": func(l *lowerer, c *plan.Call, a []string) string {
			return l.fittingAs("WITHOUT_SUGGESTION", c, a, func(a []string) string { return "-" + a[0] })
		},
		"ts-ts": func(l *lowerer, c *plan.Call, a []string) string {
			x, y := a[0], a[1]
			if c.Args[0].Type() == types.Timestamp {
				x, y = l.local(x, l.opt.TimeZone), l.local(y, l.opt.TimeZone)
			}
			us := "(epoch_us(" + x + ") - epoch_us(" + y + "))"
			if c.Typ == types.Calendar {
				return "to_microseconds(" + us + ")"
			}
			return us
		},
		"date-date": func(_ *lowerer, c *plan.Call, a []string) string {
			if c.Typ == types.Calendar {
				return calendarBetween(a[1], a[0])
			}
			return "(CAST(" + a[0] + " - " + a[1] + " AS BIGINT) * 86400000000)"
		},
		"iv*n": intervalTimes, "iv/n": intervalOver,
		"time+dt": shiftClock("+"), "time-dt": shiftClock("-"),
		"time-time": func(_ *lowerer, _ *plan.Call, a []string) string { return "(" + a[0] + " - " + a[1] + ")" },
	}
}

// shiftDays moves a timestamp by whole days on the wall clock and by the rest
// in time.
func shiftDays(sign string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		us := "(epoch_us(" + a[0] + ") " + sign + " " + a[1] + ")"
		switch {
		case c.Typ == types.TimestampNTZ:
			return "make_timestamp(" + us + ")"
		case isUTC(l.opt.TimeZone):
			return "make_timestamptz(" + us + ")"
		}
		return l.let(a[1], func(iv string) string {
			day := l.onClock(a[0], func(w string) string {
				return "make_timestamp(epoch_us(" + w + ") " + sign + " " + iv + " // 86400000000 * 86400000000)"
			})
			return "make_timestamptz(epoch_us(" + day + ") " + sign + " " + iv + " % 86400000000)"
		})
	}
}

// shiftClock moves a TIME within its day.
func shiftClock(sign string) rule {
	return func(l *lowerer, _ *plan.Call, a []string) string {
		return l.let("("+a[0]+" "+sign+" "+a[1]+")", func(us string) string {
			return "CASE WHEN " + us + " < 0 OR " + us + " >= 86400000000 THEN " + raise("DATETIME_OVERFLOW", "22008", "The time would leave its day.") + " ELSE " + us + " END"
		})
	}
}

// fitting is an interval that raises where it does not fit, or is NULL then
// under try_ functions. (Spark raises without ANSI, too.)
func (l *lowerer) fitting(c *plan.Call, a []string, val func(a []string) string) string {
	return l.fittingAs("WITH_SUGGESTION", c, a, val)
}

func (l *lowerer) fittingAs(sub string, c *plan.Call, a []string, val func(a []string) string) string {
	if funcs.IsTry(c) {
		return l.try(a, val)
	}
	return "CASE WHEN " + notNull(a) + " THEN coalesce(" + l.try(a, val) + ", " +
		raise("INTERVAL_ARITHMETIC_OVERFLOW."+sub, "22015", "An interval does not fit.") + ") END"
}

// halfUp rounds a DOUBLE or DECIMAL away from zero at .5 and casts it.
func halfUp(x, dt string) string { return cast("round("+x+")", dt) }

func intervalTimes(l *lowerer, c *plan.Call, a []string) string {
	dt := l.duckType(c.Typ)
	t := c.Args[1].Type()
	if types.IsIntegral(t) {
		return l.fitting(c, a, func(a []string) string { return cast("("+a[0]+" * "+cast(a[1], "BIGINT")+")", dt) })
	}
	if d, ok := isDecimal(t); ok && d.Precision > types.MaxPrecision-19 { // more digits than a product of DuckDB's has
		product := func(a []string) string {
			return cast(l.call("decimal_mul", []string{cast(a[0], "DECIMAL(19,0)"), a[1]}, []string{"DECIMAL(19,0)", l.duckType(t)}, "DECIMAL(38,0)", nil), dt)
		}
		return "CASE WHEN " + notNull(a) + " THEN coalesce(" + l.try(a, product) + ", " + raise("ARITHMETIC_OVERFLOW", "22003", "The product is no interval any more.") + ") END"
	}
	if d, ok := isDecimal(t); ok {
		return halfUp("("+cast(a[0], fmt.Sprintf("DECIMAL(%d,0)", types.MaxPrecision-d.Precision))+" * "+a[1]+")", dt)
	}
	return halfUp("("+a[0]+" * "+cast(a[1], "DOUBLE")+")", dt)
}

func intervalByZero() string {
	return raise("INTERVAL_DIVIDED_BY_ZERO", "22012", "An interval is divided by zero.")
}

func intervalOver(l *lowerer, c *plan.Call, a []string) string {
	dt := l.duckType(c.Typ)
	zero := "NULL"
	if c.Raises {
		zero = intervalByZero()
	}
	if types.IsIntegral(c.Args[1].Type()) {
		return l.let2(a[0], a[1], func(x, y string) string {
			n := "abs(" + cast(y, "HUGEINT") + ")"
			val := cast("(sign("+x+") * sign("+y+") * ((2 * abs("+cast(x, "HUGEINT")+") + "+n+") // (2 * "+n+")))", dt)
			return "CASE WHEN " + y + " = 0 AND " + x + " IS NOT NULL THEN " + zero + " ELSE " + val + " END"
		})
	}
	return l.let2(a[0], cast(a[1], "DOUBLE"), func(x, y string) string {
		return "CASE WHEN " + y + " = 0 AND " + x + " IS NOT NULL THEN " + zero + " ELSE " + halfUp("("+x+" / "+y+")", dt) + " END"
	})
}
