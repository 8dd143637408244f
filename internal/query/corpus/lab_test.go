package corpus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// folder writes a corpus of the given lines and loads it.
func folder(t *testing.T, lines ...string) (string, []Case) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "functions"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "functions", "own.jsonl"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	cases, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, cases
}

// Each object differs from the engine's right answer in the one thing that
// its ID names; "equal" ones do not.
var planted = []string{
	`{"id":"equal","sql":"SELECT 1 AS a, 'x' AS b","names":["a","b"],"types":["int","string"],"ordered":false,"rows":[[1,"x"]]}`,
	`{"id":"equal args","sql":"SELECT :n + 1 AS a, :s AS b","args":{"n":1,"s":"it's \\ "},"names":["a","b"],"types":["int","string"],"rows":[[2,"it's \\ "]]}`,
	`{"id":"equal positional","sql":"SELECT ? AS a","args":[{"sql":"1.50BD"}],"names":["a"],"types":["decimal(3,2)"],"rows":[["1.50"]]}`,
	`{"id":"equal unordered","sql":"VALUES (2), (1)","names":["col1"],"types":["int"],"ordered":false,"rows":[[1],[2]]}`,
	`{"id":"equal double","sql":"SELECT 1e0 AS a","names":["a"],"types":["double"],"rows":[["1"]]}`,
	`{"id":"equal within tolerance","sql":"SELECT 1e0 AS a","tolerance":0.001,"names":["a"],"types":["double"],"rows":[["1.0001"]]}`,
	`{"id":"equal error","sql":"SELECT 1 / 0","error":{"class":"DIVIDE_BY_ZERO","sqlstate":"22012","phase":"runtime"}}`,
	`{"id":"equal loose error","sql":"SELECT 1 / 0","error":{"class":null,"loose":"null","sqlstate":null,"phase":"runtime"}}`,
	`{"id":"equal conf","sql":"SELECT 1 / 0 AS a","conf":{"spark.sql.ansi.enabled":"false"},"names":["a"],"types":["double"],"rows":[[null]]}`,
	`{"id":"equal map","sql":"SELECT map('b', 1, 'a', 2) AS m","names":["m"],"types":["map<string,int>"],"rows":[[[["a",2],["b",1]]]]}`,
	`{"id":"equal steps","steps":[{"sql":"CREATE VIEW v AS SELECT 1 AS a","names":[],"types":[],"rows":[]},{"sql":"SELECT a FROM v","names":["a"],"types":["int"],"rows":[[1]]}]}`,
	`{"id":"equal fresh schema","steps":[{"sql":"SELECT a FROM v","error":{"class":"TABLE_OR_VIEW_NOT_FOUND","sqlstate":"42P01","phase":"analysis"}}]}`,
	`{"id":"value","sql":"SELECT 1 AS a","names":["a"],"types":["int"],"rows":[[2]]}`,
	`{"id":"value null","sql":"SELECT 1 AS a","names":["a"],"types":["int"],"rows":[[null]]}`,
	`{"id":"value zero's sign","sql":"SELECT 0e0 AS a","names":["a"],"types":["double"],"rows":[["-0.0"]]}`,
	`{"id":"value scale","sql":"SELECT 1.5 AS a","names":["a"],"types":["decimal(2,1)"],"rows":[["1.50"]]}`,
	`{"id":"value beyond tolerance","sql":"SELECT 1e0 AS a","tolerance":0.001,"names":["a"],"types":["double"],"rows":[["1.01"]]}`,
	`{"id":"value nested","sql":"SELECT array(1, 2) AS a","names":["a"],"types":["array<int>"],"rows":[[[2,1]]]}`,
	`{"id":"tolerance for text","sql":"SELECT '1.0' AS a","tolerance":0.5,"names":["a"],"types":["string"],"rows":[["1.1"]]}`,
	`{"id":"type","sql":"SELECT 1 AS a","names":["a"],"types":["bigint"],"rows":[["1"]]}`,
	`{"id":"name","sql":"SELECT 1 AS a","names":["A"],"types":["int"],"rows":[[1]]}`,
	`{"id":"columns","sql":"SELECT 1 AS a, 2 AS b","names":["a"],"types":["int"],"rows":[[1]]}`,
	`{"id":"rows","sql":"VALUES (1), (1)","names":["col1"],"types":["int"],"rows":[[1]]}`,
	`{"id":"twice","sql":"VALUES (1), (1)","names":["col1"],"types":["int"],"rows":[[1],[2]]}`,
	`{"id":"order","sql":"SELECT * FROM VALUES (2), (1) ORDER BY 1","ordered":true,"names":["col1"],"types":["int"],"rows":[[2],[1]]}`,
	`{"id":"error instead","sql":"SELECT 1 / 0 AS a","names":["a"],"types":["double"],"rows":[[null]]}`,
	`{"id":"no error","sql":"SELECT 1 AS a","error":{"class":"DIVIDE_BY_ZERO","sqlstate":"22012","phase":"runtime"}}`,
	`{"id":"no loose error","sql":"SELECT 1 AS a","error":{"class":null,"loose":"null","phase":"runtime"}}`,
	`{"id":"class","sql":"SELECT 1 / 0","error":{"class":"ARITHMETIC_OVERFLOW","sqlstate":"22012","phase":"runtime"}}`,
	`{"id":"sqlstate","sql":"SELECT 1 / 0","error":{"class":"DIVIDE_BY_ZERO","sqlstate":"22013","phase":"runtime"}}`,
	`{"id":"second step","steps":[{"sql":"CREATE VIEW v AS SELECT 1 AS a","names":[],"types":[],"rows":[]},{"sql":"SELECT a FROM v","names":["a"],"types":["int"],"rows":[[7]]}]}`,
}

func TestRunNoticesEveryDifference(t *testing.T) {
	dir, cases := folder(t, planted...)
	lab, err := Open(t.Context(), dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	}()
	var out strings.Builder
	r := NewReport(&out)
	for _, c := range cases {
		f, err := lab.Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if equal := strings.HasPrefix(c.ID, "equal"); equal != (f == nil) {
			t.Errorf("%s: %v", c.ID, f)
		}
		if err := r.Add(c, f); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.Table(); !strings.HasSuffix(got, "12 passed, 19 failed\n") {
		t.Errorf("table:\n%s", got)
	}
	for _, want := range []string{"second step (functions/own) step 2 of 2: row 1 differs", `spark ["A"] ["int"]`, `here  ["a"] ["int"]`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the failures lack %q", want)
		}
	}
}

func TestKeepAndDropRows(t *testing.T) {
	s := Step{
		Keep: []string{"b"}, DropRows: map[string][]any{"a": {"skip"}},
		Names: []string{"a", "b"}, Types: []string{"string", "string"}, Rows: [][]any{{"x", "1"}},
	}
	got := Answer{Names: []string{"a", "b"}, Types: stringTypes(2), Rows: [][]any{{"other", "1"}, {"skip", "9"}}}
	if d := s.compare(&got); d != "" {
		t.Errorf("kept column: %s", d)
	}
	got.Rows[0][1] = "2"
	if d := s.compare(&got); d == "" {
		t.Error("a wrong value in a kept column passed")
	}
}

func TestBadFolders(t *testing.T) {
	for _, line := range []string{`{"id":"x"`, `{"id":"","sql":"SELECT 1","names":[]}`, `{"id":"x","sql":"SELECT 1"}`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.jsonl"), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil {
			t.Errorf("%s was taken", line)
		}
	}
}

func stringTypes(n int) []types.Type {
	out := make([]types.Type, n)
	for i := range out {
		out[i] = types.String
	}
	return out
}
