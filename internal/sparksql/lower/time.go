package lower

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	zones "github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

const instantType = "TIMESTAMP WITH TIME ZONE"

// local is the wall time of an instant in a zone.
func (l *lowerer) local(x, zone string) string {
	if isUTC(zone) {
		return "make_timestamp(epoch_us(" + x + "))"
	}
	return l.call("instant_to_local", []string{x}, []string{instantType}, "TIMESTAMP", map[string]any{"zone": zone})
}

// instant is the point in time of a wall time in a zone.
func (l *lowerer) instant(x, zone string) string {
	if isUTC(zone) {
		return "make_timestamptz(epoch_us(" + x + "))"
	}
	return l.call("local_to_instant", []string{x}, []string{"TIMESTAMP"}, instantType, map[string]any{"zone": zone})
}

// onClock moves an instant on the wall clock. It keeps its offset from UTC
// where the time that comes out may have it, which matters where a wall time
// comes twice.
func (l *lowerer) onClock(x string, move func(w string) string) string {
	zone := l.opt.TimeZone
	if isUTC(zone) {
		return l.instant(move(l.local(x, zone)), zone)
	}
	return l.let(x, func(x string) string {
		return l.let(l.local(x, zone), func(w string) string {
			return l.let(move(w), func(to string) string {
				return l.let("make_timestamptz(epoch_us("+x+") - epoch_us("+w+") + epoch_us("+to+"))", func(kept string) string {
					return "CASE WHEN " + l.local(kept, zone) + " = " + to + " THEN " + kept + " ELSE " + l.instant(to, zone) + " END"
				})
			})
		})
	})
}

func isUTC(zone string) bool {
	switch strings.ToUpper(zone) {
	case "UTC", "Z", "ETC/UTC", "GMT", "+00:00", "UCT", "ZULU":
		return true
	}
	return false
}

func (l *lowerer) now() string {
	return l.literal(&plan.Literal{Value: l.opt.Now.UnixMicro(), Typ: types.Timestamp})
}

func timeRules() map[string]rule {
	part := func(field string) rule {
		return func(l *lowerer, _ *plan.Call, a []string) string {
			return cast("extract("+field+" FROM "+l.local(a[0], l.opt.TimeZone)+")", "INTEGER")
		}
	}
	now := func(l *lowerer, _ *plan.Call, _ []string) string { return l.now() }
	return map[string]rule{
		"current_timestamp": now, "now": now,
		"current_date": func(l *lowerer, _ *plan.Call, _ []string) string {
			return cast(l.local(l.now(), l.opt.TimeZone), "DATE")
		},
		"localtimestamp": func(l *lowerer, _ *plan.Call, _ []string) string { return l.local(l.now(), l.opt.TimeZone) },
		"hour":           part("hour"), "minute": part("minute"), "second": part("second"),
		"extract": extract, "date_part": extract,
		"date_add": shiftDate("+"), "date_sub": shiftDate("-"),
		"add_months": func(l *lowerer, c *plan.Call, a []string) string {
			return l.addMonths("+", c.Args[1], a)
		},
		"months_between": monthsBetween, "next_day": nextDay, "trunc": truncDate, "date_trunc": dateTrunc,
		"make_date": makeDate, "make_timestamp": makeTimestamp,
		"make_timestamp_ltz": makeTimestamp, "try_make_timestamp_ltz": makeTimestamp, "try_make_timestamp": makeTimestamp,
		"make_timestamp_ntz": makeTimestamp, "try_make_timestamp_ntz": makeTimestamp,
		"unix_seconds": func(l *lowerer, _ *plan.Call, a []string) string { return l.floorDiv("epoch_us("+a[0]+")", "1000000") },
		"unix_millis":  func(l *lowerer, _ *plan.Call, a []string) string { return l.floorDiv("epoch_us("+a[0]+")", "1000") },
		"timestamp_seconds": func(l *lowerer, c *plan.Call, a []string) string {
			if types.IsIntegral(c.Args[0].Type()) {
				return "make_timestamptz(" + cast(a[0], "BIGINT") + " * 1000000)"
			}
			if d, ok := isDecimal(c.Args[0].Type()); ok && d.Scale > 6 {
				a = []string{l.let(a[0], func(x string) string {
					return "CASE WHEN " + x + " <> trunc(" + x + ", 6) THEN " + raise("ARITHMETIC_OVERFLOW", "22003", "A timestamp has microseconds at most.") + " ELSE " + x + " END"
				})}
			}
			return caster{l: l, mode: plan.CastLegacy, zone: "UTC"}.toTime(a[0], c.Args[0].Type(), types.Timestamp)
		},
		"timestamp_millis": func(_ *lowerer, _ *plan.Call, a []string) string { return "make_timestamptz(" + a[0] + " * 1000)" },
		"timestamp_micros": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.let(a[0], func(us string) string {
				return "CASE WHEN " + us + " = 9223372036854775807 THEN " + lastInstant + " ELSE make_timestamptz(" + us + ") END"
			})
		},
		"timestampadd": timestampAdd, "timestampdiff": timestampDiff,
		"make_ym_interval": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.orOverflow(a, func(a []string) string { return "(" + a[0] + " * 12 + " + a[1] + ")" })
		},
		"make_dt_interval": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.orOverflow(a, func(a []string) string {
				return "(" + cast(a[0], "BIGINT") + " * 86400000000 + " + cast(a[1], "BIGINT") + " * 3600000000 + " + cast(a[2], "BIGINT") + " * 60000000 + CAST(CAST(" + a[3] + " AS DECIMAL(38,6)) * 1000000 AS BIGINT))"
			})
		},
		"window_time": func(l *lowerer, _ *plan.Call, a []string) string {
			return "make_timestamptz(epoch_us(struct_extract(" + a[0] + ", 'end')) - 1)"
		},
	}
}

