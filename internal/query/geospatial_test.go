package query_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/marisma/marisma/internal/query"
)

// Statements see the geometries of other writers' tables as well-known binary.
func TestGeometriesOfTablesAreBinary(t *testing.T) {
	d := newDoor(t)
	at := filepath.Join(d.r.dir, "tables", "outer", "geo")
	root, err := query.LocalRoot(at)
	if err != nil {
		t.Fatal(err)
	}
	d.r.tabs.Allow(root)
	log := filepath.Join(at, "_delta_log")
	if err := os.MkdirAll(log, 0o750); err != nil {
		t.Fatal(err)
	}
	lines := []string{
		`{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["geospatial"],"writerFeatures":["geospatial"]}}`,
		`{"metaData":{"id":"g","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"g\",\"type\":\"geometry(OGC:CRS84)\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}`,
	}
	for name, logical := range map[string]schema.LogicalType{"a": schema.GeometryLogicalType{}, "b": schema.NoLogicalType{}} {
		node, err := schema.NewPrimitiveNodeLogical("g", parquet.Repetitions.Optional, logical, parquet.Types.ByteArray, -1, -1)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := schema.NewGroupNode("spark_schema", parquet.Repetitions.Required, schema.FieldList{node}, -1)
		if err != nil {
			t.Fatal(err)
		}
		out, err := os.Create(filepath.Join(at, name+".parquet"))
		if err != nil {
			t.Fatal(err)
		}
		w := file.NewParquetWriter(out, rows)
		group, err := w.AppendRowGroupChecked()
		if err != nil {
			t.Fatal(err)
		}
		col, err := group.NextColumn()
		if err == nil {
			point := parquet.ByteArray("\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x40")
			_, err = col.(*file.ByteArrayColumnChunkWriter).WriteBatch([]parquet.ByteArray{point}, []int16{1, 0}, nil)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, `{"add":{"path":"`+name+`.parquet","partitionValues":{},"size":1,"modificationTime":0,"dataChange":true}}`)
	}
	if err := os.WriteFile(filepath.Join(log, "00000000000000000000.json"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	const point = "0101000000000000000000f03f0000000000000040"
	got := d.must("SELECT lower(hex(g)), typeof(g) FROM delta.`" + at + "` WHERE g IS NOT NULL")
	if want := []string{point + "|binary", point + "|binary"}; !slices.Equal(got, want) {
		t.Errorf("%q; want %q", got, want)
	}
	if got := d.must("SELECT lower(hex(st_asbinary(st_geomfromwkb(g)))) FROM delta.`" + at + "` WHERE g IS NOT NULL LIMIT 1"); got[0] != point {
		t.Errorf("%q", got)
	}
	if _, err := d.run(t.Context(), "DELETE FROM delta.`"+at+"`"); err == nil || !strings.Contains(err.Error(), "geospatial") {
		t.Errorf("changed: %v", err)
	}
}
