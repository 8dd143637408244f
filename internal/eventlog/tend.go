package eventlog

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

const (
	tendEvery  = time.Second
	pointEvery = 5 * time.Second
	// pointBytes is how many bytes an open would have to scan at least for a
	// recovery point to be worth its writes.
	pointBytes = 8 << 20
)

// tendLoop seals full segments, writes recovery points and expires records,
// off the commit path.
func (l *Log) tendLoop(ctx context.Context) {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	pointed := time.Now()
	for {
		select {
		case <-tick.C:
		case <-l.tend:
		case <-ctx.Done():
			return
		}
		for _, p := range l.parts {
			l.warn(p, "seal", p.sealAll(l))
		}
		if time.Since(pointed) >= pointEvery {
			pointed = time.Now()
			for _, p := range l.parts {
				if p.unpointed() >= pointBytes {
					l.warn(p, "recovery point", p.writePoint(l.cfg.FS))
				}
			}
		}
		l.expire(time.Now())
	}
}

// warn logs an error that costs no record: what failed is done again, or by
// recovery.
func (l *Log) warn(p *partition, what string, err error) {
	if err != nil {
		l.log.Warn(what+" failed", "partition", p.id, "error", err)
	}
}

// rest leaves the partitions so that the next Open reads nothing again.
func (l *Log) rest() error {
	var errs []error
	for _, p := range l.parts {
		if p.seg == nil || errors.Is(p.trouble, ErrFailed) {
			continue
		}
		l.warn(p, "seal", p.sealAll(l))
		if size := p.seg.size.Load(); p.space != size {
			if err := errors.Join(p.file.Truncate(size), p.file.Sync()); err != nil {
				errs = append(errs, err)
				continue
			}
			p.space = size
		}
		l.warn(p, "recovery point", p.writePoint(l.cfg.FS))
	}
	return errors.Join(errs...)
}

// sealAll finishes the segments that commits have left: cut to size, index
// files, closed. One that fails is closed all the same; the next open repairs.
func (p *partition) sealAll(l *Log) error {
	var errs []error
	for {
		p.segMu.Lock()
		if len(p.sealing) == 0 {
			p.segMu.Unlock()
			return errors.Join(errs...)
		}
		s := p.sealing[0]
		p.sealing = slices.Delete(p.sealing, 0, 1)
		p.segMu.Unlock()
		if s.seg.base < p.start() { // expired meanwhile
			errs = append(errs, s.file.Close())
			continue
		}
		errs = append(errs, l.seal(s))
	}
}

func (l *Log) seal(s sealing) error {
	size := s.seg.size.Load()
	err := s.file.Truncate(size)
	if err == nil {
		err = s.file.Sync()
	}
	if e := s.file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = writeIndex(l.cfg.FS, s.seg, *s.seg.index.Load(), size, s.seg.next.Load(), s.seg.maxTime.Load())
	}
	if err == nil {
		err = l.cfg.FS.SyncDir(s.seg.dir)
	}
	if err == nil {
		s.seg.index.Store(nil)
	}
	return err
}

// unpointed is how many bytes of the active segment the recovery point may
// not cover.
func (p *partition) unpointed() int64 {
	segs := *p.segs.Load()
	if len(segs) == 0 {
		return 0
	}
	s := segs[len(segs)-1]
	if s.next.Load() == p.pointed {
		return 0
	}
	return s.size.Load()
}

// SetFloor keeps retention from removing records at or after offsets, one per
// partition, until the consumer sets another floor or RemoveFloor is called.
// Missing partitions have no floor. The floor is not durable: set it before
// Run, or retention may be faster.
func (l *Log) SetFloor(consumer string, offsets []int64) {
	l.floorMu.Lock()
	l.floors[consumer] = slices.Clone(offsets)
	l.floorMu.Unlock()
	if l.capped.Load() {
		nudge(l.tend)
	}
}

// RemoveFloor forgets a consumer's floor.
func (l *Log) RemoveFloor(consumer string) {
	l.floorMu.Lock()
	delete(l.floors, consumer)
	l.floorMu.Unlock()
	if l.capped.Load() {
		nudge(l.tend)
	}
}

// floor is the least offset that a consumer needs of a partition.
func (l *Log) floor(partition int) int64 {
	l.floorMu.Lock()
	defer l.floorMu.Unlock()
	least := int64(1<<63 - 1)
	for offsets := range maps.Values(l.floors) {
		if partition < len(offsets) {
			least = min(least, offsets[partition])
		}
	}
	return least
}

// expire removes segments that retention does not keep and no floor needs.
func (l *Log) expire(now time.Time) {
	if l.cfg.Retention > 0 {
		old := now.Add(-l.cfg.Retention).UnixMilli()
		for _, p := range l.parts {
			for l.dropOldest(p, func(s *segment) bool { return s.maxTime.Load() < old }) {
			}
		}
	}
	if limit := l.cfg.RetentionBytes; limit > 0 {
		for l.stored.Load() > limit && l.dropOldest(l.oldest(), always) {
		}
		if l.stored.Load() > limit { // what is left lies in active segments
			for _, p := range l.parts {
				l.dropOldest(p, func(s *segment) bool { return s.next.Load() == p.end.Load() })
			}
		}
	}
	if limit := l.cfg.HardCap; limit > 0 && l.capped.Load() {
		// Below the cap by more than a record, or Problem would flicker.
		margin := min(limit/4, max(limit/64, int64(l.cfg.BatchBytes)))
		if l.stored.Load()+l.pending.Load() < limit-margin {
			l.capped.Store(false)
		}
	}
}

func always(*segment) bool { return true }

// oldest is the partition whose first segment is full, can go and is oldest,
// nil if none.
func (l *Log) oldest() *partition {
	var best *partition
	var at int64
	for _, p := range l.parts {
		segs := *p.segs.Load()
		if len(segs) < 2 || segs[0].next.Load() > l.floor(p.id) {
			continue
		}
		if t := segs[0].maxTime.Load(); best == nil || t < at {
			best, at = p, t
		}
	}
	return best
}

// dropOldest removes the partition's first segment if it is full, wanted gone
// and not needed. An active segment is asked to end, so that it can go later.
func (l *Log) dropOldest(p *partition, want func(*segment) bool) bool {
	if p == nil || !p.bury(l) {
		return false
	}
	segs := *p.segs.Load()
	if len(segs) == 0 || !want(segs[0]) || segs[0].next.Load() > l.floor(p.id) {
		return false
	}
	s := segs[0]
	if len(segs) == 1 {
		if s.size.Load() == 0 {
			return false
		}
		if !p.wantRoll.Swap(true) {
			nudge(l.kick)
		}
		return false
	}
	p.segMu.Lock()
	left := slices.Clone((*p.segs.Load())[1:])
	p.segs.Store(&left)
	p.segMu.Unlock()
	l.stored.Add(-s.size.Load())
	// Readers see the new start before the file goes.
	p.doomed = s
	return p.bury(l)
}

// bury removes the files of the segment that was dropped last. It has to
// succeed, durably, before another one is dropped: else a crash, or a file that
// cannot be removed, would leave a gap for the next open.
func (p *partition) bury(l *Log) bool {
	if p.doomed == nil {
		return true
	}
	err := p.doomed.remove(l.cfg.FS)
	if err == nil {
		err = l.cfg.FS.SyncDir(p.dir)
	}
	if err != nil {
		l.warn(p, "retention", err)
		return false
	}
	l.log.Debug("segment expired", "segment", p.doomed.name(logSuffix))
	p.doomed = nil
	return true
}
