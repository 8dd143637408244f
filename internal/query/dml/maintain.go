package dml

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Sizes of files that OPTIMIZE looks at and makes.
const (
	optimizeTarget = 1 << 30
	optimizeBatch  = 4 << 30 // of input, merged in one commit
)

// Optimized are the files that OPTIMIZE took out and put in.
type Optimized struct {
	Root           string
	Removed, Added []delta.Add
	Partitions     int
	Considered     int
}

// Optimize merges the small files of each partition; with Z-ordering it writes
// all of them anew, rows ordered so that those alike in several columns lie
// together.
func Optimize(ctx context.Context, e Engine, c *plan.Optimize) (Optimized, error) {
	t, err := open(e, c.Target)
	if err != nil {
		return Optimized{}, err
	}
	out := Optimized{Root: t.table.Root()}
	files, err := t.chosen(ctx, e, c)
	if err != nil {
		return out, err
	}
	out.Considered = len(files)
	groups := map[string][]delta.Add{}
	for _, a := range files {
		groups[partitionKey(a)] = append(groups[partitionKey(a)], a)
	}
	w, err := t.table.NewWriter(ctx, delta.WriterOptions{Rearranged: true, TargetFileBytes: optimizeTarget})
	if err != nil {
		return out, commitError(err)
	}
	defer func() { _ = w.Abort() }() // after Close it does nothing
	var bytes int64
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		group := worth(groups[k], c)
		if len(group) == 0 || bytes > optimizeBatch {
			continue
		}
		out.Partitions++
		for _, a := range group {
			bytes += a.Size
		}
		if err := t.merge(ctx, e, c, group, w); err != nil {
			return out, err
		}
		out.Removed = append(out.Removed, group...)
	}
	if out.Added, err = w.Close(); err != nil {
		return out, err
	}
	if len(out.Removed) == 0 {
		return out, nil
	}
	return out, t.commit(ctx, optimizeCommit(t, c, &out))
}

func optimizeCommit(t target, c *plan.Optimize, out *Optimized) delta.Commit {
	rs, vectors := removes(out.Removed, time.Now()), int64(0)
	for i := range rs {
		rs[i].DataChange = false
		if rs[i].DeletionVector != nil {
			vectors++
		}
	}
	predicate := []string{}
	if c.Text != "" {
		predicate = []string{c.Text}
	}
	k := delta.Commit{
		Adds: out.Added, Removes: rs, ReadVersion: t.snap.Version(), Operation: "OPTIMIZE",
		Parameters: map[string]string{
			"predicate": jsonText(predicate), "zOrderBy": jsonText(append([]string{}, c.ZOrder...)), "clusterBy": "[]", "auto": "false",
		},
		Metrics: map[string]string{
			"numFiles": "", "numOutputRows": "", "numOutputBytes": "", "numAddedFiles": num(int64(len(out.Added))), "numRemovedFiles": num(int64(len(rs))),
			"numAddedBytes": addBytes(out.Added), "numRemovedBytes": removeBytes(rs), "numDeletionVectorsRemoved": num(vectors),
		},
	}
	if c.Purge {
		k.Operation = "REORG"
		k.Parameters = map[string]string{"predicate": jsonText(predicate), "applyPurge": "true"}
	}
	return k
}

// chosen are the files that OPTIMIZE may look at.
func (t target) chosen(ctx context.Context, e Engine, c *plan.Optimize) ([]delta.Add, error) {
	if c.Where == nil {
		return t.live(), nil
	}
	byPath := map[string]delta.Add{}
	for a := range t.snap.All() {
		byPath[e.Path(t.snap, a)] = a
	}
	var out []delta.Add
	err := each(ctx, e, c.Where, c.Target, nil, func(rec arrow.RecordBatch) error {
		names, ok := rec.Column(0).(*array.String)
		if !ok {
			return fmt.Errorf("dml: file names are %s", rec.Column(0).DataType())
		}
		for i := range names.Len() {
			out = append(out, byPath[names.Value(i)])
		}
		return nil
	})
	return out, err
}

// worth are the files of a partition that are to be written anew.
func worth(files []delta.Add, c *plan.Optimize) []delta.Add {
	if len(c.ZOrder) > 0 {
		return files
	}
	var out []delta.Add
	for _, a := range files {
		if a.DeletionVector != nil || !c.Purge && a.Size < optimizeTarget {
			out = append(out, a)
		}
	}
	if len(out) == 1 && out[0].DeletionVector == nil {
		return nil
	}
	return out
}

// merge writes the rows of some files of one partition anew.
func (t target) merge(ctx context.Context, e Engine, c *plan.Optimize, group []delta.Add, w *delta.Writer) error {
	scan := &plan.Scan{Source: c.Target}
	rows := plan.Rows{}
	p := &plan.Project{}
	for i, f := range c.Target.Columns {
		at := plan.Attr{ID: plan.NewID(), Name: f.Name, Type: f.Type, Nullable: true}
		scan.Attrs, scan.Ordinals = append(scan.Attrs, at), append(scan.Ordinals, i)
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: at}, Attr: at})
	}
	p.Input = zOrdered(scan, c.ZOrder)
	rows.Plan = p
	s := newSink(into(w), t.snap.Schema(), &rows, nil)
	return each(ctx, e, p, c.Target, group, s.take)
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
	r, err := t.table.Vacuum(ctx, opt)
	return r, t.table, err
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
