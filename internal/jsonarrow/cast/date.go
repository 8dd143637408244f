package cast

import "math"

// Civil is a wall time in its fields.
type Civil struct {
	Year, Month, Day, YearDay, Weekday int // Monday is 0
	Hour, Min, Sec, Micro              int
}

// CivilOf splits a wall time in microseconds.
func CivilOf(us int64) Civil {
	d := floorDiv(us, microsPerDay)
	t := us - d*microsPerDay
	c := civilDay(d)
	c.Micro = int(t % 1_000_000)
	s := int(t / 1_000_000)
	c.Hour, c.Min, c.Sec = s/3600, s/60%60, s%60
	return c
}

// civilDay is the start of the day d days after 1970-01-01.
func civilDay(d int64) (c Civil) {
	c.Weekday = int(((d+3)%7 + 7) % 7)
	z := d + 719468 // days since 0000-03-01
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	c.Day = int(doy - (153*mp+2)/5 + 1)
	c.Month = int(mp + 3)
	c.Year = int(yoe + era*400)
	if c.Month > 12 {
		c.Month -= 12
		c.Year++
	}
	c.YearDay = int(doy) - 305 // doy counts from 1 March
	if mp < 10 {
		c.YearDay = int(doy) + 60
		if leap(c.Year) {
			c.YearDay++
		}
	}
	return c
}

func leap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func monthDays(y, m int) int {
	if m == 2 {
		if leap(y) {
			return 29
		}
		return 28
	}
	return 30 + (m+m>>3)&1
}

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
func Days(y, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := floorDiv(int64(y), 400)
	yoe := int64(y) - era*400
	doy := int64((153*((m+9)%12)+2)/5 + d - 1)
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

func validDate(y, m, d int) bool {
	return m >= 1 && m <= 12 && d >= 1 && d <= monthDays(y, m)
}

// scanDate reads [+-]yyyy[y..][-[m]m[-[d]d]] and gives what follows.
func scanDate(b []byte) (y, m, d int, rest []byte, ok bool) {
	neg := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		b = b[1:]
	}
	part := [3]int{0, 1, 1}
	for i := range part {
		n, v := 0, 0
		for n < len(b) && b[n]-'0' < 10 && n < 8 {
			v = v*10 + int(b[n]-'0')
			n++
		}
		if i == 0 && (n < 4 || n > 7) || i > 0 && (n < 1 || n > 2) {
			return 0, 0, 0, nil, false
		}
		part[i], b = v, b[n:]
		if i == 2 || len(b) == 0 {
			break
		}
		if b[0] != '-' { // nothing may follow a year or a month
			return 0, 0, 0, nil, false
		}
		b = b[1:]
	}
	if neg {
		part[0] = -part[0]
	}
	return part[0], part[1], part[2], b, validDate(part[0], part[1], part[2])
}

// Date reads a DATE: the date and, after a space or T, anything.
func Date(b []byte) (int32, bool) {
	y, m, d, rest, ok := scanDate(Trim(b))
	if !ok || len(rest) > 0 && rest[0] != ' ' && rest[0] != 'T' {
		return 0, false
	}
	days := Days(y, m, d)
	return int32(days), days == int64(int32(days))
}

// isoStamp reads yyyy-MM-dd?HH:mm:ss with an optional fraction, the form of
// nearly every reading, without the general reader's care.
func isoStamp(b []byte) (us int64, rest []byte, ok bool) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[10] != 'T' && b[10] != ' ' || b[13] != ':' || b[16] != ':' {
		return 0, nil, false
	}
	var bad byte
	two := func(i int) int {
		x, y := b[i]-'0', b[i+1]-'0'
		if x > 9 || y > 9 {
			bad = 1
		}
		return int(x)*10 + int(y)
	}
	y, m, d := two(0)*100+two(2), two(5), two(8)
	h, mi, s := two(11), two(14), two(17)
	if bad != 0 || !validDate(y, m, d) || h > 23 || mi > 59 || s > 59 {
		return 0, nil, false
	}
	us = Days(y, m, d)*microsPerDay + (int64(h)*3600+int64(mi)*60+int64(s))*1_000_000
	rest = b[19:]
	if len(rest) > 0 && rest[0] == '.' {
		rest = rest[1:]
		for scale := int64(100_000); len(rest) > 0 && rest[0]-'0' < 10; scale /= 10 {
			us += int64(rest[0]-'0') * scale
			rest = rest[1:]
		}
	}
	return us, rest, len(rest) == 0 || rest[0]-'0' > 9
}

// Timestamp reads a TIMESTAMP as CAST does. Text without a zone is wall time
// in zone. A time without a date is refused.
func Timestamp(b []byte, zone *Zone, zones *Zones) (int64, bool) {
	local, id, ok := stamp(b)
	if !ok {
		return 0, false
	}
	if id != nil {
		if zone = zones.Load(id); zone == nil {
			return 0, false
		}
	}
	us := zone.Instant(local)
	// Beyond the range of 64 bits an offset wraps around.
	return us, (local < 1<<62 || us > 0) && (local > -1<<62 || us < 0)
}

