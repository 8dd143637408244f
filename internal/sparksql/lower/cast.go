package lower

import (
	"fmt"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// caster casts one value between two types in one mode.
type caster struct {
	l    *lowerer
	mode plan.CastMode
	zone string
}

func (l *lowerer) cast(e *plan.Cast) string {
	if c, ok := e.X.(*plan.Call); ok && e.To == types.Double && keepsDigits(c) {
		d := *c
		d.Typ, d.Args = types.Double, []plan.Expr{&plan.Cast{X: c.Args[0], To: types.Double, Mode: e.Mode, Null: e.Null}}
		return l.scalar(&d) // a 39th digit does not matter there
	}
	if c, ok := l.constCast(e); ok {
		return l.literal(c)
	}
	k := caster{l: l, mode: e.Mode, zone: e.TimeZone}
	if k.zone == "" {
		k.zone = l.opt.TimeZone
	}
	if e.Store != "" {
		return k.store(stored(l.expr(e.X), e.Store), e)
	}
	return k.cast(l.expr(e.X), e.X.Type(), e.To)
}

// store is a cast to a column that the value is written to: what does not fit
// raises e.Store.
func (k caster) store(x string, e *plan.Cast) string {
	if types.IsFloating(e.To) {
		return k.cast(x, e.X.Type(), e.To)
	}
	k.mode = plan.CastTry
	return k.l.let(x, func(v string) string {
		some := v + " IS NOT NULL"
		if _, dec := isDecimal(e.To); dec && types.IsFloating(e.X.Type()) {
			some += " AND isfinite(" + v + ")" // NaN is stored as NULL
		}
		what := raiseValue(e.Store, "22003", "The value ", v, fmt.Sprintf(" of the type \"%s\" does not fit into a column of type \"%s\".", e.X.Type().SQL(), e.To.SQL()))
		return "CASE WHEN " + some + " THEN coalesce(" + k.cast(v, e.X.Type(), e.To) + ", " + what + ") END"
	})
}

// stored gives the arithmetic errors in a text of SQL the class of a value that
// does not fit the column it is written to.
func stored(sql, class string) string {
	for _, c := range []string{
		"ARITHMETIC_OVERFLOW", "BINARY_ARITHMETIC_OVERFLOW", "CAST_OVERFLOW", "DIVIDE_BY_ZERO", "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
		"NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION", "REMAINDER_BY_ZERO",
	} {
		sql = strings.ReplaceAll(sql, Marker+"["+c+"]", Marker+"["+class+"]")
	}
	return strings.ReplaceAll(sql, " SQLSTATE: 22012", " SQLSTATE: 22003")
}

func (k caster) try() bool { return k.mode != plan.CastANSI }

func (k caster) cast(x string, from, to types.Type) string {
	ft, tt := k.l.duckType(from), k.l.duckType(to)
	switch {
	case from == types.Void && strings.Contains(x, errorCall):
		return "CASE WHEN " + x + " IS NULL THEN " + cast("NULL", tt) + " END"
	case from == types.Void:
		return cast("NULL", tt)
	case types.Equal(from, to), types.IsString(from) && types.IsString(to):
		return x
	case to == types.Decimal{}:
		return k.digitless(x, from, tt)
	case to == types.Variant:
		return k.l.toVariant(x, from)
	case from == types.Variant:
		return k.fromVariant(x, to)
	case types.IsString(to):
		return k.text(x, from)
	case types.IsSpatial(to):
		return x // the value keeps what it is in
	}
	if t, ok := from.(types.Time); ok {
		return k.fromTime(x, t, to)
	}
	switch f := from.(type) {
	case types.Array:
		if t, ok := to.(types.Array); ok {
			return k.array(x, f, t, ft == tt)
		}
	case types.Map:
		if t, ok := to.(types.Map); ok {
			return k.mapping(x, f, t, ft == tt)
		}
	case types.Struct:
		if t, ok := to.(types.Struct); ok {
			return k.structure(x, f, t, ft == tt)
		}
	}
	switch {
	case to == types.Binary && types.IsIntegral(from):
		digits := map[types.Type]string{types.TinyInt: "2", types.SmallInt: "4", types.Int: "8", types.BigInt: "16"}[from]
		return "unhex(right(lpad(hex(" + cast(x, "BIGINT") + "), 16, '0'), " + digits + "))"
	case types.IsString(from):
		return k.parse(x, to, tt)
	case to == types.Boolean && from == types.Date:
		return cast("NULL", tt) // without ANSI only, as for every number
	case to == types.Boolean:
		x = k.toNumber(x, from)
		if exact(from) && strings.HasSuffix(x, ")") {
			x = unmovable(x)
		}
		return "(" + x + " <> 0)"
	case isTime(to) && isTime(from):
		return k.toTime(x, from, to)
	case isTime(to):
		return k.toTime(x, from, to)
	case types.IsNumeric(to) && !isTime(from) && !isInterval(from):
		return k.number(x, from, to)
	case types.IsNumeric(to):
		if isInterval(from) && k.mode != plan.CastTry {
			k.mode = plan.CastANSI // raises in every mode
			return k.l.let(x, func(v string) string {
				over := castOverflow(v, from, to)
				if _, dec := isDecimal(to); dec {
					over = decimalOverflow(k.text(v, from), to)
				}
				return "CASE WHEN " + v + " IS NOT NULL THEN coalesce(" + k.l.try([]string{v}, func(a []string) string { return k.number(a[0], from, to) }) + ", " + over + ") END"
			})
		}
		if k.try() {
			k.mode = plan.CastTry // a time wraps around in no mode
		}
		return k.safe(x, func(v string) string { return k.number(v, from, to) })
	}
	if isInterval(from) || k.mode == plan.CastTry {
		return k.safe(x, func(v string) string { return k.interval(v, from, to) })
	}
	return k.l.let(x, func(v string) string { // numbers raise in every mode
		return "CASE WHEN " + v + " IS NOT NULL THEN coalesce(" + k.l.try([]string{v}, func(a []string) string { return k.interval(a[0], from, to) }) + ", " + castOverflow(v, from, to) + ") END"
	})
}

// digitless casts to DECIMAL(0,0), which takes the integer 0 only.
func (k caster) digitless(x string, from types.Type, tt string) string {
	return k.l.let(x, func(v string) string {
		zero := "CASE "
		if types.IsIntegral(from) {
			zero += "WHEN " + v + " = 0 THEN " + cast("0", tt) + " "
		}
		over := cast("NULL", tt)
		if !k.try() {
			over = raise("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", "The value does not fit into DECIMAL(0,0).")
		}
		return zero + "WHEN " + v + " IS NOT NULL THEN " + over + " END"
	})
}

// safe keeps DuckDB's own errors of a cast away in the modes that give NULL.
func (k caster) safe(x string, val func(v string) string) string {
	if !k.try() {
		return val(x)
	}
	return k.l.try([]string{x}, func(a []string) string { return val(a[0]) })
}

func isTime(t types.Type) bool {
	return t == types.Date || t == types.Timestamp || t == types.TimestampNTZ
}

// toNumber lets times stand where a number is asked for.
func (k caster) toNumber(x string, from types.Type) string {
	switch from {
	case types.Timestamp, types.TimestampNTZ:
		return "epoch_us(" + x + ")"
	}
	return x
}

func (k caster) array(x string, f, t types.Array, same bool) string {
	if same && types.Equal(f.Elem, t.Elem) {
		return x
	}
	v := k.l.fresh("e")
	return "list_transform(" + x + ", lambda " + v + ": " + k.cast(v, f.Elem, t.Elem) + ")"
}

func (k caster) mapping(x string, f, t types.Map, same bool) string {
	if same {
		return x
	}
	v := k.l.fresh("e")
	return "map_from_entries(list_transform(map_entries(" + x + "), lambda " + v + ": {'key': " + k.cast(v+".key", f.Key, t.Key) +
		", 'value': " + k.cast(v+".value", f.Value, t.Value) + "}))"
}

// structure casts by position.
func (k caster) structure(x string, f, t types.Struct, same bool) string {
	if same {
		return x
	}
	return k.l.let(x, func(v string) string {
		parts, from, names := make([]string, len(f.Fields)), fieldNames(f), fieldNames(t)
		for i, fd := range f.Fields {
			parts[i] = quote(names[i]) + ": " + k.cast("struct_extract("+v+", "+quote(from[i])+")", fd.Type, t.Fields[i].Type)
		}
		return "CASE WHEN " + v + " IS NOT NULL THEN {" + strings.Join(parts, ", ") + "} END"
	})
}

// orRaise is val, or raise where val is NULL but x is not; in the other modes
// it is val.
func (k caster) orRaise(x, val, raise string) string {
	if k.try() {
		return val
	}
	return "CASE WHEN " + x + " IS NOT NULL THEN coalesce(" + val + ", " + raise + ") END"
}

func badInput(x string, from, to types.Type) string {
	return raiseValue("CAST_INVALID_INPUT", "22018", "The value '", x,
		fmt.Sprintf(`' of the type "%s" cannot be cast to "%s" because it is malformed.`, from.SQL(), to.SQL()))
}

func castOverflow(x string, from, to types.Type) string {
	return raiseValue("CAST_OVERFLOW", "22003", "The value ", x,
		fmt.Sprintf(` of the type "%s" cannot be cast to "%s" due to an overflow.`, from.SQL(), to.SQL()))
}

func decimalOverflow(x string, to types.Type) string {
	return raiseValue("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", "", x, " cannot be represented as "+to.String()+".")
}

// decimalForm is the form of a text that is a number for DECIMAL.
const decimalForm = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"

// badText raises for a text that has no value of the type.
func (k caster) badText(v string, to types.Type) string {
	bad := badInput(v, types.String, to)
	switch t := to.(type) {
	case types.Decimal:
		number := "regexp_full_match(trim(" + v + "), " + quote(decimalForm) + ")"
		n := "abs(" + k.l.call("string_to_double", []string{v}, []string{"VARCHAR"}, "DOUBLE", nil) + ")"
		tooLarge := raise("NUMERIC_OUT_OF_SUPPORTED_RANGE", "22003", "The number has more than 38 digits.")
		return "CASE WHEN NOT " + number + " THEN " + bad + " WHEN " + n + " > 1e38 OR " + n + " = 1e38 AND NOT regexp_full_match(trim(" + v + "), '[+-]?9{38}([.][0-9]*)?') THEN " + tooLarge + " ELSE " + decimalOverflow(v, t) + " END"
	case types.YearMonth:
		fields := "[0-9]+"
		if t.From != t.To {
			fields = "[0-9]+-[0-9]+"
		}
		return badInterval(v, t, fields, "")
	case types.DayTime:
		fields := ""
		if t.From == types.Second {
			fields = "[0-9]{1,13}([.][0-9]{1,9})?"
		}
		return badInterval(v, t, fields, "_WITH_NOTICE")
	}
	return bad
}

// badInterval raises for a text that is no interval: another class where it
// has the type's form, which fields is, and only its fields are too large.
func badInterval(v string, t types.Type, fields, notice string) string {
	bad := raise("INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING"+notice, "22006", "The text is no "+t.SQL()+".")
	if fields == "" {
		return bad
	}
	words := strings.TrimPrefix(t.SQL(), "INTERVAL ")
	form := "(?i)[+-]?" + fields + "|INTERVAL\\s+[+-]?'[+-]?" + fields + "'\\s+" + strings.ReplaceAll(words, " ", "\\s+")
	return "CASE WHEN regexp_full_match(trim(" + v + "), " + quote(form) + ") THEN " +
		raise("INVALID_INTERVAL_FORMAT.INTERVAL_PARSING", "22006", "The fields of the text are out of range for "+t.SQL()+".") + " ELSE " + bad + " END"
}

// parse casts a text.
func (k caster) parse(x string, to types.Type, tt string) string {
	if to == types.Binary {
		return "encode(" + x + ")"
	}
	var params any
	var kind string
	switch t := to.(type) {
	case types.Decimal:
		kind = "string_to_decimal"
	case types.Primitive:
		if t == types.Calendar { // what is malformed is NULL in every mode
			return k.l.call("string_to_calendar", []string{x}, []string{"VARCHAR"}, tt, nil)
		}
		kind = "string_to_" + t.String()
		if t == types.Timestamp {
			params = map[string]any{"zone": k.zone}
		}
		if k.mode == plan.CastLegacy && types.IsIntegral(t) {
			params = map[string]any{"legacy": true}
		}
	case types.Time:
		kind = "string_to_time"
	case types.YearMonth, types.DayTime:
		kind, params = "string_to_interval", map[string]any{"type": to.String()}
		if k.mode == plan.CastLegacy {
			k.mode = plan.CastANSI // raises in every mode
		}
	}
	return k.l.let(x, func(v string) string {
		val := k.l.call(kind, []string{v}, []string{"VARCHAR"}, tt, params)
		if isInterval(to) && k.mode == plan.CastLegacy {
			return caster{l: k.l, mode: plan.CastANSI}.orRaise(v, val, k.badText(v, to)) // raises in every mode
		}
		return k.orRaise(v, val, k.badText(v, to))
	})
}

var intLimits = map[types.Type][2]string{
	types.TinyInt: {"-128", "127"}, types.SmallInt: {"-32768", "32767"}, types.Int: {"-2147483648", "2147483647"},
	types.BigInt: {"-9223372036854775808", "9223372036854775807"},
}

var intBits = map[types.Type]string{types.TinyInt: "256", types.SmallInt: "65536", types.Int: "4294967296"}

// number casts to an integer, floating or decimal type.
func (k caster) number(x string, from, to types.Type) string {
	tt := k.l.duckType(to)
	_, toDec := isDecimal(to)
	_, fromDec := isDecimal(from)
	switch {
	case from == types.Boolean && toDec:
		return k.number(cast(x, "INTEGER"), types.Int, to)
	case from == types.Boolean && types.IsFloating(to):
		return cast(cast(x, "INTEGER"), tt)
	case from == types.Boolean:
		return cast(x, tt)
	case isTime(from):
		return k.timeToNumber(x, from, to)
	case isInterval(from):
		return k.intervalToNumber(x, from, to)
	case from == types.Double && to == types.Float:
		return k.l.let(x, func(v string) string { // what FLOAT cannot hold is infinite
			return "CASE WHEN isfinite(" + v + ") AND abs(" + v + ") >= 3.4028235677973366e38 THEN sign(" + v + ") * CAST('Infinity' AS FLOAT) ELSE " + cast(v, tt) + " END"
		})
	case types.IsFloating(to):
		return cast(x, tt)
	case toDec && types.IsFloating(from):
		return k.floatToDecimal(x, from, to)
	case toDec:
		if k.try() {
			return "TRY_CAST(" + x + " AS " + tt + ")"
		}
		return cast(x, tt)
	case types.IsFloating(from):
		return k.floatToInt(x, from, to)
	case fromDec:
		if k.mode == plan.CastLegacy {
			return k.narrow(k.l.wholeLow(x, "1", from), types.BigInt, to)
		}
		return k.narrow("trunc("+x+")", from, to)
	}
	return k.narrow(x, from, to)
}

// narrow casts an integral value to a smaller type.
func (k caster) narrow(x string, from, to types.Type) string {
	tt := k.l.duckType(to)
	switch {
	case k.mode == plan.CastTry:
		return "TRY_CAST(" + x + " AS " + tt + ")"
	case k.mode == plan.CastLegacy && widens(from, to):
		return cast(x, tt)
	case k.mode == plan.CastLegacy:
		n := intBits[to]
		h := cast(x, "HUGEINT")
		half := cast(n, "HUGEINT") + " // 2"
		return cast("((("+h+" + "+half+") % "+n+" + "+n+") % "+n+" - "+half+")", tt)
	}
	return cast(x, tt)
}

func widens(from, to types.Type) bool {
	f, ok1 := from.(types.Primitive)
	t, ok2 := to.(types.Primitive)
	return ok1 && ok2 && f <= t
}

// floatToInt cuts the fraction; what does not fit raises, or saturates without
// ANSI.
func (k caster) floatToInt(x string, from, to types.Type) string {
	if k.mode == plan.CastLegacy && (to == types.TinyInt || to == types.SmallInt) {
		return k.narrow(k.floatToInt(x, from, types.Int), types.Int, to)
	}
	tt, lim := k.l.duckType(to), intLimits[to]
	return k.l.let(x, func(v string) string {
		d := cast(v, "DOUBLE")
		in := "trunc(" + d + ") >= " + lim[0] + " AND trunc(" + d + ") <= " + lim[1]
		val := "WHEN " + in + " THEN CAST(trunc(" + d + ") AS " + tt + ")"
		if to == types.BigInt { // 2^63 counts as the largest
			val = "WHEN " + d + " = 9223372036854775808 THEN " + cast(lim[1], tt) + " " + val
		}
		switch k.mode {
		case plan.CastTry:
			return "CASE " + val + " END"
		case plan.CastLegacy:
			return "CASE WHEN isnan(" + d + ") THEN " + cast("0", tt) + " " + val + " WHEN " + d + " > 0 THEN " + cast(lim[1], tt) +
				" WHEN " + d + " < 0 THEN " + cast(lim[0], tt) + " END"
		}
		return "CASE WHEN " + v + " IS NULL THEN NULL " + val + " ELSE " + castOverflow(k.text(v, from), from, to) + " END"
	})
}

// floatToDecimal goes through the text, as Spark does; NaN and infinities
// are NULL.
func (k caster) floatToDecimal(x string, from, to types.Type) string {
	return k.l.let(x, func(v string) string {
		if from == types.Float {
			v, from = cast(v, "DOUBLE"), types.Double
		}
		val := k.l.call("string_to_decimal", []string{k.text(v, from)}, []string{"VARCHAR"}, k.l.duckType(to), nil)
		if k.try() {
			return val
		}
		return "CASE WHEN isfinite(" + v + ") THEN coalesce(" + val + ", " + decimalOverflow(k.text(v, from), to) + ") END"
	})
}

// toTime casts to DATE, TIMESTAMP or TIMESTAMP_NTZ.
func (k caster) toTime(x string, from, to types.Type) string {
	switch {
	case to == types.Date && from == types.Timestamp:
		return cast(k.l.local(x, k.zone), "DATE")
	case to == types.Date:
		return cast(x, "DATE")
	case to == types.TimestampNTZ && from == types.Date:
		return cast(x, "TIMESTAMP")
	case to == types.TimestampNTZ:
		return k.l.local(x, k.zone)
	case from == types.Date:
		return k.l.instant(cast(x, "TIMESTAMP"), k.zone)
	case from == types.TimestampNTZ:
		return k.l.instant(x, k.zone)
	case from == types.Boolean:
		return "make_timestamptz(" + cast(x, "BIGINT") + ")"
	case from == types.BigInt: // seconds saturate
		return k.l.let(x, func(v string) string {
			return "CASE WHEN " + v + " > 9223372036854 THEN " + lastInstant + " WHEN " + v + " < -9223372036854 THEN make_timestamptz(-9223372036854775807 - 1) ELSE make_timestamptz(" + v + " * 1000000) END"
		})
	case types.IsIntegral(from):
		return "make_timestamptz(" + cast(x, "BIGINT") + " * 1000000)"
	case types.IsFloating(from):
		return k.l.let(cast(x, "DOUBLE"), func(v string) string { return k.floatToInstant(v) })
	}
	if d, ok := isDecimal(from); ok && d.Scale <= 6 && d.Precision-d.Scale <= 12 {
		return "make_timestamptz(CAST(" + cast(x, "DECIMAL(25,6)") + " * 1000000 AS BIGINT))"
	}
	return "make_timestamptz(" + k.l.decimalMicros(x, from) + ")"
}

// lastInstant is the last TIMESTAMP, whose microseconds are DuckDB's mark of
// infinity.
const lastInstant = "CAST('infinity' AS TIMESTAMP WITH TIME ZONE)"

// floatToInstant takes seconds. What no TIMESTAMP holds raises under ANSI and
// is NULL in TRY_CAST; else it saturates, but for NaN and infinities.
func (k caster) floatToInstant(v string) string {
	us := "(" + v + " * 1000000)"
	bad := "NULL"
	switch k.mode {
	case plan.CastANSI:
		bad = badInput(k.text(v, types.Double), types.Double, types.Timestamp)
		bad += " WHEN abs(" + us + ") > 9223372036854775808 THEN " + castOverflow(k.text(us, types.Double), types.Double, types.BigInt)
	case plan.CastTry:
		bad += " WHEN abs(" + us + ") > 9223372036854775808 THEN NULL"
	}
	return "CASE WHEN " + v + " IS NULL THEN NULL WHEN NOT isfinite(" + v + ") THEN " + bad +
		" WHEN " + us + " >= 9223372036854775807 THEN " + lastInstant + " WHEN " + us + " <= -9223372036854775808 THEN make_timestamptz(-9223372036854775807 - 1)" +
		" ELSE make_timestamptz(CAST(trunc(" + us + ") AS BIGINT)) END"
}

// round34 rounds a decimal to the 34 digits that Java keeps by default; NULL
// where more than 38 come out.
func (l *lowerer) round34(x string, t types.Type) string {
	if d, ok := isDecimal(t); !ok || d.Precision <= 34 {
		return x
	}
	return l.call("decimal_round34", []string{x}, []string{l.duckType(t)}, l.duckType(t), nil)
}

// decimalMicros are the low 64 bits of a decimal's microseconds, after Java's
// rounding to 34 digits.
func (l *lowerer) decimalMicros(x string, from types.Type) string {
	d, _ := isDecimal(from)
	short := types.Decimal{Precision: types.MaxPrecision, Scale: min(d.Scale, max(6, d.Scale-4))} // room for a 39th digit
	if d.Precision > 34 {
		x, from = l.call("decimal_round34", []string{x}, []string{l.duckType(from)}, l.duckType(short), nil), short
	}
	return l.wholeLow(x, "0.000001", from)
}

// wholeLow are the low 64 bits of how often unit goes into a decimal.
func (l *lowerer) wholeLow(x, unit string, from types.Type) string {
	dec := "DECIMAL(7,6)"
	return l.call("decimal_int_div", []string{x, cast(unit, dec)}, []string{l.duckType(from), dec}, "BIGINT", nil)
}

// timeToNumber: TIMESTAMP in seconds (a DATE is NULL, without ANSI only).
func (k caster) timeToNumber(x string, from, to types.Type) string {
	tt := k.l.duckType(to)
	if from == types.Date {
		return cast("NULL", tt)
	}
	us := "epoch_us(" + x + ")"
	switch {
	case types.IsFloating(to):
		return cast("("+us+" / 1000000.0::DOUBLE)", tt)
	case types.IsIntegral(to):
		return k.narrow(k.l.floorDiv(us, "1000000"), types.BigInt, to)
	}
	return cast("("+cast(us, "DECIMAL(20,0)")+" * 0.000001)", tt)
}

// floorDiv divides a BIGINT rounding down; n is positive.
func (l *lowerer) floorDiv(x, n string) string {
	return l.let(x, func(v string) string {
		return "(" + v + " // " + n + " - CASE WHEN " + v + " % " + n + " < 0 THEN 1 ELSE 0 END)"
	})
}

func isInterval(t types.Type) bool {
	switch t.(type) {
	case types.YearMonth, types.DayTime:
		return true
	}
	return false
}

var unitMicros = map[types.Unit]string{types.Day: "86400000000", types.Hour: "3600000000", types.Minute: "60000000", types.Second: "1000000"}

func (k caster) intervalToNumber(x string, from, to types.Type) string {
	switch f := from.(type) {
	case types.YearMonth:
		if f.To == types.Year {
			return k.number("("+x+" // 12)", types.Int, to)
		}
		return k.number(x, types.Int, to)
	case types.DayTime:
		if _, dec := isDecimal(to); dec && f.To == types.Second {
			return cast("("+cast(x, "DECIMAL(20,0)")+" * 0.000001)", k.l.duckType(to))
		}
		return k.number("("+x+" // "+unitMicros[f.To]+")", types.BigInt, to)
	}
	return k.l.unsupported(noPos, "%s cannot be cast to %s.", from.SQL(), to.SQL())
}

// interval casts between interval types and from numbers to them.
func (k caster) interval(x string, from, to types.Type) string {
	switch t := to.(type) {
	case types.YearMonth:
		n := x
		_, dec := isDecimal(from)
		switch {
		case dec && t.To == types.Year: // a part of a year is months
			return cast("round("+cast(x, "DECIMAL(38,6)")+" * 12)", "INTEGER")
		case !isInterval(from):
			n = cast(x, "INTEGER")
			if t.To == types.Year {
				n = "(" + n + " * 12)"
			}
		}
		if t.To == types.Year {
			n = "(" + n + " // 12 * 12)"
		}
		return n
	case types.DayTime:
		if isInterval(from) {
			if t.To == types.Second {
				return x
			}
			return "(" + x + " // " + unitMicros[t.To] + " * " + unitMicros[t.To] + ")"
		}
		if _, dec := isDecimal(from); dec {
			return cast("("+cast(x, "DECIMAL(38,6)")+" * "+unitMicros[t.To]+")", "BIGINT")
		}
		return "(" + cast(x, "BIGINT") + " * " + unitMicros[t.To] + ")"
	}
	return k.l.unsupported(noPos, "%s cannot be cast to %s.", from.SQL(), to.SQL())
}

// keepsDigits tells whether c is the abs of a DECIMAL that may round to more
// digits than the type has, which only its own type minds.
func keepsDigits(c *plan.Call) bool {
	d, ok := isDecimal(c.Typ)
	return ok && d.Precision > 34 && c.Fn == "abs"
}
