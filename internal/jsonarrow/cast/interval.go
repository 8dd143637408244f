package cast

import (
	"math/bits"
	"strconv"
	"strings"
)

// Interval is a type of interval: its first and last unit. Values are months,
// or microseconds from DAY on.
type Interval struct{ from, to unit }

type unit int

const (
	year unit = iota
	month
	day
	hour
	minute
	second
)

var units = [...]string{"year", "month", "day", "hour", "minute", "second"}

// size is a unit in months or microseconds; limit is what a unit behind
// another one stays below.
var (
	unitSize  = [...]uint64{12, 1, 86400 * 1_000_000, 3600 * 1_000_000, 60 * 1_000_000, 1_000_000}
	unitLimit = [...]uint64{0, 12, 0, 24, 60, 60}
)

// aloneDigits are the digits that a unit may have as the only one of its type.
// Their sum of microseconds then wraps around, as Spark's does; 0 for units
// whose sum is checked.
var aloneDigits = [...]int{day: 9, hour: 10, minute: 12, second: 0}

// ParseIntervalType reads "interval day to second", "interval year".
func ParseIntervalType(s string) (Interval, bool) {
	w := strings.Fields(strings.ToLower(s))
	if len(w) != 2 && (len(w) != 4 || w[2] != "to") || w[0] != "interval" {
		return Interval{}, false
	}
	find := func(s string) unit {
		for i, u := range units {
			if u == s {
				return unit(i)
			}
		}
		return -1
	}
	t := Interval{find(w[1]), find(w[len(w)-1])}
	return t, t.from >= 0 && t.to >= t.from && (t.from <= month) == (t.to <= month)
}

// Months tells a year-month interval from a day-time one.
func (t Interval) Months() bool { return t.from <= month }

// words is the type as it stands behind the quoted part.
func (t Interval) words() string {
	if t.from == t.to {
		return strings.ToUpper(units[t.from])
	}
	return strings.ToUpper(units[t.from] + " to " + units[t.to])
}

// Parse reads '1-2', '1 02:03:04.5', or either within INTERVAL '...' and the
// type's words. Only the type's own form is read.
func (t Interval) Parse(b []byte) (int64, bool) {
	s := strings.TrimSpace(string(Trim(b)))
	neg := false
	if len(s) > 8 && strings.EqualFold(s[:8], "interval") {
		s = strings.TrimSpace(s[8:])
		if s, neg = sign(s); !strings.HasPrefix(s, "'") {
			return 0, false
		}
		body, tail, ok := strings.Cut(s[1:], "'")
		if !ok || !strings.EqualFold(strings.Join(strings.Fields(tail), " "), t.words()) {
			return 0, false
		}
		s = body
	}
	s, inner := sign(s)
	neg = neg != inner
	var sum uint64
	wraps := t.from == t.to && aloneDigits[t.from] > 0
	for u := t.from; u <= t.to; u++ {
		n := 0
		for n < len(s) && s[n]-'0' < 10 {
			n++
		}
		v, err := strconv.ParseUint(s[:n], 10, 63)
		if err != nil || u > t.from && (v >= unitLimit[u] || n > 2) || wraps && n > aloneDigits[u] {
			return 0, false
		}
		s = s[n:]
		hi, lo := bits.Mul64(v, unitSize[u])
		var carry uint64
		if sum, carry = bits.Add64(sum, lo, 0); (hi != 0 || carry != 0) && !wraps {
			return 0, false
		}
		if u < t.to {
			if s == "" || s[0] != separator(u) {
				return 0, false
			}
			s = s[1:]
		}
	}
	if t.to == second && strings.HasPrefix(s, ".") && len(s) > 1 && len(s) <= 10 {
		s = s[1:]
		for scale := uint64(100_000); s != "" && s[0]-'0' < 10; scale /= 10 {
			sum += uint64(s[0]-'0') * scale
			s = s[1:]
		}
	}
	limit := uint64(1) << 63
	if t.Months() {
		limit = 1 << 31
	}
	if s != "" || !wraps && (sum > limit || sum == limit && !neg) {
		return 0, false
	}
	if neg {
		return int64(-sum), true
	}
	return int64(sum), true
}

func sign(s string) (string, bool) {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[1:], s[0] == '-'
	}
	return s, false
}

// separator stands behind a unit.
func separator(u unit) byte {
	switch u {
	case year:
		return '-'
	case day:
		return ' '
	}
	return ':'
}

// Append writes INTERVAL '1 02:03:04.5' DAY TO SECOND.
func (t Interval) Append(b []byte, v int64) []byte {
	b = append(b, "INTERVAL '"...)
	u := uint64(v)
	if v < 0 {
		b, u = append(b, '-'), -u
	}
	for k := t.from; k <= t.to; k++ {
		n := u / unitSize[k]
		u %= unitSize[k]
		width := 1
		if k >= hour {
			width = 2
		}
		b = pad(b, int(n), width)
		if k < t.to {
			b = append(b, separator(k))
		}
	}
	if t.to == second && u > 0 {
		b = pad(append(b, '.'), int(u), 6)
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
	}
	return append(append(b, "' "...), t.words()...)
}
