package page_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/funcs/reference"
	"github.com/marisma/marisma/internal/sparksql/funcs/reference/page"
)

const (
	pageFile  = "../../../../../docs/reference/functions.md"
	casesFile = "../../../../query/corpus/testdata/recorded/functions.jsonl"
	howTo     = "\nA function needs a block in internal/sparksql/funcs/reference/<family>.txt (see the package's comment):\n" +
		"its signatures, what it does in one line, and an example. Then run `make gen` (it adds the example to\n" +
		"internal/query/corpus/testdata/recorded/functions.jsonl), `make spark-record` for Spark's answer, and `make gen` again."
)

// Every function has an entry with an example that calls it, and Spark's
// answer to the example; TestRecorded of internal/query/corpus runs it.
func TestEveryFunctionIsDescribed(t *testing.T) {
	recorded, err := os.ReadFile(casesFile)
	if err != nil {
		t.Fatal(err)
	}
	type answer struct {
		ID, SQL string
		Types   []string
		Rows    [][]any
		Error   *struct{ Class string }
	}
	answers := map[string]answer{}
	for l := range bytes.Lines(recorded) {
		var a answer
		if err := json.Unmarshal(l, &a); err != nil {
			t.Fatal(err)
		}
		answers[a.ID] = a
	}
	entries, err := reference.Entries()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]reference.Entry{}
	for _, e := range entries {
		if old, twice := seen[e.Name]; twice {
			t.Errorf("%s stands in %s and in %s", e.Name, old.File, e.File)
		}
		seen[e.Name] = e
		if d := funcs.Lookup(e.Name); d == nil || d.Operator {
			t.Errorf("%s: there is no function %s", e.File, e.Name)
		}
		if !regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(e.Name) + `( |\()`).MatchString(e.Example) {
			t.Errorf("%s: the example of %s does not call it: %s", e.File, e.Name, e.Example)
		}
		a := answers["fn "+e.Name]
		if a.SQL != e.Example || len(a.Types) == 0 && a.Error == nil {
			t.Errorf("%s: no answer of Spark is recorded for the example of %s: %s%s", e.File, e.Name, e.Example, howTo)
		}
	}
	for _, n := range funcs.Names() {
		d := funcs.Lookup(n)
		if _, ok := seen[n]; ok || d.Name != n || d.Base != "" {
			continue // described, or another name of one that must be
		}
		t.Errorf("the function %s has no entry%s", n, howTo)
	}
	if n := len(seen); n < 350 {
		t.Errorf("only %d functions are described", n)
	}
}

// The page is what is generated, and has a heading for each function.
func TestPageIsGenerated(t *testing.T) {
	recorded, err := os.ReadFile(casesFile)
	if err != nil {
		t.Fatal(err)
	}
	want, err := page.Render(recorded)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("docs/reference/functions.md is out of date, run `make gen`:\n%s", d)
	}
	for _, n := range funcs.Names() {
		if !strings.Contains(string(got), "["+n+"](#") {
			t.Errorf("%s is missing in the index of docs/reference/functions.md%s", n, howTo)
		}
	}
}
