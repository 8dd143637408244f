package query_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/query"
)

// write puts rows of JSON into a Parquet file and gives its size.
func writeParquet(t *testing.T, name string, s *arrow.Schema, rows string, props ...parquet.WriterProperty) int64 {
	t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader(rows), array.WithMultipleDocs())
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(s, f, parquet.NewWriterProperties(props...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

// Files with pages that DuckDB does not know are read beside those that it does,
// and changed.
func TestPagesThatDuckDBDoesNotKnow(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "d", Type: &arrow.Decimal128Type{Precision: 30, Scale: 2}, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	split := []parquet.WriterProperty{parquet.WithDictionaryDefault(false)}
	for _, c := range []string{"id", "n", "d"} {
		split = append(split, parquet.WithEncodingFor(c, parquet.Encodings.ByteStreamSplit))
	}
	for name, props := range map[string][]parquet.WriterProperty{
		"split": split, "lz4": {parquet.WithCompression(compress.Codecs.Lz4)},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			at := filepath.Join(d.r.dir, "tables", "outer", "odd")
			root, err := query.LocalRoot(at)
			if err != nil {
				t.Fatal(err)
			}
			d.r.tabs.Allow(root)
			rows := func(from int) (out string) {
				for i := from; i < from+3; i++ {
					out += fmt.Sprintf(`{"id":%d,"n":%d,"d":"%d.25","s":"%d"}`, i, i*10, i, i)
				}
				return out
			}
			writeParquet(t, filepath.Join(at, "a.parquet"), schema, rows(0), parquet.WithCompression(compress.Codecs.Snappy))
			writeParquet(t, filepath.Join(at, "b.parquet"), schema, rows(3)+`{"id":null,"n":null,"d":null,"s":"x"}`, props...)
			d.must("CONVERT TO DELTA parquet.`"+at+"`", "CREATE TABLE t LOCATION '"+at+"'")
			ask := func(sql string, want ...string) {
				t.Helper()
				if got, err := d.run(t.Context(), sql); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: %q, %v; want %q", sql, got, err, want)
				}
			}
			ask("SELECT id, n, d, s FROM t WHERE id > 1 OR id IS NULL", "2|20|2.25|2", "3|30|3.25|3", "4|40|4.25|4", "5|50|5.25|5", "NULL|NULL|NULL|x")
			ask("SELECT count(*), count(id), sum(d), max(s) FROM t", "7|6|16.5|x")
			ask("SELECT _metadata.file_name, max(id) FROM t GROUP BY 1", "a.parquet|2", "b.parquet|5")
			ask("SELECT t.s FROM t JOIN t o ON t.n = o.id * 10 WHERE o.id = 4", "4")
			d.must("ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.enableChangeDataFeed' = 'true')",
				"DELETE FROM t WHERE id = 4", "UPDATE t SET s = 'u' WHERE id IN (0, 5)")
			ask("SELECT id, s FROM t", "0|u", "1|1", "2|2", "3|3", "5|u", "NULL|x")
			ask("SELECT id, s, _change_type FROM table_changes('t', 2)", "0|0|update_preimage", "0|u|update_postimage", "4|4|delete", "5|5|update_preimage", "5|u|update_postimage")
			ask("SELECT id, s FROM t VERSION AS OF 0 WHERE id = 4", "4|4")
		})
	}
}

// A statement over an odd file that was not known before works at the first time.
func TestChangesOfOddFilesNeedNoSelectBefore(t *testing.T) {
	d := newDoor(t)
	at := filepath.Join(d.r.dir, "tables", "outer", "odd")
	root, err := query.LocalRoot(at)
	if err != nil {
		t.Fatal(err)
	}
	d.r.tabs.Allow(root)
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int32, Nullable: true}}, nil)
	writeParquet(t, filepath.Join(at, "a.parquet"), schema, `{"id":1}{"id":2}{"id":3}`, parquet.WithDictionaryDefault(false), parquet.WithEncoding(parquet.Encodings.ByteStreamSplit))
	d.must("CONVERT TO DELTA parquet.`"+at+"`", "DELETE FROM delta.`"+at+"` WHERE id % 2 = 0")
	if got, err := d.run(t.Context(), "SELECT id FROM delta.`"+at+"`"); err != nil || !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// Columns of tables that are mapped by id are found by their ids, whatever the
