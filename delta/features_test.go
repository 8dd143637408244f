package delta_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// ids are the values of column id of a snapshot, in order.
func ids(t *testing.T, s *delta.Snapshot, preds ...delta.Predicate) []int64 {
	t.Helper()
	var out []int64
	for rec, err := range s.Read(context.Background(), []string{"id"}, preds...) {
		check(t, err)
		out = append(out, rec.Column(0).(*array.Int64).Int64Values()...)
		rec.Release()
	}
	slices.Sort(out)
	return out
}

func deleteRows(t *testing.T, tab *delta.Table, positions ...uint64) []delta.Add {
	t.Helper()
	ctx := context.Background()
	s := snap(t, tab)
	var rows []delta.FileRows
	for a := range s.All() {
		set := &delta.RowSet{}
		set.AddMany(positions)
		rows = append(rows, delta.FileRows{Add: a, Rows: set})
	}
	adds, removes, err := s.DeleteRows(ctx, rows)
	check(t, err)
	must[delta.CommitResult](t)(tab.Commit(ctx, delta.Commit{Adds: adds, Removes: removes, Operation: "DELETE", DataChange: true, ReadVersion: s.Version()}))
	return adds
}

func TestRowsAreDeletedByVectors(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	now := time.Now()
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "t", plain, delta.WithClock(func() time.Time { return now }), delta.WithProperties(map[string]string{
		"delta.enableDeletionVectors": "true", "delta.deletedFileRetentionDuration": "interval 1 hours",
	})))
	appendRows(t, tab, 0, 10)
	first := deleteRows(t, tab, 0, 3, 9)
	second := deleteRows(t, tab, 3, 4)
	want := []int64{1, 2, 5, 6, 7, 8}
	look := func(when string) {
		t.Helper()
		fresh := must[*delta.Table](t)(delta.Open(ctx, store, "t"))
		s := snap(t, fresh)
		if n, ok := s.Rows(); n != 6 || !ok {
			t.Errorf("%s: %d rows, %v", when, n, ok)
		}
		if d := cmp.Diff(want, ids(t, s)); d != "" {
			t.Errorf("%s: %s", when, d)
		}
	}
	look("deleted")
	must[int64](t)(tab.Checkpoint(ctx))
	look("from a checkpoint")
	if s := must[*delta.Snapshot](t)(tab.SnapshotAt(ctx, 2)); len(ids(t, s)) != 7 {
		t.Errorf("version 2 has %v", ids(t, s))
	}
	// Vacuum takes the first vector's file, which no version within the
	// retention names, and leaves the second's.
	now = now.Add(2 * time.Hour)
	must[delta.VacuumResult](t)(tab.Vacuum(ctx, delta.VacuumOptions{}))
	vectors := 0
	for o, err := range store.List(ctx, "t/", "") {
		check(t, err)
		if strings.HasSuffix(o.Key, ".bin") {
			vectors++
		}
	}
	if vectors != 1 || first[0].DeletionVector.PathOrInlineDv == second[0].DeletionVector.PathOrInlineDv {
		t.Errorf("%d files of vectors are left", vectors)
	}
	look("vacuumed")
	appendRows(t, tab, 100, 10)
	must[delta.CompactResult](t)(tab.Compact(ctx, delta.CompactOptions{MinFiles: 2}))
	if got := ids(t, snap(t, tab)); !slices.Equal(got, append(slices.Clone(want), 100, 101, 102, 103, 104, 105, 106, 107, 108, 109)) {
		t.Errorf("compacted: %v", got)
	}
	for a := range snap(t, tab).All() {
		if a.DeletionVector != nil {
			t.Error("a merged file has a deletion vector")
		}
	}
	deleteRows(t, tab, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
	if s := snap(t, tab); s.NumFiles() != 0 {
		t.Errorf("%d files without rows are left", s.NumFiles())
	}
}

func TestABrokenVectorNamesItsFile(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "", plain, delta.WithProperties(map[string]string{"delta.enableDeletionVectors": "true"})))
	appendRows(t, tab, 0, 10)
	deleteRows(t, tab, 1)
	for o, err := range store.List(ctx, "", "") {
		check(t, err)
		if !strings.HasSuffix(o.Key, ".bin") {
			continue
		}
		data := must[[]byte](t)(objstore.ReadAll(ctx, store, o.Key))
		data[len(data)-1] ^= 1
		must[objstore.Info](t)(store.Put(ctx, o.Key, bytes.NewReader(data), objstore.PutOptions{}))
		for _, err := range snap(t, tab).Read(ctx, nil) {
			if err == nil || !strings.Contains(err.Error(), o.Key) || !strings.Contains(err.Error(), "checksum") {
				t.Errorf("%v", err)
			}
		}
	}
}

