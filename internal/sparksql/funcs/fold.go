package funcs

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// IsFoldable tells whether e has the same value for every row: it holds no
// column, sub-query, aggregate or volatile call.
func IsFoldable(e plan.Expr) bool {
	ok := true
	plan.Walk(e, func(x plan.Expr) bool {
		switch x := x.(type) {
		case *plan.Column, *plan.Outer, *plan.Parameter, *plan.Subquery, *plan.AggCall, *plan.WindowExpr:
			ok = false
		case *plan.Call:
			ok = ok && !x.Volatile
		}
		return ok
	})
	return ok
}

// Eval works out a constant where that is simple: literals, widening casts
// and casts between strings and integers, sign, and integer + - *. It is for
// arguments that must be known at analysis.
func Eval(e plan.Expr) (*plan.Literal, bool) {
	switch e := e.(type) {
	case *plan.Literal:
		return e, true
	case *plan.Cast:
		l, ok := Eval(e.X)
		if !ok {
			return nil, false
		}
		return evalCast(l, e.To)
	case *plan.Call:
		return evalCall(e)
	case *plan.Titled:
		return Eval(e.X)
	}
	return nil, false
}

func evalCast(l *plan.Literal, to types.Type) (*plan.Literal, bool) {
	if l.Value == nil || types.Equal(l.Typ, to) {
		return &plan.Literal{Value: l.Value, Typ: to}, true
	}
	if types.IsString(l.Typ) && types.IsString(to) {
		return &plan.Literal{Value: l.Value, Typ: to}, true
	}
	n, isInt := l.Value.(int64)
	isInt = isInt && types.IsIntegral(l.Typ)
	switch {
	case isInt && types.IsIntegral(to):
		return &plan.Literal{Value: n, Typ: to}, inRange(n, to)
	case isInt && to == types.Double:
		return &plan.Literal{Value: float64(n), Typ: to}, true
	case isInt && types.IsString(to):
		return &plan.Literal{Value: strconv.FormatInt(n, 10), Typ: to}, true
	case types.IsString(to):
		if s, ok := textOf(l); ok {
			return &plan.Literal{Value: s, Typ: to}, true
		}
	}
	if f, ok := floatOf(l); ok && types.IsIntegral(to) {
		n := int64(math.Trunc(f))
		return &plan.Literal{Value: n, Typ: to}, math.Abs(f) < 1<<62 && inRange(n, to)
	}
	if f, ok := l.Value.(float64); ok && types.IsIntegral(to) && math.Abs(f) < 1<<53 {
		return &plan.Literal{Value: int64(f), Typ: to}, inRange(int64(f), to)
	}
	if s, ok := l.Value.(string); ok && types.IsIntegral(to) {
		n, ok := cast.Int([]byte(s), 64, false)
		return &plan.Literal{Value: n, Typ: to}, ok && inRange(n, to)
	}
	if s, ok := l.Value.(string); ok && to == types.Double {
		f, ok := cast.Float([]byte(s), 64)
		return &plan.Literal{Value: f, Typ: to}, ok
	}
	if d, ok := to.(types.Decimal); ok {
		return evalDecimal(l, d)
	}
	if d, ok := l.Typ.(types.Decimal); ok && (to == types.Double || types.IsIntegral(to)) {
		u, ok := l.Value.(*big.Int)
		if !ok {
			return nil, false
		}
		if to != types.Double {
			n := new(big.Int).Quo(u, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale)), nil))
			return &plan.Literal{Value: n.Int64(), Typ: to}, n.IsInt64() && inRange(n.Int64(), to)
		}
		f, _ := new(big.Float).Quo(new(big.Float).SetInt(u),
			new(big.Float).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale)), nil))).Float64()
		return &plan.Literal{Value: f, Typ: to}, true
	}
	return nil, false
}

// textOf is a constant as CAST prints it; false for a type whose text depends on
// the session, or that is seldom written as a constant.
func textOf(l *plan.Literal) (string, bool) {
	switch v := l.Value.(type) {
	case bool:
		return strconv.FormatBool(v), true
	case float32:
		return JavaFloat(v), true
	case float64:
		return JavaDouble(v), true
	case int64:
		if isInterval(l.Typ) {
			return IntervalText(v, l.Typ), true
		}
		if l.Typ == types.Date {
			return string(cast.AppendDate(nil, int32(v))), true
		}
	case *big.Int:
		if d, ok := l.Typ.(types.Decimal); ok {
			text := decimalText(v, d.Scale)
			return text, !strings.Contains(text, "E") // which CAST writes out under ANSI
		}
	}
	return "", false
}

