package cast

import (
	"math"
	"slices"
	"strconv"
	"unsafe"
)

// Trim takes white space and control characters off both ends, as Spark does
// before it reads a value from text.
func Trim(b []byte) []byte {
	for len(b) > 0 && (b[0] <= ' ' || b[0] == 0x7f) {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] <= ' ' || b[len(b)-1] == 0x7f) {
		b = b[:len(b)-1]
	}
	return b
}

// str is b without a copy, for calls that do not keep it.
func str(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // read only, and gone before b changes
}

// Int reads an integer of the given size in bits. With legacy (ANSI off) a
// fraction is cut off: '12.7' is 12.
func Int(b []byte, bits uint, legacy bool) (int64, bool) {
	b = Trim(b)
	if len(b) == 0 {
		return 0, false
	}
	neg := b[0] == '-'
	if neg || b[0] == '+' {
		b = b[1:]
	}
	if len(b) == 0 {
		return 0, false
	}
	limit := uint64(1)<<(bits-1) - 1
	if neg {
		limit++
	}
	var u uint64
	i := 0
	for ; i < len(b) && b[i]-'0' < 10; i++ {
		d := uint64(b[i] - '0')
		if u > (limit-d)/10 || d > limit {
			return 0, false
		}
		u = u*10 + d
	}
	if i < len(b) {
		if !legacy || b[i] != '.' {
			return 0, false
		}
		for _, c := range b[i+1:] {
			if c-'0' > 9 {
				return 0, false
			}
		}
	}
	if neg {
		return int64(-u), true
	}
	return int64(u), true
}

// Bool reads t, true, y, yes, 1 and f, false, n, no, 0 in any case.
func Bool(b []byte) (v, ok bool) {
	b = Trim(b)
	var w [5]byte
	if len(b) > len(w) {
		return false, false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		w[i] = c
	}
	switch string(w[:len(b)]) {
	case "t", "true", "y", "yes", "1":
		return true, true
	case "f", "false", "n", "no", "0":
		return false, true
	}
	return false, false
}

// Float reads a DOUBLE, or with bits 32 a FLOAT: what Java reads, and
// inf, infinity and nan in any case.
func Float(b []byte, bits int) (float64, bool) {
	b = Trim(b)
	if len(b) == 0 {
		return 0, false
	}
	// Java's suffixes of a literal: 1d, 1.5F; not after a word like inf.
	if last := b[len(b)-1] | 0x20; (last == 'd' || last == 'f') && len(b) > 1 {
		if p := b[len(b)-2]; p-'0' < 10 || p == '.' {
			b = b[:len(b)-1]
		}
	}
	if slices.Contains(b, '_') {
		return 0, false
	}
	if s := str(b); s == "-NaN" || s == "+NaN" {
		b = b[1:]
	}
	v, err := strconv.ParseFloat(str(b), bits)
	if err != nil && !math.IsInf(v, 0) {
		return 0, false
	}
	return v, true
}

// AppendDouble writes d as Java's Double.toString does (of JDK 19 and later:
// always the shortest text).
func AppendDouble(b []byte, d float64) []byte { return appendFloat(b, d, 64, "4.9E-324") }

// AppendFloat writes f as Java's Float.toString does.
func AppendFloat(b []byte, f float32) []byte { return appendFloat(b, float64(f), 32, "1.4E-45") }

func appendFloat(b []byte, d float64, bits int, least string) []byte {
	abs := math.Abs(d)
	switch {
	case d != d:
		return append(b, "NaN"...)
	case math.IsInf(d, 1):
		return append(b, "Infinity"...)
	case math.IsInf(d, -1):
		return append(b, "-Infinity"...)
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		s := len(b)
		b = strconv.AppendFloat(b, d, 'f', -1, bits)
		if slices.Contains(b[s:], '.') {
			return b
		}
		return append(b, ".0"...)
	case bits == 64 && abs == math.SmallestNonzeroFloat64, bits == 32 && abs == math.SmallestNonzeroFloat32:
		// Java's mantissa has two digits at least.
		if d < 0 {
			b = append(b, '-')
		}
		return append(b, least...)
	}
	// From Go's 1.5e-07 and 1e+21 to Java's 1.5E-7 and 1.0E21.
	s := len(b)
	b = strconv.AppendFloat(b, d, 'e', -1, bits)
	e := len(b) - 1
	for b[e] != 'e' {
		e--
	}
	exp := b[e+1:]
	neg := exp[0] == '-'
	exp = exp[1:]
	if exp[0] == '0' {
		exp = exp[1:]
	}
	var t [4]byte
	exp = t[:copy(t[:], exp)]
	digits := e - s
	if b[s] == '-' {
		digits--
	}
	b = b[:e]
	if digits == 1 {
		b = append(b, ".0"...)
	}
	b = append(b, 'E')
	if neg {
		b = append(b, '-')
	}
	return append(b, exp...)
}
