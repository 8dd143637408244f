package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/pipeline/flow"
	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/pipeline/source"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// engine is what the executors of a pipeline's flows share.
type engine struct {
	pool   *duck.Pool
	at     query.Locator // puts tables' files where DuckDB reads them
	files  *source.Files
	zone   string
	ansi   bool
	tables func(full string) *delta.Table // of this pipeline's datasets

}

// execution is the executor of one flow.
type execution struct {
	*engine
	ds     *dataset
	stream flow.Stream
	node   plan.Node // with the expectations' columns
}

// withExpectations puts one boolean column per expectation behind the table's
// columns.
func withExpectations(n plan.Node, rules []plan.Expectation) plan.Node {
	if len(rules) == 0 {
		return n
	}
	p := &plan.Project{Input: n}
	for _, a := range n.Output() {
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: a}, Attr: a})
	}
	for _, r := range rules {
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: r.Cond, Attr: plan.Attr{
			ID: plan.NewID(), Name: r.Name, Type: types.Boolean, Nullable: r.Cond.Nullable(),
		}})
	}
	return p
}

// table is the Delta table that a scan reads.
func (e *engine) table(s *plan.Source) (string, *delta.Table, error) {
	if h, ok := s.Handle.(*datasetHandle); ok {
		t := e.tables(h.ds.full)
		if t == nil {
			return "", nil, fmt.Errorf("pipeline: %s has no table", h.ds.full)
		}
		return h.ds.full, t, nil
	}
	if h, ok := tableOf(s); ok {
		return h.Table.FullName(), h.Delta, nil
	}
	return "", nil, fmt.Errorf("pipeline: source %v is no table", s.Name)
}

// Pins takes the versions of everything that the flow reads as it stands.
func (e *execution) Pins(ctx context.Context) ([]journal.Pin, error) {
	var out []journal.Pin
	seen := map[string]bool{}
	for _, s := range plan.Scans(e.ds.def.Plan) {
		if s.Streaming || s.Source.Version != nil || s.Source.Timestamp != nil {
			continue
		}
		p, err := e.pin(ctx, s.Source)
		if err != nil {
			return nil, err
		}
		if !seen[p.Name] {
			seen[p.Name] = true
			out = append(out, p)
		}
	}
	return out, nil
}

func (e *engine) pin(ctx context.Context, s *plan.Source) (journal.Pin, error) {
	if h, ok := s.Handle.(*filesHandle); ok {
		l, err := e.files.List(ctx, h.opt)
		return journal.Pin{Name: h.id, ID: l.Digest}, err
	}
	name, t, err := e.table(s)
	if err != nil {
		return journal.Pin{}, err
	}
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return journal.Pin{}, fmt.Errorf("table %s: %w", name, err)
	}
	return journal.Pin{Name: name, ID: snap.Metadata().ID, Version: snap.Version()}, nil
}

// duckRows gives the engine back when the result is closed.
type duckRows struct {
	*query.Rows
	conn *duck.Conn
	pos  sparksql.Pos
}

// Next tells errors that rows raise with the statement's place.
func (r *duckRows) Next() (arrow.RecordBatch, error) {
	rec, err := r.Rows.Next()
	return rec, placed(err, r.pos)
}

// placed gives an error of a statement its place.
func placed(err error, pos sparksql.Pos) error {
	if se, ok := errors.AsType[*sparksql.Error](err); ok && se.Pos.IsZero() {
		at := *se
		at.Pos = pos
		return &at
	}
	return err
}

func (r *duckRows) Close() {
	r.Rows.Close()
	r.conn.Put()
}

