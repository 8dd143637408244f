package delta

import (
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta/internal/schema"
)

// RowID and RowCommitVersion are columns of tables with row tracking
// (delta.enableRowTracking) that are no part of their schema: a number by which
// a row stays known when it is updated or moved, and the version that inserted
// or last updated it. Snapshot.Read gives them where they are asked for by
// name; a Writer with KeepRows takes them.
const (
	RowID            = "_metadata.row_id"
	RowCommitVersion = "_metadata.row_commit_version"
)

// PreservedTag is the tag by which a commit says, with the value "true", that
// rows which it moves or updates have their RowID as before.
const PreservedTag = "delta.rowTracking.preserved"

// tracking are the columns in which data files keep what row tracking knows of
// rows that came from other files.
type tracking struct{ id, version string }

// trackingOf is nil for tables on which row tracking is not switched on.
func trackingOf(p *Protocol, m *Metadata) *tracking {
	if !tracksRows(p) || m.Configuration[rowTrackingKey] != "true" {
		return nil
	}
	t := &tracking{m.Configuration[rowIDColumnKey], m.Configuration[rowVersionColumn]}
	if t.id == "" || t.version == "" {
		return nil
	}
	return t
}

// TracksRows tells whether row tracking is switched on, so that rows have a
// RowID and a RowCommitVersion.
func (s *Snapshot) TracksRows() bool { return trackingOf(s.protocol, s.meta) != nil }

// trackedFields are the columns as callers name them, or under the names that
// data files have for them.
func trackedFields(t *tracking, inFiles bool) []arrow.Field {
	out := []arrow.Field{
		{Name: RowID, Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: RowCommitVersion, Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	}
	if inFiles {
		out[0].Name, out[1].Name = t.id, t.version
	}
	return out
}

// tracked is the column in data files that may hold a column of row tracking,
// "" for other columns.
func (s *Snapshot) tracked(name string) string {
	t := trackingOf(s.protocol, s.meta)
	if t == nil || name != RowID && name != RowCommitVersion || s.schema.HasField(name) {
		return ""
	}
	if name == RowID {
		return t.id
	}
	return t.version
}

// TrackedColumns are the names under which data files keep row ids and row
// commit versions of rows that came from other files; a file without them, or a
// NULL in them, has those of the Add (BaseRowID and a row's position,
// DefaultRowCommitVersion). Both are "" on tables without row tracking.
func (s *Snapshot) TrackedColumns() (rowID, rowCommitVersion string) {
	if t := trackingOf(s.protocol, s.meta); t != nil {
		return t.id, t.version
	}
	return "", ""
}

// withTracked adds the columns of row tracking, where the table has it.
func (s *Snapshot) withTracked(want *arrow.Schema) *arrow.Schema {
	t := trackingOf(s.protocol, s.meta)
	if t == nil {
		return want
	}
	return arrow.NewSchema(append(slices.Clone(want.Fields()), trackedFields(t, false)...), nil)
}

// trackedColumn gives a column of row tracking of rows of a's file, of which
// the first is at a position; kept is what the file has of it, nil for nothing.
// The caller releases the array.
func trackedColumn(name string, a Add, kept arrow.Array, first int64, n int) (arrow.Array, error) {
	base, step := a.DefaultRowCommitVersion, int64(0)
	if name == RowID {
		base, step = a.BaseRowID, 1
	} else {
		first = 0
	}
	var own *array.Int64
	if kept != nil {
		var ok bool
		if own, ok = kept.(*array.Int64); !ok {
			return nil, fmt.Errorf("is %s, not int64", kept.DataType())
		}
		if own.NullN() == 0 {
			own.Retain()
			return own, nil
		}
	}
	if base == nil {
		return nil, fmt.Errorf("%w: the log has no %s for %s", ErrCorrupt, name, a.Path)
	}
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(n)
	for i := range n {
		if own != nil && own.IsValid(i) {
			b.UnsafeAppend(own.Value(i))
		} else {
			b.UnsafeAppend(*base + step*(first+int64(i)))
		}
	}
	return b.NewArray(), nil
}

// keepRows has the writer take the columns of row tracking besides the table's.
func (w *Writer) keepRows(t *tracking) error {
	for _, f := range trackedFields(t, false) {
		if w.schema.HasField(f.Name) {
			return fmt.Errorf("%w: the column name %s is taken by row tracking", ErrUnsupportedFeature, f.Name)
		}
	}
	add := func(s *arrow.Schema, inFiles bool) *arrow.Schema {
		return arrow.NewSchema(append(slices.Clone(s.Fields()), trackedFields(t, inFiles)...), nil)
	}
	w.counted = w.files
	w.takes, w.data, w.files = add(w.takes, false), add(w.data, false), add(w.files, true)
	return nil
}

// preserved marks a commit that moves rows of a table with row tracking.
func (s *Snapshot) preserved(tags map[string]string) map[string]string {
	if !s.TracksRows() {
		return tags
	}
	out := maps.Clone(tags)
	if out == nil {
		out = map[string]string{}
	}
	out[PreservedTag] = "true"
	return out
}

// untracked leaves the columns of row tracking out; the caller releases the batch.
func (w *Writer) untracked(rec arrow.RecordBatch) arrow.RecordBatch {
	var at []int
	for i, f := range rec.Schema().Fields() {
		if w.schema.HasField(f.Name) || f.Name != RowID && f.Name != RowCommitVersion {
			at = append(at, i)
		}
	}
	return pick(rec, at)
}

// trackedIn finds the column of a file that may hold a tracked one, -1 if it
// has none.
func trackedIn(inFile []arrow.Field, name string) int {
	return indexOf(inFile, arrow.Field{Name: name}, schema.Unmapped)
}

// kept are the columns of row tracking that a batch has and the writer keeps.
func (w *Writer) kept(rec arrow.RecordBatch) []string {
	var out []string
	for _, f := range w.takes.Fields()[w.schema.NumFields():] {
		if rec.Schema().HasField(f.Name) {
			out = append(out, f.Name)
		}
	}
	return out
}

// versioned takes the versions of updated rows away, so that they have the
// commit's. The caller releases the batch.
func (r *Rewrite) versioned(rec arrow.RecordBatch, acts []RowAction) (arrow.RecordBatch, error) {
	at := rec.Schema().FieldIndices(RowCommitVersion)
	switch {
	case !r.snap.TracksRows() || !slices.ContainsFunc(acts, func(a RowAction) bool { return a == RowCopied || a == RowUpdated }):
		rec.Retain()
		return rec, nil
	case len(at) == 0 || !rec.Schema().HasField(RowID):
		return nil, fmt.Errorf("%w: rows of a table with row tracking need the columns %s and %s", ErrSchemaMismatch, RowID, RowCommitVersion)
	}
	old, ok := rec.Column(at[0]).(*array.Int64)
	if !ok {
		return nil, fmt.Errorf("%w: %s is %s", ErrSchemaMismatch, RowCommitVersion, rec.Column(at[0]).DataType())
	}
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	for i, a := range acts {
		if a == RowCopied && old.IsValid(i) {
			b.Append(old.Value(i))
		} else {
			b.AppendNull()
		}
	}
	col := b.NewArray()
	defer col.Release()
	cols := slices.Clone(rec.Columns())
	cols[at[0]] = col
	return newBatch(rec.Schema().Fields(), cols, rec.NumRows()), nil
}
