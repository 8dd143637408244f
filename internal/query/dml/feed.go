package dml

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// What the change feed calls what happened to a row.
const (
	feedInsert = "insert"
	feedDelete = "delete"
	feedBefore = "update_preimage"
	feedAfter  = "update_postimage"
)

// feed writes the change feed of a commit.
type feed struct{ w *delta.Writer }

// fed tells whether the table's changes are recorded.
func (t target) fed() bool {
	return strings.EqualFold(t.snap.Metadata().Configuration["delta.enableChangeDataFeed"], "true")
}

// newFeed begins the change feed of a commit that gives the table a schema (nil:
// its own). Close or abort it.
func (t target) newFeed(ctx context.Context, to *arrow.Schema) (*feed, error) {
	w, err := t.table.NewWriter(ctx, delta.WriterOptions{SchemaTo: to, ChangeData: true})
	if err != nil {
		return nil, commitError(err)
	}
	return &feed{w}, nil
}

// take writes what happened to the rows of a batch: table has their values
// after the change and the old ones of deleted rows, before those of all
// before it. Without actions all rows are new. Batches stay the caller's.
func (f *feed) take(before, table arrow.RecordBatch, actions *array.Int32) error {
	if actions == nil {
		return f.write(table, func(int) string { return feedInsert })
	}
	if before != nil {
		old, err := pick(before, actions, func(act int64) bool { return act == plan.RowUpdated })
		if err != nil {
			return err
		}
		defer old.Release()
		if err := f.write(old, func(int) string { return feedBefore }); err != nil {
			return err
		}
	}
	var kinds []string
	changed, err := pick(table, actions, func(act int64) bool {
		switch act {
		case plan.RowUpdated:
			kinds = append(kinds, feedAfter)
		case plan.RowDeleted:
			kinds = append(kinds, feedDelete)
		case plan.RowInserted:
			kinds = append(kinds, feedInsert)
		default:
			return false
		}
		return true
	})
	if err != nil {
		return err
	}
	defer changed.Release()
	return f.write(changed, func(i int) string { return kinds[i] })
}

func (f *feed) write(rec arrow.RecordBatch, kind func(row int) string) error {
	if rec.NumRows() == 0 {
		return nil
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(int(rec.NumRows()))
	for i := range int(rec.NumRows()) {
		b.Append(kind(i))
	}
	kinds := b.NewArray()
	defer kinds.Release()
	schema := arrow.NewSchema(append(rec.Schema().Fields(), arrow.Field{Name: delta.ChangeType, Type: arrow.BinaryTypes.String}), nil)
	out := array.NewRecordBatch(schema, append(append([]arrow.Array{}, rec.Columns()...), kinds), rec.NumRows())
	defer out.Release()
	return f.w.Write(out)
}

// abort gives up what was written; after close, and without a feed, it does nothing.
func (f *feed) abort() {
	if f != nil {
		_ = f.w.Abort() // what is left is named by the error of the statement
	}
}

// close ends the files of the feed.
func (f *feed) close() ([]delta.Change, error) {
	if f == nil {
		return nil, nil
	}
	adds, err := f.w.Close()
	if err != nil {
		return nil, err
	}
	out := make([]delta.Change, len(adds))
	for i, a := range adds {
		out[i] = delta.ChangeOf(a)
	}
	return out, nil
}
