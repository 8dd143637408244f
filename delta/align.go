package delta

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta/internal/schema"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
)

// align gives a column that was read from a data file the table's type: fields
// of structs are found as the mapping says, missing ones are NULL, those that
// the table no longer has are left out, and narrower types of older files are
// widened. The caller releases the array.
func align(a arrow.Array, want arrow.DataType, m schema.Mapping) (arrow.Array, error) {
	if m == schema.Unmapped && alike(a.DataType(), want) {
		return retyped(a.Data(), want), nil
	}
	d, err := alignData(a.Data(), want, m)
	if err != nil {
		return nil, err
	}
	defer d.Release()
	return array.MakeFromData(d), nil
}

// alignData aligns the whole of d's buffers, so that offsets stay what they are.
func alignData(d arrow.ArrayData, want arrow.DataType, m schema.Mapping) (arrow.ArrayData, error) {
	switch w := want.(type) {
	case *arrow.StructType:
		if from, ok := d.DataType().(*arrow.StructType); ok {
			return alignStruct(d, from, w, m)
		}
	case *arrow.ListType:
		if _, ok := d.DataType().(*arrow.ListType); ok {
			return rewrap(d, want, func(kid arrow.ArrayData) (arrow.ArrayData, error) { return alignData(kid, w.Elem(), m) })
		}
	case *arrow.MapType:
		if from, ok := d.DataType().(*arrow.MapType); ok {
			return rewrap(d, want, func(kid arrow.ArrayData) (arrow.ArrayData, error) { return alignEntries(kid, from, w, m) })
		}
	}
	a := array.MakeFromData(d)
	defer a.Release()
	if schema.IsVariant(want) {
		return variantData(a, want)
	}
	out, err := widen(a, want)
	if err != nil {
		return nil, err
	}
	defer out.Release()
	out.Data().Retain()
	return out.Data(), nil
}

// rewrap gives d another type and its one child what f makes of it.
func rewrap(d arrow.ArrayData, want arrow.DataType, f func(arrow.ArrayData) (arrow.ArrayData, error)) (arrow.ArrayData, error) {
	kid, err := f(d.Children()[0])
	if err != nil {
		return nil, err
	}
	defer kid.Release()
	return array.NewData(want, d.Len(), d.Buffers(), []arrow.ArrayData{kid}, d.NullN(), d.Offset()), nil
}

// alignEntries aligns a map's entries by position: they are always key and value.
func alignEntries(d arrow.ArrayData, from, want *arrow.MapType, m schema.Mapping) (arrow.ArrayData, error) {
	if len(d.Children()) != 2 {
		return nil, fmt.Errorf("is %s, not %s", from, want)
	}
	kids := make([]arrow.ArrayData, 0, 2)
	defer release(&kids)
	for i, t := range []arrow.DataType{want.KeyType(), want.ItemType()} {
		k, err := alignData(d.Children()[i], t, m)
		if err != nil {
			return nil, err
		}
		kids = append(kids, k)
	}
	return array.NewData(want.Elem(), d.Len(), d.Buffers(), kids, d.NullN(), d.Offset()), nil
}

func alignStruct(d arrow.ArrayData, from, want *arrow.StructType, m schema.Mapping) (arrow.ArrayData, error) {
	kids := make([]arrow.ArrayData, 0, want.NumFields())
	defer release(&kids)
	for _, f := range want.Fields() {
		at := indexOf(from.Fields(), f, m)
		if at < 0 || f.Type.ID() == arrow.NULL {
			n := array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, d.Offset()+d.Len())
			n.Data().Retain()
			kids = append(kids, n.Data())
			n.Release()
			continue
		}
		k, err := alignData(d.Children()[at], f.Type, m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		kids = append(kids, k)
	}
	return array.NewData(want, d.Len(), d.Buffers(), kids, d.NullN(), d.Offset()), nil
}

func release(kids *[]arrow.ArrayData) {
	for _, k := range *kids {
		k.Release()
	}
}

