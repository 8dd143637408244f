package fleet

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Kind is a kind of machine with what it measures.
type Kind string

// The five kinds of the example plant; the name before the dash of a device
// ID tells the kind.
const (
	Press   Kind = "press"
	Oven    Kind = "oven"
	Pump    Kind = "pump"
	Chiller Kind = "chiller"
	Air     Kind = "air"
)

// signal is one measured value: a base, a daily swing, noise and the physical
// unit's rounding.
type signal struct {
	name               string
	base, swing, noise float64
	digits             int
}

var kinds = map[Kind][]signal{
	Press:   {{"temperature", 58, 6, 1.5, 1}, {"pressure", 182, 9, 4, 1}, {"vibration", 3.1, 0.6, 0.4, 2}, {"power_kw", 31, 7, 2.5, 2}},
	Oven:    {{"temperature", 242, 14, 3, 1}, {"power_kw", 84, 12, 5, 2}, {"humidity", 6, 2, 0.7, 1}},
	Pump:    {{"temperature", 49, 5, 1, 1}, {"pressure", 6.4, 0.5, 0.2, 2}, {"vibration", 2.2, 0.4, 0.3, 2}, {"power_kw", 12, 2, 0.8, 2}},
	Chiller: {{"temperature", 6.5, 1.5, 0.4, 1}, {"pressure", 11, 1, 0.3, 2}, {"power_kw", 38, 9, 2, 2}},
	Air:     {{"temperature", 23, 4, 0.5, 1}, {"humidity", 48, 9, 2, 1}, {"co2", 620, 180, 25, 0}, {"pm25", 14, 6, 3, 1}},
}

// Dirt is the share of messages, from 0 to 1, that carry each fault.
type Dirt struct {
	Null, Stuck, Outlier, Duplicate, Late, Future, Malformed, WrongType float64
}

// HonestDirt is about what a real plant sends.
var HonestDirt = Dirt{
	Null: 0.01, Stuck: 0.002, Outlier: 0.002, Duplicate: 0.005,
	Late: 0.003, Future: 0.001, Malformed: 0.002, WrongType: 0.001,
}

// Machine makes the messages of one device. The same seed, device and times
// make the same messages. It is not safe for concurrent use.
type Machine struct {
	id      string
	signals []signal
	rng     *rand.Rand
	dirt    Dirt
	phase   float64
	seq     int64
	stuck   map[string]stuckValue
	last    []byte
}

// stuckValue is a reading that a hung sensor repeats.
type stuckValue struct {
	value string
	left  int
}

// NewMachine makes a machine; a device ID of unknown kind measures as a pump.
// Sequence numbers start at firstSeq.
func NewMachine(id string, seed uint64, dirt Dirt, firstSeq int64) *Machine {
	kind, _, _ := strings.Cut(id, "-")
	s, ok := kinds[Kind(kind)]
	if !ok {
		s = kinds[Pump]
	}
	h := seed
	for _, c := range []byte(id) {
		h = h*1099511628211 + uint64(c)
	}
	rng := rand.New(rand.NewPCG(seed, h))
	return &Machine{id: id, signals: s, rng: rng, dirt: dirt, phase: rng.Float64() * 2 * math.Pi, seq: firstSeq, stuck: map[string]stuckValue{}}
}

func (m *Machine) chance(p float64) bool { return p > 0 && m.rng.Float64() < p }

// Message appends the JSON body of the reading at time t to dst. again tells
// that the body is a repetition of the last one, as a device sends whose
// acknowledgement was lost.
func (m *Machine) Message(dst []byte, t time.Time) (body []byte, again bool) {
	if len(m.last) > 0 && m.chance(m.dirt.Duplicate) {
		return append(dst, m.last...), true
	}
	start := len(dst)
	dst = m.reading(dst, t)
	m.last = append(m.last[:0], dst[start:]...)
	return dst, false
}

func (m *Machine) reading(dst []byte, t time.Time) []byte {
	m.seq++
	if m.chance(m.dirt.Malformed) {
		return append(dst, `{"ts":"`+t.UTC().Format(time.RFC3339)+`","seq":`...)
	}
	switch {
	case m.chance(m.dirt.Future):
		t = t.Add(time.Duration(1+m.rng.IntN(72)) * time.Hour)
	case m.chance(m.dirt.Late):
		t = t.Add(-time.Duration(10+m.rng.IntN(110)) * time.Minute)
	}
	dst = append(dst, `{"ts":"`...)
	dst = t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, `","seq":`...)
	dst = strconv.AppendInt(dst, m.seq, 10)
	for _, s := range m.signals {
		dst = append(dst, `,"`...)
		dst = append(dst, s.name...)
		dst = append(dst, `":`...)
		dst = m.value(dst, s, t)
	}
	dst = append(dst, `,"status":"`...)
	dst = append(dst, m.status()...)
	return append(dst, `"}`...)
}

func (m *Machine) status() string {
	switch r := m.rng.Float64(); {
	case r < 0.004:
		return "fault"
	case r < 0.03:
		return "idle"
	}
	return "running"
}

func (m *Machine) value(dst []byte, s signal, t time.Time) []byte {
	switch {
	case m.chance(m.dirt.Null):
		return append(dst, "null"...)
	case m.chance(m.dirt.WrongType):
		return append(dst, `"n/a"`...)
	case m.chance(m.dirt.Outlier):
		return strconv.AppendFloat(dst, s.base*(20+m.rng.Float64()*30), 'f', s.digits, 64)
	}
	if k, ok := m.stuck[s.name]; ok && k.left > 0 {
		m.stuck[s.name] = stuckValue{k.value, k.left - 1}
		return append(dst, k.value...)
	}
	day := float64(t.Unix()%86400) / 86400 * 2 * math.Pi
	v := s.base + s.swing*math.Sin(day+m.phase) + s.noise*m.rng.NormFloat64()
	text := strconv.FormatFloat(v, 'f', s.digits, 64)
	if m.chance(m.dirt.Stuck) {
		m.stuck[s.name] = stuckValue{text, 10 + m.rng.IntN(40)}
	}
	return append(dst, text...)
}
