package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/marisma/marisma/internal/pipeline/source"
)

// A failing batch is tried again after these times, the last one for ever.
const (
	retryFirst = time.Second
	retryMax   = time.Minute
)

// backlogEvery is how often what waits is counted.
const backlogEvery = 2 * time.Second

func (p *Pipeline) startLoops() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loops != nil || p.base == nil || p.base.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(p.base)
	l := &loops{cancel: cancel}
	for _, f := range p.flows {
		l.wg.Go(func() { p.loop(ctx, f) })
	}
	p.loops = l
}

// stopLoops returns when no loop runs any more.
func (p *Pipeline) stopLoops() {
	p.mu.Lock()
	l := p.loops
	p.loops = nil
	p.mu.Unlock()
	if l != nil {
		l.cancel()
		l.wg.Wait()
	}
}

// loop keeps one flow going: batches follow each other at once while there is
// a backlog, else by the trigger interval and when an input has changed.
func (p *Pipeline) loop(ctx context.Context, f *flow) {
	retry := retryFirst
	for ctx.Err() == nil {
		begin := time.Now()
		did, more, err := p.attempt(ctx, f)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			p.flowFailed(f, err)
			f.wait(ctx, retry, false)
			retry = min(2*retry, retryMax)
		case more:
			retry = retryFirst
		case did:
			retry = retryFirst
			f.state.set(StateWaiting)
			f.wait(ctx, time.Until(begin.Add(f.interval)), false)
		default:
			retry = retryFirst
			f.state.idle()
			f.wait(ctx, f.poll(), true)
		}
	}
	f.state.set(StateIdle)
}

// attempt does one step of a flow.
func (p *Pipeline) attempt(ctx context.Context, f *flow) (did, more bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if st, ok := f.journal.Flow(f.name); !ok || st.Emptying || st.Prepared != nil {
		// An earlier start of the flow has failed halfway.
		if _, err := f.begin(ctx); err != nil {
			return false, false, err
		}
	}
	return f.step(ctx)
}

// poll is how long a flow waits without being woken: inputs outside the
// pipeline do not wake it.
func (f *flow) poll() time.Duration {
	if f.outside {
		return max(f.interval, time.Second)
	}
	return time.Hour
}

// wait pauses for d, with early until an input has changed.
func (f *flow) wait(ctx context.Context, d time.Duration, early bool) {
	if d <= 0 {
		return
	}
	kick := f.kick
	if !early {
		kick = nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-kick:
	}
}

// watchLog wakes the flows that read the hub's log.
func (p *Pipeline) watchLog(ctx context.Context) {
	if p.cfg.Log == nil {
		return
	}
	for {
		changed := p.cfg.Log.Changed()
		for _, f := range p.flows {
			if _, ok := f.stream.(*source.Log); ok {
				f.poke()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// watchBacklog counts what waits before each stream.
func (p *Pipeline) watchBacklog(ctx context.Context) {
	t := time.NewTicker(backlogEvery)
	defer t.Stop()
	for {
		for _, f := range p.flows {
			if f.stream != nil {
				p.countBacklog(ctx, f)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (p *Pipeline) countBacklog(ctx context.Context, f *flow) {
	st, ok := f.journal.Flow(f.name)
	if !ok {
		return
	}
	at, err := f.position(ctx, st)
	if err != nil {
		return // the flow says so itself
	}
	b, err := f.stream.Backlog(ctx, at)
	if err != nil {
		return
	}
	f.state.setBacklog(b)
	p.metrics.behind(f, b)
}

// Update processes what the sources hold now, in dependency order, and waits
// for it. Flows whose inputs fail are left out. A stopped continuous pipeline
// goes on afterwards.
func (p *Pipeline) Update(ctx context.Context) error {
	if err := p.usable(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	running := p.loops != nil
	p.mu.Unlock()
	if !running {
		p.newUpdate("API_CALL")
	}
	err := p.updateAll(ctx)
	if running {
		return err
	}
	if err != nil {
		p.fail(err)
		p.progress("FAILED")
	} else {
		p.setState(StateIdle)
		p.progress("COMPLETED")
	}
	if p.cfg.Pipeline.Continuous {
		p.setState(StateRunning)
		p.startLoops()
	}
	return err
}

// usable tells whether there is something to work with.
func (p *Pipeline) usable(ctx context.Context) error {
	p.mu.Lock()
	over := p.over
	p.mu.Unlock()
	if over {
		return ErrNotRunning
	}
	return p.recover(ctx)
}

// updateAll runs each flow once its inputs are through.
func (p *Pipeline) updateAll(ctx context.Context) error {
	type outcome struct {
		done chan struct{}
		err  error
	}
	outcomes := map[*flow]*outcome{}
	for _, f := range p.flows {
		outcomes[f] = &outcome{done: make(chan struct{})}
	}
	var g errgroup.Group
	for _, f := range p.flows {
		o := outcomes[f]
		g.Go(func() error {
			defer close(o.done)
			for _, u := range f.upstream {
				<-outcomes[u].done
				if outcomes[u].err != nil {
					o.err = fmt.Errorf("%s was left out: its input %s failed", f.name, u.name)
					return nil
				}
			}
			if err := p.updateFlow(ctx, f); err != nil {
				o.err = fmt.Errorf("%s: %w", f.name, err)
			}
			return nil
		})
	}
	_ = g.Wait() // outcomes hold the errors
	var errs []error
	for _, f := range p.flows {
		errs = append(errs, outcomes[f].err)
	}
	return errors.Join(errs...)
}

// updateFlow does batches until the source is exhausted.
func (p *Pipeline) updateFlow(ctx context.Context, f *flow) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		did, more, err := p.attempt(ctx, f)
		if err != nil {
			if ctx.Err() == nil {
				p.flowFailed(f, err)
			}
			return err
		}
		if !did || !more {
			f.state.idle()
			return nil
		}
	}
}

// Stop ends processing until the next Update; a batch that is prepared is
// finished first.
func (p *Pipeline) Stop(context.Context) error {
	p.stopLoops()
	p.setState(StateStopped)
	p.progress("CANCELED")
	return nil
}

// ErrUnknownTable: Reset was asked for a table that the pipeline has not.
var ErrUnknownTable = errors.New("pipeline: no such table")

// Reset empties tables and has their flows begin at their sources' start; no
// tables means all. Tables that stream from one that is reset must be among
// them, or they stop with an error that says so.
func (p *Pipeline) Reset(ctx context.Context, tables []string) error {
	if err := p.usable(ctx); err != nil {
		return err
	}
	var chosen []*flow
	for _, t := range tables {
		i := slices.IndexFunc(p.flows, func(f *flow) bool { return f.name == t || f.ds.name[2] == t })
		if i < 0 {
			return fmt.Errorf("%w: pipeline %s has no table %q", ErrUnknownTable, p.cfg.Pipeline.Name, t)
		}
		chosen = append(chosen, p.flows[i])
	}
	// All are held before the first is emptied, so that none sees another's
	// emptying as rows that were deleted; in dependency order, like all else.
	var held []*flow
	for _, f := range p.flows {
		if len(tables) == 0 || slices.Contains(chosen, f) {
			f.mu.Lock()
			defer f.mu.Unlock()
			held = append(held, f)
		}
	}
	for _, f := range held {
		if err := f.reset(ctx); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		p.events.add(event{kind: "flow_progress", level: levelInfo, flow: f.name, batch: -1,
			message: f.name + " was reset: its table is empty and its source is read from the start.",
			details: map[string]any{"flow_progress": map[string]any{"status": "RESET"}}})
	}
	for _, f := range held {
		f.poke()
	}
	return nil
}
