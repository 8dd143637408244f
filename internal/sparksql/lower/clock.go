package lower

import (
	"slices"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// clockRules are the functions of TIME, which is microseconds of the day here.
func clockRules() map[string]rule {
	outOfBounds := raise("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "22023", "A field of the time is out of bounds.")
	within := func(us string) string {
		return "CASE WHEN " + us + " < 0 OR " + us + " >= 86400000000 THEN " + outOfBounds + " ELSE " + us + " END"
	}
	from := func(unit string) rule {
		return func(l *lowerer, _ *plan.Call, a []string) string {
			return l.let("("+a[0]+" * "+unit+")", within)
		}
	}
	return map[string]rule{
		"current_time": func(l *lowerer, c *plan.Call, _ []string) string {
			p := 6
			if t, ok := c.Typ.(types.Time); ok {
				p = t.Precision
			}
			return cut("(epoch_us("+l.local(l.now(), l.opt.TimeZone)+") % 86400000000)", p)
		},
		"make_time": func(l *lowerer, _ *plan.Call, a []string) string {
			ok := a[0] + " BETWEEN 0 AND 23 AND " + a[1] + " BETWEEN 0 AND 59 AND " + a[2] + " >= 0 AND " + a[2] + " < 60"
			us := "(CAST(" + a[0] + " AS BIGINT) * 3600000000 + CAST(" + a[1] + " AS BIGINT) * 60000000 + CAST(" + a[2] + " * 1000000 AS BIGINT))"
			return "CASE WHEN " + notNull(a) + " THEN CASE WHEN " + ok + " THEN " + us + " ELSE " + outOfBounds + " END END"
		},
		"to_time": toTime(false), "try_to_time": toTime(true),
		"time_from_seconds": func(l *lowerer, c *plan.Call, a []string) string {
			if types.IsFloating(c.Args[0].Type()) {
				return l.let(cast(a[0], "DOUBLE"), func(x string) string { // nanoseconds, as far as a TIME has them here
					return "CASE WHEN NOT isfinite(" + x + ") OR abs(" + x + ") > 86400 THEN " + outOfBounds + " ELSE " +
						l.let("CAST(floor(round("+x+" * 1e9) / 1000) AS BIGINT)", within) + " END"
				})
			}
			if _, dec := isDecimal(c.Args[0].Type()); dec {
				return l.let(cast("floor("+a[0]+" * 1000000)", "BIGINT"), within)
			}
			return l.let("("+cast(a[0], "BIGINT")+" * 1000000)", within)
		},
		"time_from_millis": from("1000"), "time_from_micros": from("1"),
		"time_trunc":        clockUnit(func(a []string, step string) string { return "(" + a[1] + " // " + step + " * " + step + ")" }),
		"time_diff":         clockUnit(func(a []string, step string) string { return "((" + a[2] + " - " + a[1] + ") // " + step + ")" }),
		"timestamp of time": dateWithTime, "try timestamp of time": dateWithTime,
	}
}

// dateWithTime is a DATE and a TIME as an instant.
func dateWithTime(l *lowerer, c *plan.Call, a []string) string {
	local := "(CAST(" + a[0] + " AS TIMESTAMP) + to_microseconds(" + a[1] + "))"
	if len(a) == 3 {
		return l.zoned("local_to_instant", "TIMESTAMP", instantType, local, c.Args[2], a[2])
	}
	return l.instant(local, l.opt.TimeZone)
}

// clockUnit is a function of TIME by a unit, its first argument, which counts
// only where no argument is NULL.
func clockUnit(val func(a []string, step string) string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		units := []string{"HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"}
		if name, ok := constText(c.Args[0]); ok && slices.Contains(units, strings.ToUpper(name)) {
			return val(a, unitStep[strings.ToUpper(name)])
		}
		var branches strings.Builder
		for _, name := range units {
			branches.WriteString(" WHEN " + quote(name) + " THEN " + val(a, unitStep[name]))
		}
		unknown := raise("INVALID_PARAMETER_VALUE.TIME_UNIT", "22023", "The unit of "+c.Fn+" is HOUR, MINUTE, SECOND, MILLISECOND or MICROSECOND.")
		return "CASE WHEN " + notNull(a) + " THEN CASE upper(" + a[0] + ")" + branches.String() + " ELSE " + unknown + " END END"
	}
}

// cut drops the digits of a TIME beyond a precision.
func cut(x string, precision int) string {
	if precision >= 6 {
		return x
	}
	step := "1" + strings.Repeat("0", 6-precision)
	return "(" + x + " // " + step + " * " + step + ")"
}

// toTime reads a text, with a pattern as a time of 1970-01-01.
func toTime(try bool) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		if len(a) == 2 && isNull(c.Args[1]) {
			return cast("NULL", l.duckType(c.Typ))
		}
		return l.let(a[0], func(x string) string {
			val := l.call("string_to_time", []string{x}, []string{"VARCHAR"}, "BIGINT", nil)
			if len(a) == 2 {
				args, ts, params := l.patternParams(x, "VARCHAR", c.Args[1], a[1])
				params["zone"] = "UTC"
				stamp := l.call("parse_timestamp", args, ts, "TIMESTAMP", params)
				if len(args) == 2 && !try {
					stamp = l.withPattern(x, a[1], true, func(string, string) string { return stamp })
				}
				val = "(epoch_us(" + stamp + ") % 86400000000)"
			}
			if try {
				return val
			}
			return "CASE WHEN " + notNull(append([]string{x}, a[1:]...)) + " THEN coalesce(" + val + ", " + raise("CANNOT_PARSE_TIME", "22010", "The text is no time.") + ") END"
		})
	}
}

// fromTime casts a TIME: to seconds, or to another precision.
func (k caster) fromTime(x string, from types.Time, to types.Type) string {
	if t, ok := to.(types.Time); ok {
		return cut(x, t.Precision)
	}
	if d, ok := isDecimal(to); ok {
		exact := "CAST(" + x + " * 0.000001 AS DECIMAL(20,6))"
		return k.number(exact, types.Decimal{Precision: 20, Scale: 6}, d)
	}
	if k.mode == plan.CastLegacy && types.IsIntegral(to) { // NULL where it does not fit
		k.mode = plan.CastTry
	}
	return k.number("("+x+" // "+strconv.Itoa(1_000_000)+")", types.BigInt, to)
}
