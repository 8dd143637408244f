package eventlog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marisma/marisma/internal/vfs"
)

// The machine's own file system: preallocation, rolls, sealing, retention and
// the way back in, with more segments than indexes are kept in memory.
func TestLogOnARealDisk(t *testing.T) {
	root := t.TempDir()
	cfg := Config{FS: vfs.NewOS(root), Partitions: 2, SegmentBytes: 4 << 10, BatchBytes: 1 << 10}
	l, stop := running(t, cfg)
	const n = 1500
	for i := 0; i < n; i += 5 {
		recs := make([]Record, 5)
		for k := range recs {
			recs[k] = Record{Key: []byte("k"), Value: fmt.Appendf(nil, "%0200d", i+k), Timestamp: int64(i + k)}
		}
		mustAppend(t, l, 1, recs...)
	}
	info, err := os.Stat(filepath.Join(root, (*l.parts[1].segs.Load())[len(*l.parts[1].segs.Load())-1].name(logSuffix)))
	if err != nil || info.Size() != 4<<10 {
		t.Errorf("the active segment is not preallocated: %v, %v", info.Size(), err)
	}
	stop()
	l, stop = running(t, cfg)
	if len(*l.parts[1].segs.Load()) <= maxCached {
		t.Fatalf("%d segments: the test wants more than %d", len(*l.parts[1].segs.Load()), maxCached)
	}
	for o := range int64(n) {
		if got := values(t, l, 1, o, o+1); len(got) != 1 || got[0] != fmt.Sprintf("%d:%0200d", o, o) {
			t.Fatalf("offset %d: %q", o, got)
		}
		if at, err := l.OffsetForTime(1, o); at != o || err != nil {
			t.Fatalf("time %d: %d, %v", o, at, err)
		}
	}
	if len(l.cached) > maxCached {
		t.Errorf("%d indexes in memory", len(l.cached))
	}
	if got := values(t, l, 1, 0, n); len(got) != n {
		t.Errorf("%d records", len(got))
	}
	stop()
	cfg.Retention = time.Minute // all are older
	l, stop = running(t, cfg)
	for l.Start(1) != n {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	left, err := filepath.Glob(filepath.Join(root, "hub/log/1/*"))
	if err != nil || len(left) > 4 {
		t.Errorf("files left: %s, %v", strings.Join(left, " "), err)
	}
}

// Now and then the tender notes how far the active segment is whole.
func TestTenderWritesRecoveryPoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := vfs.NewMem()
		l, stop := running(t, Config{FS: fsys, Partitions: 1, BatchBytes: 4 << 20})
		big := []Record{{Value: make([]byte, 3<<20)}}
		for range 4 {
			mustAppend(t, l, 0, big...)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if p := l.parts[0]; p.unpointed() != 0 {
			t.Errorf("%d bytes without a recovery point", p.unpointed())
		}
		after := fsys.Crash(nil)
		stop()
		var log syncBuffer
		_, stop = running(t, Config{FS: after, Logger: debugLogger(&log)})
		if out := log.take(); !strings.Contains(out, "end=4 scanned=0") {
			t.Errorf("after a crash: %s", out)
		}
		stop()
	})
}

// An idle partition whose records are expired gets no trouble from a full
// disk: what it has room for, it takes.
func TestRetentionOnAFullDiskRefusesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := vfs.NewMem()
		l, _ := running(t, Config{FS: fsys, Partitions: 1, Retention: time.Second})
		mustAppend(t, l, 0, Record{Timestamp: now()})
		var full failing
		full.on.Store(true)
		fsys.Inject(full.inject(vfs.OpPreallocate, logSuffix, syscall.ENOSPC))
		time.Sleep(10 * time.Second)
		if full.hits.Load() == 0 {
			t.Error("no roll was tried")
		}
		mustAppend(t, l, 0, Record{Timestamp: now()})
		full.on.Store(false)
		time.Sleep(10 * time.Second)
		if l.Start(0) != 2 || l.Problem() != "" {
			t.Errorf("start %d, %s", l.Start(0), l.Problem())
		}
	})
}
