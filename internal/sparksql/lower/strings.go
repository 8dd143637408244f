package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func stringRules() map[string]rule {
	kernel := func(kind, ret string, args ...string) rule {
		return func(l *lowerer, _ *plan.Call, a []string) string { return l.call(kind, a, args[:len(a)], ret, nil) }
	}
	return map[string]rule{
		"concat": concat, "concat_ws": concatWs,
		"upper": kernel("upper", "VARCHAR", "VARCHAR"), "lower": kernel("lower", "VARCHAR", "VARCHAR"),
		"initcap": kernel("initcap", "VARCHAR", "VARCHAR"),
		"length": func(_ *lowerer, c *plan.Call, a []string) string {
			if c.Args[0].Type() == types.Binary {
				return cast("octet_length("+a[0]+")", "INTEGER")
			}
			return cast("length("+a[0]+")", "INTEGER")
		},
		"octet_length": func(_ *lowerer, c *plan.Call, a []string) string { return cast(octets(c, a[0]), "INTEGER") },
		"bit_length":   func(_ *lowerer, c *plan.Call, a []string) string { return cast("("+octets(c, a[0])+" * 8)", "INTEGER") },
		"trim":         trim("trim"), "ltrim": trim("ltrim"), "rtrim": trim("rtrim"),
		"btrim": func(_ *lowerer, _ *plan.Call, a []string) string {
			if len(a) == 1 {
				return "trim(" + a[0] + ", ' ')"
			}
			return "trim(" + a[0] + ", " + a[1] + ")"
		},
		"lpad": pad("lpad"), "rpad": pad("rpad"), "substring": substring,
		"left": func(l *lowerer, c *plan.Call, a []string) string {
			if c.Args[0].Type() == types.Binary {
				return "array_slice(" + a[0] + ", 1, " + positive(a[1]) + ")"
			}
			return "left(" + a[0] + ", " + positive(a[1]) + ")"
		},
		"right": func(_ *lowerer, _ *plan.Call, a []string) string {
			return "right(" + a[0] + ", " + positive(a[1]) + ")"
		},
		"substring_index": kernel("substring_index", "VARCHAR", "VARCHAR", "VARCHAR", "INTEGER"),
		"replace": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.let2(a[0], a[1], func(x, y string) string {
				return "CASE WHEN " + y + " = '' THEN " + x + " ELSE replace(" + x + ", " + y + ", " + a[2] + ") END"
			})
		},
		"translate": kernel("translate", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR"),
		"reverse": func(l *lowerer, c *plan.Call, a []string) string {
			if _, ok := c.Typ.(types.Array); ok {
				return "list_reverse(" + a[0] + ")"
			}
			if c.Typ == types.Binary {
				return l.call("reverse_bytes", a, []string{"BLOB"}, "BLOB", nil)
			}
			return l.call("reverse", a, []string{"VARCHAR"}, "VARCHAR", nil)
		},
		"repeat": func(_ *lowerer, _ *plan.Call, a []string) string {
			return "repeat(" + a[0] + ", " + cast(a[1], "BIGINT") + ")"
		},
		"locate": locate,
		"ascii": func(_ *lowerer, _ *plan.Call, a []string) string {
			return "CASE WHEN " + a[0] + " = '' THEN 0::INTEGER ELSE CAST(unicode(" + a[0] + ") AS INTEGER) END"
		},
		"chr": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.let(a[0], func(n string) string {
				return "CASE WHEN " + n + " < 0 THEN '' ELSE chr(CAST(" + n + " % 256 AS INTEGER)) END"
			})
		},
		"split_part": splitPart, "overlay": overlay,
		"levenshtein": func(l *lowerer, c *plan.Call, a []string) string {
			d := l.call("levenshtein", a[:2], []string{"VARCHAR", "VARCHAR"}, "INTEGER", nil)
			switch {
			case len(a) == 2:
				return d
			case isNull(c.Args[2]) && funcs.IsFoldable(c): // in a row NULL counts as 0
				return cast("NULL", "INTEGER")
			}
			return l.let(d, func(v string) string {
				return "CASE WHEN " + v + " > coalesce(" + a[2] + ", 0) THEN -1::INTEGER ELSE " + v + " END"
			})
		},
		"soundex":       kernel("soundex", "VARCHAR", "VARCHAR"),
		"format_number": formatNumber, "format_string": formatString,
		"base64": kernel("base64", "VARCHAR", "BLOB"), "unbase64": raising("unbase64", "CONVERSION_INVALID_INPUT", "22018", "A value is no base64 text.", "BLOB", "VARCHAR"),
		"sha2": sha2, "crc32": kernel("crc32", "BIGINT", "BLOB"),
		"hash": hashing("hash", "INTEGER"), "xxhash64": hashing("xxhash64", "BIGINT"),
		"encode": charset("encode", "VARCHAR", "BLOB"), "decode": charset("decode", "BLOB", "VARCHAR"),
		"decode pairs": decodePairs,
		"elt":          elt,
		"find_in_set": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.let2(a[0], a[1], func(x, s string) string {
				return "CASE WHEN " + x + " IS NOT NULL AND " + s + " IS NOT NULL THEN CASE WHEN contains(" + x + ", ',') THEN 0::INTEGER ELSE coalesce(list_position(string_split(" +
					s + ", ','), " + x + "), 0)::INTEGER END END"
			})
		},
		"parse_url":  parseURL,
		"url_encode": kernel("url_encode", "VARCHAR", "VARCHAR"), "url_decode": raising("url_decode", "CANNOT_DECODE_URL", "22546", "This text is no encoded URL.", "VARCHAR", "VARCHAR"),
		"str_to_map": strToMap,
		"to_binary":  toBinary,
		"to_char number": func(l *lowerer, c *plan.Call, a []string) string {
			f, ok := constText(c.Args[1])
			if !ok {
				return cast("NULL", "VARCHAR")
			}
			return l.call("to_char", a[:1], []string{l.duckType(c.Args[0].Type())}, "VARCHAR", map[string]any{"format": f})
		},
		"to_number": toNumber(false), "try_to_number": toNumber(true),
	}
}

