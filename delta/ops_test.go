package delta_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

func TestATableIsRestored(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	now := time.Now()
	tab := create(t, store, map[string]string{"a": "b", "delta.enableDeletionVectors": "true"}, delta.WithClock(func() time.Time { return now }))
	appendRows(t, tab, 0, 3)
	deleteRows(t, tab, 1)
	setProperties(t, tab, map[string]string{"a": "", "c": "d"})
	old := must[*delta.Snapshot](t)(tab.SnapshotAt(ctx, 2))
	appendRows(t, tab, 3, 3)
	deleteRows(t, tab, 0)
	r := must[delta.RestoreResult](t)(tab.Restore(ctx, old))
	if r.Version != 6 || r.Added != 1 || r.Removed != 2 || r.Files != 1 {
		t.Errorf("%+v", r)
	}
	s := snap(t, reopen(t, store))
	if d := cmp.Diff([]int64{0, 2}, ids(t, s)); d != "" {
		t.Error(d)
	}
	if c := s.Metadata().Configuration; c["a"] != "b" || c["c"] != "" {
		t.Errorf("%v", c)
	}
	must[int64](t)(tab.Overwrite(ctx, delta.Batches(rows(9, 1))))
	now = now.Add(8 * 24 * time.Hour)
	must[delta.VacuumResult](t)(tab.Vacuum(ctx, delta.VacuumOptions{}))
	if _, err := tab.Restore(ctx, old); !errors.Is(err, delta.ErrVersionNotFound) || !strings.Contains(err.Error(), "vacuumed") {
		t.Errorf("%v", err)
	}
	if v := snap(t, tab).Version(); v != 7 {
		t.Errorf("version %d", v)
	}
}

func TestPartitionsAreReplaced(t *testing.T) {
	ctx := context.Background()
	tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", plain, delta.WithPartitionBy("name")))
	appendRows(t, tab, 0, 14)                                                             // name-0 to name-6, twice
	must[int64](t)(tab.ReplacePartitions(ctx, delta.Batches(rows(100, 1), rows(102, 1)))) // name-2 and name-4
	if d := cmp.Diff([]int64{0, 1, 3, 5, 6, 7, 8, 10, 12, 13, 100, 102}, ids(t, snap(t, tab))); d != "" {
		t.Error(d)
	}
	whole := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", plain))
	appendRows(t, whole, 0, 3)
	must[int64](t)(whole.ReplacePartitions(ctx, delta.Batches(rows(7, 1))))
	if d := cmp.Diff([]int64{7}, ids(t, snap(t, whole))); d != "" {
		t.Error(d)
	}
	if v := must[int64](t)(whole.ReplacePartitions(ctx, delta.Batches())); v != 2 {
		t.Errorf("no rows made version %d", v)
	}
}

func TestVacuumKeepsToTheRetention(t *testing.T) {
	ctx := context.Background()
	hour := time.Hour
	for _, lite := range []bool{false, true} {
		store := objstore.Memory()
		now := time.Now()
		tab := create(t, store, map[string]string{"delta.enableDeletionVectors": "true"}, delta.WithClock(func() time.Time { return now }))
		appendRows(t, tab, 0, 3)
		deleteRows(t, tab, 1)
		must[int64](t)(tab.Overwrite(ctx, delta.Batches(rows(3, 3))))
		w := must[*delta.Writer](t)(tab.NewWriter(ctx, delta.WriterOptions{})) // of a writer that dies
		check(t, w.Write(rows(50, 2)))
		must[[]delta.Add](t)(w.Close())
		now = now.Add(2 * time.Hour)
		if _, err := tab.Vacuum(ctx, delta.VacuumOptions{Retention: &hour, Lite: lite}); !errors.Is(err, delta.ErrRetention) {
			t.Errorf("lite=%v: %v", lite, err)
		}
		if n := len(dataFiles(t, store)); n != 4 {
			t.Errorf("lite=%v: %d files after a refused vacuum", lite, n)
		}
		want := map[bool]int{false: 3, true: 2}[lite] // the file, its vector, and the one that nobody names
		for _, dry := range []bool{true, false} {
			r := must[delta.VacuumResult](t)(tab.Vacuum(ctx, delta.VacuumOptions{Retention: &hour, Force: true, Lite: lite, DryRun: dry, List: true}))
			if r.Files != want || len(r.Keys) != want {
				t.Errorf("lite=%v, dry=%v: %+v", lite, dry, r)
			}
		}
		if n := len(dataFiles(t, store)); n != 4-want {
			t.Errorf("lite=%v: %d files are left", lite, n)
		}
		if d := cmp.Diff([]int64{3, 4, 5}, ids(t, snap(t, tab))); d != "" {
			t.Error(d)
		}
	}
}

