package app

import (
	"context"
	"fmt"
	"log/slog"
	"path"
	"runtime"
	"slices"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/iothub"
	"github.com/marisma/marisma/internal/obs"
	"github.com/marisma/marisma/internal/pipeline"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/worker"
)

// engines is what works on the stores.
type engines struct {
	pool      *duck.Pool
	workers   *worker.Pool
	query     *query.Engine
	pipelines []*pipeline.Pipeline
	hub       *iothub.Hub
	meter     *meter
}

// Memory budgets where marisma.yml says nothing: flows and ad-hoc queries
// share it half and half.
const defaultMemory = 4 << 30

func openEngines(ctx context.Context, p *bundle.Project, s *stores, workerCommand []string, log *slog.Logger) (_ *engines, err error) {
	e := &engines{meter: &meter{}}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	memory := p.Memory
	if memory == 0 {
		memory = defaultMemory
	}
	temp := s.folder.Path(dirTemp)
	instances := max(1, runtime.GOMAXPROCS(0))
	e.pool, err = duck.Open(duck.Config{
		// Flows run beside each other and beside the hub; with a thread for
		// each core in each of them they would wait for each other.
		Memory: memory / 2, Instances: instances, Threads: max(1, instances/2), TempDir: temp,
		AllowedDirs: append([]string{s.folder.Path(dirTables)}, s.dirs...), Logger: log.With("part", "duck"),
	})
	if err != nil {
		return nil, err
	}
	e.workers = worker.New(worker.Config{Command: workerCommand, Memory: memory / 4, Size: 2, Threads: instances, TempDir: temp, Logger: log.With("part", "worker")})
	e.query = query.New(query.Config{Catalog: s.catalog, Tables: s.tables, Workers: e.workers, Keep: e.spares, Logger: log.With("part", "query")})
	if err := e.load(ctx, p, s, log); err != nil {
		return nil, err
	}
	e.hub, err = iothub.New(iothub.Config{
		HubName: p.Hub.Name, Hosts: hosts(p), Registry: s.registry, Log: s.log,
		Logger: log.With("part", "hub"), Metrics: s.metrics,
	})
	return e, err
}

// load loads the pipelines, those first that others read. Nothing is made
// before all are known to be sound.
func (e *engines) load(ctx context.Context, p *bundle.Project, s *stores, log *slog.Logger) error {
	known := query.NewResolver(s.catalog, s.tables, "", "")
	checked, err := pipeline.CheckAll(ctx, p.Pipelines, p.Hub.Topic, known)
	if err != nil {
		return err
	}
	e.pipelines = make([]*pipeline.Pipeline, len(p.Pipelines))
	for _, i := range checked.Order {
		b := p.Pipelines[i]
		e.pipelines[i], err = pipeline.Load(ctx, pipeline.Config{
			Pipeline: b, FS: s.folder.FS(), Dir: path.Join(dirPipelines, b.Key), Catalog: s.catalog, Tables: s.tables,
			Log: s.log, Topic: p.Hub.Topic, Pool: e.pool, Logger: log.With("pipeline", b.Key), Metrics: s.metrics,
			Version: obs.Build().Version,
		})
		if err != nil {
			return fmt.Errorf("pipeline %s: %w", b.Key, err)
		}
	}
	return nil
}

// spares tells whether a batch of a pipeline is yet to commit a data file.
func (e *engines) spares(path string) bool {
	return slices.ContainsFunc(e.pipelines, func(p *pipeline.Pipeline) bool { return p != nil && p.Spares(path) })
}

func (e *engines) close() {
	if e.workers != nil {
		_ = e.workers.Close()
	}
	if e.pool != nil {
		_ = e.pool.Close()
	}
}
