package parquetfile

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// chunk is a column of the row group that is being written. Its pages are kept
// compressed until the row group ends.
type chunk struct {
	values   values
	nullable bool
	bounded  bool // the footer has statistics
	signed   bool // and orders values as signed ones
	pack     func(src, dst []byte) []byte

	levels  levels
	present []byte // scratch: levels as a page has them
	pages   [][]byte
	indexed int32 // of them that have indices
	rows    int64
	nulls   int64
	raw     int64 // bytes of the pages before compression, with their headers
	packed  int64
}

// Used values and buffers are kept for the next column: files may be small and
// many. What is in the pools has the size of a page or a dictionary.
var (
	narrows = sync.Pool{New: func() any { return &fixed[int32]{bytes: arrow.Int32Traits.CastToBytes} }}
	wides   = sync.Pool{New: func() any { return &fixed[int64]{bytes: arrow.Int64Traits.CastToBytes} }}
	texts   = sync.Pool{New: func() any { return &strs{} }}
	bodies  = sync.Pool{New: func() any { return &body{} }}
)

// body is a page's content before and after compression.
type body struct{ raw, packed []byte }

// newChunk is nil for a type that has no chunk.
func newChunk(f arrow.Field) *chunk {
	c := &chunk{nullable: f.Nullable, bounded: true, signed: true}
	switch t := f.Type.(type) {
	case *arrow.Int8Type, *arrow.Int16Type:
		c.values = newFixed(&narrows, widened, true)
	case *arrow.Int32Type, *arrow.Date32Type:
		c.values = newFixed(&narrows, narrow, true)
	case *arrow.Int64Type:
		c.values = newFixed(&wides, wide, true)
	case *arrow.TimestampType:
		if t.Unit != arrow.Microsecond {
			return nil
		}
		c.values = newFixed(&wides, wide, true)
	case *arrow.Float32Type:
		// The footer's statistics know no NaN, and engines that take them for
		// bounds (DuckDB) answer v > 0 wrongly for NaN, which is the largest
		// value in Spark. The log's statistics have NaN and stay.
		c.values, c.bounded = newFixed(&narrows, narrow, false), false
	case *arrow.Float64Type:
		c.values, c.bounded = newFixed(&wides, wide, false), false
	case *arrow.BooleanType:
		c.values = &booleans{}
	case *arrow.StringType, *arrow.BinaryType:
		c.values, c.signed = newStrs(0), false
	case *arrow.Decimal128Type:
		c.values = newStrs(int(pqarrow.DecimalSize(t.Precision)))
	default:
		return nil
	}
	return c
}

func (c *chunk) begin() {
	c.values.begin()
	clear(c.pages)
	c.pages = c.pages[:0]
	c.indexed, c.rows, c.nulls, c.raw, c.packed = 0, 0, 0, 0, 0
}

// pieceRows are added to a page before its size is looked at, fewer where one
// value may be long.
const pieceRows = 4096

func (c *chunk) add(a arrow.Array) {
	piece := pieceRows
	if _, long := c.values.(*strs); long {
		piece = pieceFor(a)
	}
	for at, n := 0, 0; at < a.Len(); at += n {
		n = min(piece, a.Len()-at, maxPageRows-c.levels.n)
		c.values.add(a, at, n)
		c.levels.add(a, at, n)
		if c.values.size() >= maxPage || c.levels.n >= maxPageRows || c.values.indexed() && c.values.full() {
			c.endPage()
		}
	}
}

// pieceFor keeps pieces of long texts from growing a page far past its bound.
func pieceFor(a arrow.Array) int {
	if d, ok := a.(*array.Dictionary); ok {
		return pieceFor(d.Dictionary())
	}
	b := a.Data().Buffers()
	if len(b) < 3 || b[2] == nil {
		return pieceRows
	}
	return min(pieceRows, max(1, a.Len()*maxPage/(8*b[2].Len()+1)))
}

// endPage compresses the page and begins the next one.
func (c *chunk) endPage() {
	if c.levels.n == 0 {
		return
	}
	first := len(c.pages) == 0
	if first && c.values.indexed() && !c.values.pays() {
		c.values.drop()
	}
	encoding := parquet.Encodings.Plain
	if c.values.indexed() {
		encoding = parquet.Encodings.RLEDict
		c.indexed++
	}
	full := c.values.indexed() && c.values.full()
	c.present = c.present[:0]
	if c.nullable {
		c.present = c.levels.appendTo(c.present)
	}
	page := c.seal(func(scratch *[]byte) []byte { return c.values.page(scratch, c.present) }, func(dst []byte, size, packed int) []byte {
		return appendDataHeader(dst, size, packed, c.levels.n, encoding)
	})
	c.pages = append(c.pages, page)
	c.rows += int64(c.levels.n)
	c.nulls += int64(c.levels.nulls)
	c.levels.n, c.levels.nulls = 0, 0
	if full {
		c.values.freeze()
	}
}

