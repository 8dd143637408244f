package cast

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// simpleLetters are the letters of java.text.SimpleDateFormat.
const simpleLetters = "GyYMLwWDdFEuaHkKhmsSzZX"

// CompileLegacyPattern compiles a pattern by the rules of Java's
// SimpleDateFormat, which spark.sql.legacy.timeParserPolicy=LEGACY asks for:
// letters may stand any number of times, numbers may have fewer digits than
// letters, text after the value is ignored, and S are milliseconds.
func CompileLegacyPattern(text string) (*Pattern, error) {
	p := &Pattern{text: text, legacy: true}
	for i := 0; i < len(text); {
		c := text[i]
		if strings.HasPrefix(text[i:], "''") {
			p.literal("'")
			i += 2
			continue
		}
		if c == '\'' {
			lit, next, ok := quoted(text, i)
			if !ok {
				return nil, fmt.Errorf("%w: pattern '%s'", ErrPattern, text)
			}
			p.literal(lit)
			i = next
			continue
		}
		if !isLetter(c) {
			p.literal(text[i : i+1])
			i++
			continue
		}
		n := 1
		for i+n < len(text) && text[i+n] == c {
			n++
		}
		if strings.IndexByte(simpleLetters, c) < 0 || c == 'X' && n > 3 {
			return nil, fmt.Errorf("%w: pattern '%s'", ErrPattern, text)
		}
		p.ops = append(p.ops, dateOp{f: c, n: n})
		i += n
	}
	return p, nil
}

// The days that the Gregorian reform left out, 1582-10-05 to 1582-10-14.
var (
	reformStart = Days(1582, 10, 5)
	reformEnd   = Days(1582, 10, 15)
)

// julianWeekday is the day of the week, Monday is 0, in the calendar before
// the reform.
func julianWeekday(y, m, d int) int {
	if m < 3 {
		y, m = y-1, m+12
	}
	days := int64(365*y) + floorDiv(int64(y), 4) + int64((153*(m-3)+2)/5+d-1) // since 0000-03-01
	return int((days%7 + 7) % 7)
}

// appendLegacy is Append by SimpleDateFormat's rules.
func (p *Pattern) appendLegacy(b []byte, us int64, zone *Zone) []byte {
	local := zone.Local(us)
	day := floorDiv(local, microsPerDay)
	if day >= reformStart && day < reformEnd {
		local += (reformEnd - day) * microsPerDay
	}
	c := CivilOf(local)
	if day < reformStart {
		c.Weekday = julianWeekday(c.Year, c.Month, c.Day)
	}
	for k := range p.ops {
		o := &p.ops[k]
		switch o.f {
		case 0:
			b = append(b, o.lit...)
		case 'G', 'a':
			b = appendName(b, &dateOp{f: o.f, n: 1}, &c, p.words())
		case 'y':
			b = appendEraYear(b, c.Year, o.n)
		case 'Y':
			year, _ := c.weekOfYear()
			b = appendEraYear(b, year, o.n)
		case 'M', 'L', 'E':
			n := min(o.n, 4)
			if o.f == 'E' {
				n = max(n, 3)
			}
			b = appendName(b, &dateOp{f: o.f, n: n}, &c, p.words())
		case 'S':
			b = pad(b, c.Micro/1000, o.n)
		case 'z':
			b = append(b, zone.label(us, o.n >= 4)...)
		case 'Z':
			b = appendOffset(b, int(zone.offsetAt(floorDiv(us, 1_000_000))), 2, false)
		case 'X':
			b = appendOffset(b, int(zone.offsetAt(floorDiv(us, 1_000_000))), o.n, true)
		default:
			b = pad(b, c.legacyNumber(o.f), o.n)
		}
	}
	return b
}

// appendEraYear writes the year of its era, two digits of it for two letters.
func appendEraYear(b []byte, year, n int) []byte {
	if year <= 0 {
		year = 1 - year
	}
	if n == 2 {
		year %= 100
	}
	return pad(b, year, n)
}

