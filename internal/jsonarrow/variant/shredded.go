package variant

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
)

// Unshred puts VARIANTs together whose typed parts files keep in columns of their
// own (apache/parquet-format, VariantShredding.md). a is the storage of such a
// column: metadata, value and typed_value. The caller releases the result; a
// stays its own. Arrow's function for it counts a dictionary's offsets in a byte.
func Unshred(a *array.Struct) (arrow.Array, error) {
	at, ok := a.DataType().(*arrow.StructType).FieldIdx("metadata")
	if !ok {
		return nil, fmt.Errorf("variant: %s has no metadata", a.DataType())
	}
	metadata, ok := a.Field(at).(*array.Binary)
	if !ok {
		return nil, fmt.Errorf("variant: metadata is %s", a.Field(at).DataType())
	}
	top, err := newGroup(a)
	if err != nil {
		return nil, err
	}
	var last []byte
	var keys []string
	return storedValues(a, func(i int) (Value, error) {
		if m := metadata.Value(i); keys == nil || !bytes.Equal(m, last) {
			r := parquetReader{}
			if !r.dictionary(m) {
				return nil, ErrParquet
			}
			last, keys = m, r.keys
		}
		v, _, err := top.at(i, keys)
		return v, err
	})
}

// group is a value that may be shredded: in part or as a whole it is typed.
type group struct {
	value  *array.Binary // nil: always typed
	typed  arrow.Array   // nil: never
	scalar func(i int) Value
	list   *array.List
	elem   *group
	names  []string // of an object's fields
	fields []*group
}

func newGroup(st *array.Struct) (*group, error) {
	g := &group{}
	for i, f := range st.DataType().(*arrow.StructType).Fields() {
		switch f.Name {
		case "value":
			v, ok := st.Field(i).(*array.Binary)
			if !ok {
				return nil, fmt.Errorf("variant: a value of %s", f.Type)
			}
			g.value = v
		case "typed_value":
			g.typed = st.Field(i)
		}
	}
	if g.typed == nil {
		return g, nil
	}
	var err error
	switch t := g.typed.(type) {
	case *array.Struct:
		for i, f := range t.DataType().(*arrow.StructType).Fields() {
			kid, ok := t.Field(i).(*array.Struct)
			if !ok {
				return nil, fmt.Errorf("variant: the shredded field %s is %s", f.Name, f.Type)
			}
			sub, err := newGroup(kid)
			if err != nil {
				return nil, err
			}
			g.names, g.fields = append(g.names, f.Name), append(g.fields, sub)
		}
	case *array.List:
		kid, ok := t.ListValues().(*array.Struct)
		if !ok {
			return nil, fmt.Errorf("variant: shredded elements of %s", t.DataType())
		}
		g.list = t
		g.elem, err = newGroup(kid)
	default:
		if g.scalar = scalarOf(t); g.scalar == nil {
			err = fmt.Errorf("variant: shredded as %s", t.DataType())
		}
	}
	return g, err
}

// at is the value of row i; there is none where a field of an object is missing.
func (g *group) at(i int, keys []string) (v Value, there bool, err error) {
	var rest Value
	if g.value != nil && g.value.IsValid(i) {
		b := g.value.Value(i)
		r := parquetReader{keys: keys, left: len(b)}
		if rest, there = r.value(b, 0); !there {
			return nil, false, ErrParquet
		}
	}
	switch {
	case g.typed == nil || g.typed.IsNull(i):
		return rest, there, nil
	case g.scalar != nil:
		return g.scalar(i), true, nil
	case g.list != nil:
		from, to := g.list.ValueOffsets(i)
		out := make([]Value, 0, to-from)
		for j := from; j < to; j++ {
			e, _, err := g.elem.at(int(j), keys)
			if err != nil {
				return nil, false, err
			}
			out = append(out, e)
		}
		return out, true, nil
	}
	o := &Object{}
	for k, f := range g.fields {
		x, ok, err := f.at(i, keys)
		if err != nil {
			return nil, false, err
		}
		if ok {
			o.Keys, o.Values = append(o.Keys, g.names[k]), append(o.Values, x)
		}
	}
	if more, ok := rest.(*Object); ok {
		o.Keys, o.Values = append(o.Keys, more.Keys...), append(o.Values, more.Values...)
	} else if there {
		return nil, false, ErrParquet
	}
	whole, ok := NewObject(o.Keys, o.Values)
	if !ok {
		return nil, false, ErrParquet
	}
	return whole, true, nil
}

// scalarOf gives the values of a column of scalars, nil for other types.
func scalarOf(a arrow.Array) func(i int) Value {
	switch a := a.(type) {
	case *array.Boolean:
		return func(i int) Value { return a.Value(i) }
	case *array.Int8:
		return func(i int) Value { return int64(a.Value(i)) }
	case *array.Int16:
		return func(i int) Value { return int64(a.Value(i)) }
	case *array.Int32:
		return func(i int) Value { return int64(a.Value(i)) }
	case *array.Int64:
		return func(i int) Value { return a.Value(i) }
	case *array.Float32:
		return func(i int) Value { return a.Value(i) }
	case *array.Float64:
		return func(i int) Value { return a.Value(i) }
	case *array.String:
		return func(i int) Value { return string(append([]byte{}, a.Value(i)...)) }
	case *array.Binary:
		return func(i int) Value { return append([]byte{}, a.Value(i)...) }
	case *array.Date32:
		return func(i int) Value { return Date(a.Value(i)) }
	case *array.Decimal32:
		scale := int(a.DataType().(arrow.DecimalType).GetScale())
		return func(i int) Value { return NewDecimal(big.NewInt(int64(a.Value(i))), scale) }
	case *array.Decimal64:
		scale := int(a.DataType().(arrow.DecimalType).GetScale())
		return func(i int) Value { return NewDecimal(big.NewInt(int64(a.Value(i))), scale) }
	case *array.Decimal128:
		scale := int(a.DataType().(arrow.DecimalType).GetScale())
		return func(i int) Value { return NewDecimal(a.Value(i).BigInt(), scale) }
	case *array.Time64:
		return func(i int) Value { return opaque(primTime, int64(a.Value(i))) }
	case *array.Timestamp:
		return instants(a)
	case *extensions.UUIDArray:
		return func(i int) Value { u := a.Value(i); return Opaque{primUUID, append([]byte{}, u[:]...)} }
	case *array.FixedSizeBinary:
		if a.DataType().(*arrow.FixedSizeBinaryType).ByteWidth == opaqueSizes[primUUID] {
			return func(i int) Value { return Opaque{primUUID, append([]byte{}, a.Value(i)...)} }
		}
	}
	return nil
}

func opaque(typ byte, n int64) Opaque {
	return Opaque{typ, binary.LittleEndian.AppendUint64(nil, uint64(n))}
}

func instants(a *array.Timestamp) func(i int) Value {
	t := a.DataType().(*arrow.TimestampType)
	zoned := t.TimeZone != ""
	return func(i int) Value {
		n := int64(a.Value(i))
		switch {
		case t.Unit == arrow.Nanosecond && zoned:
			return opaque(primNanos, n)
		case t.Unit == arrow.Nanosecond:
			return opaque(primLocalNanos, n)
		case t.Unit == arrow.Millisecond:
			n *= 1000
		case t.Unit == arrow.Second:
			n *= 1_000_000
		}
		if zoned {
			return Timestamp(n)
		}
		return Local(n)
	}
}
