package dml

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Change runs UPDATE, DELETE and MERGE and tells how many rows it changed.
func Change(ctx context.Context, e Engine, c *plan.Change) (Counts, error) {
	begun := time.Now()
	t, err := open(e, c.Target)
	if err != nil {
		return Counts{}, err
	}
	if c.Touched != nil || c.Every {
		if err := t.appendOnly(); err != nil {
			return Counts{}, err
		}
	}
	out := delta.Commit{Parameters: c.Parameters, Serializable: true}
	schema := t.snap.Schema()
	if c.Schema != nil {
		if schema, err = t.evolved(c.Schema); err != nil {
			return Counts{}, err
		}
		out.SchemaTo = schema
	}
	o := delta.RewriteOptions{SchemaTo: out.SchemaTo}
	if c.Rewrite != nil {
		o.Writer.OptimizeWrite = c.Rewrite.OptimizeWrite
	}
	r, err := t.snap.NewRewrite(ctx, o)
	if err != nil {
		return Counts{}, commitError(err)
	}
	defer func() { _ = r.Abort() }() // after Commit it does nothing
	run := rewrite{Rewrite: r, e: e, t: t, schema: schema}
	if err := run.do(ctx, c); err != nil {
		return Counts{}, err
	}
	out.Identity = run.sink.numbered()
	n := r.Counts()
	counts := Counts{Updated: n.Updated, Deleted: n.Deleted + run.marked, Inserted: n.Inserted}
	if counts == (Counts{}) && out.SchemaTo == nil {
		return counts, r.Abort()
	}
	out.Operation = [...]string{plan.ChangeUpdate: "UPDATE", plan.ChangeDelete: "DELETE", plan.ChangeMerge: "MERGE"}[c.Kind]
	spent := time.Since(begun)
	out.Metrics = map[string]string{"executionTimeMs": ms(spent), "scanTimeMs": ms(run.scan), "rewriteTimeMs": ms(spent - run.scan)}
	_, _, err = r.Commit(out)
	return counts, commitError(err)
}

// rewrite finds the files that a plan.Change touches and has what they hold
// afterwards written.
type rewrite struct {
	*delta.Rewrite
	e      Engine
	t      target
	schema *arrow.Schema // of the rows
	again  []hit         // files that are read again, and lose rows
	marked int64         // rows that were deleted by their places
	sink   *sink         // nil where no rows came
	scan   time.Duration // to find the files
}

// vectored tells whether rows leave their files by deletion vectors: the table
// asks for it, the plan says where rows lie, and all files say how many they have.
func (t target) vectored(rows *plan.Rows, files []delta.Add) bool {
	if !rows.Placed || !t.snap.WritesVectors() {
		return false
	}
	for _, a := range files {
		if _, known := delta.RecordCount(a); !known {
			return false
		}
	}
	return true
}

// changed are rows to which something happens.
func changed(rows *plan.Rows, at layout) *plan.Rows {
	out := *rows
	act := rows.Plan.Output()[at.action]
	out.Plan = &plan.Filter{Input: rows.Plan, Cond: &plan.Call{
		Fn: ">", Args: []plan.Expr{&plan.Column{Attr: act}, &plan.Literal{Value: plan.RowCopied, Typ: types.Int}}, Typ: types.Boolean, Null: true,
	}}
	return &out
}

func (r *rewrite) do(ctx context.Context, c *plan.Change) error {
	begun := time.Now()
	if c.Kind == plan.ChangeDelete {
		return r.delete(ctx, c)
	}
	rows := c.Rewrite
	read := []delta.Add{}
	changes := c.Touched != nil || c.Every // rows that are there
	if c.Touched != nil {
		found, most, err := touched(ctx, r.e, r.t, c)
		if err != nil {
			return err
		}
		if most > 1 && c.Once != nil {
			rows = c.Once
		}
		r.again = found
		if r.patches(c, most) {
			r.scan = time.Since(begun)
			return r.patch(ctx, c)
		}
	}
	switch {
	case c.Every:
		r.again = nil
		for _, a := range r.t.live() {
			r.again = append(r.again, hit{add: a})
		}
	case !changes: // a MERGE that only inserts looks at the table, but leaves it
		files, err := r.e.Candidates(rows.Plan, c.Target)
		if err != nil {
			return err
		}
		read = files
	}
	for _, h := range r.again {
		read = append(read, h.add)
	}
	r.scan = time.Since(begun)
	if len(read) == 0 && c.Kind != plan.ChangeMerge {
		return nil
	}
	r.sink = newSink(r.take, r.schema, rows, c.Identity)
	if changes && r.t.vectored(rows, read) {
		r.sink.gone = newPlaces()
		rows = changed(rows, r.sink.at)
	}
	if err := each(ctx, r.e, rows.Plan, c.Target, read, r.sink.take); err != nil {
		return err
	}
	return r.takeOut()
}

// take is the sink's.
func (r *rewrite) take(rows, before arrow.RecordBatch, acts []delta.RowAction) error {
	if acts == nil {
		return r.Insert(rows)
	}
	return r.Take(rows, before, acts)
}

