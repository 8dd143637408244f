package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/uuid"

	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/pipeline/source"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Stream is a flow's streaming source; *source.Log and *source.Delta are.
type Stream interface {
	Key() string
	// Moving tells that Start is another one later, so that it is noted when
	// the checkpoint begins.
	Moving() bool
	Start(ctx context.Context) (json.RawMessage, error)
	Next(ctx context.Context, from json.RawMessage) (source.Range, bool, error)
	Backlog(ctx context.Context, from json.RawMessage) (source.Backlog, error)
}

// Batches is the result of a batch's query: the table's columns, then one
// boolean column per expectation. The receiver of Next releases the batch;
// io.EOF is the end. Close is called once.
type Batches interface {
	Next() (arrow.RecordBatch, error)
	Close()
}

// Executor runs the flow's query over what a plan names.
type Executor interface {
	// Pins are the versions of what the flow reads as it stands.
	Pins(ctx context.Context) ([]journal.Pin, error)
	// Run fails with ErrPins where a pinned version is gone.
	Run(ctx context.Context, p *journal.Plan) (Batches, error)
}

// ErrPins says that what a plan has pinned cannot be read any more.
var ErrPins = errors.New("flow: a pinned version is gone")

// Config of a Flow.
type Config struct {
	Name    string // the dataset's full name
	Hash    string // of its query
	Columns []string
	Rules   []plan.Expectation
	Journal *journal.Journal
	Exec    Executor
	Stream  Stream // nil: a view, computed anew when an input has changed
	Main    *Sink
	Aside   *Sink // quarantine, nil without
	Alloc   memory.Allocator
	// Floor, if set, is told how far the stream has been read.
	Floor func(at json.RawMessage)
	// Done, if set, is told of each finished batch.
	Done func(Report)
}

// Flow fills one dataset. See the package comment.
type Flow struct {
	cfg Config
	mu  sync.Mutex
	// begun is set once Begin has gone through; without it no batch may run.
	begun bool
	// State is what the flow is doing.
	State State
}

// New does no I/O.
func New(cfg Config) *Flow {
	f := &Flow{cfg: cfg}
	f.State.version = -1
	return f
}

// Name is the dataset's full name.
func (f *Flow) Name() string { return f.cfg.Name }

// Streaming tells whether the flow reads a stream.
func (f *Flow) Streaming() bool { return f.cfg.Stream != nil }

// Lock waits until no batch and no reset is under way.
func (f *Flow) Lock() { f.mu.Lock() }

// Unlock ends Lock.
func (f *Flow) Unlock() { f.mu.Unlock() }

// Report tells what became of a batch.
type Report struct {
	Batch     int64
	Counts    journal.Counts
	Version   int64 // of the dataset's table, -1 where it was not committed to
	Committed bool
	Took      Phases
}

// Phases are the durations of a batch's steps.
type Phases struct {
	Plan, Run, Prepare, Commit, Total time.Duration
}

// Step does one batch, or finishes the one under way. more tells that the
// source holds more; did that there was a batch at all. The flow is locked.
func (f *Flow) Step(ctx context.Context) (did, more bool, err error) {
	st, ok := f.cfg.Journal.Flow(f.cfg.Name)
	if !ok || !f.begun {
		return false, false, fmt.Errorf("flow: %s has not begun", f.cfg.Name)
	}
	begin := time.Now()
	var took Phases
	if st.Prepared != nil {
		return true, true, f.finish(context.WithoutCancel(ctx), st, took, begin)
	}
	if st.Plan != nil {
		if st, err = f.renew(ctx, st); err != nil {
			return false, false, err
		}
		more = true // than was there when it was planned, perhaps
	} else {
		var p *journal.Plan
		if p, more, err = f.plan(ctx, st); err != nil || p == nil {
			return false, false, err
		}
		if err := f.cfg.Journal.Plan(*p); err != nil {
			return false, false, err
		}
		st.Plan = p
	}
	took.Plan = time.Since(begin)
	f.State.Set(Running)
	prep, err := f.run(ctx, st)
	if errors.Is(err, ErrPins) {
		// Nothing of the batch is in a table: it is planned anew.
		err = f.abandon(st)
		return true, true, err
	}
	if err != nil {
		return false, false, err
	}
	took.Run = time.Since(begin) - took.Plan
	if len(prep.Tables) == 0 {
		done := journal.Done{Flow: f.cfg.Name, Checkpoint: st.Checkpoint, Batch: prep.Batch, Counts: &prep.Counts, Digest: prep.Digest}
		if err := f.cfg.Journal.Done(done); err != nil {
			return false, false, err
		}
		took.Total = time.Since(begin)
		f.after(st, prep, took, -1)
		return true, more, nil
	}
	if err := f.cfg.Journal.Prepare(*prep); err != nil {
		return false, false, err
	}
	st.Prepared = prep
	took.Prepare = time.Since(begin) - took.Plan - took.Run
	// What is prepared is finished, even while stopping.
	return true, more, f.finish(context.WithoutCancel(ctx), st, took, begin)
}

