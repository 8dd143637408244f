package delta

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/action"
)

// RowCounts tell how many rows a change of a table concerned.
type RowCounts struct {
	Inserted, Updated, Deleted int64
	// Copied rows were written anew because others of their files changed.
	Copied int64
}

// RowAction is what a change of a table does to a row.
type RowAction uint8

// The actions of rows.
const (
	// RowCopied: the row is written anew as it was, because others of its file change.
	RowCopied RowAction = iota
	RowUpdated
	RowDeleted
	RowInserted
)

// Rewrite changes rows of a snapshot in one commit.
//
// The caller either names the rows that go by their files and positions
// (Delete, Update) and hands in those that come (Insert, Replace): where the
// table writes deletion vectors, rows that go are marked in them, else their
// files are read and written anew without them. Or it reads files itself and
// hands in their rows with what happens to each (Take), and says what becomes
// of the files (Replaces, Marks, Drop). Where the table has a change feed, it
// is written. A Rewrite is for one goroutine, and must be ended by Commit or
// Abort.
type Rewrite struct {
	ctx    context.Context //nolint:containedctx // of the writers, until Commit or Abort
	snap   *Snapshot
	schema *arrow.Schema
	w      *Writer
	feed   *Writer // nil: no change feed
	index  map[string]int
	files  []touchedFile
	counts RowCounts
	ended  bool
}

// touchedFile is a file with rows that go.
type touchedFile struct {
	add Add
	// Rows that are still to be told to the change feed, and those that are.
	deleted, updated, told *RowSet
	replaced               bool // all its rows are in Take's hands
	dropped                bool // all its rows are deleted
}

// RewriteOptions say how a Rewrite writes. The zero value is good: new rows of a
// partition come into one file, or few, unless the table has
// delta.autoOptimize.optimizeWrite=false.
type RewriteOptions struct {
	Writer WriterOptions
	// SchemaTo, if set, is the schema that the commit gives the table.
	SchemaTo *arrow.Schema
}

// NewRewrite begins a change of rows; ctx governs it until its end.
func (s *Snapshot) NewRewrite(ctx context.Context, opt RewriteOptions) (*Rewrite, error) {
	o := opt.Writer
	o.SchemaTo, o.ChangeData, o.KeepRows, o.Identity = opt.SchemaTo, false, true, true
	w, err := s.table.NewWriter(ctx, o)
	if err != nil {
		return nil, err
	}
	r := &Rewrite{ctx: ctx, snap: s, schema: w.schema, w: w, index: map[string]int{}}
	if s.Fed() {
		o.ChangeData = true
		if r.feed, err = s.table.NewWriter(ctx, o); err != nil {
			return nil, w.abort(err)
		}
	}
	return r, nil
}

// Delete takes live rows of a file out. Where the file was named before, rows
// must be others.
func (r *Rewrite) Delete(a Add, rows *RowSet) error {
	f, err := r.touch(a)
	if err == nil {
		f.deleted.Or(rows)
	}
	return err
}

// Update takes live rows of a file out whose new values Replace brings.
func (r *Rewrite) Update(a Add, rows *RowSet) error {
	f, err := r.touch(a)
	if err == nil {
		f.updated.Or(rows)
	}
	return err
}

// Marks takes rows of a file out of which Take has told what happens to them.
func (r *Rewrite) Marks(a Add, rows *RowSet) error {
	f, err := r.touch(a)
	if err == nil {
		f.told.Or(rows)
	}
	return err
}

// Replaces takes a file out whose live rows Take brings, all but so many that
// are deleted. Where the table has a change feed (Fed) it must see these, too.
func (r *Rewrite) Replaces(a Add, deleted int64) error {
	f, err := r.touch(a)
	if err == nil {
		f.replaced = true
		r.counts.Deleted += deleted
	}
	return err
}

// Drop takes a file with so many live rows out, all of which are deleted.
func (r *Rewrite) Drop(a Add, rows int64) error {
	f, err := r.touch(a)
	if err == nil {
		f.dropped = true
		r.counts.Deleted += rows
	}
	return err
}

func (r *Rewrite) touch(a Add) (*touchedFile, error) {
	if err := r.snap.appendOnly(); err != nil {
		return nil, err
	}
	k := action.Key(a.Path, a.DeletionVector)
	i, ok := r.index[k]
	if !ok {
		i = len(r.files)
		r.index[k] = i
		r.files = append(r.files, touchedFile{a, &RowSet{}, &RowSet{}, &RowSet{}, false, false})
	}
	return &r.files[i], nil
}

