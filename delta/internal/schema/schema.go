package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/extensions"
)

// ErrType is the family of errors about types that this library does not know.
var ErrType = errors.New("unsupported type")

// rawPrefix marks field metadata whose value is JSON other than a string.
const rawPrefix = "json:"

type jsonField struct {
	Name     string                     `json:"name"`
	Type     json.RawMessage            `json:"type"`
	Nullable bool                       `json:"nullable"`
	Metadata map[string]json.RawMessage `json:"metadata"`
}

type jsonType struct {
	Type              string          `json:"type"`
	Fields            []jsonField     `json:"fields"`
	ElementType       json.RawMessage `json:"elementType"`
	ContainsNull      bool            `json:"containsNull"`
	KeyType           json.RawMessage `json:"keyType"`
	ValueType         json.RawMessage `json:"valueType"`
	ValueContainsNull bool            `json:"valueContainsNull"`
}

// Timestamp is the Arrow type of Delta's timestamp.
var timestamp = arrow.FixedWidthTypes.Timestamp_us

var primitives = map[string]arrow.DataType{
	"string": arrow.BinaryTypes.String, "binary": arrow.BinaryTypes.Binary,
	"long": arrow.PrimitiveTypes.Int64, "integer": arrow.PrimitiveTypes.Int32,
	"short": arrow.PrimitiveTypes.Int16, "byte": arrow.PrimitiveTypes.Int8,
	"float": arrow.PrimitiveTypes.Float32, "double": arrow.PrimitiveTypes.Float64,
	"boolean": arrow.FixedWidthTypes.Boolean, "date": arrow.FixedWidthTypes.Date32,
	"timestamp": timestamp, "timestamp_ntz": &arrow.TimestampType{Unit: arrow.Microsecond},
	"void": arrow.Null, "null": arrow.Null,
	"variant": Variant,
}

// Variant is the Arrow type of Delta's variant: metadata and value in the
// binary form of Parquet's VARIANT.
var Variant arrow.DataType = extensions.NewDefaultVariantType()

// IsVariant tells whether t is a variant, shredded or not.
func IsVariant(t arrow.DataType) bool {
	_, ok := t.(*extensions.VariantType)
	return ok
}

// Parse reads a schema text. An empty text, as some logs have it, is a table
// without columns.
func Parse(text string) (*arrow.Schema, error) {
	if text == "" {
		return arrow.NewSchema(nil, nil), nil
	}
	t, err := parseType([]byte(text), 0)
	if err != nil {
		return nil, err
	}
	st, ok := t.(*arrow.StructType)
	if !ok {
		return nil, fmt.Errorf("schema: not a struct")
	}
	return arrow.NewSchema(st.Fields(), nil), nil
}

func parseType(raw json.RawMessage, depth int) (arrow.DataType, error) {
	if depth > 100 {
		return nil, errors.New("schema: nested too deeply")
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, errors.New("schema: no type")
	}
	if raw[0] == '"' {
		var name string
		if err := json.Unmarshal(raw, &name); err != nil {
			return nil, err
		}
		return parseName(name)
	}
	var t jsonType
	if err := json.Unmarshal(raw, &t); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	switch t.Type {
	case "struct":
		fields := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			ft, err := parseType(f.Type, depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
			fields[i] = arrow.Field{Name: f.Name, Type: ft, Nullable: f.Nullable, Metadata: located(metadata(f.Metadata), f.Type)}
		}
		return arrow.StructOf(fields...), nil
	case "array":
		e, err := parseType(t.ElementType, depth+1)
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(arrow.Field{Name: "element", Type: e, Nullable: t.ContainsNull, Metadata: located(arrow.Metadata{}, t.ElementType)}), nil
	case "map":
		k, err := parseType(t.KeyType, depth+1)
		if err != nil {
			return nil, err
		}
		v, err := parseType(t.ValueType, depth+1)
		if err != nil {
			return nil, err
		}
		if located(arrow.Metadata{}, t.KeyType).Len()+located(arrow.Metadata{}, t.ValueType).Len() > 0 {
			return nil, fmt.Errorf("%w: a map of geometries or geographies", ErrType)
		}
		m := arrow.MapOf(k, v)
		m.SetItemNullable(t.ValueContainsNull)
		return m, nil
	}
	return nil, fmt.Errorf("%w %q", ErrType, t.Type)
}

func parseName(name string) (arrow.DataType, error) {
	if t, ok := primitives[name]; ok {
		return t, nil
	}
	if args, ok := strings.CutPrefix(name, "decimal"); ok {
		if args == "" {
			return &arrow.Decimal128Type{Precision: 10, Scale: 0}, nil
		}
		args = strings.TrimSuffix(strings.TrimPrefix(args, "("), ")")
		ps, ss, _ := strings.Cut(args, ",")
		p, err1 := strconv.ParseInt(strings.TrimSpace(ps), 10, 32)
		s, err2 := strconv.ParseInt(strings.TrimSpace(ss), 10, 32)
		if err1 == nil && err2 == nil && p >= 1 && p <= 38 && s >= 0 && s <= p {
			return &arrow.Decimal128Type{Precision: int32(p), Scale: int32(s)}, nil
		}
	}
	if _, ok := geospatial(name); ok {
		return arrow.BinaryTypes.Binary, nil
	}
	return nil, fmt.Errorf("%w %q", ErrType, name)
}

