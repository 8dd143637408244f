package objstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/marisma/marisma/internal/vfs"
)

// local keeps objects as files below dir.
type local struct {
	fs  vfs.FS
	dir string
}

// localPather is a local whose files the machine can see.
type localPather struct{ *local }

// Path is the absolute path of the file behind key, "" where no key may be so.
func (l localPather) Path(key string) string {
	if CheckKey(key) != nil {
		return ""
	}
	return l.fs.Path(l.name(key))
}

// Local keeps objects as files below the folder dir, which the first Put
// makes. It is a Pather. New files have the permissions that the umask leaves.
func Local(dir string) Store { return LocalOn(vfs.NewOSMode(dir, 0o666, 0o777), ".") }

// LocalOn is Local on a folder of fsys. It is a Pather where fsys' files have
// a path.
//
// A Put writes and syncs a hidden file beside the object, then gives it its
// name: by link(2), which refuses a name that is taken, where IfAbsent asks
// for it, else by rename. A crash can leave hidden ".tmp-" files, nothing else;
// PutLater says what it adds to that. It is a Deferrer.
func LocalOn(fsys vfs.FS, dir string) Store {
	l := &local{fs: fsys, dir: dir}
	if fsys.Path(dir) == "" {
		return l
	}
	return localPather{l}
}

func (l *local) name(key string) string { return path.Join(l.dir, key) }

// wrap gives an error of the file system its family.
func wrap(key string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s", ErrNotFound, key)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: %s", ErrExists, key)
	}
	return fmt.Errorf("objstore: %s: %w", key, err)
}

func (l *local) Head(ctx context.Context, key string) (Info, error) {
	if err := errors.Join(ctx.Err(), CheckKey(key)); err != nil {
		return Info{}, err
	}
	return l.head(key)
}

func (l *local) head(key string) (Info, error) {
	st, err := l.fs.Stat(l.name(key))
	if err != nil {
		return Info{}, wrap(key, absent(err))
	}
	if st.IsDir() {
		return Info{}, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	return Info{Key: key, Size: st.Size(), ModTime: st.ModTime()}, nil
}

func (l *local) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, Info, error) {
	info, err := l.Head(ctx, key)
	if err != nil {
		return nil, Info{}, err
	}
	f, err := l.fs.Open(l.name(key))
	if err != nil {
		return nil, Info{}, wrap(key, absent(err))
	}
	if info.Size, err = f.Size(); err != nil {
		return nil, Info{}, errors.Join(wrap(key, err), f.Close())
	}
	start, n, err := Span(key, offset, length, info.Size)
	if err != nil {
		return nil, Info{}, errors.Join(err, f.Close())
	}
	return fileRange{io.NewSectionReader(f, start, n), f}, info, nil
}

type fileRange struct {
	*io.SectionReader
	io.Closer
}

func (l *local) Put(ctx context.Context, key string, r io.Reader, opt PutOptions) (Info, error) {
	return l.PutAfter(ctx, key, r, opt, nil)
}

// PutAfter implements Deferrer.
func (l *local) PutAfter(ctx context.Context, key string, r io.Reader, opt PutOptions, ready func() error) (Info, error) {
	p, err := l.begin(ctx, key, r, opt)
	if err != nil {
		return Info{}, err
	}
	if !opt.Spare {
		err = p.file.Sync()
	}
	if err = errors.Join(err, p.file.Close()); err == nil && ready != nil {
		err = ready()
	}
	if err := p.publish(err); err != nil {
		return Info{}, err
	}
	if !opt.Spare {
		if err := p.fs.SyncDir(path.Dir(p.name)); err != nil {
			return Info{}, fmt.Errorf("%w: %s: %w", ErrUnknownOutcome, key, err)
		}
	}
	return p.info(), nil
}

// PutLater implements Deferrer. A crash before the object is durable can leave
// a part of it under its name.
func (l *local) PutLater(ctx context.Context, key string, r io.Reader, opt PutOptions) (Info, func() error, error) {
	p, err := l.begin(ctx, key, r, opt)
	if err != nil {
		return Info{}, nil, err
	}
	if err := p.publish(nil); err != nil {
		return Info{}, nil, errors.Join(err, p.file.Close())
	}
	content, name := make(chan error, 1), make(chan error, 1)
	go func() { content <- errors.Join(p.file.Sync(), p.file.Close()) }()
	go func() { name <- p.fs.SyncDir(path.Dir(p.name)) }()
	return p.info(), sync.OnceValue(func() error {
		if err := errors.Join(<-content, <-name); err != nil {
			return wrap(key, err)
		}
		return nil
	}), nil
}

// put is a Put under way.
type put struct {
	*local
	key, name, tmp string
	opt            PutOptions
	file           vfs.File // of tmp
	size           int64
}

