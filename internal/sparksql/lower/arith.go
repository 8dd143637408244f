package lower

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func logicRules() map[string]rule {
	same := func(op string) rule {
		return func(_ *lowerer, c *plan.Call, a []string) string {
			a = unmoved(c.Args, a)
			return "(" + a[0] + " " + op + " " + a[1] + ")"
		}
	}
	return map[string]rule{
		"and": lowerAnd, "or": lowerOr, "=": same("="), "<": compare("<"), "<=": compare("<="), ">": compare(">"), ">=": compare(">="),
		"<=>": same("IS NOT DISTINCT FROM"), "equal_null": same("IS NOT DISTINCT FROM"),
		"in":       lowerIn,
		"between":  lowerAnd,
		"coalesce": coalesce,
		"nvl":      coalesce,
		"zeroifnull": func(l *lowerer, c *plan.Call, a []string) string {
			return "coalesce(" + a[0] + ", " + cast("0", l.duckType(c.Typ)) + ")"
		},
		"nvl2":   func(l *lowerer, c *plan.Call, a []string) string { return l.choice(c, a[0]+" IS NOT NULL", a[1], a[2]) },
		"if":     func(l *lowerer, c *plan.Call, a []string) string { return l.choice(c, a[0], a[1], a[2]) },
		"nullif": nullIf, "nullifzero": nullIf,
		"greatest": among("greatest", "DESC"), "least": among("least", "ASC"),
	}
}

func nullIf(_ *lowerer, _ *plan.Call, a []string) string {
	return "CASE WHEN " + a[0] + " THEN NULL ELSE " + a[1] + " END"
}

// coalesce is a CASE where a later argument may raise: DuckDB may compute a
// part of it for all rows beforehand.
func coalesce(l *lowerer, c *plan.Call, a []string) string {
	if len(a) > 1 && slices.ContainsFunc(c.Args[1:], l.canRaise) {
		return l.let(a[0], func(v string) string {
			d := *c
			d.Args = c.Args[1:]
			return "CASE WHEN " + v + " IS NOT NULL THEN " + v + " ELSE " + coalesce(l, &d, a[1:]) + " END"
		})
	}
	if len(a) == 1 {
		return a[0]
	}
	return "coalesce(" + strings.Join(a, ", ") + ")"
}

func arithmeticRules() map[string]rule {
	return map[string]rule{
		"+": plus("+", "add"), "-": plus("-", "sub"), "*": plus("*", "mul"), "try_add": plus("+", "add"), "try_subtract": plus("-", "sub"), "try_multiply": plus("*", "mul"),
		"/": divide, "try_divide": divide, "div": intDivide, "%": remainder, "mod": remainder, "try_mod": remainder, "pmod": remainder,
		"u-": negate, "negative": negate, "u+": func(_ *lowerer, _ *plan.Call, a []string) string { return a[0] },
		"abs": absolute,
	}
}

// plus is + - * over one type.
func plus(op, kernel string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		dt := l.duckType(c.Typ)
		if d, ok := isDecimal(c.Typ); ok {
			return l.decimalOp(c, d, op, kernel, a)
		}
		text := "(" + a[0] + " " + op + " " + a[1] + ")"
		switch {
		case types.IsFloating(c.Typ):
			return text
		case c.Raises:
			return text // DuckDB checks; RuntimeError names it
		case strings.HasPrefix(c.Fn, "try_"):
			return "TRY_CAST(" + cast(a[0], "HUGEINT") + " " + op + " " + cast(a[1], "HUGEINT") + " AS " + dt + ")" // what an operand raises stays
		}
		return wrapped(cast(a[0], "HUGEINT")+" "+op+" "+cast(a[1], "HUGEINT"), c.Typ, dt)
	}
}

// wrapped lets an integer wrap around, as Spark does without ANSI.
func wrapped(x string, t types.Type, dt string) string {
	n := intBits[t]
	if t == types.BigInt {
		n = "18446744073709551616::HUGEINT"
	}
	half := "(" + n + " // 2)"
	return cast("(((("+x+") + "+half+") % "+n+" + "+n+") % "+n+" - "+half+")", dt)
}

// int64Digits is the precision up to which DuckDB keeps decimals in 64 bits.
const int64Digits = 18

