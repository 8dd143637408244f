package analyze

import (
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// typedLiteral evaluates DATE '...', TIMESTAMP '...' and TIMESTAMP_NTZ '...'.
func (a *analyzer) typedLiteral(e *ast.TypedLiteral) (plan.Expr, error) {
	kind := e.Type
	if kind == "timestamp" && funcs.Stamp(a.env.Conf) == types.TimestampNTZ {
		x, ok := parseTimestamp(e.Text, "UTC", true, a.env.Now)
		if y, _ := parseTimestamp(e.Text, "+05:00", true, a.env.Now); ok && x != y { // it names no zone
			kind = "timestamp_ntz"
		}
	}
	switch kind {
	case "date":
		if days, ok := parseDate(e.Text, a.env.Now, a.env.TimeZone); ok {
			return &plan.Literal{Value: days, Typ: types.Date}, nil
		}
	case "timestamp", "timestamp_ltz":
		if us, ok := parseTimestamp(e.Text, a.env.TimeZone, true, a.env.Now); ok {
			return &plan.Literal{Value: us, Typ: types.Timestamp}, nil
		}
	case "timestamp_ntz":
		if us, ok := parseTimestamp(e.Text, "UTC", false, a.env.Now); ok {
			return &plan.Literal{Value: us, Typ: types.TimestampNTZ}, nil
		}
	case "time":
		if us, ok := parseTimeOfDay(e.Text); ok {
			return &plan.Literal{Value: us, Typ: types.Time{Precision: 6}}, nil
		}
	}
	f := a.errorf(e.Pos(), "INVALID_TYPED_LITERAL", "42604", "The text %q is no %s.", e.Text, strings.ToUpper(e.Type))
	f.Phase = sparksql.PhaseParse
	return nil, f
}

// parseTimeOfDay reads h:m[:s[.f]] [AM|PM] in microseconds; digits beyond them
// are cut off.
func parseTimeOfDay(s string) (int64, bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	s = strings.TrimPrefix(s, "T")
	half := ""
	for _, h := range []string{"AM", "PM"} {
		if rest, ok := strings.CutSuffix(s, h); ok {
			s, half = strings.TrimSpace(rest), h
		}
	}
	hms, frac, dot := strings.Cut(s, ".")
	parts := strings.Split(hms, ":")
	if len(parts) < 2 || len(parts) > 3 || dot && len(parts) < 3 || strings.Trim(frac, "0123456789") != "" {
		return 0, false
	}
	var v [3]int64
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil || len(p) > 2 || n > 59 || i == 0 && n > 23 {
			return 0, false
		}
		v[i] = int64(n)
	}
	if half != "" {
		if v[0] < 1 || v[0] > 12 {
			return 0, false
		}
		v[0] %= 12
		if half == "PM" {
			v[0] += 12
		}
	}
	us, _ := strconv.ParseInt((frac + "000000")[:6], 10, 64)
	return ((v[0]*60+v[1])*60+v[2])*1e6 + us, true
}

// parseDate reads [+-]y..y[-m[-d]] in days since 1970; what follows a 'T' or a
// blank behind a full date does not count.
func parseDate(s string, now time.Time, zone string) (int64, bool) {
	s = strings.TrimSpace(s)
	switch strings.ToLower(s) {
	case "epoch":
		return 0, true
	case "now", "today", "tomorrow", "yesterday":
		loc, err := location(zone)
		if err != nil {
			return 0, false
		}
		y, m, d := now.In(loc).Date()
		day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
		return day + map[string]int64{"tomorrow": 1, "yesterday": -1}[strings.ToLower(s)], true
	}
	y, m, d, rest, parts, ok := datePart(s)
	if !ok || rest != "" && (parts < 3 || rest[0] != 'T' && rest[0] != ' ') {
		return 0, false
	}
	return daysOf(y, m, d)
}

