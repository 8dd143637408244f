package delta_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

var readingSchema = arrow.NewSchema([]arrow.Field{
	{Name: "device", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "site", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "event_time", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
	{Name: "enqueued", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
	{Name: "temperature", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "pressure", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "state", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "seq", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "partition", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "offset", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "body", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func readings(n int) arrow.RecordBatch {
	r := rand.New(rand.NewPCG(1, 2))
	b := array.NewRecordBuilder(memory.DefaultAllocator, readingSchema)
	defer b.Release()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		t := arrow.Timestamp(now.Add(time.Duration(i) * 731 * time.Microsecond).UnixMicro())
		temp := float64(r.IntN(10000)) / 100
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("press-%02d", r.IntN(50)))
		b.Field(1).(*array.StringBuilder).Append("sevilla")
		b.Field(2).(*array.TimestampBuilder).Append(t)
		b.Field(3).(*array.TimestampBuilder).Append(t + 1000)
		b.Field(4).(*array.Float64Builder).Append(temp)
		b.Field(5).(*array.Float64Builder).Append(float64(r.IntN(100000)) / 1000)
		b.Field(6).(*array.StringBuilder).Append([]string{"run", "idle", "fault"}[r.IntN(3)])
		b.Field(7).(*array.Int64Builder).Append(int64(i))
		b.Field(8).(*array.Int32Builder).Append(int32(r.IntN(4)))
		b.Field(9).(*array.Int64Builder).Append(int64(i / 4))
		b.Field(10).(*array.StringBuilder).Append(fmt.Sprintf(`{"t":%.2f,"seq":%d,"state":"run"}`, temp, i))
	}
	return b.NewRecordBatch()
}

// BenchmarkWriteFile is the write stage alone, on a store without a disk.
func BenchmarkWriteFile(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		for _, codec := range []string{"zstd", "snappy"} {
			b.Run(fmt.Sprintf("rows=%d/%s", n, codec), func(b *testing.B) {
				tab := must[*delta.Table](b)(delta.Create(b.Context(), objstore.Memory(), "", readingSchema))
				rec := readings(n)
				b.ReportAllocs()
				var size int64
				for b.Loop() {
					w := must[*delta.Writer](b)(tab.NewWriter(b.Context(), delta.WriterOptions{Compression: codec}))
					check(b, w.Write(rec))
					adds := must[[]delta.Add](b)(w.Close())
					size = adds[0].Size
				}
				b.ReportMetric(float64(size), "bytes/file")
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func rss() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	return n * int64(os.Getpagesize())
}

// TestManyCommitsStayHealthy commits small files as fast as it can while the
// owner maintains the table: MARISMA_COMMITS says how many, 150 by default.
func TestManyCommitsStayHealthy(t *testing.T) {
	n := 150
	if s := os.Getenv("MARISMA_COMMITS"); s != "" {
		n = must[int](t)(strconv.Atoi(s))
	}
	ctx := context.Background()
	dir := t.TempDir()
	store := objstore.Local(dir)
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "", readingSchema, delta.WithProperties(map[string]string{
		"delta.logRetentionDuration": "interval 1 seconds", "delta.deletedFileRetentionDuration": "interval 10 seconds",
	})))
	rec := readings(100)
	stop, stopped := make(chan struct{}), make(chan error, 1)
	var maxFiles atomic.Int64
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			case <-time.After(50 * time.Millisecond):
			}
			if _, err := tab.Maintain(ctx); err != nil {
				stopped <- err
				return
			}
			if _, err := tab.Compact(ctx, delta.CompactOptions{}); err != nil {
				stopped <- err
				return
			}
		}
	}()
	start := time.Now()
	var first, last time.Duration
	var peak int64
	for i := range n {
		at := time.Now()
		must[int64](t)(tab.Append(ctx, delta.Batches(rec), delta.WithTxn("flow", int64(i))))
		switch d := time.Since(at); {
		case i < n/10:
			first += d
		case i >= n-n/10:
			last += d
		}
		if i%100 == 0 {
			peak = max(peak, rss())
			maxFiles.Store(max(maxFiles.Load(), int64(snap(t, tab).NumFiles())))
		}
	}
	took := time.Since(start)
	close(stop)
	check(t, <-stopped)
	at := time.Now()
	again := must[*delta.Table](t)(delta.Open(ctx, store, ""))
	s := snap(t, again)
	opened := time.Since(at)
	at = time.Now()
	snap(t, again)
	refresh := time.Since(at)
	if rows, _ := s.Rows(); rows != int64(n)*100 {
		t.Errorf("%d rows, want %d", rows, n*100)
	}
	logs := must[[]string](t)(filepath.Glob(filepath.Join(dir, "_delta_log", "*")))
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d commits in %v (%.0f/s; first tenth %v each, last %v): version %d, live files %d (at most %d), log files %d, open %v, refresh %v, RSS peak %d MB",
		n, took.Round(time.Millisecond), float64(n)/took.Seconds(), (first / time.Duration(max(n/10, 1))).Round(time.Microsecond),
		(last / time.Duration(max(n/10, 1))).Round(time.Microsecond), s.Version(), s.NumFiles(), maxFiles.Load(), len(logs), opened, refresh, peak>>20)
	if s.NumFiles() > 400 {
		t.Errorf("%d live files", s.NumFiles())
	}
}

// BenchmarkSnapshot opens the table that MARISMA_BENCH_TABLE names.
func BenchmarkSnapshot(b *testing.B) {
	dir := os.Getenv("MARISMA_BENCH_TABLE")
	if dir == "" {
		b.Skip("MARISMA_BENCH_TABLE names no table")
	}
	for b.Loop() {
		tab := must[*delta.Table](b)(delta.Open(b.Context(), objstore.Local(dir), ""))
		b.ReportMetric(float64(snap(b, tab).NumFiles()), "files")
	}
	b.ReportMetric(float64(rss())/1e6, "MB-RSS")
}
