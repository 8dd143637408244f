package catalog_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql/lineage"
)

func TestLineageIsKeptWithItsTable(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "c.db")
	c := open(t, path)
	check(t, c.EnsureSchema(ctx, "plant", "iot", "ana"))
	row, err := c.CreateTable(ctx, silver())
	check(t, err)
	_, err = c.Lineage(ctx, row.ID)
	wantErr(t, err, catalog.ErrNotFound)
	src := lineage.Source{Kind: "table", Name: "plant.iot.bronze"}
	for _, field := range []string{"body.id", "body.key"} {
		l := lineage.Lineage{Sources: []lineage.Source{src}, Columns: []lineage.Column{{Name: "id", Inputs: []lineage.Input{
			{Source: src, Field: field, Kind: lineage.Kind{Type: lineage.Direct, Subtype: lineage.Transformation, Masking: true}},
		}}}}
		check(t, c.SetLineage(ctx, row.ID, "pipeline p", l))
		got, err := open(t, path).Lineage(ctx, row.ID)
		check(t, err)
		if d := cmp.Diff(l, got.Lineage); d != "" || got.MadeBy != "pipeline p" || got.Updated.IsZero() {
			t.Errorf("%s %v %s", got.MadeBy, got.Updated, d)
		}
	}
	check(t, c.DropTable(ctx, row.ID))
	_, err = c.Lineage(ctx, row.ID)
	wantErr(t, err, catalog.ErrNotFound)
	if err := c.SetLineage(ctx, row.ID, "p", lineage.Lineage{}); err == nil {
		t.Error("a table that is gone takes lineage")
	}
}
