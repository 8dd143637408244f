//nolint:gosec // unsafe is the border to DuckDB's memory
package vector

import (
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// ErrNoMemory says that DuckDB could not grow a vector.
var ErrNoMemory = errors.New("no memory for a list vector")

// Write copies rows from..from+n of a into rows 0..n of v, a vector of type t
// that DuckDB has just made (no row NULL yet). t is FromArrow(a.DataType()).
// Text that is not UTF-8 gets U+FFFD in place of its wrong bytes, since DuckDB
// trusts its strings.
func Write(v *Vec, t *Type, a arrow.Array, from, n int) error {
	return writeAt(v, 0, t, a, from, n)
}

// writeAt is Write to rows at..at+n.
func writeAt(v *Vec, at int, t *Type, a arrow.Array, from, n int) error {
	if n == 0 {
		return nil
	}
	if a.DataType().ID() == arrow.NULL {
		nullRows(v, t, at, n)
		return nil
	}
	writeNulls(v, at, a, from, n)
	switch a := a.(type) {
	case *array.Boolean:
		out := Data[bool](v, at+n)[at:]
		for i := range out {
			out[i] = a.Value(from + i)
		}
	case *array.String:
		return writeText(v, at, a.ValueBytes(), a.ValueOffsets(), from, n, true)
	case *array.Binary:
		return writeText(v, at, a.ValueBytes(), a.ValueOffsets(), from, n, false)
	case *array.LargeString:
		return writeText(v, at, a.ValueBytes(), a.ValueOffsets(), from, n, true)
	case *array.LargeBinary:
		return writeText(v, at, a.ValueBytes(), a.ValueOffsets(), from, n, false)
	case *array.Decimal128:
		writeDecimal(v, at, t, a.Values()[from:from+n])
	case *array.MonthDayNanoInterval:
		out := Data[cast.Calendar](v, at+n)[at:]
		for i := range out {
			x := a.Value(from + i)
			out[i] = cast.Calendar{Months: x.Months, Days: x.Days, Micros: x.Nanoseconds / 1000}
		}
	case *array.Timestamp:
		return writeTime(v, at, a, from, n)
	case *array.Struct:
		return writeStruct(v, at, t, a, from, n)
	case *array.Map:
		kids := Type{ID: duckdb.TypeStruct, Fields: []Field{{"key", *t.Key}, {"value", *t.Elem}}}
		return writeList(v, at, &kids, a, a.ListValues(), from, n)
	case *array.List:
		return writeList(v, at, t.Elem, a, a.ListValues(), from, n)
	default:
		w := t.width()
		b := a.Data().Buffers()
		if len(b) != 2 || b[1] == nil || w == 0 {
			return fmt.Errorf("%w: Arrow %s", ErrType, a.DataType())
		}
		lo := (a.Data().Offset() + from) * w
		copy(unsafe.Slice((*byte)(v.data), (at+n)*w)[at*w:], b[1].Bytes()[lo:lo+n*w])
	}
	return nil
}

func writeNulls(v *Vec, at int, a arrow.Array, from, n int) {
	if a.NullN() == 0 {
		return
	}
	for i := range n {
		if a.IsNull(from + i) {
			v.SetNull(at + i)
		}
	}
}

// nullRows makes rows NULL, in the fields of a STRUCT too.
func nullRows(v *Vec, t *Type, at, n int) {
	for i := at; i < at+n; i++ {
		v.SetNull(i)
	}
	switch t.ID {
	case duckdb.TypeStruct:
		for i := range t.Fields {
			c := v.Child(i)
			nullRows(&c, &t.Fields[i].Type, at, n)
		}
	case duckdb.TypeList, duckdb.TypeMap:
		clear(Data[Entry](v, at+n)[at:])
	case duckdb.TypeVarchar, duckdb.TypeBlob:
		clear(Data[Str](v, at+n)[at:])
	}
}

var scratch = sync.Pool{New: func() any { return new([]byte) }}

func writeText[O int32 | int64](v *Vec, at int, text []byte, off []O, from, n int, utf bool) error {
	// Values and offsets of a slice: offsets are absolute, ValueBytes begins
	// at the slice's first one.
	base := off[0]
	off = off[from : from+n+1]
	lo, hi := int(off[0]-base), int(off[n]-base)
	all := text[lo:hi]
	if utf && !utf8.Valid(all) {
		return writeInvalid(v, at, text, off, base, n)
	}
	out := Data[Str](v, at+n)[at:]
	var heap uintptr
	if len(all) > inline {
		heap = v.Heap(all)
	}
	pos := 0
	for i := range out {
		l := int(off[i+1] - off[i])
		out[i] = MakeStr(all[pos:pos+l], heap+uintptr(pos))
		pos += l
	}
	return nil
}

// writeInvalid is the slow path for text with wrong bytes.
func writeInvalid[O int32 | int64](v *Vec, at int, text []byte, off []O, base O, n int) error {
	p := scratch.Get().(*[]byte)
	defer scratch.Put(p)
	buf := (*p)[:0]
	out := Data[Str](v, at+n)[at:]
	for i := range out {
		start := len(buf)
		t := text[off[i]-base : off[i+1]-base]
		buf = cast.AppendUTF8(buf, t)
		out[i] = MakeStr(buf[start:], uintptr(start))
	}
	if len(buf) > inline {
		heap := v.Heap(buf)
		for i := range out {
			out[i].Rebase(heap)
		}
	}
	*p = buf
	return nil
}

func writeDecimal(v *Vec, at int, t *Type, d []decimal128.Num) {
	n := at + len(d)
	switch t.width() {
	case 2:
		out := Data[int16](v, n)[at:]
		for i := range d {
			out[i] = int16(d[i].LowBits())
		}
	case 4:
		out := Data[int32](v, n)[at:]
		for i := range d {
			out[i] = int32(d[i].LowBits())
		}
	case 8:
		out := Data[int64](v, n)[at:]
		for i := range d {
			out[i] = int64(d[i].LowBits())
		}
	default:
		copy(Data[decimal128.Num](v, n)[at:], d)
	}
}

// writeTime brings timestamps of any unit to microseconds.
func writeTime(v *Vec, at int, a *array.Timestamp, from, n int) error {
	src := a.Values()[from : from+n]
	out := Data[arrow.Timestamp](v, at+n)[at:]
	switch a.DataType().(*arrow.TimestampType).Unit {
	case arrow.Microsecond:
		copy(out, src)
	case arrow.Nanosecond:
		for i, x := range src {
			q := x / 1000
			if x%1000 < 0 {
				q--
			}
			out[i] = q
		}
	case arrow.Millisecond:
		return scale(out, src, a, from, 1000)
	default:
		return scale(out, src, a, from, 1_000_000)
	}
	return nil
}

func scale(out, src []arrow.Timestamp, a arrow.Array, from int, by arrow.Timestamp) error {
	for i, x := range src {
		out[i] = x * by
		if out[i]/by != x && a.IsValid(from+i) {
			return fmt.Errorf("%w: timestamp %d is out of range in microseconds", ErrType, x)
		}
	}
	return nil
}

func writeStruct(v *Vec, at int, t *Type, a *array.Struct, from, n int) error {
	nulls := a.NullN() > 0
	for i := range t.Fields {
		c := v.Child(i)
		if t.fieldless() {
			for r := range n {
				c.SetNull(at + r)
			}
			break
		}
		// Field knows nothing of the slice that Struct is: its arrays are cut
		// to it by arrow-go.
		f := a.Field(i)
		if err := writeAt(&c, at, &t.Fields[i].Type, f, from, n); err != nil {
			return err
		}
		if !nulls {
			continue
		}
		for r := range n {
			if a.IsNull(from + r) {
				c.SetNull(at + r)
			}
		}
	}
	return nil
}

type listLike interface {
	arrow.Array
	ValueOffsets(i int) (start, end int64)
}

// writeList appends the elements of the rows behind those that the child has.
func writeList(v *Vec, at int, elem *Type, a listLike, values arrow.Array, from, n int) error {
	first, _ := a.ValueOffsets(from)
	_, last := a.ValueOffsets(from + n - 1)
	have := v.ListSize()
	total := int(last - first)
	if total > 0 && !v.Grow(have+total) {
		return ErrNoMemory
	}
	out := Data[Entry](v, at+n)[at:]
	for i := range out {
		lo, hi := a.ValueOffsets(from + i)
		out[i] = Entry{Offset: uint64(have) + uint64(lo-first), Length: uint64(hi - lo)}
	}
	if total == 0 {
		return nil
	}
	c := v.Elem()
	return writeAt(&c, have, elem, values, int(first), total)
}
