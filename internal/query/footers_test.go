package query

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/marisma/marisma/delta"
)

// A file's schema is known without the file from the second time on, and files
// with the same schema share it.
func TestFootersAreReadOnce(t *testing.T) {
	dir := t.TempDir()
	s := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	var f footers
	var first *arrow.Schema
	for i := range 3 {
		path := filepath.Join(dir, strconv.Itoa(i))
		emptyFile(t, path, s)
		a := delta.Add{Size: 1, ModificationTime: 2}
		got, err := f.schema(path, a)
		if err != nil || got.NumFields() != 1 || first != nil && got != first {
			t.Fatalf("%v, %v", got, err)
		}
		first = got
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if got, err := f.schema(path, a); err != nil || got != first {
			t.Errorf("%v, %v without the file", got, err)
		}
		if _, err := f.schema(path, delta.Add{Size: 1, ModificationTime: 3}); err == nil {
			t.Error("another file of that path is taken for the first")
		}
	}
}

// What is remembered is bounded.
func TestFootersAreBounded(t *testing.T) {
	var f footers
	f.schemas.known = map[footer]*arrow.Schema{}
	for i := range maxFooters {
		f.schemas.known[footer{path: strconv.Itoa(i)}] = arrow.NewSchema(nil, nil)
	}
	path := filepath.Join(t.TempDir(), "a.parquet")
	s := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
	emptyFile(t, path, s)
	if _, err := f.schema(path, delta.Add{}); err != nil || len(f.schemas.known) != 1 {
		t.Errorf("%d are remembered, %v", len(f.schemas.known), err)
	}
}

// emptyFile is a Parquet file of no rows.
func emptyFile(t *testing.T, path string, s *arrow.Schema) {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(s, out, nil, pqarrow.DefaultWriterProps())
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}
