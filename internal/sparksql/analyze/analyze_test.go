package analyze_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

var rewrite = flag.Bool("rewrite", false, "write the answers into testdata")

func schema(ddl string) []types.Field {
	f, err := parse.Schema(ddl)
	if err != nil {
		panic(err)
	}
	return f
}

func plant() fakeResolver {
	return fakeResolver{
		tables: map[string][]types.Field{
			"readings": schema("device INT NOT NULL, ts TIMESTAMP, metric STRING, value DOUBLE, tags ARRAY<STRING>, seq BIGINT"),
			"machines": schema("id INT, name STRING, kind STRING, specs STRUCT<maker: STRING, dims: STRUCT<w: INT, h: INT>>, attrs MAP<STRING, STRING>, price DECIMAL(12,2)"),
			"orders":   schema("id BIGINT, items ARRAY<STRUCT<sku: STRING, qty: INT>>, due DATE, amount DECIMAL(12,2)"),
		},
		views: map[string]*analyze.View{
			"hot":  {Text: "SELECT device, value FROM readings WHERE value > 90", Name: []string{"hot"}},
			"loop": {Text: "SELECT * FROM loop", Name: []string{"loop"}},
			"agg":  {Text: "SELECT device, count(*) AS n FROM readings GROUP BY device", Name: []string{"agg"}},
		},
	}
}

func env(r analyze.Resolver) analyze.Env {
	return analyze.Env{Resolver: r, Catalog: "main", Schema: "plant", User: "ana", Now: time.Date(2024, 3, 5, 6, 7, 8, 0, time.UTC),
		Params: map[string]plan.Expr{"limit": &plan.Literal{Value: int64(3), Typ: types.Int}}}
}

// answer is what the data files hold for a statement: its plan, or its error.
func answer(ctx context.Context, text string, e analyze.Env) string {
	st, err := parse.Statement("", text)
	if err != nil {
		return err.Error() + "\n"
	}
	out, err := analyze.Statement(ctx, st, e)
	if err != nil {
		return err.Error() + "\n"
	}
	if err := checkStatement(out); err != nil {
		return "BAD PLAN " + err.Error() + "\n"
	}
	switch out := out.(type) {
	case *plan.Query:
		return printPlan(out.Plan)
	case *plan.CreateDataset:
		var b strings.Builder
		for _, c := range out.Columns {
			b.WriteString("column " + c.Name + " " + c.Type.String() + "\n")
		}
		for _, x := range out.Expectations {
			b.WriteString("expect " + x.Name + ": " + x.Text + " action " + itoa(int(x.Action)) + "\n")
		}
		if out.Plan != nil {
			b.WriteString(printPlan(out.Plan))
		}
		return b.String()
	case *plan.CreateView:
		s := "view " + strings.Join(out.Name, ".") + ": " + out.Text + "\n"
		return s + printPlan(out.Plan)
	case *plan.Command:
		var b strings.Builder
		b.WriteString("command " + out.Verb + " " + strings.Join(out.Name, "."))
		for _, k := range []string{"pattern", "key", "value", "comment", "if exists", "if not exists", "query"} {
			if v, ok := out.Args[k]; ok {
				b.WriteString(" " + k + "=" + v)
			}
		}
		b.WriteString("\n")
		return b.String()
	}
	return "?\n"
}

func checkStatement(st plan.Statement) error {
	switch st := st.(type) {
	case *plan.Query:
		return checkPlan(st.Plan)
	case *plan.CreateDataset:
		if st.Plan != nil {
			return checkPlan(st.Plan)
		}
	case *plan.CreateView:
		return checkPlan(st.Plan)
	}
	return nil
}

