package delta_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/vfs"
	"github.com/marisma/marisma/objstore"
)

// cutTable runs work on a table with properties, the power cut after each
// number of writes: what is left has one of the given numbers of rows, the last
// if work returned well.
func cutTable(t *testing.T, props map[string]string, prepare func(*delta.Table), work func(*delta.Table) error, counts ...int) {
	t.Helper()
	ctx := context.Background()
	for cut := range 2000 {
		mem := vfs.NewMem()
		tab := must[*delta.Table](t)(delta.Create(ctx, objstore.LocalOn(mem, "."), "t", plain, delta.WithProperties(props)))
		prepare(tab)
		mem.CutAt(cut)
		err := work(tab)
		mem.CutAt(-1)
		after := mem.Crash(nil)
		_, ids := survivors(t, after)
		ok := len(ids) == counts[len(counts)-1]
		for _, n := range counts {
			ok = ok || err != nil && len(ids) == n
		}
		if !ok {
			t.Fatalf("cut %d (%v): %d rows, want one of %v", cut, err, len(ids), counts)
		}
		again := must[*delta.Table](t)(delta.Open(ctx, objstore.LocalOn(after, "."), "t"))
		appendRows(t, again, 1000, 1)
		must[int64](t)(again.Checkpoint(ctx))
		if _, more := survivors(t, after); len(more) != len(ids)+1 {
			t.Fatalf("cut %d: %d rows after one more than %d", cut, len(more), len(ids))
		}
		if err == nil {
			t.Logf("%d cuts", cut)
			return
		}
	}
	t.Fatal("the work never ends")
}

func TestVectorsSurviveAPowerCut(t *testing.T) {
	props := map[string]string{"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true", "delta.enableInCommitTimestamps": "true"}
	cutTable(t, props, func(tab *delta.Table) { appendRows(t, tab, 0, 4); appendRows(t, tab, 4, 4) }, func(tab *delta.Table) error {
		ctx := context.Background()
		s, err := tab.Snapshot(ctx)
		if err != nil {
			return err
		}
		r, err := s.NewRewrite(ctx, delta.RewriteOptions{})
		if err != nil {
			return err
		}
		set := &delta.RowSet{}
		set.AddMany([]uint64{0, 2})
		for a := range s.All() {
			if err := r.Delete(a, set); err != nil {
				return errors.Join(err, r.Abort())
			}
		}
		if err := r.Insert(rows(100, 1)); err != nil {
			return errors.Join(err, r.Abort())
		}
		_, _, err = r.Commit(delta.Commit{Operation: "MERGE"})
		return err
	}, 8, 5)
}

func TestCheckpointsOfTheSecondKindSurviveAPowerCut(t *testing.T) {
	cutTable(t, v2Policy, func(tab *delta.Table) {
		appendRows(t, tab, 0, 2)
		must[int64](t)(tab.Checkpoint(context.Background()))
		appendRows(t, tab, 2, 2)
	}, func(tab *delta.Table) error {
		if _, err := tab.Checkpoint(context.Background()); err != nil {
			return err
		}
		_, err := tab.CleanupLog(context.Background(), delta.CleanupOptions{Retention: 1})
		return err
	}, 4)
}

func TestVacuumSurvivesAPowerCut(t *testing.T) {
	for _, lite := range []bool{false, true} {
		none := time.Duration(0)
		cutTable(t, nil, func(tab *delta.Table) {
			appendRows(t, tab, 0, 4)
			must[int64](t)(tab.Overwrite(context.Background(), delta.Batches(rows(0, 3))))
			must[int64](t)(tab.Overwrite(context.Background(), delta.Batches(rows(5, 2))))
		}, func(tab *delta.Table) error {
			_, err := tab.Vacuum(context.Background(), delta.VacuumOptions{Retention: &none, Force: true, Lite: lite})
			return err
		}, 2)
	}
}