func TestAShallowCloneReadsItsSource(t *testing.T) {
	ctx := context.Background()
	store := objstore.Local(t.TempDir())
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "from here", plain, delta.WithPartitionBy("name"),
		delta.WithProperties(map[string]string{"delta.enableDeletionVectors": "true", "delta.columnMapping.mode": "name"})))
	appendRows(t, tab, 0, 9)
	s := snap(t, tab)
	var some []delta.FileRows
	for a := range s.All() {
		set := &delta.RowSet{}
		set.Add(0)
		some = append(some, delta.FileRows{Add: a, Rows: set})
		break
	}
	adds, removes, err := s.DeleteRows(ctx, some)
	check(t, err)
	must[delta.CommitResult](t)(tab.Commit(ctx, delta.Commit{Adds: adds, Removes: removes, DataChange: true, ReadVersion: s.Version()}))
	want := ids(t, snap(t, tab))
	clone := must[*delta.Table](t)(delta.ShallowClone(ctx, snap(t, tab), store, "to there"))
	if d := cmp.Diff(want, ids(t, snap(t, clone))); d != "" {
		t.Error(d)
	}
	appendRows(t, clone, 20, 1)
	appendRows(t, tab, 30, 1)
	again := must[*delta.Table](t)(delta.Open(ctx, store, "to there"))
	if d := cmp.Diff(append(slices.Clone(want), 20), ids(t, snap(t, again))); d != "" {
		t.Error(d)
	}
	must[delta.VacuumResult](t)(again.Vacuum(ctx, delta.VacuumOptions{}))
	if d := cmp.Diff(append(slices.Clone(want), 30), ids(t, snap(t, tab))); d != "" {
		t.Error(d)
	}
	nowhere := create(t, objstore.Memory(), nil)
	appendRows(t, nowhere, 0, 1)
	if _, err := delta.ShallowClone(ctx, snap(t, nowhere), objstore.Memory(), ""); !errors.Is(err, delta.ErrUnsupportedFeature) {
		t.Errorf("a clone of what has no paths: %v", err)
	}
}

func TestOperationsWithoutAnEngineAreRefused(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := create(t, store, nil)
	appendRows(t, tab, 0, 3)
	before := dataFiles(t, store)
	_, derr := tab.Delete(ctx, "id = 1")
	_, uerr := tab.Update(ctx, map[string]string{"id": "1"}, "")
	_, merr := tab.Merge(ctx, snap(t, tab).Source(), "true", delta.WhenMatchedDelete(""))
	_, rerr := tab.ReplaceWhere(ctx, "id = 1", delta.Batches(rows(0, 1)))
	for what, err := range map[string]error{"DELETE": derr, "UPDATE": uerr, "MERGE": merr, "replacement": rerr} {
		if !errors.Is(err, delta.ErrUnsupportedFeature) || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "WithRowEngine") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if d := cmp.Diff(before, dataFiles(t, store)); d != "" {
		t.Error(d)
	}
	if r := must[delta.ChangeResult](t)(tab.Delete(ctx, "")); r.Deleted != 3 || r.Version != 2 {
		t.Errorf("%+v", r)
	}
	limited := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", plain, delta.WithRowRules(),
		delta.WithProperties(map[string]string{"delta.constraints.positive": "id > 0"})))
	other := must[*delta.Draft](t)(limited.Redefine(plain, delta.WithProperties(map[string]string{"delta.appendOnly": "true"})))
	if _, _, err := other.Commit(ctx, delta.Commit{ReadVersion: -1}); err != nil {
		t.Fatal(err)
	}
	if _, err := limited.Delete(ctx, ""); !errors.Is(err, delta.ErrConstraint) {
		t.Errorf("an append-only table: %v", err)
	}
}
