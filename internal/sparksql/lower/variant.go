package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// variantBlob is the type that carries a VARIANT between kernels; results show
// it as JSON text.
const variantBlob = "BLOB"

// variantPath are the paths that variant_get takes.
const variantPath = `\$([.][^.\[]+|\[[0-9]+\]|\['[^']*'\]|\["[^"]*"\])*`

func variantRules() map[string]rule {
	get := func(try bool) rule {
		return func(l *lowerer, c *plan.Call, a []string) string {
			var part string
			if p, ok := constText(c.Args[1]); ok {
				part = l.call("variant_get", a[:1], []string{variantBlob}, variantBlob, map[string]any{"path": p})
			} else {
				bad := raise("INVALID_VARIANT_GET_PATH", "22023", "A path into a VARIANT is malformed: it begins with $, followed by [n], .name, ['name'] or [\"name\"].")
				part = l.let(a[1], func(path string) string {
					return "CASE WHEN NOT regexp_full_match(" + path + ", " + quote(variantPath) + ") AND " + a[0] + " IS NOT NULL THEN " + bad +
						" ELSE " + l.call("variant_get", []string{a[0], path}, []string{variantBlob, "VARCHAR"}, variantBlob, nil) + " END"
				})
			}
			spec, _ := c.Const.(funcs.VariantSpec)
			k := caster{l: l, mode: plan.CastANSI, zone: l.opt.TimeZone}
			if try {
				k.mode = plan.CastTry
			}
			return k.fromVariant(part, spec.Type)
		}
	}
	return map[string]rule{
		"parse_json": raising("parse_json", "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023",
			"This text is no JSON, or has a key twice.", variantBlob, "VARCHAR"),
		"try_parse_json": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("parse_json", a, []string{"VARCHAR"}, variantBlob, nil)
		},
		"variant_get": get(false), "try_variant_get": get(true),
		"schema_of_variant": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("schema_of_variant", a, []string{variantBlob}, "VARCHAR", nil)
		},
		"is_variant_null": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("variant_is_null", a, []string{variantBlob}, "BOOLEAN", nil)
		},
		"to_variant_object": func(l *lowerer, c *plan.Call, a []string) string { return l.toVariant(a[0], c.Args[0].Type()) },
	}
}

// toVariant casts a value of type t to VARIANT.
func (l *lowerer) toVariant(x string, t types.Type) string {
	if _, ok := t.(types.Time); ok {
		return cast("NULL", variantBlob) // a VARIANT has no times
	}
	switch t {
	case types.Void:
		return cast("NULL", variantBlob)
	case types.Variant:
		return x
	}
	return l.call("to_variant", []string{x}, []string{l.duckType(t)}, variantBlob, map[string]any{"type": SchemaJSON(t)})
}

// fromVariant casts a VARIANT; what does not fit raises whatever the ANSI mode,
// but for TRY_CAST.
func (k caster) fromVariant(x string, to types.Type) string {
	if to == types.Variant {
		return x
	}
	dt := k.l.duckType(to)
	if _, ok := to.(types.Time); ok {
		return cast("NULL", dt)
	}
	params := map[string]any{"type": SchemaJSON(to), "zone": k.zone}
	val := func(v string) string { return k.l.call("variant_cast", []string{v}, []string{variantBlob}, dt, params) }
	if k.mode == plan.CastTry || to == types.String {
		return val(x)
	}
	return k.l.let(x, func(v string) string {
		test := map[string]any{"type": SchemaJSON(to), "zone": k.zone, "duck": dt}
		return "CASE WHEN " + k.l.call("variant_castable", []string{v}, []string{variantBlob}, "BOOLEAN", test) + " THEN " + val(v) +
			" WHEN " + v + " IS NOT NULL THEN " + raise("INVALID_VARIANT_CAST", "22023", "This VARIANT cannot be cast to "+to.SQL()+".") + " END"
	})
}

// hasVariant tells whether results show values of t in another form.
func hasVariant(t types.Type) bool {
	return types.Contains(t, func(t types.Type) bool { return t == types.Variant || t == types.Calendar })
}

// present makes a value of type t what a result shows: VARIANTs as JSON text.
// It gives the text and its DuckDB type.
func (l *lowerer) present(x string, t types.Type) (text, duckType string) {
	if l.opt.Encoded || !hasVariant(t) {
		dt := l.duckType(t)
		return cast(x, dt), dt
	}
	switch t := t.(type) {
	case types.Array:
		e := l.fresh("e")
		inner, dt := l.present(e, t.Elem)
		return "list_transform(" + x + ", lambda " + e + ": " + inner + ")", dt + "[]"
	case types.Map:
		e := l.fresh("e")
		key, kt := l.present(e+".key", t.Key)
		val, vt := l.present(e+".value", t.Value)
		return "map_from_entries(list_transform(map_entries(" + x + "), lambda " + e + ": {'key': " + key + ", 'value': " + val + "}))", "MAP(" + kt + ", " + vt + ")"
	case types.Struct:
		parts, ts, names := make([]string, len(t.Fields)), make([]string, len(t.Fields)), fieldNames(t)
		for i, f := range t.Fields {
			v, dt := l.present("struct_extract("+x+", "+quote(names[i])+")", f.Type)
			parts[i], ts[i] = quote(names[i])+": "+v, ident(names[i])+" "+dt
		}
		return "CASE WHEN " + x + " IS NOT NULL THEN {" + strings.Join(parts, ", ") + "} END", "STRUCT(" + strings.Join(ts, ", ") + ")"
	}
	if t == types.Calendar {
		return calendarText(x), "VARCHAR"
	}
	return l.call("variant_to_json", []string{x}, []string{variantBlob}, "VARCHAR", map[string]any{"zone": l.opt.TimeZone}), "VARCHAR"
}