// datePart reads the date at the start of s.
func datePart(s string) (y, m, d int, rest string, parts int, ok bool) {
	sign := 1
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	m, d = 1, 1
	n := digits(s)
	if n < 4 || n > 7 {
		return 0, 0, 0, s, 0, false
	}
	y, _ = strconv.Atoi(s[:n])
	y *= sign
	s = s[n:]
	parts = 1
	for _, into := range []*int{&m, &d} {
		if !strings.HasPrefix(s, "-") {
			return y, m, d, s, parts, true
		}
		n = digits(s[1:])
		if n < 1 || n > 2 {
			return 0, 0, 0, s, 0, false
		}
		*into, _ = strconv.Atoi(s[1 : 1+n])
		s = s[1+n:]
		parts++
	}
	return y, m, d, s, parts, true
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// daysOf counts days since 1970-01-01 in the proleptic Gregorian calendar.
func daysOf(y, m, d int) (int64, bool) {
	if m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, false
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if t.Day() != d || t.Month() != time.Month(m) {
		return 0, false
	}
	sec := t.Unix()
	days := sec / 86400
	if sec%86400 < 0 {
		days--
	}
	return days, true
}

// parseTimestamp reads a timestamp as Spark's cast does, in microseconds; with
// zoned the text's or else the given zone counts, without it a zone in the
// text is cut off.
func parseTimestamp(s, zone string, zoned bool, now time.Time) (int64, bool) {
	s = strings.TrimSpace(s)
	if days, ok := namedDay(s, now, zone); ok {
		return instantOf(days, 0, zone)
	}
	if strings.EqualFold(s, "now") {
		return now.UnixMicro(), true
	}
	y, m, d, rest, parts, ok := datePart(s)
	if !ok {
		return 0, false
	}
	days, ok := daysOf(y, m, d)
	if !ok {
		return 0, false
	}
	var us int64
	if rest != "" {
		if parts < 3 || rest[0] != 'T' && rest[0] != ' ' {
			return 0, false
		}
		tz := ""
		if us, tz, ok = timePart(rest[1:]); !ok {
			return 0, false
		}
		if tz = strings.TrimSpace(tz); tz != "" {
			if _, err := location(tz); err != nil {
				return 0, false
			}
			if zoned {
				zone = tz
			}
		}
	}
	if !zoned {
		return days*86400e6 + us, true
	}
	return instantOf(days, us, zone)
}

func namedDay(s string, now time.Time, zone string) (int64, bool) {
	switch strings.ToLower(s) {
	case "epoch", "today", "tomorrow", "yesterday":
		return parseDate(s, now, zone)
	}
	return 0, false
}

// timePart reads h[:m[:s[.f]]] and gives what follows.
func timePart(s string) (us int64, rest string, ok bool) {
	units := []struct{ max, us int64 }{{23, 3600e6}, {59, 60e6}, {59, 1e6}}
	if s == "" {
		return 0, "", true
	}
	for i, u := range units {
		n := digits(s)
		if n < 1 || n > 2 {
			return 0, "", false
		}
		v, _ := strconv.ParseInt(s[:n], 10, 64)
		if v > u.max {
			return 0, "", false
		}
		us += v * u.us
		s = s[n:]
		if i < 2 && strings.HasPrefix(s, ":") {
			s = s[1:]
			continue
		}
		break
	}
	if strings.HasPrefix(s, ".") {
		n := digits(s[1:])
		frac := (s[1:1+n] + "000000")[:6]
		v, err := strconv.ParseInt(frac, 10, 64)
		if err != nil {
			return 0, "", false
		}
		us += v
		s = s[1+n:]
	}
	return us, s, true
}

// location loads a zone: an IANA name, "Z", "UTC+01:00", "+01:00", "+1".
func location(zone string) (*time.Location, error) {
	z := zone
	if strings.EqualFold(z, "z") || z == "" {
		return time.UTC, nil
	}
	for _, p := range []string{"UTC", "GMT", "UT"} {
		if strings.HasPrefix(z, p) {
			if z = z[len(p):]; z == "" {
				return time.UTC, nil
			}
			break
		}
	}
	if z[0] != '+' && z[0] != '-' {
		return time.LoadLocation(zone)
	}
	var f [3]int
	for i, t := range strings.Split(z[1:], ":") {
		n, err := strconv.Atoi(t)
		if i > 2 || err != nil || len(t) > 2 && i > 0 {
			return nil, errInterval
		}
		f[i] = n
	}
	if !strings.Contains(z, ":") && len(z) == 5 { // +0100
		f[0], f[1] = f[0]/100, f[0]%100
	}
	sec := f[0]*3600 + f[1]*60 + f[2]
	if sec > 18*3600 || f[1] > 59 {
		return nil, errInterval
	}
	if z[0] == '-' {
		sec = -sec
	}
	return time.FixedZone(zone, sec), nil
}

// instantOf turns local time into an instant: in a gap it moves forward, in an
// overlap the earlier offset counts.
func instantOf(days, us int64, zone string) (int64, bool) {
	loc, err := location(zone)
	if err != nil {
		return 0, false
	}
	local := days*86400 + us/1e6
	_, before := time.Unix(local-86400, 0).In(loc).Zone()
	_, after := time.Unix(local+86400, 0).In(loc).Zone()
	for _, off := range []int{before, after} {
		if _, got := time.Unix(local-int64(off), 0).In(loc).Zone(); got == off {
			return (local-int64(off))*1e6 + us%1e6, true
		}
	}
	return (local-int64(before))*1e6 + us%1e6, true
}
