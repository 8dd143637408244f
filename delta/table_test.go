package delta_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

func TestATableIsMadeWrittenAndReadAgain(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "t", plain, delta.WithName("readings")))
	for i := range 25 {
		if v := appendRows(t, tab, i*10, 10); v != int64(i+1) {
			t.Fatalf("version %d after %d appends", v, i+1)
		}
	}
	want := func(s *delta.Snapshot, version int64, files int, rows int64) {
		t.Helper()
		n, ok := s.Rows()
		if s.Version() != version || s.NumFiles() != files || n != rows || !ok {
			t.Fatalf("version %d with %d files, %d rows; want %d, %d, %d", s.Version(), s.NumFiles(), n, version, files, rows)
		}
	}
	want(snap(t, tab), 25, 25, 250)
	res := must[delta.MaintainResult](t)(tab.Maintain(ctx))
	if !res.Checkpointed {
		t.Fatal("no checkpoint after 25 commits")
	}
	appendRows(t, tab, 250, 10)
	other := must[*delta.Table](t)(delta.Open(ctx, store, "t"))
	want(snap(t, other), 26, 26, 260)
	if other.ID() != tab.ID() {
		t.Fatal("the id changed")
	}
	want(must[*delta.Snapshot](t)(other.SnapshotAt(ctx, 7)), 7, 7, 70)

	before := snap(t, tab)
	c := must[delta.CompactResult](t)(tab.Compact(ctx, delta.CompactOptions{}))
	if c.Removed != 26 || c.Added != 1 || c.Rows != 260 {
		t.Fatalf("compaction %+v", c)
	}
	want(snap(t, tab), 27, 1, 260)
	want(snap(t, other), 27, 1, 260)
	want(before, 26, 26, 260)
	n := 0
	for range before.All() {
		n++
	}
	if n != 26 {
		t.Fatalf("the older snapshot lists %d files", n)
	}
	v := must[int64](t)(tab.Overwrite(ctx, delta.Batches(rows(0, 3))))
	want(snap(t, tab), v, 1, 3)
	hist := must[[]delta.HistoryEntry](t)(tab.History(ctx, 2))
	if len(hist) != 2 || hist[0].Version != v || hist[1].Info.Operation != "OPTIMIZE" {
		t.Fatalf("history %+v", hist)
	}
}

func TestATransactionIsCommittedOnce(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "", plain))
	v := appendRows(t, tab, 0, 5, delta.WithTxn("flow", 3))
	for _, h := range []*delta.Table{tab, must[*delta.Table](t)(delta.Open(ctx, store, ""))} {
		_, err := h.Append(ctx, delta.Batches(rows(0, 5)), delta.WithTxn("flow", 3))
		var already *delta.AlreadyCommittedError
		if !errors.Is(err, delta.ErrAlreadyCommitted) || !errors.As(err, &already) || already.Recorded != 3 || already.Version != v {
			t.Fatalf("second commit: %v", err)
		}
	}
	if n, ok := snap(t, tab).Txn("flow"); !ok || n != 3 {
		t.Fatalf("txn %d %v", n, ok)
	}
	var left []string
	for o, err := range store.List(ctx, "part-", "") {
		check(t, err)
		left = append(left, o.Key)
	}
	if len(left) != 1 {
		t.Fatalf("files left: %v", left)
	}
}

func TestTimeTravelFindsTheVersionOfATime(t *testing.T) {
	ctx := context.Background()
	tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", plain))
	var times []time.Time
	for i := range 4 {
		time.Sleep(3 * time.Millisecond)
		appendRows(t, tab, i, 1)
		times = append(times, snap(t, tab).Timestamp())
	}
	for i, at := range times {
		s := must[*delta.Snapshot](t)(tab.SnapshotAsOf(ctx, at))
		if s.Version() != int64(i+1) {
			t.Errorf("at the time of version %d: version %d", i+1, s.Version())
		}
	}
	if _, err := tab.SnapshotAsOf(ctx, times[0].Add(-time.Hour)); !errors.Is(err, delta.ErrVersionNotFound) {
		t.Errorf("before the table: %v", err)
	}
	if _, err := tab.SnapshotAt(ctx, 99); !errors.Is(err, delta.ErrVersionNotFound) {
		t.Errorf("version 99: %v", err)
	}
	if _, err := delta.Open(ctx, objstore.Memory(), "x"); !errors.Is(err, delta.ErrNotATable) {
		t.Errorf("no table: %v", err)
	}
}
