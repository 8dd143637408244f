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
	rec    arrow.RecordBatch
	values Values // of the file's partition
	// Of sources that are read whole: the file's place among them, the position of
	// the first row, and the rows that are deleted, which are among these.
	file  int
	first int64
	gone  *RowSet
	err   error
}

// copyFiles writes the live rows of files of one partition into the writer's
// file of that partition, in order.
func (w *Writer) copyFiles(ctx context.Context, s *Snapshot, files []Add) error {
	m := merger{w: w}
	defer m.release()
	if err := w.readAll(ctx, s, sourcesOf(files), w.indices(), m.take); err != nil {
		return err
	}
	return m.flush()
}

// source is a file whose live rows are written anew, but for some.
type source struct {
	Add
	besides *RowSet // live rows; nil for none
	whole   bool    // deleted rows come, too
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
func (w *Writer) readAll(ctx context.Context, s *Snapshot, files []source, indices bool, take func(copied) error) error {
	ctx, cancel := context.WithCancel(ctx)
	queue := make(chan chan copied, min(runtime.GOMAXPROCS(0), 8))
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(queue)
		for i, a := range files {
			slot := make(chan copied, 2)
			select {
			case queue <- slot:
			case <-ctx.Done():
				return
			}
			wg.Go(func() {
				defer close(slot)
				if err := w.readAhead(ctx, s, a, i, indices, slot); err != nil {
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
	for range files {
		slot, ok := <-queue
		if !ok {
			return ctx.Err()
		}
		for c := range slot {
			if c.err == nil {
				c.err = take(c)
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
func (w *Writer) readAhead(ctx context.Context, s *Snapshot, a source, file int, indices bool, to chan<- copied) error {
	gone, err := s.Deleted(ctx, a.Add)
	if err != nil {
		return err
	}
	n := recordCount(a.Stats)
	if gone != nil && !a.whole {
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
	how := scanning{want: w.data, set: gone, indices: indices}
	if a.whole {
		how.set = nil
	}
	err = s.scanRows(ctx, a.Add, how, func(rec arrow.RecordBatch) error {
		defer rec.Release()
		c := copied{rec: w.project(rec), values: a.PartitionValues, file: file, first: rows, gone: gone}
		rows += rec.NumRows()
		select {
		case to <- c:
			return nil
		case <-ctx.Done():
			c.release()
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

// take is add for readAll.
func (m *merger) take(c copied) error { return m.add(c.values, c.rec) }

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
