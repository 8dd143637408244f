package types

import (
	"fmt"
	"strings"
)

// Type is one of Primitive, Decimal, Char, Collated, Time, Array, Map, Struct, YearMonth,
// DayTime, Spatial. Types are immutable; compare with Equal.
type Type interface {
	// String is Spark's simpleString: "int", "decimal(10,2)", "array<int>".
	String() string
	// SQL is the text of a CAST target: "INT", "DECIMAL(10,2)", "ARRAY<INT>".
	SQL() string
	isType()
}

// Primitive is a type without parameters.
type Primitive uint8

// The types without parameters, in the order of Spark's numeric precedence.
const (
	Void Primitive = iota
	Boolean
	TinyInt
	SmallInt
	Int
	BigInt
	Float
	Double
	String
	Binary
	Date
	Timestamp    // an instant, shown in the session's time zone
	TimestampNTZ // local date and time without a zone
	Variant
	Calendar // months, days and microseconds that do not mix: what make_interval gives
)

var primitives = [...][2]string{
	Void: {"void", "VOID"}, Boolean: {"boolean", "BOOLEAN"}, TinyInt: {"tinyint", "TINYINT"},
	SmallInt: {"smallint", "SMALLINT"}, Int: {"int", "INT"}, BigInt: {"bigint", "BIGINT"},
	Float: {"float", "FLOAT"}, Double: {"double", "DOUBLE"}, String: {"string", "STRING"},
	Binary: {"binary", "BINARY"}, Date: {"date", "DATE"}, Timestamp: {"timestamp", "TIMESTAMP"},
	TimestampNTZ: {"timestamp_ntz", "TIMESTAMP_NTZ"}, Variant: {"variant", "VARIANT"},
	Calendar: {"interval", "INTERVAL"},
}

// MaxPrecision is the largest precision of a DECIMAL.
const MaxPrecision = 38

// Decimal is DECIMAL(Precision, Scale), 1 <= Precision <= 38, 0 <= Scale <= Precision.
type Decimal struct{ Precision, Scale int }

// Char is CHAR(Length) or, with Var, VARCHAR(Length). Queries see both as
// STRING; only declared columns carry them.
type Char struct {
	Length int
	Var    bool
}

// Array is ARRAY<Elem>.
type Array struct {
	Elem         Type
	ContainsNull bool
}

// Map is MAP<Key, Value>.
type Map struct {
	Key, Value        Type
	ValueContainsNull bool
}

// Field is a field of a Struct.
type Field struct {
	Name     string
	Type     Type
	Nullable bool
	Comment  string
}

// Struct is STRUCT<...>.
type Struct struct{ Fields []Field }

// Unit is a field of an interval type, from the largest.
type Unit uint8

// Interval units: YEAR and MONTH of YearMonth, DAY to SECOND of DayTime.
const (
	Year Unit = iota
	Month
	Day
	Hour
	Minute
	Second
)

var units = [...]string{"year", "month", "day", "hour", "minute", "second"}

// String is the unit in lower case.
func (u Unit) String() string { return units[u] }

// YearMonth is INTERVAL From TO To, a count of months.
type YearMonth struct{ From, To Unit }

// DayTime is INTERVAL From TO To, a count of microseconds.
type DayTime struct{ From, To Unit }

// Time is TIME(Precision), a time of day in microseconds; Precision is 0 to 6.
type Time struct{ Precision int }

func (Time) isType()      {}
func (Primitive) isType() {}
func (Decimal) isType()   {}
func (Char) isType()      {}
func (Array) isType()     {}
func (Map) isType()       {}
func (Struct) isType()    {}
func (YearMonth) isType() {}
func (DayTime) isType()   {}

func (p Primitive) String() string { return primitives[p][0] }
func (d Decimal) String() string   { return fmt.Sprintf("decimal(%d,%d)", d.Precision, d.Scale) }
func (c Char) String() string {
	if c.Var {
		return fmt.Sprintf("varchar(%d)", c.Length)
	}
	return fmt.Sprintf("char(%d)", c.Length)
}
func (a Array) String() string { return "array<" + a.Elem.String() + ">" }
func (m Map) String() string   { return "map<" + m.Key.String() + "," + m.Value.String() + ">" }
func (s Struct) String() string {
	parts := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		parts[i] = f.Name + ":" + f.Type.String()
	}
	return "struct<" + strings.Join(parts, ",") + ">"
}
func (t Time) String() string      { return fmt.Sprintf("time(%d)", t.Precision) }
func (y YearMonth) String() string { return interval(y.From, y.To) }
func (d DayTime) String() string   { return interval(d.From, d.To) }

func interval(from, to Unit) string {
	if from == to {
		return "interval " + from.String()
	}
	return "interval " + from.String() + " to " + to.String()
}

