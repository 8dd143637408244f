package delta

import (
	"context"
	"fmt"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/scalar"
)

// The columns that say where a row of a table lies: the place of its file in a
// list, and its position in that file.
const (
	fileColumn = "__delta_file"
	rowColumn  = "__delta_row"
)

var placeFields = []arrow.Field{
	{Name: fileColumn, Type: arrow.PrimitiveTypes.Int64}, {Name: rowColumn, Type: arrow.PrimitiveTypes.Int64},
}

func newBatch(fields []arrow.Field, cols []arrow.Array, n int64) arrow.RecordBatch {
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, n)
}

// placed are the live rows of some files with the columns that say where they
// lie, before the table's own; columns without type are left out.
func (s *Snapshot) placed(files []Add) (RowSource, error) {
	fields := append([]arrow.Field{}, placeFields...)
	for _, f := range s.schema.Fields() {
		if f.Name == fileColumn || f.Name == rowColumn {
			return RowSource{}, fmt.Errorf("%w: the column name %s is taken", ErrUnsupportedFeature, f.Name)
		}
		if f.Type.ID() != arrow.NULL {
			fields = append(fields, f)
		}
	}
	if s.TracksRows() {
		fields = append(fields, trackedFields(nil, false)[:1]...)
	}
	all := arrow.NewSchema(fields, nil)
	return RowSource{Schema: all, Read: func(ctx context.Context, columns []int) iter.Seq2[arrow.RecordBatch, error] {
		if columns == nil {
			columns = make([]int, all.NumFields())
			for i := range columns {
				columns[i] = i
			}
		}
		want := make([]arrow.Field, len(columns))
		for i, c := range columns {
			want[i] = all.Field(c)
		}
		return func(yield func(arrow.RecordBatch, error) bool) { s.readPlaced(ctx, files, want, yield) }
	}}, nil
}

func (s *Snapshot) readPlaced(ctx context.Context, files []Add, want []arrow.Field, yield func(arrow.RecordBatch, error) bool) {
	var own []arrow.Field
	for _, f := range want {
		if f.Name != fileColumn && f.Name != rowColumn {
			own = append(own, f)
		}
	}
	s.eachFile(files, yield, func(i int, a Add, f func(arrow.RecordBatch) error) error {
		return s.readWith(ctx, a, arrow.NewSchema(own, nil), func(rec arrow.RecordBatch, first uint64) (arrow.RecordBatch, error) {
			defer rec.Release()
			return withPlaces(rec, want, int64(i), int64(first))
		}, f)
	})
}

// readWith is readFile with a change of each batch before rows are chosen;
// first is the position of its first row.
func (s *Snapshot) readWith(ctx context.Context, a Add, want *arrow.Schema, change func(rec arrow.RecordBatch, first uint64) (arrow.RecordBatch, error), f func(arrow.RecordBatch) error) error {
	deleted, err := s.Deleted(ctx, a)
	if err != nil {
		return err
	}
	return s.scanRows(ctx, a, scanning{want: want, set: deleted, change: change}, f)
}

// withPlaces puts the columns that say where rows lie among those of rec.
func withPlaces(rec arrow.RecordBatch, want []arrow.Field, file, first int64) (arrow.RecordBatch, error) {
	n := int(rec.NumRows())
	cols := make([]arrow.Array, 0, len(want))
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	next := 0
	for _, f := range want {
		switch f.Name {
		case fileColumn:
			c, err := scalar.MakeArrayFromScalar(scalar.NewInt64Scalar(file), n, memory.DefaultAllocator)
			if err != nil {
				return nil, err
			}
			cols = append(cols, c)
		case rowColumn:
			b := array.NewInt64Builder(memory.DefaultAllocator)
			b.Reserve(n)
			for i := range n {
				b.UnsafeAppend(first + int64(i))
			}
			cols = append(cols, b.NewArray())
			b.Release()
		default:
			c := rec.Column(next)
			c.Retain()
			cols = append(cols, c)
			next++
		}
	}
	return newBatch(want, cols, int64(n)), nil
}

// places collects where rows lie.
type places struct {
	files []Add
	sets  []*RowSet // nil: none of the file
}

func newPlaces(files []Add) *places { return &places{files, make([]*RowSet, len(files))} }

// add notes the rows of a batch whose first two columns are theirs. It gives
// the index of a row that was noted before, -1 if there is none.
func (p *places) add(rec arrow.RecordBatch) (int, error) {
	file, ok1 := rec.Column(0).(*array.Int64)
	row, ok2 := rec.Column(1).(*array.Int64)
	if !ok1 || !ok2 {
		return -1, fmt.Errorf("delta: the engine gives places as %s and %s", rec.Column(0).DataType(), rec.Column(1).DataType())
	}
	twice := -1
	for i := range file.Len() {
		if file.IsNull(i) {
			continue
		}
		at := file.Value(i)
		if at < 0 || at >= int64(len(p.files)) || row.IsNull(i) || row.Value(i) < 0 {
			return -1, fmt.Errorf("delta: the engine gives the place %d of file %d, which is none", row.Value(i), at)
		}
		if p.sets[at] == nil {
			p.sets[at] = &RowSet{}
		}
		if !p.sets[at].CheckedAdd(uint64(row.Value(i))) && twice < 0 {
			twice = i
		}
	}
	return twice, nil
}
