package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/marisma/marisma/objstore"
)

// Config makes a Store.
type Config struct {
	Service Service
	// Root is the prefix of the store's keys, without slashes at its ends.
	Root   string
	Limits objstore.Limits
	// Secrets are cut out of what errors say.
	Secrets []objstore.Secret
	// Walks tells whether listings must go folder by folder, since the service
	// does not list across folders in the order of bytes. Nil says no.
	Walks func(context.Context) bool
}

// Store is an objstore.Store over a Service.
type Store struct {
	svc     Service
	root    string
	lim     objstore.Limits
	secrets []string
	walks   func(context.Context) bool
	slots   chan struct{}
}

// New makes a store; it sends nothing.
func New(c Config) *Store {
	s := &Store{svc: c.Service, lim: c.Limits.WithDefaults(), walks: c.Walks}
	if s.root = strings.Trim(c.Root, "/"); s.root != "" {
		s.root += "/"
	}
	for _, x := range c.Secrets {
		if len(x) > 5 {
			s.secrets = append(s.secrets, string(x))
		}
	}
	s.slots = make(chan struct{}, s.lim.Requests)
	return s
}

var _ objstore.Store = (*Store)(nil)

// failure is the error of an operation.
func (s *Store) failure(op, key string, err error, family error) error {
	e := &objstore.ServiceError{Op: op, Where: s.svc.Where(key), Family: family}
	if f, ok := errors.AsType[*Fault](err); ok && family != objstore.ErrUnknownOutcome { //nolint:errorlint // the family is chosen here
		e.Status, e.Code, e.RequestID, e.Message, e.Err = f.Status, f.Code, f.RequestID, f.Message, f.Err
		if e.Family = cmp.Or(family, f.Kind.family()); e.Family == nil && f.Busy {
			e.Family = objstore.ErrThrottled
		}
	} else {
		e.Err = err
	}
	for _, x := range s.secrets {
		e.Message = strings.ReplaceAll(e.Message, x, "(secret)")
		if e.Err != nil && strings.Contains(e.Err.Error(), x) {
			e.Message, e.Err = strings.ReplaceAll(e.Err.Error(), x, "(secret)"), nil
		}
	}
	return e
}

func kind(err error) Kind {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Kind
	}
	return Refused
}

