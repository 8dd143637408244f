package kernel

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
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
	var all, cur runeSet
	joined := false // all holds the left side of an &&
	for first := true; ; first = false {
		if t.i >= len(t.p) {
			return nil, errors.New("unclosed class")
		}
		rest := t.p[t.i:]
		switch {
		case rest[0] == ']' && !first:
			t.i++
			if joined {
				cur = all.and(cur)
			}
			if negated {
				// The class folds before it negates.
				if t.fl.i && !t.fl.u {
					cur = cur.foldASCII()
				}
				cur = cur.not()
			}
			return cur, nil
		case strings.HasPrefix(rest, "&&"):
			t.i += 2
			if joined {
				cur = all.and(cur)
			}
			all, cur, joined = cur, nil, true
			continue
		case rest[0] == '[':
			s, err := t.classAt(depth + 1)
			if err != nil {
				return nil, err
			}
			cur = cur.union(s)
			continue
		case t.fl.x && t.skipped(rune(rest[0])):
			continue
		}
		s, err := t.member()
		if err != nil {
			return nil, err
		}
		cur = cur.union(s)
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
		return s, nil
	}
	t.i++
	hi, err := t.classAtom()
	if err != nil {
		return nil, err
	}
	if len(hi) != 1 || hi[0].lo != hi[0].hi || hi[0].lo < s[0].lo {
		return nil, errors.New("bad range in a class")
	}
	return setOf(span{s[0].lo, hi[0].lo}), nil
}

func (t *translator) classAtom() (runeSet, error) {
	if t.p[t.i] == '\\' {
		if strings.HasPrefix(t.p[t.i:], `\Q`) {
			lit, rest, _ := strings.Cut(t.p[t.i+2:], `\E`)
			var s runeSet
			for _, r := range lit {
				s = append(s, span{r, r})
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
		return digitSet, nil
	case 'D':
		return digitSet.not(), nil
	case 'w':
		return wordSet, nil
	case 'W':
		return wordSet.not(), nil
	case 's':
		return spaceSet, nil
	case 'S':
		return spaceSet.not(), nil
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
		return t.hexRune(4)
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
	s, ok := property(name)
	if !ok {
		return nil, fmt.Errorf("property %s is not known", name)
	}
	if negated {
		s = s.not()
	}
	return s, nil
}
