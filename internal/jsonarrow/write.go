package jsonarrow

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// str is b without a copy, for calls that do not keep it.
func str(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // read only, and gone before b changes
}

const hexDigits = "0123456789abcdef"

// AppendString writes t as a JSON string as Jackson does: only quotes,
// backslashes and control characters are escaped.
func AppendString(b, t []byte) []byte {
	b = append(b, '"')
	from := 0
	for i, c := range t {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, t[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], upper(hexDigits[c&15]))
		}
	}
	return append(append(b, t[from:]...), '"')
}

func upper(c byte) byte {
	if c >= 'a' {
		return c - 0x20
	}
	return c
}

// AppendDouble writes a number; those that JSON lacks are strings.
func AppendDouble(b []byte, d float64) []byte {
	if d != d || math.IsInf(d, 0) {
		return append(cast.AppendDouble(append(b, '"'), d), '"')
	}
	return cast.AppendDouble(b, d)
}

// copyValue writes a value anew, as Jackson copies it: without white space,
// numbers with a point or an exponent as doubles.
func (s *scanner) copyValue(b []byte, depth int) ([]byte, bool) {
	if depth > maxDepth {
		return b, false
	}
	k, w := s.begin()
	return s.copyKind(b, k, w, depth)
}

func (s *scanner) copyKind(b []byte, k kind, w []byte, depth int) ([]byte, bool) {
	switch k {
	case kTrue, kFalse, kNull:
		return append(b, w...), true
	case kNaN:
		if s.nan != "" {
			return append(b, s.nan...), true
		}
		return append(append(append(b, '"'), w...), '"'), true
	case kString:
		t, ok := s.str()
		return AppendString(b, t), ok
	case kNumber:
		var n number
		if !s.number(&n) {
			return b, false
		}
		return n.append(b), true
	case kObject:
		b = append(b, '{')
		if s.empty('}') {
			return append(b, '}'), true
		}
		for {
			t, ok := s.name()
			if !ok || !s.colon() {
				return b, false
			}
			b = append(AppendString(b, t), ':')
			if b, ok = s.copyValue(b, depth+1); !ok {
				return b, false
			}
			more, ok := s.next('}')
			if !more {
				return append(b, '}'), ok
			}
			b = append(b, ',')
		}
	case kArray:
		b = append(b, '[')
		if s.empty(']') {
			return append(b, ']'), true
		}
		for {
			var ok bool
			if b, ok = s.copyValue(b, depth+1); !ok {
				return b, false
			}
			more, ok := s.next(']')
			if !more {
				return append(b, ']'), ok
			}
			b = append(b, ',')
		}
	}
	return b, false
}

func (n *number) append(b []byte) []byte {
	if n.integer && !n.word {
		if string(n.text) == "-0" {
			return append(b, '0')
		}
		digits, neg := bytes.CutPrefix(n.text, []byte{'-'})
		if neg {
			b = append(b, '-')
		}
		if rest := bytes.TrimLeft(digits, "0"); len(rest) > 0 { // zeros lead where the syntax allows them
			return append(b, rest...)
		}
		return append(b, '0')
	}
	return AppendDouble(b, n.float())
}

var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// float is the nearest double; too large ones are infinite.
func (n *number) float() float64 {
	if n.word {
		if n.neg {
			return math.Inf(-1)
		}
		return math.Inf(1)
	}
	// Both factors are exact doubles, so one rounding gives the nearest.
	if n.exact && n.mant < 1<<53 && n.exp >= -22 && n.exp <= 22 {
		f := float64(n.mant)
		if n.exp < 0 {
			f /= pow10[-n.exp]
		} else {
			f *= pow10[n.exp]
		}
		if n.neg {
			f = -f
		}
		return f
	}
	f, _ := strconv.ParseFloat(str(n.text), 64) // the grammar is checked: only the range can fail
	return f
}

// int is the value of an integer that fits 64 bits.
func (n *number) int() (int64, bool) {
	if !n.integer || n.word {
		return 0, false
	}
	if !n.exact {
		v, err := strconv.ParseInt(str(n.text), 10, 64)
		return v, err == nil
	}
	if n.neg {
		return -int64(n.mant), true
	}
	return int64(n.mant), true
}

// Rewrite writes the first value of a text of the given syntax as plain JSON
// of the same types: a number with an exponent stands for NaN and Infinity.
func Rewrite(doc []byte, syn Syntax) ([]byte, bool) {
	s := scanner{b: doc, syn: syn, nan: "1e0"}
	return s.copyValue(nil, 0)
}

// EscapeNonASCII rewrites the JSON text b[from:] with \u00E9 for each unit of
// UTF-16 that is not ASCII.
func EscapeNonASCII(b []byte, from int) []byte {
	src := string(b[from:])
	b = b[:from]
	for _, r := range src {
		if r < utf8.RuneSelf {
			b = append(b, byte(r))
			continue
		}
		for _, u := range utf16.AppendRune(nil, r) {
			b = fmt.Appendf(b, "\\u%04X", u)
		}
	}
	return b
}

// Indent rewrites the JSON text b[from:] over lines, as Jackson's pretty
// printer does: two spaces a level, arrays within a line.
func Indent(b []byte, from int) []byte {
	src := append([]byte(nil), b[from:]...)
	b = b[:from]
	var open []byte
	line := func() {
		b = append(b, '\n')
		for _, o := range open {
			if o == '{' {
				b = append(b, ' ', ' ')
			}
		}
	}
	for i := 0; i < len(src); i++ {
		switch c := src[i]; c {
		case '"':
			end := i + 1
			for end < len(src) && src[end] != '"' {
				if src[end] == '\\' {
					end++
				}
				end++
			}
			b = append(b, src[i:min(end+1, len(src))]...)
			i = end
		case '{', '[':
			b = append(b, c)
			if i+1 < len(src) && src[i+1] == c+2 {
				b = append(b, ' ', c+2)
				i++
				continue
			}
			if open = append(open, c); c == '{' {
				line()
			} else {
				b = append(b, ' ')
			}
		case '}', ']':
			if open = open[:len(open)-1]; c == '}' {
				line()
			} else {
				b = append(b, ' ')
			}
			b = append(b, c)
		case ',':
			if b = append(b, c); open[len(open)-1] == '{' {
				line()
			} else {
				b = append(b, ' ')
			}
		case ':':
			b = append(b, " : "...)
		default:
			b = append(b, c)
		}
	}
	return b
}
