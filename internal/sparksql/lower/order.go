package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// nested tells whether t is an ARRAY or STRUCT, inside which DuckDB takes NULL
// for the greatest value and Spark for the least.
func nested(t types.Type) bool {
	switch t.(type) {
	case types.Array, types.Struct, types.Collated: // which has an order of its own
		return true
	}
	return false
}

// orderKey is a value that DuckDB orders as Spark orders x: inside nested
// values each one stands behind a flag that is false for NULL.
func (l *lowerer) orderKey(x string, t types.Type) string {
	switch t := t.(type) {
	case types.Collated:
		return l.collationKey(x, t)
	case types.Array:
		e := l.fresh("e")
		return "list_transform(" + x + ", lambda " + e + ": {'n': " + e + " IS NOT NULL, 'v': " + l.orderKey(e, t.Elem) + "})"
	case types.Struct:
		return l.let(x, func(v string) string {
			parts, names := make([]string, 0, 2*len(t.Fields)), fieldNames(t)
			if len(names) == 0 {
				return v
			}
			for i, f := range t.Fields {
				field := "struct_extract(" + v + ", " + quote(names[i]) + ")"
				k := itoa(int64(i))
				parts = append(parts, "'n"+k+"': "+field+" IS NOT NULL", "'v"+k+"': "+l.orderKey(field, f.Type))
			}
			return "CASE WHEN " + v + " IS NOT NULL THEN {" + strings.Join(parts, ", ") + "} END"
		})
	}
	if types.IsFloating(t) {
		return unsignedZero(x, l.duckType(t))
	}
	return x
}

// sorted is list_sort in Spark's order.
func (l *lowerer) sorted(x string, t types.Type, how string) string {
	if !nested(t) {
		return "list_sort(" + x + ", " + how + ")"
	}
	e, s := l.fresh("e"), l.fresh("s")
	keyed := "list_transform(" + x + ", lambda " + e + ": CASE WHEN " + e + " IS NOT NULL THEN {'k': " + l.orderKey(e, t) + ", 'v': " + e + "} END)"
	return "list_transform(list_sort(" + keyed + ", " + how + "), lambda " + s + ": " + s + ".v)"
}

// extreme is the greatest or least element that is not NULL.
func extreme(fn, dir string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		if t := elem(c.Args[0].Type()); nested(t) {
			return "list_extract(" + l.sorted(a[0], t, "'"+dir+"', 'NULLS LAST'") + ", 1)"
		}
		return fn + "(" + a[0] + ")"
	}
}

// among is greatest and least.
func among(fn, dir string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		if nested(c.Typ) {
			return "list_extract(" + l.sorted("["+strings.Join(a, ", ")+"]", c.Typ, "'"+dir+"', 'NULLS LAST'") + ", 1)"
		}
		return fn + "(" + strings.Join(a, ", ") + ")"
	}
}

// compare is an operator that asks for the order.
func compare(op string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		if t := c.Args[0].Type(); nested(t) {
			return "(" + l.orderKey(a[0], t) + " " + op + " " + l.orderKey(a[1], t) + ")"
		}
		a = unmoved(c.Args, a)
		return "(" + a[0] + " " + op + " " + a[1] + ")"
	}
}

// sortBy sorts by a comparator: each element goes behind those that are not
// above it.
func (l *lowerer) sortBy(list plan.Expr, x string, by plan.Expr, dt string) string {
	f, around := l.carried(by)
	e, acc, in, y := l.fresh("e"), l.fresh("v"), l.fresh("v"), l.fresh("y")
	first, second, item, lists := "list_extract("+in+", 1)", y, e, dt
	if funcs.IsFoldable(list) { // equal lists in all rows keep the columns in their place
		around = nil
		f, _ = by.(*plan.Lambda)
	}
	if len(around) > 0 {
		first, second, item = first+".e", y+".e", "{'e': "+e+fields(around, false)+"}"
		lists = "STRUCT(e " + strings.TrimSuffix(dt, "[]")
		for _, c := range around {
			lists += ", " + c.name + " " + c.duck
		}
		lists += ")[]"
		l.within(y, around)
	}
	cmp := l.bound(f, first, second)
	if f.Nullable() {
		cmp = "coalesce(" + cmp + ", " + raise("COMPARATOR_RETURNS_NULL", "22004", "The comparator of array_sort gave NULL.") + ")"
	}
	split := func(op string) string { return "list_filter(" + acc + ", lambda " + y + ": " + cmp + " " + op + " 0)" }
	merged := split(">=") + " || " + in + " || " + split("<")
	ordered := "list_reduce(list_transform(" + x + ", lambda " + e + ": [" + item + "]), lambda " + acc + ", " + in + ": " + merged + ", " + cast("[]", lists) + ")"
	if len(around) > 0 {
		ordered = "list_transform(" + ordered + ", lambda " + y + ": " + y + ".e)"
	}
	return "CASE WHEN " + x + " IS NOT NULL THEN " + ordered + " END"
}

// plainZeros makes every -0.0 inside an array 0.0.
func (l *lowerer) plainZeros(x string, t types.Type) string {
	switch t := t.(type) {
	case types.Array:
		if !hasFloats(t) {
			return x
		}
		e := l.fresh("e")
		return "list_transform(" + x + ", lambda " + e + ": " + l.plainZeros(e, t.Elem) + ")"
	case types.Struct:
		if !hasFloats(t) {
			return x
		}
		return l.let(x, func(v string) string {
			parts, names := make([]string, len(t.Fields)), fieldNames(t)
			for i, f := range t.Fields {
				parts[i] = quote(names[i]) + ": " + l.plainZeros("struct_extract("+v+", "+quote(names[i])+")", f.Type)
			}
			return "CASE WHEN " + v + " IS NOT NULL THEN {" + strings.Join(parts, ", ") + "} END"
		})
	}
	if types.IsFloating(t) {
		return unsignedZero(x, l.duckType(t))
	}
	return x
}

func hasFloats(t types.Type) bool {
	switch t := t.(type) {
	case types.Array:
		return hasFloats(t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if hasFloats(f.Type) {
				return true
			}
		}
	}
	return types.IsFloating(t)
}

// fieldNames are the names under which DuckDB has the fields of a STRUCT: it
// takes no name twice, in whatever case.
func fieldNames(t types.Struct) []string {
	out, seen := make([]string, len(t.Fields)), map[string]bool{}
	for i, f := range t.Fields {
		if out[i] = f.Name; f.Name == "" {
			out[i] = "#"
		}
		for k := 1; seen[strings.ToLower(out[i])]; k++ {
			out[i] = f.Name + "#" + itoa(int64(k))
		}
		seen[strings.ToLower(out[i])] = true
	}
	return out
}

func fieldName(f *plan.Field) string {
	if t, ok := f.X.Type().(types.Struct); ok && f.Ordinal < len(t.Fields) {
		return fieldNames(t)[f.Ordinal]
	}
	return f.Name
}
