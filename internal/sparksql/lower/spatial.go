package lower

import (
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// spatialRules are the functions of GEOMETRY and GEOGRAPHY, whose values are
// well-known binary with the reference system in it (EWKB).
func spatialRules() map[string]rule {
	geography := func(t types.Type) map[string]any {
		s, _ := t.(types.Spatial)
		return map[string]any{"geography": s.Geography}
	}
	return map[string]rule{
		"st_asbinary": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.fallible("st_asbinary", a, []string{"BLOB", "VARCHAR"}, "BLOB", nil)
		},
		"st_geogfromwkb": func(l *lowerer, c *plan.Call, a []string) string {
			return l.fallible("st_from_wkb", []string{a[0], "4326"}, []string{"BLOB", "INTEGER"}, "BLOB", geography(c.Typ))
		},
		"st_geomfromwkb": func(l *lowerer, c *plan.Call, a []string) string {
			return l.fallible("st_from_wkb", a, []string{"BLOB", "INTEGER"}, "BLOB", geography(c.Typ))
		},
		"st_setsrid": func(l *lowerer, c *plan.Call, a []string) string {
			return l.fallible("st_setsrid", a, []string{"BLOB", "INTEGER"}, "BLOB", geography(c.Typ))
		},
		"st_srid": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("st_srid", a, []string{"BLOB"}, "INTEGER", nil)
		},
	}
}
