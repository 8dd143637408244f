package delta

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/variant"

	"github.com/marisma/marisma/delta/internal/schema"
	"github.com/marisma/marisma/objstore"
)

var scattered = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "p", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
	{Name: "v", Type: schema.Variant, Nullable: true},
}, nil)

// scatter is a batch of n rows from an id on, which fall into partitions in turn;
// texts come as indices, as engines give them.
func scatter(t *testing.T, first, n, partitions int) arrow.RecordBatch {
	t.Helper()
	dict := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	fields := scattered.Fields()
	fields[2].Type = dict
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for id := first; id < first+n; id++ {
		b.Field(0).(*array.Int64Builder).Append(int64(id))
		b.Field(1).(*array.Int32Builder).Append(int32(id % partitions))
		if err := b.Field(2).(*array.BinaryDictionaryBuilder).AppendString(fmt.Sprint("s", id%7)); err != nil {
			t.Fatal(err)
		}
		l := b.Field(3).(*array.ListBuilder)
		l.Append(true)
		l.ValueBuilder().(*array.Int32Builder).Append(int32(id))
		v, err := variant.ParseJSON(strconv.Itoa(id), false)
		if err != nil {
			t.Fatal(err)
		}
		b.Field(4).(*extensions.VariantBuilder).Append(v)
	}
	return b.NewRecordBatch()
}

// Rows of many partitions that come mixed end in one file a partition, in memory
// and by way of the disk, and nothing stays there.
func TestOptimisedWritesMakeAFileAPartition(t *testing.T) {
	for _, c := range []struct {
		partitions, open int
		room             int64
		want             int // files, 0 for more than one a partition
		off              bool
	}{
		{partitions: 5, open: 8, room: 1 << 30, want: 5},
		{partitions: 100, open: 8, room: 1 << 30, want: 100},
		{partitions: 100, open: 8, room: 4 << 10, want: 100},
		{partitions: 1500, open: 8, room: 4 << 10, want: 1500}, // more than 8 in a pile: spread again
		{partitions: 100, open: 8, off: true},
	} {
		t.Run(fmt.Sprint(c.partitions, c.room, c.off), func(t *testing.T) {
			tab, err := Create(t.Context(), objstore.Memory(), "t", scattered, WithPartitionBy("p"), WithProperties(map[string]string{optimizeWriteKey: "true"}))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			o := WriterOptions{MaxOpen: c.open, TempDir: dir}
			if c.off {
				o.OptimizeWrite = new(bool)
			}
			w, err := tab.NewWriter(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if w.gather != nil {
				w.gather.room = c.room
			}
			rows := 3 * c.partitions
			for first := 0; first < rows; first += 50 {
				rec := scatter(t, first, min(50, rows-first), c.partitions)
				err := w.Write(rec)
				rec.Release()
				if err != nil {
					t.Fatal(err)
				}
			}
			adds, err := w.Close()
			if err != nil {
				t.Fatal(err)
			}
			if c.want > 0 && len(adds) != c.want || c.off && len(adds) <= c.partitions {
				t.Errorf("%d files", len(adds))
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%v are left, %v", left, err)
			}
			if _, err := tab.Commit(t.Context(), Commit{Adds: adds, DataChange: true, ReadVersion: -1}); err != nil {
				t.Fatal(err)
			}
			sameScatter(t, tab, rows, c.partitions)
		})
	}
}

func sameScatter(t *testing.T, tab *Table, rows, partitions int) {
	t.Helper()
	s, err := tab.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for rec, err := range s.Read(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			id := rec.Column(0).(*array.Int64).Value(i)
			text := rec.Column(1).ValueStr(i) + rec.Column(2).ValueStr(i) + rec.Column(3).ValueStr(i) + rec.Column(4).ValueStr(i)
			if want := fmt.Sprintf("%ds%d[%d]%d", int(id)%partitions, id%7, id, id); text != want {
				t.Fatalf("row %d: %s", id, text)
			}
			got = append(got, id)
		}
		rec.Release()
	}
	slices.Sort(got)
	if len(got) != rows || got[0] != 0 || got[rows-1] != int64(rows-1) || len(slices.Compact(got)) != rows {
		t.Errorf("%d rows", len(got))
	}
}

