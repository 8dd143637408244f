package parse_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

func TestExpressions(t *testing.T) {
	tests := []struct{ in, want string }{
		{"1 + 2 * 3", "(+ 1 (* 2 3))"},
		{"1 - 2 - 3", "(- (- 1 2) 3)"},
		{"NOT a = b AND c OR d", "(or (and (not (= a b)) c) d)"},
		{"a | b ^ c & d << 1", "(| a (^ b (& c (<< d 1))))"},
		{"a << 1 + 2", "(<< a (+ 1 2))"},
		{"a > > b", "!"},
		{"a >>> 1", "(>>> a 1)"},
		{"-5", "-5"},
		{"- a", "(- a)"},
		{"2 - -1", "(- 2 -1)"},
		{"-2147483648", "-2147483648"},
		{"2147483648", "2147483648:bigint"},
		{"9223372036854775808", "9223372036854775808:decimal(19,0)"},
		{"1.50", "150:decimal(3,2)"},
		{".5", "5:decimal(1,1)"},
		{"5.", "5:decimal(1,0)"},
		{"1e3", "1000:double"},
		{"1.5F", "1.5:float"},
		{"2D", "2:double"},
		{"7Y", "7:tinyint"},
		{"128Y", "!"},
		{"1e2BD", "100:decimal(3,0)"},
		{"X'1F'", "x1f"},
		{"X'F'", "x0f"},
		{"1_000", "1_000"},
		{"'it''s' \"a\"\"b\"", `"it'sa\"b"`},
		{`'a\nb\q\x41\101\60\%\_\\'`, `"a\nbqx41A60\\%\\_\\"`},
		{`r'a\n'`, `"a\\n"`},
		{`'\u00e9\U0001F600'`, `"é😀"`},
		{"a.b.c", "a.b.c"},
		{"`a.b`.c", "a.b.c"},
		{"f(a).b", `(Field x=(Call name=f args=[a]) name=b)`},
		{"a[0].b", `(Field x=(Index x=a i=0) name=b)`},
		{"a::int::string", "(Cast x=(Cast x=a type=int) type=string)"},
		{"CAST(a AS ARRAY<MAP<STRING, DECIMAL(10,2)>>)", "(Cast x=a type=array<map<string,decimal(10,2)>>)"},
		{"x -> x + 1", "(Lambda params=[x] body=(+ x 1))"},
		{"f(a, (x, y) -> x)", "(Call name=f args=[a (Lambda params=[x y] body=x)])"},
		{"a BETWEEN 1 AND 2 AND b", "(and (Between x=a lo=1 hi=2) b)"},
		{"a NOT IN (1, 2)", "(In x=a list=[1 2] not=true)"},
		{"a LIKE 'x' ESCAPE '!'", `(Like op="like" x=a patterns=["x"] escape="!")`},
		{"a NOT LIKE ALL ('x', 'y')", `(Like op="like" x=a patterns=["x" "y"] quantifier="all" not=true)`},
		{"a IS NOT NULL", `(Is x=a what="null" not=true)`},
		{"a IS DISTINCT FROM b", "(is distinct from a b)"},
		{"CASE WHEN a THEN 1 ELSE 2 END", "(Case when=[(When cond=a then=1)] else=2)"},
		{"count(DISTINCT a, b)", "(Call name=count args=[a b] distinct=true)"},
		{"sum(a) FILTER (WHERE b > 1)", "(Call name=sum args=[a] filter=(> b 1))"},
		{"lag(a, 1) IGNORE NULLS OVER (PARTITION BY b ORDER BY c DESC)", "(Call name=lag args=[a 1] ignorenulls=true over=(WindowSpec partition=[b] order=[(SortItem x=c desc=true)]))"},
		{"sum(a) OVER (ORDER BY b ROWS 2 PRECEDING)", "(Call name=sum args=[a] over=(WindowSpec order=[(SortItem x=b)] frame=(Frame rows=true start=(Bound kind=1 x=2) end=(Bound kind=2))))"},
		{"extract(YEAR FROM d)", `(Call name=extract args=["YEAR" d] syntax="extract")`},
		{"trim(LEADING 'x' FROM s)", `(Call name=ltrim args=["x" s] syntax="trim")`},
		{"substring(s FROM 2 FOR 3)", `(Call name=substring args=[s 2 3] syntax="substring")`},
		{"substring(substring(s, 1), 2)", `(Call name=substring args=[(Call name=substring args=[s 1]) 2])`},
		{"timestampdiff(HOUR, a, b)", `(Call name=timestampdiff args=["HOUR" a b] syntax="timestampdiff")`},
		{"datediff(a, b)", "(Call name=datediff args=[a b])"},
		{"struct(a AS x, b)", `(Call name=struct args=[(Alias x=a name=x) b] syntax="struct")`},
		{"(a, b)", "(Tuple items=[a b])"},
		{"a || b", `(Call name=concat args=[a b] syntax="concat")`},
		{"INTERVAL 5 MINUTES", `(Interval parts=[(IntervalPart value="5" unit="minute")])`},
		{"INTERVAL '1-2' YEAR TO MONTH", `(Interval parts=[(IntervalPart value="1-2" unit="year")] to="month")`},
		{"DATE '2024-01-01'", `(TypedLiteral type="date")`},
		{"date", "date"},
		{"current_date", `(Call name=current_date syntax="current")`},
		{":p + ?", "(+ (Param name=\"p\" index=-1) (Param))"},
		{"a:b.c", `(Path x=a path="b.c")`},
		{"EXISTS (SELECT 1)", "(Exists query=(Query body=(Select items=[(SelectItem x=1)])))"},
		{"a -- comment\n + /* x /* nested */ */ 1", "(+ a 1)"},
		{"i IS TRUE IS NULL", "!"},
		{"", "!"},
	}
	for _, tt := range tests {
		x, err := parse.Expression(tt.in)
		got := "!"
		if err == nil {
			got = dump(x)
		}
		if got != tt.want {
			t.Errorf("%s:\n got %s (%v)\nwant %s", tt.in, got, err, tt.want)
		}
	}
}

