package worker

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/duck/kernel"
)

// Request is one statement for a worker: DuckDB SQL that the analyzer made,
// never a user's text.
type Request struct {
	SQL     string        `json:"sql"`
	Kernels []kernel.Spec `json:"kernels,omitempty"`
	// Files are the absolute paths that the statement may read; nothing else can be opened.
	Files   []string     `json:"files,omitempty"`
	Sources []FileSource `json:"sources,omitempty"`
	Memory  int64        `json:"memory"` // bytes
	Threads int          `json:"threads"`
	TempDir string       `json:"temp_dir"` // for spilling
}

// QueryError is what became of a statement in the worker, and the payload of
// an error frame.
type QueryError struct {
	Message  string `json:"message"`
	Class    string `json:"class,omitempty"`     // Spark's, where the lowered SQL raised it
	SQLState string `json:"sql_state,omitempty"` // of Class
	Kind     string `json:"kind,omitempty"`      // DuckDB's: "Conversion Error", ...
	Memory   bool   `json:"memory,omitempty"`    // the memory limit was met
}

// Error is the engine's message.
func (e *QueryError) Error() string { return e.Message }

// AsQueryError finds what DuckDB said in err, wherever it ran: a QueryError
// that a worker sent, or one made of the engine's error in this process.
func AsQueryError(err error) (*QueryError, bool) {
	if q, ok := errors.AsType[*QueryError](err); ok {
		return q, true
	}
	d, ok := errors.AsType[*duck.Error](err)
	if !ok {
		return nil, false
	}
	return &QueryError{Message: d.Message, Class: d.Class, SQLState: d.SQLState, Kind: d.Kind, Memory: errors.Is(err, duck.ErrMemory)}, true
}

// queryError is the payload that tells of err.
func queryError(err error) *QueryError {
	if q, ok := AsQueryError(err); ok {
		return q
	}
	return &QueryError{Message: err.Error(), Memory: errors.Is(err, duck.ErrMemory)}
}

// Frame kinds.
const (
	frameRequest byte = 'Q'
	frameData    byte = 'A'
	frameDone    byte = 'D'
	frameError   byte = 'E'
)

// maxFrame bounds a frame; data frames are cut to dataFrame.
const (
	maxFrame  = 64 << 20
	dataFrame = 256 << 10
)

// errFrame: the other side sent something that is no frame.
var errFrame = errors.New("worker: bad frame")

func writeFrame(w *bufio.Writer, kind byte, payload []byte) error {
	var head [5]byte
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(payload)))
	if _, err := w.Write(head[:]); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}

func writeJSON(w *bufio.Writer, kind byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := writeFrame(w, kind, b); err != nil {
		return err
	}
	return w.Flush()
}

// readHead reads a frame's kind and length.
func readHead(r io.Reader) (byte, int, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, 0, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, 0, fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	return head[0], int(n), nil
}

func readPayload(r io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

// dataWriter cuts what is written into data frames.
type dataWriter struct {
	w *bufio.Writer
}

func (d dataWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		part := p[:min(len(p), dataFrame)]
		if err := writeFrame(d.w, frameData, part); err != nil {
			return 0, err
		}
		p = p[len(part):]
	}
	return n, nil
}

// dataReader puts the data frames together again; the frame that ends them
// gives io.EOF or the worker's error.
type dataReader struct {
	r    io.Reader
	left int
	end  error // set once the closing frame came
}

func (d *dataReader) Read(p []byte) (int, error) {
	for d.left == 0 {
		if d.end != nil {
			return 0, d.end
		}
		if err := d.frame(); err != nil {
			return 0, err
		}
	}
	n, err := d.r.Read(p[:min(len(p), d.left)])
	d.left -= n
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (d *dataReader) frame() error {
	kind, n, err := readHead(d.r)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	switch kind {
	case frameData:
		d.left = n
		return nil
	case frameDone:
		d.end = io.EOF
		return nil
	case frameError:
		b, err := readPayload(d.r, n)
		if err != nil {
			return err
		}
		q := &QueryError{}
		if err := json.Unmarshal(b, q); err != nil {
			return fmt.Errorf("%w: %w", errFrame, err)
		}
		d.end = q
		return nil
	}
	return fmt.Errorf("%w: kind %q", errFrame, kind)
}

// drain reads to the closing frame and gives its error, nil for done.
func (d *dataReader) drain() error {
	_, err := io.Copy(io.Discard, d)
	return err
}
