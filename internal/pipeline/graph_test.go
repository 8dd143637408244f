package pipeline

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestErrorsOfFilesHaveTheirPlaces(t *testing.T) {
	stream := "CREATE OR REFRESH STREAMING TABLE b AS SELECT CAST(value AS STRING) AS v, timestamp AS at, offset FROM STREAM read_kafka(bootstrapServers => 'localhost:9093', subscribe => 'telemetry');\n"
	for name, c := range map[string]struct {
		files []string
		want  []string // parts of the error, all of them
	}{
		"unknown key": {[]string{"CREATE STREAMING TABLE x AS\nSELECT '${nope}' AS a FROM STREAM(b);"}, []string{"src/a.sql:2:9", `"nope"`}},
		"open key":    {[]string{"SELECT ${a"}, []string{"src/a.sql:1:8", "closing"}},
		"syntax, in two files": {[]string{"CREATE STREAMING TABEL x AS SELECT 1;", stream + "SELEC 1;"},
			[]string{"src/a.sql:1:", "src/b.sql:2:", "PARSE_SYNTAX_ERROR"}},
		"twice": {[]string{stream, stream}, []string{"src/b.sql:1:1", "TABLE_OR_VIEW_ALREADY_EXISTS", "src/a.sql:1:1"}},
		"missing input": {[]string{"CREATE MATERIALIZED VIEW g AS\nSELECT * FROM silvre;", stream},
			[]string{"src/a.sql:2:15", "TABLE_OR_VIEW_NOT_FOUND", "silvre"}},
		"missing column, and another error": {[]string{stream + "CREATE MATERIALIZED VIEW g AS\nSELECT vv FROM b;\nCREATE MATERIALIZED VIEW h AS\nSELECT nofunc(v) FROM b;"},
			[]string{"src/a.sql:3:8", "UNRESOLVED_COLUMN", "src/a.sql:5:8", "nofunc"}},
		"an error is told once": {[]string{stream + "CREATE TEMPORARY VIEW w AS SELECT zz FROM b;\nCREATE MATERIALIZED VIEW g AS SELECT * FROM w;"},
			[]string{"src/a.sql:2:35", "zz"}},
		"cycle": {[]string{"CREATE MATERIALIZED VIEW x AS SELECT * FROM y;\nCREATE MATERIALIZED VIEW y AS SELECT * FROM x;"},
			[]string{"src/a.sql:1:1", "RECURSIVE_VIEW", "c.s.x"}},
		"no stream":      {[]string{stream + "CREATE STREAMING TABLE x AS SELECT * FROM b;"}, []string{"src/a.sql:2:1", "STREAMING_TABLE_NEEDS_STREAM"}},
		"stream in view": {[]string{stream + "CREATE MATERIALIZED VIEW x AS SELECT * FROM STREAM(b);"}, []string{"src/a.sql:2:", "INVALID_STREAM_IN_MATERIALIZED_VIEW"}},
		"aggregate":      {[]string{stream + "CREATE STREAMING TABLE x AS SELECT\n  count(*) AS n FROM STREAM(b);"}, []string{"src/a.sql:3:3", "comes with stateful streaming"}},
		"distinct":       {[]string{stream + "CREATE STREAMING TABLE x AS SELECT DISTINCT v FROM STREAM(b);"}, []string{"src/a.sql:2:", "comes with stateful streaming"}},
		"window function": {[]string{stream + "CREATE STREAMING TABLE x AS SELECT v, row_number() OVER (ORDER BY v) AS n FROM STREAM(b);"},
			[]string{"src/a.sql:2:", "comes with stateful streaming"}},
		"two streams": {[]string{stream + "CREATE STREAMING TABLE x AS SELECT a.v FROM STREAM(b) a JOIN STREAM(b) c ON a.v = c.v;"},
			[]string{"src/a.sql:2:", "comes with stateful streaming"}},
		"union": {[]string{stream + "CREATE STREAMING TABLE x AS SELECT v FROM STREAM(b) UNION ALL SELECT v FROM STREAM(b);"},
			[]string{"src/a.sql:2:", "comes with stateful streaming"}},
		"outer join the wrong way": {[]string{stream + "CREATE MATERIALIZED VIEW m AS SELECT 'a' AS v;\nCREATE STREAMING TABLE x AS SELECT m.v FROM m LEFT JOIN STREAM(b) ON m.v = b.v;"},
			[]string{"src/a.sql:3:", "STREAM_STATIC_OUTER_JOIN"}},
		"other server": {[]string{strings.Replace(stream, "localhost:9093", "kafka.example.com:9092", 1)}, []string{"src/a.sql:1:", "kafka.example.com"}},
		"other topic":  {[]string{strings.Replace(stream, "telemetry", "orders", 1)}, []string{"src/a.sql:1:", "orders"}},
		"no dataset":   {[]string{"DROP TABLE x;"}, []string{"src/a.sql:1:1"}},
		"bad interval": {[]string{strings.Replace(stream, " AS SELECT", " TBLPROPERTIES ('pipelines.trigger.interval' = 'often') AS SELECT", 1)},
			[]string{"src/a.sql:1:1", "often"}},
	} {
		_, err := Check(context.Background(), small(c.files...), "telemetry")
		if err == nil {
			t.Errorf("%s: passes", name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: no %q in\n%v", name, w, err)
			}
		}
		if name == "an error is told once" && strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s:\n%v", name, err)
		}
	}
}

func TestGraphOfNodesAndEdges(t *testing.T) {
	st, err := Check(context.Background(), small(goldSQL, silverSQL, bronzeSQL), "telemetry")
	if err != nil {
		t.Fatal(err)
	}
	var nodes, edges []string
	for _, n := range st.Nodes {
		nodes = append(nodes, n.ID+" "+n.Kind)
	}
	for _, e := range st.Edges {
		edges = append(edges, e.From+" > "+e.To)
	}
	want := []string{
		"log:telemetry LOG", "c.s.bronze STREAMING_TABLE", "c.s.silver STREAMING_TABLE", "c.s.big VIEW", "c.s.gold MATERIALIZED_VIEW",
	}
	if d := cmp.Diff(want, nodes); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"log:telemetry > c.s.bronze", "c.s.bronze > c.s.silver", "c.s.silver > c.s.big", "c.s.big > c.s.gold"}, edges); d != "" {
		t.Error(d)
	}
}

func TestIntervals(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5 seconds": 5 * time.Second, "1 minute": time.Minute, "500 ms": 500 * time.Millisecond, "INTERVAL 2 HOURS": 2 * time.Hour,
		"0 seconds": 0, "1.5 seconds": 1500 * time.Millisecond, "1 day": 24 * time.Hour,
	} {
		if got, err := parseInterval(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "five seconds", "5 parsecs", "-1 seconds", "5 seconds ago"} {
		if got, err := parseInterval(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestSubstituteKeepsPlaces(t *testing.T) {
	got, errs := substitute("a.sql", "x ${ a } y ${b}\nñ ${c}", map[string]string{"a": "1", "b": "${c}"})
	if got != "x 1 y ${c}\nñ " || len(errs) != 1 || !strings.Contains(fmt.Sprint(errs), "a.sql:2:3") {
		t.Errorf("%q, %v", got, errs)
	}
}
