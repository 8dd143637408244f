package iothub

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/mqtt"
	"github.com/marisma/marisma/internal/vfs"
)

func waitErr(t *testing.T, c *mqtt.Client) {
	t.Helper()
	eventually(t, "the connection ends", func() bool { return c.Err() != nil })
}

func TestNewConnectionDropsTheOlder(t *testing.T) {
	f := start(t, nil)
	first := f.dial(nil)
	second := f.dial(nil)
	waitErr(t, first)
	f.send(second, "devices/press-07/messages/events/", "x")
	if n := f.Stats().Connected; n != 1 {
		t.Errorf("%d connected", n)
	}
	if d, _ := f.cfg.Registry.Get("press-07"); !d.Connected {
		t.Error("the device does not show as connected")
	}
}

func TestDeviceThatIsDisabledOrRemovedIsDropped(t *testing.T) {
	f := start(t, nil)
	c := f.dial(nil)
	if err := f.cfg.Registry.SetStatus(t.Context(), "press-07", Disabled); err != nil {
		t.Fatal(err)
	}
	waitErr(t, c)
	if err := f.cfg.Registry.SetStatus(t.Context(), "press-07", Enabled); err != nil {
		t.Fatal(err)
	}
	c = f.dial(nil)
	if err := f.cfg.Registry.Remove(t.Context(), "press-07"); err != nil {
		t.Fatal(err)
	}
	waitErr(t, c)
	if _, err := mqtt.Dial(t.Context(), f.config()); !errors.Is(err, mqtt.ErrRefused) {
		t.Errorf("a removed device: %v", err)
	}
	f.Disconnect("nobody")
}

func TestModuleIsAnIdentityOfItsOwn(t *testing.T) {
	f := start(t, nil)
	m, err := f.cfg.Registry.Add(t.Context(), "press-07/cam")
	if err != nil {
		t.Fatal(err)
	}
	device := f.dial(nil)
	c := f.dial(func(cfg *mqtt.ClientConfig) {
		cfg.ClientID, cfg.Username = "press-07/cam", hostName+"/press-07/cam/?api-version=2021-04-12"
		cfg.Password = auth.SignSAS(hostName+"/devices/press-07/modules/cam", m.PrimaryKey, "", time.Now().Add(time.Hour))
	})
	f.send(c, "devices/press-07/modules/cam/messages/events/%24.on=out/", "x")
	r := f.log.all()[0]
	if r.key != "press-07" || r.headers["iothub-connection-module-id"] != "\xa1\x03cam" || r.headers["iothub-outputname"] != "\xa1\x03out" ||
		!strings.Contains(r.headers["iothub-connection-auth-method"], `"scope":"module"`) {
		t.Errorf("%+v", r)
	}
	for filter, want := range map[string]byte{"devices/press-07/modules/cam/inputs/#": 1, "devices/press-07/modules/cam/#": 1, "devices/press-07/messages/devicebound/#": mqtt.Refused} {
		if got, err := c.Subscribe(t.Context(), filter, 1); got != want || err != nil {
			t.Errorf("%s: %d %v", filter, got, err)
		}
	}
	if device.Err() != nil {
		t.Error("the module's connection dropped the device's")
	}
	if err := c.Publish(t.Context(), "devices/press-07/messages/events/", nil); err != nil {
		t.Fatal(err)
	}
	waitErr(t, c)
}

