package cast

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Families of refused patterns; the texts are those of Spark's error classes.
var (
	ErrPattern         = errors.New("INVALID_DATETIME_PATTERN.WITH_SUGGESTION")
	ErrPatternLength   = errors.New("INVALID_DATETIME_PATTERN.LENGTH")
	ErrPatternLetter   = errors.New("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER")
	ErrPatternChanged  = errors.New("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION")
	ErrPatternWeekBase = errors.New("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN")
)

// Pattern is a compiled pattern of date_format and to_timestamp. It is
// immutable and safe for concurrent use.
type Pattern struct {
	text   string
	ops    []dateOp
	ends   []int      // of each opening bracket's op: the op of its closing one
	legacy bool       // by SimpleDateFormat's rules
	never  bool       // no text has it
	names  *dateNames // nil is English
}

// dateOp is a letter with its count, a literal (f 0), or a bracket.
type dateOp struct {
	f       byte
	n       int
	lit     string
	reserve int // digits that fixed-width neighbours behind need
}

// maxCount is how often a letter may stand, for those that Java knows.
var maxCount = map[byte]int{
	'G': 4, 'y': 6, 'M': 4, 'L': 4, 'd': 2, 'D': 3, 'E': 4, 'F': 1, 'a': 1, 'h': 2, 'H': 2, 'k': 2, 'K': 2, 'm': 2,
	's': 2, 'S': 9, 'g': 19, 'Q': 4, 'q': 4, 'V': 2, 'v': 4, 'z': 4, 'O': 4, 'X': 5, 'x': 5, 'Z': 5,
}

// CompilePattern checks a pattern for formatting or for parsing.
// What SimpleDateFormat takes instead has changed its meaning.
func CompilePattern(text string, parsing bool) (*Pattern, error) {
	p := &Pattern{text: text}
	if err := p.compile(parsing); err != nil {
		if errors.Is(err, ErrPattern) || errors.Is(err, ErrPatternWeekBase) {
			if _, legacyErr := CompileLegacyPattern(text); legacyErr == nil {
				err = ErrPatternChanged
			}
		}
		return nil, fmt.Errorf("%w: pattern '%s'", err, text)
	}
	p.link()
	return p, nil
}

// CompileReading is CompilePattern for the options of documents: there a
// malformed pattern is one that no value has. What SimpleDateFormat takes stays
// an error.
func CompileReading(text string) (*Pattern, error) {
	p, err := CompilePattern(text, true)
	if err != nil && !errors.Is(err, ErrPatternChanged) {
		return &Pattern{text: text, never: true}, nil
	}
	return p, err
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// weekBased looks for letters that count weeks, and for some that Spark never
// takes, between the quotes as Spark sees them.
func weekBased(text string) error {
	for i, part := range strings.Split(text, "'") {
		if i%2 == 1 {
			continue
		}
		for k := range len(part) {
			switch part[k] {
			case 'Y', 'W', 'w', 'u', 'e', 'c':
				return ErrPatternWeekBase
			case 'A', 'B', 'n', 'N', 'p':
				return ErrPatternLetter
			}
		}
	}
	return nil
}

func (p *Pattern) compile(parsing bool) error {
	text := p.text
	if err := weekBased(text); err != nil {
		return err
	}
	depth := 0
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\'':
			lit, next, ok := quoted(text, i)
			if !ok {
				return ErrPattern
			}
			if lit == "" {
				lit = "'"
			}
			p.literal(lit)
			i = next
			continue
		case c == '[' || c == ']':
			if depth++; c == ']' {
				if depth -= 2; depth < 0 {
					return ErrPattern
				}
			}
			p.ops = append(p.ops, dateOp{f: c})
			i++
			continue
		case c == '#' || c == '{' || c == '}':
			return ErrPattern
		case !isLetter(c):
			p.literal(text[i : i+1])
			i++
			continue
		}
		n := 1
		for i+n < len(text) && text[i+n] == c {
			n++
		}
		if err := checkLetter(c, n, parsing); err != nil {
			return err
		}
		p.ops = append(p.ops, dateOp{f: c, n: n})
		i += n
	}
	return nil
}

func (p *Pattern) literal(s string) {
	if k := len(p.ops) - 1; k >= 0 && p.ops[k].f == 0 {
		p.ops[k].lit += s
		return
	}
	p.ops = append(p.ops, dateOp{lit: s})
}