func extract(l *lowerer, c *plan.Call, a []string) string {
	name, _ := constText(c.Args[0])
	field := funcs.ExtractField(name)
	dt := l.duckType(c.Typ)
	if isNull(c.Args[0]) {
		return cast("NULL", dt)
	}
	switch c.Args[1].Type().(type) {
	case types.Time:
		switch field {
		case "HOUR":
			return cast("("+a[1]+" // 3600000000)", dt)
		case "MINUTE":
			return cast("("+a[1]+" // 60000000 % 60)", dt)
		}
		return cast("("+a[1]+" % 60000000 * 0.000001)", dt)
	case types.YearMonth:
		if field == "YEAR" {
			return cast("("+a[1]+" // 12)", dt)
		}
		return cast("("+a[1]+" % 12)", dt)
	case types.DayTime:
		switch field {
		case "DAY":
			return cast("("+a[1]+" // 86400000000)", dt)
		case "HOUR":
			return cast("("+a[1]+" // 3600000000 % 24)", dt)
		case "MINUTE":
			return cast("("+a[1]+" // 60000000 % 60)", dt)
		}
		return cast("("+cast(a[1]+" % 60000000", "DECIMAL(20,0)")+" * 0.000001)", dt)
	}
	if c.Args[1].Type() == types.Calendar {
		if field == "SECOND" {
			return cast("("+cast("datepart('microseconds', "+a[1]+")", "DECIMAL(20,0)")+" * 0.000001)", dt)
		}
		switch hours := "datepart('hour', " + a[1] + ")"; field { // 24 of them are a day here
		case "HOUR":
			return cast("("+hours+" % 24)", dt)
		case "DAY":
			return cast("(datepart('day', "+a[1]+") + "+hours+" // 24)", dt)
		}
		return cast("datepart('"+strings.ToLower(field)+"', "+a[1]+")", dt)
	}
	x := a[1]
	if c.Args[1].Type() == types.Timestamp {
		x = l.local(x, l.opt.TimeZone)
	}
	words := map[string]string{"YEAR": "year", "YEAROFWEEK": "isoyear", "QUARTER": "quarter", "MONTH": "month", "WEEK": "week", "DAY": "day",
		"DAYOFWEEK_ISO": "isodow", "DOY": "doy", "HOUR": "hour", "MINUTE": "minute"}
	switch field {
	case "DAYOFWEEK":
		return cast("(extract(dow FROM "+x+") + 1)", dt)
	case "SECOND":
		if c.Args[1].Type() == types.Date {
			x = cast(x, "TIMESTAMP")
		}
		return cast("("+cast("extract(microseconds FROM "+x+")", "DECIMAL(20,0)")+" * 0.000001)", dt)
	}
	if c.Args[1].Type() == types.Date && (field == "HOUR" || field == "MINUTE") {
		x = cast(x, "TIMESTAMP")
	}
	return cast("extract("+words[field]+" FROM "+x+")", dt)
}

