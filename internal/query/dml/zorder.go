package dml

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// zBits is how many bits of each column's rank count in a Z-value, so that up
// to six columns fit into 60 bits.
const zBits = 10

// zOrdered orders the rows of a scan along a Z-curve over columns: the bits of
// each row's rank (its thousandth in each column) interleaved.
func zOrdered(scan *plan.Scan, columns []string) plan.Node {
	if len(columns) == 0 {
		return scan
	}
	var keys []plan.Attr
	for _, name := range columns {
		for _, a := range scan.Attrs {
			if strings.EqualFold(a.Name, name) {
				keys = append(keys, a)
			}
		}
	}
	if len(keys) == 1 {
		return &plan.Sort{Input: scan, Keys: []plan.SortKey{{X: &plan.Column{Attr: keys[0]}, NullsFirst: true}}}
	}
	keys = keys[:min(len(keys), 6)]
	win := &plan.Window{Input: scan}
	ranks := make([]plan.Attr, len(keys))
	for i, k := range keys {
		ranks[i] = plan.Attr{ID: plan.NewID(), Name: "rank", Type: types.Int}
		win.Exprs = append(win.Exprs, plan.NamedExpr{Attr: ranks[i], X: &plan.WindowExpr{
			Fn:    &plan.Call{Fn: "ntile", Args: []plan.Expr{&plan.Literal{Value: int64(1) << zBits, Typ: types.Int}}, Typ: types.Int},
			Order: []plan.SortKey{{X: &plan.Column{Attr: k}, NullsFirst: true}},
			Frame: plan.Frame{Unit: plan.FrameRows, Start: plan.Bound{Kind: plan.UnboundedPreceding}, End: plan.Bound{Kind: plan.CurrentRow}},
		}})
	}
	return &plan.Sort{Input: win, Keys: []plan.SortKey{{X: zValue(ranks)}}}
}

// zValue interleaves the bits of ranks, the highest first.
func zValue(ranks []plan.Attr) plan.Expr {
	big := func(n int64) plan.Expr { return &plan.Literal{Value: n, Typ: types.BigInt} }
	call := func(fn string, a, b plan.Expr) plan.Expr {
		return &plan.Call{Fn: fn, Args: []plan.Expr{a, b}, Typ: types.BigInt}
	}
	out := big(0)
	for bit := range zBits {
		for i, r := range ranks {
			x := plan.Expr(&plan.Cast{X: &plan.Column{Attr: r}, To: types.BigInt, Mode: plan.CastANSI, Implicit: true})
			one := call("&", x, big(1<<bit)) // 0 or that bit
			place := int64(1) << (bit*len(ranks) + i - bit)
			out = call("|", out, call("*", one, big(place)))
		}
	}
	return out
}
