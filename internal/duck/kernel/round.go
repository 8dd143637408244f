package kernel

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// roundFloat rounds the decimal text of a float, as Spark does: half up, or
// half even.
func roundFloat(even bool) maker {
	to := halfUp
	if even {
		to = halfEven
	}
	return func(g *sig) (kernel, error) {
		if g.ret.ID == duckdb.TypeFloat {
			return kernel{run: func(c *call) error {
				out := vector.Data[float32](&c.out, c.n)
				for i := range out {
					if !c.null(i) {
						f := num[float32](c, 0, i)
						out[i] = float32(round(float64(f), string(cast.AppendFloat(nil, f)), num[int32](c, 1, i), to, 32))
					}
				}
				return nil
			}}, g.want(duckdb.TypeFloat, duckdb.TypeFloat, duckdb.TypeInteger)
		}
		return kernel{run: func(c *call) error {
			out := vector.Data[float64](&c.out, c.n)
			var buf []byte
			for i := range out {
				if c.null(i) {
					continue
				}
				f := num[float64](c, 0, i)
				buf = cast.AppendDouble(buf[:0], f)
				out[i] = round(f, string(buf), num[int32](c, 1, i), to, 64)
			}
			return nil
		}}, g.want(duckdb.TypeDouble, duckdb.TypeDouble, duckdb.TypeInteger)
	}
}

func round(f float64, text string, scale int32, to func(a, b *big.Int) *big.Int, bits int) float64 {
	if f != f || math.IsInf(f, 0) || f == 0 {
		return f + 0 // -0.0 becomes 0.0
	}
	d, ok := parseDec(text)
	if !ok {
		return f
	}
	if int(scale) >= d.scale || scale > 400 {
		return f
	}
	if scale < -400 {
		return 0
	}
	d.round(int(scale), to)
	v, _ := strconv.ParseFloat(d.v.String()+"e"+strconv.Itoa(-d.scale), bits)
	return v + 0
}

// dec is an exact decimal: v / 10^scale.
type dec struct {
	v     *big.Int
	scale int
}

func parseDec(s string) (dec, bool) {
	exp := 0
	if m, e, ok := strings.Cut(strings.ToUpper(s), "E"); ok {
		s = m
		var err error
		if exp, err = strconv.Atoi(e); err != nil {
			return dec{}, false
		}
	}
	whole, frac, _ := strings.Cut(s, ".")
	v, ok := new(big.Int).SetString(whole+frac, 10)
	return dec{v, len(frac) - exp}, ok
}

// round keeps scale places; to divides whole numbers and rounds.
func (d *dec) round(scale int, to func(a, b *big.Int) *big.Int) {
	if scale >= d.scale {
		d.v.Mul(d.v, pow(scale-d.scale))
	} else {
		d.v = to(d.v, pow(d.scale-scale))
	}
	d.scale = scale
}

// floorDiv is a/b rounded down; b is positive.
func floorDiv(a, b *big.Int) *big.Int { return new(big.Int).Div(a, b) }

func halfEven(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	r.Abs(r).Lsh(r, 1)
	if k := r.CmpAbs(b); k > 0 || k == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(int64(a.Sign()*b.Sign())))
	}
	return q
}
