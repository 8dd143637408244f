package eventlog

import (
	"context"
	"errors"
	"fmt"
)

// Append encodes recs into the partition's open batch; their memory is the
// caller's again on return. It blocks while the partition's uncommitted bytes
// would exceed MaxPending.
//
// An error means that nothing was taken and done will not be called.
// Otherwise done is called exactly once, after the fsync (base is the first
// record's offset, the others follow) or after a failure. It runs on the
// commit goroutine: it must not block, nor append. It may be nil. Records of
// one Append are contiguous, and all of them are committed, or none.
func (l *Log) Append(ctx context.Context, partition int, recs []Record, done func(base int64, err error)) error {
	p, err := l.partition(partition)
	if err != nil {
		return err
	}
	if len(recs) == 0 {
		return errors.New("eventlog: no records")
	}
	size, err := l.sizeOf(recs)
	if err != nil {
		return err
	}
	p.mu.Lock()
	if err := l.room(ctx, p, size); err != nil {
		p.mu.Unlock()
		return err
	}
	before := p.pending
	p.encode(l, recs, done)
	l.pending.Add(p.pending - before)
	first := !p.dirty
	p.dirty = true
	p.mu.Unlock()
	if first {
		nudge(l.kick)
	}
	return nil
}

// sizeOf is a bound of the encoded size, checked against the log's bounds.
func (l *Log) sizeOf(recs []Record) (int64, error) {
	size := int64(batchOverhead)
	for i := range recs {
		n := recordBound(&recs[i])
		if n > l.cfg.BatchBytes-batchOverhead {
			return 0, fmt.Errorf("%w: a record of %d bytes, the bound is %d", ErrTooLarge, n, l.cfg.BatchBytes-batchOverhead)
		}
		size += int64(n)
	}
	if max := l.cfg.MaxPending; size > max {
		return 0, fmt.Errorf("%w: %d bytes in one append, the bound is %d", ErrTooLarge, size, max)
	}
	return size, nil
}

// room waits until size more bytes may be pending. It is called and returns
// with p.mu held.
func (l *Log) room(ctx context.Context, p *partition, size int64) error {
	for {
		if p.refuse != nil {
			return p.refuse
		}
		if limit := l.cfg.HardCap; limit > 0 && l.stored.Load()+l.pending.Load()+size > limit {
			l.capped.Store(true)
			nudge(l.tend)
			return fmt.Errorf("%w: %s", ErrFull, l.capText())
		}
		if p.pending == 0 || p.pending+size <= l.cfg.MaxPending {
			return nil
		}
		if p.freed == nil {
			p.freed = make(chan struct{})
		}
		ch := p.freed
		p.mu.Unlock()
		var err error
		select {
		case <-ch:
		case <-ctx.Done():
			err = ctx.Err()
		}
		p.mu.Lock()
		if err != nil {
			return err
		}
	}
}

// encode adds recs to the open batch, opening further ones as they fill.
func (p *partition) encode(l *Log, recs []Record, done func(int64, error)) {
	b := p.open
	if b == nil {
		b = p.newBatch(l)
	}
	earlier := int64(0) // records of this Append in earlier batches
	index := int64(b.count)
	for i := range recs {
		bound := recordBound(&recs[i])
		if b.count > 0 && len(b.buf)+bound > l.cfg.BatchBytes {
			earlier += int64(b.count) - index
			b = p.newBatch(l)
			index = 0
		}
		n := len(b.buf)
		b.add(&recs[i], bound)
		p.pending += int64(len(b.buf) - n)
	}
	if done != nil {
		b.pends = append(b.pends, pend{index: index - earlier, done: done})
	}
}

// newBatch opens an empty batch at the end of the queue.
func (p *partition) newBatch(l *Log) *batch {
	b := l.batches.get()
	b.reset()
	p.queue = append(p.queue, b)
	p.open = b
	p.pending += batchOverhead
	return b
}

// waiter is a done callback that hands its result to a goroutine.
type waiter struct {
	ch   chan result
	done func(int64, error)
}

type result struct {
	base int64
	err  error
}

func newWaiter() *waiter {
	w := &waiter{ch: make(chan result, 1)}
	w.done = func(base int64, err error) { w.ch <- result{base, err} }
	return w
}

// AppendWait appends and waits for the commit. Where ctx ends while the
// records wait for their commit, they may yet be committed.
func (l *Log) AppendWait(ctx context.Context, partition int, recs []Record) (base int64, err error) {
	w := l.waiters.Get().(*waiter)
	if err := l.Append(ctx, partition, recs, w.done); err != nil {
		l.waiters.Put(w)
		return 0, err
	}
	select {
	case r := <-w.ch:
		l.waiters.Put(w)
		return r.base, r.err
	case <-ctx.Done(): // w is the commit's still, and garbage after it
		return 0, ctx.Err()
	}
}
