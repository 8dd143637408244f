package filetable

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/marisma/marisma/objstore"
)

// File is a file of a table.
type File struct {
	// Key is its name in the store, Path its name below the table's folder.
	Key, Path string
	// Size is in bytes, Modified in milliseconds since the epoch.
	Size, Modified int64
}

// Folder is one table's folder. Use one Folder for all who read and write it.
type Folder struct {
	store objstore.Store
	root  string

	mu    sync.Mutex
	doing map[string]bool // writes under way, by their folders
	pins  map[*Pin]bool
	doom  []*doomed
}

// doomed are files that are no longer the table's, but were when the pins were
// taken.
type doomed struct {
	keys   map[string]bool
	change string
	pins   map[*Pin]bool
}

// Pin keeps the files of a listing until Release.
type Pin struct{ f *Folder }

// New is the folder root of a store; it does no I/O.
func New(store objstore.Store, root string) *Folder {
	return &Folder{store: store, root: root, doing: map[string]bool{}, pins: map[*Pin]bool{}}
}

// Root is the folder's key in the store.
func (f *Folder) Root() string { return f.root }

// Store is where the folder lies.
func (f *Folder) Store() objstore.Store { return f.store }

// Names of what the package keeps below a table's folder.
const (
	asidePrefix  = "_temporary/"     // of files that are being written
	changePrefix = "_marisma_change" // of changes that are to be carried out
	// Marker stands in the folder of a partition that is there without files.
	Marker = "_partition"
)

// change says what a write does to the table, in keys below its folder.
type change struct {
	Add    map[string]string `json:"add"` // from, to
	Remove []string          `json:"remove"`
}

// Hidden tells whether a file, by its path below a folder, is none that a reader
// of the folder sees.
func Hidden(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "_") && !strings.Contains(part, "=") || strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

func (f *Folder) key(path string) string {
	if f.root == "" {
		return path
	}
	return f.root + "/" + path
}

// List are the table's files in the order of their names, which stay until the
// pin is released, and the folders of partitions without files.
func (f *Folder) List(ctx context.Context) (files []File, empty []string, pin *Pin, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if files, empty, err = f.list(ctx); err != nil {
		return nil, nil, nil, err
	}
	return files, empty, f.pin(), nil
}

func (f *Folder) pin() *Pin {
	p := &Pin{f}
	f.pins[p] = true
	return p
}

// Again is another pin on what p keeps, nil where p was released.
func (p *Pin) Again() *Pin {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if !p.f.pins[p] {
		return nil
	}
	q := p.f.pin()
	for _, d := range p.f.doom {
		if d.pins[p] {
			d.pins[q] = true
		}
	}
	return q
}

// Release lets the files go. It may be called more than once.
func (p *Pin) Release() {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if !p.f.pins[p] {
		return
	}
	delete(p.f.pins, p)
	p.f.doom = slices.DeleteFunc(p.f.doom, func(d *doomed) bool {
		delete(d.pins, p)
		// What is left over is deleted by who finds the change the next time.
		return len(d.pins) == 0 && p.f.bury(context.Background(), d) == nil
	})
}

// bury deletes files, then the change that they went by.
func (f *Folder) bury(ctx context.Context, d *doomed) error {
	for k := range d.keys {
		if err := f.store.Delete(ctx, k); err != nil {
			return err
		}
	}
	return f.store.Delete(ctx, d.change)
}

func (f *Folder) list(ctx context.Context) ([]File, []string, error) {
	for try := 0; ; try++ {
		files, empty, changes, err := f.look(ctx)
		if err != nil {
			return nil, nil, err
		}
		if len(changes) == 0 || try > 2 {
			return files, empty, nil
		}
		for _, c := range changes { // of a process that has ended
			if err := f.carryOut(ctx, c); err != nil {
				return nil, nil, err
			}
		}
	}
}

// look reads the folder: its files, the folders of partitions that have none,
// and changes that nobody is carrying out.
func (f *Folder) look(ctx context.Context) (files []File, empty, changes []string, err error) {
	prefix := f.key("")
	gone, known := map[string]bool{}, map[string]bool{}
	for _, d := range f.doom {
		known[d.change] = true
		for k := range d.keys {
			gone[k] = true
		}
	}
	for info, err := range f.store.List(ctx, prefix, "") {
		if err != nil {
			return nil, nil, nil, err
		}
		path := strings.TrimPrefix(info.Key, prefix)
		switch {
		case strings.HasPrefix(path, changePrefix) && !known[info.Key]:
			changes = append(changes, info.Key)
		case strings.HasSuffix(path, "/"+Marker) && !Hidden(strings.TrimSuffix(path, "/"+Marker)):
			empty = append(empty, strings.TrimSuffix(path, "/"+Marker))
		case !Hidden(path) && !gone[info.Key]:
			files = append(files, File{Key: info.Key, Path: path, Size: info.Size, Modified: info.ModTime.UnixMilli()})
		}
	}
	return files, empty, changes, nil
}