// plan says what the next batch does; nil where there is nothing to do.
func (f *Flow) plan(ctx context.Context, st journal.Flow) (*journal.Plan, bool, error) {
	p := &journal.Plan{
		Flow: f.cfg.Name, Checkpoint: st.Checkpoint, Batch: st.Batch + 1,
		Time: time.Now().UTC().Truncate(time.Microsecond), Hash: f.cfg.Hash,
	}
	pins, err := f.pins(ctx)
	if err != nil {
		return nil, false, err
	}
	p.Pins = pins
	if f.cfg.Stream == nil {
		if slices.Equal(pins, st.Pins) && st.Batch > 0 {
			return nil, false, nil
		}
		return p, false, nil
	}
	from, err := f.position(ctx, st)
	if err != nil {
		return nil, false, err
	}
	r, ok, err := f.cfg.Stream.Next(ctx, from)
	if err != nil || !ok {
		return nil, false, err
	}
	p.Ranges = []journal.Range{{Source: f.cfg.Stream.Key(), From: from, To: r.To, Rows: r.Rows}}
	return p, r.More, nil
}

// position is where the next batch begins.
func (f *Flow) position(ctx context.Context, st journal.Flow) (json.RawMessage, error) {
	key := f.cfg.Stream.Key()
	if at, ok := st.Positions[key]; ok {
		return at, nil
	}
	for other := range st.Positions {
		return nil, fmt.Errorf("%w: %s reads %s now, its checkpoint belongs to %s. Reset the table to begin with the new source",
			source.ErrOther, f.cfg.Name, key, other)
	}
	return f.cfg.Stream.Start(ctx)
}

// queryPin is the name under which a view's query is pinned, so that a changed
// query is computed anew like a changed input.
const queryPin = "query"

func (f *Flow) pins(ctx context.Context) ([]journal.Pin, error) {
	pins, err := f.cfg.Exec.Pins(ctx)
	if err == nil && f.cfg.Stream == nil {
		pins = append(pins, journal.Pin{Name: queryPin, ID: f.cfg.Hash})
	}
	return pins, err
}