func (c *Civil) legacyNumber(f byte) int {
	switch f {
	case 'u':
		return c.Weekday + 1
	case 'F':
		return (c.Day-1)/7 + 1
	case 'w':
		_, week := c.weekOfYear()
		return week
	case 'W':
		first := (c.Weekday + 1 - (c.Day - 1)) % 7 // the month's first day, Sunday is 0
		return (c.Day-1+(first+7)%7)/7 + 1
	}
	return c.number(f)
}

// weekOfYear counts weeks as in the United States: they begin on Sunday, and
// the first one is that of the first of January.
func (c *Civil) weekOfYear() (year, week int) {
	sunday := (c.Weekday + 1) % 7
	saturday := c.YearDay + 6 - sunday
	length := 365
	if leap(c.Year) {
		length = 366
	}
	if saturday > length { // the week of the next first of January
		return c.Year + 1, 1
	}
	first := ((sunday-(c.YearDay-1))%7 + 7) % 7
	return c.Year, (c.YearDay-1+first)/7 + 1
}

// legacyFields are what a legacy pattern has read; absent ones are -1.
type legacyFields struct {
	year, month, day, yearDay, weekday, week int
	weekYear, era                            int
	hour, hour12, min, sec, milli, pm        int
	zone                                     *Zone
}

// absentYear is no year; a text may give negative ones.
const absentYear = math.MinInt32

// parseLegacy is Parse by SimpleDateFormat's rules for strict calendars; what
// follows the value is ignored.
func (p *Pattern) parseLegacy(b []byte, zone *Zone, zones *Zones) (us, local int64, ok bool) {
	f := legacyFields{year: absentYear, weekYear: absentYear, month: -1, day: -1, yearDay: -1, weekday: -1, week: -1, era: -1,
		hour: -1, hour12: -1, min: -1, sec: -1, milli: -1, pm: -1}
	at := 0
	for k := range p.ops {
		o := &p.ops[k]
		if o.f == 0 {
			if !strings.HasPrefix(str(b[at:]), o.lit) {
				return 0, 0, false
			}
			at += len(o.lit)
			continue
		}
		for at < len(b) && (b[at] == ' ' || b[at] == '\t') {
			at++
		}
		abutting := k+1 < len(p.ops) && p.ops[k+1].isLegacyNumber()
		n, ok := f.field(o, b[at:], abutting, zones)
		if !ok {
			return 0, 0, false
		}
		at += n
	}
	local, ok = f.resolve()
	if !ok {
		return 0, 0, false
	}
	if f.zone != nil {
		zone = f.zone
	}
	return zone.Instant(local), local, true
}

func (o *dateOp) isLegacyNumber() bool {
	switch o.f {
	case 0, 'G', 'E', 'a', 'z', 'Z', 'X':
		return false
	case 'M', 'L':
		return o.n <= 2
	}
	return true
}

// field reads one field at the start of b and gives its length.
func (f *legacyFields) field(o *dateOp, b []byte, abutting bool, zones *Zones) (int, bool) {
	switch o.f {
	case 'G':
		n, i := longestName(b, []string{"BC", "AD"})
		f.era = i
		return n, n > 0
	case 'M', 'L':
		if o.n > 2 {
			n, i := longestName(b, months[:])
			f.month = i + 1
			return n, n > 0
		}
	case 'E':
		n, i := longestName(b, weekdays[:])
		f.weekday = i
		return n, n > 0
	case 'a':
		n, i := longestName(b, []string{"AM", "PM"})
		f.pm = i
		return n, n > 0
	case 'z', 'Z':
		n, z := readZone(&dateOp{f: 'z', n: 1}, b, zones)
		f.zone = z
		return n, z != nil
	case 'X':
		n, z := readZone(o, b, zones)
		f.zone = z
		return n, z != nil
	}
	v, n, ok := legacyNumber(b, o.n, abutting)
	if !ok {
		return 0, false
	}
	return n, f.put(o, v, n == 2 && b[0] != '-')
}

