package format

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A doc is a piece of text that may be laid out flat, on one line, or broken.
// The algorithm is the usual one of pretty printers in the manner of Oppen and
// Wadler: a group is flat if all of it and what follows on its line fit.
type doc interface {
	// breaks tells whether it cannot be flat.
	breaks() bool
	// ends tells whether nothing may follow it on its line.
	ends() bool
}

// text is printed as it is.
type text string

// line is a space when flat and a new line when broken; soft is nothing when
// flat; hard is always a new line, with blank an empty one before it.
type line struct{ soft, hard, blank bool }

// seq is one after the other.
type seq struct {
	docs []doc
	brk  bool
}

// indented moves the new lines in it two columns in.
type indented struct{ doc }

// group is flat where its text ends within limit columns, else its own lines
// break.
type group struct {
	doc
	limit int
}

// suffix is a comment that ends the line that it stands on.
type suffix string

// ownLine is a comment on a line of its own.
type ownLine string

func (t text) breaks() bool     { return strings.Contains(string(t), "\n") }
func (l line) breaks() bool     { return l.hard }
func (s seq) breaks() bool      { return s.brk }
func (suffix) breaks() bool     { return false }
func (ownLine) breaks() bool    { return true }
func (g group) breaks() bool    { return g.doc.breaks() }
func (i indented) breaks() bool { return i.doc.breaks() }

func (text) ends() bool       { return false }
func (line) ends() bool       { return false }
func (suffix) ends() bool     { return true }
func (ownLine) ends() bool    { return false }
func (g group) ends() bool    { return g.doc.ends() }
func (i indented) ends() bool { return i.doc.ends() }
func (s seq) ends() bool      { return len(s.docs) > 0 && s.docs[len(s.docs)-1].ends() }

var (
	space    doc = text(" ")
	newline  doc = line{}
	softline doc = line{soft: true}
	hardline doc = line{hard: true}
	nothing  doc = seq{}
)

func join(docs ...doc) doc {
	s := seq{docs: make([]doc, 0, len(docs))}
	for _, d := range docs {
		if d == nil {
			continue
		}
		if q, ok := d.(seq); ok && len(q.docs) == 0 {
			continue
		}
		s.brk = s.brk || d.breaks() || s.ends()
		s.docs = append(s.docs, d)
	}
	return s
}

// spaced joins with single spaces and leaves empty parts out.
func spaced(docs ...doc) doc {
	var out []doc
	for _, d := range docs {
		if empty(d) {
			continue
		}
		if len(out) > 0 {
			out = append(out, space)
		}
		out = append(out, d)
	}
	return join(out...)
}

func empty(d doc) bool {
	q, ok := d.(seq)
	return d == nil || ok && len(q.docs) == 0
}

func indent(docs ...doc) doc { return indented{join(docs...)} }

// fill is a group up to the width of the page.
func fill(docs ...doc) doc { return group{join(docs...), pageWidth} }

// short is a group for lists, which go one item a line sooner.
func short(docs ...doc) doc { return group{join(docs...), listWidth} }

const (
	pageWidth = 120
	listWidth = 90
	ruleWidth = 130 // of an expectation, which reads best on one line
)

// item is a doc to be printed at an indentation.
type item struct {
	doc    doc
	indent int
	flat   bool
}

type renderer struct {
	b        strings.Builder
	line     strings.Builder // the current line, without its indentation
	indent   int             // of the current line
	suffixes []string
}

// render lays d out.
func render(d doc) string {
	r := &renderer{}
	stack := []item{{doc: d}}
	for len(stack) > 0 {
		it := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch d := it.doc.(type) {
		case text:
			r.line.WriteString(string(d))
		case seq:
			for _, c := range slices.Backward(d.docs) {
				stack = append(stack, item{c, it.indent, it.flat})
			}
		case indented:
			stack = append(stack, item{d.doc, it.indent + 2, it.flat})
		case group:
			flat := it.flat || !d.breaks() && r.fits(d.doc, stack, d.limit)
			stack = append(stack, item{d.doc, it.indent, flat})
		case line:
			switch {
			case !it.flat || d.hard:
				r.newLine(it.indent)
				if d.blank {
					r.b.WriteByte('\n')
				}
			case !d.soft:
				r.line.WriteByte(' ')
			}
		case suffix:
			r.suffixes = append(r.suffixes, string(d))
		case ownLine:
			if strings.TrimSpace(r.line.String()) != "" || len(r.suffixes) > 0 {
				r.newLine(it.indent)
			}
			r.line.WriteString(string(d))
			r.newLine(it.indent)
		}
	}
	r.newLine(0)
	return r.b.String()
}

// newLine ends the current line with its comments. A second comment cannot
// stand on the same line; it gets one of its own.
func (r *renderer) newLine(indent int) {
	put := func(s string) {
		if s = strings.TrimRight(s, " "); s != "" {
			r.b.WriteString(strings.Repeat(" ", r.indent) + s)
		}
		r.b.WriteByte('\n')
	}
	body := r.line.String()
	for i, s := range r.suffixes {
		if i == 0 && strings.TrimSpace(body) != "" {
			s = strings.TrimRight(body, " ") + " " + s
		}
		put(s)
	}
	if len(r.suffixes) == 0 {
		put(body)
	}
	r.line.Reset()
	r.suffixes = nil
	r.indent = indent
}

// fits tells whether d, flat, and what follows up to the next possible new
// line end within limit columns.
func (r *renderer) fits(d doc, rest []item, limit int) bool {
	left := limit - r.indent - utf8.RuneCountInString(r.line.String())
	stack := []item{{doc: d, flat: true}}
	own := true // still inside of d
	for left >= 0 {
		if len(stack) == 0 {
			if len(rest) == 0 {
				return true
			}
			// What follows counts against the page's width.
			if own {
				left += max(pageWidth-limit, 0)
				own = false
			}
			stack = append(stack, rest[len(rest)-1])
			rest = rest[:len(rest)-1]
		}
		it := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch d := it.doc.(type) {
		case text:
			if i := strings.IndexByte(string(d), '\n'); i >= 0 {
				return left >= utf8.RuneCountInString(string(d[:i]))
			}
			left -= utf8.RuneCountInString(string(d))
		case seq:
			for _, c := range slices.Backward(d.docs) {
				stack = append(stack, item{c, 0, it.flat})
			}
		case indented:
			stack = append(stack, item{d.doc, 0, it.flat})
		case group:
			stack = append(stack, item{d.doc, 0, it.flat || !own && !d.breaks()})
		case line:
			if !it.flat || d.hard {
				return true
			}
			if !d.soft {
				left--
			}
		case suffix, ownLine:
			return true
		}
	}
	return false
}
