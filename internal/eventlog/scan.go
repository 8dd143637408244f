package eventlog

import (
	"errors"
	"io"
	"slices"

	"github.com/marisma/marisma/internal/vfs"
)

// maxFile bounds a segment's length: positions are 32 bits in the index.
const maxFile = 1 << 31

// readChunk is how much a scan reads at once; batches may be larger.
const readChunk = 512 << 10

// errTorn ends a scan at bytes that are no whole, intact batch.
var errTorn = errors.New("torn batch")

// scan walks the batches of a segment file from a position.
type scan struct {
	file  vfs.File
	pos   int64 // of the next batch
	limit int64 // end of what may be read
	buf   []byte
	lo    int // buf[lo:hi] holds the file at pos
	hi    int
}

// start begins at pos; it keeps the buffer of an earlier use.
func (s *scan) start(f vfs.File, pos, limit int64) {
	s.file, s.pos, s.limit, s.lo, s.hi = f, pos, limit, 0, 0
}

// next gives the next batch; raw is valid until the next call. io.EOF is the
// limit, errTorn anything there that is no intact batch, other errors are the
// disk's.
func (s *scan) next() (header, []byte, error) {
	if s.pos >= s.limit {
		return header{}, nil, io.EOF
	}
	if err := s.fill(batchOverhead); err != nil {
		return header{}, nil, err
	}
	h, ok := parseHeader(s.buf[s.lo:s.hi])
	if !ok || int64(h.size) > s.limit-s.pos {
		return header{}, nil, errTorn
	}
	if err := s.fill(h.size); err != nil {
		return header{}, nil, err
	}
	raw := s.buf[s.lo : s.lo+h.size : s.lo+h.size]
	if !h.intact(raw) {
		return header{}, nil, errTorn
	}
	s.lo += h.size
	s.pos += int64(h.size)
	return h, raw, nil
}

// fill makes buf[lo:hi] hold at least n bytes; errTorn where the file or the
// limit ends before.
func (s *scan) fill(n int) error {
	if s.hi-s.lo >= n {
		return nil
	}
	if int64(n) > s.limit-s.pos {
		return errTorn
	}
	s.hi = copy(s.buf, s.buf[s.lo:s.hi])
	s.lo = 0
	if want := max(n, readChunk); len(s.buf) < want {
		s.buf = slices.Grow(s.buf[:s.hi], want-s.hi)
		s.buf = s.buf[:cap(s.buf)]
	}
	room := min(int64(len(s.buf)-s.hi), s.limit-s.pos-int64(s.hi))
	k, err := s.file.ReadAt(s.buf[s.hi:s.hi+int(room)], s.pos+int64(s.hi))
	s.hi += k
	if s.hi >= n {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return errTorn
	}
	return err
}