// monthsBetween counts whole months where the days are equal or both the last
// of their month, else months of 31 days.
func monthsBetween(l *lowerer, c *plan.Call, a []string) string {
	zone := l.opt.TimeZone
	return l.let2(l.local(a[0], zone), l.local(a[1], zone), func(x, y string) string {
		months := "((extract(year FROM " + x + ") - extract(year FROM " + y + ")) * 12 + extract(month FROM " + x + ") - extract(month FROM " + y + "))"
		day := func(v string) string { return "extract(day FROM " + v + ")" }
		last := func(v string) string { return "last_day(" + cast(v, "DATE") + ") = " + cast(v, "DATE") }
		secs := func(v string) string {
			return "(" + day(v) + " * 86400 + extract(hour FROM " + v + ") * 3600 + extract(minute FROM " + v + ") * 60 + extract(second FROM " + v + "))"
		}
		frac := "(" + months + " + (" + secs(x) + " - " + secs(y) + ") / 2678400.0::DOUBLE)"
		return "CASE WHEN " + day(x) + " = " + day(y) + " OR (" + last(x) + " AND " + last(y) + ") THEN CAST(" + months + " AS DOUBLE) WHEN " +
			a[2] + " THEN round(" + frac + ", 8) WHEN NOT " + a[2] + " THEN " + frac + " END"
	})
}

// weekdays are the names that next_day takes, Monday first.
var weekdays = []string{"MON MO MONDAY", "TUE TU TUESDAY", "WED WE WEDNESDAY", "THU TH THURSDAY", "FRI FR FRIDAY", "SAT SA SATURDAY", "SUN SU SUNDAY"}

func nextDay(l *lowerer, c *plan.Call, a []string) string {
	var names strings.Builder
	for i, day := range weekdays {
		for n := range strings.FieldsSeq(day) {
			fmt.Fprintf(&names, " WHEN %s THEN %d", quote(n), i+1)
		}
	}
	return l.let2(a[0], a[1], func(x, name string) string {
		unknown := "NULL"
		if c.Raises {
			unknown = raiseValue("ILLEGAL_DAY_OF_WEEK", "22009", "There is no day of the week '", name, "'.")
		}
		day := "CASE upper(" + name + ")" + names.String() + " ELSE " + unknown + " END"
		next := "(" + x + " + CAST(7 - (extract(isodow FROM " + x + ") - " + day + " + 7) % 7 AS INTEGER))"
		return "CASE WHEN " + notNull([]string{x, name}) + " THEN " + next + " END"
	})
}

// truncUnits are the formats of trunc and, with the shorter ones, date_trunc.
var truncUnits = map[string]string{"YEAR": "year", "YYYY": "year", "YY": "year", "QUARTER": "quarter", "MONTH": "month", "MM": "month", "MON": "month", "WEEK": "week"}

var shortUnits = map[string]string{"DAY": "day", "DD": "day", "HOUR": "hour", "MINUTE": "minute", "SECOND": "second", "MILLISECOND": "millisecond", "MICROSECOND": "microsecond"}

