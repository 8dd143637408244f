package flow

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/pipeline/journal"
)

// holdBytes is how much of a view's result is kept back before a file is
// begun, since most results are small and many have not changed.
const holdBytes = 32 << 20

// writing is a batch on its way into files.
type writing struct {
	f      *Flow
	plan   *journal.Plan
	split  *splitter
	main   *sinkWriter
	aside  *sinkWriter // nil without quarantine
	digest *digest     // of a view's result
	held   []arrow.RecordBatch
	bytes  int64
}

// run executes the planned batch and writes the files of its sinks. With an
// error nothing is left of it.
func (f *Flow) run(ctx context.Context, st journal.Flow) (prep *journal.Prepared, err error) {
	rows, err := f.cfg.Exec.Run(ctx, st.Plan)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	w := f.newWriting(st.Plan)
	defer func() {
		w.release()
		if err != nil {
			err = errors.Join(err, w.abort(context.WithoutCancel(ctx)))
		}
	}()
	for {
		rec, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		err = w.take(ctx, rec)
		rec.Release()
		if err != nil {
			return nil, err
		}
	}
	return w.finish(ctx, st)
}

func (f *Flow) newWriting(p *journal.Plan) *writing {
	names := f.cfg.Columns
	w := &writing{f: f, plan: p, main: &sinkWriter{sink: f.cfg.Main, index: places(f.cfg.Main.Schema, names)}}
	w.split = newSplitter(f.cfg.Rules, len(names), f.cfg.Aside != nil, f.cfg.Alloc)
	if f.cfg.Aside != nil {
		w.aside = &sinkWriter{sink: f.cfg.Aside, index: places(f.cfg.Aside.Schema, append(slices.Clone(names), FailedColumn, TimeColumn))}
	}
	if f.cfg.Stream == nil {
		w.digest = &digest{}
	}
	return w
}

// take splits a batch of the result and writes its parts.
func (w *writing) take(ctx context.Context, rec arrow.RecordBatch) error {
	w.split.counts.In += rec.NumRows()
	if w.digest != nil {
		if err := w.digest.add(rec); err != nil {
			return err
		}
	}
	p, err := w.split.split(ctx, rec)
	if err != nil {
		return err
	}
	defer p.release()
	if p.kept != nil {
		if err := w.keep(ctx, p.kept); err != nil {
			return err
		}
	}
	if p.aside == nil {
		return nil
	}
	q := quarantineBatch(p, w.plan.Time, w.split.alloc)
	defer q.Release()
	return w.aside.write(ctx, q)
}

// keep writes rows of the table; those of a view wait as long as they are few.
func (w *writing) keep(ctx context.Context, rec arrow.RecordBatch) error {
	if w.digest == nil {
		return w.main.write(ctx, rec)
	}
	if w.main.w == nil && w.bytes < holdBytes {
		rec.Retain()
		w.held = append(w.held, rec)
		for _, c := range rec.Columns() {
			w.bytes += int64(c.Data().SizeInBytes())
		}
		return nil
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	return w.main.write(ctx, rec)
}

// flush writes what was held back.
func (w *writing) flush(ctx context.Context) error {
	for _, rec := range w.held {
		if err := w.main.write(ctx, rec); err != nil {
			return err
		}
	}
	w.release()
	return nil
}

func (w *writing) release() {
	for _, rec := range w.held {
		rec.Release()
	}
	w.held = nil
}

// finish closes the files; a view whose result is the one before has none.
func (w *writing) finish(ctx context.Context, st journal.Flow) (*journal.Prepared, error) {
	for _, r := range w.plan.Ranges {
		// What the query filters or unfolds was read as well.
		w.split.counts.In = r.Rows
	}
	p := &journal.Prepared{Flow: w.f.cfg.Name, Checkpoint: st.Checkpoint, Batch: w.plan.Batch, Counts: w.split.total()}
	view := w.digest != nil
	if view {
		p.Digest = w.digest.String()
		if p.Digest == st.Digest {
			return p, w.abort(ctx)
		}
		if err := w.flush(ctx); err != nil {
			return nil, err
		}
	}
	for _, s := range []*sinkWriter{w.main, w.aside} {
		if s == nil {
			continue
		}
		c, err := s.close(view)
		if err != nil {
			return nil, err
		}
		if c != nil {
			p.Tables = append(p.Tables, *c)
		}
	}
	return p, nil
}

// abort deletes what was written.
func (w *writing) abort(ctx context.Context) error {
	err := w.main.abort(ctx)
	if w.aside != nil {
		err = errors.Join(err, w.aside.abort(ctx))
	}
	return err
}