// decodePairs compares the first operand, which stands before each search,
// with one search after the other.
func decodePairs(l *lowerer, c *plan.Call, a []string) string {
	sql, i, one := "CASE", 0, l.superfluous(c.Args)
	for ; i+2 < len(a); i += 3 {
		one = one && a[i+2] == a[len(a)-1]
		same := l.scalar(&plan.Call{Fn: "<=>", Args: []plan.Expr{c.Args[i], c.Args[i+1]}, Typ: types.Boolean, Pos: c.Pos})
		sql += " WHEN " + same + " THEN " + a[i+2]
	}
	if i < len(a) {
		sql += " ELSE " + a[i]
		if one {
			return cast(a[i], l.duckType(c.Typ))
		}
	}
	return cast(sql+" END", l.duckType(c.Typ))
}

// toNumber reads a text in a constant format.
func toNumber(try bool) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		f, ok := constText(c.Args[1])
		if !ok {
			return cast("NULL", l.duckType(c.Typ))
		}
		return l.let(a[0], func(x string) string {
			v := l.call("to_number", []string{x}, []string{"VARCHAR"}, l.duckType(c.Typ), map[string]any{"format": f})
			if try {
				return v
			}
			return "CASE WHEN " + x + " IS NOT NULL THEN coalesce(" + v + ", " +
				raise("INVALID_FORMAT.MISMATCH_INPUT", "42601", "The text does not have the number format "+f+".") + ") END"
		})
	}
}

// raising is a kernel over one argument whose NULL for a value is an error.
func raising(kind, class, state, message, ret string, args ...string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		return l.let(a[0], func(x string) string {
			b := append([]string{x}, a[1:]...)
			return "CASE WHEN " + notNull(b) + " THEN coalesce(" + l.call(kind, b, args[:len(b)], ret, nil) + ", " + raise(class, state, message) + ") END"
		})
	}
}

func notNull(a []string) string {
	parts := make([]string, len(a))
	for i, x := range a {
		parts[i] = x + " IS NOT NULL"
	}
	return strings.Join(parts, " AND ")
}

// positive is n, or 0 for what is less; NULL stays (greatest would drop it).
func positive(n string) string {
	return "CASE WHEN " + n + " < 0 THEN 0 ELSE " + n + " END"
}

