package query_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql"
)

// answer runs a statement to its end and counts the rows.
func answer(ctx context.Context, e *query.Engine, text string) (int, error) {
	res, err := e.Run(ctx, &query.Session{Catalog: "c", Schema: "s"}, text)
	if err != nil {
		return 0, err
	}
	defer res.Close()
	rows := 0
	for {
		rec, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows += int(rec.NumRows())
		rec.Release()
	}
}

func engine(t *testing.T) *query.Engine {
	r := newRig(t, t.TempDir())
	if err := r.cat.EnsureSchema(t.Context(), "c", "s", "me"); err != nil {
		t.Fatal(err)
	}
	return query.New(query.Config{Catalog: r.cat, Tables: r.tabs, Executor: query.InProcess{Pool: r.pool}})
}

// nest is open n times, then middle, then shut n times.
func nest(n int, open, middle, shut string) string {
	return strings.Repeat(open, n) + middle + strings.Repeat(shut, n)
}

// list is item(0), item(1), ... with commas.
func list(n int, item string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(item, i)
	}
	return strings.Join(parts, ", ")
}

// What is large or deep is answered, or refused with a class, within a time;
// the process survives it.
func TestLargeStatementsAreBounded(t *testing.T) {
	const limit = 30 * time.Second
	e := engine(t)
	for name, text := range map[string]string{
		"parentheses":                  "SELECT " + nest(390, "(", "1", ")"),
		"parentheses, too many":        "SELECT " + nest(100_000, "(", "1", ")"),
		"NOT":                          "SELECT " + nest(390, "NOT ", "id > 1", "") + " FROM range(3)",
		"NOT, too many":                "SELECT " + nest(100_000, "NOT ", "true", ""),
		"calls":                        "SELECT " + nest(190, "abs(", "id", ")") + " FROM range(3)",
		"calls of kernels":             "SELECT " + nest(190, "concat('a', CAST(", "id", " AS STRING))") + " FROM range(3)",
		"CASE":                         "SELECT " + nest(120, "CASE WHEN id > 1 THEN ", "id", " ELSE 2 END") + " FROM range(3)",
		"CASE in the condition":        "SELECT " + nest(120, "CASE WHEN ", "id > 1", " THEN true ELSE false END") + " FROM range(3)",
		"CASE, too many":               "SELECT " + nest(50_000, "CASE WHEN true THEN ", "1", " END"),
		"sub-queries":                  nest(120, "SELECT * FROM (", "SELECT 1 AS a", ")"),
		"sub-queries, too many":        nest(50_000, "SELECT * FROM (", "SELECT 1 AS a", ")"),
		"scalar sub-queries":           nest(14, "SELECT (", "SELECT 1", ")"),
		"scalar sub-queries, too many": nest(90, "SELECT (", "SELECT 1", ")"),
		"additions":                    "SELECT id" + strings.Repeat(" + 1", 150) + " FROM range(3)",
		"additions, most":              "SELECT id" + strings.Repeat(" + 1", 3990) + " FROM range(3)",
		"additions, too many":          "SELECT 1" + strings.Repeat(" + 1", 100_000),
		"concatenation":                "SELECT 'a'" + strings.Repeat(" || CAST(id AS STRING)", 900) + " FROM range(3)",
		"AND":                          "SELECT * FROM range(3) WHERE id > 0" + strings.Repeat(" AND id < 9", 3000),
		"OR that may raise":            "SELECT * FROM range(3) WHERE id > 0" + strings.Repeat(" OR 1 / id > 9", 500),
		"UNION ALL":                    "SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", 500),
		"joins":                        "SELECT count(*) FROM range(1) a0" + strings.ReplaceAll(list(60, " JOIN range(1) b%d"), ",", ""),
		"IN, many values":              "SELECT * FROM range(3) WHERE id IN (" + list(50_000, "%d") + ")",
		"IN, many expressions":         "SELECT * FROM range(3) WHERE id IN (" + list(2_000, "id + %d") + ")",
		"columns":                      "SELECT " + list(10_000, "id + %d AS c%[1]d") + " FROM range(3)",
		"columns of star":              "SELECT * FROM (SELECT " + list(10_000, "%d AS c%[1]d") + ")",
		"values":                       "SELECT count(*) FROM VALUES " + list(20_000, "(%d, 'x')"),
		"a megabyte of text":           "SELECT length('" + strings.Repeat("x", 1<<20) + "')",
		"a megabyte of spaces":         "SELECT 1" + strings.Repeat(" ", 1<<20),
		"a megabyte of comments":       "SELECT 1 " + strings.Repeat("/* a */", 1<<17),
		"comments in comments":         "SELECT 1 " + nest(100_000, "/*", "", "*/"),
		"types":                        "SELECT CAST(NULL AS " + nest(60, "ARRAY<", "INT", ">") + ")",
		"types, too many":              "SELECT CAST(NULL AS " + nest(100_000, "ARRAY<", "INT", ">") + ")",
		"lambdas":                      "SELECT " + nestLambdas(14),
		"lambdas, too many":            "SELECT " + nestLambdas(60),
		"names":                        "SELECT a" + strings.Repeat(".a", 10_000),
		"CTEs":                         "WITH c0 AS (SELECT 1 AS a)" + chain(200) + " SELECT * FROM c200",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			began := time.Now()
			rows, err := answer(ctx, e, text)
			took := time.Since(began)
			if took > limit/2 {
				t.Errorf("%d bytes took %s", len(text), took)
			}
			if typed, ok := errors.AsType[*sparksql.Error](err); err != nil && (!ok || typed.Class == "") {
				t.Errorf("no error with a class: %T %.300v", err, err)
			} else if strings.Contains(name, "too many") && sparksql.ClassOf(err) != "FAILED_TO_PARSE_TOO_COMPLEX" {
				t.Errorf("not refused as too complex: %.300v", err)
			}
			t.Logf("%d bytes, %s, %d rows, %.200v", len(text), took.Round(time.Millisecond), rows, err)
		})
	}
}

