package sketch

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// The bounds of an HLL sketch's address bits.
const (
	MinLgK = 4
	MaxLgK = 21
)

// The states an HLL sketch grows through, by their number in the bytes.
const (
	listMode = 0 // up to 8 coupons in the order of their coming
	setMode  = 1 // coupons in a hash table
	hllMode  = 2 // registers
)

const (
	keyBits   = 26
	keyMask   = 1<<keyBits - 1
	lgListLen = 3
	lgSetLen  = 5
)

// HLL counts distinct keys in registers of 8 bits. Few keys are kept as
// coupons (register and value in 32 bits), which counts them almost exactly.
type HLL struct {
	lgK     int
	mode    int
	coupons []uint32 // list or table; 0 is free
	count   int      // coupons

	regs       []byte
	zeros      int     // registers that are 0
	hip        float64 // the estimate that goes along with the updates
	kxq0, kxq1 float64 // sum of 2^-register, small and large ones
	outOfOrder bool    // merged: hip does not hold
}

// NewHLL makes an empty sketch with 2^lgK registers, MinLgK to MaxLgK.
func NewHLL(lgK int) *HLL {
	return &HLL{lgK: lgK, coupons: make([]uint32, 1<<lgListLen)}
}

// LgK is the number of address bits.
func (s *HLL) LgK() int { return s.lgK }

// Add counts a key.
func (s *HLL) Add(k Key) {
	s.coupon(uint32(min(bits.LeadingZeros64(k.h2), 62)+1)<<keyBits | uint32(k.h1)&keyMask)
}

func (s *HLL) coupon(c uint32) {
	switch s.mode {
	case listMode:
		s.addToList(c)
	case setMode:
		s.addToSet(c)
	default:
		s.register(int(c)&(1<<s.lgK-1), byte(c>>keyBits))
	}
}

func (s *HLL) addToList(c uint32) {
	if slices.Contains(s.coupons[:s.count], c) {
		return
	}
	s.coupons[s.count] = c
	s.count++
	if s.count < len(s.coupons) {
		return
	}
	if s.lgK < 8 {
		s.promote()
		return
	}
	list := s.coupons
	s.mode, s.count, s.coupons = setMode, 0, make([]uint32, 1<<lgSetLen)
	for _, c := range list {
		s.addToSet(c)
	}
}

func (s *HLL) addToSet(c uint32) {
	i, found := find(s.coupons, c)
	if found {
		return
	}
	s.coupons[i] = c
	s.count++
	if 4*s.count <= 3*len(s.coupons) {
		return
	}
	if len(s.coupons) == 1<<(s.lgK-3) {
		s.promote()
		return
	}
	old := s.coupons
	s.coupons = make([]uint32, 2*len(old))
	for _, c := range old {
		if c != 0 {
			i, _ := find(s.coupons, c)
			s.coupons[i] = c
		}
	}
}

// find is the place of a coupon in a table that has a free one.
func find(table []uint32, c uint32) (int, bool) {
	mask := uint32(len(table) - 1)
	stride := (c&keyMask)>>bits.TrailingZeros(uint(len(table))) | 1
	i := c & mask
	for range table {
		if table[i] == 0 || table[i] == c {
			return int(i), table[i] == c
		}
		i = (i + stride) & mask
	}
	return int(i), true // full: decoding lets none through
}

// promote goes over to registers.
func (s *HLL) promote() {
	est, coupons := s.Estimate(), s.coupons
	s.makeRegisters()
	for _, c := range coupons {
		if c != 0 {
			s.coupon(c)
		}
	}
	s.hip = est
}

func (s *HLL) makeRegisters() {
	k := 1 << s.lgK
	s.mode, s.coupons, s.count = hllMode, nil, 0
	s.regs, s.zeros, s.kxq0, s.kxq1, s.hip = make([]byte, k), k, float64(k), 0, 0
}

// register raises a register to v.
func (s *HLL) register(i int, v byte) {
	old := s.regs[i]
	if v <= old {
		return
	}
	s.regs[i] = v
	s.hip += float64(int(1)<<s.lgK) / (s.kxq0 + s.kxq1)
	s.weigh(old, -1)
	s.weigh(v, 1)
	if old == 0 {
		s.zeros--
	}
}

