package kernel

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// class reads [...] with nested classes and && of Java.
func (t *translator) class() (runeSet, error) {
	if len(t.p) > 1<<16 {
		return nil, errors.New("too long")
	}
	return t.classAt(0)
}

func (t *translator) classAt(depth int) (runeSet, error) {
	if depth > 32 {
		return nil, errors.New("classes are nested too deeply")
	}
	t.i++
	negated := strings.HasPrefix(t.p[t.i:], "^")
	if negated {
		t.i++
	}
	var all, cur runeSet // the left side of an &&, and what is read; nil: nothing stands there
	both := func() runeSet {
		if all == nil || cur == nil {
			return append(all, cur...) // a side that is missing counts for nothing
		}
		if s := all.and(cur); s != nil {
			return s
		}
		return runeSet{}
	}
	first := true
	for {
		if t.fl.x && t.i < len(t.p) && t.skipped(rune(t.p[t.i])) {
			continue
		}
		if t.i >= len(t.p) {
			return nil, errors.New("unclosed class")
		}
		rest := t.p[t.i:]
		switch {
		case rest[0] == ']' && !first:
			t.i++
			if cur = both(); negated {
				cur = cur.not()
			}
			return cur, nil
		case strings.HasPrefix(rest, "&&"):
			t.i += 2
			all, cur, first = both(), nil, false
			continue
		case rest[0] == '[':
			s, err := t.classAt(depth + 1)
			if err != nil {
				return nil, err
			}
			cur, first = cur.union(s), false
			continue
		}
		s, err := t.member()
		if err != nil {
			return nil, err
		}
		cur, first = cur.union(s), false
	}
}

// member reads a character, a range or an escape inside a class.
func (t *translator) member() (runeSet, error) {
	s, err := t.classAtom()
	if err != nil || len(s) != 1 || s[0].lo != s[0].hi {
		return s, err
	}
	rest := t.p[t.i:]
	if len(rest) < 2 || rest[0] != '-' || rest[1] == ']' || rest[1] == '[' || strings.HasPrefix(rest[1:], "&&") {
		return t.folded(s), nil
	}
	t.i++
	hi, err := t.classAtom()
	if err != nil {
		return nil, err
	}
	if len(hi) != 1 || hi[0].lo != hi[0].hi || hi[0].lo < s[0].lo {
		return nil, errors.New("bad range in a class")
	}
	return t.folded(setOf(span{s[0].lo, hi[0].lo})), nil
}

// folded adds the other cases of a character or a range where the flags ask
// for it. Classes with a name stay.
func (t *translator) folded(s runeSet) runeSet {
	switch {
	case t.fl.i && t.fl.u:
		return s.foldUnicode()
	case t.fl.i:
		return s.foldASCII()
	}
	return s
}

func (t *translator) classAtom() (runeSet, error) {
	if t.p[t.i] == '\\' {
		if strings.HasPrefix(t.p[t.i:], `\Q`) {
			lit, rest, _ := strings.Cut(t.p[t.i+2:], `\E`)
			var s runeSet
			for _, r := range lit {
				s = append(s, t.folded(setOf(span{r, r}))...)
			}
			t.i = len(t.p) - len(rest)
			return s.normal(), nil
		}
		return t.escapedSet()
	}
	r, n := utf8.DecodeRuneInString(t.p[t.i:])
	t.i += n
	return setOf(span{r, r}), nil
}

// escapedSet reads an escape that stands for a character or a class.
func (t *translator) escapedSet() (runeSet, error) {
	if t.i+1 >= len(t.p) {
		return nil, errors.New("trailing backslash")
	}
	r, n := utf8.DecodeRuneInString(t.p[t.i+1:])
	t.i += 1 + n
	one := func(r rune) (runeSet, error) { return setOf(span{r, r}), nil }
	switch r {
	case 'd':
		return t.fl.digit(), nil
	case 'D':
		return t.fl.digit().not(), nil
	case 'w':
		return t.fl.word(), nil
	case 'W':
		return t.fl.word().not(), nil
	case 's':
		return t.fl.space(), nil
	case 'S':
		return t.fl.space().not(), nil
	case 'h':
		return blankSet, nil
	case 'H':
		return blankSet.not(), nil
	case 'v':
		return verticalSet, nil
	case 'V':
		return verticalSet.not(), nil
	case 't':
		return one('\t')
	case 'n':
		return one('\n')
	case 'r':
		return one('\r')
	case 'f':
		return one('\f')
	case 'a':
		return one(7)
	case 'e':
		return one(27)
	case 'p', 'P':
		return t.property(r == 'P')
	case 'u':
		s, err := t.hexRune(4)
		if err == nil && utf16.IsSurrogate(s[0].lo) && strings.HasPrefix(t.p[t.i:], `\u`) {
			back := t.i
			t.i += 2
			lo, err := t.hexRune(4)
			if r := utf16.DecodeRune(s[0].lo, lo.first()); err == nil && r != utf8.RuneError {
				return one(r)
			}
			t.i = back
		}
		return s, err
	case 'x':
		if end := strings.IndexByte(t.p[t.i:], '}'); strings.HasPrefix(t.p[t.i:], "{") && end > 0 {
			v, err := strconv.ParseUint(t.p[t.i+1:t.i+end], 16, 21)
			t.i += end + 1
			if err != nil || v > utf8.MaxRune {
				return nil, errors.New(`bad \x`)
			}
			return one(rune(v))
		}
		return t.hexRune(2)
	case '0':
		v, n := rune(0), 0
		for n < 3 && t.i < len(t.p) && t.p[t.i]-'0' < 8 && v*8+rune(t.p[t.i]-'0') < 256 {
			v = v*8 + rune(t.p[t.i]-'0')
			t.i++
			n++
		}
		if n == 0 {
			return nil, errors.New("bad octal escape")
		}
		return one(v)
	case 'c':
		if t.i >= len(t.p) {
			return nil, errors.New(`bad \c`)
		}
		t.i++
		return one(rune(t.p[t.i-1] ^ 64))
	}
	if r|0x20 >= 'a' && r|0x20 <= 'z' && r < 0x80 || r >= '1' && r <= '9' {
		return nil, fmt.Errorf(`unknown escape \%c`, r)
	}
	return one(r)
}

func (f flags) digit() runeSet {
	if f.w {
		return tables(unicode.Nd)
	}
	return digitSet
}

func (f flags) word() runeSet {
	if f.w {
		s, _ := binaryProperty("WORD")
		return s
	}
	return wordSet
}

func (f flags) space() runeSet {
	if f.w {
		return tables(unicode.White_Space)
	}
	return spaceSet
}

func (t *translator) hexRune(n int) (runeSet, error) {
	if t.i+n > len(t.p) {
		return nil, errors.New("bad hexadecimal escape")
	}
	v, err := strconv.ParseUint(t.p[t.i:t.i+n], 16, 32)
	if err != nil {
		return nil, errors.New("bad hexadecimal escape")
	}
	t.i += n
	return setOf(span{rune(v), rune(v)}), nil
}

func (t *translator) property(negated bool) (runeSet, error) {
	if t.i >= len(t.p) {
		return nil, errors.New("bad property")
	}
	name := t.p[t.i : t.i+1]
	t.i++
	if name == "{" {
		end := strings.IndexByte(t.p[t.i:], '}')
		if end < 0 {
			return nil, errors.New("bad property")
		}
		name = t.p[t.i : t.i+end]
		t.i += end + 1
	}
	s, ok := property(name, t.fl)
	if !ok {
		return nil, fmt.Errorf("property %s is not known", name)
	}
	if negated {
		s = s.not()
	}
	return s, nil
}
