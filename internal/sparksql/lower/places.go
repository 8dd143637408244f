package lower

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Places are where the expressions of n stand that can raise an error of
// class, each once, in the order of the text. What DuckDB raises by itself
// names no expression either, so that all that leave their guard to it count.
func Places(n plan.Node, class string, opt Options) []sparksql.Pos {
	f := finder{opt: opt, class: class}
	for _, k := range native {
		f.native = f.native || k.class == class
	}
	plan.VisitNodes(n, func(m plan.Node) {
		for _, e := range plan.Exprs(m) {
			f.find(e, sparksql.Pos{})
		}
	})
	slices.SortFunc(f.found, func(a, b sparksql.Pos) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Offset - b.Offset
	})
	return slices.Compact(f.found)
}

// finder looks for what raises class.
type finder struct {
	opt    Options
	class  string
	native bool // DuckDB may raise it
	found  []sparksql.Pos
}

// find looks at e and its operands; around is where the nearest expression
// with a place stands.
func (f *finder) find(e plan.Expr, around sparksql.Pos) {
	pos, raises := sparksql.Pos{}, false
	switch x := e.(type) {
	case *plan.Call:
		pos, raises = x.Pos, x.Raises
	case *plan.AggCall:
		pos, raises = x.Pos, x.Raises
	case *plan.Cast:
		pos, raises = x.Pos, plan.CanRaise(bare(e))
	}
	if pos.IsZero() {
		pos = around
	}
	if raises && !pos.IsZero() && f.raises(e) {
		f.found = append(f.found, pos)
	}
	for _, k := range e.Children() {
		f.find(k, pos)
	}
}

// raises tells whether e by itself, whatever its operands are, raises class.
func (f *finder) raises(e plan.Expr) bool {
	text, _, err := Expression(bare(e), f.opt)
	return err == nil && (strings.Contains(text, Marker+"["+f.class+"]") || f.native && !strings.Contains(text, Marker))
}

// bare is e over columns in place of its operands; constants and lambdas,
// which rules look at, stay.
func bare(e plan.Expr) plan.Expr {
	kids := slices.Clone(e.Children())
	for i, k := range kids {
		switch k.(type) {
		case *plan.Literal, *plan.Lambda:
		default:
			kids[i] = &plan.Column{Attr: plan.Attr{Name: "operand", Type: k.Type(), Nullable: k.Nullable()}}
		}
	}
	return e.WithChildren(kids)
}
