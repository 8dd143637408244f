package delta

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// span is a run of rows of one of two batches.
type span struct {
	from, n int
	second  bool
}

// appendSpan appends rows of a batch to spans, in one with those before if they
// stand there.
func appendSpan(spans []span, s span) []span {
	if at := len(spans) - 1; at >= 0 && spans[at].second == s.second && spans[at].from+spans[at].n == s.from {
		spans[at].n += s.n
		return spans
	}
	return append(spans, s)
}

// chosenSpans are the rows of a batch that are in a set, or those that are not;
// first is the position of the batch's first row in its file.
func chosenSpans(set *RowSet, in bool, first uint64, n int) (spans []span, rows int) {
	it := set.Iterator()
	it.AdvanceIfNeeded(first)
	done := 0 // rows before are dealt with
	add := func(from, n int) {
		if n > 0 {
			spans = appendSpan(spans, span{from: from, n: n})
			rows += n
		}
	}
	for it.HasNext() {
		at := it.Next()
		if at >= first+uint64(n) {
			break
		}
		i := int(at - first)
		if in {
			add(i, 1)
		} else {
			add(done, i-done)
		}
		done = i + 1
	}
	if !in {
		add(done, n-done)
	}
	return spans, rows
}

// choose keeps the rows of a batch that are in a set, or those that are not;
// first is the position of the batch's first row in its file. It takes rec over.
func choose(rec arrow.RecordBatch, set *RowSet, in bool, first uint64) (arrow.RecordBatch, error) {
	spans, rows := chosenSpans(set, in, first, int(rec.NumRows()))
	if rows == int(rec.NumRows()) {
		return rec, nil
	}
	defer rec.Release()
	if len(spans) <= 1 {
		s := span{}
		if len(spans) == 1 {
			s = spans[0]
		}
		return rec.NewSlice(int64(s.from), int64(s.from+s.n)), nil
	}
	cols := make([]arrow.Array, 0, rec.NumCols())
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for i, f := range rec.Schema().Fields() {
		c, err := assemble(rec.Column(i), nil, spans, rows)
		if err != nil {
			return nil, fmt.Errorf("delta: choosing rows of the column %s: %w", f.Name, err)
		}
		cols = append(cols, c)
	}
	return array.NewRecordBatch(rec.Schema(), cols, int64(rows)), nil
}

// assemble puts so many rows of two arrays of one type together, the second of
// which may be nil where no span needs it. The caller releases the array.
func assemble(a, b arrow.Array, spans []span, rows int) (arrow.Array, error) {
	of := [2]arrow.ArrayData{a.Data(), a.Data()}
	if b != nil {
		of[1] = b.Data()
	}
	j := joint{of: of, spans: spans, rows: rows}
	switch t := a.DataType().(type) {
	case *arrow.BooleanType:
		return j.finish(j.bits(1)), nil
	case *arrow.StringType, *arrow.BinaryType:
		if size := j.textSize(); size <= maxJoined {
			return j.finish(j.texts(size)...), nil
		}
	case *arrow.DictionaryType:
		if ft, ok := t.IndexType.(arrow.FixedWidthDataType); ok && of[0].Dictionary() == of[1].Dictionary() {
			return j.finish(j.fixed(ft.BitWidth() / 8)), nil
		}
	case arrow.ExtensionType: // its storage may be anything
	case arrow.FixedWidthDataType:
		if t.BitWidth()%8 == 0 && len(of[0].Buffers()) == 2 && len(of[0].Children()) == 0 {
			return j.finish(j.fixed(t.BitWidth() / 8)), nil
		}
	}
	parts := make([]arrow.Array, len(spans))
	for i, s := range spans {
		from := a
		if s.second {
			from = b
		}
		parts[i] = array.NewSlice(from, int64(s.from), int64(s.from+s.n))
		defer parts[i].Release()
	}
	return array.Concatenate(parts, memory.DefaultAllocator)
}

// maxJoined bounds the texts that are put together at once, whose ends are
// 32-bit numbers.
const maxJoined = 1 << 30

// joint puts an array together.
type joint struct {
	of    [2]arrow.ArrayData
	spans []span
	rows  int
}

// data gives the data and the first row of a span in its buffers.
func (j *joint) data(s span) (arrow.ArrayData, int) {
	d := j.of[0]
	if s.second {
		d = j.of[1]
	}
	return d, d.Offset() + s.from
}

// bufferOf is nil where an array has none, as one of nulls may.
func bufferOf(d arrow.ArrayData, i int) []byte {
	if b := d.Buffers()[i]; b != nil {
		return b.Bytes()
	}
	return nil
}

func (j *joint) fixed(width int) *memory.Buffer {
	out := make([]byte, 0, j.rows*width)
	for _, s := range j.spans {
		d, from := j.data(s)
		if src := bufferOf(d, 1); src != nil {
			out = append(out, src[from*width:(from+s.n)*width]...)
		} else {
			out = append(out, make([]byte, s.n*width)...)
		}
	}
	return memory.NewBufferBytes(out)
}

// bits puts the bits of a buffer together.
func (j *joint) bits(buffer int) *memory.Buffer {
	out := make([]byte, bitutil.BytesForBits(int64(j.rows)))
	at := 0
	for _, s := range j.spans {
		d, from := j.data(s)
		if src := bufferOf(d, buffer); src != nil {
			bitutil.CopyBitmap(src, from, s.n, out, at)
		} else if buffer == 0 { // no bits: every row is there
			bitutil.SetBitsTo(out, int64(at), int64(s.n), true)
		}
		at += s.n
	}
	return memory.NewBufferBytes(out)
}

func endsOf(d arrow.ArrayData) []int32 { return arrow.Int32Traits.CastFromBytes(bufferOf(d, 1)) }

func (j *joint) textSize() int {
	n := 0
	for _, s := range j.spans {
		d, from := j.data(s)
		if ends := endsOf(d); len(ends) > 0 {
			n += int(ends[from+s.n] - ends[from])
		}
	}
	return n
}

func (j *joint) texts(size int) []*memory.Buffer {
	out, ends := make([]byte, 0, size), make([]int32, 1, j.rows+1)
	for _, s := range j.spans {
		d, from := j.data(s)
		was := endsOf(d)
		if len(was) == 0 {
			for range s.n {
				ends = append(ends, int32(len(out)))
			}
			continue
		}
		shift := int32(len(out)) - was[from]
		for _, e := range was[from+1 : from+s.n+1] {
			ends = append(ends, e+shift)
		}
		out = append(out, bufferOf(d, 2)[was[from]:was[from+s.n]]...)
	}
	return []*memory.Buffer{memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(ends)), memory.NewBufferBytes(out)}
}

// finish gives the array of the first one's type with these buffers.
func (j *joint) finish(buffers ...*memory.Buffer) arrow.Array {
	var valid *memory.Buffer
	nulls := 0
	if j.of[0].NullN() != 0 || j.of[1].NullN() != 0 {
		valid = j.bits(0)
		nulls = j.rows - bitutil.CountSetBits(valid.Bytes(), 0, j.rows)
	}
	buffers = append([]*memory.Buffer{valid}, buffers...)
	var d *array.Data
	if dict, ok := j.of[0].Dictionary().(*array.Data); ok && dict != nil {
		d = array.NewDataWithDictionary(j.of[0].DataType(), j.rows, buffers, nulls, 0, dict)
	} else {
		d = array.NewData(j.of[0].DataType(), j.rows, buffers, nil, nulls, 0)
	}
	defer d.Release()
	return array.MakeFromData(d)
}
