package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/marisma/marisma/internal/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running opens and runs a log until stop is called or the test ends.
func running(t testing.TB, cfg Config) (l *Log, stop func()) {
	t.Helper()
	if cfg.FS == nil {
		cfg.FS = vfs.NewMem()
	}
	cfg.Dir = "hub/log"
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l, run(t, l)
}

func run(t testing.TB, l *Log) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func text(values ...string) []Record {
	recs := make([]Record, len(values))
	for i, v := range values {
		recs[i] = Record{Value: []byte(v), Timestamp: 1000}
	}
	return recs
}

func mustAppend(t testing.TB, l *Log, partition int, recs ...Record) int64 {
	t.Helper()
	base, err := l.AppendWait(t.Context(), partition, recs)
	if err != nil {
		t.Fatalf("AppendWait: %v", err)
	}
	return base
}

// values reads [from, to) as "offset:value" texts.
func values(t testing.TB, l *Log, partition int, from, to int64) []string {
	t.Helper()
	var out []string
	err := l.Read(t.Context(), partition, from, to, func(o int64, r *Record) bool {
		out = append(out, fmt.Sprintf("%d:%s", o, r.Value))
		return true
	})
	if err != nil {
		t.Fatalf("Read(%d, %d, %d): %v", partition, from, to, err)
	}
	return out
}

