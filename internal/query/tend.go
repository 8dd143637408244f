package query

import (
	"context"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// tendTime bounds the upkeep of a table after a statement.
const tendTime = 30 * time.Second

// tended runs a statement over a table, then writes the checkpoint that is due,
// deletes what the log no longer needs, and merges small files where the table's
// properties ask for it. The statement has happened by
// then: a failure of the upkeep is told in the log alone, and the next commit
// tries again.
func (e *Engine) tended(ctx context.Context, src *plan.Source, run func() (*Result, error)) (*Result, error) {
	res, err := run()
	if h, ok := handleOf(src); ok && err == nil {
		e.tend(ctx, h.Delta)
	}
	return res, err
}

func handleOf(src *plan.Source) (*Handle, bool) {
	if src == nil {
		return nil, false
	}
	h, ok := src.Handle.(*Handle)
	return h, ok
}

func (e *Engine) tend(ctx context.Context, d *delta.Table) {
	ctx, cancel := context.WithTimeout(ctx, tendTime)
	defer cancel()
	if _, err := d.Maintain(ctx); err != nil {
		e.cfg.Logger.WarnContext(ctx, "a table's upkeep failed", "table", d.Root(), "error", err)
	}
	if _, err := d.AutoCompact(ctx); err != nil {
		e.cfg.Logger.WarnContext(ctx, "a table's small files were not merged", "table", d.Root(), "error", err)
	}
}

// changed is the table that a statement has changed, nil for none.
func changed(st plan.Statement) *plan.Source {
	switch st := st.(type) {
	case *plan.AlterTable:
		return st.Target
	case *plan.Change:
		return st.Target
	case *plan.CreateTable:
		return st.Old
	case *plan.Insert:
		return st.Target
	case *plan.Optimize:
		return st.Target
	case *plan.Restore:
		return st.Target
	case *plan.Truncate:
		return st.Target
	}
	return nil
}
