package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// calendarRules are the functions of intervals with months, days and
// microseconds, which DuckDB has as INTERVAL.
func calendarRules() map[string]rule {
	return map[string]rule{
		"make_interval": makeInterval, "try_make_interval": makeInterval,
		"calendar*n": calendarScale("*"), "calendar/n": calendarScale("/"),
		"t+calendar": calendarShift("+"), "t-calendar": calendarShift("-"),
	}
}

func makeInterval(l *lowerer, c *plan.Call, a []string) string {
	val := l.tryOf(c.Args, a, func(a []string) string {
		return "to_months(" + a[0] + " * 12 + " + a[1] + ") + to_days(" + a[2] + " * 7 + " + a[3] + ") + to_microseconds(" +
			cast(a[4], "BIGINT") + " * 3600000000 + " + cast(a[5], "BIGINT") + " * 60000000 + CAST(" + cast(a[6], "DECIMAL(38,6)") + " * 1000000 AS BIGINT))"
	})
	if !c.Raises {
		return val
	}
	return "CASE WHEN " + notNull(a) + " THEN coalesce(" + val + ", " + raise("ARITHMETIC_OVERFLOW", "22003", "An interval does not fit.") + ") END"
}

// calendarShift adds an interval to a date or time: months and days on the
// wall clock, the rest in time.
func calendarShift(sign string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		step := " " + sign + " " + a[1]
		switch c.Typ {
		case types.Date:
			if !l.opt.ANSI { // what is no whole day is lost
				return "CAST(" + a[0] + step + " AS DATE)"
			}
			return l.let(a[1], func(iv string) string {
				rest := "datepart('hour', " + iv + ") <> 0 OR datepart('minute', " + iv + ") <> 0 OR datepart('microseconds', " + iv + ") <> 0"
				return "CASE WHEN " + rest + " THEN " + raise("INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION", "22006", "An interval with a time cannot be added to a DATE.") +
					" ELSE CAST(" + a[0] + " " + sign + " " + iv + " AS DATE) END"
			})
		case types.TimestampNTZ:
			return "(" + a[0] + step + ")"
		}
		if isUTC(l.opt.TimeZone) {
			return l.instant("("+l.local(a[0], l.opt.TimeZone)+step+")", l.opt.TimeZone)
		}
		return l.let(a[1], func(iv string) string {
			s := strideOf(iv, types.Calendar)
			day := l.onClock(a[0], func(w string) string {
				return "(" + w + " " + sign + " to_months(CAST(" + s.months + " AS INTEGER)) " + sign + " to_days(CAST(" + s.days + " AS INTEGER)))"
			})
			return "make_timestamptz(epoch_us(" + day + ") " + sign + " " + s.micros + ")"
		})
	}
}

// calendarText prints an interval as "1 years 2 months 3 days 4 hours".
func calendarText(x string) string {
	parts := []string{"' '"}
	for _, unit := range []string{"year", "month", "day", "hour", "minute"} {
		n := "datepart('" + unit + "', " + x + ")"
		parts = append(parts, "CASE WHEN "+n+" <> 0 THEN "+n+" || ' "+unit+"s' END")
	}
	us := "datepart('microseconds', " + x + ")"
	parts = append(parts, "CASE WHEN "+us+" <> 0 THEN rtrim(rtrim(CAST(CAST("+us+" AS DECIMAL(20,0)) * 0.000001 AS VARCHAR), '0'), '.') || ' seconds' END")
	return "CASE WHEN " + x + " IS NOT NULL THEN coalesce(nullif(concat_ws(" + strings.Join(parts, ", ") + "), ''), '0 seconds') END"
}

// calendarBetween is the interval of months and days from one date to another.
func calendarBetween(from, to string) string {
	months := "CAST((year(" + to + ") - year(" + from + ")) * 12 + month(" + to + ") - month(" + from + ") AS INTEGER)"
	days := "CAST(day(" + to + ") - day(" + from + ") AS INTEGER)"
	return "CASE WHEN " + months + " > 0 AND " + days + " < 0 THEN to_months(" + months + " - 1) + to_days(CAST(" + to + " - CAST(" + from + " + to_months(" + months + " - 1) AS DATE) AS INTEGER))" +
		" WHEN " + months + " < 0 AND " + days + " > 0 THEN to_months(" + months + " + 1) + to_days(" + days + " - CAST(day(last_day(" + to + ")) AS INTEGER))" +
		" ELSE to_months(" + months + ") + to_days(" + days + ") END"
}

// calendarScale multiplies or divides months, days and microseconds; a part of
// a day goes on as microseconds, a part of a month is lost.
func calendarScale(op string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		scaled := func(a []string) string {
			part := func(unit string) string { return "CAST(datepart('" + unit + "', " + a[0] + ") AS DOUBLE)" }
			by := " " + op + " " + a[1]
			months := "trunc((" + part("year") + " * 12 + " + part("month") + ")" + by + ")"
			days := "(" + part("day") + by + ")"
			us := "((" + part("hour") + " * 3600000000 + " + part("minute") + " * 60000000 + " + part("microseconds") + ")" + by + " + 86400000000 * (" + days + " - trunc(" + days + ")))"
			return "CASE WHEN isnan(" + a[1] + ") THEN to_months(0) ELSE to_months(CAST(" + months + " AS INTEGER)) + to_days(CAST(trunc(" + days + ") AS INTEGER)) + to_microseconds(CAST(round(" + us + ") AS BIGINT)) END"
		}
		if op == "*" {
			return l.fitting(c, a, scaled)
		}
		return l.let2(a[0], a[1], func(x, y string) string {
			zero := "NULL"
			if c.Raises {
				zero = intervalByZero()
			}
			return "CASE WHEN " + y + " = 0 AND " + x + " IS NOT NULL THEN " + zero + " ELSE " + l.fitting(c, []string{x, y}, scaled) + " END"
		})
	}
}