func truncDate(l *lowerer, c *plan.Call, a []string) string {
	unit, ok := constText(c.Args[1])
	if isNull(c.Args[1]) {
		return cast("NULL", "DATE")
	}
	if !ok {
		return byUnit(a[1], truncUnits, func(text string) string {
			k := *c
			k.Args = []plan.Expr{c.Args[0], &plan.Literal{Value: text, Typ: types.String}}
			return truncDate(l, &k, a)
		})
	}
	u, ok := truncUnits[strings.ToUpper(unit)]
	if !ok {
		return cast("NULL", "DATE")
	}
	return cast("date_trunc('"+u+"', "+a[0]+")", "DATE")
}

// byUnit chooses among the units by what stands in a column.
func byUnit(unit string, units map[string]string, branch func(text string) string) string {
	var b strings.Builder
	for _, text := range slices.Sorted(maps.Keys(units)) {
		b.WriteString(" WHEN " + quote(text) + " THEN " + branch(text))
	}
	return "CASE upper(" + unit + ")" + b.String() + " END"
}

func dateTrunc(l *lowerer, c *plan.Call, a []string) string {
	unit, ok := constText(c.Args[0])
	if isNull(c.Args[0]) {
		return cast("NULL", instantType)
	}
	if !ok {
		units := maps.Clone(truncUnits)
		maps.Copy(units, shortUnits)
		return byUnit(a[0], units, func(text string) string {
			k := *c
			k.Args = []plan.Expr{&plan.Literal{Value: text, Typ: types.String}, c.Args[1]}
			return dateTrunc(l, &k, a)
		})
	}
	u, ok := truncUnits[strings.ToUpper(unit)]
	if !ok {
		if u, ok = shortUnits[strings.ToUpper(unit)]; !ok {
			return cast("NULL", instantType)
		}
	}
	if _, short := shortUnits[strings.ToUpper(unit)]; short && u != "day" && !isUTC(l.opt.TimeZone) {
		return l.onClock(a[1], func(w string) string { return "date_trunc('" + u + "', " + w + ")" })
	}
	return l.instant("date_trunc('"+u+"', "+l.local(a[1], l.opt.TimeZone)+")", l.opt.TimeZone)
}

// makeDate is NULL or an error for what no calendar has, whose years repeat
// after 400; a year that no DATE has raises in every mode.
func makeDate(l *lowerer, c *plan.Call, a []string) string {
	of := func(year, month, day string) string {
		return "make_date(" + cast(year, "BIGINT") + ", " + cast(month, "BIGINT") + ", " + cast(day, "BIGINT") + ")"
	}
	val := l.try(a, func(a []string) string { return of(a[0], a[1], a[2]) })
	if n, ok := constInt(c.Args[0]); ok && n > -5_000_000 && n < 5_000_000 {
		return orOutOfBounds(c, a, val)
	}
	missing := "NULL"
	if c.Raises {
		missing = outOfBounds()
	}
	exists := l.try(a, func(a []string) string { return of("2000 + "+a[0]+" % 400", a[1], a[2]) })
	return "CASE WHEN " + notNull(a) + " THEN coalesce(" + val + ", CASE WHEN " + a[0] + " BETWEEN -999999999 AND 999999999 AND " + exists + " IS NOT NULL THEN " +
		raise("ARITHMETIC_OVERFLOW", "22003", "The year is beyond those of a DATE.") + " ELSE " + missing + " END) END"
}

func orOutOfBounds(c *plan.Call, a []string, val string) string {
	if !c.Raises {
		return val
	}
	return "CASE WHEN " + notNull(a) + " THEN coalesce(" + val + ", " + outOfBounds() + ") END"
}

func outOfBounds() string {
	return raise("DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION", "22023", "A field of a date or time is out of its bounds.")
}

