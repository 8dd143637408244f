package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/marisma/marisma/internal/pipeline/flow"
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
	for _, n := range p.nodes {
		n.tried = make(chan struct{})
	}
	for _, n := range p.nodes {
		l.wg.Go(func() { p.loop(ctx, n) })
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
func (p *Pipeline) loop(ctx context.Context, n *node) {
	n.awaitViews(ctx)
	retry := retryFirst
	for first := true; ctx.Err() == nil; first = false {
		begin := time.Now()
		did, more, err := p.attempt(ctx, n)
		if first {
			close(n.tried)
		}
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			p.flowFailed(n, err)
			n.wait(ctx, retry, false)
			retry = min(2*retry, retryMax)
			continue
		}
		retry = retryFirst
		switch {
		case more:
		case did:
			n.State.Set(flow.Waiting)
			n.wait(ctx, time.Until(begin.Add(n.interval)), false)
		default:
			n.State.Rest()
			n.wait(ctx, n.poll(), true)
		}
	}
	n.State.Set(flow.Idle)
}

// awaitViews has a flow begin only when the views that it reads as they stand
// have been looked after, and hold a result: else its first rows would be
// joined with nothing.
func (n *node) awaitViews(ctx context.Context) {
	for _, v := range n.views {
		select {
		case <-ctx.Done():
			return
		case <-v.tried:
		}
		for v.State.View().Batch == 0 && ctx.Err() == nil {
			n.State.Set(flow.Waiting)
			n.wait(ctx, retryFirst, true)
		}
	}
}

// attempt does one step of a flow.
func (p *Pipeline) attempt(ctx context.Context, n *node) (did, more bool, err error) {
	n.Lock()
	defer n.Unlock()
	if !n.Begun() {
		// An earlier start of the flow has failed halfway.
		if err := p.begin(ctx, n); err != nil {
			return false, false, err
		}
	}
	return n.Step(ctx)
}

// poll is how long a flow waits without being woken: inputs outside the
// pipeline do not wake it.
func (n *node) poll() time.Duration {
	if n.outside {
		return max(n.interval, time.Second)
	}
	return time.Hour
}

// wait pauses for d, with early until an input has changed.
func (n *node) wait(ctx context.Context, d time.Duration, early bool) {
	if d <= 0 {
		return
	}
	kick := n.kick
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
		for _, n := range p.nodes {
			if n.hub {
				n.poke()
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
		for _, n := range p.nodes {
			// An error is the flow's own to tell, which meets it, too.
			if b, err := n.Backlog(ctx); err == nil && n.Streaming() {
				p.metrics.behind(n.Name(), b)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Update processes what the sources hold now, in dependency order, and waits
// for it. Flows whose inputs fail are left out. A stopped continuous pipeline
// goes on afterwards.
func (p *Pipeline) Update(ctx context.Context) error {
	ctx, release := p.bound(ctx)
	defer release()
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

// bound is ctx that also ends with Run.
func (p *Pipeline) bound(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	p.mu.Lock()
	base := p.base
	p.mu.Unlock()
	if base == nil {
		return ctx, cancel
	}
	stop := context.AfterFunc(base, cancel)
	return ctx, func() { stop(); cancel() }
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
	outcomes := map[*node]*outcome{}
	for _, n := range p.nodes {
		outcomes[n] = &outcome{done: make(chan struct{})}
	}
	var g errgroup.Group
	for _, n := range p.nodes {
		o := outcomes[n]
		g.Go(func() error {
			defer close(o.done)
			for _, u := range n.upstream {
				<-outcomes[u].done
				if outcomes[u].err != nil {
					o.err = fmt.Errorf("%s was left out: its input %s failed", n.Name(), u.Name())
					return nil
				}
			}
			if err := p.updateFlow(ctx, n); err != nil {
				o.err = fmt.Errorf("%s: %w", n.Name(), err)
			}
			return nil
		})
	}
	_ = g.Wait() // outcomes hold the errors
	var errs []error
	for _, n := range p.nodes {
		errs = append(errs, outcomes[n].err)
	}
	return errors.Join(errs...)
}

// updateFlow does batches until the source is exhausted.
func (p *Pipeline) updateFlow(ctx context.Context, n *node) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		did, more, err := p.attempt(ctx, n)
		if err != nil {
			if ctx.Err() == nil {
				p.flowFailed(n, err)
			}
			return err
		}
		if !did || !more {
			n.State.Rest()
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

// ErrUnknownTable says that Reset was asked for a table that the pipeline has not.
var ErrUnknownTable = errors.New("pipeline: no such table")

// Reset empties tables and has their flows begin at their sources' start; no
// tables means all. Tables that stream from one that is reset must be among
// them, or they stop with an error that says so.
func (p *Pipeline) Reset(ctx context.Context, tables []string) error {
	ctx, release := p.bound(ctx)
	defer release()
	if err := p.usable(ctx); err != nil {
		return err
	}
	var chosen []*node
	for _, t := range tables {
		i := slices.IndexFunc(p.nodes, func(n *node) bool { return n.Name() == t || n.ds.name[2] == t })
		if i < 0 {
			return fmt.Errorf("%w: pipeline %s has no table %q", ErrUnknownTable, p.cfg.Pipeline.Name, t)
		}
		chosen = append(chosen, p.nodes[i])
	}
	// All are held before the first is emptied, so that none sees another's
	// emptying as rows that were deleted; in dependency order, like all else.
	var held []*node
	for _, n := range p.nodes {
		if len(tables) == 0 || slices.Contains(chosen, n) {
			n.Lock()
			defer n.Unlock()
			held = append(held, n)
		}
	}
	for _, n := range held {
		if err := n.Reset(ctx); err != nil {
			return fmt.Errorf("%s: %w", n.Name(), err)
		}
		p.events.add(event{kind: "flow_progress", level: levelInfo, flow: n.Name(), batch: -1,
			message: n.Name() + " was reset: its table is empty and its source is read from the start.",
			details: map[string]any{"flow_progress": map[string]any{"status": "RESET"}}})
	}
	for _, n := range held {
		n.poke()
		n.tell()
	}
	return nil
}
