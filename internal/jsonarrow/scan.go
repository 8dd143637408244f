package jsonarrow

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// maxDepth is how deep values may nest, as in Jackson.
const maxDepth = 1000

// Syntax says which departures from JSON are accepted. The zero value is
// Spark's default: single quotes and NaN, Infinity are accepted.
type Syntax struct {
	NoSingleQuotes   bool
	NoNonNumeric     bool
	UnquotedNames    bool
	LeadingZeros     bool
	AnyEscape        bool // \x stands for x
	Comments         bool
	ControlCharacter bool // unescaped, in strings
}

// scanner walks over one document.
type scanner struct {
	b    []byte
	i    int
	syn  Syntax
	text []byte // of the last string that had to be built
	nan  string // what NaN and Infinity are copied as; "": a string
}

// space passes over white space.
func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\n', '\t', '\r':
			s.i++
		case '/':
			if !s.syn.Comments || !s.comment() {
				return
			}
		default:
			return
		}
	}
}

func (s *scanner) comment() bool {
	if s.i+1 >= len(s.b) {
		return false
	}
	switch s.b[s.i+1] {
	case '/':
		for s.i < len(s.b) && s.b[s.i] != '\n' {
			s.i++
		}
		return true
	case '*':
		for j := s.i + 2; j+1 < len(s.b); j++ {
			if s.b[j] == '*' && s.b[j+1] == '/' {
				s.i = j + 2
				return true
			}
		}
	}
	return false
}

// peek is the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	if s.i < len(s.b) && s.b[s.i] > ' ' && s.b[s.i] != '/' {
		return s.b[s.i]
	}
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

const ones = 0x0101010101010101

// special marks the bytes of w that end a run of plain text: control
// characters, the quote q, a backslash, and all that is not ASCII.
func special(w uint64, q byte) uint64 {
	zero := func(x uint64) uint64 { return (x - ones) &^ x }
	return (zero(w^ones*uint64(q)) | zero(w^ones*'\\') | (w - ones*0x20) | w) & (ones << 7)
}

// str reads a string whose opening quote is next. The result lies in the
// document, or in s.text when it had escapes or wrong bytes.
func (s *scanner) str() ([]byte, bool) {
	q := s.peek()
	if q != '"' && (q != '\'' || s.syn.NoSingleQuotes) {
		return nil, false
	}
	s.i++
	start := s.i
	ascii := true
	for {
		for s.i+8 <= len(s.b) {
			m := special(binary.LittleEndian.Uint64(s.b[s.i:]), q)
			if m != 0 {
				s.i += bits.TrailingZeros64(m) / 8
				break
			}
			s.i += 8
		}
		if s.i >= len(s.b) {
			return nil, false
		}
		switch c := s.b[s.i]; {
		case c == q:
			s.i++
			t := s.b[start : s.i-1]
			if !ascii && !utf8.Valid(t) {
				s.text = appendValid(s.text[:0], t)
				t = s.text
			}
			return t, true
		case c == '\\':
			return s.escaped(start, q)
		case c < 0x20:
			if !s.syn.ControlCharacter {
				return nil, false
			}
		case c >= 0x80:
			ascii = false
		}
		s.i++
	}
}

// appendValid copies t with U+FFFD in place of bytes that are not UTF-8.
func appendValid(b, t []byte) []byte {
	return cast.AppendUTF8(b, t)
}

// escaped goes on with a string at its first backslash.
func (s *scanner) escaped(start int, q byte) ([]byte, bool) {
	o := append(s.text[:0], s.b[start:s.i]...)
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == q:
			s.i++
			if !utf8.Valid(o) {
				o = appendValid(make([]byte, 0, len(o)+8), o)
			}
			s.text = o
			return o, true
		case c == '\\':
			var ok bool
			if o, ok = s.escape(o); !ok {
				return nil, false
			}
		case c < 0x20 && !s.syn.ControlCharacter:
			return nil, false
		default:
			o = append(o, c)
			s.i++
		}
	}
	return nil, false
}

func (s *scanner) escape(o []byte) ([]byte, bool) {
	if s.i+1 >= len(s.b) {
		return nil, false
	}
	e := s.b[s.i+1]
	s.i += 2
	switch e {
	case '"', '\\', '/':
		return append(o, e), true
	case '\'':
		return append(o, e), !s.syn.NoSingleQuotes || s.syn.AnyEscape
	case 'b':
		return append(o, '\b'), true
	case 'f':
		return append(o, '\f'), true
	case 'n':
		return append(o, '\n'), true
	case 'r':
		return append(o, '\r'), true
	case 't':
		return append(o, '\t'), true
	case 'u':
		r, ok := s.hex()
		if !ok {
			return nil, false
		}
		if utf16.IsSurrogate(r) {
			hi := r
			r = '?' // as Java writes a half
			if s.i+1 < len(s.b) && s.b[s.i] == '\\' && s.b[s.i+1] == 'u' {
				back := s.i
				s.i += 2
				lo, ok := s.hex()
				if !ok {
					return nil, false
				}
				if r = utf16.DecodeRune(hi, lo); r == utf8.RuneError {
					s.i, r = back, '?' // the second stands for itself
				}
			}
		}
		return utf8.AppendRune(o, r), true
	}
	if !s.syn.AnyEscape {
		return nil, false
	}
	return append(o, e), true
}