func TestQueries(t *testing.T) {
	tests := []struct{ in, want string }{
		{"SELECT 1 FROM", "(QueryStatement query=(Query body=(Select items=[(SelectItem x=1 aliases=[FROM])])))"},
		{"SELECT k FROM t WHERE", "(QueryStatement query=(Query body=(Select items=[(SelectItem x=k)] from=[(TableName name=t alias=(TableAlias name=WHERE))])))"},
		{"SELECT DISTINCT a b, t.* EXCEPT (c) FROM x.t", "(QueryStatement query=(Query body=(Select distinct=true items=[(SelectItem x=a aliases=[b]) (SelectItem x=(Star qualifier=t except=[c]))] from=[(TableName name=x.t)])))"},
		{"SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", "(QueryStatement query=(Query body=(SetOp left=(Select items=[(SelectItem x=1)]) right=(SetOp kind=1 left=(Select items=[(SelectItem x=2)]) right=(Select items=[(SelectItem x=3)])))))"},
		{"WITH a (x) AS (SELECT 1) SELECT * FROM a ORDER BY x NULLS LAST LIMIT 5 OFFSET 2", "(QueryStatement query=(Query with=[(CTE name=a columns=[x] query=(Query body=(Select items=[(SelectItem x=1)])))] body=(Select items=[(SelectItem x=(Star))] from=[(TableName name=a)]) order=[(SortItem x=x nullsfirst=false)] limit=5 offset=2))"},
		{"SELECT * FROM a LEFT JOIN b USING (k), c", "(QueryStatement query=(Query body=(Select items=[(SelectItem x=(Star))] from=[(Join kind=2 left=(TableName name=a) right=(TableName name=b) using=[k]) (TableName name=c)])))"},
		{"SELECT * FROM (a JOIN b ON a.x = b.x) j", "(QueryStatement query=(Query body=(Select items=[(SelectItem x=(Star))] from=[(ParenRef ref=(Join left=(TableName name=a) right=(TableName name=b) on=(= a.x b.x)) alias=(TableAlias name=j))])))"},
		{"SELECT x FROM t LATERAL VIEW OUTER explode(a) v AS x GROUP BY ROLLUP (x)", "(QueryStatement query=(Query body=(Select items=[(SelectItem x=x)] from=[(TableName name=t)] views=[(LateralView outer=true call=(Call name=explode args=[a]) table=v columns=[x])] group=(GroupBy items=[(GroupItem kind=1 sets=[[x]])]))))"},
		{"SELECT * FROM STREAM(t) WATERMARK ts DELAY OF INTERVAL 3 MINUTES AS s", `(QueryStatement query=(Query body=(Select items=[(SelectItem x=(Star))] from=[(TableName name=t stream=true watermark=(Watermark x=ts delay=(Interval parts=[(IntervalPart value="3" unit="minute")])) alias=(TableAlias name=s))])))`},
		{"SELECT * FROM STREAM read_kafka(subscribe => 't')", `(QueryStatement query=(Query body=(Select items=[(SelectItem x=(Star))] from=[(TableFunc call=(Call name=read_kafka args=[(NamedArg name=subscribe x="t")]) stream=true)])))`},
		{"SELECT /*+ BROADCAST(a) */ 1", "(QueryStatement query=(Query body=(Select items=[(SelectItem x=1)] hints=[(Hint name=BROADCAST args=[a])])))"},
		{"SELECT * FROM t VERSION AS OF 3 x", "(QueryStatement query=(Query body=(Select items=[(SelectItem x=(Star))] from=[(TableName name=t version=3 alias=(TableAlias name=x))])))"},
		{"VALUES (1, 'a'), (2, 'b')", `(QueryStatement query=(Query body=(Values rows=[(Tuple items=[1 "a"]) (Tuple items=[2 "b"])])))`},
		{"CREATE OR REFRESH STREAMING TABLE a.t (id BIGINT NOT NULL COMMENT 'x', CONSTRAINT ok EXPECT (id > 0) ON VIOLATION DROP ROW) COMMENT 'c' TBLPROPERTIES ('k' = 'v', n = 1) CLUSTER BY (id) AS SELECT 1 AS id",
			`(CreateDataset refresh=true name=a.t columns=[(ColumnDef name="id" type=bigint notnull=true comment="x")] expectations=[(Expectation name=ok cond=(> id 0) action="drop")] comment="c" properties=[(Property key="k" value="v") (Property key="n" value="1")] clusterby=[id] query=(Query body=(Select items=[(SelectItem x=1 aliases=[id])])))`},
		{"CREATE FLOW f AS AUTO CDC INTO t FROM STREAM(s) KEYS (id) APPLY AS DELETE WHEN op = 'D' SEQUENCE BY ts COLUMNS * EXCEPT (op) STORED AS SCD TYPE 2",
			`(CreateFlow name=f target=t flow=(FlowSpec cdc=(AutoCDC source=(TableName name=s stream=true) keys=[id] deletewhen=(= op "D") sequenceby=ts exceptcolumns=[op] scd=2)))`},
		{"CREATE TEMPORARY VIEW v AS SELECT 1", "(CreateView name=v temporary=true query=(Query body=(Select items=[(SelectItem x=1)])))"},
		{"SHOW TABLES IN a.b LIKE 'x*'", `(Command verb="show tables" name=a.b args=map[pattern:x*])`},
		{"DELETE FROM t WHERE x = ';'", `(Delete target=(Target name=t) where=(= x ";") wheretext="x = ';'")`},
	}
	for _, tt := range tests {
		st, err := parse.Statement("", tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if d := cmp.Diff(tt.want, dump(st)); d != "" {
			t.Errorf("%s:\n%s", tt.in, d)
		}
	}
}

func TestErrorsNamePlaceAndExpectation(t *testing.T) {
	tests := []struct{ in, class, pos, words string }{
		{"SELECT (1", "PARSE_SYNTAX_ERROR", "f.sql:1:10", "expected )"},
		{"SELECT\n  é FROM t", "INVALID_IDENTIFIER", "f.sql:2:3", "backticks"},
		{"SELECT 'é', 1 2", "PARSE_SYNTAX_ERROR", "f.sql:1:15", "near '2'"},
		{"SELECT 'a", "PARSE_SYNTAX_ERROR", "f.sql:1:8", "not closed"},
		{"SELECT /* x", "UNCLOSED_BRACKETED_COMMENT", "f.sql:1:8", "*/"},
		{"CREATE STREAMING TABLE t (CONSTRAINT c EXPECT (x) ON VIOLATION DROP) AS SELECT 1", "PARSE_SYNTAX_ERROR", "f.sql:1:64", "DROP ROW or FAIL UPDATE"},
		{"CREATE OR REFRESH VIEW v AS SELECT 1", "PARSE_SYNTAX_ERROR", "f.sql:1:19", "STREAMING TABLE"},
		{"SELECT CAST(1 AS FOO)", "UNSUPPORTED_DATATYPE", "f.sql:1:18", "FOO"},
		{"SELECT CAST(1 AS VARCHAR)", "DATATYPE_MISSING_SIZE", "f.sql:1:18", "length"},
		{"SELECT 1e400D", "INVALID_NUMERIC_LITERAL_RANGE", "f.sql:1:8", "range"},
		{"SELEC 1", "PARSE_SYNTAX_ERROR", "f.sql:1:1", "expected a statement"},
		{"SELECT a FROM t STREAM(x) y", "PARSE_SYNTAX_ERROR", "f.sql:1:27", "expected"},
		{"SELECT * FROM STREAM(s) AS x WATERMARK ts DELAY OF INTERVAL 1 SECOND", "PARSE_SYNTAX_ERROR", "f.sql:1:30", ""},
		{"", "PARSE_EMPTY_STATEMENT", "f.sql:1:1", "nothing"},
		{"SELECT * FROM t LATERAL VIEW explode(a) WHERE x", "PARSE_SYNTAX_ERROR", "f.sql:1:41", "alias"},
	}
	for _, tt := range tests {
		_, err := parse.Statement("f.sql", tt.in)
		e, ok := errors.AsType[*sparksql.Error](err)
		if !ok {
			t.Errorf("%q: got %v, want a *sparksql.Error", tt.in, err)
			continue
		}
		if e.Class != tt.class || e.Pos.String() != tt.pos || e.Phase != sparksql.PhaseParse || !strings.Contains(e.Message, tt.words) {
			t.Errorf("%q: got %v", tt.in, e)
		}
	}
}

func TestStatementsSplitAtSemicolons(t *testing.T) {
	text := "SELECT ';' ; -- a;b\nSELECT 2 /* ; */;;\nSHOW TABLES"
	got, err := parse.Split("", text)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"SELECT ';'", "SELECT 2", "SHOW TABLES"}, got); d != "" {
		t.Error(d)
	}
	sts, err := parse.Statements("", text)
	if err != nil {
		t.Fatal(err)
	}
	if len(sts) != 3 || sts[1].Source() != "SELECT 2" || sts[1].Pos().Line != 2 {
		t.Errorf("got %d statements, second %q at %v", len(sts), sts[1].Source(), sts[1].Pos())
	}
}

