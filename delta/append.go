package delta

import (
	"context"
	"errors"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
)

// WriteOption configures Append and Overwrite.
type WriteOption func(*Commit, *WriterOptions)

// WithTxn makes the commit happen once for an application's version.
func WithTxn(appID string, version int64) WriteOption {
	return func(c *Commit, _ *WriterOptions) { c.Txn = &Txn{AppID: appID, Version: version} }
}

// WithOperation names the commit in the history.
func WithOperation(name string, parameters map[string]string) WriteOption {
	return func(c *Commit, _ *WriterOptions) { c.Operation, c.Parameters = name, parameters }
}

// WithWriter sets how data files are written.
func WithWriter(o WriterOptions) WriteOption {
	return func(_ *Commit, w *WriterOptions) { *w = o }
}

// Append adds rows in one commit and gives its version. The batches stay the
// producer's; an error from it ends the write. With no rows there is no commit
// and the version is the current one.
func (t *Table) Append(ctx context.Context, rows iter.Seq2[arrow.RecordBatch, error], opts ...WriteOption) (int64, error) {
	c := Commit{ReadVersion: -1, DataChange: true}
	return t.writeAll(ctx, rows, &c, opts, nil)
}

// Overwrite replaces all rows in one commit and gives its version.
func (t *Table) Overwrite(ctx context.Context, rows iter.Seq2[arrow.RecordBatch, error], opts ...WriteOption) (int64, error) {
	c := Commit{ReadVersion: -1, DataChange: true, ReplaceAll: true, Parameters: map[string]string{"mode": "Overwrite"}}
	return t.writeAll(ctx, rows, &c, opts, nil)
}

// writeAll writes rows and commits them; then, if not nil, adds to the commit
// what follows from its files.
func (t *Table) writeAll(ctx context.Context, rows iter.Seq2[arrow.RecordBatch, error], c *Commit, opts []WriteOption, then func(*Commit)) (int64, error) {
	var o WriterOptions
	for _, f := range opts {
		f(c, &o)
	}
	o.Identity = true
	if t.numbersRows() { // after the numbers that others gave out
		if err := t.refresh(ctx); err != nil {
			return 0, err
		}
	}
	w, err := t.NewWriter(ctx, o)
	if err != nil {
		return 0, err
	}
	for rec, err := range rows {
		if err == nil {
			err = w.Write(rec)
		}
		if err != nil {
			return 0, w.abort(err)
		}
	}
	if c.Adds, c.ready, err = w.end(); err != nil {
		return 0, err
	}
	if len(c.Adds) == 0 && !c.ReplaceAll && c.Txn == nil {
		return t.current().version, nil
	}
	c.Identity = w.Identity()
	if then != nil {
		then(c)
	}
	r, err := t.Commit(ctx, *c)
	if err != nil && !errors.Is(err, ErrCommitStateUnknown) {
		return r.Version, t.discard(t.keysOf(c.Adds), err)
	}
	return r.Version, err
}

func (t *Table) keysOf(adds []Add) []string {
	keys := make([]string, len(adds))
	for i, a := range adds {
		keys[i] = t.locate(a.Path)
	}
	return keys
}

// Batches yields batches that are already there, for Append and Overwrite.
func Batches(recs ...arrow.RecordBatch) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}
