package delta_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

func idsOf(t *testing.T, s *delta.Snapshot) map[string]int {
	t.Helper()
	ids := map[string]int{}
	for rec, err := range s.Read(context.Background(), []string{"id"}) {
		check(t, err)
		for i := range int(rec.NumRows()) {
			ids[rec.Column(0).ValueStr(i)]++
		}
		rec.Release()
	}
	return ids
}

// TestRandomWorkKeepsTheRows does the same work through handles that are
// reopened, checkpoint, compact and clean up at random, and compares the table
// with a model after each step; older snapshots must not change.
func TestRandomWorkKeepsTheRows(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 9))
			store := objstore.Memory()
			var opts []delta.Option
			if seed%2 == 1 {
				opts = append(opts, delta.WithPartitionBy("name"))
			}
			tabs := []*delta.Table{must[*delta.Table](t)(delta.Create(ctx, store, "x", plain, opts...))}
			tabs = append(tabs, must[*delta.Table](t)(delta.Open(ctx, store, "x")))
			model := map[string]int{}
			var kept *delta.Snapshot
			var keptIDs map[string]int
			for step := range 60 {
				i := r.IntN(len(tabs))
				tab := tabs[i]
				switch r.IntN(8) {
				case 0, 1, 2:
					first, n := r.IntN(50), 1+r.IntN(9)
					appendRows(t, tab, first, n)
					for id := first; id < first+n; id++ {
						model[fmt.Sprint(id)]++
					}
				case 3:
					first, n := r.IntN(50), 1+r.IntN(9)
					must[int64](t)(tab.Overwrite(ctx, delta.Batches(rows(first, n))))
					clear(model)
					for id := first; id < first+n; id++ {
						model[fmt.Sprint(id)]++
					}
				case 4:
					must[delta.CompactResult](t)(tab.Compact(ctx, delta.CompactOptions{MinFiles: 2 + r.IntN(3)}))
				case 5:
					must[int64](t)(tab.Checkpoint(ctx))
				case 6:
					for _, other := range tabs { // so short a retention asks for it
						snap(t, other)
					}
					must[int](t)(tab.CleanupLog(ctx, delta.CleanupOptions{Retention: 1}))
				case 7:
					tabs[i] = must[*delta.Table](t)(delta.Open(ctx, store, "x"))
				}
				s := snap(t, tabs[r.IntN(len(tabs))])
				if d := cmp.Diff(model, idsOf(t, s)); d != "" {
					t.Fatalf("step %d: %s", step, d)
				}
				if kept != nil && step%20 == 19 {
					n := 0
					for range kept.All() {
						n++
					}
					if n != kept.NumFiles() {
						t.Fatalf("a snapshot of %d files lists %d", kept.NumFiles(), n)
					}
					if d := cmp.Diff(keptIDs, idsOf(t, kept)); d != "" {
						t.Fatalf("a snapshot changed: %s", d)
					}
				}
				if kept == nil || step%20 == 19 {
					kept, keptIDs = s, maps.Clone(model)
				}
			}
		})
	}
}
