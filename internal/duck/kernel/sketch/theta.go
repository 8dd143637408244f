package sketch

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// The bounds of the logarithm of a Theta or Tuple sketch's nominal entries.
const (
	MinLgEntries = 4
	MaxLgEntries = 26
)

// full is the theta of a sketch that has seen no more keys than it holds.
const full = math.MaxInt64

// Theta is a set of the hashes below theta: the set operations' value. Hashes
// ascend.
type Theta struct {
	hashes []uint64
	theta  uint64
	empty  bool // no key was ever added
}

// NewTheta is the empty set.
func NewTheta() *Theta { return &Theta{theta: full, empty: true} }

// Estimate is the number of distinct keys.
func (s *Theta) Estimate() float64 { return thetaEstimate(len(s.hashes), s.theta) }

func thetaEstimate(n int, theta uint64) float64 {
	return float64(n) * (float64(full) / float64(theta))
}

// Intersect is the set of what both have.
func (s *Theta) Intersect(o *Theta) *Theta {
	if s.empty || o.empty {
		return NewTheta()
	}
	return s.keep(o, true)
}

// Without is the set of what s has and o has not.
func (s *Theta) Without(o *Theta) *Theta {
	if s.empty || o.empty {
		return s
	}
	return s.keep(o, false)
}

func (s *Theta) keep(o *Theta, shared bool) *Theta {
	n := &Theta{theta: min(s.theta, o.theta)}
	for _, h := range s.hashes {
		if _, found := slices.BinarySearch(o.hashes, h); h < n.theta && found == shared {
			n.hashes = append(n.hashes, h)
		}
	}
	n.empty = len(n.hashes) == 0 && n.theta == full
	return n
}

// ThetaUnion gathers keys and sets, and keeps the least of their hashes.
type ThetaUnion struct {
	k     int
	m     map[uint64]struct{}
	theta uint64
	empty bool
}

// NewThetaUnion keeps 2^lgEntries hashes, MinLgEntries to MaxLgEntries.
func NewThetaUnion(lgEntries int) *ThetaUnion {
	return &ThetaUnion{k: 1 << lgEntries, m: map[uint64]struct{}{}, theta: full, empty: true}
}

// Add counts a key.
func (u *ThetaUnion) Add(k Key) {
	u.empty = false
	u.add(k.h1 >> 1)
}

func (u *ThetaUnion) add(h uint64) {
	if h == 0 || h >= u.theta {
		return
	}
	u.m[h] = struct{}{}
	if len(u.m) > 2*u.k*15/16 {
		u.trim()
	}
}

// trim keeps the k least hashes; theta is the next one.
func (u *ThetaUnion) trim() {
	hashes := make([]uint64, 0, len(u.m))
	for h := range u.m {
		hashes = append(hashes, h)
	}
	u.theta = leastAbove(hashes, u.k)
	for h := range u.m {
		if h >= u.theta {
			delete(u.m, h)
		}
	}
}

// leastAbove sorts the hashes and gives the one behind the first k.
func leastAbove(hashes []uint64, k int) uint64 {
	slices.Sort(hashes)
	return hashes[k]
}

// Merge adds what o has seen.
func (u *ThetaUnion) Merge(o *ThetaUnion) {
	if o.empty {
		return
	}
	u.begin(o.theta)
	for h := range o.m {
		u.add(h)
	}
}

// AddSet adds a set.
func (u *ThetaUnion) AddSet(s *Theta) {
	if s.empty {
		return
	}
	u.begin(s.theta)
	for _, h := range s.hashes {
		u.add(h)
	}
}

func (u *ThetaUnion) begin(theta uint64) {
	u.empty = false
	if theta >= u.theta {
		return
	}
	u.theta = theta
	dropFrom(u.m, theta)
}

// dropFrom takes the hashes from theta on out of a set.
func dropFrom[V any](m map[uint64]V, theta uint64) {
	for h := range m {
		if h >= theta {
			delete(m, h)
		}
	}
}

// Result is the union's set.
func (u *ThetaUnion) Result() *Theta {
	if len(u.m) > u.k {
		u.trim()
	}
	s := &Theta{theta: u.theta, empty: u.empty, hashes: make([]uint64, 0, len(u.m))}
	for h := range u.m {
		s.hashes = append(s.hashes, h)
	}
	slices.Sort(s.hashes)
	return s
}

