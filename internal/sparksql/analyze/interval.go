package analyze

import (
	"math"
	"math/big"
	"strings"
	"unicode"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// unitMicros are the units of a day-time interval in microseconds.
var unitMicros = map[string]int64{
	"week": 7 * 86400e6, "day": 86400e6, "hour": 3600e6, "minute": 60e6, "second": 1e6, "millisecond": 1e3, "microsecond": 1,
}

var unitOf = map[string]types.Unit{
	"year": types.Year, "month": types.Month, "week": types.Day, "day": types.Day, "hour": types.Hour,
	"minute": types.Minute, "second": types.Second, "millisecond": types.Second, "microsecond": types.Second,
}

// intervalError is a parse error of an interval literal.
func (a *analyzer) intervalError(e *ast.Interval, class, format string, args ...any) error {
	state := "22006"
	switch class {
	case "INVALID_TYPED_LITERAL":
		state = "42604"
	case "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION":
		state = "22015"
	}
	f := a.errorf(e.Pos(), class, state, format, args...)
	f.Phase = sparksql.PhaseParse
	return (*sparksql.Error)(f)
}

// interval evaluates an INTERVAL literal to months or microseconds, or, where
// spark.sql.legacy.interval.enabled is on, to an interval of all units.
func (a *analyzer) interval(e *ast.Interval) (plan.Expr, error) {
	if e.To != "" {
		x, err := a.rangeInterval(e)
		if err != nil || !a.legacyIntervals() {
			return x, err
		}
		return calendarOf(x), nil
	}
	if len(e.Parts) == 1 && e.Parts[0].Unit == "" {
		return a.textInterval(e)
	}
	var b strings.Builder
	units := make([]string, len(e.Parts))
	for i, part := range e.Parts {
		v, err := a.intervalValue(e, part)
		if err != nil {
			return nil, err
		}
		b.WriteString(" " + v + " " + part.Unit)
		units[i] = part.Unit
	}
	c, fault := cast.ScanCalendar(b.String())
	if fault != "" {
		return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT."+string(fault), "%q is no interval.", strings.TrimSpace(b.String()))
	}
	return a.intervalLiteral(e, c, units)
}

// legacyIntervals tells whether literals and differences are intervals of all
// units together, as before Spark 3.
func (a *analyzer) legacyIntervals() bool { return funcs.LegacyIntervals(a.env.Conf) }

// calendarOf is an interval literal of one kind as one of all units.
func calendarOf(x plan.Expr) plan.Expr {
	lit, _ := x.(*plan.Literal)
	if lit == nil {
		return x
	}
	n, _ := lit.Value.(int64)
	c := cast.Calendar{Months: int32(n)}
	if _, ok := lit.Typ.(types.DayTime); ok {
		day := unitMicros["day"]
		c = cast.Calendar{Days: int32(n / day), Micros: n % day}
	}
	return &plan.Literal{Value: c, Typ: types.Calendar}
}

// intervalValue is the text of one value, with the sign before it.
func (a *analyzer) intervalValue(e *ast.Interval, part ast.IntervalPart) (string, error) {
	text := ""
	lit, ok := part.Value.(*ast.Literal)
	if ok {
		text, _ = lit.Value.(string)
	}
	if ok && lit.Text == "" && strings.ContainsFunc(text, unicode.IsLetter) {
		return "", a.intervalError(e, "_LEGACY_ERROR_TEMP_0026", "Cannot read the interval's value %q.", text)
	}
	if !part.Negative {
		return text, nil
	}
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		return rest, nil
	}
	return "-" + text, nil
}