func TestSchemas(t *testing.T) {
	fields, err := parse.Schema("a INT NOT NULL COMMENT 'x', `b.c` ARRAY<STRUCT<d: TIMESTAMP, e STRING>>")
	if err != nil {
		t.Fatal(err)
	}
	if len(fields) != 2 || fields[0].Nullable || fields[0].Comment != "x" || fields[1].Name != "b.c" || fields[1].Type.String() != "array<struct<d:timestamp,e:string>>" {
		t.Errorf("got %+v", fields)
	}
	if fields, err = parse.Schema("STRUCT<a: INT>"); err != nil || len(fields) != 1 {
		t.Errorf("got %v, %v", fields, err)
	}
	if _, err = parse.Schema("a INT,"); err == nil {
		t.Error("a trailing comma passed")
	}
}

// Nesting is an error, not a stack overflow; long texts stay fast.
func TestDeepAndLongTexts(t *testing.T) {
	const deep = 50_000
	for _, text := range []string{
		"SELECT " + strings.Repeat("(", deep) + "1" + strings.Repeat(")", deep),
		"SELECT " + strings.Repeat("NOT ", deep) + "true",
		"SELECT " + strings.Repeat("- ", deep) + "a",
		"SELECT " + strings.Repeat("f(", deep) + strings.Repeat(")", deep),
		"SELECT " + strings.Repeat("CASE WHEN ", deep),
		"SELECT " + strings.Repeat("substring(", deep),
		strings.Repeat("SELECT * FROM (", deep),
		"SELECT CAST(a AS " + strings.Repeat("ARRAY<", deep) + "INT" + strings.Repeat(">", deep) + ")",
		"SELECT a" + strings.Repeat("[0]", deep),
		"SELECT 1" + strings.Repeat(" + 1", deep),
		"SELECT 1" + strings.Repeat(" UNION SELECT 1", deep),
		"SELECT * FROM a" + strings.Repeat(" JOIN a", deep),
	} {
		_, err := parse.Statement("", text)
		if sparksql.ClassOf(err) != "FAILED_TO_PARSE_TOO_COMPLEX" {
			t.Errorf("%.40s...: got %.100v", text, err)
		}
	}
	start := time.Now()
	wide := "SELECT " + strings.Repeat("a AS b, ", 150_000) + "1"
	if _, err := parse.Statement("", wide); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("%d bytes took %s", len(wide), took)
	}
}