func TestWillIsSentUnlessDisconnected(t *testing.T) {
	f := start(t, nil)
	will := func(cfg *mqtt.ClientConfig) {
		cfg.Will = &mqtt.Will{Topic: "devices/press-07/messages/events/%24.ct=text", Payload: []byte("gone"), QoS: 1, Retain: true}
	}
	f.dial(will).Close()
	eventually(t, "disconnected", func() bool { return f.Stats().Connected == 0 })
	if n := len(f.log.all()); n != 0 {
		t.Fatalf("%d messages after DISCONNECT", n)
	}
	f.dial(will)
	f.Disconnect("press-07")
	eventually(t, "the will is there", func() bool { return len(f.log.all()) == 1 })
	r := f.log.all()[0]
	if r.value != "gone" || r.headers["iothub-MessageType"] != "\xa1\x04Will" || r.headers["mqtt-retain"] != "\xa1\x04true" || r.headers["content-type"] != "\xa1\x04text" {
		t.Errorf("%+v", r)
	}
	for _, w := range []mqtt.Will{{Topic: "devices/press-08/messages/events/"}, {Topic: "alarm"}, {Topic: "devices/press-07/messages/events/", QoS: 2}} {
		cfg := f.config()
		cfg.Will = &w
		if _, err := mqtt.Dial(t.Context(), cfg); !errors.Is(err, mqtt.ErrRefused) {
			t.Errorf("will %+v: %v", w, err)
		}
	}
}

func TestSubscriptions(t *testing.T) {
	f := start(t, nil)
	c := f.dial(nil)
	for _, tc := range []struct {
		filter string
		qos    byte
		want   byte
	}{
		{"$iothub/twin/res/#", 0, 0},
		{"$iothub/twin/res/#", 1, 1},
		{"$iothub/twin/PATCH/properties/desired/#", 2, 1},
		{"$iothub/methods/POST/#", 0, 0},
		{"devices/press-07/messages/devicebound/#", 1, 1},
		{"devices/press-08/messages/devicebound/#", 1, mqtt.Refused},
		{"devices/+/messages/devicebound/#", 1, mqtt.Refused},
		{"#", 0, mqtt.Refused},
		{"$SYS/#", 0, mqtt.Refused},
	} {
		if got, err := c.Subscribe(t.Context(), tc.filter, tc.qos); got != tc.want || err != nil {
			t.Errorf("%s at %d: %d %v", tc.filter, tc.qos, got, err)
		}
	}
	if err := c.Unsubscribe(t.Context(), "$iothub/twin/res/#"); err != nil {
		t.Error(err)
	}
	if err := c.Unsubscribe(t.Context(), "never/had"); err != nil {
		t.Error(err)
	}
}

func TestTwinRequestsAreAnswered(t *testing.T) {
	f := start(t, nil)
	got := make(chan string, 10)
	c := f.dial(func(cfg *mqtt.ClientConfig) {
		cfg.OnMessage = func(topic, payload []byte) { got <- string(topic) + " " + string(payload) }
	})
	f.send(c, "$iothub/twin/GET/?$rid=0", " ") // not subscribed: no answer, no harm
	if _, err := c.Subscribe(t.Context(), "$iothub/twin/res/#", 0); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]string{
		"$iothub/twin/GET/?$rid=a1":                                 `$iothub/twin/res/200/?$rid=a1 {"desired":{"$version":1},"reported":{"$version":1}}`,
		"$iothub/twin/PATCH/properties/reported/?$version=3&$rid=7": "$iothub/twin/res/501/?$rid=7 " + notServed,
		"$iothub/twin/PUT/?$rid=8":                                  "$iothub/twin/res/400/?$rid=8 " + badRequest,
	} {
		f.send(c, topic, "{}")
		if s := <-got; s != want {
			t.Errorf("%s: %s", topic, s)
		}
	}
	f.send(c, "$iothub/methods/res/200/?$rid=1", "{}")
	f.send(c, "devices/press-07/messages/events/", "still here")
	if len(got) != 0 || len(f.log.all()) != 1 {
		t.Errorf("%d answers, %d records", len(got), len(f.log.all()))
	}
}

func TestForeignTopicsEndTheConnection(t *testing.T) {
	f := start(t, nil)
	for _, topic := range []string{"devices/press-08/messages/events/", "devices/press-07/messages/eventsx", "a", "$iothub/methods/POST/x", "devices/+/messages/events/"} {
		c := f.dial(nil)
		if err := c.Publish(t.Context(), topic, nil); err != nil {
			t.Fatal(err)
		}
		waitErr(t, c)
	}
	if n := len(f.log.all()); n != 0 {
		t.Errorf("%d records", n)
	}
	if s := f.text.String(); strings.Count(s, "device connection closed") != 1 {
		t.Errorf("not logged once: %s", s)
	}
}

