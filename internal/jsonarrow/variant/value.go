package variant

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"sort"
)

// Value is nil (VARIANT null), bool, int64, Decimal, float64, float32, string,
// []byte, Date, Timestamp, Local, Opaque, []Value or *Object.
type Value any

// Decimal is V / 10^Scale without trailing zeros behind the point.
type Decimal struct {
	V     *big.Int
	Scale int
}

// Date is days since 1970.
type Date int32

// Timestamp is an instant in microseconds since 1970.
type Timestamp int64

// Local is a wall time in microseconds since 1970.
type Local int64

// Object has sorted, unique keys.
type Object struct {
	Keys   []string
	Values []Value
}

// NewObject sorts the fields; false where a key stands twice.
func NewObject(keys []string, values []Value) (*Object, bool) {
	o := &Object{keys, values}
	sort.Sort(o)
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] {
			return nil, false
		}
	}
	return o, true
}

// Len, Less and Swap order by key.
func (o *Object) Len() int           { return len(o.Keys) }
func (o *Object) Less(i, j int) bool { return o.Keys[i] < o.Keys[j] }

// Swap exchanges two fields.
func (o *Object) Swap(i, j int) {
	o.Keys[i], o.Keys[j] = o.Keys[j], o.Keys[i]
	o.Values[i], o.Values[j] = o.Values[j], o.Values[i]
}

// Field finds a field by its exact name.
func (o *Object) Field(name string) (Value, bool) {
	i := sort.SearchStrings(o.Keys, name)
	if i < len(o.Keys) && o.Keys[i] == name {
		return o.Values[i], true
	}
	return nil, false
}

// NewDecimal cuts trailing zeros off.
func NewDecimal(v *big.Int, scale int) Decimal {
	ten, r := big.NewInt(10), new(big.Int)
	v = new(big.Int).Set(v)
	for scale > 0 {
		q, m := new(big.Int).QuoRem(v, ten, r)
		if m.Sign() != 0 {
			break
		}
		v, scale = q, scale-1
	}
	return Decimal{v, scale}
}

const (
	tagNull byte = iota
	tagTrue
	tagFalse
	tagInt
	tagDecimal
	tagDouble
	tagFloat
	tagString
	tagBinary
	tagDate
	tagTimestamp
	tagLocal
	tagArray
	tagObject
	tagOpaque
)

// Encode appends the bytes of v.
func Encode(b []byte, v Value) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(b, tagTrue)
		}
		return append(b, tagFalse)
	case int64:
		return binary.LittleEndian.AppendUint64(append(b, tagInt), uint64(v))
	case Decimal:
		return bytesOf(append(b, tagDecimal, byte(v.Scale)), v.V.Append(nil, 10))
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, tagDouble), math.Float64bits(v))
	case float32:
		return binary.LittleEndian.AppendUint32(append(b, tagFloat), math.Float32bits(v))
	case string:
		return bytesOf(append(b, tagString), []byte(v))
	case []byte:
		return bytesOf(append(b, tagBinary), v)
	case Date:
		return binary.LittleEndian.AppendUint32(append(b, tagDate), uint32(v))
	case Timestamp:
		return binary.LittleEndian.AppendUint64(append(b, tagTimestamp), uint64(v))
	case Local:
		return binary.LittleEndian.AppendUint64(append(b, tagLocal), uint64(v))
	case Opaque:
		return bytesOf(append(b, tagOpaque, v.Type), v.Data)
	case []Value:
		b = binary.AppendUvarint(append(b, tagArray), uint64(len(v)))
		for _, e := range v {
			b = Encode(b, e)
		}
		return b
	case *Object:
		b = binary.AppendUvarint(append(b, tagObject), uint64(len(v.Keys)))
		for i, k := range v.Keys {
			b = Encode(bytesOf(b, []byte(k)), v.Values[i])
		}
		return b
	}
	return append(b, tagNull)
}

func bytesOf(b, s []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errEncoding = errors.New("variant: bytes that Encode did not make")

// Decode reads what Encode made.
func Decode(b []byte) (Value, error) {
	d := decoder{b: b}
	v := d.value(0)
	if d.bad || len(d.b) != 0 {
		return nil, errEncoding
	}
	return v, nil
}

type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n uint64) []byte {
	if d.bad || n > uint64(len(d.b)) {
		d.bad = true
		return make([]byte, min(n, 8))
	}
	s := d.b[:n]
	d.b = d.b[n:]
	return s
}

func (d *decoder) length() uint64 {
	n, k := binary.Uvarint(d.b)
	if k <= 0 || n > uint64(len(d.b)) {
		d.bad = true
		return 0
	}
	d.b = d.b[k:]
	return n
}

func (d *decoder) uint64() uint64 { return binary.LittleEndian.Uint64(d.take(8)) }

func (d *decoder) value(depth int) Value {
	if depth > maxDepth {
		d.bad = true
	}
	if d.bad || len(d.b) == 0 {
		d.bad = true
		return nil
	}
	switch tag := d.take(1)[0]; tag {
	case tagTrue, tagFalse:
		return tag == tagTrue
	case tagInt:
		return int64(d.uint64())
	case tagDecimal:
		scale := int(d.take(1)[0])
		v, ok := new(big.Int).SetString(string(d.take(d.length())), 10)
		if !ok {
			d.bad = true
			v = new(big.Int)
		}
		return Decimal{v, scale}
	case tagDouble:
		return math.Float64frombits(d.uint64())
	case tagFloat:
		return math.Float32frombits(binary.LittleEndian.Uint32(d.take(4)))
	case tagString:
		return string(d.take(d.length()))
	case tagBinary:
		return append([]byte{}, d.take(d.length())...)
	case tagDate:
		return Date(binary.LittleEndian.Uint32(d.take(4)))
	case tagTimestamp:
		return Timestamp(d.uint64())
	case tagLocal:
		return Local(d.uint64())
	case tagOpaque:
		typ := d.take(1)[0]
		return Opaque{typ, append([]byte{}, d.take(d.length())...)}
	case tagArray:
		n := d.length()
		out := make([]Value, 0, n)
		for range n {
			out = append(out, d.value(depth+1))
		}
		return out
	case tagObject:
		n := d.length()
		o := &Object{}
		for range n {
			o.Keys = append(o.Keys, string(d.take(d.length())))
			o.Values = append(o.Values, d.value(depth+1))
		}
		return o
	case tagNull:
		return nil
	}
	d.bad = true
	return nil
}
