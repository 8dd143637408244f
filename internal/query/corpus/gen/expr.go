package gen

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// Expr is an expression as text with holes: Parts[0] Args[0] Parts[1] ...
// A leaf has one part and no arguments.
type Expr struct {
	Type  types.Type // nil where it is not known
	Parts []string
	Args  []*Expr
}

func leaf(t types.Type, text string) *Expr { return &Expr{Type: t, Parts: []string{text}} }

// join is an expression of args between the given parts, which are one more.
func join(t types.Type, parts []string, args ...*Expr) *Expr {
	return &Expr{Type: t, Parts: parts, Args: args}
}

// String is the expression's SQL.
func (e *Expr) String() string {
	var b strings.Builder
	e.write(&b)
	return b.String()
}

func (e *Expr) write(b *strings.Builder) {
	for i, p := range e.Parts {
		b.WriteString(p)
		if i < len(e.Args) {
			e.Args[i].write(b)
		}
	}
}

// size is the number of nodes.
func (e *Expr) size() int {
	n := 1
	for _, a := range e.Args {
		n += a.size()
	}
	return n
}

// Smaller are expressions with one step of simplification done: a subtree
// alone, or a subtree replaced by a column or literal of its type. Smallest
// first.
func (e *Expr) Smaller() []*Expr {
	var out []*Expr
	for _, a := range e.Args {
		a.each(func(sub *Expr) { out = append(out, sub) })
	}
	e.holes(func(sub *Expr, with func(*Expr) *Expr) {
		if len(sub.Args) == 0 || sub.Type == nil {
			return
		}
		for _, simple := range simplest(sub.Type) {
			out = append(out, with(leaf(sub.Type, simple)))
		}
		for _, a := range sub.Args {
			if a.Type != nil && types.Equal(a.Type, sub.Type) {
				out = append(out, with(a))
			}
		}
	})
	sortBySize(out)
	return out
}

func (e *Expr) each(f func(*Expr)) {
	if len(e.Args) > 0 {
		f(e)
	}
	for _, a := range e.Args {
		a.each(f)
	}
}

// holes visits every proper subtree with a function that puts another in its
// place.
func (e *Expr) holes(f func(sub *Expr, with func(*Expr) *Expr)) {
	for i, a := range e.Args {
		with := func(x *Expr) *Expr {
			c := *e
			c.Args = append([]*Expr(nil), e.Args...)
			c.Args[i] = x
			return &c
		}
		f(a, with)
		a.holes(func(sub *Expr, inner func(*Expr) *Expr) {
			f(sub, func(x *Expr) *Expr { return with(inner(x)) })
		})
	}
}

// Shape is the text with every leaf replaced by its type: differences of one
// shape mostly have one cause.
func (e *Expr) Shape() string {
	if len(e.Args) == 0 {
		if e.Type == nil {
			return e.Parts[0]
		}
		return "<" + e.Type.String() + ">"
	}
	var b strings.Builder
	for i, p := range e.Parts {
		b.WriteString(p)
		if i < len(e.Args) {
			b.WriteString(e.Args[i].Shape())
		}
	}
	return b.String()
}
