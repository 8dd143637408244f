package sketch

import (
	"encoding/binary"
	"math"
)

// CountMin counts items in a few rows of counters.
type CountMin struct {
	depth, width int
	hashes       []int64 // multipliers of the rows
	table        []int64
	total        int64
}

// maxCounters bounds a count-min sketch: 512 MB, far beyond any use.
const maxCounters = 1 << 26

// NewCountMin makes a sketch whose counts are off by eps of the total at most,
// with a probability of confidence; false when it would be too large. Both lie
// between 0 and 1, eps above 0.
func NewCountMin(eps, confidence float64, seed int32) (*CountMin, bool) {
	depth, width := math.Ceil(-math.Log1p(-confidence)/math.Ln2), math.Ceil(2/eps)
	if !(depth*width <= maxCounters) || depth < 1 {
		return nil, false
	}
	s := &CountMin{depth: int(depth), width: int(width)}
	s.table = make([]int64, s.depth*s.width)
	r := javaRandom(seed)
	for range s.depth {
		s.hashes = append(s.hashes, r.next31())
	}
	return s, true
}

// random is java.util.Random: a linear congruential generator of 48 bits.
type random struct{ state uint64 }

func javaRandom(seed int32) *random {
	return &random{(uint64(int64(seed)) ^ 0x5DEECE66D) & (1<<48 - 1)}
}

// next gives the upper bits of the next state.
func (r *random) next(bits int) int64 {
	r.state = (r.state*0x5DEECE66D + 0xB) & (1<<48 - 1)
	return int64(r.state >> (48 - bits))
}

// next31 is nextInt(2^31 - 1).
func (r *random) next31() int64 {
	for {
		if u := r.next(31); u < math.MaxInt32 {
			return u
		}
	}
}

// float is nextDouble().
func (r *random) float() float64 { return float64(r.next(26)<<27+r.next(27)) / (1 << 53) }

// AddLong counts an integer.
func (s *CountMin) AddLong(v int64) {
	for i, a := range s.hashes {
		h := a * v
		h += h >> 32
		h &= math.MaxInt32
		s.table[i*s.width+int(h)%s.width]++
	}
	s.total++
}

// AddHashed counts a text by its two hashes.
func (s *CountMin) AddHashed(h1, h2 int32) {
	for i := range s.depth {
		at := (h1 + int32(i)*h2) % int32(s.width)
		if at < 0 {
			at = -at
		}
		s.table[i*s.width+int(at)]++
	}
	s.total++
}

// Merge adds what o, of the same parameters, has counted.
func (s *CountMin) Merge(o *CountMin) {
	for i, n := range o.table {
		s.table[i] += n
	}
	s.total += o.total
}

// Bytes are the sketch in Spark's form.
func (s *CountMin) Bytes() []byte {
	be := binary.BigEndian
	b := be.AppendUint32(nil, 1)
	b = be.AppendUint64(b, uint64(s.total))
	b = be.AppendUint32(b, uint32(s.depth))
	b = be.AppendUint32(b, uint32(s.width))
	for _, h := range s.hashes {
		b = be.AppendUint64(b, uint64(h))
	}
	for _, n := range s.table {
		b = be.AppendUint64(b, uint64(n))
	}
	return b
}
