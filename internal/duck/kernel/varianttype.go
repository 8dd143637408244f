package kernel

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
)

// sparkType is a type as Spark's schema JSON says it. DuckDB's types alone do
// not tell VARIANT from BINARY.
type sparkType struct {
	name   string // "integer", "decimal(5,2)", "array", "map", "struct", ...
	elem   *sparkType
	key    *sparkType
	fields []sparkField
}

type sparkField struct {
	Name string
	Type *sparkType
}

// UnmarshalJSON reads a name or an object.
func (t *sparkType) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &t.name)
	}
	var o struct {
		Type        string
		ElementType *sparkType
		KeyType     *sparkType
		ValueType   *sparkType
		Fields      []sparkField
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	t.name, t.elem, t.key, t.fields = o.Type, o.ElementType, o.KeyType, o.Fields
	if o.Type == "map" {
		t.elem = o.ValueType
	}
	return nil
}

// toVariant makes the value of row i of n, which is not NULL.
func (t *sparkType) toVariant(n *tree, i int) variant.Value {
	if n.vec.Null(i) {
		return nil
	}
	switch t.name {
	case "boolean":
		return at[bool](n, i)
	case "byte":
		return int64(at[int8](n, i))
	case "short":
		return int64(at[int16](n, i))
	case "integer":
		return int64(at[int32](n, i))
	case "long":
		return at[int64](n, i)
	case "float":
		return at[float32](n, i)
	case "double":
		return at[float64](n, i)
	case "string":
		return string(n.bytes(i))
	case "binary":
		return append([]byte{}, n.bytes(i)...)
	case "date":
		return variant.Date(at[int32](n, i))
	case "timestamp":
		return variant.Timestamp(at[int64](n, i))
	case "timestamp_ntz":
		return variant.Local(at[int64](n, i))
	case "variant":
		v, err := variant.Decode(n.bytes(i))
		if err != nil {
			return nil
		}
		return v
	case "array":
		from, to := n.entries(i)
		out := make([]variant.Value, 0, to-from)
		for j := from; j < to; j++ {
			out = append(out, t.elem.toVariant(&n.kids[0], j))
		}
		return out
	case "struct":
		o := &variant.Object{}
		for k, f := range t.fields {
			o.Keys = append(o.Keys, f.Name)
			o.Values = append(o.Values, f.Type.toVariant(&n.kids[k], i))
		}
		return sortedObject(o)
	case "map":
		o := &variant.Object{}
		from, to := n.entries(i)
		for j := from; j < to; j++ {
			o.Keys = append(o.Keys, string(n.kids[0].bytes(j)))
			o.Values = append(o.Values, t.elem.toVariant(&n.kids[1], j))
		}
		return sortedObject(o)
	}
	if strings.HasPrefix(t.name, "decimal") {
		return variant.NewDecimal(n.decimal(i).BigInt(), int(n.typ.Scale))
	}
	return nil
}

func sortedObject(o *variant.Object) variant.Value {
	if s, ok := variant.NewObject(o.Keys, o.Values); ok {
		return s
	}
	return o
}

// known checks that values of the type can be made of a VARIANT.
func (t *sparkType) known() error {
	switch t.name {
	case "array":
		return t.elem.known()
	case "map":
		if t.key == nil || t.key.name != "string" {
			return fmt.Errorf("a VARIANT has no maps with keys of type %s", t.key.name)
		}
		return t.elem.known()
	case "struct":
		for _, f := range t.fields {
			if err := f.Type.known(); err != nil {
				return err
			}
		}
	}
	return nil
}

// castVariant appends v as the type to b: NULL for VARIANT null. With try what
// does not fit is NULL, else the result is false.
func (t *sparkType) castVariant(b array.Builder, v variant.Value, c variant.Caster, try bool) bool {
	if v == nil && t.name != "variant" {
		b.AppendNull()
		return true
	}
	if ok := t.appendValue(b, v, c, try); ok {
		return true
	}
	if try {
		b.AppendNull()
	}
	return try
}

