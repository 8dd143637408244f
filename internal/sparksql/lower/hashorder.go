package lower

import (
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// hashOrder puts distinct values into the order in which Spark's collect_set
// gives them: that of a Scala mutable.HashSet, which keeps its values in a
// power of two of buckets, at least 16 and a quarter of them to spare, and
// those of one bucket by their hashes. Values of other types than integers,
// times and texts stay as they come.
func (l *lowerer) hashOrder(list string, t types.Type) string {
	v := l.fresh("v")
	h := l.javaHash(v, t, true)
	if h == "" {
		return list
	}
	return l.let(list, func(x string) string {
		size := "CAST(pow(2, ceil(log2((len(" + x + ") + 1) / 0.75))) AS BIGINT)"
		w, s := l.fresh("v"), l.fresh("v")
		keyed := "list_transform(list_transform(" + x + ", lambda " + v + ": {'h': " + h + ", 'v': " + v + "}), lambda " + w + ": {'h': xor(" + w + ".h, " + w + ".h >> 16), 'v': " + w + ".v})"
		placed := "list_transform(" + keyed + ", lambda " + s + ": {'b': " + s + ".h & (greatest(16, " + size + ") - 1), 'h': " + s + ".h - CASE WHEN " + s + ".h >= 2147483648 THEN 4294967296 ELSE 0 END, 'v': " + s + ".v})"
		o := l.fresh("v")
		return "CASE WHEN len(" + x + ") < 2 THEN " + x + " ELSE list_transform(list_sort(" + placed + "), lambda " + o + ": " + o + ".v) END"
	})
}

// mode is the value that comes most often; of several, the one that stands
// first in Spark's OpenHashMap: its 64 or more places, a power of two, are at
// most 70 % full, and a murmur hash of Java's hash chooses one.
func (g *aggCall) mode(x, dt string) string {
	l, t := g.l, g.c.Args[0].Type()
	e, o := l.fresh("v"), l.fresh("v")
	h := l.javaHash(e+".key", t, false)
	if spec, ok := g.c.Const.(funcs.WithinSpec); ok && len(spec.Desc) > 0 { // the least or the greatest of the most frequent
		sign, end := "-", "1"
		if spec.Desc[0] {
			sign, end = "", "-1"
		}
		return l.let(g.fn("histogram", x), func(m string) string {
			entries := "list_transform(map_entries(" + m + "), lambda " + e + ": {'n': " + sign + "CAST(" + e + ".value AS BIGINT), 'k': " + e + ".key})"
			return cast("struct_extract(list_extract(list_sort("+entries+"), "+end+"), 'k')", dt)
		})
	}
	if h == "" {
		return cast(g.fn("mode", x), dt)
	}
	place := l.call("hash", []string{signed32(h)}, []string{"INTEGER"}, "INTEGER", map[string]any{"types": []string{"int"}, "seed": 0})
	return l.let(g.fn("histogram", x), func(m string) string {
		size := "CAST(pow(2, ceil(log2(len(map_keys(" + m + ")) / 0.7))) AS BIGINT)"
		entries := "list_transform(map_entries(" + m + "), lambda " + e + ": {'n': -CAST(" + e + ".value AS BIGINT), 'p': CAST(" + place + " AS BIGINT), 'k': " + e + ".key})"
		placed := "list_transform(" + entries + ", lambda " + o + ": {'n': " + o + ".n, 'p': " + o + ".p & (greatest(64, " + size + ") - 1), 'k': " + o + ".k})"
		return cast("struct_extract(list_extract(list_sort("+placed+"), 1), 'k')", dt)
	})
}

// signed32 is an unsigned number of 32 bits as an INTEGER.
func signed32(h string) string {
	return "CAST(" + h + " - CASE WHEN " + h + " >= 2147483648 THEN 4294967296 ELSE 0 END AS INTEGER)"
}

// javaHash is the hash of a value, as an unsigned number of 32 bits: Java's,
// or Scala's, which gives equal numbers of any type one hash; "" where it is
// not known here.
func (l *lowerer) javaHash(x string, t types.Type, scala bool) string {
	const low = " & 4294967295)"
	switch t {
	case types.TinyInt, types.SmallInt, types.Int:
		return "(CAST(" + x + " AS BIGINT)" + low
	case types.Date:
		return "(CAST((" + x + " - DATE '1970-01-01') AS BIGINT)" + low
	case types.BigInt:
		return longHash(x, scala)
	case types.Timestamp, types.TimestampNTZ:
		return longHash("epoch_us("+x+")", scala)
	case types.Boolean, types.Float, types.Double:
		return l.call("java_hash", []string{x}, []string{l.duckType(t)}, "BIGINT", map[string]any{"scala": scala})
	case types.String:
		return "(CAST(" + l.call("hash", []string{x}, []string{"VARCHAR"}, "INTEGER", map[string]any{"types": []string{"string"}}) + " AS BIGINT)" + low
	}
	if _, ok := t.(types.Decimal); ok {
		return l.call("java_hash", []string{x}, []string{l.duckType(t)}, "BIGINT", map[string]any{"scala": scala})
	}
	switch t.(type) {
	case types.YearMonth:
		return "(CAST(" + x + " AS BIGINT)" + low
	case types.DayTime:
		return longHash(x, scala)
	}
	return ""
}

// longHash is Java's hash of a long, or Scala's: the number itself where an
// int holds it.
func longHash(x string, scala bool) string {
	java := "xor(" + x + " & 4294967295, (" + x + " >> 32) & 4294967295)"
	if !scala {
		return "(" + java + ")"
	}
	return "(CASE WHEN " + x + " BETWEEN -2147483648 AND 2147483647 THEN " + x + " & 4294967295 ELSE " + java + " END)"
}
