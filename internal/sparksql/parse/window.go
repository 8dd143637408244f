package parse

import (
	"math/big"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// windowSpec parses what follows OVER.
func (p *parser) windowSpec() (*ast.WindowSpec, error) {
	w := &ast.WindowSpec{At: p.here()}
	if !p.isOp("(") {
		id, err := p.ident("a window's name or (")
		w.Ref = &id
		return w, err
	}
	p.i++
	if p.isIdent() && p.peekOp(1, ")") {
		id, _ := p.ident("")
		w.Ref = &id
		p.i++
		return w, nil
	}
	var err error
	if p.isWord("CLUSTER", "PARTITION", "DISTRIBUTE") && p.wordAt(1, "BY") {
		p.i += 2
		if w.Partition, err = list(p, p.expr); err != nil {
			return nil, err
		}
	}
	if p.isWord("ORDER", "SORT") && p.wordAt(1, "BY") {
		p.i += 2
		if w.Order, err = list(p, p.sortItem); err != nil {
			return nil, err
		}
	}
	if p.isWord("ROWS", "RANGE") {
		if w.Frame, err = p.frame(); err != nil {
			return nil, err
		}
	}
	if !p.isOp(")") {
		return nil, p.expected("PARTITION BY, ORDER BY, ROWS, RANGE or )")
	}
	p.i++
	return w, nil
}

func (p *parser) frame() (*ast.Frame, error) {
	f := &ast.Frame{At: p.here(), Rows: p.next().up == "ROWS"}
	var err error
	if p.accept("BETWEEN") {
		if f.Start, err = p.bound(); err != nil {
			return nil, err
		}
		if err := p.need("AND"); err != nil {
			return nil, err
		}
		f.End, err = p.bound()
		return f, err
	}
	f.End.Kind = ast.CurrentRow
	f.Start, err = p.bound()
	return f, err
}

func (p *parser) bound() (ast.Bound, error) {
	switch {
	case p.accept("UNBOUNDED", "PRECEDING"):
		return ast.Bound{Kind: ast.UnboundedPreceding}, nil
	case p.accept("UNBOUNDED", "FOLLOWING"):
		return ast.Bound{Kind: ast.UnboundedFollowing}, nil
	case p.accept("CURRENT", "ROW"):
		return ast.Bound{Kind: ast.CurrentRow}, nil
	}
	if p.isWord("NOT") {
		return ast.Bound{}, p.expected("a bound")
	}
	t := p.cur()
	x, err := p.expr()
	if err != nil {
		return ast.Bound{}, err
	}
	if !constant(x) {
		return ast.Bound{}, p.fail(t, "_LEGACY_ERROR_TEMP_0064", "", "a frame's bound must be a literal")
	}
	switch {
	case p.accept("PRECEDING"):
		return ast.Bound{Kind: ast.Preceding, X: x}, nil
	case p.accept("FOLLOWING"):
		return ast.Bound{Kind: ast.Following, X: x}, nil
	}
	return ast.Bound{}, p.expected("PRECEDING or FOLLOWING")
}

// constant tells whether x holds no column, no query and no function.
func constant(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Literal, *ast.Interval, *ast.TypedLiteral, *ast.Param:
		return true
	case *ast.Unary:
		return constant(x.X)
	case *ast.Binary:
		return constant(x.L) && constant(x.R)
	case *ast.Cast:
		return constant(x.X)
	}
	return false
}

func (p *parser) sortItem() (ast.SortItem, error) {
	x, err := p.expr()
	if err != nil {
		return ast.SortItem{}, err
	}
	return p.sortTail(x)
}

func (p *parser) sortTail(x ast.Expr) (ast.SortItem, error) {
	s := ast.SortItem{X: x}
	if p.accept("DESC") {
		s.Desc = true
	} else {
		p.accept("ASC")
	}
	if p.accept("NULLS") {
		first := p.accept("FIRST")
		if !first && !p.accept("LAST") {
			return s, p.expected("FIRST or LAST")
		}
		s.NullsFirst = &first
	}
	return s, nil
}

