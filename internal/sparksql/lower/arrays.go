package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func containsNull(e plan.Expr) bool {
	a, ok := e.Type().(types.Array)
	return ok && a.ContainsNull
}

func arrayRules() map[string]rule {
	size := func(_ *lowerer, c *plan.Call, a []string) string {
		text := cast("len("+a[0]+")", "INTEGER")
		if _, ok := c.Args[0].Type().(types.Map); ok {
			text = cast("cardinality("+a[0]+")", "INTEGER")
		}
		if c.Args[0].Type() == types.Void {
			text = cast("NULL", "INTEGER")
		}
		if legacy, _ := c.Const.(funcs.LegacySize); bool(legacy) {
			return "coalesce(" + text + ", -1)"
		}
		return text
	}
	return map[string]rule{
		"array": func(l *lowerer, c *plan.Call, a []string) string {
			return cast("["+strings.Join(a, ", ")+"]", l.duckType(c.Typ))
		},
		"[]": subscript,
		"get": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.let(a[1], func(i string) string {
				return "list_extract(" + a[0] + ", CASE WHEN " + i + " >= 0 THEN CAST(" + i + " AS BIGINT) + 1 END)"
			})
		},
		"element_at": elementAt, "try_element_at": elementAt,
		"size": size, "cardinality": size, "array_size": size,
		"array_contains": arrayContains,
		"array_position": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.let2(a[0], a[1], func(x, v string) string {
				return "CASE WHEN " + x + " IS NOT NULL AND " + v + " IS NOT NULL THEN CAST(coalesce(list_position(" + x + ", " + v + "), 0) AS BIGINT) END"
			})
		},
		"array_distinct": func(l *lowerer, c *plan.Call, a []string) string { return l.distinctList(l.plainZeros(a[0], c.Typ)) },
		"array_sort": func(l *lowerer, c *plan.Call, a []string) string {
			if len(a) > 1 {
				return l.sortBy(c.Args[0], a[0], c.Args[1], l.duckType(c.Typ))
			}
			return l.sorted(a[0], elem(c.Typ), "'ASC', 'NULLS LAST'")
		},
		"sort_array": func(l *lowerer, c *plan.Call, a []string) string {
			t := elem(c.Typ)
			return "CASE WHEN " + a[1] + " THEN " + l.sorted(a[0], t, "'ASC', 'NULLS FIRST'") + " WHEN NOT " + a[1] + " THEN " + l.sorted(a[0], t, "'DESC', 'NULLS LAST'") + " END"
		},
		"array_max": extreme("list_max", "DESC"), "array_min": extreme("list_min", "ASC"),
		"array_join": func(l *lowerer, c *plan.Call, a []string) string {
			v := l.fresh("e")
			items := a[0]
			if len(a) == 3 {
				items = "list_transform(" + a[0] + ", lambda " + v + ": coalesce(" + v + ", " + a[2] + "))"
			}
			return "CASE WHEN " + notNull(a) + " THEN coalesce(" + l.joined(items, c.Args[1], a[1]) + ", '') END"
		},
		"array_remove": func(l *lowerer, c *plan.Call, a []string) string {
			v := l.fresh("e")
			text := "list_filter(" + a[0] + ", lambda " + v + ": " + v + " IS NULL OR " + v + " <> " + a[1] + ")"
			if c.Args[1].Nullable() {
				return "CASE WHEN " + a[1] + " IS NOT NULL THEN " + text + " END"
			}
			return text
		},
		"array_append": func(l *lowerer, c *plan.Call, a []string) string {
			return "CASE WHEN " + a[0] + " IS NOT NULL THEN " + a[0] + " || [" + a[1] + "] END"
		},
		"array_prepend": func(l *lowerer, c *plan.Call, a []string) string {
			return "CASE WHEN " + a[0] + " IS NOT NULL THEN [" + a[1] + "] || " + a[0] + " END"
		},
		"array_compact": func(l *lowerer, _ *plan.Call, a []string) string {
			v := l.fresh("e")
			return "list_filter(" + a[0] + ", lambda " + v + ": " + v + " IS NOT NULL)"
		},
		"array_insert": arrayInsert, "array_repeat": arrayRepeat,
		"array_union": func(l *lowerer, c *plan.Call, a []string) string {
			text := l.distinctList(l.plainZeros("("+a[0]+" || "+a[1]+")", c.Typ))
			return whenNotNull(c, a, text)
		},
		"array_intersect": setFilter(""), "array_except": setFilter("NOT "),
		"arrays_overlap": arraysOverlap, "arrays_zip": arraysZip,
		"flatten": func(l *lowerer, c *plan.Call, a []string) string {
			if !containsNull(c.Args[0]) {
				return "flatten(" + a[0] + ")"
			}
			v := l.fresh("e")
			return "CASE WHEN len(list_filter(" + a[0] + ", lambda " + v + ": " + v + " IS NULL)) = 0 THEN flatten(" + a[0] + ") END"
		},
		"slice": slice, "sequence": sequence,
		"array field": func(l *lowerer, c *plan.Call, a []string) string {
			return l.mapList(a[0], c.Args[1])
		},
	}
}

