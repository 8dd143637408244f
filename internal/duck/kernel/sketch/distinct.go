package sketch

import (
	"math"
	"math/bits"
	"sort"
	"sync"
)

// Distinct is HyperLogLog++: the registers behind approx_count_distinct.
type Distinct struct {
	p    int
	regs []byte
}

// MinDistinctBits is the least number of address bits.
const MinDistinctBits = 4

// DistinctBits are the address bits for a relative standard deviation.
func DistinctBits(deviation float64) int {
	return int(math.Ceil(2 * math.Log(1.106/deviation) / math.Log(2)))
}

// NewDistinct makes empty registers with p address bits.
func NewDistinct(p int) *Distinct { return &Distinct{p: p, regs: make([]byte, 1<<p)} }

// Add counts a value by its xxHash64.
func (s *Distinct) Add(h uint64) {
	i := h >> (64 - s.p)
	s.regs[i] = max(s.regs[i], byte(bits.LeadingZeros64(h<<s.p|1<<(s.p-1))+1))
}

// Merge adds what o, of the same address bits, has counted.
func (s *Distinct) Merge(o *Distinct) {
	for i, v := range o.regs {
		s.regs[i] = max(s.regs[i], v)
	}
}

var hllppTable = sync.OnceValue(func() [][]float64 { return numbers(hllppText) })

// Estimate is the number of distinct values.
func (s *Distinct) Estimate() int64 {
	m := float64(len(s.regs))
	sum, zeros := 0.0, 0.0
	for _, v := range s.regs {
		sum += 1 / float64(uint64(1)<<v)
		if v == 0 {
			zeros++
		}
	}
	alpha := 0.7213 / (1 + 1.079/m)
	switch s.p {
	case 4:
		alpha = 0.673
	case 5:
		alpha = 0.697
	case 6:
		alpha = 0.709
	}
	e := alpha * m * m / sum
	if zeros > 0 {
		linear := m * math.Log(m/zeros)
		if s.p < 19 && linear <= linearBelow()[s.p-4] || e <= 2.5*m {
			return int64(math.Floor(linear + 0.5))
		}
	}
	if s.p < 19 && e < 5*m {
		e -= s.bias(e)
	}
	return int64(math.Floor(e + 0.5))
}

// linearBelow are the estimates up to which zeros count better.
func linearBelow() []float64 {
	return []float64{10, 20, 40, 80, 220, 400, 900, 1800, 3100, 6500, 15500, 20000, 50000, 120000, 350000}
}

// bias is the mean over the six nearest estimates of the table.
func (s *Distinct) bias(e float64) float64 {
	const near = 6
	raw, biases := hllppTable()[2*(s.p-4)], hllppTable()[2*(s.p-4)+1]
	low := max(sort.SearchFloat64s(raw, e)-near+1, 0)
	high := min(low+near, len(raw))
	for high < len(raw) && (e-raw[high])*(e-raw[high]) < (e-raw[low])*(e-raw[low]) {
		low, high = low+1, high+1
	}
	sum := 0.0
	for _, b := range biases[low:high] {
		sum += b
	}
	return sum / float64(high-low)
}
