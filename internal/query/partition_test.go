package query_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
)

// Partition values as writers spell them, and what Spark reads.
func TestPartitionValuesOfOtherWriters(t *testing.T) {
	cases := map[string][][2]string{
		"date": {
			{"2024-01-01", "2024-01-01"}, {"+10000-01-01", "+10000-01-01"}, {"2024-1-3", "2024-01-03"}, {"2024-01-04 10:00:00", "2024-01-04"}, {"2024-02", "2024-02-01"},
		},
		"timestamp": {
			{"2024-01-01 10:00:00", "2024-01-01 10:00:00"}, {"2024-01-01T10:00:00.123456+02:00", "2024-01-01 08:00:00.123456"}, {"2024-01-01T11:00", "2024-01-01 11:00:00"},
		},
		"double":        {{"NaN", "NaN"}, {"-Infinity", "-Infinity"}, {"1e10", "1.0E10"}, {" 1.5 ", "1.5"}},
		"float":         {{"Infinity", "Infinity"}, {"0.1", "0.1"}},
		"decimal(12,2)": {{"1", "1.00"}, {"1E2", "100.00"}, {"-1.25", "-1.25"}},
		"integer":       {{"-2147483648", "-2147483648"}, {" 8 ", "8"}, {"1.5", "1"}},
		"boolean":       {{"TRUE", "true"}, {"0", "false"}},
		"string":        {{"o'q", "o'q"}, {"a\x00b", "a\x00b"}, {"a%20b", "a%20b"}, {"é😈", "é😈"}, {"null", "null"}},
		"binary":        {{"\x01\x02", "0102"}, {"é😈", "C3A9F09F9888"}, {`\x41`, "5C783431"}},
	}
	for typ, values := range cases {
		t.Run(typ, func(t *testing.T) {
			r := newRig(t, t.TempDir())
			shown := "CAST(p AS STRING)"
			if typ == "binary" {
				shown = "hex(p)"
			}
			want := []string{"NULL"}
			texts := []any{nil}
			for _, v := range values {
				want, texts = append(want, v[1]), append(texts, v[0])
			}
			r.partitioned(t, typ, texts)
			r.want("SELECT "+shown+" FROM t", want...)
			for _, v := range values {
				if typ != "binary" && !strings.Contains(v[1], "\x00") && !strings.Contains(v[1], "10000") {
					r.want("SELECT count(*) FROM t WHERE p = CAST('"+strings.ReplaceAll(v[1], "'", "\\'")+"' AS "+typ+")", "1")
				}
			}
		})
	}
}

// partitioned makes a table t with a file of one row for each partition value.
func (r *rig) partitioned(t *testing.T, typ string, values []any) {
	t.Helper()
	sc := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "p", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, sc)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).Append(1)
	b.Field(1).(*array.StringBuilder).Append("x")
	d := r.create("t", sc, []delta.Option{delta.WithPartitionBy("p")}, b.NewRecordBatch())
	s, err := d.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for a := range s.All() {
		file := r.tabs.LocalPath(s.Locate(a))
		r.rewrite(t, filepath.Dir(filepath.Dir(file)), file, typ, values)
	}
	row, err := r.cat.Table(t.Context(), "c", "s", "t")
	if err != nil {
		t.Fatal(err)
	}
	r.tabs.Forget(row)
}

// rewrite gives the table in root a log of copies of its file, one for each value.
func (r *rig) rewrite(t *testing.T, root, file, typ string, values []any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(root, "_delta_log")
	schema := fmt.Sprintf(`{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}},{"name":"p","type":%q,"nullable":true,"metadata":{}}]}`, typ)
	lines := []any{
		map[string]any{"protocol": map[string]int{"minReaderVersion": 1, "minWriterVersion": 2}},
		map[string]any{"metaData": map[string]any{
			"id": "x", "format": map[string]any{"provider": "parquet"}, "schemaString": schema, "partitionColumns": []string{"p"}, "configuration": map[string]string{},
		}},
	}
	for i, v := range values {
		name := fmt.Sprintf("f%d.parquet", i)
		if err := os.WriteFile(filepath.Join(root, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, map[string]any{"add": map[string]any{
			"path": name, "partitionValues": map[string]any{"p": v}, "size": len(data), "modificationTime": 0, "dataChange": true,
		}})
	}
	var text strings.Builder
	for _, l := range lines {
		b, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(b, '\n'))
	}
	if err := os.RemoveAll(log); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(log, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(log, "00000000000000000000.json"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The version and the time of a change are columns of its file, too.
func TestTheTimesOfChanges(t *testing.T) {
	r := newRig(t, t.TempDir())
	sc := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "p", Type: arrow.FixedWidthTypes.Date32, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, sc)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).Append(1)
	b.Field(1).(*array.Date32Builder).Append(19723)
	r.create("t", sc, []delta.Option{delta.WithPartitionBy("p"), delta.WithProperties(map[string]string{"delta.enableChangeDataFeed": "true"})}, b.NewRecordBatch())
	r.want("SELECT id, p, _change_type, _commit_version FROM table_changes('t', 1)", "1|2024-01-01|insert|1")
	r.want("SELECT count(*) FROM table_changes('t', 1) WHERE _commit_timestamp BETWEEN TIMESTAMP '2020-01-01' AND current_timestamp()", "1")
}
