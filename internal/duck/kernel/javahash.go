package kernel

import (
	"fmt"
	"math"
	"math/big"
	"strconv"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// objectHash is the hash, as an unsigned number of 32 bits, that Java has for
// the object of a BOOLEAN, FLOAT, DOUBLE or DECIMAL, or Scala, which gives
// equal numbers of all types one hash.
func objectHash(g *sig) (kernel, error) {
	var p struct{ Scala bool }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	if err := g.want(duckdb.TypeBigInt, 0); err != nil {
		return kernel{}, err
	}
	t := &g.args[0]
	var hash func(c *call, i int) uint32
	switch t.ID {
	case duckdb.TypeBoolean:
		hash = func(c *call, i int) uint32 { return hashBool(num[bool](c, 0, i)) }
	case duckdb.TypeFloat:
		hash = func(c *call, i int) uint32 {
			if f := num[float32](c, 0, i); !p.Scala {
				return math.Float32bits(f)
			} else {
				return scalaDouble(float64(f))
			}
		}
	case duckdb.TypeDouble:
		hash = func(c *call, i int) uint32 {
			if f := num[float64](c, 0, i); !p.Scala {
				return hashLong(math.Float64bits(f))
			} else {
				return scalaDouble(f)
			}
		}
	case duckdb.TypeDecimal:
		hash = func(c *call, i int) uint32 {
			in := newDecimals(&c.args[0], t, c.n)
			return scalaDecimal(in.get(i).BigInt(), int(t.Scale))
		}
	default:
		return kernel{}, fmt.Errorf("argument 1 is %s", t)
	}
	return kernel{run: func(c *call) error {
		out := vector.Data[int64](&c.out, c.n)
		for i := range out {
			if !c.null(i) {
				out[i] = int64(hash(c, i))
			}
		}
		return nil
	}}, nil
}

func hashBool(b bool) uint32 {
	if b {
		return 1231
	}
	return 1237
}

// hashLong is Long.hashCode, and Double.hashCode of its bits.
func hashLong(v uint64) uint32 { return uint32(v ^ v>>32) }

// scalaDouble is the hash of the narrowest number that equals f.
func scalaDouble(f float64) uint32 {
	switch {
	case f == math.Trunc(f) && math.Abs(f) < 1<<31:
		return uint32(int32(f))
	case f == math.Trunc(f) && math.Abs(f) < 1<<63:
		return hashLong(uint64(int64(f)))
	case float64(float32(f)) == f:
		return math.Float32bits(float32(f))
	}
	return hashLong(math.Float64bits(f))
}

// scalaDecimal is that of Scala's BigDecimal: the one of the number it equals.
func scalaDecimal(v *big.Int, scale int) uint32 {
	q, r := new(big.Int).QuoRem(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil), new(big.Int))
	if r.Sign() == 0 {
		switch {
		case q.IsInt64() && q.Int64() == int64(int32(q.Int64())):
			return uint32(q.Int64())
		case q.IsInt64():
			return hashLong(uint64(q.Int64()))
		}
	}
	d, _ := cast.FromBig(v, 38)
	f, _ := strconv.ParseFloat(string(cast.AppendDecimal(nil, d, scale)), 64)
	return scalaDouble(f)
}
