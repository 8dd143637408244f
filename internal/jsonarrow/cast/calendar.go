package cast

import (
	"fmt"
	"math"
	"strings"
)

// Calendar is an interval of months, days and microseconds that do not mix,
// laid out as DuckDB's INTERVAL.
type Calendar struct {
	Months, Days int32
	Micros       int64
}

// String is the interval as Spark's CAST prints it: 1 years 2 months -3 days.
func (c Calendar) String() string {
	var parts []string
	add := func(n int64, unit string) {
		if n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, unit))
		}
	}
	add(int64(c.Months/12), "years")
	add(int64(c.Months%12), "months")
	add(int64(c.Days), "days")
	add(c.Micros/3_600_000_000, "hours")
	add(c.Micros/60_000_000%60, "minutes")
	if us := c.Micros % 60_000_000; us != 0 {
		sign := ""
		if us < 0 {
			sign, us = "-", -us
		}
		s := fmt.Sprintf("%s%d.%06d", sign, us/1_000_000, us%1_000_000)
		parts = append(parts, strings.TrimSuffix(strings.TrimRight(s, "0"), ".")+" seconds")
	}
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}

// calendarUnits give a unit's months, days and microseconds.
var calendarUnits = map[string]Calendar{
	"year": {Months: 12}, "month": {Months: 1}, "week": {Days: 7}, "day": {Days: 1},
	"hour": {Micros: 3_600_000_000}, "minute": {Micros: 60_000_000}, "second": {Micros: 1_000_000},
	"millisecond": {Micros: 1_000}, "microsecond": {Micros: 1},
}

// CalendarFault says why a text is no interval: a subclass of Spark's
// INVALID_INTERVAL_FORMAT, "" where nothing is wrong.
type CalendarFault string

// Faults of a text.
const (
	faultEmpty     CalendarFault = "INPUT_IS_EMPTY"
	faultPrefix    CalendarFault = "INVALID_PREFIX"
	faultNumber    CalendarFault = "UNRECOGNIZED_NUMBER"
	faultValue     CalendarFault = "INVALID_VALUE"
	faultFraction  CalendarFault = "INVALID_FRACTION"
	faultPrecision CalendarFault = "INVALID_PRECISION"
	faultRange     CalendarFault = "ARITHMETIC_EXCEPTION"
	faultUnit      CalendarFault = "INVALID_UNIT"
	faultNoUnit    CalendarFault = "MISSING_UNIT"
	faultNoNumber  CalendarFault = "MISSING_NUMBER"
)

// ParseCalendar reads '1 year -2 days 3.5 seconds', with or without the word
// INTERVAL in front; only seconds have a fraction, of up to nine digits.
func ParseCalendar(b []byte) (Calendar, bool) {
	c, fault := ScanCalendar(string(b))
	return c, fault == ""
}

// ScanCalendar is ParseCalendar that tells what is wrong with a text.
func ScanCalendar(text string) (sum Calendar, _ CalendarFault) {
	s := strings.ToLower(string(Trim([]byte(text))))
	if s == "" {
		return sum, faultEmpty
	}
	if rest, ok := strings.CutPrefix(s, "interval"); ok {
		switch {
		case rest == "":
			return sum, faultEmpty
		case !blank(rest[0]):
			return sum, faultPrefix
		}
		s = rest
	}
	for {
		if s = strings.TrimLeftFunc(s, blankRune); s == "" {
			return sum, ""
		}
		n, rest, fault := scanAmount(s)
		if fault != "" {
			return sum, fault
		}
		if s, fault = sum.unit(n, rest); fault != "" {
			return sum, fault
		}
	}
}

func blank(c byte) bool     { return c >= '\t' && c <= '\r' || c >= 0x1c && c <= ' ' }
func blankRune(r rune) bool { return r < 0x80 && blank(byte(r)) }

// amount is a number before a unit: the whole part and billionths.
type amount struct {
	neg, dot bool
	whole    int64
	nanos    int64
}

// scanAmount reads a number and the blanks behind it.
func scanAmount(s string) (n amount, rest string, _ CalendarFault) {
	switch c := s[0]; {
	case c == '-' || c == '+':
		n.neg = c == '-'
		if s = strings.TrimLeftFunc(s[1:], blankRune); s == "" {
			return n, "", faultNoNumber
		}
	case c != '.' && (c < '0' || c > '9'):
		return n, "", faultNumber
	case c == '.':
		if len(s) == 1 {
			return n, "", faultNoUnit
		}
		if s[1] < '0' || s[1] > '9' {
			return n, "", faultValue
		}
	}
	i := 0
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		d := int64(s[i] - '0')
		if n.whole > (math.MaxInt64-d)/10 {
			return n, "", faultRange
		}
		n.whole = n.whole*10 + d
	}
	if i < len(s) && s[i] == '.' {
		n.dot = true
		i++
		for scale := int64(100_000_000); i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			if scale == 0 {
				return n, "", faultPrecision
			}
			n.nanos += int64(s[i]-'0') * scale
			scale /= 10
		}
	}
	if i < len(s) && !blank(s[i]) {
		return n, "", faultValue
	}
	if rest = strings.TrimLeftFunc(s[i:], blankRune); rest == "" {
		return n, "", faultNoUnit
	}
	return n, rest, ""
}

// unit adds the number of the unit that s begins with, and gives what follows.
func (c *Calendar) unit(n amount, s string) (string, CalendarFault) {
	if n.dot && s[0] != 's' {
		return "", faultFraction
	}
	end := strings.IndexFunc(s, blankRune)
	if end < 0 {
		end = len(s)
	}
	u, ok := calendarUnits[strings.TrimSuffix(s[:end], "s")]
	if !ok {
		return "", faultUnit
	}
	us := n.nanos / 1000
	if n.neg {
		n.whole, us = -n.whole, -us
	}
	months, ok1 := fma(int64(u.Months), n.whole, int64(c.Months))
	days, ok2 := fma(int64(u.Days), n.whole, int64(c.Days))
	micros, ok3 := fma(u.Micros, n.whole, c.Micros)
	micros, ok4 := fma(1, us, micros)
	c.Months, c.Days, c.Micros = int32(months), int32(days), micros // checked below
	if !ok1 || !ok2 || !ok3 || !ok4 || int64(c.Months) != months || int64(c.Days) != days {
		return "", faultRange
	}
	return s[end:], ""
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
