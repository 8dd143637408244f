package funcs

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// JavaDouble is the text of a DOUBLE as Spark's CAST gives it.
func JavaDouble(f float64) string { return javaFloat(f, 64) }

// JavaFloat is the text of a FLOAT as Spark's CAST gives it.
func JavaFloat(f float32) string { return javaFloat(float64(f), 32) }

func javaFloat(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	}
	least := map[int]float64{32: math.SmallestNonzeroFloat32, 64: math.SmallestNonzeroFloat64}[bits]
	if math.Abs(f) == least { // Java prints two digits of the least number
		s := map[int]string{32: "1.4E-45", 64: "4.9E-324"}[bits]
		if f < 0 {
			s = "-" + s
		}
		return s
	}
	if a := math.Abs(f); a >= 1e-3 && a < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mant, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, bits), "e")
	if !strings.Contains(mant, ".") {
		mant += ".0"
	}
	n, _ := strconv.Atoi(exp) // digits and a sign by construction
	return mant + "E" + strconv.Itoa(n)
}

// IntervalText is an interval as a literal: INTERVAL '1 02:03:04' DAY TO SECOND.
func IntervalText(v int64, t types.Type) string {
	sign := ""
	u := uint64(v)
	if v < 0 {
		sign, u = "-", -u
	}
	if ym, ok := t.(types.YearMonth); ok {
		var s string
		switch {
		case ym.From == types.Year && ym.To == types.Year:
			s = fmt.Sprint(u / 12)
		case ym.From == types.Month:
			s = fmt.Sprint(u)
		default:
			s = fmt.Sprintf("%d-%d", u/12, u%12)
		}
		return fmt.Sprintf("INTERVAL '%s%s' %s", sign, s, unitWords(ym.From, ym.To))
	}
	dt, ok := t.(types.DayTime)
	if !ok {
		return ""
	}
	return fmt.Sprintf("INTERVAL '%s%s' %s", sign, dayTimeDigits(u, dt), unitWords(dt.From, dt.To))
}

func unitWords(from, to types.Unit) string {
	if from == to {
		return strings.ToUpper(from.String())
	}
	return strings.ToUpper(from.String() + " to " + to.String())
}

const microsPerSecond = 1_000_000

// dayTimeDigits prints the fields from dt.From to dt.To.
func dayTimeDigits(u uint64, dt types.DayTime) string {
	micros, secs := u%microsPerSecond, u/microsPerSecond
	var b strings.Builder
	field := func(unit types.Unit, n uint64, sep string) {
		if unit < dt.From || unit > dt.To {
			return
		}
		if unit > dt.From {
			b.WriteString(sep)
		}
		if unit == types.Day {
			fmt.Fprintf(&b, "%d", n)
			return
		}
		fmt.Fprintf(&b, "%02d", n)
	}
	days, hours, minutes, seconds := secs/86400, secs/3600%24, secs/60%60, secs%60
	switch dt.From {
	case types.Hour:
		hours = secs / 3600
	case types.Minute:
		minutes = secs / 60
	case types.Second:
		seconds = secs
	}
	field(types.Day, days, "")
	field(types.Hour, hours, " ")
	field(types.Minute, minutes, ":")
	field(types.Second, seconds, ":")
	if dt.To == types.Second && micros > 0 {
		b.WriteString(strings.TrimRight(fmt.Sprintf(".%06d", micros), "0"))
	}
	return b.String()
}
