package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/pipeline/flow"
)

// How often a table is looked after at most, and after how many commits.
const (
	upkeepEvery   = 5 * time.Second
	upkeepCommits = 10
	// upkeepLate is after how many commits a table is looked after though its
	// flow is busy.
	upkeepLate  = 100
	vacuumEvery = time.Hour
)

// largeFile is good enough for readers; files of it are merged no more.
const largeFile = 16 << 20

// upkeep writes checkpoints, cleans up logs, merges small files and deletes
// those that nobody needs any more of the pipeline's tables, beside their
// commits.
type upkeep struct {
	log *slog.Logger
	// prepared tells the files of a flow's batch that is not committed yet.
	prepared func(flow string) ([]delta.Add, error)

	mu      sync.Mutex
	commits map[*flow.Sink]int   // since the last time
	owner   map[*flow.Sink]*node // nil for a table without a flow

	vacuumed map[*flow.Sink]time.Time // run's alone
}

func newUpkeep(log *slog.Logger, prepared func(flow string) ([]delta.Add, error)) *upkeep {
	return &upkeep{
		log: log, prepared: prepared, commits: map[*flow.Sink]int{}, owner: map[*flow.Sink]*node{},
		vacuumed: map[*flow.Sink]time.Time{},
	}
}

// committed notes a commit of a flow.
func (u *upkeep) committed(n *node) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, s := range n.Sinks() {
		u.commits[s]++
		u.owner[s] = n
	}
}

// wrote notes a commit of a table without a flow.
func (u *upkeep) wrote(s *flow.Sink) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.commits[s]++
}

// run looks after tables until ctx ends.
func (u *upkeep) run(ctx context.Context) {
	t := time.NewTicker(upkeepEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			for _, s := range u.due() {
				u.tend(ctx, s)
			}
		}
	}
}

// due are the tables with enough commits. While a flow is busy the cores are
// its own: its tables wait, but not for long.
func (u *upkeep) due() []*flow.Sink {
	u.mu.Lock()
	defer u.mu.Unlock()
	var out []*flow.Sink
	for s, n := range u.commits {
		if n >= upkeepLate || n >= upkeepCommits && !u.owner[s].busy() {
			out = append(out, s)
			delete(u.commits, s)
		}
	}
	return out
}

func (u *upkeep) tend(ctx context.Context, s *flow.Sink) {
	u.mu.Lock()
	n := u.owner[s]
	u.mu.Unlock()
	if n == nil || n.Streaming() { // a view is replaced as a whole: nothing to merge
		r, err := s.Table.Compact(ctx, delta.CompactOptions{MinFileBytes: largeFile})
		switch {
		case errors.Is(err, delta.ErrConflict):
			// A reset came in between; there is nothing left to merge.
		case err != nil && ctx.Err() == nil:
			u.log.Warn("small files cannot be merged", "table", s.Name, "error", err)
		case r.Removed > 0:
			u.log.Debug("small files merged", "table", s.Name, "removed", r.Removed, "added", r.Added)
		}
	}
	if _, err := s.Table.Maintain(ctx); err != nil && ctx.Err() == nil {
		u.log.Warn("table cannot be maintained", "table", s.Name, "error", err)
	}
	if time.Since(u.vacuumed[s]) < vacuumEvery {
		return
	}
	u.vacuumed[s] = time.Now()
	if err := u.vacuum(ctx, s, n); err != nil && ctx.Err() == nil {
		u.log.Warn("old files cannot be deleted", "table", s.Name, "error", err)
	}
}

// vacuum deletes files past their retention; those of a batch that is prepared
// and not yet committed are spared, however old they are.
func (u *upkeep) vacuum(ctx context.Context, s *flow.Sink, n *node) error {
	spared := map[string]bool{}
	if n != nil {
		adds, err := u.prepared(n.Name())
		if err != nil {
			return err
		}
		for _, a := range adds {
			spared[delta.DataPath(a)] = true
		}
	}
	r, err := s.Table.Vacuum(ctx, delta.VacuumOptions{Keep: func(path string) bool { return spared[path] }})
	if r.Files > 0 {
		u.log.Debug("old files deleted", "table", s.Name, "files", r.Files, "bytes", r.Bytes)
	}
	return err
}

// Spares tells whether a data file, by its path below its table, belongs to a
// batch that is prepared and not committed yet: no version names it, and a
// VACUUM must leave it. Names of data files are never used twice, so it does
// not matter of which table.
func (p *Pipeline) Spares(path string) bool {
	for _, name := range p.journal.Flows() {
		adds, err := p.prepared(name)
		if err != nil { // what cannot be read cannot be ruled out either
			return true
		}
		if slices.ContainsFunc(adds, func(a delta.Add) bool { return delta.DataPath(a) == path }) {
			return true
		}
	}
	return false
}

// prepared are the files of a flow's batch that is not committed yet.
func (p *Pipeline) prepared(name string) ([]delta.Add, error) {
	st, _ := p.journal.Flow(name)
	if st.Prepared == nil {
		return nil, nil
	}
	var out []delta.Add
	for _, t := range st.Prepared.Tables {
		for _, text := range t.Adds {
			var a delta.Add
			if err := json.Unmarshal(text, &a); err != nil {
				return nil, err
			}
			out = append(out, a)
		}
	}
	return out, nil
}
