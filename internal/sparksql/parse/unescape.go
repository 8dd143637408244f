package parse

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// unescape decodes a string's body as Spark does: doubled quotes, \n and its
// kin, \uXXXX, \UXXXXXXXX, three octal digits; \% and \_ keep their backslash,
// any other escaped character stands for itself.
func unescape(s string, q byte) string {
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, q) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == q: // doubled
			b.WriteByte(q)
			i++
		case s[i] != '\\' || i+1 >= len(s):
			b.WriteByte(s[i])
		default:
			i += escape(&b, s[i+1:])
		}
	}
	return b.String()
}

var simpleEscapes = map[byte]byte{'0': 0, 'b': '\b', 'n': '\n', 'r': '\r', 't': '\t', 'Z': 26}

// escape writes what the text behind a backslash stands for and returns how
// many of its bytes that took.
func escape(b *strings.Builder, s string) int {
	if s[0] == 'u' && len(s) >= 5 {
		if r, ok := hexRune(s[1:5]); ok {
			// A surrogate pair may be written as two escapes.
			if utf16.IsSurrogate(r) && len(s) >= 11 && s[5] == '\\' && s[6] == 'u' {
				if r2, ok := hexRune(s[7:11]); ok && utf16.DecodeRune(r, r2) != 0xFFFD {
					b.WriteRune(utf16.DecodeRune(r, r2))
					return 11
				}
			}
			b.WriteRune(r)
			return 5
		}
	}
	if s[0] == 'U' && len(s) >= 9 {
		if r, ok := hexRune(s[1:9]); ok {
			b.WriteRune(r)
			return 9
		}
	}
	if len(s) >= 3 && s[0] >= '0' && s[0] <= '1' && isOctal(s[1]) && isOctal(s[2]) {
		b.WriteRune(rune(s[0]-'0')<<6 | rune(s[1]-'0')<<3 | rune(s[2]-'0'))
		return 3
	}
	if c, ok := simpleEscapes[s[0]]; ok {
		b.WriteByte(c)
		return 1
	}
	if s[0] == '%' || s[0] == '_' {
		b.WriteByte('\\')
	}
	b.WriteByte(s[0])
	return 1
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

func hexRune(s string) (rune, bool) {
	n, err := strconv.ParseUint(s, 16, 32)
	return rune(n), err == nil && n <= 0x10FFFF
}
