package delta

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// RowChanges change rows of one file, which have the positions Rows there, in
// rising order.
type RowChanges struct {
	File int // in the list that Patch was given
	Rows []int64
	Acts []RowAction // RowUpdated or RowDeleted
	// Set has the new values, by name, of the columns that change; rows that are
	// deleted have any.
	Set arrow.RecordBatch
}

// Patchable tells whether Patch can change rows where these columns get new
// values: it cannot where the table has a change feed or writes deletion vectors,
// nor change columns of partitions.
func (r *Rewrite) Patchable(columns []string) bool {
	if r.feed != nil || r.w.rules != nil || r.snap.WritesVectors() || !r.w.schema.Equal(r.snap.schema) {
		return false
	}
	return !slices.ContainsFunc(columns, r.snap.partitioned)
}

// Patch writes files anew with some rows changed in their places: other rows and
// other columns are copied. next gives the changes, file by file in the order of
// the list, and io.EOF at the end; its batches stay the caller's, and are good
// until the next call. Types of new values are the table's. See Patchable.
func (r *Rewrite) Patch(files []Add, next func() (*RowChanges, error)) error {
	p := patcher{Rewrite: r, files: files, next: next, merger: merger{w: r.w}}
	defer p.merger.release()
	defer p.forget()
	sources := sourcesOf(files)
	for i, a := range files {
		if err := r.Replaces(a, 0); err != nil {
			return err
		}
		sources[i].whole = true
	}
	err := r.w.readAll(r.ctx, r.snap, sources, r.w.indices(), func(c copied) error {
		defer c.rec.Release()
		return p.batch(c)
	})
	if err != nil {
		return err
	}
	switch left, err := p.peek(); {
	case err != nil:
		return err
	case left != nil:
		return fmt.Errorf("delta: changes of the row %d of %s, which it does not have", left.Rows[p.done], r.snap.Locate(files[left.File]))
	}
	return p.merger.flush()
}

// patcher changes rows of batches that come in the order of their places.
type patcher struct {
	*Rewrite
	files  []Add
	merger merger
	next   func() (*RowChanges, error)
	now    *RowChanges // nil before the first ones
	done   int         // of now's rows
	ended  bool
	set    []arrow.Array // now's new values, by the columns of files; nil for a column that stays
	last   int64         // the position of the row that was changed last in its file
}

// peek gives the changes that come next, from the row done on; nil at the end.
func (p *patcher) peek() (*RowChanges, error) {
	for !p.ended && (p.now == nil || p.done == len(p.now.Rows)) {
		file := -1
		if p.now != nil {
			file = p.now.File
		}
		now, err := p.next()
		if errors.Is(err, io.EOF) {
			p.ended, p.now = true, nil
			break
		}
		if err != nil {
			return nil, err
		}
		if len(now.Rows) != len(now.Acts) || int64(len(now.Rows)) != now.Set.NumRows() {
			return nil, fmt.Errorf("delta: %d rows with %d actions and %d values", len(now.Rows), len(now.Acts), now.Set.NumRows())
		}
		p.now, p.done = now, 0
		if now.File != file {
			p.last = -1
		}
		if err := p.values(now); err != nil {
			return nil, err
		}
	}
	return p.now, nil
}

// forget gives new values back.
func (p *patcher) forget() {
	for _, c := range p.set {
		if c != nil {
			c.Release()
		}
	}
	p.set = nil
}

// values gives new values the form of the files' columns.
func (p *patcher) values(c *RowChanges) error {
	p.forget()
	p.set = make([]arrow.Array, p.w.files.NumFields())
	for i, name := range c.Set.Schema().Fields() {
		at := find(p.w.data, name.Name)
		if at < 0 {
			return fmt.Errorf("%w: no column %q to change", ErrSchemaMismatch, name.Name)
		}
		f := p.w.data.Field(at)
		col, err := fit(c.Set.Column(i), f.Type)
		if err != nil {
			return fmt.Errorf("%w: column %s: %w", ErrSchemaMismatch, f.Name, err)
		}
		p.set[at] = retyped(col.Data(), p.w.files.Field(at).Type)
		col.Release() // set keeps its memory
		for row, act := range c.Acts {
			if act != RowUpdated || f.Nullable || p.set[at].IsValid(row) {
				continue
			}
			return fmt.Errorf("%w: NULL in column %s, which is NOT NULL", ErrConstraint, f.Name)
		}
	}
	if at := find(p.w.data, RowCommitVersion); at >= 0 && p.w.schema.NumFields() < p.w.takes.NumFields() {
		p.set[at] = array.MakeArrayOfNull(memory.DefaultAllocator, p.w.data.Field(at).Type, len(c.Rows)) // it is the commit's
	}
	return nil
}

