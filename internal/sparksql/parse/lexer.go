package parse

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/marisma/marisma/internal/sparksql"
)

type kind uint8

const (
	tEOF    kind = iota
	tIdent       // plain word; up is its upper case
	tQuoted      // `quoted`
	tString      // value decoded
	tNumber      // text as written, with its suffix
	tOp          // operator or punctuation
	tHint        // what stands between /*+ and */
)

// token is one lexical element. text is the value (decoded for strings and
// quoted identifiers); off and end are byte offsets in the source.
type token struct {
	kind      kind
	text      string
	up        string
	off, end  int
	line, col int
}

type lexer struct {
	src       string
	base      sparksql.Pos // where src starts in its file
	quotes    Quotes
	off       int
	line, col int
	toks      []token
	// template takes ${name} for (a part of) a word, as in a pipeline's file
	// before its parameters are filled in.
	template bool
	// comments are kept where keep is set.
	keep     bool
	comments []Comment
}

// operators from the longest; "<<", ">>" and ">>>" are put together by the
// expression parser, because ">" also closes types.
var operators = []string{
	"<=>", "<=", ">=", "<>", "!=", "!>", "!<", "==", "||", "|>", "->", "=>", "::", "&&",
	"+", "-", "*", "/", "%", "~", "&", "|", "^", "=", "<", ">", "!", "(", ")", "[", "]", "{", "}", ",", ".", ";", ":", "?", "@", "$", "#", "\\",
}

func lex(base sparksql.Pos, src string, quotes Quotes) ([]token, error) {
	l := &lexer{src: src, base: base, quotes: quotes, line: 1, col: 1}
	if err := l.all(); err != nil {
		return nil, err
	}
	return l.toks, nil
}

func (l *lexer) all() error {
	l.toks = make([]token, 0, len(l.src)/4+1)
	for {
		if err := l.space(); err != nil {
			return err
		}
		if strings.HasPrefix(l.src[l.off:], "/*+") {
			if err := l.hint(); err != nil {
				return err
			}
			continue
		}
		if l.off >= len(l.src) {
			l.toks = append(l.toks, token{kind: tEOF, off: l.off, end: l.off, line: l.line, col: l.col})
			return nil
		}
		if err := l.next(); err != nil {
			return err
		}
	}
}

func (l *lexer) pos() sparksql.Pos {
	return place(l.base, l.line, l.col, l.off)
}

// place is a position of a text that starts at base.
func place(base sparksql.Pos, line, col, off int) sparksql.Pos {
	p := sparksql.Pos{File: base.File, Line: line, Col: col, Offset: off + base.Offset}
	if base.IsZero() {
		return p
	}
	if line == 1 {
		p.Col += base.Col - 1
	}
	p.Line += base.Line - 1
	return p
}

// advance moves n bytes on, counting lines and code points.
func (l *lexer) advance(n int) {
	for _, r := range l.src[l.off : l.off+n] {
		if r == '\n' {
			l.line++
			l.col = 1
		} else {
			l.col++
		}
	}
	l.off += n
}

// space skips white space and comments.
func (l *lexer) space() error {
	for l.off < len(l.src) {
		rest := l.src[l.off:]
		r, n := utf8.DecodeRuneInString(rest)
		switch {
		case unicode.IsSpace(r) || r == '\ufeff':
			l.advance(n)
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			l.comment(n)
		case strings.HasPrefix(rest, "/*+") && !l.keep:
			return nil
		case strings.HasPrefix(rest, "/*"):
			n := blockComment(rest)
			if n < 0 {
				return parseError("UNCLOSED_BRACKETED_COMMENT", "42601", l.pos(), "the comment is not closed; expected */")
			}
			l.comment(n)
		default:
			return nil
		}
	}
	return nil
}

// hint takes /*+ ... */ for one token.
func (l *lexer) hint() error {
	body, _, closed := strings.Cut(l.src[l.off+len("/*+"):], "*/")
	if !closed {
		l.advance(len(l.src) - l.off)
		return parseError("PARSE_SYNTAX_ERROR", "42601", l.pos(), "syntax error at or near end of input; expected the end of the hint, */")
	}
	l.emit(tHint, body, len("/*+")+len(body)+len("*/"))
	return nil
}

// comment passes a comment of n bytes.
func (l *lexer) comment(n int) {
	if l.keep {
		l.comments = append(l.comments, Comment{Text: l.src[l.off : l.off+n], Off: l.off, End: l.off + n})
	}
	l.advance(n)
}

// blockComment is the length of the comment that s starts with, nested ones
// counted, or -1.
func blockComment(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

func (l *lexer) next() error {
	rest := l.src[l.off:]
	r, _ := utf8.DecodeRuneInString(rest)
	c := rest[0]
	switch {
	case c == '`', c == '"' && l.quotes.Names:
		return l.quoted(rest)
	case c == '\'' || c == '"':
		return l.str(rest, 0, false)
	case (c == 'r' || c == 'R') && len(rest) > 1 && (rest[1] == '\'' || rest[1] == '"'):
		return l.str(rest, 1, true)
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]) && !l.afterName():
		n := number(rest)
		if n > 0 {
			l.emit(tNumber, rest[:n], n)
			return nil
		}
		return l.word(rest)
	case r == '_' || unicode.IsLetter(r) || l.parameter(rest) > 0:
		return l.word(rest)
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			l.emit(tOp, op, len(op))
			return nil
		}
	}
	return parseError("PARSE_SYNTAX_ERROR", "42601", l.pos(), "syntax error at or near '%c'; no statement holds this character", r)
}