// appendOnly refuses to take rows out of a table that only takes new ones.
func (s *Snapshot) appendOnly() error {
	if s.meta.Configuration["delta.appendOnly"] == "true" {
		return fmt.Errorf("%w: the table is append-only", ErrConstraint)
	}
	return nil
}

// Fed tells whether changes of the table's rows go into a change feed.
func (s *Snapshot) Fed() bool {
	return strings.EqualFold(s.meta.Configuration["delta.enableChangeDataFeed"], "true")
}

// Insert adds new rows; the batch stays the caller's. Columns that the table
// numbers are left out.
func (r *Rewrite) Insert(rec arrow.RecordBatch) error {
	full, err := r.w.number(rec)
	if err != nil {
		return err
	}
	defer full.Release()
	r.counts.Inserted += rec.NumRows()
	return r.put(full, feedKinds[RowInserted])
}

// Replace adds the new values of updated rows; the batch stays the caller's. On
// tables with row tracking (Snapshot.TracksRows) it must have the column RowID
// besides the table's, by which the rows stay known.
func (r *Rewrite) Replace(rec arrow.RecordBatch) error {
	if r.snap.TracksRows() && !rec.Schema().HasField(RowID) {
		return fmt.Errorf("%w: updated rows of a table with row tracking need the column %s", ErrSchemaMismatch, RowID)
	}
	r.counts.Updated += rec.NumRows()
	return r.put(rec, feedKinds[RowUpdated])
}

func (r *Rewrite) put(rec arrow.RecordBatch, kind string) error {
	if rec.NumRows() == 0 {
		return nil
	}
	fit, err := r.w.prepare(rec)
	if err != nil {
		return err
	}
	defer fit.Release()
	if err := r.w.place(fit); err != nil {
		return err
	}
	return r.tell(fit, func(int) string { return kind })
}

// Counts are the rows so far; Copied and Deleted count when it is committed.
func (r *Rewrite) Counts() RowCounts { return r.counts }

// Abort gives up and deletes what was written. After Commit it does nothing.
func (r *Rewrite) Abort() error {
	if r.ended {
		return nil
	}
	r.ended = true
	err := r.w.Abort()
	if r.feed != nil {
		err = errors.Join(err, r.feed.Abort())
	}
	return err
}

// Commit makes the change a version; c says how the commit is named and what
// else it does. Nothing is committed where no row changes and c does nothing
// else; the version is then -1. On an error but ErrCommitStateUnknown what was
// written is deleted again.
func (r *Rewrite) Commit(c Commit) (CommitResult, RowCounts, error) {
	if r.ended {
		return CommitResult{}, r.counts, errors.New("delta: the change is committed or given up already")
	}
	vectors, err := r.takeOut(&c)
	if err != nil {
		return CommitResult{}, r.counts, r.discard(nil, vectors, errors.Join(err, r.Abort()))
	}
	r.ended = true
	adds, ready, err := r.w.end()
	if err != nil {
		return CommitResult{}, r.counts, r.discard(nil, vectors, errors.Join(err, r.abortFeed()))
	}
	c.Adds = append(c.Adds, adds...)
	if ids := r.w.Identity(); ids != nil {
		c.Identity = ids
	}
	own := r.snap.table.keysOf(adds)
	if r.plain() {
		if err := r.abortFeed(); err != nil {
			return CommitResult{}, r.counts, r.discard(own, vectors, err)
		}
	} else if r.feed != nil {
		told, err := r.feed.Close()
		if err != nil {
			return CommitResult{}, r.counts, r.discard(own, vectors, err)
		}
		own = append(own, r.snap.table.keysOf(told)...)
		for _, a := range told {
			c.Changes = append(c.Changes, ChangeOf(a))
		}
	}
	if len(c.Adds)+len(c.Removes) == 0 && len(c.transactions()) == 0 && !c.redefines() {
		return CommitResult{Version: -1}, r.counts, nil
	}
	c.DataChange, c.ReadVersion, c.ready, c.Tags = true, r.snap.version, ready, r.snap.preserved(c.Tags)
	r.measure(&c)
	res, err := r.snap.table.Commit(r.ctx, c)
	if err != nil && !errors.Is(err, ErrCommitStateUnknown) {
		err = r.discard(own, vectors, err)
	}
	return res, r.counts, err
}

// plain tells whether files that come and go as a whole tell all of the change,
// so that it needs no change feed.
func (r *Rewrite) plain() bool {
	return !slices.ContainsFunc(r.files, func(f touchedFile) bool { return !f.dropped })
}

func (r *Rewrite) abortFeed() error {
	if r.feed == nil {
		return nil
	}
	return r.feed.Abort()
}

