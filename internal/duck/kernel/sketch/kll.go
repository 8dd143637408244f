package sketch

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// The k of a KLL sketch sets its accuracy.
const (
	MinK     = 8
	DefaultK = 200
)

// kllM is the least capacity of a level.
const kllM = 8

// item is the type of a KLL sketch's items.
type item interface{ int64 | float32 | float64 }

// KLL keeps items in levels, each worth twice the one before, so that ranks
// and quantiles come out near. Up to k items it is exact.
type KLL[T item] struct {
	k, minK  int
	n        int64
	levels   [][]T // the first one in the order of coming, others ascend
	min, max T
	sorted   bool // the first level came sorted
	rnd      *rand.Rand
}

// NewKLL makes an empty sketch, k of MinK to 65535. What it drops when it
// compacts depends on nothing but the order of the items.
func NewKLL[T item](k int) *KLL[T] {
	return &KLL[T]{k: k, minK: k, levels: make([][]T, 1), rnd: rand.New(rand.NewPCG(1, uint64(k)))}
}

// K is the sketch's k.
func (s *KLL[T]) K() int { return s.k }

// N is the number of items added.
func (s *KLL[T]) N() int64 { return s.n }

// Add adds an item; NaN is none.
func (s *KLL[T]) Add(v T) {
	if v != v {
		return
	}
	if s.n == 0 {
		s.min, s.max = v, v
	}
	s.min, s.max = min(s.min, v), max(s.max, v)
	s.n++
	s.push(v)
}

func (s *KLL[T]) push(v T) {
	if s.retained() >= s.capacity() {
		s.compact()
	}
	s.levels[0] = append(s.levels[0], v)
	s.sorted = false
}

func (s *KLL[T]) retained() int {
	n := 0
	for _, l := range s.levels {
		n += len(l)
	}
	return n
}

func (s *KLL[T]) capacity() int {
	n := 0
	for i := range s.levels {
		n += s.levelCapacity(i)
	}
	return n
}

// levelCapacity is k by 2/3 for each level above.
func (s *KLL[T]) levelCapacity(i int) int {
	c, depth := uint64(s.k), len(s.levels)-i-1
	for depth > 0 { // in steps that do not overflow
		step := min(depth, 30)
		c, depth = ((2*c<<step)/pow3(step)+1)/2, depth-step
	}
	return max(kllM, int(c))
}

func pow3(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= 3
	}
	return p
}

// compact halves the first full level into the next one.
func (s *KLL[T]) compact() {
	for i, l := range s.levels {
		if len(l) < s.levelCapacity(i) {
			continue
		}
		if i == len(s.levels)-1 {
			s.levels = append(s.levels, nil)
		}
		var odd []T
		if len(l)%2 == 1 {
			if i == 0 {
				odd, l = []T{l[len(l)-1]}, l[:len(l)-1]
			} else {
				odd, l = []T{l[0]}, l[1:]
			}
		}
		if i == 0 {
			slices.Sort(l)
		}
		up := make([]T, 0, len(l)/2+len(s.levels[i+1]))
		for j := s.rnd.IntN(2); j < len(l); j += 2 {
			up = append(up, l[j])
		}
		up = append(up, s.levels[i+1]...)
		slices.Sort(up)
		s.levels[i], s.levels[i+1] = odd, up
		return
	}
}

// Follow adds what o has seen, as if it had come item by item where o still has
// all of them.
func (s *KLL[T]) Follow(o *KLL[T]) {
	if len(o.levels) > 1 {
		s.Merge(o)
		return
	}
	for _, v := range o.levels[0] {
		s.Add(v)
	}
}

// Merge adds what o holds, which stays as it is.
func (s *KLL[T]) Merge(o *KLL[T]) {
	if o.n == 0 {
		return
	}
	if s.n == 0 {
		s.min, s.max = o.min, o.max
	}
	s.min, s.max = min(s.min, o.min), max(s.max, o.max)
	s.n += o.n
	if len(o.levels) > 1 {
		s.minK = min(s.minK, o.minK)
	}
	for _, v := range slices.Backward(o.levels[0]) {
		s.push(v)
	}
	for i := 1; i < len(o.levels); i++ {
		for len(s.levels) <= i {
			s.levels = append(s.levels, nil)
		}
		s.levels[i] = append(s.levels[i], o.levels[i]...)
		slices.Sort(s.levels[i])
	}
	for s.retained() > s.capacity() {
		s.compact()
	}
}

