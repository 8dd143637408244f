package delta

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta/internal/curve"
)

// ordering is an order of rows along a curve.
type ordering struct {
	kind    curve.Kind
	columns [][]string
	types   []arrow.DataType
	memory  int64
	dir     string
}

// errTooMuch ends the attempt to hold all rows in memory.
var errTooMuch = errors.New("delta: more rows than fit in memory")

// orderFiles writes the live rows of files of one partition in order. Rows that
// do not fit in memory are parted by ranges of the curve, which wait on disk.
func (w *Writer) orderFiles(ctx context.Context, s *Snapshot, files []Add, o *ordering) error {
	places := o.places(w)
	var all heap
	defer all.release()
	err := w.readAll(ctx, s, sourcesOf(files), false, func(c copied) error {
		all.add(c.rec, nil)
		if all.bytes > o.memory {
			return errTooMuch
		}
		return nil
	})
	values := files[0].PartitionValues
	emit := func(rec arrow.RecordBatch) error { return w.writePart(values, rec) }
	if errors.Is(err, errTooMuch) {
		perRow := all.bytes / max(all.rows, 1)
		all.release()
		return w.orderOnDisk(ctx, s, files, o, perRow, emit)
	}
	if err != nil {
		return err
	}
	sample, err := curve.NewSample(o.types)
	if err != nil {
		return err
	}
	for _, rec := range all.recs {
		sample.Add(places.columns(rec))
	}
	sample.Done(o.kind)
	for i, rec := range all.recs {
		all.keys[i] = sample.Keys(o.kind, places.columns(rec))
	}
	return all.emit(emit)
}

// orderOnDisk is orderFiles in two passes: the first one, over the columns that
// give the order, finds how the rows spread.
func (w *Writer) orderOnDisk(ctx context.Context, s *Snapshot, files []Add, o *ordering, perRow int64, emit func(arrow.RecordBatch) error) error {
	sample, err := o.sample(ctx, s, files)
	if err != nil {
		return err
	}
	spread := sample.Done(o.kind)
	d, err := newSpill(o.dir, w.files)
	if err != nil {
		return err
	}
	defer d.remove()
	places := o.places(w)
	parts := d.part(spread, sample.Rows()*perRow, o.memory)
	err = w.readAll(ctx, s, sourcesOf(files), false, func(c copied) error {
		defer c.rec.Release()
		return parts.add(c.rec, sample.Keys(o.kind, places.columns(c.rec)))
	})
	if err = errors.Join(err, parts.close()); err != nil {
		return err
	}
	return parts.emit(ctx, o.memory, emit)
}

// sample looks at the columns that give the order.
func (o *ordering) sample(ctx context.Context, s *Snapshot, files []Add) (*curve.Sample, error) {
	sample, err := curve.NewSample(o.types)
	if err != nil {
		return nil, err
	}
	var fields []arrow.Field
	for _, path := range o.columns {
		f := s.schema.Field(find(s.schema, path[0]))
		if !slices.ContainsFunc(fields, func(g arrow.Field) bool { return g.Name == f.Name }) {
			fields = append(fields, f)
		}
	}
	want := arrow.NewSchema(fields, nil)
	at := placesIn(want, o.columns)
	for _, a := range files {
		err := s.readFile(ctx, a, want, func(rec arrow.RecordBatch) error {
			defer rec.Release()
			sample.Add(at.columns(rec))
			return ctx.Err()
		})
		if err != nil {
			return nil, fmt.Errorf("delta: reading %s: %w", s.Locate(a), err)
		}
	}
	return sample, nil
}

// paths lead to columns in a batch: the column's place, then those of fields.
type paths [][]int

// places are the paths in the batches of a writer's files.
func (o *ordering) places(w *Writer) paths { return placesIn(w.data, o.columns) }

// placesIn finds columns in batches that have the columns of a schema at its
// places, whatever their names.
func placesIn(table *arrow.Schema, columns [][]string) paths {
	out := make(paths, len(columns))
	for i, path := range columns {
		fields := table.Fields()
		for _, p := range path {
			at := slices.IndexFunc(fields, func(f arrow.Field) bool { _, ok := fieldNamed([]arrow.Field{f}, p); return ok })
			out[i] = append(out[i], at)
			if st, ok := fields[at].Type.(*arrow.StructType); ok {
				fields = st.Fields()
			}
		}
	}
	return out
}

// columns are those of a batch; they live as long as it does.
func (p paths) columns(rec arrow.RecordBatch) []arrow.Array {
	out := make([]arrow.Array, len(p))
	for i, path := range p {
		a := rec.Column(path[0])
		for _, at := range path[1:] {
			a = a.(*array.Struct).Field(at)
		}
		out[i] = a
	}
	return out
}

// orderedRows is how many rows of an order are handed on together.
const orderedRows = 4 << 10

// heap holds rows with their keys.
type heap struct {
	recs  []arrow.RecordBatch
	keys  [][]curve.Key
	rows  int64
	bytes int64
}

// add takes a batch over.
func (h *heap) add(rec arrow.RecordBatch, keys []curve.Key) {
	h.recs, h.keys = append(h.recs, rec), append(h.keys, keys)
	h.rows += rec.NumRows()
	h.bytes += 24 * rec.NumRows() // the keys and the order
	for _, c := range rec.Columns() {
		h.bytes += sizeOf(c.Data())
	}
}

func (h *heap) release() {
	for _, r := range h.recs {
		r.Release()
	}
	*h = heap{}
}

// emit gives the rows in the order of their keys, those of one key in the order
// in which they came, and lets them go. Batches are valid during the call.
func (h *heap) emit(f func(arrow.RecordBatch) error) error {
	if h.rows == 0 {
		return nil
	}
	keys := slices.Concat(h.keys...)
	order := make([]int32, len(keys))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(keys[a].Place, keys[b].Place), cmp.Compare(keys[a].Tie, keys[b].Tie))
	})
	all, err := concat(h.recs)
	if err != nil {
		return err
	}
	h.release()
	defer all.Release()
	for part := range slices.Chunk(order, orderedRows) {
		rec, err := take(all, part)
		if err != nil {
			return err
		}
		err = f(rec)
		rec.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// concat makes one batch of several of one schema, which stay the caller's.
func concat(recs []arrow.RecordBatch) (arrow.RecordBatch, error) {
	if len(recs) == 1 {
		recs[0].Retain()
		return recs[0], nil
	}
	var rows int64
	for _, r := range recs {
		rows += r.NumRows()
	}
	cols := make([]arrow.Array, 0, recs[0].NumCols())
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	parts := make([]arrow.Array, len(recs))
	for i := range int(recs[0].NumCols()) {
		for j, r := range recs {
			parts[j] = r.Column(i)
		}
		c, err := array.Concatenate(parts, memory.DefaultAllocator)
		if err != nil {
			return nil, fmt.Errorf("delta: %w", err)
		}
		cols = append(cols, c)
	}
	return array.NewRecordBatch(recs[0].Schema(), cols, rows), nil
}
