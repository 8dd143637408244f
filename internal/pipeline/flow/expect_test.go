package flow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// answers makes a batch: the row's number, then a column of answers per text,
// t, f or n (NULL) for each row.
func answers(mem memory.Allocator, cols ...string) arrow.RecordBatch {
	fields := []arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}
	for i := range cols {
		fields = append(fields, arrow.Field{Name: fmt.Sprint("e", i), Type: arrow.FixedWidthTypes.Boolean, Nullable: true})
	}
	b := array.NewRecordBuilder(mem, arrow.NewSchema(fields, nil))
	defer b.Release()
	for i := range len(cols[0]) {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		for c, text := range cols {
			bb := b.Field(c + 1).(*array.BooleanBuilder)
			switch text[i] {
			case 't':
				bb.Append(true)
			case 'f':
				bb.Append(false)
			default:
				bb.AppendNull()
			}
		}
	}
	return b.NewRecordBatch()
}

func ids(rec arrow.RecordBatch) (out []int64) {
	if rec != nil {
		out = append(out, rec.Column(0).(*array.Int64).Int64Values()...)
	}
	return out
}

func TestSplitCountsAndParts(t *testing.T) {
	warn := plan.Expectation{Name: "w", Action: plan.ActionWarn}
	drop := plan.Expectation{Name: "d", Action: plan.ActionDrop}
	drop2 := plan.Expectation{Name: "d2", Action: plan.ActionDrop}
	for name, c := range map[string]struct {
		rules      []plan.Expectation
		answers    []string
		quarantine bool
		kept       []int64
		aside      []int64
		names      string
		want       journal.Counts
	}{
		"all pass": {
			[]plan.Expectation{drop}, []string{"tttttttttt"}, true, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, nil, "",
			journal.Counts{Out: 10, Expectations: map[string]journal.Tally{"d": {Passed: 10}}},
		},
		"NULL has failed, a warning keeps": {
			[]plan.Expectation{warn, drop}, []string{"tfnt", "ttnf"}, true, []int64{0, 1}, []int64{2, 3}, "w,d;d",
			journal.Counts{Out: 2, Quarantined: 2, Expectations: map[string]journal.Tally{"w": {Passed: 2, Failed: 2}, "d": {Passed: 2, Failed: 2}}},
		},
		"two rules drop a row once and count twice": {
			[]plan.Expectation{drop, drop2}, []string{"ftt", "fft"}, false, []int64{2}, nil, "",
			journal.Counts{Out: 1, Dropped: 2, Expectations: map[string]journal.Tally{"d": {Passed: 2, Failed: 1}, "d2": {Passed: 1, Failed: 2}}},
		},
		"none is kept": {
			[]plan.Expectation{drop}, []string{"fffffffff"}, true, nil, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8}, "d;d;d;d;d;d;d;d;d",
			journal.Counts{Quarantined: 9, Expectations: map[string]journal.Tally{"d": {Failed: 9}}},
		},
	} {
		for _, offset := range []int{0, 3} {
			mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
			s := newSplitter(c.rules, 1, c.quarantine, mem)
			cols := make([]string, len(c.answers))
			for i, a := range c.answers {
				cols[i] = strings.Repeat("t", offset) + a
			}
			whole := answers(mem, cols...)
			rec := whole.NewSlice(int64(offset), whole.NumRows())
			whole.Release()
			p, err := s.split(context.Background(), rec)
			if err != nil {
				t.Fatal(err)
			}
			shift := func(in []int64) (out []int64) {
				for _, x := range in {
					out = append(out, x+int64(offset))
				}
				return out
			}
			if d := cmp.Diff(shift(c.kept), ids(p.kept)); d != "" {
				t.Errorf("%s at %d: kept: %s", name, offset, d)
			}
			if d := cmp.Diff(shift(c.aside), ids(p.aside)); d != "" {
				t.Errorf("%s at %d: aside: %s", name, offset, d)
			}
			if d := cmp.Diff(c.names, reasons(p)); d != "" {
				t.Errorf("%s at %d: reasons: %s", name, offset, d)
			}
			if d := cmp.Diff(c.want, s.total()); d != "" {
				t.Errorf("%s at %d: %s", name, offset, d)
			}
			p.release()
			rec.Release()
			mem.AssertSize(t, 0)
		}
	}
}