func makeTimestamp(l *lowerer, c *plan.Call, a []string) string {
	val := l.tryOf(c.Args, a[:6], func(a []string) string {
		us := cast(a[3], "BIGINT") + " * 3600000000 + " + cast(a[4], "BIGINT") + " * 60000000 + CAST(" + a[5] + " * 1000000 AS BIGINT)"
		fits := a[3] + " BETWEEN 0 AND 23 AND " + a[4] + " BETWEEN 0 AND 59 AND " + a[5] + " >= 0 AND " + a[5] + " <= 60"
		return "CASE WHEN " + fits + " THEN make_timestamp(epoch_us(CAST(make_date(CAST(" + strings.Join(a[:3], " AS BIGINT), CAST(") + " AS BIGINT)) AS TIMESTAMP)) + " + us + ") END"
	})
	if c.Raises {
		val = "CASE WHEN " + a[5] + " > 60 AND floor(" + a[5] + ") = 60 THEN " + raise("INVALID_FRACTION_OF_SECOND", "22023", "Seconds go from 0 to 60.") + " ELSE " + orOutOfBounds(c, a, val) + " END"
	}
	if c.Typ == types.TimestampNTZ {
		return val
	}
	if len(a) == 7 {
		if z, ok := constText(c.Args[6]); ok {
			if _, err := zones.LoadZone(z); err != nil { // Spark looks at the zone first
				return cast("CASE WHEN "+notNull(a[:6])+" THEN "+raise("INVALID_TIMEZONE", "22009", "There is no time zone '"+z+"'.")+" END", instantType)
			}
		}
		return l.zoned("local_to_instant", "TIMESTAMP", instantType, val, c.Args[6], a[6])
	}
	return l.instant(val, l.opt.TimeZone)
}

var unitStep = map[string]string{"WEEK": "604800000000", "DAY": "86400000000", "DAYOFYEAR": "86400000000", "HOUR": "3600000000", "MINUTE": "60000000",
	"SECOND": "1000000", "MILLISECOND": "1000", "MICROSECOND": "1"}

var monthStep = map[string]string{"YEAR": "12", "QUARTER": "3", "MONTH": "1"}

// timestampAdd adds calendar units on the wall clock and shorter ones in time.
func timestampAdd(l *lowerer, c *plan.Call, a []string) string {
	unit, _ := constText(c.Args[0])
	unit = strings.ToUpper(unit)
	val := l.try(a[1:], func(a []string) string { return l.addUnits(unit, c.Typ, a[0], a[1]) })
	return "CASE WHEN " + notNull(a[1:]) + " THEN coalesce(" + val + ", " + raise("DATETIME_OVERFLOW", "22008", "The sum is no timestamp any more.") + ") END"
}

func (l *lowerer) addUnits(unit string, t types.Type, n, x string) string {
	move, of := func(on func(w string) string) string { return l.onClock(x, on) }, "make_timestamptz"
	if t == types.TimestampNTZ {
		move, of = func(on func(w string) string) string { return on(x) }, "make_timestamp"
	}
	if m, ok := monthStep[unit]; ok {
		return move(func(w string) string { return "(" + w + " + to_months(CAST(" + n + " * " + m + " AS INTEGER)))" })
	}
	step := cast(n, "BIGINT") + " * " + unitStep[unit]
	if unit == "DAY" || unit == "WEEK" || unit == "DAYOFYEAR" {
		return move(func(w string) string { return "make_timestamp(epoch_us(" + w + ") + " + step + ")" })
	}
	return of + "(epoch_us(" + x + ") + " + step + ")"
}

// timestampDiff counts whole units between two wall times.
func timestampDiff(l *lowerer, c *plan.Call, a []string) string {
	unit, _ := constText(c.Args[0])
	unit = strings.ToUpper(unit)
	x, y := l.local(a[1], l.opt.TimeZone), l.local(a[2], l.opt.TimeZone)
	if m, ok := monthStep[unit]; ok {
		return "(" + l.wholeMonths(x, y) + " // " + m + ")"
	}
	return "((epoch_us(" + y + ") - epoch_us(" + x + ")) // " + unitStep[unit] + ")"
}

