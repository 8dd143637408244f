package query

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/sparksql/funcs"
)

// oneBatch is a result that is there already.
type oneBatch struct{ rec arrow.RecordBatch }

// Next gives the batch away, then io.EOF.
func (o *oneBatch) Next(context.Context) (arrow.RecordBatch, error) {
	if o.rec == nil {
		return nil, io.EOF
	}
	rec := o.rec
	o.rec = nil
	return rec, nil
}

// Close frees a batch that nobody took.
func (o *oneBatch) Close() {
	if o.rec != nil {
		o.rec.Release()
		o.rec = nil
	}
}

// asText gives a result that was made here to a client that wants each value as
// the text of a CAST to STRING.
func asText(res *Result, err error, want bool) (*Result, error) {
	if err != nil || !want {
		return res, err
	}
	o, ok := res.rows.(*oneBatch)
	if !ok || o.rec == nil {
		return res, nil
	}
	defer o.Close()
	fields := make([]arrow.Field, o.rec.NumCols())
	for i := range fields {
		fields[i] = arrow.Field{Name: o.rec.ColumnName(i), Type: arrow.BinaryTypes.String, Nullable: true}
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for c, col := range o.rec.Columns() {
		f := b.Field(c).(*array.StringBuilder)
		for row := range col.Len() {
			if col.IsNull(row) {
				f.AppendNull()
			} else {
				f.Append(valueText(col, row))
			}
		}
	}
	return &Result{Columns: res.Columns, rows: &oneBatch{rec: b.NewRecordBatch()}}, nil
}

// valueText is a value as CAST to STRING writes it.
func valueText(a arrow.Array, i int) string {
	if a.IsNull(i) {
		return "null"
	}
	var parts []string
	switch x := a.(type) {
	case *array.Map:
		from, to := x.ValueOffsets(i)
		for j := from; j < to; j++ {
			parts = append(parts, valueText(x.Keys(), int(j))+" -> "+valueText(x.Items(), int(j)))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *array.List:
		from, to := x.ValueOffsets(i)
		for j := from; j < to; j++ {
			parts = append(parts, valueText(x.ListValues(), int(j)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *array.Struct:
		for f := range x.NumField() {
			parts = append(parts, valueText(x.Field(f), i))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *array.Timestamp:
		s := time.UnixMicro(int64(x.Value(i))).UTC().Format("2006-01-02 15:04:05.000000")
		return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	case *array.Float64:
		return funcs.JavaDouble(x.Value(i))
	}
	return a.ValueStr(i)
}