// slot takes a place among the requests under way.
func (s *Store) slot(ctx context.Context) (func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// once sends one request that carries size bytes.
func once[T any](ctx context.Context, s *Store, size int, do func(context.Context) (T, error)) (T, error) {
	free, err := s.slot(ctx)
	if err != nil {
		var none T
		return none, err
	}
	defer free()
	ctx, cancel := context.WithTimeout(ctx, s.lim.Timeout+time.Duration(size>>16)*time.Second)
	defer cancel()
	return do(watched(ctx))
}

// again sends a request until it is answered, which the caller knows to be
// harmless.
func again[T any](ctx context.Context, s *Store, op, key string, size int, do func(context.Context) (T, error)) (T, error) {
	for n := 0; ; n++ {
		v, err := once(ctx, s, size, do)
		if err == nil {
			return v, nil
		}
		if end := ctx.Err(); end != nil {
			return v, s.failure(op, key, end, nil)
		}
		if n >= s.lim.Retries || !kind(err).passes() {
			return v, s.failure(op, key, err, nil)
		}
		if end := s.pause(ctx, n, err); end != nil {
			return v, s.failure(op, key, end, nil)
		}
	}
}

// pause waits before repetition n; longer each time, and as long as the
// service asks for.
func (s *Store) pause(ctx context.Context, n int, err error) error {
	most := min(s.lim.Pause<<min(n, 7), 100*s.lim.Pause)
	wait := most/4 + rand.N(most*3/4+1)
	if f, ok := errors.AsType[*Fault](err); ok {
		wait = max(wait, min(f.Wait, time.Minute))
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Head describes an object.
func (s *Store) Head(ctx context.Context, key string) (objstore.Info, error) {
	if err := errors.Join(ctx.Err(), objstore.CheckKey(key)); err != nil {
		return objstore.Info{}, err
	}
	o, err := s.head(ctx, key)
	return o.Info, err
}

func (s *Store) head(ctx context.Context, key string) (Object, error) {
	full := s.root + key
	o, err := again(ctx, s, "head", full, 0, func(ctx context.Context) (Object, error) { return s.svc.Head(ctx, full) })
	o.Key = key
	return o, err
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := errors.Join(ctx.Err(), objstore.CheckKey(key)); err != nil {
		return err
	}
	full := s.root + key
	_, err := again(ctx, s, "delete", full, 0, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.svc.Delete(ctx, full) })
	if errors.Is(err, objstore.ErrNotFound) {
		return nil
	}
	return err
}

// List yields the objects below a prefix after a key. Objects of others whose
// keys no store takes, such as those that stand for folders, are left out.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[objstore.Info, error] {
	return func(yield func(objstore.Info, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(objstore.Info{}, err)
			return
		}
		folder := prefix[:strings.LastIndexByte(prefix, '/')+1]
		if folder != "" && (!fs.ValidPath(path.Clean(folder)) || path.Clean(folder)+"/" != folder) {
			return // no key begins so
		}
		l := lister{Store: s, ctx: ctx, yield: yield, delimited: s.walks != nil && s.walks(ctx)}
		if after != "" {
			l.after = s.root + after
		}
		l.folder(s.root + prefix)
	}
}

// lister is one List. Keys are those of the service.
type lister struct {
	*Store
	ctx       context.Context //nolint:containedctx // lives as long as the List
	after     string
	delimited bool
	yield     func(objstore.Info, error) bool
}

// folder yields what begins with prefix; it tells whether to go on. Folders
// wait until nothing can come before their content: a service may list "a",
// the folder, before "a.b", but "a/c" comes after it.
func (l *lister) folder(prefix string) bool {
	var waiting []string
	for token := ""; ; {
		q := Listing{Prefix: prefix, After: l.after, Folders: l.delimited, Token: token}
		page, err := again(l.ctx, l.Store, "list", prefix, 0, func(ctx context.Context) (Page, error) { return l.svc.List(ctx, q) })
		if errors.Is(err, objstore.ErrNotFound) {
			break // no such folder
		}
		if err != nil {
			l.yield(objstore.Info{}, err)
			return false
		}
		folders := page.Folders
		for _, o := range page.Objects {
			at, _ := slices.BinarySearch(folders, o.Key)
			waiting = append(waiting, folders[:at]...)
			folders = folders[at:]
			if waiting, err = l.enter(waiting, o.Key); err != nil || !l.object(o) {
				return false
			}
		}
		if waiting = append(waiting, folders...); len(folders) > 0 {
			if waiting, err = l.enter(waiting, strings.TrimSuffix(folders[len(folders)-1], "/")); err != nil {
				return false
			}
		}
		if token = page.Next; token == "" {
			break
		}
	}
	slices.Sort(waiting)
	for _, w := range waiting {
		if l.wants(w) && !l.folder(w) {
			return false
		}
	}
	return true
}

var errStop = errors.New("stop")

// enter yields the content of the waiting folders that come before key.
func (l *lister) enter(waiting []string, key string) ([]string, error) {
	slices.Sort(waiting)
	for len(waiting) > 0 && waiting[0] < key {
		if l.wants(waiting[0]) && !l.folder(waiting[0]) {
			return nil, errStop
		}
		waiting = waiting[1:]
	}
	return waiting, nil
}

// wants tells whether a folder may hold keys that are asked for.
func (l *lister) wants(folder string) bool {
	return folder > l.after || strings.HasPrefix(l.after, folder)
}

func (l *lister) object(o objstore.Info) bool {
	key, ok := strings.CutPrefix(o.Key, l.root)
	if !ok || o.Key <= l.after || objstore.CheckKey(key) != nil {
		return true
	}
	if err := l.ctx.Err(); err != nil {
		l.yield(objstore.Info{}, err)
		return false
	}
	o.Key = key
	return l.yield(o, nil)
}

// String names the store.
func (s *Store) String() string { return fmt.Sprintf("objects below %s", s.svc.Where(s.root)) }
