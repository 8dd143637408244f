package action

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

var errSyntax = errors.New("malformed JSON")

const maxDepth = 500

// scanner walks over one JSON value. Strings it returns are copies.
type scanner struct {
	b     []byte
	i     int
	depth int
	buf   []byte // scratch of the last key or text with escapes
}

func (s *scanner) fail() error { return fmt.Errorf("%w at byte %d", errSyntax, s.i) }

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

func (s *scanner) peek() byte {
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) take(c byte) error {
	if s.peek() != c {
		return s.fail()
	}
	s.i++
	return nil
}

// null consumes the word null if it comes next.
func (s *scanner) null() bool {
	if s.peek() == 'n' && s.i+4 <= len(s.b) && string(s.b[s.i:s.i+4]) == "null" {
		s.i += 4
		return true
	}
	return false
}

// object calls f at each member's value, which f must consume. The key is
// valid until f scans on.
func (s *scanner) object(f func(key []byte) error) error {
	if err := s.take('{'); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return s.fail()
	}
	defer func() { s.depth-- }()
	if s.peek() == '}' {
		s.i++
		return nil
	}
	for {
		if s.peek() != '"' {
			return s.fail()
		}
		key, err := s.text()
		if err != nil {
			return err
		}
		if err := s.take(':'); err != nil {
			return err
		}
		if err := f(key); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.i++
		case '}':
			s.i++
			return nil
		default:
			return s.fail()
		}
	}
}

func (s *scanner) array(f func() error) error {
	if err := s.take('['); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return s.fail()
	}
	defer func() { s.depth-- }()
	if s.peek() == ']' {
		s.i++
		return nil
	}
	for {
		if err := f(); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.i++
		case ']':
			s.i++
			return nil
		default:
			return s.fail()
		}
	}
}

// text scans a string; the bytes are valid until the next scan.
func (s *scanner) text() ([]byte, error) {
	if err := s.take('"'); err != nil {
		return nil, err
	}
	start := s.i
	for s.i < len(s.b) {
		c := s.b[s.i]
		switch {
		case c == '"':
			t := s.b[start:s.i]
			s.i++
			return t, nil
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			return nil, s.fail()
		}
		s.i++
	}
	return nil, s.fail()
}

func (s *scanner) escaped(start int) ([]byte, error) {
	buf := append(s.buf[:0], s.b[start:s.i]...)
	for s.i < len(s.b) {
		c := s.b[s.i]
		s.i++
		switch {
		case c == '"':
			s.buf = buf
			return buf, nil
		case c < ' ':
			return nil, s.fail()
		case c != '\\':
			buf = append(buf, c)
			continue
		}
		if s.i >= len(s.b) {
			return nil, s.fail()
		}
		c = s.b[s.i]
		s.i++
		switch c {
		case '"', '\\', '/':
			buf = append(buf, c)
		case 'b':
			buf = append(buf, '\b')
		case 'f':
			buf = append(buf, '\f')
		case 'n':
			buf = append(buf, '\n')
		case 'r':
			buf = append(buf, '\r')
		case 't':
			buf = append(buf, '\t')
		case 'u':
			r, err := s.unicode()
			if err != nil {
				return nil, err
			}
			buf = utf8.AppendRune(buf, r)
		default:
			return nil, s.fail()
		}
	}
	return nil, s.fail()
}

func (s *scanner) unicode() (rune, error) {
	r, ok := s.hex(s.i)
	if !ok {
		return 0, s.fail()
	}
	s.i += 4
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if s.i+6 <= len(s.b) && s.b[s.i] == '\\' && s.b[s.i+1] == 'u' {
		if low, ok := s.hex(s.i + 2); ok {
			if c := utf16.DecodeRune(r, low); c != utf8.RuneError {
				s.i += 6
				return c, nil
			}
		}
	}
	return utf8.RuneError, nil
}

func (s *scanner) hex(at int) (rune, bool) {
	if at+4 > len(s.b) {
		return 0, false
	}
	var r rune
	for _, c := range s.b[at : at+4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// str scans a string or null ("").
func (s *scanner) str() (string, error) {
	if s.null() {
		return "", nil
	}
	t, err := s.text()
	return string(t), err
}

// word scans a bare token: number, true, false or null.
func (s *scanner) word() []byte {
	s.space()
	start := s.i
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '+', c == '.':
			s.i++
		default:
			return s.b[start:s.i]
		}
	}
	return s.b[start:s.i]
}

