package kernel

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrPattern is the family of patterns that Java refuses, or that we cannot
// run with Java's answers.
var ErrPattern = errors.New("regular expression")

// javaPattern is a Java pattern in the syntax of our two engines: lin for
// Go's linear one (where it gives the same matches), bt for the backtracking
// one. Character classes are written out, so both mean Java's.
type javaPattern struct {
	lin, bt strings.Builder
	linear  bool
	// The linear form is right for some texts only.
	onlyASCII bool // it has \b, which knows ASCII letters only
	plainEnd  bool // it has $, which does not see a final line terminator
	context   bool // it looks back (^, \b): a text cannot be searched from the middle
	groups    int
	names     []string // of groups, by number - 1
	literal   string   // the whole pattern is this text
	isLiteral bool
}

// flags are Java's: w stands for its U.
type flags struct{ d, i, m, s, u, w, x bool }

type frame struct {
	flags           flags
	linFrom, btFrom int
}

// translator reads a Java pattern once from left to right.
type translator struct {
	*javaPattern
	p       string
	i       int
	fl      flags
	stack   []frame
	linAtom int // where the last atom starts in lin and bt, for quantifiers
	btAtom  int
	atom    bool // there is one
	lit     strings.Builder
	plain   bool
}

func translate(p string) (*javaPattern, error) {
	t := translator{javaPattern: &javaPattern{linear: true}, p: p, plain: true}
	for t.i < len(p) {
		if err := t.next(); err != nil {
			return nil, fmt.Errorf("%w '%s': %w", ErrPattern, p, err)
		}
	}
	if len(t.stack) > 0 {
		return nil, fmt.Errorf("%w '%s': unclosed group", ErrPattern, p)
	}
	t.literal, t.isLiteral = t.lit.String(), t.plain && t.lit.Len() > 0
	return t.javaPattern, nil
}

func (t *translator) both(s string) { t.lin.WriteString(s); t.bt.WriteString(s) }

// begin marks the start of an atom.
func (t *translator) begin() {
	t.linAtom, t.btAtom, t.atom = t.lin.Len(), t.bt.Len(), true
}

// only writes what the backtracking engine alone can do.
func (t *translator) only(s string) {
	t.linear = false
	t.bt.WriteString(s)
}

func (t *translator) next() error {
	r, n := utf8.DecodeRuneInString(t.p[t.i:])
	if strings.ContainsRune("[](){}.*+?^$|", r) || t.fl != (flags{}) {
		t.plain = false
	}
	switch r {
	case '\\':
		return t.escape()
	case '[':
		s, err := t.class()
		if err != nil {
			return err
		}
		t.set(s)
		return nil
	case '.':
		t.i++
		switch {
		case t.fl.s:
			t.set(allSet)
		case t.fl.d:
			t.set(setOf(span{'\n', '\n'}).not())
		default:
			t.set(lineSet.not())
		}
		return nil
	case '^':
		t.i++
		t.begin()
		t.context = true
		switch {
		case t.fl.m && t.fl.d:
			t.only(`(?:\A|(?<=\n)(?!\z))`)
		case t.fl.m:
			t.only(`(?:\A|(?<=[\n\r\u0085\u2028\u2029])(?<!\r(?=\n))(?!\z))`)
		default:
			t.both(`\A`)
		}
		return nil
	case '$':
		t.i++
		t.begin()
		t.end()
		return nil
	case '(':
		return t.open()
	case ')':
		return t.close()
	case '|':
		t.i++
		t.both("|")
		t.atom = false
		return nil
	case '*', '+', '?', '{':
		return t.quantifier()
	}
	if t.fl.x && t.skipped(r) {
		return nil
	}
	t.i += n
	t.char(r)
	return nil
}

// skipped passes white space and comments of the x flag.
func (t *translator) skipped(r rune) bool {
	if r == '#' {
		for t.i < len(t.p) && t.p[t.i] != '\n' {
			t.i++
		}
		return true
	}
	if strings.ContainsRune(" \t\n\v\f\r", r) {
		t.i++
		return true
	}
	return false
}

func (t *translator) end() {
	if t.fl.m && t.fl.d {
		t.only(`(?=\n|\z)`)
		return
	}
	if t.fl.m {
		t.only(`(?:(?=\r\n|[\n\r\u0085\u2028\u2029]|\z)(?<!\r(?=\n)))`)
		return
	}
	t.plainEnd = true
	t.lin.WriteString(`\z`)
	if t.fl.d {
		t.bt.WriteString(`(?=\n?\z)`)
		return
	}
	t.bt.WriteString(`(?=(?:\r\n|[\n\r\u0085\u2028\u2029])?\z)(?<!\r(?=\n))`)
}

