package iothub

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/mqtt"
	"github.com/marisma/marisma/internal/vfs"
)

// logFixture is a hub over a real event log on a memory disk.
func logFixture(t *testing.T, fs *vfs.Mem, change func(*Config)) (*fixture, *eventlog.Log) {
	t.Helper()
	l, err := eventlog.Open(eventlog.Config{FS: fs, Dir: "log", Partitions: 4, SegmentBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = l.Run(ctx) }) // a power cut makes it fail
	t.Cleanup(func() { cancel(); wg.Wait() })
	f := start(t, func(c *Config) {
		c.Log = l
		if change != nil {
			change(c)
		}
	})
	return f, l
}

// TestAcknowledgedSurvivesPowerCut: at whatever operation the power goes,
// each message that was acknowledged is in the log that is opened afterwards.
func TestAcknowledgedSurvivesPowerCut(t *testing.T) {
	total := 0
	for cut := range 12 {
		fs := vfs.NewMem()
		f, _ := logFixture(t, fs, func(c *Config) { c.HoldTime = 50 * time.Millisecond })
		c := f.dial(func(cfg *mqtt.ClientConfig) { cfg.Window = 8 })
		fs.CutAt(3 + 7*cut)
		var acked []string
		for n := 0; c.Err() == nil && n < 500; n++ {
			body := fmt.Sprintf("%d-%d", cut, n)
			if c.Publish(t.Context(), "devices/press-07/messages/events/", []byte(body)) != nil || c.Flush(t.Context()) != nil {
				break
			}
			acked = append(acked, body)
		}
		total += len(acked)
		after, err := eventlog.Open(eventlog.Config{FS: fs.Crash(rand.New(rand.NewPCG(7, uint64(cut)))), Dir: "log", Partitions: 4, SegmentBytes: 1 << 20})
		if err != nil {
			t.Fatalf("cut %d: %v", cut, err)
		}
		there := map[string]bool{}
		p := PartitionOf("press-07", 4)
		if err := after.Read(t.Context(), p, after.Start(p), after.End(p), func(_ int64, r *eventlog.Record) bool {
			there[string(r.Value)] = true
			return true
		}); err != nil {
			t.Fatalf("cut %d: %v", cut, err)
		}
		for _, body := range acked {
			if !there[body] {
				t.Errorf("cut %d: %s was acknowledged and is lost", cut, body)
			}
		}
	}
	if total == 0 {
		t.Error("nothing was acknowledged before any cut")
	}
}

// TestFullDiskRecovers: a disk that fills up and empties again is a pause for
// devices, which need to do nothing but connect again.
func TestFullDiskRecovers(t *testing.T) {
	fs := vfs.NewMem()
	f, l := logFixture(t, fs, func(c *Config) { c.HoldTime = 500 * time.Millisecond })
	c := f.dial(nil)
	f.send(c, "devices/press-07/messages/events/", "before")
	fs.Inject(func(op vfs.Op, name string) error {
		if op == vfs.OpPreallocate || op == vfs.OpWrite || op == vfs.OpCreate {
			return syscall.ENOSPC
		}
		return nil
	})
	if err := c.Publish(t.Context(), "devices/press-07/messages/events/", []byte("full")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if c.Unacked() != 1 {
		t.Error("acknowledged on a full disk")
	}
	if l.Problem() == "" {
		t.Error("the log tells no problem")
	}
	fs.Inject(nil)
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := c.Flush(t.Context())
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no recovery: %v, log says %q", err, l.Problem())
		}
		c.Close()
		c, err = mqtt.Dial(t.Context(), f.config())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Publish(t.Context(), "devices/press-07/messages/events/", []byte("full")); err != nil && c.Err() == nil {
			t.Fatal(err)
		}
	}
	c.Close()
	p := PartitionOf("press-07", 4)
	n := 0
	if err := l.Read(t.Context(), p, l.Start(p), l.End(p), func(_ int64, r *eventlog.Record) bool { n++; return true }); err != nil {
		t.Fatal(err)
	}
	if n < 2 {
		t.Errorf("%d records", n)
	}
}

func TestSessionIsCarriedOn(t *testing.T) {
	f := start(t, nil)
	// present connects by hand and tells CONNACK's flag.
	present := func(clean bool, more ...byte) bool {
		t.Helper()
		nc, err := net.Dial("tcp", f.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		p := mqtt.AppendConnect(nil, &mqtt.Connect{ClientID: "press-07", Username: hostName + "/press-07", HasUsername: true,
			Password: []byte(token(f.dev)), HasPassword: true, CleanSession: clean})
		if _, err := nc.Write(append(p, more...)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4)
		if _, err := nc.Read(buf); err != nil || buf[3] != 0 {
			t.Fatal(buf, err)
		}
		for buf := make([]byte, 64); err == nil; { // the rest until the server is done
			if len(more) == 0 {
				break
			}
			_, err = nc.Read(buf)
		}
		return buf[2] == 1
	}
	sub := mqtt.AppendEmpty(mqtt.AppendSubscribe(nil, 1, mqtt.Subscription{Filter: twinAnswers}), mqtt.DISCONNECT)
	gone := func() { eventually(t, "gone", func() bool { return f.Stats().Connected == 0 }) }
	if present(false, sub...) { // [MQTT-3.2.2-3]
		t.Error("a first session was carried on")
	}
	gone()
	if !present(false, mqtt.AppendEmpty(nil, mqtt.DISCONNECT)...) { // [MQTT-3.2.2-2]
		t.Error("the session was not carried on")
	}
	gone()
	if present(true, mqtt.AppendEmpty(nil, mqtt.DISCONNECT)...) { // [MQTT-3.2.2-1]
		t.Error("a clean session was carried on")
	}
	gone()
	if present(false) {
		t.Error("a clean session was kept")
	}
	gone()
	got := make(chan string, 1)
	f.dial(nil).Subscribe(t.Context(), twinAnswers, 0)
	f.Disconnect("press-07")
	gone()
	c := f.dial(func(cfg *mqtt.ClientConfig) {
		cfg.OnMessage = func(topic, _ []byte) { got <- string(topic) }
	})
	f.send(c, "$iothub/twin/GET/?$rid=5", " ")
	if s := <-got; s != "$iothub/twin/res/200/?$rid=5" { // the subscription was kept
		t.Error(s)
	}
}

func TestQoS0AndRetainAreStoredToo(t *testing.T) {
	f := start(t, nil)
	nc, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	p := mqtt.AppendConnect(nil, &mqtt.Connect{ClientID: "press-07", Username: hostName + "/press-07", HasUsername: true, Password: []byte(token(f.dev)), HasPassword: true})
	topic := "devices/press-07/messages/events"
	p = mqtt.AppendPublish(p, topic, []byte("a"), 0, 0, false, false)
	p = mqtt.AppendPublish(p, topic+"/", []byte("b"), 0, 0, false, true)
	p = mqtt.AppendPublish(p, topic+"/x=1/", nil, 9, 1, true, true)
	if _, err := nc.Write(p); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 8)
	for n := 0; n < 8; {
		k, err := nc.Read(buf[n:])
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	if string(buf) != "\x20\x02\x00\x00\x40\x02\x00\x09" {
		t.Errorf("%x", buf)
	}
	recs := f.log.all()
	if len(recs) != 3 || recs[0].headers["mqtt-retain"] != "" || recs[1].headers["mqtt-retain"] != "\xa1\x04true" ||
		recs[2].headers["mqtt-retain"] != "\xa1\x04true" || recs[2].headers["x"] != "\xa1\x011" || recs[2].value != "" {
		t.Errorf("%+v", recs)
	}
}