// files call them.
func TestColumnsAreFoundByTheirIDs(t *testing.T) {
	d := newDoor(t)
	d.must("CREATE TABLE t (a INT, s STRUCT<x: INT, y: STRING>, l ARRAY<STRUCT<z: INT>>, b INT) TBLPROPERTIES ('delta.columnMapping.mode' = 'id')",
		"INSERT INTO t VALUES (1, struct(2, 'three'), array(struct(4)), 5)")
	row, err := d.r.cat.Table(t.Context(), "c", "s", "t")
	if err != nil {
		t.Fatal(err)
	}
	table, err := d.r.tabs.Open(t.Context(), row)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The file has a's name for b and b's for a, and lacks y.
	f := snap.FileSchema().Fields()
	swapped := []arrow.Field{f[3], f[1], f[2], f[0]}
	swapped[0].Name, swapped[3].Name = f[0].Name, f[3].Name
	x := f[1].Type.(*arrow.StructType).Field(0)
	x.Name = "other x"
	swapped[1].Name, swapped[1].Type = "other s", arrow.StructOf(x)
	foreign := arrow.NewSchema(swapped, nil)
	rows := fmt.Sprintf(`{%q: 50, "other s": {"other x": 20}, %q: [{%q: 40}, null], %q: 10}`, swapped[0].Name, f[2].Name,
		f[2].Type.(*arrow.ListType).Elem().(*arrow.StructType).Field(0).Name, swapped[3].Name)
	name := filepath.Join(d.r.dir, "tables", row.ID, "other.parquet")
	size := writeParquet(t, name, foreign, rows)
	add := delta.Add{Path: "other.parquet", Size: size, ModificationTime: 1, DataChange: true, PartitionValues: delta.Values{}, Stats: `{"numRecords":1}`}
	if _, err := table.Commit(t.Context(), delta.Commit{Adds: []delta.Add{add}, DataChange: true, ReadVersion: -1}); err != nil {
		t.Fatal(err)
	}
	want, err := d.r.batches(t, row)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.run(t.Context(), "SELECT * FROM t")
	if err != nil || !slices.Equal(got, want) || len(got) != 2 {
		t.Errorf("%q, %v; the package reads %q", got, err, want)
	}
	for i, sql := range []string{"SELECT b FROM t WHERE a = 10", "SELECT s.x + 30 FROM t WHERE s.y IS NULL", "SELECT l[0].z + 10 FROM t WHERE size(l) = 2"} {
		if got, err := d.run(t.Context(), sql); err != nil || !slices.Equal(got, []string{strconv.Itoa(50)}) {
			t.Errorf("%d %s: %q, %v", i, sql, got, err)
		}
	}
	d.must("UPDATE t SET a = 11 WHERE b = 50")
	if got, err := d.run(t.Context(), "SELECT a, b, s.x FROM t"); err != nil || !slices.Equal(got, []string{"11|50|20", "1|5|2"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// Files of Spark 2, and of such later ones as ask for it, keep dates and
// timestamps in the calendar that was Julian before 1582-10-15. The numbers and
// what they mean are those of a file of Spark 4.2 under
// spark.sql.parquet.datetimeRebaseModeInWrite=LEGACY.
func TestFilesInTheOldCalendar(t *testing.T) {
	d := newDoor(t)
	at := filepath.Join(d.r.dir, "tables", "outer", "old")
	root, err := query.LocalRoot(at)
	if err != nil {
		t.Fatal(err)
	}
	d.r.tabs.Allow(root)
	day, instant := arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Timestamp_us
	s := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "d", Type: day, Nullable: true}, {Name: "t", Type: instant, Nullable: true},
		{Name: "n", Type: arrow.StructOf(arrow.Field{Name: "l", Type: arrow.ListOf(day), Nullable: true}, arrow.Field{Name: "t", Type: instant, Nullable: true}), Nullable: true},
	}, nil)
	const rows = `{"id":1,"d":-719164,"t":-62135769600000000,"n":{"l":[-141428,-141427,null],"t":-62135769600000000}}
		{"id":2,"d":0,"t":0,"n":{"l":[],"t":null}} {"id":3,"d":null,"t":null,"n":null}`
	write := func(name string, keys ...string) {
		t.Helper()
		rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader(rows), array.WithMultipleDocs())
		if err != nil {
			t.Fatal(err)
		}
		defer rec.Release()
		if err := os.MkdirAll(at, 0o750); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(at, name))
		if err != nil {
			t.Fatal(err)
		}
		w, err := pqarrow.NewFileWriter(s, f, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(keys); i += 2 {
			if err := w.AppendKeyValueMetadata(keys[i], keys[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write("a.parquet", "org.apache.spark.version", "4.2.0", "org.apache.spark.legacyDateTime", "", "org.apache.spark.timeZone", "UTC")
	write("b.parquet", "org.apache.spark.version", "2.4.5")
	write("c.parquet", "org.apache.spark.version", "4.2.0")
	write("d.parquet")
	d.must("CONVERT TO DELTA parquet.`"+at+"`", "CREATE TABLE t LOCATION '"+at+"'")
	ask := func(sql string, want ...string) {
		t.Helper()
		if got, err := d.run(t.Context(), sql); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", sql, got, err, want)
		}
	}
	const old = "1|0001-01-01|0001-01-01 00:00:00|[1582-10-04, 1582-10-15, null]|0001-01-01 00:00:00"
	const plain = "1|0000-12-30|0000-12-30 00:00:00|[1582-10-14, 1582-10-15, null]|0000-12-30 00:00:00"
	query := "SELECT id, d, string(t), string(n.l), string(n.t) FROM t WHERE id = 1 AND _metadata.file_name = '%s.parquet'"
	for file, want := range map[string]string{"a": old, "b": old, "c": plain, "d": plain} {
		ask(fmt.Sprintf(query, file), want)
	}
	ask("SELECT count(*) FROM t WHERE d = DATE'0001-01-01'", "2")
	ask("SELECT count(*) FROM t WHERE t < TIMESTAMP'0001-01-01 00:00:00'", "2")
	ask("SELECT count(*), count(d), count(n.l) FROM t", "12|8|8")
	// What is written anew means the same.
	d.must("UPDATE t SET id = 10 WHERE id = 2", "OPTIMIZE t")
	ask("SELECT string(d), string(n.t) FROM t WHERE id = 1 ORDER BY 1", "0000-12-30|0000-12-30 00:00:00", "0000-12-30|0000-12-30 00:00:00", "0001-01-01|0001-01-01 00:00:00", "0001-01-01|0001-01-01 00:00:00")
}
