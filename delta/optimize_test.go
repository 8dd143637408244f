package delta_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

var gridSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "at", Type: arrow.StructOf(arrow.Field{Name: "y", Type: arrow.BinaryTypes.String, Nullable: true}), Nullable: true},
	{Name: "pad", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

// grid makes n rows of points that are scattered over 1000 times 1000.
func grid(seed uint64, first, n int) arrow.RecordBatch {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := array.NewRecordBuilder(memory.DefaultAllocator, gridSchema)
	defer b.Release()
	for i := first; i < first+n; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		at := b.Field(2).(*array.StructBuilder)
		if i%101 == 7 {
			b.Field(1).(*array.Int32Builder).AppendNull()
			at.AppendNull()
		} else {
			b.Field(1).(*array.Int32Builder).Append(rng.Int32N(1000))
			at.Append(true)
			at.FieldBuilder(0).(*array.StringBuilder).Append(fmt.Sprintf("y%03d", rng.IntN(1000)))
		}
		b.Field(3).(*array.StringBuilder).Append(strings.Repeat(fmt.Sprint(rng.Uint64()), 3))
	}
	return b.NewRecordBatch()
}

func upToInt(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(i)
	}
	return out
}

// hits tells how many files hold rows of a small square.
func hits(t testing.TB, s *delta.Snapshot) int {
	t.Helper()
	files, _, err := s.Files(
		delta.Predicate{Column: "x", Op: delta.GtEq, Value: 500}, delta.Predicate{Column: "x", Op: delta.Lt, Value: 550},
		delta.Predicate{Column: "at.y", Op: delta.GtEq, Value: "y500"}, delta.Predicate{Column: "at.y", Op: delta.Lt, Value: "y550"})
	check(t, err)
	return len(files)
}

func TestOptimizeOrdersRowsInMemoryAndOnDisk(t *testing.T) {
	for _, mapped := range []bool{false, true} {
		for _, memory := range []int64{0, 800 << 10, 100 << 10} {
			t.Run(fmt.Sprintf("mapped=%v memory=%d", mapped, memory), func(t *testing.T) {
				ctx := context.Background()
				props := map[string]string{}
				if mapped {
					props["delta.columnMapping.mode"] = "name"
				}
				tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", gridSchema, delta.WithProperties(props)))
				for i := range 4 {
					must[int64](t)(tab.Append(ctx, delta.Batches(grid(uint64(i), 10000*i, 10000))))
				}
				before := snap(t, tab)
				dir := t.TempDir()
				r := must[delta.OptimizeResult](t)(tab.Optimize(ctx, delta.OptimizeOptions{
					ZOrderBy: []string{"x", map[bool]string{false: "at.y", true: "at"}[mapped]}, TargetBytes: 1, MemoryBytes: memory, TempDir: dir,
					Writer: delta.WriterOptions{RowGroupBytes: 8 << 10},
				}))
				s := snap(t, tab)
				if r.Version != s.Version() || len(r.Removed) != 4 || len(r.Added) < 10 || r.Bins != 1 || r.Commits != 1 {
					t.Errorf("version %d, %d files became %d in %d bins", r.Version, len(r.Removed), len(r.Added), r.Bins)
				}
				if d := cmp.Diff(upToInt(40000), ids(t, s)); d != "" {
					t.Fatal(d)
				}
				if hits(t, before) != 4 || hits(t, s) > len(r.Added)/3 {
					t.Errorf("%d of %d files for a small square", hits(t, s), len(r.Added))
				}
				left := must[[]os.DirEntry](t)(os.ReadDir(dir))
				if len(left) > 0 {
					t.Errorf("left in the folder for waiting rows: %v", left)
				}
			})
		}
	}
}

