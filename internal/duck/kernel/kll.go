package kernel

import (
	"github.com/marisma/marisma/internal/duck/kernel/sketch"
)

// kllItem is the type of a KLL sketch's items.
type kllItem interface{ int64 | float32 | float64 }

// kllAcc is kll_sketch_agg_* and kll_merge_agg_*, whose sketch is nil before
// the first one when it takes over that one's k.
type kllAcc[T kllItem] struct {
	p    *sketchParam
	merg bool // takes sketches
	s    *sketch.KLL[T]
}

func kllMaker(merge bool) aggregateMaker {
	return func(g *sig) (func() accumulator, error) {
		p, err := g.sketch()
		switch p.Item {
		case "double":
			return newKLL[float64](&p, merge), err
		case "float":
			return newKLL[float32](&p, merge), err
		}
		return newKLL[int64](&p, merge), err
	}
}

func newKLL[T kllItem](p *sketchParam, merge bool) func() accumulator {
	return func() accumulator {
		a := &kllAcc[T]{p: p, merg: merge}
		if p.K > 0 {
			a.s = sketch.NewKLL[T](p.K)
		}
		return a
	}
}

func kllAgg(g *sig) (func() accumulator, error)      { return kllMaker(false)(g) }
func kllMergeAgg(g *sig) (func() accumulator, error) { return kllMaker(true)(g) }

// itemOf is argument k as an item.
func itemOf[T kllItem](n *tree, i int) T {
	var v T
	switch x := any(&v).(type) {
	case *int64:
		*x = n.long(i)
	case *float32:
		*x = float32(n.double(i))
	case *float64:
		*x = n.double(i)
	}
	return v
}

func (a *kllAcc[T]) add(r *row) error {
	if r.null(0) {
		return nil
	}
	if !a.merg {
		a.s.Add(itemOf[T](&r.cols[0], r.i))
		return nil
	}
	s, err := kll[T](a.p, r, 0)
	if err == nil {
		a.with(s)
	}
	return err
}

func (a *kllAcc[T]) with(s *sketch.KLL[T]) {
	if a.s == nil {
		a.s = sketch.NewKLL[T](s.K())
	}
	a.s.Merge(s)
}

func (a *kllAcc[T]) merge(o accumulator) error {
	switch s := o.(*kllAcc[T]).s; {
	case s == nil:
	case a.merg:
		a.with(s)
	default:
		a.s.Follow(s)
	}
	return nil
}

// result merges into an empty sketch where Spark's last step has one: it turns
// the order of the items around. Window functions have no such step.
func (a *kllAcc[T]) result() (any, error) {
	if a.s == nil {
		return sketch.NewKLL[T](sketch.DefaultK).Bytes(), nil
	}
	if a.p.K == 0 || a.p.Over {
		return a.s.Bytes(), nil
	}
	s := sketch.NewKLL[T](a.s.K())
	s.Merge(a.s)
	return s.Bytes(), nil
}

// kll reads argument k.
func kll[T kllItem](p *sketchParam, r *row, k int) (*sketch.KLL[T], error) {
	s, err := sketch.ReadKLL[T](r.bytes(k))
	if err != nil {
		return nil, p.badKLL()
	}
	return s, nil
}

// kllOps are the scalar functions over KLL sketches.
func kllOps(p *sketchParam) map[string]rowOp {
	switch p.Item {
	case "double":
		return typedKLLOps(p, func(v float64) any { return v })
	case "float":
		return typedKLLOps(p, func(v float32) any { return float64(v) })
	}
	return typedKLLOps(p, func(v int64) any { return v })
}

func typedKLLOps[T kllItem](p *sketchParam, value func(T) any) map[string]rowOp {
	one := func(f func(s *sketch.KLL[T], r *row) (any, error)) rowOp {
		return func(r *row) (any, error) {
			s, err := kll[T](p, r, 0)
			if err != nil {
				return nil, err
			}
			return f(s, r)
		}
	}
	return map[string]rowOp{
		"kll_sketch_get_n":     one(func(s *sketch.KLL[T], _ *row) (any, error) { return s.N(), nil }),
		"kll_sketch_to_string": one(func(s *sketch.KLL[T], _ *row) (any, error) { return s.String(), nil }),
		"kll_sketch_merge": one(func(s *sketch.KLL[T], r *row) (any, error) {
			o, err := kll[T](p, r, 1)
			if err != nil {
				return nil, err
			}
			s.Merge(o)
			return s.Bytes(), nil
		}),
		"kll_sketch_get_quantile": one(func(s *sketch.KLL[T], r *row) (any, error) {
			ranks, isList, ok := several(r, 1, (*tree).double)
			if !ok {
				return nil, nil
			}
			for _, x := range ranks {
				if !(x >= 0 && x <= 1) {
					return nil, raisef("KLL_SKETCH_INVALID_QUANTILE_RANGE", "22003", "The rank for `%s` lies between 0 and 1; %v does not.", p.Function, x)
				}
			}
			return answers(p, s.Quantiles(ranks), isList, value)
		}),
		"kll_sketch_get_rank": one(func(s *sketch.KLL[T], r *row) (any, error) {
			values, isList, ok := several(r, 1, itemOf[T])
			if !ok {
				return nil, nil
			}
			return answers(p, s.Ranks(values), isList, func(f float64) any { return f })
		}),
	}
}

// several is argument k, a value or a list of them.
func several[T any](r *row, k int, get func(*tree, int) T) (vs []T, isList, ok bool) {
	if n := &r.cols[k]; !n.typ.Nested() {
		return []T{get(n, r.i)}, false, true
	}
	vs, ok = list(r, k, get)
	return vs, true, ok
}

// answers are one value or a list; nil is that of an empty sketch.
func answers[T any](p *sketchParam, vs []T, isList bool, value func(T) any) (any, error) {
	switch {
	case vs == nil:
		return nil, p.badKLL()
	case isList:
		return anys(vs, value), nil
	}
	return value(vs[0]), nil
}