func TestMappedColumns(t *testing.T) {
	for _, mode := range []string{"name", "id"} {
		t.Run(mode, func(t *testing.T) {
			ctx := context.Background()
			store := objstore.Memory()
			sc := arrow.NewSchema([]arrow.Field{
				{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
				{Name: "part of it", Type: arrow.BinaryTypes.String, Nullable: true},
				{Name: "a,b", Type: arrow.StructOf(arrow.Field{Name: "x y", Type: arrow.ListOf(arrow.StructOf(
					arrow.Field{Name: "z", Type: arrow.PrimitiveTypes.Int32, Nullable: true})), Nullable: true}), Nullable: true},
			}, nil)
			tab := must[*delta.Table](t)(delta.Create(ctx, store, "", sc, delta.WithPartitionBy("part of it"),
				delta.WithProperties(map[string]string{"delta.columnMapping.mode": mode})))
			b := array.NewRecordBuilder(memory.DefaultAllocator, sc)
			defer b.Release()
			for i := range 4 {
				b.Field(0).(*array.Int64Builder).Append(int64(i))
				b.Field(1).(*array.StringBuilder).Append(fmt.Sprint("p", i%2))
				st := b.Field(2).(*array.StructBuilder)
				if i == 3 {
					st.AppendNull()
					continue
				}
				st.Append(true)
				l := st.FieldBuilder(0).(*array.ListBuilder)
				l.Append(true)
				l.ValueBuilder().(*array.StructBuilder).Append(true)
				l.ValueBuilder().(*array.StructBuilder).FieldBuilder(0).(*array.Int32Builder).Append(int32(10 * i))
			}
			rec := b.NewRecordBatch()
			defer rec.Release()
			must[int64](t)(tab.Append(ctx, delta.Batches(rec)))
			s := snap(t, tab)
			for _, f := range s.FileSchema().Fields() {
				if !strings.HasPrefix(f.Name, "col-") {
					t.Errorf("a file's column is called %s", f.Name)
				}
			}
			files, st, err := s.Files(delta.Predicate{Column: "part of it", Op: delta.Eq, Value: "p1"}, delta.Predicate{Column: "id", Op: delta.Gt, Value: 1})
			check(t, err)
			if len(files) != 1 || st.ByPartition != 1 || s.Partition(files[0])["part of it"] != "p1" {
				t.Errorf("%d files, %+v", len(files), st)
			}
			if files, _, err := s.Files(delta.Predicate{Column: "id", Op: delta.Gt, Value: 3}); err != nil || len(files) != 0 {
				t.Errorf("%d files may have an id above 3, %v", len(files), err)
			}
			var got []string
			for r, err := range s.Read(ctx, nil) {
				check(t, err)
				for i := range int(r.NumRows()) {
					got = append(got, r.Column(0).ValueStr(i)+" "+r.Column(1).ValueStr(i)+" "+r.Column(2).ValueStr(i))
				}
				r.Release()
			}
			slices.Sort(got)
			want := []string{`0 p0 {"x y":[{"z":0}]}`, `1 p1 {"x y":[{"z":10}]}`, `2 p0 {"x y":[{"z":20}]}`, `3 p1 (null)`}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// changed are the changes of versions as "id type version", in order.
func changed(t *testing.T, tab *delta.Table, from, to int64) []string {
	t.Helper()
	var out []string
	for rec, err := range tab.ReadChanges(context.Background(), from, to) {
		check(t, err)
		for i := range int(rec.NumRows()) {
			out = append(out, fmt.Sprint(rec.Column(0).ValueStr(i), " ", rec.Column(3).ValueStr(i), " ", rec.Column(4).ValueStr(i)))
		}
		rec.Release()
	}
	slices.Sort(out)
	return out
}

func TestTheChangeFeed(t *testing.T) {
	ctx := context.Background()
	tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", plain, delta.WithProperties(map[string]string{
		"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true",
	})))
	appendRows(t, tab, 0, 3)
	deleteRows(t, tab, 1)
	must[int64](t)(tab.Overwrite(ctx, delta.Batches(rows(7, 1))))
	// An update that tells of itself: the feed takes its word and not the files'.
	w := must[*delta.Writer](t)(tab.NewWriter(ctx, delta.WriterOptions{ChangeData: true}))
	before := rows(7, 1)
	defer before.Release()
	feed := arrow.NewSchema(append(plain.Fields(), arrow.Field{Name: delta.ChangeType, Type: arrow.BinaryTypes.String, Nullable: true}), nil)
	for _, kind := range []string{"update_preimage", "update_postimage"} {
		b := array.NewStringBuilder(memory.DefaultAllocator)
		defer b.Release()
		b.Append(kind)
		col := b.NewArray()
		defer col.Release()
		rec := array.NewRecordBatch(feed, append(before.Columns(), col), 1)
		defer rec.Release()
		check(t, w.Write(rec))
	}
	var c delta.Commit
	for _, a := range must[[]delta.Add](t)(w.Close()) {
		if !strings.HasPrefix(a.Path, "_change_data/") {
			t.Errorf("change data in %s", a.Path)
		}
		c.Changes = append(c.Changes, delta.ChangeOf(a))
	}
	s := snap(t, tab)
	for a := range s.All() {
		c.Removes = append(c.Removes, a.Remove(1, true))
	}
	c.DataChange, c.Operation, c.ReadVersion = true, "UPDATE", s.Version()
	must[delta.CommitResult](t)(tab.Commit(ctx, c))
	want := []string{
		"0 delete 3", "0 insert 1", "1 delete 2", "1 insert 1", "2 delete 3", "2 insert 1",
		"7 insert 3", "7 update_postimage 4", "7 update_preimage 4",
	}
	if d := cmp.Diff(want, changed(t, tab, 1, 99)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"1 delete 2"}, changed(t, tab, 2, 2)); d != "" {
		t.Error(d)
	}
	for _, c := range []struct {
		from, to int64
		want     error
	}{{5, 9, delta.ErrVersionNotFound}, {2, 1, delta.ErrVersionNotFound}} {
		if _, _, err := tab.ChangeFiles(ctx, c.from, c.to); !errors.Is(err, c.want) {
			t.Errorf("%d to %d: %v", c.from, c.to, err)
		}
	}
	must[delta.CommitResult](t)(tab.Commit(ctx, delta.Commit{ReadVersion: -1, Properties: map[string]string{"delta.enableChangeDataFeed": "false"}}))
	if _, _, err := tab.ChangeFiles(ctx, 4, 9); !errors.Is(err, delta.ErrNoChangeData) {
		t.Error(err)
	}
}
