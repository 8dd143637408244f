package delta_test

import (
	"context"
	"fmt"
	"math/rand/v2"
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

var flatSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "few", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "many", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "raw", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "ok", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "value", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "code", Type: arrow.PrimitiveTypes.Int16, Nullable: true},
	{Name: "price", Type: &arrow.Decimal128Type{Precision: 12, Scale: 2}, Nullable: true},
}, nil)

// flatRows are rows whose texts have long dictionaries, short ones and none.
func flatRows(first, n int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, flatSchema)
	defer b.Release()
	for i := first; i < first+n; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		if i%13 == 5 {
			for _, f := range b.Fields()[1:] {
				f.AppendNull()
			}
			continue
		}
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("site-%02d, and what makes it longer than is kept", i*7%41))
		b.Field(2).(*array.StringBuilder).Append(fmt.Sprintf("reading %d of many", i/2))
		b.Field(3).(*array.BinaryBuilder).Append([]byte{byte(i % 3), 0xff})
		b.Field(4).(*array.BooleanBuilder).Append(i%5 > 0)
		b.Field(5).(*array.Float64Builder).Append(float64(i) / 3)
		b.Field(6).(*array.Int16Builder).Append(int16(i % 300))
		check2(b.Field(7).(*array.Decimal128Builder).AppendValueFromString(fmt.Sprintf("%d.%02d", i%1000, i%100)))
	}
	return b.NewRecordBatch()
}

// texts are the rows of a snapshot, as they come.
func texts(t *testing.T, s *delta.Snapshot) []string {
	t.Helper()
	var out []string
	for rec, err := range s.Read(context.Background(), nil) {
		check(t, err)
		for i := range int(rec.NumRows()) {
			var line strings.Builder
			for _, c := range rec.Columns() {
				line.WriteString(c.ValueStr(i) + "|")
			}
			out = append(out, line.String())
		}
		rec.Release()
	}
	return out
}

// Rows that stay in files that lose some keep their values and their order, and
// their statistics are those of what was written at once.
func TestRowsThatStayKeepTheirOrder(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(4, 4))
	for _, tc := range []struct {
		name    string
		schema  *arrow.Schema
		rows    func(first, n int) arrow.RecordBatch
		n       int
		options []delta.Option
	}{
		{"flat", flatSchema, flatRows, 40_000, nil},
		{"small files", flatSchema, flatRows, 300, nil},
		{"nested", wideSchema, wide, 2000, nil},
		{"mapped", flatSchema, flatRows, 20_000, []delta.Option{delta.WithProperties(map[string]string{"delta.columnMapping.mode": "name"})}},
		{"tracked", flatSchema, flatRows, 20_000, []delta.Option{delta.WithProperties(map[string]string{"delta.enableRowTracking": "true"})}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", tc.schema, tc.options...))
			for i := range 3 {
				must[int64](t)(tab.Append(ctx, delta.Batches(tc.rows(i*tc.n, tc.n))))
			}
			s := snap(t, tab)
			all := texts(t, s)
			w := must[*delta.Rewrite](t)(s.NewRewrite(ctx, delta.RewriteOptions{}))
			var want []string
			at, files := 0, 0
			for a := range s.All() {
				files++
				set := &delta.RowSet{}
				for i := range tc.n {
					if files != 2 && (r.IntN(50) == 0 || i > tc.n/2 && i < tc.n/2+tc.n/10) {
						set.Add(uint64(i))
					} else {
						want = append(want, all[at+i])
					}
				}
				at += tc.n
				if !set.IsEmpty() {
					check(t, w.Delete(a, set))
				}
			}
			_, counts, err := w.Commit(delta.Commit{Operation: "DELETE"})
			check(t, err)
			after := snap(t, tab)
			got := texts(t, after)
			if int(counts.Deleted) != len(all)-len(want) || int(counts.Copied) != len(want)-tc.n {
				t.Errorf("%+v of %d rows", counts, len(all))
			}
			untouched := map[string]bool{}
			for _, row := range all[tc.n : 2*tc.n] {
				untouched[row] = true
			}
			isUntouched := func(row string) bool { return untouched[row] }
			if n := len(got); n != len(want) {
				t.Fatalf("%d rows, want %d", n, len(want))
			}
			if d := cmp.Diff(slices.DeleteFunc(want, isUntouched), slices.DeleteFunc(got, isUntouched)); d != "" {
				t.Error(d)
			}
		})
	}
}

// The statistics of rows written anew are those of the same rows written at
// once.
func TestStatisticsOfRowsThatStay(t *testing.T) {
	ctx := context.Background()
	tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", flatSchema))
	must[int64](t)(tab.Append(ctx, delta.Batches(flatRows(0, 30_000))))
	set := &delta.RowSet{}
	set.AddRange(0, 1000)
	set.AddRange(29_000, 30_000)
	s := snap(t, tab)
	w := must[*delta.Rewrite](t)(s.NewRewrite(ctx, delta.RewriteOptions{}))
	for a := range s.All() {
		check(t, w.Delete(a, set))
	}
	if _, _, err := w.Commit(delta.Commit{Operation: "DELETE"}); err != nil {
		t.Fatal(err)
	}
	other := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", flatSchema))
	must[int64](t)(other.Append(ctx, delta.Batches(flatRows(1000, 28_000))))
	if d := cmp.Diff(stats(t, other), stats(t, tab)); d != "" {
		t.Error(d)
	}
}

func stats(t *testing.T, tab *delta.Table) (out []string) {
	t.Helper()
	for a := range snap(t, tab).All() {
		out = append(out, a.Stats)
	}
	return out
}
