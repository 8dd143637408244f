package eventlog

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/marisma/marisma/internal/vfs"
)

// failing makes the operation fail with an error while on.
type failing struct {
	on   atomic.Bool
	hits atomic.Int64
}

func (f *failing) inject(op vfs.Op, suffix string, err error) func(vfs.Op, string) error {
	return func(o vfs.Op, name string) error {
		if f.on.Load() && o == op && strings.HasSuffix(name, suffix) {
			f.hits.Add(1)
			return err
		}
		return nil
	}
}

// Full at a roll or, where the file system cannot reserve, at a write: the
// appends fail with ErrFull, Problem says so, and it ends by itself.
func TestFullDiskIsRefusedAndHealsItself(t *testing.T) {
	for _, op := range []vfs.Op{vfs.OpPreallocate, vfs.OpCreate, vfs.OpWrite} {
		t.Run(string(op), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { fullDisk(t, op) })
		})
	}
}

func fullDisk(t *testing.T, op vfs.Op) {
	fsys := vfs.NewMem()
	var full failing
	fsys.Inject(full.inject(op, "", syscall.ENOSPC))
	reg := prometheus.NewPedanticRegistry()
	l, stop := running(t, Config{FS: fsys, Partitions: 2, SegmentBytes: 1000, BatchBytes: 600, Metrics: reg})
	mustAppend(t, l, 0, text(strings.Repeat("a", 500))...)
	full.on.Store(true)
	if _, err := l.AppendWait(t.Context(), 0, text("more", strings.Repeat("b", 500))); !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("on a full disk: %v", err)
	}
	if p := l.Problem(); !strings.Contains(p, "partition 0") || !strings.Contains(p, "no space left") {
		t.Errorf("Problem: %q", p)
	}
	if v := gauge(t, reg, "marisma_eventlog_problem"); v != 1 {
		t.Errorf("problem gauge is %v", v)
	}
	if err := l.Append(t.Context(), 0, text("refused"), nil); !errors.Is(err, ErrFull) {
		t.Errorf("while full: %v", err)
	}
	if len(values(t, l, 0, 0, 9)) != 1 {
		t.Error("what was there is not readable")
	}
	time.Sleep(3 * time.Second)
	if op != vfs.OpWrite && l.Problem() == "" { // a probe cannot see a write that would fail
		t.Error("healed while still full")
	}
	full.on.Store(false)
	time.Sleep(time.Second)
	if p := l.Problem(); p != "" {
		t.Errorf("not healed: %s", p)
	}
	if base := mustAppend(t, l, 0, text("after", strings.Repeat("c", 500))...); base != 1 {
		t.Errorf("base %d after healing, want 1", base)
	}
	after := fsys.Crash(nil)
	stop()
	l, _ = running(t, Config{FS: after, SegmentBytes: 1000, BatchBytes: 600})
	if got := values(t, l, 0, 0, 9); len(got) != 3 || got[1] != "1:after" {
		t.Errorf("after a crash: %q", got)
	}
}

