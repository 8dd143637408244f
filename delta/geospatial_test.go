package delta_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// point is POINT (1 2) as well-known binary.
var point = parquet.ByteArray("\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x40")

// pointFile is a Parquet file with a point whose column has a type, nil for none.
func pointFile(t *testing.T, name string, logical schema.LogicalType) {
	t.Helper()
	node, err := schema.NewPrimitiveNodeLogical("g", parquet.Repetitions.Optional, logical, parquet.Types.ByteArray, -1, -1)
	check(t, err)
	root, err := schema.NewGroupNode("spark_schema", parquet.Repetitions.Required, schema.FieldList{node}, -1)
	check(t, err)
	out, err := os.Create(name)
	check(t, err)
	w := file.NewParquetWriter(out, root)
	group, err := w.AppendRowGroupChecked()
	check(t, err)
	col, err := group.NextColumn()
	check(t, err)
	_, err = col.(*file.ByteArrayColumnChunkWriter).WriteBatch([]parquet.ByteArray{point}, []int16{1, 0}, nil)
	check(t, err)
	check(t, w.Close())
}

// Geometries and geographies are read as well-known binary, and their fields tell
// GeoArrow's readers what it means. Nothing is written to such tables.
func TestGeometriesAreRead(t *testing.T) {
	const feature = `{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["geospatial"],"writerFeatures":["geospatial"]}`
	for typ, want := range map[string]string{
		"geometry":                        `{"crs":"OGC:CRS84","crs_type":"authority_code"}`,
		"geometry(EPSG:3857)":             `{"crs":"EPSG:3857","crs_type":"authority_code"}`,
		"geometry(4326)":                  `{"crs":"4326","crs_type":"srid"}`,
		"geometry(any)":                   `{}`,
		"geography(OGC:CRS84, spherical)": `{"crs":"OGC:CRS84","crs_type":"authority_code","edges":"spherical"}`,
		"Geography(srid:4326,vincenty)":   `{"crs":"srid:4326","crs_type":"authority_code","edges":"vincenty"}`,
		"geography":                       `{"crs":"OGC:CRS84","crs_type":"authority_code","edges":"spherical"}`,
		"geometry(OGC:CRS84":              "",
		"geometric(OGC:CRS84)":            "",
		`map of them`:                     "",
	} {
		dir := t.TempDir()
		pointFile(t, filepath.Join(dir, "a.parquet"), schema.GeometryLogicalType{})
		pointFile(t, filepath.Join(dir, "b.parquet"), schema.NoLogicalType{})
		field := `{"name":"g","type":"` + typ + `","nullable":true,"metadata":{"comment":"where"}}`
		if strings.HasPrefix(typ, "map") {
			field = `{"name":"g","type":{"type":"map","keyType":"string","valueType":"geometry","valueContainsNull":true},"nullable":true,"metadata":{}}`
		}
		byHand{protocol: feature, schema: field, adds: []string{add("a.parquet"), add("b.parquet")}}.write(t, dir)
		tab, err := delta.Open(t.Context(), objstore.Local(dir), "")
		if want == "" {
			if !errors.Is(err, delta.ErrUnsupportedFeature) {
				t.Errorf("%s: %v", typ, err)
			}
			continue
		}
		check(t, err)
		f := snap(t, tab).Schema().Field(0)
		name, _ := f.Metadata.GetValue("ARROW:extension:name")
		about, _ := f.Metadata.GetValue("ARROW:extension:metadata")
		comment, _ := f.Metadata.GetValue("comment")
		if f.Type.ID() != arrow.BINARY || name != "geoarrow.wkb" || about != want || comment != "where" {
			t.Errorf("%s: %s of %s: %s", typ, f.Type, name, about)
		}
		shown := "AQEAAAAAAAAAAADwPwAAAAAAAABA"
		if got, err := read(t, dir); err != nil || !slices.Equal(got, []string{"(null)", "(null)", shown, shown}) {
			t.Errorf("%s: %q, %v", typ, got, err)
		}
		if _, err := tab.NewWriter(t.Context(), delta.WriterOptions{}); !errors.Is(err, delta.ErrUnsupportedFeature) || !strings.Contains(err.Error(), "geospatial") {
			t.Errorf("%s: written: %v", typ, err)
		}
	}
}
