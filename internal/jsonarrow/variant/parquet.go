package variant

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"slices"
)

// Opaque is a scalar that Spark has no type for, as the Parquet format names and
// holds it: UUIDs, times of day and instants in nanoseconds. It is only passed on.
type Opaque struct {
	Type byte
	Data []byte
}

// Types of scalars in the Parquet format (apache/parquet-format,
// VariantEncoding.md).
const (
	primNull byte = iota
	primTrue
	primFalse
	primInt8
	primInt16
	primInt32
	primInt64
	primDouble
	primDecimal4
	primDecimal8
	primDecimal16
	primDate
	primTimestamp
	primLocal
	primFloat
	primBinary
	primString
	primTime
	primNanos
	primLocalNanos
	primUUID
)

// Basic types: the two low bits of a value's first byte.
const (
	basicPrimitive byte = iota
	basicShort
	basicObject
	basicArray
)

// opaqueSizes are how many bytes the scalars have that Spark has no type for.
var opaqueSizes = map[byte]int{primTime: 8, primNanos: 8, primLocalNanos: 8, primUUID: 16}

// maxShort is the length of the longest text that needs no length of its own.
const maxShort = 63

// Parquet gives v as files hold it: the dictionary of its keys, and the value.
func Parquet(v Value) (metadata, value []byte) {
	w := parquetWriter{ids: map[string]int{}}
	w.collect(v)
	return w.metadata(), w.value(nil, v)
}

type parquetWriter struct {
	keys []string
	ids  map[string]int
}

func (w *parquetWriter) collect(v Value) {
	switch v := v.(type) {
	case []Value:
		for _, e := range v {
			w.collect(e)
		}
	case *Object:
		for i, k := range v.Keys {
			if _, ok := w.ids[k]; !ok {
				w.ids[k] = len(w.keys)
				w.keys = append(w.keys, k)
			}
			w.collect(v.Values[i])
		}
	}
}

// width is how many bytes numbers up to n take.
func width(n int) int {
	switch {
	case n < 1<<8:
		return 1
	case n < 1<<16:
		return 2
	case n < 1<<24:
		return 3
	}
	return 4
}

