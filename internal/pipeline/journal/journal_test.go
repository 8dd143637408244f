package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/vfs"
)

func open(t testing.TB, fs vfs.FS, compact int64) *Journal {
	t.Helper()
	j, err := Open(Config{FS: fs, Dir: "pipelines/p", CompactBytes: compact})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func pos(n int64) json.RawMessage { return json.RawMessage(fmt.Sprintf(`{"offsets":[%d]}`, n)) }

var at = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

// batch walks a flow through one batch and stops at the first error; it tells
// the last step that returned without one.
func batch(j *Journal, flow string, n int64) (string, error) {
	cp := "cp-" + flow
	if err := j.Plan(Plan{Flow: flow, Checkpoint: cp, Batch: n, Time: at, Hash: "h",
		Ranges: []Range{{Source: "log", From: pos(n - 1), To: pos(n)}}}); err != nil {
		return "done", err
	}
	err := j.Prepare(Prepared{Flow: flow, Checkpoint: cp, Batch: n,
		Tables: []TableCommit{{Name: "t", ID: "id", Adds: []json.RawMessage{json.RawMessage(`{"path":"x"}`)}, Rows: 1}},
		Counts: Counts{In: 2, Out: 1, Dropped: 1, Expectations: map[string]Tally{"e": {1, 1}}}})
	if err != nil {
		return "planned", err
	}
	if err := j.Done(Done{Flow: flow, Checkpoint: cp, Batch: n}); err != nil {
		return "prepared", err
	}
	return "done", nil
}

func TestStateSurvivesReopening(t *testing.T) {
	fs := vfs.NewMem()
	j := open(t, fs, 0)
	if err := j.Begin(Begin{Flow: "a", Checkpoint: "cp-a", Hash: "h", Time: at}); err != nil {
		t.Fatal(err)
	}
	for n := int64(1); n <= 3; n++ {
		if _, err := batch(j, "a", n); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Plan(Plan{Flow: "a", Checkpoint: "cp-a", Batch: 4, Hash: "h"}); err != nil {
		t.Fatal(err)
	}
	want, _ := j.Flow("a")
	if want.Batch != 3 || want.Totals.In != 6 || want.Totals.Expectations["e"] != (Tally{3, 3}) || string(want.Positions["log"]) != string(pos(3)) {
		t.Fatalf("state is %+v", want)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	got, ok := open(t, fs.Crash(nil), 0).Flow("a")
	if !ok || got.Plan == nil || got.Plan.Batch != 4 {
		t.Fatalf("after reopening: %v, %+v", ok, got)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestRecordsOutOfOrderAreRefused(t *testing.T) {
	j := open(t, vfs.NewMem(), 0)
	if err := j.Begin(Begin{Flow: "a", Checkpoint: "c", Hash: "h"}); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"no such flow":     j.Plan(Plan{Flow: "b", Checkpoint: "c", Batch: 1}),
		"other checkpoint": j.Plan(Plan{Flow: "a", Checkpoint: "d", Batch: 1}),
		"batch left out":   j.Plan(Plan{Flow: "a", Checkpoint: "c", Batch: 2}),
		"not planned":      j.Prepare(Prepared{Flow: "a", Checkpoint: "c", Batch: 1}),
		"done unplanned":   j.Done(Done{Flow: "a", Checkpoint: "c", Batch: 1}),
	} {
		if !errors.Is(err, ErrOrder) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := j.Plan(Plan{Flow: "a", Checkpoint: "c", Batch: 1}); err != nil {
		t.Fatal(err)
	}
	if err := j.Prepare(Prepared{Flow: "a", Checkpoint: "c", Batch: 1}); err != nil {
		t.Fatal(err)
	}
	if err := j.Abandon(Abandon{Flow: "a", Checkpoint: "c", Batch: 1}); !errors.Is(err, ErrOrder) {
		t.Errorf("a prepared batch was abandoned: %v", err)
	}
}

func TestFlowsShareOneSync(t *testing.T) {
	fs := vfs.NewMem()
	j := open(t, fs, 0)
	const flows = 16
	for i := range flows {
		if err := j.Begin(Begin{Flow: fmt.Sprint(i), Checkpoint: "cp-" + fmt.Sprint(i), Hash: "h"}); err != nil {
			t.Fatal(err)
		}
	}
	syncs := 0
	fs.Inject(func(op vfs.Op, _ string) error {
		if op == vfs.OpSync {
			syncs++
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	var wg sync.WaitGroup
	for i := range flows {
		wg.Go(func() {
			for n := int64(1); n <= 5; n++ {
				if _, err := batch(j, fmt.Sprint(i), n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if all := flows * 5 * 3; syncs >= all {
		t.Errorf("%d records took %d syncs", all, syncs)
	}
	for i := range flows {
		if f, _ := j.Flow(fmt.Sprint(i)); f.Batch != 5 {
			t.Errorf("flow %d is at batch %d", i, f.Batch)
		}
	}
}

// TestPowerCutAtEveryWrite cuts the power at each mutating operation of a run
// that also compacts; what returned must be there afterwards, and at most the
// one record under way besides.
func TestPowerCutAtEveryWrite(t *testing.T) {
	run := func(fs *vfs.Mem) (begun bool, n int64, step string) {
		j, err := Open(Config{FS: fs, Dir: "pipelines/p", CompactBytes: 1500})
		if err != nil {
			return false, 0, ""
		}
		defer j.Close()
		if j.Begin(Begin{Flow: "a", Checkpoint: "cp-a", Hash: "h", Time: at}) != nil {
			return false, 0, ""
		}
		for n = 1; n <= 12; n++ {
			if step, err := batch(j, "a", n); err != nil {
				return true, n, step
			}
		}
		return true, n, "done"
	}
	whole := vfs.NewMem()
	run(whole)
	ops := int(whole.Ops())
	if ops < 40 {
		t.Fatalf("only %d operations", ops)
	}
	for cut := range ops + 1 {
		for seed := range uint64(3) {
			fs := vfs.NewMem()
			fs.CutAt(cut)
			begun, n, step := run(fs)
			var rng *rand.Rand
			if seed > 0 {
				rng = rand.New(rand.NewPCG(seed, uint64(cut)))
			}
			after := fs.Crash(rng)
			j, err := Open(Config{FS: after, Dir: "pipelines/p", CompactBytes: 1500})
			if err != nil {
				t.Fatalf("cut %d seed %d: %v", cut, seed, err)
			}
			f, ok := j.Flow("a")
			if begun && !ok {
				t.Fatalf("cut %d seed %d: the begun flow is gone", cut, seed)
			}
			if ok {
				check(t, fmt.Sprintf("cut %d seed %d", cut, seed), f, n, step)
				goOn(t, j, f)
			}
			_ = j.Close()
		}
	}
}

// check compares the state with what returned: step of batch n, or one more.
func check(t *testing.T, when string, f Flow, n int64, step string) {
	t.Helper()
	stage := func() int64 {
		s := 3 * f.Batch
		if f.Plan != nil {
			s++
		}
		if f.Prepared != nil {
			s++
		}
		return s
	}()
	returned := int64(0)
	if n > 0 {
		returned = 3 * (n - 1)
		switch step {
		case "planned":
			returned++
		case "prepared":
			returned += 2
		}
	}
	if stage != returned && stage != returned+1 {
		t.Errorf("%s: %s of batch %d returned, but the journal is at batch %d, plan %v, prepared %v", when, step, n, f.Batch, f.Plan, f.Prepared)
	}
}

// goOn finishes what is under way and does one batch more.
func goOn(t *testing.T, j *Journal, f Flow) {
	t.Helper()
	next := f.Batch + 1
	if f.Plan != nil {
		if err := j.Done(Done{Flow: "a", Checkpoint: "cp-a", Batch: next}); err != nil {
			t.Fatal(err)
		}
		next++
	}
	if _, err := batch(j, "a", next); err != nil {
		t.Fatal(err)
	}
}

func TestFailedSyncClosesTheJournal(t *testing.T) {
	fs := vfs.NewMem()
	j := open(t, fs, 0)
	broken := errors.New("the disk says no")
	fs.Inject(func(op vfs.Op, _ string) error {
		if op == vfs.OpSync {
			return broken
		}
		return nil
	})
	if err := j.Begin(Begin{Flow: "a", Checkpoint: "c"}); !errors.Is(err, ErrFailed) || !errors.Is(err, broken) {
		t.Errorf("first: %v", err)
	}
	fs.Inject(nil)
	if err := j.Begin(Begin{Flow: "a", Checkpoint: "c"}); !errors.Is(err, ErrFailed) {
		t.Errorf("second: %v", err)
	}
	if _, ok := j.Flow("a"); ok {
		t.Error("a record that failed is in the state")
	}
}

func TestDamageAndNewerFormatsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   error
	}{
		"newer":         {func(b []byte) []byte { b[len(magic)] = 9; return b }, ErrNewer},
		"not a journal": {func(b []byte) []byte { b[0] = 'X'; return b }, ErrCorrupt},
		"checkpoint":    {func(b []byte) []byte { b[headerSize+frameSize+2] ^= 1; return b }, ErrCorrupt},
		"empty":         {func([]byte) []byte { return nil }, ErrCorrupt},
	} {
		fs := vfs.NewMem()
		if err := open(t, fs, 0).Close(); err != nil {
			t.Fatal(err)
		}
		file := path.Join("pipelines/p", "journal-0000000001")
		data, err := vfs.ReadFile(fs, file)
		if err != nil {
			t.Fatal(err)
		}
		if err := vfs.WriteFile(fs, file, c.change(data)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Config{FS: fs, Dir: "pipelines/p"}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	fs := vfs.NewMem()
	j, err := Open(Config{FS: fs, Dir: "d"})
	if err != nil {
		f.Fatal(err)
	}
	_ = j.Begin(Begin{Flow: "a", Checkpoint: "cp-a", Hash: "h"})
	_, _ = batch(j, "a", 1)
	_ = j.Close()
	data, err := vfs.ReadFile(fs, "d/journal-0000000001")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)-3])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		fs := vfs.NewMem()
		if err := fs.MkdirAll("d"); err != nil {
			t.Fatal(err)
		}
		if err := vfs.WriteFile(fs, "d/journal-0000000001", data); err != nil {
			t.Fatal(err)
		}
		j, err := Open(Config{FS: fs, Dir: "d"})
		if err != nil {
			return
		}
		if err := j.Begin(Begin{Flow: "z", Checkpoint: "c"}); err != nil {
			t.Errorf("an opened journal takes no record: %v", err)
		}
		_ = j.Close()
	})
}
