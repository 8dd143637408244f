package iothub

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/mqtt"
	"github.com/marisma/marisma/internal/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLog keeps what it is given; commit lets done run, at once if auto.
type fakeLog struct {
	mu      sync.Mutex
	recs    []kept
	auto    bool
	waiting []func(int64, error)
	refuse  error // what Append returns
	calls   int
}

type kept struct {
	partition  int
	key, value string
	headers    map[string]string
	ms         int64
}

func (l *fakeLog) Partitions() int { return 4 }
func (l *fakeLog) Problem() string { return "" }

func (l *fakeLog) Append(_ context.Context, p int, recs []eventlog.Record, done func(int64, error)) error {
	l.mu.Lock()
	l.calls++
	if l.refuse != nil {
		defer l.mu.Unlock()
		return l.refuse
	}
	base := int64(len(l.recs))
	for _, r := range recs {
		k := kept{partition: p, key: string(r.Key), value: string(r.Value), headers: map[string]string{}, ms: r.Timestamp}
		for _, h := range r.Headers {
			k.headers[h.Key] = string(h.Value)
		}
		l.recs = append(l.recs, k)
	}
	auto := l.auto
	if !auto {
		l.waiting = append(l.waiting, func(_ int64, err error) { done(base, err) })
	}
	l.mu.Unlock()
	if auto {
		done(base, nil)
	}
	return nil
}

func (l *fakeLog) commit(err error) {
	l.mu.Lock()
	w := l.waiting
	l.waiting = nil
	l.mu.Unlock()
	for _, f := range w {
		f(0, err)
	}
}

func (l *fakeLog) setRefuse(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuse = err
}

func (l *fakeLog) all() []kept {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]kept(nil), l.recs...)
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type fixture struct {
	*Hub
	t    *testing.T
	log  *fakeLog
	addr string
	text *logBuffer
	dev  Device
}

