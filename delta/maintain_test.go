package delta_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/objstore"
)

func logNames(t *testing.T, store objstore.Store) []string {
	t.Helper()
	var out []string
	for o, err := range store.List(context.Background(), "_delta_log/", "") {
		check(t, err)
		out = append(out, strings.TrimPrefix(o.Key, "_delta_log/"))
	}
	return out
}

func TestCleanUpKeepsWhatTheRetentionNeeds(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	now := time.Now()
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "", plain, delta.WithClock(func() time.Time { return now })))
	for i := range 5 {
		appendRows(t, tab, i, 1)
	}
	must[int64](t)(tab.Checkpoint(ctx))
	for i := range 5 {
		appendRows(t, tab, 5+i, 1)
	}
	must[int64](t)(tab.Checkpoint(ctx))
	appendRows(t, tab, 10, 1)

	if n := must[int](t)(tab.CleanupLog(ctx, delta.CleanupOptions{})); n != 0 {
		t.Errorf("%d files deleted within the retention", n)
	}
	now = now.Add(40 * 24 * time.Hour)
	if n := must[int](t)(tab.CleanupLog(ctx, delta.CleanupOptions{DryRun: true})); n != 21 {
		t.Errorf("%d files would be deleted, want 10 commits, their checksums and a checkpoint", n)
	}
	must[int](t)(tab.CleanupLog(ctx, delta.CleanupOptions{}))
	want := []string{
		logfile.CheckpointName(10), logfile.ChecksumName(10), logfile.CommitName(10), logfile.ChecksumName(11), logfile.CommitName(11), logfile.Hint,
	}
	if got := logNames(t, store); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%v", got)
	}
	if s := snap(t, must[*delta.Table](t)(delta.Open(ctx, store, ""))); s.NumFiles() != 11 {
		t.Errorf("%d files", s.NumFiles())
	}
	// A handle that was away while the log was cleaned up finds its way.
	appendRows(t, tab, 11, 1)
}

func TestADamagedCheckpointDoesNotStopTheNext(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "", plain))
	for i := range 3 {
		appendRows(t, tab, i, 1)
	}
	must[int64](t)(tab.Checkpoint(ctx))
	_, err := store.Put(ctx, logfile.Key("", logfile.CheckpointName(3)), strings.NewReader("torn"), objstore.PutOptions{})
	check(t, err)
	appendRows(t, tab, 3, 1)
	if v := must[int64](t)(tab.Checkpoint(ctx)); v != 4 {
		t.Fatalf("checkpoint %d", v)
	}
	if s := snap(t, must[*delta.Table](t)(delta.Open(ctx, store, ""))); s.NumFiles() != 4 {
		t.Errorf("%d files", s.NumFiles())
	}
}

func TestTombstonesGoThroughCheckpointsUntilTheyExpire(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	now := time.Now()
	clock := delta.WithClock(func() time.Time { return now })
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "", plain, clock))
	pointer := func(size string) {
		t.Helper()
		must[int64](t)(tab.Checkpoint(ctx))
		data := must[[]byte](t)(objstore.ReadAll(ctx, store, "_delta_log/_last_checkpoint"))
		if !strings.Contains(string(data), `"size":`+size+",") {
			t.Errorf("want %s actions: %s", size, data)
		}
	}
	must[int64](t)(tab.Overwrite(ctx, delta.Batches(rows(0, 1))))
	must[int64](t)(tab.Overwrite(ctx, delta.Batches(rows(1, 1))))
	pointer("4") // protocol, metadata, add, tombstone
	must[int64](t)(tab.Overwrite(ctx, delta.Batches(rows(2, 1))))
	pointer("5") // and another tombstone
	now = now.Add(8 * 24 * time.Hour)
	appendRows(t, tab, 3, 1)
	must[int64](t)(tab.Overwrite(ctx, delta.Batches(rows(4, 1))))
	pointer("5") // the two old ones are gone, two are fresh
}