// char is one literal character.
func (t *translator) char(r rune) {
	if t.plain {
		t.lit.WriteRune(r)
	}
	if t.fl.i {
		t.set(t.folded(setOf(span{r, r})))
		return
	}
	t.begin()
	t.both(regexp.QuoteMeta(string(r)))
}

func (t *translator) set(s runeSet) {
	t.begin()
	var b strings.Builder
	s.write(&b)
	t.both(b.String())
}

// open starts a group, or sets flags.
func (t *translator) open() error {
	rest := t.p[t.i:]
	f := frame{t.fl, t.lin.Len(), t.bt.Len()}
	if !strings.HasPrefix(rest, "(?") {
		t.i++
		t.groups++
		t.names = append(t.names, "")
		t.push(f, "(")
		return nil
	}
	for _, k := range []string{"(?=", "(?!", "(?<=", "(?<!", "(?>"} {
		if strings.HasPrefix(rest, k) {
			t.i += len(k)
			t.linear, t.context = false, true
			t.push(f, k)
			return nil
		}
	}
	if strings.HasPrefix(rest, "(?<") {
		end := strings.IndexByte(rest, '>')
		if end < 4 || !groupName(rest[3:end]) || slices.Contains(t.names, rest[3:end]) {
			return errors.New("bad name of a group")
		}
		t.groups++
		t.names = append(t.names, rest[3:end])
		t.i += end + 1
		t.push(f, "(")
		return nil
	}
	return t.setFlags(f)
}

// groupName tells names of ASCII letters and digits that begin with a letter.
func groupName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c-'0' > 9) {
			return false
		}
	}
	return true
}

func (t *translator) push(f frame, s string) {
	t.stack = append(t.stack, f)
	t.both(s)
	t.atom = false
}

func (t *translator) setFlags(f frame) error {
	on := true
	for t.i += 2; t.i < len(t.p); t.i++ {
		switch t.p[t.i] {
		case '-':
			on = false
		case 'd':
			t.fl.d = on
		case 'i':
			t.fl.i = on
		case 'm':
			t.fl.m = on
		case 's':
			t.fl.s = on
		case 'u':
			t.fl.u = on
		case 'U':
			t.fl.u, t.fl.w = on, on
		case 'x':
			t.fl.x = on
		case ')':
			t.i++
			t.atom = false
			return nil
		case ':':
			t.i++
			t.push(f, "(?:")
			return nil
		default:
			return fmt.Errorf("flag %q is not supported", t.p[t.i])
		}
	}
	return errors.New("unclosed group")
}

func (t *translator) close() error {
	t.i++
	if len(t.stack) == 0 {
		return errors.New("unmatched )")
	}
	f := t.stack[len(t.stack)-1]
	t.stack = t.stack[:len(t.stack)-1]
	t.fl = f.flags
	t.both(")")
	t.linAtom, t.btAtom, t.atom = f.linFrom, f.btFrom, true
	return nil
}

func (t *translator) quantifier() error {
	q := t.p[t.i : t.i+1]
	if !t.atom && q == "{" { // a counter without an atom counts nothing
		t.begin()
		t.both("(?:)")
	}
	if !t.atom {
		return fmt.Errorf("dangling %q", t.p[t.i])
	}
	if q == "{" {
		end := strings.IndexByte(t.p[t.i:], '}')
		if end < 0 {
			return errors.New("unclosed counter")
		}
		q = t.p[t.i : t.i+end+1]
		if err := t.counter(q[1:end]); err != nil {
			return err
		}
	}
	t.i += len(q)
	if t.i < len(t.p) && t.p[t.i] == '+' { // possessive: an atomic group
		t.i++
		s := t.bt.String()
		t.bt.Reset()
		t.bt.WriteString(s[:t.btAtom])
		t.only("(?>" + s[t.btAtom:] + q + ")")
		t.atom = false
		return nil
	}
	if t.i < len(t.p) && t.p[t.i] == '?' {
		t.i++
		q += "?"
	}
	t.both(q)
	t.atom = false
	return nil
}

func (t *translator) counter(q string) error {
	lo, hi, two := strings.Cut(q, ",")
	n, err := strconv.ParseUint(lo, 10, 31)
	m := n
	if err == nil && two && hi != "" {
		m, err = strconv.ParseUint(hi, 10, 31)
	}
	if err != nil || m < n {
		return errors.New("bad counter")
	}
	if m > 1000 {
		t.linear = false // Go's engine ends there
	}
	return nil
}

