package cast

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// ClockTime reads h:m[:s[.f]] [AM|PM] as Spark's cast to TIME does, in
// microseconds of the day; digits beyond them are cut off.
func ClockTime(b []byte) (int64, bool) {
	s := strings.ToUpper(string(bytes.TrimPrefix(Trim(b), []byte("T"))))
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

// Today reads a time without a date, which stands on the current day.
func Today(b []byte, z *Zone, zones *Zones) (int64, bool) {
	t, own, ok := TimeOfDay(b, zones)
	if !ok {
		return 0, false
	}
	if own != nil {
		z = own
	}
	c := CivilOf(z.Local(time.Now().UnixMicro()))
	return z.Instant(Days(c.Year, c.Month, c.Day)*microsPerDay + t), true
}
