package kernel

import (
	"slices"
	"strings"
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

// posix are Java's ASCII classes.
func posix(name string) (runeSet, bool) {
	lower, upper := span{'a', 'z'}, span{'A', 'Z'}
	switch name {
	case "Lower":
		return setOf(lower), true
	case "Upper":
		return setOf(upper), true
	case "ASCII":
		return setOf(span{0, 0x7f}), true
	case "Alpha":
		return setOf(lower, upper), true
	case "Digit":
		return digitSet, true
	case "Alnum":
		return setOf(lower, upper, digitSet[0]), true
	case "Punct":
		return setOf(span{'!', '/'}, span{':', '@'}, span{'[', '`'}, span{'{', '~'}), true
	case "Graph":
		return setOf(span{'!', '~'}), true
	case "Print":
		return setOf(span{' ', '~'}), true
	case "Blank":
		return setOf(span{' ', ' '}, span{'\t', '\t'}), true
	case "Cntrl":
		return setOf(span{0, 0x1f}, span{0x7f, 0x7f}), true
	case "XDigit":
		return setOf(digitSet[0], span{'a', 'f'}, span{'A', 'F'}), true
	case "Space":
		return spaceSet, true
	}
	return nil, false
}

// blocks are the Unicode blocks that patterns name now and then.
var blocks = map[string]span{
	"basiclatin": {0, 0x7f}, "latin1supplement": {0x80, 0xff}, "latinextendeda": {0x100, 0x17f}, "latinextendedb": {0x180, 0x24f},
	"greek": {0x370, 0x3ff}, "greekandcoptic": {0x370, 0x3ff}, "cyrillic": {0x400, 0x4ff}, "armenian": {0x530, 0x58f},
	"hebrew": {0x590, 0x5ff}, "arabic": {0x600, 0x6ff}, "devanagari": {0x900, 0x97f}, "thai": {0xe00, 0xe7f},
	"hangulsyllables": {0xac00, 0xd7af}, "hiragana": {0x3040, 0x309f}, "katakana": {0x30a0, 0x30ff},
	"cjkunifiedideographs": {0x4e00, 0x9fff},
}

// property is what \p{name} stands for.
func property(name string) (runeSet, bool) {
	if s, ok := posix(name); ok {
		return s, true
	}
	if b, ok := strings.CutPrefix(name, "In"); ok {
		s, ok := blocks[strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(b))]
		return setOf(s), ok
	}
	name = strings.TrimPrefix(name, "Is")
	if _, v, ok := strings.Cut(name, "="); ok {
		name = v
	}
	switch name {
	case "Alphabetic":
		return tableSet(unicode.L).union(tableSet(unicode.Nl)).union(tableSet(unicode.Other_Alphabetic)), true
	case "Digit":
		return tableSet(unicode.Nd), true
	case "White_Space":
		return tableSet(unicode.White_Space), true
	case "Uppercase":
		return tableSet(unicode.Lu).union(tableSet(unicode.Other_Uppercase)), true
	case "Lowercase":
		return tableSet(unicode.Ll).union(tableSet(unicode.Other_Lowercase)), true
	case "Punctuation":
		return tableSet(unicode.P), true
	}
	if t, ok := unicode.Categories[name]; ok {
		return tableSet(t), true
	}
	for n, t := range unicode.Scripts {
		if strings.EqualFold(n, name) {
			return tableSet(t), true
		}
	}
	return nil, false
}
