package curve

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
)

// TestTheHilbertCurveVisitsNeighbours walks the curve: each place is taken
// once, and the next place differs by one in one coordinate.
func TestTheHilbertCurveVisitsNeighbours(t *testing.T) {
	for _, c := range []struct{ dims, width int }{{2, 1}, {2, 3}, {3, 2}, {4, 2}, {5, 2}} {
		t.Run(fmt.Sprintf("%d columns of %d bits", c.dims, c.width), func(t *testing.T) {
			total := 1 << (c.dims * c.width)
			at := make([][]uint32, total)
			for n := range total {
				x := make([]uint32, c.dims)
				for i := range x {
					x[i] = uint32(n >> (i * c.width) & (1<<c.width - 1))
				}
				p := Hilbert.Place(append([]uint32(nil), x...), c.width)
				if p >= uint64(total) || at[p] != nil {
					t.Fatalf("the place %d of %v is none or taken", p, x)
				}
				at[p] = x
			}
			for p := 1; p < total; p++ {
				steps := 0.0
				for i := range at[p] {
					steps += math.Abs(float64(at[p][i]) - float64(at[p-1][i]))
				}
				if steps != 1 {
					t.Fatalf("%v follows %v", at[p], at[p-1])
				}
			}
		})
	}
}

func TestTheZCurveInterleavesBits(t *testing.T) {
	for _, c := range []struct {
		ranks []uint32
		want  uint64
	}{{[]uint32{0, 0}, 0}, {[]uint32{0b11, 0}, 0b1010}, {[]uint32{0, 0b11}, 0b0101}, {[]uint32{0b10, 0b01}, 0b1001}} {
		if got := ZOrder.Place(append([]uint32(nil), c.ranks...), 2); got != c.want {
			t.Errorf("%b: %b, want %b", c.ranks, got, c.want)
		}
	}
	for n := 1; n < 100; n++ {
		if w := Bits(n); w*min(n, 64) > 64 || w < 1 {
			t.Errorf("%d columns of %d bits", n, w)
		}
	}
}

// TestRanksKeepTheOrderOfValues ranks texts that grow: keys must not fall.
func TestRanksKeepTheOrderOfValues(t *testing.T) {
	for typ, texts := range map[arrow.DataType][]string{
		arrow.PrimitiveTypes.Int8:                      {"-128", "-1", "0", "7", "127"},
		arrow.PrimitiveTypes.Int64:                     {"-9223372036854775808", "-1", "0", "9223372036854775807"},
		arrow.PrimitiveTypes.Float64:                   {"-Inf", "-2.5", "-1e-300", "0", "1e-300", "3", "+Inf", "NaN"},
		arrow.PrimitiveTypes.Float32:                   {"-Inf", "-2.5", "0", "3", "+Inf", "NaN"},
		arrow.BinaryTypes.String:                       {"", "a", "ab", "b", "device-0001", "device-0002", "é"},
		arrow.FixedWidthTypes.Boolean:                  {"false", "true"},
		arrow.FixedWidthTypes.Date32:                   {"1500-01-01", "1969-12-31", "2024-02-29"},
		&arrow.Decimal128Type{Precision: 38, Scale: 2}: {"-99999999999999999999.99", "-1.00", "0.01", "123456789012345678901234567890.00"},
	} {
		b := array.NewBuilder(memory.DefaultAllocator, typ)
		b.AppendNull()
		for _, s := range texts {
			if err := b.AppendValueFromString(s); err != nil {
				t.Fatal(err)
			}
		}
		a := b.NewArray()
		s, err := NewSample([]arrow.DataType{typ})
		if err != nil {
			t.Fatal(err)
		}
		s.Add([]arrow.Array{a})
		places := s.Done(Hilbert)
		keys := s.Keys(Hilbert, []arrow.Array{a})
		if keys[0].Place != 0 || keys[len(keys)-1].Place != 1<<16-1 || len(places) != a.Len() {
			t.Errorf("%s: from %v to %v", typ, keys[0], keys[len(keys)-1])
		}
		for i := 1; i < len(keys); i++ {
			if keys[i].Place <= keys[i-1].Place {
				t.Errorf("%s: %s is at %v, %s at %v", typ, a.ValueStr(i), keys[i], a.ValueStr(i-1), keys[i-1])
			}
		}
	}
}

// TestLargeSamplesCutIntoEvenRanges ranks more values than the sample holds.
func TestLargeSamplesCutIntoEvenRanges(t *testing.T) {
	s, err := NewSample([]arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String})
	if err != nil {
		t.Fatal(err)
	}
	const n = 4 * sampled
	nums, words := array.NewInt64Builder(memory.DefaultAllocator), array.NewStringBuilder(memory.DefaultAllocator)
	for i := range n {
		nums.Append(int64(i))
		words.Append(fmt.Sprintf("w%d", i%4))
	}
	cols := []arrow.Array{nums.NewArray(), words.NewArray()}
	s.Add(cols)
	s.Done(ZOrder)
	if s.Rows() != n || len(s.columns[0].cuts) < 900 || len(s.columns[1].marks) != 4 {
		t.Errorf("%d rows, %d and %d ranges", s.Rows(), len(s.columns[0].cuts), len(s.columns[1].marks))
	}
	if d := cmp.Diff(s.Keys(ZOrder, cols), s.Keys(ZOrder, cols)); d != "" {
		t.Error(d)
	}
	if _, err := NewSample([]arrow.DataType{arrow.ListOf(arrow.PrimitiveTypes.Int8)}); !errors.Is(err, ErrType) {
		t.Error(err)
	}
}