func (p *parser) namedWindows() ([]ast.NamedWindow, error) {
	p.i++
	seen := map[string]bool{}
	refs := map[string]string{}
	start := p.cur()
	windows, err := list(p, func() (ast.NamedWindow, error) {
		t := p.cur()
		id, err := p.ident("a window's name")
		if err != nil {
			return ast.NamedWindow{}, err
		}
		if seen[id.Name] {
			return ast.NamedWindow{}, p.fail(t, "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION", "42000", "the window %s is defined twice", id.Name)
		}
		seen[id.Name] = true
		if err := p.need("AS"); err != nil {
			return ast.NamedWindow{}, err
		}
		spec, err := p.windowSpec()
		if err == nil && spec.Ref != nil {
			refs[id.Name] = spec.Ref.Name
		}
		return ast.NamedWindow{Name: id, Spec: spec}, err
	})
	if err != nil {
		return nil, err
	}
	for _, to := range refs {
		switch _, again := refs[to]; {
		case !seen[to]:
			return nil, p.fail(start, "INVALID_SQL_SYNTAX.UNRESOLVED_WINDOW_REFERENCE", "42000", "the window %s is not defined", to)
		case again:
			return nil, p.fail(start, "INVALID_SQL_SYNTAX.INVALID_WINDOW_REFERENCE", "42000", "the window %s refers to another one", to)
		}
	}
	return windows, nil
}

// sample parses TABLESAMPLE (...) [REPEATABLE (n)].
func (p *parser) sample() (*ast.Sample, error) {
	s := &ast.Sample{At: p.here()}
	p.i++
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	switch {
	case p.isOp(")"):
		return nil, p.expected("what to sample: n PERCENT, n ROWS or BUCKET x OUT OF y")
	case p.isWord("BUCKET"):
		p.i++
		s.Kind = "bucket"
		x, err := p.primary()
		if err != nil {
			return nil, err
		}
		if err := p.need("OUT", "OF"); err != nil {
			return nil, err
		}
		y, err := p.primary()
		if err != nil {
			return nil, err
		}
		s.Args = []ast.Expr{x, y}
		if p.isWord("ON") {
			return nil, p.fail(p.cur(), "_LEGACY_ERROR_TEMP_0015", "", "TABLESAMPLE (BUCKET x OUT OF y ON ...) is not supported")
		}
	default:
		if err := p.sampleAmount(s); err != nil {
			return nil, err
		}
	}
	if err := p.needOp(")"); err != nil {
		return nil, err
	}
	if p.accept("REPEATABLE") {
		seed, err := parens(p, p.primary)
		if err != nil {
			return nil, err
		}
		s.Seed = seed
	}
	return s, nil
}

func (p *parser) sampleAmount(s *ast.Sample) error {
	t := p.cur()
	x, err := p.value(0)
	if err != nil {
		return err
	}
	s.Args = []ast.Expr{x}
	switch {
	case p.accept("PERCENT"):
		s.Kind = "percent"
		if _, column := x.(*ast.Column); column {
			return p.fail(t, "PARSE_SYNTAX_ERROR", "42601", "expected a number of percent")
		}
		if lit, ok := x.(*ast.Literal); ok && outside(lit, 100) {
			return p.fail(t, "_LEGACY_ERROR_TEMP_0064", "", "a sample is 0 to 100 PERCENT")
		}
	case p.accept("ROWS"):
		s.Kind = "rows"
	default:
		return p.expected("PERCENT or ROWS")
	}
	return nil
}

// outside tells whether a number lies outside 0 to hi.
func outside(lit *ast.Literal, hi int64) bool {
	var r big.Rat
	if _, ok := r.SetString(lit.Text); !ok {
		return false
	}
	return r.Sign() < 0 || r.Cmp(big.NewRat(hi, 1)) > 0
}
