package cast

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const microsPerDay = 86400 * 1_000_000

// Zone turns instants into local times and back by Java's rules. It keeps the
// last period it has seen; use one per goroutine (Clone).
type Zone struct {
	name   string
	loc    *time.Location
	fixed  bool
	off    int64 // seconds east of UTC, within [lo, hi)
	lo, hi int64
}

// UTC is the zone without an offset.
func UTC() *Zone { return &Zone{name: "Z", loc: time.UTC, fixed: true} }

// Clone is the zone for another goroutine.
func (z *Zone) Clone() *Zone { c := *z; return &c }

// Name is the zone's id: that it was made of, or of an offset as Java writes it.
func (z *Zone) Name() string { return z.name }

// Location is Go's form of the zone.
func (z *Zone) Location() *time.Location { return z.loc }

// shortIDs are Java's three-letter names that Spark accepts.
var shortIDs = map[string]string{
	"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo",
	"AST": "America/Anchorage", "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare",
	"CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai", "EAT": "Africa/Addis_Ababa",
	"ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", //nolint:misspell // Java's name
	"MIT": "Pacific/Apia", "NET": "Asia/Yerevan", "NST": "Pacific/Auckland", "PLT": "Asia/Karachi",
	"PNT": "America/Phoenix", "PRT": "America/Puerto_Rico", "PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal",
	"VST": "Asia/Ho_Chi_Minh", "EST": "-05:00", "MST": "-07:00", "HST": "-10:00",
}

// ErrZone says that there is no such time zone.
var ErrZone = errors.New("unknown time zone")

// LoadZone knows Z, offsets (+1, +01:30, -0730), UTC+1, GMT-2, the names of
// the zone database and Java's short ones.
func LoadZone(id string) (*Zone, error) {
	if long, ok := shortIDs[id]; ok {
		id = long
	}
	if id == "Z" || id == "UTC" || id == "GMT" || id == "UT" {
		z := UTC()
		z.name = id
		return z, nil
	}
	off := id
	for _, p := range []string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(id, p); ok {
			off = rest
			break
		}
	}
	if off != "" && (off[0] == '+' || off[0] == '-') {
		sec, ok := offset(off)
		if !ok {
			return nil, fmt.Errorf("%w: %q is not an offset within 18 hours", ErrZone, id)
		}
		return &Zone{name: offsetID(id[:len(id)-len(off)], int(sec)), loc: time.FixedZone(off, int(sec)), fixed: true, off: sec}, nil
	}
	if id == "" || strings.EqualFold(id, "local") {
		return nil, fmt.Errorf("%w %q", ErrZone, id)
	}
	loc, err := time.LoadLocation(id)
	if err != nil {
		return nil, fmt.Errorf("%w %q", ErrZone, id)
	}
	return &Zone{name: id, loc: loc}, nil
}

// offsetID is the id that Java gives a prefix with an offset: GMT+03:00, Z.
func offsetID(prefix string, sec int) string {
	switch {
	case sec != 0:
		return string(appendOffset([]byte(prefix), sec, 5, false))
	case prefix == "":
		return "Z"
	}
	return prefix
}

// offset reads +h, +hh, +h:mm, +hh:mm, +hhmm, +hh:mm:ss, +hhmmss.
func offset(s string) (int64, bool) {
	sign := int64(1)
	if s[0] == '-' {
		sign = -1
	}
	s = s[1:]
	var part [3]int64
	if !strings.Contains(s, ":") && len(s) > 2 {
		if len(s) != 4 && len(s) != 6 {
			return 0, false
		}
		for i := range len(s) / 2 {
			v, ok := Int([]byte(s[2*i:2*i+2]), 32, false)
			if !ok || v < 0 {
				return 0, false
			}
			part[i] = v
		}
	} else {
		fields := strings.Split(s, ":")
		if len(fields) > 3 {
			return 0, false
		}
		for i, f := range fields {
			v, ok := Int([]byte(f), 32, false)
			if !ok || f[0] < '0' || f[0] > '9' || len(f) > 2 || i == 2 && len(f) != 2 {
				return 0, false
			}
			part[i] = v
		}
	}
	sec := part[0]*3600 + part[1]*60 + part[2]
	return sign * sec, part[1] < 60 && part[2] < 60 && sec <= 18*3600
}

// offsetAt is the offset in seconds at an instant in seconds.
func (z *Zone) offsetAt(sec int64) int64 {
	if z.fixed || sec >= z.lo && sec < z.hi {
		return z.off
	}
	t := time.Unix(sec, 0).In(z.loc)
	_, off := t.Zone()
	start, end := t.ZoneBounds()
	z.lo, z.hi = -1<<62, 1<<62
	if !start.IsZero() {
		z.lo = start.Unix()
	}
	if !end.IsZero() {
		z.hi = end.Unix()
	}
	z.off = int64(off)
	return z.off
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Local is the wall time of an instant, as microseconds.
func (z *Zone) Local(us int64) int64 {
	if z.fixed && z.off == 0 {
		return us
	}
	return us + z.offsetAt(floorDiv(us, 1_000_000))*1_000_000
}

// Instant is the instant of a wall time. In a gap the time moves on by the
// gap, in an overlap the earlier offset holds.
func (z *Zone) Instant(local int64) int64 {
	if z.fixed {
		return local - z.off*1_000_000
	}
	sec := floorDiv(local, 1_000_000)
	before := z.offsetAt(sec - 86400)
	at := sec - before
	if z.offsetAt(at) == before {
		return local - before*1_000_000
	}
	after := z.offsetAt(sec + 86400)
	if z.offsetAt(sec-after) == after {
		return local - after*1_000_000
	}
	return local - before*1_000_000
}

// Zones keeps zones by their id, for texts that name their own. The zero
// value is ready; it is for one goroutine.
type Zones struct {
	m map[string]*Zone
}

// maxZones bounds what hostile texts can make it keep.
const maxZones = 1024

// Load is LoadZone with memory; nil for an unknown id.
func (s *Zones) Load(id []byte) *Zone {
	if z, ok := s.m[string(id)]; ok {
		return z
	}
	z, err := LoadZone(string(id))
	if err != nil {
		z = nil
	}
	if s.m == nil || len(s.m) >= maxZones {
		s.m = map[string]*Zone{}
	}
	s.m[string(id)] = z
	return z
}

// ZonePool lends Zones to goroutines.
type ZonePool struct{ p sync.Pool }

// Get takes one; Put it back.
func (p *ZonePool) Get() *Zones {
	if z, ok := p.p.Get().(*Zones); ok {
		return z
	}
	return &Zones{}
}

// Put gives it back.
func (p *ZonePool) Put(z *Zones) { p.p.Put(z) }
