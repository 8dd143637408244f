package page

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// answerText is an answer as comments of SQL, a line a row.
func answerText(a Answer) string {
	if a.Error != nil {
		return "-- error " + a.Error.Class + "\n"
	}
	ts := make([]types.Type, len(a.Types))
	for i, t := range a.Types {
		if p, err := parse.DataType(t); err == nil {
			ts[i] = p
		}
	}
	var b strings.Builder
	if len(a.Names) > 1 {
		fmt.Fprintf(&b, "-- %s\n", strings.Join(a.Names, " | "))
	}
	for _, row := range a.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = valueText(v, ts[i])
		}
		fmt.Fprintf(&b, "-- %s\n", strings.Join(cells, " | "))
	}
	return b.String()
}

// valueText prints a value of the recorded encoding in its type.
func valueText(v any, t types.Type) string {
	if v == nil {
		return "NULL"
	}
	list, _ := v.([]any)
	switch t := t.(type) {
	case types.Array:
		return "[" + each(list, func(_ int, x any) string { return valueText(x, t.Elem) }) + "]"
	case types.Map:
		return "{" + each(list, func(_ int, x any) string {
			kv, _ := x.([]any)
			if len(kv) != 2 {
				return "?"
			}
			return valueText(kv[0], t.Key) + ": " + valueText(kv[1], t.Value)
		}) + "}"
	case types.Struct:
		return "{" + each(list, func(i int, x any) string {
			if i >= len(t.Fields) {
				return "?"
			}
			return t.Fields[i].Name + ": " + valueText(x, t.Fields[i].Type)
		}) + "}"
	}
	s, text := v.(string)
	switch {
	case !text:
		return plain(v)
	case types.IsString(t):
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return s
}

func each(list []any, f func(int, any) string) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = f(i, x)
	}
	return strings.Join(out, ", ")
}

func plain(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
