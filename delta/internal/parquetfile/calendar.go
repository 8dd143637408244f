package parquetfile

import (
	"fmt"
	"time"
	_ "time/tzdata" // files name zones of the machine that wrote them

	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// Spark wrote dates and timestamps in Java's old calendar, Julian before
// 1582-10-15, until version 3.0 (INT96 until 3.1), and on demand since. The
// footer tells: by these keys, and by the version of the writer. Files that name
// no version are taken as they are, as Spark 4 does.
const (
	versionKey      = "org.apache.spark.version"
	zoneKey         = "org.apache.spark.timeZone"
	legacyDatesKey  = "org.apache.spark.legacyDateTime"
	legacyInt96sKey = "org.apache.spark.legacyINT96"
)

// calendar says which values of a file are in the old calendar. The zero value
// is a file that has none.
type calendar struct {
	dates, int96s bool
	zone          *time.Location
	raw           int64 // the zone's standard offset of today in microseconds
}

func calendarOf(md *metadata.FileMetaData) (calendar, error) {
	value := func(key string) (string, bool) {
		v := md.KeyValueMetadata().FindValue(key)
		if v == nil {
			return "", false
		}
		return *v, true
	}
	version, ok := value(versionKey)
	if !ok {
		return calendar{}, nil
	}
	_, dates := value(legacyDatesKey)
	_, int96s := value(legacyInt96sKey)
	c := calendar{dates: dates || before(version, 3, 0), int96s: int96s || before(version, 3, 1), zone: time.UTC}
	if !c.dates && !c.int96s {
		return calendar{}, nil
	}
	if name, ok := value(zoneKey); ok {
		zone, err := time.LoadLocation(name)
		if err != nil {
			return c, fmt.Errorf("the file's %s: %w", zoneKey, err)
		}
		c.zone = zone
	}
	c.raw = standardOffset(c.zone)
	return c, nil
}

// before tells whether a version such as 2.4.5 is earlier than major.minor.
func before(version string, major, minor int) bool {
	var a, b int
	if n, _ := fmt.Sscanf(version, "%d.%d", &a, &b); n < 2 {
		return false
	}
	return a < major || a == major && b < minor
}

// standardOffset is a zone's offset from UTC without daylight saving, now.
func standardOffset(zone *time.Location) int64 {
	for _, month := range []time.Month{time.January, time.July} {
		if t := time.Date(time.Now().Year(), month, 1, 0, 0, 0, 0, zone); !t.IsDST() {
			_, off := t.Zone()
			return int64(off) * 1e6
		}
	}
	return 0
}

const (
	dayMicros    = 86400_000_000
	gregorianDay = -141427 // 1582-10-15, the first day of the new calendar
	// Java's old time zones know no local mean time before 1900.
	zonesMicros = -2208988800_000_000
)

// day is the day of the proleptic Gregorian calendar that has the year, month
// and day of a day of the old one.
func day(old int32) int32 {
	if old >= gregorianDay {
		return old
	}
	// From a Julian day number to a date, as in the Explanatory Supplement to the
	// Astronomical Almanac, section 15.11. It wants positive numbers, so that
	// whole cycles of four years are lent.
	const cycles = 2_000_000
	f := int64(old) + julianEpoch + 1401 + cycles*1461
	e := 4*f + 3
	h := 5*(e%1461/4) + 2
	month := (h/153+2)%12 + 1
	year := e/1461 - 4716 + (14-month)/12 - 4*cycles
	// A day that the new calendar lacks, such as the 29th of February of 1500, is
	// the one after.
	first := time.Date(int(year), time.Month(month), 1, 0, 0, 0, 0, time.UTC).Unix() / 86400
	return int32(first + h%153/5)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// instant is the instant at which the clocks of the zone show in the new
// calendar what they show at old in the old one. Both are in microseconds.
func (c *calendar) instant(old int64) int64 {
	if old >= zonesMicros {
		return old
	}
	local := old + c.raw
	days := floorDiv(local, dayMicros)
	local += (int64(day(int32(days))) - days) * dayMicros
	_, off := time.UnixMicro(local - c.raw).In(c.zone).Zone()
	return local - int64(off)*1e6
}

// Old tells whether a file has values in the old calendar, which readers that
// know nothing of it take for others.
func Old(in Input) (old bool, err error) {
	defer func() {
		// The Parquet reader panics on some malformed files.
		if p := recover(); p != nil {
			err = fmt.Errorf("malformed Parquet: %v", p)
		}
	}()
	pf, err := Open(in)
	if err != nil {
		return false, err
	}
	defer func() { _ = pf.Close() }()
	c, err := calendarOf(pf.MetaData())
	return c.dates || c.int96s, err
}