// quoted reads '...' from i on, in which two quotes stand for one; nothing
// between two quotes is a quote, as the caller says.
func quoted(text string, i int) (lit string, next int, ok bool) {
	var b strings.Builder
	for j := i + 1; j < len(text); j++ {
		if text[j] == '\'' {
			if j+1 >= len(text) || text[j+1] != '\'' {
				return b.String(), j + 1, true
			}
			j++
		}
		b.WriteByte(text[j])
	}
	return "", 0, false
}

func checkLetter(c byte, n int, parsing bool) error {
	switch c {
	case 'E', 'F':
		if parsing {
			return ErrPattern
		}
	case 'Q', 'q':
		if parsing {
			return ErrPatternLetter
		}
	}
	limit, ok := maxCount[c]
	if n > limit && (c == 'Q' || c == 'q') {
		return ErrPatternLength
	}
	if !ok || n > limit || c == 'V' && n != 2 || (c == 'O' || c == 'v') && n != 1 && n != 4 {
		return ErrPattern
	}
	return nil
}

// link works out brackets and the digits that neighbours reserve.
func (p *Pattern) link() {
	p.ends = make([]int, len(p.ops))
	var open []int
	for i := range p.ops {
		switch p.ops[i].f {
		case '[':
			open = append(open, i)
		case ']':
			if k := len(open); k > 0 {
				p.ends[open[k-1]] = i
				open = open[:k-1]
			}
		}
	}
	for _, i := range open { // Java closes them at the end
		p.ends[i] = len(p.ops)
	}
	for i := range p.ops {
		if lo, hi := p.ops[i].digits(); lo == 0 || lo == hi {
			continue
		}
		for _, o := range p.ops[i+1:] {
			lo, hi := o.digits()
			if lo == 0 || lo != hi {
				break
			}
			p.ops[i].reserve += lo
		}
	}
}

// digits are the least and most digits of a numeric field, 0 for others.
func (o *dateOp) digits() (lo, hi int) {
	switch o.f {
	case 'y':
		if o.n == 2 {
			return 2, 2
		}
		return o.n, 19
	case 'M', 'L':
		if o.n > 2 {
			return 0, 0
		}
	case 'D':
		if o.n == 2 {
			return 2, 3
		}
	case 'd', 'h', 'H', 'k', 'K', 'm', 's':
	default:
		return 0, 0
	}
	if o.n == 1 {
		return 1, 19
	}
	return o.n, o.n
}

var months = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
var weekdays = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// Append formats the instant us as wall time of zone.
func (p *Pattern) Append(b []byte, us int64, zone *Zone) []byte {
	if p.legacy {
		return p.appendLegacy(b, us, zone)
	}
	c := CivilOf(zone.Local(us))
	for k := range p.ops {
		o := &p.ops[k]
		switch o.f {
		case 0:
			b = append(b, o.lit...)
		case '[', ']':
		case 'z', 'v', 'V', 'O', 'X', 'x', 'Z':
			b = appendZone(b, o, us, zone)
		case 'y':
			b = appendYear(b, p.yearOf(&c), o.n)
		case 'G', 'M', 'L', 'E', 'a', 'Q', 'q':
			b = appendName(b, o, &c, p.words())
		case 'g': // the modified Julian day
			b = pad(b, int(floorDiv(zone.Local(us), microsPerDay))+40587, o.n)
		case 'S':
			var t [9]byte
			for i, v := 8, c.Micro*1000; i >= 0; i-- {
				t[i] = byte('0' + v%10)
				v /= 10
			}
			b = append(b, t[:o.n]...)
		default:
			b = pad(b, c.number(o.f), o.n)
		}
	}
	return b
}

func (c *Civil) number(f byte) int {
	switch f {
	case 'd':
		return c.Day
	case 'D':
		return c.YearDay
	case 'F':
		return (c.Day-1)%7 + 1
	case 'H':
		return c.Hour
	case 'k':
		return (c.Hour+23)%24 + 1
	case 'K':
		return c.Hour % 12
	case 'h':
		return (c.Hour+11)%12 + 1
	case 'm':
		return c.Min
	}
	return c.Sec
}

// yearOf is what y prints: the year of the era in a pattern with G, else the
// proleptic year, which is 0 and below before the era.
func (p *Pattern) yearOf(c *Civil) int {
	if c.Year <= 0 && slices.ContainsFunc(p.ops, func(o dateOp) bool { return o.f == 'G' }) {
		return 1 - c.Year
	}
	return c.Year
}

