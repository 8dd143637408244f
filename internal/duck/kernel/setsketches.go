package kernel

import (
	"math"
	"slices"

	"github.com/marisma/marisma/internal/duck/kernel/sketch"
)

// thetaAcc is theta_sketch_agg.
type thetaAcc struct {
	p *sketchParam
	*sketch.ThetaUnion
}

func thetaAgg(g *sig) (func() accumulator, error) {
	p, err := g.sketch()
	return func() accumulator { return &thetaAcc{&p, sketch.NewThetaUnion(p.LgK)} }, err
}

func (a *thetaAcc) add(r *row) error {
	if r.null(0) {
		return nil
	}
	if k, ok := key(r, 0); ok {
		a.Add(k)
	}
	return nil
}

func (a *thetaAcc) merge(o accumulator) error {
	a.Merge(o.(*thetaAcc).ThetaUnion)
	return nil
}

func (a *thetaAcc) result() (any, error) { return a.Result().Bytes(), nil }

type thetaUnionAcc struct{ thetaAcc }

func thetaUnionAgg(g *sig) (func() accumulator, error) {
	p, err := g.sketch()
	return func() accumulator { return &thetaUnionAcc{thetaAcc{&p, sketch.NewThetaUnion(p.LgK)}} }, err
}

func (a *thetaUnionAcc) add(r *row) error {
	if r.null(0) {
		return nil
	}
	s, err := sketch.ReadTheta(r.bytes(0))
	if err != nil {
		return a.p.badTheta(r.bytes(0))
	}
	a.AddSet(s)
	return nil
}

func (a *thetaUnionAcc) merge(o accumulator) error {
	a.Merge(o.(*thetaUnionAcc).ThetaUnion)
	return nil
}

// noSketches is the error of an intersection of nothing, which would be all.
func (p *sketchParam) noSketches() error {
	return raisef("INTERNAL_ERROR", "XX000", "`%s` got no sketch: the intersection of none would hold every value.", p.Function)
}

type thetaIntersectionAcc struct {
	p *sketchParam
	s *sketch.Theta
}

func thetaIntersectionAgg(g *sig) (func() accumulator, error) {
	p, err := g.sketch()
	return func() accumulator { return &thetaIntersectionAcc{p: &p} }, err
}

func (a *thetaIntersectionAcc) add(r *row) error {
	if r.null(0) {
		return nil
	}
	s, err := sketch.ReadTheta(r.bytes(0))
	if err != nil {
		return a.p.badTheta(r.bytes(0))
	}
	a.with(s)
	return nil
}

func (a *thetaIntersectionAcc) with(s *sketch.Theta) {
	if a.s != nil {
		s = a.s.Intersect(s)
	}
	a.s = s
}

func (a *thetaIntersectionAcc) merge(o accumulator) error {
	if s := o.(*thetaIntersectionAcc).s; s != nil {
		a.with(s)
	}
	return nil
}

func (a *thetaIntersectionAcc) result() (any, error) {
	if a.s == nil {
		return nil, a.p.noSketches()
	}
	return a.s.Bytes(), nil
}

// theta reads argument k.
func (p *sketchParam) theta(r *row, k int) (*sketch.Theta, error) {
	s, err := sketch.ReadTheta(r.bytes(k))
	if err != nil {
		return nil, p.badTheta(r.bytes(k))
	}
	return s, nil
}

