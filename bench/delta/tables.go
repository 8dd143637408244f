package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"golang.org/x/sync/errgroup"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// Sizes of the tables beside the large one.
const (
	commits   = 10_000
	smalls    = 10_000
	smallRows = 200
	days      = 20
	dayFiles  = 10
	dayRows   = 50_000 // of each file
	files     = 10     // of the large table
)

// The table is below the folder of this name, the rows that MERGE takes in
// below the other.
const (
	tableRoot  = "t"
	sourceRoot = "source"
)

var errMissing = errors.New("its data is missing")

// table gives the folder of a table, which it makes if need be.
func (b *bench) table(ctx context.Context, name string) (string, error) {
	dir := filepath.Join(b.dir, name)
	if name == "large" {
		dir = fmt.Sprintf("%s-%d", dir, b.rows)
	}
	done := dir + ".done"
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(filepath.Join(dir, tableRoot), 0o750)); err != nil {
		return "", err
	}
	make := map[string]func(context.Context, string) error{
		"adds": b.unpack, "commits": makeCommits, "empty": makeEmpty, "large": b.makeLarge, "small": makeSmall, "days": makeDays,
	}[name]
	if err := make(ctx, dir); err != nil {
		return "", err
	}
	return dir, os.WriteFile(done, nil, 0o600)
}

