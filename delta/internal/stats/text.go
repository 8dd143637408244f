package stats

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Texts of partition values and of statistics are read as Spark casts strings:
// with blanks around them, dates without day or month, years of up to seven
// digits, times with any zone.

// Days reads a date's text as days since the epoch. A time behind it is not
// looked at.
func Days(s string) (int32, error) {
	c := cursor{s: strings.TrimSpace(s)}
	y, m, d, err := c.date()
	if err == nil && c.s != "" && c.s[0] != ' ' && c.s[0] != 'T' {
		err = errText
	}
	if err != nil {
		return 0, fmt.Errorf("no date: %q", s)
	}
	return int32(floorDiv(midnight(y, m, d), secondsOfDay)), nil
}

// Micros reads a timestamp's text as microseconds since the epoch. Text
// without a zone is taken as UTC; zoned false ignores the zone.
func Micros(s string, zoned bool) (int64, error) {
	c := cursor{s: strings.TrimSpace(s)}
	us, err := c.timestamp(zoned)
	if err != nil {
		return 0, fmt.Errorf("no timestamp: %q", s)
	}
	return us, nil
}

// Bool reads a boolean's text.
func Bool(s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "t", "true", "y", "yes", "1":
		return true, nil
	case "f", "false", "n", "no", "0":
		return false, nil
	}
	return false, fmt.Errorf("no boolean: %q", s)
}

// Int reads an integer's text; digits behind a point are cut off.
func Int(s string, bits int) (int64, error) {
	text := strings.TrimSpace(s)
	if whole, rest, ok := strings.Cut(text, "."); ok && strings.Trim(rest, "0123456789") == "" && whole != "" {
		text = whole
	}
	v, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		return 0, fmt.Errorf("no integer of %d bits: %q", bits, s)
	}
	return v, nil
}

// Float reads a float's text.
func Float(s string, bits int) (float64, error) {
	text := strings.TrimSpace(s)
	if n := len(text) - 1; n > 0 && strings.IndexByte("dDfF", text[n]) >= 0 && text[n-1] <= '9' {
		text = text[:n]
	}
	v, err := strconv.ParseFloat(text, bits)
	if err != nil && !math.IsInf(v, 0) || strings.ContainsAny(text, "xX_") {
		return 0, fmt.Errorf("no number: %q", s)
	}
	return v, nil
}

const secondsOfDay = 86400

var errText = fmt.Errorf("malformed text")

// cursor reads a text from the left.
type cursor struct{ s string }

func (c *cursor) skip(b byte) bool {
	if c.s == "" || c.s[0] != b {
		return false
	}
	c.s = c.s[1:]
	return true
}

// number reads a number of low to high digits.
func (c *cursor) number(low, high int) (int, error) {
	n, v := 0, 0
	for n < len(c.s) && c.s[n] >= '0' && c.s[n] <= '9' {
		if n == high {
			return 0, errText
		}
		v = 10*v + int(c.s[n]-'0')
		n++
	}
	if n < low {
		return 0, errText
	}
	c.s = c.s[n:]
	return v, nil
}

// date reads a year, and a month and a day where they are given.
func (c *cursor) date() (y, m, d int, err error) {
	negative := c.skip('-')
	if !negative {
		c.skip('+')
	}
	if y, err = c.number(4, 7); err != nil {
		return 0, 0, 0, err
	}
	if negative {
		y = -y
	}
	m, d = 1, 1
	if c.skip('-') {
		if m, err = c.number(1, 2); err != nil {
			return 0, 0, 0, err
		}
		if c.skip('-') {
			if d, err = c.number(1, 2); err != nil {
				return 0, 0, 0, err
			}
		}
	}
	if t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC); t.Month() != time.Month(m) || t.Day() != d {
		return 0, 0, 0, errText
	}
	return y, m, d, nil
}

func (c *cursor) timestamp(zoned bool) (int64, error) {
	y, m, d, err := c.date()
	if err != nil {
		return 0, err
	}
	us := midnight(y, m, d) * 1_000_000
	if c.s == "" {
		return us, nil
	}
	if !c.skip(' ') && !c.skip('T') {
		return 0, errText
	}
	h, err1 := c.number(1, 2)
	if !c.skip(':') {
		return 0, errText
	}
	minute, err2 := c.number(1, 2)
	sec, frac := 0, 0
	var err3 error
	if c.skip(':') {
		sec, err3 = c.number(1, 2)
		if c.skip('.') {
			frac = c.fraction()
		}
	}
	if err1 != nil || err2 != nil || err3 != nil || h > 23 || minute > 59 || sec > 59 {
		return 0, errText
	}
	us += int64(h*3600+minute*60+sec)*1_000_000 + int64(frac)
	zone := strings.TrimSpace(c.s)
	if zone == "" {
		return us, nil
	}
	east, err := offset(zone, us)
	if err != nil || !zoned {
		return us, err
	}
	return us - east*1_000_000, nil
}

// fraction reads microseconds; further digits are cut off.
func (c *cursor) fraction() int {
	us, n := 0, 0
	for c.s != "" && c.s[0] >= '0' && c.s[0] <= '9' {
		if n < 6 {
			us = 10*us + int(c.s[0]-'0')
			n++
		}
		c.s = c.s[1:]
	}
	for ; n < 6; n++ {
		us *= 10
	}
	return us
}

// offset is how many seconds a zone is east of UTC at a local time.
func offset(zone string, local int64) (int64, error) {
	if zone == "Z" || zone == "UTC" || zone == "GMT" {
		return 0, nil
	}
	c := cursor{s: strings.TrimPrefix(strings.TrimPrefix(zone, "UTC"), "GMT")}
	if sign := c.s; c.skip('+') || c.skip('-') {
		h, err := c.number(1, 2)
		minute := 0
		if err == nil && (c.skip(':') || c.s != "") {
			minute, err = c.number(1, 2)
		}
		if err != nil || c.s != "" && !strings.HasPrefix(c.s, ":") || h > 18 || minute > 59 {
			return 0, errText
		}
		east := int64(h*3600 + minute*60)
		if c.skip(':') {
			sec, err := c.number(1, 2)
			if err != nil || c.s != "" {
				return 0, errText
			}
			east += int64(sec)
		}
		if sign[0] == '-' {
			east = -east
		}
		return east, nil
	}
	where, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return 0, errText
	}
	at := time.UnixMicro(local).UTC()
	_, east := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, where).Zone()
	return int64(east), nil
}

// midnight is the second at which a day begins.
func midnight(y, m, d int) int64 {
	return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix()
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
