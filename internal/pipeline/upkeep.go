package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/pipeline/flow"
)

// How often a table is looked after at most, and after how many commits.
const (
	upkeepEvery   = 5 * time.Second
	upkeepCommits = 10
)

// upkeep writes checkpoints, cleans up logs and merges small files of the
// pipeline's tables, beside their commits.
type upkeep struct {
	log *slog.Logger

	mu      sync.Mutex
	commits map[*flow.Sink]int // since the last time
	whole   map[*flow.Sink]bool
}

func newUpkeep(log *slog.Logger) *upkeep {
	return &upkeep{log: log, commits: map[*flow.Sink]int{}, whole: map[*flow.Sink]bool{}}
}

// committed notes a commit of a flow.
func (u *upkeep) committed(n *node) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, s := range n.Sinks() {
		u.commits[s]++
		u.whole[s] = !n.Streaming() // replaced as a whole: nothing to merge
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

// due are the tables with enough commits.
func (u *upkeep) due() []*flow.Sink {
	u.mu.Lock()
	defer u.mu.Unlock()
	var out []*flow.Sink
	for s, n := range u.commits {
		if n >= upkeepCommits {
			out = append(out, s)
			delete(u.commits, s)
		}
	}
	return out
}

func (u *upkeep) tend(ctx context.Context, s *flow.Sink) {
	u.mu.Lock()
	whole := u.whole[s]
	u.mu.Unlock()
	if !whole {
		r, err := s.Table.Compact(ctx, delta.CompactOptions{})
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
}
