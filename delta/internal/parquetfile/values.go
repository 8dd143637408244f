package parquetfile

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// values gathers the values of a column that are there, without the levels,
// page by page: as they are, or as indices of a dictionary. A dictionary is
// tried in each row group, given up after the first page where few values
// repeat, and left as it is once it is large.
type values interface {
	// begin begins a row group; free gives the memory back, after the last one.
	begin()
	free()
	// add takes n rows of a from one on.
	add(a arrow.Array, from, n int)
	// size is about how many bytes the page's values take.
	size() int
	// page gives the page's content, its levels first, and begins the next page.
	// It is appended to scratch, which may grow, or in memory that is good until
	// the next add.
	page(scratch *[]byte, levels []byte) []byte
	// bounds are the row group's least and greatest value, plainly encoded; nil
	// where there are none.
	bounds() (least, greatest []byte)

	// indexed tells whether values become indices.
	indexed() bool
	// entries is how many the dictionary has; appendEntries appends them,
	// plainly encoded.
	entries() int
	appendEntries(dst []byte) []byte
	// full tells that the dictionary has grown to its bound; freeze leaves it so.
	full() bool
	freeze()
	// pays tells whether the page is smaller with the dictionary than without;
	// drop does without it.
	pays() bool
	drop()
}

// maxDictionary bounds a dictionary's bytes, maxPage about those of a page: it
// is in memory twice, for each column. maxPageRows bounds a page's rows.
const (
	maxDictionary = 256 << 10
	maxPage       = 256 << 10
	maxPageRows   = 64 << 10
)

// hole is room before plain values for the levels of a page without nulls.
const hole = 16

// behind puts levels before plain values that have a hole in front.
func behind(scratch *[]byte, levels, raw []byte) []byte {
	if at := hole - len(levels); at >= 0 {
		copy(raw[at:], levels)
		return raw[at:]
	}
	*scratch = append(append(*scratch, levels...), raw[hole:]...)
	return *scratch
}

// indices are a page's values as places in a dictionary.
type indices struct {
	trying bool // values become indices
	list   []uint32
}

func (x *indices) indexed() bool { return x.trying }
func (x *indices) freeze()       { x.trying = false }

// page has the indices of a dictionary of n entries.
func (x *indices) page(scratch *[]byte, levels []byte, n int) []byte {
	width := widthOf(n)
	*scratch = appendHybrid(append(append(*scratch, levels...), byte(width)), x.list, width)
	x.list = x.list[:0]
	return *scratch
}

// pays tells whether a dictionary of n entries in so many bytes is worth it
// for values that take others plainly.
func (x *indices) pays(n, bytes, plainly int) bool {
	return 2*n <= len(x.list) && bytes+len(x.list)*widthOf(n)/8 < plainly
}

// fixed are values of a fixed width: integers, dates, timestamps, and the bits
// of floating-point numbers.
type fixed[T int32 | int64] struct {
	indices
	pool     *sync.Pool
	window   func(a arrow.Array, from, n int, scratch *[]T) []T
	bytes    func([]T) []byte // the values' memory
	ordered  bool             // has bounds
	seen     bool
	lo, hi   T
	dict     numbers[T]
	raw      []byte // plain values behind a hole
	scratch  []T
	gathered []T
}

func newFixed[T int32 | int64](pool *sync.Pool, window func(arrow.Array, int, int, *[]T) []T, ordered bool) *fixed[T] {
	f, _ := pool.Get().(*fixed[T])
	f.pool, f.window, f.ordered = pool, window, ordered
	return f
}

func (f *fixed[T]) free() { f.pool.Put(f) }

func (f *fixed[T]) begin() {
	f.seen, f.trying = false, true
	f.list, f.raw = f.list[:0], append(f.raw[:0], make([]byte, hole)...)
	f.dict.reset()
}

func (f *fixed[T]) add(a arrow.Array, from, n int) {
	vals := f.window(a, from, n, &f.scratch)
	if a.NullN() > 0 {
		f.gathered = f.gathered[:0]
		for i, v := range vals {
			if a.IsValid(from + i) {
				f.gathered = append(f.gathered, v)
			}
		}
		vals = f.gathered
	}
	if !f.trying {
		f.raw = append(f.raw, f.bytes(vals)...)
		f.bound(vals)
		return
	}
	known := len(f.dict.keys)
	out := slices.Grow(f.list, len(vals))
	for _, v := range vals {
		out = append(out, f.dict.index(v))
	}
	f.list = out
	f.bound(f.dict.keys[known:])
}

func (f *fixed[T]) bound(vals []T) {
	if !f.ordered || len(vals) == 0 {
		return
	}
	if !f.seen {
		f.lo, f.hi, f.seen = vals[0], vals[0], true
	}
	lo, hi := f.lo, f.hi
	for _, v := range vals {
		lo, hi = min(lo, v), max(hi, v)
	}
	f.lo, f.hi = lo, hi
}

