package parquetfile

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// columns are of every type that a chunk has.
func columns(nullable bool) *arrow.Schema {
	var fields []arrow.Field
	for _, t := range []arrow.DataType{
		arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
		arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Boolean, arrow.FixedWidthTypes.Date32,
		arrow.FixedWidthTypes.Timestamp_us, arrow.BinaryTypes.String, arrow.BinaryTypes.Binary,
		&arrow.Decimal128Type{Precision: 7, Scale: 2}, &arrow.Decimal128Type{Precision: 38, Scale: 10},
	} {
		fields = append(fields, arrow.Field{Name: fmt.Sprint("c", len(fields)), Type: t, Nullable: nullable})
	}
	return arrow.NewSchema(fields, nil)
}

// values makes rows whose columns have about so many distinct values.
func random(r *rand.Rand, s *arrow.Schema, n, distinct int, nulls float64) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	for range n {
		for i := range s.NumFields() {
			if r.Float64() < nulls {
				b.Field(i).AppendNull()
				continue
			}
			v := r.IntN(distinct) - distinct/2
			switch f := b.Field(i).(type) {
			case *array.Int8Builder:
				f.Append(int8(v))
			case *array.Int16Builder:
				f.Append(int16(v))
			case *array.Int32Builder:
				f.Append(int32(v) * 7919)
			case *array.Int64Builder:
				f.Append(int64(v) * 1_000_000_007)
			case *array.Float32Builder:
				f.Append(float32(v) / 3)
			case *array.Float64Builder:
				f.Append(float64(v) / 3)
			case *array.BooleanBuilder:
				f.Append(v%3 == 0)
			case *array.Date32Builder:
				f.Append(arrow.Date32(v))
			case *array.TimestampBuilder:
				f.Append(arrow.Timestamp(v) * 1_000_003)
			case *array.StringBuilder:
				f.Append(strings.Repeat("ñ", max(v, -v)%19) + fmt.Sprint(v))
			case *array.BinaryBuilder:
				f.Append(bytes.Repeat([]byte{byte(v)}, max(v, -v)%41))
			case *array.Decimal128Builder:
				f.Append(decimal128.FromI64(int64(v) % 9_999_999))
			}
		}
	}
	return b.NewRecordBatch()
}