func (s *scanner) integer() (int64, error) {
	w := s.word()
	if string(w) == "null" {
		return 0, nil
	}
	n, err := strconv.ParseInt(string(w), 10, 64)
	if err != nil || !isNumber(w) {
		return 0, s.fail()
	}
	return n, nil
}

func (s *scanner) boolean() (bool, error) {
	switch string(s.word()) {
	case "true":
		return true, nil
	case "false", "null":
		return false, nil
	}
	return false, s.fail()
}

// skip passes over any value and gives its bytes.
func (s *scanner) skip() ([]byte, error) {
	s.space()
	start := s.i
	var err error
	switch s.peek() {
	case '{':
		err = s.object(func([]byte) error { _, err := s.skip(); return err })
	case '[':
		err = s.array(func() error { _, err := s.skip(); return err })
	case '"':
		_, err = s.text()
	default:
		switch w := s.word(); string(w) {
		case "true", "false", "null":
		default:
			if !isNumber(w) {
				err = s.fail()
			}
		}
	}
	return s.b[start:s.i], err
}

// isNumber tells whether w is a number by JSON's grammar.
func isNumber(w []byte) bool {
	i := 0
	digits := func() bool {
		n := i
		for i < len(w) && w[i] >= '0' && w[i] <= '9' {
			i++
		}
		return i > n
	}
	if i < len(w) && w[i] == '-' {
		i++
	}
	if i < len(w) && w[i] == '0' {
		i++
	} else if !digits() {
		return false
	}
	if i < len(w) && w[i] == '.' {
		i++
		if !digits() {
			return false
		}
	}
	if i < len(w) && (w[i] == 'e' || w[i] == 'E') {
		i++
		if i < len(w) && (w[i] == '+' || w[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(w)
}

var errFound = errors.New("found")

// Members calls f with the members of a JSON object and the bytes of their
// values, of which objects are only looked through for their end. The key is
// valid during the call, the bytes are part of text.
func Members(text []byte, f func(key, value []byte)) error {
	s := scanner{b: text}
	return s.object(func(key []byte) error {
		if s.peek() != '{' {
			value, err := s.skip()
			if err == nil {
				f(key, value)
			}
			return err
		}
		n := objectLength(s.b[s.i:])
		if n < 0 {
			return s.fail()
		}
		f(key, s.b[s.i:s.i+n])
		s.i += n
		return nil
	})
}

// objectLength is how long the object is that begins text, -1 where it has no
// end.
func objectLength(text []byte) int {
	var o open
	return o.end(text)
}

// open is where a walk to the end of an object has come to.
type open struct {
	depth           int
	quoted, escaped bool
}

// end goes on with more of the object's text and gives how much of it belongs to
// the object; -1 for all and still no end.
func (o *open) end(text []byte) int {
	for i, c := range text {
		switch {
		case o.escaped:
			o.escaped = false
		case o.quoted && c == '\\':
			o.escaped = true
		case o.quoted:
			o.quoted = c != '"'
		case c == '"':
			o.quoted = true
		case c == '{':
			o.depth++
		case c == '}':
			if o.depth--; o.depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// Find gives the JSON text at a path of member names, false where there is
// none or text is malformed before it. The bytes are part of text.
func Find(text []byte, path ...string) ([]byte, bool) {
	s := scanner{b: text}
	var found []byte
	var walk func(rest []string) error
	walk = func(rest []string) error {
		if len(rest) == 0 {
			raw, err := s.skip()
			if err != nil {
				return err
			}
			found = raw
			return errFound
		}
		return s.object(func(key []byte) error {
			if string(key) == rest[0] {
				if s.peek() != '{' && len(rest) > 1 {
					_, err := s.skip()
					return err
				}
				return walk(rest[1:])
			}
			_, err := s.skip()
			return err
		})
	}
	return found, errors.Is(walk(path), errFound)
}
