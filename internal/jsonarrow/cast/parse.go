package cast

import "strings"

// parsed is what a pattern has read so far; -1 is "not there".
type parsed struct {
	year, month, day, yearDay int
	hour, hour12, min, sec    int
	pm                        int
	era                       int
	nano                      int
	zone                      *Zone
	names                     *dateNames
}

// Parse reads text by the pattern, wholly. The result is the instant, where
// text without a zone is wall time of zone; local is the wall time itself.
func (p *Pattern) Parse(b []byte, zone *Zone, zones *Zones) (us, local int64, ok bool) {
	switch {
	case p.never:
		return 0, 0, false
	case p.legacy:
		return p.parseLegacy(b, zone, zones)
	}
	r := parsed{year: -1 << 40, month: -1, day: -1, yearDay: -1, hour: -1, hour12: -1, min: -1, sec: -1, pm: -1, era: -1, nano: -1, names: p.words()}
	at, ok := p.run(b, 0, 0, len(p.ops), &r, zones)
	if !ok || at != len(b) {
		return 0, 0, false
	}
	local, ok = r.resolve()
	if !ok {
		return 0, 0, false
	}
	if r.zone != nil {
		zone = r.zone
	}
	return zone.Instant(local), local, true
}

// run matches ops from..to at position at of b.
func (p *Pattern) run(b []byte, at, from, to int, r *parsed, zones *Zones) (int, bool) {
	for k := from; k < to; k++ {
		o := &p.ops[k]
		switch o.f {
		case '[':
			saved := *r
			if next, ok := p.run(b, at, k+1, p.ends[k], r, zones); ok {
				at = next
			} else {
				*r = saved
			}
			k = p.ends[k]
			continue
		case ']':
			continue
		case 0:
			if len(b)-at < len(o.lit) || !strings.EqualFold(str(b[at:at+len(o.lit)]), o.lit) {
				return 0, false
			}
			at += len(o.lit)
			continue
		}
		n, ok := r.field(o, b[at:], zones)
		if !ok {
			return 0, false
		}
		at += n
	}
	return at, true
}

// field reads one field at the start of b and gives its length.
func (r *parsed) field(o *dateOp, b []byte, zones *Zones) (int, bool) {
	switch o.f {
	case 'M', 'L':
		if o.n > 2 {
			return r.monthName(r.names.month(o), b)
		}
	case 'a':
		if len(b) < 2 || b[1]|0x20 != 'm' || b[0]|0x20 != 'a' && b[0]|0x20 != 'p' {
			return 0, false
		}
		return 2, set(&r.pm, int(b[0]|0x20-'a')/15)
	case 'G':
		for i, s := range []string{"BC", "AD", "Before Christ", "Anno Domini"} {
			if i/2 == o.n/4 && len(b) >= len(s) && strings.EqualFold(str(b[:len(s)]), s) {
				return len(s), set(&r.era, i%2)
			}
		}
		return 0, false
	case 'S':
		return r.fraction(o.n, b)
	case 'z', 'v', 'V', 'O', 'X', 'x', 'Z':
		n, z := readZone(o, b, zones)
		r.zone = z
		return n, z != nil
	}
	return r.number(o, b)
}

func set(v *int, x int) bool {
	if *v >= 0 && *v != x {
		return false // two fields disagree
	}
	*v = x
	return true
}

func (r *parsed) number(o *dateOp, b []byte) (int, bool) {
	lo, hi := o.digits()
	i, neg, plus := 0, false, false
	if o.f == 'y' && o.n != 2 && len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg, plus = b[0] == '-', b[0] == '+'
		i = 1
	}
	have := 0
	for i+have < len(b) && b[i+have]-'0' < 10 && have < 40 {
		have++
	}
	n := min(hi, have)
	if o.reserve > 0 {
		n = min(hi, max(lo, have-o.reserve))
	}
	if n < lo || n > have || n > 9 {
		return 0, false
	}
	v := 0
	for _, c := range b[i : i+n] {
		v = v*10 + int(c-'0')
	}
	if o.f == 'y' {
		// More digits than the pattern has need a plus, and the other way round.
		if o.n > 2 && (n > o.n && !plus && !neg || n <= o.n && plus) || o.n == 1 && plus {
			return 0, false
		}
		if o.n == 2 {
			v += 2000
		}
		if neg {
			v = -v
		}
		if r.year != -1<<40 && r.year != v {
			return 0, false
		}
		r.year = v
		return i + n, true
	}
	return n, r.put(o.f, v)
}