// TimestampNTZ reads a TIMESTAMP_NTZ. With zones allowed one is checked and
// forgotten, as CAST does; else it makes the text malformed.
func TimestampNTZ(b []byte, allowZone bool, zones *Zones) (int64, bool) {
	local, id, ok := stamp(b)
	if !ok || id != nil && (!allowZone || zones.Load(id) == nil) {
		return 0, false
	}
	return local, true
}

// stamp gives the wall time and the text of the zone, nil if there is none.
func stamp(b []byte) (us int64, id []byte, ok bool) {
	b = Trim(b)
	us, rest, ok := isoStamp(b)
	if !ok {
		y, m, d, r, ok := scanDate(b)
		if !ok {
			return 0, nil, false
		}
		t := int64(0)
		if len(r) > 0 {
			if r[0] != ' ' && r[0] != 'T' {
				return 0, nil, false
			}
			if t, r, ok = scanTime(r[1:]); !ok {
				return 0, nil, false
			}
		}
		if us, ok = micros(Days(y, m, d), t); !ok {
			return 0, nil, false
		}
		rest = r
	}
	if len(rest) == 0 {
		return us, nil, true
	}
	id = Trim(rest)
	return us, id, len(id) > 0
}

// micros is days and a time of day in microseconds, if 64 bits hold it.
func micros(days, t int64) (int64, bool) {
	const most = math.MaxInt64 / microsPerDay
	switch {
	case days > most || days < -most-1, days == most && t > math.MaxInt64-most*microsPerDay:
		return 0, false
	case days == -most-1:
		return (days+1)*microsPerDay + (t - microsPerDay), t-microsPerDay >= math.MinInt64+most*microsPerDay
	}
	return days*microsPerDay + t, true
}

// TimeOfDay reads a time without a date, [T]h:m[:s[.f]] and a zone: it is a
// TIMESTAMP of the current day in Spark. The zone is nil without one.
func TimeOfDay(b []byte, zones *Zones) (us int64, zone *Zone, ok bool) {
	b = Trim(b)
	if len(b) > 0 && b[0] == 'T' {
		b = b[1:]
	} else if len(b) < 2 || b[1] != ':' && (len(b) < 3 || b[2] != ':') {
		return 0, nil, false
	}
	us, rest, ok := scanTime(b)
	if !ok {
		return 0, nil, false
	}
	if len(rest) > 0 {
		if zone = zones.Load(Trim(rest)); zone == nil {
			return 0, nil, false
		}
	}
	return us, zone, true
}

// scanTime reads [h]h:[m]m[:[s]s[.fraction]] (a part left out is zero, as a
// trailing one may be in Spark) and gives what follows.
func scanTime(b []byte) (us int64, rest []byte, ok bool) {
	var part [3]int
	for i := range part {
		n, v := 0, 0
		for n < len(b) && b[n]-'0' < 10 && n < 3 {
			v = v*10 + int(b[n]-'0')
			n++
		}
		if n < 1 || n > 2 {
			return 0, nil, false
		}
		part[i], b = v, b[n:]
		if i == 2 || len(b) == 0 || b[0] != ':' {
			break
		}
		b = b[1:]
	}
	if part[0] > 23 || part[1] > 59 || part[2] > 59 {
		return 0, nil, false
	}
	us = (int64(part[0])*3600 + int64(part[1])*60 + int64(part[2])) * 1_000_000
	if len(b) > 0 && b[0] == '.' {
		b = b[1:]
		for scale := int64(100_000); len(b) > 0 && b[0]-'0' < 10; scale /= 10 {
			us += int64(b[0]-'0') * scale
			b = b[1:]
		}
	}
	return us, b, true
}

// AppendDate writes a date as CAST to STRING does.
func AppendDate(b []byte, days int32) []byte {
	c := civilDay(int64(days))
	return appendDay(b, &c)
}

func appendDay(b []byte, c *Civil) []byte {
	y := c.Year
	if y > 9999 {
		b = append(b, '+')
	}
	b = append(pad(b, y, 4), '-')
	b = append(pad(b, c.Month, 2), '-')
	return pad(b, c.Day, 2)
}

// AppendTimestamp writes a wall time as CAST to STRING does: the fraction
// without trailing zeros.
func AppendTimestamp(b []byte, local int64) []byte {
	c := CivilOf(local)
	b = append(appendDay(b, &c), ' ')
	b = append(pad(b, c.Hour, 2), ':')
	b = append(pad(b, c.Min, 2), ':')
	b = pad(b, c.Sec, 2)
	if c.Micro == 0 {
		return b
	}
	b = pad(append(b, '.'), c.Micro, 6)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// pad writes v with at least n digits.
func pad(b []byte, v, n int) []byte {
	if n == 2 && uint(v) < 100 {
		return append(b, byte('0'+v/10), byte('0'+v%10))
	}
	if v < 0 {
		b = append(b, '-')
		v = -v
	}
	var t [20]byte
	i := len(t)
	for v > 0 || n > 0 {
		i--
		t[i] = byte('0' + v%10)
		v /= 10
		n--
	}
	return append(b, t[i:]...)
}