func gauge(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue() +
				float64(f.GetMetric()[0].GetHistogram().GetSampleCount())
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// A failed sync or write closes its partition until the next open; the others go on.
func TestFailedSyncClosesThePartition(t *testing.T) {
	for _, op := range []vfs.Op{vfs.OpSync, vfs.OpWrite} {
		t.Run(string(op), func(t *testing.T) {
			fsys := vfs.NewMem()
			var eio failing
			fsys.Inject(eio.inject(op, "/1/00000000000000000000.log", syscall.EIO))
			l, stop := running(t, Config{FS: fsys, Partitions: 2})
			mustAppend(t, l, 1, text("a")...)
			eio.on.Store(true)
			if _, err := l.AppendWait(t.Context(), 1, text("b")); !errors.Is(err, ErrFailed) || !errors.Is(err, syscall.EIO) {
				t.Fatalf("failed %s: %v", op, err)
			}
			eio.on.Store(false)
			if err := l.Append(t.Context(), 1, text("c"), nil); !errors.Is(err, ErrFailed) {
				t.Errorf("after the failure: %v", err)
			}
			mustAppend(t, l, 0, text("other")...)
			if got := values(t, l, 1, 0, 9); len(got) != 1 {
				t.Errorf("readable: %q", got)
			}
			if p := l.Problem(); !strings.Contains(p, "partition 1: eventlog: partition failed") {
				t.Errorf("Problem: %q", p)
			}
			stop()
			l, _ = running(t, Config{FS: fsys.Crash(nil)})
			if l.Problem() != "" || l.End(1) != 1 {
				t.Errorf("reopened: end %d, %s", l.End(1), l.Problem())
			}
			mustAppend(t, l, 1, text("d")...)
		})
	}
}

// Index and recovery-point files are not worth a refused append.
func TestUnwritableIndexHarmsNothing(t *testing.T) {
	fsys := vfs.NewMem()
	fsys.Inject(func(op vfs.Op, name string) error {
		if op == vfs.OpCreate && !strings.HasSuffix(name, logSuffix) && !strings.Contains(name, metaName) {
			return syscall.EIO
		}
		return nil
	})
	l, stop := running(t, Config{FS: fsys, Partitions: 1, SegmentBytes: 300, BatchBytes: 200})
	for i := range 30 {
		mustAppend(t, l, 0, text(fmt.Sprint(i))...)
	}
	if got := values(t, l, 0, 17, 30); len(got) != 13 || got[0] != "17:17" {
		t.Errorf("%q", got)
	}
	stop()
	fsys.Inject(nil)
	l, _ = running(t, Config{FS: fsys})
	if got := values(t, l, 0, 17, 30); len(got) != 13 || got[0] != "17:17" {
		t.Errorf("reopened: %q", got)
	}
}

func now() int64 { return time.Now().UnixMilli() }

func TestRetentionByTimeKeepsWhatAFloorNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := vfs.NewMem()
		l, stop := running(t, Config{FS: fsys, Partitions: 2, SegmentBytes: 300, BatchBytes: 200, Retention: time.Minute})
		for i := range 20 {
			mustAppend(t, l, 0, Record{Value: fmt.Append(nil, i), Timestamp: now()})
			time.Sleep(5 * time.Second)
		}
		synctest.Wait()
		start := l.Start(0)
		if start < 4 || start > 8 {
			t.Fatalf("100 s of records, a minute kept: start %d", start)
		}
		err := l.Read(t.Context(), 0, 0, 20, func(int64, *Record) bool { return true })
		if oor, ok := errors.AsType[ErrOutOfRange](err); !ok || oor.Start != start {
			t.Errorf("expired records: %v", err)
		}
		l.SetFloor("flow", []int64{start + 5})
		l.SetFloor("other", []int64{start + 9, 3})
		time.Sleep(10 * time.Minute)
		if got := l.Start(0); got > start+5 || got < start+2 {
			t.Errorf("start %d with a floor at %d", got, start+5)
		}
		if got := values(t, l, 0, start+5, 20); len(got) != int(15-start) {
			t.Errorf("below the floor: %q", got)
		}
		l.RemoveFloor("flow")
		l.RemoveFloor("other")
		time.Sleep(time.Minute)
		// The last segment goes too, and offsets go on.
		if l.Start(0) != 20 || l.End(0) != 20 || l.Bytes(0) != 0 {
			t.Errorf("all expired: [%d, %d), %d bytes", l.Start(0), l.End(0), l.Bytes(0))
		}
		if base := mustAppend(t, l, 0, Record{Timestamp: now()}); base != 20 {
			t.Errorf("base %d", base)
		}
		after := fsys.Crash(nil)
		stop()
		l, _ = running(t, Config{FS: after})
		if l.Start(0) != 20 || l.End(0) != 21 {
			t.Errorf("after a crash: [%d, %d)", l.Start(0), l.End(0))
		}
	})
}

func TestRetentionByBytesTakesTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := running(t, Config{Partitions: 2, SegmentBytes: 300, BatchBytes: 200, RetentionBytes: 2000})
		mustAppend(t, l, 1, Record{Value: []byte("quiet"), Timestamp: now()})
		for range 100 {
			time.Sleep(time.Second)
			mustAppend(t, l, 0, Record{Value: []byte("busy"), Timestamp: now()})
		}
		time.Sleep(5 * time.Second)
		if n := l.Bytes(0) + l.Bytes(1); n > 2000 || n < 1200 {
			t.Errorf("%d bytes are kept of 2000", n)
		}
		if l.stored.Load() != l.Bytes(0)+l.Bytes(1) {
			t.Errorf("stored %d, held %d", l.stored.Load(), l.Bytes(0)+l.Bytes(1))
		}
		if l.Start(1) != 0 {
			t.Error("an active segment was taken before full ones")
		}
	})
}

