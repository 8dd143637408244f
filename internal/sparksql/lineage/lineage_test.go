package lineage_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/lineage"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

type tables struct{}

var schemas = map[string]string{
	"t": "id BIGINT, a INT, b INT, s STRING, ts TIMESTAMP, body STRING, st STRUCT<x: INT, y: STRUCT<z: STRING>>, xs ARRAY<INT>, items ARRAY<STRUCT<sku: STRING, qty: INT>>, m MAP<STRING, INT>, v VARIANT",
	"u": "id BIGINT, t_id BIGINT, c INT, d STRING",
}

func (tables) Table(_ context.Context, name []string, _ analyze.TimeTravel) (*plan.Source, *analyze.View, error) {
	n := name[len(name)-1]
	if n == "vw" {
		return nil, &analyze.View{Text: "SELECT id, a + b AS ab, s FROM t WHERE a > 0", Name: name}, nil
	}
	cols, err := parse.Schema(schemas[n])
	if err != nil {
		return nil, nil, nil
	}
	return &plan.Source{Kind: plan.SourceTable, Name: []string{n}, Columns: cols}, nil, nil
}

func (tables) Function(_ context.Context, name string, args map[string]string, schema []types.Field) (*plan.Source, error) {
	switch name {
	case "read_kafka":
		cols, err := parse.Schema("key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP")
		return &plan.Source{Kind: plan.SourceKafka, Name: []string{name}, Columns: cols, Options: args}, err
	case "read_files":
		return &plan.Source{Kind: plan.SourceFiles, Name: []string{name}, Columns: schema, Options: args}, nil
	}
	return nil, nil
}

func (tables) Names(context.Context) []string { return nil }

func inputs(in []lineage.Input) string {
	var out []string
	for _, i := range in {
		src := i.Source.Name
		if i.Source.Kind != "table" {
			src = i.Source.Kind + ":" + src
		}
		s := fmt.Sprintf("%s %s.%s", i.Subtype, src, i.Field)
		if i.Masking {
			s += " masked"
		}
		if want := map[bool]string{true: lineage.Direct, false: lineage.Indirect}[slices.Contains([]string{lineage.Identity, lineage.Transformation, lineage.Aggregation}, i.Subtype)]; want != i.Type {
			s += " " + i.Type
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func of(t *testing.T, sql string) lineage.Lineage {
	t.Helper()
	st, err := parse.Statement("", sql)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := analyze.Statement(t.Context(), st, analyze.Env{Resolver: tables{}})
	if err != nil {
		t.Fatal(err)
	}
	l, ok := lineage.Statement(ps)
	if !ok {
		t.Fatalf("no lineage of %T", ps)
	}
	return l
}

// The file's truth is made by hand.
func TestCases(t *testing.T) {
	b, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(string(b), "\n-- ")[1:]
	if len(cases) < 50 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, c := range cases {
		head := strings.SplitN(strings.TrimSpace(c), "\n", 3)
		t.Run(head[0], func(t *testing.T) {
			want := map[string]string{"rows": ""}
			for l := range strings.Lines(head[2]) {
				name, in, _ := strings.Cut(strings.TrimSpace(l), " =")
				parts := strings.Split(strings.TrimSpace(in), ", ")
				slices.Sort(parts)
				want[name] = strings.Join(parts, ", ")
			}
			l := of(t, head[1])
			got := map[string]string{"rows": inputs(l.Rows)}
			for _, col := range l.Columns {
				got[col.Name] = inputs(col.Inputs)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s\n(-want +got)\n%s", head[1], d)
			}
		})
	}
}

// A name that stands for an expression over the one before it, many times
// over, costs no more than their number.
func TestLongChains(t *testing.T) {
	sql := "SELECT a AS x0 FROM t"
	for i := range 60 {
		sql = fmt.Sprintf("SELECT x%d + x%d AS x%d FROM (%s)", i, i, i+1, sql)
	}
	if got := inputs(of(t, sql).Columns[0].Inputs); got != "TRANSFORMATION t.a" {
		t.Error(got)
	}
}

func TestSources(t *testing.T) {
	got := of(t, "SELECT 1 FROM u JOIN vw ON true WHERE EXISTS (SELECT 1 FROM t)").Sources
	want := []lineage.Source{{Kind: "table", Name: "t"}, {Kind: "table", Name: "u"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
