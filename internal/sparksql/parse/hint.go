package parse

import "github.com/marisma/marisma/internal/sparksql/ast"

// hints parses a token /*+ name(argument, ...), ... */; commas between hints
// may be left out.
func (p *parser) hints() ([]ast.Hint, error) {
	t := p.next()
	base := p.at(t)
	base.Col += len("/*+")
	base.Offset += len("/*+")
	in, err := newParser(base, t.text)
	if err != nil {
		return nil, err
	}
	var out []ast.Hint
	for n := 0; n == 0 || in.cur().kind != tEOF; n++ {
		if n > 0 {
			in.acceptOp(",")
		}
		h := ast.Hint{At: in.here()}
		if h.Name, err = in.ident("a hint"); err != nil {
			return nil, err
		}
		if in.isOp("(") {
			if h.Args, err = parens(in, func() ([]ast.Expr, error) { return list(in, in.primary) }); err != nil {
				return nil, err
			}
		}
		out = append(out, h)
	}
	return out, nil
}
