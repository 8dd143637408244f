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

// footers remembers the schemas of data files that were opened for them. A data
// file never changes, so that its path, size and time stand for it. The files of
// a table share few schemas.
type footers struct {
	mu      sync.Mutex
	schemas map[footer]*arrow.Schema
	shared  []*arrow.Schema
}

type footer struct {
	path           string
	size, modified int64
}

// schema is that of the file, which it opens where it does not know it.
func (f *footers) schema(path string, a delta.Add) (*arrow.Schema, error) {
	k := footer{path, a.Size, a.ModificationTime}
	f.mu.Lock()
	s := f.schemas[k]
	f.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := delta.FileSchema(path)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.schemas == nil || len(f.schemas) >= maxFooters || len(f.shared) >= maxSchemas {
		f.schemas, f.shared = map[footer]*arrow.Schema{}, nil
	}
	for _, known := range f.shared {
		if known.Equal(s) {
			f.schemas[k] = known
			return known, nil
		}
	}
	f.shared = append(f.shared, s)
	f.schemas[k] = s
	return s, nil
}

// Schema implements Locator.
func (t *Tables) Schema(path string, a delta.Add) (*arrow.Schema, error) {
	return t.footers.schema(path, a)
}

// Schema is what the tables know of a file's schema.
func (f *statementFiles) Schema(path string, a delta.Add) (*arrow.Schema, error) {
	return f.tables.Schema(path, a)
}
