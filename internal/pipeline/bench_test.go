package pipeline

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/fleet"
)

// BenchmarkHubToSilver carries b.N messages of the plant from the hub's log
// to committed silver rows, over bronze and with eight expectations.
func BenchmarkHubToSilver(b *testing.B) {
	r := newRig(b, b.TempDir())
	proj, err := bundle.Load("../../examples/plant", "", nil)
	if err != nil {
		b.Fatal(err)
	}
	pl := proj.Pipelines[0]
	pl.Continuous = false
	pl.Catalog, pl.Schema = "c", "s"
	for i, f := range pl.Files {
		if f.Path == "src/plant/transform/gold.sql" {
			pl.Files = append(pl.Files[:i:i], pl.Files[i+1:]...)
			break
		}
	}
	ids := []string{"press-01", "oven-01", "pump-01", "chiller-01", "air-01"}
	var machines []*fleet.Machine
	for i, id := range ids {
		machines = append(machines, fleet.NewMachine(id, uint64(i), fleet.Dirt{}, 0))
	}
	at := time.Now().Add(-time.Hour)
	ctx := context.Background()
	const chunk = 2000
	bytes := 0
	for sent := 0; sent < b.N; {
		var recs []eventlog.Record
		for range min(chunk, b.N-sent) {
			m := machines[sent%len(machines)]
			body, _ := m.Message(nil, at.Add(time.Duration(sent)*time.Millisecond))
			bytes += len(body)
			recs = append(recs, eventlog.Record{
				Key: []byte(ids[sent%len(ids)]), Value: body, Timestamp: time.Now().UnixMilli(),
				Headers: []eventlog.Header{
					{Key: "content-type", Value: append([]byte{0xA1, 16}, "application/json"...)},
					{Key: "firmware", Value: append([]byte{0xA1, 5}, "1.2.3"...)},
				},
			})
			sent++
		}
		if _, err := r.log.AppendWait(ctx, sent/chunk%2, recs); err != nil {
			b.Fatal(err)
		}
	}
	p, stop := r.start(pl)
	defer stop()
	cpu := cpuTime()
	b.ResetTimer()
	if err := p.Update(ctx); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	used := cpuTime() - cpu
	if got := r.ask("SELECT count(*) FROM silver_readings"); len(got) != 1 || got[0] == "0" {
		b.Fatalf("silver has %v", got)
	}
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "cpu-ns/row")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/float64(b.N), "B/body")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
