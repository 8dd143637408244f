package kernel

import (
	"math"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/kernel/sketch"
)

// sketchParam are the constants of the sketch functions.
type sketchParam struct {
	failing
	Function string  // as messages name it
	LgK      int     // HLL, Theta, Tuple
	K        int     // KLL; approx_top_k
	Mode     string  // of tuple summaries
	Item     string  // of a KLL sketch or a tuple: bigint, float, double, integer
	Max      int     // approx_top_k: items tracked
	Bits     int     // approx_count_distinct
	Eps      float64 // count_min_sketch
	Conf     float64 // count_min_sketch: confidence
	Seed     int32   // count_min_sketch
	Over     bool    // a window function
}

func (g *sig) sketch() (sketchParam, error) {
	var p sketchParam
	err := g.param(&p)
	return p, err
}

func (p *sketchParam) mode() sketch.Mode {
	for i, m := range sketch.Modes() {
		if m == p.Mode {
			return sketch.Mode(i)
		}
	}
	return sketch.Sum
}

// The errors of functions that take sketches.

func (p *sketchParam) badHLL() error {
	return raisef("HLL_INVALID_INPUT_SKETCH_BUFFER", "22546", "`%s` takes HLL sketches, as `hll_sketch_agg` makes them.", p.Function)
}

// badTheta and badTuple say why b is no sketch of their kind: another kind of
// sketch is told by the byte that names its family.
func (p *sketchParam) badTheta(b []byte) error {
	if f, ok := sketch.OtherFamily(b, sketch.FamilyTheta); ok {
		return raisef("THETA_INVALID_INPUT_SKETCH_BUFFER_FAMILY", "22000", "`%s` takes Theta sketches, as `theta_sketch_agg` makes them, and got one of the family %s.", p.Function, f)
	}
	return raisef("THETA_INVALID_INPUT_SKETCH_BUFFER", "22000", "`%s` takes Theta sketches, as `theta_sketch_agg` makes them.", p.Function)
}

func (p *sketchParam) badTuple(b []byte) error {
	if f, ok := sketch.OtherFamily(b, sketch.FamilyTuple); ok {
		return raisef("TUPLE_INVALID_INPUT_SKETCH_BUFFER_FAMILY", "22000", "`%s` takes Tuple sketches, as the `tuple_sketch_agg_*` of its type makes them, and got one of the family %s.", p.Function, f)
	}
	return raisef("TUPLE_INVALID_INPUT_SKETCH_BUFFER", "22000", "`%s` takes Tuple sketches, as the `tuple_sketch_agg_*` of its type makes them.", p.Function)
}

func (p *sketchParam) badKLL() error {
	return raisef("KLL_INVALID_INPUT_SKETCH_BUFFER", "22000", "`%s` takes KLL sketches with values, as the `kll_sketch_agg_*` of its type makes them.", p.Function)
}

func (p *sketchParam) differentLgK(a, b int) error {
	return raisef("HLL_UNION_DIFFERENT_LG_K", "22000", "The sketches have lgConfigK %d and %d: `%s` unites them when allowDifferentLgConfigK is true.", a, b, p.Function)
}

// key is the hash of a value for HLL, Theta and Tuple; false for one that is
// not counted.
func key(r *row, k int) (sketch.Key, bool) {
	switch n := &r.cols[k]; n.typ.ID {
	case duckdb.TypeVarchar, duckdb.TypeBlob:
		return sketch.BytesKey(r.bytes(k))
	case duckdb.TypeFloat, duckdb.TypeDouble, duckdb.TypeDecimal:
		return sketch.DoubleKey(r.double(k)), true
	case duckdb.TypeList:
		from, to := n.entries(r.i)
		var b []byte
		for i := from; i < to; i++ {
			v := uint64(0) // a NULL counts as Java's 0
			if !n.kids[0].vec.Null(i) {
				v = uint64(n.kids[0].long(i))
			}
			width := 64
			if n.typ.Elem.ID == duckdb.TypeInteger {
				width = 32
			}
			for shift := 0; shift < width; shift += 8 {
				b = append(b, byte(v>>shift))
			}
		}
		return sketch.BytesKey(b)
	}
	return sketch.LongKey(r.long(k)), true
}

// distinctAcc is approx_count_distinct.
type distinctAcc struct{ *sketch.Distinct }

func approxCountDistinct(g *sig) (func() accumulator, error) {
	p, err := g.sketch()
	return func() accumulator { return distinctAcc{sketch.NewDistinct(p.Bits)} }, err
}

func (a distinctAcc) add(r *row) error {
	if !r.null(0) {
		a.Add(uint64(r.long(0))) // the xxHash64 of the value
	}
	return nil
}

func (a distinctAcc) merge(o accumulator) error {
	a.Merge(o.(distinctAcc).Distinct)
	return nil
}

func (a distinctAcc) result() (any, error) { return a.Estimate(), nil }

// hllAcc is hll_sketch_agg and hll_union_agg, whose sketch is nil before the
// first one.
type hllAcc struct {
	p     *sketchParam
	s     *sketch.HLL
	allow bool // different lgConfigK
}

func hllAgg(g *sig) (func() accumulator, error) {
	p, err := g.sketch()
	return func() accumulator { return &hllAcc{p: &p, s: sketch.NewHLL(p.LgK)} }, err
}

