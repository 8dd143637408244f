package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// interval reads the parameter type and checks the width of the values.
func (g *sig) interval(t vector.Type) (cast.Interval, error) {
	var p struct{ Type string }
	if err := g.param(&p); err != nil {
		return cast.Interval{}, err
	}
	iv, ok := cast.ParseIntervalType(p.Type)
	if !ok || iv.Months() != (t.ID == duckdb.TypeInteger) {
		return iv, fmt.Errorf("type %q of %s", p.Type, t)
	}
	return iv, nil
}

func intervalToString(g *sig) (kernel, error) {
	if len(g.args) != 1 {
		return kernel{}, errors.New("one argument is needed")
	}
	iv, err := g.interval(g.args[0])
	if err != nil {
		return kernel{}, err
	}
	if iv.Months() {
		return kernel{run: toText(func(b []byte, v int32) []byte { return iv.Append(b, int64(v)) })}, g.want(duckdb.TypeVarchar, duckdb.TypeInteger)
	}
	return kernel{run: toText(iv.Append)}, g.want(duckdb.TypeVarchar, duckdb.TypeBigInt)
}

func stringToInterval(g *sig) (kernel, error) {
	iv, err := g.interval(g.ret)
	if err != nil {
		return kernel{}, err
	}
	if iv.Months() {
		return kernel{run: fromText(func(b []byte) (int32, bool) {
			v, ok := iv.Parse(b)
			return int32(v), ok
		})}, g.want(duckdb.TypeInteger, duckdb.TypeVarchar)
	}
	return kernel{run: fromText(iv.Parse)}, g.want(duckdb.TypeBigInt, duckdb.TypeVarchar)
}

func stringToCalendar(g *sig) (kernel, error) {
	return kernel{run: fromText(cast.ParseCalendar)}, g.want(duckdb.TypeInterval, duckdb.TypeVarchar)
}

func jsonArrayLength(g *sig) (kernel, error) {
	return kernel{run: fromText(func(b []byte) (int32, bool) {
		n, ok := jsonarrow.ArrayLength(b)
		return int32(n), ok
	})}, g.want(duckdb.TypeInteger, duckdb.TypeVarchar)
}

func jsonObjectKeys(g *sig) (kernel, error) {
	if err := wantTexts(g); err != nil {
		return kernel{}, err
	}
	return kernel{run: func(c *call) error {
		out := newList(&c.out, c.n)
		clear(out.rows)
		for i, s := range c.strs(0) {
			if c.null(i) {
				continue
			}
			first, mark := len(out.ends), len(out.buf)
			if !jsonarrow.ObjectKeys(s.Bytes(), out.add) {
				out.ends, out.buf = out.ends[:first], out.buf[:mark]
				c.out.SetNull(i)
				continue
			}
			out.end(i, first)
		}
		return out.close()
	}}, g.want(duckdb.TypeList, duckdb.TypeVarchar)
}

// decimalRound34 rounds half even to 34 digits, as Java's decimal128 context
// does, and cuts digits beyond the result's scale; NULL where more than 38
// digits come out.
func decimalRound34(g *sig) (kernel, error) {
	if err := g.want(duckdb.TypeDecimal, duckdb.TypeDecimal); err != nil {
		return kernel{}, err
	}
	most, limit, cut := cast.Pow10(34), int(g.ret.Precision), int(g.args[0].Scale)-int(g.ret.Scale)
	if cut < 0 {
		return kernel{}, errors.New("the result has a larger scale")
	}
	return kernel{run: func(c *call) error {
		in, out := newDecimals(&c.args[0], &g.args[0], c.n), newDecimals(&c.out, &g.ret, c.n)
		for i := range c.n {
			if c.null(i) {
				continue
			}
			v := in.get(i)
			u, _ := cast.Abs(v)
			if cut == 0 && u.Less(most) {
				out.put(i, v, true)
				continue
			}
			x := v.BigInt()
			if !u.Less(most) {
				unit := pow(len(new(big.Int).Abs(x).String()) - 34)
				x.Mul(halfEven(x, unit), unit)
			}
			r, ok := cast.FromBig(x.Quo(x, pow(cut)), limit)
			out.put(i, r, ok)
		}
		return nil
	}}, nil
}

