package delta_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

var exampleSchema = arrow.NewSchema([]arrow.Field{
	{Name: "device", Type: arrow.BinaryTypes.String, Nullable: false},
	{Name: "temperature", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
}, nil)

func exampleRows(device string, temperatures ...float64) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, exampleSchema)
	defer b.Release()
	for _, t := range temperatures {
		b.Field(0).(*array.StringBuilder).Append(device)
		b.Field(1).(*array.Float64Builder).Append(t)
	}
	return b.NewRecordBatch()
}

func Example() {
	ctx := context.Background()
	table, err := delta.Create(ctx, objstore.Memory(), "readings", exampleSchema, delta.WithPartitionBy("device"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, batch := range []arrow.RecordBatch{exampleRows("press-01", 20, 21), exampleRows("oven-07", 180, 195)} {
		if _, err := table.Append(ctx, delta.Batches(batch)); err != nil {
			fmt.Println(err)
			return
		}
	}
	s, err := table.Snapshot(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	files, pruned, err := s.Files(delta.Predicate{Column: "temperature", Op: delta.Gt, Value: 100})
	rows, _ := s.Rows()
	fmt.Println("version", s.Version(), "rows", rows, err)
	fmt.Println("to read:", len(files), "of", pruned.Files, "of device", files[0].PartitionValues["device"])
	// Output:
	// version 2 rows 4 <nil>
	// to read: 1 of 2 of device oven-07
}

// A journal can stand between writing and committing: what it keeps is JSON,
// and committing it twice is harmless.
func ExampleTable_Commit() {
	ctx := context.Background()
	table, err := delta.Create(ctx, objstore.Memory(), "", exampleSchema)
	if err != nil {
		fmt.Println(err)
		return
	}
	w, err := table.NewWriter(ctx, delta.WriterOptions{})
	if err == nil {
		err = w.Write(exampleRows("press-01", 20))
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	adds, err := w.Close() // durable, but nobody sees them yet
	if err != nil {
		fmt.Println(err)
		return
	}
	prepared, err := json.Marshal(delta.Commit{Adds: adds, Txn: &delta.Txn{AppID: "flow-1", Version: 41}, ReadVersion: -1, DataChange: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	// ... the process may end here; the next one goes on:
	for range 2 {
		var c delta.Commit
		if err := json.Unmarshal(prepared, &c); err != nil {
			fmt.Println(err)
			return
		}
		r, err := table.Commit(ctx, c)
		fmt.Println("version", r.Version, "already there:", errors.Is(err, delta.ErrAlreadyCommitted))
	}
	// Output:
	// version 1 already there: false
	// version 1 already there: true
}

func ExampleTable_Changes() {
	ctx := context.Background()
	table, err := delta.Create(ctx, objstore.Memory(), "", exampleSchema)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 3 {
		if _, err := table.Append(ctx, delta.Batches(exampleRows("press-01", float64(i)))); err != nil {
			fmt.Println(err)
			return
		}
	}
	for c, err := range table.Changes(ctx, 1) {
		fmt.Println(c.Version, c.Operation, len(c.Adds), "files", err)
	}
	// Output:
	// 2 WRITE 1 files <nil>
	// 3 WRITE 1 files <nil>
}