// carryOut does what a change says that is in the store. What is done already is
// not there to be done again.
func (f *Folder) carryOut(ctx context.Context, key string) error {
	text, err := objstore.ReadAll(ctx, f.store, key)
	if errors.Is(err, objstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var c change
	if err := json.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("filetable: the change file %s is malformed: %w", key, err)
	}
	for from, to := range c.Add {
		if err := f.move(ctx, f.key(from), f.key(to)); err != nil {
			return err
		}
	}
	d := &doomed{keys: map[string]bool{}, change: key, pins: map[*Pin]bool{}}
	for _, r := range c.Remove {
		if !strings.HasSuffix(r, "/"+Marker) {
			d.keys[f.key(r)] = true
		} else if err := f.store.Delete(ctx, f.key(r)); err != nil {
			return err
		}
	}
	if len(d.keys) == 0 || len(f.pins) == 0 {
		return f.bury(ctx, d)
	}
	for p := range f.pins {
		d.pins[p] = true
	}
	f.doom = append(f.doom, d)
	return nil
}

// move renames an object; one that is not there was moved already.
func (f *Folder) move(ctx context.Context, from, to string) error {
	if p, ok := f.store.(objstore.Pather); ok {
		return rename(p.Path(from), p.Path(to))
	}
	in, _, err := f.store.Get(ctx, from, 0, -1)
	if errors.Is(err, objstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.store.Put(ctx, to, in, objstore.PutOptions{})
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	return f.store.Delete(ctx, from)
}

// rename moves a file and waits until the disk has it.
func rename(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil { //nolint:gosec // as the store makes folders: the umask says who may
		return err
	}
	if err := os.Rename(from, to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for dir := filepath.Dir(to); ; dir = filepath.Dir(dir) { // folders may be new, up to the table's
		if err := syncFolder(dir); err != nil {
			return err
		}
		if !strings.Contains(filepath.Base(dir), "=") {
			return nil
		}
	}
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Write is a statement's change of a table. It is for one goroutine.
type Write struct {
	f     *Folder
	aside string
	paths []string
}

// Begin begins a change.
func (f *Folder) Begin() *Write {
	w := &Write{f: f, aside: asidePrefix + rand.Text()}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.doing[w.aside] = true
	return w
}

// Aside is the key of the folder, hidden in the table's, below which new files
// are put under their paths in the table.
func (w *Write) Aside() string { return w.f.key(w.aside) }

// Add names a file that was put below Aside, by its path there.
func (w *Write) Add(path string) { w.paths = append(w.paths, path) }

// Commit makes the new files the table's and takes out those for which gone is
// true, in one step.
func (w *Write) Commit(ctx context.Context, gone func(path string) bool) error {
	f := w.f
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.doing, w.aside)
	files, empty, err := f.list(ctx)
	if err != nil {
		return err
	}
	c := change{Add: map[string]string{}}
	for _, p := range w.paths {
		c.Add[w.aside+"/"+p] = p
	}
	for _, o := range files {
		if gone(o.Path) {
			c.Remove = append(c.Remove, o.Path)
		}
	}
	for _, e := range empty {
		if gone(e + "/" + Marker) {
			c.Remove = append(c.Remove, e+"/"+Marker)
		}
	}
	if len(c.Add)+len(c.Remove) == 0 {
		return nil
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	key := f.key(changePrefix + "_" + strings.TrimPrefix(w.aside, asidePrefix) + ".json")
	if _, err := f.store.Put(ctx, key, bytes.NewReader(text), objstore.PutOptions{}); err != nil {
		return err
	}
	// The statement has happened: what cannot be done now is done by the next
	// who lists the table.
	err = f.carryOut(context.WithoutCancel(ctx), key)
	f.sweep(context.WithoutCancel(ctx), w.aside, true)
	return err
}

// Abort deletes what was put aside; after Commit it does nothing.
func (w *Write) Abort(ctx context.Context) {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	if w.f.doing[w.aside] {
		delete(w.f.doing, w.aside)
		w.f.sweep(ctx, w.aside, false)
	}
}

// abandoned is the age in which files that were put aside are no running write's.
const abandoned = 24 * time.Hour

// sweep deletes what own has put aside and, with others, what writes did that
// never came to their end. No change of a process that has ended may wait to be
// carried out then: its files lie there, too.
func (f *Folder) sweep(ctx context.Context, own string, others bool) {
	prefix := f.key(asidePrefix)
	var keys []string
	for info, err := range f.store.List(ctx, prefix, "") {
		if err != nil {
			return // the next write tries again
		}
		aside, _, _ := strings.Cut(strings.TrimPrefix(info.Key, prefix), "/")
		aside = asidePrefix + aside
		if aside == own || others && !f.doing[aside] && time.Since(info.ModTime) > abandoned {
			keys = append(keys, info.Key)
		}
	}
	for _, k := range keys {
		if f.store.Delete(ctx, k) != nil {
			return
		}
	}
	if p, ok := f.store.(objstore.Pather); ok { // empty folders harm nobody
		_ = os.RemoveAll(p.Path(f.key(own)))
		_ = os.Remove(p.Path(strings.TrimSuffix(prefix, "/")))
	}
}

// Mark makes the folder of a partition known that has no files.
func (f *Folder) Mark(ctx context.Context, partition string) error {
	_, err := f.store.Put(ctx, f.key(partition+"/"+Marker), bytes.NewReader(nil), objstore.PutOptions{})
	return err
}
