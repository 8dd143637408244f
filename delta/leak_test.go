package delta

import (
	"context"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/objstore"
)

// Batches may lie where the collector does not look: a write must release all
// that it has retained of them.
func TestWriteReleasesTheBatch(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	s := arrow.NewSchema([]arrow.Field{
		{Name: "p", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
		{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.BinaryTypes.String), Nullable: true},
		{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.BinaryTypes.String, Nullable: true}), Nullable: true},
	}, nil)
	for name, part := range map[string][]string{"plain": nil, "partitioned": {"p"}} {
		ctx := context.Background()
		table, err := Create(ctx, objstore.Memory(), name, s, WithPartitionBy(part...))
		if err != nil {
			t.Fatal(err)
		}
		b := array.NewRecordBuilder(mem, s)
		if err := b.UnmarshalJSON([]byte(`{"p":"a","n":1,"l":[1,2],"m":[{"key":"k","value":"v"}],"s":{"x":"y"}}
			{"p":"b","n":2} {"p":"a","l":[3],"s":{}}`)); err != nil {
			t.Fatal(err)
		}
		rec := b.NewRecordBatch()
		b.Release()
		if _, err := table.Append(ctx, Batches(rec)); err != nil {
			t.Fatal(err)
		}
		rec.Release()
	}
}