func TestHardCapRefusesUntilConsumersHaveRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := running(t, Config{Partitions: 1, SegmentBytes: 300, BatchBytes: 200, RetentionBytes: 1000, HardCap: 3000})
		l.SetFloor("flow", []int64{0})
		var err error
		n := int64(0)
		for ; err == nil && n < 1000; n++ {
			_, err = l.AppendWait(t.Context(), 0, []Record{{Value: []byte("x"), Timestamp: now()}})
		}
		if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "hard cap is 3000") {
			t.Fatalf("after %d appends: %v", n, err)
		}
		time.Sleep(5 * time.Second)
		if p := l.Problem(); !strings.Contains(p, "hard cap is 3000") || l.Start(0) != 0 {
			t.Errorf("Problem %q, start %d", p, l.Start(0))
		}
		l.SetFloor("flow", []int64{l.End(0)})
		time.Sleep(5 * time.Second)
		if p := l.Problem(); p != "" {
			t.Errorf("still refused: %s", p)
		}
		if l.Bytes(0) > 1000 {
			t.Errorf("%d bytes held", l.Bytes(0))
		}
		if base := mustAppend(t, l, 0, text("y")...); base != l.End(0)-1 {
			t.Errorf("base %d, end %d", base, l.End(0))
		}
	})
}

func TestHardCapBelowASegmentDoesNotWedge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := running(t, Config{Partitions: 2, SegmentBytes: 1 << 20, RetentionBytes: 1000, HardCap: 3000})
		refused := 0
		for i := range 200 {
			if _, err := l.AppendWait(t.Context(), i%2, []Record{{Value: []byte(strings.Repeat("x", 50)), Timestamp: now()}}); err != nil {
				refused++
				time.Sleep(3 * time.Second)
			}
		}
		if refused > 60 || l.End(0) < 60 {
			t.Errorf("refused %d times, end %d", refused, l.End(0))
		}
	})
}

func TestReaderOvertakenByRetentionIsTold(t *testing.T) {
	l, _ := running(t, Config{Partitions: 1, SegmentBytes: 300, BatchBytes: 200})
	for i := range 40 {
		mustAppend(t, l, 0, text(fmt.Sprint(i))...)
	}
	var got []int64
	err := l.Read(t.Context(), 0, 0, 40, func(o int64, _ *Record) bool {
		if o == 1 {
			for len(*l.parts[0].segs.Load()) > 1 {
				l.dropOldest(l.parts[0], always)
			}
		}
		got = append(got, o)
		return true
	})
	if oor, ok := errors.AsType[ErrOutOfRange](err); !ok || oor.Start != l.Start(0) {
		t.Errorf("after %v: %v", got, err)
	}
	for i, o := range got {
		if o != int64(i) {
			t.Fatalf("read %v", got)
		}
	}
}

func TestLingerGathersACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewPedanticRegistry()
		l, stop := running(t, Config{Partitions: 1, Linger: 10 * time.Millisecond, Metrics: reg})
		began := time.Now()
		acks := make(chan time.Duration, 10)
		for range 10 {
			if err := l.Append(t.Context(), 0, text("x"), func(int64, error) { acks <- time.Since(began) }); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond / 2)
		}
		for range 10 {
			if d := <-acks; d != 10*time.Millisecond {
				t.Errorf("acknowledged after %v", d)
			}
		}
		for name, want := range map[string]float64{"marisma_eventlog_commit_seconds": 1, "marisma_eventlog_appended_records_total": 10, "marisma_eventlog_segments": 1} {
			if v := gauge(t, reg, name); v != want {
				t.Errorf("%s is %v, want %v", name, v, want)
			}
		}
		stop()
		if all, _ := reg.Gather(); len(all) != 0 {
			t.Errorf("%d metrics are left after the stop", len(all))
		}
	})
}

// A file that cannot be removed stops retention there, so that no gap arises.
func TestUnremovableSegmentLeavesNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := vfs.NewMem()
		var busy failing
		busy.on.Store(true)
		fsys.Inject(busy.inject(vfs.OpRemove, "/0/00000000000000000000.log", syscall.EPERM))
		l, stop := running(t, Config{FS: fsys, Partitions: 1, SegmentBytes: 300, BatchBytes: 200, Retention: time.Second})
		for i := range 20 {
			mustAppend(t, l, 0, Record{Value: fmt.Append(nil, i), Timestamp: now()})
		}
		time.Sleep(10 * time.Second)
		if busy.hits.Load() < 2 {
			t.Error("not tried again")
		}
		after := fsys.Crash(nil)
		stop()
		l, stop = running(t, Config{FS: after})
		if got := values(t, l, 0, l.Start(0), 20); len(got) != 20 {
			t.Errorf("%d records are left", len(got))
		}
		stop()
		busy.on.Store(false)
		l, _ = running(t, Config{FS: fsys, Retention: time.Second})
		time.Sleep(10 * time.Second)
		if l.Start(0) != 20 {
			t.Errorf("start %d", l.Start(0))
		}
	})
}
