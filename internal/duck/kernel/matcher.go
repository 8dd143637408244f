package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"

	"github.com/marisma/marisma/internal/duck/vector"
)

// matchTimeout bounds one search of the backtracking engine.
const matchTimeout = 2 * time.Second

// errTimeout is the one error that a kernel raises: a NULL in its place would
// be a wrong answer, and without an end the query would hang.
var errTimeout = errors.New("MARISMA:[REGEXP_TIMEOUT] A regular expression backtracks for too long on a value. Make the pattern simpler. SQLSTATE: 57014")

// matcher is a compiled Java pattern, safe for concurrent use.
type matcher struct {
	*javaPattern
	re *regexp.Regexp
	bt func() (*regexp2.Regexp, error) // compiled when first needed
	in sync.Pool                       // *runeText
}

func newMatcher(p string) (*matcher, error) {
	j, err := translate(p)
	if err != nil {
		return nil, err
	}
	m := &matcher{javaPattern: j}
	if j.linear {
		if m.re, err = regexp.Compile(j.lin.String()); err != nil {
			return nil, fmt.Errorf("%w '%s': %w", ErrPattern, p, err)
		}
	}
	m.bt = sync.OnceValues(func() (*regexp2.Regexp, error) {
		re, err := regexp2.Compile(j.bt.String(), regexp2.None)
		if err != nil {
			return nil, fmt.Errorf("%w '%s': %w", ErrPattern, p, err)
		}
		re.MatchTimeout = matchTimeout
		return re, nil
	})
	if !j.linear {
		if _, err = m.bt(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// linearFor tells whether the linear engine answers as Java for this text.
func (m *matcher) linearFor(b []byte, all bool) bool {
	switch {
	case m.re == nil, all && m.context:
		return false
	case m.plainEnd && len(b) > 0:
		r, _ := utf8.DecodeLastRune(b)
		if r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return false
		}
	}
	if m.onlyASCII {
		for _, c := range b {
			if c >= utf8.RuneSelf {
				return false
			}
		}
	}
	return true
}

// match tells whether the pattern is found.
func (m *matcher) match(b []byte) (bool, error) {
	if m.isLiteral {
		return bytes.Contains(b, []byte(m.literal)), nil
	}
	if m.linearFor(b, false) {
		return m.re.Match(b), nil
	}
	found := false
	err := m.backtrack(b, func([]int) bool { found = true; return false })
	return found, err
}

// first calls f with the groups of the first match, as byte offsets.
func (m *matcher) first(b []byte, f func(loc []int)) error {
	if m.linearFor(b, false) {
		if loc := m.re.FindSubmatchIndex(b); loc != nil {
			f(loc)
		}
		return nil
	}
	return m.backtrack(b, func(loc []int) bool { f(loc); return false })
}

// each calls f for the matches one after another, as Java's find does.
func (m *matcher) each(b []byte, f func(loc []int) bool) error {
	if m.isLiteral {
		m.eachLiteral(b, f)
		return nil
	}
	if !m.linearFor(b, true) {
		return m.backtrack(b, f)
	}
	for from := 0; from <= len(b); {
		loc := m.re.FindSubmatchIndex(b[from:])
		if loc == nil {
			return nil
		}
		for i := range loc {
			if loc[i] >= 0 {
				loc[i] += from
			}
		}
		if !f(loc) {
			return nil
		}
		from = loc[1]
		if loc[0] == loc[1] { // an empty match: the next begins a character on
			_, n := utf8.DecodeRune(b[from:])
			if n == utf8.UTFMax { // or, as Java counts, within it
				return m.backtrackFrom(b, from, f)
			}
			from += max(n, 1)
		}
	}
	return nil
}

func (m *matcher) eachLiteral(b []byte, f func(loc []int) bool) {
	lit := []byte(m.literal)
	var loc [2]int
	for from := 0; ; {
		i := bytes.Index(b[from:], lit)
		if i < 0 {
			return
		}
		loc[0], loc[1] = from+i, from+i+len(lit)
		if from = loc[1]; !f(loc[:]) {
			return
		}
	}
}

// runeText is a text as the backtracking engine takes it.
type runeText struct {
	runes []rune
	off   []int // byte offset of each, and of the end
	loc   []int
}

// half stands for one half of a surrogate pair: in classes it is what both
// halves are, no letter and no digit.
const half = '\uffff'

func (m *matcher) backtrack(b []byte, f func(loc []int) bool) error {
	return m.backtrackFrom(b, -1, f)
}

// backtrackFrom goes on behind an empty match before the character at byte
// within, a surrogate pair in Java: the next match may begin inside of it.
func (m *matcher) backtrackFrom(b []byte, within int, f func(loc []int) bool) error {
	re, err := m.bt()
	if err != nil {
		return nil //nolint:nilerr // Java accepts nothing that this engine refuses: no match
	}
	t, _ := m.in.Get().(*runeText)
	if t == nil {
		t = &runeText{}
	}
	defer m.in.Put(t)
	from := t.read(b, within)
	for from <= len(t.runes) {
		next := len(t.runes) + 1
		err = re.FindRunesMatches(t.runes, from, func(v regexp2.MatchView) bool {
			if !f(t.groups(v, m.groups)) {
				return false
			}
			if at, n, _ := v.GroupRange(0); n == 0 && at < len(t.runes) && t.runes[at] > half {
				next = at + 1
				return false
			}
			return true
		})
		if err != nil {
			return errTimeout
		}
		if from = next; from <= len(t.runes) {
			t.cut(from - 1)
		}
	}
	return nil
}

// read takes a text over, with the character at byte within in halves, and
// gives where to begin: at its second half, or at the start.
func (t *runeText) read(b []byte, within int) (from int) {
	t.runes, t.off = t.runes[:0], t.off[:0]
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		t.runes, t.off = append(t.runes, r), append(t.off, i)
		if i == within {
			from = len(t.runes)
		}
		i += n
	}
	t.off = append(t.off, len(b))
	if from > 0 {
		t.cut(from - 1)
	}
	return from
}

// cut puts two halves in place of the character at i. The second one's offset
// is that of the third of its four bytes.
func (t *runeText) cut(i int) {
	t.runes[i] = half
	t.runes = slices.Insert(t.runes, i+1, half)
	t.off = slices.Insert(t.off, i+1, t.off[i]+2)
}

// groups are the byte offsets of a match's groups.
func (t *runeText) groups(v regexp2.MatchView, n int) []int {
	t.loc = t.loc[:0]
	for g := range n + 1 {
		at, n, ok := v.GroupRange(g)
		if !ok {
			t.loc = append(t.loc, -1, -1)
			continue
		}
		t.loc = append(t.loc, t.off[at], t.off[at+n])
	}
	return t.loc
}

// piece is b[from:to]; where an end lies within a character a question mark
// stands for its half, as Java writes it.
func piece(b []byte, from, to int) []byte {
	head := from < to && !utf8.RuneStart(b[from])
	tail := from < to && to < len(b) && !utf8.RuneStart(b[to])
	if !head && !tail {
		return b[from:to]
	}
	var out []byte
	if head {
		out, from = append(out, '?'), min(from+2, to)
	}
	if !tail {
		return append(out, b[from:to]...)
	}
	return append(append(out, b[from:max(to-2, from)]...), '?')
}

// matchers finds the matcher of each row: one for all, or by the last argument.
type matchers struct {
	fixed *matcher
	pat   []vector.Str
	m     map[string]*matcher
}

// maxMatchers bounds what a column of patterns makes a chunk keep.
const maxMatchers = 256

// get is nil for a pattern that Java refuses.
func (ms *matchers) get(i int) *matcher {
	if ms.fixed != nil {
		return ms.fixed
	}
	s := &ms.pat[i]
	if m, ok := ms.m[s.String()]; ok {
		return m
	}
	if ms.m == nil || len(ms.m) >= maxMatchers {
		ms.m = map[string]*matcher{}
	}
	text := strings.Clone(s.String())
	m, err := newMatcher(text)
	if err != nil {
		m = nil
	}
	ms.m[text] = m
	return m
}
