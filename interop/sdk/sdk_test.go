package sdk

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/iothub"
	"github.com/marisma/marisma/internal/vfs"
)

// hub is a hub with TLS on the ports that the SDKs insist on.
type hub struct {
	*iothub.Hub
	log    *eventlog.Log
	device iothub.Device
	ca     string
}

func startHub(t *testing.T, webSocket bool) *hub {
	t.Helper()
	dir := t.TempDir()
	fs := vfs.NewOS(dir)
	ca, err := auth.OpenCA(fs, "auth", nil)
	if err != nil {
		t.Fatal(err)
	}
	log, err := eventlog.Open(eventlog.Config{FS: fs, Dir: "log"})
	if err != nil {
		t.Fatal(err)
	}
	reg, err := iothub.OpenRegistry(fs, "hub")
	if err != nil {
		t.Fatal(err)
	}
	dev, err := reg.Add(t.Context(), "press-07")
	if err != nil {
		t.Fatal(err)
	}
	h, err := iothub.New(iothub.Config{HubName: "plant", Registry: reg, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	port := "8883"
	if webSocket {
		port = "443"
	}
	ln, err := tls.Listen("tcp", net.JoinHostPort("127.0.0.1", port), ca.ServerTLS())
	if err != nil {
		t.Skipf("the SDKs need port %s: %v", port, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = log.Run(ctx) })
	if webSocket {
		mux := http.NewServeMux()
		mux.Handle(iothub.WebSocketPath, h.WebSocket())
		srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
		wg.Go(func() { _ = srv.Serve(ln) })
		t.Cleanup(func() { _ = srv.Close() })
	} else {
		wg.Go(func() { _ = h.Serve(ctx, ln) })
	}
	t.Cleanup(func() { h.Close(); cancel(); ln.Close(); wg.Wait() })
	return &hub{Hub: h, log: log, device: dev, ca: filepath.Join(dir, filepath.FromSlash(ca.CertFile()))}
}

// sdks are the command lines of the two devices, as far as this machine has
// them: MARISMA_PYTHON is a Python with azure-iot-device, NODE_PATH a folder of
// node modules with azure-iot-device and azure-iot-device-mqtt.
func sdks(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	if p := os.Getenv("MARISMA_PYTHON"); p != "" {
		out["python"] = []string{p, "python_device.py"}
	}
	if os.Getenv("NODE_PATH") != "" {
		out["node"] = []string{"node", "node_device.js"}
	}
	if len(out) == 0 {
		t.Skip("MARISMA_PYTHON and NODE_PATH name no SDK")
	}
	return out
}

func run(t *testing.T, command []string, args ...string) (lines []map[string]any, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	for s := bufio.NewScanner(&out); s.Scan(); {
		var l map[string]any
		if jerr := json.Unmarshal(s.Bytes(), &l); jerr != nil {
			t.Fatalf("%s: %v", s.Text(), jerr)
		}
		lines = append(lines, l)
	}
	return lines, errs.String(), err
}

func TestSDKsSend(t *testing.T) {
	for name, command := range sdks(t) {
		for _, ws := range []bool{false, true} {
			t.Run(name+map[bool]string{false: "/mqtt", true: "/websocket"}[ws], func(t *testing.T) {
				h := startHub(t, ws)
				for _, cs := range []string{h.ConnectionString(h.device), strings.Replace(h.ConnectionString(h.device), "HostName=localhost", "GatewayHostName=localhost;HostName=plant.azure-devices.net", 1)} {
					args := []string{"--connection-string", cs, "--ca", h.ca, "--count", "5", "--twin", "--property", "line=A+1 %/ü", "--property", "firmware=2.4"}
					if ws {
						args = append(args, "--websockets")
					}
					before := h.Stats().Accepted
					lines, stderr, err := run(t, command, args...)
					if err != nil || len(lines) != 6 {
						t.Fatalf("%d lines, %v\n%s", len(lines), err, stderr)
					}
					if n := h.Stats().Accepted - before; n != 5 {
						t.Errorf("%d messages accepted", n)
					}
					check(t, h, lines[1:])
				}
			})
		}
	}
}

// check holds each acknowledged message against the log.
func check(t *testing.T, h *hub, lines []map[string]any) {
	t.Helper()
	there := map[string]map[string]string{}
	p := iothub.PartitionOf(h.device.ID, h.log.Partitions())
	err := h.log.Read(t.Context(), p, h.log.Start(p), h.log.End(p), func(_ int64, r *eventlog.Record) bool {
		hs := map[string]string{}
		for _, h := range r.Headers {
			hs[h.Key] = string(h.Value)
		}
		there[string(r.Value)] = hs
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		hs := there[l["body"].(string)]
		for k, v := range map[string]string{"line": "A+1 %/ü", "firmware": "2.4", "content-type": "application/json", "content-encoding": "utf-8",
			"message-id": l["message_id"].(string), "iothub-connection-device-id": "press-07"} {
			if want := "\xa1" + string([]byte{byte(len(v))}) + v; hs[k] != want {
				t.Errorf("%v: header %s = %q, want %q", l, k, hs[k], want)
			}
		}
	}
}

func TestSDKsAreRefused(t *testing.T) {
	for name, command := range sdks(t) {
		t.Run(name, func(t *testing.T) {
			h := startHub(t, false)
			d := h.device
			d.PrimaryKey = auth.NewKey()
			lines, stderr, err := run(t, command, "--connection-string", h.ConnectionString(d), "--ca", h.ca)
			if err == nil || len(lines) != 0 {
				t.Errorf("a wrong key was taken: %v", lines)
			}
			if s := strings.ToLower(stderr); !strings.Contains(s, "credential") && !strings.Contains(s, "authorized") {
				t.Errorf("the SDK does not say why: %s", stderr)
			}
			if h.Stats().Rejected == 0 {
				t.Error("not counted")
			}
		})
	}
}

// TestSDKsComeBack drops the connection now and then: the SDK connects again
// and every message arrives.
func TestSDKsComeBack(t *testing.T) {
	for name, command := range sdks(t) {
		t.Run(name, func(t *testing.T) {
			h := startHub(t, false)
			stop := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				for seen := int64(0); ; {
					select {
					case <-stop:
						return
					case <-time.After(10 * time.Millisecond):
					}
					if n := h.Stats().Accepted; n >= seen+100 {
						seen = n
						h.Disconnect(h.device.ID)
					}
				}
			})
			lines, stderr, err := run(t, command, "--connection-string", h.ConnectionString(h.device), "--ca", h.ca, "--count", "300")
			close(stop)
			wg.Wait()
			if err != nil || len(lines) != 300 {
				t.Fatalf("%d lines, %v\n%s", len(lines), err, stderr)
			}
			if n := h.Stats().Accepted; n < 300 {
				t.Errorf("%d accepted", n)
			}
			t.Logf("%d accepted for 300 sent", h.Stats().Accepted)
		})
	}
}