// thetaOps are the scalar functions over Theta sketches.
func thetaOps(p *sketchParam) map[string]rowOp {
	two := func(f func(a, b *sketch.Theta, r *row) (*sketch.Theta, error)) rowOp {
		return func(r *row) (any, error) {
			a, err := p.theta(r, 0)
			if err != nil {
				return nil, err
			}
			b, err := p.theta(r, 1)
			if err != nil {
				return nil, err
			}
			s, err := f(a, b, r)
			if err != nil {
				return nil, err
			}
			return s.Bytes(), nil
		}
	}
	return map[string]rowOp{
		"theta_sketch_estimate": func(r *row) (any, error) {
			s, err := p.theta(r, 0)
			if err != nil {
				return nil, err
			}
			return int64(math.Floor(s.Estimate() + 0.5)), nil
		},
		"theta_intersection": two(func(a, b *sketch.Theta, _ *row) (*sketch.Theta, error) { return a.Intersect(b), nil }),
		"theta_difference":   two(func(a, b *sketch.Theta, _ *row) (*sketch.Theta, error) { return a.Without(b), nil }),
		"theta_union": two(func(a, b *sketch.Theta, r *row) (*sketch.Theta, error) {
			lg := r.long(2)
			if lg < sketch.MinLgEntries || lg > sketch.MaxLgEntries {
				return nil, raisef("SKETCH_INVALID_LG_NOM_ENTRIES", "22003", "The lgNomEntries of `%s` lies between 4 and 26; %d does not.", p.Function, lg)
			}
			u := sketch.NewThetaUnion(int(lg))
			u.AddSet(a)
			u.AddSet(b)
			return u.Result(), nil
		}),
	}
}

// summary is the type of a tuple's number.
type summary interface{ int32 | float64 }

func summaryOf[T summary](r *row, k int) T {
	var v T
	switch x := any(&v).(type) {
	case *int32:
		*x = int32(r.long(k))
	case *float64:
		*x = r.double(k)
	}
	return v
}

// tupleAcc is tuple_sketch_agg_* and tuple_union_agg_*.
type tupleAcc[T summary] struct {
	p     *sketchParam
	union bool // takes sketches
	*sketch.TupleUnion[T]
}

func (p *sketchParam) isDouble() bool { return p.Item == "double" }

func tupleMaker(union bool) aggregateMaker {
	return func(g *sig) (func() accumulator, error) {
		p, err := g.sketch()
		if p.isDouble() {
			return func() accumulator {
				return &tupleAcc[float64]{&p, union, sketch.NewTupleUnion[float64](p.LgK, p.mode())}
			}, err
		}
		return func() accumulator {
			return &tupleAcc[int32]{&p, union, sketch.NewTupleUnion[int32](p.LgK, p.mode())}
		}, err
	}
}

func tupleAgg(g *sig) (func() accumulator, error)      { return tupleMaker(false)(g) }
func tupleUnionAgg(g *sig) (func() accumulator, error) { return tupleMaker(true)(g) }

func (a *tupleAcc[T]) add(r *row) error {
	if r.null(0) || !a.union && r.null(1) {
		return nil
	}
	if !a.union {
		if k, ok := key(r, 0); ok {
			a.Add(k, summaryOf[T](r, 1))
		}
		return nil
	}
	s, err := tuple[T](a.p, r, 0)
	if err == nil {
		a.AddSketch(s)
	}
	return err
}

func (a *tupleAcc[T]) merge(o accumulator) error {
	a.Merge(o.(*tupleAcc[T]).TupleUnion)
	return nil
}

func (a *tupleAcc[T]) result() (any, error) { return a.Result().Bytes(), nil }

// tuple reads argument k.
func tuple[T summary](p *sketchParam, r *row, k int) (*sketch.Tuple[T], error) {
	s, err := sketch.ReadTuple[T](r.bytes(k))
	if err != nil {
		return nil, p.badTuple(r.bytes(k))
	}
	return s, nil
}

type tupleIntersectionAcc[T summary] struct {
	p *sketchParam
	s *sketch.Tuple[T]
}

func tupleIntersectionAgg(g *sig) (func() accumulator, error) {
	p, err := g.sketch()
	if p.isDouble() {
		return func() accumulator { return &tupleIntersectionAcc[float64]{p: &p} }, err
	}
	return func() accumulator { return &tupleIntersectionAcc[int32]{p: &p} }, err
}

func (a *tupleIntersectionAcc[T]) add(r *row) error {
	if r.null(0) {
		return nil
	}
	s, err := tuple[T](a.p, r, 0)
	if err == nil {
		a.with(s)
	}
	return err
}

