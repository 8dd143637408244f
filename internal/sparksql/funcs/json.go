package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// JSONSpec is the Const of from_json, to_json and schema_of_json calls:
// Type is the schema to read (from_json), Options have lower-case keys.
type JSONSpec struct {
	Type    types.Type
	Options map[string]string
}

// Mode is the parse mode, PERMISSIVE unless it is FAILFAST or DROPMALFORMED.
func (s JSONSpec) Mode() string {
	switch m := strings.ToUpper(s.Options["mode"]); m {
	case "FAILFAST", "DROPMALFORMED":
		return m
	}
	return "PERMISSIVE" // Spark reads an unknown mode so, too
}

// CorruptColumn is the field that takes malformed text, when the schema has it.
func (s JSONSpec) CorruptColumn() string {
	if n := s.Options["columnnameofcorruptrecord"]; n != "" {
		return n
	}
	return "_corrupt_record"
}

// checkCorrupt refuses a column of corrupt records that is no STRING.
func (s JSONSpec) checkCorrupt(c *call) error {
	st, _ := s.Type.(types.Struct)
	for _, f := range st.Fields {
		if f.Name == s.CorruptColumn() && !types.IsString(f.Type) {
			return errf(c.ctx, "INVALID_CORRUPT_RECORD_TYPE", "42804", "The column %s of corrupt records must be a STRING, not %s.", quoteName(f.Name), quoteType(f.Type))
		}
	}
	return nil
}

func jsonDefs() []*Def {
	str := types.String
	firstOnly := func(name string) func(plan.Expr, []string) string {
		return func(_ plan.Expr, a []string) string { return name + "(" + a[0] + ")" }
	}
	return []*Def{
		(&Def{Name: "from_json", Min: 2, Max: 3, fit: fitFromJSON, typ: func(c *call) types.Type {
			spec, _ := c.konst.(JSONSpec)
			return spec.Type
		}, raises: func(c *call) bool {
			spec, _ := c.konst.(JSONSpec)
			return spec.Mode() == "FAILFAST"
		}}).nullable().shown(func(e plan.Expr, a []string) string {
			if isMap(e.Type()) {
				return "entries"
			}
			return "from_json(" + a[0] + ")"
		}),
		(&Def{Name: "to_json", Min: 1, Max: 2, fit: fitToJSON, typ: typeIs(str)}).shown(firstOnly("to_json")),
		(&Def{Name: "schema_of_json", Min: 1, Max: 2, fit: fitSchemaOf, typ: typeIs(str)}).neverNull().shown(firstOnly("schema_of_json")),
		fn("get_json_object", str, "", wTextOnly(), wTextOnly()).nullable(),
		fn("json_array_length", types.Int, "", wText()).nullable(), fn("json_object_keys", types.Array{Elem: str, ContainsNull: true}, "", wTextOnly()).nullable(),
	}
}

// wText takes texts only.
func wText() want {
	return kindOf(`"STRING"`, types.IsString, types.String, types.String)
}

// wTextOnly takes texts, and nothing that could be cast to one.
func wTextOnly() want { return kindOf(`"STRING"`, types.IsString, types.String, nil) }

// options reads a constant map of texts at argument i.
func (c *call) options(i int) (map[string]string, error) {
	out := map[string]string{}
	if i >= len(c.args) {
		return out, nil
	}
	m, ok := c.args[i].(*plan.Call)
	if !ok || m.Fn != "map" {
		return nil, errf(c.ctx, "INVALID_OPTIONS.NON_MAP_FUNCTION", "42K06", "The options of %s must be written as map('key', 'value', ...).", quoteName(c.d.Name))
	}
	notText := errf(c.ctx, "INVALID_OPTIONS.NON_STRING_TYPE", "42K06", "The options of %s must be a map of constant strings.", quoteName(c.d.Name))
	if t, ok := m.Type().(types.Map); ok && (!types.IsString(t.Key) || !types.IsString(t.Value)) {
		return nil, notText
	}
	for j := 0; j+1 < len(m.Args); j += 2 {
		k, ok1 := constText(m.Args[j])
		v, ok2 := constText(m.Args[j+1])
		if l, ok := Eval(m.Args[j+1]); ok && l.Value == nil {
			continue
		}
		if !ok1 || !ok2 {
			return nil, notText
		}
		out[strings.ToLower(k)] = v
	}
	return out, nil
}

