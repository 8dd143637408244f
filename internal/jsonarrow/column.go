package jsonarrow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// ErrType says that a type of the schema cannot be read from JSON.
var ErrType = errors.New("jsonarrow: type cannot be read from JSON")

// column collects the values of one field. It can be cut back to a row.
type column struct {
	typ   arrow.DataType
	id    arrow.Type
	n     int
	nulls int
	width int    // bytes of a value; 0: none or bits
	valid buffer // bitmap
	vals  buffer // values or offsets
	text  buffer
	kids  []*column
	names []string
	index map[string]int
	hint  int // field that likely comes next
	prec  int // of a decimal
	// logical is the name of a Logical type; interval says what kind one is.
	logical  string
	interval cast.Interval
	scale    int
}

// newColumn refuses what from_json has no answer for.
func newColumn(t arrow.DataType, mem memory.Allocator) (*column, error) {
	c := &column{}
	if l, ok := t.(*Logical); ok {
		c.logical, t = l.Spark, l.Storage
		c.interval, _ = cast.ParseIntervalType(l.Spark)
	}
	c.typ, c.id = Physical(t), t.ID()
	c.valid.mem, c.vals.mem, c.text.mem = mem, mem, mem
	var kids []arrow.Field
	switch t := t.(type) {
	case *arrow.BooleanType, *arrow.NullType:
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type, *arrow.Float32Type, *arrow.Float64Type, *arrow.Date32Type:
		c.width = t.(arrow.FixedWidthDataType).Bytes()
	case *arrow.TimestampType:
		c.width = 8
		if t.Unit != arrow.Microsecond {
			return nil, fmt.Errorf("%w: %s", ErrType, t)
		}
	case *arrow.MonthDayNanoIntervalType:
		c.width = 16
	case *arrow.Decimal128Type:
		c.width, c.prec, c.scale = 16, int(t.Precision), int(t.Scale)
	case *arrow.StringType, *arrow.BinaryType:
		c.width = 4
	case *arrow.MapType:
		if t.KeyType().ID() != arrow.STRING {
			return nil, fmt.Errorf("%w: keys of a map must be strings", ErrType)
		}
		c.width = 4
		kids = []arrow.Field{{Name: "entries", Type: t.Elem()}}
	case *arrow.ListType:
		c.width = 4
		kids = []arrow.Field{t.ElemField()}
	case *arrow.StructType:
		kids = t.Fields()
	default:
		return nil, fmt.Errorf("%w: %s", ErrType, t)
	}
	for _, f := range kids {
		k, err := newColumn(f.Type, mem)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		c.kids, c.names = append(c.kids, k), append(c.names, f.Name)
	}
	if c.id == arrow.STRUCT {
		c.index = make(map[string]int, len(c.names))
		for i, n := range c.names {
			if first, twice := c.index[n]; twice { // the last of two takes the values
				c.names[first] = "\x00"
			}
			c.index[n] = i
		}
	}
	return c, nil
}

// offsets tells a column whose vals are offsets.
func (c *column) offsets() bool {
	switch c.id {
	case arrow.STRING, arrow.BINARY, arrow.LIST, arrow.MAP:
		return true
	}
	return false
}

// end marks one more row as valid or NULL, after its value was written.
func (c *column) end(valid bool) {
	i := c.n
	if i>>3 >= c.valid.n {
		c.valid.grow(1)[0] = 0
	}
	m := byte(1) << (uint(i) & 7)
	if valid {
		c.valid.b[i>>3] |= m
	} else {
		c.valid.b[i>>3] &^= m
		c.nulls++
	}
	c.n++
}

func (c *column) put64(v uint64) {
	binary.LittleEndian.PutUint64(c.vals.grow(8), v)
	c.end(true)
}

func (c *column) put32(v uint32) {
	binary.LittleEndian.PutUint32(c.vals.grow(4), v)
	c.end(true)
}