// Append and Overwrite follow the property; changes of rows are optimised unless
// it says no.
func TestOptimisedWritesByProperty(t *testing.T) {
	ctx := t.Context()
	for value, want := range map[string][2]bool{"": {false, true}, "TRUE": {true, true}, "false": {false, false}} {
		tab, err := Create(ctx, objstore.Memory(), "t", scattered, WithPartitionBy("p"), WithProperties(map[string]string{optimizeWriteKey: value}))
		if err != nil {
			t.Fatal(err)
		}
		files := func(write func() error) int {
			if err := write(); err != nil {
				t.Fatal(err)
			}
			s, err := tab.Snapshot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return s.NumFiles()
		}
		recs := make([]arrow.RecordBatch, 6)
		for i := range recs {
			recs[i] = scatter(t, 100*i, 100, 100)
		}
		n := files(func() error { _, err := tab.Append(ctx, Batches(recs...)); return err })
		if (n == 100) != want[0] {
			t.Errorf("%q, append: %d files", value, n)
		}
		n = files(func() error { _, err := tab.Overwrite(ctx, Batches(recs...)); return err })
		if (n == 100) != want[0] {
			t.Errorf("%q, overwrite: %d files", value, n)
		}
		sameScatter(t, tab, 600, 100)
		before := n
		n = files(func() error {
			s, err := tab.Snapshot(ctx)
			if err != nil {
				return err
			}
			r, err := s.NewRewrite(context.Background(), RewriteOptions{})
			if err != nil {
				return err
			}
			for _, rec := range recs {
				if err := r.Insert(rec); err != nil {
					return err
				}
			}
			_, _, err = r.Commit(Commit{Operation: "MERGE"})
			return err
		}) - before
		if (n == 100) != want[1] {
			t.Errorf("%q, rewrite: %d files", value, n)
		}
	}
}

// Sizes of files follow the table's properties where files are laid out anew.
func TestSizesOfFilesByProperty(t *testing.T) {
	for _, c := range []struct {
		props                   map[string]string
		write, rewrite, compact int64
	}{
		{nil, writeBytes, writeBytes, writeBytes},
		{map[string]string{targetSizeKey: "16mb"}, 16 << 20, 16 << 20, 16 << 20},
		{map[string]string{targetSizeKey: "1g", tuneSizeKey: "true"}, 1 << 30, 1 << 30, 1 << 30},
		{map[string]string{tuneSizeKey: "true"}, writeBytes, tunedBytes, tunedBytes},
		{map[string]string{tuneSizeKey: "false"}, writeBytes, writeBytes, writeBytes},
	} {
		m := &Metadata{Configuration: c.props}
		if n := fileSize(m, &WriterOptions{}); n != c.write {
			t.Errorf("%v: %d", c.props, n)
		}
		if n := fileSize(m, &WriterOptions{KeepRows: true}); n != c.rewrite {
			t.Errorf("%v, changes of rows: %d", c.props, n)
		}
		if n := fileSize(m, &WriterOptions{TargetFileBytes: 5}); n != 5 {
			t.Errorf("%v, asked for: %d", c.props, n)
		}
		o := CompactOptions{MinFileBytes: 1 << 40}
		if o.defaults(m); o.TargetBytes != c.compact || o.MinFileBytes != c.compact/2 {
			t.Errorf("%v, compaction: %d of %d", c.props, o.MinFileBytes, o.TargetBytes)
		}
	}
}

// Properties of the layout are checked where they are set.
func TestPropertiesOfTheLayoutAreChecked(t *testing.T) {
	for k, v := range map[string]string{targetSizeKey: "large", tuneSizeKey: "yes", optimizeWriteKey: "1"} {
		if _, err := Create(t.Context(), objstore.Memory(), "t", scattered, WithProperties(map[string]string{k: v})); err == nil {
			t.Errorf("%s=%s makes a table", k, v)
		}
		tab, err := Create(t.Context(), objstore.Memory(), "t", scattered)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tab.Commit(t.Context(), Commit{ReadVersion: -1, Properties: map[string]string{k: v}}); err == nil {
			t.Errorf("%s=%s is set", k, v)
		}
	}
}
