package kernel

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// vectorOp makes vector_norm, and vector_normalize, which divides a vector by
// its norm: NULL where an element is, and for a norm of 0.
func vectorOp(function string, value func(v []float32, norm float32) any) maker {
	return func(g *sig) (kernel, error) {
		var p failing
		if err := g.param(&p); err != nil {
			return kernel{}, err
		}
		return rowKernel(g, p, func(r *row) (any, error) {
			degree := r.double(1)
			if degree != 1 && degree != 2 && !math.IsInf(degree, 1) {
				return nil, raisef("INVALID_VECTOR_NORM_DEGREE", "22023", "The degree of `%s` is 1.0, 2.0 or float('inf'), not %s.", function, cast.AppendFloat(nil, float32(degree)))
			}
			v, ok := list(r, 0, at[float32])
			if !ok {
				return nil, nil
			}
			return value(v, vectorNorm(v, degree)), nil
		}), nil
	}
}

// vectorNorm is the norm of degree 1, 2 or infinity, summed in 32 bits as Spark
// does.
func vectorNorm(v []float32, degree float64) float32 {
	norm := float32(0)
	for _, x := range v {
		switch abs := float32(math.Abs(float64(x))); degree {
		case 1:
			norm += abs
		case 2:
			norm += abs * abs
		default:
			norm = max(norm, abs)
		}
	}
	if degree == 2 {
		norm = float32(math.Sqrt(float64(norm)))
	}
	return norm
}

func normOf(_ []float32, norm float32) any { return float64(norm) }

func normalized(v []float32, norm float32) any {
	if norm == 0 && len(v) > 0 {
		return nil
	}
	return anys(v, func(x float32) any { return float64(x / norm) })
}

// timeBucket is the start of the bucket that a time falls into: buckets of
// Months, or of Micros, counted from Origin (microseconds; without one, from
// 1970), by the clock of Zone where Local says so.
func timeBucket(g *sig) (kernel, error) {
	var p struct {
		Months, Micros int64
		Origin         *int64
		Local          bool
		Zone           string
	}
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	zone, err := zoneParam{Zone: p.Zone}.load()
	if err != nil {
		return kernel{}, err
	}
	if p.Months <= 0 && p.Micros <= 0 || len(g.args) != 1 {
		return kernel{}, errShape
	}
	origin := int64(0)
	if p.Origin != nil {
		if origin = *p.Origin; p.Local {
			origin = zone.Local(origin)
		}
	}
	return rowKernel(g, failing{}, func(r *row) (any, error) {
		us, zone := r.long(0), zone.Clone() // it holds a cache of its own
		if p.Local {
			us = zone.Local(us)
		}
		if p.Months > 0 {
			us = monthBucket(us, origin, p.Months)
		} else {
			us -= floorMod(us-origin, p.Micros)
		}
		if p.Local {
			us = zone.Instant(us)
		}
		return us, nil
	}), g.want(g.args[0].ID, g.args[0].ID)
}

func floorMod(a, b int64) int64 {
	m := a % b
	if m < 0 {
		m += b
	}
	return m
}

// monthBucket steps whole buckets of months from the origin.
func monthBucket(us, origin, months int64) int64 {
	y, m, _, _ := civilOf(us)
	oy, om, od, clock := civilOf(origin)
	n := (y*12 + m) - (oy*12 + om)
	n -= floorMod(n, months)
	for {
		at := addMonths(oy, om, od, clock, n)
		if at <= us {
			return at
		}
		n -= months
	}
}

const microsPerDay = 86_400_000_000

// civilOf splits microseconds into year, month of 0, day and clock.
func civilOf(us int64) (year, month, day, clock int64) {
	clock = floorMod(us, microsPerDay)
	z := (us-clock)/microsPerDay + 719468
	doe := floorMod(z, 146097)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	year, month, day = (z-doe)/146097*400+yoe, mp+2, doy-(153*mp+2)/5+1
	if month > 11 {
		year, month = year+1, month-12
	}
	return year, month, day, clock
}

