package analyze_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

type corpusCase struct {
	ID    string            `json:"id"`
	SQL   string            `json:"sql"`
	Steps json.RawMessage   `json:"steps"`
	Conf  map[string]string `json:"conf"`
	Args  json.RawMessage   `json:"args"`
	Names []string          `json:"names"`
	Types []string          `json:"types"`
	Error *struct {
		Class string `json:"class"`
		Phase string `json:"phase"`
		Loose bool   `json:"loose"`
	} `json:"error"`
}

// labTables reads the base tables' columns from the corpus' setup.
func labTables(t *testing.T, dir string) fakeResolver {
	text, err := os.ReadFile(filepath.Join(dir, "sql", "setup.sql"))
	if err != nil {
		t.Skip(err)
	}
	r := fakeResolver{tables: map[string][]types.Field{}}
	for line := range strings.SplitSeq(string(text), "\n") {
		rest, ok := strings.CutPrefix(line, "CREATE TABLE ")
		if !ok {
			continue
		}
		name, cols, _ := strings.Cut(rest, " (")
		cols = cols[:strings.LastIndex(cols, ")")]
		fields, err := parse.Schema(cols)
		if err != nil {
			t.Fatal(err)
		}
		r.tables[strings.TrimPrefix(name, "lab.")] = fields
	}
	return r
}

// Types and names of every query that Spark answered must be Spark's. The
// corpus is not part of the repository; MARISMA_CORPUS names it.
func TestCorpusTypes(t *testing.T) {
	dir := os.Getenv("MARISMA_CORPUS")
	if dir == "" {
		t.Skip("MARISMA_CORPUS names no folder")
	}
	resolver := labTables(t, dir)
	files, _ := filepath.Glob(filepath.Join(dir, "sql", "*", "*.jsonl"))
	var total, typed, named, failed, errs, errHit, errMiss int
	perClass := map[string]int{}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 16<<20)
		for sc.Scan() {
			var c corpusCase
			if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
				t.Fatal(err)
			}
			if c.Steps != nil || c.Args != nil {
				continue
			}
			st, err := parse.Statement("", c.SQL)
			if err == nil {
				if _, ok := st.(*ast.QueryStatement); !ok {
					continue
				}
			}
			if c.Conf["spark.sql.caseSensitive"] == "true" {
				continue
			}
			var out plan.Statement
			if err == nil {
				env := analyze.Env{Resolver: resolver, Catalog: "spark_catalog", Schema: "lab", Conf: c.Conf, User: "u"}
				out, err = analyze.Statement(context.Background(), st, env)
			}
			if c.Error != nil && c.Error.Phase != "runtime" {
				errs++
				switch {
				case err == nil:
					errMiss++
					t.Logf("MISS %s: Spark says %s: %s", c.ID, c.Error.Class, c.SQL)
				case sparksql.ClassOf(err) == c.Error.Class:
					errHit++
				default:
					t.Logf("CLASS %s: Spark says %s, got %v: %s", c.ID, c.Error.Class, err, c.SQL)
				}
				continue
			}
			total++
			if err != nil {
				failed++
				perClass[sparksql.ClassOf(err)]++
				t.Logf("FAIL %s: %v: %s", c.ID, err, c.SQL)
				continue
			}
			if bad := checkPlan(out.(*plan.Query).Plan); bad != nil {
				t.Errorf("%s: %v: %s", c.ID, bad, c.SQL)
			}
			if c.Error != nil {
				continue
			}
			var names, ts []string
			for _, at := range out.(*plan.Query).Plan.Output() {
				names, ts = append(names, at.Name), append(ts, at.Type.String())
			}
			if strings.Join(ts, "|") == strings.Join(c.Types, "|") {
				typed++
			} else {
				t.Logf("TYPE %s: Spark %q, got %q: %s", c.ID, c.Types, ts, c.SQL)
			}
			if strings.Join(names, "|") == strings.Join(c.Names, "|") {
				named++
			} else {
				t.Logf("NAME %s: Spark %q, got %q: %s", c.ID, c.Names, names, c.SQL)
			}
		}
		_ = f.Close()
	}
	var list []string
	for k, n := range perClass {
		list = append(list, k+"="+itoa(n))
	}
	sort.Strings(list)
	t.Logf("queries %d: failed %d, right types %d, right names %d; errors %d: same class %d, accepted %d", total, failed, typed, named, errs, errHit, errMiss)
	t.Logf("failures by class: %s", strings.Join(list, " "))
}