func TestRecordsComeBackAsAppended(t *testing.T) {
	l, stop := running(t, Config{Partitions: 2})
	want := []Record{
		{Key: []byte("press-07"), Value: []byte(`{"t":1}`), Timestamp: 1700000000123, Headers: []Header{
			{Key: "iothub-connection-device-id", Value: []byte("\xa1\x08press-07")}, {Key: "empty", Value: []byte{}}, {Key: "null"}, {Key: "", Value: []byte("x")}}},
		{Timestamp: 1699999999000},
		{Key: []byte{}, Value: []byte{}, Timestamp: 1 << 60},
		{Value: []byte(strings.Repeat("v", 70000)), Timestamp: -5, Headers: []Header{{Key: "iothub-connection-device-id", Value: []byte("other")}}},
	}
	if base := mustAppend(t, l, 1, want...); base != 0 {
		t.Fatalf("base %d", base)
	}
	check := func(l *Log) {
		t.Helper()
		got, err := l.Records(t.Context(), 1, 0, 100, 100)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	check(l)
	id := l.ID()
	stop()
	l2, _ := running(t, Config{FS: l.cfg.FS})
	check(l2)
	if l2.ID() != id || l2.Partitions() != 2 || l2.Start(1) != 0 || l2.End(1) != 4 || l2.End(0) != 0 {
		t.Errorf("reopened: id %s partitions %d start %d end %d", l2.ID(), l2.Partitions(), l2.Start(1), l2.End(1))
	}
	if l2.Bytes(1) == 0 || l2.Bytes(0) != 0 {
		t.Errorf("bytes %d %d", l2.Bytes(0), l2.Bytes(1))
	}
}

func TestReadIsBoundedAndStops(t *testing.T) {
	l, _ := running(t, Config{Partitions: 1, SegmentBytes: 256, BatchBytes: 150})
	for i := range 20 {
		mustAppend(t, l, 0, text(fmt.Sprint("a", i), fmt.Sprint("b", i), fmt.Sprint("c", i))...)
	}
	if n := len(*l.parts[0].segs.Load()); n < 5 {
		t.Fatalf("%d segments: the test wants several", n)
	}
	for from := range int64(61) {
		for _, to := range []int64{from, from + 1, from + 7, 1000} {
			var want []string
			for o := from; o < min(to, 60); o++ {
				want = append(want, fmt.Sprintf("%d:%c%d", o, 'a'+o%3, o/3))
			}
			if d := cmp.Diff(want, values(t, l, 0, from, to)); d != "" {
				t.Fatalf("[%d,%d): %s", from, to, d)
			}
		}
	}
	n := 0
	if err := l.Read(t.Context(), 0, 5, 60, func(int64, *Record) bool { n++; return n < 4 }); err != nil || n != 4 {
		t.Errorf("stopped read: %d records, %v", n, err)
	}
	err := l.Read(t.Context(), 0, 61, 70, func(int64, *Record) bool { return true })
	if oor, ok := errors.AsType[ErrOutOfRange](err); !ok || oor != (ErrOutOfRange{0, 60}) {
		t.Errorf("beyond the end: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Read(ctx, 0, 0, 60, func(int64, *Record) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := l.Read(t.Context(), 7, 0, 60, nil); !errors.Is(err, ErrNoPartition) {
		t.Errorf("partition 7: %v", err)
	}
}

func TestAppendOverManyBatchesIsContiguous(t *testing.T) {
	l, _ := running(t, Config{Partitions: 1, BatchBytes: 200, MaxPending: 100_000, SegmentBytes: 1000})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				recs := make([]Record, 1+(g+i)%17)
				for k := range recs {
					recs[k] = Record{Value: fmt.Appendf(nil, "%d/%d/%d", g, i, k), Timestamp: 1}
				}
				base, err := l.AppendWait(t.Context(), 0, recs)
				if err != nil {
					t.Error(err)
					return
				}
				for k, v := range values(t, l, 0, base, base+int64(len(recs))) {
					if want := fmt.Sprintf("%d:%d/%d/%d", base+int64(k), g, i, k); v != want {
						t.Errorf("%s, want %s", v, want)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestOffsetForTimeFindsTheFirst(t *testing.T) {
	fsys := vfs.NewMem()
	l, stop := running(t, Config{FS: fsys, Partitions: 1, SegmentBytes: 400, BatchBytes: 200})
	var times []int64
	for i := range int64(120) {
		ms := i * 10
		if i%7 == 3 {
			ms -= 45 // clocks step back
		}
		times = append(times, ms)
		mustAppend(t, l, 0, Record{Value: []byte("x"), Timestamp: ms})
	}
	check := func(l *Log) {
		t.Helper()
		for ms := int64(-50); ms < 1300; ms += 3 {
			want := int64(len(times))
			for o, x := range times {
				if x >= ms {
					want = int64(o)
					break
				}
			}
			if got, err := l.OffsetForTime(0, ms); err != nil || got != want {
				t.Fatalf("OffsetForTime(%d) = %d, %v, want %d", ms, got, err, want)
			}
		}
	}
	check(l)
	stop()
	l, stop = running(t, Config{FS: fsys, SegmentBytes: 400, BatchBytes: 200})
	check(l)
	stop()
}

func TestWaitSeesTheCommit(t *testing.T) {
	l, stop := running(t, Config{Partitions: 2})
	got := make(chan error, 1)
	go func() { got <- l.Wait(t.Context(), 1, 0) }()
	changed := l.Changed()
	mustAppend(t, l, 1, text("x")...)
	if err := <-got; err != nil {
		t.Error(err)
	}
	<-changed
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := l.Wait(ctx, 1, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	go func() { got <- l.Wait(t.Context(), 1, 1) }()
	stop()
	if err := <-got; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := l.Append(t.Context(), 0, text("late"), nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestStopCommitsWhatWasTaken(t *testing.T) {
	fsys := vfs.NewMem()
	l, err := Open(Config{FS: fsys, Dir: "hub/log", Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	acked := make(chan error, 3)
	for p := range 3 {
		if err := l.Append(t.Context(), p, text("x"), func(_ int64, err error) { acked <- err }); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ctx); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := <-acked; err != nil {
			t.Error(err)
		}
	}
	l, _ = running(t, Config{FS: fsys.Crash(nil)})
	for p := range 3 {
		if l.End(p) != 1 {
			t.Errorf("partition %d ends at %d", p, l.End(p))
		}
	}
}

func TestCloseWithoutRunFailsWhatWaits(t *testing.T) {
	l, err := Open(Config{FS: vfs.NewMem(), Dir: "log"})
	if err != nil {
		t.Fatal(err)
	}
	acked := make(chan error, 1)
	if err := l.Append(t.Context(), 0, text("x"), func(_ int64, err error) { acked <- err }); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-acked; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := l.Run(t.Context()); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestTooLargeIsRefused(t *testing.T) {
	l, _ := running(t, Config{Partitions: 1, BatchBytes: 1000, MaxPending: 2000})
	for _, recs := range [][]Record{text(strings.Repeat("x", 1000)), text(strings.Repeat("x", 800), strings.Repeat("y", 800), strings.Repeat("z", 800))} {
		if err := l.Append(t.Context(), 0, recs, nil); !errors.Is(err, ErrTooLarge) {
			t.Error(err)
		}
	}
	mustAppend(t, l, 0, text(strings.Repeat("x", 900))...)
}

func TestAppendsWaitForRoom(t *testing.T) {
	l, err := Open(Config{FS: vfs.NewMem(), Dir: "hub/log", Partitions: 1, BatchBytes: 1000, MaxPending: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var acked sync.WaitGroup
	done := func(_ int64, err error) {
		if err != nil {
			t.Error(err)
		}
		acked.Done()
	}
	acked.Add(1)
	if err := l.Append(t.Context(), 0, text(strings.Repeat("x", 600)), done); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := l.Append(ctx, 0, text(strings.Repeat("y", 600)), done); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("over MaxPending: %v", err)
	}
	run(t, l)
	acked.Add(50)
	for range 50 {
		if err := l.Append(t.Context(), 0, text(strings.Repeat("y", 600)), done); err != nil {
			t.Fatal(err)
		}
		if n := l.pending.Load(); n > 1000 {
			t.Fatalf("%d bytes pending", n)
		}
	}
	acked.Wait()
	if l.End(0) != 51 || l.pending.Load() != 0 {
		t.Errorf("end %d, pending %d", l.End(0), l.pending.Load())
	}
}

func TestReadersFollowTheWriter(t *testing.T) {
	l, _ := running(t, Config{Partitions: 2, SegmentBytes: 4 << 10, BatchBytes: 512})
	const n = 3000
	var wg sync.WaitGroup
	for p := range 2 {
		wg.Go(func() {
			for i := 0; i < n; {
				k := min(n-i, 1+i%13)
				recs := make([]Record, k)
				for j := range recs {
					recs[j] = Record{Value: fmt.Append(nil, i+j), Timestamp: int64(i + j)}
				}
				if err := l.Append(t.Context(), p, recs, func(_ int64, err error) {
					if err != nil {
						t.Error(err)
					}
				}); err != nil {
					t.Error(err)
					return
				}
				i += k
			}
		})
		for range 3 {
			wg.Go(func() {
				for at := int64(0); at < n; {
					if err := l.Wait(t.Context(), p, at); err != nil {
						t.Error(err)
						return
					}
					err := l.Read(t.Context(), p, at, l.End(p), func(o int64, r *Record) bool {
						if o != at || string(r.Value) != fmt.Sprint(o) {
							t.Errorf("offset %d, want %d, value %s", o, at, r.Value)
						}
						at = o + 1
						return !t.Failed()
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
}

func TestOpenRefusesWhatItCannotKeep(t *testing.T) {
	fsys := vfs.NewMem()
	_, stop := running(t, Config{FS: fsys, Partitions: 2})
	stop()
	if _, err := Open(Config{FS: fsys, Dir: "hub/log", Partitions: 3}); err == nil || !strings.Contains(err.Error(), "has 2 partitions, 3 are asked for") {
		t.Errorf("other partition count: %v", err)
	}
	for content, want := range map[string]string{
		`{"id":"x","partitions":2,"format":9}`: "run the version that wrote it",
		`{"id":`:                               "log.json",
		`{"id":"","partitions":2,"format":1}`:  "corrupt",
	} {
		if err := vfs.WriteFile(fsys, "hub/log/log.json", []byte(content)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Config{FS: fsys, Dir: "hub/log"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", content, err)
		}
	}
	if err := fsys.Remove("hub/log/log.json"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{FS: fsys, Dir: "hub/log"}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("log.json is gone: %v", err)
	}
	for _, cfg := range []Config{{}, {Dir: "x", FS: fsys, Partitions: -1}, {Dir: "x", FS: fsys, SegmentBytes: 1 << 40},
		{Dir: "x", FS: fsys, BatchBytes: 100, MaxPending: 50}, {Dir: "x", FS: fsys, HardCap: 1, RetentionBytes: 2}, {Dir: "x", FS: fsys, Linger: -1}} {
		if _, err := Open(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

func TestCheckEndRaisesShrunk(t *testing.T) {
	l, _ := running(t, Config{Partitions: 1})
	mustAppend(t, l, 0, text("a", "b")...)
	if err := l.CheckEnd(0, 2); err != nil {
		t.Error(err)
	}
	if err := l.CheckEnd(0, 3); !errors.Is(err, ErrShrunk) {
		t.Error(err)
	}
}
