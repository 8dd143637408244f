package lower

import (
	"encoding/json"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func jsonRules() map[string]rule {
	return map[string]rule{
		"from_json": fromJSON,
		"to_json": func(l *lowerer, c *plan.Call, a []string) string {
			spec, _ := c.Const.(funcs.JSONSpec)
			t := c.Args[0].Type()
			if t == types.Void {
				return cast("NULL", "VARCHAR")
			}
			if t == types.Variant {
				return l.call("variant_to_json", a, []string{variantBlob}, "VARCHAR", map[string]any{"zone": l.opt.TimeZone})
			}
			return l.call("to_json", a, []string{l.duckType(t)}, "VARCHAR",
				map[string]any{"schema": string(SchemaJSON(t)), "zone": l.opt.TimeZone, "options": spec.Options})
		},
		"schema_of_json": func(l *lowerer, c *plan.Call, _ []string) string {
			text, ok := funcs.SchemaOfJSON(c)
			if !ok {
				return l.fail(errPlan)
			}
			return quote(text)
		},
		"get_json_object": func(l *lowerer, c *plan.Call, a []string) string {
			if p, ok := constText(c.Args[1]); ok {
				return l.call("get_json_object", a[:1], []string{"VARCHAR"}, "VARCHAR", map[string]any{"path": p})
			}
			return l.call("get_json_object", a, []string{"VARCHAR", "VARCHAR"}, "VARCHAR", nil)
		},
		"json_array_length": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("json_array_length", a, []string{"VARCHAR"}, "INTEGER", nil)
		},
		"json_object_keys": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("json_object_keys", a, []string{"VARCHAR"}, "VARCHAR[]", nil)
		},
	}
}

// fromJSON parses in a kernel; FAILFAST raises where it gives NULL for a text
// that is not empty.
func fromJSON(l *lowerer, c *plan.Call, a []string) string {
	spec, ok := c.Const.(funcs.JSONSpec)
	if !ok {
		return l.fail(errPlan)
	}
	params := jsonParams(spec, l.opt.TimeZone)
	parse := func(x string) string {
		if c.Typ == types.Variant {
			return l.call("parse_json", []string{x}, []string{"VARCHAR"}, variantBlob, nil)
		}
		if whole, ok := l.wholeVariant(c.Typ, spec, x); ok {
			return whole
		}
		return l.call("from_json", []string{x}, []string{"VARCHAR"}, l.duckType(c.Typ), params)
	}
	if spec.Mode() != "FAILFAST" {
		return parse(a[0])
	}
	return l.let(a[0], func(x string) string {
		list := ""
		if _, ok := c.Typ.(types.Struct); ok {
			list = "CASE WHEN starts_with(trim(" + x + "), '[') THEN " +
				raise("MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_JSON_ARRAYS_AS_STRUCTS", "22023", "A JSON record is an array, the schema a STRUCT, and the parse mode FAILFAST.") + " END, "
		}
		return "CASE WHEN trim(" + x + ") <> '' THEN coalesce(" + parse(x) + ", " + list +
			raise("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", "A JSON record is malformed, and the parse mode is FAILFAST.") + ") END"
	})
}

// wholeVariant reads the whole document into the one VARIANT that the option
// singleVariantColumn names.
func (l *lowerer) wholeVariant(t types.Type, spec funcs.JSONSpec, x string) (string, bool) {
	st, ok := t.(types.Struct)
	name := spec.Options["singlevariantcolumn"]
	if !ok || len(st.Fields) != 1 || st.Fields[0].Name != name || st.Fields[0].Type != types.Variant {
		return "", false
	}
	v := l.call("parse_json", []string{x}, []string{"VARCHAR"}, variantBlob, nil)
	return "CASE WHEN " + x + " IS NOT NULL THEN {" + quote(name) + ": " + v + "} END", true
}

func jsonParams(spec funcs.JSONSpec, zone string) map[string]any {
	return map[string]any{"schema": string(SchemaJSON(spec.Type)), "mode": spec.Mode(), "corrupt": spec.CorruptColumn(),
		"zone": zone, "options": spec.Options}
}

// JSONParams are the parameters of the from_json kernel for a call, for who
// parses documents before DuckDB sees them.
func JSONParams(spec funcs.JSONSpec, zone string) (json.RawMessage, error) {
	return json.Marshal(jsonParams(spec, zone))
}

// SchemaJSON is a type as Spark's schema JSON prints it.
func SchemaJSON(t types.Type) json.RawMessage {
	b, err := json.Marshal(schemaValue(t))
	if err != nil {
		return json.RawMessage("null") // cannot be: strings, numbers and maps only
	}
	return b
}

func schemaValue(t types.Type) any {
	switch t := t.(type) {
	case types.Array:
		return map[string]any{"type": "array", "elementType": schemaValue(t.Elem), "containsNull": t.ContainsNull}
	case types.Map:
		return map[string]any{"type": "map", "keyType": schemaValue(t.Key), "valueType": schemaValue(t.Value), "valueContainsNull": t.ValueContainsNull}
	case types.Struct:
		fields := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = map[string]any{"name": f.Name, "type": schemaValue(f.Type), "nullable": f.Nullable, "metadata": map[string]any{}}
		}
		return map[string]any{"type": "struct", "fields": fields}
	}
	return types.SchemaName(t)
}