// indexOf finds the table's column f among those of a data file, -1 if it is
// not there. Without mapping case does not count where no name is equal.
func indexOf(inFile []arrow.Field, f arrow.Field, m schema.Mapping) int {
	for i, g := range inFile {
		if m.Is(f, g) {
			return i
		}
	}
	if m == schema.Unmapped {
		for i, g := range inFile {
			if strings.EqualFold(f.Name, g.Name) {
				return i
			}
		}
	}
	return -1
}

// widen gives an array the type that a table has now and its files had
// narrower (PROTOCOL.md, "Type Widening").
func widen(a arrow.Array, want arrow.DataType) (arrow.Array, error) {
	from := a.DataType()
	opts := compute.SafeCastOptions(want)
	switch {
	case alike(from, want):
		return retyped(a.Data(), want), nil
	case from.ID() == arrow.NULL:
		return array.MakeArrayOfNull(memory.DefaultAllocator, want, a.Len()), nil
	case from.ID() == arrow.TIMESTAMP && want.ID() == arrow.TIMESTAMP:
		opts.AllowTimeTruncate = true // Spark cuts nanoseconds off
	case widens(from, want), arrow.IsInteger(from.ID()) && (arrow.IsDecimal(want.ID()) || want.ID() == arrow.FLOAT64),
		arrow.IsDecimal(from.ID()) && arrow.IsDecimal(want.ID()):
	case from.ID() == arrow.DATE32 && want.ID() == arrow.TIMESTAMP:
		return midnight(a.(*array.Date32), want), nil
	case from.ID() == arrow.BINARY && want.ID() == arrow.STRING: // files that leave out the annotation
	case from.ID() == arrow.STRING && want.ID() == arrow.BINARY:
	default:
		return nil, fmt.Errorf("is %s, not %s", from, want)
	}
	return compute.CastArray(context.Background(), a, opts)
}

// midnight is the first microsecond of each day.
func midnight(a *array.Date32, want arrow.DataType) arrow.Array {
	b := array.NewTimestampBuilder(memory.DefaultAllocator, want.(*arrow.TimestampType))
	defer b.Release()
	b.Reserve(a.Len())
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
		} else {
			b.Append(arrow.Timestamp(int64(a.Value(i)) * 86400_000_000))
		}
	}
	return b.NewArray()
}

// variantData gives variants the form of metadata and value: files name the
// two in any order, and may have taken typed parts out of the value (shredding).
func variantData(a arrow.Array, want arrow.DataType) (arrow.ArrayData, error) {
	if st, ok := a.(*array.Struct); ok {
		t, err := extensions.NewVariantType(st.DataType())
		if err != nil {
			return nil, fmt.Errorf("is %s, not a variant: %w", a.DataType(), err)
		}
		v := array.NewExtensionArrayWithStorage(t, st)
		defer v.Release()
		a = v
	}
	v, ok := a.(*extensions.VariantArray)
	if !ok {
		return nil, fmt.Errorf("is %s, not %s", a.DataType(), want)
	}
	if v.IsShredded() {
		whole, err := variant.Unshred(v.Storage().(*array.Struct))
		if err != nil {
			return nil, fmt.Errorf("shredded variant: %w", err)
		}
		defer whole.Release()
		v = whole.(*extensions.VariantArray)
	}
	d := v.Data()
	from := v.DataType().(*extensions.VariantType).StorageType().(*arrow.StructType)
	to := want.(*extensions.VariantType).StorageType().(*arrow.StructType)
	kids := make([]arrow.ArrayData, 0, to.NumFields())
	defer release(&kids)
	for _, f := range to.Fields() {
		at, ok := from.FieldIdx(f.Name)
		if !ok {
			return nil, fmt.Errorf("a variant without %s", f.Name)
		}
		kid := array.MakeFromData(d.Children()[at])
		out, err := widen(kid, f.Type)
		kid.Release()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		out.Data().Retain()
		kids = append(kids, out.Data())
		out.Release()
	}
	return array.NewData(want, d.Len(), d.Buffers(), kids, d.NullN(), d.Offset()), nil
}
