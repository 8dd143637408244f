package types

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/extensions"
)

// ErrNoMapping says that a type has no counterpart on the other side.
var ErrNoMapping = errors.New("types: no mapping")

// commentKey is the Arrow field metadata key that carries a column comment.
const commentKey = "comment"

var toArrow = map[Primitive]arrow.DataType{
	Void: arrow.Null, Boolean: arrow.FixedWidthTypes.Boolean, TinyInt: arrow.PrimitiveTypes.Int8,
	SmallInt: arrow.PrimitiveTypes.Int16, Int: arrow.PrimitiveTypes.Int32, BigInt: arrow.PrimitiveTypes.Int64,
	Float: arrow.PrimitiveTypes.Float32, Double: arrow.PrimitiveTypes.Float64, String: arrow.BinaryTypes.String,
	Binary: arrow.BinaryTypes.Binary, Date: arrow.FixedWidthTypes.Date32,
	Timestamp:    &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"},
	TimestampNTZ: &arrow.TimestampType{Unit: arrow.Microsecond},
	Variant:      extensions.NewDefaultVariantType(),
}

// ToArrow maps a Spark type to Arrow (see the package comment).
func ToArrow(t Type) (arrow.DataType, error) {
	switch t := t.(type) {
	case Primitive:
		if a, ok := toArrow[t]; ok {
			return a, nil
		}
	case Decimal:
		return &arrow.Decimal128Type{Precision: int32(max(t.Precision, 1)), Scale: int32(t.Scale)}, nil
	case Char, Collated:
		return arrow.BinaryTypes.String, nil
	case Spatial:
		return arrow.BinaryTypes.Binary, nil
	case YearMonth:
		return arrow.PrimitiveTypes.Int32, nil
	case DayTime:
		return arrow.PrimitiveTypes.Int64, nil
	case Array:
		e, err := ToArrow(t.Elem)
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(arrow.Field{Name: "element", Type: e, Nullable: t.ContainsNull}), nil
	case Map:
		k, err := ToArrow(t.Key)
		if err != nil {
			return nil, err
		}
		v, err := ToArrow(t.Value)
		if err != nil {
			return nil, err
		}
		m := arrow.MapOf(k, v)
		m.SetItemNullable(t.ValueContainsNull)
		return m, nil
	case Struct:
		fs, err := ArrowFields(t.Fields)
		if err != nil {
			return nil, err
		}
		return arrow.StructOf(fs...), nil
	}
	return nil, fmt.Errorf("%w: %s to Arrow", ErrNoMapping, t)
}

// ArrowFields maps fields; comments travel as field metadata "comment".
func ArrowFields(fields []Field) ([]arrow.Field, error) {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		t, err := ToArrow(f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		out[i] = arrow.Field{Name: f.Name, Type: t, Nullable: f.Nullable}
		if f.Comment != "" {
			out[i].Metadata = arrow.NewMetadata([]string{commentKey}, []string{f.Comment})
		}
	}
	return out, nil
}

// FromArrow maps an Arrow type back. Unsigned and 16-bit-float types, times
// and durations are ErrNoMapping; timestamps of any unit become microseconds.
func FromArrow(t arrow.DataType) (Type, error) {
	switch t := t.(type) {
	case *extensions.VariantType:
		return Variant, nil
	case *arrow.Decimal128Type:
		return Decimal{int(t.Precision), int(t.Scale)}, nil
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return TimestampNTZ, nil
		}
		return Timestamp, nil
	case *arrow.MapType:
		k, err := FromArrow(t.KeyType())
		if err != nil {
			return nil, err
		}
		v, err := FromArrow(t.ItemType())
		if err != nil {
			return nil, err
		}
		return Map{Key: k, Value: v, ValueContainsNull: t.ItemField().Nullable}, nil
	case arrow.ListLikeType:
		e, err := FromArrow(t.Elem())
		if err != nil {
			return nil, err
		}
		return Array{Elem: e, ContainsNull: t.ElemField().Nullable}, nil
	case *arrow.StructType:
		fs, err := FromArrowFields(t.Fields())
		if err != nil {
			return nil, err
		}
		return Struct{Fields: fs}, nil
	}
	switch t.ID() {
	case arrow.LARGE_STRING, arrow.STRING_VIEW:
		return String, nil
	case arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		return Binary, nil
	}
	for p, a := range toArrow {
		if a.ID() == t.ID() {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: Arrow %s", ErrNoMapping, t)
}

// FromArrowFields maps Arrow fields back, with their comments and collations.
func FromArrowFields(fields []arrow.Field) ([]Field, error) {
	out := make([]Field, len(fields))
	for i, f := range fields {
		t, err := FromArrow(f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		if text, ok := f.Metadata.GetValue(collationsKey); ok {
			if t, err = collate(f.Name, t, text); err != nil {
				return nil, fmt.Errorf("field %s: its collations: %w", f.Name, err)
			}
		}
		out[i] = Field{Name: f.Name, Type: t, Nullable: f.Nullable}
		if c, ok := f.Metadata.GetValue(commentKey); ok {
			out[i].Comment = c
		}
	}
	return out, nil
}
