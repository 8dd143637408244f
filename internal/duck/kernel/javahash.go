package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/bits"
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

// scalaDecimal is that of Scala's BigDecimal: the one of the whole number or
// of the DOUBLE that it equals, else its digits' and its scale's.
func scalaDecimal(v *big.Int, scale int) uint32 {
	for ten := big.NewInt(10); scale > 0; scale-- {
		q, r := new(big.Int).QuoRem(v, ten, new(big.Int))
		if r.Sign() != 0 {
			break
		}
		v = q
	}
	switch {
	case scale == 0 && v.IsInt64() && v.Int64() == int64(int32(v.Int64())):
		return uint32(v.Int64())
	case scale == 0 && v.IsInt64():
		return hashLong(uint64(v.Int64()))
	case scale == 0:
		return hashBig(v)
	}
	d, _ := cast.FromBig(v, 38)
	text := string(cast.AppendDecimal(nil, d, scale))
	f, _ := strconv.ParseFloat(text, 64)
	if strconv.FormatFloat(f, 'f', -1, 64) == text {
		return scalaDouble(f)
	}
	return hashBig(v) ^ bits.RotateLeft32(uint32(scale)*0xcc9e2d51, 15)*0x1b873593
}

// hashBig is BigInteger.hashCode: the digits of 32 bits from the first to the
// last, and the sign.
func hashBig(v *big.Int) uint32 {
	h, b := uint32(0), v.FillBytes(make([]byte, (v.BitLen()+31)/32*4))
	for ; len(b) > 0; b = b[4:] {
		h = 31*h + binary.BigEndian.Uint32(b)
	}
	return h * uint32(int32(v.Sign()))
}
