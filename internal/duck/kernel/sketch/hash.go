package sketch

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

// ErrFormat is the family of errors about bytes that are no valid sketch.
var ErrFormat = errors.New("no valid sketch")

// Key is the hash of a value as HLL, Theta and Tuple sketches take it.
type Key struct{ h1, h2 uint64 }

// updateSeed is DataSketches' seed, whose own hash stands in Theta and Tuple
// sketches.
const (
	updateSeed = 9001
	seedHash   = 0x93cc
)

// LongKey is the key of an integer.
func LongKey(v int64) Key {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(v))
	return bytesKey(b[:])
}

// DoubleKey is the key of a float: -0.0 is 0.0, and NaNs are one.
func DoubleKey(v float64) Key {
	switch {
	case v == 0:
		v = 0
	case v != v:
		return LongKey(0x7ff8000000000000)
	}
	return LongKey(int64(math.Float64bits(v)))
}

// BytesKey is the key of a text or of bytes, and of an array of integers as
// its little-endian bytes; false for the empty one, which is not counted.
func BytesKey(b []byte) (Key, bool) {
	if len(b) == 0 {
		return Key{}, false
	}
	return bytesKey(b), true
}

const (
	murmurC1 = 0x87c37b91114253d5
	murmurC2 = 0x4cf5ad432745937f
)

// bytesKey is MurmurHash3 for x64 with 128 bits.
func bytesKey(b []byte) Key {
	n := uint64(len(b))
	h1, h2 := uint64(updateSeed), uint64(updateSeed)
	for ; len(b) >= 16; b = b[16:] {
		h1 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(b)*murmurC1, 31) * murmurC2
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(b[8:])*murmurC2, 33) * murmurC1
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	}
	var tail [16]byte
	copy(tail[:], b)
	h2 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(tail[8:])*murmurC2, 33) * murmurC1
	h1 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(tail[:])*murmurC1, 31) * murmurC2
	h1 ^= n
	h2 ^= n
	h1 += h2
	h2 += h1
	h1, h2 = mix(h1), mix(h2)
	h1 += h2
	return Key{h1, h2 + h1}
}

// mix is MurmurHash3's finalizer.
func mix(k uint64) uint64 {
	k = (k ^ k>>33) * 0xff51afd7ed558ccd
	k = (k ^ k>>33) * 0xc4ceb9fe1a85ec53
	return k ^ k>>33
}