// longestName finds a name, or its first three letters, at the start of b.
func longestName(b []byte, names []string) (n, index int) {
	for i, name := range names {
		for _, form := range []string{name, name[:min(3, len(name))]} {
			if len(form) > n && len(b) >= len(form) && strings.EqualFold(str(b[:len(form)]), form) {
				n, index = len(form), i
			}
		}
	}
	return n, index
}

// legacyNumber reads an integer; where another number follows it has exactly
// as many digits as letters.
func legacyNumber(b []byte, letters int, abutting bool) (v, n int, ok bool) {
	if abutting {
		if len(b) < letters {
			return 0, 0, false
		}
		b = b[:letters]
	}
	i := 0
	if len(b) > 0 && b[0] == '-' {
		i = 1
	}
	for n = i; n < len(b) && n < 10 && b[n] >= '0' && b[n] <= '9'; n++ {
		v = v*10 + int(b[n]-'0')
	}
	if n == i {
		return 0, 0, false
	}
	if i == 1 {
		v = -v
	}
	return v, n, true
}

// put keeps a number; pair tells that it is written with two digits.
func (f *legacyFields) put(o *dateOp, v int, pair bool) bool {
	set := func(dst *int, lo, hi, is int) bool {
		*dst = is
		return v >= lo && v <= hi
	}
	switch o.f {
	case 'y', 'Y':
		if o.n <= 2 && pair { // in the century that began 80 years ago
			base := time.Now().Year() - 80
			v += base / 100 * 100
			if v < base {
				v += 100
			}
		}
		dst := &f.year
		if o.f == 'Y' {
			dst = &f.weekYear
		}
		*dst = v
		return true
	case 'M', 'L':
		return set(&f.month, 1, 12, v)
	case 'd':
		return set(&f.day, 1, 31, v)
	case 'D':
		return set(&f.yearDay, 1, 366, v)
	case 'u':
		return set(&f.weekday, 1, 7, v-1)
	case 'w':
		return set(&f.week, 1, 53, v)
	case 'H':
		return set(&f.hour, 0, 23, v)
	case 'k':
		return set(&f.hour, 1, 24, v%24)
	case 'K':
		return set(&f.hour12, 0, 11, v)
	case 'h':
		return set(&f.hour12, 1, 12, v%12)
	case 'm':
		return set(&f.min, 0, 59, v)
	case 's':
		return set(&f.sec, 0, 59, v)
	case 'S':
		return set(&f.milli, 0, 999, v)
	}
	return true // F and W do not decide anything
}

// resolve is the wall time of the fields; absent ones are those of 1970-01-01.
func (f *legacyFields) resolve() (int64, bool) {
	or := func(v, def int) int {
		if v < 0 {
			return def
		}
		return v
	}
	year := f.year
	if year == absentYear {
		year = 1970
	}
	if f.era == 0 {
		year = 1 - year
	}
	var day int64
	switch {
	case f.month < 0 && f.day < 0 && f.week >= 0:
		if f.weekYear != absentYear {
			year = f.weekYear
		}
		first := Days(year, 1, 1)
		sunday := first - ((first+4)%7+7)%7
		day = sunday + int64(f.week-1)*7
		if f.weekday >= 0 {
			day += int64((f.weekday + 1) % 7)
		}
	case f.month < 0 && f.day < 0 && f.yearDay >= 0:
		if f.yearDay == 366 && !leap(year) {
			return 0, false
		}
		day = Days(year, 1, 1) + int64(f.yearDay-1)
	default:
		m, d := or(f.month, 1), or(f.day, 1)
		if !validDate(year, m, d) {
			return 0, false
		}
		day = Days(year, m, d)
	}
	if day >= reformStart && day < reformEnd || f.weekday >= 0 && f.day >= 0 && int64(f.weekday) != ((day+3)%7+7)%7 {
		return 0, false
	}
	h := f.hour
	if h < 0 {
		h = or(f.hour12, 0) + 12*or(f.pm, 0)
	}
	sec := int64(h)*3600 + int64(or(f.min, 0))*60 + int64(or(f.sec, 0))
	return micros(day, sec*1_000_000+int64(or(f.milli, 0))*1000)
}
