package duck

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// everyType is a schema with all types that cross, alone and nested.
func everyType() *arrow.Schema {
	dec := func(p, s int32) arrow.DataType { return &arrow.Decimal128Type{Precision: p, Scale: s} }
	list := func(t arrow.DataType) arrow.DataType {
		return arrow.ListOfField(arrow.Field{Name: "element", Type: t, Nullable: true})
	}
	st := func(ts ...arrow.DataType) arrow.DataType {
		var fs []arrow.Field
		for i, t := range ts {
			fs = append(fs, arrow.Field{Name: fmt.Sprintf("f%d", i), Type: t, Nullable: true})
		}
		return arrow.StructOf(fs...)
	}
	str, i32 := arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32
	types := []arrow.DataType{
		arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, i32, arrow.PrimitiveTypes.Int64,
		arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64, str, arrow.BinaryTypes.Binary, arrow.FixedWidthTypes.Date32,
		&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, &arrow.TimestampType{Unit: arrow.Microsecond},
		dec(4, 2), dec(9, 3), dec(18, 4), dec(38, 10),
		list(i32), list(str), list(list(str)), st(i32, str), st(st(str), list(i32)), list(st(i32, str, dec(20, 2))),
		arrow.MapOf(str, i32), arrow.MapOf(str, list(str)), st(arrow.MapOf(str, st(arrow.FixedWidthTypes.Boolean))),
	}
	var fs []arrow.Field
	for i, t := range types {
		fs = append(fs, arrow.Field{Name: fmt.Sprintf("c%d", i), Type: t, Nullable: true})
	}
	return arrow.NewSchema(fs, nil)
}

// fill appends a random value.
func fill(r *rand.Rand, b array.Builder, nullable bool) {
	if nullable && r.IntN(5) == 0 {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(r.IntN(2) == 0)
	case *array.Int8Builder:
		b.Append(int8(r.Uint64()))
	case *array.Int16Builder:
		b.Append(int16(r.Uint64()))
	case *array.Int32Builder:
		b.Append(int32(r.Uint64()))
	case *array.Int64Builder:
		b.Append(int64(r.Uint64()))
	case *array.Float32Builder:
		b.Append(r.Float32())
	case *array.Float64Builder:
		b.Append(r.NormFloat64())
	case *array.StringBuilder:
		b.Append(strings.Repeat("äx", r.IntN(12)))
	case *array.BinaryBuilder:
		b.Append([]byte(strings.Repeat("\x00\xff", r.IntN(12))))
	case *array.Date32Builder:
		b.Append(arrow.Date32(r.IntN(100000) - 50000))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(r.Int64N(4e15) - 2e15))
	case *array.Decimal128Builder:
		b.Append(decimal128.FromI64(r.Int64N(9999) - 5000))
	case *array.MapBuilder:
		b.Append(true)
		for k := range r.IntN(4) {
			b.KeyBuilder().(*array.StringBuilder).Append(fmt.Sprintf("key number %d", k))
			fill(r, b.ItemBuilder(), true)
		}
	case *array.ListBuilder:
		b.Append(true)
		for range r.IntN(4) {
			fill(r, b.ValueBuilder(), true)
		}
	case *array.StructBuilder:
		b.Append(true)
		for f := range b.NumField() {
			fill(r, b.FieldBuilder(f), true)
		}
	default:
		panic(b)
	}
}

func randomBatch(t testing.TB, mem memory.Allocator, seed uint64, rows int) arrow.RecordBatch {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	b := array.NewRecordBuilder(mem, everyType())
	defer b.Release()
	for range rows {
		for _, f := range b.Fields() {
			fill(r, f, true)
		}
	}
	return b.NewRecordBatch()
}

// values is a batch as JSON, a line a row.
func values(t testing.TB, rec arrow.RecordBatch) []string {
	t.Helper()
	b, err := rec.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(string(b), "["), "\n]"), "\n,")
}

func roundTrip(t *testing.T, c *Conn, schema *arrow.Schema, batches []arrow.RecordBatch) []string {
	t.Helper()
	from, release, err := c.Bind(Batches(schema, batches))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	r, err := c.Query(t.Context(), "SELECT * FROM "+from)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []string
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range rec.Schema().Fields() {
			if !arrow.TypeEqual(f.Type, schema.Field(i).Type) {
				t.Fatalf("column %d leaves as %s, entered as %s", i, f.Type, schema.Field(i).Type)
			}
		}
		out = append(out, values(t, rec)...)
		rec.Release()
	}
}

func TestEveryTypeGoesThroughUnchanged(t *testing.T) {
	c := get(t, open(t, Config{Instances: 1, Threads: 1}))
	for name, mem := range map[string]memory.Allocator{"C": Allocator(), "Go": memory.DefaultAllocator} {
		for _, rows := range []int{0, 1, 7, 2048, 5000} {
			b := randomBatch(t, mem, uint64(rows), rows)
			want := values(t, b)
			if rows == 0 {
				want = nil
			}
			got := roundTrip(t, c, b.Schema(), []arrow.RecordBatch{b})
			compare(t, fmt.Sprintf("%s memory, %d rows", name, rows), got, want)
			b.Release()
		}
	}
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", what, len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: row %d is\n%s, want\n%s", what, i, got[i], want[i])
		}
	}
}

func TestSlicedBatchesGoThrough(t *testing.T) {
	c := get(t, open(t, Config{Instances: 1, Threads: 1}))
	b := randomBatch(t, Allocator(), 3, 3000)
	defer b.Release()
	all := values(t, b)
	for _, k := range [][2]int64{{0, 3000}, {1, 2}, {5, 2600}, {63, 65}, {2047, 3000}, {100, 100}} {
		s := b.NewSlice(k[0], k[1])
		compare(t, fmt.Sprint("slice ", k), roundTrip(t, c, b.Schema(), []arrow.RecordBatch{s}), all[k[0]:k[1]])
		s.Release()
	}
}

func TestWrongUTF8IsMended(t *testing.T) {
	c := one(t)
	s := arrow.NewSchema([]arrow.Field{{Name: "s", Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewRecordBuilder(Allocator(), s)
	defer b.Release()
	for _, v := range []string{"good", "bad \xff byte, and long enough", "\xc3", ""} {
		b.Field(0).(*array.StringBuilder).Append(v)
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	compare(t, "texts", roundTrip(t, c, s, []arrow.RecordBatch{rec}),
		[]string{`{"s":"good"}`, `{"s":"bad � byte, and long enough"}`, `{"s":"�"}`, `{"s":""}`})
}

func TestABatchOfAnotherSchemaIsRefused(t *testing.T) {
	c := one(t)
	b := ints(t, Allocator(), 10, 0)
	defer b.Release()
	s := arrow.NewSchema([]arrow.Field{{Name: "i", Type: arrow.BinaryTypes.String}, {Name: "s", Type: arrow.BinaryTypes.String}}, nil)
	from, release, err := c.Bind(Batches(s, []arrow.RecordBatch{b}))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := c.Exec(t.Context(), "SELECT max(i) FROM "+from); err == nil || !strings.Contains(err.Error(), "the schema says") {
		t.Errorf("%v", err)
	}
}
