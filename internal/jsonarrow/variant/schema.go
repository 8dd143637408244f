package variant

import (
	"fmt"
	"math/big"
	"sort"
	"strings"
)

// Schema is the type that schema_of_variant gives a value: nil is VOID.
type Schema struct {
	kind   string // BIGINT, DECIMAL, ARRAY, OBJECT, VARIANT, ...
	p, s   int    // of DECIMAL
	elem   *Schema
	fields map[string]*Schema
}

// SchemaOf is the type of v.
func SchemaOf(v Value) *Schema {
	switch v := v.(type) {
	case bool:
		return &Schema{kind: "BOOLEAN"}
	case int64:
		return &Schema{kind: "BIGINT"}
	case Decimal:
		digits := len(new(big.Int).Abs(v.V).String())
		return &Schema{kind: "DECIMAL", p: max(digits, v.Scale), s: v.Scale}
	case float64:
		return &Schema{kind: "DOUBLE"}
	case float32:
		return &Schema{kind: "FLOAT"}
	case string:
		return &Schema{kind: "STRING"}
	case []byte:
		return &Schema{kind: "BINARY"}
	case Date:
		return &Schema{kind: "DATE"}
	case Timestamp:
		return &Schema{kind: "TIMESTAMP"}
	case Local:
		return &Schema{kind: "TIMESTAMP_NTZ"}
	case Opaque:
		if v.Type == primUUID {
			return &Schema{kind: "UUID"}
		}
		return &Schema{kind: "VARIANT"}
	case []Value:
		out := &Schema{kind: "ARRAY"}
		for _, e := range v {
			out.elem = out.elem.Merge(SchemaOf(e))
		}
		return out
	case *Object:
		out := &Schema{kind: "OBJECT", fields: map[string]*Schema{}}
		for i, k := range v.Keys {
			out.fields[k] = SchemaOf(v.Values[i])
		}
		return out
	}
	return nil
}

// Merge is the type that holds values of both.
func (s *Schema) Merge(o *Schema) *Schema {
	switch {
	case s == nil:
		return o
	case o == nil:
		return s
	case s.kind == "ARRAY" && o.kind == "ARRAY":
		return &Schema{kind: "ARRAY", elem: s.elem.Merge(o.elem)}
	case s.kind == "OBJECT" && o.kind == "OBJECT":
		out := &Schema{kind: "OBJECT", fields: map[string]*Schema{}}
		for _, f := range []map[string]*Schema{s.fields, o.fields} {
			for k, t := range f {
				out.fields[k] = out.fields[k].Merge(t)
			}
		}
		return out
	case s.kind == o.kind && s.kind != "DECIMAL":
		return s
	}
	if t := mergeNumbers(s, o); t != nil {
		return t
	}
	return &Schema{kind: "VARIANT"}
}

func mergeNumbers(a, b *Schema) *Schema {
	rank := map[string]int{"BIGINT": 1, "DECIMAL": 2, "FLOAT": 3, "DOUBLE": 4}
	ra, rb := rank[a.kind], rank[b.kind]
	if ra == 0 || rb == 0 {
		return nil
	}
	if max(ra, rb) > 2 {
		return &Schema{kind: "DOUBLE"}
	}
	exact := func(s *Schema) (whole, scale int) {
		if s.kind == "BIGINT" {
			return 20, 0
		}
		return s.p - s.s, s.s
	}
	wa, sa := exact(a)
	wb, sb := exact(b)
	w, s := max(wa, wb), max(sa, sb)
	if w+s > 38 {
		return &Schema{kind: "DOUBLE"}
	}
	return &Schema{kind: "DECIMAL", p: w + s, s: s}
}

// String is the type in Spark's words.
func (s *Schema) String() string {
	if s == nil {
		return "VOID"
	}
	switch s.kind {
	case "DECIMAL":
		return fmt.Sprintf("DECIMAL(%d,%d)", s.p, s.s)
	case "ARRAY":
		return "ARRAY<" + s.elem.String() + ">"
	case "OBJECT":
		names := make([]string, 0, len(s.fields))
		for k := range s.fields {
			names = append(names, k)
		}
		sort.Strings(names)
		for i, k := range names {
			names[i] = quoteIfNeeded(k) + ": " + s.fields[k].String()
		}
		return "OBJECT<" + strings.Join(names, ", ") + ">"
	}
	return s.kind
}

func quoteIfNeeded(name string) string {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return "`" + strings.ReplaceAll(name, "`", "``") + "`"
		}
	}
	if name == "" {
		return "``"
	}
	return name
}

// Columns is the schema that reading JSON of this type takes, as text: what Spark
// infers from JSON files. It is "" for what has no fields.
func (s *Schema) Columns() string {
	if s == nil || s.kind != "OBJECT" {
		return ""
	}
	names := make([]string, 0, len(s.fields))
	for k := range s.fields {
		names = append(names, k)
	}
	sort.Strings(names)
	var out []string
	for _, k := range names {
		if t := s.fields[k].column(); t != "" {
			out = append(out, "`"+strings.ReplaceAll(k, "`", "``")+"` "+t)
		}
	}
	return strings.Join(out, ", ")
}

// column is the type of a column for values of s, "" for objects without fields.
func (s *Schema) column() string {
	if s == nil {
		return "STRING"
	}
	switch s.kind {
	case "OBJECT":
		fields := s.Columns()
		if fields == "" {
			return ""
		}
		return "STRUCT<" + fields + ">"
	case "ARRAY":
		elem := s.elem.column()
		if elem == "" {
			return ""
		}
		return "ARRAY<" + elem + ">"
	case "BIGINT", "BOOLEAN", "DOUBLE":
		return s.kind
	case "DECIMAL":
		if s.s == 0 {
			return s.String()
		}
		return "DOUBLE"
	}
	return "STRING"
}
