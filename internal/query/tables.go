package query

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/query/filetable"
	"github.com/marisma/marisma/objstore"
)

// Tables opens the catalog's Delta tables, one *delta.Table for each, so that
// all readers of a table share its snapshot. It is safe for concurrent use.
type Tables struct {
	store objstore.Store
	opts  []delta.Option
	roots []Root // of paths

	odd     oddFiles
	footers footers

	mu      sync.Mutex
	open    map[string]*delta.Table
	folders map[string]*filetable.Folder // of tables of files
}

// NewTables keeps tables under store, each below its ID.
func NewTables(store objstore.Store, opts ...delta.Option) *Tables {
	opts = append(slices.Clone(opts), delta.WithRowRules()) // statements evaluate them
	return &Tables{store: store, opts: opts, open: map[string]*delta.Table{}}
}

// Open gives the Delta table behind t.
func (t *Tables) Open(ctx context.Context, c catalog.Table) (*delta.Table, error) {
	if ofFiles(c) {
		return nil, fmt.Errorf("%w: %s is a table of %s files", delta.ErrNotATable, c.FullName(), c.Properties[providerKey])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.open[c.ID]; d != nil {
		return d, nil
	}
	store, root, err := t.where(c)
	if err != nil {
		return nil, err
	}
	d, err := delta.Open(ctx, store, root, t.opts...)
	if err != nil {
		return nil, err
	}
	t.open[c.ID] = d
	return d, nil
}

// Put makes a table that was just created known.
func (t *Tables) Put(c catalog.Table, d *delta.Table) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[c.ID] = d
}

// Forget drops what is cached of c.
func (t *Tables) Forget(c catalog.Table) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, c.ID)
}

// Store is where the tables lie.
func (t *Tables) Store() objstore.Store { return t.store }

// Options are those that tables are opened and made with.
func (t *Tables) Options() []delta.Option { return t.opts }

// LocalPath gives the file behind a key, "" on a store that is not local. An
// absolute path, by which a clone names the files of its source, stands for
// itself where it lies in the store.
func (t *Tables) LocalPath(key string) string {
	p, ok := t.store.(objstore.Pather)
	if !ok {
		return ""
	}
	if filepath.IsAbs(key) {
		rel, err := filepath.Rel(filepath.Dir(p.Path("x")), key)
		if err != nil || !filepath.IsLocal(rel) {
			return ""
		}
		return key
	}
	return p.Path(key)
}

// where is a table's store and its place there: its location, or the folder of
// its ID.
func (t *Tables) where(c catalog.Table) (objstore.Store, string, error) {
	l := c.Properties[locationKey]
	if l == "" {
		return t.store, c.ID, nil
	}
	p, err := t.place(l)
	if err != nil {
		return nil, "", t.outside(l)
	}
	return p.root.Store, p.key, nil
}