// Run executes the flow's query over what the plan names.
func (e *execution) Run(ctx context.Context, p *journal.Plan) (flow.Batches, error) {
	prune := query.Prune(e.node)
	conn, err := e.pool.Get(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := query.Run(ctx, conn, e.node, query.Options{
		Now: p.Time, TimeZone: e.zone, ANSI: e.ansi, Encoded: true,
		Inputs: func(s *plan.Scan) (query.Input, error) { return e.input(ctx, p, s, prune[s]) },
	})
	if err != nil {
		conn.Put()
		return nil, placed(err, e.ds.pos)
	}
	return &duckRows{rows, conn, e.ds.pos}, nil
}

// input says how a scan is read in the planned batch.
func (e *execution) input(ctx context.Context, p *journal.Plan, s *plan.Scan, preds []delta.Predicate) (query.Input, error) {
	if s.Streaming {
		return e.streamInput(ctx, p, s)
	}
	if h, ok := s.Source.Handle.(*filesHandle); ok {
		return e.filesInput(ctx, p, h)
	}
	if h, ok := tableOf(s.Source); ok && (s.Source.Version != nil || s.Source.Timestamp != nil) {
		return query.Files(ctx, h.Snapshot, e.at, preds...)
	}
	name, t, err := e.table(s.Source)
	if err != nil {
		return query.Input{}, err
	}
	pin, ok := findPin(p, name)
	if !ok {
		return query.Input{}, fmt.Errorf("%w: %s is not pinned", flow.ErrPins, name)
	}
	snap, err := snapshotAt(ctx, t, pin)
	if err != nil {
		return query.Input{}, err
	}
	return query.Files(ctx, snap, e.at, preds...)
}

func findPin(p *journal.Plan, name string) (journal.Pin, bool) {
	for _, pin := range p.Pins {
		if pin.Name == name {
			return pin, true
		}
	}
	return journal.Pin{}, false
}

func snapshotAt(ctx context.Context, t *delta.Table, pin journal.Pin) (*delta.Snapshot, error) {
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if snap.Metadata().ID != pin.ID {
		return nil, fmt.Errorf("%w: %s was made anew", flow.ErrPins, pin.Name)
	}
	if snap.Version() == pin.Version {
		return snap, nil
	}
	snap, err = t.SnapshotAt(ctx, pin.Version)
	if errors.Is(err, delta.ErrVersionNotFound) {
		return nil, fmt.Errorf("%w: version %d of %s: %w", flow.ErrPins, pin.Version, pin.Name, err)
	}
	return snap, err
}

func (e *execution) streamInput(ctx context.Context, p *journal.Plan, s *plan.Scan) (query.Input, error) {
	if len(p.Ranges) != 1 {
		return query.Input{}, fmt.Errorf("pipeline: the plan of %s has %d ranges", e.ds.full, len(p.Ranges))
	}
	r := p.Ranges[0]
	switch src := e.stream.(type) {
	case *source.Log:
		var parsed []source.JSONColumn
		if h, ok := s.Source.Handle.(*logHandle); ok {
			parsed = h.json
		}
		open := func() (*source.LogReader, error) { return src.Open(r.From, r.To, parsed...) }
		rd, err := open()
		return query.Input{Batches: &logInput{rd, open}}, err
	case *source.Delta:
		adds, err := src.Files(ctx, r.From, r.To)
		if err != nil {
			return query.Input{}, err
		}
		_, t, err := e.table(s.Source)
		if err != nil {
			return query.Input{}, err
		}
		snap, err := t.Snapshot(ctx)
		if err != nil {
			return query.Input{}, err
		}
		return query.AddsInput(ctx, snap, adds, e.at)
	}
	return query.Input{}, fmt.Errorf("pipeline: %s reads a stream of unknown kind %T", e.ds.full, e.stream)
}

func (e *engine) filesInput(ctx context.Context, p *journal.Plan, h *filesHandle) (query.Input, error) {
	l, err := e.files.List(ctx, h.opt)
	if err != nil {
		return query.Input{}, err
	}
	if pin, ok := findPin(p, h.id); !ok || pin.ID != l.Digest {
		return query.Input{}, fmt.Errorf("%w: the files at %s have changed", flow.ErrPins, h.opt.Path)
	}
	open := func() (*source.CSVReader, error) {
		return source.NewCSVReader(h.opt, l.Files, h.columns, duck.Allocator(), fileFacts()...)
	}
	rd, err := open()
	return query.Input{Batches: &csvInput{rd, open}}, err
}

// fileFacts are the fields of query.FileMetadata, as batches give them.
func fileFacts() []source.Fact {
	size := func(f source.File) any { return f.Size }
	of := map[string]func(source.File) any{
		"file_path":              func(f source.File) any { return query.FileURI(f.Path) },
		"file_name":              func(f source.File) any { return path.Base(query.FileURI(f.Path)) },
		"file_size":              size,
		"file_block_start":       func(source.File) any { return int64(0) },
		"file_block_length":      size,
		"file_modification_time": func(f source.File) any { return f.ModTime },
	}
	var out []source.Fact
	for _, f := range query.FileMetadata() {
		x := of[f.Name]
		f.Name = query.MetadataColumn(f.Name)
		out = append(out, source.Fact{Field: f, Of: x})
	}
	return out
}

// logInput and csvInput let a query read its source more than once.
type logInput struct {
	*source.LogReader
	open func() (*source.LogReader, error)
}

// Rescan begins anew.
func (l *logInput) Rescan() (duck.Source, error) {
	rd, err := l.open()
	return &logInput{rd, l.open}, err
}

type csvInput struct {
	*source.CSVReader
	open func() (*source.CSVReader, error)
}

// Rescan begins anew.
func (c *csvInput) Rescan() (duck.Source, error) {
	rd, err := c.open()
	return &csvInput{rd, c.open}, err
}

// Close closes the file that is open.
func (c *csvInput) Close() { _ = c.CSVReader.Close() } // read only: nothing can be lost
