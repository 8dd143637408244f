package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/marisma/marisma/internal/pipeline/flow"
	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// ErrNotRunning says that the pipeline's Run is over.
var ErrNotRunning = errors.New("pipeline: not running")

// Pipeline is a loaded pipeline. Run keeps it going; the other methods may be
// called at any time, by any goroutine.
type Pipeline struct {
	cfg     Config
	graph   *graph
	nodes   []*node // in dependency order
	byName  map[string]*node
	journal *journal.Journal
	events  *events
	eventTo *flow.Sink
	metrics *metrics
	upkeep  *upkeep

	recovered sync.Mutex // held while recovering
	ready     bool

	mu      sync.Mutex
	loops   *loops // nil: no loop runs
	state   string
	err     error
	update  string
	started time.Time
	over    bool
	base    context.Context //nolint:containedctx // of Run; loops and updates live no longer
}

// loops are the goroutines of continuous flows.
type loops struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// Run recovers what a crash left, then keeps the pipeline going until ctx
// ends: a continuous one processes, a triggered one waits for Update. It
// returns nil after a clean stop; no batch is under way then.
func (p *Pipeline) Run(ctx context.Context) error {
	defer func() {
		p.mu.Lock()
		p.over = true
		p.mu.Unlock()
	}()
	if err := p.recover(ctx); err != nil {
		if ctx.Err() != nil {
			p.setState(StateStopped)
			return p.close() // the next start takes it up again
		}
		p.fail(err)
		return errors.Join(err, p.close())
	}
	side, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { p.events.run(side) })
	wg.Go(func() { p.watchLog(side) })
	wg.Go(func() { p.watchBacklog(side) })
	wg.Go(func() { p.upkeep.run(side) })
	p.mu.Lock()
	p.base = ctx
	p.mu.Unlock()
	if p.cfg.Pipeline.Continuous {
		p.newUpdate("SERVICE_UPGRADE")
		p.startLoops()
	} else {
		p.setState(StateIdle)
	}
	<-ctx.Done()
	p.stopLoops()
	stop()
	wg.Wait()
	p.setState(StateStopped)
	p.events.add(event{kind: "update_progress", level: levelInfo, batch: -1, message: "The pipeline stopped.",
		details: map[string]any{"update_progress": map[string]any{"state": "CANCELED"}}})
	p.events.flush(context.WithoutCancel(ctx))
	return p.close()
}

// close waits for updates and resets under way, whose contexts are their
// callers', and closes the journal.
func (p *Pipeline) close() error {
	for _, n := range p.nodes {
		n.Lock()
		defer n.Unlock()
	}
	return p.journal.Close()
}

// recover finishes what was under way, once.
func (p *Pipeline) recover(ctx context.Context) error {
	p.recovered.Lock()
	defer p.recovered.Unlock()
	if p.ready {
		return nil
	}
	for _, n := range p.nodes {
		n.Lock()
		err := p.begin(ctx, n)
		n.Unlock()
		if err != nil && !ownTrouble(err) {
			return fmt.Errorf("%s: %w", n.Name(), err)
		}
		if err != nil {
			// The flow stands still with its error; the others go on.
			p.flowFailed(n, err)
		}
	}
	p.ready = true
	return nil
}

// begin recovers a flow, which is locked, and notes a changed query.
func (p *Pipeline) begin(ctx context.Context, n *node) error {
	changed, err := n.Begin(ctx)
	if changed {
		p.events.add(event{kind: "flow_definition", level: levelWarn, flow: n.Name(), batch: -1,
			message: fmt.Sprintf("The query of %s has changed; it goes on from its checkpoint.", n.Name()),
			details: map[string]any{"flow_definition": map[string]any{"output_dataset": n.Name(), "hash": n.ds.hash, "changed": true}}})
	}
	return err
}

// ownTrouble tells whether an error concerns one flow only, so that the
// others can go on; trouble with the journal concerns all.
func ownTrouble(err error) bool {
	return !errors.Is(err, journal.ErrFailed) && !errors.Is(err, journal.ErrClosed) && !errors.Is(err, context.Canceled)
}

func (p *Pipeline) setState(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = s
}

func (p *Pipeline) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.err = StateFailed, err
}

// newUpdate begins an update in the event log's sense.
func (p *Pipeline) newUpdate(cause string) string {
	id := uuid.NewString()
	p.mu.Lock()
	p.update, p.started, p.err, p.state = id, time.Now(), nil, StateRunning
	p.mu.Unlock()
	p.events.setUpdate(id)
	p.events.add(event{kind: "create_update", level: levelInfo, batch: -1, message: "Update " + id + " begins.",
		details: map[string]any{"create_update": map[string]any{
			"cause": cause, "config": map[string]any{"continuous": p.cfg.Pipeline.Continuous, "development": p.cfg.Pipeline.Development, "version": p.cfg.Version},
		}}})
	for _, n := range p.nodes {
		p.events.add(n.definition())
	}
	p.progress("RUNNING")
	return id
}

