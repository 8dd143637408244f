package cast

import "testing"

func TestIntervals(t *testing.T) {
	for _, k := range []struct{ typ, in, want string }{
		{"year to month", "1-2", "INTERVAL '1-2' YEAR TO MONTH"}, {"year to month", "-1-2", "INTERVAL '-1-2' YEAR TO MONTH"},
		{"year to month", "interval '1-2' year to month", "INTERVAL '1-2' YEAR TO MONTH"}, {"year to month", "1-12", ""}, {"year to month", "", ""},
		{"year to month", "1-2-3", ""}, {"year", "-5", "INTERVAL '-5' YEAR"}, {"year", "1-2", ""}, {"year", "1.5", ""}, {"month", "INTERVAL '13' MONTH", "INTERVAL '13' MONTH"},
		{"month", "INTERVAL '1' YEAR", ""}, {"year to month", "178956970-7", "INTERVAL '178956970-7' YEAR TO MONTH"}, {"year to month", "178956970-8", ""},
		{"day to second", "1 02:03:04.5", "INTERVAL '1 02:03:04.5' DAY TO SECOND"}, {"day to second", "INTERVAL -'1 02:03:04.000001' DAY TO SECOND", "INTERVAL '-1 02:03:04.000001' DAY TO SECOND"},
		{"day to second", "1 24:00:00", ""}, {"day to second", "1", ""}, {"day to second", "1 day", ""}, {"hour", "25", "INTERVAL '25' HOUR"}, {"second", "1.1234567", "INTERVAL '01.123456' SECOND"},
		{"second", "61", "INTERVAL '61' SECOND"}, {"day", "99999999999", ""}, {"day", "106751992", "INTERVAL '-106751990' DAY"}, {"hour", "-2562047789", "INTERVAL '2562047787' HOUR"}, {"second", "9223372036855", ""}, {"day to hour", "106751992 00", ""}, {"minute to second", "100:07", "INTERVAL '100:07' MINUTE TO SECOND"},
	} {
		typ, ok := ParseIntervalType("interval " + k.typ)
		if !ok {
			t.Fatal(k.typ)
		}
		got := ""
		if v, ok := typ.Parse([]byte(k.in)); ok {
			got = string(typ.Append(nil, v))
		}
		if got != k.want {
			t.Errorf("%s %q: %q, want %q", k.typ, k.in, got, k.want)
		}
	}
	for _, s := range []string{"interval", "interval second to day", "interval month to day", "int", "interval day or hour"} {
		if _, ok := ParseIntervalType(s); ok {
			t.Errorf("%s is a type", s)
		}
	}
}

func TestTheRangeOfTimestamps(t *testing.T) {
	var zones Zones
	for in, want := range map[string]bool{"294247-01-10 04:00:54.775807Z": true, "294247-01-10 04:00:54.775808Z": false, "-290308-12-21 19:59:05.224192Z": true,
		"-290308-12-21 19:59:05.224191Z": false, "294247-01-10 04:00:54.775807-01": false, "9999999-01-01 00:00:00": false, "2024-01-02 03:04:05.": true} {
		us, ok := Timestamp([]byte(in), UTC(), &zones)
		if ok != want {
			t.Errorf("%s: %v %d", in, ok, us)
		}
	}
	if _, ok := Date([]byte("9999999-01-01")); ok {
		t.Error("a date beyond 32 bits")
	}
	if us, z, ok := TimeOfDay([]byte("T03:04:05.5 +01:00"), &zones); !ok || us != 11045500000 || z == nil {
		t.Error(us, z, ok)
	}
	if _, _, ok := TimeOfDay([]byte("2024"), &zones); ok {
		t.Error("a year is not a time")
	}
}
