package kernel

import (
	"math"
	"slices"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/kernel/sketch"
)

// bitmapBytes is the size of Spark's bitmaps.
const bitmapBytes = 4096

// bitmapOp is what a bitmap aggregate does with a row.
type bitmapOp uint8

const (
	bitmapSet bitmapOp = iota // a position
	bitmapOr                  // a bitmap
	bitmapAnd
)

type bitmapAcc struct {
	op bitmapOp
	b  [bitmapBytes]byte
}

func bitmapAgg(op bitmapOp) aggregateMaker {
	return func(g *sig) (func() accumulator, error) {
		arg := duckdb.TypeBlob
		if op == bitmapSet {
			arg = duckdb.TypeBigInt
		}
		return func() accumulator {
			a := &bitmapAcc{op: op}
			if op == bitmapAnd {
				for i := range a.b {
					a.b[i] = 0xff
				}
			}
			return a
		}, g.want(duckdb.TypeBlob, arg)
	}
}

func (a *bitmapAcc) add(r *row) error {
	if r.null(0) {
		return nil
	}
	if a.op != bitmapSet {
		a.join(r.bytes(0))
		return nil
	}
	i := r.long(0)
	if i < 0 || i >= 8*bitmapBytes {
		return raisef("INVALID_BITMAP_POSITION", "22003", "The bitmap position %d lies outside of the %d bits of a bitmap.", i, 8*bitmapBytes)
	}
	a.b[i/8] |= 1 << (i % 8)
	return nil
}

// join takes a shorter bitmap as if zeros followed.
func (a *bitmapAcc) join(b []byte) {
	for i := range a.b {
		v := byte(0)
		if i < len(b) {
			v = b[i]
		}
		if a.op == bitmapAnd {
			a.b[i] &= v
		} else {
			a.b[i] |= v
		}
	}
}

func (a *bitmapAcc) merge(o accumulator) error {
	a.join(o.(*bitmapAcc).b[:])
	return nil
}

func (a *bitmapAcc) result() (any, error) { return a.b[:], nil }

// histogramAcc is histogram_numeric over DOUBLE.
type histogramAcc struct{ *sketch.Histogram }

func histogramAgg(g *sig) (func() accumulator, error) {
	p, err := g.sketch()
	return func() accumulator { return histogramAcc{sketch.NewHistogram(p.K)} }, err
}

func (a histogramAcc) add(r *row) error {
	if !r.null(0) {
		a.Add(r.double(0))
	}
	return nil
}

func (a histogramAcc) merge(o accumulator) error {
	a.Merge(o.(histogramAcc).Histogram)
	return nil
}

func (a histogramAcc) result() (any, error) {
	if len(a.Bins()) == 0 {
		return nil, nil
	}
	return anys(a.Bins(), func(b sketch.Bin) any { return []any{b.X, b.Y} }), nil
}

// percentileAcc is percentile with a frequency: its result is a list of the
// values at Ranks.
type percentileAcc struct {
	ranks  []float64
	counts map[float64]int64
	nans   int64 // above all numbers; no key of a map
}

func percentileAgg(g *sig) (func() accumulator, error) {
	var p struct{ Ranks []float64 }
	err := g.param(&p)
	return func() accumulator { return &percentileAcc{ranks: p.Ranks, counts: map[float64]int64{}} }, err
}

func (a *percentileAcc) add(r *row) error {
	if r.null(0) || r.null(1) {
		return nil
	}
	n := r.long(1)
	if n < 0 {
		return raisef("NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION", "22003", "The frequency %d of a value is negative.", n)
	}
	switch v := r.double(0); {
	case v != v:
		a.nans += n
	case n > 0:
		a.counts[v] += n
	}
	return nil
}

func (a *percentileAcc) merge(o accumulator) error {
	b := o.(*percentileAcc)
	for v, n := range b.counts {
		a.counts[v] += n
	}
	a.nans += b.nans
	return nil
}

func (a *percentileAcc) result() (any, error) {
	values := make([]float64, 0, len(a.counts))
	total := a.nans
	for v, n := range a.counts {
		values = append(values, v)
		total += n
	}
	if total == 0 {
		return nil, nil
	}
	slices.Sort(values)
	upTo := make([]int64, len(values))
	sum := int64(0)
	for i, v := range values {
		sum += a.counts[v]
		upTo[i] = sum
	}
	at := func(place float64) float64 {
		i, _ := slices.BinarySearch(upTo, int64(place)+1)
		if i == len(values) {
			return math.NaN()
		}
		return values[i]
	}
	return anys(a.ranks, func(p float64) any {
		place := float64(total-1) * p
		low, high := math.Floor(place), math.Ceil(place)
		x, y := at(low), at(high)
		if low == high || x == y {
			return x
		}
		return (high-place)*x + (place-low)*y
	}), nil
}

// vectorAcc is vector_sum and vector_avg, in 32 bits as Spark's.
type vectorAcc struct {
	avg bool
	n   int64
	v   []float32
}

func vectorAgg(avg bool) aggregateMaker {
	return func(g *sig) (func() accumulator, error) {
		return func() accumulator { return &vectorAcc{avg: avg} }, g.want(duckdb.TypeList, duckdb.TypeList)
	}
}

func (a *vectorAcc) name() string {
	if a.avg {
		return "vector_avg"
	}
	return "vector_sum"
}

func (a *vectorAcc) add(r *row) error {
	if r.null(0) {
		return nil
	}
	v, ok := list(r, 0, at[float32])
	if !ok {
		return nil // one of its elements is NULL
	}
	return a.with(v, 1)
}

// with adds a vector that stands for n of them.
func (a *vectorAcc) with(v []float32, n int64) error {
	if a.n == 0 {
		a.n, a.v = n, slices.Clone(v)
		return nil
	}
	if len(v) != len(a.v) {
		return raisef("VECTOR_DIMENSION_MISMATCH", "22000", "The vectors of `%s` have different dimensions: %d and %d.", a.name(), len(a.v), len(v))
	}
	a.n += n
	for i, x := range v {
		if a.avg {
			a.v[i] += (x - a.v[i]) * (float32(n) / float32(a.n))
		} else {
			a.v[i] += x
		}
	}
	return nil
}

func (a *vectorAcc) merge(o accumulator) error {
	if b := o.(*vectorAcc); b.n > 0 {
		return a.with(b.v, b.n)
	}
	return nil
}

func (a *vectorAcc) result() (any, error) {
	if a.n == 0 {
		return nil, nil
	}
	return anys(a.v, func(f float32) any { return float64(f) }), nil
}
