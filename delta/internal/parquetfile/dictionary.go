package parquetfile

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// numbers is a dictionary of fixed-width values, in order of their coming.
type numbers[T int32 | int64] struct {
	slots []int32 // index + 1; a power of two, at most half full
	shift int
	keys  []T
}

const firstSlots = 1 << 9

func (d *numbers[T]) reset() {
	if d.slots == nil {
		d.grow(firstSlots)
		return
	}
	clear(d.slots)
	d.keys = d.keys[:0]
}

func (d *numbers[T]) grow(n int) {
	d.slots, d.shift = make([]int32, n), 64-bits.TrailingZeros(uint(n))
	for i, k := range d.keys {
		h := d.home(k)
		for d.slots[h] != 0 {
			h = (h + 1) & (len(d.slots) - 1)
		}
		d.slots[h] = int32(i + 1)
	}
}

// home spreads keys by Fibonacci hashing.
func (d *numbers[T]) home(k T) int { return int(uint64(k) * 0x9e3779b97f4a7c15 >> d.shift) }

// index finds or adds a value.
func (d *numbers[T]) index(k T) uint32 {
	h := d.home(k)
	for {
		switch at := d.slots[h]; {
		case at == 0:
			d.keys = append(d.keys, k)
			d.slots[h] = int32(len(d.keys))
			if 2*len(d.keys) > len(d.slots) {
				d.grow(2 * len(d.slots))
			}
			return uint32(len(d.keys) - 1)
		case d.keys[at-1] == k:
			return uint32(at - 1)
		}
		h = (h + 1) & (len(d.slots) - 1)
	}
}

// phrases is a dictionary of byte strings, in order of their coming.
type phrases struct {
	seed  maphash.Seed
	slots []textSlot // a power of two, at most half full
	shift int
	data  []byte
	ends  []uint32 // of the entries in data
}

// textSlot has an entry's print, which is all of it where it is short.
type textSlot struct {
	print textPrint
	at    int32 // index + 1
}

// textPrint tells texts apart: the words at both ends of a text of up to 16
// bytes, the hash of a longer one.
type textPrint struct {
	head, tail uint64
	length     uint32
}

const shortText = 16

func (d *phrases) printOf(v []byte) textPrint {
	n := len(v)
	p := textPrint{length: uint32(n)}
	switch {
	case n > shortText:
		p.head = maphash.Bytes(d.seed, v)
	case n >= 8:
		p.head, p.tail = binary.LittleEndian.Uint64(v), binary.LittleEndian.Uint64(v[n-8:])
	case n >= 4:
		p.head = uint64(binary.LittleEndian.Uint32(v)) | uint64(binary.LittleEndian.Uint32(v[n-4:]))<<32
	default:
		for i, c := range v {
			p.head |= uint64(c) << (8 * i)
		}
	}
	return p
}

// home is where a text's search begins.
func (d *phrases) home(p textPrint) int {
	h, l := bits.Mul64(p.head^0x9e3779b97f4a7c15, p.tail^uint64(p.length)^0xd6e8feb86659fd93)
	return int((h ^ l) * 0x9e3779b97f4a7c15 >> d.shift)
}

func (d *phrases) reset() {
	if d.slots == nil {
		d.seed, d.slots = maphash.MakeSeed(), make([]textSlot, firstSlots)
		d.shift = 64 - bits.TrailingZeros(firstSlots)
		return
	}
	clear(d.slots)
	d.data, d.ends = d.data[:0], d.ends[:0]
}

func (d *phrases) entry(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = d.ends[i-1]
	}
	return d.data[from:d.ends[i]]
}

// index finds or adds a value; fresh tells that it was added.
func (d *phrases) index(v []byte) (i uint32, fresh bool) {
	p := d.printOf(v)
	for h := d.home(p); ; h = (h + 1) & (len(d.slots) - 1) {
		s := &d.slots[h]
		if s.at == 0 {
			d.data = append(d.data, v...)
			d.ends = append(d.ends, uint32(len(d.data)))
			*s = textSlot{p, int32(len(d.ends))}
			if 2*len(d.ends) > len(d.slots) {
				d.grow()
			}
			return uint32(len(d.ends) - 1), true
		}
		if s.print == p && (len(v) <= shortText || string(d.entry(int(s.at-1))) == string(v)) {
			return uint32(s.at - 1), false
		}
	}
}

func (d *phrases) grow() {
	old := d.slots
	d.slots = make([]textSlot, 2*len(old))
	d.shift--
	for _, s := range old {
		if s.at == 0 {
			continue
		}
		h := d.home(s.print)
		for d.slots[h].at != 0 {
			h = (h + 1) & (len(d.slots) - 1)
		}
		d.slots[h] = s
	}
}
