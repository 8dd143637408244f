package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// columnReader gives a column's rows in order.
type columnReader interface {
	next(n int) (arrow.Array, error)
}

// flatColumn reads a column chunk without nesting whose values are plain or
// indices of a dictionary, page by page: a page's memory at a time.
type flatColumn struct {
	pages    file.PageReader
	form     form
	optional bool
	keep     bool // texts may stay indices

	left    int // rows of the page that were not read
	levels  hybridReader
	plain   []byte       // values that were not read
	bit     int          // of the next boolean in plain
	codes   hybridReader // indices, or booleans as runs
	coded   bool
	dict    *dictionary
	scratch []int32
}

// form says how a column's values lie in pages and in arrays.
type form struct {
	typ   arrow.DataType
	kind  kind
	plain int // bytes of a plain value, of fixed values
	width int // bytes of a value in arrays
	// convert makes values of arrays of n plain ones.
	convert func(dst, src []byte, n int)
}

type kind uint8

const (
	ofFixed kind = iota
	ofBits
	ofTexts
)

// dictionary has its values as arrays have them.
type dictionary struct {
	n     int
	fixed []byte
	texts arrow.Array
	ends  []int32 // of texts, from the first one's beginning on
	bytes []byte
}

// formOf gives a column's form; ok is false where flatColumn does not read it.
func formOf(c *schema.Column, t arrow.DataType) (f form, ok bool) {
	if len(c.ColumnPath()) != 1 || c.MaxRepetitionLevel() > 0 || c.MaxDefinitionLevel() > 1 {
		return form{}, false
	}
	f = form{typ: t}
	switch p := c.PhysicalType(); t := t.(type) {
	case *arrow.BooleanType:
		f.kind, ok = ofBits, p == parquet.Types.Boolean
	case *arrow.StringType, *arrow.BinaryType:
		f.kind, ok = ofTexts, p == parquet.Types.ByteArray
	case *arrow.Int8Type:
		f.plain, f.width, f.convert, ok = 4, 1, cut1, p == parquet.Types.Int32
	case *arrow.Int16Type:
		f.plain, f.width, f.convert, ok = 4, 2, cut2, p == parquet.Types.Int32
	case *arrow.Int32Type, *arrow.Date32Type:
		f.plain, f.width, ok = 4, 4, p == parquet.Types.Int32
	case *arrow.Float32Type:
		f.plain, f.width, ok = 4, 4, p == parquet.Types.Float
	case *arrow.Int64Type, *arrow.TimestampType:
		f.plain, f.width, ok = 8, 8, p == parquet.Types.Int64
	case *arrow.Float64Type:
		f.plain, f.width, ok = 8, 8, p == parquet.Types.Double
	case *arrow.Decimal128Type:
		f.plain, f.convert, ok = decimalForm(c, t)
		f.width = 16
	}
	return f, ok
}

func decimalForm(c *schema.Column, _ *arrow.Decimal128Type) (plain int, convert func(dst, src []byte, n int), ok bool) {
	switch c.PhysicalType() {
	case parquet.Types.Int32:
		return 4, wide32, true
	case parquet.Types.Int64:
		return 8, wide64, true
	case parquet.Types.FixedLenByteArray:
		size := c.TypeLength()
		return size, bigEndians(size), size > 0 && size <= 16
	}
	return 0, nil, false
}

func cut1(dst, src []byte, n int) {
	for i := range n {
		dst[i] = src[4*i]
	}
}

func cut2(dst, src []byte, n int) {
	for i := range n {
		dst[2*i], dst[2*i+1] = src[4*i], src[4*i+1]
	}
}

func putWide(dst []byte, v int64) {
	binary.LittleEndian.PutUint64(dst, uint64(v))
	binary.LittleEndian.PutUint64(dst[8:], uint64(v>>63))
}

func wide32(dst, src []byte, n int) {
	for i := range n {
		putWide(dst[16*i:], int64(int32(binary.LittleEndian.Uint32(src[4*i:]))))
	}
}