// renew goes over the plan of a batch that did not get as far as Prepared: it
// stays as it is, unless it was made for another query or for a view, which
// is computed from what stands now.
func (f *Flow) renew(ctx context.Context, st journal.Flow) (journal.Flow, error) {
	if f.cfg.Stream != nil && st.Plan.Hash == f.cfg.Hash {
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
	next.Pins, next.Hash = pins, f.cfg.Hash
	next.Time = time.Now().UTC().Truncate(time.Microsecond)
	if err := f.cfg.Journal.Plan(next); err != nil {
		return st, err
	}
	st.Plan = &next
	return st, nil
}

func (f *Flow) abandon(st journal.Flow) error {
	return f.cfg.Journal.Abandon(journal.Abandon{Flow: f.cfg.Name, Checkpoint: st.Checkpoint, Batch: st.Plan.Batch})
}

// finish commits the tables of a prepared batch and ends it.
func (f *Flow) finish(ctx context.Context, st journal.Flow, took Phases, begin time.Time) error {
	prep := st.Prepared
	before := time.Now()
	version := int64(-1)
	for _, c := range prep.Tables {
		s := f.sink(c.Name)
		if s == nil {
			return fmt.Errorf("pipeline: batch %d of %s was prepared for %s, which is no table of it any more. Reset the table", prep.Batch, f.cfg.Name, c.Name)
		}
		v, err := s.commit(ctx, c, st.Checkpoint, prep.Batch, f.operation())
		if err != nil {
			return err
		}
		if s == f.cfg.Main {
			version = v
		}
	}
	if err := f.cfg.Journal.Done(journal.Done{Flow: f.cfg.Name, Checkpoint: st.Checkpoint, Batch: prep.Batch}); err != nil {
		return err
	}
	took.Commit = time.Since(before)
	took.Total = time.Since(begin)
	f.after(st, prep, took, version)
	return nil
}

func (f *Flow) operation() string {
	if f.cfg.Stream == nil {
		return "WRITE"
	}
	return "STREAMING UPDATE"
}

// after tells the world of a finished batch.
func (f *Flow) after(st journal.Flow, prep *journal.Prepared, took Phases, version int64) {
	if f.cfg.Floor != nil && len(st.Plan.Ranges) > 0 {
		f.cfg.Floor(st.Plan.Ranges[0].To)
	}
	f.State.finished(prep.Batch, prep.Counts, version, took.Total, f.cfg.Stream == nil)
	if f.cfg.Done != nil {
		f.cfg.Done(Report{prep.Batch, prep.Counts, version, len(prep.Tables) > 0, took})
	}
}

func (f *Flow) sink(name string) *Sink {
	for _, s := range f.sinks() {
		if s.Name == name {
			return s
		}
	}
	return nil
}

func (f *Flow) sinks() []*Sink {
	if f.cfg.Aside == nil {
		return []*Sink{f.cfg.Main}
	}
	return []*Sink{f.cfg.Main, f.cfg.Aside}
}

// Begin starts a checkpoint where the flow has none, notes a changed query,
// and finishes what a crash or a reset left undone. The flow is locked.
func (f *Flow) Begin(ctx context.Context) (changed bool, err error) {
	st, ok := f.cfg.Journal.Flow(f.cfg.Name)
	if !ok {
		if err := f.newCheckpoint(ctx, false); err != nil {
			return false, err
		}
		st, _ = f.cfg.Journal.Flow(f.cfg.Name)
	}
	if err := f.checkJournal(ctx, st); err != nil {
		return false, err
	}
	if st.Emptying {
		if err := f.empty(ctx, st); err != nil {
			return false, err
		}
	}
	if st.Hash != f.cfg.Hash {
		changed = true
		if err := f.cfg.Journal.Change(journal.Change{Flow: f.cfg.Name, Checkpoint: st.Checkpoint, Hash: f.cfg.Hash}); err != nil {
			return false, err
		}
	}
	if st.Prepared != nil {
		if err := f.finish(ctx, st, Phases{}, time.Now()); err != nil {
			return changed, err
		}
		st, _ = f.cfg.Journal.Flow(f.cfg.Name)
	}
	f.State.restore(st)
	if f.cfg.Floor != nil {
		at, err := f.position(ctx, st)
		if err != nil {
			return changed, err
		}
		f.cfg.Floor(at)
	}
	f.begun = true
	return changed, nil
}

// newCheckpoint begins anew, at the source's start.
func (f *Flow) newCheckpoint(ctx context.Context, empty bool) error {
	b := journal.Begin{
		Flow: f.cfg.Name, Checkpoint: uuid.NewString(), Hash: f.cfg.Hash, Empty: empty,
		Time: time.Now().UTC().Truncate(time.Microsecond),
	}
	if f.cfg.Stream != nil && f.cfg.Stream.Moving() {
		at, err := f.cfg.Stream.Start(ctx)
		if err != nil {
			return err
		}
		b.Positions = map[string]json.RawMessage{f.cfg.Stream.Key(): at}
	}
	return f.cfg.Journal.Begin(b)
}

// checkJournal refuses a journal that is behind its tables: batches would be
// taken for committed that are not.
func (f *Flow) checkJournal(ctx context.Context, st journal.Flow) error {
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
				s.Name, got, known, f.cfg.Name)
		}
	}
	return nil
}

// empty takes all rows out of the flow's tables, as batch 0 of its checkpoint.
func (f *Flow) empty(ctx context.Context, st journal.Flow) error {
	for _, s := range f.sinks() {
		c := journal.TableCommit{Name: s.Name, ID: s.Table.ID(), Overwrite: true}
		if _, err := s.commit(ctx, c, st.Checkpoint, 0, "TRUNCATE"); err != nil {
			return err
		}
	}
	return f.cfg.Journal.Ready(journal.Ready{Flow: f.cfg.Name, Checkpoint: st.Checkpoint})
}

// Reset begins a new checkpoint over emptied tables. The flow is locked.
func (f *Flow) Reset(ctx context.Context) error {
	f.begun = false
	if err := f.newCheckpoint(ctx, true); err != nil {
		return err
	}
	_, err := f.Begin(ctx)
	return err
}

// Begun tells whether Begin has gone through, so that Step can work. The flow
// is locked.
func (f *Flow) Begun() bool { return f.begun }

// NoteFloor tells the log how far the flow has read, before anything runs.
func (f *Flow) NoteFloor(ctx context.Context) error {
	if f.cfg.Floor == nil {
		return nil
	}
	st, _ := f.cfg.Journal.Flow(f.cfg.Name)
	at, err := f.position(ctx, st)
	if err == nil {
		f.cfg.Floor(at)
	}
	return err
}

// Backlog counts what waits before the flow and notes it in State.
func (f *Flow) Backlog(ctx context.Context) (source.Backlog, error) {
	if f.cfg.Stream == nil {
		return source.Backlog{}, nil
	}
	st, _ := f.cfg.Journal.Flow(f.cfg.Name)
	at, err := f.position(ctx, st)
	if err != nil {
		return source.Backlog{}, err
	}
	b, err := f.cfg.Stream.Backlog(ctx, at)
	if err == nil {
		f.State.setBacklog(b)
	}
	return b, err
}

// Sinks are the tables that the flow writes.
func (f *Flow) Sinks() []*Sink { return f.sinks() }
