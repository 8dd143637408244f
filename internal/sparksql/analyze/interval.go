package analyze

import (
	"errors"
	"math"
	"math/big"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

var errInterval = errors.New("no interval")

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

// interval evaluates an INTERVAL literal to months or microseconds.
func (a *analyzer) interval(e *ast.Interval) (plan.Expr, error) {
	if e.To != "" {
		return a.rangeInterval(e)
	}
	if len(e.Parts) == 1 && e.Parts[0].Unit == "" {
		return a.textInterval(e)
	}
	lo, hi := types.Second, types.Year
	var total big.Int
	months := false
	for i, part := range e.Parts {
		unit := part.Unit
		if unit == "nanosecond" {
			return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT.INVALID_UNIT", "An interval has no nanoseconds.")
		}
		isMonths := unit == "year" || unit == "month"
		if i > 0 && isMonths != months {
			return nil, a.intervalError(e, "_LEGACY_ERROR_TEMP_0029", "An interval cannot mix years and months with days and times.")
		}
		months = isMonths
		lo, hi = min(lo, unitOf[unit]), max(hi, unitOf[unit])
		n, err := a.unitValue(e, part)
		if err != nil {
			return nil, err
		}
		total.Add(&total, n)
	}
	return a.intervalLiteral(e, &total, months, lo, hi)
}

func (a *analyzer) intervalLiteral(e *ast.Interval, total *big.Int, months bool, lo, hi types.Unit) (plan.Expr, error) {
	if days := new(big.Int).Quo(total, big.NewInt(unitMicros["day"])); !months && !total.IsInt64() && lo == types.Day && days.IsInt64() && int64(int32(days.Int64())) == days.Int64() {
		return nil, a.intervalError(e, "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "The interval is out of range.")
	}
	if !total.IsInt64() || months && (total.Int64() > math.MaxInt32 || total.Int64() < math.MinInt32) {
		return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION", "The interval is out of range.")
	}
	if months {
		return &plan.Literal{Value: total.Int64(), Typ: types.YearMonth{From: lo, To: hi}}, nil
	}
	return &plan.Literal{Value: total.Int64(), Typ: types.DayTime{From: lo, To: hi}}, nil
}

// unitValue is one value of an interval in months or microseconds.
func (a *analyzer) unitValue(e *ast.Interval, part ast.IntervalPart) (*big.Int, error) {
	text := ""
	if lit, ok := part.Value.(*ast.Literal); ok {
		text, _ = lit.Value.(string)
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER", "The interval has no number.")
	}
	if strings.ContainsAny(text, " :") {
		return nil, a.intervalError(e, "_LEGACY_ERROR_TEMP_0026", "Cannot read the interval's value %q.", text)
	}
	n, exact, ok := scaled(text, part.Unit)
	switch {
	case !ok:
		return nil, a.intervalError(e, "_LEGACY_ERROR_TEMP_0026", "Cannot read the interval's value %q.", text)
	case !exact:
		return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT.INVALID_FRACTION", "Only seconds can have a fraction, not %s.", part.Unit)
	}
	if part.Negative {
		n.Neg(n)
	}
	return n, nil
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

// textInterval is INTERVAL '1 day 2 hours'.
func (a *analyzer) textInterval(e *ast.Interval) (plan.Expr, error) {
	lit, _ := e.Parts[0].Value.(*ast.Literal)
	text, _ := lit.Value.(string)
	bad := func() error {
		return a.intervalError(e, "INVALID_TYPED_LITERAL", "INTERVAL %q cannot be read; write values and units, as in '1 day 2 hours'.", text)
	}
	fields := strings.Fields(strings.ToLower(text))
	if len(fields) > 0 && fields[0] == "interval" {
		fields = fields[1:]
	}
	if len(fields) == 0 || len(fields)%2 != 0 {
		return nil, bad()
	}
	lo, hi := types.Second, types.Year
	var total big.Int
	months := false
	for i := 0; i < len(fields); i += 2 {
		unit := strings.TrimSuffix(fields[i+1], "s")
		if unitOf[unit] == 0 && unit != "year" {
			return nil, bad()
		}
		n, exact, ok := scaled(fields[i], unit)
		if !ok || !exact {
			return nil, bad()
		}
		isMonths := unit == "year" || unit == "month"
		if i > 0 && isMonths != months {
			return nil, a.intervalError(e, "_LEGACY_ERROR_TEMP_0029", "An interval cannot mix years and months with days and times.")
		}
		months = isMonths
		lo, hi = min(lo, unitOf[unit]), max(hi, unitOf[unit])
		total.Add(&total, n)
	}
	return a.intervalLiteral(e, &total, months, lo, hi)
}

// parseIntervalText reads '5 minutes' or '1 day 2 hours'.
func parseIntervalText(text string) (months, micros int64, err error) {
	fields := strings.Fields(strings.ToLower(text))
	if len(fields) > 0 && fields[0] == "interval" {
		fields = fields[1:]
	}
	if len(fields) == 0 || len(fields)%2 != 0 {
		return 0, 0, errInterval
	}
	for i := 0; i < len(fields); i += 2 {
		unit := strings.TrimSuffix(fields[i+1], "s")
		if unitOf[unit] == 0 && unit != "year" {
			return 0, 0, errInterval
		}
		n, exact, ok := scaled(fields[i], unit)
		if !ok || !exact || !n.IsInt64() {
			return 0, 0, errInterval
		}
		if unit == "year" || unit == "month" {
			months += n.Int64()
		} else {
			micros += n.Int64()
		}
	}
	return months, micros, nil
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
	return a.intervalLiteral(e, &total, false, from, to)
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
	if months.Cmp(big.NewInt(11)) > 0 || !total.IsInt64() || total.Int64() > math.MaxInt32 {
		return nil, a.intervalError(e, "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING", "The interval %q is out of range.", text)
	}
	if negative {
		total.Neg(total)
	}
	return a.intervalLiteral(e, total, true, types.Year, types.Month)
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
		if v == "" || strings.Trim(v, "0123456789.") != "" || strings.Contains(v, ".") && from+types.Unit(i) != types.Second {
			return nil, false
		}
	}
	return out, true
}