// batch writes a batch of all rows of a file, with those changed that are to be.
func (p *patcher) batch(c copied) error {
	at := func(err error) error { return fmt.Errorf("delta: rewriting %s: %w", p.files[c.file].Path, err) }
	for from, n := 0, int(c.rec.NumRows()); from < n; {
		now, err := p.peek()
		if err != nil {
			return err
		}
		if now != nil && now.File < c.file {
			return at(fmt.Errorf("the changes of an earlier file's row %d come too late", now.Rows[p.done]))
		}
		to, upTo := n, p.done
		if now != nil && now.File == c.file {
			for upTo < len(now.Rows) && now.Rows[upTo] < c.first+int64(n) {
				if row := now.Rows[upTo]; row <= p.last || row < c.first+int64(from) {
					return at(fmt.Errorf("the row %d is changed twice, or out of turn", row))
				}
				p.last = now.Rows[upTo]
				upTo++
			}
			if upTo == len(now.Rows) { // there may be more in the rows behind
				to = int(p.last-c.first) + 1
			}
		}
		if err := p.piece(c, from, to, upTo); err != nil {
			return at(err)
		}
		p.done, from = upTo, to
	}
	return nil
}

// piece writes the rows from one to another of a batch, in which the changes up
// to one fall.
func (p *patcher) piece(c copied, from, to, upTo int) error {
	var stay, fresh []span // of columns that are kept, and of those that are set
	rows, at := 0, from
	copyTo := func(end int) {
		for at < end {
			stop := end
			if c.gone != nil {
				stop = at
				for stop < end && !c.gone.Contains(uint64(c.first+int64(stop))) {
					stop++
				}
			}
			if n := stop - at; n > 0 {
				stay, fresh = appendSpan(stay, span{from: at, n: n}), appendSpan(fresh, span{from: at, n: n})
				rows += n
				p.counts.Copied += int64(n)
			}
			at = stop
			if at < end {
				at++
			}
		}
	}
	for i := p.done; i < upTo; i++ {
		row := int(p.now.Rows[i] - c.first)
		copyTo(row)
		at = row + 1
		if c.gone != nil && c.gone.Contains(uint64(p.now.Rows[i])) {
			return fmt.Errorf("the row %d is deleted", p.now.Rows[i])
		}
		switch p.now.Acts[i] {
		case RowDeleted:
			p.counts.Deleted++
		case RowUpdated:
			p.counts.Updated++
			stay, fresh = appendSpan(stay, span{from: row, n: 1}), appendSpan(fresh, span{from: i, n: 1, second: true})
			rows++
		default:
			return fmt.Errorf("the row %d is neither updated nor deleted", p.now.Rows[i])
		}
	}
	copyTo(to)
	if rows == 0 {
		return nil
	}
	out, err := p.assembled(c.rec, stay, fresh, rows, p.done < upTo)
	if err != nil {
		return err
	}
	return p.merger.add(c.values, out)
}

// assembled are rows of a batch, those of spans of the second kind with new values.
func (p *patcher) assembled(rec arrow.RecordBatch, stay, fresh []span, rows int, changed bool) (arrow.RecordBatch, error) {
	if len(stay) == 1 && !changed {
		return rec.NewSlice(int64(stay[0].from), int64(stay[0].from+stay[0].n)), nil
	}
	cols := make([]arrow.Array, 0, rec.NumCols())
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for i, old := range rec.Columns() {
		var c arrow.Array
		var err error
		switch {
		case changed && p.set[i] != nil:
			c, err = merged(old, p.set[i], fresh, rows)
		case len(stay) == 1:
			c = array.NewSlice(old, int64(stay[0].from), int64(stay[0].from+stay[0].n))
		default:
			c, err = assemble(old, nil, stay, rows)
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", rec.ColumnName(i), err)
		}
		cols = append(cols, c)
	}
	return newBatch(typed(rec.Schema().Fields(), cols), cols, int64(rows)), nil
}

// merged puts rows of a file's column and new values together.
func merged(old, fresh arrow.Array, spans []span, rows int) (arrow.Array, error) {
	d, ok := old.(*array.Dictionary)
	if !ok {
		return assemble(old, fresh, spans, rows)
	}
	plain, err := spelledOut(d)
	if err != nil {
		return nil, err
	}
	defer plain.Release()
	return assemble(plain, fresh, spans, rows)
}

// spelledOut are the values behind indices; the caller releases the array.
func spelledOut(d *array.Dictionary) (arrow.Array, error) {
	return fit(d, d.Dictionary().DataType())
}