// afterName tells whether a '.' directly follows a name or a whole number, so
// that "t.1" is a name and not "t" and ".1".
func (l *lexer) afterName() bool {
	if len(l.toks) == 0 {
		return false
	}
	t := l.toks[len(l.toks)-1]
	if t.kind == tNumber && strings.Trim(t.text, "0123456789") != "" {
		return false
	}
	return t.end == l.off && (t.kind == tIdent || t.kind == tQuoted || t.kind == tNumber || t.kind == tOp && (t.text == "]" || t.text == ")"))
}

func (l *lexer) emit(k kind, text string, n int) {
	t := token{kind: k, text: text, off: l.off, end: l.off + n, line: l.line, col: l.col}
	if k == tIdent {
		t.up = strings.ToUpper(text)
	}
	l.advance(n)
	l.toks = append(l.toks, t)
}

// word lexes letters, digits and '_'. Letters beyond ASCII are an error that
// asks for backticks, as in Spark.
func (l *lexer) word(rest string) error {
	n, plain := 0, true
	for n < len(rest) {
		if w := l.parameter(rest[n:]); w > 0 {
			n += w
			continue
		}
		r, w := utf8.DecodeRuneInString(rest[n:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		plain = plain && r < utf8.RuneSelf
		n += w
	}
	if n == 0 {
		n = 1
	}
	if !plain {
		return parseError("INVALID_IDENTIFIER", "42602", l.pos(), "the unquoted identifier %s is invalid; put it in backticks: `%[1]s`", rest[:n])
	}
	l.emit(tIdent, rest[:n], n)
	return nil
}

// parameter is the length of the ${name} that s starts with, 0 without or
// where the text is no template.
func (l *lexer) parameter(s string) int {
	if !l.template || !strings.HasPrefix(s, "${") {
		return 0
	}
	n := strings.IndexAny(s, "}\n")
	if n < 0 || s[n] == '\n' {
		return 0
	}
	return n + 1
}

func (l *lexer) quoted(rest string) error {
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		if rest[i] != rest[0] {
			b.WriteByte(rest[i])
			continue
		}
		if i+1 < len(rest) && rest[i+1] == rest[0] {
			b.WriteByte(rest[0])
			i++
			continue
		}
		l.emit(tQuoted, b.String(), i+1)
		return nil
	}
	return parseError("PARSE_SYNTAX_ERROR", "42601", l.pos(), "syntax error at or near '%c'; the quoted identifier is not closed, expected %[1]c", rest[0])
}

// str lexes a string whose quote stands at rest[at]; raw strings know no escape.
func (l *lexer) str(rest string, at int, raw bool) error {
	q := rest[at]
	for i := at + 1; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && !raw:
			i++
		case rest[i] == q && !raw && i+1 < len(rest) && rest[i+1] == q:
			i++
		case rest[i] == q:
			body := rest[at+1 : i]
			if !raw && !l.quotes.Raw {
				body = unescape(body, q)
			}
			l.emit(tString, body, i+1)
			return nil
		}
	}
	return parseError("PARSE_SYNTAX_ERROR", "42601", l.pos(), "syntax error at or near '%c'; the string is not closed, expected %[1]c", q)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

// number is the length of the number that s starts with, 0 where the letters
// behind it make it a word ("1_000", "0x1F").
func number(s string) int {
	digits := func(i int) int {
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		return i
	}
	ends := func(i int) bool { return i >= len(s) || !isWord(s[i]) }
	i := digits(0)
	whole := i
	dot := i < len(s) && s[i] == '.'
	if dot {
		i = digits(i + 1)
	}
	try := func(i int) int {
		e := exponent(s, i)
		for _, j := range []int{e, i} {
			for _, suffix := range []string{"bd", "f", "d", ""} {
				if len(s) >= j+len(suffix) && strings.EqualFold(s[j:j+len(suffix)], suffix) && ends(j+len(suffix)) {
					return j + len(suffix)
				}
			}
		}
		return 0
	}
	if n := try(i); n > 0 {
		return n
	}
	if dot && whole > 0 { // "5.a" is 5 . a
		if n := try(whole); n > 0 {
			return n
		}
	}
	if whole > 0 && whole < len(s) && strings.IndexByte("lLsSyY", s[whole]) >= 0 && ends(whole+1) {
		return whole + 1
	}
	return 0
}

// exponent is the index behind an exponent at s[i:], or i where there is none.
func exponent(s string, i int) int {
	if i >= len(s) || s[i] != 'e' && s[i] != 'E' {
		return i
	}
	j := i + 1
	if j < len(s) && (s[j] == '+' || s[j] == '-') {
		j++
	}
	k := j
	for k < len(s) && isDigit(s[k]) {
		k++
	}
	if k == j {
		return i
	}
	return k
}
