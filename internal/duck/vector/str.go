//nolint:gosec // unsafe is the border to DuckDB's memory
package vector

import "unsafe"

// Str is DuckDB's string: up to 12 bytes inline, else 4 bytes and an address.
type Str struct {
	n      uint32
	prefix [4]byte
	ptr    uintptr
}

// Entry is a row of a LIST or MAP: its elements in the child vector.
type Entry struct{ Offset, Length uint64 }

// Huge is HUGEINT, and DECIMAL of more than 18 digits.
type Huge struct {
	Lo uint64
	Hi int64
}

const inline = 12

// Bytes is the text without a copy: not to be written to, nor kept.
func (s *Str) Bytes() []byte {
	if s.n <= inline {
		return unsafe.Slice(&s.prefix[0], s.n)
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&s.ptr)), s.n)
}

// String is the text without a copy: not to be kept.
func (s *Str) String() string {
	b := s.Bytes()
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Len is the number of bytes.
func (s *Str) Len() int { return int(s.n) }

// MakeStr is a string over t: a short one holds its bytes, a long one the
// address at, where the bytes must lie in DuckDB's memory.
func MakeStr(t []byte, at uintptr) Str {
	s := Str{n: uint32(len(t))}
	if len(t) <= inline {
		copy(unsafe.Slice(&s.prefix[0], inline), t)
		return s
	}
	copy(s.prefix[:], t)
	s.ptr = at
	return s
}

// Rebase adds base to the address of a long string.
func (s *Str) Rebase(base uintptr) {
	if s.n > inline {
		s.ptr += base
	}
}
