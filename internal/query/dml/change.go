package dml

import (
	"context"
	"fmt"
	"slices"
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
	out := delta.Commit{ReadVersion: t.snap.Version(), DataChange: true, Parameters: c.Parameters, Serializable: true}
	schema := t.snap.Schema()
	if c.Schema != nil {
		if schema, err = t.evolved(c.Schema); err != nil {
			return Counts{}, err
		}
		out.SchemaTo = schema
	}
	w, err := t.writer(ctx, out.SchemaTo)
	if err != nil {
		return Counts{}, commitError(err)
	}
	defer func() { _ = w.Abort() }() // after Close it does nothing
	r, s, err := rewrite(ctx, e, t, c, w, schema, out.SchemaTo)
	if err != nil {
		return Counts{}, err
	}
	defer s.abort()
	if out.Adds, err = w.Close(); err != nil {
		return Counts{}, err
	}
	counts := Counts{Deleted: r.deleted}
	if s != nil {
		n := s.result()
		counts.Updated, counts.Inserted, counts.Deleted = n.Updated, n.Inserted, counts.Deleted+n.Deleted
		if high := s.numbered(); high != nil {
			out.SchemaTo = high
		}
		if out.Changes, err = s.feed.close(); err != nil {
			return Counts{}, t.discard(ctx, &out, err)
		}
	}
	if counts == (Counts{}) && out.SchemaTo == nil {
		return counts, t.discard(ctx, &out, nil)
	}
	if err := t.takeOut(ctx, e, &out, r, s); err != nil {
		return Counts{}, t.discard(ctx, &out, err)
	}
	out.Operation = [...]string{plan.ChangeUpdate: "UPDATE", plan.ChangeDelete: "DELETE", plan.ChangeMerge: "MERGE"}[c.Kind]
	out.Metrics = metrics(c.Kind, &out, counts, s)
	out.Metrics["executionTimeMs"], out.Metrics["scanTimeMs"] = ms(time.Since(begun)), ms(r.scan)
	out.Metrics["rewriteTimeMs"] = ms(time.Since(begun) - r.scan)
	return counts, t.commit(ctx, out)
}

// rewritten are the files that a change touches.
type rewritten struct {
	whole   []delta.Add // all of whose rows go; they were not read again
	again   []delta.Add // that were read again, and lose rows
	deleted int64       // rows of whole
	scan    time.Duration
}

// vectored tells whether rows leave their files by deletion vectors: the table
// asks for it, the plan says where rows lie, and all files say how many they have.
func (t target) vectored(rows *plan.Rows, files []delta.Add) bool {
	if !rows.Placed || !t.snap.WritesVectors() {
		return false
	}
	for _, a := range files {
		if _, known := recordCount(a); !known {
			return false
		}
	}
	return true
}

// changedOnly are rows without those that stay as they are.
func changedOnly(rows *plan.Rows, at layout) *plan.Rows {
	out := *rows
	act := rows.Plan.Output()[at.action]
	out.Plan = &plan.Filter{Input: rows.Plan, Cond: &plan.Call{
		Fn: ">", Args: []plan.Expr{&plan.Column{Attr: act}, &plan.Literal{Value: plan.RowCopied, Typ: types.Int}}, Typ: types.Boolean, Null: true,
	}}
	return &out
}

