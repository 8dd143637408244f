package delta_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// plainParquet copies the only data file of a table of n rows to a path.
func plainParquet(t *testing.T, first, n int, to string) {
	t.Helper()
	dir := t.TempDir()
	d := must[*delta.Table](t)(delta.Create(t.Context(), objstore.Local(dir), "t", plain))
	appendRows(t, d, first, n)
	for a := range snap(t, d).All() {
		in := must[*os.File](t)(os.Open(filepath.Join(dir, "t", delta.DataPath(a))))
		check(t, os.MkdirAll(filepath.Dir(to), 0o750))
		out := must[*os.File](t)(os.Create(to))
		_, err := io.Copy(out, in)
		check(t, errors.Join(err, in.Close(), out.Close()))
	}
}

func TestConvertFromParquet(t *testing.T) {
	dir := t.TempDir()
	plainParquet(t, 0, 5, filepath.Join(dir, "p=a%20b", "x.parquet"))
	plainParquet(t, 5, 5, filepath.Join(dir, "p=__HIVE_DEFAULT_PARTITION__", "y.parquet"))
	plainParquet(t, 99, 1, filepath.Join(dir, "_temporary", "z.parquet"))
	part := []arrow.Field{{Name: "p", Type: arrow.BinaryTypes.String}}
	if _, err := delta.ConvertFromParquet(t.Context(), objstore.Local(dir), "", delta.ConvertOptions{}); !errors.Is(err, delta.ErrPartitions) {
		t.Errorf("without partition columns: %v", err)
	}
	for range 2 { // the second finds a table
		d, err := delta.ConvertFromParquet(t.Context(), objstore.Local(dir), "", delta.ConvertOptions{PartitionBy: part})
		check(t, err)
		s := snap(t, d)
		if got := ids(t, s); !slices.Equal(got, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) || s.Version() != 0 {
			t.Errorf("version %d, rows %v", s.Version(), got)
		}
		if got := ids(t, s, delta.Predicate{Column: "id", Op: delta.GtEq, Value: int64(7)}); len(got) != 5 {
			t.Errorf("statistics leave %v", got)
		}
		var values []string
		for rec, err := range s.Read(t.Context(), []string{"p"}) {
			check(t, err)
			c := rec.Column(0).(*array.String)
			if c.IsNull(0) {
				values = append(values, "NULL")
			} else {
				values = append(values, c.Value(0))
			}
			rec.Release()
		}
		slices.Sort(values)
		if !slices.Equal(values, []string{"NULL", "a b"}) {
			t.Errorf("partition values %v", values)
		}
	}
	if _, err := delta.ConvertFromParquet(t.Context(), objstore.Local(t.TempDir()), "", delta.ConvertOptions{}); !errors.Is(err, delta.ErrNoParquet) {
		t.Errorf("an empty folder: %v", err)
	}
	bad := t.TempDir()
	check(t, os.WriteFile(filepath.Join(bad, "a.parquet"), []byte("PAR1 is not enough"), 0o600))
	if _, err := delta.ConvertFromParquet(t.Context(), objstore.Local(bad), "", delta.ConvertOptions{}); err == nil {
		t.Error("a torn file is taken")
	}
}
