package delta

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/scalar"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/objstore"
)

// The columns of the change feed besides the table's (PROTOCOL.md, "Change
// Data Files"). ChangeType is insert, delete, update_preimage or
// update_postimage.
const (
	ChangeType      = "_change_type"
	CommitVersion   = "_commit_version"
	CommitTimestamp = "_commit_timestamp"
)

// changeFolder holds the files of the change feed.
const changeFolder = "_change_data"

// ErrNoChangeData says that the change feed was off in a version that it is asked for.
var ErrNoChangeData = errors.New("delta: no change data")

func withChangeType(s *arrow.Schema) *arrow.Schema {
	return arrow.NewSchema(append(s.Fields(), arrow.Field{Name: ChangeType, Type: arrow.BinaryTypes.String, Nullable: true}), nil)
}

// ChangeOf is the file that a Writer with ChangeData made as Commit takes it.
func ChangeOf(a Add) Change {
	return Change{Path: a.Path, PartitionValues: a.PartitionValues, Size: a.Size, Tags: a.Tags}
}

// ChangeFile holds changes of one version.
type ChangeFile struct {
	// Add names the file, its partition values and rows that are no change.
	Add Add
	// Type is what happened to the rows; "" where the file's column ChangeType
	// says it.
	Type string
	// Only, if not nil, are the rows that changed; then Add's vector does not count.
	Only    *RowSet
	Version int64
	Time    time.Time
}

// ChangeFiles gives the files with the changes of the versions from..to, both
// inclusive, and the snapshot of `to`, whose schema the feed has. The newest
// version stands for a `to` beyond it. ErrNoChangeData where the feed was off,
// ErrVersionNotFound where from lies beyond the newest version or the log is
// cleaned up, an *IncompatibleChangesError where rows of the range cannot be
// read by that schema.
func (t *Table) ChangeFiles(ctx context.Context, from, to int64) ([]ChangeFile, *Snapshot, error) {
	now, err := t.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	if from < 0 || from > now.version || to < from {
		return nil, nil, fmt.Errorf("%w: changes of versions %d to %d; the newest is %d", ErrVersionNotFound, from, to, now.version)
	}
	to = min(to, now.version)
	end, err := t.SnapshotAt(ctx, to)
	if err != nil {
		return nil, nil, err
	}
	begin, err := t.SnapshotAt(ctx, from)
	if err != nil {
		return nil, nil, err
	}
	on := begin.meta.Configuration["delta.enableChangeDataFeed"] == "true"
	var out []ChangeFile
	for v := from; v <= to; v++ {
		c, err := t.changesOf(ctx, v)
		if err != nil {
			return nil, nil, err
		}
		if c.Metadata != nil && v > from {
			on = c.Metadata.Configuration["delta.enableChangeDataFeed"] == "true"
			if column, err := lost(c.Metadata, end); err != nil || column != "" {
				return nil, nil, cmp.Or(err, error(&IncompatibleChangesError{Version: v, Column: column}))
			}
		}
		if !on {
			return nil, nil, fmt.Errorf("%w: version %d of the range %d to %d was written without delta.enableChangeDataFeed", ErrNoChangeData, v, from, to)
		}
		files, err := end.changeFiles(ctx, &c)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, files...)
	}
	if column, err := lost(begin.meta, end); err != nil || column != "" {
		return nil, nil, cmp.Or(err, error(&IncompatibleChangesError{Version: from, Start: true, Column: column}))
	}
	return out, end, nil
}

// IncompatibleChangesError says that rows of a range of changes cannot be read
// by the schema at its end.
type IncompatibleChangesError struct {
	Version int64
	// Start is true where Version is the range's first, and every change of the
	// schema within the range can be read.
	Start  bool
	Column string // that was renamed, dropped or made anew since
}

// Error names the version and the column.
func (e *IncompatibleChangesError) Error() string {
	return fmt.Sprintf("delta: version %d has a column %s, which was renamed or dropped since", e.Version, e.Column)
}

// lost names a column of a table with metadata m whose files a later snapshot
// does not read: it has none of the name, or another in the files; "" for none.
func lost(m *Metadata, end *Snapshot) (string, error) {
	st := newState()
	st.setMetadata(m)
	if st.schemaErr != nil {
		return "", st.schemaErr
	}
	mode := mappingOf(end.protocol, m)
	for _, f := range st.schema.Fields() {
		at := find(end.schema, f.Name)
		if at < 0 || mode.Name(f) != end.mapping.Name(end.schema.Field(at)) {
			return f.Name, nil
		}
	}
	return "", nil
}

