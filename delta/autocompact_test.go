package delta_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// The fiftieth small file of a partition makes them one; other partitions, and
// tables without the property, stay.
func TestAutoCompact(t *testing.T) {
	ctx := context.Background()
	for value, want := range map[string]int{"true": 2, "auto": 2, "false": 51, "": 51} {
		props := map[string]string{}
		if value != "" {
			props["delta.autoOptimize.autoCompact"] = value
		}
		tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", gridSchema, delta.WithProperties(props), delta.WithPartitionBy("x")))
		compact := func() delta.OptimizeResult { return must[delta.OptimizeResult](t)(tab.AutoCompact(ctx)) }
		one := grid(3, 0, 1)
		other := grid(4, 0, 1)
		must[int64](t)(tab.Append(ctx, delta.Batches(other)))
		for i := range 50 {
			if r := compact(); r.Version != -1 {
				t.Fatalf("%q: %d files and 1 were compacted: %+v", value, i, r)
			}
			must[int64](t)(tab.Append(ctx, delta.Batches(one)))
		}
		before := ids(t, snap(t, tab))
		r := compact()
		s := snap(t, tab)
		if s.NumFiles() != want || (r.Version == -1) != (want == 51) {
			t.Errorf("%q: %d files, version %d", value, s.NumFiles(), r.Version)
		}
		if d := cmp.Diff(before, ids(t, s)); d != "" {
			t.Error(d)
		}
		h := must[[]delta.HistoryEntry](t)(tab.History(ctx, 1))
		if want == 2 && (h[0].Info.Operation != "OPTIMIZE" || h[0].Info.OperationParameters["auto"] != "true") {
			t.Errorf("%q: the history says %+v", value, h[0].Info)
		}
		if r := compact(); r.Version != -1 {
			t.Errorf("%q: compacted twice: %+v", value, r)
		}
	}
}