func (c *column) putBool(v bool) {
	if c.n>>3 >= c.vals.n {
		c.vals.grow(1)[0] = 0
	}
	m := byte(1) << (uint(c.n) & 7)
	c.vals.b[c.n>>3] &^= m
	if v {
		c.vals.b[c.n>>3] |= m
	}
	c.end(true)
}

// putOffset ends a text or list at its child's length.
func (c *column) putOffset(end int, valid bool) {
	if c.vals.n == 0 {
		binary.LittleEndian.PutUint32(c.vals.grow(4), 0)
	}
	binary.LittleEndian.PutUint32(c.vals.grow(4), uint32(end))
	c.end(valid)
}

func (c *column) putText(t []byte) {
	copy(c.text.grow(len(t)), t)
	c.putOffset(c.text.n, true)
}

// putNull adds a NULL row, NULL in every field of a struct.
func (c *column) putNull() {
	switch {
	case c.id == arrow.STRUCT:
		for _, k := range c.kids {
			k.putNull()
		}
		c.end(false)
	case c.id == arrow.BOOL:
		c.putBool(false)
		c.n--
		c.end(false)
	case c.offsets():
		end := c.text.n
		if len(c.kids) > 0 {
			end = c.kids[0].n
		}
		c.putOffset(end, false)
	default:
		clear(c.vals.grow(c.width))
		c.end(false)
	}
}

// cut takes rows back until n are left, and whatever an unfinished row wrote.
func (c *column) cut(n int) {
	for i := n; i < c.n; i++ {
		if c.valid.b[i>>3]>>(uint(i)&7)&1 == 0 {
			c.nulls--
		}
	}
	c.n = n
	c.valid.n = (n + 7) / 8
	switch {
	case c.id == arrow.STRUCT:
		for _, k := range c.kids {
			k.cut(n)
		}
	case c.id == arrow.BOOL:
		c.vals.n = (n + 7) / 8
	case c.offsets():
		end := 0
		if c.vals.n > 0 {
			c.vals.n = 4 * (n + 1)
			end = int(binary.LittleEndian.Uint32(c.vals.b[4*n:]))
		}
		c.text.n = end
		if len(c.kids) > 0 {
			c.text.n = 0
			c.kids[0].cut(end)
		}
	default:
		c.vals.n = n * c.width
	}
}

// finish gives the array data of the rows and starts anew.
func (c *column) finish() arrow.ArrayData {
	if c.offsets() && c.vals.n == 0 {
		binary.LittleEndian.PutUint32(c.vals.grow(4), 0)
	}
	valid := c.valid.finish()
	if c.nulls == 0 && valid != nil {
		valid.Release()
		valid = nil
	}
	bufs := []*memory.Buffer{valid}
	if c.id != arrow.STRUCT {
		bufs = append(bufs, c.vals.finish())
	}
	if c.id == arrow.STRING || c.id == arrow.BINARY {
		bufs = append(bufs, c.text.finish())
	}
	kids := make([]arrow.ArrayData, len(c.kids))
	for i, k := range c.kids {
		kids[i] = k.finish()
	}
	d := array.NewData(c.typ, c.n, bufs, kids, c.nulls, 0)
	for _, b := range bufs {
		if b != nil {
			b.Release()
		}
	}
	for _, k := range kids {
		k.Release()
	}
	c.n, c.nulls = 0, 0
	return d
}

func (c *column) bytes() int {
	n := c.valid.n + c.vals.n + c.text.n
	for _, k := range c.kids {
		n += k.bytes()
	}
	return n
}

// buffer is a growing piece of the allocator's memory.
type buffer struct {
	mem  memory.Allocator
	b    []byte
	n    int
	last int // what the array before took: the next one is likely as large
}

// grow adds n bytes, whatever they hold, and gives them.
func (b *buffer) grow(n int) []byte {
	if b.n+n > len(b.b) {
		b.more(n)
	}
	b.n += n
	return b.b[b.n-n : b.n]
}

func (b *buffer) more(n int) {
	size := size(b.n + n)
	if b.b == nil {
		b.b = b.mem.Allocate(max(size, b.last))
		return
	}
	b.b = b.mem.Reallocate(size, b.b)
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
