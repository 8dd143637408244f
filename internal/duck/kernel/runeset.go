package kernel

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// span is a range of characters, both ends included.
type span struct{ lo, hi rune }

// runeSet is a set of characters: spans in order, without overlap.
type runeSet []span

func setOf(s ...span) runeSet { return runeSet(s).normal() }

func (s runeSet) normal() runeSet {
	s = slices.Clone(s)
	slices.SortFunc(s, func(a, b span) int { return int(a.lo - b.lo) })
	out := s[:0]
	for _, x := range s {
		if k := len(out) - 1; k >= 0 && x.lo <= out[k].hi+1 {
			out[k].hi = max(out[k].hi, x.hi)
			continue
		}
		out = append(out, x)
	}
	return out
}

func (s runeSet) union(o runeSet) runeSet { return append(slices.Clone(s), o...).normal() }

func (s runeSet) not() runeSet {
	var out runeSet
	next := rune(0)
	for _, x := range s {
		if x.lo > next {
			out = append(out, span{next, x.lo - 1})
		}
		next = x.hi + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, span{next, unicode.MaxRune})
	}
	return out
}

func (s runeSet) and(o runeSet) runeSet { return s.not().union(o.not()).not() }

// foldASCII adds the other case of ASCII letters.
func (s runeSet) foldASCII() runeSet {
	out := slices.Clone(s)
	for _, x := range s {
		if lo, hi := max(x.lo, 'a'), min(x.hi, 'z'); lo <= hi {
			out = append(out, span{lo - 32, hi - 32})
		}
		if lo, hi := max(x.lo, 'A'), min(x.hi, 'Z'); lo <= hi {
			out = append(out, span{lo + 32, hi + 32})
		}
	}
	return out.normal()
}

// first is the least character, 0 of none.
func (s runeSet) first() rune {
	if len(s) == 0 {
		return 0
	}
	return s[0].lo
}

func (s runeSet) has(r rune) bool {
	_, ok := slices.BinarySearchFunc(s, r, func(x span, r rune) int {
		switch {
		case x.hi < r:
			return -1
		case x.lo > r:
			return 1
		}
		return 0
	})
	return ok
}

// fold is the case that Java compares letters in.
func fold(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// letters are the characters that have another case.
var letters = sync.OnceValue(func() []rune {
	var out []rune
	for r := rune(0); r <= 0x1ffff; r++ {
		if fold(r) != r || unicode.ToUpper(r) != r {
			out = append(out, r)
		}
	}
	return out
})

// foldUnicode adds the characters that Java takes for those of the set: of a
// single one whose case it compares, of a range whose upper case lies in it.
func (s runeSet) foldUnicode() runeSet {
	out := slices.Clone(s)
	single := len(s) == 1 && s[0].lo == s[0].hi
	if single && unicode.ToLower(s[0].lo) == unicode.ToUpper(s[0].lo) {
		return out // as ß, which has no single capital for Java
	}
	for _, r := range letters() {
		f := fold(r)
		if single && f == fold(s[0].lo) || !single && (s.has(unicode.ToUpper(r)) || s.has(f)) {
			out = append(out, span{r, r})
		}
	}
	if single {
		f := fold(s[0].lo)
		out = append(out, span{f, f})
	}
	return out.normal()
}

// write puts the set as a class that both engines read alike.
func (s runeSet) write(b *strings.Builder) {
	b.WriteByte('[')
	empty := true
	for _, x := range s {
		for _, p := range splitSurrogates(x) {
			empty = false
			writeRune(b, p.lo)
			if p.hi > p.lo {
				b.WriteByte('-')
				writeRune(b, p.hi)
			}
		}
	}
	if empty {
		// Nothing matches: all characters but all characters.
		b.WriteString(`^\x00-` + string(rune(unicode.MaxRune)))
	}
	b.WriteByte(']')
}

// splitSurrogates leaves out what is not a character of UTF-8.
func splitSurrogates(x span) []span {
	const lo, hi = 0xd800, 0xdfff
	if x.hi < lo || x.lo > hi {
		return []span{x}
	}
	var out []span
	if x.lo < lo {
		out = append(out, span{x.lo, lo - 1})
	}
	if x.hi > hi {
		out = append(out, span{hi + 1, x.hi})
	}
	return out
}

const hexLower = "0123456789abcdef"

func writeRune(b *strings.Builder, r rune) {
	if r < utf8.RuneSelf {
		b.WriteString(`\x`)
		b.WriteByte(hexLower[r>>4])
		b.WriteByte(hexLower[r&15])
		return
	}
	b.WriteRune(r)
}

func tableSet(t *unicode.RangeTable) runeSet {
	var s runeSet
	for _, r := range t.R16 {
		s = appendStride(s, rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range t.R32 {
		s = appendStride(s, rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	return s.normal()
}

func appendStride(s runeSet, lo, hi, stride rune) runeSet {
	if stride == 1 {
		return append(s, span{lo, hi})
	}
	for r := lo; r <= hi; r += stride {
		s = append(s, span{r, r})
	}
	return s
}

var (
	digitSet = setOf(span{'0', '9'})
	wordSet  = setOf(span{'a', 'z'}, span{'A', 'Z'}, span{'0', '9'}, span{'_', '_'})
	spaceSet = setOf(span{'\t', '\r'}, span{' ', ' '})
	blankSet = setOf(span{' ', ' '}, span{'\t', '\t'}, span{0xa0, 0xa0}, span{0x1680, 0x1680}, span{0x180e, 0x180e},
		span{0x2000, 0x200a}, span{0x202f, 0x202f}, span{0x205f, 0x205f}, span{0x3000, 0x3000})
	verticalSet = setOf(span{'\n', '\r'}, span{0x85, 0x85}, span{0x2028, 0x2029})
	lineSet     = setOf(span{'\n', '\n'}, span{'\r', '\r'}, span{0x85, 0x85}, span{0x2028, 0x2029})
	allSet      = setOf(span{0, unicode.MaxRune})
)
