package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/pipeline/flow"
	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/pipeline/source"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Check analyses a pipeline without a catalog or a data folder: tables outside
// the pipeline are not found. topic is the hub's. The status has the graph.
func Check(ctx context.Context, b bundle.Pipeline, topic string) (Status, error) {
	c, err := CheckAll(ctx, []bundle.Pipeline{b}, topic, nil)
	if err != nil {
		return Status{}, err
	}
	return c.Graphs[0], nil
}

func checkIntervals(g *graph, cfg *Config) error {
	var errs []error
	for _, d := range g.datasets {
		if d.def == nil {
			continue
		}
		if _, err := d.interval(cfg); err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", d.pos, d.full, err))
		}
	}
	return errors.Join(errs...)
}

func (d *dataset) interval(cfg *Config) (time.Duration, error) {
	def := streamInterval
	if d.kind == plan.MaterializedView {
		def = viewInterval
	}
	return interval(d.def.Properties, cfg.Pipeline.Configuration, def)
}

// Load analyses the pipeline's files, makes the tables that are missing and
// opens the journal. Nothing is processed before Run. Errors of the files come
// back joined, each with its place. The log is told from here on how far the
// pipeline has read.
func Load(ctx context.Context, cfg Config) (*Pipeline, error) {
	cfg.setDefaults()
	p := &Pipeline{cfg: cfg, byName: map[string]*node{}, state: StateIdle}
	files := &source.Files{}
	outer := query.NewResolver(cfg.Catalog, cfg.Tables, cfg.Pipeline.Catalog, cfg.Pipeline.Schema)
	g, err := buildGraph(ctx, &cfg, analyze.Resolver(outer), &resolver{hub: cfg.hub(), files: files})
	if err != nil {
		return nil, err
	}
	p.graph = g
	if err := checkIntervals(g, &cfg); err != nil {
		return nil, err
	}
	if p.metrics, err = newMetrics(cfg.Metrics, cfg.Pipeline.Key); err != nil {
		return nil, err
	}
	p.events = newEvents(cfg.Pipeline.Key, cfg.Pipeline.Name, cfg.Logger)
	p.upkeep = newUpkeep(cfg.Logger, p.prepared)
	e := &engine{
		pool: cfg.Pool, at: cfg.Tables, files: files, zone: g.env.TimeZone,
		ansi: g.env.Conf["spark.sql.ansi.enabled"] != "false",
		tables: func(full string) *delta.Table {
			if n := p.byName[full]; n != nil {
				return n.main.Table
			}
			return nil
		},
	}
	if p.journal, err = journal.Open(journal.Config{FS: cfg.FS, Dir: path.Join(cfg.Dir, "journal")}); err != nil {
		return nil, err
	}
	if err := p.build(ctx, e); err != nil {
		return nil, errors.Join(err, p.journal.Close())
	}
	return p, nil
}

// build makes the flows and their tables.
func (p *Pipeline) build(ctx context.Context, e *engine) error {
	for _, d := range p.graph.datasets {
		if d.def == nil {
			continue
		}
		n, err := p.newNode(ctx, d, e)
		if err != nil {
			return err
		}
		p.nodes = append(p.nodes, n)
		p.byName[d.full] = n
		p.link(n)
		if err := n.NoteFloor(ctx); err != nil {
			// The start of the flow reports it; the others may go on.
			n.log.Warn("the log cannot be held for this flow", "error", err)
		}
	}
	w, err := p.eventLogTable()
	if err != nil {
		return err
	}
	if p.eventTo, err = p.ensure(ctx, w); err != nil {
		return err
	}
	p.events.write = p.writeEvents
	return nil
}

func (p *Pipeline) newNode(ctx context.Context, d *dataset, e *engine) (n *node, err error) {
	n = &node{ds: d, kick: make(chan struct{}, 1), log: p.cfg.Logger.With("flow", d.full)}
	if n.interval, err = d.interval(&p.cfg); err != nil {
		return nil, err
	}
	if n.main, err = p.ensure(ctx, tableOfDataset(d)); err != nil {
		return nil, err
	}
	if d.quarantines() {
		if n.aside, err = p.ensure(ctx, quarantineOf(d)); err != nil {
			return nil, err
		}
	}
	snap, err := n.main.Table.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	cfg := flow.Config{
		Name: d.full, Hash: d.hash, Rules: d.def.Expectations, Journal: p.journal, Main: n.main, Aside: n.aside,
		Alloc: duck.Allocator(), Done: func(r flow.Report) { p.batchDone(n, r) },
	}
	for _, c := range d.cols {
		cfg.Columns = append(cfg.Columns, c.Name)
	}
	if cfg.Stream, err = p.openStream(n); err != nil {
		return nil, err
	}
	if src, ok := cfg.Stream.(*source.Log); ok {
		n.hub = true
		consumer := p.cfg.Pipeline.Key + "/" + d.full
		cfg.Floor = func(at json.RawMessage) {
			if offsets, err := src.Floor(at); err == nil {
				p.cfg.Log.SetFloor(consumer, offsets)
			}
		}
	}
	fuse(d.def.Plan, e.zone)
	cfg.Exec = &execution{engine: e, ds: d, stream: cfg.Stream, node: withExpectations(d.def.Plan, d.def.Expectations)}
	n.Flow = flow.New(cfg)
	n.State.SetVersion(snap.Version())
	return n, nil
}

// openStream makes the flow's streaming source, nil for a view.
func (p *Pipeline) openStream(n *node) (flow.Stream, error) {
	limits := source.Limits{Rows: p.cfg.MaxBatchRows}
	var stream flow.Stream
	for _, s := range plan.Scans(n.ds.def.Plan) {
		switch h := s.Source.Handle.(type) {
		case *logHandle:
			stream = source.NewLog(p.cfg.Log, h.opt, limits, duck.Allocator())
			continue
		case *datasetHandle:
			if up := p.byName[h.ds.full]; !s.Streaming && !up.Streaming() {
				n.views = append(n.views, up)
			}
			if s.Streaming {
				opt, err := source.ParseDeltaOptions(s.Source.Options, s.Pos)
				if err != nil {
					return nil, err
				}
				stream = source.NewDelta(h.ds.full, p.byName[h.ds.full].main.Table, opt, limits)
			}
			continue
		}
		n.outside = true
		if t, ok := tableOf(s.Source); ok && s.Streaming {
			opt, err := source.ParseDeltaOptions(s.Source.Options, s.Pos)
			if err != nil {
				return nil, err
			}
			stream = source.NewDelta(t.Table.FullName(), t.Delta, opt, limits)
		}
	}
	return stream, nil
}

// link notes which flows feed n.
func (p *Pipeline) link(n *node) {
	for _, in := range n.ds.inputs {
		if u := p.byName[in]; u != nil && u != n {
			n.upstream = append(n.upstream, u)
			u.downstream = append(u.downstream, n)
		}
	}
}

// writeEvents appends rows to the event log table.
func (p *Pipeline) writeEvents(ctx context.Context, rec arrow.RecordBatch) error {
	rows := func(yield func(arrow.RecordBatch, error) bool) { yield(rec, nil) }
	if _, err := p.eventTo.Table.Append(ctx, rows); err != nil {
		return fmt.Errorf("table %s: %w", p.eventTo.Name, err)
	}
	p.upkeep.wrote(p.eventTo)
	return nil
}

// EventLog is the full name of the pipeline's event log table.
func (p *Pipeline) EventLog() string { return p.eventTo.Name }