func octets(c *plan.Call, x string) string {
	if c.Args[0].Type() == types.Binary {
		return "octet_length(" + x + ")"
	}
	return "strlen(" + x + ")"
}

func concat(l *lowerer, c *plan.Call, a []string) string {
	switch {
	case len(a) == 0:
		return "''"
	case len(a) == 1:
		return a[0]
	}
	text := "(" + strings.Join(a, " || ") + ")"
	if _, ok := c.Typ.(types.Array); !ok {
		return cast(text, l.duckType(c.Typ))
	}
	var nullable []string
	for i, x := range c.Args {
		if x.Nullable() {
			nullable = append(nullable, a[i]+" IS NULL")
		}
	}
	if len(nullable) == 0 {
		return text
	}
	return "CASE WHEN " + strings.Join(nullable, " OR ") + " THEN NULL ELSE " + text + " END"
}

// concatWs leaves NULLs out; arrays count as their elements.
func concatWs(l *lowerer, c *plan.Call, a []string) string {
	arrays := false
	lists := make([]string, 0, len(a))
	for i, x := range c.Args[1:] {
		if _, ok := x.Type().(types.Array); ok {
			arrays = true
			lists = append(lists, "coalesce("+a[i+1]+", []::VARCHAR[])")
		} else {
			lists = append(lists, "["+a[i+1]+"]::VARCHAR[]")
		}
	}
	switch {
	case len(a) == 1:
		return "CASE WHEN " + a[0] + " IS NOT NULL THEN '' END"
	case !arrays:
		return "concat_ws(" + strings.Join(a, ", ") + ")"
	}
	text := l.joinedAll("flatten(["+strings.Join(lists, ", ")+"])", c.Args[0], a[0])
	if c.Args[0].Nullable() {
		return "CASE WHEN " + a[0] + " IS NOT NULL THEN " + text + " END"
	}
	return text
}

// joinedAll is joined for a list that is never NULL: of NULLs only it makes the
// empty text.
func (l *lowerer) joinedAll(list string, between plan.Expr, sep string) string {
	return "coalesce(" + l.joined(list, between, sep) + ", '')"
}

// joined puts the texts of a list that are not NULL together; DuckDB's own
// function takes a constant between them only.
func (l *lowerer) joined(list string, between plan.Expr, sep string) string {
	if _, ok := funcs.Eval(between); ok {
		return "array_to_string(" + list + ", " + sep + ")"
	}
	v, x := l.fresh("v"), l.fresh("v")
	return l.let2("list_filter("+list+", lambda "+v+": "+v+" IS NOT NULL)", sep, func(list, sep string) string {
		return "substring(array_to_string(list_transform(" + list + ", lambda " + x + ": " + sep + " || " + x + "), ''), length(" + sep + ") + 1)"
	})
}

func trim(f string) rule {
	return func(_ *lowerer, _ *plan.Call, a []string) string {
		if len(a) == 1 {
			return f + "(" + a[0] + ", ' ')"
		}
		return f + "(" + a[1] + ", " + a[0] + ")"
	}
}

func pad(f string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		if c.Typ == types.Binary {
			return l.let2(a[0], a[1], func(x, n string) string {
				return "CASE WHEN " + n + " < 0 AND " + x + " IS NOT NULL THEN " + raise("INVALID_PARAMETER_VALUE", "22023", "The length that "+f+" makes is negative.") +
					" ELSE " + l.call(f+"_binary", []string{x, n, a[2]}, []string{"BLOB", "INTEGER", "BLOB"}, "BLOB", nil) + " END"
			})
		}
		return l.let2(a[0], a[1], func(x, n string) string {
			return "CASE WHEN " + n + " <= 0 THEN CASE WHEN " + x + " IS NOT NULL THEN '' END WHEN " + a[2] + " = '' THEN left(" + x + ", " + n + ") ELSE " + f + "(" + x + ", " + n + ", " + a[2] + ") END"
		})
	}
}

