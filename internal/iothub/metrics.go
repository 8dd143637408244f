package iothub

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// counts is what the hub counts, under IoT Hub's metric names.
type counts struct {
	attempts  atomic.Int64 // d2c.telemetry.ingress.allProtocol
	success   atomic.Int64 // d2c.telemetry.ingress.success, after the sync
	throttled atomic.Int64 // d2c.telemetry.ingress.sendThrottle: waits for a full log
	bytes     atomic.Int64
	dropped   atomic.Int64 // d2c.telemetry.egress.dropped: not stored, not acknowledged
	invalid   atomic.Int64 // d2c.telemetry.egress.invalid: too large
	refusals  atomic.Int64 // CONNECT
	faults    atomic.Int64 // connections closed for what the peer did
	refused   *prometheus.CounterVec
	closed    *prometheus.CounterVec
	latency   prometheus.Histogram
}

func (c *counts) rejected() int64 {
	return c.refusals.Load() + c.faults.Load() + c.dropped.Load() + c.invalid.Load()
}

// register makes the metrics and registers them, if there is a registry.
func (c *counts) register(reg prometheus.Registerer, h *Hub) error {
	c.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "iothub_connections_refused_total", Help: "CONNECT packets that were refused, by reason.",
	}, []string{"reason"})
	c.closed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "iothub_connections_closed_total", Help: "Connections that ended without DISCONNECT, by reason.",
	}, []string{"reason"})
	c.latency = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "iothub_d2c_endpoints_latency_event_hubs_seconds", Help: "Time from the arrival of messages to their sync in the event log.",
		Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10},
	})
	if reg == nil {
		return nil
	}
	all := []prometheus.Collector{c.refused, c.closed, c.latency}
	for _, m := range []struct {
		name, help string
		value      *atomic.Int64
	}{
		{"iothub_d2c_telemetry_ingress_all_protocol_total", "Messages that devices tried to send.", &c.attempts},
		{"iothub_d2c_telemetry_ingress_success_total", "Messages that are durable in the event log.", &c.success},
		{"iothub_d2c_telemetry_ingress_send_throttle_total", "Times that messages waited for an event log that took none.", &c.throttled},
		{"iothub_d2c_telemetry_ingress_bytes_total", "Bytes of the bodies of durable messages.", &c.bytes},
		{"iothub_d2c_telemetry_egress_dropped_total", "Messages that could not be stored and were not acknowledged.", &c.dropped},
		{"iothub_d2c_telemetry_egress_invalid_total", "Messages above the size limit.", &c.invalid},
	} {
		all = append(all, prometheus.NewCounterFunc(prometheus.CounterOpts{Name: m.name, Help: m.help},
			func() float64 { return float64(m.value.Load()) }))
	}
	all = append(all,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "iothub_connected_device_count", Help: "Devices that are connected."},
			func() float64 { return float64(h.Stats().Connected) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "iothub_total_device_count", Help: "Devices and modules of the registry."},
			func() float64 { return float64(h.cfg.Registry.Len()) }),
	)
	for _, m := range all {
		if err := reg.Register(m); err != nil {
			return err
		}
	}
	return nil
}
