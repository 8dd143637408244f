package query_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/objstore"
)

func rowEngine(t testing.TB) *query.RowEngine {
	t.Helper()
	pool, err := duck.Open(duck.Config{Memory: 512 << 20, Instances: 1, Threads: 2, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return &query.RowEngine{Pool: pool}
}

var stock = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "shelf", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "n", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
}, nil)

// items makes rows (id, shelf, n) of texts like "1 a 10".
func items(texts ...string) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, stock)
	defer b.Release()
	for _, x := range texts {
		var id int64
		var shelf string
		var n int32
		if _, err := fmt.Sscan(x, &id, &shelf, &n); err != nil {
			panic(err)
		}
		b.Field(0).(*array.Int64Builder).Append(id)
		b.Field(1).(*array.StringBuilder).Append(shelf)
		b.Field(2).(*array.Int32Builder).Append(n)
	}
	return b.NewRecordBatch()
}

// rowTexts are rows as texts, ordered; without the feed's versions and times.
func rowTexts(t testing.TB, seq func(func(arrow.RecordBatch, error) bool)) []string {
	t.Helper()
	var out []string
	for rec, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			var cells []string
			for c, col := range rec.Columns() {
				if n := rec.ColumnName(c); n != delta.CommitTimestamp && n != delta.CommitVersion {
					cells = append(cells, col.ValueStr(i))
				}
			}
			out = append(out, strings.Join(cells, " "))
		}
		rec.Release()
	}
	slices.Sort(out)
	return out
}

// kinds are tables that keep changed rows in different ways.
var kinds = map[string][]delta.Option{
	"copies":      nil,
	"partitioned": {delta.WithPartitionBy("shelf"), delta.WithProperties(map[string]string{"delta.enableChangeDataFeed": "true"})},
	"vectors": {delta.WithProperties(map[string]string{
		"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true", "delta.enableRowTracking": "true",
	})},
	"mapped": {delta.WithProperties(map[string]string{"delta.columnMapping.mode": "name", "delta.enableDeletionVectors": "true"})},
}

func stocked(t testing.TB, e delta.RowEngine, opts ...delta.Option) *delta.Table {
	t.Helper()
	ctx := context.Background()
	tab, err := delta.Create(ctx, objstore.Memory(), "t", stock, append(slices.Clone(opts), delta.WithRowEngine(e))...)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range []arrow.RecordBatch{items("1 a 10", "2 a 20", "3 b 30"), items("4 b 40", "5 c 50")} {
		if _, err := tab.Append(ctx, delta.Batches(rec)); err != nil {
			t.Fatal(err)
		}
	}
	return tab
}

func content(t testing.TB, tab *delta.Table) []string {
	t.Helper()
	s, err := tab.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return rowTexts(t, s.Read(context.Background(), nil))
}

func TestRowsAreChangedThroughTheEngine(t *testing.T) {
	ctx := context.Background()
	e := rowEngine(t)
	for name, opts := range kinds {
		t.Run(name, func(t *testing.T) {
			tab := stocked(t, e, opts...)
			expect := func(what string, r delta.ChangeResult, err error, n delta.RowCounts, want ...string) {
				t.Helper()
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				r.Copied = 0
				if d := cmp.Diff(n, r.RowCounts); d != "" {
					t.Errorf("%s: %s", what, d)
				}
				if d := cmp.Diff(want, content(t, tab)); d != "" {
					t.Errorf("%s: %s", what, d)
				}
			}
			r, err := tab.Delete(ctx, "n > 15 AND shelf = 'a' -- the second")
			expect("delete", r, err, delta.RowCounts{Deleted: 1}, "1 a 10", "3 b 30", "4 b 40", "5 c 50")
			vectors := 0
			first, err := tab.Snapshot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for a := range first.All() {
				if a.DeletionVector != nil {
					vectors++
				}
			}
			if want := map[bool]int{true: 1}[first.WritesVectors()]; vectors != want {
				t.Errorf("%d files with vectors", vectors)
			}
			r, err = tab.Delete(ctx, "n > 1000")
			if err != nil || r.Version != -1 {
				t.Errorf("nothing to delete: %+v, %v", r, err)
			}
			r, err = tab.Update(ctx, map[string]string{"N": "n + 1", "shelf": "upper(shelf)"}, "id IN (3, 5)")
			expect("update", r, err, delta.RowCounts{Updated: 2}, "1 a 10", "3 B 31", "4 b 40", "5 C 51")
			src := items("1 z 0", "4 y 44", "6 x 66", "7 w 77")
			defer src.Release()
			r, err = tab.Merge(ctx, delta.SourceOf(stock, src), "target.id = source.id",
				delta.WhenMatchedDelete("source.n = 0"),
				delta.WhenMatchedUpdate("", map[string]string{"n": "source.n + target.n"}),
				delta.WhenNotMatchedInsertAll("source.id < 7"),
				delta.WhenNotMatchedBySourceUpdate("target.id = 3", map[string]string{"shelf": "'q'"}),
				delta.WhenNotMatchedBySourceDelete("target.id = 5"))
			expect("merge", r, err, delta.RowCounts{Inserted: 1, Updated: 2, Deleted: 2}, "3 q 31", "4 b 84", "6 x 66")
			s, err := tab.Snapshot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if s.Metadata().Configuration["delta.enableChangeDataFeed"] == "true" {
				got := rowTexts(t, tab.ReadChanges(ctx, s.Version(), s.Version()))
				if d := cmp.Diff([]string{
					"1 a 10 delete", "3 B 31 update_preimage", "3 q 31 update_postimage", "4 b 40 update_preimage",
					"4 b 84 update_postimage", "5 C 51 delete", "6 x 66 insert",
				}, got); d != "" {
					t.Errorf("feed: %s", d)
				}
			}
			repl := items("9 b 1")
			defer repl.Release()
			r, err = tab.ReplaceWhere(ctx, "shelf = 'b'", delta.Batches(repl))
			expect("replace", r, err, delta.RowCounts{Inserted: 1, Deleted: 1}, "3 q 31", "6 x 66", "9 b 1")
			wrong := items("9 b 1", "10 c 1")
			defer wrong.Release()
			if _, err = tab.ReplaceWhere(ctx, "shelf = 'b'", delta.Batches(wrong)); !errors.Is(err, delta.ErrConstraint) {
				t.Errorf("a row outside of what is replaced: %v", err)
			}
			r, err = tab.Delete(ctx, "")
			expect("delete all", r, err, delta.RowCounts{Deleted: 3})
		})
	}
}