// The files hold statements and, behind a line of dashes, the plans with types
// (or the errors) that they must give.
func TestPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			for i, block := range strings.Split(strings.TrimSpace(string(data)), "\n\n") {
				query, want, _ := strings.Cut(block+"\n", "\n----\n")
				query = strings.TrimSuffix(query, "\n")
				got := answer(t.Context(), query, env(plant()))
				if i > 0 {
					out.WriteString("\n")
				}
				out.WriteString(query + "\n----\n" + got)
				if d := cmp.Diff(want, got); d != "" && !*rewrite {
					t.Errorf("%s:\n%s", query, d)
				}
			}
			if *rewrite {
				if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestErrorsCarryClassStateAndPlace(t *testing.T) {
	_, err := analyze.Query(t.Context(), "SELECT device,\n  valu FROM readings", env(plant()))
	e, ok := errors.AsType[*sparksql.Error](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	if e.Class != "UNRESOLVED_COLUMN.WITH_SUGGESTION" || e.SQLState != "42703" || e.Phase != sparksql.PhaseAnalysis || e.Pos.Line != 2 || e.Pos.Col != 3 {
		t.Errorf("got %+v", e)
	}
	if !strings.Contains(e.Hint, "`value`") {
		t.Errorf("hint %q does not name the nearest column", e.Hint)
	}
}

// An error inside of a view is placed where the view was written.
func TestErrorsInViewsNameTheirPlace(t *testing.T) {
	text := "CREATE TEMPORARY VIEW broken AS\n  SELECT device,\n  nosuch FROM readings"
	st, err := parse.Statement("views.sql", text)
	if err != nil {
		t.Fatal(err)
	}
	v, ok := st.(*ast.CreateView)
	if !ok {
		t.Fatalf("got %T", st)
	}
	r := plant()
	r.views["broken"] = &analyze.View{Name: []string{"broken"}, Text: v.Query.Text, At: v.Query.Pos()}
	_, err = analyze.Query(t.Context(), "SELECT * FROM broken", env(r))
	if e, ok := errors.AsType[*sparksql.Error](err); !ok || e.Pos.String() != "views.sql:3:3" || text[e.Pos.Offset:e.Pos.Offset+6] != "nosuch" {
		t.Errorf("got %v", err)
	}
}

func TestExpressionOverAttributes(t *testing.T) {
	over := []plan.Attr{{ID: 7, Name: "temp", Type: types.Double, Nullable: true}}
	x, err := analyze.Expression(t.Context(), "temp BETWEEN -50 AND 150", over, env(plant()))
	if err != nil {
		t.Fatal(err)
	}
	if x.Type() != types.Boolean || !x.Nullable() {
		t.Errorf("got %s nullable %v", x.Type(), x.Nullable())
	}
	if _, err := analyze.Expression(t.Context(), "sum(temp)", over, env(plant())); err == nil {
		t.Error("an aggregate passed")
	}
}

// The plan of a statement does not depend on where it stands in a chain:
// operators in a row are folded without recursion.
func TestLongChains(t *testing.T) {
	sum := "SELECT 1" + strings.Repeat(" + 1", 3000)
	if _, err := analyze.Query(t.Context(), sum, env(plant())); err != nil {
		t.Error(err)
	}
	union := "SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", 1000)
	if _, err := analyze.Query(t.Context(), union, env(plant())); err != nil {
		t.Error(err)
	}
}

// loadExamples analyses the bundles of examples/ in the order of their layers.
func TestExamplesAnalyse(t *testing.T) {
	tests := map[string]struct {
		files []string
		want  map[string]string
	}{
		"plant": {
			files: []string{"ingest/bronze.sql", "ingest/machines.sql", "transform/silver.sql", "transform/gold.sql"},
			want: map[string]string{
				"bronze_telemetry":    "device_id string, body binary, firmware string, content_type string, partition int, offset bigint, enqueued_at timestamp",
				"machines":            "device_id string, kind string, site string, line string, max_temperature double, rated_kw double",
				"silver_readings":     "device_id string, site string, line string, kind string, event_time timestamp, seq bigint, temperature double, pressure double, vibration double, power_kw double, humidity double, co2 double, pm25 double, status string, firmware string, corrupt string, partition int, offset bigint, enqueued_at timestamp",
				"gold_machine_5min":   "window_start timestamp, device_id string, site string, kind string, readings bigint, avg_temperature double, max_temperature double, avg_vibration double, avg_power_kw double",
				"gold_machine_health": "device_id string, kind string, site string, line string, readings bigint, last_seen timestamp, last_status string, overheated bigint, shaking bigint, health string",
				"gold_energy_site":    "site string, hour timestamp, machines bigint, kwh double, kwh_running double",
			},
		},
		"air": {
			files: []string{"bronze.sql", "silver.sql", "gold.sql"},
			want: map[string]string{
				"bronze":     "station string, body binary, partition int, offset bigint, enqueued_at timestamp",
				"silver":     "station string, observed_at timestamp, row_number int, pm25 double, pm10 double, so2 double, no2 double, co double, o3 double, temperature double, pressure double, wind_direction string, wind_speed double, partition int, offset bigint",
				"gold_daily": "station string, day date, pollutant string, observations bigint, mean double, maximum double",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := fakeResolver{tables: map[string][]types.Field{}, views: map[string]*analyze.View{}}
			got := map[string]string{}
			for _, file := range tt.files {
				file = filepath.Join("../../../examples", name, "src", name, file)
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				sts, err := parse.Statements(file, string(text))
				if err != nil {
					t.Fatal(err)
				}
				for _, st := range sts {
					if v, ok := st.(*ast.CreateView); ok {
						r.views[strings.ToLower(v.Name[0].Name)] = &analyze.View{Text: v.Query.Text, Name: v.Name.Strings(), File: file}
					}
					out, err := analyze.Statement(t.Context(), st, env(r))
					if err != nil {
						t.Fatal(err)
					}
					d, ok := out.(*plan.CreateDataset)
					if !ok {
						continue
					}
					var cols []string
					var fields []types.Field
					for _, at := range d.Plan.Output() {
						cols = append(cols, at.Name+" "+at.Type.String())
						fields = append(fields, types.Field{Name: at.Name, Type: at.Type, Nullable: at.Nullable})
					}
					got[d.Name[0]] = strings.Join(cols, ", ")
					r.tables[d.Name[0]] = fields
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