func zoneRules() map[string]rule {
	return map[string]rule{
		"to_date": parseTime(types.Date), "try_to_date": parseTime(types.Date), "to_timestamp": parseStamp, "try_to_timestamp": parseStamp,
		"to_timestamp_ltz": parseTime(types.Timestamp), "to_timestamp_ntz": parseTime(types.TimestampNTZ),
		"date_format": func(l *lowerer, c *plan.Call, a []string) string { return l.formatTime(a[0], c.Args[1], a[1]) },
		"from_unixtime": func(l *lowerer, c *plan.Call, a []string) string {
			us := "CAST(((" + cast(a[0], "HUGEINT") + " * 1000000 + 9223372036854775808) & 18446744073709551615) - 9223372036854775808 AS BIGINT)" // as a Long wraps
			return l.formatTime("make_timestamptz("+us+")", c.Args[1], a[1])
		},
		"unix_timestamp": unixTime, "to_unix_timestamp": unixTime,
		"from_utc_timestamp": shiftZone(true), "to_utc_timestamp": shiftZone(false),
		"convert_timezone": func(l *lowerer, c *plan.Call, a []string) string {
			at := l.zoned("local_to_instant", "TIMESTAMP", instantType, a[2], c.Args[0], a[0])
			return l.zoned("instant_to_local", instantType, "TIMESTAMP", at, c.Args[1], a[1])
		},
		"current_timezone": func(l *lowerer, _ *plan.Call, _ []string) string { return quote(l.opt.TimeZone) },
	}
}

// patternParams are the parameters of a kernel for a Java pattern, and the
// kernel's arguments: a pattern that is constant goes in as a parameter.
func (l *lowerer) patternParams(x, xType string, pattern plan.Expr, text string) (args, ts []string, params map[string]any) {
	args, ts, params = []string{x}, []string{xType}, map[string]any{"zone": l.opt.TimeZone}
	if strings.EqualFold(l.opt.TimeParser, "LEGACY") {
		params["legacy"] = true
	}
	if p, ok := constText(pattern); ok {
		params["pattern"] = p
		return args, ts, params
	}
	return append(args, text), append(ts, "VARCHAR"), params
}

// formatTime prints an instant by a Java pattern.
func (l *lowerer) formatTime(x string, pattern plan.Expr, text string) string {
	args, ts, params := l.patternParams(x, instantType, pattern, text)
	if len(args) == 1 {
		return l.call("date_format", args, ts, "VARCHAR", params)
	}
	return l.withPattern(x, text, false, func(x, p string) string {
		return l.call("date_format", []string{x, p}, ts, "VARCHAR", params)
	})
}

// withPattern is val where a pattern in a column is none that Java takes an
// error, told beside a value.
func (l *lowerer) withPattern(x, text string, parsing bool, val func(x, p string) string) string {
	if strings.EqualFold(l.opt.TimeParser, "LEGACY") {
		return val(x, text)
	}
	return l.let2(x, text, func(x, p string) string {
		why := l.call("pattern_error", []string{p}, []string{"VARCHAR"}, "VARCHAR", map[string]any{"parsing": parsing})
		return "CASE WHEN " + x + " IS NOT NULL AND " + why + " IS NOT NULL THEN error(" + quote(Marker) + " || " + why + ") ELSE " + val(x, p) + " END"
	})
}

// parsePattern reads a text by a Java pattern.
func (l *lowerer) parsePattern(x string, pattern plan.Expr, text string, to types.Type) string {
	dt := instantType
	if to == types.TimestampNTZ {
		dt = "TIMESTAMP"
	}
	args, ts, params := l.patternParams(x, "VARCHAR", pattern, text)
	params["ntz"] = to == types.TimestampNTZ
	val := ""
	if len(args) == 1 {
		val = l.call("parse_timestamp", args, ts, dt, params)
	} else {
		val = l.withPattern(x, text, true, func(x, p string) string { return l.call("parse_timestamp", []string{x, p}, ts, dt, params) })
	}
	if to == types.Date { // the day of the instant
		return cast(l.local(val, l.opt.TimeZone), "DATE")
	}
	return val
}

