package script

import (
	"context"
	"errors"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
)

// Runner does what a script asks for between its jumps.
type Runner interface {
	// Run runs one statement that is no control flow, to its end.
	Run(ctx context.Context, st ast.Statement) error
	// Test tells whether a condition holds; NULL and what is no BOOLEAN are
	// errors. text is the condition as written.
	Test(ctx context.Context, cond ast.Expr, text string) (bool, error)
	// Equal tells whether two values are equal; NULL equals nothing.
	Equal(ctx context.Context, x, y ast.Expr) (bool, error)
	// Each calls body for every row of f's query, with the row's columns as
	// variables of a scope of its own. It ends with the first error of body.
	Each(ctx context.Context, f *ast.For, body func() error) error
	// Enter and Leave begin and end a scope for variables.
	Enter(label string)
	Leave()
}

// Run runs a script. Errors are those of the Runner.
func Run(ctx context.Context, r Runner, c *ast.Compound) error {
	w := walker{ctx: ctx, r: r}
	return w.compound(c)
}

type walker struct {
	ctx context.Context //nolint:containedctx // lives for one call
	r   Runner
}

// jump is a LEAVE or ITERATE on its way to its label.
type jump struct {
	label   string
	iterate bool
}

func (j *jump) Error() string { return "script: a jump to " + j.label + " met no such label" }

// to takes a jump that ends at label: over tells that the block goes on with
// its next turn.
func to(err error, label *ast.Ident) (over bool, rest error) {
	j, ok := err.(*jump) //nolint:errorlint // never wrapped
	if !ok || label == nil || !strings.EqualFold(j.label, label.Name) {
		return false, err
	}
	return j.iterate, nil
}

func name(label *ast.Ident) string {
	if label == nil {
		return ""
	}
	return label.Name
}

// compound runs BEGIN ... END; an error that a handler takes ends it.
func (w walker) compound(c *ast.Compound) error {
	w.r.Enter(name(c.Label))
	defer w.r.Leave()
	err := w.all(c.Body)
	if _, jumps := err.(*jump); err != nil && !jumps && w.ctx.Err() == nil { //nolint:errorlint // never wrapped
		if h := handler(c.Handlers, err); h != nil {
			err = w.one(h.Body)
		}
	}
	_, err = to(err, c.Label)
	return err
}

func (w walker) all(body []ast.Statement) error {
	for _, st := range body {
		if err := w.one(st); err != nil {
			return err
		}
	}
	return nil
}

func (w walker) one(st ast.Statement) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	switch st := st.(type) {
	case *ast.Compound:
		return w.compound(st)
	case *ast.If:
		return w.branches(st.Branches, st.Else)
	case *ast.CaseOf:
		if st.Operand == nil {
			return w.branches(st.Branches, st.Else)
		}
		return w.caseOf(st)
	case *ast.Loop:
		return w.loop(st)
	case *ast.For:
		return w.forEach(st)
	case *ast.Jump:
		return &jump{label: st.Label.Name, iterate: st.Iterate}
	}
	return w.r.Run(w.ctx, st)
}

// branches runs the statements behind the first condition that holds.
func (w walker) branches(bs []ast.Branch, els []ast.Statement) error {
	for _, b := range bs {
		ok, err := w.r.Test(w.ctx, b.Cond, b.Text)
		if err != nil {
			return err
		}
		if ok {
			return w.all(b.Body)
		}
	}
	return w.all(els)
}

func (w walker) caseOf(c *ast.CaseOf) error {
	for _, b := range c.Branches {
		ok, err := w.r.Equal(w.ctx, c.Operand, b.Cond)
		if err != nil {
			return err
		}
		if ok {
			return w.all(b.Body)
		}
	}
	return w.all(c.Else)
}

func (w walker) loop(l *ast.Loop) error {
	for {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if l.Kind == ast.LoopWhile {
			if ok, err := w.r.Test(w.ctx, l.Cond, l.Text); err != nil || !ok {
				return err
			}
		}
		if err := w.all(l.Body); err != nil {
			if again, err := to(err, l.Label); err != nil || !again {
				return err
			}
		}
		if l.Kind == ast.LoopRepeat {
			if ok, err := w.r.Test(w.ctx, l.Cond, l.Text); err != nil || ok {
				return err
			}
		}
	}
}

// forEach runs the body for each row.
func (w walker) forEach(f *ast.For) error {
	err := w.r.Each(w.ctx, f, func() error {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		err := w.all(f.Body)
		if again, rest := to(err, f.Label); again {
			return rest
		}
		return err
	})
	_, err = to(err, f.Label)
	return err
}

// handler finds the one for err: an error class goes before a SQLSTATE, that
// before SQLEXCEPTION and NOT FOUND.
func handler(hs []*ast.Handler, err error) *ast.Handler {
	e, ok := errors.AsType[*sparksql.Error](err)
	if !ok {
		return nil
	}
	class, state := strings.ToUpper(e.Class), e.SQLState
	main, _, _ := strings.Cut(class, ".")
	var best *ast.Handler
	rank := 0
	for _, h := range hs {
		for _, c := range h.Conditions {
			n := 0
			switch {
			case c.Name != "" && c.Name == class:
				n = 4
			case c.Name != "" && c.Name == main:
				n = 3
			case c.State != "" && c.State == state:
				n = 2
			case c.Exception && !strings.HasPrefix(state, "02"), c.NotFound && strings.HasPrefix(state, "02"):
				n = 1
			}
			if n > rank {
				best, rank = h, n
			}
		}
	}
	return best
}
