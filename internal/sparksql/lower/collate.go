package lower

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// keyed is what x is compared by: x itself, or, where texts in it have a
// collation, the value with their keys in their place.
func keyed(x plan.Expr) plan.Expr {
	if !types.HasCollation(x.Type()) {
		return x
	}
	return &plan.Call{Fn: "collation key", Args: []plan.Expr{x}, Typ: keyType(x.Type()), Null: x.Nullable()}
}

func allKeyed(xs []plan.Expr) []plan.Expr {
	out := make([]plan.Expr, len(xs))
	for i, x := range xs {
		out[i] = keyed(x)
	}
	return out
}

func keyType(t types.Type) types.Type {
	switch t := t.(type) {
	case types.Collated:
		return types.Binary
	case types.Array:
		return types.Array{Elem: keyType(t.Elem), ContainsNull: t.ContainsNull}
	case types.Struct:
		out := types.Struct{Fields: slices.Clone(t.Fields)}
		for i := range out.Fields {
			out.Fields[i].Type = keyType(out.Fields[i].Type)
		}
		return out
	}
	return t
}

// collationKey is the text of keyed over a lowered value.
func (l *lowerer) collationKey(x string, t types.Type) string {
	if !types.HasCollation(t) {
		return x
	}
	switch t := t.(type) {
	case types.Collated:
		return l.call("collation_key", []string{x}, []string{"VARCHAR"}, "BLOB", map[string]any{"collation": t.Name})
	case types.Array:
		e := l.fresh("e")
		return "list_transform(" + x + ", lambda " + e + ": " + l.collationKey(e, t.Elem) + ")"
	case types.Struct:
		return l.let(x, func(v string) string {
			parts := make([]string, len(t.Fields))
			for i, f := range t.Fields {
				parts[i] = quote(f.Name) + ": " + l.collationKey("struct_extract("+v+", "+quote(f.Name)+")", f.Type)
			}
			return "CASE WHEN " + v + " IS NOT NULL THEN {" + strings.Join(parts, ", ") + "} END"
		})
	}
	return l.unsupported(noPos, "Maps of texts with a collation cannot be compared.")
}

// collatedAggregate makes an aggregate that only tells values apart see their
// keys.
func (l *lowerer) collatedAggregate(c *plan.AggCall) *plan.AggCall {
	if !slices.ContainsFunc(c.Args, func(a plan.Expr) bool { return types.HasCollation(a.Type()) }) {
		return c
	}
	switch name, _ := baseName(c.Fn); {
	case name == "mode", name == "listagg" && c.Distinct, name == "string_agg" && c.Distinct, name == "collect_list" && c.Distinct:
		l.unsupported(c.Pos, "%s of texts with a collation cannot be executed.", c.Fn)
	case name == "count", name == "approx_count_distinct":
		d := *c
		d.Args = allKeyed(c.Args)
		return &d
	}
	return c
}

// mapValue looks a key up in a map whose keys have a collation.
func (l *lowerer) mapValue(name string, c *plan.Call, t types.Map) (string, bool) {
	key := l.collationKey(l.expr(c.Args[1]), t.Key)
	return l.let(l.expr(c.Args[0]), func(m string) string {
		keys := l.collationKey("map_keys("+m+")", types.Array{Elem: t.Key})
		if name == "map_contains_key" {
			return "list_contains(" + keys + ", " + key + ")"
		}
		return "list_extract(map_values(" + m + "), list_position(" + keys + ", " + key + "))"
	}), true
}

// comparing are functions that only compare their operands.
var comparing = map[string]bool{"=": true, "<": true, "<=": true, ">": true, ">=": true, "<=>": true, "equal_null": true, "in": true,
	"array_contains": true, "array_position": true, "arrays_overlap": true}

