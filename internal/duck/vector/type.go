package vector

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	duckdb "github.com/duckdb/duckdb-go-bindings"
)

// ID is DuckDB's type id.
type ID = duckdb.Type

// ErrType is the family of errors about types that cannot cross.
var ErrType = errors.New("type cannot cross between DuckDB and Arrow")

// Type is a DuckDB type.
type Type struct {
	ID               ID
	Precision, Scale uint8   // DECIMAL
	Size             int     // ARRAY
	Elem             *Type   // LIST, ARRAY: the element; MAP: the value
	Key              *Type   // MAP
	Fields           []Field // STRUCT
}

// Field is a field of a STRUCT.
type Field struct {
	Name string
	Type Type
}

// scalars are the names that DuckDB prints; synonyms only parse.
var scalars = map[ID]string{
	duckdb.TypeBoolean: "BOOLEAN", duckdb.TypeTinyInt: "TINYINT", duckdb.TypeSmallInt: "SMALLINT",
	duckdb.TypeInteger: "INTEGER", duckdb.TypeBigInt: "BIGINT", duckdb.TypeHugeInt: "HUGEINT",
	duckdb.TypeUTinyInt: "UTINYINT", duckdb.TypeUSmallInt: "USMALLINT", duckdb.TypeUInteger: "UINTEGER",
	duckdb.TypeUBigInt: "UBIGINT", duckdb.TypeFloat: "FLOAT", duckdb.TypeDouble: "DOUBLE",
	duckdb.TypeVarchar: "VARCHAR", duckdb.TypeBlob: "BLOB", duckdb.TypeDate: "DATE", duckdb.TypeTime: "TIME",
	duckdb.TypeTimestamp: "TIMESTAMP", duckdb.TypeTimestampTZ: "TIMESTAMP WITH TIME ZONE",
	duckdb.TypeTimestampS: "TIMESTAMP_S", duckdb.TypeTimestampMS: "TIMESTAMP_MS", duckdb.TypeTimestampNS: "TIMESTAMP_NS",
	duckdb.TypeInterval: "INTERVAL", duckdb.TypeUUID: "UUID", duckdb.TypeSQLNull: "\"NULL\"",
}

var synonyms = map[string]ID{
	"BOOL": duckdb.TypeBoolean, "INT": duckdb.TypeInteger, "INT1": duckdb.TypeTinyInt, "INT2": duckdb.TypeSmallInt,
	"INT4": duckdb.TypeInteger, "INT8": duckdb.TypeBigInt, "LONG": duckdb.TypeBigInt, "REAL": duckdb.TypeFloat,
	"FLOAT4": duckdb.TypeFloat, "FLOAT8": duckdb.TypeDouble, "STRING": duckdb.TypeVarchar, "TEXT": duckdb.TypeVarchar,
	"BINARY": duckdb.TypeBlob, "BYTEA": duckdb.TypeBlob, "TIMESTAMPTZ": duckdb.TypeTimestampTZ,
	"DATETIME": duckdb.TypeTimestamp, "NULL": duckdb.TypeSQLNull,
}

// String is the type as DuckDB prints it.
func (t Type) String() string {
	switch t.ID {
	case duckdb.TypeDecimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case duckdb.TypeList:
		return t.Elem.String() + "[]"
	case duckdb.TypeArray:
		return t.Elem.String() + "[" + strconv.Itoa(t.Size) + "]"
	case duckdb.TypeMap:
		return "MAP(" + t.Key.String() + ", " + t.Elem.String() + ")"
	case duckdb.TypeStruct:
		var b strings.Builder
		b.WriteString("STRUCT(")
		for i, f := range t.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(`"` + strings.ReplaceAll(f.Name, `"`, `""`) + `" ` + f.Type.String())
		}
		return b.String() + ")"
	}
	if s, ok := scalars[t.ID]; ok {
		return s
	}
	return fmt.Sprintf("type %d", t.ID)
}

// Equal compares types; the names of fields count, with their case.
func (t Type) Equal(o Type) bool { return t.String() == o.String() }

// Nested tells a LIST, ARRAY, MAP or STRUCT from a scalar.
func (t Type) Nested() bool { return t.Elem != nil || t.ID == duckdb.TypeStruct }

