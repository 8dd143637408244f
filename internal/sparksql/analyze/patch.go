package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// patches tells whether rows of the table can be changed in their places, so
// that nothing but the new values themselves is wanted of them.
func (t *targetRelation) patches() bool {
	r := t.src.Rules
	on := func(property string) bool { return strings.EqualFold(r.Properties[property], "true") }
	if t.grown != nil || on("delta.enableDeletionVectors") || on("delta.enableChangeDataFeed") || len(r.Constraints) > 0 {
		return false
	}
	return !slices.ContainsFunc(r.Columns, func(c plan.ColumnRule) bool { return c.Generated != "" || c.Invariant != "" })
}

// keptBy are the columns that assignments leave alone.
func (t *targetRelation) keptBy(sets ...[]plan.Expr) []bool {
	kept := make([]bool, len(t.cols))
	for i := range kept {
		kept[i] = !slices.ContainsFunc(sets, func(set []plan.Expr) bool { return set[i] != nil })
	}
	return kept
}

// where is where a row lies.
func (t *targetRelation) where() []plan.Expr {
	return []plan.Expr{&plan.Column{Attr: nullable(t.file)}, &plan.Column{Attr: nullable(t.row)}}
}

// inPlace keeps the rows to which something happens and puts them in order.
func (b *rowBuilder) inPlace(in plan.Node, act plan.Attr) (plan.Node, error) {
	changed, err := funcs.Resolve(">", []plan.Expr{&plan.Column{Attr: act}, intLit(plan.RowCopied)}, b.a.fctx(b.pos))
	if err != nil {
		return nil, err
	}
	key := func(at plan.Attr) plan.SortKey { return plan.SortKey{X: &plan.Column{Attr: at}, NullsFirst: true} }
	return &plan.Sort{Input: &plan.Filter{Input: in, Cond: changed}, Keys: []plan.SortKey{key(b.carried[1]), key(b.carried[2])}}, nil
}

// none is the value of a column that stays, typed as what stands there.
func none(x plan.Expr) plan.Expr { return &plan.Literal{Typ: x.Type()} }
