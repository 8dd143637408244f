package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/uuid"

	"github.com/marisma/marisma/internal/pipeline/journal"
)

// Bounds of the event log: how often it is appended to, and how many events
// may wait. What comes beyond the bound is counted and reported by one event.
const (
	eventEvery = 5 * time.Second
	eventMax   = 5000
)

// Levels of events.
const (
	levelInfo    = "INFO"
	levelWarn    = "WARN"
	levelError   = "ERROR"
	levelMetrics = "METRICS"
)

// event is a row of the event log, in Lakeflow's schema.
type event struct {
	at      time.Time
	kind    string // event_type
	level   string
	message string
	flow    string
	batch   int64 // -1: none
	details any
}

// events collects events and appends them to the pipeline's event log table.
type events struct {
	id, name string // of the pipeline
	log      *slog.Logger
	write    func(ctx context.Context, rec arrow.RecordBatch) error

	mu       sync.Mutex
	update   string // the current update's id
	waiting  []event
	progress map[string]*progress // by flow, since the last flush
	lost     int
	seq      int64
}

func newEvents(key, name string, log *slog.Logger) *events {
	return &events{id: key, name: name, log: log, seq: time.Now().UnixMicro()}
}

// progress sums up the batches of a flow between two appends, so that many
// small batches do not make many events.
type progress struct {
	batches int
	last    int64
	counts  journal.Counts
	backlog int64
}

// batch counts a finished batch of a flow.
func (e *events) batch(flow string, number int64, c journal.Counts, backlog int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.progress == nil {
		e.progress = map[string]*progress{}
	}
	p := e.progress[flow]
	if p == nil {
		p = &progress{}
		e.progress[flow] = p
	}
	p.batches++
	p.last, p.backlog, p.counts = number, backlog, p.counts.Plus(c)
}

// takeProgress makes events of what batch counted; e.mu is held.
func (e *events) takeProgress() []event {
	var out []event
	for _, flow := range sortedKeys(e.progress) {
		p := e.progress[flow]
		c := p.counts
		out = append(out, event{
			at: time.Now().UTC(), kind: "flow_progress", level: levelMetrics, flow: flow, batch: p.last,
			message: fmt.Sprintf("%d batches of %s: %d rows in, %d written, %d dropped.", p.batches, flow, c.In, c.Out, c.Dropped+c.Quarantined),
			details: flowProgress("RUNNING", &c, flow, p.backlog),
		})
	}
	e.progress = nil
	return out
}

// add takes an event.
func (e *events) add(ev event) {
	ev.at = time.Now().UTC()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.waiting) >= eventMax {
		e.lost++
		return
	}
	e.waiting = append(e.waiting, ev)
}

func (e *events) setUpdate(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.update = id
}

// run appends what waits every few seconds until ctx ends.
func (e *events) run(ctx context.Context) {
	t := time.NewTicker(eventEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			e.flush(ctx)
		}
	}
}

// flush appends what waits; what cannot be written is tried again later.
func (e *events) flush(ctx context.Context) {
	e.mu.Lock()
	evs, lost, update := append(e.waiting, e.takeProgress()...), e.lost, e.update
	e.waiting, e.lost = nil, 0
	seq := e.seq
	e.seq += int64(len(evs)) + 1
	e.mu.Unlock()
	if lost > 0 {
		evs = append(evs, event{at: time.Now().UTC(), kind: "maintenance_progress", level: levelWarn, batch: -1,
			message: "Some events came faster than they could be kept.", details: map[string]any{"lost_events": lost}})
	}
	if len(evs) == 0 || e.write == nil {
		return
	}
	rec, err := e.rows(evs, update, seq)
	if err == nil {
		defer rec.Release()
		err = e.write(ctx, rec)
	}
	if err == nil {
		return
	}
	e.log.Warn("event log cannot be written", "events", len(evs), "error", err)
	e.mu.Lock()
	defer e.mu.Unlock()
	keep := evs[:min(len(evs), eventMax-len(e.waiting))]
	e.lost += len(evs) - len(keep)
	e.waiting = append(append([]event{}, keep...), e.waiting...)
}

func text(name, comment string) arrow.Field {
	f := arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
	if comment != "" {
		f.Metadata = arrow.NewMetadata([]string{"comment"}, []string{comment})
	}
	return f
}