// Bytes are the set in compact form; more than one hash is packed by the bits
// of their differences (version 4).
func (s *Theta) Bytes() []byte {
	n := len(s.hashes)
	exact := s.theta == full
	if n == 0 || n == 1 && exact {
		return s.plainBytes()
	}
	all, previous := uint64(0), uint64(0)
	for _, h := range s.hashes {
		all |= h - previous
		previous = h
	}
	width := bits.Len64(all)
	count := (bits.Len(uint(n)) + 7) / 8
	b := []byte{1, 4, 3, byte(width), byte(count), flagReadOnly | flagCompact | flagOrdered, seedHash & 0xff, seedHash >> 8}
	if !exact {
		b[0] = 2
		b = binary.LittleEndian.AppendUint64(b, s.theta)
	}
	for i := range count {
		b = append(b, byte(n>>(8*i)))
	}
	p := packer{b: b}
	previous = 0
	for _, h := range s.hashes {
		p.put(h-previous, width)
		previous = h
	}
	return p.end()
}

func (s *Theta) plainBytes() []byte {
	b := []byte{1, 3, 3, 0, 0, flagReadOnly | flagCompact | flagOrdered, 0, 0}
	switch {
	case s.empty:
		b[5] |= flagEmpty
		return b
	case len(s.hashes) == 1:
		b[5] |= flagSingle
	default:
		b[0] = 3
	}
	b[6], b[7] = seedHash&0xff, seedHash>>8
	if b[0] == 3 {
		b = append(b, 0, 0, 0, 0, 0, 0, 0x80, 0x3f) // no hash, a sampling rate of 1
		b = binary.LittleEndian.AppendUint64(b, s.theta)
	}
	for _, h := range s.hashes {
		b = binary.LittleEndian.AppendUint64(b, h)
	}
	return b
}

// packer writes numbers of a width, the most significant bit first.
type packer struct {
	b    []byte
	acc  byte
	used int
}

func (p *packer) put(v uint64, width int) {
	for width > 0 {
		n := min(8-p.used, width)
		width -= n
		p.acc = p.acc<<n | byte(v>>width)&(1<<n-1)
		if p.used += n; p.used == 8 {
			p.b, p.acc, p.used = append(p.b, p.acc), 0, 0
		}
	}
}

func (p *packer) end() []byte {
	if p.used > 0 {
		p.b = append(p.b, p.acc<<(8-p.used))
	}
	return p.b
}

// unpack reads n numbers of a width.
func unpack(b []byte, n, width int) []uint64 {
	out := make([]uint64, n)
	at := 0
	for i := range out {
		for left := width; left > 0; {
			m := min(8-at%8, left)
			out[i] = out[i]<<m | uint64(b[at/8]>>(8-at%8-m))&(1<<m-1)
			at, left = at+m, left-m
		}
	}
	return out
}

// ReadTheta reads a compact sketch, packed (version 4) or plain (version 3).
func ReadTheta(b []byte) (*Theta, error) {
	if len(b) < 8 || b[2] != 3 || b[1] != 3 && b[1] != 4 {
		return nil, fmt.Errorf("theta: %w", ErrFormat)
	}
	if b[1] == 3 && b[5]&flagEmpty != 0 {
		return NewTheta(), nil
	}
	s := &Theta{theta: full}
	ok := binary.LittleEndian.Uint16(b[6:]) == seedHash
	if ok && b[1] == 4 {
		ok = s.readPacked(b)
	} else if ok {
		ok = b[5]&flagCompact != 0 && b[5]&flagReadOnly != 0 && s.readPlain(b)
	}
	if !ok || s.theta == 0 || s.theta > full {
		return nil, fmt.Errorf("theta: %w", ErrFormat)
	}
	slices.Sort(s.hashes)
	for i, h := range s.hashes {
		if h == 0 || h >= s.theta || i > 0 && h == s.hashes[i-1] {
			return nil, fmt.Errorf("theta: %w", ErrFormat)
		}
	}
	return s, nil
}

func (s *Theta) readPacked(b []byte) bool {
	width, count, rest := int(b[3]), int(b[4]), b[8:]
	if b[0]&63 > 1 {
		if len(rest) < 8 {
			return false
		}
		s.theta, rest = binary.LittleEndian.Uint64(rest), rest[8:]
	}
	if count > 4 || len(rest) < count || width == 0 || width > 63 {
		return false
	}
	n := 0
	for i := range count {
		n |= int(rest[i]) << (8 * i)
	}
	if rest = rest[count:]; len(rest)*8/width < n {
		return false
	}
	s.hashes = unpack(rest, n, width)
	for i := 1; i < n; i++ {
		s.hashes[i] += s.hashes[i-1]
	}
	return true
}

func (s *Theta) readPlain(b []byte) bool {
	pre := int(b[0] & 63)
	n := 1
	switch {
	case pre < 1 || pre > 3 || len(b) < 8*pre:
		return false
	case pre > 1:
		n = int(binary.LittleEndian.Uint32(b[8:]))
	}
	if pre > 2 {
		s.theta = binary.LittleEndian.Uint64(b[16:])
	}
	b = b[8*pre:]
	if n < 0 || len(b)/8 < n {
		return false
	}
	s.hashes = make([]uint64, n)
	for i := range s.hashes {
		s.hashes[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return true
}
