package delta

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/parquetfile"
)

// copied is a batch of a file that is read ahead, or why there is none.
type copied struct {
	rec arrow.RecordBatch
	err error
}

// copyFiles writes the live rows of files of one partition into the writer's
// file of that partition, in order.
func (w *Writer) copyFiles(ctx context.Context, s *Snapshot, files []Add) error {
	m := merger{w: w}
	defer m.release()
	if err := w.readAll(ctx, s, sourcesOf(files), w.indices(), m.add); err != nil {
		return err
	}
	return m.flush()
}

// source is a file whose live rows are written anew, but for some.
type source struct {
	Add
	besides *RowSet // live rows; nil for none
}

func sourcesOf(files []Add) []source {
	out := make([]source, len(files))
	for i, a := range files {
		out[i].Add = a
	}
	return out
}

// indices tells whether the writer's files take texts as indices.
func (w *Writer) indices() bool { return parquetfile.TakesIndices(w.files) }

// readAll gives the live rows of files, as the writer's files have them, to
// take, which takes the batches over; texts may be indices where the caller
// knows what to do with them. Some files are read ahead, at most a few batches
// of each.
func (w *Writer) readAll(ctx context.Context, s *Snapshot, files []source, indices bool, take func(Values, arrow.RecordBatch) error) error {
	ctx, cancel := context.WithCancel(ctx)
	queue := make(chan chan copied, min(runtime.GOMAXPROCS(0), 8))
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(queue)
		for _, a := range files {
			slot := make(chan copied, 2)
			select {
			case queue <- slot:
			case <-ctx.Done():
				return
			}
			wg.Go(func() {
				defer close(slot)
				if err := w.readAhead(ctx, s, a, indices, slot); err != nil {
					slot <- copied{err: fmt.Errorf("delta: rewriting %s: %w", a.Path, err)}
				}
			})
		}
	})
	defer func() {
		cancel()
		for slot := range queue {
			for c := range slot {
				c.release()
			}
		}
		wg.Wait()
	}()
	for _, a := range files {
		slot, ok := <-queue
		if !ok {
			return ctx.Err()
		}
		for c := range slot {
			if c.err == nil {
				c.err = take(a.PartitionValues, c.rec)
			}
			if c.err != nil {
				cancel()
				for c := range slot {
					c.release()
				}
				return c.err
			}
		}
	}
	return nil
}

func (c copied) release() {
	if c.rec != nil {
		c.rec.Release()
	}
}

// readAhead sends a file's live rows.
func (w *Writer) readAhead(ctx context.Context, s *Snapshot, a source, indices bool, to chan<- copied) error {
	gone, err := s.Deleted(ctx, a.Add)
	if err != nil {
		return err
	}
	n := recordCount(a.Stats)
	if gone != nil {
		n -= a.DeletionVector.Cardinality
	}
	if a.besides != nil {
		n -= int64(a.besides.GetCardinality())
		all := a.besides.Clone()
		if gone != nil {
			all.Or(gone)
		}
		gone = all
	}
	if n == 0 && recordCount(a.Stats) >= 0 {
		return nil
	}
	rows := int64(0)
	err = s.scanRows(ctx, a.Add, scanning{want: w.data, set: gone, indices: indices}, func(rec arrow.RecordBatch) error {
		defer rec.Release()
		rows += rec.NumRows()
		data := w.project(rec)
		select {
		case to <- copied{rec: data}:
			return nil
		case <-ctx.Done():
			data.Release()
			return ctx.Err()
		}
	})
	if err != nil {
		return err
	}
	if recordCount(a.Stats) >= 0 && n != rows {
		return fmt.Errorf("%w: the file has %d rows, the log says %d", ErrCorrupt, rows, n)
	}
	return nil
}

// Bounds of what merger puts together.
const (
	mergedRows  = 16 << 10
	mergedBytes = 8 << 20
)

// merger makes large batches of small ones, each of which costs the Parquet
// writer the same.
type merger struct {
	w      *Writer
	values Values
	recs   []arrow.RecordBatch
	rows   int64
	bytes  int64
}

// add takes a batch over.
func (m *merger) add(values Values, rec arrow.RecordBatch) error {
	if rec.NumRows() >= mergedRows || !rec.Schema().Equal(m.w.files) { // indices are not put together
		defer rec.Release()
		if err := m.flush(); err != nil {
			return err
		}
		return m.w.writePart(values, rec)
	}
	if len(m.recs) > 0 && !maps.Equal(m.values, values) {
		if err := m.flush(); err != nil {
			rec.Release()
			return err
		}
	}
	m.values = values
	m.recs = append(m.recs, rec)
	m.rows += rec.NumRows()
	for _, c := range rec.Columns() {
		m.bytes += sizeOf(c.Data())
	}
	if m.rows >= mergedRows || m.bytes >= mergedBytes {
		return m.flush()
	}
	return nil
}

func (m *merger) flush() error {
	defer m.release()
	if len(m.recs) == 0 {
		return nil
	}
	rec, err := concat(m.recs)
	if err != nil {
		return err
	}
	defer rec.Release()
	return m.w.writePart(m.values, rec)
}

func (m *merger) release() {
	for _, r := range m.recs {
		r.Release()
	}
	m.recs, m.rows, m.bytes = m.recs[:0], 0, 0
}

// sizeOf is the size of what an array's buffers hold, in bytes.
func sizeOf(d arrow.ArrayData) int64 {
	var n int64
	for _, b := range d.Buffers() {
		if b != nil {
			n += int64(b.Len())
		}
	}
	for _, c := range d.Children() {
		n += sizeOf(c)
	}
	return n
}