func written(t *testing.T, s *arrow.Schema, codec string, group int64, recs ...arrow.RecordBatch) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, s, codec, group)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := w.pq.(*flatWriter); !ok {
		t.Fatalf("%T writes flat columns", w.pq)
	}
	for _, rec := range recs {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func table(t *testing.T, data []byte) arrow.Table {
	t.Helper()
	tab, err := pqarrow.ReadTable(t.Context(), bytes.NewReader(data), nil, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// Another reader gets back what was written, whatever the number of distinct
// values makes of dictionaries, and wherever pages and row groups end.
func TestFlatColumnsAreReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	for _, nullable := range []bool{true, false} {
		for _, distinct := range []int{1, 2, 60, 5000, 1 << 30} {
			for _, rows := range [][]int{{}, {1}, {8, 9}, {1000, 0, 7}, {70_000, 1_500}} {
				for _, codec := range []string{"zstd", "snappy", "none"} {
					if len(rows) > 0 && rows[0] > 10_000 && codec != "zstd" {
						continue
					}
					name := fmt.Sprint("nullable=", nullable, "/distinct=", distinct, "/rows=", rows, "/", codec)
					t.Run(name, func(t *testing.T) {
						s := columns(nullable)
						var recs []arrow.RecordBatch
						for i, n := range rows {
							nulls := 0.0
							if nullable && i != 1 {
								nulls = r.Float64() * 1.1 // some are null as a whole
							}
							whole := random(r, s, n+3, distinct, nulls)
							recs = append(recs, whole.NewSlice(2, int64(n+2)))
						}
						data := written(t, s, codec, 300_000, recs...)
						got := table(t, data)
						want := array.NewTableFromRecords(s, recs)
						if got.NumRows() != want.NumRows() {
							t.Fatalf("%d rows, want %d", got.NumRows(), want.NumRows())
						}
						for i := range s.NumFields() {
							if !array.ChunkedEqual(got.Column(i).Data(), want.Column(i).Data()) {
								t.Errorf("column %s differs", s.Field(i))
							}
						}
					})
				}
			}
		}
	}
}

// A dictionary that grows past its bound is kept for the pages before.
func TestFlatDictionaryEndsWithinARowGroup(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{{Name: "s", Type: arrow.BinaryTypes.String}, {Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for i := range 300_000 {
		v := i % 100
		if i > 100_000 {
			v = i
		}
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprint("a device with a long name ", v))
		b.Field(1).(*array.Int64Builder).Append(int64(v))
	}
	rec := b.NewRecordBatch()
	data := written(t, s, "zstd", 1<<30, rec)
	want := array.NewTableFromRecords(s, []arrow.RecordBatch{rec})
	got := table(t, data)
	for i := range 2 {
		if !array.ChunkedEqual(got.Column(i).Data(), want.Column(i).Data()) {
			t.Errorf("column %d differs", i)
		}
	}
	pf, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		c, err := pf.MetaData().RowGroup(0).ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		stats := map[string]int32{}
		for _, e := range c.EncodingStats() {
			stats[fmt.Sprint(e.PageType, " ", e.Encoding)] += 1
		}
		if len(stats) != 3 {
			t.Errorf("column %d has pages %v: want a dictionary, pages with indices, pages without", i, stats)
		}
	}
}

// Bounds are those of the values, in the order that the type has.
func TestFlatFooterHasBounds(t *testing.T) {
	s := columns(true)
	rec := random(rand.New(rand.NewPCG(1, 2)), s, 3000, 1<<30, 0.3)
	for _, group := range []int64{1 << 30, 20_000} {
		data := written(t, s, "zstd", group, rec.NewSlice(0, 1000), rec.NewSlice(1000, 3000))
		pf, err := file.NewParquetReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for g := range pf.NumRowGroups() {
			rows := rec
			if pf.NumRowGroups() > 1 {
				rows = rec.NewSlice(int64(g*1000), min(int64(g*1000+1000+g*1000), 3000))
			}
			for i := range s.NumFields() {
				checkBounds(t, pf, g, i, rows.Column(i))
			}
		}
	}
}

func checkBounds(t *testing.T, pf *file.Reader, g, i int, col arrow.Array) {
	t.Helper()
	c, err := pf.MetaData().RowGroup(g).ColumnChunk(i)
	if err != nil {
		t.Fatal(err)
	}
	st, err := c.Statistics()
	if err != nil {
		t.Fatal(err)
	}
	switch col.DataType().ID() {
	case arrow.FLOAT32, arrow.FLOAT64:
		if st != nil && st.HasMinMax() {
			t.Errorf("%s has bounds", col.DataType())
		}
		return
	}
	if got, want := st.NullCount(), int64(col.NullN()); got != want {
		t.Errorf("%s: %d nulls, want %d", col.DataType(), got, want)
	}
	lo, hi := st.EncodeMin(), st.EncodeMax()
	one := chunk{values: newChunk(arrow.Field{Type: col.DataType()}).values}
	for j := range col.Len() { // each value alone lies within
		if col.IsNull(j) {
			continue
		}
		one.values.begin()
		one.values.add(col, j, 1)
		v, _ := one.values.bounds()
		if less(col.DataType(), v, lo) || less(col.DataType(), hi, v) {
			t.Fatalf("%s: %x is not within %x and %x", col.DataType(), v, lo, hi)
		}
		one.values.page(new([]byte), nil)
	}
}

// less compares plainly encoded values.
func less(t arrow.DataType, a, b []byte) bool {
	switch t.ID() {
	case arrow.STRING, arrow.BINARY, arrow.BOOL:
		return bytes.Compare(a, b) < 0
	case arrow.DECIMAL128:
		return int8(a[0]) < int8(b[0]) || a[0] == b[0] && bytes.Compare(a, b) < 0
	}
	signed := func(b []byte) (v int64) {
		for i, x := range b {
			v |= int64(x) << (8 * i)
		}
		return v << (64 - 8*len(b)) >> (64 - 8*len(b))
	}
	return signed(a) < signed(b)
}

func TestFlatLongTextsMakePagesOfTheirSize(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		raw := make([]byte, 50_000)
		for i := range raw {
			raw[i] = byte('a' + r.IntN(26))
		}
		b.Field(0).(*array.StringBuilder).Append(string(raw))
	}
	rec := b.NewRecordBatch()
	data := written(t, s, "none", 1<<30, rec)
	if !array.ChunkedEqual(table(t, data).Column(0).Data(), array.NewTableFromRecords(s, []arrow.RecordBatch{rec}).Column(0).Data()) {
		t.Error("the column differs")
	}
	pf, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := pf.RowGroup(0).GetColumnPageReader(0)
	if err != nil {
		t.Fatal(err)
	}
	for pages.Next() {
		if n := len(pages.Page().Data()); n > 2*maxPage {
			t.Errorf("a page of %d bytes", n)
		}
	}
	if c, _ := pf.MetaData().RowGroup(0).ColumnChunk(0); c != nil {
		if st, err := c.Statistics(); err != nil || st != nil && st.HasMinMax() {
			t.Errorf("bounds of %d bytes are in the footer (%v)", 50_000, err)
		}
	}
}

func TestFlatRefusesNullsWhereNoneMayBe(t *testing.T) {
	s := columns(false)
	rec := random(rand.New(rand.NewPCG(1, 2)), s, 10, 10, 1)
	w, err := NewWriter(&bytes.Buffer{}, s, "zstd", math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err == nil || !strings.Contains(err.Error(), "column c0") {
		t.Errorf("error %v", err)
	}
}
