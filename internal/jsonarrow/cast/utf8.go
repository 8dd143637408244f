package cast

import "unicode/utf8"

// AppendUTF8 appends b with U+FFFD in place of each sequence that is no UTF-8,
// as the JVM's String does: an encoded surrogate is one such sequence.
func AppendUTF8(dst, b []byte) []byte { return appendUTF8(dst, b, 3) }

// AppendValidUTF8 is AppendUTF8 as Spark's make_valid_utf8 does it, where each
// byte of an encoded surrogate is a sequence of its own.
func AppendValidUTF8(dst, b []byte) []byte { return appendUTF8(dst, b, 1) }

func appendUTF8(dst, b []byte, surrogate int) []byte {
	if utf8.Valid(b) {
		return append(dst, b...)
	}
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			n = malformed(b, surrogate)
		}
		dst = utf8.AppendRune(dst, r)
		b = b[n:]
	}
	return dst
}

// malformed is how many bytes at the start of b one U+FFFD stands for: those
// that could begin a sequence, or one.
func malformed(b []byte, surrogate int) int {
	lo, hi, n := byte(0x80), byte(0xBF), 0
	switch c := b[0]; {
	case c >= 0xC2 && c <= 0xDF:
		n = 2
	case c >= 0xE0 && c <= 0xEF:
		n = 3
		if c == 0xE0 {
			lo = 0xA0
		}
		if c == 0xED && len(b) > 2 && b[1]&0xE0 == 0xA0 && b[2]&0xC0 == 0x80 {
			return surrogate
		}
	case c >= 0xF0 && c <= 0xF4:
		n = 4
		if c == 0xF0 {
			lo = 0x90
		}
		if c == 0xF4 {
			hi = 0x8F
		}
	default:
		return 1
	}
	i := 1
	for i < n && i < len(b) && b[i] >= lo && b[i] <= hi {
		lo, hi = 0x80, 0xBF
		i++
	}
	return i
}
