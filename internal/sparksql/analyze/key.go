package analyze

import (
	"fmt"
	"math/big"
	"sort"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
)

// key is a text that is equal for expressions that always have equal values:
// what GROUP BY and DISTINCT ... ORDER BY compare by.
func key(e plan.Expr) string {
	var b strings.Builder
	writeKey(&b, e, map[plan.ID]int{})
	return b.String()
}

// commutative operators are compared without the order of their operands.
var commutative = map[string]bool{"+": true, "*": true, "and": true, "or": true, "=": true, "&": true, "|": true, "^": true, "<=>": true}

func writeKey(b *strings.Builder, e plan.Expr, local map[plan.ID]int) {
	switch e := e.(type) {
	case *plan.Column:
		writeID(b, '#', e.Attr.ID, local)
	case *plan.Outer:
		writeID(b, '^', e.Attr.ID, local)
	case *plan.Literal:
		writeLiteral(b, e)
	case *plan.Cast:
		fmt.Fprintf(b, "cast%d:%s:%s(", e.Mode, e.To, e.TimeZone)
		writeKey(b, e.X, local)
		b.WriteByte(')')
	case *plan.Call:
		b.WriteString(e.Fn)
		if e.Volatile {
			fmt.Fprintf(b, "@%p", e)
		}
		writeArgs(b, e.Args, local, commutative[e.Fn])
	case *plan.Field:
		fmt.Fprintf(b, ".%d(", e.Ordinal)
		writeKey(b, e.X, local)
		b.WriteByte(')')
	case *plan.Lambda:
		for _, p := range e.Params {
			local[p.ID] = len(local)
		}
		fmt.Fprintf(b, "\\%d.", len(e.Params))
		writeKey(b, e.Body, local)
	case *plan.LambdaVar:
		fmt.Fprintf(b, "$%d", local[e.ID])
	case *plan.AggCall:
		fmt.Fprintf(b, "agg:%s:%v:%v:%v", e.Fn, e.Distinct, e.IgnoreNulls, e.Filter != nil)
		writeArgs(b, e.Children(), local, false)
	case *plan.WindowExpr:
		b.WriteString("over:")
		writeArgs(b, e.Children(), local, false)
		for _, k := range e.Order {
			fmt.Fprintf(b, ":%v%v", k.Desc, k.NullsFirst)
		}
		fmt.Fprintf(b, ":%d:%d", len(e.Partition), e.Frame.Unit)
		for _, bound := range []plan.Bound{e.Frame.Start, e.Frame.End} {
			fmt.Fprintf(b, ":%d", bound.Kind)
			if bound.X != nil {
				writeKey(b, bound.X, local)
			}
		}
	case *plan.Titled:
		writeKey(b, e.X, local)
	case *plan.Parameter:
		fmt.Fprintf(b, ":%d", e.Attr.ID)
	case *plan.Case:
		b.WriteString("case")
		writeArgs(b, e.Children(), local, false)
	case *plan.Subquery:
		fmt.Fprintf(b, "query%d", e.Kind)
		writeArgs(b, e.Left, local, false)
		writePlan(b, e.Plan, local)
	default:
		fmt.Fprintf(b, "%T@%p", e, e)
	}
}

// writeID writes an attribute: what the expression defines itself, a lambda's
// parameter or a column of a sub-query, counts by its place.
func writeID(b *strings.Builder, mark byte, id plan.ID, local map[plan.ID]int) {
	b.WriteByte(mark)
	if n, ok := local[id]; ok {
		fmt.Fprintf(b, "$%d", n)
		return
	}
	fmt.Fprintf(b, "%d", id)
}

// writePlan writes the plan of a sub-query: two plans of one text read the
// same rows in the same way. A node that it does not know equals itself alone.
func writePlan(b *strings.Builder, n plan.Node, local map[plan.ID]int) {
	b.WriteByte('{')
	for _, in := range n.Inputs() {
		writePlan(b, in, local)
	}
	fmt.Fprintf(b, "%T", n)
	switch n := n.(type) {
	case *plan.Scan:
		if n.Source.Kind != plan.SourceTable || n.Source.Version != nil || n.Source.Timestamp != nil {
			fmt.Fprintf(b, "@%p", n)
		}
		fmt.Fprintf(b, "%q%v%v%v", n.Source.Name, n.Source.Options, n.Ordinals, n.Streaming)
	case *plan.Values:
		fmt.Fprintf(b, "%d", len(n.Rows))
	case *plan.Join:
		fmt.Fprintf(b, "%d%v", n.Kind, n.Lateral)
	case *plan.Aggregate:
		fmt.Fprintf(b, "%d%v", len(n.Keys), n.Sets)
	case *plan.Sort:
		for _, k := range n.Keys {
			fmt.Fprintf(b, "%v%v", k.Desc, k.NullsFirst)
		}
	case *plan.Limit:
		fmt.Fprintf(b, "%v", n.N != nil)
	case *plan.SetOp:
		fmt.Fprintf(b, "%d%v", n.Kind, n.All)
	case *plan.CTERef:
		fmt.Fprintf(b, "%d", n.CTE.ID)
	case *plan.Generate:
		fmt.Fprintf(b, "%v", n.Outer)
	case *plan.Project, *plan.Filter, *plan.Window, *plan.Distinct:
	default:
		fmt.Fprintf(b, "@%p", n)
	}
	writeArgs(b, plan.Exprs(n), local, false)
	for _, at := range n.Output() {
		if _, ok := local[at.ID]; !ok {
			local[at.ID] = len(local)
		}
	}
	b.WriteByte('}')
}

func writeArgs(b *strings.Builder, args []plan.Expr, local map[plan.ID]int, sorted bool) {
	if sorted {
		keys := make([]string, len(args))
		for i, x := range args {
			var k strings.Builder
			writeKey(&k, x, local)
			keys[i] = k.String()
		}
		sort.Strings(keys)
		b.WriteString("(" + strings.Join(keys, ",") + ")")
		return
	}
	b.WriteByte('(')
	for i, x := range args {
		if i > 0 {
			b.WriteByte(',')
		}
		writeKey(b, x, local)
	}
	b.WriteByte(')')
}

func writeLiteral(b *strings.Builder, l *plan.Literal) {
	switch v := l.Value.(type) {
	case string:
		fmt.Fprintf(b, "%q:%s", v, l.Typ)
	case *big.Int:
		fmt.Fprintf(b, "%s:%s", v, l.Typ)
	default:
		fmt.Fprintf(b, "%v:%s", v, l.Typ)
	}
}
