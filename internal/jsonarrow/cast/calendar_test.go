package cast

import "testing"

func TestCalendarIntervals(t *testing.T) {
	for text, want := range map[string]Calendar{
		"1 day": {Days: 1}, " INTERVAL 1 year 2 months 3 days": {Months: 14, Days: 3}, "-1 day 2 hours": {Days: -1, Micros: 7_200_000_000},
		"1 week": {Days: 7}, "3 millisecond 4 microsecond": {Micros: 3004}, "- 1.5 seconds": {Micros: -1_500_000}, "1.000000001 second": {Micros: 1_000_000},
	} {
		if got, ok := ParseCalendar([]byte(text)); !ok || got != want {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "1", "day", "interval", "1.5 days", "1 fortnight", "1day", "1 day 2", "x day", "1.0000000001 second", "9223372036854775807 hours", "3000000000 days", "1. days", ". seconds"} {
		if got, ok := ParseCalendar([]byte(text)); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}
