package cast

import (
	"bytes"
	"strings"
)

// CSV are the options of CSV records.
type CSV struct {
	Sep, Quote, Escape, Comment string // Quote, Escape and Comment are one character or none
	NullValue, EmptyValue       string
	TrimLeft, TrimRight         bool
	QuoteAll                    bool
	BareQuotes                  bool // quotes inside of a field do not make it quoted
}

// Fields cuts a record into its fields, none for an empty record or a comment.
func (p *CSV) Fields(s []byte, add func(f []byte, null bool)) {
	if len(s) == 0 || p.Comment != "" && bytes.HasPrefix(s, []byte(p.Comment)) {
		return
	}
	for {
		f, quoted, rest, more := p.field(s)
		if quoted && len(f) == 0 {
			f = []byte(p.EmptyValue)
		}
		add(f, string(f) == p.NullValue)
		if !more {
			return
		}
		s = rest
	}
}

// field takes one field off; more tells that a separator follows.
func (p *CSV) field(s []byte) (f []byte, quoted bool, rest []byte, more bool) {
	start := s
	if p.TrimLeft {
		start = bytes.TrimLeft(s, " \t")
	}
	if p.Quote != "" && bytes.HasPrefix(start, []byte(p.Quote)) {
		if f, rest, more, ok := p.quoted(start[1:]); ok {
			return f, true, rest, more
		}
	}
	f, rest, more = bytes.Cut(start, []byte(p.Sep))
	if p.TrimRight {
		f = bytes.TrimRight(f, " \t")
	}
	return f, false, rest, more
}

// quoted reads up to the closing quote, which must stand before a separator or
// the end; false where it does not.
func (p *CSV) quoted(s []byte) (f, rest []byte, more, ok bool) {
	q := p.Quote[0]
	for i := 0; i < len(s); i++ {
		c := s[i]
		if p.Escape != "" && c == p.Escape[0] && i+1 < len(s) && (s[i+1] == q || s[i+1] == c && c != q) {
			i++
			f = append(f, s[i])
			continue
		}
		if c != q {
			f = append(f, c)
			continue
		}
		after := bytes.TrimLeft(s[i+1:], " ")
		if len(after) == 0 {
			return f, nil, false, true
		}
		if rest, found := bytes.CutPrefix(after, []byte(p.Sep)); found {
			return f, rest, true, true
		}
		return nil, nil, false, false
	}
	return f, nil, false, true
}

// trimmed are the characters that Java trims.
func trimmed(r rune) bool { return r <= ' ' }

// Append writes one field; first says that it begins the record.
func (p *CSV) Append(b []byte, s string, first bool) []byte {
	special := strings.Contains(s, p.Sep) || strings.ContainsAny(s, "\r\n") || !p.BareQuotes && p.Quote != "" && strings.Contains(s, p.Quote) || first && strings.HasPrefix(s, "#")
	if p.TrimLeft {
		s = strings.TrimLeftFunc(s, trimmed)
	}
	if p.TrimRight {
		s = strings.TrimRightFunc(s, trimmed)
	}
	if s == "" && !special {
		return append(b, p.EmptyValue...)
	}
	if !special && !p.QuoteAll {
		return append(b, s...)
	}
	b = append(b, p.Quote...)
	for i := range len(s) {
		if c := string(s[i]); c == p.Quote || c == p.Escape {
			b = append(b, p.Escape...)
		}
		b = append(b, s[i])
	}
	return append(b, p.Quote...)
}
