package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/uuid"

	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/pipeline/source"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// stream is a flow's streaming source; *source.Log and *source.Delta are.
type stream interface {
	Key() string
	// Moving tells that Start is another one later, so that it is noted when
	// the checkpoint begins.
	Moving() bool
	Start(ctx context.Context) (json.RawMessage, error)
	Next(ctx context.Context, from json.RawMessage) (source.Range, bool, error)
	Backlog(ctx context.Context, from json.RawMessage) (source.Backlog, error)
}

// batches is the result of a batch's query: the table's columns, then one
// boolean column per expectation. Close is called once.
type batches interface {
	Next() (arrow.RecordBatch, error)
	Close()
}

// executor runs the query of a flow over what a plan names.
type executor interface {
	// pins are the versions of what the flow reads as it stands.
	pins(ctx context.Context, f *flow) ([]journal.Pin, error)
	// run fails with errPins where a pinned version is gone.
	run(ctx context.Context, f *flow, p *journal.Plan) (batches, error)
}

// errPins: what a plan has pinned cannot be read any more.
var errPins = errors.New("pipeline: a pinned version is gone")

// flow fills one dataset.
type flow struct {
	ds         *dataset
	name       string // the dataset's full name
	journal    *journal.Journal
	exec       executor
	stream     stream // nil for materialized views
	main       *sink
	aside      *sink // quarantine, nil without
	rules      []plan.Expectation
	interval   time.Duration
	upstream   []*flow       // of this pipeline, all that it reads
	downstream []*flow       // of this pipeline, those that read it
	kick       chan struct{} // an input has changed; holds one
	log        *slog.Logger
	report     func(report)             // progress, for events and metrics
	floor      func(at json.RawMessage) // tells the log how far it has been read

	mu    sync.Mutex // held over a batch and over a reset
	state flowState
}

// report tells what became of a batch.
type report struct {
	flow    *flow
	batch   int64
	counts  journal.Counts
	version int64
	took    phases
	commits bool
}

// phases are the durations of a batch's steps.
type phases struct {
	plan, run, prepare, commit, total time.Duration
}

// step does one batch, or finishes the one under way. more tells that the
// source holds more; did that there was a batch at all. f.mu is held.
func (f *flow) step(ctx context.Context) (did, more bool, err error) {
	st, ok := f.journal.Flow(f.name)
	if !ok || st.Emptying {
		return false, false, fmt.Errorf("pipeline: flow %s has no checkpoint", f.name)
	}
	begin := time.Now()
	var took phases
	if st.Prepared != nil {
		return true, true, f.finish(context.WithoutCancel(ctx), st, took, begin)
	}
	if st.Plan != nil {
		if st, err = f.renew(ctx, st); err != nil {
			return false, false, err
		}
	} else {
		var p *journal.Plan
		if p, more, err = f.plan(ctx, st); err != nil || p == nil {
			return false, false, err
		}
		if err := f.journal.Plan(*p); err != nil {
			return false, false, err
		}
		st.Plan = p
	}
	took.plan = time.Since(begin)
	f.state.started(st.Plan.Batch)
	prep, err := f.run(ctx, st)
	if errors.Is(err, errPins) {
		// Nothing of the batch is in a table: it is planned anew.
		err = f.abandon(st)
		return true, true, err
	}
	if err != nil {
		return false, false, err
	}
	took.run = time.Since(begin) - took.plan
	if len(prep.Tables) == 0 {
		done := journal.Done{Flow: f.name, Checkpoint: st.Checkpoint, Batch: prep.Batch, Counts: &prep.Counts, Digest: prep.Digest}
		if err := f.journal.Done(done); err != nil {
			return false, false, err
		}
		took.total = time.Since(begin)
		f.after(st, prep, took, -1)
		return true, more, nil
	}
	if err := f.journal.Prepare(*prep); err != nil {
		return false, false, err
	}
	st.Prepared = prep
	took.prepare = time.Since(begin) - took.plan - took.run
	// What is prepared is finished, even while stopping.
	return true, more, f.finish(context.WithoutCancel(ctx), st, took, begin)
}

