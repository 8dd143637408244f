package funcs

import (
	"math/big"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// minScale is the least scale that a division or product keeps when its
// precision has to be cut.
const minScale = 6

// decimalOf is the DECIMAL that holds every value of an integer type.
func decimalOf(t types.Type) types.Decimal {
	switch t {
	case types.TinyInt:
		return types.Decimal{Precision: 3}
	case types.SmallInt:
		return types.Decimal{Precision: 5}
	case types.Int:
		return types.Decimal{Precision: 10}
	case types.BigInt:
		return types.Decimal{Precision: 20}
	case types.Float:
		return types.Decimal{Precision: 14, Scale: 7}
	case types.Double:
		return types.Decimal{Precision: 30, Scale: 15}
	}
	if d, ok := t.(types.Decimal); ok {
		return d
	}
	return types.Decimal{Precision: types.MaxPrecision, Scale: 18}
}

// operandDecimal is decimalOf, with an integer literal counted by its digits.
func operandDecimal(x plan.Expr) types.Decimal {
	if l, ok := x.(*plan.Literal); ok && l.Typ != types.TinyInt && types.IsIntegral(l.Typ) {
		if n, ok := l.Value.(int64); ok {
			return types.Decimal{Precision: len(new(big.Int).Abs(big.NewInt(n)).String())}
		}
	}
	return decimalOf(x.Type())
}

func widerDecimal(a, b types.Decimal) types.Decimal {
	scale := max(a.Scale, b.Scale)
	whole := max(a.Precision-a.Scale, b.Precision-b.Scale)
	if whole+scale <= types.MaxPrecision {
		return types.Decimal{Precision: whole + scale, Scale: scale}
	}
	return types.Decimal{Precision: types.MaxPrecision, Scale: max(0, types.MaxPrecision-whole)}
}

// fitDecimal cuts a result's precision to 38 at the cost of its scale.
func fitDecimal(p, s int) types.Decimal {
	if p <= types.MaxPrecision {
		return types.Decimal{Precision: p, Scale: s}
	}
	whole := p - s
	return types.Decimal{Precision: types.MaxPrecision, Scale: max(types.MaxPrecision-whole, min(s, minScale))}
}

// boundDecimal cuts precision and scale each to 38.
func boundDecimal(p, s int) types.Decimal {
	return types.Decimal{Precision: min(p, types.MaxPrecision), Scale: min(s, types.MaxPrecision)}
}

// keepsScale tells whether the session wants no digit of a scale lost: a result
// that is too wide is NULL or an error then.
func keepsScale(ctx Context) bool {
	return strings.EqualFold(ctx.Conf["spark.sql.decimalOperations.allowPrecisionLoss"], "false")
}

// decimalResult is the type of a op b; keep is keepsScale.
func decimalResult(op string, a, b types.Decimal, keep bool) types.Decimal {
	fit := fitDecimal
	if keep {
		fit = boundDecimal
	}
	switch op {
	case "*":
		return fit(a.Precision+b.Precision+1, a.Scale+b.Scale)
	case "/":
		scale := max(minScale, a.Scale+b.Precision+1)
		whole := a.Precision - a.Scale + b.Scale
		if over := min(whole, types.MaxPrecision) + min(scale, types.MaxPrecision) - types.MaxPrecision; keep && over > 0 {
			scale = min(scale, types.MaxPrecision) - over/2 - 1
			whole = types.MaxPrecision - scale
		}
		return fit(whole+scale, scale)
	case "%":
		scale := max(a.Scale, b.Scale)
		return fit(min(a.Precision-a.Scale, b.Precision-b.Scale)+scale, scale)
	}
	scale := max(a.Scale, b.Scale)
	return fit(max(a.Precision-a.Scale, b.Precision-b.Scale)+scale+1, scale)
}
