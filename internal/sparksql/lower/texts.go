package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
)

func textRules() map[string]rule {
	return map[string]rule{
		"luhn_check": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("luhn_check", a, []string{"VARCHAR"}, "BOOLEAN", nil)
		},
		"quote": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("quote", a, []string{"VARCHAR"}, "VARCHAR", nil)
		},
		"mask": func(l *lowerer, _ *plan.Call, a []string) string {
			b := append([]string(nil), a...)
			for i := range b {
				b[i] = cast(b[i], "VARCHAR")
			}
			return l.call("mask", b, []string{"VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR"}, "VARCHAR", nil)
		},
		"vector_inner_product": vectors("list_inner_product"), "vector_cosine_similarity": vectors("list_cosine_similarity"), "vector_l2_distance": vectors("list_distance"),
		"validate_utf8": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.let(a[0], func(x string) string {
				return "CASE WHEN " + x + " IS NOT NULL THEN coalesce(" + l.tryDecode(x) + ", " + raise("INVALID_UTF8_STRING", "22029", "These bytes are no UTF-8.") + ") END"
			})
		},
		"is_valid_utf8": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.let(a[0], func(x string) string {
				return "CASE WHEN " + x + " IS NOT NULL THEN " + l.tryDecode(x) + " IS NOT NULL END"
			})
		},
		"try_validate_utf8": func(l *lowerer, _ *plan.Call, a []string) string { return l.tryDecode(a[0]) },
		"make_valid_utf8": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("valid_utf8", a, []string{"BLOB"}, "VARCHAR", nil)
		},
		"try_parse_url": parseURL,
		"try_url_decode": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("url_decode", a, []string{"VARCHAR"}, "VARCHAR", nil)
		},
		"try_to_binary": func(l *lowerer, c *plan.Call, a []string) string {
			format := "hex"
			if len(c.Args) > 1 {
				format, _ = constText(c.Args[1])
			}
			switch strings.ToLower(format) {
			case "hex":
				return l.call("unhex", a[:1], []string{"VARCHAR"}, "BLOB", nil)
			case "utf-8", "utf8":
				return "encode(" + a[0] + ")"
			case "base64":
				return l.call("strict_base64", a[:1], []string{"VARCHAR"}, "BLOB", nil)
			}
			return cast("NULL", "BLOB")
		},
		"collation": func(_ *lowerer, c *plan.Call, _ []string) string {
			name, _ := c.Const.(string)
			return quote(name)
		},
	}
}

// numbers is a list without NULLs in it: DuckDB's measures refuse them also in
// rows that a CASE leaves out.
func (l *lowerer) numbers(list string, x plan.Expr) string {
	if !containsNull(x) {
		return list
	}
	e := l.fresh("e")
	return "list_transform(" + list + ", lambda " + e + ": coalesce(" + e + ", 0))"
}

// vectors is a measure of two lists of numbers: they are as long, and a NULL
// in one makes the result NULL.
func vectors(f string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		return l.let2(a[0], a[1], func(x, y string) string {
			result := f + "(" + l.numbers(x, c.Args[0]) + ", " + l.numbers(y, c.Args[1]) + ")"
			if f == "list_cosine_similarity" {
				result = "CASE WHEN len(" + x + ") > 0 AND list_inner_product(" + x + ", " + x + ") <> 0 AND list_inner_product(" + y + ", " + y + ") <> 0 THEN " + result + " END"
			} else {
				result = "CASE WHEN len(" + x + ") > 0 THEN " + result + " ELSE 0::FLOAT END"
			}
			return "CASE WHEN " + x + " IS NULL OR " + y + " IS NULL THEN NULL WHEN len(" + x + ") <> len(" + y + ") THEN " +
				raise("VECTOR_DIMENSION_MISMATCH", "22000", "The vectors of "+c.Fn+" have different lengths.") +
				" WHEN list_count(" + x + ") < len(" + x + ") OR list_count(" + y + ") < len(" + y + ") THEN NULL ELSE CAST(" + result + " AS FLOAT) END"
		})
	}
}
