package query

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
)

// Bounds of what is remembered of files: how many files, and how many schemas
// that differ among them.
const (
	maxFooters = 50_000
	maxSchemas = 256
)

// footer tells a data file from others: its path, size and time stand for it,
// for it never changes.
type footer struct {
	path           string
	size, modified int64
}

// perFile remembers what was found in each of many files. It is safe for
// concurrent use, and bounded: it forgets all when it has become too large.
type perFile[V any] struct {
	mu    sync.Mutex
	known map[footer]V
}

// get is what is known of a file, or what find says, which is kept.
func (p *perFile[V]) get(k footer, find func() (V, error)) (V, error) {
	p.mu.Lock()
	v, ok := p.known[k]
	p.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := find()
	if err != nil {
		return v, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxFooters {
		p.known = map[footer]V{}
	}
	p.known[k] = v
	return v, nil
}

// footers remembers the schemas of data files that were opened for them. The
// files of a table share few schemas.
type footers struct {
	schemas perFile[*arrow.Schema]
	mu      sync.Mutex
	shared  []*arrow.Schema
}

// schema is that of the file, which it opens where it does not know it.
func (f *footers) schema(path string, a delta.Add) (*arrow.Schema, error) {
	return f.schemas.get(footer{path, a.Size, a.ModificationTime}, func() (*arrow.Schema, error) {
		s, err := delta.FileSchema(path)
		if err != nil {
			return nil, err
		}
		return f.one(s), nil
	})
}

// one is the schema that stands for all equal ones.
func (f *footers) one(s *arrow.Schema) *arrow.Schema {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, known := range f.shared {
		if known.Equal(s) {
			return known
		}
	}
	if len(f.shared) >= maxSchemas {
		f.shared = nil
	}
	f.shared = append(f.shared, s)
	return s
}

// Schema implements Locator.
func (t *Tables) Schema(path string, a delta.Add) (*arrow.Schema, error) {
	return t.footers.schema(path, a)
}

// Schema is what the tables know of a file's schema.
func (f *statementFiles) Schema(path string, a delta.Add) (*arrow.Schema, error) {
	return f.tables.Schema(path, a)
}