// plan says what the next batch does; nil where there is nothing to do.
func (f *flow) plan(ctx context.Context, st journal.Flow) (*journal.Plan, bool, error) {
	p := &journal.Plan{
		Flow: f.name, Checkpoint: st.Checkpoint, Batch: st.Batch + 1,
		Time: time.Now().UTC().Truncate(time.Microsecond), Hash: f.ds.hash,
	}
	pins, err := f.pins(ctx)
	if err != nil {
		return nil, false, err
	}
	p.Pins = pins
	if f.stream == nil {
		if slices.Equal(pins, st.Pins) && st.Batch > 0 {
			return nil, false, nil
		}
		return p, false, nil
	}
	from, err := f.position(ctx, st)
	if err != nil {
		return nil, false, err
	}
	r, ok, err := f.stream.Next(ctx, from)
	if err != nil || !ok {
		return nil, false, err
	}
	p.Ranges = []journal.Range{{Source: f.stream.Key(), From: from, To: r.To}}
	return p, r.More, nil
}

// position is where the next batch begins.
func (f *flow) position(ctx context.Context, st journal.Flow) (json.RawMessage, error) {
	key := f.stream.Key()
	if at, ok := st.Positions[key]; ok {
		return at, nil
	}
	for other := range st.Positions {
		return nil, fmt.Errorf("%w: %s reads %s now, its checkpoint belongs to %s. Reset the table to begin with the new source",
			source.ErrOther, f.name, key, other)
	}
	return f.stream.Start(ctx)
}

// queryPin is the name under which a view's query is pinned, so that a changed
// query is computed anew like a changed input.
const queryPin = "query"

func (f *flow) pins(ctx context.Context) ([]journal.Pin, error) {
	pins, err := f.exec.pins(ctx, f)
	if err == nil && f.stream == nil {
		pins = append(pins, journal.Pin{Name: queryPin, ID: f.ds.hash})
	}
	return pins, err
}

// renew goes over the plan of a batch that did not get as far as Prepared: it
// stays as it is, unless it was made for another query or for a view, which
// is computed from what stands now.
func (f *flow) renew(ctx context.Context, st journal.Flow) (journal.Flow, error) {
	if f.stream != nil && st.Plan.Hash == f.ds.hash {
		return st, nil
	}
	old := st.Plan
	if err := f.abandon(st); err != nil {
		return st, err
	}
	pins, err := f.pins(ctx)
	if err != nil {
		return st, err
	}
	next := *old
	next.Pins, next.Hash = pins, f.ds.hash
	next.Time = time.Now().UTC().Truncate(time.Microsecond)
	if err := f.journal.Plan(next); err != nil {
		return st, err
	}
	st.Plan = &next
	return st, nil
}

func (f *flow) abandon(st journal.Flow) error {
	return f.journal.Abandon(journal.Abandon{Flow: f.name, Checkpoint: st.Checkpoint, Batch: st.Plan.Batch})
}

// finish commits the tables of a prepared batch and ends it.
func (f *flow) finish(ctx context.Context, st journal.Flow, took phases, begin time.Time) error {
	prep := st.Prepared
	before := time.Now()
	version := int64(-1)
	for _, c := range prep.Tables {
		s := f.sink(c.Name)
		if s == nil {
			return fmt.Errorf("pipeline: batch %d of %s was prepared for %s, which is no table of it any more. Reset the table", prep.Batch, f.name, c.Name)
		}
		v, err := s.commit(ctx, c, st.Checkpoint, prep.Batch, f.operation())
		if err != nil {
			return err
		}
		if s == f.main {
			version = v
		}
	}
	if err := f.journal.Done(journal.Done{Flow: f.name, Checkpoint: st.Checkpoint, Batch: prep.Batch}); err != nil {
		return err
	}
	took.commit = time.Since(before)
	took.total = time.Since(begin)
	f.after(st, prep, took, version)
	return nil
}

func (f *flow) operation() string {
	if f.stream == nil {
		return "WRITE"
	}
	return "STREAMING UPDATE"
}

// after tells the world of a finished batch.
func (f *flow) after(st journal.Flow, prep *journal.Prepared, took phases, version int64) {
	if f.floor != nil && len(st.Plan.Ranges) > 0 {
		f.floor(st.Plan.Ranges[0].To)
	}
	f.state.finished(prep.Batch, prep.Counts, version, took.total)
	if len(prep.Tables) > 0 {
		f.tell()
	}
	if f.report != nil {
		f.report(report{f, prep.Batch, prep.Counts, version, took, len(prep.Tables) > 0})
	}
}

