package lower

import (
	"cmp"
	"maps"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func csvRules() map[string]rule {
	return map[string]rule{
		"from_csv": fromCSV, "to_csv": toCSV,
		"schema_of_csv": func(_ *lowerer, c *plan.Call, _ []string) string {
			s, _ := c.Const.(string)
			return quote(s)
		},
	}
}

// csvParams are the kernels' options out of Spark's.
func csvParams(o map[string]string, writing bool) map[string]any {
	p := funcs.CSVOptions(o, writing)
	return map[string]any{
		"sep": p.Sep, "quote": p.Quote, "escape": p.Escape, "comment": p.Comment, "nullvalue": p.NullValue, "emptyvalue": p.EmptyValue,
		"quoteall": p.QuoteAll, "barequotes": p.BareQuotes, "trimleft": p.TrimLeft, "trimright": p.TrimRight,
	}
}

// fromCSV cuts the record in a kernel and reads field by field; a bad field is
// NULL, and the record goes into the column for corrupt ones.
func fromCSV(l *lowerer, c *plan.Call, a []string) string {
	spec, _ := c.Const.(funcs.JSONSpec)
	st, ok := spec.Type.(types.Struct)
	if !ok {
		return l.fail(errPlan)
	}
	corrupt := spec.CorruptColumn()
	record := a[0]
	list := l.call("csv_split", []string{record}, []string{"VARCHAR"}, "VARCHAR[]", csvParams(spec.Options, false))
	v := l.fresh("f")
	var items, bad []string
	n := 0
	for _, f := range st.Fields {
		if f.Name == corrupt && f.Type == types.String {
			items = append(items, "")
			continue
		}
		n++
		x := "list_extract(" + v + ", " + itoa(int64(n)) + ")"
		given := "starts_with(" + x + ", '+')"
		val := l.csvValue("substr("+x+", 2)", f.Type, spec.Options)
		items = append(items, "CASE WHEN "+given+" THEN "+val+" END")
		if f.Type != types.String && f.Type != types.Binary {
			bad = append(bad, "("+given+" AND ("+val+") IS NULL)")
		}
	}
	bad = append(bad, "len("+v+") <> "+itoa(int64(n)))
	isBad := "(" + record + " <> '' AND (" + strings.Join(bad, " OR ") + "))"
	for i, name := range fieldNames(st) {
		if items[i] == "" {
			items[i] = "CASE WHEN " + isBad + " THEN " + record + " END"
		}
		items[i] = quote(name) + ": " + items[i]
	}
	row := cast("{"+strings.Join(items, ", ")+"}", l.duckType(c.Typ))
	if spec.Mode() == "FAILFAST" {
		row = "CASE WHEN " + isBad + " THEN " + raise("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", "A CSV record is malformed, and the parse mode is FAILFAST.") +
			" ELSE " + row + " END"
	}
	if limit := csvLimit(v, spec.Options); limit != "" {
		row = "CASE WHEN " + limit + " THEN " + raise("MALFORMED_CSV_RECORD", "KD000", "A CSV record has more columns, or more characters in one, than maxColumns and maxCharsPerColumn allow.") +
			" ELSE " + row + " END"
	}
	return "CASE WHEN " + record + " IS NOT NULL THEN list_extract(list_transform([" + list + "], lambda " + v + ": " + row + "), 1) END"
}

// csvLimit tells whether the fields of a record are more, or longer, than the
// options allow; "" where these say nothing.
func csvLimit(fields string, o map[string]string) string {
	var over []string
	if n, err := strconv.Atoi(o["maxcolumns"]); err == nil {
		over = append(over, "len("+fields+") > "+strconv.Itoa(n))
	}
	if n, err := strconv.Atoi(o["maxcharspercolumn"]); err == nil && n >= 0 {
		x := "x" + fields
		over = append(over, "len(list_filter("+fields+", lambda "+x+": length("+x+") > "+strconv.Itoa(n+1)+")) > 0")
	}
	return strings.Join(over, " OR ")
}

// csvValue reads one field; NULL for a bad one.
func (l *lowerer) csvValue(x string, t types.Type, o map[string]string) string {
	k := caster{l: l, mode: plan.CastTry, zone: cmp.Or(o["timezone"], l.opt.TimeZone)}
	pattern := func(name, ret string) (string, bool) {
		p, ok := o[name]
		if !ok {
			return "", false
		}
		return l.call("parse_timestamp", []string{x}, []string{"VARCHAR"}, ret, map[string]any{"pattern": p, "zone": k.zone, "locale": o["locale"], "option": true}), true
	}
	switch {
	case types.IsString(t):
		return x
	case t == types.Boolean:
		return "CASE lower(" + x + ") WHEN 'true' THEN true WHEN 'false' THEN false END"
	case types.IsIntegral(t):
		return "CASE WHEN regexp_full_match(" + x + ", '[+-]?[0-9]+') THEN " + k.cast(x, types.String, t) + " END"
	case types.IsFloating(t):
		inf := "CASE " + x + " WHEN " + quote(cmp.Or(o["positiveinf"], "Inf")) + " THEN 'Infinity' WHEN " + quote(cmp.Or(o["negativeinf"], "-Inf")) +
			" THEN '-Infinity' WHEN " + quote(cmp.Or(o["nanvalue"], "NaN")) + " THEN 'NaN' ELSE " + x + " END"
		named := "regexp_full_match(trim(" + x + "), '(?i)[+-]?(nan|inf|infinity)') AND NOT regexp_full_match(trim(" + x + "), '[+-]?(NaN|Infinity)')"
		return "CASE WHEN NOT (" + inf + " = " + x + " AND " + named + ") THEN " + k.cast(inf, types.String, t) + " END"
	case t == types.Date:
		if v, ok := pattern("dateformat", "TIMESTAMP"); ok {
			return cast(v, "DATE")
		}
	case t == types.Timestamp:
		if v, ok := pattern("timestampformat", "TIMESTAMP WITH TIME ZONE"); ok {
			return v
		}
	case t == types.TimestampNTZ:
		if v, ok := pattern("timestampntzformat", "TIMESTAMP"); ok {
			return v
		}
		return "CASE WHEN NOT regexp_matches(" + x + ", '[T ][0-9:.]*[A-Za-z+-]') THEN " + k.cast(x, types.String, t) + " END"
	case t == types.Variant:
		return "coalesce(" + l.call("parse_json", []string{"CASE WHEN regexp_full_match(" + x + ", '-?[0-9]+([.][0-9]+)?|true|false') THEN " + x + " END"}, []string{"VARCHAR"}, variantBlob, nil) +
			", " + l.toVariant(x, types.String) + ")"
	}
	if _, ok := t.(types.Decimal); ok {
		return l.call("string_to_decimal", []string{x}, []string{"VARCHAR"}, l.duckType(t), map[string]any{"locale": o["locale"]})
	}
	return k.cast(x, types.String, t)
}

// toCSV writes field by field.
func toCSV(l *lowerer, c *plan.Call, a []string) string {
	spec, _ := c.Const.(funcs.JSONSpec)
	st, ok := c.Args[0].Type().(types.Struct)
	if !ok { // NULL
		return cast("NULL", "VARCHAR")
	}
	o := spec.Options
	params := csvParams(o, true)
	null := o["nullvalue"]
	return l.let(a[0], func(v string) string {
		parts := make([]string, len(st.Fields))
		for i, name := range fieldNames(st) {
			x := l.csvText("struct_extract("+v+", "+quote(name)+")", st.Fields[i].Type, o)
			params["first"] = i == 0
			missing := quote(null)
			switch {
			case params["quoteall"] == true:
				missing = quote(params["quote"].(string) + null + params["quote"].(string))
			case null == "" && len(st.Fields) == 1: // the record has nothing
				missing = "NULL"
			}
			parts[i] = "coalesce(" + l.call("csv_field", []string{x}, []string{"VARCHAR"}, "VARCHAR", maps.Clone(params)) + ", " + missing + ")"
		}
		return "CASE WHEN " + v + " IS NOT NULL THEN " + strings.Join(parts, " || "+quote(params["sep"].(string))+" || ") + " END"
	})
}

// csvNested is an ARRAY, MAP or STRUCT in one field; NULLs leave their place
// empty.
func (l *lowerer) csvNested(x string, t types.Type, o map[string]string) (string, bool) {
	none := ""
	if n := o["nullvalue"]; n != "" {
		none = " " + n
	}
	spaced := func(x string, t types.Type) string {
		return "coalesce(' ' || " + l.csvText(x, t, o) + ", " + quote(none) + ")"
	}
	head := func(x string, t types.Type) string {
		return "coalesce(" + l.csvText(x, t, o) + ", " + quote(none) + ")"
	}
	switch t := t.(type) {
	case types.Array:
		e := l.fresh("v")
		return l.let(x, func(x string) string {
			return "'[' || CASE WHEN len(" + x + ") > 0 THEN " + head("list_extract("+x+", 1)", t.Elem) + " || array_to_string(list_transform(list_slice(" + x + ", 2, len(" + x + ")), lambda " + e +
				": ',' || " + spaced(e, t.Elem) + "), '') ELSE '' END || ']'"
		}), true
	case types.Map:
		e := l.fresh("v")
		return "'{' || array_to_string(list_transform(map_entries(" + x + "), lambda " + e + ": " + l.csvText(e+".key", t.Key, o) + " || ' ->' || " + spaced(e+".value", t.Value) + "), ', ') || '}'", true
	case types.Struct:
		return l.let(x, func(x string) string {
			var parts []string
			for i, name := range fieldNames(t) {
				f, part := "struct_extract("+x+", "+quote(name)+")", spaced
				if i == 0 {
					part = head
				}
				parts = append(parts, part(f, t.Fields[i].Type))
			}
			return "CASE WHEN " + x + " IS NOT NULL THEN '{' || " + strings.Join(parts, " || ',' || ") + " || '}' END"
		}), true
	}
	return "", false
}

func (l *lowerer) csvText(x string, t types.Type, o map[string]string) string {
	k := caster{l: l, mode: plan.CastTry, zone: cmp.Or(o["timezone"], l.opt.TimeZone)}
	format := func(v, pattern, zone string) string {
		return l.call("date_format", []string{v}, []string{"TIMESTAMP WITH TIME ZONE"}, "VARCHAR", map[string]any{"pattern": pattern, "zone": zone, "locale": o["locale"]})
	}
	if text, ok := l.csvNested(x, t, o); ok {
		return text
	}
	if d, ok := t.(types.Decimal); ok && d.Scale > 6 { // small ones have an exponent
		return l.call("to_json", []string{x}, []string{l.duckType(t)}, "VARCHAR", map[string]any{"schema": string(SchemaJSON(t))})
	}
	switch t {
	case types.Timestamp:
		return format(x, cmp.Or(o["timestampformat"], "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"), k.zone)
	case types.TimestampNTZ:
		return format("make_timestamptz(epoch_us("+x+"))", cmp.Or(o["timestampntzformat"], "yyyy-MM-dd'T'HH:mm:ss.SSS"), "UTC")
	case types.Date:
		if p, ok := o["dateformat"]; ok {
			return format("make_timestamptz(epoch_us(CAST("+x+" AS TIMESTAMP)))", p, "UTC")
		}
	case types.Binary:
		return "('[' || trim(regexp_replace(hex(" + x + "), '(..)', '\\1 ', 'g')) || ']')"
	}
	return k.text(x, t)
}
