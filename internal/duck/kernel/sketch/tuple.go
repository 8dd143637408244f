package sketch

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Mode says how the summaries of one key become one.
type Mode byte

// The modes, by their number in the bytes.
const (
	Sum Mode = iota
	Min
	Max
	AlwaysOne
)

// Modes are the modes' names.
func Modes() []string { return []string{"sum", "min", "max", "alwaysone"} }

// number is the type of a summary.
type number interface{ int32 | float64 }

// Join makes one number of two.
func Join[T number](m Mode, a, b T) T {
	switch m {
	case Min:
		return min(a, b)
	case Max:
		return max(a, b)
	case AlwaysOne:
		return 1
	}
	return a + b
}

// Neutral is the summary that a key without one joins with.
func Neutral[T number](m Mode) T {
	var zero T
	switch x := any(&zero).(type) {
	case *int32:
		*x = map[Mode]int32{Min: math.MaxInt32, Max: math.MinInt32, AlwaysOne: 1}[m]
	case *float64:
		*x = map[Mode]float64{Min: math.Inf(1), Max: math.Inf(-1), AlwaysOne: 1}[m]
	}
	return zero
}

// Summary is a number with the mode of the operation that made it.
type Summary[T number] struct {
	Value T
	Mode  Mode
}

// Tuple is a Theta sketch with a number per key.
type Tuple[T number] struct {
	m     map[uint64]Summary[T]
	theta uint64
	empty bool
	lg    int // of the table whose order the bytes follow
}

// Estimate is the number of distinct keys.
func (s *Tuple[T]) Estimate() float64 { return thetaEstimate(len(s.m), s.theta) }

// Theta is the share of keys that the sketch holds.
func (s *Tuple[T]) Theta() float64 { return float64(s.theta) / float64(full) }

// Values are the summaries of all keys held, in the order of the bytes.
func (s *Tuple[T]) Values() []T {
	out := make([]T, 0, len(s.m))
	for _, h := range s.order() {
		out = append(out, s.m[h].Value)
	}
	return out
}

// FromTheta gives all keys of a set one summary.
func FromTheta[T number](t *Theta, v Summary[T]) *Tuple[T] {
	s := &Tuple[T]{m: make(map[uint64]Summary[T], len(t.hashes)), theta: t.theta, empty: t.empty}
	for _, h := range t.hashes {
		s.m[h] = v
	}
	return s
}

// Intersect is what both have, their summaries joined.
func (s *Tuple[T]) Intersect(o *Tuple[T], mode Mode) *Tuple[T] {
	if s.empty || o.empty {
		return &Tuple[T]{theta: full, empty: true}
	}
	n := &Tuple[T]{m: map[uint64]Summary[T]{}, theta: min(s.theta, o.theta)}
	for h, v := range s.m {
		if w, ok := o.m[h]; ok && h < n.theta {
			n.m[h] = Summary[T]{Join(mode, v.Value, w.Value), mode}
		}
	}
	n.lg = setTable(len(n.m))
	return n
}

// Without is what s has and the set has not.
func (s *Tuple[T]) Without(o *Theta) *Tuple[T] {
	if s.empty || o.empty {
		return s
	}
	n := &Tuple[T]{m: map[uint64]Summary[T]{}, theta: min(s.theta, o.theta), lg: s.lg}
	for h, v := range s.m {
		if _, found := slices.BinarySearch(o.hashes, h); h < n.theta && !found {
			n.m[h] = v
		}
	}
	n.empty = len(n.m) == 0 && n.theta == full
	return n
}

// Keys are the sketch without its summaries.
func (s *Tuple[T]) Keys() *Theta {
	t := &Theta{theta: s.theta, empty: s.empty}
	for h := range s.m {
		t.hashes = append(t.hashes, h)
	}
	slices.Sort(t.hashes)
	return t
}

// setTable is the logarithm of the table for a known number of keys.
func setTable(n int) int { return max(MinLgEntries, bits.Len(uint(math.Ceil(float64(n)/0.75))-1)) }

// TupleUnion gathers keys with numbers, and whole sketches.
type TupleUnion[T number] struct {
	lgK   int
	mode  Mode
	m     map[uint64]Summary[T]
	theta uint64
	empty bool
}

// NewTupleUnion keeps 2^lgEntries keys, MinLgEntries to MaxLgEntries.
func NewTupleUnion[T number](lgEntries int, mode Mode) *TupleUnion[T] {
	return &TupleUnion[T]{lgK: lgEntries, mode: mode, m: map[uint64]Summary[T]{}, theta: full, empty: true}
}

// Add gives a key one more number.
func (u *TupleUnion[T]) Add(k Key, v T) {
	if u.mode == AlwaysOne {
		v = 1
	}
	if v == 0 {
		v = 0 // which is what -0.0 and the summary of a new key make
	}
	u.empty = false
	u.add(k.h1>>1, Summary[T]{v, u.mode})
}