func (s *HLL) weigh(v byte, sign float64) {
	if v < 32 {
		s.kxq0 += sign * math.Ldexp(1, -int(v))
	} else {
		s.kxq1 += sign * math.Ldexp(1, -int(v))
	}
}

// reweigh works zeros and sums out of the registers.
func (s *HLL) reweigh() {
	s.zeros, s.kxq0, s.kxq1 = 0, float64(int(1)<<s.lgK), 0
	for _, v := range s.regs {
		switch {
		case v == 0:
			s.zeros++
		case v < 32:
			s.kxq0 += math.Ldexp(1, -int(v)) - 1
		default:
			s.kxq1 += math.Ldexp(1, -int(v)) - 1
		}
	}
}

// Merge unites s with o; the address bits of the result are the fewer of both
// when registers meet. o stays as it is.
func (s *HLL) Merge(o *HLL) {
	switch {
	case o.count == 0 && o.mode != hllMode:
	case o.mode == setMode && s.empty() && s.lgK == o.lgK:
		s.mode, s.count, s.coupons = setMode, o.count, slices.Clone(o.coupons)
	case o.mode != hllMode:
		for _, c := range o.coupons {
			if c != 0 {
				s.coupon(c)
			}
		}
	case s.mode != hllMode:
		n := o.downsample(min(o.lgK, s.lgK))
		for _, c := range s.coupons {
			if c != 0 {
				n.coupon(c)
			}
		}
		*s = *n
	default:
		if o.lgK < s.lgK {
			*s = *s.downsample(o.lgK)
		}
		mask := 1<<s.lgK - 1
		for i, v := range o.regs {
			s.regs[i&mask] = max(s.regs[i&mask], v)
		}
		s.reweigh()
		s.outOfOrder, s.hip = true, 0
	}
}

func (s *HLL) empty() bool { return s.mode != hllMode && s.count == 0 }

// downsample is a copy of registers with lgK bits, no more than s has.
func (s *HLL) downsample(lgK int) *HLL {
	n := *s
	if lgK == s.lgK {
		n.regs = slices.Clone(s.regs)
		return &n
	}
	n.lgK = lgK
	n.makeRegisters()
	for i, v := range s.regs {
		n.register(i&(1<<lgK-1), v)
	}
	n.hip, n.outOfOrder = s.hip, s.outOfOrder
	return &n
}

// Bytes are the sketch in its updatable form.
func (s *HLL) Bytes() []byte {
	const hll8 = 2 << 2
	if s.mode == hllMode {
		b := make([]byte, 40, 40+len(s.regs))
		b[0], b[1], b[2], b[3], b[7] = 10, 1, 7, byte(s.lgK), hllMode|hll8
		if s.outOfOrder {
			b[5] = flagOutOfOrder
		}
		le := binary.LittleEndian
		le.PutUint64(b[8:], math.Float64bits(s.hip))
		le.PutUint64(b[16:], math.Float64bits(s.kxq0))
		le.PutUint64(b[24:], math.Float64bits(s.kxq1))
		le.PutUint32(b[32:], uint32(s.zeros))
		return append(b, s.regs...)
	}
	b := []byte{2, 1, 7, byte(s.lgK), byte(bits.TrailingZeros(uint(len(s.coupons)))), 0, byte(s.count), byte(s.mode | hll8)}
	if s.count == 0 {
		b[5] = flagEmpty
	}
	if s.mode == setMode {
		b[0], b[6] = 3, 0
		b = binary.LittleEndian.AppendUint32(b, uint32(s.count))
	}
	for _, c := range s.coupons {
		b = binary.LittleEndian.AppendUint32(b, c)
	}
	return b
}

// The flags of DataSketches' preambles.
const (
	flagReadOnly   = 2
	flagEmpty      = 4
	flagCompact    = 8
	flagOrdered    = 16 // Theta
	flagOutOfOrder = 16 // HLL
	flagSingle     = 32 // Theta
	flagRebuild    = 32 // HLL
)