func TestRowsThatTheEngineChangesKeepTheirIDs(t *testing.T) {
	ctx := context.Background()
	e := rowEngine(t)
	for _, vectors := range []string{"false", "true"} {
		props := map[string]string{"delta.enableRowTracking": "true", "delta.enableDeletionVectors": vectors}
		tab := stocked(t, e, delta.WithProperties(props))
		if _, err := tab.Update(ctx, map[string]string{"n": "n + 1"}, "id IN (2, 5)"); err != nil {
			t.Fatal(err)
		}
		src := items("3 m 33", "5 m 55", "9 m 99")
		defer src.Release()
		if _, err := tab.Merge(ctx, delta.SourceOf(stock, src), "target.id = source.id", delta.WhenMatchedUpdateAll("source.id = 3"),
			delta.WhenMatchedDelete(""), delta.WhenNotMatchedInsertAll(""), delta.WhenNotMatchedBySourceUpdate("target.id = 1", map[string]string{"n": "0"})); err != nil {
			t.Fatal(err)
		}
		if _, err := tab.Optimize(ctx, delta.OptimizeOptions{}); err != nil {
			t.Fatal(err)
		}
		s, err := tab.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got := rowTexts(t, s.Read(ctx, []string{"id", "n", delta.RowID, delta.RowCommitVersion}))
		want := []string{"1 0 0 4", "2 21 1 3", "3 33 2 4", "4 40 3 2", "9 99 "}
		for i, row := range got {
			if strings.HasPrefix(row, "9 99 ") && strings.HasSuffix(row, " 4") {
				got[i] = "9 99 "
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("vectors %s: %s", vectors, d)
		}
	}
}

func TestAMergeThatIsNotClearIsRefused(t *testing.T) {
	ctx := context.Background()
	tab := stocked(t, rowEngine(t))
	src := items("1 z 0", "1 y 1", "8 x 8")
	defer src.Release()
	before := content(t, tab)
	for what, opts := range map[string][]delta.MergeOption{
		"two updates":         {delta.WhenMatchedUpdateAll("")},
		"a delete, an update": {delta.WhenMatchedDelete("source.n = 0"), delta.WhenMatchedUpdateAll("")},
	} {
		_, err := tab.Merge(ctx, delta.SourceOf(stock, src), "target.id = source.id", opts...)
		if !errors.Is(err, delta.ErrAmbiguousMerge) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, opts := range map[string][]delta.MergeOption{
		"unknown column":    {delta.WhenMatchedUpdate("", map[string]string{"weight": "1"})},
		"unknown condition": {delta.WhenMatchedDelete("source.weight = 0")},
		"no clause":         nil,
	} {
		if _, err := tab.Merge(ctx, delta.SourceOf(stock, src), "target.id = source.id", opts...); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
	if d := cmp.Diff(before, content(t, tab)); d != "" {
		t.Error(d)
	}
	r, err := tab.Merge(ctx, delta.SourceOf(stock, src), "target.id = source.id", delta.WhenMatchedDelete(""))
	if err != nil || r.Deleted != 1 {
		t.Errorf("a row deleted twice: %+v, %v", r, err)
	}
}

func TestAMergeBringsColumns(t *testing.T) {
	ctx := context.Background()
	e := rowEngine(t)
	for name, opts := range kinds {
		t.Run(name, func(t *testing.T) {
			tab := stocked(t, e, opts...)
			wider := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "note", Type: arrow.BinaryTypes.String}}, nil)
			b := array.NewRecordBuilder(memory.DefaultAllocator, wider)
			defer b.Release()
			b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 6}, nil)
			b.Field(1).(*array.StringBuilder).AppendValues([]string{"old", "new"}, nil)
			src := b.NewRecordBatch()
			defer src.Release()
			_, err := tab.Merge(ctx, delta.SourceOf(wider, src), "t.id = s.id", delta.WithAliases("t", "s"), delta.WithSchemaEvolution(),
				delta.WhenMatchedUpdateAll(""), delta.WhenNotMatchedInsertAll(""))
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"1 a 10 old", "2 a 20 (null)", "3 b 30 (null)", "4 b 40 (null)", "5 c 50 (null)", "6 (null) (null) new"}
			if d := cmp.Diff(want, content(t, tab)); d != "" {
				t.Error(d)
			}
		})
	}
}