// Logical makes DuckDB's handle of the type: the caller destroys it.
func (t Type) Logical() duckdb.LogicalType {
	switch t.ID {
	case duckdb.TypeDecimal:
		return duckdb.CreateDecimalType(t.Precision, t.Scale)
	case duckdb.TypeList, duckdb.TypeArray:
		e := t.Elem.Logical()
		defer duckdb.DestroyLogicalType(&e)
		if t.ID == duckdb.TypeArray {
			return duckdb.CreateArrayType(e, duckdb.IdxT(t.Size))
		}
		return duckdb.CreateListType(e)
	case duckdb.TypeMap:
		k, v := t.Key.Logical(), t.Elem.Logical()
		defer duckdb.DestroyLogicalType(&k)
		defer duckdb.DestroyLogicalType(&v)
		return duckdb.CreateMapType(k, v)
	case duckdb.TypeStruct:
		types, names := make([]duckdb.LogicalType, len(t.Fields)), make([]string, len(t.Fields))
		for i, f := range t.Fields {
			types[i], names[i] = f.Type.Logical(), f.Name
			defer duckdb.DestroyLogicalType(&types[i])
		}
		return duckdb.CreateStructType(types, names)
	}
	return duckdb.CreateLogicalType(t.ID)
}

// FromLogical reads a handle, which stays the caller's.
func FromLogical(l duckdb.LogicalType) Type {
	t := Type{ID: duckdb.GetTypeId(l)}
	child := func(c duckdb.LogicalType) *Type {
		defer duckdb.DestroyLogicalType(&c)
		e := FromLogical(c)
		return &e
	}
	switch t.ID {
	case duckdb.TypeDecimal:
		t.Precision, t.Scale = duckdb.DecimalWidth(l), duckdb.DecimalScale(l)
	case duckdb.TypeList:
		t.Elem = child(duckdb.ListTypeChildType(l))
	case duckdb.TypeArray:
		t.Elem, t.Size = child(duckdb.ArrayTypeChildType(l)), int(duckdb.ArrayTypeArraySize(l))
	case duckdb.TypeMap:
		t.Key, t.Elem = child(duckdb.MapTypeKeyType(l)), child(duckdb.MapTypeValueType(l))
	case duckdb.TypeStruct:
		for i := range duckdb.StructTypeChildCount(l) {
			t.Fields = append(t.Fields, Field{duckdb.StructTypeChildName(l, i), *child(duckdb.StructTypeChildType(l, i))})
		}
	}
	return t
}

// FromArrow is the DuckDB type in which an Arrow type enters.
func FromArrow(a arrow.DataType) (Type, error) {
	switch a := a.(type) {
	case arrow.ExtensionType:
		return FromArrow(a.StorageType())
	case *arrow.Decimal128Type:
		if a.Precision < 1 || a.Precision > 38 || a.Scale < 0 || a.Scale > a.Precision {
			return Type{}, fmt.Errorf("%w: %s", ErrType, a)
		}
		return Type{ID: duckdb.TypeDecimal, Precision: uint8(a.Precision), Scale: uint8(a.Scale)}, nil
	case *arrow.TimestampType:
		if a.TimeZone != "" {
			return Type{ID: duckdb.TypeTimestampTZ}, nil
		}
		return Type{ID: duckdb.TypeTimestamp}, nil
	case *arrow.MapType:
		k, err := FromArrow(a.KeyType())
		if err != nil {
			return Type{}, err
		}
		v, err := FromArrow(a.ItemType())
		return Type{ID: duckdb.TypeMap, Key: &k, Elem: &v}, err
	case *arrow.ListType:
		e, err := FromArrow(a.Elem())
		return Type{ID: duckdb.TypeList, Elem: &e}, err
	case *arrow.StructType:
		t := Type{ID: duckdb.TypeStruct}
		for _, f := range a.Fields() {
			ft, err := FromArrow(f.Type)
			if err != nil {
				return Type{}, err
			}
			t.Fields = append(t.Fields, Field{f.Name, ft})
		}
		if len(t.Fields) == 0 {
			t.Fields = []Field{{NoField, Type{ID: duckdb.TypeBoolean}}}
		}
		return t, nil
	}
	if id, ok := arrowScalars[a.ID()]; ok {
		return Type{ID: id}, nil
	}
	return Type{}, fmt.Errorf("%w: Arrow %s", ErrType, a)
}

var arrowScalars = map[arrow.Type]ID{
	arrow.NULL: duckdb.TypeInteger, arrow.BOOL: duckdb.TypeBoolean, arrow.INT8: duckdb.TypeTinyInt, arrow.INT16: duckdb.TypeSmallInt,
	arrow.INT32: duckdb.TypeInteger, arrow.INT64: duckdb.TypeBigInt, arrow.UINT8: duckdb.TypeUTinyInt,
	arrow.UINT16: duckdb.TypeUSmallInt, arrow.UINT32: duckdb.TypeUInteger, arrow.UINT64: duckdb.TypeUBigInt,
	arrow.FLOAT32: duckdb.TypeFloat, arrow.FLOAT64: duckdb.TypeDouble, arrow.STRING: duckdb.TypeVarchar,
	arrow.BINARY: duckdb.TypeBlob, arrow.LARGE_STRING: duckdb.TypeVarchar, arrow.LARGE_BINARY: duckdb.TypeBlob,
	arrow.DATE32: duckdb.TypeDate, arrow.TIME64: duckdb.TypeTime, arrow.INTERVAL_MONTH_DAY_NANO: duckdb.TypeInterval,
}

