package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// hub records what devices send. Each chunk's acknowledgement can be made to
// fail.
type hub struct {
	mu    sync.Mutex
	got   []string // device + " " + body, in order of arrival
	topic string
	fail  int // flushes that fail
	dials int
	known []string
}

type conn struct {
	h  *hub
	id string
}

func (h *hub) dial(_ context.Context, device string) (Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dials++
	return &conn{h, device}, nil
}

func (h *hub) ensure(_ context.Context, device string) error {
	h.known = append(h.known, device)
	return nil
}

func (c *conn) Publish(_ context.Context, topic string, payload []byte) error {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	c.h.topic = topic
	c.h.got = append(c.h.got, c.id+" "+string(payload))
	return nil
}

func (c *conn) Flush(context.Context) error {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	if c.h.fail > 0 {
		c.h.fail--
		return errors.New("broken")
	}
	return nil
}

func (c *conn) Close() error { return nil }

// csvs writes files and gives their paths.
func csvs(t *testing.T, files ...string) []string {
	t.Helper()
	dir := t.TempDir()
	var out []string
	for i, text := range files {
		name := filepath.Join(dir, fmt.Sprintf("file-%d.csv", i+1))
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
	}
	return out
}

func replay(t *testing.T, cfg ReplayConfig) (*hub, ReplayStats, error) {
	t.Helper()
	h := &hub{}
	cfg.Dial, cfg.Ensure = h.dial, h.ensure
	st, err := Replay(t.Context(), cfg)
	return h, st, err
}

