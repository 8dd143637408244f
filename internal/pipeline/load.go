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
	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/pipeline/source"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Check analyses a pipeline without a catalog or a data folder: tables outside
// the pipeline are not found. topic is the hub's. The status has the graph.
func Check(ctx context.Context, b bundle.Pipeline, topic string) (Status, error) {
	cfg := Config{Pipeline: b, Topic: topic}
	cfg.setDefaults()
	g, err := buildGraph(ctx, &cfg, nil, &resolver{hub: cfg.hub(), files: &source.Files{}})
	if err != nil {
		return Status{}, err
	}
	if err := checkIntervals(g, &cfg); err != nil {
		return Status{}, err
	}
	return g.status(&cfg), nil
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
	p := &Pipeline{cfg: cfg, byName: map[string]*flow{}, state: StateIdle}
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
	p.upkeep = newUpkeep(cfg.Logger)
	e := &engine{
		pool: cfg.Pool, path: cfg.Tables.LocalPath, files: files, zone: g.env.TimeZone,
		ansi: g.env.Conf["spark.sql.ansi.enabled"] != "false",
		tables: func(full string) *delta.Table {
			if f := p.byName[full]; f != nil {
				return f.main.table
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
func (p *Pipeline) build(ctx context.Context, e executor) error {
	for _, d := range p.graph.datasets {
		if d.def == nil {
			continue
		}
		f, err := p.newFlow(ctx, d, e)
		if err != nil {
			return err
		}
		p.flows = append(p.flows, f)
		p.byName[d.full] = f
	}
	for _, f := range p.flows {
		p.link(f)
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

func (p *Pipeline) newFlow(ctx context.Context, d *dataset, e executor) (*flow, error) {
	f := &flow{
		ds: d, name: d.full, journal: p.journal, exec: e, rules: d.def.Expectations,
		kick: make(chan struct{}, 1), log: p.cfg.Logger.With("flow", d.full), report: p.batchDone,
	}
	var err error
	if f.interval, err = d.interval(&p.cfg); err != nil {
		return nil, err
	}
	if f.main, err = p.ensure(ctx, tableOfDataset(d)); err != nil {
		return nil, err
	}
	if d.quarantines() {
		if f.aside, err = p.ensure(ctx, quarantineOf(d)); err != nil {
			return nil, err
		}
	}
	snap, err := f.main.table.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	f.state.setVersion(snap.Version())
	return f, p.openStream(ctx, f)
}

// openStream makes the flow's streaming source.
func (p *Pipeline) openStream(ctx context.Context, f *flow) error {
	limits := source.Limits{Rows: p.cfg.MaxBatchRows}
	for _, s := range plan.Scans(f.ds.def.Plan) {
		switch h := s.Source.Handle.(type) {
		case *logHandle:
			src := source.NewLog(p.cfg.Log, h.opt, limits, duck.Allocator())
			f.stream = src
			return p.setFloor(ctx, f, src)
		case *datasetHandle:
			if !s.Streaming {
				continue
			}
			opt, err := source.ParseDeltaOptions(s.Source.Options, s.Pos)
			if err != nil {
				return err
			}
			f.stream = source.NewDelta(h.ds.full, p.byName[h.ds.full].main.table, opt, limits)
			return nil
		default:
			t, ok := tableOf(s.Source)
			if !ok {
				f.outside = true // files
				continue
			}
			f.outside = true
			if !s.Streaming {
				continue
			}
			opt, err := source.ParseDeltaOptions(s.Source.Options, s.Pos)
			if err != nil {
				return err
			}
			f.stream = source.NewDelta(t.Table.FullName(), t.Delta, opt, limits)
		}
	}
	return nil
}

// setFloor has the log keep what the flow has not read, from now on.
func (p *Pipeline) setFloor(ctx context.Context, f *flow, src *source.Log) error {
	consumer := p.cfg.Pipeline.Key + "/" + f.name
	f.floor = func(at json.RawMessage) {
		if offsets, err := src.Floor(at); err == nil {
			p.cfg.Log.SetFloor(consumer, offsets)
		}
	}
	st, _ := p.journal.Flow(f.name)
	at, err := f.position(ctx, st)
	if err != nil {
		return nil //nolint:nilerr // the flow's start reports it; the others may go on
	}
	f.floor(at)
	return nil
}

// link notes which flows feed f.
func (p *Pipeline) link(f *flow) {
	for _, in := range f.ds.inputs {
		if u := p.byName[in]; u != nil {
			f.upstream = append(f.upstream, u)
			u.downstream = append(u.downstream, f)
		}
	}
}

// writeEvents appends rows to the event log table.
func (p *Pipeline) writeEvents(ctx context.Context, rec arrow.RecordBatch) error {
	rows := func(yield func(arrow.RecordBatch, error) bool) { yield(rec, nil) }
	if _, err := p.eventTo.table.Append(ctx, rows); err != nil {
		return fmt.Errorf("table %s: %w", p.eventTo.name, err)
	}
	p.upkeep.wrote(p.eventTo)
	return nil
}

// EventLog is the full name of the pipeline's event log table.
func (p *Pipeline) EventLog() string { return p.eventTo.name }
