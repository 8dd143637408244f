package delta_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// setRows are new values of some of flatSchema's columns.
func setRows(n int, value func(i int) (text string, number float64)) arrow.RecordBatch {
	s := arrow.NewSchema([]arrow.Field{{Name: "value", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, {Name: "FEW", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	for i := range n {
		text, number := value(i)
		b.Field(0).(*array.Float64Builder).Append(number)
		if text == "" {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append(text)
		}
	}
	return b.NewRecordBatch()
}

// given gives changes one by one.
func given(changes ...*delta.RowChanges) func() (*delta.RowChanges, error) {
	return func() (*delta.RowChanges, error) {
		if len(changes) == 0 {
			return nil, io.EOF
		}
		c := changes[0]
		changes = changes[1:]
		return c, nil
	}
}

// patchTable makes a table with three files, the second of which has deleted rows.
func patchTable(t *testing.T, n int, props map[string]string) *delta.Table {
	t.Helper()
	ctx := context.Background()
	all := map[string]string{"delta.enableDeletionVectors": "true"}
	maps.Copy(all, props)
	tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", flatSchema, delta.WithProperties(all)))
	for i := range 3 {
		must[int64](t)(tab.Append(ctx, delta.Batches(flatRows(i*n, n))))
	}
	s := snap(t, tab)
	gone := &delta.RowSet{}
	gone.AddRange(uint64(n/4), uint64(n/4+n/8))
	gone.Add(0)
	w := must[*delta.Rewrite](t)(s.NewRewrite(ctx, delta.RewriteOptions{}))
	check(t, w.Delete(slices.Collect(s.All())[1], gone))
	if _, _, err := w.Commit(delta.Commit{Operation: "DELETE"}); err != nil {
		t.Fatal(err)
	}
	setProperties(t, tab, map[string]string{"delta.enableDeletionVectors": "false"})
	return tab
}

// Rows change in their places; what is not changed stays as it is.
func TestRowsChangeInTheirPlaces(t *testing.T) {
	ctx := context.Background()
	for name, props := range map[string]map[string]string{
		"plain": nil, "mapped": {"delta.columnMapping.mode": "name"}, "tracked": {"delta.enableRowTracking": "true"},
	} {
		for _, n := range []int{40, 20_000} {
			r := rand.New(rand.NewPCG(5, uint64(n)))
			tab := patchTable(t, n, props)
			s := snap(t, tab)
			before := texts(t, s)
			w := must[*delta.Rewrite](t)(s.NewRewrite(ctx, delta.RewriteOptions{}))
			if !w.Patchable([]string{"value", "few"}) {
				t.Fatal("the table's rows cannot be changed in their places")
			}
			var files []delta.Add
			var changes []*delta.RowChanges
			var want []string
			counts := delta.RowCounts{}
			at := 0
			for a := range s.All() {
				gone := must[*delta.RowSet](t)(s.Deleted(ctx, a))
				var rows []int64
				var acts []delta.RowAction
				flush := func() {
					if len(rows) == 0 {
						return
					}
					base := rows
					changes = append(changes, &delta.RowChanges{File: len(files), Rows: rows, Acts: acts, Set: setRows(len(rows), func(i int) (string, float64) {
						if base[i]%3 == 0 {
							return "", -1
						}
						return "new", float64(base[i])
					})})
					rows, acts = nil, nil
				}
				for i := range int64(n) {
					if gone != nil && gone.Contains(uint64(i)) {
						continue
					}
					row := before[at]
					at++
					switch {
					case r.IntN(20) == 0:
						rows, acts = append(rows, i), append(acts, delta.RowDeleted)
						counts.Deleted++
						continue
					case r.IntN(10) == 0:
						rows, acts = append(rows, i), append(acts, delta.RowUpdated)
						counts.Updated++
						cells := strings.Split(row, "|")
						if cells[1], cells[5] = "new", strconv.FormatInt(i, 10); i%3 == 0 {
							cells[1], cells[5] = "(null)", "-1"
						}
						row = strings.Join(cells, "|")
					default:
						counts.Copied++
					}
					want = append(want, row)
					if r.IntN(500) == 0 {
						flush()
					}
				}
				flush()
				files = append(files, a)
			}
			check(t, w.Patch(files, given(changes...)))
			_, got, err := w.Commit(delta.Commit{Operation: "MERGE"})
			check(t, err)
			if got != counts {
				t.Errorf("%s: %+v, want %+v", name, got, counts)
			}
			if d := cmp.Diff(want, texts(t, snap(t, tab))); d != "" {
				t.Errorf("%s, %d rows: %s", name, n, d)
			}
		}
	}
}

func TestChangesOutOfTurnAreRefused(t *testing.T) {
	ctx := context.Background()
	one := func(file int, row int64) *delta.RowChanges {
		return &delta.RowChanges{File: file, Rows: []int64{row}, Acts: []delta.RowAction{delta.RowUpdated}, Set: setRows(1, func(int) (string, float64) { return "x", 1 })}
	}
	odd := one(0, 1)
	odd.Acts = []delta.RowAction{delta.RowInserted}
	short := one(0, 1)
	short.Rows = []int64{1, 2}
	for name, tc := range map[string]struct {
		changes []*delta.RowChanges
		want    string
	}{
		"twice":          {[]*delta.RowChanges{one(0, 5), one(0, 5)}, "twice"},
		"backwards":      {[]*delta.RowChanges{one(0, 5), one(0, 4)}, "twice"},
		"earlier file":   {[]*delta.RowChanges{one(1, 5), one(0, 7)}, "too late"},
		"beyond the end": {[]*delta.RowChanges{one(2, 100)}, "does not have"},
		"deleted":        {[]*delta.RowChanges{one(2, 0)}, "is deleted"},
		"no action":      {[]*delta.RowChanges{odd}, "neither updated nor deleted"},
		"uneven":         {[]*delta.RowChanges{short}, "2 rows with 1 actions"},
	} {
		t.Run(name, func(t *testing.T) {
			tab := patchTable(t, 40, nil)
			s := snap(t, tab)
			w := must[*delta.Rewrite](t)(s.NewRewrite(ctx, delta.RewriteOptions{}))
			if err := w.Patch(slices.Collect(s.All()), given(tc.changes...)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v", err)
			}
			check(t, w.Abort())
			if v := snap(t, tab).Version(); v != s.Version() {
				t.Errorf("version %d", v)
			}
		})
	}
	tab := patchTable(t, 40, nil)
	s := snap(t, tab)
	w := must[*delta.Rewrite](t)(s.NewRewrite(ctx, delta.RewriteOptions{}))
	own := errors.New("the plan fails")
	if err := w.Patch(slices.Collect(s.All()), func() (*delta.RowChanges, error) { return nil, own }); !errors.Is(err, own) || err.Error() != own.Error() {
		t.Errorf("%v", err)
	}
	check(t, w.Abort())
}
