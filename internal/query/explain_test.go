package query_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
)

var rewrite = flag.Bool("rewrite", false, "write the plans into testdata")

var (
	bytesNumber = regexp.MustCompile(`(sizeInBytes=|files, )\d+(,| bytes)`)
	lowered     = regexp.MustCompile(`SELECT CAST\("c1".*FROM ("c\.s\.t").*\n`)
)

// The plans stand in the file behind their statements.
func TestExplain(t *testing.T) {
	r := newRig(t, t.TempDir())
	s := schemaOf(field("id", arrow.PrimitiveTypes.Int64), field("v", arrow.PrimitiveTypes.Int32), field("p", arrow.BinaryTypes.String))
	r.create("t", s, []delta.Option{delta.WithPartitionBy("p")},
		batch(t, s, `[{"id":1,"v":1,"p":"x"},{"id":2,"v":2,"p":"y"}]`), batch(t, s, `[{"id":3,"v":300,"p":"x"}]`))
	e := query.New(query.Config{Catalog: r.cat, Tables: r.tabs, Executor: query.InProcess{Pool: r.pool}})
	ask := func(sql string) ([]string, error) {
		sess := &query.Session{Catalog: "c", Schema: "s"}
		res, err := e.Run(t.Context(), sess, sql)
		if err != nil {
			return nil, err
		}
		defer res.Close()
		rec, err := res.Next(t.Context())
		if err != nil {
			return nil, err
		}
		defer rec.Release()
		if len(res.Columns) != 1 || res.Columns[0].Name != "plan" || res.Columns[0].Type != types.String {
			t.Errorf("%s: columns %v", sql, res.Columns)
		}
		return lines(rec), nil
	}
	var out strings.Builder
	for _, sql := range []string{
		"EXPLAIN SELECT 1 AS one",
		"EXPLAIN SELECT id + 1 AS n, upper(p) FROM t WHERE v > 1.5 ORDER BY n DESC LIMIT 3",
		"EXPLAIN SELECT p, count(*), sum(v) FILTER (WHERE id > 1) AS s FROM t GROUP BY p HAVING count(*) > 1",
		"EXPLAIN SELECT a.id, row_number() OVER (PARTITION BY a.p ORDER BY b.v) AS rn FROM t a LEFT JOIN t b USING (id)",
		"EXPLAIN WITH x AS (SELECT id FROM t) SELECT * FROM x l JOIN x r ON l.id = r.id WHERE l.id IN (SELECT v FROM t) AND EXISTS (SELECT 1 FROM t u WHERE u.id = l.id)",
		"EXPLAIN SELECT explode(array(1, 2)) AS e UNION ALL SELECT (SELECT max(v) FROM t)",
		"EXPLAIN WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT DISTINCT n FROM r",
		"EXPLAIN SELECT window(TIMESTAMP '2024-01-01 00:00:00', '5 minutes').start AS w, count(*) AS n FROM t GROUP BY window(TIMESTAMP '2024-01-01 00:00:00', '5 minutes')",
		"EXPLAIN EXTENDED SELECT id FROM t WHERE p = 'x' AND v >= 100",
		"EXPLAIN INSERT INTO t SELECT id + 1, v, p FROM t",
		"EXPLAIN INSERT OVERWRITE t SELECT * FROM t WHERE v > 1",
		"EXPLAIN CREATE TABLE u AS SELECT id FROM t",
		"EXPLAIN UPDATE t SET v = v + 1 WHERE id = 1",
		"EXPLAIN DELETE FROM t",
		"EXPLAIN DELETE FROM t WHERE v > 1",
		"EXPLAIN FORMATTED MERGE INTO t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE",
		"EXPLAIN FORMATTED SELECT md5(p) AS h, regexp_replace(p, '(x)', '$1') AS r FROM t",
		"EXPLAIN CODEGEN SELECT id FROM t",
		"EXPLAIN COST SELECT id FROM t",
		"EXPLAIN CREATE VIEW w AS SELECT id FROM t",
		"EXPLAIN SHOW TABLES IN s",
		"EXPLAIN SELECT nope FROM t",
	} {
		rows, err := ask(sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		// Sizes of files and the lowering of functions are no business of this test.
		text := bytesNumber.ReplaceAllString(strings.Join(rows, "\n"), "${1}N$2")
		out.WriteString(sql + "\n" + lowered.ReplaceAllString(text, "SELECT ... FROM ${1}\n") + "\n\n")
	}
	if *rewrite {
		if err := os.WriteFile("testdata/explain.txt", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/explain.txt")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), out.String()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for _, sql := range []string{"EXPLAIN", "EXPLAIN EXTENDED", "EXPLAIN EXPLAIN SELECT 1", "EXPLAIN SELECT ("} {
		if _, err := ask(sql); sparksql.ClassOf(err) != "PARSE_SYNTAX_ERROR" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if _, err := r.ask("SELECT * FROM w"); err == nil {
		t.Error("EXPLAIN CREATE VIEW has made the view")
	}
}
