package collation

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// Match is where a pattern was found: bytes From to To of the text.
type Match struct{ From, To int }

// spare is how many code points more than the pattern a match may have: what
// weighs nothing, and letters that one letter stands for.
const spare = 4

// Find is the first match at or after byte from, which must begin a code
// point. An empty pattern matches there.
func (k *Keys) Find(text, pattern []byte, from int) (Match, bool) {
	want := k.pattern(pattern)
	for at := from; at <= len(text); {
		if m, ok := k.at(text, at, want, utf8.RuneCount(pattern)); ok {
			return m, true
		}
		_, n := utf8.DecodeRune(text[at:])
		if n == 0 {
			break
		}
		at += n
	}
	return Match{}, false
}

// pattern is the key of a part of a text, whose blanks at the end count.
func (k *Keys) pattern(p []byte) []byte { return k.weigh(nil, p) }

// Prefix is the match at the start of the text.
func (k *Keys) Prefix(text, pattern []byte) (Match, bool) {
	return k.at(text, 0, k.pattern(pattern), utf8.RuneCount(pattern))
}

// Suffix is the match at the end of the text.
func (k *Keys) Suffix(text, pattern []byte) (Match, bool) {
	if k.c.TrimRight {
		text, pattern = bytes.TrimRight(text, " "), bytes.TrimRight(pattern, " ")
	}
	for at := 0; at <= len(text); {
		if bytes.Equal(k.pattern(text[at:]), k.pattern(pattern)) && !mark(text[at:]) {
			return Match{at, len(text)}, true
		}
		_, n := utf8.DecodeRune(text[at:])
		if n == 0 {
			break
		}
		at += n
	}
	return Match{}, false
}

// at is the shortest match that begins at a byte; it begins and ends between
// letters, not before a mark of one.
func (k *Keys) at(text []byte, at int, want []byte, runes int) (Match, bool) {
	if runes == 0 {
		return Match{at, at}, true
	}
	if k.c.family == icu && mark(text[at:]) {
		return Match{}, false
	}
	end := at
	for range 3*runes + spare {
		_, n := utf8.DecodeRune(text[end:])
		if n == 0 {
			break
		}
		end += n
		if k.c.family == icu && mark(text[end:]) {
			continue
		}
		if bytes.Equal(k.pattern(text[at:end]), want) {
			return Match{at, end}, true
		}
	}
	return Match{}, false
}

// mark tells that a text begins with a combining mark.
func mark(s []byte) bool {
	r, _ := utf8.DecodeRune(s)
	return unicode.Is(unicode.Mn, r)
}
