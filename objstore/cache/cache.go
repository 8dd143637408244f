package cache

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/marisma/marisma/internal/vfs"
	"github.com/marisma/marisma/objstore"
)

// ErrFull tells that the copies that are in use leave no room for another.
var ErrFull = errors.New("cache: full of files in use")

// Options bound a cache.
type Options struct {
	// MaxBytes bounds the copies; 1 GiB by default.
	MaxBytes int64
	// MaxObject bounds one copy that a Get makes; a quarter of MaxBytes by
	// default. Fetch copies what MaxBytes can hold.
	MaxObject int64
	// Immutable tells which keys never get another content; the function
	// Immutable by default.
	Immutable func(key string) bool
}

// Immutable takes the keys of Delta's data files, deletion vectors and the
// sidecars of checkpoints, which have names of their own. Of a log it takes
// nothing else: another writer may write a checkpoint anew.
func Immutable(key string) bool {
	if i := strings.LastIndex("/"+key, "/_delta_log/"); i >= 0 && !strings.HasPrefix(key[i:], "_delta_log/_sidecars/") {
		return false
	}
	return strings.HasSuffix(key, ".parquet") || strings.HasSuffix(key, ".bin")
}

// Stats count what a cache did since Open.
type Stats struct {
	Hits, Misses, Evictions int64
	// Bytes and Objects are what it holds.
	Bytes, Objects int64
}

// Cache is a store that keeps copies of another's objects.
type Cache struct {
	store objstore.Store
	fs    vfs.FS
	opt   Options

	mu    sync.Mutex
	byKey map[string]*entry // by the key's digest
	order *list.List        // of entries, most recently used first
	used  int64             // bytes of entries, whole or under way
	large map[string]bool   // digests of keys that are read through
	stats Stats
}

// maxLarge bounds what is remembered of objects that are read through.
const maxLarge = 10_000

// entry is a copy, or the download that becomes one.
type entry struct {
	id   string
	info objstore.Info // without key after Open
	name string        // of the file
	pins int
	gone bool          // out of the cache; the last pin removes the file
	at   *list.Element // in order
	done chan struct{} // closed once the download has ended
	err  error         // of the download
}

var _ objstore.Store = (*Cache)(nil)

const tempPrefix = ".tmp-"

// Open makes a cache of store in the folder dir, which it makes where it is
// missing, with the copies that are there.
func Open(store objstore.Store, dir string, o Options) (*Cache, error) {
	return OpenOn(store, vfs.NewOS(dir), o)
}

// OpenOn is Open on the root of fsys.
func OpenOn(store objstore.Store, fsys vfs.FS, o Options) (*Cache, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 1 << 30
	}
	if o.MaxObject <= 0 {
		o.MaxObject = o.MaxBytes / 4
	}
	o.MaxObject = min(o.MaxObject, o.MaxBytes)
	if o.Immutable == nil {
		o.Immutable = Immutable
	}
	c := &Cache{store: store, fs: fsys, opt: o, byKey: map[string]*entry{}, large: map[string]bool{}, order: list.New()}
	if err := fsys.MkdirAll("."); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	return c, c.recover()
}

// recover takes the folder's copies in and removes what is none.
func (c *Cache) recover() error {
	files, err := c.fs.ReadDir(".")
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	type found struct {
		e    *entry
		when time.Time
	}
	var all []found
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		st, err := f.Info()
		if err != nil {
			return fmt.Errorf("cache: %w", err)
		}
		e, ok := parse(f.Name())
		if !ok && !strings.HasPrefix(f.Name(), tempPrefix) {
			continue // not ours
		}
		if !ok || e.info.Size != st.Size() || c.byKey[e.id] != nil {
			if err := c.fs.Remove(f.Name()); err != nil {
				return fmt.Errorf("cache: %w", err)
			}
			continue
		}
		c.byKey[e.id] = e
		all = append(all, found{e, st.ModTime()})
	}
	slices.SortFunc(all, func(a, b found) int { return b.when.Compare(a.when) })
	for _, f := range all {
		f.e.at = c.order.PushBack(f.e)
		c.used += f.e.info.Size
	}
	c.shrink(0)
	return nil
}

// name is a file's: the key's digest, size, time and ETag, so that a copy can
// be told from its name alone.
func (e *entry) fileName(key string) string {
	etag := base64.RawURLEncoding.EncodeToString([]byte(e.info.ETag))
	if len(etag) > 120 {
		etag = ""
	}
	return fmt.Sprintf("%s.%d.%d.%s%s", e.id, e.info.Size, e.info.ModTime.UnixMicro(), etag, path.Ext(key))
}

