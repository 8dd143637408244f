package delta

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// feedKinds is what the change feed calls what happens to a row.
var feedKinds = [...]string{RowUpdated: "update_postimage", RowDeleted: "delete", RowInserted: "insert"}

const feedBefore = "update_preimage"

// Take brings rows with what happens to each: rec has their values after the
// change, and of deleted rows the old ones. Where the table has a change feed,
// before has the old values of all rows, as far as any are updated. On tables with
// row tracking (TracksRows) rec has the columns RowID and RowCommitVersion, too,
// with what is known of rows that were there. The batches stay the caller's.
func (r *Rewrite) Take(rec, before arrow.RecordBatch, acts []RowAction) error {
	if int64(len(acts)) != rec.NumRows() {
		return fmt.Errorf("delta: %d actions of %d rows", len(acts), rec.NumRows())
	}
	var counts [RowInserted + 1]int64
	for _, a := range acts {
		if a > RowInserted {
			return fmt.Errorf("delta: no action %d", a)
		}
		counts[a]++
	}
	r.counts.Copied += counts[RowCopied]
	r.counts.Updated += counts[RowUpdated]
	r.counts.Deleted += counts[RowDeleted]
	r.counts.Inserted += counts[RowInserted]
	if err := r.tellTaken(rec, before, acts); err != nil {
		return err
	}
	rec, err := r.versioned(rec, acts)
	if err != nil {
		return err
	}
	defer rec.Release()
	kept, err := r.chosen(rec, acts, func(a RowAction) bool { return a != RowDeleted })
	if err != nil {
		return err
	}
	defer kept.Release()
	return r.w.Write(kept)
}

// tellTaken writes what happens to rows into the change feed, if there is one.
func (r *Rewrite) tellTaken(rec, before arrow.RecordBatch, acts []RowAction) error {
	if r.feed == nil {
		return nil
	}
	if before != nil {
		old, err := r.chosen(before, acts, func(a RowAction) bool { return a == RowUpdated })
		if err != nil {
			return err
		}
		defer old.Release()
		if err := r.tell(old, func(int) string { return feedBefore }); err != nil {
			return err
		}
	}
	var kinds []string
	changed, err := r.chosen(rec, acts, func(a RowAction) bool {
		if a != RowCopied {
			kinds = append(kinds, feedKinds[a])
		}
		return a != RowCopied
	})
	if err != nil {
		return err
	}
	defer changed.Release()
	return r.tell(changed, func(i int) string { return kinds[i] })
}

// chosen keeps the rows whose action is wanted; the caller releases them.
func (r *Rewrite) chosen(rec arrow.RecordBatch, acts []RowAction, want func(RowAction) bool) (arrow.RecordBatch, error) {
	mask := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer mask.Release()
	mask.Reserve(len(acts))
	all := true
	for _, a := range acts {
		ok := want(a)
		mask.UnsafeAppend(ok)
		all = all && ok
	}
	if all {
		rec.Retain()
		return rec, nil
	}
	keep := mask.NewBooleanArray()
	defer keep.Release()
	return compute.FilterRecordBatch(r.ctx, rec, keep, compute.DefaultFilterOptions())
}

// tell writes rows into the change feed, if there is one.
func (r *Rewrite) tell(rec arrow.RecordBatch, kind func(row int) string) error {
	if r.feed == nil || rec.NumRows() == 0 {
		return nil
	}
	rec = r.w.untracked(rec)
	defer rec.Release()
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(int(rec.NumRows()))
	for i := range int(rec.NumRows()) {
		b.Append(kind(i))
	}
	kinds := b.NewArray()
	defer kinds.Release()
	fields := append(rec.Schema().Fields(), arrow.Field{Name: ChangeType, Type: arrow.BinaryTypes.String, Nullable: true})
	full := newBatch(fields, append(append([]arrow.Array{}, rec.Columns()...), kinds), rec.NumRows())
	defer full.Release()
	return r.feed.Write(full)
}
