package delta_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/vfs"
	"github.com/marisma/marisma/objstore"
)

// survivors reads the ids of a table and checks that the log is whole.
func survivors(t *testing.T, fs vfs.FS) (version int64, ids map[string]int) {
	t.Helper()
	ctx := context.Background()
	tab, err := delta.Open(ctx, objstore.LocalOn(fs, "."), "t")
	if err != nil {
		t.Fatalf("the table does not open: %v", err)
	}
	s := snap(t, tab)
	ids = map[string]int{}
	for rec, err := range s.Read(ctx, []string{"id"}) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			ids[rec.Column(0).ValueStr(i)]++
		}
		rec.Release()
	}
	return s.Version(), ids
}

// cutEverywhere runs work with the power cut after each number of writes and
// looks at what is left: done tells whether work returned well.
func cutEverywhere(t *testing.T, prepare func(*delta.Table), work func(*delta.Table) error, judge func(t *testing.T, version int64, ids map[string]int, done bool)) {
	ctx := context.Background()
	for cut := 0; ; cut++ {
		mem := vfs.NewMem()
		tab := must[*delta.Table](t)(delta.Create(ctx, objstore.LocalOn(mem, "."), "t", plain))
		prepare(tab)
		mem.CutAt(cut)
		err := work(tab)
		mem.CutAt(-1)
		rng := rand.New(rand.NewPCG(uint64(cut), 7))
		for _, r := range []*rand.Rand{nil, rng} {
			after := mem.Crash(r)
			version, ids := survivors(t, after)
			judge(t, version, ids, err == nil)
			// The table goes on after the crash.
			tab := must[*delta.Table](t)(delta.Open(ctx, objstore.LocalOn(after, "."), "t"))
			if v := appendRows(t, tab, 1000, 1); v != version+1 {
				t.Fatalf("cut %d: version %d after %d", cut, v, version)
			}
			must[int64](t)(tab.Checkpoint(ctx))
			if v, _ := survivors(t, after); v != version+1 {
				t.Fatalf("cut %d: version %d", cut, v)
			}
		}
		if err == nil {
			t.Logf("%d cuts", cut)
			return
		}
		if cut > 2000 {
			t.Fatal("the work never ends")
		}
	}
}

func once(t *testing.T, ids map[string]int, n int) {
	t.Helper()
	if len(ids) != n {
		t.Fatalf("%d rows, want %d", len(ids), n)
	}
	for id, c := range ids {
		if c != 1 {
			t.Fatalf("row %s is there %d times", id, c)
		}
	}
}

func TestAnAppendIsWholeOrAbsentAfterAPowerCut(t *testing.T) {
	cutEverywhere(t,
		func(tab *delta.Table) { appendRows(t, tab, 0, 3) },
		func(tab *delta.Table) error {
			_, err := tab.Append(context.Background(), delta.Batches(rows(3, 3)), delta.WithTxn("f", 1))
			return err
		},
		func(t *testing.T, version int64, ids map[string]int, done bool) {
			if done && version != 2 {
				t.Fatalf("the commit returned and is lost: version %d", version)
			}
			once(t, ids, 3*int(version))
		})
}

func TestCheckpointsAndCleanUpSurviveAPowerCut(t *testing.T) {
	cutEverywhere(t,
		func(tab *delta.Table) {
			for i := range 4 {
				appendRows(t, tab, i, 1)
			}
			must[int64](t)(tab.Checkpoint(context.Background()))
			for i := range 2 {
				appendRows(t, tab, 4+i, 1)
			}
		},
		func(tab *delta.Table) error {
			if _, err := tab.Checkpoint(context.Background()); err != nil {
				return err
			}
			_, err := tab.CleanupLog(context.Background(), delta.CleanupOptions{Retention: 1})
			return err
		},
		func(t *testing.T, version int64, ids map[string]int, _ bool) {
			if version != 6 {
				t.Fatalf("version %d", version)
			}
			once(t, ids, 6)
		})
}

func TestCompactionAndOverwriteSurviveAPowerCut(t *testing.T) {
	works := map[string]func(*delta.Table) error{
		"compact": func(tab *delta.Table) error {
			_, err := tab.Compact(context.Background(), delta.CompactOptions{MinFiles: 2})
			return err
		},
		"overwrite": func(tab *delta.Table) error {
			_, err := tab.Overwrite(context.Background(), delta.Batches(rows(0, 5)))
			return err
		},
	}
	for name, work := range works {
		t.Run(name, func(t *testing.T) {
			cutEverywhere(t, func(tab *delta.Table) {
				for i := range 5 {
					appendRows(t, tab, i, 1)
				}
			}, work, func(t *testing.T, version int64, ids map[string]int, done bool) {
				if done && version != 6 {
					t.Fatalf("version %d", version)
				}
				once(t, ids, 5)
			})
		})
	}
}

func TestAFailedWriteLeavesNothingOrSaysWhat(t *testing.T) {
	ctx := context.Background()
	for _, stuck := range []bool{false, true} {
		t.Run(fmt.Sprintf("stuck=%v", stuck), func(t *testing.T) {
			mem := vfs.NewMem()
			tab := must[*delta.Table](t)(delta.Create(ctx, objstore.LocalOn(mem, "."), "t", plain, delta.WithPartitionBy("name")))
			full := errors.New("no space left")
			syncs := 0
			mem.Inject(func(op vfs.Op, _ string) error {
				if op == vfs.OpSync {
					if syncs++; syncs > 3 {
						return full
					}
				}
				if stuck && syncs > 3 && op == vfs.OpRemove {
					return full
				}
				return nil
			})
			_, err := tab.Append(ctx, delta.Batches(rows(0, 7)))
			mem.Inject(nil)
			if !errors.Is(err, full) {
				t.Fatalf("%v", err)
			}
			left := map[string]bool{}
			for o, err := range objstore.LocalOn(mem, ".").List(ctx, "t/name", "") {
				check(t, err)
				left[o.Key] = true
			}
			var orphans *delta.OrphanError
			if errors.As(err, &orphans) {
				for _, k := range orphans.Keys {
					delete(left, k)
				}
			}
			if len(left) > 0 {
				t.Errorf("files left that the error does not name: %v (%v)", left, err)
			}
			if stuck != (orphans != nil) {
				t.Errorf("orphans: %v", err)
			}
			if v := snap(t, tab).Version(); v != 0 {
				t.Errorf("version %d", v)
			}
			appendRows(t, tab, 0, 7)
		})
	}
}

func TestACommitWhoseFolderFailedToSyncIsMadeDurable(t *testing.T) {
	for _, lasting := range []bool{false, true} {
		t.Run(fmt.Sprintf("lasting=%v", lasting), func(t *testing.T) {
			mem := vfs.NewMem()
			tab := must[*delta.Table](t)(delta.Create(context.Background(), objstore.LocalOn(mem, "."), "t", plain))
			failed := 0
			mem.Inject(func(op vfs.Op, name string) error {
				if op == vfs.OpSyncDir && strings.HasSuffix(name, "_delta_log") {
					if failed++; failed == 1 || lasting {
						return errors.New("i/o error")
					}
				}
				return nil
			})
			_, err := tab.Append(context.Background(), delta.Batches(rows(0, 3)))
			mem.Inject(nil)
			if lasting != errors.Is(err, delta.ErrCommitStateUnknown) || !lasting && err != nil {
				t.Fatal(err)
			}
			if version, ids := survivors(t, mem.Crash(nil)); !lasting && (version != 1 || len(ids) != 3) {
				t.Errorf("version %d with %d rows after the crash", version, len(ids))
			}
		})
	}
}