func nestLambdas(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "transform(array(1), x%d -> ", i)
	}
	b.WriteString("x0")
	b.WriteString(strings.Repeat(")", n))
	return b.String()
}

func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ", c%d AS (SELECT a + 1 AS a FROM c%d)", i+1, i)
	}
	return b.String()
}

// What only DuckDB understands is refused before it: by the parser or the
// analyzer, never by DuckDB.
func TestDuckDBSyntaxIsRefused(t *testing.T) {
	e := engine(t)
	for _, text := range []string{
		"SELECT * FROM read_csv('/etc/passwd')",
		"SELECT * FROM read_csv_auto('/etc/passwd')",
		"SELECT * FROM read_parquet('x.parquet')",
		"SELECT * FROM read_json('x.json')",
		"SELECT * FROM read_text('/etc/passwd')",
		"SELECT * FROM read_blob('/etc/passwd')",
		"SELECT * FROM parquet_scan('x.parquet')",
		"SELECT * FROM glob('/*')",
		"SELECT * FROM '/etc/passwd'",
		"SELECT * FROM 'x.parquet'",
		"FROM '/etc/passwd'",
		"SELECT * FROM duckdb_settings()",
		"SELECT * FROM duckdb_functions()",
		"SELECT * FROM pragma_table_info('t')",
		"SELECT * FROM information_schema.tables",
		"SELECT * FROM sqlite_master",
		"SELECT * FROM pg_catalog.pg_tables",
		"SELECT * FROM generate_series(1, 3)",
		"SELECT * FROM unnest([1, 2])",
		"SELECT * FROM repeat_row(1, num_rows = 3)",
		"ATTACH 'x.db' AS x",
		"DETACH x",
		"PRAGMA database_list",
		"PRAGMA enable_profiling",
		"COPY t TO '/tmp/x.csv'",
		"COPY (SELECT 1) TO '/tmp/x.parquet' (FORMAT parquet)",
		"COPY t FROM '/tmp/x.csv'",
		"EXPORT DATABASE '/tmp/x'",
		"IMPORT DATABASE '/tmp/x'",
		"INSTALL httpfs",
		"LOAD httpfs",
		"LOAD '/tmp/x.duckdb_extension'",
		"CHECKPOINT",
		"VACUUM ANALYZE",
		"CREATE MACRO f(x) AS x + 1",
		"CREATE SECRET s (TYPE s3)",
		"CREATE TYPE e AS ENUM ('a')",
		"CREATE SEQUENCE q",
		"CALL pragma_version()",
		"SET memory_limit = '1GB'; SELECT 1",
		"SELECT 1::HUGEINT",
		"SELECT 1::UBIGINT",
		"SELECT '1'::VARCHAR[]",
		"SELECT 'x'::JSON",
		"SELECT CAST(1 AS HUGEINT)",
		"SELECT CAST(1 AS UINTEGER)",
		"SELECT CAST('a' AS TEXT)",
		"SELECT CAST(NULL AS INTEGER[])",
		"SELECT [x FOR x IN [1, 2]]",
		"SELECT [x + 1 FOR x IN array(1, 2) IF x > 1]",
		"SELECT [1, 2, 3]",
		"SELECT {'a': 1}",
		"SELECT MAP {'a': 1}",
		"SELECT array(1, 2)[1:2]",
		"SELECT * FROM range(2) a POSITIONAL JOIN range(3)",
		"SELECT * FROM range(2) a ASOF JOIN range(3) b ON a.id >= b.id",
		"SELECT COLUMNS('i.*') FROM range(2)",
		"SELECT * REPLACE (1 AS id) FROM range(2)",
		"SELECT * EXCLUDE (id) FROM range(2)",
		"SELECT id FROM range(2) USING SAMPLE 1",
		"SELECT list_value(1, 2)",
		"SELECT list_transform(array(1), x -> x)",
		"SELECT struct_pack(a := 1)",
		"SELECT strftime(current_timestamp(), '%Y')",
		"SELECT getenv('HOME')",
		"SELECT current_setting('memory_limit')",
		"SELECT getvariable('x')",
		"SELECT nextval('q')",
		"SELECT error('x')",
		"SELECT lambda x: x + 1",
		"SELECT 1 // 2",
		"SELECT 'a' ~ 'b'",
		"SELECT 'a' GLOB 'b'",
		"SELECT 'a' SIMILAR TO 'b'",
		"SELECT $1",
		"SELECT #1 FROM range(2)",
		"SELECT id FROM range(2) ORDER BY ALL DESC NULLS LAST LIMIT 50%",
		"SUMMARIZE range(2)",
		"DESCRIBE SELECT 1; PRAGMA version",
		"PIVOT t ON a USING sum(b)",
		"FROM range(2) SELECT id QUALIFY x := 1",
		"SELECT $$text$$",
		"SELECT E'a\\n'",
		"SELECT 1; SELECT 2",
		"VALUES (1), (2) AS t(a); ATTACH 'x'",
		"SELECT \"a\"\"b\"::INT128",
		"DEALLOCATE ALL",
		"PREPARE p AS SELECT 1",
		"EXECUTE p",
		"BEGIN TRANSACTION",
		"SELECT 1 AS a, (SELECT * FROM read_csv('x')) AS b",
		"SELECT * FROM range(2) WHERE id IN (SELECT a FROM read_parquet('x'))",
		"SELECT system.main.read_csv('x')",
		"SELECT `read_csv`('x')",
		"SELECT \"f\"('x') FROM `read_csv('x')`",
	} {
		_, err := answer(t.Context(), e, text)
		if err == nil {
			t.Errorf("%s: was run", text)
			continue
		}
		typed, ok := errors.AsType[*sparksql.Error](err)
		switch {
		case !ok || typed.Class == "":
			t.Errorf("%s: no error with a class: %v", text, err)
		case typed.Phase == sparksql.PhaseRuntime:
			t.Errorf("%s: reached DuckDB: %v", text, err)
		}
	}
}