// substring counts from 1, 0 is 1, a negative position counts from the end and
// what lies before the start eats the length.
func substring(l *lowerer, c *plan.Call, a []string) string {
	pos, okp := constInt(c.Args[1])
	length, okl := constInt(c.Args[2])
	binary := c.Typ == types.Binary
	cut := func(x, from, n string) string {
		if binary {
			return "array_slice(" + x + ", " + from + ", " + cast(from, "BIGINT") + " + " + n + " - 1)"
		}
		return "substring(" + x + ", " + from + ", " + n + ")"
	}
	if okp && okl && pos >= 0 {
		if length <= 0 {
			return cut(a[0], "1", "0")
		}
		return cut(a[0], itoa(max(pos, 1)), itoa(length))
	}
	return l.let2(a[0], a[1], func(x, p string) string {
		size := "length(" + x + ")"
		if binary {
			size = "octet_length(" + x + ")"
		}
		start := "(CASE WHEN " + p + " > 0 THEN " + p + " - 1 WHEN " + p + " < 0 THEN " + size + " + " + p + " ELSE 0 END)"
		end := "(" + start + " + " + cast(a[2], "BIGINT") + ")"
		return "CASE WHEN " + p + " IS NOT NULL AND " + a[2] + " IS NOT NULL THEN " +
			cut(x, "greatest("+start+", 0) + 1", "greatest("+end+" - greatest("+start+", 0), 0)") + " END"
	})
}

func locate(l *lowerer, _ *plan.Call, a []string) string {
	sub, s, p := a[0], a[1], a[2]
	return "CASE WHEN " + p + " IS NULL THEN 0::INTEGER ELSE " + l.let2(s, sub, func(x, y string) string {
		return "CASE WHEN " + x + " IS NULL OR " + y + " IS NULL THEN NULL WHEN " + p + " <= 0 THEN 0::INTEGER" +
			" WHEN " + y + " = '' THEN 1::INTEGER WHEN instr(substring(" + x + ", " + p + "), " + y + ") = 0 OR " + p + " > length(" + x + ") + 1 THEN 0::INTEGER" +
			" ELSE CAST(instr(substring(" + x + ", " + p + "), " + y + ") + " + p + " - 1 AS INTEGER) END"
	}) + " END"
}

func splitPart(l *lowerer, _ *plan.Call, a []string) string {
	return l.let2(a[0], a[2], func(x, n string) string {
		return "CASE WHEN " + notNull([]string{x, a[1]}) + " AND " + n + " = 0 THEN " + raise("INVALID_INDEX_OF_ZERO", "22003", "The index 0 is invalid: it starts at 1 or -1.") +
			" WHEN " + a[1] + " = '' THEN CASE WHEN abs(" + n + ") = 1 THEN " + x + " WHEN " + x + " IS NOT NULL THEN '' END ELSE split_part(" + x + ", " + a[1] + ", " + n + ") END"
	})
}

func overlay(l *lowerer, c *plan.Call, a []string) string {
	if c.Typ == types.Binary {
		return l.call("overlay_bytes", a, []string{"BLOB", "BLOB", "INTEGER", "INTEGER"}, "BLOB", nil)
	}
	return l.let2(a[0], a[2], func(x, p string) string {
		n := "(CASE WHEN " + a[3] + " < 0 THEN length(" + a[1] + ") ELSE " + a[3] + " END)"
		return "(left(" + x + ", CASE WHEN " + p + " < 1 THEN 0 ELSE " + p + " - 1 END) || " + a[1] + " || substring(" + x + ", CASE WHEN " + p + " + " + n + " < 1 THEN 1 ELSE " + p + " + " + n + " END))"
	})
}

func formatNumber(l *lowerer, c *plan.Call, a []string) string {
	if types.IsString(c.Args[1].Type()) {
		p, ok := constText(c.Args[1])
		switch {
		case isNull(c.Args[1]):
			return cast("NULL", "VARCHAR")
		case !ok:
			return l.call("format_decimal", a, []string{l.duckType(c.Args[0].Type()), "VARCHAR"}, "VARCHAR", nil)
		}
		return l.call("format_decimal", a[:1], []string{l.duckType(c.Args[0].Type())}, "VARCHAR", map[string]any{"pattern": p})
	}
	return l.call("format_number", a, []string{l.duckType(c.Args[0].Type()), l.duckType(c.Args[1].Type())}, "VARCHAR", nil)
}

