package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func mapRules() map[string]rule {
	return map[string]rule{
		"map": func(l *lowerer, c *plan.Call, a []string) string {
			var keys, vals []string
			for i := 0; i+1 < len(a); i += 2 {
				keys, vals = append(keys, a[i]), append(vals, a[i+1])
			}
			return l.mapOf(c, "["+strings.Join(keys, ", ")+"]", "["+strings.Join(vals, ", ")+"]")
		},
		"map_from_arrays": func(l *lowerer, c *plan.Call, a []string) string {
			return l.let2(a[0], a[1], func(k, v string) string {
				return "CASE WHEN " + k + " IS NULL OR " + v + " IS NULL THEN NULL WHEN len(" + k + ") <> len(" + v + ") THEN " +
					raise("INTERNAL_ERROR", "XX000", "The arrays of map_from_arrays differ in length.") + " ELSE " + l.mapOf(c, k, v) + " END"
			})
		},
		"map_from_entries": func(l *lowerer, c *plan.Call, a []string) string {
			text := l.mapOfEntries(c, a[0])
			if !containsNull(c.Args[0]) {
				return cast(text, l.duckType(c.Typ))
			}
			return cast("CASE WHEN list_position("+a[0]+", NULL) IS NULL THEN "+text+" END", l.duckType(c.Typ))
		},
		"map_contains_key": func(_ *lowerer, _ *plan.Call, a []string) string {
			return "list_contains(map_keys(" + a[0] + "), " + a[1] + ")"
		},
		"map_concat": func(l *lowerer, c *plan.Call, a []string) string {
			if len(a) == 0 {
				return cast("map([], [])", l.duckType(c.Typ))
			}
			parts := make([]string, len(a))
			for i, x := range a {
				parts[i] = "map_entries(" + x + ")"
			}
			return whenNotNull(c, a, l.mapOfEntries(c, "("+strings.Join(parts, " || ")+")"))
		},
		"named_struct": structPack, "struct": structPack,
	}
}

// mapOf makes a map of keys and values; a key that is there twice raises, or
// takes its last value at its first place.
func (l *lowerer) mapOf(c *plan.Call, keys, vals string) string {
	t, _ := c.Typ.(types.Map)
	keys = l.plainZeros(keys, types.Array{Elem: t.Key})
	if last, _ := c.Const.(funcs.LastWins); bool(last) {
		return l.let2(keys, vals, func(k, v string) string {
			e := l.fresh("k")
			value := "list_extract(" + v + ", len(" + k + ") + 1 - list_position(list_reverse(" + k + "), " + e + "))"
			return cast("map_from_entries(list_transform("+l.distinctList(k)+", lambda "+e+": {'key': "+e+", 'value': "+value+"}))", l.duckType(c.Typ))
		})
	}
	return cast("map("+keys+", "+vals+")", l.duckType(c.Typ))
}

// mapOfEntries is mapOf over pairs in a list.
func (l *lowerer) mapOfEntries(c *plan.Call, list string) string {
	return l.let(list, func(v string) string {
		e, f := l.fresh("e"), l.fresh("e")
		key, value := "key", "value"
		if a, ok := c.Args[0].Type().(types.Array); ok { // of any pairs
			names := fieldNames(a.Elem.(types.Struct)) //nolint:forcetypeassert // map_from_entries takes nothing else
			key, value = names[0], names[1]
		}
		return l.mapOf(c, "list_transform("+v+", lambda "+e+": struct_extract("+e+", "+quote(key)+"))", "list_transform("+v+", lambda "+f+": struct_extract("+f+", "+quote(value)+"))")
	})
}

