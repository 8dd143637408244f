package eventlog

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/marisma/marisma/internal/vfs"
)

func benchLog(b *testing.B, cfg Config) *Log {
	b.Helper()
	cfg.FS, cfg.Dir = vfs.NewOS(b.TempDir()), "log"
	l, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	return l
}

// cpu is the process' CPU time so far: what other work on the machine does not blur.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// rates reports records per second and CPU time per record since then.
func rates(b *testing.B, then time.Duration) {
	b.Helper()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rec/s")
	b.ReportMetric(float64(cpu()-then)/float64(b.N), "cpu-ns/rec")
}

func benchRecord(headers int) Record {
	r := Record{Key: []byte("device-0042"), Value: make([]byte, 200), Timestamp: 1_790_000_000_000}
	for i := range r.Value {
		r.Value[i] = byte('a' + i%26)
	}
	for i := range headers {
		r.Headers = append(r.Headers, Header{Key: fmt.Sprintf("iothub-header-%d", i), Value: []byte("\xa1\x08device42")})
	}
	return r
}

// BenchmarkAppend appends 200-byte records one by one without waiting for
// each; the time ends when all are durable.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ goroutines, partitions, headers int }{{1, 1, 0}, {1, 4, 0}, {64, 4, 0}, {64, 4, 8}, {64, 32, 0}} {
		b.Run(fmt.Sprintf("goroutines=%d/partitions=%d/headers=%d", c.goroutines, c.partitions, c.headers), func(b *testing.B) {
			l := benchLog(b, Config{Partitions: c.partitions, RetentionBytes: 4 << 30})
			var failed atomic.Int64
			var acks sync.WaitGroup
			acks.Add(b.N)
			done := func(_ int64, err error) {
				if err != nil {
					failed.Add(1)
				}
				acks.Done()
			}
			b.SetBytes(200)
			b.ReportAllocs()
			b.ResetTimer()
			then := cpu()
			var wg sync.WaitGroup
			for g := range c.goroutines {
				wg.Go(func() {
					recs := []Record{benchRecord(c.headers)}
					for i := g; i < b.N; i += c.goroutines {
						if err := l.Append(b.Context(), g%c.partitions, recs, done); err != nil {
							b.Error(err)
							acks.Done()
						}
					}
				})
			}
			wg.Wait()
			acks.Wait()
			b.StopTimer()
			rates(b, then)
			if failed.Load() > 0 {
				b.Fatal("appends failed")
			}
		})
	}
}

// BenchmarkAppendWait is senders that wait for each acknowledgement.
func BenchmarkAppendWait(b *testing.B) {
	for _, n := range []int{1, 64, 1024} {
		b.Run(fmt.Sprintf("goroutines=%d", n), func(b *testing.B) {
			l := benchLog(b, Config{Partitions: 4})
			b.SetBytes(200)
			b.ReportAllocs()
			b.ResetTimer()
			then := cpu()
			var wg sync.WaitGroup
			for g := range n {
				wg.Go(func() {
					recs := []Record{benchRecord(0)}
					for i := g; i < b.N; i += n {
						if _, err := l.AppendWait(b.Context(), g%4, recs); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			rates(b, then)
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, headers := range []int{0, 8} {
		b.Run(fmt.Sprintf("headers=%d", headers), func(b *testing.B) {
			l := benchLog(b, Config{Partitions: 1})
			const n = 1 << 20
			recs := make([]Record, 1024)
			for i := range recs {
				recs[i] = benchRecord(headers)
			}
			for range n / len(recs) {
				if _, err := l.AppendWait(b.Context(), 0, recs); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(200)
			b.ReportAllocs()
			b.ResetTimer()
			then := cpu()
			for left := b.N; left > 0; {
				err := l.Read(b.Context(), 0, 0, int64(min(left, n)), func(int64, *Record) bool { left--; return true })
				if err != nil {
					b.Fatal(err)
				}
			}
			rates(b, then)
		})
	}
}

// BenchmarkReadBatches is what a Kafka fetch does: whole batches, 1 MB at a time.
func BenchmarkReadBatches(b *testing.B) {
	l := benchLog(b, Config{Partitions: 1, BatchBytes: 64 << 10})
	recs := make([]Record, 256)
	for i := range recs {
		recs[i] = benchRecord(0)
	}
	for range 2048 {
		if _, err := l.AppendWait(b.Context(), 0, recs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	var at, bytes int64
	for range b.N {
		if at >= l.End(0) {
			at = 0
		}
		raw, err := l.ReadBatches(b.Context(), 0, at, 1<<20)
		if err != nil {
			b.Fatal(err)
		}
		bytes += int64(len(raw))
		for len(raw) > 0 {
			h, ok := parseHeader(raw)
			if !ok {
				b.Fatal("no batch")
			}
			at = h.next()
			raw = raw[h.size:]
		}
	}
	b.ReportMetric(float64(bytes)/1e6/b.Elapsed().Seconds(), "MB/s")
}