func wide64(dst, src []byte, n int) {
	for i := range n {
		putWide(dst[16*i:], int64(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

func bigEndians(size int) func(dst, src []byte, n int) {
	return func(dst, src []byte, n int) {
		for i := range n {
			v := src[size*i : size*(i+1)]
			sign := byte(int8(v[0]) >> 7)
			for j := range 16 {
				if j < size {
					dst[16*i+j] = v[size-1-j]
				} else {
					dst[16*i+j] = sign
				}
			}
		}
	}
}

// readable tells whether flatColumn knows all encodings of a chunk.
func readable(c *metadata.ColumnChunkMetaData) bool {
	for _, e := range c.Encodings() {
		switch e {
		case parquet.Encodings.Plain, parquet.Encodings.PlainDict, parquet.Encodings.RLEDict, parquet.Encodings.RLE, parquet.Encodings.BitPacked:
		default:
			return false
		}
	}
	return true
}

// next gives the next n rows.
func (c *flatColumn) next(n int) (arrow.Array, error) {
	b := batchOf(c.form, n, c.optional)
	for b.n < n {
		if c.left == 0 {
			if err := c.turn(); err != nil {
				return nil, err
			}
			continue
		}
		k := min(n-b.n, c.left)
		present := k
		if c.optional {
			var err error
			if present, err = c.levels.levels(b.valid, b.n, k); err != nil {
				return nil, err
			}
		}
		if err := c.take(b, k, present); err != nil {
			return nil, err
		}
		b.n += k
		b.nulls += k - present
		c.left -= k
	}
	return b.array()
}

var errPage = errors.New("malformed Parquet: a page that is shorter than it says")

// turn goes to the next data page.
func (c *flatColumn) turn() error {
	for c.pages.Next() {
		p := c.pages.Page()
		switch p := p.(type) {
		case *file.DictionaryPage:
			if err := c.open(p); err != nil {
				return err
			}
			continue
		case *file.DataPageV1:
			data := p.Data()
			if c.optional {
				var err error
				if data, err = c.definitions(p, data); err != nil {
					return err
				}
			}
			return c.begin(p, data)
		case *file.DataPageV2:
			repeated, defined := int(p.RepetitionLevelByteLen()), int(p.DefinitionLevelByteLen())
			data := p.Data()
			if repeated < 0 || defined < 0 || repeated > len(data) || defined > len(data)-repeated {
				return errPage
			}
			c.levels = newHybridReader(data[repeated:repeated+defined], 1)
			return c.begin(p, data[repeated+defined:])
		}
	}
	if err := c.pages.Err(); err != nil {
		return err
	}
	return errors.New("malformed Parquet: a column is too short")
}

// definitions reads the definition levels in front of a page's values.
func (c *flatColumn) definitions(p *file.DataPageV1, data []byte) ([]byte, error) {
	if p.DefinitionLevelEncoding() == parquet.Encodings.BitPacked {
		size := (int(p.NumValues()) + 7) / 8
		if size < 0 || size > len(data) {
			return nil, errPage
		}
		c.levels = bitPacked(data[:size], int(p.NumValues()))
		return data[size:], nil
	}
	if len(data) < 4 {
		return nil, errPage
	}
	size := binary.LittleEndian.Uint32(data)
	data = data[4:]
	if uint64(size) > uint64(len(data)) {
		return nil, errPage
	}
	c.levels = newHybridReader(data[:size], 1)
	return data[size:], nil
}

// begin begins a page's values.
func (c *flatColumn) begin(p file.Page, data []byte) error {
	c.left = max(0, int(p.NumValues()))
	c.plain, c.bit, c.coded = data, 0, false
	switch e := parquet.Encoding(p.Encoding()); e {
	case parquet.Encodings.Plain:
	case parquet.Encodings.PlainDict, parquet.Encodings.RLEDict:
		if c.dict == nil {
			return errors.New("malformed Parquet: indices without a dictionary")
		}
		width := 0
		if len(data) > 0 { // else no value is there
			width, data = int(data[0]), data[1:]
		}
		if width > maxWidth {
			return errHybrid
		}
		c.coded, c.codes = true, newHybridReader(data, width)
	case parquet.Encodings.RLE:
		if c.form.kind != ofBits || len(data) < 4 {
			return errPage
		}
		c.coded, c.codes = true, newHybridReader(data[4:], 1)
	default:
		return fmt.Errorf("malformed Parquet: a page in the encoding %s, which its column does not name", e)
	}
	return nil
}

// open takes the dictionary.
func (c *flatColumn) open(p *file.DictionaryPage) error {
	n, data := int(p.NumValues()), p.Data()
	switch c.form.kind {
	case ofFixed:
		if n < 0 || n > len(data)/c.form.plain {
			return errPage
		}
		c.dict = &dictionary{n: n, fixed: make([]byte, n*c.form.width)}
		c.form.values(c.dict.fixed, data, n)
		return nil
	case ofTexts:
		if n < 0 || n > len(data)/4 {
			return errPage
		}
		b := batchOf(c.form, n, false)
		if _, err := b.texts(data, n, n, n); err != nil {
			return err
		}
		b.n = n
		texts, err := b.array()
		if err != nil {
			return err
		}
		c.dict = &dictionary{n: n, texts: texts, ends: b.ends, bytes: b.bytes}
		return nil
	}
	return errors.New("malformed Parquet: a dictionary of booleans")
}

// values converts n plain values.
func (f *form) values(dst, src []byte, n int) {
	if f.convert != nil {
		f.convert(dst, src, n)
		return
	}
	copy(dst[:n*f.width], src)
}

// take adds k rows of the page to a batch, of which so many have a value.
func (c *flatColumn) take(b *batch, k, present int) error {
	if c.coded && c.form.kind != ofBits {
		if cap(c.scratch) < present {
			c.scratch = make([]int32, max(present, batchRows))
		}
		c.scratch = c.scratch[:present]
		if err := c.codes.read(c.scratch, c.dict.n); err != nil {
			return err
		}
	}
	switch {
	case c.form.kind == ofBits:
		return c.booleans(b, k, present)
	case c.form.kind == ofFixed:
		w := c.form.width
		dst := b.bytes[b.n*w:]
		if c.coded {
			gather(dst, c.dict.fixed, c.scratch, w)
		} else {
			if present > len(c.plain)/c.form.plain {
				return errPage
			}
			c.form.values(dst, c.plain, present)
			c.plain = c.plain[present*c.form.plain:]
		}
		if present < k {
			b.spread(dst, k, present, w)
		}
		return nil
	case c.coded && c.keep && (b.n == 0 || b.dict == c.dict):
		b.dict = c.dict
		b.indices(c.scratch, k)
		return nil
	}
	if err := b.expand(); err != nil {
		return err
	}
	if c.coded {
		return b.entries(c.dict, c.scratch, k)
	}
	rest, err := b.texts(c.plain, k, present, c.left)
	c.plain = rest
	return err
}

func (c *flatColumn) booleans(b *batch, k, present int) error {
	dense := b.bytes
	at := b.n
	if present < k {
		dense, at = make([]byte, (present+7)/8), 0
	}
	if c.coded {
		if _, err := c.codes.levels(dense, at, present); err != nil {
			return err
		}
	} else {
		if c.bit+present > 8*len(c.plain) {
			return errPage
		}
		bitutil.CopyBitmap(c.plain, c.bit, present, dense, at)
		c.bit += present
	}
	if present < k {
		next := 0
		for i := b.n; i < b.n+k; i++ {
			if bitutil.BitIsSet(b.valid, i) {
				bitutil.SetBitTo(b.bytes, i, bitutil.BitIsSet(dense, next))
				next++
			}
		}
	}
	return nil
}

// gather puts the dictionary's values into dst.
func gather(dst, dict []byte, codes []int32, width int) {
	switch width {
	case 4:
		d, v := arrow.Uint32Traits.CastFromBytes(dst), arrow.Uint32Traits.CastFromBytes(dict)
		for i, c := range codes {
			d[i] = v[c]
		}
	case 8:
		d, v := arrow.Uint64Traits.CastFromBytes(dst), arrow.Uint64Traits.CastFromBytes(dict)
		for i, c := range codes {
			d[i] = v[c]
		}
	default:
		for i, c := range codes {
			copy(dst[i*width:(i+1)*width], dict[int(c)*width:])
		}
	}
}

// batch gathers the rows of an array.
type batch struct {
	form  form
	n     int // rows so far
	nulls int
	valid []byte // bits, nil where every row has a value
	bytes []byte // values, or texts one behind the other
	ends  []int32
	codes []int32
	dict  *dictionary // of codes; nil for plain values
}

func batchOf(f form, n int, optional bool) *batch {
	b := &batch{form: f}
	if optional {
		b.valid = make([]byte, (n+7)/8)
	}
	switch f.kind {
	case ofFixed:
		b.bytes = make([]byte, n*f.width)
	case ofBits:
		b.bytes = make([]byte, (n+7)/8)
	case ofTexts:
		b.ends = make([]int32, 1, n+1)
	}
	return b
}

// spread moves k rows' values, which lie close together, to their rows.
func (b *batch) spread(dst []byte, k, present, w int) {
	from := present
	for i := k - 1; i >= 0; i-- {
		row := dst[i*w : (i+1)*w]
		if bitutil.BitIsSet(b.valid, b.n+i) {
			from--
			copy(row, dst[from*w:(from+1)*w])
		} else {
			clear(row)
		}
	}
}

// has tells whether the row i from the batch's end on has a value.
func (b *batch) has(i int) bool { return b.valid == nil || bitutil.BitIsSet(b.valid, b.n+i) }

// indices adds k rows as places in the dictionary.
func (b *batch) indices(codes []int32, k int) {
	if len(codes) == k {
		b.codes = append(b.codes, codes...)
		return
	}
	for i := range k {
		if b.has(i) {
			b.codes, codes = append(b.codes, codes[0]), codes[1:]
		} else {
			b.codes = append(b.codes, 0)
		}
	}
}

// expand turns indices so far into texts.
func (b *batch) expand() error {
	if b.dict == nil {
		return nil
	}
	dict, codes, n := b.dict, b.codes, b.n
	b.dict, b.codes, b.n = nil, nil, 0
	present := codes[:0]
	for i, c := range codes {
		if b.has(i) {
			present = append(present, c)
		}
	}
	err := b.entries(dict, present, n)
	b.n = n
	return err
}

// maxTexts bounds a batch's texts, whose ends are 32-bit numbers.
const maxTexts = math.MaxInt32 / 2

var errTexts = fmt.Errorf("the texts of %d rows take more than %d bytes", batchRows, maxTexts)

// entries adds k rows with the dictionary's texts.
func (b *batch) entries(dict *dictionary, codes []int32, k int) error {
	for i := range k {
		if b.has(i) {
			c := codes[0]
			codes = codes[1:]
			b.bytes = append(b.bytes, dict.bytes[dict.ends[c]:dict.ends[c+1]]...)
			if len(b.bytes) > maxTexts {
				return errTexts
			}
		}
		b.ends = append(b.ends, int32(len(b.bytes)))
	}
	return nil
}

// texts adds k of a page's last rows, plain texts, and gives what is behind them.
func (b *batch) texts(src []byte, k, present, last int) ([]byte, error) {
	if 4*present > len(src) {
		return nil, errPage
	}
	b.bytes = slices.Grow(b.bytes, (len(src)/max(1, last)+1)*k)
	for i := range k {
		if b.has(i) {
			if len(src) < 4 {
				return nil, errPage
			}
			size := binary.LittleEndian.Uint32(src)
			src = src[4:]
			if uint64(size) > uint64(len(src)) {
				return nil, errPage
			}
			b.bytes = append(b.bytes, src[:size]...)
			src = src[size:]
			if len(b.bytes) > maxTexts {
				return nil, errTexts
			}
		}
		b.ends = append(b.ends, int32(len(b.bytes)))
	}
	return src, nil
}

func (b *batch) array() (arrow.Array, error) {
	var valid *memory.Buffer
	if b.nulls > 0 {
		valid = memory.NewBufferBytes(b.valid)
	}
	if b.dict != nil {
		t := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: b.form.typ}
		d := array.NewDataWithDictionary(t, b.n, []*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(b.codes))}, b.nulls, 0, b.dict.texts.Data().(*array.Data))
		defer d.Release()
		return array.NewDictionaryData(d), nil
	}
	buffers := []*memory.Buffer{valid, memory.NewBufferBytes(b.bytes)}
	if b.form.kind == ofTexts {
		buffers = []*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(b.ends)), memory.NewBufferBytes(b.bytes)}
	}
	d := array.NewData(b.form.typ, b.n, buffers, nil, b.nulls, 0)
	defer d.Release()
	return array.MakeFromData(d), nil
}
