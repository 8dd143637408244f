package kernel

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// randomRuns is how many runs of a seeded function are remembered; a run is
// one call in one statement.
const randomRuns = 256

// runs keeps the generators of a function: one per run, each drawn from in the
// order of the rows.
type runs[T any] struct {
	mu    sync.Mutex
	by    map[int64]T
	order []int64
	fresh func() T
}

func (r *runs[T]) of(run int64) T {
	g, ok := r.by[run]
	if !ok {
		if len(r.order) == randomRuns {
			delete(r.by, r.order[0])
			r.order = append(r.order[:0], r.order[1:]...)
		}
		g = r.fresh()
		r.by[run] = g
		r.order = append(r.order, run)
	}
	return g
}

func newRuns[T any](fresh func() T) *runs[T] { return &runs[T]{by: map[int64]T{}, fresh: fresh} }

// arrival counts the rows that come, one after the other; its argument says
// nothing.
func arrival(g *sig) (kernel, error) {
	var count atomic.Int64
	return kernel{volatile: true, run: func(c *call) error {
		next := count.Add(int64(c.n)) - int64(c.n)
		for i := range c.n {
			vector.Data[int64](&c.out, c.n)[i] = next + int64(i)
		}
		return nil
	}}, g.want(duckdb.TypeBigInt, duckdb.TypeBigInt)
}

// randomDouble is rand(seed) and randn(seed): the first argument tells runs
// apart.
func randomDouble(g *sig) (kernel, error) {
	var p struct {
		Seed   int64
		Normal bool
	}
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	rs := newRuns(func() *xorShift { return newXORShift(p.Seed) })
	return kernel{volatile: true, run: func(c *call) error {
		rs.mu.Lock()
		defer rs.mu.Unlock()
		out := vector.Data[float64](&c.out, c.n)
		for i := range c.n {
			x := rs.of(num[int64](c, 0, i))
			if p.Normal {
				out[i] = x.gaussian()
			} else {
				out[i] = x.double()
			}
		}
		return nil
	}}, g.want(duckdb.TypeDouble, duckdb.TypeBigInt)
}

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// randomText is randstr(length, seed).
func randomText(g *sig) (kernel, error) {
	var p struct{ Seed int64 }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	rs := newRuns(func() *xorShift { return newXORShift(p.Seed) })
	return kernel{volatile: true, run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		rs.mu.Lock()
		defer rs.mu.Unlock()
		x := rs.of(num[int64](c, 0, i))
		for range num[int32](c, 1, i) {
			v := int32(x.next(32)) % 62
			b = append(b, alphanumeric[max(v, -v)])
		}
		return b, true
	})}, g.want(duckdb.TypeVarchar, duckdb.TypeBigInt, duckdb.TypeInteger)
}

// randomOrder is the order in which shuffle(array, seed) takes the elements of
// an array of so many.
func randomOrder(g *sig) (kernel, error) {
	var p struct{ Seed int64 }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	if g.ret.Elem == nil || g.ret.Elem.ID != duckdb.TypeInteger {
		return kernel{}, errors.New("result is no list of INTEGER")
	}
	rs := newRuns(func() *twister { return newTwister(p.Seed) })
	return kernel{volatile: true, run: func(c *call) error {
		rs.mu.Lock()
		defer rs.mu.Unlock()
		rows := vector.Data[vector.Entry](&c.out, c.n)
		var all []int32
		for i := range c.n {
			n := int(num[int64](c, 1, i))
			if c.null(i) {
				n = 0
			}
			from := len(all)
			for k := range n { // Fisher-Yates from the inside out
				j := from + int(rs.of(num[int64](c, 0, i)).below(int32(k+1)))
				all = append(all, 0)
				all[from+k], all[j] = all[j], int32(k)
			}
			rows[i] = vector.Entry{Offset: uint64(from), Length: uint64(n)}
		}
		if !c.out.Grow(len(all)) {
			return vector.ErrNoMemory
		}
		e := c.out.Elem()
		copy(vector.Data[int32](&e, len(all)), all)
		return nil
	}}, g.want(duckdb.TypeList, duckdb.TypeBigInt, duckdb.TypeBigInt)
}