// put checks the range of a field and keeps it.
func (r *parsed) put(f byte, v int) bool {
	in := func(dst *int, lo, hi, is int) bool { return v >= lo && v <= hi && set(dst, is) }
	switch f {
	case 'M', 'L':
		return in(&r.month, 1, 12, v)
	case 'd':
		return in(&r.day, 1, 31, v)
	case 'D':
		return in(&r.yearDay, 1, 366, v)
	case 'H':
		return in(&r.hour, 0, 23, v)
	case 'k':
		return in(&r.hour, 1, 24, v%24)
	case 'K':
		return in(&r.hour12, 0, 11, v)
	case 'h':
		return in(&r.hour12, 1, 12, v%12)
	case 'm':
		return in(&r.min, 0, 59, v)
	}
	return in(&r.sec, 0, 59, v)
}

func (r *parsed) monthName(names []string, b []byte) (int, bool) {
	for i, m := range names {
		if len(b) >= len(m) && strings.EqualFold(str(b[:len(m)]), m) {
			return len(m), set(&r.month, i+1)
		}
	}
	return 0, false
}

// fraction takes 1 to n digits.
func (r *parsed) fraction(n int, b []byte) (int, bool) {
	i, v := 0, 0
	for i < n && i < len(b) && b[i]-'0' < 10 {
		v = v*10 + int(b[i]-'0')
		i++
	}
	if i == 0 {
		return 0, false
	}
	for range 9 - i {
		v *= 10
	}
	return i, set(&r.nano, v)
}

// readZone reads an offset or a zone's id.
func readZone(o *dateOp, b []byte, zones *Zones) (int, *Zone) {
	at := 0
	switch o.f {
	case 'O':
		if len(b) < 3 || !strings.EqualFold(str(b[:3]), "GMT") {
			return 0, nil
		}
		if at = 3; len(b) == 3 || b[3] != '+' && b[3] != '-' {
			return 3, UTC()
		}
	case 'z', 'v', 'V':
		for at < len(b) && (isLetter(b[at]) || b[at] == '/' || b[at] == '_' || at > 0 && (b[at]-'0' < 10 || b[at] == ':')) ||
			at < len(b) && (b[at] == '+' || b[at] == '-') {
			at++
		}
		if o.f != 'V' {
			if n, z := readZoneName(b, zones); z != nil && n >= at {
				return n, z
			}
		}
		return at, zones.Load(b[:at])
	case 'X', 'Z':
		if len(b) > 0 && b[0]|0x20 == 'z' && (o.f == 'X' || o.n == 5) {
			return 1, UTC()
		}
	}
	if at >= len(b) || b[at] != '+' && b[at] != '-' {
		return 0, nil
	}
	end := at + 1
	for end < len(b) && end-at < 9 && (b[end]-'0' < 10 || b[end] == ':') {
		end++
	}
	colons := strings.Contains(str(b[at:end]), ":")
	want := o.f == 'O' || (o.f == 'X' || o.f == 'x') && (o.n == 3 || o.n == 5) || o.f == 'Z' && o.n >= 4
	if colons != want && end-at > 3 {
		return 0, nil
	}
	return end, zones.Load(b[at:end])
}

// resolve is strict: fields that are missing get Spark's defaults, and a date
// that does not exist is refused.
func (r *parsed) resolve() (int64, bool) {
	or := func(v, def int) int {
		if v < 0 {
			return def
		}
		return v
	}
	y := r.year
	if y == -1<<40 {
		y = 1970
	}
	if r.era == 0 {
		y = 1 - y
	}
	var days int64
	if r.yearDay >= 0 && r.month < 0 && r.day < 0 {
		if r.yearDay == 366 && !leap(y) {
			return 0, false
		}
		days = Days(y, 1, 1) + int64(r.yearDay-1)
	} else {
		m, d := or(r.month, 1), or(r.day, 1)
		if !validDate(y, m, d) {
			return 0, false
		}
		days = Days(y, m, d)
	}
	h := r.hour
	if h < 0 {
		h = or(r.hour12, 0) + 12*or(r.pm, 0)
	} else if r.pm >= 0 && r.pm != h/12 {
		return 0, false
	}
	sec := int64(h)*3600 + int64(or(r.min, 0))*60 + int64(or(r.sec, 0))
	return micros(days, sec*1_000_000+int64(or(r.nano, 0)/1000))
}