func (f *flow) sink(name string) *sink {
	for _, s := range f.sinks() {
		if s.name == name {
			return s
		}
	}
	return nil
}

func (f *flow) sinks() []*sink {
	if f.aside == nil {
		return []*sink{f.main}
	}
	return []*sink{f.main, f.aside}
}

// begin starts a checkpoint where the flow has none, notes a changed query,
// and finishes what a crash or a reset left undone. f.mu is held.
func (f *flow) begin(ctx context.Context) (changed bool, err error) {
	st, ok := f.journal.Flow(f.name)
	if !ok {
		if err := f.newCheckpoint(ctx, false); err != nil {
			return false, err
		}
		st, _ = f.journal.Flow(f.name)
	}
	if err := f.checkJournal(ctx, st); err != nil {
		return false, err
	}
	if st.Emptying {
		if err := f.empty(ctx, st); err != nil {
			return false, err
		}
	}
	if st.Hash != f.ds.hash {
		changed = true
		if err := f.journal.Change(journal.Change{Flow: f.name, Checkpoint: st.Checkpoint, Hash: f.ds.hash}); err != nil {
			return false, err
		}
	}
	if st.Prepared != nil {
		if err := f.finish(ctx, st, phases{}, time.Now()); err != nil {
			return changed, err
		}
		st, _ = f.journal.Flow(f.name)
	}
	f.state.restore(st)
	if f.floor != nil {
		at, err := f.position(ctx, st)
		if err != nil {
			return changed, err
		}
		f.floor(at)
	}
	return changed, nil
}

// newCheckpoint begins anew, at the source's start.
func (f *flow) newCheckpoint(ctx context.Context, empty bool) error {
	b := journal.Begin{
		Flow: f.name, Checkpoint: uuid.NewString(), Hash: f.ds.hash, Empty: empty,
		Time: time.Now().UTC().Truncate(time.Microsecond),
	}
	if f.stream != nil && f.stream.Moving() {
		at, err := f.stream.Start(ctx)
		if err != nil {
			return err
		}
		b.Positions = map[string]json.RawMessage{f.stream.Key(): at}
	}
	return f.journal.Begin(b)
}

// checkJournal refuses a journal that is behind its tables: batches would be
// taken for committed that are not.
func (f *flow) checkJournal(ctx context.Context, st journal.Flow) error {
	known := st.Batch
	if st.Prepared != nil {
		known = st.Prepared.Batch
	}
	for _, s := range f.sinks() {
		got, err := s.recorded(ctx, st.Checkpoint)
		if err != nil {
			return err
		}
		if got > known {
			return fmt.Errorf("pipeline: table %s holds batch %d, but the journal knows of batches up to %d only: an old copy of it was put back, or it was damaged. Put the right one back, or reset %s",
				s.name, got, known, f.name)
		}
	}
	return nil
}

// empty takes all rows out of the flow's tables, as batch 0 of its checkpoint.
func (f *flow) empty(ctx context.Context, st journal.Flow) error {
	for _, s := range f.sinks() {
		c := journal.TableCommit{Name: s.name, ID: s.table.ID(), Overwrite: true}
		if _, err := s.commit(ctx, c, st.Checkpoint, 0, "TRUNCATE"); err != nil {
			return err
		}
	}
	return f.journal.Ready(journal.Ready{Flow: f.name, Checkpoint: st.Checkpoint})
}

// reset begins a new checkpoint over emptied tables. f.mu is held.
func (f *flow) reset(ctx context.Context) error {
	if err := f.newCheckpoint(ctx, true); err != nil {
		return err
	}
	_, err := f.begin(ctx)
	f.tell()
	return err
}

// tell wakes the flows that read this one.
func (f *flow) tell() {
	for _, d := range f.downstream {
		d.poke()
	}
}

// poke wakes the flow's loop.
func (f *flow) poke() {
	select {
	case f.kick <- struct{}{}:
	default: // it is going to look anyway
	}
}
