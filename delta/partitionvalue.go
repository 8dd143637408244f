package delta

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/scalar"

	"github.com/marisma/marisma/delta/internal/stats"
)

// PartitionValue is the value that all rows of a file have in a partition
// column, in the column's type; not valid for NULL.
func (s *Snapshot) PartitionValue(a Add, column string) (scalar.Scalar, error) {
	at := find(s.schema, column)
	if at < 0 || !s.partitioned(column) {
		return nil, fmt.Errorf("%w: no partition column %q", ErrSchemaMismatch, column)
	}
	f := s.schema.Field(at)
	v, err := partitionScalar(f.Type, a.PartitionValues[s.mapping.Name(f)])
	if err != nil {
		return nil, fmt.Errorf("%w: %s: column %s: %w", ErrSchemaMismatch, a.Path, f.Name, err)
	}
	return v, nil
}

// constant is a partition value n times.
func constant(t arrow.DataType, text string, n int) (arrow.Array, error) {
	v, err := partitionScalar(t, text)
	if err != nil {
		return nil, err
	}
	if !v.IsValid() {
		return array.MakeArrayOfNull(memory.DefaultAllocator, t, n), nil
	}
	return scalar.MakeArrayFromScalar(v, n, memory.DefaultAllocator)
}

// partitionScalar reads the text of a partition value; no text is NULL.
func partitionScalar(t arrow.DataType, text string) (scalar.Scalar, error) {
	if text == "" {
		return scalar.MakeNullScalar(t), nil
	}
	switch t := t.(type) {
	case *arrow.StringType:
		return scalar.NewStringScalar(text), nil
	case *arrow.BinaryType:
		return scalar.NewBinaryScalar(memory.NewBufferBytes([]byte(text)), t), nil
	case *arrow.BooleanType:
		b, err := stats.Bool(text)
		return scalar.NewBooleanScalar(b), err
	case *arrow.Date32Type:
		days, err := stats.Days(text)
		return scalar.NewDate32Scalar(arrow.Date32(days)), err
	case *arrow.TimestampType:
		us, err := stats.Micros(text, t.TimeZone != "")
		return scalar.NewTimestampScalar(arrow.Timestamp(us), t), err
	case *arrow.Float32Type:
		v, err := stats.Float(text, 32)
		return scalar.NewFloat32Scalar(float32(v)), err
	case *arrow.Float64Type:
		v, err := stats.Float(text, 64)
		return scalar.NewFloat64Scalar(v), err
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type:
		v, err := stats.Int(text, t.(arrow.FixedWidthDataType).BitWidth())
		if err != nil {
			return nil, err
		}
		return scalar.MakeIntegerScalar(v, t.(arrow.FixedWidthDataType).BitWidth())
	}
	return scalar.ParseScalar(t, strings.TrimSpace(text))
}
