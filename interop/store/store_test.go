package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/interop/place"
	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/cache"
	"github.com/marisma/marisma/objstore/s3"
)

// open gives a store below the folder name of the container that the variable
// env names by its address.
func open(t *testing.T, env, name string) objstore.Store {
	t.Helper()
	address := os.Getenv(env)
	if address == "" {
		t.Skipf("%s names no container", env)
	}
	address += "/" + name
	if err := place.Make(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	s, err := place.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "writer", Type: arrow.BinaryTypes.String},
	{Name: "n", Type: arrow.PrimitiveTypes.Int64},
	{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func rows(writer, from, count int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := from; i < from+count; i++ {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("w %d/ü", writer%4))
		b.Field(1).(*array.Int64Builder).Append(int64(writer*1_000_000 + i))
		if i%7 == 0 {
			b.Field(2).AppendNull()
		} else {
			b.Field(2).(*array.StringBuilder).Append(strings.Repeat("x", i%100))
		}
	}
	return b.NewRecordBatch()
}

// append writes commits of one writer through a handle of its own.
func appendAll(ctx context.Context, s objstore.Store, writer, commits, each int) error {
	t, err := delta.Open(ctx, s, "")
	if err != nil {
		return err
	}
	for i := range commits {
		if _, err := t.Append(ctx, delta.Batches(rows(writer, i*each, each))); err != nil {
			return fmt.Errorf("writer %d, commit %d: %w", writer, i, err)
		}
	}
	return nil
}

// read counts each row and gives them by n.
func read(t *testing.T, s objstore.Store) (map[int64]int, *delta.Snapshot) {
	t.Helper()
	table, err := delta.Open(t.Context(), s, "")
	if err != nil {
		t.Fatal(err)
	}
	snap, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int64]int{}
	for rec, err := range snap.Read(t.Context(), []string{"n"}) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			seen[rec.Column(0).(*array.Int64).Value(i)]++
		}
		rec.Release()
	}
	return seen, snap
}

func check(t *testing.T, s objstore.Store, writers, commits, each int) {
	t.Helper()
	seen, snap := read(t, s)
	if len(seen) != writers*commits*each || snap.Version() != int64(writers*commits) {
		t.Errorf("%d rows in version %d, want %d in version %d", len(seen), snap.Version(), writers*commits*each, writers*commits)
	}
	for n, times := range seen {
		if times != 1 {
			t.Errorf("row %d is there %d times", n, times)
		}
	}
	version := 0
	for info, err := range s.List(t.Context(), "_delta_log/0", "") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(info.Key, ".json") {
			continue
		}
		if want := fmt.Sprintf("_delta_log/%020d.json", version); info.Key != want {
			t.Fatalf("the log has %s where %s belongs", info.Key, want)
		}
		version++
	}
	if version != writers*commits+1 {
		t.Errorf("%d commits, want %d", version, writers*commits+1)
	}
}

// Sixteen writers append at the same time; the log has each commit once.
func TestTableOnAzure(t *testing.T) {
	const writers, commits, each = 16, 5, 200
	s := open(t, "MARISMA_AZURE_CONTAINER", "t")
	if _, err := delta.Create(t.Context(), s, "", schema, delta.WithPartitionBy("writer")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		wg.Go(func() { errs[w] = appendAll(t.Context(), s, w, commits, each) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	check(t, s, writers, commits, each)

	cached, err := cache.Open(s, t.TempDir(), cache.Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	check(t, cached, writers, commits, each)
	check(t, cached, writers, commits, each)
	if st := cached.Stats(); st.Hits == 0 || st.Bytes > 1<<20 {
		t.Errorf("the cache: %+v", st)
	}
}

// Moto lets two racers win, so that the writers take turns.
func TestTableOnS3(t *testing.T) {
	const writers, commits, each = 4, 5, 200
	s := open(t, "MARISMA_S3_BUCKET", "t")
	if err := s3.Probe(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if _, err := delta.Create(t.Context(), s, "", schema, delta.WithPartitionBy("writer")); err != nil {
		t.Fatal(err)
	}
	for w := range writers {
		if err := appendAll(t.Context(), s, w, commits, each); err != nil {
			t.Fatal(err)
		}
	}
	check(t, s, writers, commits, each)
}