func formatString(l *lowerer, c *plan.Call, a []string) string {
	format, ok := constText(c.Args[0])
	if isNull(c.Args[0]) {
		return cast("NULL", "VARCHAR")
	}
	duck, spark := make([]string, 0, len(a)), make([]string, 0, len(a))
	for i, x := range c.Args[1:] {
		t := x.Type()
		if isNested(t) || t == types.Variant {
			a[i+1], t = l.objectText(a[i+1], t), types.String
		}
		if t == types.Calendar {
			a[i+1], t = caster{l: l, mode: plan.CastANSI, zone: l.opt.TimeZone}.cast(a[i+1], t, types.String), types.String
		}
		duck = append(duck, l.duckType(t))
		spark = append(spark, t.String())
	}
	if ok && len(a) == 1 {
		plain := strings.ReplaceAll(strings.ReplaceAll(format, "%%", "\x01"), "%n", "\n")
		if strings.Contains(plain, "%") {
			return raise("INVALID_PARAMETER_VALUE", "22023", "The format of format_string asks for arguments.")
		}
		return quote(strings.ReplaceAll(plain, "\x01", "%"))
	}
	params, args := map[string]any{"types": spark}, a[1:]
	if ok {
		params["format"] = format
	} else {
		duck, args = append([]string{"VARCHAR"}, duck...), a
	}
	val := l.call("format_string", args, duck, "VARCHAR", params)
	if !ok {
		return l.let(a[0], func(x string) string {
			return "CASE WHEN " + x + " IS NOT NULL THEN coalesce(" + val + ", " + raise("INVALID_PARAMETER_VALUE", "22023", "The format does not fit the arguments of format_string.") + ") END"
		})
	}
	return "coalesce(" + val + ", " + raise("INVALID_PARAMETER_VALUE", "22023", "The format does not fit the arguments of format_string.") + ")"
}

func isNested(t types.Type) bool {
	switch t.(type) {
	case types.Array, types.Map, types.Struct:
		return true
	}
	return false
}

// objectText is a value as format_string shows it: the toString of the object
// that holds it in Spark.
func (l *lowerer) objectText(x string, t types.Type) string {
	part := func(x string, t types.Type) string { return "coalesce(" + l.objectText(x, t) + ", 'null')" }
	switch t := t.(type) {
	case types.Array:
		v := l.fresh("v")
		return "('[' || array_to_string(list_transform(" + x + ", lambda " + v + ": " + part(v, t.Elem) + "), ',') || ']')"
	case types.Map:
		keys, values := types.Array{Elem: t.Key}, types.Array{Elem: t.Value, ContainsNull: true}
		return "('keys: ' || " + l.objectText("map_keys("+x+")", keys) + " || ', values: ' || " + l.objectText("map_values("+x+")", values) + ")"
	case types.Struct:
		parts := make([]string, len(t.Fields))
		for i, name := range fieldNames(t) {
			parts[i] = part("struct_extract("+x+", "+quote(name)+")", t.Fields[i].Type)
		}
		return "CASE WHEN " + x + " IS NOT NULL THEN '[' || concat_ws(',', " + strings.Join(parts, ", ") + ") || ']' END"
	}
	if t == types.Variant {
		return l.call("variant_to_json", []string{x}, []string{variantBlob}, "VARCHAR", map[string]any{"zone": l.opt.TimeZone})
	}
	return "CASE WHEN " + x + " IS NOT NULL THEN " + l.call("format_string", []string{x}, []string{l.duckType(t)}, "VARCHAR", map[string]any{"format": "%s", "types": []string{t.String()}}) + " END"
}

func sha2(l *lowerer, c *plan.Call, a []string) string {
	if n, ok := constInt(c.Args[1]); ok && (n == 0 || n == 256) {
		return "sha256(" + a[0] + ")"
	}
	return l.call("sha2", a, []string{"BLOB", "INTEGER"}, "VARCHAR", nil)
}