func (r *rewrite) dropAll(ctx context.Context, c *plan.Change) error {
	for _, a := range r.t.live() {
		n, err := r.t.rows(ctx, r.e, a, c)
		if err == nil {
			err = r.Drop(a, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// delete takes rows out by their places, and files all of whose rows go as a
// whole.
func (r *rewrite) delete(ctx context.Context, c *plan.Change) error {
	if c.Gone == nil {
		return r.dropAll(ctx, c)
	}
	begun := time.Now()
	found, _, err := touched(ctx, r.e, r.t, c)
	if err != nil {
		return err
	}
	var read []delta.Add
	for _, f := range found {
		if !f.whole() {
			read = append(read, f.add)
		} else if err := r.Drop(f.add, f.rows); err != nil {
			return err
		}
	}
	if len(read) == 0 {
		return nil
	}
	gone := newPlaces()
	err = each(ctx, r.e, c.Gone, c.Target, read, func(rec arrow.RecordBatch) error { return gone.add(rec, 0, nil) })
	if err != nil {
		return err
	}
	r.scan = time.Since(begun)
	return gone.each(r.e, r.t.snap, read, func(a delta.Add, rows *delta.RowSet) error {
		r.marked += int64(rows.GetCardinality())
		return r.Delete(a, rows)
	})
}

// takeOut says what becomes of the files that were read.
func (r *rewrite) takeOut() error {
	files := make([]delta.Add, len(r.again))
	for i, h := range r.again {
		files[i] = h.add
		if r.sink.gone == nil {
			if err := r.Replaces(h.add, 0); err != nil {
				return err
			}
		}
	}
	if r.sink.gone == nil {
		return nil
	}
	return r.sink.gone.each(r.e, r.t.snap, files, r.Marks)
}

// hit is a file with rows to change.
type hit struct {
	add  delta.Add
	rows int64
}

// whole tells whether all rows of the file change.
func (h hit) whole() bool {
	n, known := delta.RecordCount(h.add)
	return known && n == h.rows
}

// touched runs c.Touched: the files with how many rows of each change, and the
// most source rows that met one row.
func touched(ctx context.Context, e Engine, t target, c *plan.Change) ([]hit, int64, error) {
	var byPath map[string]delta.Add
	var out []hit
	var most int64
	err := each(ctx, e, c.Touched, c.Target, nil, func(rec arrow.RecordBatch) error {
		files, ok := rec.Column(0).(*array.String)
		if !ok {
			return fmt.Errorf("dml: file names are %s", rec.Column(0).DataType())
		}
		if byPath == nil { // files in a far store have no path before they are read
			byPath = map[string]delta.Add{}
			for a := range t.snap.All() {
				byPath[e.Path(t.snap, a)] = a
			}
		}
		for i := range files.Len() {
			add, ok := byPath[files.Value(i)]
			if !ok {
				return fmt.Errorf("dml: %s is no file of the table", files.Value(i))
			}
			h := hit{add: add, rows: intAt(rec.Column(1), i)}
			if rec.NumCols() > 2 { // MERGE
				if intAt(rec.Column(2), i) > 1 {
					return runtimeError("DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE", "21506",
						"several rows of the source match one row of the table, and it is not clear which to apply; make the source's keys unique first.")
				}
				most = max(most, intAt(rec.Column(3), i))
				if h.rows == 0 && !c.Every && !c.Inserts {
					continue
				}
			}
			out = append(out, h)
		}
		return nil
	})
	return out, most, err
}

func intAt(a arrow.Array, i int) int64 {
	switch x := a.(type) {
	case *array.Int64:
		if x.IsValid(i) {
			return x.Value(i)
		}
	case *array.Int32:
		if x.IsValid(i) {
			return int64(x.Value(i))
		}
	}
	return 0
}

// rows is how many rows a file has, read from it where its statistics do not say.
func (t target) rows(ctx context.Context, e Engine, a delta.Add, c *plan.Change) (int64, error) {
	if n, ok := delta.RecordCount(a); ok {
		return n, nil
	}
	scan := &plan.Scan{Source: c.Target}
	var n int64
	err := each(ctx, e, scan, c.Target, []delta.Add{a}, func(rec arrow.RecordBatch) error {
		n += rec.NumRows()
		return nil
	})
	return n, err
}

// Truncate runs TRUNCATE TABLE.
func Truncate(ctx context.Context, e Engine, c *plan.Truncate) error {
	t, err := open(e, c.Target)
	if err != nil {
		return err
	}
	if err := t.appendOnly(); err != nil {
		return err
	}
	files := removes(t.live(), time.Now())
	return t.commit(ctx, delta.Commit{
		Removes: files, ReadVersion: t.snap.Version(), DataChange: true, Serializable: true, Operation: "TRUNCATE",
		Parameters: map[string]string{},
		Metrics: map[string]string{
			"numFiles": "", "numOutputRows": "", "numOutputBytes": "", "numRemovedFiles": num(int64(len(files))), "numRemovedBytes": removeBytes(files),
		},
	})
}
