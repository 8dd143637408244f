package sketch

import (
	"encoding/hex"
	"maps"
	"math"
	"testing"
)

func check(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if h := hex.EncodeToString(got); h != want {
		t.Errorf("%s:\n got %s\nwant %s", what, h, want)
	}
}

func longs(from, to int64) []Key {
	var out []Key
	for i := from; i < to; i++ {
		out = append(out, LongKey(i))
	}
	return out
}

func hllOf(lgK int, keys ...Key) *HLL {
	s := NewHLL(lgK)
	for _, k := range keys {
		s.Add(k)
	}
	return s
}

func thetaOf(lg int, keys ...Key) *Theta {
	u := NewThetaUnion(lg)
	for _, k := range keys {
		u.Add(k)
	}
	return u.Result()
}

// The bytes are what Spark 4.2 gave for the same values.
func TestBytesAreSparks(t *testing.T) {
	few := []Key{LongKey(1), LongKey(2), LongKey(2), LongKey(9)}
	check(t, "hll list", hllOf(12, few...).Bytes(), "0201070c030003082bf2fb06862ff90d34a2610e0000000000000000000000000000000000000000")
	check(t, "hll empty", NewHLL(12).Bytes(), "0201070c030400080000000000000000000000000000000000000000000000000000000000000000")
	check(t, "hll set", hllOf(8, longs(0, 20)...).Bytes(),
		"0301070805000009140000000000000081bc5d0600000000cef05b1f6ec5340600000000862ff90d0000000000000000db522d0400000000cbd7c20400000000b05b4612ae3c881100000000c1e9170500000000d21673070000000034a2610e75816607f671f20600000000b83ff907464ab704fc2d420a7b65e6082bf2fb06c3dd5104000000007c74b907")
	check(t, "hll registers", hllOf(4, longs(0, 20)...).Bytes(),
		"0a0107040000000a0bb66a5349cc32400000000000a420400000000000000000050000000000000004010101030103000100000202000700")
	a, b := hllOf(4, longs(0, 20)...), hllOf(4, longs(10, 30)...)
	u := NewHLL(4)
	u.Merge(a)
	u.Merge(b)
	check(t, "hll union", u.Bytes(), "0a0107040010000a00000000000000000000000000481a400000000000000000030000000000000004010101030103000303000202000701")

	check(t, "theta", thetaOf(12, few...).Bytes(), "0104033d011acc93032d0c35ee5befc8ae3efa70d1dfa7ab8724382ff06872ae")
	check(t, "theta of one", thetaOf(12, LongKey(1)).Bytes(), "01030300003acc9315f97dcbbd86a105")
	check(t, "theta of none", NewTheta().Bytes(), "01030300001e0000")
	check(t, "theta that samples", thetaOf(4, longs(0, 40)...).Bytes(),
		"0204033c011acc93b6f28e894f5f72211018f2413897938fb32fc6ba1656a1e70e29bf02bae1e3329c550c15b0e52b0198ceeb08aad29865304281678b950fdd6fb49d486933122150157d952c0d2a2a137edd10d62aa91e67239fd10e42fb6cec94eb41b3598ddbc8b71e03c0a3656e5ee560d78c99255f0d600cf83aeb605c6c2071eea6b57b4e59")
	check(t, "theta intersection", thetaOf(4, longs(0, 40)...).Intersect(thetaOf(4, longs(5, 45)...)).Bytes(),
		"0204033c011acc93b6f28e894f5f72210c18f2413897938fb32fc6ba1656a1e73987deaf1e9b087865304281678b950fdd6fb49d486933122150157d952c0d2a2a137edd10d62aa91e67239fd10e42fb6cec94eb41b3598ddbc8b71e11396cf7c44fbb614172556b81151b")
	check(t, "theta difference", thetaOf(4, longs(0, 100)...).Without(thetaOf(4, longs(1000, 1100)...)).Bytes(),
		"0204033a011acc936a918b0b0be72c0f1057e1c72df6c88282f9cf6d19e16f188993241a609050d48321d8ac4ad90e37b3cdc48cbe847cf84cd7d310b26b31ad78c3b4a027f8c606fbd5e208e2a84314369cdf9230678cf87f915eba7a2652b374198ceeb08aad29bc2f2322b464d242759fd19422faf31a4354a9e08545494be26bed49d1")
	check(t, "theta intersection of none", thetaOf(4, longs(0, 100)...).Intersect(thetaOf(4, longs(1000, 1100)...)).Bytes(), "03030300001acc93000000000000803f6a918b0b0be72c0f")
}

