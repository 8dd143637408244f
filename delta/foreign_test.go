package delta_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// byHand is a table whose log is written as other writers have it.
type byHand struct {
	protocol  string // "" for 1/2
	schema    string // the fields, "" for a long named id
	partition []string
	config    map[string]string
	adds      []string // JSON of each add; the path is taken as it stands
}

const longID = `{"name":"id","type":"long","nullable":true,"metadata":{}}`

func (b byHand) write(t *testing.T, dir string) {
	t.Helper()
	if b.protocol == "" {
		b.protocol = `{"minReaderVersion":1,"minWriterVersion":2}`
	}
	if b.schema == "" {
		b.schema = longID
	}
	text := func(v any) string {
		out, err := json.Marshal(v)
		check(t, err)
		return string(out)
	}
	if b.partition == nil {
		b.partition = []string{}
	}
	lines := []string{
		`{"protocol":` + b.protocol + `}`,
		`{"metaData":{"id":"11111111-1111-4111-8111-111111111111","format":{"provider":"parquet","options":{}},"schemaString":` +
			text(`{"type":"struct","fields":[`+b.schema+`]}`) + `,"partitionColumns":` + text(b.partition) + `,"configuration":` + text(b.config) + `}}`,
	}
	for _, a := range b.adds {
		lines = append(lines, `{"add":`+a+`}`)
	}
	check(t, os.MkdirAll(filepath.Join(dir, "_delta_log"), 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "_delta_log", "00000000000000000000.json"), []byte(strings.Join(lines, "\n")), 0o600))
}

// parquetOf writes a file with one column of one row.
func parquetOf(t *testing.T, path, column string, value int64) {
	t.Helper()
	parquetAs(t, path, column, arrow.PrimitiveTypes.Int64, strconv.FormatInt(value, 10))
}

