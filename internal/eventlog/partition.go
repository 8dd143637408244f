package eventlog

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/marisma/marisma/internal/vfs"
)

// partition is one sequence of records.
type partition struct {
	id  int
	dir string

	end  atomic.Int64               // offset after the last committed record
	segs atomic.Pointer[[]*segment] // oldest first; replaced, never changed

	mu      sync.Mutex
	open    *batch   // the last of queue, nil when queue is empty
	queue   []*batch // what the next commit takes
	pending int64    // bytes in queue and in the running commit
	dirty   bool     // queue is not empty
	refuse  error    // why appends are refused
	freed   chan struct{}

	// The scheduler's alone.
	work      []*batch // the running commit
	workBytes int64
	base      int64 // offset of the running commit's first record
	err       error // the running commit's outcome
	trouble   error // ErrFull or ErrFailed: what keeps commits from running
	seg       *segment
	file      vfs.File // of seg
	space     int64    // preallocated bytes of file

	wantRoll atomic.Bool // retention asks to close the active segment

	segMu   sync.Mutex // guards replacing segs, sealing, and the state of seg as a whole
	sealing []sealing  // full segments that wait for truncation and index files

	// The tender's alone.
	pointed int64    // end at the last recovery point, -1 if unknown
	doomed  *segment // dropped, its files still to be removed
}

// sealing is a full segment with its still open file.
type sealing struct {
	seg  *segment
	file vfs.File
}

// start is the first offset held.
func (p *partition) start() int64 {
	if segs := *p.segs.Load(); len(segs) > 0 {
		return segs[0].base
	}
	return p.end.Load()
}

// bytes is the size of what is held.
func (p *partition) bytes() int64 {
	var n int64
	for _, s := range *p.segs.Load() {
		n += s.size.Load()
	}
	return n
}

// setTrouble notes why commits cannot run, nil when they can again.
func (p *partition) setTrouble(err error) {
	p.trouble = err
	p.mu.Lock()
	defer p.mu.Unlock()
	if !errors.Is(p.refuse, ErrClosed) {
		p.refuse = err
	}
}

// wake lets the appends that wait for room look again. Called with p.mu held.
func (p *partition) wake() {
	if p.freed != nil {
		close(p.freed)
		p.freed = nil
	}
}

// take moves the queue to the running commit.
func (p *partition) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dirty {
		return false
	}
	p.work, p.queue = p.queue, p.work[:0]
	p.workBytes = p.pending
	p.open, p.dirty = nil, false
	p.base, p.err = p.end.Load(), nil
	return true
}

// commit writes and syncs what was taken; p.err is the outcome.
func (p *partition) commit(l *Log) {
	if p.err = p.trouble; p.err != nil {
		return
	}
	if p.err = p.prepare(l, p.workBytes); p.err == nil {
		p.err = p.write(l)
	}
	if p.err != nil {
		l.log.Error("appends are refused", "partition", p.id, "error", p.err)
		p.setTrouble(p.err)
	}
}

// prepare sees that the active segment has room for size bytes, rolling if
// need be. Its errors are ErrFull, to be tried again, or ErrFailed.
func (p *partition) prepare(l *Log, size int64) error {
	if p.seg == nil {
		return p.roll(l, size)
	}
	used := p.seg.size.Load()
	if used > 0 && used+size > l.cfg.SegmentBytes {
		return p.roll(l, size)
	}
	if want := max(l.cfg.SegmentBytes, used+size); p.space < want {
		if err := p.file.Preallocate(want); err != nil {
			return fmt.Errorf("%w: preallocate %s: %w", ErrFull, p.seg.name(logSuffix), err)
		}
		p.space = want
	}
	return nil
}

