package dml

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// mostPatched is the part of the rows of the touched files up to which they are
// changed in their places: beyond it, copying the others is not worth sorting
// the changes.
const mostPatched = 0.5

// patches tells whether rows are changed in their places; most is the most
// source rows that met one row.
func (r *rewrite) patches(c *plan.Change, most int64) bool {
	if c.Patch == nil || c.Every || most > 1 {
		return false
	}
	var set []string
	for i, f := range r.schema.Fields() {
		if !c.Patch.Kept[i] {
			set = append(set, f.Name)
		}
	}
	var hits, rows int64
	for _, h := range r.again {
		n, known := delta.RecordCount(h.add)
		if !known {
			return false
		}
		if h.rows > 0 {
			hits, rows = hits+h.rows, rows+n
		}
	}
	return hits > 0 && float64(hits) <= mostPatched*float64(rows) && r.Patchable(set)
}

// patch changes rows of r.again in their places and inserts new ones.
func (r *rewrite) patch(ctx context.Context, c *plan.Change) error {
	// Changes come in the order of the files' paths.
	slices.SortFunc(r.again, func(a, b hit) int {
		return strings.Compare(r.e.Path(r.t.snap, a.add), r.e.Path(r.t.snap, b.add))
	})
	p := patching{rewrite: r, kept: c.Patch.Kept, file: map[string]int{}}
	var read, changed []delta.Add
	for _, h := range r.again {
		read = append(read, h.add)
		if h.rows > 0 {
			p.file[r.e.Path(r.t.snap, h.add)] = len(changed)
			changed = append(changed, h.add)
		}
	}
	r.sink = newSink(p.insert, r.schema, &c.Patch.Rows, c.Identity)
	next, stop := iter.Pull2(func(yield func(*delta.RowChanges, error) bool) {
		err := each(ctx, r.e, c.Patch.Plan, c.Target, read, func(rec arrow.RecordBatch) error { return p.take(rec, yield) })
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	})
	defer stop()
	return writeError(r.Patch(changed, func() (*delta.RowChanges, error) {
		c, err, ok := next()
		if !ok {
			return nil, io.EOF
		}
		return c, err
	}))
}

// errEnough ends a plan whose rows nobody wants any more.
var errEnough = errors.New("dml: enough rows")

// patching turns rows of a plan.Patch into changes.
type patching struct {
	*rewrite
	kept []bool
	file map[string]int // by path
}

// take inserts new rows of a batch and yields the changes of others.
func (p *patching) take(rec arrow.RecordBatch, yield func(*delta.RowChanges, error) bool) error {
	if err := p.sink.take(rec); err != nil {
		return err
	}
	acts := slices.Clone(p.sink.acts)
	first := slices.IndexFunc(acts, func(a delta.RowAction) bool { return a != delta.RowInserted })
	if first < 0 {
		return nil
	}
	files, ok1 := rec.Column(p.sink.at.place).(*array.String)
	rows, ok2 := rec.Column(p.sink.at.place + 1).(*array.Int64)
	if !ok1 || !ok2 {
		return fmt.Errorf("dml: places of rows are %s, %s", rec.Column(p.sink.at.place).DataType(), rec.Column(p.sink.at.place+1).DataType())
	}
	set := p.set(rec)
	defer set.Release()
	for from := first; from < len(acts); {
		to := from + 1
		for to < len(acts) && files.Value(to) == files.Value(from) {
			to++
		}
		at, ok := p.file[files.Value(from)]
		if !ok {
			return fmt.Errorf("dml: changes of %s, in which none were found", files.Value(from))
		}
		part := set.NewSlice(int64(from), int64(to))
		more := yield(&delta.RowChanges{File: at, Rows: rows.Int64Values()[from:to], Acts: acts[from:to], Set: part}, nil)
		part.Release()
		if !more {
			return errEnough
		}
		from = to
	}
	return nil
}

// insert takes the new rows of a batch, which come before others.
func (p *patching) insert(rows, _ arrow.RecordBatch, acts []delta.RowAction) error {
	n := slices.IndexFunc(acts, func(a delta.RowAction) bool { return a != delta.RowInserted })
	if n < 0 {
		n = len(acts)
	}
	if n == 0 {
		return nil
	}
	fresh := rows.NewSlice(0, int64(n))
	defer fresh.Release()
	return p.Insert(fresh)
}

// set are the columns of rec that change, under their names; the caller
// releases them.
func (p *patching) set(rec arrow.RecordBatch) arrow.RecordBatch {
	var fields []arrow.Field
	var cols []arrow.Array
	for i, f := range p.schema.Fields() {
		if !p.kept[i] && f.Type.ID() != arrow.NULL {
			c := rec.Column(i)
			fields = append(fields, arrow.Field{Name: f.Name, Type: c.DataType(), Nullable: true})
			cols = append(cols, c)
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows())
}
