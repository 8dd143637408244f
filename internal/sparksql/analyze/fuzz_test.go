package analyze_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

// FuzzStatements: no statement may panic, and what fails must be an error of
// Spark SQL.
func FuzzStatements(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for block := range strings.SplitSeq(string(data), "\n\n") {
			query, _, _ := strings.Cut(block, "\n----\n")
			f.Add(query)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		st, err := parse.Statement("", text)
		if err != nil {
			return
		}
		out, err := analyze.Statement(t.Context(), st, env(plant()))
		if err == nil {
			if bad := checkStatement(out); bad != nil {
				t.Fatal(bad)
			}
		}
		if _, ok := errors.AsType[*sparksql.Error](err); err != nil && !ok {
			t.Fatalf("%T: %v", err, err)
		}
	})
}

// Short texts that would grow without bound are refused.
func TestGrowthIsBounded(t *testing.T) {
	var alias strings.Builder
	alias.WriteString("SELECT 1 AS a0")
	for i := range 60 {
		fmt.Fprintf(&alias, ", a%d + a%[1]d AS a%d", i, i+1)
	}
	var columns strings.Builder
	columns.WriteString("WITH c0 AS (SELECT * FROM readings)")
	for i := range 40 {
		fmt.Fprintf(&columns, ", c%d AS (SELECT * FROM c%d x, c%[2]d y)", i+1, i)
	}
	columns.WriteString(" SELECT 1 FROM c40")
	r := plant()
	for i := range 60 {
		name := fmt.Sprintf("v%d", i+1)
		r.views[name] = &analyze.View{Name: []string{name}, Text: fmt.Sprintf("SELECT a.device FROM v%d a, v%[1]d b", i)}
	}
	r.views["v0"] = &analyze.View{Name: []string{"v0"}, Text: "SELECT device FROM readings"}
	for _, text := range []string{alias.String(), columns.String(), "SELECT * FROM v60"} {
		_, err := analyze.Query(t.Context(), text, env(r))
		if sparksql.ClassOf(err) != "FAILED_TO_PARSE_TOO_COMPLEX" {
			t.Errorf("%.60s...: got %v", text, err)
		}
	}
}