// parse reads what fileName wrote.
func parse(name string) (*entry, bool) {
	p := strings.Split(name, ".")
	if len(p) < 4 || len(p) > 5 || len(p[0]) != 32 {
		return nil, false
	}
	size, err1 := strconv.ParseInt(p[1], 10, 64)
	at, err2 := strconv.ParseInt(p[2], 10, 64)
	etag, err3 := base64.RawURLEncoding.DecodeString(p[3])
	if errors.Join(err1, err2, err3) != nil || size < 0 {
		return nil, false
	}
	e := &entry{id: p[0], name: name, done: make(chan struct{}), info: objstore.Info{Size: size, ModTime: time.UnixMicro(at), ETag: string(etag)}}
	close(e.done)
	return e, true
}

func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// Stats counts.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Bytes, s.Objects = c.used, int64(len(c.byKey))
	return s
}

// Fetch makes sure of a local copy of an immutable object and gives its path.
// The file stays until release is called, once. size is the object's, -1 where
// it is not known; the copy is made anew where it has another. ErrFull where
// there is no room for it.
func (c *Cache) Fetch(ctx context.Context, key string, size int64) (file string, release func(), err error) {
	if err := errors.Join(ctx.Err(), objstore.CheckKey(key)); err != nil {
		return "", nil, err
	}
	if !c.opt.Immutable(key) {
		return "", nil, fmt.Errorf("cache: %w: %s may change", objstore.ErrInvalid, key)
	}
	e, err := c.pin(ctx, key, size, c.opt.MaxBytes)
	if err != nil {
		return "", nil, err
	}
	return c.fs.Path(e.name), sync.OnceFunc(func() { c.unpin(e) }), nil
}

var errTooLarge = fmt.Errorf("%w: the object is larger than a copy may be", ErrFull)

// pin gives the copy of an object, which it makes where there is none. Only
// one caller downloads; the others wait for it.
func (c *Cache) pin(ctx context.Context, key string, size, most int64) (*entry, error) {
	id := digest(key)
	for {
		c.mu.Lock()
		e := c.byKey[id]
		if e != nil && e.name != "" && size >= 0 && e.info.Size != size {
			c.drop(e)
			e = nil
		}
		if e == nil {
			e = &entry{id: id, pins: 1, done: make(chan struct{})}
			c.byKey[id] = e
			c.stats.Misses++
			c.mu.Unlock()
			return e, c.download(ctx, e, key, size, most)
		}
		e.pins++
		if e.at != nil {
			c.order.MoveToFront(e.at)
		}
		c.mu.Unlock()
		select {
		case <-e.done:
		case <-ctx.Done():
			c.unpin(e)
			return nil, ctx.Err()
		}
		if fits := e.err == nil && (size < 0 || e.info.Size == size); fits {
			c.mu.Lock()
			c.stats.Hits++
			c.mu.Unlock()
			return e, nil
		}
		c.unpin(e)
		if e.err == nil {
			continue // and drop it
		}
		if err := e.err; !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		} // the one that downloaded gave up; so this one tries
	}
}

func (c *Cache) unpin(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.pins--; e.pins == 0 && e.gone {
		c.remove(e)
	}
}

// drop takes an entry out; c.mu is held. Its file goes with its last pin.
func (c *Cache) drop(e *entry) {
	if e.gone {
		return
	}
	e.gone = true
	if c.byKey[e.id] == e {
		delete(c.byKey, e.id)
	}
	if e.at != nil {
		c.order.Remove(e.at)
		e.at = nil
	}
	if e.pins == 0 {
		c.remove(e)
	}
}

// remove deletes the file of an entry that is out; c.mu is held.
func (c *Cache) remove(e *entry) {
	if e.name != "" {
		_ = c.fs.Remove(e.name) // what stays is found by the next Open
	}
	c.used -= e.info.Size
	e.info.Size = 0
}

// shrink makes room for need bytes; it tells whether there is. c.mu is held.
func (c *Cache) shrink(need int64) bool {
	for at := c.order.Back(); at != nil && c.used+need > c.opt.MaxBytes; {
		before := at.Prev()
		if e, ok := at.Value.(*entry); ok && e.pins == 0 {
			c.drop(e)
			c.stats.Evictions++
		}
		at = before
	}
	return c.used+need <= c.opt.MaxBytes
}

