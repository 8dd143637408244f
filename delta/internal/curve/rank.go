package curve

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// ErrType says that a type has no order along a curve.
var ErrType = errors.New("cannot be ordered along a curve")

// sampled is how many rows a sample holds at most.
const sampled = 32 << 10

// Sample holds some rows' values of the columns that order a table, and then
// ranks values by them. It is for one goroutine until Done; afterwards for any
// number.
type Sample struct {
	columns []*column
	width   int
	rows    int64
	rng     *rand.Rand
}

// column is a sample of one column: numbers or texts in the order of values.
type column struct {
	texts  bool
	nums   []uint64
	words  []string
	null   []bool
	cuts   []uint64 // sorted, distinct: values below cuts[0] are range 1
	marks  []string
	number func(a arrow.Array, i int) uint64
	word   func(a arrow.Array, i int) string
	ranks  []uint32 // of each range, by its number
}

// NewSample samples columns of these types; ErrType where one has no order.
func NewSample(types []arrow.DataType) (*Sample, error) {
	s := &Sample{width: Bits(len(types)), rng: rand.New(rand.NewPCG(1, 2))}
	for _, t := range types {
		c := &column{}
		if c.number = numberOf(t); c.number == nil {
			c.texts = true
			if c.word = wordOf(t); c.word == nil {
				return nil, fmt.Errorf("%s %w", t, ErrType)
			}
		}
		s.columns = append(s.columns, c)
	}
	return s, nil
}

// Add looks at rows; cols are the columns in order, of like length.
func (s *Sample) Add(cols []arrow.Array) {
	for i := range cols[0].Len() {
		s.rows++
		at := s.rows - 1
		if at >= sampled {
			if at = s.rng.Int64N(s.rows); at >= sampled {
				continue
			}
		}
		for j, col := range cols {
			s.columns[j].put(int(at), col, i)
		}
	}
}

func (c *column) put(at int, a arrow.Array, i int) {
	if at == len(c.null) {
		c.null = append(c.null, false)
		if c.texts {
			c.words = append(c.words, "")
		} else {
			c.nums = append(c.nums, 0)
		}
	}
	c.null[at] = a.IsNull(i)
	switch {
	case c.null[at]:
	case c.texts:
		c.words[at] = strings.Clone(c.word(a, i))
	default:
		c.nums[at] = c.number(a, i)
	}
}

// Rows is how many rows were looked at.
func (s *Sample) Rows() int64 { return s.rows }

// Done ends sampling: from now on values are ranked. It gives the sampled rows'
// places on a curve, sorted.
func (s *Sample) Done(k Kind) []uint64 {
	for _, c := range s.columns {
		c.cut(s.width)
	}
	n := int(min(s.rows, sampled))
	places := make([]uint64, n)
	ranks := make([]uint32, len(s.columns))
	for i := range n {
		for j, c := range s.columns {
			switch {
			case c.null[i]:
				ranks[j] = 0
			case c.texts:
				ranks[j] = c.rankWord(c.words[i])
			default:
				ranks[j] = c.rankNumber(c.nums[i])
			}
		}
		places[i] = k.Place(ranks, max(s.width, 1))
	}
	slices.Sort(places)
	for _, c := range s.columns { // only the cuts are needed any more
		c.null, c.nums, c.words = nil, nil, nil
	}
	return places
}

// cut finds the values at which ranges begin.
func (c *column) cut(width int) {
	most := max(1<<width-2, 1)
	n := 0
	if c.texts {
		c.marks = quantiles(valid(c.words, c.null), most)
		n = len(c.marks)
	} else {
		c.cuts = quantiles(valid(c.nums, c.null), most)
		n = len(c.cuts)
	}
	c.ranks = make([]uint32, n+1)
	for i := range c.ranks {
		c.ranks[i] = spread(i, n, width)
	}
}

func valid[T any](values []T, null []bool) []T {
	out := make([]T, 0, len(values))
	for i, v := range values {
		if !null[i] {
			out = append(out, v)
		}
	}
	return out
}

// quantiles are up to n distinct values that part the others evenly.
func quantiles[T uint64 | string](values []T, n int) []T {
	slices.Sort(values)
	distinct := slices.Compact(slices.Clone(values))
	if len(distinct) <= n {
		return distinct
	}
	var out []T
	for i := range n {
		v := values[i*len(values)/n]
		if len(out) == 0 || out[len(out)-1] != v {
			out = append(out, v)
		}
	}
	return out
}

