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

func writeKey(b *strings.Builder, e plan.Expr, lambda map[plan.ID]int) {
	switch e := e.(type) {
	case *plan.Column:
		fmt.Fprintf(b, "#%d", e.Attr.ID)
	case *plan.Outer:
		fmt.Fprintf(b, "^%d", e.Attr.ID)
	case *plan.Literal:
		writeLiteral(b, e)
	case *plan.Cast:
		fmt.Fprintf(b, "cast%d:%s:%s(", e.Mode, e.To, e.TimeZone)
		writeKey(b, e.X, lambda)
		b.WriteByte(')')
	case *plan.Call:
		b.WriteString(e.Fn)
		if e.Volatile {
			fmt.Fprintf(b, "@%p", e)
		}
		writeArgs(b, e.Args, lambda, commutative[e.Fn])
	case *plan.Field:
		fmt.Fprintf(b, ".%d(", e.Ordinal)
		writeKey(b, e.X, lambda)
		b.WriteByte(')')
	case *plan.Lambda:
		for _, p := range e.Params {
			lambda[p.ID] = len(lambda)
		}
		fmt.Fprintf(b, "\\%d.", len(e.Params))
		writeKey(b, e.Body, lambda)
	case *plan.LambdaVar:
		fmt.Fprintf(b, "$%d", lambda[e.ID])
	case *plan.AggCall:
		fmt.Fprintf(b, "agg:%s:%v:%v:%v", e.Fn, e.Distinct, e.IgnoreNulls, e.Filter != nil)
		writeArgs(b, e.Children(), lambda, false)
	case *plan.WindowExpr:
		b.WriteString("over:")
		writeArgs(b, e.Children(), lambda, false)
		for _, k := range e.Order {
			fmt.Fprintf(b, ":%v%v", k.Desc, k.NullsFirst)
		}
		fmt.Fprintf(b, ":%d:%d", len(e.Partition), e.Frame.Unit)
		for _, bound := range []plan.Bound{e.Frame.Start, e.Frame.End} {
			fmt.Fprintf(b, ":%d", bound.Kind)
			if bound.X != nil {
				writeKey(b, bound.X, lambda)
			}
		}
	case *plan.Titled:
		writeKey(b, e.X, lambda)
	case *plan.Parameter:
		fmt.Fprintf(b, ":%d", e.Attr.ID)
	case *plan.Case:
		b.WriteString("case")
		writeArgs(b, e.Children(), lambda, false)
	default:
		fmt.Fprintf(b, "%T@%p", e, e)
	}
}

func writeArgs(b *strings.Builder, args []plan.Expr, lambda map[plan.ID]int, sorted bool) {
	if sorted {
		keys := make([]string, len(args))
		for i, x := range args {
			var k strings.Builder
			writeKey(&k, x, lambda)
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
		writeKey(b, x, lambda)
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