// decimalOp is + - * of decimals: DuckDB's where it is exact, a kernel where
// Spark cuts the scale.
func (l *lowerer) decimalOp(c *plan.Call, d types.Decimal, op, kernel string, a []string) string {
	x, okx := isDecimal(c.Args[0].Type())
	y, oky := isDecimal(c.Args[1].Type())
	if !okx || !oky {
		return l.fail(errOperand(c))
	}
	exact := types.Decimal{Precision: max(x.Precision-x.Scale, y.Precision-y.Scale) + max(x.Scale, y.Scale) + 1, Scale: max(x.Scale, y.Scale)}
	if op == "*" {
		exact = types.Decimal{Precision: x.Precision + y.Precision, Scale: x.Scale + y.Scale}
	}
	dt := l.duckType(d)
	if exact.Precision <= types.MaxPrecision && exact.Scale <= d.Scale {
		if op != "*" {
			return cast("("+cast(a[0], dt)+" "+op+" "+cast(a[1], dt)+")", dt)
		}
		if x.Precision <= int64Digits && y.Precision <= int64Digits && exact.Precision > int64Digits {
			// DuckDB would multiply two 64-bit decimals in 64 bits.
			a[0] = cast(a[0], types.Decimal{Precision: int64Digits + 1, Scale: x.Scale}.String())
		}
		return cast("("+a[0]+" "+op+" "+a[1]+")", dt)
	}
	return l.decimalKernel(c, "decimal_"+kernel, a, dt, decimalResult(d))
}

func decimalResult(d types.Decimal) string {
	return raise("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", "A result cannot be represented as "+d.String()+".")
}

// decimalKernel calls a kernel over two decimals that gives NULL on overflow.
func (l *lowerer) decimalKernel(c *plan.Call, kind string, a []string, ret, raise string) string {
	ts := []string{l.duckType(c.Args[0].Type()), l.duckType(c.Args[1].Type())}
	if !c.Raises {
		return l.call(kind, a, ts, ret, nil)
	}
	return l.let2(a[0], a[1], func(x, y string) string {
		return "CASE WHEN " + x + " IS NOT NULL AND " + y + " IS NOT NULL THEN coalesce(" +
			l.call(kind, []string{x, y}, ts, ret, nil) + ", " + raise + ") END"
	})
}

const byZero = "Division by zero."

// guardZero is val(x, y), with an error or NULL where y is 0 and x is not NULL.
func (l *lowerer) guardZero(c *plan.Call, a []string, class string, val func(x, y string) string) string {
	if n, ok := funcs.Eval(c.Args[1]); ok && n.Value != nil && nonZero(n) {
		return val(a[0], a[1])
	}
	if !c.Raises {
		return val(a[0], "nullif("+a[1]+", 0)")
	}
	return l.let2(a[0], a[1], func(x, y string) string {
		cond := y + " = 0"
		if c.Args[0].Nullable() {
			cond += " AND " + x + " IS NOT NULL"
		}
		return "CASE WHEN " + cond + " THEN " + raise(class, "22012", byZero) + " ELSE " + val(x, y) + " END"
	})
}

func nonZero(n *plan.Literal) bool {
	switch v := n.Value.(type) {
	case int64:
		return v != 0
	case float64:
		return v != 0
	}
	return false
}

func divide(l *lowerer, c *plan.Call, a []string) string {
	if d, ok := isDecimal(c.Typ); ok {
		return l.guardZero(c, a, "DIVIDE_BY_ZERO", func(x, y string) string {
			return l.decimalKernel(c, "decimal_div", []string{x, y}, l.duckType(d), decimalResult(d))
		})
	}
	return l.guardZero(c, a, "DIVIDE_BY_ZERO", func(x, y string) string { return "(" + x + " / " + y + ")" })
}

func intDivide(l *lowerer, c *plan.Call, a []string) string {
	return l.guardZero(c, a, "DIVIDE_BY_ZERO", func(x, y string) string {
		if _, ok := isDecimal(c.Args[0].Type()); ok {
			ts := []string{l.duckType(c.Args[0].Type()), l.duckType(c.Args[1].Type())}
			return l.call("decimal_int_div", []string{x, y}, ts, "BIGINT", nil)
		}
		if isInterval(c.Args[0].Type()) {
			x, y = cast(x, "BIGINT"), cast(y, "BIGINT")
		}
		if !c.Raises { // the least number by -1 wraps around
			return "CASE WHEN " + y + " = -1 THEN " + wrapped("-"+cast(x, "HUGEINT"), types.BigInt, "BIGINT") + " ELSE " + x + " // " + y + " END"
		}
		return "(" + x + " // " + y + ")"
	})
}