// fixed appends the low bytes of n.
func fixed(b []byte, n, size int) []byte {
	for i := range size {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

func (w *parquetWriter) metadata() []byte {
	total := 0
	for _, k := range w.keys {
		total += len(k)
	}
	size := width(max(total, len(w.keys)))
	b := fixed([]byte{1 | byte(size-1)<<6}, len(w.keys), size)
	at := 0
	for _, k := range w.keys {
		b = fixed(b, at, size)
		at += len(k)
	}
	b = fixed(b, at, size)
	for _, k := range w.keys {
		b = append(b, k...)
	}
	return b
}

// primitive begins a scalar; its basic type is 0.
func primitive(b []byte, typ byte) []byte { return append(b, typ<<2) }

func (w *parquetWriter) value(b []byte, v Value) []byte {
	le := binary.LittleEndian
	switch v := v.(type) {
	case bool:
		if v {
			return primitive(b, primTrue)
		}
		return primitive(b, primFalse)
	case int64:
		return appendInt(b, v)
	case Decimal:
		return appendDecimal(b, v)
	case float64:
		return le.AppendUint64(primitive(b, primDouble), math.Float64bits(v))
	case float32:
		return le.AppendUint32(primitive(b, primFloat), math.Float32bits(v))
	case string:
		if len(v) <= maxShort {
			return append(append(b, byte(len(v))<<2|basicShort), v...)
		}
		return append(le.AppendUint32(primitive(b, primString), uint32(len(v))), v...)
	case []byte:
		return append(le.AppendUint32(primitive(b, primBinary), uint32(len(v))), v...)
	case Date:
		return le.AppendUint32(primitive(b, primDate), uint32(v))
	case Timestamp:
		return le.AppendUint64(primitive(b, primTimestamp), uint64(v))
	case Local:
		return le.AppendUint64(primitive(b, primLocal), uint64(v))
	case Opaque:
		return append(primitive(b, v.Type), v.Data...)
	case []Value:
		return w.container(b, nil, v, false)
	case *Object:
		return w.container(b, v.Keys, v.Values, true)
	}
	return primitive(b, primNull)
}

func appendInt(b []byte, v int64) []byte {
	le := binary.LittleEndian
	switch {
	case v == int64(int8(v)):
		return append(primitive(b, primInt8), byte(v))
	case v == int64(int16(v)):
		return le.AppendUint16(primitive(b, primInt16), uint16(v))
	case v == int64(int32(v)):
		return le.AppendUint32(primitive(b, primInt32), uint32(v))
	}
	return le.AppendUint64(primitive(b, primInt64), uint64(v))
}

func appendDecimal(b []byte, d Decimal) []byte {
	digits := max(d.Scale, len(new(big.Int).Abs(d.V).String()))
	le := binary.LittleEndian
	switch {
	case digits <= 9:
		return le.AppendUint32(append(primitive(b, primDecimal4), byte(d.Scale)), uint32(d.V.Int64()))
	case digits <= 18:
		return le.AppendUint64(append(primitive(b, primDecimal8), byte(d.Scale)), uint64(d.V.Int64()))
	}
	v := d.V
	if v.Sign() < 0 {
		v = new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	var be [16]byte
	v.FillBytes(be[:])
	slices.Reverse(be[:])
	return append(append(primitive(b, primDecimal16), byte(d.Scale)), be[:]...)
}

// container appends an array, or an object with keys.
func (w *parquetWriter) container(b []byte, keys []string, values []Value, object bool) []byte {
	var data []byte
	offsets := make([]int, 0, len(values)+1)
	for _, v := range values {
		offsets = append(offsets, len(data))
		data = w.value(data, v)
	}
	offsets = append(offsets, len(data))
	size, count, large := width(len(data)), 1, byte(0)
	if len(values) > math.MaxUint8 {
		count, large = 4, 1
	}
	if !object {
		b = append(b, (large<<2|byte(size-1))<<2|basicArray)
		b = fixed(b, len(values), count)
	} else {
		greatest := 0
		for _, k := range keys {
			greatest = max(greatest, w.ids[k])
		}
		ids := width(greatest)
		b = append(b, (large<<4|byte(ids-1)<<2|byte(size-1))<<2|basicObject)
		b = fixed(b, len(values), count)
		for _, k := range keys {
			b = fixed(b, w.ids[k], ids)
		}
	}
	for _, o := range offsets {
		b = fixed(b, o, size)
	}
	return append(b, data...)
}

// ErrParquet says that a file's VARIANT is malformed.
var ErrParquet = errors.New("variant: malformed VARIANT in a file")

// FromParquet reads what files hold.
func FromParquet(metadata, value []byte) (Value, error) {
	r := parquetReader{left: len(value)}
	if !r.dictionary(metadata) {
		return nil, ErrParquet
	}
	v, ok := r.value(value, 0)
	if !ok {
		return nil, ErrParquet
	}
	return v, nil
}

type parquetReader struct {
	keys []string
	left int // values that there can be: pieces that overlap could be endlessly many
}

// unsigned reads a number of size bytes at a place; false beyond the end.
func unsigned(b []byte, at, size int) (int, bool) {
	if at < 0 || at+size > len(b) {
		return 0, false
	}
	n := 0
	for i := size - 1; i >= 0; i-- {
		n = n<<8 | int(b[at+i])
	}
	return n, true
}

// spans are the bounds of n pieces behind a list of n+1 offsets; false where
// they are not in b.
func spans(b []byte, at, n, size int) (offsets []int, data []byte, ok bool) {
	if n < 0 || n > len(b) || at+(n+1)*size > len(b) {
		return nil, nil, false
	}
	data = b[at+(n+1)*size:]
	offsets = make([]int, n+1)
	for i := range offsets {
		offsets[i], _ = unsigned(b, at+i*size, size)
		if offsets[i] > len(data) {
			return nil, nil, false
		}
	}
	return offsets, data, true
}

func (r *parquetReader) dictionary(b []byte) bool {
	if len(b) == 0 || b[0]&0xf != 1 {
		return false
	}
	size := int(b[0]>>6) + 1
	n, ok := unsigned(b, 1, size)
	if !ok {
		return false
	}
	offsets, data, ok := spans(b, 1+size, n, size)
	if !ok {
		return false
	}
	for i := range n {
		if offsets[i] > offsets[i+1] {
			return false
		}
		r.keys = append(r.keys, string(data[offsets[i]:offsets[i+1]]))
	}
	return true
}

func (r *parquetReader) value(b []byte, depth int) (Value, bool) {
	r.left--
	if len(b) == 0 || depth > maxDepth || r.left < 0 {
		return nil, false
	}
	head := b[0] >> 2
	switch b[0] & 3 {
	case basicPrimitive:
		return scalar(head, b[1:])
	case basicShort:
		n := int(head)
		if n > len(b)-1 {
			return nil, false
		}
		return string(b[1 : 1+n]), true
	case basicObject:
		return r.object(head, b, depth)
	}
	return r.array(head, b, depth)
}

// count reads how many pieces a container has, and where what follows begins.
func count(b []byte, large bool) (n, at int, ok bool) {
	size := 1
	if large {
		size = 4
	}
	n, ok = unsigned(b, 1, size)
	return n, 1 + size, ok
}

func (r *parquetReader) array(head byte, b []byte, depth int) (Value, bool) {
	n, at, ok := count(b, head>>2&1 == 1)
	if !ok {
		return nil, false
	}
	offsets, data, ok := spans(b, at, n, int(head&3)+1)
	if !ok {
		return nil, false
	}
	out := make([]Value, n)
	for i := range out {
		if out[i], ok = r.value(data[offsets[i]:], depth+1); !ok {
			return nil, false
		}
	}
	return out, true
}

func (r *parquetReader) object(head byte, b []byte, depth int) (Value, bool) {
	n, at, ok := count(b, head>>4&1 == 1)
	if !ok {
		return nil, false
	}
	ids := int(head>>2&3) + 1
	if n > len(b) {
		return nil, false
	}
	offsets, data, ok := spans(b, at+n*ids, n, int(head&3)+1)
	if !ok {
		return nil, false
	}
	keys, values := make([]string, n), make([]Value, n)
	for i := range n {
		id, _ := unsigned(b, at+i*ids, ids)
		if id >= len(r.keys) {
			return nil, false
		}
		keys[i] = r.keys[id]
		if values[i], ok = r.value(data[offsets[i]:], depth+1); !ok {
			return nil, false
		}
	}
	o, ok := NewObject(keys, values)
	if !ok {
		return nil, false
	}
	return o, true
}

// scalarSizes are the bytes of scalars whose length does not vary.
var scalarSizes = [...]int{
	primInt8: 1, primInt16: 2, primInt32: 4, primInt64: 8, primDouble: 8, primDecimal4: 5, primDecimal8: 9, primDecimal16: 17,
	primDate: 4, primTimestamp: 8, primLocal: 8, primFloat: 4, primBinary: 4, primString: 4, primTime: 8, primNanos: 8, primLocalNanos: 8, primUUID: 16,
}

func scalar(typ byte, b []byte) (Value, bool) {
	if int(typ) >= len(scalarSizes) || len(b) < scalarSizes[typ] {
		return nil, false
	}
	le := binary.LittleEndian
	switch typ {
	case primNull:
		return nil, true
	case primTrue, primFalse:
		return typ == primTrue, true
	case primInt8:
		return int64(int8(b[0])), true
	case primInt16:
		return int64(int16(le.Uint16(b))), true
	case primInt32:
		return int64(int32(le.Uint32(b))), true
	case primInt64:
		return int64(le.Uint64(b)), true
	case primDouble:
		return math.Float64frombits(le.Uint64(b)), true
	case primFloat:
		return math.Float32frombits(le.Uint32(b)), true
	case primDecimal4, primDecimal8, primDecimal16:
		return decimal(b[:scalarSizes[typ]])
	case primDate:
		return Date(le.Uint32(b)), true
	case primTimestamp:
		return Timestamp(le.Uint64(b)), true
	case primLocal:
		return Local(le.Uint64(b)), true
	case primBinary, primString:
		n := int(le.Uint32(b))
		if n > len(b)-4 {
			return nil, false
		}
		if typ == primString {
			return string(b[4 : 4+n]), true
		}
		return slices.Clone(b[4 : 4+n]), true
	}
	return Opaque{typ, slices.Clone(b[:scalarSizes[typ]])}, true
}

// decimal reads a scale and a number in two's complement, little end first.
func decimal(b []byte) (Value, bool) {
	scale := int(b[0])
	if scale > 38 {
		return nil, false
	}
	be := slices.Clone(b[1:])
	slices.Reverse(be)
	v := new(big.Int).SetBytes(be)
	if be[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(be))))
	}
	return NewDecimal(v, scale), true
}
