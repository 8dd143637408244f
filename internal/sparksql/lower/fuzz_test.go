package lower_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// tables finds one table under every name of one part.
type tables struct{ cols []types.Field }

func (r tables) Table(_ context.Context, name []string, _ analyze.TimeTravel) (*plan.Source, *analyze.View, error) {
	if len(name) > 1 {
		return nil, nil, nil
	}
	return &plan.Source{Kind: plan.SourceTable, Name: name, Columns: r.cols}, nil, nil
}

func (tables) Function(context.Context, string, map[string]string, []types.Field) (*plan.Source, error) {
	return nil, nil
}

func (tables) Names(context.Context) []string { return nil }

// recorded are the statements whose answers are recorded.
func recorded(f *testing.F) {
	files, err := filepath.Glob("../../query/corpus/testdata/recorded/*.jsonl")
	if err != nil || len(files) == 0 {
		f.Fatal("no recorded statements", err)
	}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			f.Fatal(err)
		}
		sc := bufio.NewScanner(file)
		sc.Buffer(nil, 64<<20)
		for sc.Scan() {
			var c struct{ SQL string }
			if json.Unmarshal(sc.Bytes(), &c) == nil && c.SQL != "" {
				f.Add(c.SQL)
			}
		}
		if err := errors.Join(sc.Err(), file.Close()); err != nil {
			f.Fatal(err)
		}
	}
}

// FuzzQueries: what analysis takes is lowered, or refused with an error of
// Spark SQL; nothing panics.
func FuzzQueries(f *testing.F) {
	recorded(f)
	cols, err := parse.Schema("id INT, i INT, j INT, flag BOOLEAN, b TINYINT, s SMALLINT, l BIGINT, f FLOAT, d DOUBLE, m DECIMAL(10,2), w DECIMAL(38,10), str STRING, " +
		"num STRING, js STRING, bin BINARY, dt DATE, ts TIMESTAMP, ntz TIMESTAMP_NTZ, ai ARRAY<INT>, ax ARRAY<STRING>, ad ARRAY<DOUBLE>, mi MAP<STRING, INT>, st STRUCT<a: INT, b: STRING>")
	if err != nil {
		f.Fatal(err)
	}
	env := analyze.Env{Resolver: tables{cols}, Catalog: "main", Schema: "lab", User: "ana", Now: time.Date(2024, 3, 5, 6, 7, 8, 0, time.UTC)}
	opt := lower.Options{ANSI: true, Now: env.Now, Scan: func(s *plan.Scan) (string, error) { return strings.Join(s.Source.Name, "_"), nil }}
	f.Fuzz(func(t *testing.T, text string) {
		st, err := parse.Statement("", text)
		if err != nil {
			return
		}
		out, err := analyze.Statement(t.Context(), st, env)
		if q, ok := out.(*plan.Query); ok && err == nil {
			_, err = lower.Query(q.Plan, opt)
		}
		if _, ok := errors.AsType[*sparksql.Error](err); err != nil && !ok {
			t.Fatalf("%s: %T: %v", text, err, err)
		}
	})
}
