package delta_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

var trackedProps = map[string]string{"delta.enableRowTracking": "true"}

// tracked are the rows of a snapshot as "id value: row id, version".
func tracked(t testing.TB, s *delta.Snapshot) []string {
	t.Helper()
	var out []string
	for rec, err := range s.Read(context.Background(), []string{delta.RowID, "id", "value", delta.RowCommitVersion}) {
		check(t, err)
		for i := range int(rec.NumRows()) {
			out = append(out, fmt.Sprintf("%s %.0f: %s, %s", rec.Column(1).ValueStr(i), rec.Column(2).(*array.Float64).Value(i), rec.Column(0).ValueStr(i), rec.Column(3).ValueStr(i)))
		}
		rec.Release()
	}
	slices.Sort(out)
	return out
}

// withRowIDs are rows with the ids that they are known by.
func withRowIDs(rec arrow.RecordBatch, ids ...int64) arrow.RecordBatch {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(ids, nil)
	fields := append(slices.Clone(rec.Schema().Fields()), arrow.Field{Name: delta.RowID, Type: arrow.PrimitiveTypes.Int64, Nullable: true})
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), append(slices.Clone(rec.Columns()), b.NewArray()), rec.NumRows())
}

// rewriteTracked updates row 1 of the first file, deletes its row 2 and inserts
// one.
func rewriteTracked(tab *delta.Table) error {
	ctx := context.Background()
	s, err := tab.Snapshot(ctx)
	if err != nil {
		return err
	}
	r, err := s.NewRewrite(ctx, delta.RewriteOptions{})
	if err != nil {
		return err
	}
	change := func() error {
		one, two := &delta.RowSet{}, &delta.RowSet{}
		one.Add(1)
		two.Add(2)
		for a := range s.All() {
			if err := errors.Join(r.Update(a, one), r.Delete(a, two)); err != nil {
				return err
			}
			break
		}
		return errors.Join(r.Replace(withRowIDs(rows(51, 1), 1)), r.Insert(rows(60, 1)))
	}
	if err := change(); err != nil {
		return errors.Join(err, r.Abort())
	}
	_, _, err = r.Commit(delta.Commit{Operation: "MERGE"})
	return err
}

func TestRowsKeepTheirIDs(t *testing.T) {
	for name, props := range map[string]map[string]string{
		"files written anew": nil, "vectors and feed": {"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true"},
		"mapped": {"delta.columnMapping.mode": "name"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			all := map[string]string{"delta.enableRowTracking": "true"}
			maps.Copy(all, props)
			tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", plain, delta.WithProperties(all)))
			appendRows(t, tab, 0, 4)  // version 1, ids 0 to 3
			appendRows(t, tab, 10, 2) // version 2, ids 4 and 5
			check(t, rewriteTracked(tab))
			s := snap(t, tab)
			want := []string{"0 0: 0, 1", "10 3: 4, 2", "11 4: 5, 2", "3 1: 3, 1", "51 17: 1, 3"}
			got := tracked(t, s)
			fresh := ""
			got = slices.DeleteFunc(got, func(r string) bool {
				if strings.HasPrefix(r, "60 ") {
					fresh = r
				}
				return strings.HasPrefix(r, "60 ")
			})
			if d := cmp.Diff(want, got); d != "" {
				t.Fatal(d)
			}
			if !strings.HasSuffix(fresh, ", 3") || slices.ContainsFunc(want, func(r string) bool {
				return strings.Contains(r, ": "+strings.Split(strings.Split(fresh, ": ")[1], ",")[0]+",")
			}) {
				t.Errorf("the new row: %s", fresh)
			}
			want = append(want, fresh)
			slices.Sort(want)
			for _, opt := range []delta.OptimizeOptions{{}, {ZOrderBy: []string{"name", "id"}}, {ZOrderBy: []string{"id"}, MemoryBytes: 1}} {
				r := must[delta.OptimizeResult](t)(tab.Optimize(ctx, opt))
				if r.Version < 0 {
					t.Fatal("nothing was written anew")
				}
				if d := cmp.Diff(want, tracked(t, snap(t, tab))); d != "" {
					t.Fatal(d)
				}
			}
			if h := must[[]delta.HistoryEntry](t)(tab.History(ctx, 1)); h[0].Info.Tags["delta.rowTracking.preserved"] != "true" {
				t.Errorf("tags %v", h[0].Info.Tags)
			}
			for a := range snap(t, tab).All() {
				if strings.Contains(a.Stats, "_row-id-col") || *a.BaseRowID < 6 {
					t.Errorf("statistics %s, ids from %d", a.Stats, *a.BaseRowID)
				}
			}
			old := must[*delta.Snapshot](t)(tab.SnapshotAt(ctx, 2))
			must[delta.RestoreResult](t)(tab.Restore(ctx, old))
			if d := cmp.Diff(tracked(t, old), tracked(t, snap(t, tab))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUpdatedRowsNeedTheirIDs(t *testing.T) {
	ctx := context.Background()
	tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", plain, delta.WithProperties(trackedProps)))
	appendRows(t, tab, 0, 4)
	s := snap(t, tab)
	r := must[*delta.Rewrite](t)(s.NewRewrite(ctx, delta.RewriteOptions{}))
	if err := r.Replace(rows(5, 1)); !errors.Is(err, delta.ErrSchemaMismatch) {
		t.Error(err)
	}
	check(t, r.Abort())
	without := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", plain))
	if _, err := without.Append(ctx, delta.Batches(withRowIDs(rows(0, 1), 3))); !errors.Is(err, delta.ErrSchemaMismatch) {
		t.Error(err)
	}
	for _, err := range snap(t, without).Read(ctx, []string{delta.RowID}) {
		if !errors.Is(err, delta.ErrSchemaMismatch) {
			t.Error(err)
		}
	}
}

func TestChangesOfTrackedRowsSurviveAPowerCut(t *testing.T) {
	for _, props := range []map[string]string{trackedProps, {"delta.enableRowTracking": "true", "delta.enableDeletionVectors": "true"}} {
		cutTable(t, props, func(tab *delta.Table) { appendRows(t, tab, 0, 4) }, func(tab *delta.Table) error {
			if err := rewriteTracked(tab); err != nil {
				return err
			}
			_, err := tab.Optimize(context.Background(), delta.OptimizeOptions{ZOrderBy: []string{"id"}})
			return err
		}, 4, 4)
	}
}
