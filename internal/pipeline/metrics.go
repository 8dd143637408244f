package pipeline

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/marisma/marisma/internal/pipeline/flow"
	"github.com/marisma/marisma/internal/pipeline/source"
)

// metrics of all pipelines of a process share their names; a pipeline's
// values carry its key.
type metrics struct {
	in, out, dropped, quarantined *prometheus.CounterVec
	failed                        *prometheus.CounterVec
	batches, errors               *prometheus.CounterVec
	duration                      *prometheus.HistogramVec
	phase                         *prometheus.CounterVec
	batch, backlog, lag, version  *prometheus.GaugeVec
	pipeline                      string
}

func newMetrics(reg prometheus.Registerer, key string) (*metrics, error) {
	flow := []string{"pipeline", "flow"}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "marisma", Subsystem: "flow", Name: name, Help: help}, append(slices.Clone(flow), labels...))
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "marisma", Subsystem: "flow", Name: name, Help: help}, flow)
	}
	m := &metrics{
		pipeline:    key,
		in:          counter("input_rows_total", "Rows that batches took in (numInputRows)."),
		out:         counter("output_rows_total", "Rows written to the dataset's table (sink.numOutputRows)."),
		dropped:     counter("dropped_rows_total", "Rows dropped by expectations and not kept."),
		quarantined: counter("quarantined_rows_total", "Rows dropped by expectations into the quarantine table."),
		failed:      counter("expectation_failed_rows_total", "Rows that failed an expectation.", "expectation"),
		batches:     counter("batches_total", "Batches done."),
		errors:      counter("errors_total", "Attempts of a batch that failed."),
		phase:       counter("batch_phase_seconds_total", "Time spent by phase: plan (latestOffset, walCommit), run (addBatch), prepare, commit (commitOffsets).", "phase"),
		batch:       gauge("batch_id", "Last batch done (batchId)."),
		backlog:     gauge("backlog_records", "Records that the source holds beyond the last batch (offsetsBehindLatest)."),
		lag:         gauge("lag_seconds", "Age of the oldest of them."),
		version:     gauge("table_version", "Version of the dataset's table."),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "marisma", Subsystem: "flow", Name: "batch_duration_seconds", Help: "Duration of a batch (triggerExecution).",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}, flow),
	}
	if reg == nil {
		return m, nil
	}
	for _, v := range []*(*prometheus.CounterVec){&m.in, &m.out, &m.dropped, &m.quarantined, &m.failed, &m.batches, &m.errors, &m.phase} {
		if err := register(reg, v); err != nil {
			return nil, err
		}
	}
	for _, v := range []*(*prometheus.GaugeVec){&m.batch, &m.backlog, &m.lag, &m.version} {
		if err := register(reg, v); err != nil {
			return nil, err
		}
	}
	return m, register(reg, &m.duration)
}

// register adds a collector, or takes the one that another pipeline added.
func register[C prometheus.Collector](reg prometheus.Registerer, c *C) error {
	err := reg.Register(*c)
	if already, ok := err.(prometheus.AlreadyRegisteredError); ok { //nolint:errorlint // Register gives it unwrapped
		if old, ok := already.ExistingCollector.(C); ok {
			*c = old
			return nil
		}
	}
	return err
}

// done counts a finished batch.
func (m *metrics) done(name string, r flow.Report) {
	l := []string{m.pipeline, name}
	m.in.WithLabelValues(l...).Add(float64(r.Counts.In))
	m.out.WithLabelValues(l...).Add(float64(r.Counts.Out))
	m.dropped.WithLabelValues(l...).Add(float64(r.Counts.Dropped))
	m.quarantined.WithLabelValues(l...).Add(float64(r.Counts.Quarantined))
	for rule, t := range r.Counts.Expectations {
		m.failed.WithLabelValues(m.pipeline, name, rule).Add(float64(t.Failed))
	}
	m.batches.WithLabelValues(l...).Inc()
	m.batch.WithLabelValues(l...).Set(float64(r.Batch))
	if r.Version >= 0 {
		m.version.WithLabelValues(l...).Set(float64(r.Version))
	}
	m.duration.WithLabelValues(l...).Observe(r.Took.Total.Seconds())
	for phase, d := range map[string]float64{
		"plan": r.Took.Plan.Seconds(), "run": r.Took.Run.Seconds(),
		"prepare": r.Took.Prepare.Seconds(), "commit": r.Took.Commit.Seconds(),
	} {
		m.phase.WithLabelValues(m.pipeline, name, phase).Add(d)
	}
}

func (m *metrics) failure(name string) { m.errors.WithLabelValues(m.pipeline, name).Inc() }

func (m *metrics) behind(name string, b source.Backlog) {
	m.backlog.WithLabelValues(m.pipeline, name).Set(float64(b.Records))
	m.lag.WithLabelValues(m.pipeline, name).Set(b.Seconds)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
