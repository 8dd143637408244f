package lineage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/sparksql/lineage"
)

func TestTableThatTwoStatementsFillHasBothLineages(t *testing.T) {
	in := func(table, field string) lineage.Input {
		return lineage.Input{Source: lineage.Source{Kind: "table", Name: table}, Field: field, Kind: lineage.Kind{Type: lineage.Direct, Subtype: lineage.Identity}}
	}
	src := func(names ...string) (out []lineage.Source) {
		for _, n := range names {
			out = append(out, lineage.Source{Kind: "table", Name: n})
		}
		return out
	}
	a := lineage.Lineage{Sources: src("a"), Columns: []lineage.Column{{Name: "x", Inputs: []lineage.Input{in("a", "x")}}, {Name: "old", Inputs: []lineage.Input{in("a", "o")}}}, Rows: []lineage.Input{in("a", "k")}}
	b := lineage.Lineage{Sources: src("b"), Columns: []lineage.Column{{Name: "X", Inputs: []lineage.Input{in("b", "y")}}}}
	want := lineage.Lineage{Sources: src("a", "b"), Rows: []lineage.Input{in("a", "k")}, Columns: []lineage.Column{
		{Name: "X", Inputs: []lineage.Input{in("a", "x"), in("b", "y")}}, {Name: "old", Inputs: []lineage.Input{in("a", "o")}},
	}}
	if d := cmp.Diff(want, lineage.Union(a, b)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
