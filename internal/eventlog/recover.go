package eventlog

import (
	"fmt"
	"hash/crc32"
	"math"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/marisma/marisma/internal/vfs"
)

// pointName is the file that says up to where a partition's active segment
// is known to be whole and indexed.
const pointName = "recovery-point"

// gap is the distance of index entries in bytes: at most about 16,000 of them
// in a segment.
func (l *Log) gap() int64 { return max(4<<10, l.cfg.SegmentBytes>>10) }

// recover opens all partitions, several at once.
func (l *Log) recover() error {
	for _, dir := range []string{path.Dir(l.cfg.Dir), l.cfg.Dir} {
		if err := l.cfg.FS.SyncDir(dir); err != nil {
			return fmt.Errorf("eventlog: %w", err)
		}
	}
	l.parts = make([]*partition, l.meta.Partitions)
	var g errgroup.Group
	g.SetLimit(max(2, runtime.GOMAXPROCS(0)))
	for i := range l.parts {
		p := &partition{id: i, dir: path.Join(l.cfg.Dir, strconv.Itoa(i))}
		p.segs.Store(new([]*segment))
		l.parts[i] = p
		g.Go(func() error {
			if err := p.recover(l); err != nil {
				return fmt.Errorf("eventlog: recover partition %d: %w", p.id, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, p := range l.parts {
		l.stored.Add(p.bytes())
	}
	return nil
}

// recover finds out what the partition holds and makes it fit for appends.
func (p *partition) recover(l *Log) error {
	if err := l.cfg.FS.MkdirAll(p.dir); err != nil {
		return err
	}
	segs, err := p.list(l.cfg.FS)
	if err != nil || len(segs) == 0 {
		return err
	}
	// Names that a killed process made and did not sync yet.
	if err := l.cfg.FS.SyncDir(p.dir); err != nil {
		return err
	}
	last := len(segs) - 1
	for i, s := range segs[:last] {
		if err := l.recoverSealed(s, segs[i+1].base); err != nil {
			return err
		}
	}
	p.segs.Store(&segs)
	p.seg = segs[last]
	return p.recoverActive(l)
}

// list gives the segments by base offset and removes what belongs to none.
func (p *partition) list(fsys vfs.FS) ([]*segment, error) {
	dir, err := fsys.ReadDir(p.dir)
	if err != nil {
		return nil, err
	}
	var segs []*segment
	logs := map[string]bool{}
	for _, e := range dir {
		if base, ok := parseName(e.Name()); ok && !e.IsDir() {
			segs = append(segs, newSegment(p.dir, base))
			logs[strings.TrimSuffix(e.Name(), logSuffix)] = true
		}
	}
	for _, e := range dir {
		stem, ok := strings.CutSuffix(e.Name(), indexSuffix)
		if !ok {
			stem, ok = strings.CutSuffix(e.Name(), timeSuffix)
		}
		if ok && !logs[stem] {
			if err := fsys.Remove(path.Join(p.dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(segs, func(a, b *segment) int { return int(min(1, max(-1, a.base-b.base))) })
	return segs, nil
}

// recoverSealed takes a full segment's state from its index footer, or from
// the log itself where that is missing, torn or does not reach next.
func (l *Log) recoverSealed(s *segment, next int64) error {
	f, err := l.cfg.FS.OpenRW(s.name(logSuffix))
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // synced below where written
	size, err := f.Size()
	if err != nil {
		return err
	}
	if ft, ok := readFooter(l.cfg.FS, s); ok && ft.next == next && ft.size <= size {
		s.size.Store(ft.size)
		s.next.Store(ft.next)
		s.maxTime.Store(ft.maxTime)
		s.index.Store(nil)
		return nil
	}
	b := builder{next: s.base, maxTime: noTime, gap: l.gap()}
	if err := b.walk(f, min(size, maxFile), next); err != nil {
		return err
	}
	l.log.Debug("segment scanned", "segment", s.name(logSuffix), "bytes", b.pos)
	b.publish(s)
	if b.next != next {
		// Kept as it is: the records that can be read are readable.
		l.log.Error("segment is damaged, records are missing", "segment", s.name(logSuffix), "from", b.next, "to", next)
		return nil
	}
	if b.pos < size {
		if err := f.Truncate(b.pos); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return writeIndex(l.cfg.FS, s, b.entries, b.pos, b.next, b.maxTime)
}

// recoverActive finds the end of the last segment and cuts what is torn
// behind it, durably: else bytes of a lost append could later fit the end.
func (p *partition) recoverActive(l *Log) error {
	s := p.seg
	f, err := l.cfg.FS.OpenRW(s.name(logSuffix))
	if err != nil {
		return err
	}
	p.file = f
	size, err := f.Size()
	if err != nil {
		return err
	}
	b := builder{next: s.base, maxTime: noTime, gap: l.gap()}
	known := int64(math.MinInt64)
	p.pointed = -1
	if pt, ok := p.readPoint(l.cfg.FS); ok && pt.base == s.base {
		known = pt.next
		if entries, ft, ok := readIndex(l.cfg.FS, s); ok && ft.size == pt.pos && ft.next == pt.next && pt.pos <= size {
			b.entries, b.pos, b.next, b.maxTime = entries, ft.size, ft.next, ft.maxTime
			p.pointed = pt.next
		}
	}
	from := b.pos
	if err := b.walk(f, min(size, maxFile), math.MaxInt64); err != nil {
		return err
	}
	if b.next < known {
		l.log.Error("synced records are gone from the disk", "segment", s.name(logSuffix), "end", b.next, "was", known)
	}
	b.publish(s)
	p.end.Store(b.next)
	p.space = b.pos
	l.log.Debug("partition recovered", "partition", p.id, "end", b.next, "scanned", b.pos-from, "cut", size-b.pos)
	if b.pos == from && b.pos == size {
		return nil
	}
	if b.pos < size {
		if err := f.Truncate(b.pos); err != nil {
			return err
		}
	}
	// What was scanned may be a killed process' unsynced writes.
	return f.Sync()
}

// point is a recovery point: the segment at base is whole up to pos, where
// the record next follows, and its index files cover exactly that.
type point struct {
	base, pos, next int64
}

func (pt point) text() string { return fmt.Sprintf("1 %d %d %d", pt.base, pt.pos, pt.next) }

// readPoint reads the recovery point; ok is false where there is none that can be trusted.
func (p *partition) readPoint(fsys vfs.FS) (pt point, ok bool) {
	data, err := vfs.ReadFile(fsys, path.Join(p.dir, pointName))
	if err != nil {
		return pt, false
	}
	var sum uint32
	if n, err := fmt.Sscanf(string(data), "1 %d %d %d %08x\n", &pt.base, &pt.pos, &pt.next, &sum); err != nil || n != 4 {
		return pt, false
	}
	return pt, sum == crc32.Checksum([]byte(pt.text()), castagnoli) && pt.pos >= 0 && pt.next >= pt.base
}

// writePoint makes the active segment's state the recovery point. All of it
// is synced already.
func (p *partition) writePoint(fsys vfs.FS) error {
	p.segMu.Lock()
	segs := *p.segs.Load()
	if len(segs) == 0 {
		p.segMu.Unlock()
		return nil
	}
	s := segs[len(segs)-1]
	entries := *s.index.Load()
	size, next, maxTime := s.size.Load(), s.next.Load(), s.maxTime.Load()
	p.segMu.Unlock()
	if next == p.pointed {
		return nil
	}
	if err := writeIndex(fsys, s, entries, size, next, maxTime); err != nil {
		return err
	}
	text := point{s.base, size, next}.text()
	sum := crc32.Checksum([]byte(text), castagnoli)
	if err := vfs.WriteFile(fsys, path.Join(p.dir, pointName), fmt.Appendf(nil, "%s %08x\n", text, sum)); err != nil {
		return err
	}
	p.pointed = next
	return nil
}