func TestMessageAboveTheLimitEndsTheConnection(t *testing.T) {
	f := start(t, nil)
	c := f.dial(nil)
	topic := "devices/press-07/messages/events/ab=cd"
	f.send(c, topic, strings.Repeat("x", MaxMessage-4))
	if err := c.Publish(t.Context(), topic, []byte("before")); err != nil {
		t.Fatal(err)
	}
	if err := c.Publish(t.Context(), topic, []byte(strings.Repeat("x", MaxMessage-3))); err != nil {
		t.Fatal(err)
	}
	waitErr(t, c)
	if recs := f.log.all(); len(recs) != 2 || recs[1].value != "before" {
		t.Errorf("%d records", len(recs))
	}
	c = f.dial(nil)
	if err := c.Publish(t.Context(), topic, make([]byte, 400<<10)); err != nil {
		t.Fatal(err)
	}
	waitErr(t, c)
	eventually(t, "both are counted", func() bool { return f.Stats().Rejected >= 2 })
}

func TestMalformedPacketIsLoggedOncePerDevice(t *testing.T) {
	f := start(t, nil)
	for range 5 {
		c, err := net.Dial("tcp", f.addr)
		if err != nil {
			t.Fatal(err)
		}
		p := mqtt.AppendConnect(nil, &mqtt.Connect{ClientID: "press-07", Username: hostName + "/press-07", HasUsername: true, Password: []byte(token(f.dev)), HasPassword: true})
		if _, err := c.Write(append(p, 0xff, 0xff)); err != nil {
			t.Fatal(err)
		}
		for buf := make([]byte, 10); err == nil; {
			_, err = c.Read(buf)
		}
		c.Close()
	}
	eventually(t, "all are counted", func() bool { return f.Stats().Rejected == 5 })
	eventually(t, "one is logged", func() bool { return strings.Contains(f.text.String(), "malformed packet") }) // after it is counted
	if s := f.text.String(); strings.Count(s, "malformed packet") != 1 || !strings.Contains(s, "press-07") {
		t.Errorf("log: %s", s)
	}
}

func TestFullLogHoldsMessagesAndRecovers(t *testing.T) {
	f := start(t, func(c *Config) { c.HoldTime = 10 * time.Second })
	f.log.setRefuse(eventlog.ErrFull)
	c := f.dial(nil)
	for range 3 {
		if err := c.Publish(t.Context(), "devices/press-07/messages/events/", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(400 * time.Millisecond)
	if n := c.Unacked(); n != 3 || c.Err() != nil {
		t.Fatalf("%d of 3 wait, %v", n, c.Err())
	}
	f.log.setRefuse(nil)
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(f.text.String(), "messages are not acknowledged"); n != 1 {
		t.Errorf("logged %d times", n)
	}
}

func TestFullLogClosesTheConnectionInTheEnd(t *testing.T) {
	for name, late := range map[string]bool{"refused": false, "failed at the commit": true} {
		t.Run(name, func(t *testing.T) {
			f := start(t, func(c *Config) { c.HoldTime = 300 * time.Millisecond })
			f.log.auto = false
			if !late {
				f.log.setRefuse(eventlog.ErrFull)
			}
			c := f.dial(nil)
			began := time.Now()
			if err := c.Publish(t.Context(), "devices/press-07/messages/events/", []byte("x")); err != nil {
				t.Fatal(err)
			}
			if late {
				eventually(t, "handed over", func() bool { return len(f.log.all()) == 1 })
				f.log.commit(eventlog.ErrFailed)
				if err := c.Publish(t.Context(), "devices/press-07/messages/events/", []byte("later")); err != nil {
					t.Fatal(err)
				}
			}
			waitErr(t, c)
			if d := time.Since(began); d < 200*time.Millisecond {
				t.Errorf("closed after %v", d)
			}
			if n := c.Unacked(); n == 0 {
				t.Error("acknowledged")
			}
			for _, r := range f.log.all() {
				if r.value == "later" {
					t.Error("a message overtook one that failed")
				}
			}
			eventually(t, "counted", func() bool { return f.Stats().Rejected > 0 })
		})
	}
}

// TestTokenExpiryDropsTheConnection runs in a bubble, over a pipe.
func TestTokenExpiryDropsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, err := OpenRegistry(vfs.NewMem(), "hub")
		if err != nil {
			t.Fatal(err)
		}
		dev, err := reg.Add(t.Context(), "press-07")
		if err != nil {
			t.Fatal(err)
		}
		h, err := New(Config{HubName: "plant", Registry: reg, Log: &fakeLog{auto: true}})
		if err != nil {
			t.Fatal(err)
		}
		peer, mine := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.server.ServeConn(context.Background(), mine)
		}()
		sas := auth.SignSAS(hostName+"/devices/press-07", dev.PrimaryKey, "", time.Now().Add(90*time.Second))
		p := mqtt.AppendConnect(nil, &mqtt.Connect{ClientID: "press-07", Username: hostName + "/press-07", HasUsername: true, Password: []byte(sas), HasPassword: true})
		if _, err := peer.Write(p); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4)
		if _, err := peer.Read(buf); err != nil || buf[3] != 0 {
			t.Fatal(buf, err)
		}
		began := time.Now()
		<-done
		if d := time.Since(began); d > 91*time.Second || d < 88*time.Second {
			t.Errorf("dropped after %v", d)
		}
		peer.Close()
	})
}

