package flow

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// splitter parts the rows of a result by the expectations: the batches have
// the table's columns first, then one boolean column per expectation. What is
// not TRUE has failed, NULL too. It is for one goroutine.
type splitter struct {
	rules      []plan.Expectation
	columns    int  // of the table
	quarantine bool // rows that a DROP rule drops are kept apart with the rules' names
	alloc      memory.Allocator

	failed [][]byte // per rule, one bit per row
	drop   []byte   // rows to drop
	tally  []journal.Tally
	counts journal.Counts
}

func newSplitter(rules []plan.Expectation, columns int, quarantine bool, alloc memory.Allocator) *splitter {
	return &splitter{
		rules: rules, columns: columns, quarantine: quarantine, alloc: alloc,
		failed: make([][]byte, len(rules)), tally: make([]journal.Tally, len(rules)),
	}
}

// part is what becomes of a batch: the rows to keep, and those set aside with
// the names of the rules that they failed. Either is nil when empty. The
// receiver releases them.
type part struct {
	kept  arrow.RecordBatch
	aside arrow.RecordBatch
	names arrow.Array // ARRAY<STRING>, as many as aside has rows
}

func (p *part) release() {
	for _, r := range []arrow.RecordBatch{p.kept, p.aside} {
		if r != nil {
			r.Release()
		}
	}
	if p.names != nil {
		p.names.Release()
	}
}

// split parts one batch and counts. A failed FAIL UPDATE rule is an error.
func (s *splitter) split(ctx context.Context, rec arrow.RecordBatch) (part, error) {
	n := int(rec.NumRows())
	dropped, err := s.mark(rec, n)
	if err != nil {
		return part{}, err
	}
	data := array.NewRecordBatch(dataSchema(rec.Schema(), s.columns), rec.Columns()[:s.columns], rec.NumRows())
	s.counts.Out += int64(n - dropped)
	if dropped == 0 {
		return part{kept: data}, nil
	}
	defer data.Release()
	var p part
	if dropped < n {
		if p.kept, err = s.filter(ctx, data, n, true); err != nil {
			return part{}, err
		}
	}
	if !s.quarantine {
		s.counts.Dropped += int64(dropped)
		return p, nil
	}
	s.counts.Quarantined += int64(dropped)
	if p.aside, err = s.filter(ctx, data, n, false); err != nil {
		p.release()
		return part{}, err
	}
	p.names = s.reasons(n)
	return p, nil
}

// mark fills the bitmaps of failed and dropped rows; it gives the number of the latter.
func (s *splitter) mark(rec arrow.RecordBatch, n int) (dropped int, err error) {
	size := int(bitutil.BytesForBits(int64(n)))
	s.drop = zeroed(s.drop, size)
	for i, r := range s.rules {
		col, ok := rec.Column(s.columns + i).(*array.Boolean)
		if !ok {
			return 0, fmt.Errorf("pipeline: expectation %s gives %s, not BOOLEAN", r.Name, rec.Column(s.columns+i).DataType())
		}
		s.failed[i] = zeroed(s.failed[i], size)
		failed := failures(col, n, s.failed[i])
		s.tally[i].Failed += int64(failed)
		s.tally[i].Passed += int64(n - failed)
		switch {
		case failed == 0:
		case r.Action == plan.ActionFail:
			return 0, expectationFailed(r, failed, n)
		case r.Action == plan.ActionDrop:
			for b := range s.drop {
				s.drop[b] |= s.failed[i][b]
			}
		}
	}
	return countBits(s.drop), nil
}

func expectationFailed(r plan.Expectation, failed, n int) error {
	return &sparksql.Error{
		Class: "EXPECTATION_VIOLATION.FAIL_UPDATE", SQLState: "22000", Phase: sparksql.PhaseRuntime, Pos: r.Pos,
		Message: fmt.Sprintf("%d of %d rows break the expectation %s (%s), which fails the update; nothing of this batch was written.", failed, n, r.Name, r.Text),
		Hint:    "Mend the query or the rule, or let it drop rows (ON VIOLATION DROP ROW); the same rows come again.",
	}
}

// zeroed is a buffer of n zero bytes in b's memory where that is enough.
func zeroed(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	b = b[:n]
	clear(b)
	return b
}

// failures sets a bit for each row that is not TRUE and counts them.
func failures(col *array.Boolean, n int, out []byte) int {
	data := col.Data()
	if off := data.Offset(); off%8 == 0 {
		values := data.Buffers()[1].Bytes()[off/8:]
		valid := col.NullBitmapBytes()
		if valid != nil {
			valid = valid[off/8:]
		}
		for b := range out {
			v := values[b]
			if valid != nil {
				v &= valid[b]
			}
			out[b] = ^v
		}
		if rest := n % 8; rest != 0 {
			out[len(out)-1] &= 1<<rest - 1
		}
	} else {
		for i := range n {
			if col.IsNull(i) || !col.Value(i) {
				bitutil.SetBit(out, i)
			}
		}
	}
	return countBits(out)
}

func countBits(b []byte) (n int) {
	for _, x := range b {
		n += bits.OnesCount8(x)
	}
	return n
}

// filter takes the rows that are kept, or those that are not.
func (s *splitter) filter(ctx context.Context, data arrow.RecordBatch, n int, keep bool) (arrow.RecordBatch, error) {
	mask := s.drop
	if keep {
		mask = make([]byte, len(s.drop))
		for i, b := range s.drop {
			mask[i] = ^b
		}
	}
	m := array.NewData(arrow.FixedWidthTypes.Boolean, n, []*memory.Buffer{nil, memory.NewBufferBytes(mask)}, nil, 0, 0)
	defer m.Release()
	sel := array.NewBooleanData(m)
	defer sel.Release()
	return compute.FilterRecordBatch(compute.WithAllocator(ctx, s.alloc), data, sel, compute.DefaultFilterOptions())
}

// reasons lists, for each dropped row, the rules that it failed, warnings too.
func (s *splitter) reasons(n int) arrow.Array {
	b := array.NewListBuilder(s.alloc, arrow.BinaryTypes.String)
	defer b.Release()
	names, _ := b.ValueBuilder().(*array.StringBuilder)
	for i := range n {
		if !bitutil.BitIsSet(s.drop, i) {
			continue
		}
		b.Append(true)
		for r := range s.rules {
			if bitutil.BitIsSet(s.failed[r], i) {
				names.Append(s.rules[r].Name)
			}
		}
	}
	return b.NewArray()
}

// total is what was counted since the splitter was made.
func (s *splitter) total() journal.Counts {
	c := s.counts
	for i, r := range s.rules {
		if c.Expectations == nil {
			c.Expectations = map[string]journal.Tally{}
		}
		t := c.Expectations[r.Name]
		c.Expectations[r.Name] = journal.Tally{Passed: t.Passed + s.tally[i].Passed, Failed: t.Failed + s.tally[i].Failed}
	}
	return c
}

func dataSchema(s *arrow.Schema, n int) *arrow.Schema {
	return arrow.NewSchema(s.Fields()[:n], nil)
}