// whenNotNull is text where no nullable argument is NULL.
func whenNotNull(c *plan.Call, a []string, text string) string {
	var conds []string
	for i, x := range c.Args {
		if i < len(a) && x.Nullable() {
			conds = append(conds, a[i]+" IS NOT NULL")
		}
	}
	if len(conds) == 0 {
		return text
	}
	return "CASE WHEN " + strings.Join(conds, " AND ") + " THEN " + text + " END"
}

// subscript is a[i] from 0, or m[k].
func subscript(l *lowerer, c *plan.Call, a []string) string {
	if _, ok := c.Args[0].Type().(types.Map); ok {
		return "map_extract_value(" + a[0] + ", " + a[1] + ")"
	}
	if c.Args[0].Type() == types.Void {
		return "NULL"
	}
	if c.Args[1].Type() == types.BigInt { // the low 32 bits count
		a[1] = caster{l: l, mode: plan.CastLegacy}.narrow(a[1], types.BigInt, types.Int)
	}
	return l.let2(a[0], a[1], func(x, i string) string {
		if !c.Raises {
			return "list_extract(" + x + ", CASE WHEN " + i + " >= 0 THEN CAST(" + i + " AS BIGINT) + 1 END)"
		}
		return "CASE WHEN " + x + " IS NOT NULL AND (" + i + " < 0 OR " + i + " >= len(" + x + ")) THEN " +
			raiseValue("INVALID_ARRAY_INDEX", "22003", "The index ", i, " is out of the bounds of the array.") +
			" ELSE list_extract(" + x + ", " + i + " + 1) END"
	})
}

// elementAt counts from 1, or from the end for negative indexes.
func elementAt(l *lowerer, c *plan.Call, a []string) string {
	if _, ok := c.Args[0].Type().(types.Map); ok {
		return "map_extract_value(" + a[0] + ", " + a[1] + ")"
	}
	return l.let2(a[0], a[1], func(x, i string) string {
		s := "CASE WHEN " + i + " = 0 AND " + x + " IS NOT NULL THEN " + raise("INVALID_INDEX_OF_ZERO", "22003", "The index 0 is invalid: it starts at 1 or -1.")
		if strict, _ := c.Const.(funcs.Strict); c.Fn == "element_at" && bool(strict) {
			s += " WHEN abs(" + i + ") > len(" + x + ") THEN " +
				raiseValue("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "22003", "The index ", i, " is out of the bounds of the array.")
		}
		return s + " ELSE list_extract(" + x + ", " + i + ") END"
	})
}

func arrayContains(l *lowerer, c *plan.Call, a []string) string {
	if !containsNull(c.Args[0]) && !c.Args[1].Nullable() {
		return "list_contains(" + a[0] + ", " + a[1] + ")"
	}
	return l.let2(a[0], a[1], func(x, v string) string {
		return "CASE WHEN " + x + " IS NULL OR " + v + " IS NULL THEN NULL WHEN list_contains(" + x + ", " + v + ") THEN true WHEN list_position(" +
			x + ", NULL) > 0 THEN NULL ELSE false END"
	})
}

// distinctList keeps each value's first place, NULL included.
func (l *lowerer) distinctList(x string) string {
	return l.let(x, func(v string) string {
		e, i := l.fresh("e"), l.fresh("i")
		return "list_filter(" + v + ", lambda " + e + ", " + i + ": list_position(" + v + ", " + e + ") = " + i + ")"
	})
}

func arrayInsert(l *lowerer, c *plan.Call, a []string) string {
	return l.let2(a[0], a[1], func(x, p string) string {
		n := "len(" + x + ")"
		at := "(CASE WHEN " + p + " > 0 THEN " + p + " - 1 ELSE " + n + " + " + p + " + 1 END)" // elements that stay before
		fill := "list_transform(range(greatest(" + at + " - " + n + ", 0)), lambda " + l.fresh("z") + ": " + cast("NULL", l.duckType(elem(c.Typ))) + ")"
		front := "list_transform(range(greatest(-" + at + ", 0)), lambda " + l.fresh("z") + ": " + cast("NULL", l.duckType(elem(c.Typ))) + ")"
		return "CASE WHEN " + p + " = 0 THEN " + raise("INVALID_INDEX_OF_ZERO", "22003", "The index 0 is invalid: it starts at 1 or -1.") +
			" WHEN " + x + " IS NOT NULL AND " + p + " IS NOT NULL THEN CASE WHEN " + at + " >= 0 THEN list_slice(" + x + ", 1, " + at + ") || " + fill + " || [" + a[2] + "] || list_slice(" + x + ", " + at + " + 1, " + n +
			") ELSE [" + a[2] + "] || " + front + " || " + x + " END END"
	})
}

func elem(t types.Type) types.Type {
	if a, ok := t.(types.Array); ok {
		return a.Elem
	}
	return types.Void
}

func arrayRepeat(l *lowerer, c *plan.Call, a []string) string {
	return l.let(a[1], func(n string) string {
		once := ""
		if l.canRaise(c.Args[0]) { // it is evaluated for an empty array, too
			once = " WHEN " + n + " <= 0 AND (" + a[0] + ") IS NULL THEN []"
		}
		return "CASE WHEN " + n + " > " + maxElements + " THEN " + tooLong("array_repeat") + once + " WHEN " + n + " IS NOT NULL THEN list_transform(range(CAST(greatest(" + n + ", 0) AS BIGINT)), lambda " +
			l.fresh("e") + ": " + a[0] + ") END"
	})
}

// maxElements bounds what sequence and array_repeat make: an array must fit
// into memory, and DuckDB does not count it before it is there.
const maxElements = "50000000"

func tooLong(f string) string {
	return raise("COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER", "54000", "The array that "+f+" makes is too long.")
}

// setFilter is intersect and except: distinct values of the first that are, or
// are not, in the second.
func setFilter(not string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		e := l.fresh("e")
		text := "list_filter(" + l.distinctList(l.plainZeros(a[0], c.Typ)) + ", lambda " + e + ": " + not + "(list_position(" + a[1] + ", " + e + ") IS NOT NULL))"
		return whenNotNull(c, a, text)
	}
}