// underCollation lowers a call in which collations matter; false: it is
// lowered as any other.
func (l *lowerer) underCollation(name string, c *plan.Call) (string, bool) {
	if comparing[name] && slices.ContainsFunc(c.Args, func(a plan.Expr) bool { return types.HasCollation(a.Type()) }) {
		d := *c
		d.Args = make([]plan.Expr, len(c.Args))
		for i, a := range c.Args {
			d.Args[i] = keyed(a)
		}
		return l.scalar(&d), true
	}
	if c.Collation == "" {
		if len(c.Args) > 0 && types.HasCollation(c.Args[0].Type()) {
			return l.collatedValues(name, c)
		}
		return "", false
	}
	switch name {
	case "like", "ilike", "like any", "like all", "not like any", "not like all":
		d := *c
		d.Collation, d.Args = "", slices.Clone(c.Args)
		for i, a := range d.Args {
			if name == "like" && i == 2 {
				continue // the escape
			}
			d.Args[i] = lowered(a, c.Collation)
		}
		return l.scalar(&d), true
	case "rlike", "regexp", "regexp_like", "regexp_count", "regexp_extract", "regexp_extract_all", "regexp_instr", "regexp_replace", "regexp_substr", "split":
		d := *c
		d.Collation, d.Args = "", slices.Clone(c.Args)
		d.Args[1] = foldingPattern(c.Args[1], c.Pos)
		return l.scalar(&d), true
	case "str_to_map": // whose delimiters are patterns
		d := *c
		d.Collation, d.Args = "", slices.Clone(c.Args)
		for i := 1; i < len(d.Args) && c.Collation == "UTF8_LCASE"; i++ {
			d.Args[i] = foldingPattern(c.Args[i], c.Pos)
		}
		return l.scalar(&d), true
	}
	return l.search(name, c)
}

// lowered is a text under UTF8_LCASE as one that is compared byte by byte.
func lowered(x plan.Expr, name string) plan.Expr {
	return &plan.Call{Fn: "collation lower", Args: []plan.Expr{x}, Typ: types.String, Null: x.Nullable(), Const: name}
}

// foldingPattern makes a regular expression ignore case.
func foldingPattern(p plan.Expr, pos sparksql.Pos) plan.Expr {
	const flags = "(?iu)"
	if s, ok := constText(p); ok {
		return &plan.Literal{Value: flags + s, Typ: types.String}
	}
	return &plan.Call{Fn: "concat", Args: []plan.Expr{&plan.Literal{Value: flags, Typ: types.String}, p}, Typ: types.String, Null: p.Nullable(), Pos: pos}
}

// search calls the kernel that searches under a collation.
func (l *lowerer) search(name string, c *plan.Call) (string, bool) {
	a := l.exprs(c.Args)
	text, num := "VARCHAR", "INTEGER"
	sig := map[string]struct {
		args []string
		ret  string
	}{
		"contains": {[]string{text, text}, "BOOLEAN"}, "startswith": {[]string{text, text}, "BOOLEAN"}, "endswith": {[]string{text, text}, "BOOLEAN"},
		"instr": {[]string{text, text}, num}, "locate": {[]string{text, text, num}, num}, "find_in_set": {[]string{text, text}, num},
		"replace": {[]string{text, text, text}, text}, "translate": {[]string{text, text, text}, text},
		"split_part": {[]string{text, text, num}, text}, "substring_index": {[]string{text, text, num}, text},
		"trim": {[]string{text, text}, text}, "ltrim": {[]string{text, text}, text}, "rtrim": {[]string{text, text}, text}, "btrim": {[]string{text, text}, text},
	}
	s, ok := sig[name]
	if !ok || len(a) != len(s.args) {
		return "", false // one argument: nothing is searched for
	}
	v := l.call("collated_search", a, s.args, s.ret, map[string]any{"collation": c.Collation, "op": name})
	if name != "split_part" {
		return v, true
	}
	return "CASE WHEN " + a[2] + " = 0 THEN " + raise("INVALID_INDEX_OF_ZERO", "22003", "The index 0 is invalid: it starts at 1 or -1.") + " ELSE " + v + " END", true
}