func fitFromJSON(c *call) error {
	if t := c.args[0].Type(); !types.IsString(t) && t != types.Void {
		return unexpected(c, 0, `"STRING"`)
	}
	if err := c.fitOne(0, wStr()); err != nil {
		return err
	}
	t, err := c.schema(func(s *plan.Call) (string, bool) { return SchemaOfJSON(s) })
	if err != nil {
		return err
	}
	opts, err := c.options(2)
	if err != nil {
		return err
	}
	for option, key := range map[string]string{"columnnameofcorruptrecord": "spark.sql.columnNameOfCorruptRecord", "partialresults": "spark.sql.json.enablePartialResults"} {
		if v, ok := c.ctx.Conf[key]; ok && opts[option] == "" {
			opts[option] = v
		}
	}
	spec := JSONSpec{Type: nullableInside(t), Options: opts}
	if spec.Mode() == "DROPMALFORMED" {
		return errf(c.ctx, "PARSE_MODE_UNSUPPORTED", "42601", "from_json knows the modes PERMISSIVE and FAILFAST, not DROPMALFORMED.")
	}
	switch m, _ := t.(types.Map); {
	case isMap(t) && !types.IsString(m.Key):
		return mismatch(c.ctx, "INVALID_JSON_MAP_KEY_TYPE", "The keys of a map that from_json reads must be STRING, not %s.", quoteType(m.Key))
	case !isStruct(t) && !isArray(t) && !isMap(t) && t != types.Variant:
		return mismatch(c.ctx, "INVALID_JSON_SCHEMA", "The schema of from_json must be a STRUCT, ARRAY, MAP or VARIANT, not %s.", quoteType(t))
	}
	if err := spec.checkCorrupt(c); err != nil {
		return err
	}
	c.args = c.args[:1]
	c.konst = spec
	return nil
}

func fitToJSON(c *call) error {
	t := c.args[0].Type()
	if !isStruct(t) && !isArray(t) && !isMap(t) && t != types.Variant && t != types.Void {
		return mismatch(c.ctx, "INVALID_JSON_SCHEMA", "Cannot resolve %q: %s is no STRUCT, ARRAY, MAP or VARIANT.", c.text(), quoteType(t))
	}
	opts, err := c.options(1)
	if err != nil {
		return err
	}
	if v, ok := c.ctx.Conf["spark.sql.jsonGenerator.ignoreNullFields"]; ok && opts["ignorenullfields"] == "" {
		opts["ignorenullfields"] = v
	}
	c.args, c.konst = c.args[:1], JSONSpec{Options: opts}
	return nil
}

func fitSchemaOf(c *call) error {
	if l, ok := Eval(c.args[0]); ok && l.Value == nil {
		return mismatch(c.ctx, "UNEXPECTED_NULL", "The text of schema_of_json must not be NULL.")
	}
	if t := c.args[0].Type(); !types.IsString(t) {
		return unexpected(c, 0, `"STRING"`)
	}
	if _, ok := constText(c.args[0]); !ok {
		return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "The text of schema_of_json must be a constant, not %q.", SQLName(c.args[0]))
	}
	opts, err := c.options(1)
	if err != nil {
		return err
	}
	c.args, c.konst = c.args[:1], JSONSpec{Options: opts}
	if _, ok := SchemaOfJSON(&plan.Call{Fn: "schema_of_json", Args: c.args, Const: c.konst}); !ok {
		return errf(c.ctx, "INVALID_JSON_RECORD", "22023", "The text of schema_of_json is no JSON.")
	}
	return nil
}