// start serves a hub with the device "press-07" on a loopback listener.
func start(t *testing.T, change func(*Config)) *fixture {
	t.Helper()
	reg, err := OpenRegistry(vfs.NewMem(), "hub")
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, log: &fakeLog{auto: true}, text: &logBuffer{}}
	if f.dev, err = reg.Add(t.Context(), "press-07"); err != nil {
		t.Fatal(err)
	}
	cfg := Config{HubName: "plant", Registry: reg, Log: f.log, HoldTime: time.Second,
		Logger: slog.New(slog.NewTextHandler(f.text, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if change != nil {
		change(&cfg)
	}
	if f.Hub, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- f.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		f.Close()
		if err := reg.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

const hostName = "plant.azure-devices.net"

func token(dev Device) string {
	return auth.SignSAS(hostName+"/devices/"+dev.ID, dev.PrimaryKey, "", time.Now().Add(time.Hour))
}

func (f *fixture) config() mqtt.ClientConfig {
	return mqtt.ClientConfig{Addr: f.addr, ClientID: f.dev.ID, Username: hostName + "/" + f.dev.ID + "/?api-version=2021-04-12", Password: token(f.dev)}
}

func (f *fixture) dial(change func(*mqtt.ClientConfig)) *mqtt.Client {
	f.t.Helper()
	cfg := f.config()
	if change != nil {
		change(&cfg)
	}
	c, err := mqtt.Dial(f.t.Context(), cfg)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { c.Close() })
	return c
}

func (f *fixture) send(c *mqtt.Client, topic, body string) {
	f.t.Helper()
	if err := c.Publish(f.t.Context(), topic, []byte(body)); err != nil {
		f.t.Fatal(err)
	}
	if err := c.Flush(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestTelemetryIsStoredWithPropertiesAndStamps(t *testing.T) {
	f := start(t, nil)
	c := f.dial(nil)
	before := time.Now().UnixMilli()
	f.send(c, "devices/press-07/messages/events/%24.ct=application%2Fjson&firmware=1.2%20b+c&flag", `{"a":1}`)
	recs := f.log.all()
	if len(recs) != 1 {
		t.Fatalf("%d records", len(recs))
	}
	r := recs[0]
	if r.key != "press-07" || r.value != `{"a":1}` || r.partition != PartitionOf("press-07", 4) || r.ms < before {
		t.Errorf("record %+v", r)
	}
	want := map[string]string{
		"content-type":                         "\xa1\x10application/json",
		"firmware":                             "\xa1\x091.2 b+c",
		"flag":                                 "\x40",
		"iothub-connection-device-id":          "\xa1\x08press-07",
		"iothub-connection-auth-method":        "\xa1" + string(rune(len(methodDevice))) + methodDevice,
		"iothub-connection-auth-generation-id": "\xa1\x24" + f.dev.GenerationID,
		"iothub-message-source":                "\xa1\x09Telemetry",
		"iothub-enqueuedtime":                  string(amqpTime(nil, r.ms)),
	}
	want["firmware"] = "\xa1\x07" + "1.2 b+c"
	for k, v := range want {
		if r.headers[k] != v {
			t.Errorf("header %s = %q, want %q", k, r.headers[k], v)
		}
	}
	if len(r.headers) != len(want) {
		t.Errorf("headers %q", r.headers)
	}
	if s := f.Stats(); s.Connected != 1 || s.Accepted != 1 || s.Rejected != 0 {
		t.Errorf("stats %+v", s)
	}
	if d, _ := f.cfg.Registry.Get("press-07"); !d.Connected || d.LastActivity.IsZero() {
		t.Errorf("device %+v", d)
	}
}

func TestNothingIsAcknowledgedBeforeTheCommit(t *testing.T) {
	f := start(t, nil)
	f.log.auto = false
	c := f.dial(nil)
	for range 10 {
		if err := c.Publish(t.Context(), "devices/press-07/messages/events/", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are in the log", func() bool { return len(f.log.all()) == 10 })
	if n := c.Unacked(); n != 10 {
		t.Fatalf("%d of 10 wait for their acknowledgement", n)
	}
	f.log.commit(nil)
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWebSocketCarriesTheSame(t *testing.T) {
	f := start(t, nil)
	mux := http.NewServeMux()
	mux.Handle(WebSocketPath, f.WebSocket())
	srv := httptest.NewServer(mux)
	defer srv.Close()
	c := f.dial(func(cfg *mqtt.ClientConfig) {
		cfg.WebSocketURL = "ws" + strings.TrimPrefix(srv.URL, "http") + WebSocketPath
	})
	for range 100 {
		f.send(c, "devices/press-07/messages/events/", strings.Repeat("x", 2000))
	}
	if n := len(f.log.all()); n != 100 {
		t.Errorf("%d records", n)
	}
	c.Close()
	_, err := mqtt.Dial(t.Context(), mqtt.ClientConfig{WebSocketURL: "ws" + strings.TrimPrefix(srv.URL, "http") + WebSocketPath,
		ClientID: "press-07", Username: hostName + "/press-07", Password: "SharedAccessSignature sr=x&sig=eA==&se=1"})
	if ce, ok := errors.AsType[*mqtt.ConnackError](err); !ok || ce.Code != mqtt.NotAuthorized {
		t.Errorf("wrong token over WebSocket: %v", err)
	}
}

func TestConnectIsRefused(t *testing.T) {
	policy := Policy{Name: "device", PrimaryKey: auth.NewKey(), SecondaryKey: auth.NewKey(), Rights: DeviceConnect}
	service := Policy{Name: "service", PrimaryKey: auth.NewKey(), Rights: ServiceConnect}
	f := start(t, func(c *Config) { c.Policies = []Policy{policy, service} })
	off, err := f.cfg.Registry.Add(t.Context(), "off")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.cfg.Registry.SetStatus(t.Context(), "off", Disabled); err != nil {
		t.Fatal(err)
	}
	hour := time.Now().Add(time.Hour)
	own := hostName + "/devices/press-07"
	sign := func(resource, key, name string, at time.Time) string { return auth.SignSAS(resource, key, name, at) }
	for name, tc := range map[string]struct {
		id, user, password string
		want               mqtt.ConnackCode
	}{
		"primary key":          {password: sign(own, f.dev.PrimaryKey, "", hour)},
		"secondary key":        {password: sign(own, f.dev.SecondaryKey, "", hour)},
		"host in other case":   {password: sign(strings.ToUpper(hostName)+"/devices/press-07", f.dev.PrimaryKey, "", hour)},
		"gateway host":         {user: "localhost/press-07/?api-version=2021-04-12", password: sign("localhost/devices/press-07", f.dev.PrimaryKey, "", hour)},
		"gateway with port":    {user: "localhost:8883/press-07", password: sign("localhost:8883/devices/press-07", f.dev.PrimaryKey, "", hour)},
		"no query":             {user: hostName + "/press-07", password: sign(own, f.dev.PrimaryKey, "", hour)},
		"query without mark":   {user: hostName + "/press-07/api-version=2016-11-14", password: sign(own, f.dev.PrimaryKey, "", hour)},
		"device policy":        {password: sign(hostName, policy.PrimaryKey, "device", hour)},
		"policy secondary":     {password: sign(hostName, policy.SecondaryKey, "device", hour)},
		"policy without right": {password: sign(hostName, service.PrimaryKey, "service", hour), want: 5},
		"unknown policy":       {password: sign(hostName, policy.PrimaryKey, "nobody", hour), want: 5},
		"wrong key":            {password: sign(own, auth.NewKey(), "", hour), want: 5},
		"expired":              {password: sign(own, f.dev.PrimaryKey, "", time.Now().Add(-time.Minute)), want: 5},
		"other device's token": {password: sign(hostName+"/devices/press-08", f.dev.PrimaryKey, "", hour), want: 5},
		"prefix of the device": {password: sign(hostName+"/devices/press-0", f.dev.PrimaryKey, "", hour), want: 5},
		"unknown device":       {id: "nobody", user: hostName + "/nobody", password: sign(hostName+"/devices/nobody", f.dev.PrimaryKey, "", hour), want: 5},
		"disabled":             {id: "off", user: hostName + "/off", password: token(off), want: 5},
		"other hub":            {user: "other.azure-devices.net/press-07", password: sign(own, f.dev.PrimaryKey, "", hour), want: 5},
		"another client id":    {id: "press-08", password: sign(own, f.dev.PrimaryKey, "", hour), want: 5},
		"no user name":         {user: "-", password: "x", want: 5},
		"no password":          {want: 5},
		"no token":             {password: "secret", want: 5},
		"no client id":         {id: "-", password: sign(own, f.dev.PrimaryKey, "", hour), want: 2},
	} {
		cfg := mqtt.ClientConfig{Addr: f.addr, ClientID: "press-07", Username: hostName + "/press-07/?api-version=2021-04-12&DeviceClientType=x", Password: tc.password}
		if tc.id != "" {
			cfg.ClientID = strings.Trim(tc.id, "-")
		}
		if tc.user != "" {
			cfg.Username = tc.user
		}
		c, err := mqtt.Dial(t.Context(), cfg)
		if err == nil {
			c.Close()
		}
		ce, _ := errors.AsType[*mqtt.ConnackError](err)
		got := mqtt.Accepted
		if ce != nil {
			got = ce.Code
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	if s := f.text.String(); strings.Contains(s, "sig=") || strings.Contains(s, "SharedAccessSignature ") {
		t.Errorf("the log holds a token: %s", s)
	}
}

var _ io.Writer = (*logBuffer)(nil)