func TestRowsBecomeJSON(t *testing.T) {
	for _, c := range []struct{ name, csv, want string }{
		{
			"values", "station,ts,a,b,c,d,e,f\nS1,2024-01-15T10:00:00Z,1.50,NA,,007,1e3,\"x \"\"y\"\"\"\n",
			`S1 {"ts":"2024-01-15T10:00:00Z","station":"S1","a":1.50,"b":null,"c":null,"d":"007","e":1e3,"f":"x \"y\""}`,
		},
		{
			"no numbers", "device,a,b,c,d,e,f,g,h\nD,+1,.5,5.,0x10,1_0,Infinity,-,-0\n",
			`D {"device":"D","a":"+1","b":".5","c":"5.","d":"0x10","e":"1_0","f":"Infinity","g":"-","h":-0}`,
		},
		{
			"time in parts and a zone", "No,year,month,day,hour,v\n1,2013,3,1,23,4\n",
			`file-1 {"ts":"2013-03-01T23:00:00+08:00","No":1,"year":2013,"month":3,"day":1,"hour":23,"v":4}`,
		},
		{
			"a time without a zone, another column name", "Timestamp,v\n2024-01-15 10:00:00.5,4\n",
			`file-1 {"ts":"2024-01-15T10:00:00.5+08:00","Timestamp":"2024-01-15 10:00:00.5","v":4}`,
		},
		{"no time at all", "v\n4\n", `file-1 {"v":4}`},
		{"a byte order mark and spaces", "\ufeffdevice_id,ts,v\nD,2024-01-15,4\n", `D {"ts":"2024-01-15T00:00:00+08:00","device_id":"D","v":4}`},
		{"a year alone is no time", "year,v\n2024,4\n", `file-1 {"year":2024,"v":4}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, st, err := replay(t, ReplayConfig{Files: csvs(t, c.csv), Order: FileOrder, Zone: time.FixedZone("", 8*3600)})
			if err != nil || st.Rows != 1 || len(h.got) != 1 || h.got[0] != c.want {
				t.Errorf("%d rows, %v\n got %s\nwant %s", st.Rows, err, h.got, c.want)
			}
			if _, body, _ := strings.Cut(h.got[0], " "); !json.Valid([]byte(body)) {
				t.Errorf("no JSON: %s", body)
			}
		})
	}
}

func TestOrder(t *testing.T) {
	files := csvs(t,
		"device,ts,n\nA,2024-01-01T00:00:00Z,1\nA,2024-01-01T00:00:03Z,4\n",
		"device,ts,n\n",
		"device,ts,n\nB,2024-01-01T00:00:01Z,2\nB,2024-01-01T00:00:02Z,3\nB,2024-01-01T00:00:09Z,5\n")
	order := func(h *hub) (s string) {
		for _, g := range h.got {
			s += g[len(g)-2 : len(g)-1]
		}
		return s
	}
	// One row a chunk, so that the order between devices is seen.
	h, st, err := replay(t, ReplayConfig{Files: files, Order: EventTime, Rate: 10})
	if err != nil || order(h) != "12345" {
		t.Errorf("event time: %q %v", order(h), err)
	}
	if st.Rows != 5 || st.Devices != 2 || st.First.Second() != 0 || st.Last.Second() != 9 || fmt.Sprint(h.known) != "[A B]" {
		t.Errorf("%+v, registered %v", st, h.known)
	}
	if st.Took < 300*time.Millisecond {
		t.Errorf("5 rows at 10 a second took %s", st.Took)
	}
	if h, _, err = replay(t, ReplayConfig{Files: files, Order: FileOrder, Rate: 10}); err != nil || order(h) != "14235" {
		t.Errorf("file order: %q %v", order(h), err)
	}
	if !strings.HasPrefix(h.topic, "devices/B/messages/events/") || !strings.Contains(h.topic, "%24.ct=application%2Fjson") {
		t.Errorf("topic %q", h.topic)
	}
}

func TestWhatCannotBeReplayed(t *testing.T) {
	for _, c := range []struct {
		name, csv, device, time string
		order                   Order
		want                    string
	}{
		{name: "no rows", csv: "", want: "header"},
		{name: "no such device column", csv: "a,b\n1,2\n", device: "asset", want: "asset"},
		{name: "no such time column", csv: "a,b\n1,2\n", time: "when", want: "when"},
		{name: "no time to order by", csv: "a,b\n1,2\n", order: EventTime, want: "--order file"},
		{name: "a time that is none", csv: "ts\n2024-01-01\nnoon\n", want: "file-1.csv:3: column ts"},
		{name: "a part that is none", csv: "year,month,day\n2024,1,1\n2024,Jan,1\n", want: "file-1.csv:3: column month"},
		{name: "a row too short", csv: "a,b\n1,2\n3\n", want: "line 3"},
		{name: "an open quote", csv: "a,b\n1,\"2\n", want: "file-1.csv"},
		{name: "a row of two lines before", csv: "ts,v\n2024-01-01,\"a\nb\"\nnoon,1\n", want: "file-1.csv:4: column ts"},
		{name: "no device", csv: "device,b\nA,2\n,3\n", want: "file-1.csv:3: column device"},
	} {
		t.Run(c.name, func(t *testing.T) {
			order := c.order
			if order == "" {
				order = FileOrder
			}
			_, _, err := replay(t, ReplayConfig{Files: csvs(t, c.csv), Order: order, DeviceColumn: c.device, TimeColumn: c.time})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if _, _, err := replay(t, ReplayConfig{Files: []string{"nowhere.csv"}}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// What was not acknowledged is sent again as a whole.
func TestUnacknowledgedChunksAreSentAgain(t *testing.T) {
	h := &hub{fail: 1}
	var told []int64
	st, err := Replay(t.Context(), ReplayConfig{
		Files: csvs(t, "device,v\nA,1\nA,2\n"), Order: FileOrder, Dial: h.dial, Ensure: h.ensure,
		Progress: func(n int64) { told = append(told, n) },
	})
	if err != nil || st.Rows != 2 || len(h.got) != 4 || h.dials != 2 || fmt.Sprint(told) != "[2]" {
		t.Errorf("%+v %v: %q, %d connections, told %v", st, err, h.got, h.dials, told)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Replay(ctx, ReplayConfig{Files: csvs(t, "v\n1\n"), Order: FileOrder, Dial: (&hub{fail: 1 << 30}).dial, Ensure: h.ensure}); !errors.Is(err, context.Canceled) {
		t.Errorf("after a stop: %v", err)
	}
}
