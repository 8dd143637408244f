package cast

import (
	"math"
	"strings"
)

// Calendar is an interval of months, days and microseconds that do not mix,
// laid out as DuckDB's INTERVAL.
type Calendar struct {
	Months, Days int32
	Micros       int64
}

// calendarUnits give a unit's months, days and microseconds.
var calendarUnits = map[string]Calendar{
	"year": {Months: 12}, "month": {Months: 1}, "week": {Days: 7}, "day": {Days: 1},
	"hour": {Micros: 3_600_000_000}, "minute": {Micros: 60_000_000}, "second": {Micros: 1_000_000},
	"millisecond": {Micros: 1_000}, "microsecond": {Micros: 1},
}

// ParseCalendar reads '1 year -2 days 3.5 seconds', with or without the word
// INTERVAL in front; only seconds have a fraction, of up to nine digits.
func ParseCalendar(b []byte) (Calendar, bool) {
	words := strings.Fields(strings.ToLower(string(Trim(b))))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	var sum Calendar
	ok := len(words) > 0
	for ok && len(words) > 0 {
		sign := ""
		if words[0] == "-" || words[0] == "+" { // a blank may follow a sign
			sign, words = words[0], words[1:]
		}
		if len(words) < 2 {
			return Calendar{}, false
		}
		ok = sum.add(sign+words[0], words[1])
		words = words[2:]
	}
	return sum, ok
}

// add adds a number of a unit; false where either is malformed or the sum does
// not fit.
func (c *Calendar) add(number, unit string) bool {
	u, ok := calendarUnits[strings.TrimSuffix(unit, "s")]
	digits, neg := sign(number)
	whole, frac, dot := strings.Cut(digits, ".")
	if !ok || whole == "" && frac == "" || len(frac) > 9 || dot && strings.TrimSuffix(unit, "s") != "second" {
		return false
	}
	var n int64
	if whole != "" {
		if whole[0] < '0' || whole[0] > '9' {
			return false
		}
		if n, ok = Int([]byte(whole), 64, false); !ok {
			return false
		}
	}
	var us int64
	for i, scale := 0, int64(100_000); i < len(frac); i, scale = i+1, scale/10 {
		if frac[i] < '0' || frac[i] > '9' {
			return false
		}
		us += int64(frac[i]-'0') * scale
	}
	if neg {
		n, us = -n, -us
	}
	months, ok1 := fma(int64(u.Months), n, int64(c.Months))
	days, ok2 := fma(int64(u.Days), n, int64(c.Days))
	micros, ok3 := fma(u.Micros, n, c.Micros)
	micros, ok4 := fma(1, us, micros)
	c.Months, c.Days, c.Micros = int32(months), int32(days), micros // checked below
	return ok1 && ok2 && ok3 && ok4 && int64(c.Months) == months && int64(c.Days) == days
}

// fma is a*b + c where it fits 64 bits; a is not negative.
func fma(a, b, c int64) (int64, bool) {
	if a != 0 && (b > math.MaxInt64/a || b < math.MinInt64/a) {
		return 0, false
	}
	p := a * b
	if p > 0 && c > math.MaxInt64-p || p < 0 && c < math.MinInt64-p {
		return 0, false
	}
	return p + c, true
}
