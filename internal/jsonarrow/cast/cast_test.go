package cast

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestNumbers(t *testing.T) {
	for _, k := range []struct {
		in     string
		bits   uint
		legacy bool
		want   int64
		ok     bool
	}{
		{" 12\t", 32, false, 12, true}, {"+5", 8, false, 5, true}, {"-128", 8, false, -128, true}, {"128", 8, false, 0, false}, {"-129", 8, false, 0, false},
		{"9223372036854775807", 64, false, math.MaxInt64, true}, {"9223372036854775808", 64, false, 0, false}, {"-9223372036854775808", 64, false, math.MinInt64, true},
		{"12.7", 32, false, 0, false}, {"12.7", 32, true, 12, true}, {"12.x", 32, true, 0, false}, {"", 32, false, 0, false}, {"-", 32, false, 0, false}, {"1 2", 32, false, 0, false},
	} {
		if got, ok := Int([]byte(k.in), k.bits, k.legacy); ok != k.ok || ok && got != k.want {
			t.Errorf("Int(%q, %d) = %d, %v", k.in, k.bits, got, ok)
		}
	}
	for in, want := range map[string]string{"1.5D": "1.5", "1f": "1.0", " inf ": "Infinity", "-Infinity": "-Infinity", "nan": "NaN", "1e400": "Infinity", ".5": "0.5", "5.": "5.0",
		"": "bad", "1,5": "bad", "1_000": "bad", "x": "bad", "d": "bad"} {
		got := "bad"
		if f, ok := Float([]byte(in), 64); ok {
			got = string(AppendDouble(nil, f))
		}
		if got != want {
			t.Errorf("Float(%q) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{"1.005": "1.01", "-1.005": "-1.01", "1e2": "100.00", "12345e-3": "12.35", "999.995": "bad", "999.994": "999.99", ".5": "0.50", "5.": "5.00",
		"1d": "bad", "": "bad", ".": "bad", "1e": "bad", "1e400": "bad", "0e400": "0.00", "1e-400": "0.00", "0.0049999999999999999999999999999999999999999999999": "0.00",
		"-0": "0.00", "1 ": "1.00", "1,000": "bad"} {
		got := "bad"
		if d, ok := Decimal([]byte(in), 5, 2, false); ok {
			got = string(AppendDecimal(nil, d, 2))
		}
		if got != want {
			t.Errorf("Decimal(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestTimestamps(t *testing.T) {
	paris, err := LoadZone("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	var zones Zones
	for in, want := range map[string]string{
		"2024-03-05T04:07:09.123456789Z": "2024-03-05 04:07:09.123456", "2024-03-05": "2024-03-04 23:00:00", "2024-1-2 3:4:5": "2024-01-02 02:04:05",
		"2024-07-01 12:00:00": "2024-07-01 10:00:00", "2024-03-31 02:30:00": "2024-03-31 01:30:00", // a gap: moved forward
		"2024-10-27 02:30:00":                  "2024-10-27 00:30:00", // an overlap: the earlier offset
		"2024-01-01 00:00:00 America/New_York": "2024-01-01 05:00:00", "2024-01-01 00:00:00+5": "2023-12-31 19:00:00", "2024-01-01 00:00:00 UTC+05:30": "2023-12-31 18:30:00",
		"2024-01-01 00:00:00 PST": "2024-01-01 08:00:00", "2024": "2023-12-31 23:00:00", "+12345-01-01T00:00:00Z": "+12345-01-01 00:00:00", "-0044-03-15T00:00:00Z": "-0044-03-15 00:00:00",
		"2024-02-30": "bad", "2024-01-01 24:00:00": "bad", "2024-01-01 00:00:00 Nowhere/City": "bad", "24-01-01": "bad", "x": "bad", "": "bad", "2024-01-01T": "bad", "2024-01-01 00:00:00+19": "bad",
	} {
		got := "bad"
		if us, ok := Timestamp([]byte(in), paris.Clone(), &zones); ok {
			got = string(AppendTimestamp(nil, us))
		}
		if got != want {
			t.Errorf("Timestamp(%q) = %s, want %s", in, got, want)
		}
	}
}

// Go's own calendar is the other opinion.
func TestZonesAgreeWithGo(t *testing.T) {
	for _, id := range []string{"Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "+01:30"} {
		z, err := LoadZone(id)
		if err != nil {
			t.Fatal(err)
		}
		for sec := int64(-2e9); sec < 4e9; sec += 86400*3 + 12345 {
			us := sec * 1_000_000
			tm := time.Unix(sec, 0).In(z.Location())
			want := tm.Format("2006-01-02 15:04:05")
			if got := string(AppendTimestamp(nil, z.Local(us))); got != want {
				t.Fatalf("%s %d: %s, want %s", id, sec, got, want)
			}
			if back := z.Local(z.Instant(z.Local(us))); back != z.Local(us) {
				t.Fatalf("%s %d: %d does not come back", id, sec, back)
			}
		}
	}
}

func TestCivilGoesRound(t *testing.T) {
	for d := int64(-800000); d < 4000000; d += 37 {
		c := CivilOf(d * microsPerDay)
		if got := Days(c.Year, c.Month, c.Day); got != d {
			t.Fatalf("%d becomes %v becomes %d", d, c, got)
		}
	}
}

func TestPatternsAreRefusedAsBySpark(t *testing.T) {
	for p, want := range map[string]error{"ee": ErrPatternWeekBase, "YYYY": ErrPatternChanged, "MMMMM": ErrPatternChanged, "aa": ErrPatternChanged, "yyyy{": ErrPatternChanged,
		"n": ErrPatternLetter, "V": ErrPattern, "foo": ErrPattern, "'x": ErrPattern, "yyyy]": ErrPatternChanged, "foo]": ErrPattern, "[yyyy": nil, "yyyy-MM-dd'T'HH:mm": nil, "": nil} {
		if _, err := CompilePattern(p, false); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", p, err, want)
		}
	}
	if _, err := CompilePattern("EEE", true); !errors.Is(err, ErrPatternChanged) {
		t.Error("E must not parse")
	}
}

// FuzzPattern writes a time by any pattern and reads it again: neither may
// panic, and a full pattern gives the time back.
func FuzzPattern(f *testing.F) {
	for _, p := range []string{"yyyy-MM-dd HH:mm:ss", "dd/MM/yy[ hh:mm a]", "yyyyMMddHHmmss", "D 'x' kk", "QQQ LLL", "XXX VV z O Z x", "''[[]]", "yyyyyy-M-d'T'H:m:s.SSSSSS"} {
		f.Add(p, int64(1700000000123456), "Europe/Paris", "2024-01-02 03:04:05")
	}
	f.Fuzz(func(t *testing.T, p string, us int64, zone, text string) {
		if us > 1<<57 || us < -1<<57 || len(p) > 200 {
			return
		}
		z, err := LoadZone(zone)
		if err != nil {
			z = UTC()
		}
		var zones Zones
		if c, err := CompilePattern(p, false); err == nil {
			c.Append(nil, us, z)
		}
		c, err := CompilePattern(p, true)
		if err != nil {
			return
		}
		c.Parse([]byte(text), z, &zones)
		s := string(c.Append(nil, us, UTC()))
		if p == "yyyy-MM-dd HH:mm:ss" && !strings.HasPrefix(s, "+") && !strings.HasPrefix(s, "-") {
			back, _, ok := c.Parse([]byte(s), UTC(), &zones)
			if !ok || back != us-((us%1_000_000+1_000_000)%1_000_000) {
				t.Fatalf("%s becomes %d, %v", s, back, ok)
			}
		}
		Timestamp([]byte(text), z, &zones)
		Decimal([]byte(text), 38, 10, true)
		Float([]byte(text), 64)
	})
}
