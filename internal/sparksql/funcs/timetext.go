package funcs

import (
	"strings"
	"time"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// microsPerDay are the microseconds of a day.
const microsPerDay = 86_400_000_000

// TimeOfText reads a constant text as a DATE (in days), a TIMESTAMP or
// TIMESTAMP_NTZ (in microseconds) or a TIME (in microseconds of the day), as
// CAST does; epoch, now, today, tomorrow and yesterday stand for their times.
// False where the text is no such value, or the zone is unknown.
func TimeOfText(text string, to types.Type, now time.Time, zone string) (int64, bool) {
	z, err := cast.LoadZone(zone)
	if err != nil {
		return 0, false
	}
	b := []byte(text)
	if us, ok := namedTime(string(cast.Trim(b)), now.UnixMicro(), z, to); ok {
		return us, true
	}
	var zones cast.Zones
	switch to.(type) {
	case types.Time:
		return cast.ClockTime(b)
	}
	switch to {
	case types.Date:
		days, ok := cast.Date(b)
		return int64(days), ok
	case types.TimestampNTZ:
		return cast.TimestampNTZ(b, true, &zones)
	case types.Timestamp:
		if us, ok := cast.Timestamp(b, z, &zones); ok {
			return us, true
		}
		us, own, ok := cast.TimeOfDay(b, &zones)
		if own != nil {
			z = own
		}
		return z.Instant(midnight(z.Local(now.UnixMicro())) + us), ok
	}
	return 0, false
}

// midnight is the start of a wall time's day.
func midnight(local int64) int64 {
	day := local % microsPerDay
	if day < 0 {
		day += microsPerDay
	}
	return local - day
}

// namedTime is the time that a word of Spark stands for.
func namedTime(word string, now int64, z *cast.Zone, to types.Type) (int64, bool) {
	if name, id, ok := strings.Cut(word, " "); ok && !strings.EqualFold(name, "now") { // a day may be one of another zone
		own, err := cast.LoadZone(strings.TrimSpace(id))
		if err != nil {
			return 0, false
		}
		word, z = name, own
	}
	local := z.Local(now)
	day := midnight(local)
	switch strings.ToLower(word) {
	case "epoch":
		return 0, isTime(to)
	case "now":
		if to == types.Timestamp {
			return now, true
		}
		day = local
	case "today":
	case "tomorrow":
		day += microsPerDay
	case "yesterday":
		day -= microsPerDay
	default:
		return 0, false
	}
	switch to {
	case types.Date:
		return midnight(day) / microsPerDay, true
	case types.TimestampNTZ:
		return day, true
	case types.Timestamp:
		return z.Instant(day), true
	}
	return 0, false
}
