package parquetfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// readBack reads all columns of a file; those that came as indices are counted.
func readBack(t *testing.T, data []byte, indices bool) (cols [][]arrow.Array, coded int) {
	t.Helper()
	opt := ReadOptions{Want: func(arrow.Field) bool { return true }, Indices: indices}
	err := Read(t.Context(), bytes.NewReader(data), opt, func(rec arrow.RecordBatch) error {
		if cols == nil {
			cols = make([][]arrow.Array, rec.NumCols())
		}
		for i, c := range rec.Columns() {
			if d, ok := c.(*array.Dictionary); ok {
				c = spelled(d)
				coded++
			}
			c.Retain()
			cols[i] = append(cols[i], c)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cols, coded
}

// spelled are the values behind indices.
func spelled(d *array.Dictionary) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, d.Dictionary().DataType())
	defer b.Release()
	for i := range d.Len() {
		if d.IsNull(i) {
			b.AppendNull()
			continue
		}
		switch v := d.Dictionary().(type) {
		case *array.String:
			b.(*array.StringBuilder).Append(v.Value(d.GetValueIndex(i)))
		case *array.Binary:
			b.(*array.BinaryBuilder).Append(v.Value(d.GetValueIndex(i)))
		}
	}
	return b.NewArray()
}

// byOthers is a file as pqarrow writes it.
func byOthers(t *testing.T, s *arrow.Schema, rec arrow.RecordBatch, opts ...parquet.WriterProperty) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(s, &out, parquet.NewWriterProperties(opts...), pqarrow.DefaultWriterProps())
	if err == nil {
		err = w.Write(rec)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Columns come back as they were written, by us and by others, whatever the
// pages' version, size and encoding.
func TestColumnsOfOtherWritersAreRead(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	writers := map[string]func(s *arrow.Schema, rec arrow.RecordBatch) []byte{
		"own": func(s *arrow.Schema, rec arrow.RecordBatch) []byte { return written(t, s, "zstd", 300_000, rec) },
	}
	for _, version := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
		for _, coded := range []bool{true, false} {
			writers[fmt.Sprint(version, "/dictionary=", coded)] = func(s *arrow.Schema, rec arrow.RecordBatch) []byte {
				return byOthers(t, s, rec, parquet.WithDataPageVersion(version), parquet.WithDictionaryDefault(coded), parquet.WithDataPageSize(5000),
					parquet.WithBatchSize(777), parquet.WithDictionaryPageSizeLimit(20_000), parquet.WithCompression(compress.Codecs.Snappy),
					parquet.WithStoreDecimalAsInteger(coded), parquet.WithMaxRowGroupLength(33_000))
			}
		}
	}
	for name, write := range writers {
		for _, nulls := range []float64{-1, 0, 0.02, 0.6, 1} { // -1: NOT NULL
			for _, distinct := range []int{1, 300, 1 << 30} {
				for _, rows := range []int{0, 1, 900, 40_000} {
					if rows > 1000 && (distinct == 1 || nulls == 0.6) {
						continue
					}
					t.Run(fmt.Sprint(name, "/nulls=", nulls, "/distinct=", distinct, "/rows=", rows), func(t *testing.T) {
						s := columns(nulls >= 0)
						rec := random(r, s, rows, distinct, nulls)
						defer rec.Release()
						data := write(s, rec)
						for _, indices := range []bool{false, true} {
							cols, coded := readBack(t, data, indices)
							if !indices && coded > 0 {
								t.Errorf("%d columns are indices, unasked", coded)
							}
							for i := range cols {
								got, err := array.Concatenate(cols[i], memory.DefaultAllocator)
								if err != nil {
									t.Fatal(err)
								}
								if !array.Equal(got, rec.Column(i)) {
									t.Errorf("column %s differs, indices %v", s.Field(i), indices)
								}
							}
							if rows > 0 && cols == nil {
								t.Error("no batches")
							}
						}
					})
				}
			}
		}
	}
}

// Texts of large row groups stay indices of one dictionary.
func TestTextsStayIndices(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	rec := random(rand.New(rand.NewPCG(1, 2)), s, 50_000, 40, 0.1)
	defer rec.Release()
	if cols, coded := readBack(t, written(t, s, "zstd", 1<<20, rec), true); coded != len(cols[0]) {
		t.Errorf("%d of %d batches are indices", coded, len(cols[0]))
	}
}

// Encodings that columns are not read in by ourselves are read all the same.
func TestOtherEncodingsAreRead(t *testing.T) {
	s := columns(true)
	rec := random(rand.New(rand.NewPCG(1, 2)), s, 3000, 1<<30, 0.1)
	defer rec.Release()
	data := byOthers(t, s, rec, parquet.WithDictionaryDefault(false), parquet.WithEncodingFor("c2", parquet.Encodings.DeltaBinaryPacked),
		parquet.WithEncodingFor("c9", parquet.Encodings.DeltaByteArray), parquet.WithEncodingFor("c5", parquet.Encodings.ByteStreamSplit))
	cols, _ := readBack(t, data, true)
	for i := range cols {
		got, err := array.Concatenate(cols[i], memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		if !array.Equal(got, rec.Column(i)) {
			t.Errorf("column %s differs", s.Field(i))
		}
	}
}

// Levels of the encoding BIT_PACKED begin with the highest bit.
func TestBitPackedLevels(t *testing.T) {
	h := bitPacked([]byte{0b10110000, 0b01000000}, 10)
	bits := make([]byte, 2)
	set, err := h.levels(bits, 0, 10)
	if err != nil || set != 4 || bits[0] != 0b00001101 || bits[1]&3 != 0b10 {
		t.Errorf("%d set of %08b, %v", set, bits, err)
	}
	if _, err := h.levels(bits, 0, 1); err == nil {
		t.Error("levels beyond the last one")
	}
}

// pagesOf are pages without a file.
type pagesOf struct {
	pages []file.Page
	at    int
}

func (p *pagesOf) SetMaxPageHeaderSize(int)                                                       {}
func (p *pagesOf) Page() file.Page                                                                { return p.pages[p.at-1] }
func (p *pagesOf) Next() bool                                                                     { p.at++; return p.at <= len(p.pages) }
func (p *pagesOf) Err() error                                                                     { return nil }
func (p *pagesOf) Reset(parquet.BufferedReader, int64, compress.Compression, *file.CryptoContext) {}
func (p *pagesOf) GetDictionaryPage() (*file.DictionaryPage, error)                               { return nil, nil }
func (p *pagesOf) SeekToPageWithRow(int64) error                                                  { return nil }
func (p *pagesOf) Close() error                                                                   { return nil }

// fuzzForms are columns of each form.
func fuzzForms(tb testing.TB) []form {
	tb.Helper()
	s := columns(true)
	pq, err := pqarrow.ToParquet(s, nil, pqarrow.DefaultWriterProps())
	if err != nil {
		tb.Fatal(err)
	}
	var out []form
	for i, f := range s.Fields() {
		fm, ok := formOf(pq.Column(i), f.Type)
		if !ok {
			tb.Fatalf("no form of %s", f)
		}
		out = append(out, fm)
	}
	node, err := schema.NewPrimitiveNodeLogical("d", parquet.Repetitions.Optional, schema.NewDecimalLogicalType(9, 2), parquet.Types.Int32, 0, -1)
	if err != nil {
		tb.Fatal(err)
	}
	root, err := schema.NewGroupNode("root", parquet.Repetitions.Required, schema.FieldList{node}, -1)
	if err != nil {
		tb.Fatal(err)
	}
	fm, ok := formOf(schema.NewSchema(root).Column(0), &arrow.Decimal128Type{Precision: 9, Scale: 2})
	if !ok {
		tb.Fatal("no form of decimals in 32 bits")
	}
	return append(out, fm)
}

// Damaged pages are errors, never panics, and never values from elsewhere.
func FuzzPages(f *testing.F) {
	forms := fuzzForms(f)
	for i := range forms {
		f.Add(uint8(i), uint8(0), uint16(3), uint16(2), []byte{2, 0, 0, 0, 3, 5, 1, 0, 1, 1}, []byte{1, 0, 0, 0, 'a', 1, 0, 0, 0, 'b', 0, 0, 0, 0, 0, 0})
		f.Add(uint8(i), uint8(1), uint16(9), uint16(3), []byte{2, 0, 0, 0, 18, 1, 2, 18, 1}, bytes.Repeat([]byte{0}, 48))
		f.Add(uint8(i), uint8(2), uint16(9), uint16(3), []byte{2, 3, 0xff, 0xff, 2, 3, 0x11, 0x12}, bytes.Repeat([]byte{1, 0, 0, 0, 7}, 12))
		f.Add(uint8(i), uint8(7), uint16(4), uint16(0), []byte{2, 3, 5, 1, 2, 3, 4, 5, 6, 7, 8}, []byte{})
	}
	f.Fuzz(func(t *testing.T, which, how uint8, rows, entries uint16, page, dict []byte) {
		fm := forms[int(which)%len(forms)]
		encoding := []parquet.Encoding{parquet.Encodings.Plain, parquet.Encodings.RLEDict, parquet.Encodings.RLE, parquet.Encodings.DeltaByteArray}[how%4]
		levels := parquet.Encodings.RLE
		if how&32 != 0 {
			levels = parquet.Encodings.BitPacked
		}
		n := int(rows) % 2000
		buf := memory.NewBufferBytes(page)
		data := file.Page(file.NewDataPageV1(buf, int32(n), encoding, levels, parquet.Encodings.RLE, int32(len(page))))
		if how&4 != 0 && len(page) > 0 {
			data = file.NewDataPageV2(buf, int32(n), 0, int32(n), encoding, int32(page[0]), 0, int32(len(page)), false)
		}
		c := &flatColumn{form: fm, optional: how&8 != 0, keep: how&16 != 0, pages: &pagesOf{pages: []file.Page{
			file.NewDictionaryPage(memory.NewBufferBytes(dict), int32(entries), parquet.Encodings.Plain), data,
		}}}
		for _, k := range []int{n / 3, n - n/3, 1} {
			a, err := c.next(k)
			if err != nil {
				return
			}
			if a.Len() != k {
				t.Fatalf("%d rows instead of %d", a.Len(), k)
			}
			for i := range k {
				_ = a.ValueStr(i)
			}
		}
	})
}
