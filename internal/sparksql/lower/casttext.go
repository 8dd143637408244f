package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
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
			return "CASE WHEN " + v + " IS NOT NULL THEN '{' || " + strings.Join(parts, " || ', ' || ") + " || '}' END"
		})
	case types.Time:
		return "CAST(TIME '00:00:00' + to_microseconds(" + x + ") AS VARCHAR)"
	case types.YearMonth:
		return l.call("interval_to_string", []string{x}, []string{"INTEGER"}, "VARCHAR", map[string]any{"type": t.String()})
	case types.DayTime:
		return l.call("interval_to_string", []string{x}, []string{"BIGINT"}, "VARCHAR", map[string]any{"type": t.String()})
	}
	if d, ok := isDecimal(from); ok && d.Precision == d.Scale {
		// DuckDB leaves the zero before the point out.
		return "regexp_replace(" + cast(x, "VARCHAR") + ", '^(-?)[.]', '\\10.')"
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
		return "coalesce(TRY(decode(" + x + ")), " + l.call("bytes_to_text", []string{x}, []string{"BLOB"}, "VARCHAR", nil) + ")"
	case types.Timestamp:
		return l.call("timestamp_to_string", []string{x}, []string{"TIMESTAMP WITH TIME ZONE"}, "VARCHAR", map[string]any{"zone": k.zone})
	case types.Void:
		return cast("NULL", "VARCHAR")
	}
	return cast(x, "VARCHAR")
}

// inner is the text of an element, where NULL is spelled out.
func (k caster) inner(x string, t types.Type) string {
	return "coalesce(" + k.text(x, t) + ", 'null')"
}