// seal makes a page with its header out of its content.
func (c *chunk) seal(content func(scratch *[]byte) []byte, header func(dst []byte, size, packed int) []byte) []byte {
	b, _ := bodies.Get().(*body)
	defer bodies.Put(b)
	b.raw = b.raw[:0]
	raw := content(&b.raw)
	b.packed = c.pack(raw, b.packed[:0])
	page := header(make([]byte, 0, len(b.packed)+maxHeader), len(raw), len(b.packed))
	c.raw += int64(len(page) + len(raw))
	page = append(page, b.packed...)
	c.packed += int64(len(page))
	return page
}

// entries are the dictionary's.
func (c *chunk) entries(scratch *[]byte) []byte {
	*scratch = c.values.appendEntries(*scratch)
	return *scratch
}

// memory is about what the row group has in memory.
func (c *chunk) memory() int64 { return c.packed + int64(c.values.size()) }

// end ends the row group's chunk: it gives the pages to write to a file at an
// offset, and describes them in md.
func (c *chunk) end(offset int64, md *metadata.ColumnChunkMetaDataBuilder) ([][]byte, error) {
	c.endPage()
	info := metadata.ChunkMetaInfo{NumValues: c.rows, IndexPageOffset: -1, DataPageOffset: offset}
	stats := metadata.EncodingStats{DataEncodingStats: map[parquet.Encoding]int32{}}
	if c.indexed > 0 {
		dict := c.seal(c.entries, func(dst []byte, size, packed int) []byte {
			return appendDictionaryHeader(dst, size, packed, c.values.entries())
		})
		c.pages = slices.Insert(c.pages, 0, dict)
		info.DictPageOffset, info.DataPageOffset = offset, offset+int64(len(dict))
		stats.DictEncodingStats = map[parquet.Encoding]int32{parquet.Encodings.Plain: 1}
		stats.DataEncodingStats[parquet.Encodings.RLEDict] = c.indexed
	}
	plain := int32(len(c.pages)) - c.indexed - min(1, c.indexed)
	if plain > 0 {
		stats.DataEncodingStats[parquet.Encodings.Plain] = plain
	}
	info.CompressedSize, info.UncompressedSize = c.packed, c.raw
	if c.bounded {
		md.SetStats(c.statistics())
	}
	return c.pages, md.Finish(info, c.indexed > 0, c.indexed > 0 && plain > 0, stats)
}

// maxStatistic bounds a bound's bytes: a longer one is left out.
const maxStatistic = 4096

func (c *chunk) statistics() metadata.EncodedStatistics {
	e := metadata.EncodedStatistics{Signed: c.signed}
	e.SetNullCount(c.nulls)
	if lo, hi := c.values.bounds(); lo != nil {
		e.SetMin(lo).SetMax(hi)
		e.ApplyStatSizeLimits(maxStatistic)
	}
	return e
}

// maxHeader is how many bytes a page's header has at most.
const maxHeader = 40

// Parquet's page types, and the field types of Thrift's compact protocol
// (parquet-format, parquet.thrift; Thrift, compact protocol).
const (
	dataPage       = 0
	dictionaryPage = 2
	thriftI32      = 0x5
	thriftStruct   = 0xc
)

func appendI32(dst []byte, skip byte, v int) []byte {
	return binary.AppendVarint(append(dst, skip<<4|thriftI32), int64(v))
}

func appendHeader(dst []byte, kind, size, packed int) []byte {
	dst = appendI32(dst, 1, kind)
	dst = appendI32(dst, 1, size)
	return appendI32(dst, 1, packed)
}

func appendDataHeader(dst []byte, size, packed, rows int, encoding parquet.Encoding) []byte {
	dst = append(appendHeader(dst, dataPage, size, packed), 2<<4|thriftStruct) // field 5
	dst = appendI32(dst, 1, rows)
	dst = appendI32(dst, 1, int(encoding))
	dst = appendI32(dst, 1, int(parquet.Encodings.RLE)) // of definition levels
	dst = appendI32(dst, 1, int(parquet.Encodings.RLE)) // of repetition levels
	return append(dst, 0, 0)
}

func appendDictionaryHeader(dst []byte, size, packed, entries int) []byte {
	dst = append(appendHeader(dst, dictionaryPage, size, packed), 4<<4|thriftStruct) // field 7
	dst = appendI32(dst, 1, entries)
	dst = appendI32(dst, 1, int(parquet.Encodings.Plain))
	return append(dst, 0, 0)
}
