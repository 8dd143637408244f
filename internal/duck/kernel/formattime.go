package kernel

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// timeParts are the letters behind %t.
const timeParts = "HIklMSLNpzZsQBbhAaCYyjmdeRTrDFc"

// clock is a part of the time that a long counts in milliseconds, in UTC, the
// zone that Spark's programs run in here. Timestamps are such longs for
// Formatter too, though they count microseconds.
func (w *formatter) clock(s *spec, t *vector.Type, arg int) (string, bool) {
	switch t.ID {
	case duckdb.TypeBigInt, duckdb.TypeTimestamp, duckdb.TypeTimestampTZ:
		return timePart(time.UnixMilli(integer(w.c, t, arg, w.row)).UTC(), s.conv), true
	}
	return "", false
}

func timePart(t time.Time, part byte) string {
	two := func(v int) string { return fmt.Sprintf("%02d", v) }
	join := func(parts string) string {
		var b strings.Builder
		for i := range len(parts) {
			if strings.IndexByte(timeParts, parts[i]) >= 0 {
				b.WriteString(timePart(t, parts[i]))
			} else {
				b.WriteByte(parts[i])
			}
		}
		return b.String()
	}
	half := (t.Hour()+11)%12 + 1
	switch part {
	case 'H':
		return two(t.Hour())
	case 'I':
		return two(half)
	case 'k':
		return strconv.Itoa(t.Hour())
	case 'l':
		return strconv.Itoa(half)
	case 'M':
		return two(t.Minute())
	case 'S':
		return two(t.Second())
	case 'L':
		return fmt.Sprintf("%03d", t.Nanosecond()/1e6)
	case 'N':
		return fmt.Sprintf("%09d", t.Nanosecond())
	case 'p':
		return t.Format("pm")
	case 'z':
		return "+0000"
	case 'Z':
		return "UTC"
	case 's':
		return strconv.FormatInt(t.Unix(), 10)
	case 'Q':
		return strconv.FormatInt(t.UnixMilli(), 10)
	case 'B':
		return t.Month().String()
	case 'b', 'h':
		return t.Month().String()[:3]
	case 'A':
		return t.Weekday().String()
	case 'a':
		return t.Weekday().String()[:3]
	case 'C':
		return two(t.Year() / 100)
	case 'Y':
		return fmt.Sprintf("%04d", t.Year())
	case 'y':
		return two(t.Year() % 100)
	case 'j':
		return fmt.Sprintf("%03d", t.YearDay())
	case 'm':
		return two(int(t.Month()))
	case 'd':
		return two(t.Day())
	case 'e':
		return strconv.Itoa(t.Day())
	case 'R':
		return join("H:M")
	case 'T':
		return join("H:M:S")
	case 'r':
		return join("I:M:S ") + t.Format("PM")
	case 'D':
		return join("m/d/y")
	case 'F':
		return join("Y-m-d")
	}
	return join("a b d T Z Y")
}
