package cloud_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/internal/cloud"
)

// fake is a Service in memory whose answers get lost, late or refused as
// chaos says.
type fake struct {
	store objstore.Store
	// slashless lists folders where their names without "/" stand, as accounts
	// with a hierarchical namespace may.
	slashless bool
	pageSize  int

	mu    sync.Mutex
	marks map[string]string // key and etag to the mark
	calls map[string]int
	// chaos is asked before each call and says what becomes of it.
	chaos func(op, key string) trouble
}

// trouble is what happens to a request.
type trouble int

const (
	fine      trouble = iota
	lostAfter         // applied, no answer
	lostGone          // not applied, no answer
	busy              // 503, not applied
	throttled         // 429
	contended         // 409, not applied
	torn              // a body that breaks off
	denied
)

func newFake() *fake {
	return &fake{store: objstore.Memory(), pageSize: 3, marks: map[string]string{}, calls: map[string]int{}}
}

var errReset = errors.New("connection reset")

func (f *fake) run(ctx context.Context, op, key string, apply func() error) error {
	if err := ctx.Err(); err != nil {
		return cloud.Transport(ctx, err)
	}
	f.mu.Lock()
	f.calls[op]++
	what := fine
	if f.chaos != nil {
		what = f.chaos(op, key)
	}
	f.mu.Unlock()
	switch what {
	case lostGone:
		return &cloud.Fault{Kind: cloud.Unsure, Err: errReset}
	case busy:
		return &cloud.Fault{Kind: cloud.Unsure, Status: 503, Busy: true}
	case throttled:
		return &cloud.Fault{Kind: cloud.Throttled, Status: 429}
	case contended:
		return &cloud.Fault{Kind: cloud.Contended, Status: 409}
	case denied:
		return &cloud.Fault{Kind: cloud.Denied, Status: 403}
	default:
	}
	err := apply()
	switch {
	case what == lostAfter:
		return &cloud.Fault{Kind: cloud.Unsure, Err: errReset}
	case errors.Is(err, objstore.ErrNotFound):
		return &cloud.Fault{Kind: cloud.Missing, Status: 404}
	case errors.Is(err, objstore.ErrExists):
		return &cloud.Fault{Kind: cloud.Exists, Status: 412}
	}
	return err
}

func (f *fake) Where(key string) string { return "fake://" + key }

func (f *fake) Get(ctx context.Context, key string, start, n int64, etag string) (b cloud.Body, err error) {
	cut := false
	err = f.run(ctx, "get", key, func() error {
		info, err := f.store.Head(ctx, key)
		switch {
		case err != nil:
			return err
		case etag != "" && etag != info.ETag:
			return &cloud.Fault{Kind: cloud.Changed, Status: 412}
		case start > 0 && start >= info.Size || start == 0 && n > 0 && info.Size == 0:
			return &cloud.Fault{Kind: cloud.BadRange, Status: 416}
		}
		b.ReadCloser, b.Info, err = f.store.Get(ctx, key, start, n)
		b.Start = start
		return err
	})
	if err != nil {
		return cloud.Body{}, err
	}
	f.mu.Lock()
	cut = f.chaos != nil && f.chaos("body", key) == torn
	f.mu.Unlock()
	if cut {
		b.ReadCloser = io.NopCloser(io.LimitReader(b.ReadCloser, 5))
	}
	return b, nil
}

func (f *fake) Head(ctx context.Context, key string) (o cloud.Object, err error) {
	err = f.run(ctx, "head", key, func() (err error) {
		o.Info, err = f.store.Head(ctx, key)
		f.mu.Lock()
		defer f.mu.Unlock()
		o.Mark = f.marks[key+o.ETag]
		return err
	})
	return o, err
}

