package gen

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Generator makes statements from a seed.
type Generator struct {
	seed    uint64
	fns     []function
	byType  map[string][]call
	pool    []values
	words   map[string]map[int][]string
	ops     map[string][]string
	byOrder map[string]bool
}

// New asks the registry what it takes.
func New(seed uint64) *Generator {
	fns := discover()
	return &Generator{seed: seed, fns: fns, byType: byResult(fns), pool: pool(), words: words(), ops: operators(), byOrder: byRow()}
}

// Column is something that an expression may name.
type Column struct {
	Name string
	Type types.Type
}

// scope is where one expression is made.
type scope struct {
	g    *Generator
	r    *rand.Rand
	cols []Column
	vars int // lambda variables so far
}

func (g *Generator) rand(kind, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(g.seed, kind<<32|n))
}

// cells are the columns of lab.cells.
func (g *Generator) cells() []Column {
	var out []Column
	for _, v := range g.pool {
		for _, c := range v.columns {
			out = append(out, Column{c, v.typ})
		}
	}
	return out
}

// of makes an expression of type t.
func (s *scope) of(t types.Type, depth int) *Expr {
	if depth <= 0 || s.r.IntN(8) == 0 {
		return s.leaf(t)
	}
	if s.r.IntN(5) == 0 {
		if x := s.form(t, depth); x != nil {
			return x
		}
	}
	calls := s.g.byType[t.String()]
	if len(calls) == 0 {
		return s.leaf(t)
	}
	c := pick(s.r, calls)
	return s.call(c.name, s.signature(c.sigs), depth)
}

// signature prefers those without implicit casts.
func (s *scope) signature(sigs []signature) signature {
	for range 4 {
		if sig := pick(s.r, sigs); sig.exact {
			return sig
		}
	}
	return pick(s.r, sigs)
}

// call makes fn(args) in the way that it is written.
func (s *scope) call(name string, sig signature, depth int) *Expr {
	args := make([]*Expr, len(sig.args))
	words := s.g.words[name]
	if words == nil {
		if d := funcs.Lookup(name); d != nil {
			words = s.g.words[d.Base]
		}
	}
	for i, t := range sig.args {
		switch {
		case t == nil:
			args[i] = leaf(nil, pick(s.r, words[i]))
		case s.r.IntN(40) == 0:
			args[i] = s.of(pick(s.r, s.g.pool).typ, depth-1)
		default:
			args[i] = s.of(t, depth-1)
		}
	}
	return s.written(name, sig.result, args)
}

func (s *scope) written(name string, t types.Type, args []*Expr) *Expr {
	if parts := slices.Clone(s.g.ops[name]); parts != nil {
		for len(parts) < len(args)+1 {
			parts = slices.Insert(parts, len(parts)-1, ", ")
		}
		return join(t, append(parts[:len(args)], parts[len(parts)-1]), args...)
	}
	parts := make([]string, len(args)+1)
	for i := range parts {
		parts[i] = ", "
	}
	parts[len(args)] = ")"
	parts[0] = name + "("
	if len(args) == 0 {
		parts[0] = name + "()"
	}
	return join(t, parts, args...)
}

// leaf is a column, a constant or NULL.
func (s *scope) leaf(t types.Type) *Expr {
	var cols []string
	for _, c := range s.cols {
		if types.Equal(c.Type, t) {
			cols = append(cols, c.Name)
		}
	}
	if len(cols) > 0 && s.r.IntN(10) < 7 {
		return leaf(t, pick(s.r, cols))
	}
	if s.r.IntN(25) == 0 {
		return leaf(types.Void, "NULL")
	}
	for _, v := range s.g.pool {
		if !types.Equal(v.typ, t) {
			continue
		}
		return leaf(t, pick(s.r, v.edges))
	}
	return leaf(t, fmt.Sprintf("CAST(NULL AS %s)", t.SQL()))
}

