package query_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// A merge of the delta package numbers the rows that it inserts, keeps the numbers
// of those that it updates, and refuses to set any.
func TestMergesNumberRows(t *testing.T) {
	ctx := t.Context()
	key := delta.WithIdentity(arrow.Field{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, delta.Identity{Start: 1, Step: 1})
	schema := arrow.NewSchema(append([]arrow.Field{key}, stock.Fields()...), nil)
	tab, err := delta.Create(ctx, objstore.Memory(), "t", schema, delta.WithRowEngine(rowEngine(t)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tab.Append(ctx, delta.Batches(items("1 a 10", "2 a 20"))); err != nil {
		t.Fatal(err)
	}
	source := delta.SourceOf(stock, items("2 b 21", "3 b 30", "4 b 40"))
	res, err := tab.Merge(ctx, source, "target.id = source.id", delta.WhenMatchedUpdateAll(""),
		delta.WhenNotMatchedInsert("source.id = 3", map[string]string{"id": "source.id"}), delta.WhenNotMatchedInsertAll(""))
	if err != nil || res.Inserted != 2 || res.Updated != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	rows := func() (out []string) {
		s, err := tab.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return rowTexts(t, s.Read(ctx, nil))
	}
	got := rows()
	for i, want := range []string{"1", "2", "3", "4"} {
		if len(got) != 4 || !strings.HasPrefix(got[i], want) {
			t.Errorf("%q", got)
			break
		}
	}
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Append(9)
	k := b.NewArray()
	defer k.Release()
	own := arrow.NewSchema([]arrow.Field{{Name: "k", Type: k.DataType(), Nullable: true}}, nil)
	for name, do := range map[string]func() error{
		"insert": func() error {
			_, err := tab.Merge(ctx, delta.SourceOf(own, array.NewRecordBatch(own, []arrow.Array{k}, 1)), "target.id = source.k", delta.WhenNotMatchedInsertAll(""))
			return err
		},
		"update": func() error { _, err := tab.Update(ctx, map[string]string{"k": "5"}, ""); return err },
		"matched": func() error {
			_, err := tab.Merge(ctx, source, "target.id = source.id", delta.WhenMatchedUpdate("", map[string]string{"k": "5"}))
			return err
		},
	} {
		if err := do(); !errors.Is(err, delta.ErrConstraint) || !strings.Contains(err.Error(), "column k") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := rows(); !slices.Equal(after, got) {
		t.Errorf("%q", after)
	}
}
