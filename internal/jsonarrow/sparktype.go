package jsonarrow

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// SparkType reads a type in Spark's JSON form, or that form within a JSON
// string: {"type":"struct","fields":[...]}, "integer", "decimal(10,2)".
// What Arrow has not is a Logical type.
func SparkType(data json.RawMessage) (arrow.DataType, error) {
	var s string
	if json.Unmarshal(data, &s) == nil {
		s = strings.TrimSpace(s)
		if strings.HasPrefix(s, "{") || strings.HasPrefix(s, `"`) {
			return SparkType(json.RawMessage(s))
		}
		return sparkScalar(s)
	}
	var t struct {
		Type, KeyType, ValueType, ElementType json.RawMessage
		ContainsNull, ValueContainsNull       bool
		Fields                                []struct {
			Name     string
			Type     json.RawMessage
			Nullable bool
		}
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	switch string(t.Type) {
	case `"struct"`:
		fs := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			ft, err := SparkType(f.Type)
			if err != nil {
				return nil, fmt.Errorf("field %s: %w", f.Name, err)
			}
			// from_json makes every field nullable, whatever is declared.
			fs[i] = arrow.Field{Name: f.Name, Type: ft, Nullable: true}
		}
		return arrow.StructOf(fs...), nil
	case `"array"`:
		e, err := SparkType(t.ElementType)
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(arrow.Field{Name: "element", Type: e, Nullable: true}), nil
	case `"map"`:
		k, err := SparkType(t.KeyType)
		if err != nil {
			return nil, err
		}
		v, err := SparkType(t.ValueType)
		if err != nil {
			return nil, err
		}
		return arrow.MapOf(k, v), nil
	}
	return nil, fmt.Errorf("%w: %s", ErrType, data)
}

func sparkScalar(s string) (arrow.DataType, error) {
	switch s {
	case "void":
		return arrow.Null, nil
	case "boolean":
		return arrow.FixedWidthTypes.Boolean, nil
	case "byte", "tinyint":
		return arrow.PrimitiveTypes.Int8, nil
	case "short", "smallint":
		return arrow.PrimitiveTypes.Int16, nil
	case "integer", "int":
		return arrow.PrimitiveTypes.Int32, nil
	case "long", "bigint":
		return arrow.PrimitiveTypes.Int64, nil
	case "float":
		return arrow.PrimitiveTypes.Float32, nil
	case "double":
		return arrow.PrimitiveTypes.Float64, nil
	case "string":
		return arrow.BinaryTypes.String, nil
	case "binary":
		return arrow.BinaryTypes.Binary, nil
	case "date":
		return arrow.FixedWidthTypes.Date32, nil
	case "interval":
		return arrow.FixedWidthTypes.MonthDayNanoInterval, nil
	case "timestamp":
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, nil
	case "timestamp_ntz":
		return &arrow.TimestampType{Unit: arrow.Microsecond}, nil
	case "decimal":
		return &arrow.Decimal128Type{Precision: 10}, nil
	}
	if l, ok := logical(s); ok {
		return l, nil
	}
	if strings.HasPrefix(s, "varchar(") || strings.HasPrefix(s, "string collate ") || strings.HasPrefix(s, "char(") {
		return arrow.BinaryTypes.String, nil
	}
	if d, ok := strings.CutPrefix(s, "decimal("); ok {
		p, sc, _ := strings.Cut(strings.TrimSuffix(d, ")"), ",")
		prec, err1 := strconv.ParseInt(strings.TrimSpace(p), 10, 32)
		scale, err2 := strconv.ParseInt(strings.TrimSpace(sc), 10, 32)
		if err1 == nil && err2 == nil && prec >= 1 && prec <= 38 && scale >= 0 && scale <= prec {
			return &arrow.Decimal128Type{Precision: int32(prec), Scale: int32(scale)}, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrType, s)
}
