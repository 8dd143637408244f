package eventlog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/marisma/marisma/internal/vfs"
)

// ledger is what senders know: acknowledged offsets and values, and how often
// each value was handed over.
type ledger struct {
	mu    sync.Mutex
	acked map[string]string // "partition/offset" -> value
	sent  map[string]int
	keep  int64 // RetentionBytes: the oldest records may be gone
}

// config makes rolls, several batches a commit and recovery points happen soon.
func (g *ledger) config(fsys vfs.FS) Config {
	return Config{FS: fsys, Dir: "hub/log", Partitions: 2, SegmentBytes: 900, BatchBytes: 250, MaxPending: 2000, RetentionBytes: g.keep}
}

// load appends from several goroutines until rounds are done or appends fail.
func (g *ledger) load(ctx context.Context, l *Log, life, rounds int) {
	var wg sync.WaitGroup
	for s := range 4 {
		wg.Go(func() {
			p := s % 2
			for i := range rounds {
				recs := make([]Record, 1+(i+s)%4)
				vals := make([]string, len(recs))
				for k := range recs {
					vals[k] = fmt.Sprintf("life%d sender%d n%d.%d %s", life, s, i, k, strings.Repeat("x", (i*7+k)%40))
					recs[k] = Record{Value: []byte(vals[k]), Timestamp: int64(i)}
				}
				g.mu.Lock()
				for _, v := range vals {
					g.sent[v]++
				}
				g.mu.Unlock()
				base, err := l.AppendWait(ctx, p, recs)
				if err != nil {
					return
				}
				g.mu.Lock()
				for k, v := range vals {
					g.acked[fmt.Sprintf("%d/%d", p, base+int64(k))] = v
				}
				g.mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// check fails the test on any fault.
func (g *ledger) check(t *testing.T, l *Log) {
	t.Helper()
	if f := g.faults(t, l); len(f) > 0 {
		t.Fatal(strings.Join(f, "\n"))
	}
}

// faults reads all and compares: acknowledged records are where they were
// acknowledged, offsets are contiguous, nothing is there more often than sent.
func (g *ledger) faults(t *testing.T, l *Log) (out []string) {
	t.Helper()
	bad := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	seen := map[string]int{}
	found := map[string]string{}
	for p := range l.Partitions() {
		at := l.Start(p)
		err := l.Read(t.Context(), p, at, l.End(p), func(o int64, r *Record) bool {
			if o != at {
				bad("partition %d: offset %d after %d", p, o, at-1)
			}
			at++
			seen[string(r.Value)]++
			found[fmt.Sprintf("%d/%d", p, o)] = string(r.Value)
			return true
		})
		if err != nil || at != l.End(p) {
			bad("partition %d: read to %d, end is %d: %v", p, at, l.End(p), err)
		}
	}
	for where, v := range g.acked {
		if there, ok := found[where]; there != v && (ok || g.keep == 0 || !expired(l, where)) {
			bad("acknowledged %q at %s: there is %q", v, where, found[where])
		}
	}
	for v, n := range seen {
		if n > g.sent[v] {
			bad("%q is there %d times, sent %d times", v, n, g.sent[v])
		}
	}
	return out
}

// see takes what readers can see as acknowledged: it must not vanish any more.
func (g *ledger) see(t *testing.T, l *Log) {
	for p := range l.Partitions() {
		// An error is the power, which is gone already.
		_ = l.Read(t.Context(), p, l.Start(p), l.End(p), func(o int64, r *Record) bool {
			g.acked[fmt.Sprintf("%d/%d", p, o)] = string(r.Value)
			return true
		})
	}
}

// expired reports whether a place lies before the partition's start.
func expired(l *Log, where string) bool {
	var p int
	var o int64
	_, err := fmt.Sscanf(where, "%d/%d", &p, &o)
	return err == nil && o < l.Start(p)
}

// life runs a log under load until the power goes or the load ends.
func (g *ledger) life(t *testing.T, m *vfs.Mem, n int) {
	l, err := Open(g.config(m))
	if err != nil {
		if !errors.Is(err, vfs.ErrPowerCut) {
			t.Fatalf("life %d: open: %v", n, err)
		}
		return
	}
	if f := g.faults(t, l); len(f) > 0 && !strings.Contains(f[0], vfs.ErrPowerCut.Error()) {
		t.Fatal(strings.Join(f, "\n"))
	}
	g.see(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	g.load(ctx, l, n, 8)
	for _, p := range l.parts { // as the tender would after a while
		if err := p.sealAll(l); err == nil && n%2 == 0 {
			_ = p.writePoint(m)
		}
	}
	g.load(ctx, l, n+100, 4)
	cancel()
	<-done
}

func TestNothingAcknowledgedIsLostWhereverThePowerGoes(t *testing.T) { cutEverywhere(t, 0, 1) }

// The same while retention removes segments: no gap, no return of offsets.
func TestPowerCutsDuringRetentionLeaveNoGap(t *testing.T) { cutEverywhere(t, 1500, 2) }

func cutEverywhere(t *testing.T, keep int64, step int) {
	// How many operations has an uncut life?
	whole := vfs.NewMem()
	g := &ledger{acked: map[string]string{}, sent: map[string]int{}, keep: keep}
	g.life(t, whole, 0)
	ops := int(whole.Ops())
	if ops < 100 {
		t.Fatalf("only %d operations: the load is too small", ops)
	}
	if testing.Short() {
		step *= 5
	}
	for at := 0; at <= ops+5; at += step {
		rng := rand.New(rand.NewPCG(uint64(at), 99))
		g := &ledger{acked: map[string]string{}, sent: map[string]int{}, keep: keep}
		m := vfs.NewMem()
		m.CutAt(at)
		g.life(t, m, 0)
		// A second life starts on what is left and loses power too, maybe in
		// recovery; a third must find all. What is left is what a power cut
		// leaves or, last, all that a killed process wrote, synced or not.
		for i, m2 := range []*vfs.Mem{m.Crash(nil), m.Crash(rng), m} {
			h := &ledger{acked: maps.Clone(g.acked), sent: maps.Clone(g.sent), keep: keep}
			m2.CutAt((at*13 + i) % (ops + 1))
			if i == 2 {
				rng = nil
			}
			h.life(t, m2, 1)
			m3 := m2.Crash(rng)
			h.life(t, m3, 2)
			l, err := Open(h.config(m3))
			if err != nil {
				t.Fatalf("cut at %d: %v", at, err)
			}
			h.check(t, l)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if t.Failed() {
				t.Fatalf("cut at %d", at)
			}
		}
	}
}

// The checker itself: it must see a planted loss and a planted double.
func TestCrashCheckerSeesPlantedFaults(t *testing.T) {
	l, _ := running(t, Config{Partitions: 2})
	mustAppend(t, l, 0, text("a", "b", "b")...)
	for _, c := range []struct {
		name string
		g    *ledger
		bad  bool
	}{
		{"right", &ledger{acked: map[string]string{"0/1": "b"}, sent: map[string]int{"a": 1, "b": 2}}, false},
		{"lost", &ledger{acked: map[string]string{"0/3": "c"}, sent: map[string]int{"a": 1, "b": 2, "c": 1}}, true},
		{"double", &ledger{acked: map[string]string{}, sent: map[string]int{"a": 1, "b": 1}}, true},
	} {
		if got := c.g.faults(t, l); (len(got) > 0) != c.bad {
			t.Errorf("%s: %v", c.name, slices.Sorted(slices.Values(got)))
		}
	}
}