// collatedValues are functions over arrays or values that choose by comparing.
func (l *lowerer) collatedValues(name string, c *plan.Call) (string, bool) {
	t := c.Args[0].Type()
	if m, ok := t.(types.Map); ok && types.HasCollation(m.Key) && (name == "[]" || name == "element_at" || name == "map_contains_key") {
		return l.mapValue(name, c, m)
	}
	arr, isArray := t.(types.Array)
	elem := t
	if isArray {
		elem = arr.Elem
	}
	key := func(x string) string { return l.collationKey(x, elem) }
	keys := func(list string) string { return l.collationKey(list, t) }
	e := l.fresh("e")
	byKey := func(list string) string {
		return "list_transform(" + list + ", lambda " + e + ": {'k': " + l.orderKey(e, elem) + ", 'v': " + e + "})"
	}
	values := func(list string) string { return "list_transform(" + list + ", lambda " + e + ": " + e + ".v)" }
	distinct := func(list string) string {
		return l.let2(list, keys(list), func(x, k string) string {
			i := l.fresh("i")
			return "list_filter(" + x + ", lambda " + e + ", " + i + ": list_position(" + k + ", list_extract(" + k + ", " + i + ")) = " + i + ")"
		})
	}
	a := func(i int) string { return l.expr(c.Args[i]) }
	within := func(list, other, not string) string {
		return "list_filter(" + list + ", lambda " + e + ": " + not + "list_contains(" + keys(other) + ", " + key(e) + "))"
	}
	switch name {
	case "greatest", "least":
		list := "[" + strings.Join(l.exprs(c.Args), ", ") + "]"
		order := map[string]string{"greatest": "'DESC'", "least": "'ASC'"}[name]
		return "struct_extract(list_extract(list_sort(" + byKey("list_filter("+list+", lambda "+e+": "+e+" IS NOT NULL)") + ", " + order + "), 1), 'v')", true
	case "array_distinct":
		return distinct(a(0)), true
	case "array_remove":
		return l.let(a(1), func(v string) string {
			return "list_filter(" + a(0) + ", lambda " + e + ": " + e + " IS NULL OR " + key(e) + " <> " + key(v) + ")"
		}), true
	case "array_union":
		return distinct("(" + a(0) + " || " + a(1) + ")"), true
	case "array_intersect":
		return distinct(within(a(0), a(1), "")), true
	case "array_except":
		return distinct(within(a(0), a(1), "NOT ")), true
	case "array_max", "array_min":
		order := map[string]string{"array_max": "'DESC'", "array_min": "'ASC'"}[name]
		return "struct_extract(list_extract(list_sort(" + byKey("list_filter("+a(0)+", lambda "+e+": "+e+" IS NOT NULL)") + ", " + order + "), 1), 'v')", true
	case "sort_array", "array_sort":
		order := "'ASC', 'NULLS LAST'"
		if name == "sort_array" {
			order = "CASE WHEN " + a(1) + " THEN 'ASC' ELSE 'DESC' END, CASE WHEN " + a(1) + " THEN 'NULLS FIRST' ELSE 'NULLS LAST' END"
		}
		if name == "array_sort" && len(c.Args) > 1 {
			return "", false // by the caller's own order
		}
		return values("list_sort(" + byKey(a(0)) + ", " + order + ")"), true
	}
	return "", false
}

func collationRules() map[string]rule {
	return map[string]rule{
		"collate": func(_ *lowerer, _ *plan.Call, a []string) string { return cast(a[0], "VARCHAR") },
		"collation key": func(l *lowerer, c *plan.Call, a []string) string {
			return l.collationKey(a[0], c.Args[0].Type())
		},
		"collation lower": func(l *lowerer, c *plan.Call, a []string) string {
			name, _ := c.Const.(string)
			return l.call("collation_lower", a, []string{"VARCHAR"}, "VARCHAR", map[string]any{"collation": name})
		},
	}
}
