package format

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

// Result is a formatted text.
type Result struct {
	Text string
	// Kept are the statements that were left as they are, since their tokens
	// and their trees do not agree.
	Kept []ast.Statement
}

// File formats all statements of a file; name is the file's in errors. Every
// statement ends with a semicolon, and one empty line stands between two. An
// error is the first of the file's syntax errors, a *sparksql.Error with its
// place.
func File(name, text string) (Result, error) {
	r, err := once(name, strings.ReplaceAll(text, "\r\n", "\n"))
	for range maxRounds {
		if err != nil {
			return Result{}, err
		}
		before := r.Text
		if r, err = once(name, before); r.Text == before {
			break
		}
	}
	return r, err
}

// maxRounds bounds how often a text is formatted again. One more round than
// the first is enough unless a line holds several comments, which then move
// onto lines of their own.
const maxRounds = 8

func once(name, text string) (Result, error) {
	src, err := parse.Template(name, text)
	if err != nil {
		return Result{}, err
	}
	var r Result
	p := &printer{src: src}
	var out []doc
	for n, st := range src.Statements {
		for p.i < len(src.Tokens) && src.Tokens[p.i].Text == ";" {
			p.i++
		}
		d, ok := p.whole(st)
		if !ok {
			r.Kept = append(r.Kept, st)
		}
		if n > 0 {
			out = append(out, line{hard: true, blank: true})
		}
		out = append(out, d)
	}
	p.i, p.end = len(src.Tokens), len(src.Tokens)
	if rest := p.block(); !empty(rest) {
		if len(out) > 0 {
			out = append(out, line{hard: true, blank: true})
		}
		out = append(out, rest)
	}
	r.Text = strings.TrimLeft(render(join(out...)), "\n")
	if strings.TrimSpace(r.Text) == "" {
		r.Text = ""
	}
	return r, nil
}

// whole prints a statement with the comments above it and its semicolon. It
// answers false where the statement is printed as it is written.
func (p *printer) whole(st ast.Statement) (doc, bool) {
	p.end = p.i
	to := st.Pos().Offset + len(st.Source())
	for p.end < len(p.src.Tokens) && p.src.Tokens[p.end].End <= to {
		p.end++
	}
	above := p.block()
	i, c := p.i, p.c
	d := p.statement(st)
	ok := !p.bad && p.i == p.end && p.held == nil
	if !ok {
		p.i, p.c, p.bad, p.held = i, c, false, nil
		d = p.verbatim()
	}
	p.end = len(p.src.Tokens)
	semi := doc(text(";"))
	switch {
	case p.i > 0 && p.src.Tokens[p.i-1].Text == ";": // the statement has taken it
		semi = nothing
	case p.i < p.end:
		semi = p.op(";")
	}
	return join(above, d, semi), ok
}

// block prints the comments before the next token on lines of their own, with
// one empty line where the source has some.
func (p *printer) block() doc {
	off := p.off()
	var out []doc
	for p.c < len(p.src.Comments) && p.src.Comments[p.c].Off < off {
		c := p.src.Comments[p.c]
		p.c++
		next := off
		if p.c < len(p.src.Comments) {
			next = min(next, p.src.Comments[p.c].Off)
		}
		out = append(out, text(clean(c.Text)))
		blank := strings.Count(p.src.Text[c.End:next], "\n") > 1
		switch {
		case next == len(p.src.Text): // the file's last words
		case strings.HasPrefix(c.Text, "--") || p.newLineAfter(c):
			out = append(out, line{hard: true, blank: blank})
		default:
			out = append(out, space)
		}
	}
	return join(out...)
}
