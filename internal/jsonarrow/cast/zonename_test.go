package cast

import (
	"testing"
	"time"
)

func TestZonesHaveJavaNames(t *testing.T) {
	for _, c := range []struct{ zone, at, short, long string }{
		{"America/New_York", "2024-07-01T12:00:00Z", "EDT", "Eastern Daylight Time"},
		{"America/New_York", "2024-01-01T12:00:00Z", "EST", "Eastern Standard Time"},
		{"Europe/Madrid", "2024-07-01T12:00:00Z", "CEST", "Central European Summer Time"},
		{"Europe/Dublin", "2024-01-01T12:00:00Z", "GMT", "Greenwich Mean Time"},
		{"Europe/Dublin", "2024-07-01T12:00:00Z", "IST", "Irish Standard Time"},
		{"Asia/Dubai", "2024-07-01T12:00:00Z", "GST", "Gulf Standard Time"},
		{"UTC", "2024-07-01T12:00:00Z", "UTC", "Coordinated Universal Time"},
		{"+05:30", "2024-07-01T12:00:00Z", "+05:30", "+05:30"},
	} {
		z, err := LoadZone(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if short, long := z.label(at.UnixMicro(), false), z.label(at.UnixMicro(), true); short != c.short || long != c.long {
			t.Errorf("%s at %s: %s, %s", c.zone, c.at, short, long)
		}
	}
}

func TestZonesAreReadByName(t *testing.T) {
	for text, want := range map[string]string{"PDT": "America/Los_Angeles", "edt": "America/New_York", "CEST, noon": "Europe/Paris", "Nowhere": ""} {
		_, z := readZoneName([]byte(text), &Zones{})
		got := ""
		if z != nil {
			got = z.Name()
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
