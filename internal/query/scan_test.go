package query_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
)

// Files with deletion vectors and with other names of columns, beside files
// without, are read as the table has them.
func TestScansFollowVectorsAndMapping(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	r := newRig(t, dir)
	sc := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "p", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "s t", Type: arrow.StructOf(
			arrow.Field{Name: "x y", Type: arrow.ListOf(arrow.StructOf(arrow.Field{Name: "z", Type: arrow.PrimitiveTypes.Int32, Nullable: true})), Nullable: true},
			arrow.Field{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.StructOf(arrow.Field{Name: "w", Type: arrow.PrimitiveTypes.Int32, Nullable: true})), Nullable: true},
		), Nullable: true},
	}, nil)
	batch := func(from, to int) arrow.RecordBatch {
		b := array.NewRecordBuilder(memory.DefaultAllocator, sc)
		defer b.Release()
		for i := from; i < to; i++ {
			b.Field(0).(*array.Int64Builder).Append(int64(i))
			b.Field(1).(*array.StringBuilder).Append(string(rune('a' + i%2)))
			st := b.Field(2).(*array.StructBuilder)
			if i%5 == 0 {
				st.AppendNull()
				continue
			}
			st.Append(true)
			l := st.FieldBuilder(0).(*array.ListBuilder)
			l.Append(true)
			l.ValueBuilder().(*array.StructBuilder).Append(true)
			l.ValueBuilder().(*array.StructBuilder).FieldBuilder(0).(*array.Int32Builder).Append(int32(10 * i))
			m := st.FieldBuilder(1).(*array.MapBuilder)
			m.Append(true)
			m.KeyBuilder().(*array.StringBuilder).Append("k")
			m.ItemBuilder().(*array.StructBuilder).Append(true)
			m.ItemBuilder().(*array.StructBuilder).FieldBuilder(0).(*array.Int32Builder).Append(int32(-i))
		}
		return b.NewRecordBatch()
	}
	first, second := batch(0, 6), batch(6, 8)
	defer first.Release()
	defer second.Release()
	d := r.create("t", sc, []delta.Option{delta.WithPartitionBy("p"), delta.WithProperties(map[string]string{
		"delta.enableDeletionVectors": "true", "delta.columnMapping.mode": "name",
	})}, first, second)
	s, err := d.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var rows []delta.FileRows
	for a := range s.All() {
		if s.Partition(a)["p"] == "a" && len(rows) == 0 { // ids 0, 2, 4: 2 goes
			set := &delta.RowSet{}
			set.Add(1)
			rows = append(rows, delta.FileRows{Add: a, Rows: set})
		}
	}
	adds, removes, err := s.DeleteRows(ctx, rows)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Commit(ctx, delta.Commit{Adds: adds, Removes: removes, DataChange: true, ReadVersion: s.Version()}); err != nil {
		t.Fatal(err)
	}
	r.want("SELECT id, p, `s t`.`x y`[0].z, `s t`.m['k'].w FROM t",
		"0|a|NULL|NULL", "1|b|10|-1", "3|b|30|-3", "4|a|40|-4", "5|b|NULL|NULL", "6|a|60|-6", "7|b|70|-7")
	r.want("SELECT count(*) FROM t", "7")
	r.want("SELECT sum(id) FROM t WHERE p = 'a'", "10")
	r.want("SELECT count(*) FROM t WHERE id = 2", "0")
	r.want("SELECT max(`s t`.`x y`[0].z) FROM t WHERE id < 4", "30")
	withoutData(t, dir)
	r.want("SELECT count(*) FROM t", "7")
	r.want("SELECT count(1), 'x' FROM t a JOIN t b ON true", "49|x")
	if got, err := r.ask("SELECT count(id) FROM t"); err == nil {
		t.Errorf("there is no data, but an answer: %v", got)
	}
}

// withoutData removes the data files below dir: what a statement answers then
// comes from the log.
func withoutData(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		return os.Remove(path)
	})
	if err != nil {
		t.Fatal(err)
	}
}
