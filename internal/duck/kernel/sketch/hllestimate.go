package sketch

import (
	_ "embed"
	"math"
	"sort"
	"strconv"
	"strings"
	"sync"
)

//go:embed tables/hll.txt
var hllText string

//go:embed tables/hllpp.txt
var hllppText string

// numbers reads lines of numbers.
func numbers(text string) [][]float64 {
	var out [][]float64
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var row []float64
		for w := range strings.FieldsSeq(line) {
			f, err := strconv.ParseFloat(w, 64)
			if err != nil {
				return nil // a test reads the tables
			}
			row = append(row, f)
		}
		out = append(out, row)
	}
	return out
}

var hllTable = sync.OnceValue(func() [][]float64 { return numbers(hllText) })

// Estimate is the number of distinct keys.
func (s *HLL) Estimate() float64 {
	switch {
	case s.mode != hllMode:
		return max(cubic(couponCounts(), func(i int) float64 { return couponEstimates()[i] }, float64(s.count)), float64(s.count))
	case s.outOfOrder:
		return s.composite()
	}
	return s.hip
}

// composite corrects the raw estimate by the table and counts zeros where few
// registers are in use.
func (s *HLL) composite() float64 {
	k := float64(int(1) << s.lgK)
	factor := 0.7213 / (1 + 1.079/k)
	switch s.lgK {
	case 4:
		factor = 0.673
	case 5:
		factor = 0.697
	case 6:
		factor = 0.709
	}
	raw := factor * k * k / (s.kxq0 + s.kxq1)
	row := hllTable()[s.lgK-MinLgK]
	stride, xs := row[0], row[1:]
	last := len(xs) - 1
	if raw < xs[0] {
		return 0
	}
	if raw > xs[last] {
		return raw * (stride * float64(last) / xs[last])
	}
	est := cubic(xs, func(i int) float64 { return stride * float64(i) }, raw)
	if est > 3*k {
		return est
	}
	linear := k * math.Log(k/0.5)
	if s.zeros > 0 {
		linear = k * (harmonic(1<<s.lgK) - harmonic(s.zeros))
	}
	crossover := 0.64
	switch s.lgK {
	case 4:
		crossover = 0.718
	case 5:
		crossover = 0.672
	}
	if (est+linear)/2 > crossover*k {
		return est
	}
	return linear
}

// harmonic is the n-th harmonic number.
func harmonic(n int) float64 {
	if n < 25 {
		sum := 0.0
		for i := 1; i <= n; i++ {
			sum += 1 / float64(i)
		}
		return sum
	}
	x := float64(n)
	const euler = 0.577215664901532860606512090082
	inv := 1 / (x * x)
	return math.Log(x) + euler + 1/(2*x) - inv/12 + inv*inv/120 - inv*inv*inv/252 + inv*inv*inv*inv/240
}

// cubic interpolates y over the sorted xs through four points around x.
func cubic(xs []float64, y func(int) float64, x float64) float64 {
	last := len(xs) - 1
	if x == xs[last] {
		return y(last)
	}
	i := max(0, min(sort.Search(len(xs), func(i int) bool { return xs[i] > x })-2, last-3))
	sum := 0.0
	for a := i; a < i+4; a++ {
		up, down := y(a), 1.0
		for b := i; b < i+4; b++ {
			if b != a {
				up *= x - xs[b]
				down *= xs[a] - xs[b]
			}
		}
		sum += up / down
	}
	return sum
}

// The number of keys behind a number of distinct coupons of 26 bits (measured
// by Apache DataSketches, CouponMapping). A sketch has 3/4 of 2^18 at most.
func couponCounts() []float64 {
	return []float64{0, 1, 20, 400, 8000, 160000, 300000, 600000}
}

func couponEstimates() []float64 {
	return []float64{0, 1, 20.0000009437402611, 400.0003963713384110, 8000.1589294602090376, 160063.6067763759638183,
		300223.7071597663452849, 600895.5933856170158833}
}
