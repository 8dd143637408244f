package parse

import (
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
)

// Source is a parsed text with what its trees leave out, for who prints it
// again. It is read-only.
type Source struct {
	Text       string
	Statements []ast.Statement
	// Tokens are all tokens in order, semicolons included, without the end.
	Tokens   []Token
	Comments []Comment

	parens map[ast.Expr]int
}

// TokenKind tells tokens apart.
type TokenKind uint8

// Kinds of tokens.
const (
	Word     TokenKind = iota + 1 // a plain word
	Quoted                        // `a name in backticks`
	String                        // a string with its quotes
	Number                        // a number with its suffix
	Operator                      // an operator or punctuation
)

// Token is a lexical element, from byte Off to byte End of the text. Text is
// as written; Upper is the word in capitals, "" for all but words.
type Token struct {
	Kind        TokenKind
	Text, Upper string
	Off, End    int
}

// Comment is a comment with its marks, hints (/*+ ... */) included.
type Comment struct {
	Text     string
	Off, End int
}

// Parens counts the parentheses around an expression of the source.
func (s *Source) Parens(x ast.Expr) int { return s.parens[x] }

// Template parses a file whose parameters are not filled in: ${name} stands
// for a word or a part of one, as everywhere in strings.
func Template(file, text string) (*Source, error) {
	base := sparksql.Pos{File: file}
	l := &lexer{src: text, base: base, line: 1, col: 1, template: true, keep: true}
	if err := l.all(); err != nil {
		return nil, err
	}
	p := &parser{src: text, base: base, toks: l.toks, parens: map[ast.Expr]int{}}
	stmts, err := p.all()
	if err != nil {
		return nil, err
	}
	s := &Source{Text: text, Statements: stmts, Comments: l.comments, parens: p.parens, Tokens: make([]Token, len(l.toks)-1)}
	for i, t := range l.toks[:len(l.toks)-1] {
		s.Tokens[i] = Token{Kind: TokenKind(t.kind), Text: text[t.off:t.end], Upper: t.up, Off: t.off, End: t.end}
	}
	return s, nil
}
