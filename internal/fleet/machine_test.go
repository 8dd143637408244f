package fleet

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

type reading struct {
	TS     time.Time `json:"ts"`
	Seq    int64     `json:"seq"`
	Status string    `json:"status"`
}

func TestACleanMachine(t *testing.T) {
	at := time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC)
	for _, id := range []string{"press-01", "oven-01", "pump-01", "chiller-01", "air-01", "unheard-of"} {
		m := NewMachine(id, 7, Dirt{}, 100)
		for i := range 200 {
			when := at.Add(time.Duration(i) * 5 * time.Second)
			body, again := m.Message(nil, when)
			var r reading
			if err := json.Unmarshal(body, &r); err != nil || again {
				t.Fatalf("%s: %s %v", id, body, err)
			}
			if r.Seq != int64(101+i) || !r.TS.Equal(when) || r.Status == "" || strings.Contains(string(body), "null") {
				t.Fatalf("%s: %s", id, body)
			}
		}
	}
}

func TestTheSameSeedMakesTheSameMessages(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	say := func(id string, seed uint64) string {
		m := NewMachine(id, seed, HonestDirt, 0)
		var b []byte
		for i := range 500 {
			b, _ = m.Message(b, at.Add(time.Duration(i)*time.Second))
		}
		return string(b)
	}
	first := say("press-01", 1)
	if say("press-01", 1) != first {
		t.Error("two fleets of one seed differ")
	}
	if first == say("press-02", 1) || first == say("press-01", 2) {
		t.Error("other devices or seeds say the same")
	}
}

// Each kind of dirt comes about as often as it is asked for, and only then.
func TestDirt(t *testing.T) {
	at := time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC)
	const n = 20000
	type count struct{ null, wrong, malformed, late, future, again, outlier int }
	run := func(d Dirt) (c count) {
		m := NewMachine("oven-01", 3, d, 0)
		var last string
		for range n {
			body, again := m.Message(nil, at)
			text := string(body)
			if again {
				c.again++
				if text != last {
					t.Fatalf("a repetition differs: %s after %s", text, last)
				}
				continue
			}
			last = text
			var r struct {
				reading
				Temperature any `json:"temperature"`
			}
			switch err := json.Unmarshal(body, &r); {
			case err != nil:
				c.malformed++
				continue
			case r.TS.Before(at):
				c.late++
			case r.TS.After(at):
				c.future++
			}
			switch v := r.Temperature.(type) {
			case nil:
				c.null++
			case string:
				c.wrong++
			case float64:
				if v > 1000 {
					c.outlier++
				}
			}
		}
		return c
	}
	if c := run(Dirt{}); c != (count{}) {
		t.Errorf("dirt that nobody asked for: %+v", c)
	}
	near := func(what string, got int, p float64) {
		if f := float64(got) / n; f < p*0.8 || f > p*1.2 {
			t.Errorf("%s: %.4f of the messages, want %.4f", what, f, p)
		}
	}
	near("null", run(Dirt{Null: 0.1}).null, 0.1)
	near("wrong type", run(Dirt{WrongType: 0.1}).wrong, 0.1)
	near("malformed", run(Dirt{Malformed: 0.1}).malformed, 0.1)
	near("late", run(Dirt{Late: 0.1}).late, 0.1)
	near("future", run(Dirt{Future: 0.1}).future, 0.1)
	near("duplicate", run(Dirt{Duplicate: 0.1}).again, 0.1)
	near("outlier", run(Dirt{Outlier: 0.1}).outlier, 0.1)
}

func TestSimulateCounts(t *testing.T) {
	h := &hub{fail: 2}
	sent, err := Simulate(t.Context(), SimulateConfig{
		Devices: []string{"press-01", "oven-01"}, Interval: 10 * time.Millisecond, History: 3 * time.Second, Count: 2, Seed: 1, Dial: h.dial,
	})
	// 300 of history and 2 live messages a device.
	if err != nil || sent.Messages != 604 || sent.History {
		t.Errorf("%+v %v", sent, err)
	}
	unique := map[string]bool{}
	for _, g := range h.got {
		unique[g] = true
	}
	if len(unique) != 604 || len(h.got) <= 604 {
		t.Errorf("%d messages, %d of them different; none was left out and broken chunks came again", len(h.got), len(unique))
	}
	if !strings.Contains(h.topic, "firmware=2.") {
		t.Errorf("topic %q", h.topic)
	}
}