func TestOptimizeOfManyEqualRowsOnDisk(t *testing.T) {
	ctx := context.Background()
	tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", gridSchema))
	same := func(i int) arrow.RecordBatch { // half of the rows are of one point
		a, b := grid(9, 0, 1), grid(uint64(i), 0, 500)
		recs := []arrow.RecordBatch{b}
		for range 500 {
			recs = append(recs, a)
		}
		cols := make([]arrow.Array, a.NumCols())
		for c := range cols {
			var parts []arrow.Array
			for _, r := range recs {
				parts = append(parts, r.Column(c))
			}
			cols[c] = must[arrow.Array](t)(array.Concatenate(parts, memory.DefaultAllocator))
		}
		return array.NewRecordBatch(gridSchema, cols, 1000)
	}
	for i := range 4 {
		must[int64](t)(tab.Append(ctx, delta.Batches(same(i))))
	}
	must[delta.OptimizeResult](t)(tab.Optimize(ctx, delta.OptimizeOptions{ZOrderBy: []string{"x"}, MemoryBytes: 20 << 10}))
	last := int32(-1)
	n := 0
	for rec, err := range snap(t, tab).Read(ctx, []string{"x"}) {
		check(t, err)
		for i := range int(rec.NumRows()) {
			v := int32(-1)
			if rec.Column(0).IsValid(i) {
				v = rec.Column(0).(*array.Int32).Value(i)
			}
			if v < last {
				t.Fatalf("row %d: %d after %d", n, v, last)
			}
			last = v
			n++
		}
		rec.Release()
	}
	if n != 4000 {
		t.Errorf("%d rows", n)
	}
}

func TestOptimizeOfAClusteredTableIsIncremental(t *testing.T) {
	ctx := context.Background()
	tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", gridSchema, delta.WithClusterBy([]string{"x"}, []string{"at", "y"}), delta.WithRowRules()))
	grow := func(i, n int) {
		for k := range n {
			must[int64](t)(tab.Append(ctx, delta.Batches(grid(uint64(i+k), 1000*(i+k), 1000))))
		}
	}
	opt := delta.OptimizeOptions{CubeBytes: 1}
	optimize := func() delta.OptimizeResult {
		t.Helper()
		return must[delta.OptimizeResult](t)(tab.Optimize(ctx, opt))
	}
	grow(0, 4)
	first := optimize()
	if len(first.Removed) != 4 || len(first.Added) == 0 {
		t.Fatalf("%d became %d", len(first.Removed), len(first.Added))
	}
	for a := range snap(t, tab).All() {
		if a.ClusteringProvider != "liquid" || a.Tags["ZCUBE_ID"] == "" || a.Tags["ZCUBE_ZORDER_BY"] != `["x","at.y"]` {
			t.Errorf("%s is marked %q, %v", a.Path, a.ClusteringProvider, a.Tags)
		}
	}
	if again := optimize(); again.Version != -1 || again.Cubes.Cubed.Files != len(first.Added) {
		t.Errorf("again: %+v", again)
	}
	grow(4, 2)
	if r := optimize(); len(r.Removed) != 2 || r.Cubes.Other.Files != 2 || r.Cubes.After < 1 {
		t.Errorf("new files: %d removed, %+v", len(r.Removed), r.Cubes)
	}
	opt.CubeBytes = 1 << 30 // now all cubes are small: they are joined once
	if r := optimize(); len(r.Removed) != snapFiles(first)+2 && r.Cubes.Before < 2 {
		t.Errorf("small cubes: %d removed, %+v", len(r.Removed), r.Cubes)
	}
	if r := optimize(); r.Version != -1 {
		t.Errorf("one cube: %+v", r)
	}
	must[delta.CommitResult](t)(tab.Commit(ctx, delta.Commit{ReadVersion: -1, ClusterBy: &[][]string{{"id"}}}))
	if r := optimize(); r.Version != -1 {
		t.Errorf("files of other columns: %+v", r)
	}
	opt.Full = true
	if r := optimize(); len(r.Removed) == 0 || r.Cubes.Merged.Files != len(r.Removed) {
		t.Errorf("full: %+v", r)
	}
	if d := cmp.Diff(upToInt(6000), ids(t, snap(t, tab))); d != "" {
		t.Error(d)
	}
	opt.ZOrderBy = []string{"x"}
	if _, err := tab.Optimize(ctx, opt); !errors.Is(err, delta.ErrUnsupportedFeature) {
		t.Error(err)
	}
}

func snapFiles(r delta.OptimizeResult) int { return len(r.Added) }

