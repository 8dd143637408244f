//nolint:gosec // unsafe is the border to DuckDB's memory
package vector

import (
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	duckdb "github.com/duckdb/duckdb-go-bindings"
)

func destroyLogical(l *duckdb.LogicalType) { duckdb.DestroyLogicalType(l) }

// maxText bounds the text of one column in a batch: Arrow's offsets are 32 bits.
const maxText = 1 << 30

// Column collects the values of vectors of one type into an Arrow array.
type Column struct {
	typ   Type
	arrow arrow.DataType
	mem   memory.Allocator
	n     int
	nulls int
	valid buffer // bitmap
	vals  buffer // values, or offsets
	text  buffer
	kids  []*Column
}

// NewColumn makes an empty column; mem is where its arrays will lie.
func NewColumn(t Type, mem memory.Allocator) (*Column, error) {
	a, err := t.Arrow()
	if err != nil {
		return nil, err
	}
	c := &Column{typ: t, arrow: a, mem: mem}
	c.valid.mem, c.vals.mem, c.text.mem = mem, mem, mem
	var kids []Type
	switch t.ID {
	case duckdb.TypeList, duckdb.TypeArray:
		kids = []Type{*t.Elem}
	case duckdb.TypeMap:
		kids = []Type{{ID: duckdb.TypeStruct, Fields: []Field{{"key", *t.Key}, {"value", *t.Elem}}}}
	case duckdb.TypeStruct:
		for _, f := range t.Fields {
			if t.fieldless() {
				break
			}
			kids = append(kids, f.Type)
		}
	}
	for _, k := range kids {
		kc, err := NewColumn(k, mem)
		if err != nil {
			return nil, err
		}
		c.kids = append(c.kids, kc)
	}
	return c, nil
}

// Type is the Arrow type of the arrays.
func (c *Column) Type() arrow.DataType { return c.arrow }

// Len is the number of values collected.
func (c *Column) Len() int { return c.n }

// Bytes is about the memory in use.
func (c *Column) Bytes() int {
	n := c.valid.n + c.vals.n + c.text.n
	for _, k := range c.kids {
		n += k.Bytes()
	}
	return n
}

// Append copies rows from..from+n of v.
func (c *Column) Append(v Vec, from, n int) error {
	if n == 0 {
		return nil
	}
	if c.arrow.ID() == arrow.NULL {
		c.n += n
		c.nulls += n
		return nil
	}
	c.appendValid(&v, from, n)
	c.n += n
	switch c.typ.ID {
	case duckdb.TypeBoolean:
		c.appendBool(Data[byte](&v, from+n)[from:])
	case duckdb.TypeVarchar, duckdb.TypeBlob:
		return c.appendText(&v, from, n)
	case duckdb.TypeDecimal:
		c.appendDecimal(&v, from, n)
	case duckdb.TypeList, duckdb.TypeMap:
		return c.appendList(&v, from, n)
	case duckdb.TypeArray:
		return c.appendArray(&v, from, n)
	case duckdb.TypeStruct:
		for i, k := range c.kids {
			if err := k.Append(v.Child(i), from, n); err != nil {
				return err
			}
		}
	default:
		w := c.typ.width()
		copy(c.vals.grow(n*w), unsafe.Slice((*byte)(v.data), (from+n)*w)[from*w:])
	}
	return nil
}

// appendValid copies n bits of validity behind c.n of them.
func (c *Column) appendValid(v *Vec, from, n int) {
	if v.valid == nil && c.nulls == 0 && c.valid.n == 0 {
		return // no bitmap before the first NULL
	}
	if v.valid != nil && c.valid.n == 0 && allSet(v, from, n) {
		return
	}
	was := c.valid.n
	c.valid.grow((c.n+n+7)/8 - c.valid.n)
	if was == 0 {
		setBits(c.valid.b, 0, c.n)
	}
	if v.valid == nil {
		setBits(c.valid.b, c.n, n)
		return
	}
	b := c.valid.b
	for i := range n {
		if v.Null(from + i) {
			c.nulls++
		} else {
			b[(c.n+i)>>3] |= 1 << (uint(c.n+i) & 7)
		}
	}
}

func allSet(v *Vec, from, n int) bool {
	for i := from; i < from+n; {
		if i&63 == 0 && i+64 <= from+n {
			if ^*v.word(i) != 0 {
				return false
			}
			i += 64
			continue
		}
		if v.Null(i) {
			return false
		}
		i++
	}
	return true
}

func setBits(b []byte, from, n int) {
	for i := from; i < from+n; {
		if i&7 == 0 && i+8 <= from+n {
			b[i>>3] = 0xff
			i += 8
			continue
		}
		b[i>>3] |= 1 << (uint(i) & 7)
		i++
	}
}

func (c *Column) appendBool(v []byte) {
	at := c.n - len(v)
	c.vals.grow((c.n+7)/8 - c.vals.n)
	b := c.vals.b
	for i, x := range v {
		b[(at+i)>>3] |= (x & 1) << (uint(at+i) & 7)
	}
}

func (c *Column) offsets(n int) []int32 {
	if c.vals.n == 0 {
		c.vals.grow(4) // the first offset is 0
	}
	at := c.vals.n
	c.vals.grow(4 * n)
	return unsafe.Slice((*int32)(unsafe.Pointer(&c.vals.b[at-4])), n+1)
}