func (c *column) rankNumber(v uint64) uint32 {
	return c.ranks[sort.Search(len(c.cuts), func(i int) bool { return c.cuts[i] > v })]
}

func (c *column) rankWord(v string) uint32 {
	return c.ranks[sort.Search(len(c.marks), func(i int) bool { return c.marks[i] > v })]
}

// Key is a row's place on the curve; rows of one place are ordered by Tie, the
// order of the first column's values as far as 64 bits tell.
type Key struct{ Place, Tie uint64 }

// Keys gives the keys of rows, as Add takes them.
func (s *Sample) Keys(k Kind, cols []arrow.Array) []Key {
	n := cols[0].Len()
	out := make([]Key, n)
	ranks := make([]uint32, len(s.columns))
	for i := range n {
		for j, col := range cols {
			c := s.columns[j]
			switch {
			case col.IsNull(i):
				ranks[j] = 0
			case c.texts:
				w := c.word(col, i)
				ranks[j] = c.rankWord(w)
				if j == 0 {
					out[i].Tie = prefix(w)
				}
			default:
				v := c.number(col, i)
				ranks[j] = c.rankNumber(v)
				if j == 0 {
					out[i].Tie = v
				}
			}
		}
		out[i].Place = k.Place(ranks, max(s.width, 1))
	}
	return out
}

// prefix is the order of a text's first eight bytes.
func prefix(b string) uint64 {
	var out uint64
	for i := range 8 {
		out <<= 8
		if i < len(b) {
			out |= uint64(b[i])
		}
	}
	return out
}

const sign = uint64(1) << 63

// numberOf gives values of a type as numbers of the same order; nil where the
// type needs more.
func numberOf(t arrow.DataType) func(a arrow.Array, i int) uint64 {
	switch t.ID() {
	case arrow.BOOL:
		return func(a arrow.Array, i int) uint64 {
			if a.(*array.Boolean).Value(i) {
				return 1
			}
			return 0
		}
	case arrow.INT8:
		return func(a arrow.Array, i int) uint64 { return signed(a.(*array.Int8).Value(i)) }
	case arrow.INT16:
		return func(a arrow.Array, i int) uint64 { return signed(a.(*array.Int16).Value(i)) }
	case arrow.INT32:
		return func(a arrow.Array, i int) uint64 { return signed(a.(*array.Int32).Value(i)) }
	case arrow.INT64:
		return func(a arrow.Array, i int) uint64 { return signed(a.(*array.Int64).Value(i)) }
	case arrow.DATE32:
		return func(a arrow.Array, i int) uint64 { return signed(a.(*array.Date32).Value(i)) }
	case arrow.TIMESTAMP:
		return func(a arrow.Array, i int) uint64 { return signed(a.(*array.Timestamp).Value(i)) }
	case arrow.FLOAT32:
		return func(a arrow.Array, i int) uint64 { return float(float64(a.(*array.Float32).Value(i))) }
	case arrow.FLOAT64:
		return func(a arrow.Array, i int) uint64 { return float(a.(*array.Float64).Value(i)) }
	}
	return nil
}

func signed[T ~int8 | ~int16 | ~int32 | ~int64](v T) uint64 { return uint64(int64(v)) ^ sign }

// float orders as Spark does: -0.0 equals 0.0 and NaN is the greatest.
func float(v float64) uint64 {
	switch {
	case v != v: //nolint:gocritic // NaN
		return math.MaxUint64
	case v == 0:
		return sign
	}
	b := math.Float64bits(v)
	if b&sign != 0 {
		return ^b
	}
	return b | sign
}

// wordOf gives values of a type as bytes of the same order; nil where it has
// none.
func wordOf(t arrow.DataType) func(a arrow.Array, i int) string {
	switch t.ID() {
	case arrow.STRING:
		return func(a arrow.Array, i int) string { return a.(*array.String).Value(i) }
	case arrow.BINARY:
		return func(a arrow.Array, i int) string { return a.(*array.Binary).ValueString(i) }
	case arrow.DECIMAL128:
		return func(a arrow.Array, i int) string {
			v := a.(*array.Decimal128).Value(i)
			var out [16]byte
			for k := range 8 {
				out[k] = byte((uint64(v.HighBits()) ^ sign) >> (56 - 8*k))
				out[8+k] = byte(v.LowBits() >> (56 - 8*k))
			}
			return string(out[:])
		}
	}
	return nil
}
