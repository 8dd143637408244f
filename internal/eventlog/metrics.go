package eventlog

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the log's figures; a nil one counts nothing.
type metrics struct {
	reg     prometheus.Registerer
	all     []prometheus.Collector
	records prometheus.Counter
	bytes   prometheus.Counter
	latency prometheus.Histogram
}

// newMetrics registers the log's metrics, or returns nil without a registry.
func newMetrics(reg prometheus.Registerer, l *Log) (*metrics, error) {
	if reg == nil {
		return nil, nil //nolint:nilnil // a nil *metrics is the one that counts nothing
	}
	m := &metrics{
		reg: reg,
		records: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "marisma_eventlog_appended_records_total", Help: "Records committed to the event log.",
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "marisma_eventlog_appended_bytes_total", Help: "Bytes committed to the event log.",
		}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "marisma_eventlog_commit_seconds", Help: "Time of a group commit: write and sync of all dirty partitions.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	segments := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "marisma_eventlog_segments", Help: "Segments held.",
	}, func() float64 {
		n := 0
		for _, p := range l.parts {
			n += len(*p.segs.Load())
		}
		return float64(n)
	})
	stored := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "marisma_eventlog_stored_bytes", Help: "Bytes of committed records held.",
	}, func() float64 { return float64(l.stored.Load()) })
	problem := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "marisma_eventlog_problem", Help: "1 while appends are refused, else 0.",
	}, func() float64 {
		if l.Problem() != "" {
			return 1
		}
		return 0
	})
	for _, c := range []prometheus.Collector{m.records, m.bytes, m.latency, segments, stored, problem} {
		if err := reg.Register(c); err != nil {
			m.unregister()
			return nil, err
		}
		m.all = append(m.all, c)
	}
	return m, nil
}

func (m *metrics) unregister() {
	for _, c := range m.all {
		m.reg.Unregister(c)
	}
}

// appended counts what a partition's commit stored.
func (m *metrics) appended(records, bytes int64) {
	if m != nil {
		m.records.Add(float64(records))
		m.bytes.Add(float64(bytes))
	}
}

// committed notes how long a group commit took.
func (m *metrics) committed(d time.Duration) {
	if m != nil {
		m.latency.Observe(d.Seconds())
	}
}
