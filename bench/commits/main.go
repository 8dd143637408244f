package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"golang.org/x/sync/errgroup"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/obs"
	"github.com/marisma/marisma/objstore"
)

// What each commit adds.
const rows = 10

func main() {
	commits := flag.Int("commits", 86_400, "commits over all tables")
	tables := flag.Int("tables", 5, "tables")
	retention := flag.Duration("retention", time.Minute, "log retention; a day's commits take minutes here, so that the default of 30 days would keep them all")
	python := flag.String("python", "", "a Python with deltalake that reads the result; none if empty")
	flag.Parse()
	if err := run(context.Background(), *commits, *tables, *retention, *python); err != nil {
		fmt.Fprintln(os.Stderr, "commits:", err)
		os.Exit(1)
	}
}

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "device", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
	{Name: "v", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
}, nil)

func batch(from int64) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range int64(rows) {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("dev-%03d", (from+i)%500))
		b.Field(1).(*array.TimestampBuilder).Append(arrow.Timestamp(1_700_000_000_000_000 + (from+i)*1000))
		b.Field(2).(*array.Float64Builder).Append(float64(from + i))
		b.Field(3).(*array.Int64Builder).Append(from + i)
	}
	return b.NewRecordBatch()
}

func run(ctx context.Context, commits, tables int, retention time.Duration, python string) error {
	dir, err := os.MkdirTemp("", "marisma-commits-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store := objstore.Local(dir)
	props := map[string]string{"delta.logRetentionDuration": fmt.Sprintf("interval %d seconds", int(retention.Seconds()))}
	open := make([]*delta.Table, tables)
	for i := range open {
		if open[i], err = delta.Create(ctx, store, fmt.Sprintf("t%d", i), schema, delta.WithProperties(props)); err != nil {
			return err
		}
	}
	start := time.Now()
	each := commits / tables
	g, gctx := errgroup.WithContext(ctx)
	for i, t := range open {
		g.Go(func() error { return drive(gctx, t, each, func(n int) { report(dir, t, i, n, start) }) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	took := time.Since(start).Seconds()
	fmt.Printf("%d commits on %d tables in %.0f s, %.0f a second\n", each*tables, tables, took, float64(each*tables)/took)
	for i := range open {
		if err := final(ctx, store, dir, i, int64(each)*rows); err != nil {
			return err
		}
	}
	if python == "" {
		return nil
	}
	return foreign(dir, python, tables, int64(each)*rows)
}

// upkeepEvery is how many commits pass between two rounds of upkeep.
const upkeepEvery = 20

// drive commits as fast as it can, with the owner's upkeep in the background.
func drive(ctx context.Context, t *delta.Table, n int, report func(int)) error {
	due := make(chan struct{}, 1)
	done := make(chan error, 1)
	go func() {
		for range due {
			if err := upkeep(ctx, t); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for i := range n {
		rec := batch(int64(i) * rows)
		_, err := t.Append(ctx, delta.Batches(rec))
		rec.Release()
		if err != nil {
			return err
		}
		if i%upkeepEvery == 0 {
			select {
			case due <- struct{}{}:
			default:
			}
		}
		if i%(max(n/4, 1)) == 0 && i > 0 {
			report(i)
		}
	}
	close(due)
	return errors.Join(<-done, upkeep(ctx, t))
}

func upkeep(ctx context.Context, t *delta.Table) error {
	if _, err := t.Compact(ctx, delta.CompactOptions{}); err != nil {
		return err
	}
	_, err := t.Maintain(ctx)
	return err
}

// size counts the files of a folder.
func size(dir string) (files int, bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				files++
				bytes += info.Size()
			}
		}
		return nil
	})
	return files, bytes
}

func report(dir string, t *delta.Table, i, n int, start time.Time) {
	if i != 0 {
		return
	}
	s, err := t.Snapshot(context.Background())
	if err != nil {
		return
	}
	files, bytes := size(filepath.Join(dir, "t0", "_delta_log"))
	fmt.Printf("  after %6d commits a table, %4.0f s: %d live files, log of %d files, %.1f MB, %d MB resident\n",
		n, time.Since(start).Seconds(), s.NumFiles(), files, float64(bytes)/1e6, obs.RSS()>>20)
}

// final opens the table anew, as another process would.
func final(ctx context.Context, store objstore.Store, dir string, i int, want int64) error {
	name := fmt.Sprintf("t%d", i)
	start := time.Now()
	t, err := delta.Open(ctx, store, name)
	if err != nil {
		return err
	}
	s, err := t.Snapshot(ctx)
	if err != nil {
		return err
	}
	took := time.Since(start)
	if n, ok := s.Rows(); !ok || n != want {
		return fmt.Errorf("%s holds %d rows instead of %d", name, n, want)
	}
	files, bytes := size(filepath.Join(dir, name, "_delta_log"))
	fmt.Printf("  %s: version %d, %d rows, %d live files, log of %d files, %.1f MB, cold snapshot %.0f ms\n",
		name, s.Version(), want, s.NumFiles(), files, float64(bytes)/1e6, float64(took.Microseconds())/1000)
	return nil
}

// foreign has delta-rs read the tables.
func foreign(dir, python string, tables int, want int64) error {
	code := `import sys
from deltalake import DeltaTable
for p in sys.argv[2:]:
    t = DeltaTable(p).to_pyarrow_table(columns=["n"])
    n = sorted(t["n"].to_pylist())
    assert n == list(range(int(sys.argv[1]))), (p, len(n))
    print("  deltalake reads", len(n), "rows of", p.rsplit("/", 1)[1], "each once")`
	args := []string{"-c", code, fmt.Sprint(want)}
	for i := range tables {
		args = append(args, filepath.Join(dir, fmt.Sprintf("t%d", i)))
	}
	cmd := exec.Command(python, args...)
	var errs strings.Builder
	cmd.Stdout, cmd.Stderr = os.Stdout, &errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("deltalake: %w: %s", err, errs.String())
	}
	return nil
}
