package delta

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta/internal/curve"
)

// spill is a folder of files in which rows wait with their keys, as Arrow IPC
// streams.
type spill struct {
	dir  string
	rows *arrow.Schema // without the keys
	full *arrow.Schema
	rng  *rand.Rand
}

func newSpill(parent string, rows *arrow.Schema) (*spill, error) {
	dir, err := os.MkdirTemp(parent, "delta-order-")
	if err != nil {
		return nil, fmt.Errorf("delta: a folder for rows to be ordered: %w", err)
	}
	fields := append(slices.Clone(rows.Fields()),
		arrow.Field{Name: "__place", Type: arrow.PrimitiveTypes.Uint64}, arrow.Field{Name: "__tie", Type: arrow.PrimitiveTypes.Uint64})
	return &spill{dir: dir, rows: rows, full: arrow.NewSchema(fields, nil), rng: rand.New(rand.NewPCG(3, 4))}, nil
}

func (d *spill) remove() { _ = os.RemoveAll(d.dir) }

// maxParts bounds the files that are written at the same time.
const maxParts = 64

// parts are ranges of the curve, each with its rows in a file.
type parts struct {
	spill *spill
	ends  []uint64 // part i has the places below ends[i]; the last has the rest
	list  []*part
	// room is how many bytes of a part's rows wait in memory to be written
	// together.
	room int64
}

// part is one range.
type part struct {
	wait   heap
	file   batchFile
	bytes  int64
	rows   int64
	sample []uint64 // of the places
}

// part cuts the curve so that rows of about so many bytes, which spread over it
// as a sorted sample says, fit in memory part by part.
func (d *spill) part(spread []uint64, bytes, most int64) *parts {
	n := int(min(2*bytes/max(most, 1)+1, maxParts))
	p := &parts{spill: d, room: max(most/int64(2*n), 64<<10)}
	for i := 1; i < n && len(spread) > 0; i++ {
		end := spread[i*len(spread)/n]
		if end > spread[0] && (len(p.ends) == 0 || end > p.ends[len(p.ends)-1]) {
			p.ends = append(p.ends, end)
		}
	}
	if last := len(spread) - 1; len(p.ends) == 0 && n > 1 && last > 0 && spread[0] < spread[last] {
		p.ends = []uint64{spread[last]} // at least one place less in each
	}
	for range len(p.ends) + 1 {
		p.list = append(p.list, &part{})
	}
	return p
}

// add puts rows where they belong; the batch stays the caller's.
func (p *parts) add(rec arrow.RecordBatch, keys []curve.Key) error {
	rows := make([][]int32, len(p.list))
	for i, k := range keys {
		at := sort.Search(len(p.ends), func(j int) bool { return p.ends[j] > k.Place })
		rows[at] = append(rows[at], int32(i))
	}
	for at, list := range rows {
		if len(list) == 0 {
			continue
		}
		some, err := take(rec, list)
		if err != nil {
			return err
		}
		own := make([]curve.Key, len(list))
		for i, r := range list {
			own[i] = keys[r]
			p.list[at].note(own[i].Place, p.spill.rng)
		}
		t := p.list[at]
		if t.wait.add(some, own); t.wait.bytes >= p.room {
			if err := p.spill.flush(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// note samples the places of a part's rows.
func (t *part) note(place uint64, rng *rand.Rand) {
	const most = 1024
	t.rows++
	if len(t.sample) < most {
		t.sample = append(t.sample, place)
	} else if i := rng.Int64N(t.rows); i < most {
		t.sample[i] = place
	}
}

// flush writes the rows of a part that wait.
func (d *spill) flush(t *part) error {
	if t.wait.rows == 0 {
		return nil
	}
	defer t.wait.release()
	t.bytes += t.wait.bytes
	rec, err := concat(t.wait.recs)
	if err != nil {
		return err
	}
	defer rec.Release()
	place, tie := array.NewUint64Builder(memory.DefaultAllocator), array.NewUint64Builder(memory.DefaultAllocator)
	defer place.Release()
	defer tie.Release()
	for _, keys := range t.wait.keys {
		for _, k := range keys {
			place.Append(k.Place)
			tie.Append(k.Tie)
		}
	}
	kp, kt := place.NewArray(), tie.NewArray()
	defer kp.Release()
	defer kt.Release()
	full := array.NewRecordBatch(d.full, append(slices.Clone(rec.Columns()), kp, kt), rec.NumRows())
	defer full.Release()
	return t.file.write(d.dir, full)
}

// close ends the writing; what failed is given up.
func (p *parts) close() error {
	var errs error
	for _, t := range p.list {
		errs = errors.Join(errs, p.spill.flush(t), t.file.end())
	}
	return errs
}

// emit gives the rows in order, part by part, and deletes the files. A part
// that does not fit in memory is parted again, unless it is all of one place.
func (p *parts) emit(ctx context.Context, most int64, f func(arrow.RecordBatch) error) error {
	for _, t := range p.list {
		if t.file.empty() {
			continue
		}
		if err := p.emitPart(ctx, t, most, f); err != nil {
			return err
		}
	}
	return nil
}

func (p *parts) emitPart(ctx context.Context, t *part, most int64, f func(arrow.RecordBatch) error) error {
	defer t.file.remove()
	slices.Sort(t.sample)
	switch {
	case t.bytes <= most:
		var all heap
		defer all.release()
		if err := p.spill.read(ctx, t, func(rec arrow.RecordBatch, keys []curve.Key) error {
			rec.Retain()
			all.add(rec, keys)
			return nil
		}); err != nil {
			return err
		}
		return all.emit(f)
	case t.sample[0] == t.sample[len(t.sample)-1]:
		return p.spill.read(ctx, t, func(rec arrow.RecordBatch, _ []curve.Key) error { return f(rec) })
	}
	again := p.spill.part(t.sample, t.bytes, most)
	if err := errors.Join(p.spill.read(ctx, t, again.add), again.close()); err != nil {
		return err
	}
	return again.emit(ctx, most, f)
}

// read gives the rows of a part's file; batches are valid during the call.
func (d *spill) read(ctx context.Context, t *part, f func(arrow.RecordBatch, []curve.Key) error) error {
	return t.file.read(func(rec arrow.RecordBatch) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return d.unkey(rec, f)
	})
}

// unkey parts rows and keys.
func (d *spill) unkey(rec arrow.RecordBatch, f func(arrow.RecordBatch, []curve.Key) error) error {
	n := d.rows.NumFields()
	place, ok1 := rec.Column(n).(*array.Uint64)
	tie, ok2 := rec.Column(n + 1).(*array.Uint64)
	if !ok1 || !ok2 {
		return errors.New("delta: rows to be ordered have lost their keys")
	}
	keys := make([]curve.Key, rec.NumRows())
	for i := range keys {
		keys[i] = curve.Key{Place: place.Value(i), Tie: tie.Value(i)}
	}
	rows := array.NewRecordBatch(d.rows, rec.Columns()[:n], rec.NumRows())
	defer rows.Release()
	return f(rows, keys)
}
