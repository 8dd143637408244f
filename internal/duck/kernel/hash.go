package kernel

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// hasher is one of Spark's hash functions; h is the hash so far.
type hasher interface {
	i32(v uint32, h uint64) uint64
	i64(v, h uint64) uint64
	bytes(b []byte, h uint64) uint64
}

// hashSeed is where Spark's functions begin.
const hashSeed = 42

// hashKernel makes a kernel over any number of arguments of any types. A NULL
// leaves the hash as it was.
func hashKernel(h hasher) maker {
	return func(g *sig) (kernel, error) {
		p := struct {
			Types json.RawMessage
			Seed  uint64
		}{Seed: hashSeed}
		if err := g.param(&p); err != nil {
			return kernel{}, err
		}
		if g.ret.ID != duckdb.TypeBigInt && g.ret.ID != duckdb.TypeInteger || len(g.args) == 0 {
			return kernel{}, fmt.Errorf("result is %s of %d arguments", g.ret, len(g.args))
		}
		return kernel{nulls: true, run: func(c *call) error {
			acc := make([]uint64, c.n)
			for i := range acc {
				acc[i] = p.Seed
			}
			for k := range c.args {
				hashColumn(h, &c.args[k], &g.args[k], acc)
			}
			if g.ret.ID == duckdb.TypeInteger {
				for i, out := 0, vector.Data[int32](&c.out, c.n); i < c.n; i++ {
					out[i] = int32(acc[i])
				}
				return nil
			}
			for i, out := 0, vector.Data[int64](&c.out, c.n); i < c.n; i++ {
				out[i] = int64(acc[i])
			}
			return nil
		}}, nil
	}
}

func hashColumn(h hasher, v *vector.Vec, t *vector.Type, acc []uint64) {
	switch {
	case t.Nested():
		flat := v.Flat(t, len(acc))
		defer flat.Destroy()
		n := openTree(flat, t)
		for i := range acc {
			acc[i] = hashValue(h, &n, i, acc[i])
		}
	case t.ID == duckdb.TypeBigInt || t.ID == duckdb.TypeTimestamp || t.ID == duckdb.TypeTimestampTZ:
		d := vector.Data[uint64](v, len(acc))
		for i := range acc {
			if !v.Null(i) {
				acc[i] = h.i64(d[i], acc[i])
			}
		}
	case t.ID == duckdb.TypeVarchar || t.ID == duckdb.TypeBlob:
		d := vector.Data[vector.Str](v, len(acc))
		for i := range acc {
			if !v.Null(i) {
				acc[i] = h.bytes(d[i].Bytes(), acc[i])
			}
		}
	default:
		n := openTree(*v, t)
		for i := range acc {
			acc[i] = hashValue(h, &n, i, acc[i])
		}
	}
}

func hashValue(h hasher, n *tree, i int, acc uint64) uint64 {
	if n.vec.Null(i) {
		return acc
	}
	switch n.typ.ID {
	case duckdb.TypeBoolean, duckdb.TypeTinyInt:
		return h.i32(uint32(int32(at[int8](n, i))), acc)
	case duckdb.TypeSmallInt:
		return h.i32(uint32(int32(at[int16](n, i))), acc)
	case duckdb.TypeInteger, duckdb.TypeDate:
		return h.i32(at[uint32](n, i), acc)
	case duckdb.TypeFloat:
		f := at[float32](n, i)
		switch {
		case f == 0:
			f = 0 // -0.0 too
		case f != f:
			return h.i32(0x7fc00000, acc)
		}
		return h.i32(math.Float32bits(f), acc)
	case duckdb.TypeDouble:
		f := at[float64](n, i)
		switch {
		case f == 0:
			f = 0
		case f != f:
			return h.i64(0x7ff8000000000000, acc)
		}
		return h.i64(math.Float64bits(f), acc)
	case duckdb.TypeVarchar, duckdb.TypeBlob:
		return h.bytes(n.bytes(i), acc)
	case duckdb.TypeDecimal:
		d := n.decimal(i)
		if n.typ.Precision <= 18 {
			return h.i64(d.LowBits(), acc)
		}
		return h.bytes(minimalBytes(uint64(d.HighBits()), d.LowBits()), acc)
	case duckdb.TypeInterval:
		v := at[cast.Calendar](n, i)
		return h.i32(uint32(v.Months), h.i32(uint32(v.Days), h.i64(uint64(v.Micros), acc)))
	case duckdb.TypeStruct:
		for k := range n.kids {
			acc = hashValue(h, &n.kids[k], i, acc)
		}
		return acc
	case duckdb.TypeList, duckdb.TypeMap, duckdb.TypeArray:
		from, to := n.entries(i)
		for r := from; r < to; r++ {
			for k := range n.kids {
				acc = hashValue(h, &n.kids[k], r, acc)
			}
		}
		return acc
	}
	return h.i64(at[uint64](n, i), acc)
}