// ReadHLL reads a sketch of any of the register widths, updatable or compact.
func ReadHLL(b []byte) (*HLL, error) {
	if len(b) < 8 || b[1] != 1 || b[2] != 7 || b[3] < MinLgK || b[3] > MaxLgK {
		return nil, fmt.Errorf("HLL: %w", ErrFormat)
	}
	s := NewHLL(int(b[3]))
	compact := b[5]&flagCompact != 0
	ok := false
	switch mode := b[7] & 3; {
	case mode == listMode && b[0] == 2:
		ok = s.readCoupons(b[8:], int(b[6]), len(s.coupons)-1)
	case mode == setMode && b[0] == 3 && s.lgK >= 8 && len(b) >= 12:
		ok = s.readSet(b, compact)
	case mode == hllMode && b[0] == 10 && len(b) >= 40:
		ok = s.readRegisters(b, int(b[7]>>2&3), compact)
	}
	if !ok {
		return nil, fmt.Errorf("HLL: %w", ErrFormat)
	}
	return s, nil
}

func (s *HLL) readCoupons(b []byte, n, most int) bool {
	if n > most || len(b) < 4*n {
		return false
	}
	for i := range n {
		c := binary.LittleEndian.Uint32(b[4*i:])
		if c>>keyBits == 0 {
			return false
		}
		s.coupon(c)
	}
	return true
}

func (s *HLL) readSet(b []byte, compact bool) bool {
	n, most := int(binary.LittleEndian.Uint32(b[8:])), 3<<(s.lgK-3)/4
	if n < 0 || n > most {
		return false
	}
	if compact {
		s.mode, s.coupons = setMode, make([]uint32, 1<<lgSetLen)
		return s.readCoupons(b[12:], n, most)
	}
	lg := int(b[4])
	if lg < lgSetLen || lg > s.lgK-3 || len(b) < 12+4<<lg {
		return false
	}
	s.mode, s.coupons = setMode, make([]uint32, 1<<lg)
	for i := range s.coupons {
		c := binary.LittleEndian.Uint32(b[12+4*i:])
		if c != 0 && c>>keyBits == 0 {
			return false
		}
		if s.coupons[i] = c; c != 0 {
			s.count++
		}
	}
	return s.count == n && 4*n <= 3*len(s.coupons)
}

func (s *HLL) readRegisters(b []byte, width int, compact bool) bool {
	k, data := 1<<s.lgK, b[40:]
	if size := []int{k / 2, k*3/4 + 1, k}; width > 2 || len(data) < size[width] {
		return false
	}
	s.makeRegisters()
	for i := range s.regs {
		switch width {
		case 0:
			s.regs[i] = data[i/2]>>(4*(i&1))&15 + b[6]
		case 1:
			bit := 6 * i
			s.regs[i] = byte(binary.LittleEndian.Uint16(data[bit/8:])>>(bit%8)) & 63
		default:
			s.regs[i] = data[i] & 63
		}
	}
	if width == 0 && !s.readExceptions(b, data[k/2:], compact) {
		return false
	}
	for _, v := range s.regs {
		if v > 63 {
			return false
		}
	}
	s.reweigh()
	le := binary.LittleEndian
	s.hip, s.outOfOrder = math.Float64frombits(le.Uint64(b[8:])), b[5]&flagOutOfOrder != 0
	if b[5]&flagRebuild == 0 {
		s.kxq0, s.kxq1 = math.Float64frombits(le.Uint64(b[16:])), math.Float64frombits(le.Uint64(b[24:]))
	}
	return s.kxq0+s.kxq1 > 0
}

// readExceptions fills in the registers of 4 bits that hold 15: their values
// stand behind them.
func (s *HLL) readExceptions(b, aux []byte, compact bool) bool {
	n := int(binary.LittleEndian.Uint32(b[36:]))
	if n > 0 && !compact {
		if b[4] > 26 {
			return false
		}
		n = 1 << b[4]
	}
	if n < 0 || len(aux)/4 < n {
		return false
	}
	for i := range n {
		if c := binary.LittleEndian.Uint32(aux[4*i:]); c != 0 {
			s.regs[int(c)&(1<<s.lgK-1)] = byte(c >> keyBits)
		}
	}
	return true
}