// roll makes the next segment and hands the old one to the tender. All of
// the old one is synced already.
func (p *partition) roll(l *Log, size int64) error {
	next := newSegment(p.dir, p.end.Load())
	name := next.name(logSuffix)
	f, err := l.cfg.FS.Create(name) // a left-over of a failed roll is emptied
	if err != nil {
		return fmt.Errorf("%w: new segment: %w", ErrFull, err)
	}
	space := max(l.cfg.SegmentBytes, size)
	if err := f.Preallocate(space); err != nil {
		_ = f.Close()
		_ = l.cfg.FS.Remove(name)
		return fmt.Errorf("%w: preallocate %s: %w", ErrFull, name, err)
	}
	if err := l.cfg.FS.SyncDir(p.dir); err != nil {
		_ = f.Close()
		return fmt.Errorf("%w: new segment %s: %w", ErrFailed, name, err)
	}
	p.segMu.Lock()
	segs := slices.Clone(*p.segs.Load())
	if p.seg != nil {
		p.sealing = append(p.sealing, sealing{p.seg, p.file})
	}
	segs = append(segs, next)
	p.segs.Store(&segs)
	p.segMu.Unlock()
	p.seg, p.file, p.space = next, f, space
	nudge(l.tend)
	return nil
}

// rollIdle ends an active segment that retention wants gone. No room for that
// is no trouble yet: the segment may have some left.
func (p *partition) rollIdle(l *Log) {
	p.wantRoll.Store(false)
	if p.trouble != nil || p.seg == nil || p.seg.size.Load() == 0 {
		return
	}
	err := p.roll(l, 0)
	l.warn(p, "roll for retention", err)
	if errors.Is(err, ErrFailed) {
		p.setTrouble(err)
	}
}

// write writes the taken batches, syncs, and publishes them.
func (p *partition) write(l *Log) error {
	s := p.seg
	entries := *s.index.Load()
	b := builder{entries: entries, pos: s.size.Load(), next: p.base, maxTime: s.maxTime.Load(), gap: l.gap()}
	for _, batch := range p.work {
		batch.seal(b.next)
		if _, err := p.file.WriteAt(batch.buf, b.pos); err != nil {
			return p.spoil(err)
		}
		b.add(&header{base: b.next, size: len(batch.buf), count: batch.count, maxTime: batch.maxTime})
	}
	if err := p.file.Sync(); err != nil {
		return fmt.Errorf("%w: sync %s: %w", ErrFailed, s.name(logSuffix), err)
	}
	grown := b.pos - s.size.Load()
	p.segMu.Lock()
	if len(b.entries) > len(entries) {
		s.index.Store(&b.entries)
	}
	s.maxTime.Store(b.maxTime)
	s.next.Store(b.next)
	s.size.Store(b.pos)
	p.segMu.Unlock()
	l.stored.Add(grown)
	p.end.Store(b.next)
	l.metrics.appended(b.next-p.base, grown)
	return nil
}

// spoil deals with a failed write. A full disk can show here on file systems
// that cannot reserve room: what was half written is cut off durably, so that
// no later recovery takes it for records.
func (p *partition) spoil(err error) error {
	name := p.seg.name(logSuffix)
	if !noSpace(err) {
		return fmt.Errorf("%w: write %s: %w", ErrFailed, name, err)
	}
	p.space = 0
	if e := p.file.Truncate(p.seg.size.Load()); e != nil {
		return fmt.Errorf("%w: write %s: %w; truncate: %w", ErrFailed, name, err, e)
	}
	if e := p.file.Sync(); e != nil {
		return fmt.Errorf("%w: write %s: %w; sync: %w", ErrFailed, name, err, e)
	}
	return fmt.Errorf("%w: write %s: %w", ErrFull, name, err)
}

// closeFiles closes what the partition holds open.
func (p *partition) closeFiles() error {
	if p == nil {
		return nil
	}
	var errs []error
	if p.file != nil {
		errs = append(errs, p.file.Close())
		p.file = nil
	}
	p.segMu.Lock()
	left := p.sealing
	p.sealing = nil
	p.segMu.Unlock()
	for _, s := range left {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(errs...)
}
