package query

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/query/dml"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// rules are what a table's log says of its rows.
func rules(s *delta.Snapshot) *plan.Rules {
	m := s.Metadata()
	out := &plan.Rules{PartitionBy: m.PartitionColumns, Properties: m.Configuration, Features: delta.Features(s.Protocol()), ClusterBy: s.ClusterBy(), Comment: m.Description}
	for _, f := range s.Schema().Fields() {
		out.Columns = append(out.Columns, columnRule(f))
	}
	for _, k := range slices.Sorted(maps.Keys(m.Configuration)) {
		if name, ok := strings.CutPrefix(k, "delta.constraints."); ok {
			out.Constraints = append(out.Constraints, plan.Constraint{Name: name, Text: m.Configuration[k]})
		}
	}
	return out
}

func columnRule(f arrow.Field) plan.ColumnRule {
	r := plan.ColumnRule{Identity: dml.IdentityRule(f)}
	r.Default, _ = f.Metadata.GetValue("CURRENT_DEFAULT")
	r.Generated, _ = f.Metadata.GetValue("delta.generationExpression")
	if t, ok := f.Metadata.GetValue("__CHAR_VARCHAR_TYPE_STRING"); ok {
		if d, err := parse.DataType(t); err == nil {
			if types.Contains(d, func(t types.Type) bool { _, ok := t.(types.Char); return ok }) {
				r.Declared = d
			}
		}
	}
	if text, ok := f.Metadata.GetValue("delta.invariants"); ok {
		var inv struct {
			Expression struct {
				Expression string `json:"expression"`
			} `json:"expression"`
		}
		if json.Unmarshal([]byte(text), &inv) == nil {
			r.Invariant = inv.Expression.Expression
		}
	}
	return r
}
