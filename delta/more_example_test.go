package delta_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// exampleTable is a table with two readings of press-01.
func exampleTable(ctx context.Context, opts ...delta.Option) *delta.Table {
	table, err := delta.Create(ctx, objstore.Memory(), "readings", exampleSchema, opts...)
	if err != nil {
		panic(err)
	}
	if _, err := table.Append(ctx, delta.Batches(exampleRows("press-01", 20, 21))); err != nil {
		panic(err)
	}
	return table
}

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "lake")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()
	store := objstore.Local(dir)
	_, err = delta.Open(ctx, store, "readings")
	fmt.Println(err)
	if _, err := delta.Create(ctx, store, "readings", exampleSchema); err != nil {
		panic(err)
	}
	table, err := delta.Open(ctx, store, "readings")
	if err != nil {
		panic(err)
	}
	s, err := table.Snapshot(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Println("version", s.Version(), "with", s.Schema().NumFields(), "columns")
	// Output:
	// delta: not a table: "readings" has no _delta_log
	// version 0 with 2 columns
}

func ExampleSnapshot_Read() {
	ctx := context.Background()
	table := exampleTable(ctx)
	s, err := table.Snapshot(ctx)
	if err != nil {
		panic(err)
	}
	for rec, err := range s.Read(ctx, []string{"temperature"}, delta.Predicate{Column: "temperature", Op: delta.Gt, Value: 5}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(rec.Column(0))
		rec.Release()
	}
	// Output: [20 21]
}

func ExampleTable_SnapshotAt() {
	ctx := context.Background()
	table := exampleTable(ctx)
	if _, err := table.Overwrite(ctx, delta.Batches(exampleRows("oven-07", 180))); err != nil {
		panic(err)
	}
	old, err := table.SnapshotAt(ctx, 1)
	if err != nil {
		panic(err)
	}
	rows, _ := old.Rows()
	fmt.Println("version 1 had", rows, "rows")
	r, err := table.Restore(ctx, old)
	fmt.Println("restored as version", r.Version, err)
	// Output:
	// version 1 had 2 rows
	// restored as version 3 <nil>
}

func ExampleTable_ReadChanges() {
	ctx := context.Background()
	table := exampleTable(ctx, delta.WithProperties(map[string]string{"delta.enableChangeDataFeed": "true"}))
	if _, err := table.Delete(ctx, ""); err != nil {
		panic(err)
	}
	for rec, err := range table.ReadChanges(ctx, 1, 2) {
		if err != nil {
			panic(err)
		}
		for i := range int(rec.NumRows()) {
			fmt.Println(rec.Column(1).ValueStr(i), rec.Column(2).ValueStr(i), "in version", rec.Column(3).ValueStr(i))
		}
		rec.Release()
	}
	// Output:
	// 20 insert in version 1
	// 21 insert in version 1
	// 20 delete in version 2
	// 21 delete in version 2
}

// Merge applies a batch of changes: an engine, which the program brings, makes
// the join.
func ExampleTable_Merge() {
	upsert := func(ctx context.Context, store objstore.Store, engine delta.RowEngine, batch arrow.RecordBatch) error {
		table, err := delta.Open(ctx, store, "readings", delta.WithRowEngine(engine))
		if err != nil {
			return err
		}
		r, err := table.Merge(ctx, delta.SourceOf(batch.Schema(), batch), "target.device = source.device",
			delta.WhenMatchedDelete("source.temperature IS NULL"),
			delta.WhenMatchedUpdateAll(""),
			delta.WhenNotMatchedInsertAll(""))
		fmt.Println(r.Inserted, "inserted,", r.Updated, "updated,", r.Deleted, "deleted")
		return err
	}
	_ = upsert
}

// Optimize orders rows so that a search in several columns reads few files.
func ExampleTable_Optimize() {
	ctx := context.Background()
	table := exampleTable(ctx)
	for i := range 4 {
		if _, err := table.Append(ctx, delta.Batches(exampleRows(fmt.Sprint("press-0", i), float64(10*i)))); err != nil {
			panic(err)
		}
	}
	r, err := table.Optimize(ctx, delta.OptimizeOptions{ZOrderBy: []string{"device", "temperature"}})
	fmt.Println(len(r.Removed), "files became", len(r.Added), "in version", r.Version, err)
	// Output: 5 files became 1 in version 6 <nil>
}

func ExampleTable_Vacuum() {
	ctx := context.Background()
	now := time.Now()
	table := exampleTable(ctx, delta.WithClock(func() time.Time { return now }))
	for i := range 10 {
		if _, err := table.Append(ctx, delta.Batches(exampleRows("press-01", float64(i)))); err != nil {
			panic(err)
		}
	}
	c, err := table.Compact(ctx, delta.CompactOptions{})
	fmt.Println(c.Removed, "files became", c.Added, err)
	m, err := table.Maintain(ctx) // checkpoints and log clean-up, when they are due
	fmt.Println("checkpoint:", m.Checkpointed, err)
	now = now.Add(8 * 24 * time.Hour)
	v, err := table.Vacuum(ctx, delta.VacuumOptions{})
	fmt.Println(v.Files, "files deleted", err)
	// Output:
	// 11 files became 1 <nil>
	// checkpoint: true <nil>
	// 11 files deleted <nil>
}
