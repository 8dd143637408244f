package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

const defaultPattern = "yyyy-MM-dd HH:mm:ss"

func timeDefs() []*Def {
	date, ts, num, str := types.Date, types.Timestamp, types.Int, types.String
	part := func(name, field string) *Def {
		return fn(name, num, "CAST(extract("+field+" FROM $1) AS INTEGER)", wDate())
	}
	hms := func(name string) *Def { return fn(name, num, "", wTs()).many().timeOr(name+" of time", 0) }
	days := func() want { return oneOf(types.Int, types.SmallInt, types.TinyInt) }
	return []*Def{
		fn("current_timestamp", ts, "").neverNull().shown(noArgs("current_timestamp")), fn("current_date", date, "").neverNull(),
		fn("now", ts, "").neverNull(), fn("localtimestamp", types.TimestampNTZ, "").neverNull(),
		part("year", "year"), part("quarter", "quarter"), part("month", "month"), part("day", "day"), part("dayofyear", "doy"),
		fn("dayofweek", num, "CAST(extract(dow FROM $1) + 1 AS INTEGER)", wDate()), fn("weekday", num, "CAST(extract(isodow FROM $1) - 1 AS INTEGER)", wDate()),
		part("weekofyear", "week"), hms("hour"), hms("minute"), hms("second"),
		fn("extract", types.Void, "", wStr(), wAny()).fitting(fitExtract).typed(extractType).nullable().shown(func(_ plan.Expr, a []string) string {
			return "extract(" + a[0] + " FROM " + a[1] + ")"
		}),
		fn("date_part", types.Void, "", wStr(), wAny()).fitting(fitExtract).typed(extractType).nullable(),
		fn("date_add", date, "", wDate(), days()).fitting(fitDateAdd), fn("date_sub", date, "", wDate(), days()).fitting(fitDateAdd),
		fn("datediff", num, "CAST(($1 - $2) AS INTEGER)", wDate(), wDate()), fn("add_months", date, "", wDate(), wInt()).always(),
		fn("months_between", types.Double, "", wTs(), wTs(), wBool()).optional(1).defaults(litBool(true)),
		fn("last_day", date, "last_day($1)", wDate()), fn("next_day", date, "", wDate(), wStr()).nullable().raising(),
		fn("trunc", date, "", wDate(), wStr()).nullable(), fn("date_trunc", ts, "", wStr(), wTs()).nullable(),
		fn("make_date", date, "", wInt(), wInt(), wInt()).nullable().raising(),
		fn("make_timestamp", ts, "", wInt(), wInt(), wInt(), wInt(), wInt(), exactly(types.Decimal{Precision: 16, Scale: 6}), wStr()).optional(1).nullable().raising().typed(sessionStamp).timeOr("timestamp of time", 1),
		makeInterval("make_interval").raising(), makeInterval("try_make_interval").atLeast(1),
		makeTS("make_timestamp_ltz", ts, 7).optional(1).raising().timeOr("timestamp of time", 1), makeTS("try_make_timestamp_ltz", ts, 7).optional(1).timeOr("timestamp of time", 1), makeTS("try_make_timestamp", ts, 7).optional(1).timeOr("try timestamp of time", 1).shown(func(_ plan.Expr, a []string) string {
			return "try_make_timestamp(" + strings.Join(a[:min(6, len(a))], ", ") + ")"
		}),
		makeTS("make_timestamp_ntz", types.TimestampNTZ, 6).raising().timeOr("timestamp_ntz of time", 1), makeTS("try_make_timestamp_ntz", types.TimestampNTZ, 6).timeOr("try timestamp_ntz of time", 1),
		fn("unix_date", num, "CAST(($1 - DATE '1970-01-01') AS INTEGER)", only(types.Date)),
		fn("date_from_unix_date", date, "(DATE '1970-01-01' + $1)", wInt()),
		fn("unix_seconds", types.BigInt, "CAST(floor_div(epoch_us($1), 1000000) AS BIGINT)", only(types.Timestamp)), fn("unix_millis", types.BigInt, "", only(types.Timestamp)), fn("unix_micros", types.BigInt, "epoch_us($1)", only(types.Timestamp)),
		fn("timestamp_seconds", ts, "", kindOf(`"NUMERIC"`, types.IsNumeric, types.BigInt, nil)).always(),
		fn("timestamp_millis", ts, "", kindOf(`"INTEGRAL"`, types.IsIntegral, types.BigInt, nil)).fitting(fitBigOnly).always(),
		fn("timestamp_micros", ts, "", kindOf(`"INTEGRAL"`, types.IsIntegral, types.BigInt, nil)).fitting(fitBigOnly),
		timeAdd("timestampadd"), timeDiff("timestampdiff"),
		fn("make_ym_interval", types.YearMonth{From: types.Year, To: types.Month}, "", wInt(), wInt()).optional(2).defaults(litInt(0), litInt(0)).always(),
		fn("make_dt_interval", types.DayTime{From: types.Day, To: types.Second}, "", wInt(), wInt(), wInt(), exactly(types.Decimal{Precision: 18, Scale: 6})).
			optional(4).defaults(litInt(0), litInt(0), litInt(0), &plan.Literal{Value: zeroBig(), Typ: types.Decimal{Precision: 18, Scale: 6}}).always(),
		fn("dayname", str, "left(dayname($1), 3)", wDate()), fn("monthname", str, "left(monthname($1), 3)", wDate()),
		fn("window_time", ts, "", wAny()).fitting(fitWindowTime),
	}
}