func (b *bench) unpack(ctx context.Context, dir string) error {
	if _, err := os.Stat(b.archive); err != nil {
		return fmt.Errorf("%w: %s", errMissing, b.archive)
	}
	out, err := exec.CommandContext(ctx, "tar", "-xf", b.archive, "-C", filepath.Join(dir, tableRoot), "--strip-components=1").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

var readings = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "device", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
	{Name: "site", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "metric", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "value", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "load", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "ok", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "note", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

var withDay = arrow.NewSchema(append(readings.Fields(), arrow.Field{Name: "day", Type: arrow.BinaryTypes.String, Nullable: true}), nil)

var metrics = []string{"temperature", "pressure", "humidity", "speed"}

// mix spreads a number over 64 bits.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// batch holds rows of these ids.
func batch(n int, id func(i int) int64, day string) arrow.RecordBatch {
	s := readings
	if day != "" {
		s = withDay
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	b.Reserve(n)
	for i := range n {
		k := id(i)
		h := mix(uint64(k))
		b.Field(0).(*array.Int64Builder).Append(k)
		b.Field(1).(*array.Int32Builder).Append(int32(h % 1000))
		b.Field(2).(*array.TimestampBuilder).Append(arrow.Timestamp(day0.UnixMicro() + k*100_000))
		b.Field(3).(*array.StringBuilder).Append(fmt.Sprintf("site-%02d", h>>10%40))
		b.Field(4).(*array.StringBuilder).Append(metrics[h>>20&3])
		b.Field(5).(*array.Float64Builder).Append(float64(h>>22%100_000) / 1000)
		b.Field(6).(*array.Float64Builder).Append(float64(h >> 11))
		b.Field(7).(*array.BooleanBuilder).Append(h>>40%50 > 0)
		b.Field(8).(*array.StringBuilder).Append(fmt.Sprintf("operator %d batch B%d", h>>41%500, k/1000))
		if day != "" {
			b.Field(9).(*array.StringBuilder).Append(day)
		}
	}
	return b.NewRecordBatch()
}

const batchRows = 50_000

// count yields the rows from one id on.
func count(from, n int) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for at := 0; at < n; at += batchRows {
			rec := batch(min(batchRows, n-at), func(i int) int64 { return int64(from + at + i) }, "")
			ok := yield(rec, nil)
			rec.Release()
			if !ok {
				return
			}
		}
	}
}

// appended are how many rows are appended, and how often.
var appended = map[string]struct{ rows, done int }{
	"append 1k rows": {1_000, 20}, "append 1k rows, both synced": {1_000, 20}, "append 100k rows": {100_000, 5}, "append 1M rows": {1_000_000, 1},
}

// rowsFile has the rows to append, for both sides.
func rowsFile(dir string, rows int) string {
	return filepath.Join(dir, fmt.Sprintf("rows-%d.arrow", rows))
}

// makeEmpty makes a table without rows, and rows to append.
func makeEmpty(ctx context.Context, dir string) error {
	if _, err := delta.Create(ctx, objstore.Local(dir), tableRoot, readings); err != nil {
		return err
	}
	for _, a := range appended {
		if err := writeRows(rowsFile(dir, a.rows), a.rows); err != nil {
			return err
		}
	}
	return nil
}

func writeRows(name string, n int) (err error) {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w, err := ipc.NewFileWriter(out, ipc.WithSchema(readings))
	if err != nil {
		return err
	}
	for rec, err := range count(0, n) {
		if err == nil {
			err = w.Write(rec)
		}
		if err != nil {
			return err
		}
	}
	return w.Close()
}

// makeLarge makes the table that is changed, and a source of one in a hundred
// rows: nine of ten have ids that the table has, all over it.
func (b *bench) makeLarge(ctx context.Context, dir string) error {
	store := objstore.Local(dir)
	t, err := delta.Create(ctx, store, tableRoot, readings)
	if err != nil {
		return err
	}
	for f := range files {
		if _, err := t.Append(ctx, count(b.rows/files*f, b.rows/files)); err != nil {
			return err
		}
	}
	s, err := delta.Create(ctx, store, sourceRoot, readings)
	if err != nil {
		return err
	}
	n := b.rows / 100
	rec := batch(n, func(i int) int64 {
		if i%10 == 0 {
			return int64(b.rows + i)
		}
		return int64(i) * 7_368_787 % int64(b.rows)
	}, "")
	defer rec.Release()
	_, err = s.Append(ctx, delta.Batches(rec))
	return err
}

func makeSmall(ctx context.Context, dir string) error {
	return prepared(ctx, dir, smalls, "", func(f int) (int, string) { return smallRows, "" })
}

func makeDays(ctx context.Context, dir string) error {
	return prepared(ctx, dir, days*dayFiles, "day", func(f int) (int, string) {
		return dayRows, day0.AddDate(0, 0, f/dayFiles).Format(time.DateOnly)
	})
}

// prepared makes a table of many files in one commit.
func prepared(ctx context.Context, dir string, n int, by string, file func(f int) (rows int, day string)) error {
	var opts []delta.Option
	s := readings
	if by != "" {
		s, opts = withDay, append(opts, delta.WithPartitionBy(by))
	}
	t, err := delta.Create(ctx, objstore.Local(dir), tableRoot, s, opts...)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var adds []delta.Add
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for f := range n {
		g.Go(func() error {
			w, err := t.NewWriter(gctx, delta.WriterOptions{})
			if err != nil {
				return err
			}
			rows, day := file(f)
			rec := batch(rows, func(i int) int64 { return int64(f*rows + i) }, day)
			defer rec.Release()
			if err := w.Write(rec); err != nil {
				return errors.Join(err, w.Abort())
			}
			made, err := w.Close()
			mu.Lock()
			defer mu.Unlock()
			adds = append(adds, made...)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	_, err = t.Commit(ctx, delta.Commit{ReadVersion: -1, DataChange: true, Adds: adds})
	return err
}

// makeCommits makes a log whose data files nobody reads, without a checkpoint;
// next.json is a further commit.
func makeCommits(ctx context.Context, dir string) error {
	if _, err := delta.Create(ctx, objstore.Local(dir), tableRoot, readings); err != nil {
		return err
	}
	for v := 1; v <= commits+1; v++ {
		at := day0.UnixMilli() + int64(v)*1000
		line := fmt.Sprintf(`{"commitInfo":{"timestamp":%[1]d,"operation":"WRITE","operationParameters":{"mode":"Append"},"isolationLevel":"Serializable","isBlindAppend":true,"operationMetrics":{"numFiles":"1","numOutputRows":"200","numOutputBytes":"9000"},"engineInfo":"bench","txnId":"%08[2]d-0000-4000-8000-000000000000"}}
{"add":{"path":"part-%08[2]d-1d5d-4c3e-8b1f-2b7f3a4c5d6e-c000.zstd.parquet","partitionValues":{},"size":9000,"modificationTime":%[1]d,"dataChange":true,"stats":"{\"numRecords\":200,\"minValues\":{\"id\":%[3]d,\"device\":0,\"site\":\"site-00\",\"value\":0.5},\"maxValues\":{\"id\":%[4]d,\"device\":999,\"site\":\"site-39\",\"value\":99.5},\"nullCount\":{\"id\":0,\"device\":0,\"site\":0,\"value\":0}}"}}
`, at, v, v*200, v*200+199)
		name := filepath.Join(dir, tableRoot, "_delta_log", fmt.Sprintf("%020d.json", v))
		if v > commits {
			name = filepath.Join(dir, "next.json")
		}
		if err := os.WriteFile(name, []byte(line), 0o600); err != nil {
			return err
		}
	}
	return nil
}