// eventSchema is Lakeflow's event log.
func eventSchema() *arrow.Schema {
	number := arrow.PrimitiveTypes.Int64
	return arrow.NewSchema([]arrow.Field{
		text("id", "Unique id of the event"),
		{Name: "sequence", Nullable: true, Type: arrow.StructOf(
			arrow.Field{Name: "data_plane_id", Nullable: true, Type: arrow.StructOf(
				text("instance", ""), arrow.Field{Name: "seq_no", Type: number, Nullable: true},
			)},
			arrow.Field{Name: "control_plane_seq_no", Type: number, Nullable: true},
		)},
		{Name: "origin", Nullable: true, Type: arrow.StructOf(
			text("pipeline_id", ""), text("pipeline_name", ""), text("update_id", ""),
			text("flow_name", ""), text("dataset_name", ""), arrow.Field{Name: "batch_id", Type: number, Nullable: true},
		)},
		{Name: "timestamp", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
		text("message", "What happened, for people"),
		text("level", "INFO, WARN, ERROR or METRICS"),
		text("maturity_level", "How stable the event's form is"),
		text("event_type", "What happened, for programs"),
		text("details", "The event's own data, as JSON"),
	}, nil)
}

// rows makes the rows of events.
func (e *events) rows(evs []event, update string, seq int64) (arrow.RecordBatch, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, eventSchema())
	defer b.Release()
	str := func(i int) *array.StringBuilder { return b.Field(i).(*array.StringBuilder) } //nolint:forcetypeassert // eventSchema says so
	sequence := b.Field(1).(*array.StructBuilder)                                        //nolint:forcetypeassert // as above
	plane := sequence.FieldBuilder(0).(*array.StructBuilder)                             //nolint:forcetypeassert // as above
	origin := b.Field(2).(*array.StructBuilder)                                          //nolint:forcetypeassert // as above
	for i, ev := range evs {
		details, err := json.Marshal(ev.details)
		if err != nil {
			return nil, err
		}
		str(0).Append(uuid.NewString())
		sequence.Append(true)
		plane.Append(true)
		putText(plane.FieldBuilder(0), e.id)
		putInt(plane.FieldBuilder(1), seq+int64(i))
		sequence.FieldBuilder(1).AppendNull()
		origin.Append(true)
		for j, s := range []string{e.id, e.name, update, ev.flow, ev.flow} {
			putText(origin.FieldBuilder(j), s)
		}
		putInt(origin.FieldBuilder(5), ev.batch)
		b.Field(3).(*array.TimestampBuilder).Append(arrow.Timestamp(ev.at.UnixMicro())) //nolint:forcetypeassert // as above
		str(4).Append(ev.message)
		str(5).Append(ev.level)
		str(6).Append("STABLE")
		str(7).Append(ev.kind)
		str(8).Append(string(details))
	}
	return b.NewRecordBatch(), nil
}

func putText(b array.Builder, s string) {
	sb, ok := b.(*array.StringBuilder)
	if !ok || s == "" {
		b.AppendNull()
		return
	}
	sb.Append(s)
}

func putInt(b array.Builder, n int64) {
	ib, ok := b.(*array.Int64Builder)
	if !ok || n < 0 {
		b.AppendNull()
		return
	}
	ib.Append(n)
}

// flowProgress is details:flow_progress.
func flowProgress(status string, c *journal.Counts, dataset string, backlog int64) map[string]any {
	p := map[string]any{"status": status}
	if c != nil {
		p["metrics"] = map[string]any{"num_output_rows": c.Out, "num_input_rows": c.In, "backlog_records": backlog}
		q := map[string]any{"dropped_records": c.Dropped + c.Quarantined, "quarantined_records": c.Quarantined}
		list := []map[string]any{}
		for _, name := range sortedKeys(c.Expectations) {
			t := c.Expectations[name]
			list = append(list, map[string]any{
				"name": name, "dataset": dataset, "passed_records": t.Passed, "failed_records": t.Failed,
			})
		}
		if len(list) > 0 {
			q["expectations"] = list
		}
		p["data_quality"] = q
	}
	return map[string]any{"flow_progress": p}
}
