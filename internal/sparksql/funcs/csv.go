package funcs

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
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
			return spec.Mode() == "FAILFAST" || spec.Options["maxcolumns"] != "" || spec.Options["maxcharspercolumn"] != ""
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
	for _, key := range []string{"maxColumns", "maxCharsPerColumn"} {
		if v, ok := opts[strings.ToLower(key)]; ok {
			if _, err := strconv.Atoi(v); err != nil {
				return errf(c.ctx, "INVALID_PARAMETER_VALUE", "22023", "The option %s of from_csv must be a whole number, not %q.", key, v)
			}
		}
	}
	spec := JSONSpec{Type: nullableInside(t), Options: opts}
	if spec.Mode() == "DROPMALFORMED" {
		return errf(c.ctx, "PARSE_MODE_UNSUPPORTED", "42601", "from_csv knows the modes PERMISSIVE and FAILFAST, not DROPMALFORMED.")
	}
	if err := spec.checkCorrupt(c); err != nil {
		return err
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
		if types.Contains(f.Type, func(t types.Type) bool { return t == types.Variant }) {
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
	record := CSVOptions(opts, false)
	if record.Sep == "" || len(record.Quote) > 1 || len(record.Escape) > 1 || len(record.Comment) > 1 {
		return errf(c.ctx, "INVALID_PARAMETER_VALUE", "22023", "The separator of CSV may not be empty, and quote, escape and comment are one character.")
	}
	var parts []string
	record.Fields([]byte(text), func(f []byte, null bool) {
		t := types.Type(types.String)
		if !null {
			t = csvType(string(f), opts)
		}
		parts = append(parts, fmt.Sprintf("_c%d: %s", len(parts), t.SQL()))
	})
	if len(parts) == 0 {
		return errf(c.ctx, "INTERNAL_ERROR", "XX000", "schema_of_csv needs a record.")
	}
	c.args, c.konst = c.args[:1], "STRUCT<"+strings.Join(parts, ", ")+">"
	return nil
}

// CSVOptions are those of a record out of Spark's, for reading or writing.
func CSVOptions(o map[string]string, writing bool) cast.CSV {
	given := func(key, def string) string {
		if v, ok := o[key]; ok {
			return v
		}
		return def
	}
	yes := func(s string) bool { return strings.EqualFold(s, "true") }
	empty, trim := "", "false"
	if writing {
		empty, trim = `""`, "true"
	}
	mark := func(key, def string) string {
		return cmp.Or(given(key, def), "\x00") // no character is the one with code 0
	}
	sep := strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\r`, "\r", `\b`, "\b", `\f`, "\f").Replace(given("sep", given("delimiter", ",")))
	return cast.CSV{Sep: sep, Quote: mark("quote", `"`), Escape: mark("escape", `\`), Comment: o["comment"],
		NullValue: o["nullvalue"], EmptyValue: given("emptyvalue", empty), QuoteAll: yes(o["quoteall"]), BareQuotes: strings.EqualFold(o["escapequotes"], "false"),
		TrimLeft: yes(given("ignoreleadingwhitespace", trim)), TrimRight: yes(given("ignoretrailingwhitespace", trim))}
}

// csvType is the type that Spark infers for a field.
func csvType(s string, opts map[string]string) types.Type {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n >= -1<<31 && n < 1<<31 {
			return types.Int
		}
		return types.BigInt
	}
	digits := strings.TrimSuffix(strings.TrimLeft(s, "+-"), ".")
	if len(digits) > 0 && len(s)-len(digits) <= 2 && strings.Trim(digits, "0123456789") == "" {
		if n := max(len(strings.TrimLeft(digits, "0")), 1); n <= types.MaxPrecision {
			return types.Decimal{Precision: n}
		}
	}
	if csvDouble(s, opts) {
		return types.Double
	}
	if !strings.EqualFold(opts["preferdate"], "false") && csvTime(s, opts["dateformat"], "yyyy-MM-dd") {
		return types.Date
	}
	if f, ok := opts["timestampformat"]; ok && csvTime(s, f, "") {
		return types.Timestamp
	} else if !ok && csvTimestamp(s) {
		return types.Timestamp
	}
	if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
		return types.Boolean
	}
	return types.String
}

// csvDouble tells whether Java's Double.parseDouble reads s, or s is one of the
// names that the options give to what is no finite number.
func csvDouble(s string, opts map[string]string) bool {
	for _, k := range [][2]string{{"nanvalue", "NaN"}, {"positiveinf", "Inf"}, {"negativeinf", "-Inf"}} {
		name, ok := opts[k[0]]
		if !ok {
			name = k[1]
		}
		if s == name {
			return true
		}
	}
	t := strings.TrimSpace(s)
	switch strings.TrimLeft(t, "+-") {
	case "NaN", "Infinity":
		return true
	}
	if n := len(t); n > 1 && strings.ContainsRune("dDfF", rune(t[n-1])) && !strings.ContainsAny(t, "xX") {
		t = t[:n-1]
	}
	if strings.ContainsAny(t, "_nNiI") {
		return false
	}
	_, err := strconv.ParseFloat(t, 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

// csvTimestamp tells whether CAST reads s as a TIMESTAMP; a bare time belongs to
// the day on which it is read.
func csvTimestamp(s string) bool {
	for _, day := range []string{"", "2000-01-01T"} {
		if _, ok := cast.Timestamp([]byte(day+strings.TrimPrefix(s, "T")), cast.UTC(), &cast.Zones{}); ok {
			return true
		}
	}
	return false
}

// csvTime tells whether s has a pattern of dates.
func csvTime(s, pattern, def string) bool {
	p, err := cast.CompilePattern(cmp.Or(pattern, def), true)
	if err != nil {
		return false
	}
	_, _, ok := p.Parse([]byte(s), cast.UTC(), &cast.Zones{})
	return ok
}
