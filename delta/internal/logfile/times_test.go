package logfile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta/internal/logfile"
)

// A time that the history shows, in milliseconds, names its version.
func TestTimesRiseInWholeMilliseconds(t *testing.T) {
	at := time.Date(2024, 2, 29, 12, 0, 0, 262_400_000, time.UTC)
	var l logfile.Listing
	for v, after := range []time.Duration{0, 100 * time.Microsecond, 5900 * time.Microsecond} {
		f := logfile.File{Name: logfile.Name{Version: int64(v)}}
		f.ModTime = at.Add(after)
		l.Commits = append(l.Commits, f)
	}
	whole := at.Truncate(time.Millisecond)
	want := []time.Time{whole, whole.Add(time.Millisecond), whole.Add(6 * time.Millisecond)}
	if d := cmp.Diff(want, l.Times()); d != "" {
		t.Error(d)
	}
}