func (a *tupleIntersectionAcc[T]) with(s *sketch.Tuple[T]) {
	if a.s != nil {
		s = a.s.Intersect(s, a.p.mode())
	}
	a.s = s
}

func (a *tupleIntersectionAcc[T]) merge(o accumulator) error {
	if s := o.(*tupleIntersectionAcc[T]).s; s != nil {
		a.with(s)
	}
	return nil
}

func (a *tupleIntersectionAcc[T]) result() (any, error) {
	if a.s == nil {
		return nil, a.p.noSketches()
	}
	return a.s.Bytes(), nil
}

// tupleOps are the scalar functions over Tuple sketches.
func tupleOps(p *sketchParam) map[string]rowOp {
	if p.isDouble() {
		return typedTupleOps(p, func(v float64) any { return v })
	}
	return typedTupleOps(p, func(v int32) any { return int64(v) })
}

func typedTupleOps[T summary](p *sketchParam, value func(T) any) map[string]rowOp {
	one := func(f func(*sketch.Tuple[T]) any) rowOp {
		return func(r *row) (any, error) {
			s, err := tuple[T](p, r, 0)
			if err != nil {
				return nil, err
			}
			return f(s), nil
		}
	}
	// two reads the second sketch as a tuple too, or as a Theta sketch whose
	// keys get the mode's neutral summary.
	two := func(theta bool, f func(a, b *sketch.Tuple[T]) *sketch.Tuple[T]) rowOp {
		return func(r *row) (any, error) {
			a, err := tuple[T](p, r, 0)
			if err != nil {
				return nil, err
			}
			var b *sketch.Tuple[T]
			if theta {
				t, err := p.theta(r, 1)
				if err != nil {
					return nil, err
				}
				b = sketch.FromTheta(t, sketch.Summary[T]{Value: sketch.Neutral[T](p.mode()), Mode: p.mode()})
			} else if b, err = tuple[T](p, r, 1); err != nil {
				return nil, err
			}
			return f(a, b).Bytes(), nil
		}
	}
	union := func(a, b *sketch.Tuple[T]) *sketch.Tuple[T] {
		u := sketch.NewTupleUnion[T](p.LgK, p.mode())
		u.AddSketch(a)
		u.AddSketch(b)
		return u.Result()
	}
	intersect := func(a, b *sketch.Tuple[T]) *sketch.Tuple[T] { return a.Intersect(b, p.mode()) }
	without := func(a, b *sketch.Tuple[T]) *sketch.Tuple[T] { return a.Without(b.Keys()) }
	return map[string]rowOp{
		"tuple_sketch_estimate": one(func(s *sketch.Tuple[T]) any { return s.Estimate() }),
		"tuple_sketch_theta":    one(func(s *sketch.Tuple[T]) any { return s.Theta() }),
		"tuple_sketch_summary":  one(func(s *sketch.Tuple[T]) any { return summarize(p.mode(), s.Values(), value) }),
		"tuple_union":           two(false, union), "tuple_union_theta": two(true, union),
		"tuple_intersection": two(false, intersect), "tuple_intersection_theta": two(true, intersect),
		"tuple_difference": two(false, without), "tuple_difference_theta": two(true, without),
	}
}

// summarize joins all numbers of a sketch; integers are summed as BIGINT.
func summarize[T summary](mode sketch.Mode, vs []T, value func(T) any) any {
	var zero T
	if len(vs) == 0 {
		return value(zero)
	}
	switch mode {
	case sketch.Min:
		return value(slices.Min(vs))
	case sketch.Max:
		return value(slices.Max(vs))
	}
	var whole int64
	var sum float64
	for _, v := range vs {
		if mode == sketch.AlwaysOne {
			v = 1
		}
		whole += int64(v)
		sum += float64(v)
	}
	if _, ok := any(zero).(float64); ok {
		return sum
	}
	return whole
}