func FuzzStatements(f *testing.F) {
	for _, s := range []string{
		"SELECT a, b FROM t WHERE x = 'y' GROUP BY ALL ORDER BY 1",
		"CREATE OR REFRESH STREAMING TABLE t (CONSTRAINT c EXPECT (a > 1) ON VIOLATION DROP ROW) AS SELECT * FROM STREAM(s)",
		"WITH a AS (SELECT 1) SELECT * FROM a JOIN b USING (k) LATERAL VIEW explode(x) e AS y",
		"SELECT sum(a) FILTER (WHERE b) OVER (PARTITION BY c ORDER BY d RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW)",
		"FROM t |> WHERE a |> AGGREGATE count(*) GROUP BY b |> SELECT *",
		"SELECT * FROM t PIVOT (sum(a) FOR b IN (1, 2)) UNPIVOT (v FOR n IN (x, y))",
		"SELECT CASE WHEN a THEN X'1F' ELSE r'\\' END, INTERVAL '1-2' YEAR TO MONTH, 1.5e3BD, `q``q`, \"s\"",
		"CREATE FLOW f AS AUTO CDC INTO t FROM STREAM(s) KEYS (id) SEQUENCE BY ts STORED AS SCD TYPE 2",
		"SHOW TABLES IN a LIKE 'x'; USE b; SET c = d; DROP VIEW IF EXISTS e",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sts, err := parse.Statements("f", text)
		if err != nil {
			if _, ok := errors.AsType[*sparksql.Error](err); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		for _, st := range sts {
			// A statement's own text is a statement.
			if _, err := parse.Statement("f", st.Source()); err != nil {
				t.Fatalf("%q: %v", st.Source(), err)
			}
		}
	})
}