func (f *fake) put(ctx context.Context, key string, data []byte, mark string, ifAbsent bool) (objstore.Info, error) {
	info, err := f.store.Put(ctx, key, bytes.NewReader(data), objstore.PutOptions{IfAbsent: ifAbsent})
	if err == nil {
		f.mu.Lock()
		f.marks[key+info.ETag] = mark
		f.mu.Unlock()
	}
	return info, err
}

func (f *fake) Put(ctx context.Context, key string, data []byte, mark string, ifAbsent bool) (info objstore.Info, err error) {
	err = f.run(ctx, "put", key, func() (err error) {
		info, err = f.put(ctx, key, data, mark, ifAbsent)
		return err
	})
	return info, err
}

func (f *fake) Begin(ctx context.Context, key, mark string) (cloud.Upload, error) {
	u := &fakeUpload{fake: f, key: key, mark: mark, parts: map[int][]byte{}}
	return u, f.run(ctx, "begin", key, func() error { return nil })
}

func (f *fake) Delete(ctx context.Context, key string) error {
	return f.run(ctx, "delete", key, func() error { return f.store.Delete(ctx, key) })
}

func (f *fake) List(ctx context.Context, l cloud.Listing) (page cloud.Page, err error) {
	err = f.run(ctx, "list", l.Prefix, func() error {
		type entry struct {
			sort string
			info objstore.Info
		}
		var all []entry
		for info, err := range f.store.List(ctx, l.Prefix, "") {
			if err != nil {
				return err
			}
			e := entry{info.Key, info}
			if i := strings.IndexByte(info.Key[len(l.Prefix):], '/'); l.Folders && i >= 0 {
				e.info = objstore.Info{Key: info.Key[:len(l.Prefix)+i+1]}
				if e.sort = e.info.Key; f.slashless {
					e.sort = strings.TrimSuffix(e.sort, "/")
				}
			}
			if !slices.Contains(all, e) {
				all = append(all, e)
			}
		}
		slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.sort, b.sort) })
		for _, e := range all {
			if e.sort <= l.Token {
				continue
			}
			if len(page.Objects)+len(page.Folders) == f.pageSize {
				return nil
			}
			if page.Next = e.sort; strings.HasSuffix(e.info.Key, "/") {
				page.Folders = append(page.Folders, e.info.Key)
			} else {
				page.Objects = append(page.Objects, e.info)
			}
		}
		page.Next = ""
		return nil
	})
	return page, err
}

type fakeUpload struct {
	*fake
	key, mark string
	partsMu   sync.Mutex
	parts     map[int][]byte // nil when they are used up
}

func (*fakeUpload) MaxParts() int { return 40 }

func (u *fakeUpload) Part(ctx context.Context, i int, data []byte) error {
	return u.run(ctx, "part", u.key, func() error {
		u.partsMu.Lock()
		defer u.partsMu.Unlock()
		u.parts[i] = data
		return nil
	})
}

func (u *fakeUpload) Commit(ctx context.Context, n int, _ int64, ifAbsent bool) (info objstore.Info, err error) {
	err = u.run(ctx, "commit", u.key, func() (err error) {
		u.partsMu.Lock()
		defer u.partsMu.Unlock()
		if u.parts == nil {
			return &cloud.Fault{Kind: cloud.PartsLost, Status: 404}
		}
		var all []byte
		for i := range n {
			all = append(all, u.parts[i]...)
		}
		if info, err = u.put(ctx, u.key, all, u.mark, ifAbsent); err == nil {
			u.parts = nil
		}
		return err
	})
	return info, err
}

func (u *fakeUpload) Abort(ctx context.Context) error {
	return u.run(ctx, "abort", u.key, func() error { return nil })
}

// random makes trouble of the listed kinds for a share of the calls.
func random(seed uint64, share float64, kinds ...trouble) func(op, key string) trouble {
	rng := rand.New(rand.NewPCG(seed, 1))
	return func(string, string) trouble {
		if rng.Float64() < share {
			return kinds[rng.IntN(len(kinds))]
		}
		return fine
	}
}
