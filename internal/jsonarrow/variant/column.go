package variant

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// EncodedType is t with BINARY, which Encode's bytes are, for every VARIANT in it.
func EncodedType(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *extensions.VariantType:
		return arrow.BinaryTypes.Binary
	case *arrow.ListType:
		f := t.ElemField()
		f.Type = EncodedType(f.Type)
		return arrow.ListOfField(f)
	case *arrow.MapType:
		m := arrow.MapOf(EncodedType(t.KeyType()), EncodedType(t.ItemType()))
		m.SetItemNullable(t.ItemField().Nullable)
		return m
	case *arrow.StructType:
		fields := t.Fields()
		for i := range fields {
			fields[i].Type = EncodedType(fields[i].Type)
		}
		return arrow.StructOf(fields...)
	}
	return t
}

// Within tells whether a VARIANT occurs in t.
func Within(t arrow.DataType) bool {
	if _, ok := t.(*extensions.VariantType); ok {
		return true
	}
	if n, ok := t.(arrow.NestedType); ok {
		for _, f := range n.Fields() {
			if Within(f.Type) {
				return true
			}
		}
	}
	return false
}

// Encoded gives a column that was read from files with the VARIANTs in it, at
// whatever depth, as Encode's bytes. The caller releases it; a stays its own.
func Encoded(a arrow.Array) (arrow.Array, error) {
	if !Within(a.DataType()) {
		a.Retain()
		return a, nil
	}
	return convert(a.Data(), a.DataType(), EncodedType(a.DataType()), encoded)
}

// Stored gives a column with Encode's bytes the type want, in which the VARIANTs
// are as files hold them. Where want has none, it is a as it is. The caller
// releases it; a stays its own.
func Stored(a arrow.Array, want arrow.DataType) (arrow.Array, error) {
	if !Within(want) {
		a.Retain()
		return a, nil
	}
	return convert(a.Data(), want, want, stored)
}

// convert has leaf change what is VARIANT in the type shape; d gets the type to.
func convert(d arrow.ArrayData, shape, to arrow.DataType, leaf func(arrow.Array) (arrow.Array, error)) (arrow.Array, error) {
	out, err := convertData(d, shape, to, leaf)
	if err != nil {
		return nil, err
	}
	defer out.Release()
	return array.MakeFromData(out), nil
}

func convertData(d arrow.ArrayData, shape, to arrow.DataType, leaf func(arrow.Array) (arrow.Array, error)) (arrow.ArrayData, error) {
	if _, ok := shape.(*extensions.VariantType); ok {
		a := array.MakeFromData(d)
		defer a.Release()
		out, err := leaf(a)
		if err != nil {
			return nil, err
		}
		defer out.Release()
		out.Data().Retain()
		return out.Data(), nil
	}
	if !Within(shape) || d.DataType().ID() == arrow.NULL {
		d.Retain()
		return d, nil
	}
	shapes, tos := parts(shape), parts(to)
	if d.DataType().ID() != to.ID() || len(d.Children()) != len(shapes) {
		return nil, fmt.Errorf("variant: %s is not %s", d.DataType(), to)
	}
	kids := make([]arrow.ArrayData, 0, len(shapes))
	defer func() {
		for _, k := range kids {
			k.Release()
		}
	}()
	for i, k := range d.Children() {
		kid, err := convertData(k, shapes[i], tos[i], leaf)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	return array.NewData(retyped(d.DataType(), kids), d.Len(), d.Buffers(), kids, d.NullN(), d.Offset()), nil
}

// parts are the types of a nested type's children.
func parts(t arrow.DataType) []arrow.DataType {
	if m, ok := t.(*arrow.MapType); ok {
		return []arrow.DataType{m.Elem()}
	}
	n, ok := t.(arrow.NestedType)
	if !ok {
		return nil
	}
	out := make([]arrow.DataType, 0, n.NumFields())
	for _, f := range n.Fields() {
		out = append(out, f.Type)
	}
	return out
}

// retyped is t with the types of kids.
func retyped(t arrow.DataType, kids []arrow.ArrayData) arrow.DataType {
	switch t := t.(type) {
	case *arrow.ListType:
		f := t.ElemField()
		f.Type = kids[0].DataType()
		return arrow.ListOfField(f)
	case *arrow.MapType:
		entry := kids[0].DataType().(*arrow.StructType)
		m := arrow.MapOf(entry.Field(0).Type, entry.Field(1).Type)
		m.SetItemNullable(t.ItemField().Nullable)
		return m
	case *arrow.StructType:
		fields := t.Fields()
		for i := range fields {
			fields[i].Type = kids[i].DataType()
		}
		return arrow.StructOf(fields...)
	}
	return t
}

func encoded(a arrow.Array) (arrow.Array, error) {
	v, ok := a.(*extensions.VariantArray)
	if !ok {
		return nil, fmt.Errorf("variant: %s is no VARIANT", a.DataType())
	}
	st := v.Storage().(*array.Struct)
	metadata, ok1 := st.Field(0).(*array.Binary)
	value, ok2 := st.Field(1).(*array.Binary)
	if !ok1 || !ok2 || st.DataType().(*arrow.StructType).Field(0).Name != "metadata" {
		return nil, fmt.Errorf("variant: a VARIANT of %s", st.DataType())
	}
	b := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
	defer b.Release()
	b.Reserve(st.Len())
	var text []byte
	for i := range st.Len() {
		if st.IsNull(i) {
			b.AppendNull()
			continue
		}
		x, err := FromParquet(metadata.Value(i), value.Value(i))
		if err != nil {
			return nil, err
		}
		text = Encode(text[:0], x)
		b.Append(text)
	}
	return b.NewArray(), nil
}

// storedType is how tables' files hold VARIANTs that are written here.
var storedType = extensions.NewDefaultVariantType()

func stored(a arrow.Array) (arrow.Array, error) {
	if a.DataType().ID() == arrow.NULL {
		return array.MakeArrayOfNull(memory.DefaultAllocator, storedType, a.Len()), nil
	}
	from, ok := a.(*array.Binary)
	if !ok {
		return nil, fmt.Errorf("variant: %s holds no encoded VARIANT", a.DataType())
	}
	return storedValues(a, func(i int) (Value, error) { return Decode(from.Value(i)) })
}

// storedValues are values in the form of storedType, NULL where rows is.
func storedValues(rows arrow.Array, value func(i int) (Value, error)) (arrow.Array, error) {
	b := array.NewStructBuilder(memory.DefaultAllocator, storedType.StorageType().(*arrow.StructType))
	defer b.Release()
	b.Reserve(rows.Len())
	metadata, values := b.FieldBuilder(0).(*array.BinaryBuilder), b.FieldBuilder(1).(*array.BinaryBuilder)
	for i := range rows.Len() {
		if rows.IsNull(i) {
			b.AppendNull() // and both parts: Arrow's Parquet writer takes their values else
			continue
		}
		x, err := value(i)
		if err != nil {
			return nil, err
		}
		m, v := Parquet(x)
		b.Append(true)
		metadata.Append(m)
		values.Append(v)
	}
	st := b.NewStructArray()
	defer st.Release()
	return array.NewExtensionArrayWithStorage(storedType, st), nil
}