// remainder is % and pmod, whose result has the divisor's sign.
func remainder(l *lowerer, c *plan.Call, a []string) string {
	dt := l.duckType(c.Typ)
	return l.guardZero(c, a, "REMAINDER_BY_ZERO", func(x, y string) string {
		if x2, ok := isDecimal(c.Args[0].Type()); ok {
			y2, _ := isDecimal(c.Args[1].Type())
			return l.decimalRemainder(c, x, y, x2, y2)
		}
		if c.Fn == "pmod" {
			if types.IsIntegral(c.Typ) {
				return "CASE WHEN " + y + " = -1 THEN " + cast(x+" - "+x, dt) + " ELSE " + pmod(x, y, dt) + " END"
			}
			return pmod(x, y, dt)
		}
		if types.IsIntegral(c.Typ) {
			if k, ok := constInt(c.Args[1]); !ok || k == -1 { // DuckDB overflows for the least number
				return cast("(CASE WHEN "+y+" = -1 THEN "+x+" - "+x+" ELSE "+x+" % "+y+" END)", dt)
			}
		}
		return cast("("+x+" % "+y+")", dt)
	})
}

func (l *lowerer) decimalRemainder(c *plan.Call, x, y string, dx, dy types.Decimal) string {
	dt := l.duckType(c.Typ)
	scale := max(dx.Scale, dy.Scale)
	whole := max(dx.Precision-dx.Scale, dy.Precision-dy.Scale)
	if whole+scale > types.MaxPrecision {
		return l.decimalKernel(c, "decimal_mod", []string{x, y}, dt, decimalResult(resultDecimal(c)))
	}
	wide := l.duckType(types.Decimal{Precision: whole + scale, Scale: scale})
	x, y = cast(x, wide), cast(y, wide)
	if c.Fn == "pmod" {
		return pmod(x, y, dt)
	}
	return cast("("+x+" % "+y+")", dt)
}

func negate(l *lowerer, c *plan.Call, a []string) string {
	dt := l.duckType(c.Typ)
	if _, ok := isDecimal(c.Typ); ok {
		return cast("(-"+l.roundedOperand(c, a[0])+")", dt)
	}
	if types.IsFloating(c.Typ) || c.Raises {
		return cast("(-"+a[0]+")", dt)
	}
	return wrapped("-"+cast(a[0], "HUGEINT"), c.Typ, dt)
}

// roundedOperand is a decimal as Spark's negation and abs see it, which keep 34
// digits; an error where the rounding gives a 39th.
func (l *lowerer) roundedOperand(c *plan.Call, x string) string {
	t := c.Args[0].Type()
	if d, _ := isDecimal(t); d.Precision <= 34 {
		return x
	}
	return l.let(x, func(v string) string {
		return "CASE WHEN " + v + " IS NOT NULL THEN coalesce(" + l.round34(v, t) + ", " +
			raise("NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION", "22003", "The rounded result does not fit "+t.SQL()+".") + ") END"
	})
}

func absolute(l *lowerer, c *plan.Call, a []string) string {
	if isInterval(c.Typ) {
		return "abs(" + a[0] + ")"
	}
	dt := l.duckType(c.Typ)
	if d, dec := isDecimal(c.Typ); dec && d.Precision > 34 { // only what is negated is rounded
		return l.let(a[0], func(v string) string {
			return "CASE WHEN " + v + " < 0 THEN " + cast("(-"+l.roundedOperand(c, v)+")", dt) + " ELSE " + cast(v, dt) + " END"
		})
	}
	if _, dec := isDecimal(c.Typ); dec || types.IsFloating(c.Typ) || c.Raises {
		return cast("abs("+a[0]+")", dt)
	}
	return wrapped("abs("+cast(a[0], "HUGEINT")+")", c.Typ, dt)
}

func resultDecimal(c *plan.Call) types.Decimal {
	d, _ := c.Typ.(types.Decimal)
	return d
}

// pmod adds the divisor to a negative remainder once.
func pmod(x, y, dt string) string {
	r := "(" + x + " % " + y + ")"
	return cast("CASE WHEN "+r+" < 0 THEN ("+r+" + "+y+") % "+y+" ELSE "+r+" END", dt)
}
