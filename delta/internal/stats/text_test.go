package stats

import "testing"

// What Spark's CAST of a string gives, in microseconds or days.
func TestTextsAreReadAsSparkCastsThem(t *testing.T) {
	times := map[string]int64{
		"2024-01-01 10:00:00":              1704103200000000,
		"2024-01-01T10:00:00.000000Z":      1704103200000000,
		"2024-01-01T10:00:00.123456+02:00": 1704096000123456,
		"2024-01-01 10:00:00.1":            1704103200100000,
		"2024-01-01 10:00:00.123456789":    1704103200123456,
		"2024-01-01":                       1704067200000000,
		"2024-1-1 9:5":                     1704099900000000,
		" 2024-01-01T10:00 ":               1704103200000000,
		"1582-10-04 00:00:00":              -12220243200000000,
		"0001-01-01 00:00:00":              -62135596800000000,
		"+10000-01-01T00:00:00Z":           253402300800000000,
		"-0001-01-01 00:00:00":             -62198755200000000,
		"2024-01-01 10:00:00 -01:30":       1704108600000000,
		"2024-07-01 10:00:00 UTC":          1719828000000000,
	}
	for text, want := range times {
		if got, err := Micros(text, true); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	if got, err := Micros("2024-01-01T10:00:00+02:00", false); err != nil || got != 1704103200000000 {
		t.Errorf("a time without zone: %d, %v", got, err)
	}
	days := map[string]int32{
		"2024-01-01": 19723, "0001-01-01": -719162, "+10000-01-01": 2932897, "-0001-01-01": -719893, "+294247-01-10": 106751991,
		"2024-1-1": 19723, "2024-01-01 10:00:00": 19723, "2024-01-01T00:00:00Z": 19723, "2024": 19723, "2024-02": 19754,
	}
	for text, want := range days {
		if got, err := Days(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "garbage", "24-01-01", "2024-13-01", "2024-02-30", "20240101", "12345678-01-01", "2024-01-01x"} {
		if got, err := Days(text); err == nil {
			t.Errorf("a date of %q: %d", text, got)
		}
		if got, err := Micros(text, true); err == nil {
			t.Errorf("a time of %q: %d", text, got)
		}
	}
	for _, text := range []string{"2024-01-01 25:00:00", "2024-01-01 10", "2024-01-01 10:00:00 Nowhere/None", "2024-01-01 10:00:00+19:00", "2024-01-01 10:00:00 Local"} {
		if got, err := Micros(text, true); err == nil {
			t.Errorf("a time of %q: %d", text, got)
		}
	}
}

func TestNumbersAndBooleansOfTexts(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "+7": 7, " 8 ": 8, "1.5": 1, "-2.": -2, "-128": -128} {
		if got, err := Int(text, 8); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"128", "1e2", ".5", "x", "1.x", ""} {
		if got, err := Int(text, 8); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
	for text, want := range map[string]float64{"1e10": 1e10, "1d": 1, " 1.5 ": 1.5, "-0.0": 0, "4.9E-324": 5e-324, "2.5F": 2.5} {
		if got, err := Float(text, 64); err != nil || got != want {
			t.Errorf("%q: %g, %v", text, got, err)
		}
	}
	for _, text := range []string{"Infinity", "-Infinity", "inf", "NaN"} {
		if _, err := Float(text, 64); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"garbage", "0x1p4", "1_000", "d"} {
		if got, err := Float(text, 64); err == nil {
			t.Errorf("%q: %g", text, got)
		}
	}
	for text, want := range map[string]bool{"true": true, "T": true, "yes": true, "1": true, "false": false, "n": false, "0": false} {
		if got, err := Bool(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := Bool("garbage"); err == nil {
		t.Error("garbage is a boolean")
	}
}