func TestConnectionString(t *testing.T) {
	f := start(t, nil)
	if s, want := f.ConnectionString(f.dev), "HostName=localhost;DeviceId=press-07;SharedAccessKey="+f.dev.PrimaryKey; s != want {
		t.Error(s)
	}
	f.cfg.Hosts = []string{"edge.example.com"}
	if s, want := f.ConnectionString(Device{ID: "d/m", PrimaryKey: "k"}), "HostName=edge.example.com;DeviceId=d;ModuleId=m;SharedAccessKey=k"; s != want {
		t.Error(s)
	}
}

func TestMetricsHaveIoTHubsNames(t *testing.T) {
	reg := prometheus.NewRegistry()
	f := start(t, func(c *Config) { c.Metrics = reg })
	f.send(f.dial(nil), "devices/press-07/messages/events/", "12345")
	bad := f.config()
	bad.Password = ""
	if _, err := mqtt.Dial(t.Context(), bad); err == nil {
		t.Error("connected without a token")
	}
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, m := range all {
		v := m.GetMetric()[0]
		got[m.GetName()] = v.GetCounter().GetValue() + v.GetGauge().GetValue() + float64(v.GetHistogram().GetSampleCount())
	}
	for name, want := range map[string]float64{
		"iothub_d2c_telemetry_ingress_all_protocol_total":  1,
		"iothub_d2c_telemetry_ingress_success_total":       1,
		"iothub_d2c_telemetry_ingress_bytes_total":         5,
		"iothub_d2c_telemetry_ingress_send_throttle_total": 0,
		"iothub_d2c_telemetry_egress_dropped_total":        0,
		"iothub_d2c_telemetry_egress_invalid_total":        0,
		"iothub_d2c_endpoints_latency_event_hubs_seconds":  1,
		"iothub_connected_device_count":                    1,
		"iothub_total_device_count":                        1,
		"iothub_connections_refused_total":                 1,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s = %v (there: %v), want %v", name, v, ok, want)
		}
	}
	if _, err := New(f.cfg); err == nil {
		t.Error("two hubs share one registry of metrics")
	}
}

func TestConfigIsChecked(t *testing.T) {
	reg, err := OpenRegistry(vfs.NewMem(), "hub")
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"no name":     {Registry: reg, Log: &fakeLog{}},
		"bad name":    {HubName: "my_hub", Registry: reg, Log: &fakeLog{}},
		"no registry": {HubName: "h", Log: &fakeLog{}},
		"no log":      {HubName: "h", Registry: reg},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