func structPack(l *lowerer, c *plan.Call, a []string) string {
	st, _ := c.Typ.(types.Struct)
	if len(st.Fields) == 0 {
		return "{" + quote(noField) + ": NULL::BOOLEAN}"
	}
	parts := make([]string, len(st.Fields))
	for i, name := range fieldNames(st) {
		parts[i] = quote(name) + ": " + a[2*i+1]
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func lambdaRules() map[string]rule {
	return map[string]rule{
		"transform": func(l *lowerer, c *plan.Call, a []string) string { return l.mapList(a[0], c.Args[1]) },
		"filter": func(l *lowerer, c *plan.Call, a []string) string {
			params, body := l.lambda(c.Args[1])
			return "list_filter(" + a[0] + ", lambda " + params + ": " + body + ")"
		},
		"exists": quantified("true", "false"), "forall": quantified("false", "true"),
		"aggregate": foldList, "zip_with": zipWith,
		"map_filter": func(l *lowerer, c *plan.Call, a []string) string {
			e, body := l.entryLambda(c.Args[1])
			return "map_from_entries(list_filter(map_entries(" + a[0] + "), lambda " + e + ": " + body + "))"
		},
		"transform_values": func(l *lowerer, c *plan.Call, a []string) string {
			e, body := l.entryLambda(c.Args[1])
			return "map_from_entries(list_transform(map_entries(" + a[0] + "), lambda " + e + ": {'key': " + e + ".key, 'value': " + body + "}))"
		},
		"transform_keys": func(l *lowerer, c *plan.Call, a []string) string {
			e, body := l.entryLambda(c.Args[1])
			return l.mapOfEntries(c, "list_transform(map_entries("+a[0]+"), lambda "+e+": {'key': "+body+", 'value': "+e+".value})")
		},
		"map_zip_with": mapZipWith,
	}
}

// lambda binds (element) or (element, index) and gives parameters and body.
// Spark's index starts at 0.
func (l *lowerer) lambda(e plan.Expr) (params, body string) {
	f, ok := e.(*plan.Lambda)
	if !ok {
		return "x", l.fail(errPlan)
	}
	names := make([]string, len(f.Params))
	for i, p := range f.Params {
		names[i] = l.fresh("v")
		l.vars[p.ID] = names[i]
		if i == 1 {
			l.vars[p.ID] = "CAST(" + names[i] + " - 1 AS INTEGER)"
		}
	}
	return strings.Join(names, ", "), l.expr(f.Body)
}

// bound lowers a lambda's body with its parameters standing for texts.
func (l *lowerer) bound(e plan.Expr, texts ...string) string {
	f, ok := e.(*plan.Lambda)
	if !ok || len(f.Params) > len(texts) {
		return l.fail(errPlan)
	}
	for i, text := range texts[:len(f.Params)] {
		l.vars[f.Params[i].ID] = text
	}
	return l.expr(f.Body)
}

func (l *lowerer) entryLambda(e plan.Expr) (param, body string) {
	v := l.fresh("e")
	return v, l.bound(e, v+".key", v+".value")
}

func (l *lowerer) mapList(x string, f plan.Expr) string {
	params, body := l.lambda(f)
	return "list_transform(" + x + ", lambda " + params + ": " + body + ")"
}

// quantified is exists (hit true) and forall (hit false), with NULL between.
func quantified(hit, miss string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		if f, ok := c.Args[1].(*plan.Lambda); ok && l.canRaise(f.Body) {
			return l.scalar(quantifiedFold(c, f, hit == "true"))
		}
		all := l.mapList(a[0], c.Args[1])
		if !c.Args[1].Nullable() {
			return "CASE WHEN list_contains(" + all + ", " + hit + ") THEN " + hit + " WHEN " + a[0] + " IS NOT NULL THEN " + miss + " END"
		}
		v := l.fresh("v")
		return "list_extract(list_transform([" + all + "], lambda " + v + ": CASE WHEN " + v + " IS NULL THEN NULL WHEN list_contains(" + v + ", " + hit + ") THEN " + hit +
			" WHEN list_position(" + v + ", NULL) > 0 THEN NULL ELSE " + miss + " END), 1)"
	}
}

// quantifiedFold is exists, or forall, as an aggregate that asks no further
// element once one has decided: the lambda might raise there.
func quantifiedFold(c *plan.Call, f *plan.Lambda, exists bool) *plan.Call {
	op, decided := "or", true
	if !exists {
		op, decided = "and", false
	}
	acc := &plan.LambdaVar{Name: "acc", ID: plan.NewID(), Typ: types.Boolean, Null: true}
	truth := func(v bool) plan.Expr { return &plan.Literal{Value: v, Typ: types.Boolean} }
	done := &plan.Call{Fn: "<=>", Args: []plan.Expr{acc, truth(decided)}, Typ: types.Boolean, Pos: c.Pos}
	next := &plan.Call{Fn: op, Args: []plan.Expr{acc, f.Body}, Typ: types.Boolean, Null: true, Pos: c.Pos}
	body := &plan.Case{When: []plan.When{{Cond: done, Then: truth(decided)}}, Else: next, Typ: types.Boolean}
	last := &plan.LambdaVar{Name: "acc", ID: plan.NewID(), Typ: types.Boolean, Null: true}
	return &plan.Call{Fn: "aggregate", Args: []plan.Expr{c.Args[0], truth(!decided),
		&plan.Lambda{Params: []*plan.LambdaVar{acc, f.Params[0]}, Body: body}, &plan.Lambda{Params: []*plan.LambdaVar{last}, Body: last}}, Typ: types.Boolean, Null: true, Pos: c.Pos}
}

// foldList carries the accumulator beside the element, because DuckDB's
// list_reduce knows one type only.
func foldList(l *lowerer, c *plan.Call, a []string) string {
	acc := l.duckType(c.Args[2].Type())
	el := l.duckType(elem(c.Args[0].Type()))
	e, p, q := l.fresh("e"), l.fresh("p"), l.fresh("q")
	f, around := l.carried(c.Args[2])
	pair := func(accText, x string, empty bool) string {
		return "{'acc': " + cast(accText, acc) + ", 'x': " + cast(x, el) + fields(around, empty) + "}"
	}
	l.within(q, around)
	merge := l.bound(f, p+".acc", q+".x")
	folded := "list_reduce(list_transform(" + a[0] + ", lambda " + e + ": " + pair("NULL", e, false) + "), lambda " + p + ", " + q + ": " +
		pair(merge, "NULL", true) + ", " + pair(a[1], "NULL", true) + ").acc"
	if len(c.Args) == 4 {
		v := l.fresh("v")
		folded = "list_extract(list_transform([" + folded + "], lambda " + v + ": " + l.bound(c.Args[3], v) + "), 1)"
	}
	return "CASE WHEN " + a[0] + " IS NOT NULL THEN " + folded + " END"
}

func zipWith(l *lowerer, c *plan.Call, a []string) string {
	return l.let2(a[0], a[1], func(x, y string) string {
		i := l.fresh("i")
		body := l.bound(c.Args[2], "list_extract("+x+", "+i+" + 1)", "list_extract("+y+", "+i+" + 1)")
		return "CASE WHEN " + x + " IS NOT NULL AND " + y + " IS NOT NULL THEN list_transform(range(greatest(len(" + x + "), len(" + y + "))), lambda " + i + ": " + body + ") END"
	})
}

func mapZipWith(l *lowerer, c *plan.Call, a []string) string {
	return l.let2(a[0], a[1], func(x, y string) string {
		k := l.fresh("k")
		body := l.bound(c.Args[2], k, "map_extract_value("+x+", "+k+")", "map_extract_value("+y+", "+k+")")
		keys := l.distinctList("(map_keys(" + x + ") || map_keys(" + y + "))")
		return "CASE WHEN " + x + " IS NOT NULL AND " + y + " IS NOT NULL THEN map_from_entries(list_transform(" + keys + ", lambda " + k + ": {'key': " + k + ", 'value': " + body + "})) END"
	})
}