// minimalBytes is the shortest two's complement, most significant byte first.
func minimalBytes(hi, lo uint64) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
	i := 0
	for i < 15 && (b[i] == 0 && b[i+1] < 0x80 || b[i] == 0xff && b[i+1] >= 0x80) {
		i++
	}
	return append([]byte(nil), b[i:]...)
}

// murmur is murmur3 for 32 bits, with Spark's own way of a text's last bytes.
type murmur struct{}

func murmurMix(h, k uint32) uint32 {
	h ^= bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
	return bits.RotateLeft32(h, 13)*5 + 0xe6546b64
}

func murmurEnd(h, n uint32) uint64 {
	h ^= n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return uint64(h ^ h>>16)
}

func (murmur) i32(v uint32, h uint64) uint64 { return murmurEnd(murmurMix(uint32(h), v), 4) }

func (murmur) i64(v, h uint64) uint64 {
	return murmurEnd(murmurMix(murmurMix(uint32(h), uint32(v)), uint32(v>>32)), 8)
}

func (murmur) bytes(b []byte, acc uint64) uint64 {
	h, n := uint32(acc), uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h = murmurMix(h, binary.LittleEndian.Uint32(b))
	}
	for _, c := range b {
		h = murmurMix(h, uint32(int32(int8(c))))
	}
	return murmurEnd(h, n)
}

// xx is xxHash64.
type xx struct{}

const (
	prime1 uint64 = 0x9E3779B185EBCA87
	prime2 uint64 = 0xC2B2AE3D27D4EB4F
	prime3 uint64 = 0x165667B19E3779F9
	prime4 uint64 = 0x85EBCA77C2B2AE63
	prime5 uint64 = 0x27D4EB2F165667C5
)

func xxRound(acc, v uint64) uint64 { return bits.RotateLeft64(acc+v*prime2, 31) * prime1 }

func xxEnd(h uint64) uint64 {
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

func (xx) i32(v uint32, h uint64) uint64 {
	return xxEnd(bits.RotateLeft64((h+prime5+4)^uint64(v)*prime1, 23)*prime2 + prime3)
}

func (xx) i64(v, h uint64) uint64 {
	return xxEnd(bits.RotateLeft64((h+prime5+8)^xxRound(0, v), 27)*prime1 + prime4)
}

func (xx) bytes(b []byte, seed uint64) uint64 {
	n := uint64(len(b))
	h := seed + prime5
	if n >= 32 {
		v := [4]uint64{seed + prime1 + prime2, seed + prime2, seed, seed - prime1}
		for ; len(b) >= 32; b = b[32:] {
			for i := range v {
				v[i] = xxRound(v[i], binary.LittleEndian.Uint64(b[8*i:]))
			}
		}
		h = bits.RotateLeft64(v[0], 1) + bits.RotateLeft64(v[1], 7) + bits.RotateLeft64(v[2], 12) + bits.RotateLeft64(v[3], 18)
		for _, x := range v {
			h = (h^xxRound(0, x))*prime1 + prime4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^xxRound(0, binary.LittleEndian.Uint64(b)), 27)*prime1 + prime4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*prime1, 23)*prime2 + prime3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*prime5, 11) * prime1
	}
	return xxEnd(h)
}
