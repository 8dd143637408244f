package kernel

import (
	"math"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

func hypotKernel(g *sig) (kernel, error) {
	return kernel{run: func(c *call) error {
		out := vector.Data[float64](&c.out, c.n)
		for i := range out {
			if !c.null(i) {
				out[i] = hypot(num[float64](c, 0, i), num[float64](c, 1, i))
			}
		}
		return nil
	}}, g.want(duckdb.TypeDouble, duckdb.TypeDouble, duckdb.TypeDouble)
}

// hypot is the root of x*x + y*y to the digit that Java gives: operands are
// split into a high and a low half, whose products are exact (the method of
// Sun's fdlibm).
func hypot(x, y float64) float64 {
	switch {
	case math.IsInf(x, 0) || math.IsInf(y, 0):
		return math.Inf(1)
	case x != x || y != y:
		return math.NaN()
	}
	a, b := math.Abs(x), math.Abs(y)
	if a < b {
		a, b = b, a
	}
	if b == 0 || exponent(a)-exponent(b) > 60 {
		return a + b
	}
	scale := 0
	switch {
	case a > 0x1p500:
		scale = 600
	case b < 0x1p-500:
		scale = -600
		if b < 0x1p-1022 {
			scale = -1022
		}
	}
	a, b = math.Ldexp(a, -scale), math.Ldexp(b, -scale)
	w := a - b
	if w > b {
		t1 := high(a)
		t2 := a - t1
		w = math.Sqrt(float64(t1*t1) - (float64(b*(-b)) - float64(t2*(a+t1))))
	} else {
		a += a
		y1 := high(b)
		y2 := b - y1
		t1 := high(a)
		t2 := a - t1
		w = math.Sqrt(float64(t1*y1) - (float64(w*(-w)) - (float64(t1*y2) + float64(t2*b))))
	}
	return math.Ldexp(w, scale)
}

func exponent(x float64) int { return int(math.Float64bits(x)>>52) & 0x7ff }

// high is x without the low half of its bits.
func high(x float64) float64 { return math.Float64frombits(math.Float64bits(x) &^ 0xffffffff) }
