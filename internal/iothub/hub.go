package iothub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/mqtt"
)

// Domain ends the host name of every IoT Hub.
const Domain = ".azure-devices.net"

// WebSocketPath is where the SDKs look for MQTT over WebSocket.
const WebSocketPath = "/$iothub/websocket"

// MaxMessage is the limit of a device's message in bytes: body, values of all
// properties and names of application properties.
const MaxMessage = 256 << 10

// Log is what the hub needs of the event log.
type Log interface {
	Partitions() int
	// Append hands records over; their memory is the caller's again when it
	// returns. done is called once they are durable or have failed.
	Append(ctx context.Context, partition int, recs []eventlog.Record, done func(base int64, err error)) error
	Problem() string
}

// Config configures a Hub; the zero value of a field is its default.
type Config struct {
	HubName  string    // required; the host name is HubName + Domain
	Hosts    []string  // more names that devices may use for the hub; the first one is in connection strings
	Registry *Registry // required
	Log      Log       // required
	Policies []Policy

	MaxConnections  int           // 10000
	ConnectTimeout  time.Duration // from accept to CONNECT, 10 s
	MaxUnacked      int           // messages per connection that wait for the log, 1024
	MaxUnackedBytes int           // their bytes, 1 MiB
	// HoldTime is how long messages that the log refuses are held without an
	// acknowledgement before the connection is closed, 20 s.
	HoldTime time.Duration

	Logger  *slog.Logger
	Metrics prometheus.Registerer // nil: not registered
}

func (c *Config) validate() error {
	switch {
	case c.HubName == "" || strings.Trim(strings.ToLower(c.HubName), "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return fmt.Errorf("iothub: hub name %q: letters, digits and dashes are expected", c.HubName)
	case c.Registry == nil || c.Log == nil:
		return errors.New("iothub: a hub needs a registry and a log")
	case c.Log.Partitions() < 1:
		return errors.New("iothub: the log has no partitions")
	}
	if c.HoldTime <= 0 {
		c.HoldTime = 20 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Hub is the device front. It is safe for concurrent use.
type Hub struct {
	cfg        Config
	server     *mqtt.Server
	hosts      map[string]bool // lower case
	policies   map[string]Policy
	counts     counts
	complaints complaints
	stalled    atomic.Bool // the log has refused messages and not taken any since

	mu       sync.Mutex
	sessions map[string]*session            // by identity
	kept     map[string][]mqtt.Subscription // of clients with CleanSession=0 that are away
}

// Stats is what the hub has done since it started.
type Stats struct {
	Connected int   // devices
	Accepted  int64 // messages in the log, synced
	Rejected  int64 // messages and connections refused
}

// New makes a hub.
func New(cfg Config) (*Hub, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	h := &Hub{
		cfg: cfg, hosts: map[string]bool{}, policies: map[string]Policy{},
		sessions: map[string]*session{}, kept: map[string][]mqtt.Subscription{},
	}
	h.complaints.log = cfg.Logger
	for _, name := range append([]string{cfg.HubName, cfg.HubName + Domain, "localhost", "127.0.0.1", "::1"}, cfg.Hosts...) {
		h.hosts[strings.ToLower(name)] = true
	}
	for _, p := range cfg.Policies {
		h.policies[p.Name] = p
	}
	if err := h.counts.register(cfg.Metrics, h); err != nil {
		return nil, err
	}
	var err error
	h.server, err = mqtt.NewServer(mqtt.ServerConfig{
		Handler: h, MaxConnections: cfg.MaxConnections, ConnectTimeout: cfg.ConnectTimeout,
		MaxUnacked: cfg.MaxUnacked, MaxUnackedBytes: cfg.MaxUnackedBytes, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	cfg.Registry.watch(h.forget)
	return h, nil
}

// Serve accepts devices from ln, whose business TLS is, until ctx is done; it
// closes ln and returns nil when all its connections have ended.
func (h *Hub) Serve(ctx context.Context, ln net.Listener) error { return h.server.Serve(ctx, ln) }

// WebSocket serves devices at WebSocketPath.
func (h *Hub) WebSocket() http.Handler { return h.server.WebSocket() }

// Close ends all connections, those over WebSocket too, and waits for them.
func (h *Hub) Close() { h.server.Close() }

// Stats is safe to call at any time.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	connected := len(h.sessions)
	h.mu.Unlock()
	return Stats{Connected: connected, Accepted: h.counts.success.Load(), Rejected: h.counts.rejected()}
}

// ErrDropped ends a connection at the hub's wish.
var ErrDropped = errors.New("disconnected by the hub")

// Disconnect closes a device's connection, if it has one.
func (h *Hub) Disconnect(device string) {
	h.mu.Lock()
	s := h.sessions[device]
	h.mu.Unlock()
	if s != nil {
		s.conn.Close(ErrDropped)
	}
}

// forget closes the connection of a device that is gone or disabled and drops
// what is kept of its session.
func (h *Hub) forget(device string) {
	h.mu.Lock()
	delete(h.kept, device)
	if s := h.sessions[device]; s != nil {
		s.clean = true
	}
	h.mu.Unlock()
	h.Disconnect(device)
}

// ConnectionString is what a device's SDK takes to connect to this hub.
func (h *Hub) ConnectionString(d Device) string {
	host := "localhost"
	if len(h.cfg.Hosts) > 0 {
		host = h.cfg.Hosts[0]
	}
	device, module, _ := strings.Cut(d.ID, "/")
	s := "HostName=" + host + ";DeviceId=" + device
	if module != "" {
		s += ";ModuleId=" + module
	}
	return s + ";SharedAccessKey=" + d.PrimaryKey
}