// weighted is an item and how many of all items are no greater.
type weighted[T item] struct {
	v    T
	upTo int64
}

// view lists the items in order.
func (s *KLL[T]) view() []weighted[T] {
	var out []weighted[T]
	for i, l := range s.levels {
		for _, v := range l {
			out = append(out, weighted[T]{v, 1 << i})
		}
	}
	slices.SortStableFunc(out, func(a, b weighted[T]) int { return cmp.Compare(a.v, b.v) })
	for i := 1; i < len(out); i++ {
		out[i].upTo += out[i-1].upTo
	}
	return out
}

// Quantiles are the items at ranks of 0 to 1; nil when the sketch is empty.
func (s *KLL[T]) Quantiles(ranks []float64) []T {
	if s.n == 0 {
		return nil
	}
	const rounding = 1e7 // of ranks that miss a whole number by little
	view, out := s.view(), make([]T, len(ranks))
	for i, r := range ranks {
		at := r * float64(s.n)
		if s.n <= rounding {
			at = math.Floor(at*rounding+0.5) / rounding
		}
		n := int64(math.Ceil(at))
		j, _ := slices.BinarySearchFunc(view, n, func(w weighted[T], n int64) int { return cmp.Compare(w.upTo, n) })
		out[i] = view[min(j, len(view)-1)].v
	}
	return out
}

// Ranks are the shares of items that are no greater than each value; nil when
// the sketch is empty.
func (s *KLL[T]) Ranks(values []T) []float64 {
	if s.n == 0 {
		return nil
	}
	view, out := s.view(), make([]float64, len(values))
	for i, v := range values {
		j, _ := slices.BinarySearchFunc(view, v, func(w weighted[T], v T) int {
			if w.v <= v {
				return -1
			}
			return 1
		})
		if j > 0 {
			out[i] = float64(view[j-1].upTo) / float64(s.n)
		}
	}
	return out
}

// Bytes are the sketch in compact form.
func (s *KLL[T]) Bytes() []byte {
	le := binary.LittleEndian
	b := []byte{2, 1, 15, 0, byte(s.k), byte(s.k >> 8), kllM, 0}
	if s.n == 0 {
		b[3] = 1
		return b
	}
	if s.n == 1 {
		b[1], b[3] = 2, 4
		return appendItem(b, s.levels[0][0])
	}
	b[0] = 5
	if s.sorted {
		b[3] = 2
	}
	b = le.AppendUint64(b, uint64(s.n))
	b = append(le.AppendUint16(b, uint16(s.minK)), byte(len(s.levels)), 0)
	at := s.capacity() - s.retained()
	for _, l := range s.levels {
		b = le.AppendUint32(b, uint32(max(at, 0)))
		at += len(l)
	}
	b = appendItem(appendItem(b, s.min), s.max)
	for _, v := range slices.Backward(s.levels[0]) {
		b = appendItem(b, v)
	}
	for _, l := range s.levels[1:] {
		for _, v := range l {
			b = appendItem(b, v)
		}
	}
	return b
}