func (f *fixed[T]) bounds() (least, greatest []byte) {
	if !f.seen {
		return nil, nil
	}
	return slices.Clone(f.bytes([]T{f.lo})), slices.Clone(f.bytes([]T{f.hi}))
}

func (f *fixed[T]) size() int {
	if f.trying {
		return len(f.list) * widthOf(f.entries()) / 8
	}
	return len(f.raw) - hole
}

func (f *fixed[T]) page(scratch *[]byte, levels []byte) []byte {
	if f.trying {
		return f.indices.page(scratch, levels, f.entries())
	}
	content := behind(scratch, levels, f.raw)
	f.raw = f.raw[:hole]
	return content
}

func (f *fixed[T]) entries() int                    { return len(f.dict.keys) }
func (f *fixed[T]) appendEntries(dst []byte) []byte { return append(dst, f.bytes(f.dict.keys)...) }
func (f *fixed[T]) full() bool                      { return len(f.bytes(f.dict.keys)) > maxDictionary }

func (f *fixed[T]) pays() bool {
	one := len(f.bytes(make([]T, 1)))
	return f.indices.pays(f.entries(), one*f.entries(), one*len(f.list))
}

func (f *fixed[T]) drop() {
	one := len(f.bytes(make([]T, 1)))
	f.raw = slices.Grow(f.raw, one*len(f.list))
	for _, i := range f.list {
		f.raw = append(f.raw, f.bytes(f.dict.keys[i:i+1])...)
	}
	f.list, f.dict.keys, f.trying = f.list[:0], f.dict.keys[:0], false
}

// wide gives the memory of an array of 64-bit values, narrow that of one of 32
// bits.
func wide(a arrow.Array, from, n int, _ *[]int64) []int64 {
	return arrow.Int64Traits.CastFromBytes(memoryOf(a, 8))[a.Data().Offset()+from:][:n]
}

func narrow(a arrow.Array, from, n int, _ *[]int32) []int32 {
	return arrow.Int32Traits.CastFromBytes(memoryOf(a, 4))[a.Data().Offset()+from:][:n]
}

// memoryOf is the values' buffer of an array; one of nulls may have none.
func memoryOf(a arrow.Array, width int) []byte {
	if b := a.Data().Buffers()[1]; b != nil {
		return b.Bytes()
	}
	return make([]byte, width*(a.Data().Offset()+a.Len()))
}

// widened are 8 and 16-bit integers as Parquet has them.
func widened(a arrow.Array, from, n int, scratch *[]int32) []int32 {
	out := (*scratch)[:0]
	switch a := a.(type) {
	case *array.Int8:
		for _, v := range a.Int8Values()[from : from+n] {
			out = append(out, int32(v))
		}
	case *array.Int16:
		for _, v := range a.Int16Values()[from : from+n] {
			out = append(out, int32(v))
		}
	}
	*scratch = out
	return out
}

// strs are texts and binaries, whose plain form begins with their length, and
// decimals, which all have the same length.
type strs struct {
	indices
	decimal int // bytes of a decimal, 0 for the others
	seen    bool
	lo, hi  []byte
	dict    phrases
	raw     []byte // plain values behind a hole
	count   int    // bytes of the page's values where they are indices
	given   translation
}

func newStrs(decimal int) *strs {
	s, _ := texts.Get().(*strs)
	s.decimal = decimal
	return s
}

func (s *strs) free() {
	s.given.forget()
	texts.Put(s)
}

func (s *strs) begin() {
	s.seen, s.trying, s.count = false, true, 0
	s.list, s.raw = s.list[:0], append(s.raw[:0], make([]byte, hole)...)
	s.dict.reset()
	s.given.forget()
}

func (s *strs) add(a arrow.Array, from, n int) {
	nulls := a.NullN() > 0
	if d, ok := a.(*array.Dictionary); ok {
		s.addIndices(d, from, n)
		return
	}
	if d, ok := a.(*array.Decimal128); ok {
		var b [16]byte
		for i, v := range d.Values()[from : from+n] {
			if !nulls || a.IsValid(from+i) {
				s.take(bigEndian(&b, v)[16-s.decimal:])
			}
		}
		return
	}
	buffers := a.Data().Buffers()
	ends := arrow.Int32Traits.CastFromBytes(buffers[1].Bytes())[a.Data().Offset()+from:]
	var data []byte
	if buffers[2] != nil {
		data = buffers[2].Bytes()
	}
	for i := range n {
		if !nulls || a.IsValid(from+i) {
			s.take(data[ends[i]:ends[i+1]])
		}
	}
}

