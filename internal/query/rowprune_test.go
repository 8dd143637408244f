package query_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// A file that cannot have rows which matter is not opened: it may be missing.
func TestChangesReadOnlyFilesThatMayMatter(t *testing.T) {
	ctx := context.Background()
	source := delta.SourceOf(stock, items("5 c 55", "9 d 90"))
	merge := func(on string, opts ...delta.MergeOption) func(*delta.Table) (delta.ChangeResult, error) {
		return func(tab *delta.Table) (delta.ChangeResult, error) { return tab.Merge(ctx, source, on, opts...) }
	}
	all, insert := delta.WhenMatchedUpdateAll(""), delta.WhenNotMatchedInsertAll("")
	for _, c := range []struct {
		name string
		do   func(*delta.Table) (delta.ChangeResult, error)
		want *delta.RowCounts // nil: all files are read
	}{
		{"delete", func(tab *delta.Table) (delta.ChangeResult, error) { return tab.Delete(ctx, "id >= 5") }, &delta.RowCounts{Deleted: 1, Copied: 1}},
		{"delete by an expression", func(tab *delta.Table) (delta.ChangeResult, error) { return tab.Delete(ctx, "id % 5 = 0") }, nil},
		{"update", func(tab *delta.Table) (delta.ChangeResult, error) {
			return tab.Update(ctx, map[string]string{"n": "n + 1"}, "shelf = 'c'")
		}, &delta.RowCounts{Updated: 1, Copied: 1}},
		{"update of all", func(tab *delta.Table) (delta.ChangeResult, error) {
			return tab.Update(ctx, map[string]string{"n": "n + 1"}, "")
		}, nil},
		{"replace", func(tab *delta.Table) (delta.ChangeResult, error) {
			return tab.ReplaceWhere(ctx, "id > 3", delta.Batches(items("7 c 70")))
		}, &delta.RowCounts{Deleted: 2, Inserted: 1}},
		{"merge", merge("target.id = source.id AND target.shelf = 'c'", all), &delta.RowCounts{Updated: 1, Copied: 1}},
		{"merge with new rows", merge("target.id = source.id AND target.id > 3", all, insert), &delta.RowCounts{Updated: 1, Inserted: 1, Copied: 1}},
		{"merge by keys", merge("target.id = source.id", all), nil},
		{"merge by what the source lacks", merge("target.id = source.id AND target.id > 3", delta.WhenNotMatchedBySourceDelete("")), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := objstore.Memory()
			tab, err := delta.Create(ctx, store, "t", stock, delta.WithRowEngine(rowEngine(t)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tab.Append(ctx, delta.Batches(items("1 a 10", "2 a 20", "3 b 30"))); err != nil {
				t.Fatal(err)
			}
			s, err := tab.Snapshot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tab.Append(ctx, delta.Batches(items("4 b 40", "5 c 50"))); err != nil {
				t.Fatal(err)
			}
			for a := range s.All() {
				if err := store.Delete(ctx, s.Locate(a)); err != nil {
					t.Fatal(err)
				}
			}
			res, err := c.do(tab)
			if c.want == nil {
				if !errors.Is(err, objstore.ErrNotFound) {
					t.Errorf("error %v: want the missing file's", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(*c.want, res.RowCounts); diff != "" {
				t.Error(diff)
			}
		})
	}
}