func (u *TupleUnion[T]) add(h uint64, v Summary[T]) {
	if h == 0 || h >= u.theta {
		return
	}
	if old, ok := u.m[h]; ok {
		v = Summary[T]{Join(u.mode, old.Value, v.Value), u.mode}
	}
	u.m[h] = v
	if len(u.m) > 2<<u.lgK*15/16 {
		u.trim()
	}
}

func (u *TupleUnion[T]) trim() {
	hashes := make([]uint64, 0, len(u.m))
	for h := range u.m {
		hashes = append(hashes, h)
	}
	u.cut(leastAbove(hashes, 1<<u.lgK))
}

func (u *TupleUnion[T]) cut(theta uint64) {
	if theta >= u.theta {
		return
	}
	u.theta = theta
	dropFrom(u.m, theta)
}

// Merge adds what o has seen.
func (u *TupleUnion[T]) Merge(o *TupleUnion[T]) {
	u.AddSketch(&Tuple[T]{m: o.m, theta: o.theta, empty: o.empty})
}

// AddSketch adds a sketch.
func (u *TupleUnion[T]) AddSketch(s *Tuple[T]) {
	if s.empty {
		return
	}
	u.empty = false
	u.cut(s.theta)
	for h, v := range s.m {
		u.add(h, v)
	}
}

// Result is the union's sketch.
func (u *TupleUnion[T]) Result() *Tuple[T] {
	n := len(u.m)
	if n > 1<<u.lgK {
		u.trim()
	}
	// Tables begin at 32 places or a little more and grow eightfold when half full.
	lg, last := 5, u.lgK+1
	if last > lg {
		lg += (last - lg) % 3
	}
	for lg < last && n > 1<<lg/2 {
		lg = min(lg+3, last)
	}
	return &Tuple[T]{m: u.m, theta: u.theta, empty: u.empty, lg: lg}
}

// order lists the keys as they lie in a hash table.
func (s *Tuple[T]) order() []uint64 {
	hashes := s.Keys().hashes
	lg := max(s.lg, bits.Len(uint(len(hashes))))
	table := make([]uint64, 1<<lg)
	mask := uint64(len(table) - 1)
	for _, h := range hashes {
		i, stride := h&mask, 2*(h>>lg&127)+1
		for table[i] != 0 {
			i = (i + stride) & mask
		}
		table[i] = h
	}
	return slices.DeleteFunc(table, func(h uint64) bool { return h == 0 })
}

// Bytes are the sketch in compact form.
func (s *Tuple[T]) Bytes() []byte {
	b := []byte{2, 3, 9, 1, 0, flagReadOnly | flagCompact, seedHash & 0xff, seedHash >> 8}
	exact := s.theta == full
	switch {
	case s.empty:
		b[0], b[5] = 1, b[5]|flagEmpty
		return b
	case len(s.m) == 1 && exact:
		b[0] = 1
	default:
		b = binary.LittleEndian.AppendUint64(b, uint64(len(s.m)))
	}
	if !exact {
		b[0] = 3
		b = binary.LittleEndian.AppendUint64(b, s.theta)
	}
	for _, h := range s.order() {
		v := s.m[h]
		b = binary.LittleEndian.AppendUint64(b, h)
		switch x := any(v.Value).(type) {
		case int32:
			b = binary.LittleEndian.AppendUint32(b, uint32(x))
		case float64:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
		}
		b = append(b, byte(v.Mode))
	}
	return b
}

// ReadTuple reads a compact sketch with summaries of T.
func ReadTuple[T number](b []byte) (*Tuple[T], error) {
	bad := fmt.Errorf("tuple: %w", ErrFormat)
	if len(b) < 8 || b[0] < 1 || b[0] > 3 || b[1] != 3 || b[2] != 9 || b[3] != 1 {
		return nil, bad
	}
	s := &Tuple[T]{theta: full}
	pre, rest := int(b[0]), b[8:]
	if b[5]&flagEmpty != 0 {
		s.empty = true
		return s, nil
	}
	if len(b) < 8*pre {
		return nil, bad
	}
	n := 1
	if pre > 1 {
		n, rest = int(binary.LittleEndian.Uint32(rest)), rest[8:]
	}
	if pre > 2 {
		s.theta, rest = binary.LittleEndian.Uint64(rest), rest[8:]
	}
	var zero T
	size := binary.Size(zero)
	if n < 0 || len(rest)/(size+9) < n || s.theta == 0 || s.theta > full {
		return nil, bad
	}
	s.m, s.lg = make(map[uint64]Summary[T], n), bits.Len(uint(n))
	for ; n > 0; n-- {
		h := binary.LittleEndian.Uint64(rest)
		var v Summary[T]
		switch x := any(&v.Value).(type) {
		case *int32:
			*x = int32(binary.LittleEndian.Uint32(rest[8:]))
		case *float64:
			*x = math.Float64frombits(binary.LittleEndian.Uint64(rest[8:]))
		}
		v.Mode = Mode(rest[8+size])
		if _, twice := s.m[h]; twice || h == 0 || h >= s.theta || v.Mode > AlwaysOne {
			return nil, bad
		}
		s.m[h], rest = v, rest[size+9:]
	}
	return s, nil
}