// download makes e a copy of the object. On an error e is out of the cache and
// not pinned.
func (c *Cache) download(ctx context.Context, e *entry, key string, size, most int64) (err error) {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil {
			e.err = err
			c.drop(e)
			if e.pins--; e.pins == 0 {
				c.remove(e)
			}
		}
		close(e.done)
	}()
	r, info, err := c.store.Get(ctx, key, 0, -1)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	switch {
	case size >= 0 && info.Size != size:
		return fmt.Errorf("cache: %s has %d bytes, not the %d that were expected", key, info.Size, size)
	case info.Size > most:
		return fmt.Errorf("%w: %s has %d bytes, the bound is %d", errTooLarge, key, info.Size, most)
	}
	c.mu.Lock()
	room := c.shrink(info.Size)
	if room {
		c.used += info.Size
		e.info = info
	}
	c.mu.Unlock()
	if !room {
		return fmt.Errorf("%w: %s has %d bytes, the bound is %d", ErrFull, key, info.Size, c.opt.MaxBytes)
	}
	name := e.fileName(key)
	if err := c.write(name, r, info.Size); err != nil {
		return fmt.Errorf("cache: a copy of %s: %w", key, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e.name = name
	if !e.gone { // it may have been deleted meanwhile
		e.at = c.order.PushFront(e)
	}
	return nil
}

// errDisk: the trouble is the local disk's, not the store's.
var errDisk = errors.New("the cache's disk")

// diskWriter marks the errors of a file.
type diskWriter struct{ vfs.File }

func (d diskWriter) Write(p []byte) (int, error) {
	n, err := d.File.Write(p)
	if err != nil {
		err = fmt.Errorf("%w: %w", errDisk, err)
	}
	return n, err
}

// write makes a file of just so many bytes appear under its name.
func (c *Cache) write(name string, r io.Reader, size int64) error {
	tmp := fmt.Sprintf("%s%016x", tempPrefix, rand.Uint64())
	f, err := c.fs.CreateNew(tmp)
	if err != nil {
		return fmt.Errorf("%w: %w", errDisk, err)
	}
	n, err := io.Copy(diskWriter{f}, r)
	if err == nil && n != size {
		err = fmt.Errorf("%w: %d of %d bytes", io.ErrUnexpectedEOF, n, size)
	}
	if err == nil {
		if err = errors.Join(f.Sync(), f.Close()); err == nil {
			err = c.fs.Rename(tmp, name)
		}
		if err == nil {
			return nil
		}
		err = fmt.Errorf("%w: %w", errDisk, err)
	} else {
		_ = f.Close()
	}
	_ = c.fs.RemoveAll(tmp) // what stays is removed by the next Open
	return err
}

// Get reads immutable objects from their copies, the others from the store.
func (c *Cache) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, objstore.Info, error) {
	if err := errors.Join(ctx.Err(), objstore.CheckKey(key)); err != nil {
		return nil, objstore.Info{}, err
	}
	if _, _, err := objstore.Span(key, offset, length, 0); err != nil {
		return nil, objstore.Info{}, err
	}
	c.mu.Lock()
	through := c.large[digest(key)]
	c.mu.Unlock()
	if through || !c.opt.Immutable(key) {
		return c.store.Get(ctx, key, offset, length)
	}
	e, err := c.pin(ctx, key, -1, c.opt.MaxObject)
	if errors.Is(err, errTooLarge) {
		c.mu.Lock()
		if len(c.large) >= maxLarge {
			clear(c.large)
		}
		c.large[digest(key)] = true
		c.mu.Unlock()
	}
	if errors.Is(err, ErrFull) || errors.Is(err, errDisk) {
		return c.store.Get(ctx, key, offset, length)
	}
	if err != nil {
		return nil, objstore.Info{}, err
	}
	f, err := c.fs.Open(e.name)
	if err != nil { // somebody else removed it
		c.mu.Lock()
		c.drop(e)
		c.mu.Unlock()
		c.unpin(e)
		return c.store.Get(ctx, key, offset, length)
	}
	info := e.info
	info.Key = key
	start, n, err := objstore.Span(key, offset, length, info.Size)
	if err != nil {
		c.unpin(e)
		return nil, objstore.Info{}, errors.Join(err, f.Close())
	}
	return &reader{io.NewSectionReader(f, start, n), f, sync.OnceFunc(func() { c.unpin(e) })}, info, nil
}

type reader struct {
	*io.SectionReader
	f     vfs.File
	unpin func()
}

// Close lets the copy go.
func (r *reader) Close() error {
	r.unpin()
	return r.f.Close()
}

// Head asks the store.
func (c *Cache) Head(ctx context.Context, key string) (objstore.Info, error) {
	return c.store.Head(ctx, key)
}

// List asks the store.
func (c *Cache) List(ctx context.Context, prefix, after string) iter.Seq2[objstore.Info, error] {
	return c.store.List(ctx, prefix, after)
}

// Put puts into the store and forgets the copy of what was there.
func (c *Cache) Put(ctx context.Context, key string, r io.Reader, opt objstore.PutOptions) (objstore.Info, error) {
	info, err := c.store.Put(ctx, key, r, opt)
	if !errors.Is(err, objstore.ErrExists) {
		c.forget(key)
	}
	return info, err
}

// Delete deletes from the store and forgets the copy.
func (c *Cache) Delete(ctx context.Context, key string) error {
	err := c.store.Delete(ctx, key)
	c.forget(key)
	return err
}

func (c *Cache) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := digest(key)
	delete(c.large, id)
	if e := c.byKey[id]; e != nil {
		c.drop(e)
	}
}
