package duck

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/marisma/marisma/internal/duck/vector"
)

// scanFunction is the table function that reads a bound Source by its number.
const scanFunction = "marisma_arrow"

// registry holds the sources of one instance.
type registry struct {
	threads int

	mu   sync.Mutex
	last int64
	srcs map[int64]*binding
	ctx  context.Context //nolint:containedctx // of the running query: callbacks from DuckDB's threads have no other way to it
}

// enter sets the context of the statement that runs next.
func (g *registry) enter(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ctx = ctx
}

func (g *registry) context() context.Context {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ctx
}

func (g *registry) bind(src Source) (*binding, error) {
	b := &binding{src: src}
	for _, f := range src.Schema().Fields() {
		t, err := vector.FromArrow(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		b.types = append(b.types, t)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last++
	b.id = g.last
	g.srcs[b.id] = b
	return b, nil
}

func (g *registry) find(id int64) *binding {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.srcs[id]
}

func (g *registry) drop(b *binding) {
	g.mu.Lock()
	delete(g.srcs, b.id)
	g.mu.Unlock()
	b.release()
}

// binding is a Source under its number.
type binding struct {
	id    int64
	src   Source
	types []vector.Type

	mu    sync.Mutex
	used  bool
	err   error
	scans []*scan
}

func (b *binding) failed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// forget drops the error of an earlier query.
func (b *binding) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = nil
}

func (b *binding) setErr(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
}

// open gives the source of one scan.
func (b *binding) open() (Source, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r, ok := b.src.(Rescanner); ok {
		return r.Rescan()
	}
	if b.used {
		return nil, ErrScanned
	}
	b.used = true
	return b.src, nil
}

func (b *binding) add(s *scan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scans = append(b.scans, s)
}

func (b *binding) remove(s *scan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.scans, s); i >= 0 {
		b.scans = slices.Delete(b.scans, i, i+1)
	}
}

// release ends the scans that DuckDB still knows of.
func (b *binding) release() {
	b.mu.Lock()
	scans := slices.Clone(b.scans)
	b.mu.Unlock()
	for _, s := range scans {
		s.close()
	}
}
