package delta

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta/internal/parquetfile"
)

// Read yields the rows of the files that may satisfy the predicates, file by
// file; rows that do not satisfy them are among them. Columns are those named,
// all if none are. Batches are the caller's to release. A missing data file is
// an error that names it.
func (s *Snapshot) Read(ctx context.Context, columns []string, preds ...Predicate) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		want, err := s.columns(columns)
		if err == nil && s.schema.NumFields() == 0 {
			err = fmt.Errorf("%w: the table has no columns; set its schema first", ErrSchemaMismatch)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		files, _, err := s.Files(preds...)
		if err != nil {
			yield(nil, err)
			return
		}
		s.eachFile(files, yield, func(_ int, a Add, f func(arrow.RecordBatch) error) error { return s.readFile(ctx, a, want, f) })
	}
}

// eachFile yields what read gives of each file, until the consumer has enough
// or a file fails.
func (s *Snapshot) eachFile(files []Add, yield func(arrow.RecordBatch, error) bool, read func(i int, a Add, f func(arrow.RecordBatch) error) error) {
	for i, a := range files {
		err := read(i, a, func(rec arrow.RecordBatch) error {
			if !yield(rec, nil) {
				return errStop
			}
			return nil
		})
		if err == errStop { //nolint:errorlint // our own, never wrapped
			return
		}
		if err != nil {
			yield(nil, fmt.Errorf("delta: reading %s: %w", s.Locate(a), err))
			return
		}
	}
}

func (s *Snapshot) columns(names []string) (*arrow.Schema, error) {
	if len(names) == 0 {
		return s.schema, nil
	}
	var fields []arrow.Field
	for _, n := range names {
		i := find(s.schema, n)
		if i < 0 && s.tracked(n) != "" {
			fields = append(fields, arrow.Field{Name: n, Type: arrow.PrimitiveTypes.Int64, Nullable: true})
			continue
		}
		if i < 0 {
			return nil, fmt.Errorf("%w: no column %q", ErrSchemaMismatch, n)
		}
		fields = append(fields, s.schema.Field(i))
	}
	return arrow.NewSchema(fields, nil), nil
}

// readFile calls f for each batch of a file's live rows with the wanted
// columns. Batches are the callee's to release.
func (s *Snapshot) readFile(ctx context.Context, a Add, want *arrow.Schema, f func(arrow.RecordBatch) error) error {
	deleted, err := s.Deleted(ctx, a)
	if err != nil {
		return err
	}
	return s.readRows(ctx, a, want, deleted, false, f)
}

// readRows is readFile with only the rows of a set, or with all but them; nil
// for none.
func (s *Snapshot) readRows(ctx context.Context, a Add, want *arrow.Schema, set *RowSet, only bool, f func(arrow.RecordBatch) error) error {
	return s.scanRows(ctx, a, scanning{want: want, set: set, only: only}, f)
}

// scanning says which rows of a file are read, and how.
type scanning struct {
	want *arrow.Schema
	// set, if not nil, has the only rows that are wanted, or those that are not.
	set  *RowSet
	only bool
	// indices lets texts be indices of a dictionary, batch by batch.
	indices bool
	// change, if not nil, changes each batch before rows are chosen; first is the
	// position of the batch's first row. It takes the batch over.
	change func(rec arrow.RecordBatch, first uint64) (arrow.RecordBatch, error)
}

// scanRows calls f for each batch of a file's rows. Batches are the callee's to
// release.
func (s *Snapshot) scanRows(ctx context.Context, a Add, how scanning, f func(arrow.RecordBatch) error) error {
	store, key, err := s.table.where(s.Locate(a))
	if err != nil {
		return err
	}
	in, err := openFile(ctx, store, key, a.Size)
	if err != nil {
		return err
	}
	picks := func(c arrow.Field) bool {
		for _, w := range how.want.Fields() {
			if name := s.tracked(w.Name); name == c.Name && name != "" || !s.partitioned(w.Name) && indexOf([]arrow.Field{c}, w, s.mapping) == 0 {
				return true
			}
		}
		return false
	}
	first := uint64(0)
	return parquetfile.Read(ctx, in, parquetfile.ReadOptions{Want: picks, Indices: how.indices, Piece: pieceOf(store)}, func(rec arrow.RecordBatch) error {
		out, err := s.complete(rec, a, how.want, int64(first))
		if err != nil {
			return err
		}
		if how.change != nil {
			if out, err = how.change(out, first); err != nil {
				return err
			}
		}
		if how.set != nil {
			if out, err = choose(out, how.set, how.only, first); err != nil {
				return err
			}
			if out.NumRows() == 0 {
				out.Release()
				first += uint64(rec.NumRows())
				return nil
			}
		}
		first += uint64(rec.NumRows())
		return f(out)
	})
}

// complete gives a file's batch, whose first row is at a position, the wanted
// columns. Texts that are indices stay so.
func (s *Snapshot) complete(rec arrow.RecordBatch, a Add, want *arrow.Schema, first int64) (arrow.RecordBatch, error) {
	n := int(rec.NumRows())
	inFile := rec.Schema().Fields()
	cols := make([]arrow.Array, 0, want.NumFields())
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	indices := false
	for _, f := range want.Fields() {
		var c arrow.Array
		var err error
		switch at, own := indexOf(inFile, f, s.mapping), s.tracked(f.Name); {
		case own != "":
			var kept arrow.Array
			if at = trackedIn(inFile, own); at >= 0 {
				kept = rec.Column(at)
			}
			c, err = trackedColumn(f.Name, a, kept, first, n)
		case s.partitioned(f.Name):
			c, err = constant(f.Type, a.PartitionValues[s.mapping.Name(f)], n)
		case at < 0 || f.Type.ID() == arrow.NULL:
			c = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, n)
		default:
			if c = asIndices(rec.Column(at), f.Type); c != nil {
				indices = true
			} else {
				c, err = align(rec.Column(at), f.Type, s.mapping)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%w: column %s: %w", ErrSchemaMismatch, f.Name, err)
		}
		cols = append(cols, c)
	}
	if indices {
		return newBatch(typed(want.Fields(), cols), cols, int64(n)), nil
	}
	return array.NewRecordBatch(want, cols, int64(n)), nil
}

// typed gives fields the types of columns.
func typed(fields []arrow.Field, cols []arrow.Array) []arrow.Field {
	out := slices.Clone(fields)
	for i, c := range cols {
		out[i].Type = c.DataType()
	}
	return out
}

// asIndices keeps texts that are indices, as those of a type; nil for other
// columns. The caller releases the array.
func asIndices(a arrow.Array, want arrow.DataType) arrow.Array {
	t, ok := a.DataType().(*arrow.DictionaryType)
	if !ok || want.ID() != arrow.STRING && want.ID() != arrow.BINARY {
		return nil
	}
	d, ok := a.Data().(*array.Data)
	if !ok {
		return nil
	}
	if alike(t.ValueType, want) {
		a.Retain()
		return a
	}
	dict, ok := retype(d.Dictionary(), want).(*array.Data)
	if !ok {
		return nil
	}
	defer dict.Release()
	to := array.NewDataWithDictionary(&arrow.DictionaryType{IndexType: t.IndexType, ValueType: want}, d.Len(), d.Buffers(), d.NullN(), d.Offset(), dict)
	defer to.Release()
	return array.NewDictionaryData(to)
}

func (s *Snapshot) partitioned(name string) bool {
	for _, p := range s.meta.PartitionColumns {
		if strings.EqualFold(p, name) {
			return true
		}
	}
	return false
}
