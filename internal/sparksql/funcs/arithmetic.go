package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// arithmeticDefs are + - * / div % with their function forms. Lowered call
// names: "+", "-", "*", "/", "div", "%", "pmod", "try_add", ... over equal
// types (decimals differ), and those of timeArithmeticDefs.
func arithmeticDefs() []*Def {
	var out []*Def
	for _, op := range []string{"+", "-", "*", "/", "%"} {
		out = append(out, (&Def{Name: op, Min: 2, Max: 2, build: buildArith}).operator().infix(op))
	}
	out = append(out,
		(&Def{Name: "div", Min: 2, Max: 2, build: buildArith}).infix("div"),
		&Def{Name: "pmod", Min: 2, Max: 2, build: buildArith},
		&Def{Name: "try_add", Min: 2, Max: 2, build: buildArith},
		&Def{Name: "try_subtract", Min: 2, Max: 2, build: buildArith},
		&Def{Name: "try_multiply", Min: 2, Max: 2, build: buildArith},
		&Def{Name: "try_divide", Min: 2, Max: 2, build: buildArith},
		&Def{Name: "try_mod", Min: 2, Max: 2, build: buildArith},
		(&Def{Name: "u-", Min: 1, Max: 1, build: buildNegate}).operator().shown(showSign("-")),
		&Def{Name: "negative", Min: 1, Max: 1, build: buildNegate},
		(&Def{Name: "u+", Min: 1, Max: 1, build: buildPlus}).operator().shown(showSign("+")),
		(&Def{Name: "positive", Min: 1, Max: 1, build: buildPlus}).shown(showSign("+")),
	)
	return append(out, timeArithmeticDefs()...)
}

func showSign(sign string) func(plan.Expr, []string) string {
	return func(_ plan.Expr, a []string) string { return "(" + sign + " " + a[0] + ")" }
}

// arithOf is the operator that a function's name stands for.
func arithOf(name string) string {
	switch name {
	case "try_add":
		return "+"
	case "try_subtract":
		return "-"
	case "try_multiply":
		return "*"
	case "try_divide":
		return "/"
	case "try_mod", "pmod":
		return "%"
	}
	return name
}

func buildArith(c *call) (plan.Expr, error) {
	op := arithOf(c.d.Name)
	try := strings.HasPrefix(c.d.Name, "try_")
	a, b := unChar(c.args[0].Type()), unChar(c.args[1].Type())
	if x, err := timeArith(c, op, a, b); x != nil || err != nil {
		return x, err
	}
	x, y := numericSide(a, b, c.ctx), numericSide(b, a, c.ctx)
	switch {
	case op == "/" && a == types.Void && isDecimal(b):
		x, y = types.Double, types.Double // Spark reads NULL as a DOUBLE there
	case op == "div" && a == types.Void && b == types.Void:
		x, y = types.BigInt, types.BigInt
	}
	if !types.IsNumeric(x) || !types.IsNumeric(y) || op == "div" && (!integral(x) || !integral(y) || c.textAsDouble(a, b)) {
		return nil, c.refuseOperands(a, b)
	}
	if try {
		c.tryCasts()
	}
	out, err := c.arith(op, x, y, try)
	if n, ok := out.(*plan.Call); ok && try && (!types.IsNumeric(a) || !types.IsNumeric(b)) {
		n.Const = c.spelled(false) // what the operands raise is NULL, too
	}
	return out, err
}

// integral tells whether div takes t.
func integral(t types.Type) bool { return types.IsNumeric(t) && !types.IsFloating(t) }

// textAsDouble tells whether an operand is a text that becomes a DOUBLE.
func (c *call) textAsDouble(a, b types.Type) bool {
	return types.IsString(a) && numericSide(a, b, c.ctx) == types.Double || types.IsString(b) && numericSide(b, a, c.ctx) == types.Double
}

// refuseOperands is the error of an operator over types that it does not take:
// BINARY_OP_WRONG_TYPE where Spark's coercion makes them one type, else
// BINARY_OP_DIFF_TYPES.
func (c *call) refuseOperands(a, b types.Type) error {
	x, y := a, b
	_, dx := x.(types.Decimal)
	_, dy := y.(types.Decimal)
	switch logic := c.d.Name == "and" || c.d.Name == "or"; {
	case types.IsString(a) != types.IsString(b) && c.ctx.ANSI:
		if other := otherThanText(a, b); !isInterval(other) && other != types.Calendar && (atomic(other) || other == types.Variant || other == types.Void) {
			x, y = other, other
		}
	case types.IsString(a) != types.IsString(b) && !logic:
		if other := otherThanText(a, b); other == types.Double || isDecimal(other) {
			x, y = types.Double, types.Double
		}
	case dx && y == types.Double, dy && x == types.Double:
		x, y = types.Double, types.Double
	}
	if types.Equal(x, y) {
		return mismatch(c.ctx, "BINARY_OP_WRONG_TYPE", "Cannot resolve %q: the operator does not take %s.", c.text(), quoteType(x))
	}
	return mismatch(c.ctx, "BINARY_OP_DIFF_TYPES", "Cannot resolve %q: the operands have incompatible types (%s and %s).",
		c.text(), quoteType(a), quoteType(b))
}