func ruled() *arrow.Schema {
	meta := func(kv ...string) arrow.Metadata { return arrow.MetadataFrom(map[string]string{kv[0]: kv[1]}) }
	return arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "shelf", Type: arrow.BinaryTypes.String, Nullable: true, Metadata: meta("CURRENT_DEFAULT", "'none'")},
		{Name: "n", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "twice", Type: arrow.PrimitiveTypes.Int64, Nullable: true, Metadata: meta("delta.generationExpression", "n * 2")},
	}, nil)
}

func TestTheEngineKeepsATablesRules(t *testing.T) {
	ctx := context.Background()
	props := delta.WithProperties(map[string]string{"delta.constraints.few": "n < 100", "delta.feature.allowColumnDefaults": "supported"})
	tab, err := delta.Create(ctx, objstore.Memory(), "", ruled(), props, delta.WithRowEngine(rowEngine(t)))
	if err != nil {
		t.Fatal(err)
	}
	part := func(rec arrow.RecordBatch, names ...string) arrow.RecordBatch {
		defer rec.Release()
		var fields []arrow.Field
		var cols []arrow.Array
		for _, n := range names {
			i := rec.Schema().FieldIndices(n)[0]
			fields, cols = append(fields, rec.Schema().Field(i)), append(cols, rec.Column(i))
		}
		return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows())
	}
	for _, rec := range []arrow.RecordBatch{items("1 a 10", "2 b 20"), part(items("3 x 30"), "id", "n")} {
		if _, err := tab.Append(ctx, delta.Batches(rec)); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"1 a 10 20", "2 b 20 40", "3 none 30 60"}, content(t, tab)); d != "" {
		t.Error(d)
	}
	for _, bad := range []arrow.RecordBatch{items("4 a 100"), part(items("5 a 1"), "id", "shelf")} {
		if _, err := tab.Append(ctx, delta.Batches(bad)); !errors.Is(err, delta.ErrConstraint) || !strings.Contains(err.Error(), "few") {
			t.Errorf("%v", err)
		}
	}
	if _, err := tab.Update(ctx, map[string]string{"n": "n + 1"}, "id = 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := tab.Update(ctx, map[string]string{"n": "n * 10"}, ""); !errors.Is(err, delta.ErrConstraint) {
		t.Errorf("%v", err)
	}
	if _, err := tab.Update(ctx, map[string]string{"twice": "1"}, ""); !errors.Is(err, delta.ErrSchemaMismatch) {
		t.Errorf("%v", err)
	}
	src := items("2 m 21", "7 l 7")
	defer src.Release()
	_, err = tab.Merge(ctx, delta.SourceOf(stock, src), "target.id = source.id", delta.WhenMatchedUpdateAll(""),
		delta.WhenNotMatchedInsert("", map[string]string{"id": "source.id", "n": "source.n"}))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"1 a 11 22", "2 m 21 42", "3 none 30 60", "7 none 7 14"}, content(t, tab)); d != "" {
		t.Error(d)
	}
}

func TestBadExpressionsAreErrorsThatLeaveNothing(t *testing.T) {
	ctx := context.Background()
	tab := stocked(t, rowEngine(t))
	before := content(t, tab)
	for _, where := range []string{"weight > 1", "n >", "n", "1 / 0 > n", "id IN (SELECT id FROM elsewhere)"} {
		if _, err := tab.Delete(ctx, where); err == nil {
			t.Errorf("%s is accepted", where)
		}
		if _, err := tab.Update(ctx, map[string]string{"n": "1"}, where); err == nil {
			t.Errorf("%s is accepted", where)
		}
	}
	if _, err := tab.Update(ctx, map[string]string{"n": "CAST(n AS BIGINT) * 1000000000"}, ""); err == nil {
		t.Error("a number too large is accepted")
	}
	if d := cmp.Diff(before, content(t, tab)); d != "" {
		t.Error(d)
	}
}
