package lower

import (
	"cmp"
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

// separator is what stands between fields; some characters are written with a
// backslash.
func separator(o map[string]string) string {
	sep, ok := o["sep"]
	if !ok {
		if sep, ok = o["delimiter"]; !ok {
			sep = ","
		}
	}
	return strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\r`, "\r", `\b`, "\b", `\f`, "\f").Replace(sep)
}

// csvParams are the kernels' options out of Spark's.
func csvParams(o map[string]string, writing bool) map[string]any {
	given := func(key, def string) string {
		if v, ok := o[key]; ok {
			return v
		}
		return def
	}
	empty, trim := "", "false"
	if writing {
		empty, trim = `""`, "true"
	}
	yes := func(s string) bool { return strings.EqualFold(s, "true") }
	return map[string]any{
		"sep": separator(o), "quote": given("quote", `"`), "escape": given("escape", `\`), "comment": o["comment"],
		"nullvalue": o["nullvalue"], "emptyvalue": given("emptyvalue", empty), "quoteall": yes(o["quoteall"]),
		"trimleft": yes(given("ignoreleadingwhitespace", trim)), "trimright": yes(given("ignoretrailingwhitespace", trim)),
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
	isBad := "(" + strings.Join(bad, " OR ") + ")"
	for i, f := range st.Fields {
		if items[i] == "" {
			items[i] = "CASE WHEN " + isBad + " THEN " + record + " END"
		}
		items[i] = quote(f.Name) + ": " + items[i]
	}
	row := cast("{"+strings.Join(items, ", ")+"}", l.duckType(c.Typ))
	if spec.Mode() == "FAILFAST" {
		row = "CASE WHEN " + isBad + " THEN " + raise("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", "A CSV record is malformed, and the parse mode is FAILFAST.") +
			" ELSE " + row + " END"
	}
	return "CASE WHEN " + record + " IS NOT NULL THEN list_extract(list_transform([" + list + "], lambda " + v + ": " + row + "), 1) END"
}

// csvValue reads one field; NULL for a bad one.
func (l *lowerer) csvValue(x string, t types.Type, o map[string]string) string {
	k := caster{l: l, mode: plan.CastTry, zone: cmp.Or(o["timezone"], l.opt.TimeZone)}
	pattern := func(name, ret string) (string, bool) {
		p, ok := o[name]
		if !ok {
			return "", false
		}
		return l.call("parse_timestamp", []string{x}, []string{"VARCHAR"}, ret, map[string]any{"pattern": p, "zone": k.zone, "locale": o["locale"]}), true
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
		return k.cast(inf, types.String, t)
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
	case t == types.Variant:
		return "coalesce(" + l.call("parse_json", []string{"CASE WHEN regexp_full_match(" + x + ", '-?[0-9]+([.][0-9]+)?|true|false') THEN " + x + " END"}, []string{"VARCHAR"}, variantBlob, nil) +
			", " + l.toVariant(x, types.String) + ")"
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
	return l.let(a[0], func(v string) string {
		parts := make([]string, len(st.Fields))
		for i, f := range st.Fields {
			x := l.csvText("struct_extract("+v+", "+quote(f.Name)+")", f.Type, o)
			parts[i] = "coalesce(" + l.call("csv_field", []string{x}, []string{"VARCHAR"}, "VARCHAR", params) + ", " + quote(o["nullvalue"]) + ")"
		}
		return "CASE WHEN " + v + " IS NOT NULL THEN " + strings.Join(parts, " || "+quote(separator(o))+" || ") + " END"
	})
}

func (l *lowerer) csvText(x string, t types.Type, o map[string]string) string {
	k := caster{l: l, mode: plan.CastTry, zone: cmp.Or(o["timezone"], l.opt.TimeZone)}
	format := func(v, pattern, zone string) string {
		return l.call("date_format", []string{v}, []string{"TIMESTAMP WITH TIME ZONE"}, "VARCHAR", map[string]any{"pattern": pattern, "zone": zone, "locale": o["locale"]})
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
	case types.Variant:
		return l.call("variant_to_json", []string{x}, []string{variantBlob}, "VARCHAR", map[string]any{"zone": k.zone})
	}
	return k.text(x, t)
}