func hashing(kind, ret string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		duck, spark := make([]string, len(a)), make([]string, len(a))
		for i, x := range c.Args {
			duck[i], spark[i] = l.duckType(x.Type()), x.Type().String()
			if _, clock := x.Type().(types.Time); clock { // Spark's are nanoseconds
				a[i], spark[i] = "("+a[i]+" * 1000)", types.BigInt.String()
			}
		}
		return l.call(kind, a, duck, ret, map[string]any{"types": spark})
	}
}

func charset(kind, from, to string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		name, ok := constText(c.Args[1])
		if isNull(c.Args[1]) {
			return cast("NULL", to)
		}
		if !ok {
			return l.unsupported(c.Pos, "The charset of %s must be a constant.", kind)
		}
		if u := strings.ToUpper(name); u == "UTF-8" && kind == "encode" {
			return "encode(" + a[0] + ")"
		}
		return l.let(a[0], func(x string) string {
			val := l.call(kind, []string{x}, []string{from}, to, map[string]any{"charset": name})
			return "CASE WHEN " + x + " IS NOT NULL THEN coalesce(" + val + ", " +
				raise("MALFORMED_CHARACTER_CODING", "22000", "A value does not fit the charset "+name+" of "+kind+".") + ") END"
		})
	}
}

func elt(_ *lowerer, c *plan.Call, a []string) string {
	var branches strings.Builder
	for i, x := range a[1:] {
		branches.WriteString(" WHEN " + itoa(int64(i+1)) + " THEN " + x)
	}
	s := "CASE " + a[0] + branches.String()
	if c.Raises {
		return "CASE WHEN " + a[0] + " < 1 OR " + a[0] + " > " + itoa(int64(len(a)-1)) + " THEN " +
			raiseValue("INVALID_ARRAY_INDEX", "22003", "The index ", a[0], " of elt is out of bounds.") + " ELSE " + s + " END END"
	}
	return s + " END"
}

func toBinary(l *lowerer, c *plan.Call, a []string) string {
	format := "hex"
	if len(c.Args) == 2 {
		f, ok := constText(c.Args[1])
		if !ok { // the format is NULL
			return "CAST(NULL AS BLOB)"
		}
		format = strings.ToLower(f)
	}
	switch format {
	case "utf-8", "utf8":
		return "encode(" + a[0] + ")"
	case "base64":
		return raising("strict_base64", "CONVERSION_INVALID_INPUT", "22018", "A value is no base64 text.", "BLOB", "VARCHAR")(l, c, a[:1])
	}
	return raising("unhex", "CONVERSION_INVALID_INPUT", "22018", "A value is no hexadecimal text.", "BLOB", "VARCHAR")(l, c, a[:1])
}

// parseURL raises for what is no URL, which the kernel tells by itself.
func parseURL(l *lowerer, c *plan.Call, a []string) string {
	ts := []string{"VARCHAR", "VARCHAR", "VARCHAR"}[:len(a)]
	if !c.Raises {
		return l.call("parse_url", a, ts, "VARCHAR", nil)
	}
	return l.let(a[0], func(x string) string {
		args := append([]string{x}, a[1:]...)
		test := notNull(args)
		if len(args) == 3 {
			test += " AND " + args[1] + " = 'QUERY'" // no other part has keys
		}
		return "CASE WHEN " + test + " AND NOT " + l.call("is_url", []string{x}, []string{"VARCHAR"}, "BOOLEAN", nil) + " THEN " +
			raiseValue("INVALID_URL", "22P02", "The text is no URL: ", x, "; `try_parse_url` gives NULL instead.") +
			" ELSE " + l.call("parse_url", args, ts, "VARCHAR", nil) + " END"
	})
}

// strToMap raises where a key comes twice, unless the last one wins.
func strToMap(l *lowerer, c *plan.Call, a []string) string {
	last, _ := c.Const.(funcs.LastWins)
	m := l.call("str_to_map", a, []string{"VARCHAR", "VARCHAR", "VARCHAR"}, l.duckType(c.Typ), map[string]any{"Unique": !bool(last)})
	if last {
		return m
	}
	return "CASE WHEN " + notNull(a) + " THEN coalesce(" + m + ", " + raise("DUPLICATED_MAP_KEY", "23505", "str_to_map got a key twice.") + ") END"
}