// rewrite finds the files that c touches and writes what they hold afterwards.
// Rows have schema; to is the one that the commit gives the table, nil for its
// own. The sink is nil where nothing had to be written.
func rewrite(ctx context.Context, e Engine, t target, c *plan.Change, w *delta.Writer, schema, to *arrow.Schema) (rewritten, *sink, error) {
	var r rewritten
	begun := time.Now()
	if c.Rewrite == nil { // DELETE of all rows
		r.whole = t.live()
		for _, a := range r.whole {
			n, err := t.rows(ctx, e, a, c)
			if err != nil {
				return r, nil, err
			}
			r.deleted += n
		}
		return r, nil, nil
	}
	rows := c.Rewrite
	read := []delta.Add{}
	changes := c.Touched != nil || c.Every // rows that are there
	if c.Touched != nil {
		found, most, err := touched(ctx, e, t, c)
		if err != nil {
			return r, nil, err
		}
		if most > 1 && c.Once != nil {
			rows = c.Once
		}
		r.split(found, c.Kind == plan.ChangeDelete, t.fed())
	}
	switch {
	case c.Every:
		r.again = t.live()
	case !changes: // a MERGE that only inserts looks at the table, but leaves it
		files, err := e.Candidates(rows.Plan, c.Target)
		if err != nil {
			return r, nil, err
		}
		read = files
	}
	read = append(read, r.again...)
	r.scan = time.Since(begun)
	if len(read) == 0 && c.Kind != plan.ChangeMerge {
		return r, nil, nil
	}
	s := newSink(w, schema, rows, c.Identity)
	if changes && t.vectored(rows, read) {
		s.gone = map[string]*delta.RowSet{}
		rows = changedOnly(rows, s.at)
	}
	if changes && t.fed() {
		var err error
		if s.feed, err = t.newFeed(ctx, to); err != nil {
			return r, nil, err
		}
	}
	if err := each(ctx, e, rows.Plan, c.Target, read, s.take); err != nil {
		s.abort()
		return r, nil, err
	}
	return r, s, nil
}

// split parts files with rows to change in those that go as a whole and those
// that are read again. A change feed has all that happens to rows, or nothing.
func (r *rewritten) split(found []hit, deletes, fed bool) {
	partly := func(h hit) bool { return !h.whole() }
	deletes = deletes && (!fed || !slices.ContainsFunc(found, partly))
	for _, f := range found {
		if deletes && f.whole() {
			r.whole = append(r.whole, f.add)
			r.deleted += f.rows
		} else {
			r.again = append(r.again, f.add)
		}
	}
}

// abort gives up the change feed.
func (s *sink) abort() {
	if s != nil {
		s.feed.abort()
	}
}

// takeOut fills in what leaves the table: whole files, or rows of them.
func (t target) takeOut(ctx context.Context, e Engine, out *delta.Commit, r rewritten, s *sink) error {
	if s == nil || s.gone == nil {
		out.Removes = removes(append(r.whole, r.again...), time.Now())
		return nil
	}
	var some []delta.FileRows
	for _, a := range r.again {
		if set := s.gone[e.Path(t.snap, a)]; set != nil {
			some = append(some, delta.FileRows{Add: a, Rows: set})
		}
	}
	if len(some) < len(s.gone) {
		return fmt.Errorf("dml: rows of %d files, and the statement read %d of them", len(s.gone), len(some))
	}
	adds, gone, err := t.snap.DeleteRows(ctx, some)
	if err != nil {
		return commitError(err)
	}
	out.Adds = append(out.Adds, adds...)
	out.Removes = append(removes(r.whole, time.Now()), gone...)
	return nil
}

// hit is a file with rows to change.
type hit struct {
	add  delta.Add
	rows int64
}

// whole tells whether all rows of the file change.
func (h hit) whole() bool {
	n, known := recordCount(h.add)
	return known && n == h.rows
}

// touched runs c.Touched: the files with how many rows of each change, and the
// most source rows that met one row.
func touched(ctx context.Context, e Engine, t target, c *plan.Change) ([]hit, int64, error) {
	byPath := map[string]delta.Add{}
	for a := range t.snap.All() {
		byPath[e.Path(t.snap, a)] = a
	}
	var out []hit
	var most int64
	err := each(ctx, e, c.Touched, c.Target, nil, func(rec arrow.RecordBatch) error {
		files, ok := rec.Column(0).(*array.String)
		if !ok {
			return fmt.Errorf("dml: file names are %s", rec.Column(0).DataType())
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

// recordCount is how many rows a file's statistics say that it has.
func recordCount(a delta.Add) (int64, bool) {
	return delta.RecordCount(a)
}

// rows is how many rows a file has, read from it where its statistics do not say.
func (t target) rows(ctx context.Context, e Engine, a delta.Add, c *plan.Change) (int64, error) {
	if n, ok := recordCount(a); ok {
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
