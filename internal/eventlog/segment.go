package eventlog

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/marisma/marisma/internal/vfs"
)

// Suffixes of a segment's files.
const (
	logSuffix   = ".log"
	indexSuffix = ".index"
	timeSuffix  = ".timeindex"
)

// noTime is the greatest timestamp of no record.
const noTime = math.MinInt64

// segment is one file of a partition. The scheduler alone changes size, next
// and maxTime, and only after a sync; everyone may read them.
type segment struct {
	dir     string // the partition's folder
	base    int64  // first offset, also the file's name
	size    atomic.Int64
	next    atomic.Int64 // offset after the last record
	maxTime atomic.Int64
	// index in memory: always of the active segment and of one not sealed
	// yet, else a cache of the index files; nil when not loaded.
	index atomic.Pointer[[]entry]
}

func newSegment(dir string, base int64) *segment {
	s := &segment{dir: dir, base: base}
	s.next.Store(base)
	s.maxTime.Store(noTime)
	s.index.Store(new([]entry))
	return s
}

// name is the name of the segment's file with a suffix.
func (s *segment) name(suffix string) string {
	return path.Join(s.dir, fmt.Sprintf("%020d", s.base)+suffix)
}

// parseName gives the base offset of a segment's log file.
func parseName(name string) (int64, bool) {
	digits, ok := strings.CutSuffix(name, logSuffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	return int64(n), err == nil
}

// remove deletes the segment's files; the log first, so that a crash leaves
// indexes without a log at worst, which recovery deletes.
func (s *segment) remove(fsys vfs.FS) error {
	err := fsys.Remove(s.name(logSuffix))
	if errors.Is(err, errNotExist) {
		err = nil
	}
	for _, suffix := range []string{indexSuffix, timeSuffix} {
		if e := fsys.Remove(s.name(suffix)); e != nil && !errors.Is(e, errNotExist) && err == nil {
			err = e
		}
	}
	return err
}

// builder gathers what a walk over a segment's batches learns.
type builder struct {
	entries []entry
	pos     int64 // end of the last batch
	next    int64
	maxTime int64
	gap     int64 // bytes between entries
}

// add notes the batch that starts at b.pos.
func (b *builder) add(h *header) {
	if n := len(b.entries); n == 0 || b.pos-b.entries[n-1].pos >= b.gap {
		b.entries = append(b.entries, entry{offset: h.base, pos: b.pos, maxTime: b.maxTime})
	}
	b.pos += int64(h.size)
	b.next = h.next()
	b.maxTime = max(b.maxTime, h.maxTime)
}

// walk adds the batches from b.pos on, while they follow each other and start
// before offset stop. It returns nil at the end, torn or clean; other errors
// are the disk's.
func (b *builder) walk(f vfs.File, limit, stop int64) error {
	var s scan
	s.start(f, b.pos, limit)
	for b.next < stop {
		h, _, err := s.next()
		if errors.Is(err, io.EOF) || errors.Is(err, errTorn) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.base != b.next {
			return nil
		}
		b.add(&h)
	}
	return nil
}

// publish makes what b learned the segment's state.
func (b *builder) publish(s *segment) {
	s.index.Store(&b.entries)
	s.size.Store(b.pos)
	s.next.Store(b.next)
	s.maxTime.Store(b.maxTime)
}

// scanSegment walks a whole segment file up to offset stop.
func scanSegment(fsys vfs.FS, s *segment, gap, stop int64) (builder, error) {
	b := builder{next: s.base, maxTime: noTime, gap: gap}
	f, err := fsys.Open(s.name(logSuffix))
	if err != nil {
		return b, err
	}
	defer f.Close() //nolint:errcheck // only read
	size, err := f.Size()
	if err != nil {
		return b, err
	}
	return b, b.walk(f, min(size, maxFile), stop)
}
