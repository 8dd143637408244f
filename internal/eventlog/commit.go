package eventlog

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// probeEvery is how often a full log looks for room.
const probeEvery = 250 * time.Millisecond

// Run commits, seals and expires until ctx is done; it returns after a last
// commit, when nothing of the log runs or is open any more. It runs once.
func (l *Log) Run(ctx context.Context) error {
	if !l.running.CompareAndSwap(false, true) {
		return ErrClosed
	}
	var g errgroup.Group
	g.Go(func() error { l.schedule(ctx); return nil })
	g.Go(func() error { l.tendLoop(ctx); return nil })
	if err := g.Wait(); err != nil {
		return err
	}
	return errors.Join(l.rest(), l.stop())
}

// schedule is the commit scheduler.
func (l *Log) schedule(ctx context.Context) {
	r := &round{log: l}
	var probe *time.Timer
	var due <-chan time.Time
	for ctx.Err() == nil {
		select {
		case <-l.kick:
			if l.cfg.Linger > 0 {
				l.linger(ctx)
			}
			r.run()
		case <-due:
			due = nil
			l.probe()
		case <-ctx.Done():
		}
		if due == nil && l.full() {
			probe = time.NewTimer(probeEvery)
			due = probe.C
		}
	}
	if probe != nil {
		probe.Stop()
	}
	l.refuseAll(ErrClosed)
	r.run()
}

// linger waits for company, not beyond ctx.
func (l *Log) linger(ctx context.Context) {
	t := time.NewTimer(l.cfg.Linger)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// round is one group commit; it keeps its memory between runs.
type round struct {
	log   *Log
	dirty []*partition
	wg    sync.WaitGroup
}

// run commits what every partition holds at this moment: all are written and
// synced in parallel, then the callbacks run.
func (r *round) run() {
	l := r.log
	r.dirty = r.dirty[:0]
	for _, p := range l.parts {
		if p.wantRoll.Load() {
			p.rollIdle(l)
		}
		if p.take() {
			r.dirty = append(r.dirty, p)
		}
	}
	if len(r.dirty) == 0 {
		return
	}
	began := time.Now()
	for _, p := range r.dirty[1:] {
		r.wg.Go(func() { p.commit(l) })
	}
	r.dirty[0].commit(l)
	r.wg.Wait()
	l.metrics.committed(time.Since(began))
	l.changed.fire()
	for _, p := range r.dirty {
		l.settle(p)
	}
}

// settle ends a partition's commit: it frees the room, runs the callbacks and
// gives the batches back.
func (l *Log) settle(p *partition) {
	base := p.base
	for i, b := range p.work {
		for _, w := range b.pends {
			if p.err != nil {
				w.done(0, p.err)
			} else {
				w.done(base+w.index, nil)
			}
		}
		base += int64(b.count)
		clear(b.pends)
		l.batches.put(b)
		p.work[i] = nil
	}
	p.work = p.work[:0]
	l.pending.Add(-p.workBytes)
	p.mu.Lock()
	p.pending -= p.workBytes
	p.wake()
	p.mu.Unlock()
	p.workBytes = 0
}

// full reports whether a partition waits for room.
func (l *Log) full() bool {
	for _, p := range l.parts {
		if errors.Is(p.trouble, ErrFull) {
			return true
		}
	}
	return false
}

// probe tries to make room in the partitions that have none.
func (l *Log) probe() {
	for _, p := range l.parts {
		if !errors.Is(p.trouble, ErrFull) {
			continue
		}
		err := p.prepare(l, l.cfg.SegmentBytes)
		switch {
		case err == nil:
			l.log.Info("appends are taken again", "partition", p.id)
		case errors.Is(err, ErrFull):
			continue
		default:
			l.log.Error("appends are refused", "partition", p.id, "error", err)
		}
		p.setTrouble(err)
	}
}

// refuseAll makes every further append fail with err.
func (l *Log) refuseAll(err error) {
	for _, p := range l.parts {
		if p == nil {
			continue
		}
		p.mu.Lock()
		p.refuse = err
		p.wake()
		p.mu.Unlock()
	}
}
