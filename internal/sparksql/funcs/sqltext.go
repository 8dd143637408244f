package funcs

import (
	"math"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// maxShown bounds the text of a value inside a name.
const maxShown = 10_000

// sql is a constant as SQL text, as names show the values of variables: with
// its type in it (7L, 1.5BD, CAST(NULL AS INT)).
func (p printer) sql(e plan.Expr) string {
	var b strings.Builder
	p.writeSQL(&b, e)
	return b.String()
}

func (p printer) writeSQL(b *strings.Builder, e plan.Expr) {
	if b.Len() > maxShown {
		return
	}
	switch e := e.(type) {
	case *plan.Literal:
		b.WriteString(p.literalSQL(e))
	case *plan.Cast: // gives a constructor its declared type
		p.writeSQL(b, e.X)
	case *plan.Call:
		b.WriteString(strings.ToUpper(e.Fn) + "(")
		for i, x := range e.Args {
			if i > 0 {
				b.WriteString(", ")
			}
			p.writeSQL(b, x)
		}
		b.WriteString(")")
	default:
		b.WriteString(p.name(e))
	}
}

var numberSuffix = map[types.Type]string{types.TinyInt: "Y", types.SmallInt: "S", types.BigInt: "L"}

func (p printer) literalSQL(l *plan.Literal) string {
	if l.Value == nil {
		if l.Typ == types.Void {
			return "NULL"
		}
		return "CAST(NULL AS " + l.Typ.SQL() + ")"
	}
	text := p.literalName(l)
	switch v := l.Value.(type) {
	case string:
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "CAST('" + text + "' AS DOUBLE)"
		}
		return text + "D"
	case float32:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			text = "'" + text + "'"
		}
		return "CAST(" + text + " AS FLOAT)"
	}
	if _, ok := l.Typ.(types.Decimal); ok {
		return text + "BD"
	}
	return text + numberSuffix[l.Typ]
}