// makeInterval is make_interval(years, months, weeks, days, hours, mins, secs).
func makeInterval(name string) *Def {
	secs := types.Decimal{Precision: 18, Scale: 6}
	d := fn(name, types.Calendar, "", wInt(), wInt(), wInt(), wInt(), wInt(), wInt(), exactly(secs)).optional(7)
	zero := litInt(0)
	return d.defaults(zero, zero, zero, zero, zero, zero, &plan.Literal{Value: zeroBig(), Typ: secs}).nullable()
}

// makeTS is a variant of make_timestamp of so many arguments.
func makeTS(name string, t types.Type, n int) *Def {
	w := []want{wInt(), wInt(), wInt(), wInt(), wInt(), exactly(types.Decimal{Precision: 16, Scale: 6}), wStr()}
	return fn(name, t, "", w[:n]...).nullable()
}

func noArgs(name string) func(plan.Expr, []string) string {
	return func(plan.Expr, []string) string { return name + "()" }
}

func fitBigOnly(c *call) error {
	t := unChar(c.args[0].Type())
	if !types.IsIntegral(t) && t != types.Void {
		return unexpected(c, 0, `"INTEGRAL"`)
	}
	c.args[0] = CastTo(c.args[0], types.BigInt, c.ctx)
	return nil
}

// fitDateAdd: the days are an INT or smaller; only a literal text passes.
func fitDateAdd(c *call) error {
	if err := c.fitOne(0, wDate()); err != nil {
		return err
	}
	if types.IsString(c.args[1].Type()) && !c.fromOperator {
		switch {
		case c.ctx.ANSI:
			c.args[1] = CastTo(c.args[1], types.Int, c.ctx)
		case IsFoldable(c.args[1]):
			if text, ok := constText(c.args[1]); ok {
				if _, ok := cast.Int([]byte(text), 32, false); !ok {
					return errf(c.ctx, "SECOND_FUNCTION_ARGUMENT_NOT_INTEGER", "22023", "The second argument of %s is the text %q, which is no integer.", c.d.Name, text)
				}
			}
			c.args[1] = CastTo(c.args[1], types.Int, c.ctx)
		}
	}
	t := unChar(c.args[1].Type())
	switch t {
	case types.Int, types.SmallInt, types.TinyInt, types.Void:
		c.args[1] = CastTo(c.args[1], types.Int, c.ctx)
		return nil
	}
	return unexpected(c, 1, `("INT" or "SMALLINT" or "TINYINT")`)
}

