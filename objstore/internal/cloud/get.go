package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/marisma/marisma/objstore"
)

// Get opens a range of an object. The reader goes on by itself where a
// connection breaks or stalls, on the same object.
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, objstore.Info, error) {
	if err := errors.Join(ctx.Err(), objstore.CheckKey(key)); err != nil {
		return nil, objstore.Info{}, err
	}
	start, n, err := objstore.Span(key, offset, length, math.MaxInt64)
	if err != nil {
		return nil, objstore.Info{}, err
	}
	etag := ""
	if offset < 0 || n == 0 { // services differ in what they make of these
		o, err := s.head(ctx, key)
		if err != nil {
			return nil, objstore.Info{}, err
		}
		if start, n, err = objstore.Span(key, offset, length, o.Size); err != nil || n == 0 {
			return io.NopCloser(strings.NewReader("")), o.Info, err
		}
		etag = o.ETag
	} else if length < 0 {
		n = -1
	}
	b := &body{s: s, ctx: ctx, key: s.root + key, pos: start, etag: etag}
	info, err := b.open(n)
	if kind(err) == BadRange { // it ends before the range
		o, err := s.head(ctx, key)
		return io.NopCloser(strings.NewReader("")), o.Info, err
	}
	if err != nil {
		return nil, objstore.Info{}, b.fail(err)
	}
	info.Key, b.etag = key, info.ETag
	_, n, _ = objstore.Span(key, start, length, info.Size)
	b.end = start + n
	return b, info, nil
}

// body reads the bytes from pos to end of an object.
type body struct {
	s        *Store
	ctx      context.Context //nolint:containedctx // lives as long as the reader
	key      string
	etag     string
	pos, end int64
	tries    int // since the last byte

	cur    io.ReadCloser // nil between connections
	cancel context.CancelFunc
	timer  *time.Timer
}

func (b *body) fail(err error) error {
	if end := b.ctx.Err(); end != nil {
		err = end
	}
	if _, ok := errors.AsType[*objstore.ServiceError](err); ok {
		return err
	}
	return b.s.failure("get", b.key, err, nil)
}

// open asks for n bytes from pos, to the end with -1, until there is an answer.
func (b *body) open(n int64) (objstore.Info, error) {
	for ; ; b.tries++ {
		info, err := b.ask(n)
		if err == nil || b.ctx.Err() != nil || b.tries >= b.s.lim.Retries || !kind(err).passes() {
			return info, err
		}
		if err := b.s.pause(b.ctx, b.tries, err); err != nil {
			return objstore.Info{}, err
		}
	}
}

func (b *body) ask(n int64) (objstore.Info, error) {
	free, err := b.s.slot(b.ctx)
	if err != nil {
		return objstore.Info{}, err
	}
	defer free()
	ctx, cancel := context.WithCancel(watched(b.ctx))
	timer := time.AfterFunc(b.s.lim.Timeout, cancel)
	got, err := b.s.svc.Get(ctx, b.key, b.pos, n, b.etag)
	if err == nil && got.Start != b.pos {
		_ = got.Close()
		err = &Fault{Kind: Unsure, Message: fmt.Sprintf("the answer begins at byte %d, not %d", got.Start, b.pos)}
	}
	timer.Stop()
	if err != nil {
		cancel()
		return objstore.Info{}, err
	}
	b.cur, b.cancel, b.timer = got, cancel, timer
	return got.Info, nil
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	for {
		if b.pos >= b.end {
			return 0, io.EOF
		}
		if b.cur == nil {
			if b.etag == "" {
				return 0, b.fail(io.ErrUnexpectedEOF) // it may be another object by now
			}
			if _, err := b.open(b.end - b.pos); err != nil {
				return 0, b.fail(err)
			}
		}
		b.timer.Reset(b.s.lim.Timeout)
		n, err := b.cur.Read(p[:min(int64(len(p)), b.end-b.pos)])
		b.timer.Stop()
		if b.pos += int64(n); n > 0 {
			b.tries = 0
		}
		if err == nil || b.pos == b.end {
			return n, nil
		}
		_ = b.Close()
		b.tries++
		if n > 0 {
			return n, nil
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if b.ctx.Err() != nil || b.tries > b.s.lim.Retries {
			return 0, b.fail(Transport(b.ctx, err))
		}
		if err := b.s.pause(b.ctx, b.tries, nil); err != nil {
			return 0, b.fail(err)
		}
	}
}

// Close lets go of the connection.
func (b *body) Close() error {
	if b.cur == nil {
		return nil
	}
	b.timer.Stop()
	err := b.cur.Close()
	b.cancel()
	b.cur = nil
	return err
}
