package funcs

import (
	"fmt"
	"strings"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// JavaDouble is the text of a DOUBLE as Spark's CAST gives it.
func JavaDouble(f float64) string { return string(cast.AppendDouble(nil, f)) }

// JavaFloat is the text of a FLOAT as Spark's CAST gives it.
func JavaFloat(f float32) string { return string(cast.AppendFloat(nil, f)) }

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
