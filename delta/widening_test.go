package delta_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// A commit that gives columns wider types notes in their fields which they had,
// also deep in them, and rows of older files come in the new types.
func TestWiderTypesAreNoted(t *testing.T) {
	ctx := t.Context()
	before := arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
		{Name: "m", Type: arrow.MapOf(arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Float32), Nullable: true},
		{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int8, Nullable: true}), Nullable: true},
	}, nil)
	after := arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "m", Type: arrow.MapOf(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float64), Nullable: true},
		{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "x", Type: &arrow.Decimal128Type{Precision: 11, Scale: 1}, Nullable: true}), Nullable: true},
	}, nil)
	tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "t", before))
	_, err := tab.Append(ctx, delta.Batches(fromJSON(t, before, `{"a":[1,null],"m":[{"key":2,"value":0.5}],"s":{"x":3}}`)))
	check(t, err)

	_, err = tab.Commit(ctx, delta.Commit{SchemaTo: after, ReadVersion: -1})
	if !errors.Is(err, delta.ErrSchemaMismatch) || !strings.Contains(err.Error(), "delta.enableTypeWidening") {
		t.Errorf("without the property: %v", err)
	}
	_, err = tab.Commit(ctx, delta.Commit{Properties: map[string]string{"delta.enableTypeWidening": "true"}, ReadVersion: -1})
	check(t, err)
	for name, bad := range map[string]arrow.DataType{
		"narrow decimal": &arrow.Decimal128Type{Precision: 4, Scale: 1}, "text": arrow.BinaryTypes.String, "boolean": arrow.FixedWidthTypes.Boolean,
	} {
		to := arrow.NewSchema([]arrow.Field{before.Field(0), before.Field(1), {Name: "s", Type: arrow.StructOf(arrow.Field{Name: "x", Type: bad, Nullable: true}), Nullable: true}}, nil)
		_, err := tab.Commit(ctx, delta.Commit{SchemaTo: to, ReadVersion: -1})
		if !errors.Is(err, delta.ErrSchemaMismatch) || !strings.Contains(err.Error(), "s.x") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = tab.Commit(ctx, delta.Commit{SchemaTo: after, ReadVersion: -1})
	check(t, err)
	text := snap(t, tab).Metadata().SchemaString
	for _, want := range []string{
		`"delta.typeChanges":[{"fromType":"integer","toType":"long","fieldPath":"element"}]`,
		`"delta.typeChanges":[{"fromType":"short","toType":"integer","fieldPath":"key"},{"fromType":"float","toType":"double","fieldPath":"value"}]`,
		`"delta.typeChanges":[{"fromType":"byte","toType":"decimal(11,1)"}]`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	_, err = tab.Append(ctx, delta.Batches(fromJSON(t, after, `{"a":[5000000000],"m":[{"key":70000,"value":0.1}],"s":{"x":"1234567890.5"}}`)))
	check(t, err)
	var got []string
	for rec, err := range snap(t, tab).Read(ctx, nil) {
		check(t, err)
		for i := range int(rec.NumRows()) {
			got = append(got, strings.Join([]string{rec.Column(0).ValueStr(i), rec.Column(1).ValueStr(i), rec.Column(2).ValueStr(i)}, " "))
		}
		rec.Release()
	}
	slices.Sort(got)
	want := []string{`[1,null] [{"key":2,"value":0.5}] {"x":"3"}`, `[5000000000] [{"key":70000,"value":0.1}] {"x":"1234567890.5"}`}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%q; want %q", got, want)
	}
	// The types that the table had come back with the files that have them.
	old, err := tab.SnapshotAt(ctx, 2)
	check(t, err)
	_, err = tab.Restore(ctx, old)
	check(t, err)
	if s := snap(t, tab).Schema(); !s.Equal(old.Schema()) {
		t.Errorf("restored: %s", s)
	}
}
