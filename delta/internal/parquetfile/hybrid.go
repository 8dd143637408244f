package parquetfile

import (
	"encoding/binary"
	"math/bits"
)

// appendHybrid appends numbers below 1<<width in Parquet's mix of run lengths
// and bit packing: eight or more equal numbers become a run.
func appendHybrid(dst []byte, values []uint32, width int) []byte {
	packed := 0 // values from here on are not written yet; a multiple of 8 before at
	for at := 0; at+8 <= len(values); {
		run := runLength(values[at:])
		if run < 8 {
			at += 8
			continue
		}
		dst = appendPacked(dst, values[packed:at], width)
		dst = binary.AppendUvarint(dst, uint64(run)<<1)
		for shift := 0; shift < width; shift += 8 {
			dst = append(dst, byte(values[at]>>shift))
		}
		at += run
		packed = at
	}
	return appendPacked(dst, values[packed:], width)
}

// runLength is how many values equal the first one; less than eight where
// there is no run.
func runLength(values []uint32) int {
	v := values[0]
	if values[7] != v || values[3] != v {
		return 1
	}
	n := 1
	for n < len(values) && values[n] == v {
		n++
	}
	return n
}

// appendPacked appends values bit-packed, in groups of eight; the last one is
// filled up with zeros.
func appendPacked(dst []byte, values []uint32, width int) []byte {
	if len(values) == 0 {
		return dst
	}
	groups := (len(values) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	var acc uint64
	held := 0
	for _, v := range values {
		acc |= uint64(v) << held
		if held += width; held >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(acc))
			acc >>= 32
			held -= 32
		}
	}
	for left := groups*8*width - len(values)*width + held; left > 0; left -= 8 {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	return dst
}

// widthOf is how many bits an index below n takes.
func widthOf(n int) int { return max(1, bits.Len(uint(n-1))) }