// discard deletes what no version names: data files and files of vectors.
func (r *Rewrite) discard(keys []string, vectors []Add, cause error) error {
	return r.snap.table.discard(keys, r.snap.DiscardVectors(vectors, cause))
}

// takeOut adds the removes of touched files to c and what stays of them: the
// adds with new vectors, which it gives, too, or copies.
func (r *Rewrite) takeOut(c *Commit) ([]Add, error) {
	now := r.snap.table.opt.clock().UnixMilli()
	var marked []FileRows
	var rest []source
	for i := range r.files {
		f := &r.files[i]
		if err := r.tellOld(f); err != nil {
			return nil, fmt.Errorf("delta: reading %s: %w", r.snap.Locate(f.add), err)
		}
		if f.replaced || f.dropped {
			c.Removes = append(c.Removes, f.add.Remove(now, true))
			continue
		}
		r.counts.Deleted += int64(f.deleted.GetCardinality())
		all := f.deleted.Clone()
		all.Or(f.updated)
		all.Or(f.told)
		if all.IsEmpty() {
			continue
		}
		if r.snap.WritesVectors() && recordCount(f.add.Stats) >= 0 {
			marked = append(marked, FileRows{f.add, all})
			continue
		}
		c.Removes = append(c.Removes, f.add.Remove(now, true))
		rest = append(rest, source{Add: f.add, besides: all})
	}
	if err := r.copyRest(rest); err != nil {
		return nil, err
	}
	adds, removes, err := r.snap.DeleteRows(r.ctx, marked)
	if len(marked) == 0 || err != nil {
		return nil, ignoreUnused(marked, err)
	}
	c.Adds, c.Removes = append(c.Adds, adds...), append(c.Removes, removes...)
	return adds, nil
}

// ignoreUnused is no error where there was nothing to mark.
func ignoreUnused(marked []FileRows, err error) error {
	if len(marked) == 0 {
		return nil
	}
	return err
}

// tellOld writes the rows of a file that go into the change feed.
func (r *Rewrite) tellOld(f *touchedFile) error {
	if r.feed == nil || r.plain() {
		return nil
	}
	if f.dropped {
		return r.snap.readFile(r.ctx, f.add, r.snap.schema, func(rec arrow.RecordBatch) error {
			defer rec.Release()
			return r.tell(rec, func(int) string { return feedKinds[RowDeleted] })
		})
	}
	for kind, set := range map[string]*RowSet{feedKinds[RowDeleted]: f.deleted, feedBefore: f.updated} {
		if set.IsEmpty() {
			continue
		}
		err := r.snap.readRows(r.ctx, f.add, r.snap.schema, set, true, func(rec arrow.RecordBatch) error {
			defer rec.Release()
			return r.tell(rec, func(int) string { return kind })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// copyRest writes what stays of files anew.
func (r *Rewrite) copyRest(files []source) error {
	if !r.w.schema.Equal(r.snap.schema) {
		for _, f := range files {
			if err := r.convertRest(f); err != nil {
				return fmt.Errorf("delta: reading %s: %w", r.snap.Locate(f.Add), err)
			}
		}
		return nil
	}
	m := merger{w: r.w}
	defer m.release()
	err := r.w.readAll(r.ctx, r.snap, files, r.w.indices(), func(c copied) error {
		r.counts.Copied += c.rec.NumRows()
		return m.take(c)
	})
	if err != nil {
		return err
	}
	return m.flush()
}

// convertRest writes what stays of a file anew under the schema that the commit
// gives the table.
func (r *Rewrite) convertRest(f source) error {
	gone, err := r.snap.Deleted(r.ctx, f.Add)
	if err != nil {
		return err
	}
	all := f.besides.Clone()
	if gone != nil {
		all.Or(gone)
	}
	if n := recordCount(f.Stats); n >= 0 && all.GetCardinality() == uint64(n) {
		return nil
	}
	return r.snap.readRows(r.ctx, f.Add, r.snap.withTracked(r.w.known(r.snap)), all, false, func(rec arrow.RecordBatch) error {
		defer rec.Release()
		r.counts.Copied += rec.NumRows()
		fit, err := conform(rec, r.w.takes) // columns that the commit adds
		if err != nil {
			return err
		}
		defer fit.Release()
		data := r.w.project(fit)
		defer data.Release()
		return r.w.writePart(f.PartitionValues, data)
	})
}

// known are the columns of s that the writer's files may have.
func (w *Writer) known(s *Snapshot) *arrow.Schema {
	var out []arrow.Field
	for _, f := range s.schema.Fields() {
		if find(w.schema, f.Name) >= 0 && f.Type.ID() != arrow.NULL {
			out = append(out, f)
		}
	}
	return arrow.NewSchema(out, nil)
}