func (t *sparkType) appendValue(b array.Builder, v variant.Value, c variant.Caster, try bool) bool {
	switch b := b.(type) {
	case *array.StructBuilder:
		return t.appendStruct(b, v, c, try)
	case *array.MapBuilder:
		return t.appendMap(b, v, c, try)
	case *array.ListBuilder:
		a, ok := v.([]variant.Value)
		if !ok {
			return false
		}
		b.Append(true)
		for _, e := range a {
			if !t.elem.castVariant(b.ValueBuilder(), e, c, try) {
				return false
			}
		}
		return true
	case *array.BinaryBuilder:
		return t.appendBytes(b, v)
	case *array.Decimal128Builder:
		s, ok := c.DecimalText(v)
		if !ok {
			return false
		}
		d, ok := cast.Decimal(s, int(decimalOf(b).Precision), int(decimalOf(b).Scale), false)
		return put(ok, b.Append, d)
	}
	return t.appendScalar(b, v, c)
}

func decimalOf(b array.Builder) *arrow.Decimal128Type {
	d, _ := b.Type().(*arrow.Decimal128Type)
	return d
}

func put[T any](ok bool, add func(T), v T) bool {
	if ok {
		add(v)
	}
	return ok
}

func (t *sparkType) appendScalar(b array.Builder, v variant.Value, c variant.Caster) bool {
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(string(variant.AppendText(nil, v, c.Zone)))
		return true
	case *array.BooleanBuilder:
		x, ok := c.Bool(v)
		return put(ok, b.Append, x)
	case *array.Int8Builder:
		x, ok := c.Int(v, 8)
		return put(ok, b.Append, int8(x))
	case *array.Int16Builder:
		x, ok := c.Int(v, 16)
		return put(ok, b.Append, int16(x))
	case *array.Int32Builder:
		x, ok := c.Int(v, 32)
		return put(ok, b.Append, int32(x))
	case *array.Int64Builder:
		x, ok := c.Int(v, 64)
		return put(ok, b.Append, x)
	case *array.Float32Builder:
		x, ok := c.Float(v, 32)
		return put(ok, b.Append, float32(x))
	case *array.Float64Builder:
		x, ok := c.Float(v, 64)
		return put(ok, b.Append, x)
	case *array.Date32Builder:
		x, ok := c.Date(v)
		return put(ok, b.Append, arrow.Date32(x))
	case *array.TimestampBuilder:
		read := c.Instant
		if t.name == "timestamp_ntz" {
			read = c.WallTime
		}
		x, ok := read(v)
		return put(ok, b.Append, arrow.Timestamp(x))
	}
	return false
}

func (t *sparkType) appendBytes(b *array.BinaryBuilder, v variant.Value) bool {
	if t.name == "variant" {
		b.Append(variant.Encode(nil, v))
		return true
	}
	switch v := v.(type) {
	case []byte:
		b.Append(v)
		return true
	case string:
		b.Append([]byte(v))
		return true
	}
	return false
}

// appendStruct fills what is missing with NULL.
func (t *sparkType) appendStruct(b *array.StructBuilder, v variant.Value, c variant.Caster, try bool) bool {
	o, ok := v.(*variant.Object)
	if !ok {
		return false
	}
	b.Append(true)
	for i, f := range t.fields {
		x, found := o.Field(f.Name)
		if !found {
			b.FieldBuilder(i).AppendNull()
			continue
		}
		if !f.Type.castVariant(b.FieldBuilder(i), x, c, try) {
			return false
		}
	}
	return true
}

func (t *sparkType) appendMap(b *array.MapBuilder, v variant.Value, c variant.Caster, try bool) bool {
	o, ok := v.(*variant.Object)
	keys, isText := b.KeyBuilder().(*array.StringBuilder)
	if !ok || !isText {
		return false
	}
	b.Append(true)
	for i, k := range o.Keys {
		keys.Append(k)
		if !t.elem.castVariant(b.ItemBuilder(), o.Values[i], c, try) {
			return false
		}
	}
	return true
}