func floatOf(l *plan.Literal) (float64, bool) {
	switch v := l.Value.(type) {
	case float32:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func inRange(n int64, t types.Type) bool {
	switch t {
	case types.TinyInt:
		return n >= math.MinInt8 && n <= math.MaxInt8
	case types.SmallInt:
		return n >= math.MinInt16 && n <= math.MaxInt16
	case types.Int:
		return n >= math.MinInt32 && n <= math.MaxInt32
	}
	return true
}

// strict are the functions among those that evalCall knows: one NULL makes
// the result NULL.
var strict = map[string]bool{"+": true, "-": true, "*": true, "concat": true, "negative": true, "positive": true, "u+": true, "u-": true}

func evalCall(c *plan.Call) (*plan.Literal, bool) {
	if c.Fn == "collate" {
		return Eval(c.Args[0])
	}
	args := make([]*plan.Literal, len(c.Args))
	for i, a := range c.Args {
		l, ok := Eval(a)
		if !ok {
			return nil, false
		}
		args[i] = l
	}
	if slices.ContainsFunc(args, func(l *plan.Literal) bool { return l.Value == nil }) {
		return &plan.Literal{Typ: c.Typ}, strict[c.Fn]
	}
	switch {
	case c.Fn == "u-" || c.Fn == "negative":
		return negated(args[0])
	case (c.Fn == "u+" || c.Fn == "positive") && len(args) == 1:
		return args[0], true
	case (c.Fn == "upper" || c.Fn == "lower") && len(args) == 1:
		return cased(args[0], c.Fn == "upper")
	}
	if c.Fn == "concat" && types.IsString(c.Typ) {
		var b strings.Builder
		for _, l := range args {
			s, ok := l.Value.(string)
			if !ok {
				return nil, false
			}
			b.WriteString(s)
		}
		return &plan.Literal{Value: b.String(), Typ: types.String}, true
	}
	if len(args) != 2 || !types.IsIntegral(c.Typ) {
		return nil, false
	}
	a, ok1 := args[0].Value.(int64)
	b, ok2 := args[1].Value.(int64)
	if !ok1 || !ok2 {
		return nil, false
	}
	x, y, z := big.NewInt(a), big.NewInt(b), new(big.Int)
	switch c.Fn {
	case "+":
		z.Add(x, y)
	case "-":
		z.Sub(x, y)
	case "*":
		z.Mul(x, y)
	default:
		return nil, false
	}
	return &plan.Literal{Value: z.Int64(), Typ: c.Typ}, z.IsInt64() && inRange(z.Int64(), c.Typ)
}

// cased is a text in upper or lower case, as the functions' kernels have it.
func cased(l *plan.Literal, upper bool) (*plan.Literal, bool) {
	s, ok := l.Value.(string)
	to := cases.Lower(language.Und)
	if upper {
		to = cases.Upper(language.Und)
	}
	return &plan.Literal{Value: to.String(s), Typ: types.String}, ok
}

func negated(l *plan.Literal) (*plan.Literal, bool) {
	switch v := l.Value.(type) {
	case int64:
		return &plan.Literal{Value: -v, Typ: l.Typ}, v != math.MinInt64 && inRange(-v, l.Typ)
	case float64:
		return &plan.Literal{Value: -v, Typ: l.Typ}, true
	case float32:
		return &plan.Literal{Value: -v, Typ: l.Typ}, true
	case *big.Int:
		return &plan.Literal{Value: new(big.Int).Neg(v), Typ: l.Typ}, true
	}
	return nil, false
}

// constText is the text of a constant string argument.
func constText(e plan.Expr) (string, bool) {
	l, ok := Eval(e)
	if !ok {
		return "", false
	}
	s, ok := l.Value.(string)
	return s, ok
}

// constInt is a constant integer argument.
func constInt(e plan.Expr) (int64, bool) {
	l, ok := Eval(e)
	if !ok {
		return 0, false
	}
	n, ok := l.Value.(int64)
	return n, ok
}

// evalDecimal widens an integer or a DECIMAL exactly.
func evalDecimal(l *plan.Literal, to types.Decimal) (*plan.Literal, bool) {
	var v *big.Int
	scale := 0
	switch x := l.Value.(type) {
	case int64:
		if !types.IsIntegral(l.Typ) {
			return nil, false
		}
		v = big.NewInt(x)
	case *big.Int:
		d, ok := l.Typ.(types.Decimal)
		if !ok {
			return nil, false
		}
		v, scale = x, d.Scale
	}
	if v == nil || scale > to.Scale {
		return nil, false
	}
	v = new(big.Int).Mul(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(to.Scale-scale)), nil))
	return &plan.Literal{Value: v, Typ: to}, len(new(big.Int).Abs(v).String()) <= to.Precision
}