// otherThanText is the operand that is no text.
func otherThanText(a, b types.Type) types.Type {
	if types.IsString(a) {
		return b
	}
	return a
}

func isDecimal(t types.Type) bool {
	_, ok := t.(types.Decimal)
	return ok
}

// tryCasts makes the function's own implicit casts give NULL.
func (c *call) tryCasts() {
	for i, x := range c.args {
		if types.IsString(x.Type()) {
			t := numericSide(x.Type(), c.args[1-i].Type(), c.ctx)
			k := newCast(x, t, plan.CastTry, c.ctx)
			k.Implicit = true
			c.args[i] = k
		}
	}
}

// numericSide is what a becomes beside b: a text what it means there, NULL the
// other's type. A text beside a text or NULL is no number under ANSI.
func numericSide(a, b types.Type, ctx Context) types.Type {
	switch {
	case types.IsString(a) && !ctx.ANSI:
		return types.Double
	case types.IsString(a) && types.IsIntegral(b):
		return types.BigInt
	case types.IsString(a) && types.IsNumeric(b):
		return types.Double
	case a == types.Void && (b == types.Void || types.IsString(b) && !ctx.ANSI):
		return types.Double
	case a == types.Void:
		return b
	}
	return a
}

func (c *call) arith(op string, a, b types.Type, try bool) (plan.Expr, error) {
	_, aDec := a.(types.Decimal)
	_, bDec := b.(types.Decimal)
	if (aDec || bDec) && !types.IsFloating(a) && !types.IsFloating(b) {
		return c.decimalArith(op, a, b, try)
	}
	var t types.Type
	switch op {
	case "/":
		t = types.Double
	case "div":
		t = types.BigInt
	default:
		t, _ = rule{ansi: c.ctx.ANSI}.commonNumeric(a, b)
	}
	for i := range c.args {
		c.args[i] = CastTo(c.args[i], t, c.ctx)
	}
	return c.arithCall(op, t, try), nil
}

// arithCall makes the node; division and remainder give NULL where they do
// not raise.
func (c *call) arithCall(op string, t types.Type, try bool) plan.Expr {
	divides := op == "/" || op == "%" || op == "div"
	_, dec := t.(types.Decimal)
	raises := c.ctx.ANSI && !try && (divides || dec || types.IsIntegral(t))
	null := anyNullable(c.args) || !raises && (divides || dec) || try
	return &plan.Call{Fn: c.d.Name, Args: c.args, Typ: t, Null: null, Raises: raises, Pos: c.ctx.Pos}
}

func (c *call) decimalArith(op string, a, b types.Type, try bool) (plan.Expr, error) {
	da, db := operandDecimal(c.args[0]), operandDecimal(c.args[1])
	if _, ok := a.(types.Decimal); !ok && c.args[0].Type() == types.Void {
		da = decimalOf(b)
	}
	if c.args[0].Type() == types.Void {
		da = decimalOf(a)
	}
	if c.args[1].Type() == types.Void {
		db = decimalOf(b)
	}
	c.args[0], c.args[1] = CastTo(c.args[0], da, c.ctx), CastTo(c.args[1], db, c.ctx)
	var t types.Type = decimalResult(op, da, db, keepsScale(c.ctx))
	if op == "div" {
		t = types.BigInt
	}
	return c.arithCall(op, t, try), nil
}

func buildNegate(c *call) (plan.Expr, error) {
	t := unChar(c.args[0].Type())
	switch {
	case isInterval(t) || t == types.Calendar:
		return &plan.Call{Fn: "iv neg", Args: c.args, Typ: t, Null: c.args[0].Nullable(), Raises: true, Const: c.spelled(false), Pos: c.ctx.Pos}, nil
	case types.IsString(t), t == types.Void:
		t = types.Double
	case !types.IsNumeric(t):
		return nil, unexpected(c, 0, `("NUMERIC" or "INTERVAL")`)
	}
	c.args[0] = CastTo(c.args[0], t, c.ctx)
	return &plan.Call{Fn: c.d.Name, Args: c.args, Typ: t, Null: c.args[0].Nullable(), Raises: c.ctx.ANSI && !types.IsFloating(t), Pos: c.ctx.Pos}, nil
}

func buildPlus(c *call) (plan.Expr, error) {
	t := unChar(c.args[0].Type())
	switch {
	case types.IsString(t), t == types.Void:
		t = types.Double
	case !types.IsNumeric(t) && !isInterval(t) && t != types.Calendar:
		return nil, unexpected(c, 0, `("NUMERIC" or "INTERVAL")`)
	}
	c.args[0] = CastTo(c.args[0], t, c.ctx)
	return c.finishAs("u+", t), nil
}

func (c *call) finishAs(name string, t types.Type) *plan.Call {
	return &plan.Call{Fn: name, Args: c.args, Typ: t, Null: anyNullable(c.args), Pos: c.ctx.Pos}
}
