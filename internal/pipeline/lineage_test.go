package pipeline

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql/lineage"
)

// What the catalog keeps of the example plant leads from each gold column to
// the hub's log or to the list of machines.
func TestLineageOfThePlantReachesItsSources(t *testing.T) {
	r := newRig(t, t.TempDir())
	proj, err := bundle.Load("../../examples/plant", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	b := proj.Pipelines[0]
	b.Catalog, b.Schema = "c", "s"
	_, stop := r.start(b)
	defer stop()
	all := map[string]catalog.Lineage{}
	tables, err := r.cat.AllTables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tab := range tables {
		if l, err := r.cat.Lineage(t.Context(), tab.ID); err == nil {
			all[tab.FullName()] = l
		}
	}
	of := func(s lineage.Source) (lineage.Lineage, bool) {
		l, ok := all[s.Name]
		return l.Lineage, ok
	}
	if got := all["c.s.gold_machine_5min"]; got.MadeBy != "pipeline "+b.Key || !slices.Contains(got.Sources, lineage.Source{Kind: "table", Name: "c.s.silver_readings"}) {
		t.Errorf("gold_machine_5min: made by %q from %v", got.MadeBy, got.Sources)
	}
	// Constants and counts of rows come from nowhere.
	bare := []string{"gold_machine_5min.readings", "gold_energy_site.machines"}
	got := map[string]string{}
	for name, l := range all {
		if !strings.Contains(name, "gold_") {
			continue
		}
		for _, c := range lineage.Through(l.Lineage, of).Columns {
			full := strings.TrimPrefix(name, "c.s.") + "." + c.Name
			var in []string
			for _, i := range c.Inputs {
				if i.Source.Kind == "table" {
					t.Errorf("%s ends at the table %s", full, i.Source.Name)
				}
				in = append(in, strings.ToLower(i.Subtype)+" "+i.Source.Kind+"."+i.Field)
			}
			if (len(in) == 0) != slices.Contains(bare, full) {
				t.Errorf("%s comes from %v", full, in)
			}
			got[full] = strings.Join(in, ", ")
		}
	}
	for column, want := range map[string]string{
		"gold_machine_5min.window_start":    "transformation kafka.value.ts",
		"gold_machine_5min.device_id":       "transformation kafka.key",
		"gold_machine_5min.site":            "identity files.site",
		"gold_machine_5min.max_temperature": "aggregation kafka.value.temperature",
		"gold_machine_health.device_id":     "identity files.device_id",
		"gold_machine_health.last_status":   "aggregation kafka.value.status, aggregation kafka.value.ts",
		"gold_machine_health.overheated":    "aggregation files.max_temperature, aggregation kafka.value.temperature",
		"gold_energy_site.hour":             "transformation kafka.value.ts",
		"gold_energy_site.kwh":              "aggregation kafka.value.power_kw",
	} {
		if d := cmp.Diff(want, got[column]); d != "" {
			t.Errorf("%s: %s", column, d)
		}
	}
}