// NoField names the one field, a BOOLEAN that is NULL, of a STRUCT that stands for
// one without fields, which DuckDB cannot have.
const NoField = "#none"

// fieldless tells whether t stands for a STRUCT without fields.
func (t Type) fieldless() bool { return len(t.Fields) == 1 && t.Fields[0].Name == NoField }

// Arrow is the Arrow type in which the type leaves: TIMESTAMPTZ in UTC,
// HUGEINT as DECIMAL(38,0). Names of list and map fields are those of Parquet.
func (t Type) Arrow() (arrow.DataType, error) {
	switch t.ID {
	case duckdb.TypeDecimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}, nil
	case duckdb.TypeHugeInt:
		return &arrow.Decimal128Type{Precision: 38}, nil
	case duckdb.TypeTimestampTZ:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, nil
	case duckdb.TypeTimestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond}, nil
	case duckdb.TypeTimestampS:
		return &arrow.TimestampType{Unit: arrow.Second}, nil
	case duckdb.TypeTimestampMS:
		return &arrow.TimestampType{Unit: arrow.Millisecond}, nil
	case duckdb.TypeTimestampNS:
		return &arrow.TimestampType{Unit: arrow.Nanosecond}, nil
	case duckdb.TypeTime:
		return arrow.FixedWidthTypes.Time64us, nil
	case duckdb.TypeSQLNull:
		return arrow.Null, nil
	case duckdb.TypeList, duckdb.TypeArray:
		e, err := t.Elem.Arrow()
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(arrow.Field{Name: "element", Type: e, Nullable: true}), nil
	case duckdb.TypeMap:
		k, err := t.Key.Arrow()
		if err != nil {
			return nil, err
		}
		v, err := t.Elem.Arrow()
		if err != nil {
			return nil, err
		}
		return arrow.MapOf(k, v), nil
	case duckdb.TypeStruct:
		if t.fieldless() {
			return arrow.StructOf(), nil
		}
		fs := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			a, err := f.Type.Arrow()
			if err != nil {
				return nil, err
			}
			fs[i] = arrow.Field{Name: f.Name, Type: a, Nullable: true}
		}
		return arrow.StructOf(fs...), nil
	}
	if a, ok := toArrow[t.ID]; ok {
		return a, nil
	}
	return nil, fmt.Errorf("%w: %s has no Arrow type here, cast it in the query", ErrType, t)
}

var toArrow = map[ID]arrow.DataType{
	duckdb.TypeBoolean: arrow.FixedWidthTypes.Boolean, duckdb.TypeTinyInt: arrow.PrimitiveTypes.Int8,
	duckdb.TypeSmallInt: arrow.PrimitiveTypes.Int16, duckdb.TypeInteger: arrow.PrimitiveTypes.Int32,
	duckdb.TypeBigInt: arrow.PrimitiveTypes.Int64, duckdb.TypeUTinyInt: arrow.PrimitiveTypes.Uint8,
	duckdb.TypeUSmallInt: arrow.PrimitiveTypes.Uint16, duckdb.TypeUInteger: arrow.PrimitiveTypes.Uint32,
	duckdb.TypeUBigInt: arrow.PrimitiveTypes.Uint64, duckdb.TypeFloat: arrow.PrimitiveTypes.Float32,
	duckdb.TypeDouble: arrow.PrimitiveTypes.Float64, duckdb.TypeVarchar: arrow.BinaryTypes.String,
	duckdb.TypeBlob: arrow.BinaryTypes.Binary, duckdb.TypeDate: arrow.FixedWidthTypes.Date32,
}

// width is the size in bytes of a value in a vector, 0 for nested types.
func (t Type) width() int {
	switch t.ID {
	case duckdb.TypeBoolean, duckdb.TypeTinyInt, duckdb.TypeUTinyInt:
		return 1
	case duckdb.TypeSmallInt, duckdb.TypeUSmallInt:
		return 2
	case duckdb.TypeInteger, duckdb.TypeUInteger, duckdb.TypeFloat, duckdb.TypeDate, duckdb.TypeSQLNull:
		return 4
	case duckdb.TypeHugeInt, duckdb.TypeVarchar, duckdb.TypeBlob:
		return 16
	case duckdb.TypeDecimal:
		switch {
		case t.Precision <= 4:
			return 2
		case t.Precision <= 9:
			return 4
		case t.Precision <= 18:
			return 8
		}
		return 16
	case duckdb.TypeList, duckdb.TypeMap:
		return int(unsafe.Sizeof(Entry{}))
	case duckdb.TypeStruct, duckdb.TypeArray:
		return 0
	}
	return 8
}