// begin writes the object into a hidden file, which stays open.
func (l *local) begin(ctx context.Context, key string, r io.Reader, opt PutOptions) (*put, error) {
	if err := errors.Join(ctx.Err(), CheckKey(key)); err != nil {
		return nil, err
	}
	p := &put{local: l, key: key, name: l.name(key), opt: opt}
	if opt.IfAbsent {
		// Spares the write where the answer is known; Link decides.
		if _, err := l.fs.Stat(p.name); err == nil {
			return nil, fmt.Errorf("%w: %s", ErrExists, key)
		}
	}
	dir := path.Dir(p.name)
	if err := l.fs.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("objstore: %s: %w", key, err)
	}
	p.tmp = path.Join(dir, fmt.Sprintf("%s%016x", tempPrefix, rand.Uint64()))
	var err error
	if p.file, err = l.fs.CreateNew(p.tmp); err != nil {
		return nil, wrap(key, errors.Join(err, l.fs.RemoveAll(p.tmp)))
	}
	if p.size, err = io.Copy(p.file, ctxReader{ctx, r}); err != nil {
		return nil, wrap(key, errors.Join(err, p.file.Close(), l.fs.RemoveAll(p.tmp)))
	}
	return p, nil
}

// publish gives the written file its name; with a cause it deletes the file
// instead.
func (p *put) publish(cause error) error {
	if cause == nil {
		cause = p.rename()
	}
	if cause != nil {
		return wrap(p.key, errors.Join(cause, p.fs.RemoveAll(p.tmp)))
	}
	return nil
}

func (p *put) info() Info {
	info, err := p.head(p.key)
	if err != nil { // removed again by someone else; the put did happen
		return Info{Key: p.key, Size: p.size, ModTime: time.Now()}
	}
	return info
}

func (p *put) rename() error {
	if err := p.dropChecksum(p.name); err != nil {
		return err
	}
	if !p.opt.IfAbsent {
		return p.fs.Rename(p.tmp, p.name)
	}
	if err := p.fs.Link(p.tmp, p.name); err != nil {
		return err
	}
	_ = p.fs.Remove(p.tmp) // what stays is hidden and harmless
	return nil
}

// dropChecksum removes the checksum that Hadoop's local file system keeps
// beside a file and would hold against the new content. It is gone for good
// before the content changes.
func (l *local) dropChecksum(name string) error {
	dir, base := path.Split(name)
	crc := path.Join(dir, "."+base+".crc")
	err := l.fs.Remove(crc)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.fs.SyncDir(path.Clean(dir))
}

func (l *local) Delete(ctx context.Context, key string) error {
	if err := errors.Join(ctx.Err(), CheckKey(key)); err != nil {
		return err
	}
	if _, err := l.head(key); err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	name := l.name(key)
	if err := l.dropChecksum(name); err != nil {
		return wrap(key, err)
	}
	if err := l.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wrap(key, err)
	}
	if err := l.fs.SyncDir(path.Dir(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wrap(key, err)
	}
	return nil
}

func (l *local) List(ctx context.Context, prefix, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		w := walk{local: l, ctx: ctx, prefix: prefix, after: after, yield: yield}
		start := ""
		if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
			start = prefix[:i+1]
		}
		if !fs.ValidPath(path.Clean(start)) {
			return // no key begins so
		}
		w.folder(start)
	}
}

// walk is one List.
type walk struct {
	*local
	ctx           context.Context //nolint:containedctx // lives as long as the List
	prefix, after string
	yield         func(Info, error) bool
}

// entry is a file, or a folder whose key ends in "/".
type entry struct {
	key string
	fs.DirEntry
}

// folder yields what lies below key, which is "" or ends in "/"; it tells
// whether to go on.
func (w *walk) folder(key string) bool {
	entries, err := w.fs.ReadDir(w.name(key))
	if err != nil {
		return errors.Is(absent(err), fs.ErrNotExist) || w.fail(key, err)
	}
	kept := make([]entry, 0, len(entries))
	for _, e := range entries {
		k := key + e.Name()
		if e.IsDir() {
			k += "/"
		}
		if !strings.HasPrefix(e.Name(), tempPrefix) && w.wants(k) {
			kept = append(kept, entry{k, e})
		}
	}
	// A folder stands where its first key does: "a.b" comes before "a/b".
	slices.SortFunc(kept, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	for _, e := range kept {
		if err := w.ctx.Err(); err != nil {
			return w.fail(e.key, err)
		}
		if !w.entry(e) {
			return false
		}
	}
	return true
}

// wants tells whether key, or a key below the folder key, is asked for.
func (w *walk) wants(key string) bool {
	if !strings.HasSuffix(key, "/") {
		return strings.HasPrefix(key, w.prefix) && key > w.after
	}
	if !strings.HasPrefix(key, w.prefix) && !strings.HasPrefix(w.prefix, key) {
		return false
	}
	return key > w.after || strings.HasPrefix(w.after, key)
}

func (w *walk) entry(e entry) bool {
	if e.IsDir() {
		return w.folder(e.key)
	}
	st, err := e.Info()
	if err == nil && st.Mode()&fs.ModeSymlink != 0 {
		st, err = w.fs.Stat(w.name(e.key))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist): // removed meanwhile
		return true
	case err != nil:
		return w.fail(e.key, err)
	case st.IsDir(): // links to folders are not followed
		return true
	}
	return w.yield(Info{Key: e.key, Size: st.Size(), ModTime: st.ModTime()}, nil)
}

func (w *walk) fail(key string, err error) bool {
	w.yield(Info{}, fmt.Errorf("objstore: list %q at %q: %w", w.prefix, key, err))
	return false
}
