package query_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/worker"
)

// batch makes rows of a schema from JSON objects.
func batch(t *testing.T, schema *arrow.Schema, rows string) arrow.RecordBatch {
	t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func schemaOf(fields ...arrow.Field) *arrow.Schema { return arrow.NewSchema(fields, nil) }

func field(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

// classOf fails the test where err has another class.
func (r *rig) classOf(sql, class string) {
	r.t.Helper()
	if _, err := r.ask(sql); sparksql.ClassOf(err) != class {
		r.t.Errorf("%s: %v, want %s", sql, err, class)
	}
}

func TestNames(t *testing.T) {
	// The folder's name has what patterns and quotes are made of.
	r := newRig(t, t.TempDir()+"/it's [a] folder *")
	s := schemaOf(field("A b", arrow.PrimitiveTypes.Int64), field("filename", arrow.BinaryTypes.String), field("P", arrow.BinaryTypes.String))
	r.create("things", s, []delta.Option{delta.WithPartitionBy("P")},
		batch(t, s, `[{"A b":1,"filename":"f1","P":"x/y"},{"A b":2,"filename":null,"P":null}]`), batch(t, s, `[{"A b":3,"filename":"f3","P":"100% ñ"}]`))
	for _, name := range []string{"things", "s.things", "c.s.things", "C.S.THINGS", "`c`.`s`.`Things`"} {
		r.want("SELECT count(*) FROM "+name, "3")
	}
	r.want("SELECT `a B`, FILENAME, p FROM things", "1|f1|x/y", "2|NULL|NULL", "3|f3|100% ñ")
	r.want("SELECT filename FROM things WHERE p = '100% ñ'", "f3")
	r.want("SELECT count(*) FROM things WHERE p IS NULL", "1")
	r.want("SELECT p FROM things WHERE p LIKE 'x%'", "x/y")
	// A table of one file, with the names of columns that its reader has itself.
	o := schemaOf(field("file_row_number", arrow.PrimitiveTypes.Int64), field("FILENAME", arrow.BinaryTypes.String), field("p", arrow.BinaryTypes.String))
	r.create("odd", o, []delta.Option{delta.WithPartitionBy("p")}, batch(t, o, `[{"file_row_number":7,"FILENAME":"f","p":"x"},{"file_row_number":8,"FILENAME":"g","p":"x"}]`))
	r.want("SELECT file_row_number, filename, p FROM odd WHERE file_row_number > 7", "8|g|x")
	r.want("SELECT _metadata.file_name IS NOT NULL, file_row_number FROM odd", "true|7", "true|8")
	r.classOf("SELECT * FROM other.things", "TABLE_OR_VIEW_NOT_FOUND")
	r.classOf("SELECT * FROM x.s.things", "REQUIRES_SINGLE_PART_NAMESPACE")
	r.classOf("SELECT * FROM a.c.s.things", "REQUIRES_SINGLE_PART_NAMESPACE")
	if _, err := r.ask("SELECT * FROM thing"); err == nil || !strings.Contains(err.Error(), "things") {
		t.Errorf("the nearest name is not told: %v", err)
	}
	if _, err := r.ask("SELECT filenam FROM things"); err == nil || !strings.Contains(err.Error(), "filename") {
		t.Errorf("the nearest column is not told: %v", err)
	}
	r.classOf("SELECT * FROM read_files('/etc/passwd')", "UNSUPPORTED_FEATURE.TABLE_FUNCTION")
	r.classOf("SELECT * FROM parquet.`/etc`", "PATH_NOT_FOUND")
}

// Files that were written before a column was added give NULL for it, in
// whatever order files and columns are read.
func TestColumnsThatFilesLack(t *testing.T) {
	r := newRig(t, t.TempDir())
	old := schemaOf(field("id", arrow.PrimitiveTypes.Int64), field("p", arrow.PrimitiveTypes.Int32))
	wider := schemaOf(append(old.Fields(), field("x", arrow.PrimitiveTypes.Float64), field("st", arrow.StructOf(field("k", arrow.BinaryTypes.String))))...)
	d := r.create("grown", old, []delta.Option{delta.WithPartitionBy("p")}, batch(t, old, `[{"id":1,"p":7},{"id":2,"p":8}]`))
	if _, err := d.Commit(t.Context(), delta.Commit{SchemaTo: wider, ReadVersion: 1, Operation: "ADD COLUMNS"}); err != nil {
		t.Fatal(err)
	}
	r.want("SELECT x, st FROM grown", "NULL|NULL", "NULL|NULL")
	r.append(d, batch(t, wider, `[{"id":3,"p":7,"x":1.5,"st":{"k":"v"}}]`))
	r.want("SELECT id, p, x, st.k FROM grown", "1|7|NULL|NULL", "2|8|NULL|NULL", "3|7|1.5|v")
	r.want("SELECT x FROM grown WHERE p = 8", "NULL")
	r.want("SELECT count(x), count(*) FROM grown", "1|3")
	r.want("SELECT id FROM grown WHERE x > 1", "3")
	r.want("SELECT id FROM grown WHERE x IS NULL", "1", "2")
	r.want("SELECT p FROM grown", "7", "7", "8")

	// Time travel sees the schema of its version.
	r.want("SELECT * FROM grown VERSION AS OF 1", "1|7", "2|8")
	r.want("SELECT count(*) FROM grown VERSION AS OF 0", "0")
	r.want("SELECT id, p FROM grown VERSION AS OF 0")
	r.classOf("SELECT * FROM grown VERSION AS OF 99", "DELTA_VERSION_NOT_FOUND")
	r.classOf("SELECT x FROM grown VERSION AS OF 1", "UNRESOLVED_COLUMN.WITH_SUGGESTION")
}

// A table has one version within a statement, whatever is written meanwhile.
func TestOneVersionInAStatement(t *testing.T) {
	r := newRig(t, t.TempDir())
	s := schemaOf(field("id", arrow.PrimitiveTypes.Int64))
	d := r.create("t", s, nil, batch(t, s, `[{"id":1}]`))
	n, err := r.plan("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM s.t) FROM t")
	if err != nil {
		t.Fatal(err)
	}
	r.append(d, batch(t, s, `[{"id":2}]`))
	got, err := r.run(n, query.Inputs(context.Background(), n, r.tabs))
	if err != nil || fmt.Sprint(got) != "[1|1]" {
		t.Errorf("%v %v", got, err)
	}
	r.want("SELECT count(*) FROM t", "2")
}

// The joins in which a condition of ON must not remove rows.
func TestOuterJoinsKeepTheirRows(t *testing.T) {
	r := newRig(t, t.TempDir())
	s := schemaOf(field("k", arrow.PrimitiveTypes.Int64), field("v", arrow.PrimitiveTypes.Int64))
	one, two := batch(t, s, `[{"k":1,"v":1}]`), batch(t, s, `[{"k":2,"v":2}]`)
	r.create("a", s, nil, one, two)
	r.create("b", s, nil, batch(t, s, `[{"k":1,"v":1}]`), batch(t, s, `[{"k":2,"v":2}]`))
	for kind, want := range map[string][]string{
		"JOIN": {"2|2"}, "LEFT JOIN": {"1|NULL", "2|2"}, "RIGHT JOIN": {"2|2", "NULL|1"}, "FULL JOIN": {"1|NULL", "2|2", "NULL|1"},
	} {
		r.want("SELECT a.k, b.k FROM a "+kind+" b ON a.k = b.k AND b.v = 2", want...)
		r.want("SELECT a.k, b.k FROM a "+kind+" b ON a.k = b.k AND a.v = 2", want...)
	}
	r.want("SELECT a.k FROM a LEFT ANTI JOIN b ON a.k = b.k AND b.v = 2", "1")
	r.want("SELECT a.k FROM a LEFT ANTI JOIN b ON a.k = b.k AND a.v = 2", "1")
	r.want("SELECT a.k FROM a LEFT JOIN b ON a.k = b.k AND b.v = 2 WHERE b.k IS NULL", "1")
}

func (r *rig) engine() (*query.Engine, *query.Session) {
	return query.New(query.Config{Catalog: r.cat, Tables: r.tabs, Workers: worker.New(worker.Config{})}),
		&query.Session{Principal: auth.Principal{Name: "me"}, Catalog: "c", Schema: "s"}
}

// command runs a statement that needs no worker and gives its rows.
func command(t *testing.T, e *query.Engine, sess *query.Session, sql string) ([]string, error) {
	t.Helper()
	res, err := e.RunText(t.Context(), sess, sql)
	if err != nil {
		return nil, err
	}
	defer res.Close()
	rec, err := res.Next(t.Context())
	if err != nil {
		return nil, nil // no rows
	}
	defer rec.Release()
	if int(rec.NumCols()) != len(res.Columns) {
		t.Errorf("%s: %d columns, %d names", sql, rec.NumCols(), len(res.Columns))
	}
	return lines(rec), nil
}

func TestCommands(t *testing.T) {
	r := newRig(t, t.TempDir())
	s := schemaOf(field("id", arrow.PrimitiveTypes.Int64), field("x", arrow.PrimitiveTypes.Float64))
	r.create("readings", s, nil, batch(t, s, `[{"id":1,"x":2.5}]`))
	r.create("rules", s, nil)
	e, sess := r.engine()
	for _, c := range []struct{ sql, want string }{
		{"SHOW TABLES", "[s|readings|false s|rules|false]"},
		{"SHOW TABLES LIKE 'read*'", "[s|readings|false]"},
		{"SHOW TABLES IN s LIKE 'x*|RUL*'", "[s|rules|false]"},
		{"SHOW SCHEMAS", "[s]"},
		{"SHOW CATALOGS", "[c]"},
		{"SHOW COLUMNS IN readings", "[id x]"},
		{"DESCRIBE readings", "[id|bigint|NULL x|double|NULL]"},
		{"DESCRIBE TABLE c.s.readings", "[id|bigint|NULL x|double|NULL]"},
		{"CREATE VIEW hot AS SELECT id, x AS warm FROM readings WHERE x > 1", "[]"},
		{"CREATE VIEW IF NOT EXISTS hot AS SELECT 1 AS one", "[]"},
		{"SHOW VIEWS", "[s|hot|false]"},
		{"DESCRIBE hot", "[id|bigint|NULL warm|double|NULL]"},
		{"CREATE SCHEMA other", "[]"},
		{"SHOW SCHEMAS", "[other s]"},
		{"SET spark.sql.session.timeZone = Europe/Madrid", "[spark.sql.session.timeZone|Europe/Madrid]"},
		{"SET spark.sql.session.timeZone", "[spark.sql.session.timeZone|Europe/Madrid]"},
		{"SET nothing.such", "[nothing.such|<undefined>]"},
		{"USE other", "[]"},
		{"SHOW TABLES", "[]"},
		{"SHOW TABLES IN c.s", "[s|hot|false s|readings|false s|rules|false]"},
	} {
		got, err := command(t, e, sess, c.sql)
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v %v, want %s", c.sql, got, err, c.want)
		}
	}
	if sess.Schema != "other" {
		t.Errorf("USE left the session in %s", sess.Schema)
	}
	got, err := command(t, e, sess, "DESCRIBE HISTORY s.readings")
	if err != nil || len(got) != 2 || !strings.HasPrefix(got[0], "1|") || !strings.Contains(got[0], "|WRITE|") {
		t.Errorf("history %q %v", got, err)
	}
	if got, err = command(t, e, sess, "DESCRIBE EXTENDED s.readings"); err != nil || !strings.Contains(fmt.Sprint(got), "Location|"+r.dir) {
		t.Errorf("extended %q %v", got, err)
	}
	for sql, class := range map[string]string{
		"USE nowhere":                                              "SCHEMA_NOT_FOUND",
		"DESCRIBE nothing":                                         "TABLE_OR_VIEW_NOT_FOUND",
		"DESCRIBE HISTORY nothing":                                 "TABLE_OR_VIEW_NOT_FOUND",
		"CREATE VIEW s.hot AS SELECT 1 AS a":                       "TABLE_OR_VIEW_ALREADY_EXISTS",
		"CREATE VIEW s.readings AS SELECT 1 AS a":                  "TABLE_OR_VIEW_ALREADY_EXISTS",
		"CREATE OR REPLACE VIEW s.readings AS SELECT 1 AS a":       "EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE",
		"CREATE OR REFRESH MATERIALIZED VIEW m AS SELECT 1 AS a":   "UNSUPPORTED_FEATURE.CREATE_PIPELINE_DATASET_QUERY_EXECUTION",
		"DROP SCHEMA s":                                            "SCHEMA_NOT_EMPTY",
		"SELECT (1":                                                "PARSE_SYNTAX_ERROR",
		"CREATE VIEW v AS SELECT * FROM nothing":                   "TABLE_OR_VIEW_NOT_FOUND",
		"CREATE VIEW v2 AS SELECT id FROM c.s.readings GROUP BY x": "MISSING_AGGREGATION",
	} {
		if _, err := command(t, e, sess, sql); sparksql.ClassOf(err) != class {
			t.Errorf("%s: %v, want %s", sql, err, class)
		}
	}
}

// A view's names are looked up where it was made.
func TestViews(t *testing.T) {
	r := newRig(t, t.TempDir())
	s := schemaOf(field("id", arrow.PrimitiveTypes.Int64))
	r.create("t", s, nil, batch(t, s, `[{"id":1},{"id":2}]`))
	e, sess := r.engine()
	for _, sql := range []string{
		"CREATE SCHEMA other",
		"CREATE VIEW other.v (number COMMENT 'the id') AS SELECT id FROM t WHERE id > 1",
		"CREATE VIEW other.w AS SELECT number + 1 AS more FROM other.v",
	} {
		if _, err := command(t, e, sess, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	r.want("SELECT number FROM other.v", "2")
	r.want("SELECT more FROM c.other.w", "3")
	got, err := command(t, e, sess, "DESCRIBE other.v")
	if err != nil || fmt.Sprint(got) != "[number|bigint|the id]" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := command(t, e, sess, "CREATE OR REPLACE VIEW other.v AS SELECT id AS number FROM t"); err != nil {
		t.Fatal(err)
	}
	r.want("SELECT number FROM other.v", "1", "2")
	if _, err := command(t, e, sess, "DESCRIBE HISTORY other.v"); err == nil {
		t.Error("a view has a history")
	}
	tab, err := r.cat.Table(t.Context(), "c", "other", "w")
	if err != nil || tab.Type != catalog.View || tab.Owner != "me" {
		t.Errorf("%+v %v", tab, err)
	}
}

func TestRuntimeErrorsHaveSparksClass(t *testing.T) {
	r := newRig(t, t.TempDir())
	for sql, class := range map[string]string{
		"SELECT 1 / (id - id) FROM range(3)":                    "DIVIDE_BY_ZERO",
		"SELECT CAST('x' || id AS INT) FROM range(3)":           "CAST_INVALID_INPUT",
		"SELECT CAST(id + 127 AS TINYINT) FROM range(3)":        "CAST_OVERFLOW",
		"SELECT id + 9223372036854775807L FROM range(3)":        "ARITHMETIC_OVERFLOW",
		"SELECT array(1, 2)[CAST(id + 5 AS INT)] FROM range(3)": "INVALID_ARRAY_INDEX",
		"SELECT raise_error('stop ' || id) FROM range(1)":       "USER_RAISED_EXCEPTION",
	} {
		r.classOf(sql, class)
	}
	plain := errors.New("plain")
	for _, c := range []struct {
		err   error
		class string
	}{
		{plain, ""},
		{&worker.QueryError{Message: "Out of Range Error: Overflow in addition of INT64 (1 + 2)!\n\nLINE 1: SELECT c1", Kind: "Out of Range Error"}, "ARITHMETIC_OVERFLOW"},
		{&worker.QueryError{Message: "Conversion Error: Type INT32 with value 300 can't be cast because the value is out of range for the destination type INT8", Kind: "Conversion Error"}, "CAST_OVERFLOW"},
		{&worker.QueryError{Message: "m", Class: "DIVIDE_BY_ZERO", SQLState: "22012"}, "DIVIDE_BY_ZERO"},
		{&worker.QueryError{Message: "m", Memory: true}, "OUT_OF_MEMORY"},
		{&worker.QueryError{Message: "m", Kind: "IO Error"}, ""},
		{fmt.Errorf("outer: %w", &duck.Error{Message: "m", Class: "CAST_OVERFLOW"}), "CAST_OVERFLOW"},
	} {
		got := query.RuntimeError(c.err)
		if sparksql.ClassOf(got) != c.class {
			t.Errorf("%v: %v, want %q", c.err, got, c.class)
		}
		if strings.Contains(got.Error(), "LINE 1") {
			t.Errorf("%v shows the engine's own text", got)
		}
		if c.class == "" && !errors.Is(got, c.err) {
			t.Errorf("%v became %v", c.err, got)
		}
	}
}
