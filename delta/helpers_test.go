package delta_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
)

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var plain = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: false},
	{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "value", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
}, nil)

// rows makes a batch of plain with ids from first.
func rows(first, n int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, plain)
	defer b.Release()
	for i := first; i < first+n; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("name-%d", i%7))
		b.Field(2).(*array.Float64Builder).Append(float64(i) / 3)
	}
	return b.NewRecordBatch()
}

func appendRows(t testing.TB, tab *delta.Table, first, n int, opts ...delta.WriteOption) int64 {
	t.Helper()
	return must[int64](t)(tab.Append(context.Background(), delta.Batches(rows(first, n)), opts...))
}

func snap(t testing.TB, tab *delta.Table) *delta.Snapshot {
	t.Helper()
	return must[*delta.Snapshot](t)(tab.Snapshot(context.Background()))
}

var wideSchema = arrow.NewSchema([]arrow.Field{
	{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "i8", Type: arrow.PrimitiveTypes.Int8, Nullable: true},
	{Name: "i16", Type: arrow.PrimitiveTypes.Int16, Nullable: true},
	{Name: "i32", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "i64", Type: arrow.PrimitiveTypes.Int64, Nullable: false, Metadata: arrow.NewMetadata([]string{"comment"}, []string{"a \"quoted\" comment"})},
	{Name: "f32", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "f64", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "bin", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "d", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
	{Name: "dec", Type: &arrow.Decimal128Type{Precision: 20, Scale: 4}, Nullable: true},
	{Name: "small", Type: &arrow.Decimal128Type{Precision: 7, Scale: 2}, Nullable: true},
	{Name: "list", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), Nullable: true},
	{Name: "st", Type: arrow.StructOf(
		arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		arrow.Field{Name: "y", Type: arrow.BinaryTypes.String, Nullable: true}), Nullable: true},
	{Name: "p", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "pd", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
}, nil)

// awkward are partition values that have met escaping bugs before.
var awkward = []string{"plain", "with space", "a/b", "50%", "a=b", "k:v", "ñandú ☃", "a+b&c", `back\slash`, "q?#x", "%41", "x'\"y", "[br]{c}^", "", "tab\there"}

// wide makes a batch of all types with one row a number from first.
func wide(first, n int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, wideSchema)
	defer b.Release()
	base := time.Date(2024, 2, 29, 23, 59, 59, 999_999_000, time.UTC)
	for i := first; i < first+n; i++ {
		if i%5 == 4 {
			for j, f := range wideSchema.Fields() {
				if !f.Nullable {
					b.Field(j).(*array.Int64Builder).Append(int64(i))
				} else {
					b.Field(j).AppendNull()
				}
			}
			continue
		}
		b.Field(0).(*array.BooleanBuilder).Append(i%2 == 0)
		b.Field(1).(*array.Int8Builder).Append(int8(i % 100))
		b.Field(2).(*array.Int16Builder).Append(int16(-i))
		b.Field(3).(*array.Int32Builder).Append(int32(i * 1000))
		b.Field(4).(*array.Int64Builder).Append(int64(i))
		b.Field(5).(*array.Float32Builder).Append(float32(i) / 4)
		f := float64(i) / 3
		switch i % 11 {
		case 7:
			f = math.NaN()
		case 8:
			f = math.Inf(1)
		case 9:
			f = math.Inf(-1)
		}
		b.Field(6).(*array.Float64Builder).Append(f)
		b.Field(7).(*array.StringBuilder).Append(fmt.Sprintf("a long enough text to be cut at some point, %d ☃", i))
		b.Field(8).(*array.BinaryBuilder).Append([]byte{0, 0xff, byte(i)})
		b.Field(9).(*array.Date32Builder).Append(arrow.Date32(i - 5))
		b.Field(10).(*array.TimestampBuilder).Append(arrow.Timestamp(base.Add(time.Duration(i) * time.Second).UnixMicro()))
		check2(b.Field(11).(*array.Decimal128Builder).AppendValueFromString(fmt.Sprintf("%d.%04d", i*1000, i)))
		check2(b.Field(12).(*array.Decimal128Builder).AppendValueFromString(fmt.Sprintf("-%d.25", i)))
		lb := b.Field(13).(*array.ListBuilder)
		lb.Append(true)
		for k := range i % 3 {
			lb.ValueBuilder().(*array.StringBuilder).Append(fmt.Sprint(k))
		}
		mb := b.Field(14).(*array.MapBuilder)
		mb.Append(true)
		mb.KeyBuilder().(*array.StringBuilder).Append("k")
		mb.ItemBuilder().(*array.Int64Builder).Append(int64(i))
		sb := b.Field(15).(*array.StructBuilder)
		sb.Append(true)
		sb.FieldBuilder(0).(*array.Int32Builder).Append(int32(i))
		sb.FieldBuilder(1).AppendNull()
		b.Field(16).(*array.StringBuilder).Append(awkward[i%len(awkward)])
		b.Field(17).(*array.Date32Builder).Append(arrow.Date32(19000 + i%2))
	}
	return b.NewRecordBatch()
}

func check2(err error) {
	if err != nil {
		panic(err)
	}
}

// fromJSON is a batch of JSON objects, one a row.
func fromJSON(t testing.TB, s *arrow.Schema, rows string) arrow.RecordBatch {
	t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader(rows), array.WithMultipleDocs())
	check(t, err)
	return rec
}