// xorShift is Spark's generator: XORShift (Marsaglia, "Xorshift RNGs", 2003)
// over a hashed seed, with java.util.Random's doubles.
type xorShift struct {
	state uint64
	spare float64
	has   bool
}

const arraySeed = 0x3c074a61 // of Scala's MurmurHash3

func newXORShift(seed int64) *xorShift {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(seed))
	low := murmur3(b[:], arraySeed)
	high := murmur3(b[:], low)
	return &xorShift{state: uint64(high)<<32 | uint64(low)}
}

// murmur3 is MurmurHash3 x86_32 of whole words.
func murmur3(b []byte, seed uint32) uint32 {
	h := seed
	for i := 0; i < len(b); i += 4 {
		k := binary.LittleEndian.Uint32(b[i:]) * 0xcc9e2d51
		h ^= bits.RotateLeft32(k, 15) * 0x1b873593
		h = bits.RotateLeft32(h, 13)*5 + 0xe6546b64
	}
	h ^= uint32(len(b))
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

func (x *xorShift) next(n uint) uint64 {
	s := x.state
	s ^= s << 21
	s ^= s >> 35
	s ^= s << 4
	x.state = s
	return s & (1<<n - 1)
}

func (x *xorShift) double() float64 {
	hi := x.next(26) << 27
	return float64(hi+x.next(27)) / (1 << 53)
}

// gaussian is Marsaglia's polar method: two values a round.
func (x *xorShift) gaussian() float64 {
	if x.has {
		x.has = false
		return x.spare
	}
	for {
		a, b := 2*x.double()-1, 2*x.double()-1
		if s := a*a + b*b; s < 1 && s != 0 {
			m := math.Sqrt(-2 * math.Log(s) / s)
			x.spare, x.has = b*m, true
			return a * m
		}
	}
}

// twister is MT19937 (Matsumoto, Nishimura, 1998), seeded by an array.
type twister struct {
	s [624]uint32
	i int
}

func newTwister(seed int64) *twister {
	t := &twister{i: 624}
	key := []uint32{uint32(uint64(seed) >> 32), uint32(seed)}
	t.s[0] = 19650218
	for i := 1; i < 624; i++ {
		t.s[i] = 1812433253*(t.s[i-1]^t.s[i-1]>>30) + uint32(i)
	}
	i, j := 1, 0
	step := func(mul uint32) {
		t.s[i] ^= (t.s[i-1] ^ t.s[i-1]>>30) * mul
	}
	wrap := func() {
		if i++; i == 624 {
			t.s[0], i = t.s[623], 1
		}
	}
	for range 624 {
		step(1664525)
		t.s[i] += key[j] + uint32(j)
		wrap()
		j = (j + 1) % len(key)
	}
	for range 623 {
		step(1566083941)
		t.s[i] -= uint32(i)
		wrap()
	}
	t.s[0] = 1 << 31
	return t
}

func (t *twister) next(n uint) uint32 {
	if t.i == 624 {
		for k := range 624 {
			y := t.s[k]&(1<<31) | t.s[(k+1)%624]&(1<<31-1)
			t.s[k] = t.s[(k+397)%624] ^ y>>1 ^ y&1*0x9908b0df
		}
		t.i = 0
	}
	y := t.s[t.i]
	t.i++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	y ^= y >> 18
	return y >> (32 - n)
}

// below is a number from 0 to n-1.
func (t *twister) below(n int32) int32 {
	if n&-n == n {
		return int32(int64(n) * int64(t.next(31)) >> 31)
	}
	for {
		b := int32(t.next(31))
		v := b % n
		if b-v+(n-1) >= 0 {
			return v
		}
	}
}
