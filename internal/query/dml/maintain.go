package dml

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Optimize runs OPTIMIZE and REORG ... APPLY (PURGE).
func Optimize(ctx context.Context, e Engine, c *plan.Optimize) (delta.OptimizeResult, *delta.Table, error) {
	t, err := open(e, c.Target)
	if err != nil {
		return delta.OptimizeResult{}, nil, err
	}
	opt := delta.OptimizeOptions{
		ZOrderBy: c.ZOrder, Full: c.Full, Purge: c.Purge, Predicate: c.Text, TargetBytes: c.MaxFileBytes, MinFileBytes: c.MinFileBytes,
	}
	if c.Where != nil {
		chosen, err := t.chosen(ctx, e, c)
		if err != nil {
			return delta.OptimizeResult{}, t.table, err
		}
		opt.Choose = func(a delta.Add) bool { return chosen[delta.DataPath(a)] }
	}
	r, err := t.table.Optimize(ctx, opt)
	return r, t.table, commitError(err)
}

// chosen are the paths of the files whose partitions OPTIMIZE looks at.
func (t target) chosen(ctx context.Context, e Engine, c *plan.Optimize) (map[string]bool, error) {
	byPath := map[string]string{}
	for a := range t.snap.All() {
		byPath[e.Path(t.snap, a)] = delta.DataPath(a)
	}
	out := map[string]bool{}
	err := each(ctx, e, c.Where, c.Target, nil, func(rec arrow.RecordBatch) error {
		names, ok := rec.Column(0).(*array.String)
		if !ok {
			return fmt.Errorf("dml: file names are %s", rec.Column(0).DataType())
		}
		for i := range names.Len() {
			out[byPath[names.Value(i)]] = true
		}
		return nil
	})
	return out, err
}

// Vacuum runs VACUUM and gives the paths of a dry run.
func Vacuum(ctx context.Context, e Engine, c *plan.Vacuum, keep func(path string) bool) (delta.VacuumResult, *delta.Table, error) {
	t, err := open(e, c.Target)
	if err != nil {
		return delta.VacuumResult{}, nil, err
	}
	opt := delta.VacuumOptions{DryRun: c.DryRun, Keep: keep, List: c.DryRun, Force: true} // the statement was judged before
	if c.Retain != nil {
		d := time.Duration(*c.Retain * float64(time.Hour))
		opt.Retention = &d
	}
	if !c.DryRun {
		params := map[string]string{}
		if opt.Retention != nil {
			params["specifiedRetentionMillis"] = num(opt.Retention.Milliseconds())
		}
		if err := t.logs(ctx, "VACUUM START", params, nil); err != nil {
			return delta.VacuumResult{}, t.table, err
		}
	}
	r, err := t.table.Vacuum(ctx, opt)
	if err == nil && !c.DryRun {
		err = t.logs(ctx, "VACUUM END", map[string]string{"status": "COMPLETED"}, map[string]string{"numDeletedFiles": num(int64(r.Files))})
	}
	return r, t.table, err
}

// logs makes a version that changes nothing but tells of an operation. A table
// that is not written here has none.
func (t target) logs(ctx context.Context, operation string, params, metrics map[string]string) error {
	m := map[string]string{"numFiles": "", "numOutputRows": "", "numOutputBytes": ""}
	maps.Copy(m, metrics)
	err := t.commit(ctx, delta.Commit{ReadVersion: -1, Operation: operation, Parameters: params, Metrics: m})
	if sparksql.ClassOf(err) == "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE" {
		return nil
	}
	return err
}

// Restore makes a table what it was at a version: its files, schema and
// properties.
func Restore(ctx context.Context, e Engine, c *plan.Restore) (delta.RestoreResult, error) {
	t, err := open(e, c.Target)
	if err != nil {
		return delta.RestoreResult{}, err
	}
	_, want, err := e.Table(c.Source)
	if err != nil {
		return delta.RestoreResult{}, err
	}
	params := map[string]string{}
	if v := c.Source.Version; v != nil {
		params["version"] = num(*v)
	} else if c.Source.Timestamp != nil {
		params["timestamp"] = c.Source.Timestamp.Format("2006-01-02 15:04:05.999")
	}
	r, err := t.table.Restore(ctx, want, delta.WithOperation("RESTORE", params))
	return r, commitError(err)
}