// addMonths keeps the day, or the month's last one.
func addMonths(y, m, d, clock, n int64) int64 {
	all := y*12 + m + n
	y, m = (all-floorMod(all, 12))/12, floorMod(all, 12)
	days := int64(31)
	switch m {
	case 3, 5, 8, 10:
		days = 30
	case 1:
		days = 28
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			days = 29
		}
	}
	d = min(d, days)
	if m < 2 {
		y, m = y-1, m+12
	}
	yoe := floorMod(y, 400)
	doy := (153*(m-2)+2)/5 + d - 1
	return ((y-yoe)/400*146097+yoe*365+yoe/4-yoe/100+doy-719468)*microsPerDay + clock
}

// sentences splits a text into sentences and those into words, by the rules of
// Java's BreakIterator for languages with blanks between words.
func sentences(g *sig) (kernel, error) {
	return rowKernel(g, failing{}, func(r *row) (any, error) {
		out := []any{}
		rest := string(r.bytes(0))
		for rest != "" {
			n := sentenceEnd(rest)
			if words := wordsOf(rest[:n]); n < len(rest) || len(words) > 0 || strings.TrimSpace(rest[:n]) != "" {
				out = append(out, words)
			}
			rest = rest[n:]
		}
		return out, nil
	}), g.want(duckdb.TypeList, duckdb.TypeVarchar)
}

// sentenceEnd is the length of the first sentence with the blanks behind it: a
// period ends one before a blank unless a small letter or a digit follows, a
// question or exclamation mark always does.
func sentenceEnd(s string) int {
	for i, c := range s {
		if c == '\u2029' {
			return i + utf8.RuneLen(c)
		}
		if !strings.ContainsRune(".?!。！？", c) {
			continue
		}
		n := i + utf8.RuneLen(c)
		n += len(s[n:]) - len(strings.TrimLeftFunc(s[n:], func(r rune) bool {
			return strings.ContainsRune(".?!。！？\"')]}»”’", r)
		}))
		after := strings.TrimLeftFunc(s[n:], unicode.IsSpace)
		blank := len(s) - len(after)
		if c != '.' {
			return blank
		}
		opened := strings.TrimLeftFunc(after, func(r rune) bool { return strings.ContainsRune("\"'([{«“‘", r) })
		next, _ := utf8.DecodeRuneInString(opened)
		goesOn := unicode.IsDigit(next) || unicode.IsLower(next) && opened == after
		if after == "" || blank > n && !goesOn {
			return blank
		}
	}
	return len(s)
}

// wordsOf lists the words that begin with a letter or digit.
func wordsOf(s string) []any {
	out := []any{}
	runes := []rune(s)
	letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) || r == '_' }
	for i := 0; i < len(runes); {
		start := i
		if (unicode.Is(unicode.Sc, runes[i]) || runes[i] == '#') && i+1 < len(runes) && unicode.IsDigit(runes[i+1]) {
			i++ // a number with its sign, which is no word
		} else if !letter(runes[i]) && !unicode.IsDigit(runes[i]) {
			i++
			continue
		}
		for i++; i < len(runes); i++ {
			c := runes[i]
			if letter(c) || unicode.IsDigit(c) {
				continue
			}
			if i+1 >= len(runes) {
				break
			}
			before, after := runes[i-1], runes[i+1]
			inWord := letter(before) && letter(after) && (unicode.Is(unicode.Pd, c) || strings.ContainsRune("\u00ad\u2027\"'.", c))
			inNumber := unicode.IsDigit(before) && unicode.IsDigit(after) && strings.ContainsRune("\"',.\u066b", c)
			if !inWord && !inNumber {
				break
			}
		}
		if i < len(runes) && unicode.IsDigit(runes[i-1]) && strings.ContainsRune("%¢‰‱", runes[i]) {
			i++
		}
		if unicode.IsLetter(runes[start]) || unicode.IsDigit(runes[start]) {
			out = append(out, string(runes[start:i]))
		}
	}
	return out
}
