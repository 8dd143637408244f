package kernel

import (
	"fmt"
	"math/big"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// scales are those of the operands and the result.
type scales struct {
	a, b, ret, prec int
	unit            uint64 // 10^(ret-a+b), if that fits 64 bits
}

// op computes one row: fast where 128 bits hold all steps, else slow.
type op struct {
	fast func(a, b decimal128.Num, s *scales) (v decimal128.Num, ok, done bool)
	slow func(a, b *big.Int, s *scales) *big.Int // nil: no result
}

var (
	divide   = op{fast: fastDivide, slow: slowDivide}
	multiply = op{fast: fastMultiply, slow: func(a, b *big.Int, s *scales) *big.Int { return rescale(new(big.Int).Mul(a, b), s.a+s.b, s.ret) }}
	add      = op{fast: fastAdd(false), slow: slowSum(false)}
	subtract = op{fast: fastAdd(true), slow: slowSum(true)}
	modulo   = op{fast: func(_, _ decimal128.Num, _ *scales) (v decimal128.Num, ok, done bool) { return }, slow: slowModulo}
)

// decimalOp makes a kernel of two DECIMALs of any types. The result is rounded
// half up to the type of the result, NULL where it does not fit.
func decimalOp(o op) maker {
	return func(g *sig) (kernel, error) {
		if err := g.want(duckdb.TypeDecimal, duckdb.TypeDecimal, duckdb.TypeDecimal); err != nil {
			return kernel{}, err
		}
		s := scales{a: int(g.args[0].Scale), b: int(g.args[1].Scale), ret: int(g.ret.Scale), prec: int(g.ret.Precision)}
		if shift := s.ret - s.a + s.b; shift >= 0 && shift <= 19 {
			s.unit = cast.Pow10(shift).Lo
		}
		limit := cast.Pow10(s.prec)
		return kernel{run: func(c *call) error {
			a, b := newDecimals(&c.args[0], &g.args[0], c.n), newDecimals(&c.args[1], &g.args[1], c.n)
			out := newDecimals(&c.out, &g.ret, c.n)
			for i := range c.n {
				if c.null(i) {
					continue
				}
				x, y := a.get(i), b.get(i)
				v, ok, done := o.fast(x, y, &s)
				if done {
					u, _ := cast.Abs(v)
					out.put(i, v, ok && u.Less(limit))
					continue
				}
				r := o.slow(x.BigInt(), y.BigInt(), &s)
				if ok = r != nil; ok {
					v, ok = cast.FromBig(r, s.prec)
				}
				out.put(i, v, ok)
			}
			return nil
		}}, nil
	}
}

func isSmall(n decimal128.Num) (uint64, bool, bool) {
	u, neg := cast.Abs(n)
	return u.Lo, neg, u.Hi == 0
}

// fastDivide: dividend * 10^shift in 128 bits over a divisor of 63 bits.
func fastDivide(a, b decimal128.Num, s *scales) (v decimal128.Num, ok, done bool) {
	x, xn, ok1 := isSmall(a)
	d, dn, ok2 := isSmall(b)
	if !ok1 || !ok2 || s.unit == 0 || d >= 1<<63 {
		return v, false, false
	}
	if d == 0 {
		return v, false, true
	}
	hi, lo := bits.Mul64(x, s.unit)
	q1, r := hi/d, hi%d
	q0, r := bits.Div64(r, lo, d)
	if 2*r >= d {
		var carry uint64
		q0, carry = bits.Add64(q0, 1, 0)
		q1 += carry
	}
	if q1 >= 1<<63 {
		return v, false, true
	}
	return cast.U128{Hi: q1, Lo: q0}.Signed(xn != dn), true, true
}

func slowDivide(a, b *big.Int, s *scales) *big.Int {
	if b.Sign() == 0 {
		return nil
	}
	shift := s.ret - s.a + s.b
	if shift >= 0 {
		return halfUp(new(big.Int).Mul(a, pow(shift)), b)
	}
	return halfUp(a, new(big.Int).Mul(b, pow(-shift)))
}

func pow(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// halfUp is a/b rounded half away from zero.
func halfUp(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	r.Abs(r).Lsh(r, 1)
	if r.CmpAbs(b) >= 0 {
		if a.Sign()*b.Sign() < 0 {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}

// rescale moves v from one scale to another, rounding half up.
func rescale(v *big.Int, from, to int) *big.Int {
	if to >= from {
		return v.Mul(v, pow(to-from))
	}
	return halfUp(v, pow(from-to))
}

func fastMultiply(a, b decimal128.Num, s *scales) (v decimal128.Num, ok, done bool) {
	x, xn, ok1 := isSmall(a)
	y, yn, ok2 := isSmall(b)
	if !ok1 || !ok2 || s.ret != s.a+s.b {
		return v, false, false
	}
	hi, lo := bits.Mul64(x, y)
	if hi >= 1<<63 {
		return v, false, true
	}
	return cast.U128{Hi: hi, Lo: lo}.Signed(xn != yn), true, true
}

// fastAdd adds what has the result's scale already and fits 62 bits.
func fastAdd(neg bool) func(a, b decimal128.Num, s *scales) (v decimal128.Num, ok, done bool) {
	return func(a, b decimal128.Num, s *scales) (v decimal128.Num, ok, done bool) {
		x, _, ok1 := isSmall(a)
		y, _, ok2 := isSmall(b)
		if !ok1 || !ok2 || s.a != s.ret || s.b != s.ret || x >= 1<<62 || y >= 1<<62 {
			return v, false, false
		}
		if neg {
			return decimal128.FromI64(int64(a.LowBits()) - int64(b.LowBits())), true, true
		}
		return decimal128.FromI64(int64(a.LowBits()) + int64(b.LowBits())), true, true
	}
}

func align(a, b *big.Int, s *scales) int {
	scale := max(s.a, s.b)
	a.Mul(a, pow(scale-s.a))
	b.Mul(b, pow(scale-s.b))
	return scale
}

func slowSum(neg bool) func(a, b *big.Int, s *scales) *big.Int {
	return func(a, b *big.Int, s *scales) *big.Int {
		scale := align(a, b, s)
		if neg {
			return rescale(a.Sub(a, b), scale, s.ret)
		}
		return rescale(a.Add(a, b), scale, s.ret)
	}
}

// slowModulo has the sign of the dividend.
func slowModulo(a, b *big.Int, s *scales) *big.Int {
	if b.Sign() == 0 {
		return nil
	}
	scale := align(a, b, s)
	return rescale(a.Rem(a, b), scale, s.ret)
}

func decimalRescale(g *sig) (kernel, error) {
	if err := g.want(duckdb.TypeDecimal, duckdb.TypeDecimal); err != nil {
		return kernel{}, err
	}
	from, to, prec := int(g.args[0].Scale), int(g.ret.Scale), int(g.ret.Precision)
	if from < 0 || to < 0 {
		return kernel{}, fmt.Errorf("negative scale")
	}
	limit, unit := cast.Pow10(prec), cast.Pow10(max(to-from, from-to))
	return kernel{run: func(c *call) error {
		in, out := newDecimals(&c.args[0], &g.args[0], c.n), newDecimals(&c.out, &g.ret, c.n)
		for i := range c.n {
			if c.null(i) {
				continue
			}
			v := in.get(i)
			x, neg, small := isSmall(v)
			switch {
			case small && to >= from && unit.Hi == 0:
				hi, lo := bits.Mul64(x, unit.Lo)
				u := cast.U128{Hi: hi, Lo: lo}
				out.put(i, u.Signed(neg), u.Less(limit))
			case small && to < from && unit.Hi == 0:
				q, r := x/unit.Lo, x%unit.Lo
				if r >= unit.Lo-r {
					q++
				}
				u := cast.U128{Lo: q}
				out.put(i, u.Signed(neg), u.Less(limit))
			default:
				v, ok := cast.FromBig(rescale(v.BigInt(), from, to), prec)
				out.put(i, v, ok)
			}
		}
		return nil
	}}, nil
}