func TestOptimizeMergesSmallFilesOfChosenPartitions(t *testing.T) {
	ctx := context.Background()
	tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", plain, delta.WithPartitionBy("name"),
		delta.WithProperties(map[string]string{"delta.targetFileSize": "64mb"})))
	for i := range 3 {
		appendRows(t, tab, 14*i, 14) // two rows of each of seven names
	}
	opt := delta.OptimizeOptions{Where: []delta.Predicate{{Column: "name", Op: delta.In, Value: []any{"name-1", "name-2"}}}, Predicate: "name IN (...)"}
	r := must[delta.OptimizeResult](t)(tab.Optimize(ctx, opt))
	if r.Considered != 6 || len(r.Removed) != 6 || len(r.Added) != 2 || r.Partitions != 2 || r.Bins != 2 {
		t.Errorf("%+v", r)
	}
	opt.Where = nil
	opt.Choose = func(a delta.Add) bool { return a.PartitionValues["name"] != "name-3" }
	opt.BatchBytes = 1
	if r = must[delta.OptimizeResult](t)(tab.Optimize(ctx, opt)); len(r.Removed) != 12 || r.Commits != 4 || r.Version != snap(t, tab).Version() {
		t.Errorf("%+v", r)
	}
	if r = must[delta.OptimizeResult](t)(tab.Optimize(ctx, delta.OptimizeOptions{MinFileBytes: 10})); r.Version != -1 {
		t.Errorf("files that are large enough: %+v", r)
	}
	if d := cmp.Diff(upToInt(42), ids(t, snap(t, tab))); d != "" {
		t.Error(d)
	}
	h := must[[]delta.HistoryEntry](t)(tab.History(ctx, 1))
	if p := h[0].Info.OperationParameters; p["predicate"] != `["name IN (...)"]` || p["auto"] != "false" || h[0].Info.OperationMetrics["numRemovedFiles"] != "3" {
		t.Errorf("%v %v", p, h[0].Info.OperationMetrics)
	}
	for _, bad := range []delta.OptimizeOptions{
		{Where: []delta.Predicate{{Column: "id", Op: delta.Eq, Value: 1}}}, {ZOrderBy: []string{"name"}}, {ZOrderBy: []string{"nope"}},
	} {
		if _, err := tab.Optimize(ctx, bad); !errors.Is(err, delta.ErrSchemaMismatch) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := tab.Optimize(ctx, delta.OptimizeOptions{Full: true}); !errors.Is(err, delta.ErrUnsupportedFeature) {
		t.Error(err)
	}
}

func TestOptimizeLeavesDeletedRowsOut(t *testing.T) {
	ctx := context.Background()
	tab := must[*delta.Table](t)(delta.Create(ctx, objstore.Memory(), "", plain, delta.WithProperties(map[string]string{"delta.enableDeletionVectors": "true"})))
	appendRows(t, tab, 0, 100)
	appendRows(t, tab, 100, 100)
	deleteRows(t, tab, 0, 1) // of each file
	small := delta.OptimizeOptions{MinFileBytes: 1}
	if r := must[delta.OptimizeResult](t)(tab.Optimize(ctx, small)); r.Version != -1 {
		t.Errorf("few deleted rows: %+v", r)
	}
	small.Purge = true
	r := must[delta.OptimizeResult](t)(tab.Optimize(ctx, small))
	if len(r.Removed) != 2 || len(r.Added) != 1 {
		t.Errorf("%+v", r)
	}
	s := snap(t, tab)
	for a := range s.All() {
		if a.DeletionVector != nil {
			t.Errorf("%s has deleted rows", a.Path)
		}
	}
	if n := len(ids(t, s)); n != 196 {
		t.Errorf("%d rows", n)
	}
}

func TestOptimizeSurvivesAPowerCut(t *testing.T) {
	cutTable(t, nil, func(tab *delta.Table) {
		for i := range 4 {
			appendRows(t, tab, 4*i, 4)
		}
	}, func(tab *delta.Table) error {
		_, err := tab.Optimize(context.Background(), delta.OptimizeOptions{ZOrderBy: []string{"name", "value"}, TargetBytes: 1, Writer: delta.WriterOptions{RowGroupBytes: 1}})
		return err
	}, 16)
}