// orUnparsed is val, or an error where val is NULL but cond is not: the text x
// does not fit the pattern. Where the policy is EXCEPTION, a text that
// SimpleDateFormat would read raises in every mode.
func (l *lowerer) orUnparsed(k caster, x, cond, val string, pattern plan.Expr, text string) string {
	bad := cannotParse(x)
	if !strings.EqualFold(l.opt.TimeParser, "EXCEPTION") {
		return k.orRaise(cond, val, bad)
	}
	if k.try() {
		k.mode, bad = plan.CastANSI, "NULL"
	}
	args, ts, params := l.patternParams(x, "VARCHAR", pattern, text)
	params["legacy"] = true
	return k.orRaise(cond, val, "CASE WHEN "+l.call("parse_timestamp", args, ts, "TIMESTAMP", params)+" IS NOT NULL THEN "+
		raiseValue("INCONSISTENT_BEHAVIOR_CROSS_VERSION.PARSE_DATETIME_BY_NEW_PARSER", "42K0B", "The text '", x, "' fits the pattern only by the rules before Spark 3.")+
		" ELSE "+bad+" END")
}

// parseTime is to_date, to_timestamp and their kin: a cast without a pattern.
func parseTime(to types.Type) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		from := c.Args[0].Type()
		mode := plan.CastANSI
		if !c.Raises {
			mode = plan.CastTry
		}
		k := caster{l: l, mode: mode, zone: l.opt.TimeZone}
		if k, ok := l.constCast(&plan.Cast{X: c.Args[0], To: to}); ok && len(a) == 1 && types.IsString(from) {
			return l.expr(k)
		}
		if len(a) == 1 || !types.IsString(from) {
			return k.cast(a[0], from, to)
		}
		return l.let(a[0], func(x string) string {
			val := l.parsePattern(x, c.Args[1], a[1], to)
			cond := x
			if c.Args[1].Nullable() {
				cond = a[1] + " IS NOT NULL AND " + x
			}
			return l.orUnparsed(k, x, cond, val, c.Args[1], a[1])
		})
	}
}

// parseStamp is parseTime to what the session takes TIMESTAMP for.
func parseStamp(l *lowerer, c *plan.Call, a []string) string { return parseTime(c.Typ)(l, c, a) }

func cannotParse(x string) string {
	return raiseValue("CANNOT_PARSE_TIMESTAMP", "22007", "The text '", x, "' does not fit the pattern.")
}

func unixTime(l *lowerer, c *plan.Call, a []string) string {
	k := caster{l: l, mode: plan.CastANSI, zone: l.opt.TimeZone}
	if !c.Raises {
		k.mode = plan.CastTry
	}
	from := c.Args[0].Type()
	if !types.IsString(from) {
		return "(epoch_us(" + k.cast(a[0], from, types.Timestamp) + ") // 1000000)"
	}
	return l.let(a[0], func(x string) string {
		cond := x
		if c.Args[1].Nullable() {
			cond = a[1] + " IS NOT NULL AND " + x
		}
		return "(epoch_us(" + l.orUnparsed(k, x, cond, l.parsePattern(x, c.Args[1], a[1], types.Timestamp), c.Args[1], a[1]) + ") // 1000000)"
	})
}

// zoned calls a zone kernel with a constant zone or one per row.
func (l *lowerer) zoned(kind, from, to, x string, zone plan.Expr, text string) string {
	if z, ok := constText(zone); ok {
		if z == "" {
			return cast("CASE WHEN "+x+" IS NOT NULL THEN "+raise("INVALID_TIMEZONE", "22009", "There is no time zone ''.")+" END", to)
		}
		if _, err := zones.LoadZone(z); err != nil {
			return cast("CASE WHEN "+x+" IS NOT NULL THEN "+raise("INVALID_TIMEZONE", "22009", "There is no time zone '"+z+"'.")+" END", to)
		}
		if isUTC(z) && kind == "local_to_instant" {
			return "make_timestamptz(epoch_us(" + x + "))"
		}
		if isUTC(z) {
			return "make_timestamp(epoch_us(" + x + "))"
		}
		return l.call(kind, []string{x}, []string{from}, to, map[string]any{"zone": z})
	}
	return l.let2(x, text, func(v, z string) string { // the kernel has NULL for what is no zone
		return "CASE WHEN " + v + " IS NOT NULL AND " + z + " IS NOT NULL THEN coalesce(" + l.call(kind, []string{v, z}, []string{from, "VARCHAR"}, to, nil) + ", " +
			raiseValue("INVALID_TIMEZONE", "22009", "There is no time zone '", z, "'.") + ") END"
	})
}

