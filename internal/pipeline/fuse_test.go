package pipeline

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/sparksql/plan"
)

// parsedColumns is how many columns the log's reader parses for a dataset.
func parsedColumns(p *Pipeline, name string) (n int) {
	for _, nd := range p.nodes {
		if nd.ds.name[2] != name {
			continue
		}
		for _, s := range plan.Scans(nd.ds.def.Plan) {
			if h, ok := s.Source.Handle.(*logHandle); ok {
				n += len(h.json)
			}
		}
	}
	return n
}

const (
	logSQL     = `read_kafka(bootstrapServers => 'marisma.local:9093', subscribe => 'telemetry', startingOffsets => 'earliest')`
	jsonSchema = `'a INT, b STRING, d DECIMAL(9,2), t TIMESTAMP, l ARRAY<INT>, s STRUCT<x: DOUBLE, y: DATE>, m MAP<STRING, BIGINT>, _corrupt_record STRING'`
)

func TestFusedJSONAnswersAsTheKernelDoes(t *testing.T) {
	r := newRig(t, t.TempDir())
	// The text is concatenated with nothing in the plain table, so that the
	// call is not over the value itself.
	table := func(name, text string) string {
		return fmt.Sprintf(`CREATE OR REFRESH STREAMING TABLE %s AS SELECT offset, r.*, first, other.b AS again FROM (
			SELECT *, from_json(%[2]s, %[3]s, map('mode', 'PERMISSIVE')) AS r, get(from_json(%[2]s, 'ARRAY<STRING>'), 0) AS first,
			from_json(%[2]s, 'b STRING', map('timestampFormat', 'yyyy')) AS other
			FROM STREAM %[4]s WHERE offset >= 0) WHERE offset < 1000;`, name, text, jsonSchema, logSQL)
	}
	fast := `CREATE OR REFRESH STREAMING TABLE fast AS SELECT from_json(CAST(value AS STRING), 'a INT', map('mode', 'FAILFAST')) AS r FROM STREAM ` + logSQL + ` WHERE false;`
	nested := `CREATE OR REFRESH STREAMING TABLE nested AS SELECT offset, from_json(CAST(value AS STRING), 'a INT').a AS a
		FROM (SELECT value, offset FROM STREAM ` + logSQL + `);`
	p, stop := r.start(small(table("fused", "CAST(value AS STRING)"), table("plain", "concat(CAST(value AS STRING), '')"), fast, nested))
	defer stop()
	for name, want := range map[string]int{"fused": 3, "plain": 0, "fast": 0, "nested": 1} {
		if got := parsedColumns(p, name); got != want {
			t.Errorf("%s: %d columns are parsed by the reader, want %d", name, got, want)
		}
	}
	docs := []string{
		`{"a":1,"b":"x","d":12.345,"t":"2024-03-31T02:30:00Z","l":[1,2],"s":{"x":1.5,"y":"2024-02-29"},"m":{"k":7}}`,
		`{"a":null}`, `{}`, `[]`, `["q"]`, `null`, ``, ` `, `{"a":1`, `{"a":"1"}`, `{"a":99999999999}`, `{"b":{"deep":[1]}}`,
		`{"b":"tröst \u00e9 \ud83d\ude00"}`, `{"a":1}trailing`, `{'a':2}`, `{"A":3}`, `{"a":1,"a":2}`, `{"l":[1,"x"]}`,
		`{"s":{"y":"nonsense"}}`, `{"t":1700000000}`, `{"d":1e3}`, `{"d":99999999.999}`, `nonsense`, `{"b":"` + strings.Repeat("z", 300) + `"}`,
	}
	r.send(0, "d", docs...)
	r.send(1, "d", docs...)
	if err := p.Update(context.Background()); err != nil {
		t.Fatal(err)
	}
	const ask = "SELECT * FROM %s ORDER BY offset, to_json(struct(*))"
	fused, plain := r.ask(fmt.Sprintf(ask, "fused")), r.ask(fmt.Sprintf(ask, "plain"))
	if len(plain) != 2*len(docs) {
		t.Errorf("%d rows, want %d", len(plain), 2*len(docs))
	}
	if d := cmp.Diff(plain, fused); d != "" {
		t.Errorf("the kernel's (-) and the reader's (+) answers differ:\n%s", d)
	}
	r.same("nested", r.ask("SELECT count(a) FROM nested"), "8")
}