func metadata(m map[string]json.RawMessage) arrow.Metadata {
	if len(m) == 0 {
		return arrow.Metadata{}
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	names, values := make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		names[i] = k
		if json.Unmarshal(m[k], &values[i]) != nil {
			names[i], values[i] = rawPrefix+k, string(m[k])
		}
	}
	return arrow.NewMetadata(names, values)
}

// Text writes a schema as Spark's JSON.
func Text(s *arrow.Schema) (string, error) {
	seen := map[string]string{}
	for _, f := range s.Fields() {
		low := strings.ToLower(f.Name)
		if other, ok := seen[low]; ok {
			return "", fmt.Errorf("schema: columns %q and %q differ only by case", other, f.Name)
		}
		seen[low] = f.Name
	}
	var b bytes.Buffer
	if err := writeStruct(&b, s.Fields()); err != nil {
		return "", err
	}
	return b.String(), nil
}

func quote(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	b.Truncate(b.Len() - 1)
}

func writeStruct(b *bytes.Buffer, fields []arrow.Field) error {
	b.WriteString(`{"type":"struct","fields":[`)
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		if f.Name == "" {
			return errors.New("schema: a column without name")
		}
		b.WriteString(`{"name":`)
		quote(b, f.Name)
		b.WriteString(`,"type":`)
		if err := writeType(b, f.Type); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		b.WriteString(`,"nullable":` + strconv.FormatBool(f.Nullable) + `,"metadata":{`)
		n := 0
		for j, k := range f.Metadata.Keys() {
			if strings.HasPrefix(k, "PARQUET:") || strings.HasPrefix(k, "ARROW:") {
				continue
			}
			if n++; n > 1 {
				b.WriteByte(',')
			}
			v := f.Metadata.Values()[j]
			if raw, ok := strings.CutPrefix(k, rawPrefix); ok && json.Valid([]byte(v)) {
				quote(b, raw)
				b.WriteString(":" + v)
				continue
			}
			quote(b, k)
			b.WriteByte(':')
			quote(b, v)
		}
		b.WriteString("}}")
	}
	b.WriteString("]}")
	return nil
}

func writeType(b *bytes.Buffer, t arrow.DataType) error {
	switch t := t.(type) {
	case *arrow.StructType:
		return writeStruct(b, t.Fields())
	case *arrow.ListType:
		b.WriteString(`{"type":"array","elementType":`)
		if err := writeType(b, t.Elem()); err != nil {
			return err
		}
		b.WriteString(`,"containsNull":` + strconv.FormatBool(t.ElemField().Nullable) + `}`)
		return nil
	case *arrow.MapType:
		b.WriteString(`{"type":"map","keyType":`)
		if err := writeType(b, t.KeyType()); err != nil {
			return err
		}
		b.WriteString(`,"valueType":`)
		if err := writeType(b, t.ItemType()); err != nil {
			return err
		}
		b.WriteString(`,"valueContainsNull":` + strconv.FormatBool(t.ItemField().Nullable) + `}`)
		return nil
	}
	name, err := Name(t)
	if err != nil {
		return err
	}
	quote(b, name)
	return nil
}

// Name is the schema text's name of a type that is not nested.
func Name(t arrow.DataType) (string, error) {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return "string", nil
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		return "binary", nil
	case arrow.INT64:
		return "long", nil
	case arrow.INT32:
		return "integer", nil
	case arrow.INT16:
		return "short", nil
	case arrow.INT8:
		return "byte", nil
	case arrow.FLOAT32:
		return "float", nil
	case arrow.FLOAT64:
		return "double", nil
	case arrow.BOOL:
		return "boolean", nil
	case arrow.DATE32:
		return "date", nil
	case arrow.NULL:
		return "void", nil
	case arrow.EXTENSION:
		if IsVariant(t) {
			return "variant", nil
		}
	case arrow.TIMESTAMP:
		if t.(*arrow.TimestampType).TimeZone == "" {
			return "timestamp_ntz", nil
		}
		return "timestamp", nil
	case arrow.DECIMAL128:
		d := t.(*arrow.Decimal128Type)
		return fmt.Sprintf("decimal(%d,%d)", d.Precision, d.Scale), nil
	}
	return "", fmt.Errorf("%w %s", ErrType, t)
}

// Normal is s with the types that the library works with: plain strings,
// microsecond timestamps in UTC, list elements named "element".
func Normal(s *arrow.Schema) (*arrow.Schema, error) {
	text, err := Text(s)
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// HasVariant tells whether a variant occurs in s.
func HasVariant(s *arrow.Schema) bool { return has(arrow.StructOf(s.Fields()...), IsVariant) }

// HasNTZ tells whether a timestamp without time zone occurs in s.
func HasNTZ(s *arrow.Schema) bool {
	return has(arrow.StructOf(s.Fields()...), func(t arrow.DataType) bool {
		ts, ok := t.(*arrow.TimestampType)
		return ok && ts.TimeZone == ""
	})
}

func has(t arrow.DataType, is func(arrow.DataType) bool) bool {
	if is(t) {
		return true
	}
	if n, ok := t.(arrow.NestedType); ok {
		for _, f := range n.Fields() {
			if has(f.Type, is) {
				return true
			}
		}
	}
	return false
}
