package cloud

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/marisma/marisma/objstore"
)

// lookTime bounds the reading back of a put's outcome.
const lookTime = 20 * time.Second

// Put stores all of r under key: what is smaller than a part by one request,
// else in parts that a last request makes the object.
func (s *Store) Put(ctx context.Context, key string, r io.Reader, opt objstore.PutOptions) (objstore.Info, error) {
	if err := errors.Join(ctx.Err(), objstore.CheckKey(key)); err != nil {
		return objstore.Info{}, err
	}
	p := put{Store: s, key: s.root + key, mark: rand.Text(), ifAbsent: opt.IfAbsent}
	first, more, err := s.chunk(ctx, r)
	if err != nil {
		return objstore.Info{}, fmt.Errorf("objstore: put %s: %w", s.svc.Where(p.key), err)
	}
	var info objstore.Info
	if more {
		info, err = p.parts(ctx, first, r)
	} else {
		info, err = p.decide(ctx, len(first), func(ctx context.Context) (objstore.Info, error) {
			return s.svc.Put(ctx, p.key, first, p.mark, p.ifAbsent)
		})
	}
	info.Key = key
	return info, err
}

// chunk reads a part; more tells that r may have another.
func (s *Store) chunk(ctx context.Context, r io.Reader) (data []byte, more bool, err error) {
	data = make([]byte, 0, min(s.lim.PartBytes, 16<<10))
	for len(data) < s.lim.PartBytes {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		if len(data) == cap(data) {
			grown := make([]byte, len(data), min(2*cap(data), s.lim.PartBytes))
			copy(grown, data)
			data = grown
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			return data, false, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	return data, true, nil
}

// put is one Put.
type put struct {
	*Store
	key, mark string
	ifAbsent  bool
}

// decide sends the request that makes the object until its outcome is known.
func (p *put) decide(ctx context.Context, size int, do func(context.Context) (objstore.Info, error)) (objstore.Info, error) {
	var unsure error // of an attempt that may have made the object
	fail := func(err error) (objstore.Info, error) {
		if unsure != nil {
			return objstore.Info{}, p.failure("put", p.key, errors.Join(unsure, err), objstore.ErrUnknownOutcome)
		}
		return objstore.Info{}, p.failure("put", p.key, err, nil)
	}
	for n := 0; ; n++ {
		info, err := once(ctx, p.Store, size, do)
		if err == nil {
			return info, nil
		}
		k := kind(err)
		if k == Unsure {
			unsure = err
		}
		if end := ctx.Err(); end != nil {
			return fail(end)
		}
		switch k {
		case Exists, Contended, PartsLost, Unsure:
			info, settled, err := p.look(ctx, err)
			if settled || err != nil {
				return info, err
			}
		case Throttled, Unreachable:
		default:
			return fail(err)
		}
		if n >= p.lim.Retries || k == PartsLost {
			return fail(err)
		}
		if end := p.pause(ctx, n, err); end != nil {
			return fail(end)
		}
	}
}

// look reads the object back after an answer that does not tell whether the
// put happened. Nothing is settled where the key is free, or where a put
// without condition finds another's object.
func (p *put) look(ctx context.Context, cause error) (objstore.Info, bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
	defer cancel()
	o, err := again(ctx, p.Store, "head", p.key, 0, func(ctx context.Context) (Object, error) { return p.svc.Head(ctx, p.key) })
	switch {
	case err == nil && o.Mark == p.mark:
		return o.Info, true, nil
	case err == nil && p.ifAbsent:
		return objstore.Info{}, true, p.failure("put", p.key, cause, objstore.ErrExists)
	case err == nil, errors.Is(err, objstore.ErrNotFound):
		return objstore.Info{}, false, nil
	}
	return objstore.Info{}, false, p.failure("put", p.key, errors.Join(cause, err), objstore.ErrUnknownOutcome)
}

// parts sends first and what follows in r as parts, several at once.
func (p *put) parts(ctx context.Context, first []byte, r io.Reader) (info objstore.Info, err error) {
	up, err := again(ctx, p.Store, "put", p.key, 0, func(ctx context.Context) (Upload, error) { return p.svc.Begin(ctx, p.key, p.mark) })
	if err != nil {
		return objstore.Info{}, err
	}
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
			defer cancel()
			_, _ = once(ctx, p.Store, 0, func(ctx context.Context) (struct{}, error) { return struct{}{}, up.Abort(ctx) })
		}
	}()
	n, size, err := p.send(ctx, up, first, r)
	if err != nil {
		return objstore.Info{}, err
	}
	return p.decide(ctx, 0, func(ctx context.Context) (objstore.Info, error) { return up.Commit(ctx, n, size, p.ifAbsent) })
}

// send sends the parts; it tells how many there are and of how many bytes.
func (p *put) send(ctx context.Context, up Upload, data []byte, r io.Reader) (n int, size int64, err error) {
	g, sending := errgroup.WithContext(ctx)
	g.SetLimit(p.lim.PartsAtOnce)
	for more := true; len(data) > 0; n++ {
		if n == up.MaxParts() {
			err = fmt.Errorf("%w: %s is larger than %d parts of %d bytes; raise Limits.PartBytes", objstore.ErrInvalid, p.svc.Where(p.key), n, p.lim.PartBytes)
			break
		}
		i, part := n, data
		g.Go(func() error {
			_, err := again(sending, p.Store, "put", p.key, len(part), func(ctx context.Context) (struct{}, error) {
				return struct{}{}, up.Part(ctx, i, part)
			})
			return err
		})
		size += int64(len(data))
		if data = nil; !more {
			continue
		}
		if data, more, err = p.chunk(sending, r); err != nil {
			err = fmt.Errorf("objstore: put %s: %w", p.svc.Where(p.key), err)
			break
		}
	}
	if sent := g.Wait(); sent != nil && ctx.Err() == nil {
		err = sent // rather than the end of its context that the reading saw
	}
	return n, size, err
}
