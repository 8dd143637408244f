package delta

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// conform gives rec the columns of s, by name, with exactly their types.
// Columns that rec lacks are NULL; columns that s lacks are refused. The
// caller releases the batch.
func conform(rec arrow.RecordBatch, s *arrow.Schema) (arrow.RecordBatch, error) {
	used := make([]bool, rec.NumCols())
	cols := make([]arrow.Array, 0, s.NumFields())
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for _, f := range s.Fields() {
		at := find(rec.Schema(), f.Name)
		if at < 0 {
			cols = append(cols, array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, int(rec.NumRows())))
			continue
		}
		used[at] = true
		c, err := fit(rec.Column(at), f.Type)
		if err != nil {
			return nil, fmt.Errorf("%w: column %s: %w", ErrSchemaMismatch, f.Name, err)
		}
		cols = append(cols, c)
	}
	for i, u := range used {
		if !u {
			return nil, fmt.Errorf("%w: the table has no column %q", ErrSchemaMismatch, rec.ColumnName(i))
		}
	}
	return array.NewRecordBatch(s, cols, rec.NumRows()), nil
}

func find(s *arrow.Schema, name string) int {
	if at := s.FieldIndices(name); len(at) > 0 {
		return at[0]
	}
	for i, f := range s.Fields() {
		if strings.EqualFold(f.Name, name) {
			return i
		}
	}
	return -1
}

// fit gives an array of type want that shares a's memory where it can. The
// caller releases it.
func fit(a arrow.Array, want arrow.DataType) (arrow.Array, error) {
	if alike(a.DataType(), want) {
		return retyped(a.Data(), want), nil
	}
	switch a.DataType().ID() {
	case arrow.NULL:
		return array.MakeArrayOfNull(memory.DefaultAllocator, want, a.Len()), nil
	case arrow.LARGE_STRING, arrow.LARGE_BINARY, arrow.STRING_VIEW, arrow.BINARY_VIEW, arrow.DICTIONARY, arrow.TIMESTAMP,
		arrow.INT8, arrow.INT16, arrow.INT32, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.FLOAT32:
		if !widens(a.DataType(), want) {
			break
		}
		return compute.CastArray(context.Background(), a, compute.SafeCastOptions(want))
	}
	return nil, fmt.Errorf("is %s, not %s", a.DataType(), want)
}

// widens tells whether every value of one type is a value of the other.
func widens(from, to arrow.DataType) bool {
	switch from.ID() {
	case arrow.LARGE_STRING, arrow.STRING_VIEW:
		return to.ID() == arrow.STRING
	case arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		return to.ID() == arrow.BINARY
	case arrow.DICTIONARY:
		return alike(from.(*arrow.DictionaryType).ValueType, to)
	case arrow.TIMESTAMP:
		ts, ok := to.(*arrow.TimestampType)
		return ok && (from.(*arrow.TimestampType).TimeZone == "") == (ts.TimeZone == "")
	case arrow.INT8:
		return to.ID() == arrow.INT16 || to.ID() == arrow.INT32 || to.ID() == arrow.INT64
	case arrow.INT16, arrow.UINT8:
		return to.ID() == arrow.INT32 || to.ID() == arrow.INT64 || from.ID() == arrow.UINT8 && to.ID() == arrow.INT16
	case arrow.INT32, arrow.UINT16:
		return to.ID() == arrow.INT64 || from.ID() == arrow.UINT16 && to.ID() == arrow.INT32
	case arrow.UINT32:
		return to.ID() == arrow.INT64
	case arrow.FLOAT32:
		return to.ID() == arrow.FLOAT64
	}
	return false
}

// alike tells whether two types have the same memory and meaning; names of
// list elements and time zones' names do not count.
func alike(a, b arrow.DataType) bool {
	if a.ID() != b.ID() {
		return false
	}
	switch a := a.(type) {
	case *arrow.ListType:
		return alike(a.Elem(), b.(*arrow.ListType).Elem())
	case *arrow.MapType:
		bm := b.(*arrow.MapType)
		return alike(a.KeyType(), bm.KeyType()) && alike(a.ItemType(), bm.ItemType())
	case *arrow.StructType:
		bs := b.(*arrow.StructType)
		if a.NumFields() != bs.NumFields() {
			return false
		}
		for i, f := range a.Fields() {
			if !strings.EqualFold(f.Name, bs.Field(i).Name) || !alike(f.Type, bs.Field(i).Type) {
				return false
			}
		}
		return true
	case *arrow.TimestampType:
		bt := b.(*arrow.TimestampType)
		return a.Unit == bt.Unit && (a.TimeZone == "") == (bt.TimeZone == "")
	}
	return arrow.TypeEqual(a, b)
}

// retyped is an array of another type over the same memory.
func retyped(d arrow.ArrayData, want arrow.DataType) arrow.Array {
	data := retype(d, want)
	defer data.Release()
	return array.MakeFromData(data)
}

// retype gives the data another type of the same memory. The caller releases it.
func retype(d arrow.ArrayData, want arrow.DataType) arrow.ArrayData {
	var kids []arrow.ArrayData
	switch w := want.(type) {
	case *arrow.ListType:
		kids = []arrow.ArrayData{retype(d.Children()[0], w.Elem())}
	case *arrow.MapType:
		kids = []arrow.ArrayData{retype(d.Children()[0], w.Elem())}
	case *arrow.StructType:
		for i, f := range w.Fields() {
			kids = append(kids, retype(d.Children()[i], f.Type))
		}
	default:
		return array.NewData(want, d.Len(), d.Buffers(), d.Children(), d.NullN(), d.Offset())
	}
	out := array.NewData(want, d.Len(), d.Buffers(), kids, d.NullN(), d.Offset())
	for _, k := range kids {
		k.Release()
	}
	return out
}

// checkNulls refuses NULL in columns that forbid it, also in structs, which
// cannot be NULL themselves then.
func checkNulls(rec arrow.RecordBatch) error {
	for i, f := range rec.Schema().Fields() {
		if err := checkNull(rec.Column(i), f, f.Name); err != nil {
			return err
		}
	}
	return nil
}

func checkNull(a arrow.Array, f arrow.Field, name string) error {
	if !f.Nullable && a.NullN() > 0 {
		return fmt.Errorf("%w: NULL in column %s, which is NOT NULL", ErrConstraint, name)
	}
	st, ok := a.(*array.Struct)
	if !ok {
		return nil
	}
	for i, k := range st.DataType().(*arrow.StructType).Fields() {
		child := st.Field(i)
		if !k.Nullable && (child.NullN() > 0 || st.NullN() > 0) {
			return fmt.Errorf("%w: NULL in column %s.%s, which is NOT NULL", ErrConstraint, name, k.Name)
		}
		k.Nullable = true // judged above
		if err := checkNull(child, k, name+"."+k.Name); err != nil {
			return err
		}
	}
	return nil
}