func (p *Pipeline) progress(state string) {
	p.events.add(event{kind: "update_progress", level: levelInfo, batch: -1, message: "The update is " + state + ".",
		details: map[string]any{"update_progress": map[string]any{"state": state}}})
}

// definition is the flow_definition event.
func (n *node) definition() event {
	kind := "COMPLETE"
	if n.Streaming() {
		kind = "APPEND"
	}
	cols := make([]map[string]string, len(n.ds.cols))
	for i, c := range n.ds.cols {
		cols[i] = map[string]string{"name": c.Name, "data_type": c.Type.String()}
	}
	return event{kind: "flow_definition", level: levelInfo, flow: n.Name(), batch: -1,
		message: "Flow " + n.Name() + " is defined.",
		details: map[string]any{"flow_definition": map[string]any{
			"output_dataset": n.Name(), "input_datasets": n.ds.inputs, "flow_type": kind,
			"schema": cols, "comment": n.ds.comment,
		}}}
}

// batchDone is what flows report.
func (p *Pipeline) batchDone(n *node, r flow.Report) {
	p.metrics.done(n.Name(), r)
	if r.Committed || n.Streaming() {
		p.events.batch(n.Name(), r.Batch, r.Counts, n.State.View().Backlog.Records)
	}
	if r.Committed {
		n.tell()
		p.upkeep.committed(n)
	}
}

// flowFailed notes an error of a flow, in the log and the event log once.
func (p *Pipeline) flowFailed(n *node, err error) {
	p.metrics.failure(n.Name())
	if !n.State.Fail(err) {
		return
	}
	n.log.Error("flow failed, it is tried again", "error", err)
	p.events.add(event{kind: "flow_progress", level: levelError, flow: n.Name(), batch: -1,
		message: fmt.Sprintf("Flow %s failed: %s", n.Name(), err),
		details: map[string]any{"flow_progress": map[string]any{"status": "FAILED"}, "error": err.Error()}})
}

// Status is the pipeline as it is now.
func (p *Pipeline) Status() Status {
	s := p.graph.status(&p.cfg)
	p.mu.Lock()
	s.State, s.UpdateID, s.Started = p.state, p.update, p.started
	if p.err != nil {
		s.Error = p.err.Error()
	}
	p.mu.Unlock()
	failed := ""
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if f := p.byName[n.ID]; f != nil {
			f.show(n)
			if n.Error != "" && failed == "" {
				failed = n.ID + ": " + n.Error
			}
		}
		if n.Kind == KindLog {
			for part := range p.cfg.Log.Partitions() {
				n.RowsOut += p.cfg.Log.End(part)
			}
			n.State = StateRunning
		}
	}
	if s.Error == "" {
		s.Error = failed
	}
	return s
}

// status is the graph without anything that happened.
func (g *graph) status(cfg *Config) Status {
	s := Status{
		Key: cfg.Pipeline.Key, Name: cfg.Pipeline.Name, State: StateIdle, Continuous: cfg.Pipeline.Continuous,
	}
	s.Nodes = append(s.Nodes, g.sources...)
	for _, d := range g.datasets {
		n := Node{ID: d.full, Name: d.name[2], State: StateIdle, Comment: d.comment, Version: -1}
		n.Kind = map[plan.DatasetKind]string{
			plan.StreamingTable: KindStreaming, plan.MaterializedView: KindMatView, plan.TemporaryView: KindView,
		}[d.kind]
		if d.def != nil {
			for _, e := range d.def.Expectations {
				n.Expectations = append(n.Expectations, Expectation{Name: e.Name, Text: e.Text, Action: d.action(e.Action)})
			}
		}
		s.Nodes = append(s.Nodes, n)
		for _, in := range g.direct(d) {
			s.Edges = append(s.Edges, Edge{From: in, To: d.full})
		}
	}
	return s
}

// action is an expectation's action in the words of Status.
func (d *dataset) action(a plan.Action) string {
	switch {
	case a == plan.ActionFail:
		return "FAIL"
	case a == plan.ActionDrop && d.quarantines():
		return "QUARANTINE"
	case a == plan.ActionDrop:
		return "DROP"
	}
	return "WARN"
}

func (d *dataset) quarantines() bool {
	return d.def != nil && d.def.Properties[quarantineKey] == "true"
}

// direct are the inputs of a dataset without those that come through a view.
func (g *graph) direct(d *dataset) []string {
	through := map[string]bool{}
	for _, in := range d.inputs {
		if v := g.byName[in]; v != nil && v.kind == plan.TemporaryView {
			for _, x := range v.inputs {
				through[x] = true
			}
		}
	}
	var out []string
	for _, in := range d.inputs {
		if !through[in] {
			out = append(out, in)
		}
	}
	return out
}