func (a *hllAcc) add(r *row) error {
	if r.null(0) {
		return nil
	}
	if k, ok := key(r, 0); ok {
		a.s.Add(k)
	}
	return nil
}

func (a *hllAcc) merge(o accumulator) error {
	b := o.(*hllAcc)
	a.allow = a.allow || b.allow
	if b.s != nil {
		return a.unite(b.s)
	}
	return nil
}

func (a *hllAcc) unite(s *sketch.HLL) error {
	switch {
	case a.s == nil:
		a.s = sketch.NewHLL(s.LgK())
	case a.s.LgK() != s.LgK() && !a.allow:
		return a.p.differentLgK(a.s.LgK(), s.LgK())
	}
	a.s.Merge(s)
	return nil
}

func (a *hllAcc) result() (any, error) {
	const defaultLgK = 12
	if a.s == nil {
		return sketch.NewHLL(defaultLgK).Bytes(), nil
	}
	return a.s.Bytes(), nil
}

type hllUnionAcc struct{ hllAcc }

func hllUnionAgg(g *sig) (func() accumulator, error) {
	p, err := g.sketch()
	return func() accumulator { return &hllUnionAcc{hllAcc{p: &p}} }, err
}

func (a *hllUnionAcc) add(r *row) error {
	if r.null(0) {
		return nil
	}
	s, err := sketch.ReadHLL(r.bytes(0))
	if err != nil {
		return a.p.badHLL()
	}
	a.allow = !r.null(1) && r.long(1) != 0
	return a.unite(s)
}

func (a *hllUnionAcc) merge(o accumulator) error { return a.hllAcc.merge(&o.(*hllUnionAcc).hllAcc) }

// countMinAcc is count_min_sketch.
type countMinAcc struct{ *sketch.CountMin }

func countMinAgg(g *sig) (func() accumulator, error) {
	p, err := g.sketch()
	if _, ok := sketch.NewCountMin(p.Eps, p.Conf, p.Seed); !ok && err == nil {
		err = raisef("UNSUPPORTED_FEATURE", "0A000", "A count-min sketch of relative error %v and confidence %v is too large.", p.Eps, p.Conf)
	}
	return func() accumulator {
		s, _ := sketch.NewCountMin(p.Eps, p.Conf, p.Seed)
		return countMinAcc{s}
	}, err
}

func (a countMinAcc) add(r *row) error {
	if r.null(0) {
		return nil
	}
	switch r.cols[0].typ.ID {
	case duckdb.TypeVarchar, duckdb.TypeBlob:
		h1 := int32(murmur{}.bytes(r.bytes(0), 0))
		a.AddHashed(h1, int32(murmur{}.bytes(r.bytes(0), uint64(uint32(h1)))))
	default:
		a.AddLong(r.long(0))
	}
	return nil
}

func (a countMinAcc) merge(o accumulator) error {
	a.Merge(o.(countMinAcc).CountMin)
	return nil
}

func (a countMinAcc) result() (any, error) { return a.Bytes(), nil }

// hllOps are the scalar functions over HLL sketches.
func hllOps(p *sketchParam) map[string]rowOp {
	return map[string]rowOp{
		"hll_sketch_estimate": func(r *row) (any, error) {
			s, err := sketch.ReadHLL(r.bytes(0))
			if err != nil {
				return nil, p.badHLL()
			}
			return int64(math.Floor(s.Estimate() + 0.5)), nil
		},
		"hll_union": func(r *row) (any, error) {
			a, err := sketch.ReadHLL(r.bytes(0))
			if err != nil {
				return nil, p.badHLL()
			}
			b, err := sketch.ReadHLL(r.bytes(1))
			if err != nil {
				return nil, p.badHLL()
			}
			if a.LgK() != b.LgK() && r.long(2) == 0 {
				return nil, p.differentLgK(a.LgK(), b.LgK())
			}
			u := sketch.NewHLL(min(a.LgK(), b.LgK()))
			u.Merge(a)
			u.Merge(b)
			return u.Bytes(), nil
		},
	}
}

// sketchOps makes the kernel "sketch": the scalar function that Function
// names without the item's type behind it.
func sketchOps(op string) maker {
	return func(g *sig) (kernel, error) {
		p, err := g.sketch()
		if err != nil {
			return kernel{}, err
		}
		var f rowOp
		for _, family := range []func(*sketchParam) map[string]rowOp{hllOps, thetaOps, kllOps, tupleOps} {
			if o, ok := family(&p)[op]; ok {
				f = o
			}
		}
		if f == nil {
			return kernel{}, errShape
		}
		return rowKernel(g, p.failing, f), nil
	}
}

// sketchKinds are the kinds of sketchOps.
func sketchKinds() []string {
	return []string{
		"hll_sketch_estimate", "hll_union", "kll_sketch_get_n", "kll_sketch_get_quantile", "kll_sketch_get_rank", "kll_sketch_merge",
		"kll_sketch_to_string", "theta_difference", "theta_intersection", "theta_sketch_estimate", "theta_union", "tuple_difference",
		"tuple_difference_theta", "tuple_intersection", "tuple_intersection_theta", "tuple_sketch_estimate", "tuple_sketch_summary",
		"tuple_sketch_theta", "tuple_union", "tuple_union_theta",
	}
}
