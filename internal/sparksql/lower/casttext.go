package lower

import (
	"fmt"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

var noPos sparksql.Pos

// text casts a value to STRING as Spark prints it.
func (k caster) text(x string, from types.Type) string {
	l := k.l
	switch t := from.(type) {
	case types.Array:
		e := l.fresh("e")
		return "('[' || array_to_string(list_transform(" + x + ", lambda " + e + ": " + k.inner(e, t.Elem) + "), ', ') || ']')"
	case types.Map:
		e := l.fresh("e")
		return "('{' || array_to_string(list_transform(map_entries(" + x + "), lambda " + e + ": " + k.inner(e+".key", t.Key) + " || ' -> ' || " +
			k.inner(e+".value", t.Value) + "), ', ') || '}')"
	case types.Struct:
		return l.let(x, func(v string) string {
			parts, names := make([]string, len(t.Fields)), fieldNames(t)
			for i, f := range t.Fields {
				parts[i] = k.inner("struct_extract("+v+", "+quote(names[i])+")", f.Type)
			}
			text := "'}'"
			if len(parts) > 0 {
				text = strings.Join(parts, " || ', ' || ") + " || " + text
			}
			return "CASE WHEN " + v + " IS NOT NULL THEN '{' || " + text + " END"
		})
	case types.Spatial:
		return "hex(" + x + ")"
	case types.Time:
		return "CAST(TIME '00:00:00' + to_microseconds(" + x + ") AS VARCHAR)"
	case types.YearMonth:
		return l.call("interval_to_string", []string{x}, []string{"INTEGER"}, "VARCHAR", map[string]any{"type": t.String()})
	case types.DayTime:
		return l.call("interval_to_string", []string{x}, []string{"BIGINT"}, "VARCHAR", map[string]any{"type": t.String()})
	}
	if d, ok := isDecimal(from); ok {
		return k.decimalText(x, d)
	}
	switch from {
	case types.String:
		return x
	case types.Calendar:
		return calendarText(x)
	case types.Variant:
		return k.fromVariant(x, types.String)
	case types.Float:
		return l.call("float_to_string", []string{x}, []string{"FLOAT"}, "VARCHAR", nil)
	case types.Double:
		return l.call("double_to_string", []string{x}, []string{"DOUBLE"}, "VARCHAR", nil)
	case types.Binary:
		return "coalesce(" + l.tryDecode(x) + ", " + l.call("bytes_to_text", []string{x}, []string{"BLOB"}, "VARCHAR", nil) + ")"
	case types.Timestamp:
		return l.call("timestamp_to_string", []string{x}, []string{"TIMESTAMP WITH TIME ZONE"}, "VARCHAR", map[string]any{"zone": k.zone})
	case types.Date:
		return k.calendarDayText(x, "DATE")
	case types.TimestampNTZ:
		return k.calendarDayText(x, "TIMESTAMP")
	case types.Void:
		return cast("NULL", "VARCHAR")
	}
	return cast(x, "VARCHAR")
}

// inner is the text of an element, where NULL is spelled out.
func (k caster) inner(x string, t types.Type) string {
	return "coalesce(" + k.text(x, t) + ", 'null')"
}

// decimalText prints without an exponent under ANSI; else as Java's BigDecimal
// does, with one below 1E-6.
func (k caster) decimalText(x string, d types.Decimal) string {
	plain := func(x string) string {
		if d.Precision > d.Scale {
			return cast(x, "VARCHAR")
		}
		// DuckDB leaves the zero before the point out.
		return "regexp_replace(" + cast(x, "VARCHAR") + ", '^(-?)[.]', '\\10.')"
	}
	if k.mode != plan.CastLegacy || d.Scale <= 6 {
		return plain(x)
	}
	return k.l.let(x, func(v string) string {
		digits := "coalesce(nullif(ltrim(replace(" + cast(v, "VARCHAR") + ", '.', ''), '-0'), ''), '0')"
		exp := fmt.Sprintf("(length(%s) - 1 - %d)", digits, d.Scale)
		rest := "CASE WHEN length(" + digits + ") > 1 THEN '.' || substr(" + digits + ", 2) ELSE '' END"
		return "CASE WHEN abs(" + v + ") >= 0.000001 THEN " + plain(v) + " WHEN " + v + " IS NOT NULL THEN CASE WHEN " + v + " < 0 THEN '-' ELSE '' END || left(" +
			digits + ", 1) || " + rest + " || 'E' || " + exp + " END"
	})
}

// calendarDayText is DuckDB's text within the years 1 to 9999; other years
// have a sign.
func (k caster) calendarDayText(x, dt string) string {
	return k.l.let(x, func(v string) string {
		kind := map[string]string{"DATE": "date_to_string", "TIMESTAMP": "timestamp_ntz_to_string"}[dt]
		return "CASE WHEN " + v + " BETWEEN " + dt + " '0001-01-01' AND " + dt + " '9999-12-31' THEN " + cast(v, "VARCHAR") + " ELSE " +
			k.l.call(kind, []string{v}, []string{dt}, "VARCHAR", nil) + " END"
	})
}
