package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// nested tells whether t is an ARRAY or STRUCT, inside which DuckDB takes NULL
// for the greatest value and Spark for the least.
func nested(t types.Type) bool {
	switch t.(type) {
	case types.Array, types.Struct:
		return true
	}
	return false
}

// orderKey is a value that DuckDB orders as Spark orders x: inside nested
// values each one stands behind a flag that is false for NULL.
func (l *lowerer) orderKey(x string, t types.Type) string {
	switch t := t.(type) {
	case types.Array:
		e := l.fresh("e")
		return "list_transform(" + x + ", lambda " + e + ": {'n': " + e + " IS NOT NULL, 'v': " + l.orderKey(e, t.Elem) + "})"
	case types.Struct:
		return l.let(x, func(v string) string {
			parts := make([]string, 0, 2*len(t.Fields))
			for i, f := range t.Fields {
				field := "struct_extract(" + v + ", " + quote(f.Name) + ")"
				k := itoa(int64(i))
				parts = append(parts, "'n"+k+"': "+field+" IS NOT NULL", "'v"+k+"': "+l.orderKey(field, f.Type))
			}
			return "CASE WHEN " + v + " IS NOT NULL THEN {" + strings.Join(parts, ", ") + "} END"
		})
	}
	return x
}