func (c *Column) appendText(v *Vec, from, n int) error {
	s := Data[Str](v, from+n)[from:]
	total := 0
	for i := range s {
		if !v.Null(from + i) {
			total += s[i].Len()
		}
	}
	off := c.offsets(n)
	if c.text.n+total > maxText {
		return fmt.Errorf("%w: more than %d bytes of text in one batch of a column", ErrType, maxText)
	}
	buf := c.text.grow(total)
	at := int(off[0])
	base := at
	for i := range s {
		if !v.Null(from + i) {
			at += copy(buf[at-base:], s[i].Bytes())
		}
		off[i+1] = int32(at)
	}
	return nil
}

func (c *Column) appendDecimal(v *Vec, from, n int) {
	out := c.vals.grow(16 * n)
	if c.typ.Precision > 18 {
		copy(out, unsafe.Slice((*byte)(v.data), (from+n)*16)[from*16:])
		return
	}
	d := unsafe.Slice((*decimal128.Num)(unsafe.Pointer(&out[0])), n)
	switch c.typ.width() {
	case 2:
		for i, x := range Data[int16](v, from+n)[from:] {
			d[i] = decimal128.FromI64(int64(x))
		}
	case 4:
		for i, x := range Data[int32](v, from+n)[from:] {
			d[i] = decimal128.FromI64(int64(x))
		}
	default:
		for i, x := range Data[int64](v, from+n)[from:] {
			d[i] = decimal128.FromI64(x)
		}
	}
}

// appendList copies runs of neighbouring entries with one call each.
func (c *Column) appendList(v *Vec, from, n int) error {
	e := Data[Entry](v, from+n)[from:]
	child := v.Elem()
	off := c.offsets(n)
	start, end := -1, 0
	flush := func() error {
		if start < 0 {
			return nil
		}
		err := c.kids[0].Append(child, start, end-start)
		start = -1
		return err
	}
	at := off[0]
	for i := range e {
		if l := int(e[i].Length); l > 0 && !v.Null(from+i) {
			if o := int(e[i].Offset); start < 0 || o != end {
				if err := flush(); err != nil {
					return err
				}
				start, end = o, o+l
			} else {
				end += l
			}
			at += int32(l)
		}
		off[i+1] = at
	}
	return flush()
}

func (c *Column) appendArray(v *Vec, from, n int) error {
	off := c.offsets(n)
	for i := range n {
		off[i+1] = off[i] + int32(c.typ.Size)
	}
	return c.kids[0].Append(v.Array(), from*c.typ.Size, n*c.typ.Size)
}

// Finish gives the array of what was collected and starts anew. The array is
// the caller's to Release.
func (c *Column) Finish() arrow.Array {
	d := c.finish()
	defer d.Release()
	return array.MakeFromData(d)
}

func (c *Column) finish() arrow.ArrayData {
	n, nulls := c.n, c.nulls
	c.n, c.nulls = 0, 0
	if c.arrow.ID() == arrow.NULL {
		return array.NewData(c.arrow, n, []*memory.Buffer{nil}, nil, n, 0)
	}
	bufs := []*memory.Buffer{c.valid.finish()}
	switch c.typ.ID {
	case duckdb.TypeVarchar, duckdb.TypeBlob:
		if c.vals.n == 0 {
			c.vals.grow(4)
		}
		bufs = append(bufs, c.vals.finish(), c.text.finish())
	case duckdb.TypeList, duckdb.TypeMap, duckdb.TypeArray:
		if c.vals.n == 0 {
			c.vals.grow(4)
		}
		bufs = append(bufs, c.vals.finish())
	case duckdb.TypeStruct:
	default:
		bufs = append(bufs, c.vals.finish())
	}
	var kids []arrow.ArrayData
	for _, k := range c.kids {
		kids = append(kids, k.finish())
	}
	d := array.NewData(c.arrow, n, bufs, kids, nulls, 0)
	for _, b := range bufs {
		if b != nil {
			b.Release()
		}
	}
	for _, k := range kids {
		k.Release()
	}
	return d
}

// Drop frees what was collected.
func (c *Column) Drop() {
	c.finish().Release()
}

// buffer is a growing piece of the allocator's memory; new bytes are zero.
type buffer struct {
	mem  memory.Allocator
	b    []byte // len = what was allocated
	n    int
	last int // what the array before took: the next one is likely as large
}

// grow adds n zero bytes and gives them.
func (b *buffer) grow(n int) []byte {
	if b.n+n > len(b.b) {
		size := size(b.n + n)
		if b.b == nil {
			b.b = b.mem.Allocate(max(size, b.last)) // zero, as allocators give it
		} else {
			old := len(b.b)
			b.b = b.mem.Reallocate(size, b.b)
			clear(b.b[old:])
		}
	}
	b.n += n
	return b.b[b.n-n : b.n]
}

func (b *buffer) finish() *memory.Buffer {
	if b.b == nil {
		return nil
	}
	out := memory.NewBufferWithAllocator(b.b, b.mem)
	out.ResizeNoShrink(b.n)
	b.b, b.n, b.last = nil, 0, size(b.n)
	return out
}

// size is what holds n bytes.
func size(n int) int { return max(1<<bits.Len(uint(n-1)), 64) }
