package delta

import (
	"bytes"
	"errors"
	"io"

	"github.com/marisma/marisma/objstore"
)

// spoolBytes is how much of a file is gathered before its upload begins. A
// file that ends within is put as a whole, whose size a store then knows.
const spoolBytes = 1 << 20

// spool takes a file's bytes and uploads them.
type spool struct {
	put   func(r io.Reader) (info objstore.Info, durable func() error, err error)
	buf   []byte
	pipe  *io.PipeWriter // nil before the upload has begun
	ended chan struct{}  // closed when the upload has ended and set info or err
	info  objstore.Info
	// durable waits until a crash cannot harm the file; nil where none can.
	durable func() error
	err     error
}

func newSpool(put func(r io.Reader) (objstore.Info, func() error, error)) *spool {
	return &spool{put: put, ended: make(chan struct{})}
}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	if len(s.buf)+len(p) > spoolBytes {
		if err := s.flush(); err != nil {
			return 0, err
		}
		if len(p) >= spoolBytes/4 {
			n, err := s.pipe.Write(p)
			return n, s.failure(err)
		}
	}
	s.buf = append(s.buf, p...)
	return len(p), nil
}

// flush hands what is gathered to the upload, which it begins if need be.
func (s *spool) flush() error {
	if s.pipe == nil {
		r, w := io.Pipe()
		s.pipe = w
		go func() {
			s.upload(r)
			_ = r.Close() // lets the writing side see a failure
		}()
	}
	if len(s.buf) == 0 {
		return nil
	}
	_, err := s.pipe.Write(s.buf)
	s.buf = s.buf[:0]
	return s.failure(err)
}

func (s *spool) upload(r io.Reader) {
	defer close(s.ended)
	s.info, s.durable, s.err = s.put(r)
}

// failure prefers what the upload says, which closes the pipe, to what the
// writing side sees of it.
func (s *spool) failure(err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		<-s.ended
		if s.err != nil {
			return s.err
		}
	}
	return err
}

// finish ends the file; ended tells when its upload has, too. It waits for that
// itself where nothing else is to be done meanwhile.
func (s *spool) finish(wait bool) error {
	switch {
	case s.pipe != nil:
		if err := s.flush(); err != nil {
			s.abort(err)
			return err
		}
		_ = s.pipe.Close()
	case wait:
		s.upload(bytes.NewReader(s.buf))
	default:
		go s.upload(bytes.NewReader(s.buf))
	}
	return nil
}

// abort fails the upload, which leaves nothing.
func (s *spool) abort(cause error) {
	if s.pipe != nil {
		_ = s.pipe.CloseWithError(cause)
		return
	}
	s.err = cause
	close(s.ended)
}
