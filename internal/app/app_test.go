package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/catalog/folder"
	"github.com/marisma/marisma/internal/web/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// project writes the starter project with listeners on any port.
func project(t *testing.T, change func(dir string)) *bundle.Project {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "plant")
	if _, err := bundle.Init(dir); err != nil {
		t.Fatal(err)
	}
	conf := "hub: {partitions: 1}\nlisteners: {http: 127.0.0.1:0, mqtts: 127.0.0.1:0}\ndevices: [press-01]\n"
	if err := os.WriteFile(filepath.Join(dir, "marisma.yml"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(dir)
	}
	p, err := bundle.Load(dir, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run starts a project and waits until it is ready; stop ends it.
func run(t *testing.T, p *bundle.Project, fleet Fleet) (ready, func() error) {
	t.Helper()
	r, w := io.Pipe()
	a, err := New(Config{Project: p, Banner: w, BannerJSON: true, Fleet: fleet, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := a.Run(ctx)
		_ = w.CloseWithError(err)
		ended <- err
	}()
	var rd ready
	if err := json.NewDecoder(r).Decode(&rd); err != nil {
		cancel()
		t.Fatalf("not ready: %v", err)
	}
	return rd, func() error { cancel(); return <-ended }
}

func TestRunFromStartToStop(t *testing.T) {
	p := project(t, nil)
	rd, stop := run(t, p, Fleet{Play: true, Interval: 20 * time.Millisecond, History: time.Second})
	if rd.Token == "" || rd.PID != os.Getpid() || rd.DataDir != p.DataDir() || rd.Addresses["http"] == "" || rd.Addresses["mqtts"] == "" {
		t.Errorf("banner %+v", rd)
	}
	if fi, err := os.Stat(rd.Socket); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v %v", fi, err)
	}
	kept, err := os.ReadFile(filepath.Join(p.DataDir(), readyFile))
	if err != nil || bytes.Contains(kept, []byte(rd.Token)) || !bytes.Contains(kept, []byte(rd.Addresses["mqtts"])) {
		t.Errorf("ready.json holds the token, or no address: %s %v", kept, err)
	}
	cl := api.Unix(SocketPath(p.DataDir()))
	eventually(t, func() error {
		st, err := cl.Status(t.Context())
		if err != nil {
			return err
		}
		if st.Hub.Accepted < 60 || st.Hub.Devices != 1 || st.Hub.Problem != "" {
			return fmt.Errorf("hub %+v", st.Hub)
		}
		return nil
	})
	eventually(t, func() error {
		h, err := cl.History(t.Context(), p.Qualify("silver_readings"), 5)
		if err != nil {
			return err
		}
		if len(h) < 2 || h[0].Version <= h[1].Version {
			return fmt.Errorf("history %+v", h)
		}
		return nil
	})

	// The same folder a second time, from the same program.
	second, err := New(Config{Project: p})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); !errors.Is(err, folder.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("a second run: %v", err)
	}
	found := Doctor(t.Context(), p.Dir, "", nil)
	if c := check(found, "data folder"); c.Result != checkOK || !strings.Contains(c.Found, fmt.Sprint(os.Getpid())) {
		t.Errorf("doctor: %+v", c)
	}
	if c := check(found, "hub"); c.Result != checkOK {
		t.Errorf("doctor: %+v", c)
	}
	if err := stop(); err != nil {
		t.Errorf("a clean stop gave %v", err)
	}
	if _, err := cl.Status(t.Context()); !errors.Is(err, api.ErrNotRunning) {
		t.Errorf("after the stop: %v", err)
	}

	// A second start goes on: no new token, no history again.
	rd, stop = run(t, p, Fleet{Play: true, Interval: time.Hour, History: time.Hour})
	if rd.Token != "" {
		t.Error("the second start made a token")
	}
	st, err := cl.Status(t.Context())
	if err != nil || st.Hub.Records < 60 || st.Hub.Accepted > 0 {
		t.Errorf("second start: %+v %v", st.Hub, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func check(all []Check, name string) Check {
	for _, c := range all {
		if c.Name == name {
			return c
		}
	}
	return Check{}
}

func eventually(t *testing.T, f func() error) {
	t.Helper()
	var err error
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func TestAnAddressThatIsTaken(t *testing.T) {
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	p := project(t, nil)
	p.Listeners.MQTTS = ln.Addr().String()
	a, err := New(Config{Project: p})
	if err != nil {
		t.Fatal(err)
	}
	err = a.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "listeners.mqtts") || !strings.Contains(err.Error(), "another address") {
		t.Errorf("%v", err)
	}
	f, err := folder.Open(p.DataDir()) // the folder is free again
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if c := check(Doctor(t.Context(), p.Dir, "", nil), "project"); c.Result != checkOK {
		t.Errorf("doctor: %+v", c)
	}
}

func TestPlainMQTTStaysOnThisMachine(t *testing.T) {
	p := project(t, nil)
	p.Listeners.MQTT = "0.0.0.0:0"
	a, err := New(Config{Project: p})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "listeners.mqtt") {
		t.Errorf("%v", err)
	}
}

func TestBadSQLLeavesNothingBehind(t *testing.T) {
	p := project(t, func(dir string) {
		if err := os.WriteFile(filepath.Join(dir, "src/readings/bad.sql"), []byte("CREATE OR REFRESH MATERIALIZED VIEW v AS\nSELECT nosuch FROM silver_readings;"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	a, err := New(Config{Project: p})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "src/readings/bad.sql:2:8") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(p.DataDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a data folder was made: %v", err)
	}
	if c := check(Doctor(t.Context(), p.Dir, "", nil), "project"); c.Result != checkFail || !strings.Contains(c.Found, "bad.sql:2:8") {
		t.Errorf("doctor: %+v", c)
	}
}

func TestFailures(t *testing.T) {
	real := errors.New("real")
	if err := failures([]error{nil, context.Canceled, fmt.Errorf("part: %w", context.Canceled)}); err != nil {
		t.Errorf("a stop is a failure: %v", err)
	}
	if err := failures([]error{context.Canceled, real}); !errors.Is(err, real) || errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestSocketPath(t *testing.T) {
	if got := SocketPath("/data/x"); got != "/data/x/marisma.sock" {
		t.Error(got)
	}
	long := "/data/" + strings.Repeat("x", 100)
	a, b := SocketPath(long), SocketPath(long+"y")
	if len(a) >= maxSocketPath || !strings.HasPrefix(a, os.TempDir()) || a == b || a != SocketPath(long) {
		t.Errorf("%s %s", a, b)
	}
	t.Chdir(t.TempDir())
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if SocketPath("x") != SocketPath(filepath.Join(wd, "x")) {
		t.Error("a relative path has another socket")
	}
}

func TestTheBanner(t *testing.T) {
	p := project(t, nil)
	a := &App{cfg: Config{Project: p}}
	r := ready{
		Project: "plant", Target: "dev", DataDir: p.DataDir(), CAFile: p.CAFile(), StartedMS: 420, Token: "mrs_x",
		Addresses: map[string]string{"http": "127.0.0.1:8080", "mqtts": "127.0.0.1:8883", "mqtt": "127.0.0.1:1883"},
	}
	text := a.block(r)
	for _, want := range []string{
		"http://127.0.0.1:8080/#token=mrs_x", "mqtts://127.0.0.1:8883", "mqtt://127.0.0.1:1883 without TLS", p.DataDir(), p.CAFile(),
		"marisma device add", "-C " + p.Dir, "Ctrl-C", "0.4 s",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the banner lacks %q:\n%s", want, text)
		}
	}
	r.Token = ""
	if text = a.block(r); strings.Contains(text, "token") {
		t.Errorf("a second start speaks of a token:\n%s", text)
	}
	t.Chdir(filepath.Dir(p.Dir))
	if text = a.block(r); !strings.Contains(text, "-C plant") {
		t.Errorf("paths are not as one would type them:\n%s", text)
	}
}