// Statement is something to ask both engines. Expr with From stands for
// "SELECT Expr From".
type Statement struct {
	ID        string            `json:"id"`
	Group     string            `json:"group"`
	SQL       string            `json:"sql,omitempty"`
	Text      string            `json:"expr,omitempty"`
	From      string            `json:"from,omitempty"`
	Batch     string            `json:"batch,omitempty"` // what may stand in one SELECT together
	Conf      map[string]string `json:"conf,omitempty"`
	Ordered   bool              `json:"ordered,omitempty"`
	Tolerance float64           `json:"tolerance,omitempty"`
	Expr      *Expr             `json:"-"`
}

// With is the statement over another expression and other rows.
func (s Statement) With(x *Expr, from string) Statement {
	s.Expr, s.From = x, from
	if s.SQL != "" {
		s.SQL = "SELECT " + x.String() + " " + from
		return s
	}
	s.Text = x.String()
	return s
}

// tolerance of floats: libraries of mathematics differ in the last digits.
const tolerance = 1e-11

// maxDepth of nested calls.
const maxDepth = 4

// Expression is the nth statement of one expression. Every function of the
// registry comes round.
func (g *Generator) Expression(n int) Statement {
	r := g.rand(1, uint64(n))
	s := &scope{g: g, r: r, cols: g.cells()}
	st := Statement{ID: fmt.Sprintf("expr-%d-%d", g.seed, n), Tolerance: tolerance, From: "FROM cells"}
	if r.IntN(10) < 6 {
		st.From = fmt.Sprintf("FROM cells WHERE id = %d", 1+r.IntN(7))
	}
	if r.IntN(8) == 0 {
		st.Conf = map[string]string{"spark.sql.ansi.enabled": "false"}
	}
	depth := 1 + r.IntN(maxDepth)
	if n%6 == 5 {
		t := pick(r, g.pool).typ
		st.Group = "nested"
		if x := s.form(t, depth); x != nil {
			st.Expr = x
		} else {
			st.Expr = s.of(t, depth)
		}
		st.Text = st.Expr.String()
		return st
	}
	f := g.fns[n%len(g.fns)]
	st.Expr = s.call(f.name, s.signature(f.sigs), depth)
	g.place(&st, f, r)
	return st
}

// place puts a call where its kind may stand.
func (g *Generator) place(st *Statement, f function, r *rand.Rand) {
	switch f.kind {
	case funcs.Scalar:
		st.Group, st.Batch = "scalar", ""
	case funcs.Aggregate:
		st.Group, st.Batch, st.Tolerance = "aggregate", "aggregate", 1e-9
		if g.byOrder[f.name] {
			st.From = fmt.Sprintf("FROM cells WHERE id = %d", 1+r.IntN(7))
		} else if r.IntN(4) == 0 {
			st.Expr = join(st.Expr.Type, []string{"", " FILTER (WHERE id > 2)"}, st.Expr)
		}
		if r.IntN(3) == 0 && !g.byOrder[f.name] {
			st.Group, st.Batch = "window", "window"
			st.Expr = over(st.Expr, r)
		}
	case funcs.Window:
		st.Group, st.Batch = "window", "window"
		st.Expr = over(st.Expr, r)
	case funcs.Generator:
		st.Group = "generator"
		st.SQL = "SELECT " + st.Expr.String() + " " + st.From
		return
	}
	st.Text = st.Expr.String()
}

// over puts a window behind a call; id orders all rows.
func over(x *Expr, r *rand.Rand) *Expr {
	w := " OVER (" + pick(r, []string{"", "PARTITION BY flag ", "PARTITION BY i % 2 "}) + "ORDER BY id" + pick(r, []string{"", " DESC"})
	if strings.Contains(x.Parts[0], "FILTER") || r.IntN(3) > 0 {
		return join(x.Type, []string{"", w + ")"}, x)
	}
	w += pick(r, []string{" ROWS BETWEEN 1 PRECEDING AND CURRENT ROW", " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
		" RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING", " ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING"})
	return join(x.Type, []string{"", w + ")"}, x)
}

// Functions are the names of what Expression calls.
func (g *Generator) Functions() []string {
	out := make([]string, len(g.fns))
	for i, f := range g.fns {
		out[i] = f.name
	}
	return out
}