func fitWindowTime(c *call) error {
	s, ok := c.args[0].Type().(types.Struct)
	if !ok || len(s.Fields) != 2 || s.Fields[1].Name != "end" {
		return mismatch(c.ctx, "UNEXPECTED_INPUT_TYPE", "window_time takes a window column, not %s.", quoteType(c.args[0].Type()))
	}
	return nil
}

// ExtractField is the canonical name of an EXTRACT field, "" for an unknown one.
func ExtractField(name string) string {
	switch strings.ToUpper(name) {
	case "YEAR", "Y", "YEARS", "YR", "YRS":
		return "YEAR"
	case "YEAROFWEEK":
		return "YEAROFWEEK"
	case "QUARTER", "QTR":
		return "QUARTER"
	case "MONTH", "MON", "MONS", "MONTHS":
		return "MONTH"
	case "WEEK", "W", "WEEKS":
		return "WEEK"
	case "DAY", "D", "DAYS":
		return "DAY"
	case "DAYOFWEEK", "DOW":
		return "DAYOFWEEK"
	case "DAYOFWEEK_ISO", "DOW_ISO":
		return "DAYOFWEEK_ISO"
	case "DOY":
		return "DOY"
	case "HOUR", "H", "HOURS", "HR", "HRS":
		return "HOUR"
	case "MINUTE", "M", "MIN", "MINS", "MINUTES":
		return "MINUTE"
	case "SECOND", "S", "SEC", "SECONDS", "SECS":
		return "SECOND"
	}
	return ""
}

func fitExtract(c *call) error {
	if l, ok := Eval(c.args[0]); ok && l.Value == nil {
		return nil
	}
	name, ok := constText(c.args[0])
	if !ok {
		return errf(c.ctx, "NON_FOLDABLE_ARGUMENT", "42K08", "The field of %s must be a constant.", quoteName(c.d.Name))
	}
	f := ExtractField(name)
	t := unChar(c.args[1].Type())
	_, ym := t.(types.YearMonth)
	_, dt := t.(types.DayTime)
	_, clock := t.(types.Time)
	outside := false // the interval has no such field
	if x, ok := t.(types.YearMonth); ok {
		outside = f == "YEAR" && x.From != types.Year || f == "MONTH" && x.To != types.Month
	}
	if x, ok := t.(types.DayTime); ok {
		unit := map[string]types.Unit{"DAY": types.Day, "HOUR": types.Hour, "MINUTE": types.Minute, "SECOND": types.Second}[f]
		outside = unit < x.From || unit > x.To
	}
	dt = dt || t == types.Calendar && f != "YEAR" && f != "MONTH"
	bad := f == "" || outside || clock && f != "HOUR" && f != "MINUTE" && f != "SECOND" || ym && f != "YEAR" && f != "MONTH" ||
		dt && f != "DAY" && f != "HOUR" && f != "MINUTE" && f != "SECOND"
	if bad {
		return errf(c.ctx, "INVALID_EXTRACT_FIELD", "42601", "The field %q cannot be extracted from %s.", name, quoteType(t))
	}
	if clock {
		return timeOff(c.ctx, t)
	}
	if ym || dt || t == types.Calendar || t == types.Date || t == types.Timestamp || t == types.TimestampNTZ {
		return nil
	}
	return c.fitOne(1, wTs())
}

