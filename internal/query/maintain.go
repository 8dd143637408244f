package query

import (
	"context"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/query/dml"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// define runs a statement that changes what tables are, or looks after them.
func (e *Engine) define(ctx context.Context, sess *Session, st plan.Statement, opt Options) (*Result, error) {
	r := e.newRunner(opt)
	defer r.close()
	switch st := st.(type) {
	case *plan.CreateTable:
		return e.createTable(ctx, sess, st, r)
	case *plan.DropTable:
		return e.dropTable(ctx, sess, st)
	case *plan.AlterTable:
		return e.alterTable(ctx, sess, st, r)
	case *plan.Partition:
		return &Result{}, e.partition(ctx, st, opt)
	case *plan.Optimize:
		begun := time.Now()
		o, t, err := dml.Optimize(ctx, r, st)
		if err != nil {
			return nil, err
		}
		return e.optimized(t, st, o, begun)
	case *plan.Vacuum:
		return e.vacuum(ctx, st, r)
	case *plan.Restore:
		n, err := dml.Restore(ctx, r, st)
		if err != nil {
			return nil, err
		}
		if h, ok := st.Target.Handle.(*Handle); ok {
			if err := e.syncColumns(ctx, h.Table, h.Delta); err != nil {
				return nil, err
			}
		}
		return counts([]string{
			"table_size_after_restore", "num_of_files_after_restore", "num_removed_files", "num_restored_files", "removed_files_size", "restored_files_size",
		}, n.Bytes, n.Files, n.Removed, n.Added, n.RemovedBytes, n.AddedBytes), nil
	}
	return e.change(ctx, st, opt)
}

// pathRows is a result of paths.
func pathRows(paths ...string) *Result {
	rows := make([][]string, len(paths))
	for i, p := range paths {
		rows[i] = []string{p}
	}
	return textResult([]string{"path"}, rows)
}

func (e *Engine) vacuum(ctx context.Context, v *plan.Vacuum, r runner) (*Result, error) {
	n, t, err := dml.Vacuum(ctx, r, v, e.cfg.Keep)
	if err != nil {
		return nil, err
	}
	if !v.DryRun {
		return pathRows(e.cfg.Tables.Location(t)), nil
	}
	paths := make([]string, len(n.Keys))
	for i, k := range n.Keys {
		paths[i] = e.cfg.Tables.Location(t) + strings.TrimPrefix(k, t.Root())
	}
	return pathRows(paths...), nil
}
