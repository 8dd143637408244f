package analyze_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// The statements of the streaming corpus have Spark's names and types.
func TestCorpusStreams(t *testing.T) {
	dir := os.Getenv("MARISMA_CORPUS")
	if dir == "" {
		t.Skip("MARISMA_CORPUS names no folder")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "streams", "*", "*.json"))
	total, good := 0, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			Lakeflow string
			Names    []string
			Types    []string
			Sources  map[string]struct{ Schema json.RawMessage }
		}
		if err := json.Unmarshal(data, &c); err != nil || c.Lakeflow == "" || c.Names == nil {
			continue
		}
		r := fakeResolver{tables: map[string][]types.Field{}, views: map[string]*analyze.View{}}
		for name, s := range c.Sources {
			var ddl string
			if json.Unmarshal(s.Schema, &ddl) != nil {
				continue
			}
			if f, err := parse.Schema(ddl); err == nil {
				r.tables[name] = f
			}
		}
		total++
		sts, err := parse.Statements("", c.Lakeflow)
		var out plan.Statement
		if err == nil {
			for _, st := range sts {
				if out, err = analyze.Statement(t.Context(), st, env(r)); err != nil {
					break
				}
			}
		}
		short := strings.TrimPrefix(file, dir)
		if err != nil {
			t.Logf("FAIL %s: %s %v: %s", short, sparksql.ClassOf(err), err, c.Lakeflow)
			continue
		}
		d, ok := out.(*plan.CreateDataset)
		if !ok || d.Plan == nil {
			t.Logf("NONE %s: %T: %s", short, out, c.Lakeflow)
			continue
		}
		var names, ts []string
		for _, at := range d.Plan.Output() {
			names, ts = append(names, at.Name), append(ts, at.Type.String())
		}
		if strings.Join(names, "|") != strings.Join(c.Names, "|") || strings.Join(ts, "|") != strings.Join(c.Types, "|") {
			t.Logf("DIFF %s: want %q %q, got %q %q", short, c.Names, c.Types, names, ts)
			continue
		}
		good++
	}
	t.Logf("streams: %d of %d", good, total)
}