// shiftZone moves a timestamp as if it were UTC wall time, or back.
func shiftZone(fromUTC bool) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		if fromUTC {
			return "make_timestamptz(epoch_us(" + l.zoned("instant_to_local", instantType, "TIMESTAMP", a[0], c.Args[1], a[1]) + "))"
		}
		wall := "make_timestamp(epoch_us(" + a[0] + "))"
		return l.zoned("local_to_instant", "TIMESTAMP", instantType, wall, c.Args[1], a[1])
	}
}

// wholeMonths counts the months from x to y, a month being full at the same
// day and time only.
func (l *lowerer) wholeMonths(x, y string) string {
	return l.let2(x, y, func(v, w string) string {
		months := "((extract(year FROM " + w + ") - extract(year FROM " + v + ")) * 12 + extract(month FROM " + w + ") - extract(month FROM " + v + "))"
		rest := func(t string) string {
			return "(extract(day FROM " + t + ") * 86400000000 + epoch_us(" + t + ") - epoch_us(date_trunc('day', " + t + ")))"
		}
		return "(CASE WHEN " + months + " > 0 AND " + rest(w) + " < " + rest(v) + " THEN " + months + " - 1 WHEN " + months + " < 0 AND " + rest(w) + " > " + rest(v) + " THEN " + months + " + 1 ELSE " + months + " END)"
	})
}

// shiftDate adds days as Spark's 32 bits do, which wrap.
func shiftDate(sign string) rule {
	return func(_ *lowerer, c *plan.Call, a []string) string {
		if n, ok := constInt(c.Args[1]); ok && n > -1<<24 && n < 1<<24 {
			return "(" + a[0] + " " + sign + " " + a[1] + ")"
		}
		days := "CAST(" + a[0] + " - DATE '1970-01-01' AS BIGINT) " + sign + " " + a[1]
		return "(DATE '1970-01-01' + CAST(((" + days + " + 2147483648) & 4294967295) - 2147483648 AS INTEGER))"
	}
}

// addMonths moves a date by months, and raises where none is left. DuckDB adds
// months within the years of a TIMESTAMP; whole cycles of 400 years are days.
func (l *lowerer) addMonths(sign string, months plan.Expr, a []string) string {
	val := l.try(a, func(a []string) string { return cast("("+a[0]+" "+sign+" to_months("+a[1]+"))", "DATE") })
	if n, ok := constInt(months); !ok || n < -1<<20 || n > 1<<20 {
		cycles := l.try(a, func(a []string) string {
			return "(CAST(" + a[0] + " " + sign + " to_months(" + a[1] + " % 4800) AS DATE) " + sign + " CAST(" + a[1] + " // 4800 * 146097 AS INTEGER))"
		})
		val = "coalesce(" + val + ", " + cycles + ")"
	}
	return "CASE WHEN " + notNull(a) + " THEN coalesce(" + val + ", " + raise("ARITHMETIC_OVERFLOW", "22003", "The sum is no date any more.") + ") END"
}

// orOverflow raises where an interval does not fit.
func (l *lowerer) orOverflow(a []string, val func(a []string) string) string {
	return "CASE WHEN " + notNull(a) + " THEN coalesce(" + l.try(a, val) + ", " +
		raise("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "22015", "The interval does not fit.") + ") END"
}