// decimalIntDiv cuts the fraction off and keeps the low 64 bits, as Java's
// longValue; NULL for a divisor of 0.
func decimalIntDiv(g *sig) (kernel, error) {
	if err := g.want(duckdb.TypeBigInt, duckdb.TypeDecimal, duckdb.TypeDecimal); err != nil {
		return kernel{}, err
	}
	s := scales{a: int(g.args[0].Scale), b: int(g.args[1].Scale)}
	return kernel{run: func(c *call) error {
		a, b := newDecimals(&c.args[0], &g.args[0], c.n), newDecimals(&c.args[1], &g.args[1], c.n)
		out := vector.Data[int64](&c.out, c.n)
		for i := range out {
			if c.null(i) {
				continue
			}
			x, y := a.get(i).BigInt(), b.get(i).BigInt()
			if y.Sign() == 0 {
				c.out.SetNull(i)
				continue
			}
			align(x, y, &s)
			out[i] = lowBits(x.Quo(x, y))
		}
		return nil
	}}, nil
}

// lowBits is the low half of the two's complement.
func lowBits(v *big.Int) int64 {
	var b [64]byte
	new(big.Int).Abs(v).FillBytes(b[:])
	u := binary.BigEndian.Uint64(b[56:])
	if v.Sign() < 0 {
		u = -u
	}
	return int64(u)
}

// decimalRound rounds to a number of places, in the scale of the result: half
// to even ("bround"), half up ("round"), up ("ceil") or down ("floor"). It is
// NULL where the result has too many digits.
func decimalRound(g *sig) (kernel, error) {
	var p struct{ How string }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	to := map[string]func(a, b *big.Int) *big.Int{"bround": halfEven, "round": halfUp, "floor": floorDiv, "ceil": func(a, b *big.Int) *big.Int {
		return a.Neg(floorDiv(a.Neg(a), b))
	}}[p.How]
	if to == nil {
		return kernel{}, fmt.Errorf("unknown rounding %q", p.How)
	}
	if err := g.want(duckdb.TypeDecimal, duckdb.TypeDecimal, duckdb.TypeInteger); err != nil {
		return kernel{}, err
	}
	return kernel{run: func(c *call) error {
		in, out := newDecimals(&c.args[0], &g.args[0], c.n), newDecimals(&c.out, &g.ret, c.n)
		for i := range c.n {
			if c.null(i) {
				continue
			}
			d := dec{in.get(i).BigInt(), int(g.args[0].Scale)}
			d.round(max(-50, min(int(num[int32](c, 1, i)), d.scale)), to)
			v, ok := cast.FromBig(rescale(d.v, d.scale, int(g.ret.Scale)), int(g.ret.Precision))
			out.put(i, v, ok)
		}
		return nil
	}}, nil
}

// padBinary pads or cuts bytes to a length.
func padBinary(left bool) maker {
	return func(g *sig) (kernel, error) {
		return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
			s, pad := str(c, 0, i), str(c, 2, i)
			n := int(num[int32](c, 1, i))
			if n <= len(s) {
				return append(b, s[:max(n, 0)]...), true
			}
			if len(pad) == 0 {
				return append(b, s...), true
			}
			if n > 1<<28 {
				return b, false // beyond any value of a table
			}
			if !left {
				b = append(b, s...)
			}
			for k := n - len(s); k > 0; k -= len(pad) {
				b = append(b, pad[:min(k, len(pad))]...)
			}
			if left {
				b = append(b, s...)
			}
			return b, true
		})}, g.want(duckdb.TypeBlob, duckdb.TypeBlob, duckdb.TypeInteger, duckdb.TypeBlob)
	}
}