func (s *scanner) hex() (r rune, ok bool) {
	if s.i+4 > len(s.b) {
		return 0, false
	}
	for _, c := range s.b[s.i : s.i+4] {
		switch {
		case c-'0' < 10:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	s.i += 4
	return r, true
}

// name reads the name of a field.
func (s *scanner) name() ([]byte, bool) {
	c := s.peek()
	if c == '"' || c == '\'' || !s.syn.UnquotedNames {
		return s.str()
	}
	start := s.i
	for s.i < len(s.b) && (isWord(s.b[s.i]) || s.b[s.i] >= 0x80) {
		s.i++
	}
	return s.b[start:s.i], s.i > start
}

func isWord(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c-'0' < 10 || c == '_' || c == '$' || c == '-'
}

// number is a number as it stands, and its value where that is cheap.
type number struct {
	text    []byte
	mant    uint64 // all digits, if there are at most 19 and exact
	exp     int    // power of ten of mant
	neg     bool
	integer bool // no point, no exponent
	exact   bool // mant and exp are the whole value
	word    bool // NaN, Infinity
}

// number scans by JSON's grammar.
func (s *scanner) number(n *number) bool {
	start := s.i
	*n = number{exact: true, integer: true}
	if s.b[s.i] == '-' || s.b[s.i] == '+' {
		n.neg = s.b[s.i] == '-'
		s.i++
		if s.i < len(s.b) && s.b[s.i]-'0' > 9 {
			return s.infinity(n, start)
		}
		if !n.neg {
			return false
		}
	}
	first := s.i
	u, digits := uint64(0), 0
	for s.i < len(s.b) && s.b[s.i]-'0' < 10 {
		u = u*10 + uint64(s.b[s.i]-'0')
		s.i++
	}
	digits = s.i - first
	if digits == 0 || digits > 1 && s.b[first] == '0' && !s.syn.LeadingZeros {
		return false
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		n.integer = false
		s.i++
		point := s.i
		for s.i < len(s.b) && s.b[s.i]-'0' < 10 {
			u = u*10 + uint64(s.b[s.i]-'0')
			s.i++
		}
		if s.i == point {
			return false
		}
		digits += s.i - point
		n.exp = point - s.i
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		n.integer = false
		if !s.exponent(n) {
			return false
		}
	}
	n.mant, n.text = u, s.b[start:s.i]
	if digits > 18 {
		n.exact = false
	}
	return true
}

func (s *scanner) exponent(n *number) bool {
	s.i++
	neg := false
	if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
		neg = s.b[s.i] == '-'
		s.i++
	}
	start, e := s.i, 0
	for s.i < len(s.b) && s.b[s.i]-'0' < 10 {
		if e < 10000 {
			e = e*10 + int(s.b[s.i]-'0')
		}
		s.i++
	}
	if neg {
		e = -e
	}
	n.exp += e
	return s.i > start
}

// infinity reads the word behind a sign.
func (s *scanner) infinity(n *number, start int) bool {
	if s.syn.NoNonNumeric {
		return false
	}
	switch string(s.word()) {
	case "Infinity", "INF":
		n.word, n.text = true, s.b[start:s.i]
		return true
	}
	return false
}

func (s *scanner) word() []byte {
	start := s.i
	for s.i < len(s.b) && (s.b[s.i]|0x20 >= 'a' && s.b[s.i]|0x20 <= 'z') {
		s.i++
	}
	if s.i < len(s.b) && (s.b[s.i]-'0' < 10 || s.b[s.i] == '_' || s.b[s.i] >= 0x80) {
		return nil
	}
	return s.b[start:s.i]
}

// kind is what a value is.
type kind uint8

const (
	kBad kind = iota
	kObject
	kArray
	kString
	kNumber
	kTrue
	kFalse
	kNull
	kNaN // NaN, Infinity without a sign
)

// begin tells the kind of the next value. Words are read, of others the first
// byte is next.
func (s *scanner) begin() (kind, []byte) {
	switch c := s.peek(); c {
	case '{':
		return kObject, nil
	case '[':
		return kArray, nil
	case '"':
		return kString, nil
	case '\'':
		if s.syn.NoSingleQuotes {
			return kBad, nil
		}
		return kString, nil
	case '-', '+', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return kNumber, nil
	}
	w := s.word()
	switch string(w) {
	case "true":
		return kTrue, w
	case "false":
		return kFalse, w
	case "null":
		return kNull, w
	case "NaN", "Infinity":
		if !s.syn.NoNonNumeric {
			return kNaN, w
		}
	}
	return kBad, nil
}

// next passes the comma or the end behind an element: more is false at end.
func (s *scanner) next(end byte) (more, ok bool) {
	switch s.peek() {
	case ',':
		s.i++
		return true, true
	case end:
		s.i++
		return false, true
	}
	return false, false
}

// empty passes the opening bracket, and the end if it follows at once.
func (s *scanner) empty(end byte) bool {
	s.i++
	if s.peek() == end {
		s.i++
		return true
	}
	return false
}

func (s *scanner) colon() bool {
	if s.peek() != ':' {
		return false
	}
	s.i++
	return true
}

// skip passes over a value and checks it.
func (s *scanner) skip(depth int) bool {
	k, _ := s.begin()
	return s.skipKind(k, depth)
}

func (s *scanner) skipKind(k kind, depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch k {
	case kBad:
		return false
	case kString:
		_, ok := s.str()
		return ok
	case kNumber:
		var n number
		return s.number(&n)
	case kObject:
		if s.empty('}') {
			return true
		}
		for {
			if _, ok := s.name(); !ok || !s.colon() || !s.skip(depth+1) {
				return false
			}
			if more, ok := s.next('}'); !more {
				return ok
			}
		}
	case kArray:
		if s.empty(']') {
			return true
		}
		for {
			if !s.skip(depth + 1) {
				return false
			}
			if more, ok := s.next(']'); !more {
				return ok
			}
		}
	}
	return true
}