func appendItem[T item](b []byte, v T) []byte {
	switch x := any(v).(type) {
	case int64:
		return binary.LittleEndian.AppendUint64(b, uint64(x))
	case float64:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	case float32:
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func readItem[T item](b []byte) (v T) {
	switch x := any(&v).(type) {
	case *int64:
		*x = int64(binary.LittleEndian.Uint64(b))
	case *float64:
		*x = math.Float64frombits(binary.LittleEndian.Uint64(b))
	case *float32:
		*x = math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
	return v
}

// ReadKLL reads a compact sketch of items of T: the bytes do not say the type.
func ReadKLL[T item](b []byte) (*KLL[T], error) {
	bad := fmt.Errorf("KLL: %w", ErrFormat)
	if len(b) < 8 || b[2] != 15 || b[6] != kllM {
		return nil, bad
	}
	le := binary.LittleEndian
	k := int(le.Uint16(b[4:]))
	if k < MinK {
		return nil, bad
	}
	s := NewKLL[T](k)
	var zero T
	size := binary.Size(zero)
	switch {
	case b[0] == 2 && b[1] == 1 && b[3]&1 != 0:
		return s, nil
	case b[0] == 2 && b[1] == 2 && b[3]&4 != 0 && len(b) >= 8+size:
		s.Add(readItem[T](b[8:]))
		if s.n == 0 {
			return nil, bad // NaN
		}
		return s, nil
	case b[0] != 5 || b[1] != 1 || b[3]&5 != 0 || len(b) < 20:
		return nil, bad
	}
	s.n, s.minK, s.sorted = int64(le.Uint64(b[8:])), int(le.Uint16(b[16:])), b[3]&2 != 0
	levels := int(b[18])
	if levels < 1 || levels > 61 || len(b) < 20+4*levels+2*size {
		return nil, bad
	}
	s.levels = make([][]T, levels)
	if !s.readLevels(b, size) {
		return nil, bad
	}
	return s, nil
}

func (s *KLL[T]) readLevels(b []byte, size int) bool {
	n := len(s.levels)
	starts := make([]int, n+1)
	for i := range n {
		starts[i] = int(binary.LittleEndian.Uint32(b[20+4*i:]))
	}
	starts[n] = s.capacity()
	at := 20 + 4*n
	s.min, s.max = readItem[T](b[at:]), readItem[T](b[at+size:])
	at += 2 * size
	var sum int64
	for i := range n {
		count := starts[i+1] - starts[i]
		if count < 0 || count > (len(b)-at)/size {
			return false
		}
		l := make([]T, count)
		for j := range l {
			l[j] = readItem[T](b[at:])
			at += size
			if l[j] != l[j] {
				return false
			}
		}
		if i == 0 {
			slices.Reverse(l)
		} else {
			slices.Sort(l)
		}
		if s.levels[i] = l; count > 0 {
			sum += int64(count) << i
		}
	}
	return sum == s.n && s.n > 1
}

func javaText[T item](v T) string {
	switch x := any(v).(type) {
	case float64:
		return string(cast.AppendDouble(nil, x))
	case float32:
		return string(cast.AppendFloat(nil, x))
	}
	return fmt.Sprint(v)
}

// String is a summary for people, as DataSketches prints it.
func (s *KLL[T]) String() string {
	var zero T
	name := map[string]string{"int64": "Longs", "float32": "Floats", "float64": "Doubles"}[fmt.Sprintf("%T", zero)]
	size, capacity, n := binary.Size(zero), s.capacity(), s.retained()
	levels := len(s.levels)
	compact := 20 + 4*levels + (2+n)*size
	switch s.n {
	case 0:
		compact = 8
	case 1:
		compact = 8 + size
	}
	lowest, highest := "NaN", "NaN"
	if s.n > 0 {
		lowest, highest = javaText(s.min), javaText(s.max)
	}
	percent := func(c, e float64) string { return fmt.Sprintf("%.3f%%", 100*c/math.Pow(float64(s.minK), e)) }
	var b strings.Builder
	b.WriteString("\n### KllKll" + name + "Sketch Summary:\n")
	for _, line := range [][2]string{
		{"K", fmt.Sprint(s.k)}, {"Dynamic min K", fmt.Sprint(s.minK)}, {"M", fmt.Sprint(kllM)}, {"N", fmt.Sprint(s.n)},
		{"Epsilon", percent(2.296, 0.9723)}, {"Epsilon PMF", percent(2.446, 0.9433)}, {"Empty", fmt.Sprint(s.n == 0)},
		{"Estimation Mode", fmt.Sprint(levels > 1)}, {"Levels", fmt.Sprint(levels)}, {"Level 0 Sorted", fmt.Sprint(s.sorted)},
		{"Capacity Items", fmt.Sprint(capacity)}, {"Retained Items", fmt.Sprint(n)}, {"Free Space", fmt.Sprint(capacity - n)}, {"ReadOnly", "false"},
		{"Updatable Storage Bytes", fmt.Sprint(24 + 4*levels + (2+capacity)*size)}, {"Compact Storage Bytes", fmt.Sprint(compact)},
		{"Min Item", lowest}, {"Max Item", highest},
	} {
		fmt.Fprintf(&b, "   %-23s: %s\n", line[0], line[1])
	}
	b.WriteString("### End sketch summary\n")
	return b.String()
}