func arraysOverlap(l *lowerer, c *plan.Call, a []string) string {
	return l.let2(a[0], a[1], func(x, y string) string {
		e := l.fresh("e")
		hit := "len(list_filter(" + x + ", lambda " + e + ": " + e + " IS NOT NULL AND list_contains(" + y + ", " + e + "))) > 0"
		return "CASE WHEN " + x + " IS NULL OR " + y + " IS NULL THEN NULL WHEN " + hit + " THEN true WHEN len(" + x + ") > 0 AND len(" + y +
			") > 0 AND (list_position(" + x + ", NULL) > 0 OR list_position(" + y + ", NULL) > 0) THEN NULL ELSE false END"
	})
}

func arraysZip(l *lowerer, c *plan.Call, a []string) string {
	st, _ := elem(c.Typ).(types.Struct)
	if len(a) == 0 {
		return cast("[]", l.duckType(c.Typ))
	}
	lens, parts, names := make([]string, len(a)), make([]string, len(a)), fieldNames(st)
	i := l.fresh("i")
	for k, x := range a {
		lens[k] = "len(" + x + ")"
		parts[k] = quote(names[k]) + ": list_extract(" + x + ", " + i + " + 1)"
	}
	size := lens[0]
	if len(lens) > 1 {
		size = "greatest(" + strings.Join(lens, ", ") + ")"
	}
	return whenNotNull(c, a, "list_transform(range("+size+"), lambda "+i+": {"+strings.Join(parts, ", ")+"})")
}

func slice(l *lowerer, c *plan.Call, a []string) string {
	return l.let2(a[0], a[1], func(x, s string) string {
		start := "(CASE WHEN " + s + " < 0 THEN len(" + x + ") + " + s + " + 1 ELSE " + s + " END)"
		return "CASE WHEN " + x + " IS NULL OR " + s + " IS NULL OR " + a[2] + " IS NULL THEN NULL" +
			" WHEN " + s + " = 0 THEN " + raise("INVALID_PARAMETER_VALUE.START", "22023", "slice starts at 1, or counts from the end with a negative start.") +
			" WHEN " + a[2] + " < 0 THEN " + raise("INVALID_PARAMETER_VALUE.LENGTH", "22023", "The length of slice is negative.") +
			" WHEN " + start + " < 1 THEN list_slice(" + x + ", 1, 0) ELSE list_slice(" + x + ", " + start + ", " + start + " + " + a[2] + " - 1) END"
	})
}