func reasons(p part) string {
	if p.names == nil {
		return ""
	}
	l := p.names.(*array.List)
	var rows []string
	for i := range l.Len() {
		from, to := l.ValueOffsets(i)
		var names []string
		for j := from; j < to; j++ {
			names = append(names, l.ListValues().(*array.String).Value(int(j)))
		}
		rows = append(rows, strings.Join(names, ","))
	}
	return strings.Join(rows, ";")
}

func TestFailedUpdateSaysWhichRule(t *testing.T) {
	s := newSplitter([]plan.Expectation{{Name: "positive", Text: "x > 0", Action: plan.ActionFail, Pos: sparksql.Pos{File: "a.sql", Line: 3, Col: 7}}}, 1, false, memory.DefaultAllocator)
	_, err := s.split(context.Background(), answers(memory.DefaultAllocator, "tnf"))
	se, ok := errors.AsType[*sparksql.Error](err)
	if !ok || !strings.Contains(se.Message, "2 of 3 rows") || !strings.Contains(err.Error(), "a.sql:3:7") {
		t.Errorf("%v", err)
	}
}

func TestDigestSeesValuesNotOrder(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Float64), Nullable: true},
		{Name: "st", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}), Nullable: true},
	}, nil)
	of := func(js string) string {
		rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(js))
		if err != nil {
			t.Fatal(err)
		}
		d := &digest{}
		// In two batches, the second a slice.
		for _, part := range []arrow.RecordBatch{rec.NewSlice(0, 1), rec.NewSlice(1, rec.NumRows())} {
			if err := d.add(part); err != nil {
				t.Fatal(err)
			}
		}
		return d.String()
	}
	base := of(`[{"a":1,"s":"x","l":[1,2],"st":{"x":true}},{"a":2,"s":"y","l":[],"st":{"x":null}},{"a":null,"s":"","l":null,"st":null}]`)
	same := of(`[{"a":null,"s":"","l":null,"st":null},{"a":2,"s":"y","l":[],"st":{"x":null}},{"a":1,"s":"x","l":[1,2],"st":{"x":true}}]`)
	if base != same {
		t.Error("another order of rows gives another digest")
	}
	for _, other := range []string{
		`[{"a":1,"s":"x","l":[1,2],"st":{"x":true}},{"a":2,"s":"y","l":[],"st":{"x":null}}]`,
		`[{"a":1,"s":"y","l":[1,2],"st":{"x":true}},{"a":2,"s":"x","l":[],"st":{"x":null}},{"a":null,"s":"","l":null,"st":null}]`,
		`[{"a":1,"s":"x","l":[2,1],"st":{"x":true}},{"a":2,"s":"y","l":[],"st":{"x":null}},{"a":null,"s":"","l":null,"st":null}]`,
		`[{"a":1,"s":"x","l":[1,2],"st":{"x":true}},{"a":2,"s":"y","l":null,"st":{"x":null}},{"a":null,"s":"","l":[],"st":null}]`,
		`[{"a":1,"s":"x","l":[1,2],"st":{"x":false}},{"a":2,"s":"y","l":[],"st":{"x":null}},{"a":null,"s":"","l":null,"st":null}]`,
		`[{"a":0,"s":"x","l":[1,2],"st":{"x":true}},{"a":2,"s":"y","l":[],"st":{"x":null}},{"a":null,"s":"","l":null,"st":null}]`,
	} {
		if of(other) == base {
			t.Errorf("the digest is blind to %s", other)
		}
	}
}