// parquetAs is parquetOf for a value of any type, given as text.
func parquetAs(t *testing.T, path, column string, typ arrow.DataType, value string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o700))
	sc := arrow.NewSchema([]arrow.Field{{Name: column, Type: typ, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, sc)
	defer b.Release()
	check(t, b.Field(0).AppendValueFromString(value))
	rec := b.NewRecordBatch()
	defer rec.Release()
	f, err := os.Create(path)
	check(t, err)
	w, err := pqarrow.NewFileWriter(sc, f, nil, pqarrow.DefaultWriterProps())
	check(t, err)
	check(t, w.Write(rec))
	check(t, w.Close())
}

// read gives the first column's values of a table on disk.
func read(t *testing.T, dir string) (out []string, err error) {
	t.Helper()
	tab, err := delta.Open(t.Context(), objstore.Local(dir), "")
	if err != nil {
		return nil, err
	}
	s, err := tab.Snapshot(t.Context())
	if err != nil {
		return nil, err
	}
	for rec, err := range s.Read(t.Context(), nil) {
		if err != nil {
			return nil, err
		}
		for i := range int(rec.NumRows()) {
			out = append(out, rec.Column(0).ValueStr(i))
		}
		rec.Release()
	}
	slices.Sort(out)
	return out, nil
}

func add(path string) string {
	return `{"path":"` + path + `","partitionValues":{},"size":1,"modificationTime":0,"dataChange":true}`
}

// A clone names its files by paths that lead out of its folder, or that are
// absolute; those of another store are out of reach.
func TestFilesOutsideOfTheTable(t *testing.T) {
	dir := t.TempDir()
	parquetOf(t, filepath.Join(dir, "source", "part=a b", "a.parquet"), "id", 7)
	clone := filepath.Join(dir, "clone")
	for _, path := range []string{"../source/part=a%20b/a.parquet", "x/../../source/part=a%20b/a.parquet", "file:" + dir + "/source/part=a%20b/a.parquet", dir + "/source/part=a%20b/a.parquet"} {
		byHand{adds: []string{add(path)}}.write(t, clone)
		if got, err := read(t, clone); err != nil || !slices.Equal(got, []string{"7"}) {
			t.Errorf("%s: %v, %v", path, got, err)
		}
	}
	for _, path := range []string{"./part=a%20b/a.parquet", "part=a%20b//a.parquet"} {
		byHand{adds: []string{add(path)}}.write(t, filepath.Join(dir, "source"))
		if got, err := read(t, filepath.Join(dir, "source")); err != nil || !slices.Equal(got, []string{"7"}) {
			t.Errorf("%s: %v, %v", path, got, err)
		}
	}
	for _, path := range []string{"s3://bucket/a.parquet", "dbfs:/user/hive/a.parquet", "abfss://c@a.dfs.core.windows.net/a.parquet"} {
		byHand{adds: []string{add(path)}}.write(t, clone)
		if _, err := read(t, clone); !errors.Is(err, objstore.ErrNotFound) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Delta 3.1 wrote column mapping of a table that was raised to 3/7 only among
// the writer features.
func TestColumnMappingAmongWriterFeatures(t *testing.T) {
	dir := t.TempDir()
	parquetOf(t, filepath.Join(dir, "a.parquet"), "col-1", 7)
	byHand{
		protocol: `{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":[],"writerFeatures":["columnMapping","icebergCompatV1"]}`,
		schema:   `{"name":"id","type":"long","nullable":true,"metadata":{"delta.columnMapping.id":1,"delta.columnMapping.physicalName":"col-1"}}`,
		config:   map[string]string{"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "1", "delta.enableIcebergCompatV1": "true"},
		adds:     []string{add("a.parquet")},
	}.write(t, dir)
	if got, err := read(t, dir); err != nil || !slices.Equal(got, []string{"7"}) {
		t.Errorf("%v, %v", got, err)
	}
}

// Fields whose types have changed in a way that the protocol does not have are
// refused by name.
func TestChangesOfTypes(t *testing.T) {
	dir := t.TempDir()
	parquetOf(t, filepath.Join(dir, "a.parquet"), "id", 7)
	for change, fine := range map[string]bool{
		`{"fromType":"byte","toType":"short"},{"fromType":"short","toType":"long"}`: true,
		`{"fromType":"integer","toType":"decimal(11,1)"}`:                           true,
		`{"fromType":"byte","toType":"decimal(4,1)"}`:                               true, // as writers of the preview did
		`{"fromType":"byte","toType":"decimal(3,1)"}`:                               false,
		`{"fromType":"long","toType":"decimal(19,0)"}`:                              true,
		`{"fromType":"long","toType":"decimal(18,0)"}`:                              false,
		`{"fromType":"decimal(10,2)","toType":"decimal(11,4)"}`:                     false,
		`{"fromType":"decimal(10,2)","toType":"decimal(12,4)"}`:                     true,
		`{"fromType":"long","toType":"double"}`:                                     false,
		`{"fromType":"date","toType":"timestamp_ntz"}`:                              true,
		`{"fromType":"date","toType":"timestamp"}`:                                  false,
		`{"fromType":"long","toType":"integer"}`:                                    false,
		`{"fromType":"byte","toType":"unsupported"}`:                                false,
	} {
		byHand{
			protocol: `{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["typeWidening"],"writerFeatures":["typeWidening"]}`,
			schema:   strings.Replace(longID, `"metadata":{}`, `"metadata":{"delta.typeChanges":[`+change+`]}`, 1),
			adds:     []string{add("a.parquet")},
		}.write(t, dir)
		_, err := read(t, dir)
		if fine && err != nil || !fine && (!errors.Is(err, delta.ErrUnsupportedFeature) || !strings.Contains(err.Error(), "id")) {
			t.Errorf("%s: %v", change, err)
		}
	}
}

// Files of writers that have unsigned integers, other widths and precisions.
func TestFilesOfNeighbouringTypes(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		stored      arrow.DataType
		typ         string
		text, shown string
	}{
		{arrow.PrimitiveTypes.Uint8, "short", "255", "255"},
		{arrow.PrimitiveTypes.Uint16, "integer", "65535", "65535"},
		{arrow.PrimitiveTypes.Uint32, "long", "4294967295", "4294967295"},
		{arrow.PrimitiveTypes.Int8, "long", "-128", "-128"},
		{arrow.PrimitiveTypes.Float32, "double", "0.5", "0.5"},
		{&arrow.Decimal128Type{Precision: 9, Scale: 2}, "decimal(12,3)", "-1.25", "-1.25"},
		{arrow.BinaryTypes.LargeString, "string", "x", "x"},
		{&arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, "timestamp", "2024-01-01T10:00:00.123456789Z", "2024-01-01T10:00:00.123456Z"},
		{&arrow.TimestampType{Unit: arrow.Millisecond}, "timestamp", "2024-01-01T10:00:00.123", "2024-01-01T10:00:00.123Z"},
	} {
		parquetAs(t, filepath.Join(dir, "a.parquet"), "id", c.stored, c.text)
		byHand{schema: strings.Replace(longID, `"long"`, `"`+c.typ+`"`, 1), adds: []string{add("a.parquet")}}.write(t, dir)
		if got, err := read(t, dir); err != nil || !slices.Equal(got, []string{c.shown}) {
			t.Errorf("%s as %s: %q, %v", c.stored, c.typ, got, err)
		}
	}
}
