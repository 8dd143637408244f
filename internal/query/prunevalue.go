package query

import (
	"math"
	"math/big"
	"time"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// bareColumn is the column that x is, also below an implicit cast that keeps
// the order and the identity of all values.
func bareColumn(x plan.Expr) (*plan.Column, bool) {
	if c, ok := x.(*plan.Cast); ok && c.Implicit && widens(c.X.Type(), c.To) {
		x = c.X
	}
	col, ok := x.(*plan.Column)
	return col, ok
}

// widens tells whether each value of a type is one of the other, too.
func widens(from, to types.Type) bool {
	if types.IsIntegral(from) {
		f, ok1 := integralBits(from)
		t, ok2 := integralBits(to)
		return ok1 && ok2 && f <= t
	}
	f, ok1 := from.(types.Decimal)
	t, ok2 := to.(types.Decimal)
	return ok1 && ok2 && t.Scale >= f.Scale && t.Precision-t.Scale >= f.Precision-f.Scale || from == types.Float && to == types.Double
}

func integralBits(t types.Type) (int, bool) {
	switch t {
	case types.TinyInt:
		return 8, true
	case types.SmallInt:
		return 16, true
	case types.Int:
		return 32, true
	case types.BigInt:
		return 64, true
	}
	return 0, false
}

// known is the value of a constant that needs no engine to be told: a literal,
// its negative, and casts that lose nothing. nil for others.
func known(x plan.Expr) *plan.Literal {
	switch x := x.(type) {
	case *plan.Literal:
		if x.Value != nil {
			return x
		}
	case *plan.Call:
		if x.Fn == "negative" && len(x.Args) == 1 {
			return negated(known(x.Args[0]))
		}
	case *plan.Cast:
		if l := known(x.X); l != nil {
			return converted(l, x)
		}
	}
	return nil
}

func negated(l *plan.Literal) *plan.Literal {
	if l == nil {
		return nil
	}
	switch v := l.Value.(type) {
	case int64:
		if bits, ok := integralBits(l.Typ); ok && v != -1<<(bits-1) {
			return &plan.Literal{Value: -v, Typ: l.Typ}
		}
	case float64:
		return &plan.Literal{Value: -v, Typ: l.Typ}
	case *big.Int:
		return &plan.Literal{Value: new(big.Int).Neg(v), Typ: l.Typ}
	}
	return nil
}

const (
	maxExact = 1 << 53     // whole numbers nearer to 0 are doubles, all of them
	maxDays  = 100_000_000 // dates nearer to 1970 are timestamps
)

func converted(l *plan.Literal, c *plan.Cast) *plan.Literal {
	to := func(v any) *plan.Literal { return &plan.Literal{Value: v, Typ: c.To} }
	if types.Equal(l.Typ, c.To) {
		return l
	}
	switch v := l.Value.(type) {
	case int64:
		switch {
		case types.IsIntegral(l.Typ):
			return wholeTo(v, c.To)
		case l.Typ == types.Date && (c.To == types.TimestampNTZ || c.To == types.Timestamp && c.TimeZone == "UTC"):
			if v > -maxDays && v < maxDays {
				return to(v * secondsPerDay * 1e6)
			}
		}
	case *big.Int:
		from, ok := l.Typ.(types.Decimal)
		if !ok {
			break
		}
		if d, ok := c.To.(types.Decimal); ok {
			return rescaled(v, from.Scale, d)
		}
		if c.To == types.Double {
			f, _ := new(big.Rat).SetFrac(v, pow10(from.Scale)).Float64()
			return to(f)
		}
	case float32:
		if c.To == types.Double {
			return to(float64(v))
		}
	case string:
		// Words such as now are left to the engine.
		if l.Typ == types.String && v != "" && v[0] >= '0' && v[0] <= '9' && (c.To == types.Date || c.To == types.Timestamp || c.To == types.TimestampNTZ) {
			if n, ok := funcs.TimeOfText(v, c.To, time.Time{}, c.TimeZone); ok {
				return to(n)
			}
		}
	}
	return nil
}

func wholeTo(v int64, t types.Type) *plan.Literal {
	if bits, ok := integralBits(t); ok {
		if v < math.MinInt64>>(64-bits) || v > math.MaxInt64>>(64-bits) {
			return nil
		}
		return &plan.Literal{Value: v, Typ: t}
	}
	if d, ok := t.(types.Decimal); ok {
		return rescaled(big.NewInt(v), 0, d)
	}
	if t == types.Double && v > -maxExact && v < maxExact {
		return &plan.Literal{Value: float64(v), Typ: t}
	}
	return nil
}

// rescaled is a decimal as another type that holds it without rounding.
func rescaled(v *big.Int, scale int, to types.Decimal) *plan.Literal {
	if to.Scale < scale {
		return nil
	}
	out := new(big.Int).Mul(v, pow10(to.Scale-scale))
	if out.CmpAbs(pow10(to.Precision)) >= 0 {
		return nil
	}
	return &plan.Literal{Value: out, Typ: to}
}

// statValue is a literal as delta.Predicate takes it for a column of type t.
func statValue(l *plan.Literal, t types.Type) (any, bool) {
	switch v := l.Value.(type) {
	case int64:
		switch {
		case t == types.Date && l.Typ == types.Date:
			return time.Unix(v*secondsPerDay, 0).UTC(), true
		case (t == types.Timestamp || t == types.TimestampNTZ) && l.Typ == t:
			return time.UnixMicro(v).UTC(), true
		}
		return v, types.IsIntegral(t) && types.IsIntegral(l.Typ)
	case bool, string:
		return v, types.Equal(l.Typ, t)
	case float64:
		return v, types.IsFloating(t)
	case float32:
		return float64(v), types.IsFloating(t)
	case *big.Int:
		from, ok1 := l.Typ.(types.Decimal)
		_, ok2 := t.(types.Decimal)
		if ok1 && ok2 {
			return new(big.Rat).SetFrac(v, pow10(from.Scale)).FloatString(from.Scale), true
		}
	}
	return nil, false
}

const secondsPerDay = 86400

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