func bigEndian(b *[16]byte, v decimal128.Num) []byte {
	binary.BigEndian.PutUint64(b[:8], uint64(v.HighBits()))
	binary.BigEndian.PutUint64(b[8:], v.LowBits())
	return b[:]
}

func (s *strs) take(v []byte) {
	if !s.trying {
		s.raw = s.appendPlain(s.raw, v)
		s.bound(v)
		return
	}
	i, fresh := s.dict.index(v)
	s.list = append(s.list, i)
	s.count += len(v)
	if fresh {
		s.bound(v)
	}
}

func (s *strs) appendPlain(dst, v []byte) []byte {
	if s.decimal == 0 {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(v)))
	}
	return append(dst, v...)
}

func (s *strs) bound(v []byte) {
	if !s.seen {
		s.lo, s.hi, s.seen = append(s.lo[:0], v...), append(s.hi[:0], v...), true
		return
	}
	if s.compare(v, s.lo) < 0 {
		s.lo = append(s.lo[:0], v...)
	} else if s.compare(v, s.hi) > 0 {
		s.hi = append(s.hi[:0], v...)
	}
}

// compare orders texts by their bytes, decimals by their value.
func (s *strs) compare(v, w []byte) int {
	if s.decimal > 0 && (v[0]^w[0])&0x80 != 0 {
		return int(w[0]>>7) - int(v[0]>>7)
	}
	return bytes.Compare(v, w)
}

func (s *strs) bounds() (least, greatest []byte) {
	if !s.seen {
		return nil, nil
	}
	return slices.Clone(s.lo), slices.Clone(s.hi)
}

func (s *strs) size() int {
	if s.trying {
		return len(s.list) * widthOf(s.entries()) / 8
	}
	return len(s.raw) - hole
}

func (s *strs) page(scratch *[]byte, levels []byte) []byte {
	if s.trying {
		s.count = 0
		return s.indices.page(scratch, levels, s.entries())
	}
	content := behind(scratch, levels, s.raw)
	s.raw = s.raw[:hole]
	return content
}

func (s *strs) entries() int { return len(s.dict.ends) }

func (s *strs) appendEntries(dst []byte) []byte {
	for i := range s.dict.ends {
		dst = s.appendPlain(dst, s.dict.entry(i))
	}
	return dst
}

func (s *strs) full() bool { return len(s.dict.data)+4*len(s.dict.ends) > maxDictionary }

func (s *strs) pays() bool {
	length := 4
	if s.decimal > 0 {
		length = 0
	}
	return s.indices.pays(s.entries(), len(s.dict.data)+length*s.entries(), s.count+length*len(s.list))
}

func (s *strs) drop() {
	for _, i := range s.list {
		s.raw = s.appendPlain(s.raw, s.dict.entry(int(i)))
	}
	s.list, s.trying, s.count = s.list[:0], false, 0
	s.given.forget()
	s.dict.data, s.dict.ends = s.dict.data[:0], s.dict.ends[:0]
}

// booleans are bits.
type booleans struct {
	raw         []byte
	n           int
	some, every bool // some value is true; every one is
	seen        bool
}

func (b *booleans) free() {}

func (b *booleans) begin() { b.seen, b.some, b.every = false, false, true }

func (b *booleans) add(a arrow.Array, from, n int) {
	vals, ok := a.(*array.Boolean)
	if !ok {
		return
	}
	for need := bitutil.BytesForBits(int64(b.n + n)); int64(len(b.raw)) < need; {
		b.raw = append(b.raw, 0)
	}
	for i := from; i < from+n; i++ {
		if vals.IsNull(i) {
			continue
		}
		v := vals.Value(i)
		if v {
			b.raw[b.n>>3] |= 1 << (b.n & 7)
		}
		b.n++
		b.seen, b.some, b.every = true, b.some || v, b.every && v
	}
}

func (b *booleans) size() int { return b.n / 8 }

func (b *booleans) page(scratch *[]byte, levels []byte) []byte {
	*scratch = append(append(*scratch, levels...), b.raw[:bitutil.BytesForBits(int64(b.n))]...)
	b.raw, b.n = b.raw[:0], 0
	return *scratch
}

func (b *booleans) bounds() (least, greatest []byte) {
	if !b.seen {
		return nil, nil
	}
	bit := map[bool]byte{true: 1}
	return []byte{bit[b.every]}, []byte{bit[b.some]}
}

func (b *booleans) indexed() bool                   { return false }
func (b *booleans) entries() int                    { return 0 }
func (b *booleans) appendEntries(dst []byte) []byte { return dst }
func (b *booleans) full() bool                      { return false }
func (b *booleans) freeze()                         {}
func (b *booleans) pays() bool                      { return false }
func (b *booleans) drop()                           {}