func tupleOf[T number](lg int, mode Mode, v T, keys ...Key) *Tuple[T] {
	u := NewTupleUnion[T](lg, mode)
	for _, k := range keys {
		u.Add(k, v)
	}
	return u.Result()
}

func TestTupleBytesAreSparks(t *testing.T) {
	few := []Key{LongKey(1), LongKey(2), LongKey(2), LongKey(9)}
	check(t, "integer", tupleOf(12, Sum, int32(1), few...).Bytes(),
		"02030901000acc93030000000000000015f97dcbbd86a10501000000001ad1300b998c2f220100000000c397fc1281709d1e0200000000")
	check(t, "double", tupleOf(12, Sum, 1.0, few...).Bytes(),
		"02030901000acc93030000000000000015f97dcbbd86a105000000000000f03f001ad1300b998c2f22000000000000f03f00c397fc1281709d1e000000000000004000")
	check(t, "none", tupleOf(12, Sum, 1.0).Bytes(), "01030901000ecc93")
	// The order of keys that meet in the hash table is not Spark's.
	theirs, err := hex.DecodeString("03030901000acc931000000000000000b6f28e894f5f722140de2ee1c9db3d08000000000000f03f003ebadca36f6fb620000000000000f03f00e2dacf9fcdeabe04000000000000f03f00c397fc1281709d1e000000000000f03f00e56b61eec8804420000000000000f03f00698bb991b8685708000000000000f03f00ca0361aae7339f15000000000000f03f006da916bc4a66611e000000000000f03f004ff24de0bc0cae1c000000000000f03f00919df55cf66fba11000000000000f03f009ba3841106ddc91b000000000000f03f0015f97dcbbd86a105000000000000f03f00fb38798913248f01000000000000f03f0023a55b381afd741f000000000000f03f00bd3273724691cc14000000000000f03f00fe162113fb98bc10000000000000f03f00")
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadTuple[float64](theirs)
	if ours := tupleOf(4, Sum, 1.0, longs(0, 40)...); err != nil || !maps.Equal(read.m, ours.m) || read.theta != ours.theta {
		t.Errorf("sampling: %v, %v, want %v", err, ours, read)
	}
	a, b := tupleOf(12, Sum, int32(5), longs(1, 3)...), tupleOf(12, Sum, int32(3), LongKey(2), LongKey(9))
	u := NewTupleUnion[int32](12, Max)
	u.AddSketch(a)
	u.AddSketch(b)
	check(t, "union", u.Result().Bytes(), "02030901000acc93030000000000000015f97dcbbd86a10505000000001ad1300b998c2f220300000000c397fc1281709d1e0500000002")
	check(t, "intersection", a.Intersect(b, Sum).Bytes(), "01030901000acc93c397fc1281709d1e0800000000")
	th := thetaOf(12, LongKey(2), LongKey(3))
	check(t, "with theta", a.Intersect(FromTheta(th, Summary[int32]{Neutral[int32](Min), Min}), Min).Bytes(), "01030901000acc93c397fc1281709d1e0500000001")
	check(t, "without theta", a.Without(th).Bytes(), "01030901000acc9315f97dcbbd86a1050500000000")
	s := tupleOf(4, Sum, int32(1), longs(0, 1000)...)
	if s.Theta() != 0.016920760639258032 || s.Estimate() != 945.5839687772802 {
		t.Errorf("theta %v, estimate %v", s.Theta(), s.Estimate())
	}
}

func TestKLLBytesAreSparks(t *testing.T) {
	add := func(vs ...int64) *KLL[int64] {
		s, out := NewKLL[int64](DefaultK), NewKLL[int64](DefaultK)
		for _, v := range vs {
			s.Add(v)
		}
		out.Merge(s) // as the last step of the aggregate
		return out
	}
	check(t, "several", add(1, 2, 2, 9).Bytes(),
		"05010f00c80008000400000000000000c8000100c4000000010000000000000009000000000000000100000000000000020000000000000002000000000000000900000000000000")
	check(t, "one", add(1).Bytes(), "02020f04c80008000100000000000000")
	check(t, "none", add().Bytes(), "02010f01c8000800")
	m := add(1, 2)
	m.Merge(add(2, 3))
	check(t, "merged", m.Bytes(),
		"05010f00c80008000400000000000000c8000100c4000000010000000000000003000000000000000300000000000000020000000000000001000000000000000200000000000000")
	s := add(1, 2, 2, 9)
	if q := s.Quantiles([]float64{0, 0.25, 0.5, 1}); q[0] != 1 || q[1] != 1 || q[2] != 2 || q[3] != 9 {
		t.Errorf("quantiles %v", q)
	}
	if r := s.Ranks([]int64{0, 2, 3, 10}); r[0] != 0 || r[1] != 0.75 || r[2] != 0.75 || r[3] != 1 {
		t.Errorf("ranks %v", r)
	}
	const want = "\n### KllKllLongsSketch Summary:\n   K                      : 200\n   Dynamic min K          : 200\n   M                      : 8\n   N                      : 1000\n   Epsilon                : 1.329%\n   Epsilon PMF            : 1.652%\n   Empty                  : false\n   Estimation Mode        : true\n   Levels                 : 3\n   Level 0 Sorted         : false\n   Capacity Items         : 422\n"
	var many []int64
	for i := range int64(1000) {
		many = append(many, i)
	}
	if got := add(many...).String(); got[:min(len(want), len(got))] != want {
		t.Errorf("summary %q", got)
	}
}

