package variant

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// part is a value that may be shredded, as type t.
func part(t arrow.DataType) arrow.DataType {
	return arrow.StructOf(arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true}, arrow.Field{Name: "typed_value", Type: t, Nullable: true})
}

// Objects with more keys than a byte counts, fields of another type than the
// column's, missing ones, and values that are no objects.
func TestUnshred(t *testing.T) {
	wide := &Object{}
	for i := range 300 {
		wide.Keys, wide.Values = append(wide.Keys, fmt.Sprintf("k%03d", i)), append(wide.Values, int64(i))
	}
	wide.Keys, wide.Values = append([]string{"a", "l"}, wide.Keys...), append([]Value{nil, nil}, wide.Values...)
	metadata, _ := Parquet(wide)
	r := parquetWriter{ids: map[string]int{}}
	r.collect(wide) // the same dictionary
	value := func(v Value) []byte { return r.value(nil, v) }

	typ := arrow.StructOf(arrow.Field{Name: "metadata", Type: arrow.BinaryTypes.Binary}, arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true},
		arrow.Field{Name: "typed_value", Nullable: true, Type: arrow.StructOf(
			arrow.Field{Name: "a", Type: part(arrow.PrimitiveTypes.Int64)}, arrow.Field{Name: "l", Type: part(arrow.ListOf(part(arrow.BinaryTypes.String)))})})
	b := array.NewStructBuilder(memory.DefaultAllocator, typ)
	defer b.Release()
	meta, val, typed := b.FieldBuilder(0).(*array.BinaryBuilder), b.FieldBuilder(1).(*array.BinaryBuilder), b.FieldBuilder(2).(*array.StructBuilder)
	a, l := typed.FieldBuilder(0).(*array.StructBuilder), typed.FieldBuilder(1).(*array.StructBuilder)
	list := l.FieldBuilder(1).(*array.ListBuilder)
	elem := list.ValueBuilder().(*array.StructBuilder)
	field := func(s *array.StructBuilder, raw []byte) {
		s.Append(true)
		if raw == nil {
			s.FieldBuilder(0).AppendNull()
		} else {
			s.FieldBuilder(0).(*array.BinaryBuilder).Append(raw)
		}
	}
	row := func(raw []byte) {
		b.Append(true)
		meta.Append(metadata)
		if raw == nil {
			val.AppendNull()
		} else {
			val.Append(raw)
		}
	}
	// {"a":1,"l":["s",5],"k299":299}
	row(value(&Object{Keys: []string{"k299"}, Values: []Value{int64(299)}}))
	typed.Append(true)
	field(a, nil)
	a.FieldBuilder(1).(*array.Int64Builder).Append(1)
	field(l, nil)
	list.Append(true)
	field(elem, nil)
	elem.FieldBuilder(1).(*array.StringBuilder).Append("s")
	field(elem, value(int64(5)))
	elem.FieldBuilder(1).AppendNull()
	b.AppendNull()
	// {"a":"x"}, without l
	row(nil)
	typed.Append(true)
	field(a, value("x"))
	a.FieldBuilder(1).AppendNull()
	field(l, nil)
	list.AppendNull()
	// 2.5
	row(value(2.5))
	typed.AppendNull()

	st := b.NewStructArray()
	defer st.Release()
	for from, want := range [][]string{0: {`{"a":1,"k299":299,"l":["s",5]}`, "NULL", `{"a":"x"}`, "2.5"}, 2: {`{"a":"x"}`, "2.5"}} {
		if want == nil {
			continue
		}
		slice := array.NewSlice(st, int64(from), int64(st.Len())).(*array.Struct)
		whole, err := Unshred(slice)
		if err != nil {
			t.Fatal(err)
		}
		enc, err := Encoded(whole)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			got := "NULL"
			if enc.IsValid(i) {
				v, err := Decode(enc.(*array.Binary).Value(i))
				if err != nil {
					t.Fatal(err)
				}
				got = string(AppendJSON(nil, v, cast.UTC()))
			}
			if got != w {
				t.Errorf("row %d from %d: %s, want %s", i, from, got, w)
			}
		}
		enc.Release()
		whole.Release()
		slice.Release()
	}
	if _, err := Unshred(array.NewSlice(st, 0, 1).(*array.Struct).Field(2).(*array.Struct)); err == nil {
		t.Error("a struct without metadata was taken for a VARIANT")
	}
}
