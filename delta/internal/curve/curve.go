package curve

import "math/bits"

// Kind is a curve.
type Kind uint8

// The curves.
const (
	ZOrder Kind = iota
	Hilbert
)

// Bits is how many bits of each of so many columns' ranks count in a place of
// 64 bits, 0 for columns past the 64th.
func Bits(columns int) int {
	switch {
	case columns == 1:
		return 16
	case columns <= 0:
		return 0
	}
	return min(10, 64/min(columns, 64))
}

// Place is where a row with these ranks, each below 1<<width, lies on the
// curve. Ranks are overwritten. Only the first 64/width of them count.
func (k Kind) Place(ranks []uint32, width int) uint64 {
	ranks = ranks[:min(len(ranks), 64/width)]
	if k == Hilbert && len(ranks) > 1 {
		transpose(ranks, width)
	}
	return interleave(ranks, width)
}

// interleave takes the highest bit of each rank, then the next ones.
func interleave(ranks []uint32, width int) uint64 {
	var out uint64
	for bit := width - 1; bit >= 0; bit-- {
		for _, r := range ranks {
			out = out<<1 | uint64(r>>bit&1)
		}
	}
	return out
}

// transpose makes the coordinates x of a point the bits of its Hilbert index,
// spread over x as interleave reads them (J. Skilling, "Programming the Hilbert
// curve", AIP Conference Proceedings 707, 2004).
func transpose(x []uint32, width int) {
	top := uint32(1) << (width - 1)
	for q := top; q > 1; q >>= 1 { // undo excess work
		p := q - 1
		for i := range x {
			if x[i]&q != 0 {
				x[0] ^= p
			} else {
				t := (x[0] ^ x[i]) & p
				x[0] ^= t
				x[i] ^= t
			}
		}
	}
	for i := 1; i < len(x); i++ { // Gray encode
		x[i] ^= x[i-1]
	}
	var t uint32
	last := x[len(x)-1]
	for q := top; q > 1; q >>= 1 {
		if last&q != 0 {
			t ^= q - 1
		}
	}
	for i := range x {
		x[i] ^= t
	}
}

// spread places range i of n, from 1 on, evenly over width bits; 0 is for NULL.
func spread(i, n, width int) uint32 {
	most := uint64(1)<<width - 1
	if n <= 1 {
		return uint32(most)
	}
	hi, lo := bits.Mul64(uint64(i), most)
	at, _ := bits.Div64(hi, lo, uint64(n))
	return uint32(max(at, 1))
}