func extractType(c *call) types.Type {
	name, ok := constText(c.args[0])
	if !ok {
		return types.Double
	}
	f := ExtractField(name)
	if c.args[1].Type() == types.Calendar {
		switch f {
		case "YEAR", "DAY":
			return types.Int
		case "SECOND":
			return types.Decimal{Precision: 8, Scale: 6}
		}
		return types.TinyInt
	}
	switch c.args[1].Type().(type) {
	case types.YearMonth:
		if f == "YEAR" {
			return types.Int
		}
		return types.TinyInt
	case types.DayTime:
		switch f {
		case "DAY":
			return types.Int
		case "SECOND":
			return types.Decimal{Precision: 8, Scale: 6}
		}
		return types.TinyInt
	}
	if f == "SECOND" {
		return types.Decimal{Precision: 8, Scale: 6}
	}
	return types.Int
}

var unitNames = map[string]bool{"YEAR": true, "QUARTER": true, "MONTH": true, "WEEK": true, "DAY": true, "DAYOFYEAR": true,
	"HOUR": true, "MINUTE": true, "SECOND": true, "MILLISECOND": true, "MICROSECOND": true}

func checkUnit(c *call) error {
	u, ok := constText(c.args[0])
	if !ok || !unitNames[strings.ToUpper(u)] {
		return errf(c.ctx, "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "22023", "The unit of %s is not one of YEAR to MICROSECOND.", quoteName(c.d.Name))
	}
	return nil
}

// checkDiffUnit: there is no difference in DAYOFYEAR.
func checkDiffUnit(c *call) error {
	if u, _ := constText(c.args[0]); strings.EqualFold(u, "DAYOFYEAR") {
		return errf(c.ctx, "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "22023", "Times differ by DAY, not by DAYOFYEAR.")
	}
	return checkUnit(c)
}

func timeAdd(name string) *Def {
	d := fn(name, types.Timestamp, "", wStr(), wBig(), wTs()).always().checked(checkUnit).typed(argType(2))
	d.fit = func(c *call) error {
		if err := c.fitOne(1, wBig()); err != nil {
			return err
		}
		if c.args[2].Type() != types.TimestampNTZ {
			return c.fitOne(2, wTs())
		}
		return nil
	}
	return d
}

func timeDiff(name string) *Def {
	return fn(name, types.BigInt, "", wStr(), wTs(), wTs()).checked(checkDiffUnit)
}

func zoneDefs() []*Def {
	ts, ntz, str, date := types.Timestamp, types.TimestampNTZ, types.String, types.Date
	return []*Def{
		fn("to_date", date, "", wAny(), wStr()).optional(1).fitting(fitToDate).withNull(func(c *call) bool { return anyNullable(c.args) || !c.ctx.ANSI }).withRaises(parseRaises),
		fn("try_to_date", date, "", wAny(), wStr()).optional(1).fitting(fitToDate).nullable(),
		fn("to_timestamp", ts, "", wAny(), wStr()).optional(1).fitting(fitToSession).typed(sessionStamp).withNull(func(c *call) bool { return anyNullable(c.args) || !c.ctx.ANSI }).withRaises(parseRaises),
		fn("try_to_timestamp", ts, "", wAny(), wStr()).optional(1).fitting(fitToSession).typed(sessionStamp).nullable(),
		fn("to_timestamp_ntz", ntz, "", wAny(), wStr()).optional(1).fitting(fitToTs(ntz)).withNull(func(c *call) bool { return anyNullable(c.args) || !c.ctx.ANSI }).withRaises(parseRaises),
		fn("to_timestamp_ltz", ts, "", wAny(), wStr()).optional(1).fitting(fitToTs(ts)).withNull(func(c *call) bool { return anyNullable(c.args) || !c.ctx.ANSI }).withRaises(parseRaises),
		fn("date_format", str, "", wTs(), wStr()).always(),
		fn("unix_timestamp", types.BigInt, "", wAny(), wStr()).optional(2).fitting(fitUnixTime).withRaises(parseRaises).withNull(func(c *call) bool { return anyNullable(c.args) || !c.ctx.ANSI }),
		fn("to_unix_timestamp", types.BigInt, "", wAny(), wStr()).optional(1).fitting(fitUnixTime).withRaises(parseRaises).withNull(func(c *call) bool { return anyNullable(c.args) || !c.ctx.ANSI }),
		fn("from_unixtime", str, "", wBig(), wStr()).optional(1).defaults(litStr(defaultPattern)).always(),
		fn("from_utc_timestamp", ts, "", wTs(), wStr()).always(), fn("to_utc_timestamp", ts, "", wTs(), wStr()).always(),
		fn("convert_timezone", ntz, "", wStr(), wStr(), exactly(ntz)).optional(1).fitting(fitConvertZone).always(),
		fn("current_timezone", str, "").neverNull(),
	}
}

func (d *Def) withRaises(f func(c *call) bool) *Def { d.raises = f; return d }

// parseRaises: only parsing a text can fail.
func parseRaises(c *call) bool {
	return len(c.args) > 0 && (types.IsString(c.args[0].Type()) || types.IsFloating(c.args[0].Type())) && c.ctx.ANSI
}

// fitToDate is to_date(x[, pattern]): without a pattern a cast.
func fitToDate(c *call) error { return fitToTs(types.Date)(c) }

func fitToTs(to types.Type) func(c *call) error {
	return func(c *call) error {
		t := unChar(c.args[0].Type())
		if asText := to != types.Timestamp || !types.IsNumeric(t); asText && (atomic(t) || t == types.Variant) && !types.IsString(t) && !isTime(t) {
			c.args[0] = CastTo(c.args[0], types.String, c.ctx)
			t = types.String
		}
		ok := types.IsString(t) || isTime(t) || t == types.Void || to == types.Timestamp && types.IsNumeric(t) && len(c.args) == 1
		if !ok {
			return unexpected(c, 0, `("STRING" or "DATE" or "TIMESTAMP" or "TIMESTAMP_NTZ")`)
		}
		if t == types.Void {
			c.args[0] = CastTo(c.args[0], to, c.ctx)
		}
		if len(c.args) == 2 {
			return c.fitOne(1, wStr())
		}
		return nil
	}
}

// sessionStamp is what the session takes TIMESTAMP for.
func sessionStamp(c *call) types.Type { return Stamp(c.ctx.Conf) }

// Stamp is the type that TIMESTAMP means in a session of this configuration.
func Stamp(conf map[string]string) types.Type {
	if strings.EqualFold(conf["spark.sql.timestampType"], "TIMESTAMP_NTZ") {
		return types.TimestampNTZ
	}
	return types.Timestamp
}

// Stamped is a type as it was written, with what TIMESTAMP means in its place.
func Stamped(t types.Type, conf map[string]string) types.Type {
	stamp := Stamp(conf)
	if stamp == types.Timestamp {
		return t
	}
	return types.Replace(t, func(t types.Type) types.Type {
		if t == types.Timestamp {
			return stamp
		}
		return t
	})
}

func fitToSession(c *call) error { return fitToTs(sessionStamp(c))(c) }

func fitUnixTime(c *call) error {
	if len(c.args) == 0 {
		c.args = append(c.args, &plan.Call{Fn: "current_timestamp", Typ: types.Timestamp})
	}
	if len(c.args) == 1 {
		c.args = append(c.args, litStr(defaultPattern))
	}
	t := unChar(c.args[0].Type())
	if !types.IsString(t) && !isTime(t) && t != types.Void {
		return unexpected(c, 0, `("STRING" or "DATE" or "TIMESTAMP" or "TIMESTAMP_NTZ")`)
	}
	if t == types.Void {
		c.args[0] = CastTo(c.args[0], types.String, c.ctx)
	}
	return c.fitOne(1, only(types.String))
}

func fitConvertZone(c *call) error {
	if len(c.args) == 2 {
		c.args = append([]plan.Expr{&plan.Call{Fn: "current_timezone", Typ: types.String}}, c.args...)
	}
	for i, w := range []want{wStr(), wStr(), exactly(types.TimestampNTZ)} {
		if err := c.fitOne(i, w); err != nil {
			return err
		}
	}
	return nil
}