// SQL is the CAST target's text.
func (p Primitive) SQL() string { return primitives[p][1] }

// SQL is the CAST target's text.
func (d Decimal) SQL() string { return strings.ToUpper(d.String()) }

// SQL is the CAST target's text.
func (t Time) SQL() string { return strings.ToUpper(t.String()) }

// SQL is the CAST target's text.
func (c Char) SQL() string { return strings.ToUpper(c.String()) }

// SQL is the CAST target's text.
func (a Array) SQL() string { return "ARRAY<" + a.Elem.SQL() + ">" }

// SQL is the CAST target's text.
func (m Map) SQL() string { return "MAP<" + m.Key.SQL() + ", " + m.Value.SQL() + ">" }

// SQL is the CAST target's text; field names that are no plain identifiers
// stand in backticks.
func (s Struct) SQL() string {
	parts := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		parts[i] = QuoteIfNeeded(f.Name) + ": " + f.Type.SQL()
		if !f.Nullable {
			parts[i] += " NOT NULL"
		}
	}
	return "STRUCT<" + strings.Join(parts, ", ") + ">"
}

// SQL is the CAST target's text.
func (y YearMonth) SQL() string { return strings.ToUpper(y.String()) }

// SQL is the CAST target's text.
func (d DayTime) SQL() string { return strings.ToUpper(d.String()) }

// QuoteIfNeeded puts an identifier in backticks unless it is plain
// ([A-Za-z_][A-Za-z0-9_]*).
func QuoteIfNeeded(name string) string {
	plain := name != ""
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			plain = false
			break
		}
	}
	if plain {
		return name
	}
	return Quote(name)
}

// Quote puts an identifier in backticks.
func Quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// QuoteText is a text as SQL's literal of it.
func QuoteText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// Equal compares two types, including field names (case-sensitively) but not
// nullability or comments: what Spark calls sameType with names.
func Equal(a, b Type) bool {
	switch x := a.(type) {
	case Array:
		y, ok := b.(Array)
		return ok && Equal(x.Elem, y.Elem)
	case Map:
		y, ok := b.(Map)
		return ok && Equal(x.Key, y.Key) && Equal(x.Value, y.Value)
	case Struct:
		y, ok := b.(Struct)
		if !ok || len(x.Fields) != len(y.Fields) {
			return false
		}
		for i := range x.Fields {
			if x.Fields[i].Name != y.Fields[i].Name || !Equal(x.Fields[i].Type, y.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case Array, Map, Struct:
		return false
	}
	return a == b
}

// Contains tells whether is holds for t or for a type inside it, at any depth.
func Contains(t Type, is func(Type) bool) bool {
	if is(t) {
		return true
	}
	switch t := t.(type) {
	case Array:
		return Contains(t.Elem, is)
	case Map:
		return Contains(t.Key, is) || Contains(t.Value, is)
	case Struct:
		for _, f := range t.Fields {
			if Contains(f.Type, is) {
				return true
			}
		}
	}
	return false
}

// Replace is t with what to makes of each type in it that holds no others.
func Replace(t Type, to func(Type) Type) Type {
	switch t := t.(type) {
	case Array:
		return Array{Elem: Replace(t.Elem, to), ContainsNull: t.ContainsNull}
	case Map:
		return Map{Key: Replace(t.Key, to), Value: Replace(t.Value, to), ValueContainsNull: t.ValueContainsNull}
	case Struct:
		out := Struct{Fields: make([]Field, len(t.Fields))}
		for i, f := range t.Fields {
			f.Type = Replace(f.Type, to)
			out.Fields[i] = f
		}
		return out
	}
	return to(t)
}

// SchemaName is the name of a type that is not nested in a schema's JSON, where
// integers have names of their own.
func SchemaName(t Type) string {
	switch t {
	case TinyInt:
		return "byte"
	case SmallInt:
		return "short"
	case Int:
		return "integer"
	case BigInt:
		return "long"
	}
	return t.String()
}

// IsNumeric tells whether t is an integer, floating or decimal type.
func IsNumeric(t Type) bool {
	_, dec := t.(Decimal)
	return dec || IsIntegral(t) || IsFloating(t)
}

// IsIntegral tells whether t is TINYINT, SMALLINT, INT or BIGINT.
func IsIntegral(t Type) bool {
	p, ok := t.(Primitive)
	return ok && p >= TinyInt && p <= BigInt
}

// IsFloating tells whether t is FLOAT or DOUBLE.
func IsFloating(t Type) bool { return t == Float || t == Double }

// IsString tells whether t is STRING, CHAR or VARCHAR.
func IsString(t Type) bool {
	switch t.(type) {
	case Char, Collated:
		return true
	}
	return t == String
}