// What is far from exact must still come near, and the bytes must keep it.
func TestEstimatesComeNear(t *testing.T) {
	const n = 100_000
	near := func(what string, got, want, rel float64) {
		t.Helper()
		if math.Abs(got-want) > rel*want {
			t.Errorf("%s: %v, want about %v", what, got, want)
		}
	}
	h := hllOf(12, longs(0, n)...)
	near("hip", h.Estimate(), n, 0.03)
	u := NewHLL(12)
	u.Merge(hllOf(12, longs(0, n/2)...))
	u.Merge(hllOf(12, longs(n/2, n)...))
	near("composite", u.Estimate(), n, 0.05)
	r, err := ReadHLL(u.Bytes())
	if err != nil || r.Estimate() != u.Estimate() {
		t.Errorf("read back: %v, %v", r.Estimate(), err)
	}
	small := NewHLL(12)
	small.Merge(hllOf(14, longs(0, n)...))
	if small.LgK() != 12 {
		t.Errorf("lgK %d", small.LgK())
	}
	near("downsampled", small.Estimate(), n, 0.05)
	near("theta", thetaOf(12, longs(0, n)...).Estimate(), n, 0.05)
	k := NewKLL[float64](DefaultK)
	for i := range n {
		k.Add(float64(i*7919%n) / n)
	}
	for _, q := range []float64{0.01, 0.5, 0.99} {
		if got := k.Quantiles([]float64{q})[0]; math.Abs(got-q) > 0.03 {
			t.Errorf("quantile %v: %v", q, got)
		}
	}
	k2, err := ReadKLL[float64](k.Bytes())
	if err != nil || k2.N() != n || math.Abs(k2.Ranks([]float64{0.25})[0]-0.25) > 0.03 {
		t.Errorf("KLL read back: %v", err)
	}
	k2.Merge(k)
	if k2.N() != 2*n || math.Abs(k2.Quantiles([]float64{0.5})[0]-0.5) > 0.03 {
		t.Errorf("merged: n %d", k2.N())
	}
}

// The estimates are those of Spark's registers: bias and zeros, by precision.
func TestDistinctKnowsItsTables(t *testing.T) {
	for p := MinDistinctBits; p <= 18; p++ {
		s := NewDistinct(p)
		n := 4 << p
		for i := range n {
			k := LongKey(int64(i))
			s.Add(k.h1)
		}
		if got := float64(s.Estimate()); math.Abs(got-float64(n)) > 4*1.04/math.Sqrt(float64(int(1)<<p))*float64(n) {
			t.Errorf("p %d: %v, want about %d", p, got, n)
		}
	}
}

func TestHistogramDrawsAsHive(t *testing.T) {
	h := NewHistogram(5)
	for i := range 1000 {
		h.Add(float64(i))
	}
	want := []Bin{{71, 144}, {285, 283}, {498, 144}, {712, 283}, {926, 146}}
	for i, b := range h.Bins() {
		if math.Trunc(b.X) != want[i].X || b.Y != want[i].Y {
			t.Errorf("bin %d: %v, want %v", i, b, want[i])
		}
	}
}

func TestCountMinBytesAreSparks(t *testing.T) {
	s, _ := NewCountMin(0.9, 0.5, 1)
	for _, v := range []int64{1, 2, 2, 9} {
		s.AddLong(v)
	}
	check(t, "longs", s.Bytes(), "00000001000000000000000400000001000000030000"+"00005d8d6ab9000000000000000200000000000000020000000000000000")
	if _, ok := NewCountMin(1e-12, 0.5, 1); ok {
		t.Error("a sketch of terabytes was made")
	}
}
