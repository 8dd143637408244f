package format

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

// printer walks a statement's tree and takes the source's tokens along, each
// of them once and in order. bad is set where the two do not agree.
type printer struct {
	src  *parse.Source
	i    int // the next token
	end  int // behind the statement's last token
	c    int // the next comment
	bad  bool
	held doc // comments that stood before a comma and go behind it
}

func (p *printer) at(n int) parse.Token {
	if p.i+n < p.end {
		return p.src.Tokens[p.i+n]
	}
	return parse.Token{}
}

// off is where the next token stands.
func (p *printer) off() int {
	if p.i < p.end {
		return p.at(0).Off
	}
	return len(p.src.Text)
}

func (p *printer) isWord(words ...string) bool { return p.wordAt(0, words...) }

func (p *printer) wordAt(n int, words ...string) bool {
	t := p.at(n)
	return t.Kind == parse.Word && slices.Contains(words, t.Upper)
}

func (p *printer) words(seq ...string) bool {
	for n, w := range seq {
		if !p.wordAt(n, w) {
			return false
		}
	}
	return true
}

func (p *printer) isOp(op string) bool { return p.opAt(0, op) }

func (p *printer) opAt(n int, op string) bool {
	t := p.at(n)
	return t.Kind == parse.Operator && t.Text == op
}

// as prints the next token as s, with its comments.
func (p *printer) as(s string) doc {
	if p.i >= p.end {
		p.bad = true
		return nothing
	}
	lead := p.leading()
	if p.isOp(",") && !empty(lead) {
		p.held, lead = join(p.held, lead), nothing
	} else if p.held != nil {
		lead, p.held = join(p.held, lead), nil
	}
	p.i++
	return join(lead, text(s), p.trailing())
}

// raw prints the next token as it is written.
func (p *printer) raw() doc { return p.as(p.at(0).Text) }

// kw takes the words, in capitals.
func (p *printer) kw(words ...string) doc {
	out := make([]doc, 0, len(words))
	for _, w := range words {
		if !p.isWord(w) {
			p.bad = true
			return nothing
		}
		out = append(out, p.as(w))
	}
	return spaced(out...)
}

// maybe takes the words if they come next, else nothing.
func (p *printer) maybe(words ...string) doc {
	if !p.words(words...) {
		return nothing
	}
	return p.kw(words...)
}

// oneOf takes one of the words, which must come.
func (p *printer) oneOf(words ...string) doc {
	if !p.isWord(words...) {
		p.bad = true
		return nothing
	}
	return p.as(p.at(0).Upper)
}

// maybeOne takes one of the words if it comes.
func (p *printer) maybeOne(words ...string) doc {
	if !p.isWord(words...) {
		return nothing
	}
	return p.oneOf(words...)
}

func (p *printer) op(op string) doc {
	if !p.isOp(op) {
		p.bad = true
		return nothing
	}
	return p.as(op)
}

func (p *printer) maybeOp(op string) doc {
	if !p.isOp(op) {
		return nothing
	}
	return p.as(op)
}

// ident takes a name's part.
func (p *printer) ident() doc {
	if k := p.at(0).Kind; k != parse.Word && k != parse.Quoted {
		p.bad = true
		return nothing
	}
	return p.raw()
}

// name takes n parts with dots between; parentheses around the first ones
// are part of how it is written.
func (p *printer) name(n ast.Name) doc {
	var out []doc
	for seen := 0; seen < len(n) || p.isOp(")") && open(out) > 0; {
		switch {
		case p.isOp("("), p.isOp(")") && open(out) > 0, p.isOp("."):
			out = append(out, p.raw())
		case seen < len(n) && n[seen].X != nil: // IDENTIFIER(x)
			out = append(out, p.kw("IDENTIFIER"), p.parens(func() doc { return p.expr(n[seen].X) }))
			seen++
		default:
			seen++
			out = append(out, p.ident())
		}
		if p.bad {
			return nothing
		}
	}
	return join(out...)
}