// changeFiles are the files that tell what a version did to the rows.
func (s *Snapshot) changeFiles(ctx context.Context, c *VersionChanges) ([]ChangeFile, error) {
	var out []ChangeFile
	note := func(a Add, kind string, only *RowSet) {
		out = append(out, ChangeFile{Add: a, Type: kind, Only: only, Version: c.Version, Time: c.Time})
	}
	for _, x := range c.Changes {
		note(Add{Path: x.Path, PartitionValues: x.PartitionValues, Size: x.Size}, "", nil)
	}
	if len(c.Changes) > 0 {
		return out, nil
	}
	removed := map[string]*Remove{}
	for i := range c.Removes {
		if r := &c.Removes[i]; r.DataChange {
			removed[action.Canonical(r.Path)] = r
		}
	}
	for _, a := range c.Adds {
		if !a.DataChange {
			continue
		}
		r := removed[action.Canonical(a.Path)]
		if r == nil {
			note(a, "insert", nil)
			continue
		}
		// The same file with another vector: the rows between the two changed.
		delete(removed, action.Canonical(a.Path))
		before, after, err := s.vectors(ctx, a, r)
		if err != nil {
			return nil, err
		}
		gone, back := after.Clone(), before.Clone()
		gone.AndNot(before)
		back.AndNot(after)
		if !gone.IsEmpty() {
			note(a, "delete", gone)
		}
		if !back.IsEmpty() {
			note(a, "insert", back)
		}
	}
	for i := range c.Removes {
		r := &c.Removes[i]
		if removed[action.Canonical(r.Path)] == r {
			note(Add{Path: r.Path, PartitionValues: r.PartitionValues, Size: r.Size, DeletionVector: r.DeletionVector}, "delete", nil)
		}
	}
	return out, nil
}

func (s *Snapshot) vectors(ctx context.Context, a Add, r *Remove) (before, after *RowSet, err error) {
	if before, err = s.Deleted(ctx, Add{Path: r.Path, DeletionVector: r.DeletionVector}); err != nil {
		return nil, nil, err
	}
	if after, err = s.Deleted(ctx, a); err != nil {
		return nil, nil, err
	}
	if before == nil {
		before = &RowSet{}
	}
	if after == nil {
		after = &RowSet{}
	}
	return before, after, nil
}

// ReadChanges yields the change feed of the versions from..to as ChangeFiles
// has them: the table's columns, then ChangeType, CommitVersion and
// CommitTimestamp. Batches are the caller's to release.
func (t *Table) ReadChanges(ctx context.Context, from, to int64) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		files, s, err := t.ChangeFiles(ctx, from, to)
		if err != nil {
			yield(nil, err)
			return
		}
		for i := range files {
			stopped := false
			err := s.readChange(ctx, &files[i], func(rec arrow.RecordBatch) error {
				if !yield(rec, nil) {
					stopped = true
					return errStop
				}
				return nil
			})
			if stopped {
				return
			}
			if err != nil {
				if errors.Is(err, objstore.ErrNotFound) {
					err = fmt.Errorf("%w (the files of version %d are vacuumed)", err, files[i].Version)
				}
				yield(nil, fmt.Errorf("delta: reading changes in %s: %w", s.Locate(files[i].Add), err))
				return
			}
		}
	}
}

var errStop = errors.New("stop")

func (s *Snapshot) readChange(ctx context.Context, c *ChangeFile, f func(arrow.RecordBatch) error) error {
	want := s.schema
	if c.Type == "" {
		want = withChangeType(s.schema)
	}
	feed := arrow.NewSchema(append(withChangeType(s.schema).Fields(),
		arrow.Field{Name: CommitVersion, Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		arrow.Field{Name: CommitTimestamp, Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true}), nil)
	emit := func(rec arrow.RecordBatch) error {
		defer rec.Release()
		consts := []scalar.Scalar{scalar.NewInt64Scalar(c.Version), scalar.NewTimestampScalar(arrow.Timestamp(c.Time.UnixMicro()), arrow.FixedWidthTypes.Timestamp_us)}
		if c.Type != "" {
			consts = append([]scalar.Scalar{scalar.NewStringScalar(c.Type)}, consts...)
		}
		cols := append([]arrow.Array{}, rec.Columns()...)
		for _, x := range consts {
			col, err := scalar.MakeArrayFromScalar(x, int(rec.NumRows()), memory.DefaultAllocator)
			if err != nil {
				return err
			}
			defer col.Release()
			cols = append(cols, col)
		}
		return f(array.NewRecordBatch(feed, cols, rec.NumRows()))
	}
	if c.Only == nil {
		return s.readFile(ctx, c.Add, want, emit)
	}
	return s.readRows(ctx, c.Add, want, c.Only, true, emit)
}
