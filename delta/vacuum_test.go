package delta_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

func dataFiles(t *testing.T, store objstore.Store) []string {
	t.Helper()
	var out []string
	for o, err := range store.List(context.Background(), "", "") {
		check(t, err)
		if !strings.HasPrefix(o.Key, "_delta_log/") {
			out = append(out, o.Key)
		}
	}
	return out
}

func TestVacuumDeletesWhatNoReaderNeeds(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	now := time.Now()
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "", plain,
		delta.WithClock(func() time.Time { return now }),
		delta.WithProperties(map[string]string{"delta.deletedFileRetentionDuration": "interval 1 hours"})))
	appendRows(t, tab, 0, 3)
	must[int64](t)(tab.Checkpoint(ctx))
	overwrite := func(first int) {
		t.Helper()
		must[int64](t)(tab.Overwrite(ctx, delta.Batches(rows(first, 3))))
	}
	overwrite(10)
	// Files of a prepared commit, and of a writer that died.
	prepare := func() []delta.Add {
		t.Helper()
		w := must[*delta.Writer](t)(tab.NewWriter(ctx, delta.WriterOptions{}))
		rec := rows(50, 2)
		defer rec.Release()
		check(t, w.Write(rec))
		return must[[]delta.Add](t)(w.Close())
	}
	prepared, orphan := prepare(), prepare()
	keep := func(path string) bool {
		return slices.ContainsFunc(prepared, func(a delta.Add) bool { return delta.DataPath(a) == path })
	}
	if r := must[delta.VacuumResult](t)(tab.Vacuum(ctx, delta.VacuumOptions{Keep: keep})); r.Files != 0 {
		t.Fatalf("%d files deleted within the retention", r.Files)
	}
	now = now.Add(90 * time.Minute)
	overwrite(20) // what it takes out is within the retention, however old the file is
	all := dataFiles(t, store)
	if r := must[delta.VacuumResult](t)(tab.Vacuum(ctx, delta.VacuumOptions{Keep: keep, DryRun: true})); r.Files != 2 || len(dataFiles(t, store)) != len(all) {
		t.Fatalf("a dry run tells %d files and leaves %d of %d", r.Files, len(dataFiles(t, store)), len(all))
	}
	r := must[delta.VacuumResult](t)(tab.Vacuum(ctx, delta.VacuumOptions{Keep: keep}))
	left := dataFiles(t, store)
	if r.Files != 2 || r.Bytes == 0 || len(left) != len(all)-2 || slices.Contains(left, delta.DataPath(orphan[0])) {
		t.Fatalf("%d files of %d bytes deleted, %d of %d left", r.Files, r.Bytes, len(left), len(all))
	}
	// The version before the last overwrite can be read still, the prepared files be committed.
	old := must[*delta.Snapshot](t)(tab.SnapshotAt(ctx, 2))
	for rec, err := range old.Read(ctx, nil) {
		check(t, err)
		rec.Release()
	}
	must[delta.CommitResult](t)(tab.Commit(ctx, delta.Commit{Adds: prepared, DataChange: true, ReadVersion: -1}))
	now = now.Add(2 * time.Hour)
	must[delta.VacuumResult](t)(tab.Vacuum(ctx, delta.VacuumOptions{}))
	s := snap(t, must[*delta.Table](t)(delta.Open(ctx, store, "")))
	if n := len(dataFiles(t, store)); n != s.NumFiles() {
		t.Fatalf("%d files lie there, %d are live", n, s.NumFiles())
	}
	n := int64(0)
	for rec, err := range s.Read(ctx, nil) {
		check(t, err)
		n += rec.NumRows()
		rec.Release()
	}
	if n != 5 {
		t.Fatalf("%d rows instead of 5", n)
	}
}
