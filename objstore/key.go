package objstore

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// tempPrefix begins the names of files that are being written.
const tempPrefix = ".tmp-"

// CheckKey refuses with ErrInvalid a key that no store takes; for makers of
// stores.
func CheckKey(key string) error {
	if key == "." || !fs.ValidPath(key) || strings.ContainsRune(key, 0) ||
		strings.HasPrefix(key, tempPrefix) || strings.Contains(key, "/"+tempPrefix) {
		return fmt.Errorf("%w: key %q", ErrInvalid, key)
	}
	return nil
}

// Span turns the range of a Get into a start and a length within size;
// ErrInvalid where no Get takes it. It is for makers of stores.
func Span(key string, offset, length, size int64) (start, n int64, err error) {
	switch {
	case length < -1, offset < 0 && length != -1:
		return 0, 0, fmt.Errorf("%w: range %d+%d of %s", ErrInvalid, offset, length, key)
	case offset < 0:
		start = max(size+offset, 0)
	default:
		start = min(offset, size)
	}
	n = size - start
	if length >= 0 {
		n = min(n, length)
	}
	return start, n, nil
}

// ctxReader ends with ctx's error once ctx is done.
type ctxReader struct {
	ctx context.Context //nolint:containedctx // lives as long as the Put that reads through it
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// WriteTo hands over at once what is in memory already.
func (c ctxReader) WriteTo(w io.Writer) (int64, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	if b, ok := c.r.(*bytes.Reader); ok {
		return b.WriteTo(w)
	}
	return io.Copy(w, struct{ io.Reader }{c})
}
