package parquetfile

import (
	"encoding/binary"
	"errors"

	"github.com/apache/arrow-go/v18/arrow/bitutil"
)

var errHybrid = errors.New("malformed Parquet: a page's levels or indices are cut off")

// hybridReader reads Parquet's mix of run lengths and bit packing, which
// appendHybrid writes.
type hybridReader struct {
	data  []byte // behind the current run or group
	width int
	run   int // numbers left of a run
	value uint32
	group []byte // bit-packed numbers
	bit   int    // of the next one in group
	left  int    // how many are left in it
}

// maxWidth is how many bits a number has at most.
const maxWidth = 32

func newHybridReader(data []byte, width int) hybridReader {
	return hybridReader{data: data, width: width}
}

// bitPacked are levels of one bit without a length, the first in the highest
// bit, as the oldest writers have them.
func bitPacked(data []byte, n int) hybridReader {
	turned := make([]byte, len(data))
	for i, b := range data {
		for j := range 8 {
			turned[i] |= b >> (7 - j) & 1 << j
		}
	}
	return hybridReader{width: 1, group: turned, left: n}
}

// next begins the next run or group where the current one has ended.
func (h *hybridReader) next() error {
	for h.run == 0 && h.left == 0 {
		head, n := binary.Uvarint(h.data)
		if n <= 0 {
			return errHybrid
		}
		h.data = h.data[n:]
		count := head >> 1
		if count > 1<<28 {
			return errHybrid
		}
		if head&1 == 1 {
			size := min(int(count)*h.width, len(h.data)) // the last group may be cut short
			h.group, h.bit, h.left = h.data[:size], 0, int(count)*8
			h.data = h.data[size:]
			continue
		}
		size := (h.width + 7) / 8
		if size > len(h.data) {
			return errHybrid
		}
		h.run, h.value = int(count), 0
		for i := range size {
			h.value |= uint32(h.data[i]) << (8 * i)
		}
		h.data = h.data[size:]
	}
	return nil
}

// levels sets n bits from one on to levels of one bit, and tells how many of
// them are 1.
func (h *hybridReader) levels(bits []byte, at, n int) (set int, err error) {
	for n > 0 {
		if err := h.next(); err != nil {
			return 0, err
		}
		k := min(n, max(h.run, h.left))
		if h.run > 0 {
			if h.value > 1 {
				return 0, errHybrid
			}
			bitutil.SetBitsTo(bits, int64(at), int64(k), h.value == 1)
			set += k * int(h.value)
			h.run -= k
		} else {
			if h.bit+k > 8*len(h.group) {
				return 0, errHybrid
			}
			bitutil.CopyBitmap(h.group, h.bit, k, bits, at)
			set += bitutil.CountSetBits(h.group, h.bit, k)
			h.bit += k
			h.left -= k
		}
		at += k
		n -= k
	}
	return set, nil
}

// read fills dst with numbers below limit.
func (h *hybridReader) read(dst []int32, limit int) error {
	for len(dst) > 0 {
		if err := h.next(); err != nil {
			return err
		}
		k := min(len(dst), max(h.run, h.left))
		greatest := h.value
		if h.run > 0 {
			for i := range dst[:k] {
				dst[i] = int32(h.value)
			}
			h.run -= k
		} else {
			if h.bit+k*h.width > 8*len(h.group) {
				return errHybrid
			}
			greatest = h.unpack(dst[:k])
			h.left -= k
		}
		if uint64(greatest) >= uint64(limit) {
			return errors.New("malformed Parquet: an index beyond the dictionary")
		}
		dst = dst[k:]
	}
	return nil
}

// unpack fills dst from the group, which has as many, and gives the greatest.
func (h *hybridReader) unpack(dst []int32) uint32 {
	mask := uint64(1)<<h.width - 1
	bit, greatest := h.bit, uint32(0)
	for i := range dst {
		var w uint64
		if at := bit >> 3; at+8 <= len(h.group) {
			w = binary.LittleEndian.Uint64(h.group[at:])
		} else {
			for j, b := range h.group[min(at, len(h.group)):] {
				w |= uint64(b) << (8 * j)
			}
		}
		v := uint32(w >> (bit & 7) & mask)
		greatest = max(greatest, v)
		dst[i] = int32(v)
		bit += h.width
	}
	h.bit = bit
	return greatest
}
