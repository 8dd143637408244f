package lower

import (
	"maps"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func xmlRules() map[string]rule {
	number := func(last func(l *lowerer, x string) string) rule {
		return func(l *lowerer, c *plan.Call, a []string) string { return l.xpath(c, a, "DOUBLE", last) }
	}
	integer := func(to string) func(l *lowerer, x string) string {
		return func(l *lowerer, x string) string {
			return l.call("java_integer", []string{x}, []string{"DOUBLE"}, to, nil)
		}
	}
	return map[string]rule{
		"from_xml": fromXML,
		"to_xml":   toXML,
		"schema_of_xml": func(_ *lowerer, c *plan.Call, _ []string) string {
			s, _ := c.Const.(string)
			return quote(s)
		},
		"xpath": func(l *lowerer, c *plan.Call, a []string) string {
			return l.xpath(c, a, "VARCHAR[]", func(l *lowerer, x string) string {
				e := l.fresh("e")
				return "list_transform(" + x + ", lambda " + e + ": CASE WHEN starts_with(" + e + ", '+') THEN substr(" + e + ", 2) END)"
			})
		},
		"xpath_boolean": func(l *lowerer, c *plan.Call, a []string) string { return l.xpath(c, a, "BOOLEAN", nil) },
		"xpath_string":  func(l *lowerer, c *plan.Call, a []string) string { return l.xpath(c, a, "VARCHAR", nil) },
		"xpath_double":  number(nil),
		"xpath_float":   number(func(_ *lowerer, x string) string { return cast(x, "FLOAT") }),
		"xpath_int":     number(integer("INTEGER")),
		"xpath_long":    number(integer("BIGINT")),
		// An int that is cut to 16 bits.
		"xpath_short": number(func(l *lowerer, x string) string {
			return "CAST((" + integer("INTEGER")(l, x) + "::BIGINT + 32768 + 4294967296) % 65536 - 32768 AS SMALLINT)"
		}),
	}
}

// xpath evaluates the constant path of a call; an empty text or path is NULL,
// and what the kernel has no answer for is an error.
func (l *lowerer) xpath(c *plan.Call, a []string, ret string, last func(l *lowerer, x string) string) string {
	path, ok := constText(c.Args[1])
	if !ok || path == "" {
		return cast("NULL", l.duckType(c.Typ))
	}
	return l.let(a[0], func(x string) string {
		v := "coalesce(" + l.call("xpath", []string{x}, []string{"VARCHAR"}, ret, map[string]any{"path": path}) + ", " +
			raise("INVALID_PARAMETER_VALUE.XPATH", "22023", "The text is no well-formed XML, or the XPath expression gives no such value.") + ")"
		if last != nil {
			v = last(l, v)
		}
		return "CASE WHEN " + x + " <> '' THEN " + v + " END"
	})
}

// fromXML parses in a kernel, whose NULL is an error under FAILFAST.
func fromXML(l *lowerer, c *plan.Call, a []string) string {
	spec, ok := c.Const.(funcs.JSONSpec)
	if !ok {
		return l.fail(errPlan)
	}
	one := spec.Type == types.Variant
	if one {
		return l.call("xml_to_variant", a, []string{"VARCHAR"}, variantBlob, map[string]any{"options": spec.Options})
	}
	parse := func(x string) string {
		return l.call("from_xml", []string{x}, []string{"VARCHAR"}, l.duckType(c.Typ), jsonParams(spec, l.opt.TimeZone))
	}
	if spec.Mode() != "FAILFAST" {
		return parse(a[0])
	}
	return l.let(a[0], func(x string) string {
		return "CASE WHEN " + x + " IS NOT NULL THEN coalesce(" + parse(x) + ", " +
			raise("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", "An XML record is malformed, and the parse mode is FAILFAST.") + ") END"
	})
}

// toXML writes the record as JSON first, with its NULLs, and that as XML.
func toXML(l *lowerer, c *plan.Call, a []string) string {
	spec, _ := c.Const.(funcs.JSONSpec)
	t := c.Args[0].Type()
	var text string
	switch t {
	case types.Void:
		return cast("NULL", "VARCHAR")
	case types.Variant:
		text = l.call("variant_to_json", a, []string{variantBlob}, "VARCHAR", map[string]any{"zone": l.opt.TimeZone})
	default:
		opts := maps.Clone(spec.Options)
		opts["ignorenullfields"] = "false"
		delete(opts, "pretty")
		text = l.call("to_json", a, []string{l.duckType(t)}, "VARCHAR",
			map[string]any{"schema": string(SchemaJSON(t)), "zone": l.opt.TimeZone, "options": opts, "hexbinary": true})
	}
	return l.call("to_xml", []string{text}, []string{"VARCHAR"}, "VARCHAR", map[string]any{"options": spec.Options, "variant": t == types.Variant})
}