// escape reads what follows a backslash outside a class.
func (t *translator) escape() error {
	if t.i+1 >= len(t.p) {
		return errors.New("trailing backslash")
	}
	plain := t.plain
	t.plain = false
	switch e := t.p[t.i+1]; e {
	case 'b', 'B':
		t.i += 2
		t.begin()
		t.boundary(e == 'B')
		return nil
	case 'A', 'z':
		t.i += 2
		t.begin()
		t.context = t.context || e == 'A'
		t.both(`\` + string(e))
		return nil
	case 'Z':
		t.i += 2
		t.begin()
		m := t.fl.m
		t.fl.m = false
		t.end()
		t.fl.m = m
		return nil
	case 'R':
		t.i += 2
		t.begin()
		t.only(`(?:\r\n|[\n\v\f\r\u0085\u2028\u2029])`)
		return nil
	case 'G':
		t.i += 2
		t.begin()
		t.context = true
		t.only(`\G`)
		return nil
	case 'X':
		t.i += 2
		t.begin()
		t.only(graphemeCluster)
		return nil
	case 'Q':
		lit, rest, _ := strings.Cut(t.p[t.i+2:], `\E`)
		t.plain = plain
		for _, r := range lit {
			t.char(r)
		}
		t.i = len(t.p) - len(rest)
		return nil
	case 'k':
		return t.namedReference()
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return t.reference()
	}
	s, err := t.escapedSet()
	if err != nil {
		return err
	}
	if len(s) == 1 && s[0].lo == s[0].hi {
		t.plain = plain
		t.char(s[0].lo)
	} else {
		t.set(s)
	}
	return nil
}

// Left and right of a border of words, without the flag U: a mark that belongs
// to a letter is part of the word.
const (
	wordLeft  = `_|[\p{L}\p{Nd}]\p{Mn}*`
	wordRight = `[\p{L}\p{Nd}_]|(?<=[\p{L}\p{Nd}]\p{Mn}*)\p{Mn}`
)

// boundary is \b, or \B where not is set.
func (t *translator) boundary(not bool) {
	t.context, t.onlyASCII = true, true
	left, right := wordLeft, wordRight
	if t.fl.w {
		var b strings.Builder
		t.fl.word().write(&b)
		left, right = b.String(), b.String()
	}
	if not {
		t.lin.WriteString(`\B`)
		t.bt.WriteString(`(?:(?<=` + left + `)(?=` + right + `)|(?<!` + left + `)(?!` + right + `))`)
		return
	}
	t.lin.WriteString(`\b`)
	t.bt.WriteString(`(?:(?<=` + left + `)(?!` + right + `)|(?<!` + left + `)(?=` + right + `))`)
}

// graphemeCluster is what a reader takes for one character: a syllable of
// Hangul, a flag, emoji joined to one, a character with its marks.
const graphemeCluster = `(?>\r\n|[\p{Cc}\p{Zl}\p{Zp}]|(?:` +
	`[\u1100-\u115f\ua960-\ua97c]*[\uac00-\ud7a3\u1160-\u11a7\ud7b0-\ud7c6][\u1160-\u11a7\ud7b0-\ud7c6]*[\u11a8-\u11ff\ud7cb-\ud7fb]*` +
	`|[\u1100-\u115f\ua960-\ua97c]+|[\u11a8-\u11ff\ud7cb-\ud7fb]+|[🇦-🇿]{2}` +
	`|` + pictograph + `(?:[\p{Mn}\p{Me}🏻-🏿]*\u200d` + pictograph + `)*|[\s\S])[\p{M}\u200c\u200d🏻-🏿]*)`

const pictograph = `[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a-\u23ff\u25aa-\u25fe\u2600-\u27bf` +
	`\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299🀀-🇥🈀-🏺🐀-` + "\U0001faff]"

func (t *translator) namedReference() error {
	rest := t.p[t.i+2:]
	end := strings.IndexByte(rest, '>')
	if !strings.HasPrefix(rest, "<") || end < 0 {
		return errors.New("bad reference")
	}
	n := slices.Index(t.names, rest[1:end]) + 1
	if n == 0 || rest[1:end] == "" {
		return errors.New("reference to no group")
	}
	t.i += 2 + end + 1
	t.refer(n)
	return nil
}

// reference takes as many digits as there are groups for.
func (t *translator) reference() error {
	n := int(t.p[t.i+1] - '0')
	t.i += 2
	for t.i < len(t.p) && t.p[t.i]-'0' < 10 && n*10+int(t.p[t.i]-'0') <= t.groups {
		n = n*10 + int(t.p[t.i]-'0')
		t.i++
	}
	t.refer(n)
	return nil
}

func (t *translator) refer(n int) {
	t.begin()
	switch {
	case n > t.groups: // a group that comes later never matched: Java fails
		t.only(`(?!)`)
	case t.fl.i:
		t.only(`(?i:\` + strconv.Itoa(n) + `)`)
	default:
		t.only(`(?:\` + strconv.Itoa(n) + `)`)
	}
}
