package query_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql"
)

// landing is a folder of files that statements may read.
type landing struct {
	*door
	dir string
}

func newLanding(t *testing.T) *landing {
	d := newDoor(t)
	dir := filepath.Join(d.r.dir, "tables", "landing") // which the pool may read
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	root, err := query.LocalRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	d.r.tabs.Allow(root)
	return &landing{d, dir}
}

func (l *landing) put(name, text string) {
	l.t.Helper()
	p := filepath.Join(l.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o750); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// copy runs COPY INTO t FROM, where {} stands for the folder.
func (l *landing) copy(sql string) (string, error) {
	rows, err := l.run(l.t.Context(), strings.ReplaceAll("COPY INTO t FROM "+sql, "{}", l.dir))
	return strings.Join(rows, ";"), err
}

func (l *landing) copies(sql, want string) {
	l.t.Helper()
	if got, err := l.copy(sql); err != nil || got != want {
		l.t.Errorf("COPY INTO t FROM %s: %q, %v; want %q", sql, got, err, want)
	}
}

func (l *landing) holds(want ...string) {
	l.t.Helper()
	l.r.want("SELECT * FROM t", want...)
}

func TestCopyIntoLoadsEachFileOnce(t *testing.T) {
	l := newLanding(t)
	l.must("CREATE TABLE t (id INT, name STRING)")
	l.put("a.csv", "id,name\n1,one\n2,\"two, too\"\n\n")
	const csv = " FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true')"
	l.copies("'{}'"+csv, "2|2|0")
	l.copies("'{}'"+csv, "0|0|0")
	l.put("b.csv", "id,name\n3,three\n")
	l.put("sub/c.csv", "id,name\n4,\n")
	l.put("_hidden.csv", "id,name\n9,no\n")
	l.put("a.csv", "id,name\n7,changed\n") // it is known by its name
	l.copies("'{}'"+csv, "2|2|0")
	l.holds("1|one", "2|two, too", "3|three", "4|NULL")
	l.copies("'{}'"+csv+" COPY_OPTIONS ('force' = 'true')", "3|3|0")
	l.copies("'file:{}/'"+csv, "0|0|0")
	l.must("CREATE TABLE u (id INT, name STRING)")
	if got, err := l.run(t.Context(), "COPY INTO u FROM '"+l.dir+"/b.csv'"+csv); err != nil || len(got) != 1 || got[0] != "1|1|0" {
		t.Errorf("another table: %v, %v", got, err)
	}
	got, err := l.run(t.Context(), "SELECT 1 FROM t WHERE id = 7")
	if err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	history, err := l.run(t.Context(), "DESCRIBE HISTORY t LIMIT 1")
	if err != nil || len(history) != 1 || !strings.Contains(history[0], "COPY INTO") {
		t.Errorf("%v, %v", history, err)
	}
}

func TestCopyIntoFormats(t *testing.T) {
	l := newLanding(t)
	l.put("j/a.json", `{"id": 1, "v": {"x": [1.5, 2]}, "s": "a"}`+"\n"+`{"id": 2, "new": true}`+"\n")
	l.put("m/a.json", "[{\"id\": 1},\n {\"id\": 2}]")
	l.put("c/a.csv", "1;'a;b\nc';2024-01-31\n2;;\n")
	l.put("t/a.txt", "one\n\nthree")
	l.must("CREATE TABLE src (id BIGINT, j VARIANT)", "INSERT INTO src SELECT 1L, parse_json('{\"a\":[1]}') UNION ALL SELECT 2L, NULL")

	l.must("CREATE TABLE t (id BIGINT, s STRING, v STRUCT<x: ARRAY<DOUBLE>>)")
	if _, err := l.copy("'{}/j' FILEFORMAT = JSON"); class(err) != "COPY_INTO_SCHEMA_MISMATCH_WITH_TARGET_TABLE" || !strings.Contains(err.Error(), "no column new") {
		t.Errorf("%v", err)
	}
	l.copies("'{}/j' FILEFORMAT = JSON COPY_OPTIONS ('mergeSchema' = 'true')", "2|2|0")
	l.holds(`1|a|{"x":[1.5,2]}|NULL`, "2|NULL|NULL|true")

	l.must("CREATE OR REPLACE TABLE t (id BIGINT)")
	l.copies("'{}/m' FILEFORMAT = JSON FORMAT_OPTIONS ('multiLine' = true)", "2|2|0")
	l.holds("1", "2")

	l.must("CREATE OR REPLACE TABLE t (id INT, d DATE, s STRING)")
	const options = " FORMAT_OPTIONS (sep = ';', quote = '\\'', multiLine = true)"
	l.copies("(SELECT _c0::int AS id, to_date(_c2) AS d, upper(_c1) AS s FROM '{}/c/*.csv') FILEFORMAT = CSV"+options, "2|2|0")
	l.holds("1|2024-01-31|A;B\nC", "2|NULL|NULL")
	if _, err := l.copy("'{}/c' FILEFORMAT = CSV" + options + " COPY_OPTIONS ('force' = 'true')"); class(err) != "COPY_INTO_SCHEMA_MISMATCH_WITH_TARGET_TABLE" {
		t.Errorf("%v", err)
	}

	l.must("CREATE OR REPLACE TABLE t (line STRING)")
	if got, err := l.run(t.Context(), "COPY INTO t BY POSITION FROM '"+l.dir+"/t' FILEFORMAT = TEXT"); err != nil || got[0] != "3|3|0" {
		t.Errorf("%v, %v", got, err)
	}
	l.holds("", "one", "three")

	files, err := filepath.Glob(filepath.Join(l.r.dir, "tables", "*", "*.parquet"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for i, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "metadata") { // the one with the VARIANT
			l.put("p/"+string(rune('a'+i))+".parquet", string(data))
		}
	}
	l.must("CREATE OR REPLACE TABLE t (id INT, j VARIANT)")
	l.copies("'{}/p' FILEFORMAT = PARQUET", "2|2|0")
	l.holds(`1|{"a":[1]}`, "2|NULL")
	l.put("p/bad.parquet", "no Parquet")
	if _, err := l.copy("'{}/p' FILEFORMAT = PARQUET"); err == nil {
		t.Error("a corrupt file was loaded")
	}
	l.copies("'{}/p' FILEFORMAT = PARQUET FORMAT_OPTIONS ('ignoreCorruptFiles' = 'true') COPY_OPTIONS ('force' = 'true')", "2|2|1")
}

func class(err error) string {
	if e, ok := errors.AsType[*sparksql.Error](err); ok {
		return e.Class
	}
	return ""
}

func TestCopyIntoChoosesFiles(t *testing.T) {
	l := newLanding(t)
	l.must("CREATE TABLE t (a STRING)")
	for _, n := range []string{"f1/file_a.csv", "f1/file_b.csv", "f1/file_z.csv", "f2/file_a.csv"} {
		l.put(n, "a\n"+n+"\n")
	}
	const csv = " FILEFORMAT = CSV %s FORMAT_OPTIONS ('header' = 'true')"
	with := func(clause string) string { return strings.Replace(csv, "%s", clause, 1) }
	l.copies("'{}'"+with("PATTERN = 'f1/file_[a-g].csv'"), "2|2|0")
	l.copies("'{}'"+with("FILES = ('f1/file_a.csv', 'f2/file_a.csv')"), "1|1|0")
	l.copies("'{}/{f1,f2}/*.csv'"+with(""), "1|1|0")
	l.holds("f1/file_a.csv", "f1/file_b.csv", "f1/file_z.csv", "f2/file_a.csv")
}

func TestCopyIntoRefuses(t *testing.T) {
	l := newLanding(t)
	l.must("CREATE TABLE t (a INT NOT NULL)")
	l.put("a.csv", "a\n1\n")
	l.put("bad/a.csv", "a\nx\n")
	l.put("null/a.json", `{"b": 1}`)
	if err := os.MkdirAll(filepath.Join(l.dir, "empty"), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ sql, class string }{
		{"'/etc' FILEFORMAT = CSV", "PATH_NOT_FOUND"},
		{"'{}/none' FILEFORMAT = CSV", "PATH_NOT_FOUND"},
		{"'{}/../x' FILEFORMAT = CSV", "PATH_NOT_FOUND"},
		{"'{}/empty' FILEFORMAT = CSV", "COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED"},
		{"'{}' FILEFORMAT = CSV FILES = ('none.csv')", "PATH_NOT_FOUND"},
		{"'{}' FILEFORMAT = CSV PATTERN = 'none*'", "COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED"},
		{"'{}' FILEFORMAT = AVRO", "UNSUPPORTED_FEATURE.COPY_INTO_FORMAT"},
		{"'{}' FILEFORMAT = DELTA", "COPY_INTO_SOURCE_FILE_FORMAT_NOT_SUPPORTED"},
		{"'{}' FILEFORMAT = CSV COPY_OPTIONS ('fast' = 'true')", "UNSUPPORTED_OPTION"},
		{"'{}' FILEFORMAT = CSV FILES = ('a') PATTERN = 'b'", "PARSE_SYNTAX_ERROR"},
		{"'{}'", "PARSE_SYNTAX_ERROR"},
		{"'{}/a.csv' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')", "COPY_INTO_SCHEMA_MISMATCH_WITH_TARGET_TABLE"},
		{"'{}/a.csv' FILEFORMAT = CSV", "COPY_INTO_SCHEMA_MISMATCH_WITH_TARGET_TABLE"},
		{"(SELECT a::int AS a FROM '{}/bad') FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')", "CAST_INVALID_INPUT"},
		{"(SELECT CAST(NULL AS INT) AS a FROM '{}/a.csv') FILEFORMAT = CSV", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"},
		{"(SELECT none FROM '{}/a.csv') FILEFORMAT = CSV", "UNRESOLVED_COLUMN.WITH_SUGGESTION"},
		{"'" + filepath.Dir(l.dir) + "' FILEFORMAT = PARQUET", "PATH_NOT_FOUND"},
	} {
		if got, err := l.copy(c.sql); class(err) != c.class {
			t.Errorf("COPY INTO t FROM %s: %q, %v; want %s", c.sql, got, err, c.class)
		}
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(l.dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	if got, err := l.copy("'{}/link.csv' FILEFORMAT = CSV"); class(err) != "PATH_NOT_FOUND" {
		t.Errorf("a link out of the folder: %q, %v", got, err)
	}
	l.holds()
}

func TestCopyIntoValidates(t *testing.T) {
	l := newLanding(t)
	l.must("CREATE TABLE t (a INT)", "ALTER TABLE t ADD CONSTRAINT small CHECK (a < 3)")
	l.put("a.csv", "a\n1\n2\n")
	l.put("b.csv", "a\n3\n")
	const csv = " FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true')"
	l.copies("'{}/a.csv' FILEFORMAT = CSV VALIDATE ALL"+csv, "1;2")
	if got, err := l.copy("'{}/a.csv' FILEFORMAT = CSV VALIDATE 1 ROWS" + csv); err != nil || got != "1" && got != "2" {
		t.Errorf("one row: %q, %v", got, err)
	}
	if _, err := l.copy("'{}' FILEFORMAT = CSV VALIDATE" + csv); class(err) != "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES" {
		t.Errorf("%v", err)
	}
	l.holds()
	l.copies("'{}/a.csv' FILEFORMAT = CSV"+csv, "2|2|0")
}

// Statements that load the same files at a time load each once.
func TestCopyIntoRaces(t *testing.T) {
	l := newLanding(t)
	l.must("CREATE TABLE t (a STRING)")
	for i := range 8 {
		l.put(string(rune('a'+i))+".csv", string(rune('a'+i))+"\n")
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := l.run(t.Context(), "COPY INTO t BY POSITION FROM '"+l.dir+"' FILEFORMAT = CSV"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	l.holds("a", "b", "c", "d", "e", "f", "g", "h")
	// Other writers add to the table and keep its memory.
	row, err := l.r.cat.Table(t.Context(), "c", "s", "t")
	if err != nil {
		t.Fatal(err)
	}
	d, err := delta.Open(t.Context(), l.r.tabs.Store(), row.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.r.tabs.Forget(row)
	l.copies("'{}' FILEFORMAT = CSV", "0|0|0")
}