// intervalLiteral is a literal of the units that were written.
func (a *analyzer) intervalLiteral(e *ast.Interval, c cast.Calendar, units []string) (plan.Expr, error) {
	if a.legacyIntervals() {
		return &plan.Literal{Value: c, Typ: types.Calendar}, nil
	}
	lo, hi := types.Second, types.Year
	var months, days bool
	for _, unit := range units {
		isMonths := unit == "year" || unit == "month"
		months, days = months || isMonths, days || !isMonths
		lo, hi = min(lo, unitOf[unit]), max(hi, unitOf[unit])
	}
	switch {
	case months && days:
		return nil, a.intervalError(e, "_LEGACY_ERROR_TEMP_0029", "An interval cannot mix years and months with days and times.")
	case months:
		return &plan.Literal{Value: int64(c.Months), Typ: types.YearMonth{From: lo, To: hi}}, nil
	}
	us := big.NewInt(int64(c.Days))
	us.Add(us.Mul(us, big.NewInt(unitMicros["day"])), big.NewInt(c.Micros))
	if !us.IsInt64() {
		return nil, a.intervalError(e, "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "The interval is out of range.")
	}
	return &plan.Literal{Value: us.Int64(), Typ: types.DayTime{From: lo, To: hi}}, nil
}

// textInterval is INTERVAL '1 day 2 hours'.
func (a *analyzer) textInterval(e *ast.Interval) (plan.Expr, error) {
	lit, _ := e.Parts[0].Value.(*ast.Literal)
	text, _ := lit.Value.(string)
	var units []string
	for w := range strings.FieldsSeq(strings.ToLower(text)) {
		if unit := strings.TrimSuffix(w, "s"); unitOf[unit] != 0 || unit == "year" {
			units = append(units, unit)
		}
	}
	c, fault := cast.ScanCalendar(text)
	if fault != "" || len(units) == 0 {
		return nil, a.intervalError(e, "INVALID_TYPED_LITERAL", "INTERVAL %q cannot be read; write values and units, as in '1 day 2 hours'.", text)
	}
	return a.intervalLiteral(e, c, units)
}

// scaled reads a number of a unit; only seconds may have a fraction.
func scaled(text, unit string) (n *big.Int, exact, ok bool) {
	if strings.ContainsAny(text, "/eExX_pP") {
		return nil, false, false
	}
	var r big.Rat
	if _, ok := r.SetString(text); !ok {
		return nil, false, false
	}
	if strings.Contains(text, ".") && unit != "second" {
		return new(big.Int), false, true
	}
	factor := unitMicros[unit]
	switch unit {
	case "year":
		factor = 12
	case "month":
		factor = 1
	}
	r.Mul(&r, new(big.Rat).SetInt64(factor))
	return new(big.Int).Quo(r.Num(), r.Denom()), true, true
}

// rangeLiteral is a literal of a range of units.
func (a *analyzer) rangeLiteral(e *ast.Interval, total *big.Int, months bool, lo, hi types.Unit) (plan.Expr, error) {
	if !total.IsInt64() || months && (total.Int64() > math.MaxInt32 || total.Int64() < math.MinInt32) {
		return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION", "The interval is out of range.")
	}
	if months {
		return &plan.Literal{Value: total.Int64(), Typ: types.YearMonth{From: lo, To: hi}}, nil
	}
	return &plan.Literal{Value: total.Int64(), Typ: types.DayTime{From: lo, To: hi}}, nil
}

// rangeInterval is INTERVAL '1-2' YEAR TO MONTH or '1 02:03:04.5' DAY TO SECOND.
func (a *analyzer) rangeInterval(e *ast.Interval) (plan.Expr, error) {
	part := e.Parts[0]
	from, to := unitOf[part.Unit], unitOf[e.To]
	lit, _ := part.Value.(*ast.Literal)
	text, _ := lit.Value.(string)
	text = strings.TrimSpace(text)
	if to <= from || (from <= types.Month) != (to <= types.Month) || part.Unit == "week" || e.To == "week" {
		return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION", "No interval goes from %s to %s.", part.Unit, e.To)
	}
	negative := part.Negative
	if strings.HasPrefix(text, "-") {
		negative = !negative
		text = text[1:]
	} else {
		text = strings.TrimPrefix(text, "+")
	}
	if from == types.Year {
		return a.yearMonth(e, text, negative)
	}
	values, ok := splitDayTime(text, from, to)
	if !ok {
		return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE", "%q does not match an interval of %s to %s.", text, from, to)
	}
	var total big.Int
	limits := map[types.Unit]string{types.Hour: "23", types.Minute: "59", types.Second: "59.999999999"}
	for i, v := range values {
		unit := from + types.Unit(i)
		n, exact, ok := scaled(v, unit.String())
		if !ok || !exact && unit != types.Second {
			return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE", "%q does not match an interval of %s to %s.", text, from, to)
		}
		if limit, ok := limits[unit]; ok && i > 0 && above(v, limit) {
			return nil, a.intervalError(e, "_LEGACY_ERROR_TEMP_0063", "The %s %s is out of range.", unit, v)
		}
		total.Add(&total, n)
	}
	if negative {
		total.Neg(&total)
	}
	return a.rangeLiteral(e, &total, false, from, to)
}

func above(v, limit string) bool {
	var x, y big.Rat
	if _, ok := x.SetString(v); !ok {
		return true
	}
	y.SetString(limit)
	return x.Cmp(&y) > 0
}

func (a *analyzer) yearMonth(e *ast.Interval, text string, negative bool) (plan.Expr, error) {
	y, m, ok := strings.Cut(text, "-")
	years, _, ok1 := scaled(y, "year")
	months, _, ok2 := scaled(m, "month")
	if !ok || !ok1 || !ok2 || strings.ContainsAny(y+m, "+-. ") {
		return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING", "%q does not match an interval of year to month.", text)
	}
	total := new(big.Int).Add(years, months)
	if negative {
		total.Neg(total)
	}
	if months.Cmp(big.NewInt(11)) > 0 || !total.IsInt64() || total.Int64() > math.MaxInt32 || total.Int64() < math.MinInt32 {
		return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING", "The interval %q is out of range.", text)
	}
	return a.rangeLiteral(e, total, true, types.Year, types.Month)
}

// splitDayTime splits "1 02:03:04" into one text per unit.
func splitDayTime(text string, from, to types.Unit) ([]string, bool) {
	var out []string
	rest := text
	if from == types.Day {
		day, time, ok := strings.Cut(text, " ")
		if !ok {
			return nil, false
		}
		out, rest = append(out, day), strings.TrimSpace(time)
	}
	out = append(out, strings.Split(rest, ":")...)
	if len(out) != int(to-from)+1 {
		return nil, false
	}
	for i, v := range out {
		if v == "" || strings.HasSuffix(v, ".") || strings.Trim(v, "0123456789.") != "" || strings.Contains(v, ".") && from+types.Unit(i) != types.Second {
			return nil, false
		}
	}
	return out, true
}