func appendYear(b []byte, y, n int) []byte {
	if n == 2 {
		return pad(b, abs(y)%100, 2)
	}
	if n == 1 {
		return pad(b, y, 1)
	}
	limit := 1
	for range n {
		limit *= 10
	}
	if n >= 4 && y >= limit {
		b = append(b, '+')
	}
	return pad(b, y, n)
}

func abs(x int) int { return max(x, -x) }

func appendName(b []byte, o *dateOp, c *Civil, names *dateNames) []byte {
	switch o.f {
	case 'G':
		switch {
		case o.n == 4 && c.Year > 0:
			return append(b, "Anno Domini"...)
		case o.n == 4:
			return append(b, "Before Christ"...)
		case c.Year > 0:
			return append(b, "AD"...)
		}
		return append(b, "BC"...)
	case 'M', 'L':
		if o.n > 2 {
			return append(b, names.month(o)[c.Month-1]...)
		}
		return pad(b, c.Month, o.n)
	case 'E':
		if o.n == 4 {
			return append(b, names.days[c.Weekday]...)
		}
		return append(b, names.shortDays[c.Weekday]...)
	case 'a':
		if c.Hour < 12 {
			return append(b, "AM"...)
		}
		return append(b, "PM"...)
	}
	q := (c.Month-1)/3 + 1
	switch o.n {
	case 3:
		return append(b, 'Q', byte('0'+q))
	case 4:
		return append(b, [...]string{"1st", "2nd", "3rd", "4th"}[q-1]+" quarter"...)
	}
	return pad(b, q, o.n)
}

func appendZone(b []byte, o *dateOp, us int64, zone *Zone) []byte {
	off := int(zone.offsetAt(floorDiv(us, 1_000_000)))
	switch o.f {
	case 'V':
		return append(b, zone.name...)
	case 'z':
		return append(b, zone.label(us, o.n == 4)...)
	case 'v':
		return append(b, zone.generic(o.n == 4)...)
	case 'O':
		return appendGMT(b, off, o.n)
	case 'Z':
		switch o.n {
		case 4:
			return appendGMT(b, off, 4)
		case 5:
			return appendOffset(b, off, 5, true)
		}
		return appendOffset(b, off, 2, false)
	case 'X':
		return appendOffset(b, off, o.n, true)
	}
	return appendOffset(b, off, o.n, false)
}

func appendGMT(b []byte, off, n int) []byte {
	b = append(b, "GMT"...)
	if off == 0 {
		return b
	}
	sign := byte('+')
	if off < 0 {
		sign, off = '-', -off
	}
	b = append(b, sign)
	if n == 4 {
		b = pad(b, off/3600, 2)
	} else {
		b = pad(b, off/3600, 1)
	}
	if m := off / 60 % 60; m != 0 || n == 4 {
		b = pad(append(b, ':'), m, 2)
	}
	return b
}

// appendOffset writes forms 1 to 5 of X: +HHmm if minutes, +HHmm, +HH:mm,
// +HHmmss, +HH:mm:ss, the last two with seconds only where there are some.
func appendOffset(b []byte, off, n int, z bool) []byte {
	if off == 0 && z {
		return append(b, 'Z')
	}
	sign := byte('+')
	if off < 0 {
		sign, off = '-', -off
	}
	b = pad(append(b, sign), off/3600, 2)
	m, s := off/60%60, off%60
	if n == 1 && m == 0 {
		return b
	}
	colon := n == 3 || n == 5
	if colon {
		b = append(b, ':')
	}
	b = pad(b, m, 2)
	if n >= 4 && s != 0 {
		if colon {
			b = append(b, ':')
		}
		b = pad(b, s, 2)
	}
	return b
}

// AppendISO writes 2024-01-02T03:04:05.678, and the zone's offset if wanted.
func AppendISO(b []byte, us int64, zone *Zone, offset bool) []byte {
	c := CivilOf(zone.Local(us))
	b = append(appendDay(b, &c), 'T')
	b = append(pad(b, c.Hour, 2), ':')
	b = append(pad(b, c.Min, 2), ':')
	b = append(pad(b, c.Sec, 2), '.')
	b = pad(b, c.Micro/1000, 3)
	if !offset {
		return b
	}
	return appendOffset(b, int(zone.offsetAt(floorDiv(us, 1_000_000))), 5, true)
}
