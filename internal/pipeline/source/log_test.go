package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/sparksql"
)

// memLog is a log in memory.
type memLog struct {
	id    string
	start []int64
	recs  [][]eventlog.Record
}

func (m *memLog) ID() string                              { return m.id }
func (m *memLog) Partitions() int                         { return len(m.recs) }
func (m *memLog) Start(p int) int64                       { return m.start[p] }
func (m *memLog) End(p int) int64                         { return int64(len(m.recs[p])) }
func (m *memLog) Bytes(p int) int64                       { return 100 * (m.End(p) - m.start[p]) }
func (m *memLog) OffsetForTime(int, int64) (int64, error) { return 1, nil }

func (m *memLog) ReadBare(ctx context.Context, p int, from, to int64, f func(int64, *eventlog.Record) bool) error {
	return m.Read(ctx, p, from, to, func(o int64, r *eventlog.Record) bool {
		bare := *r
		bare.Headers = nil
		return f(o, &bare)
	})
}

func (m *memLog) Read(_ context.Context, p int, from, to int64, f func(int64, *eventlog.Record) bool) error {
	if from < m.start[p] {
		return eventlog.ErrOutOfRange{Start: m.start[p], End: m.End(p)}
	}
	for o := from; o < to; o++ {
		if !f(o, &m.recs[p][o]) {
			return nil
		}
	}
	return nil
}

func logOf(sizes ...int) *memLog {
	m := &memLog{id: "L"}
	for p, n := range sizes {
		var recs []eventlog.Record
		for i := range n {
			r := eventlog.Record{Key: fmt.Appendf(nil, "k%d", p), Value: fmt.Appendf(nil, "v%d", i), Timestamp: int64(1000 + i)}
			if i%2 == 1 {
				r.Headers = []eventlog.Header{{Key: "h", Value: []byte{byte(i)}}, {Key: "g"}}
				r.Key = nil
			}
			recs = append(recs, r)
		}
		m.recs, m.start = append(m.recs, recs), append(m.start, 0)
	}
	return m
}

func earliest() LogOptions {
	return LogOptions{Topic: "t", Starting: OffsetEarliest, Headers: true, FailOnDataLoss: true}
}

func TestLogSharesTheLimitAndReadsEachRecordOnce(t *testing.T) {
	ctx := context.Background()
	m := logOf(100, 10, 0, 1)
	o := earliest()
	o.MaxOffsets = 20
	l := NewLog(m, o, Limits{}, memory.DefaultAllocator)
	at, err := l.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	batches := 0
	for {
		r, ok, err := l.Next(ctx, at)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		batches++
		rd, err := l.Open(at, r.To)
		if err != nil {
			t.Fatal(err)
		}
		if rd.Rows() != r.Rows || r.Rows > 20 {
			t.Errorf("planned %d rows, the reader has %d", r.Rows, rd.Rows())
		}
		for {
			rec, err := rd.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range int(rec.NumRows()) {
				seen[rec.Column(3).ValueStr(i)+"/"+rec.Column(4).ValueStr(i)] = true
			}
			rec.Release()
		}
		at = r.To
	}
	if len(seen) != 111 || batches != 6 {
		t.Errorf("%d records in %d batches", len(seen), batches)
	}
}

func TestLogColumns(t *testing.T) {
	m := logOf(2)
	l := NewLog(m, earliest(), Limits{}, memory.DefaultAllocator)
	at, _ := l.Start(context.Background())
	r, _, err := l.Next(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	l.alloc = mem
	open := func(cols ...int) {
		t.Helper()
		rd, err := l.Open(at, r.To)
		if err != nil {
			t.Fatal(err)
		}
		if cols != nil {
			rd.Project(cols)
		}
		rec, err := rd.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer rec.Release()
		js, err := rec.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		want := `[{"headers":null,"key":"azA=","offset":0,"partition":0,"timestamp":"1970-01-01T00:00:01Z","timestampType":0,"topic":"t","value":"djA="}
,{"headers":[{"key":"h","value":"AQ=="},{"key":"g","value":null}],"key":null,"offset":1,"partition":0,"timestamp":"1970-01-01T00:00:01.001Z","timestampType":0,"topic":"t","value":"djE="}
]`
		if cols != nil {
			want = "[{\"key\":\"azA=\",\"offset\":0}\n,{\"key\":null,\"offset\":1}\n]"
		}
		if string(js) != want {
			t.Errorf("got %s\nwant %s", js, want)
		}
	}
	open()
	open(4, 0)
	rd, _ := l.Open(at, r.To)
	rd.Project([]int{})
	rec, err := rd.Next(context.Background())
	if err != nil || rec.NumRows() != 2 || rec.NumCols() != 0 {
		t.Errorf("without columns: %v, %v", rec, err)
	}
	mem.AssertSize(t, 0)
}

func TestLogRefusesAnotherOne(t *testing.T) {
	ctx := context.Background()
	l := NewLog(logOf(5, 5), earliest(), Limits{}, memory.DefaultAllocator)
	pos := func(id string, offs ...int64) json.RawMessage {
		b, _ := json.Marshal(LogPosition{Log: id, Offsets: offs})
		return b
	}
	for name, c := range map[string]struct {
		at   json.RawMessage
		want error
	}{
		"another id":        {pos("X", 0, 0), ErrOther},
		"shrunken":          {pos("L", 6, 0), ErrOther},
		"fewer partitions":  {pos("L", 0, 0, 0), ErrOther},
		"no position":       {json.RawMessage(`7`), ErrOther},
		"cut off behind us": {pos("L", 0, 0), ErrLost},
	} {
		if errors.Is(c.want, ErrLost) {
			m := logOf(5, 5)
			m.start[1] = 2
			l = NewLog(m, earliest(), Limits{}, memory.DefaultAllocator)
		}
		if _, _, err := l.Next(ctx, c.at); !errors.Is(err, c.want) && name != "cut off behind us" || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := earliest()
	o.FailOnDataLoss = false
	m := logOf(5, 5)
	m.start[1] = 2
	if r, ok, err := NewLog(m, o, Limits{}, memory.DefaultAllocator).Next(ctx, pos("L", 0, 0)); err != nil || !ok || r.Rows != 8 {
		t.Errorf("failOnDataLoss => false: %+v, %v", r, err)
	}
}

func TestLogOptions(t *testing.T) {
	hub := Hub{Topic: "telemetry", Hosts: []string{"marisma.local", "localhost"}}
	base := map[string]string{"bootstrapservers": "Marisma.Local:9093", "subscribe": "telemetry", "kafka.security.protocol": "SASL_SSL"}
	with := func(k, v string) map[string]string {
		out := map[string]string{}
		maps.Copy(out, base)
		out[k] = v
		return out
	}
	o, err := ParseLogOptions(with("startingoffsets", `{"telemetry":{"0":12,"1":-2}}`), hub, sparksql.Pos{})
	if err != nil || o.StartingOffsets[0] != 12 || o.StartingOffsets[1] != OffsetEarliest {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := ParseLogOptions(base, hub, sparksql.Pos{}); err != nil || o.Starting != OffsetLatest {
		t.Errorf("%+v, %v", o, err)
	}
	for k, v := range map[string]string{
		"bootstrapservers": "kafka.example.com:9092", "subscribe": "other", "startingoffsets": "yesterday",
		"maxoffsetspertrigger": "0", "includeheaders": "maybe", "colour": "red", "startingtimestamp": "noon",
	} {
		if _, err := ParseLogOptions(with(k, v), hub, sparksql.Pos{}); err == nil {
			t.Errorf("%s => %s passes", k, v)
		}
	}
}
