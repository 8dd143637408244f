package funcs

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func csvDefs() []*Def {
	first := func(name string) func(plan.Expr, []string) string {
		return func(_ plan.Expr, a []string) string { return name + "(" + a[0] + ")" }
	}
	return []*Def{
		(&Def{Name: "from_csv", Min: 2, Max: 3, fit: fitFromCSV, typ: func(c *call) types.Type {
			spec, _ := c.konst.(JSONSpec)
			return spec.Type
		}, raises: func(c *call) bool {
			spec, _ := c.konst.(JSONSpec)
			return spec.Mode() == "FAILFAST"
		}}).shown(first("from_csv")),
		(&Def{Name: "to_csv", Min: 1, Max: 2, fit: fitToCSV, typ: typeIs(types.String)}).shown(first("to_csv")),
		(&Def{Name: "schema_of_csv", Min: 1, Max: 2, fit: fitSchemaOfCSV, typ: typeIs(types.String)}).neverNull().shown(first("schema_of_csv")),
	}
}

func fitFromCSV(c *call) error {
	if t := c.args[0].Type(); !types.IsString(t) && t != types.Void {
		return unexpected(c, 0, `"STRING"`)
	}
	if err := c.fitOne(0, wStr()); err != nil {
		return err
	}
	t, err := c.schema(schemaConst)
	if err != nil {
		return err
	}
	st, ok := t.(types.Struct)
	if !ok {
		return errf(c.ctx, "INVALID_SCHEMA.NON_STRUCT_TYPE", "42K07", "The schema of from_csv must be a list of columns, not %s.", quoteType(t))
	}
	for _, f := range st.Fields {
		if !atomic(f.Type) && f.Type != types.Variant {
			return errf(c.ctx, "UNSUPPORTED_DATATYPE", "0A000", "A CSV field cannot be %s.", quoteType(f.Type))
		}
	}
	opts, err := c.options(2)
	if err != nil {
		return err
	}
	spec := JSONSpec{Type: nullableInside(t), Options: opts}
	if spec.Mode() == "DROPMALFORMED" {
		return errf(c.ctx, "PARSE_MODE_UNSUPPORTED", "42601", "from_csv knows the modes PERMISSIVE and FAILFAST, not DROPMALFORMED.")
	}
	c.args, c.konst = c.args[:1], spec
	return nil
}

func fitToCSV(c *call) error {
	st, ok := c.args[0].Type().(types.Struct)
	if !ok && c.args[0].Type() != types.Void {
		return mismatch(c.ctx, "UNSUPPORTED_INPUT_TYPE", "to_csv takes a STRUCT, not %s.", quoteType(c.args[0].Type()))
	}
	for _, f := range st.Fields {
		if !atomic(f.Type) && f.Type != types.Void && f.Type != types.Variant {
			return mismatch(c.ctx, "UNSUPPORTED_INPUT_TYPE", "A field of to_csv cannot be %s.", quoteType(f.Type))
		}
	}
	opts, err := c.options(1)
	if err != nil {
		return err
	}
	c.args, c.konst = c.args[:1], JSONSpec{Options: opts}
	return nil
}

// fitSchemaOfCSV works the schema out: it is the call's Const.
func fitSchemaOfCSV(c *call) error {
	l, ok := Eval(c.args[0])
	switch {
	case !ok:
		return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "The text of schema_of_csv must be a constant, not %q.", SQLName(c.args[0]))
	case l.Value == nil:
		return mismatch(c.ctx, "UNEXPECTED_NULL", "The text of schema_of_csv must not be NULL.")
	}
	text, ok := l.Value.(string)
	if !ok {
		return unexpected(c, 0, `"STRING"`)
	}
	opts, err := c.options(1)
	if err != nil {
		return err
	}
	sep := opts["sep"]
	if sep == "" {
		sep = opts["delimiter"]
	}
	if sep == "" {
		sep = ","
	}
	var parts []string
	for i, f := range strings.Split(text, sep) {
		parts = append(parts, fmt.Sprintf("_c%d: %s", i, csvType(strings.Trim(f, `"`)).SQL()))
	}
	c.args, c.konst = c.args[:1], "STRUCT<"+strings.Join(parts, ", ")+">"
	return nil
}

// csvType is the narrowest type of a field.
func csvType(s string) types.Type {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n >= -1<<31 && n < 1<<31 {
			return types.Int
		}
		return types.BigInt
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil && !strings.ContainsAny(s, "xXpP_") {
		return types.Double
	}
	if _, err := time.Parse(time.DateOnly, s); err == nil {
		return types.Date
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", time.RFC3339} {
		if _, err := time.Parse(layout, s); err == nil {
			return types.Timestamp
		}
	}
	if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
		return types.Boolean
	}
	return types.String
}