// open counts the parentheses that are open in a name.
func open(docs []doc) int {
	n := 0
	for _, d := range docs {
		for _, c := range d.(seq).docs {
			switch c {
			case text("("):
				n++
			case text(")"):
				n--
			}
		}
	}
	return n
}

// leading are the comments before the next token.
func (p *printer) leading() doc {
	off := p.off()
	var out []doc
	for p.c < len(p.src.Comments) && p.src.Comments[p.c].Off < off {
		c := p.src.Comments[p.c]
		p.c++
		if strings.HasPrefix(c.Text, "--") || p.newLineAfter(c) {
			out = append(out, ownLine(clean(c.Text)))
		} else {
			out = append(out, text(c.Text+" "))
		}
	}
	return join(out...)
}

// trailing are the comments that belong to the token just taken: those that
// end its line, and those before a comma or a closing parenthesis.
func (p *printer) trailing() doc {
	var out []doc
	next := len(p.src.Text)
	if p.i < len(p.src.Tokens) {
		next = p.src.Tokens[p.i].Off
	}
	for p.c < len(p.src.Comments) && p.src.Comments[p.c].Off < next {
		c := p.src.Comments[p.c]
		closes := p.i >= len(p.src.Tokens) || p.isOp(",") || p.isOp(")") || p.isOp("]")
		switch {
		case p.newLineBefore(c):
			return join(out...)
		case strings.HasPrefix(c.Text, "--"):
			out = append(out, suffix(clean(c.Text)))
		case p.newLineAfter(c) && !strings.Contains(c.Text, "\n"):
			out = append(out, suffix(c.Text))
		case closes, strings.HasPrefix(c.Text, "/*+"), p.newLineAfter(c):
			out = append(out, text(" "+c.Text))
		default:
			return join(out...)
		}
		p.c++
	}
	return join(out...)
}

func clean(comment string) string { return strings.TrimRight(comment, " \t\r") }

// newLineBefore tells whether a comment begins its line.
func (p *printer) newLineBefore(c parse.Comment) bool {
	before := strings.TrimRight(p.src.Text[:c.Off], " \t\r")
	return before == "" || before[len(before)-1] == '\n'
}

// newLineAfter tells whether nothing follows a comment on its line.
func (p *printer) newLineAfter(c parse.Comment) bool {
	after := strings.TrimLeft(p.src.Text[c.End:], " \t\r")
	return after == "" || after[0] == '\n'
}

// rawUntil takes tokens as they are written, with a space where the source
// has white space, up to where stop says so at depth 0.
func (p *printer) rawUntil(stop func() bool) doc {
	var out []doc
	depth := 0
	for p.i < p.end && (depth > 0 || !stop()) {
		switch {
		case p.isOp("(") || p.isOp("["):
			depth++
		case p.isOp(")") || p.isOp("]"):
			depth--
		}
		if len(out) > 0 && !p.isOp(",") && p.src.Tokens[p.i-1].End < p.off() {
			out = append(out, space)
		}
		out = append(out, p.raw())
	}
	return join(out...)
}

// list prints n items with commas.
func (p *printer) list(n int, f func(i int) doc) []doc {
	out := make([]doc, 0, n)
	for i := range n {
		d := f(i)
		if i+1 < n {
			d = join(d, p.op(","))
		}
		out = append(out, d)
	}
	return out
}

// lines puts items on lines of their own, or on one.
func lines(items []doc) doc {
	var out []doc
	for i, d := range items {
		if i > 0 {
			out = append(out, newline)
		}
		out = append(out, d)
	}
	return join(out...)
}

// parens is "(" f ")" on one line or with f indented below.
func (p *printer) parens(f func() doc) doc {
	l := p.op("(")
	in := f()
	return fill(l, indent(softline, in), softline, p.op(")"))
}

// parenList is (item, item, ...).
func (p *printer) parenList(n int, f func(i int) doc) doc {
	if n == 0 {
		l := p.op("(")
		return join(l, p.op(")"))
	}
	return p.parens(func() doc { return lines(p.list(n, f)) })
}

func (p *printer) idents(n int) doc {
	return p.parenList(n, func(int) doc { return p.ident() })
}
