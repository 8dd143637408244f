package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// arithmeticDefs are + - * / div % with their function forms. Lowered call
// names: "+", "-", "*", "/", "div", "%", "pmod", "try_add", ... over equal
// types (decimals differ), and for times and intervals "ts+dt", "date+ym",
// "ts+ym", "ts-ts", "date-date", "iv+iv", "iv-iv", "iv*n", "iv/n", "iv neg".
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
	plain := func(name, sign string) *Def {
		return (&Def{Name: name, Min: 2, Max: 2, typ: typeIs(types.Void)}).operator().shown(showTry(func(a []string) string {
			return strings.Join(a, " "+sign+" ")
		}))
	}
	out = append(out, plain("t+calendar", "+"), plain("t-calendar", "-"), plain("ts+dt", "+"), plain("ts-dt", "-"), plain("ts+ym", "+"), plain("ts-ym", "-"), plain("date+ym", "+"), plain("date-ym", "-"))
	for name, sign := range map[string]string{"ts-ts": "-", "date-date": "-", "iv+iv": "+", "iv-iv": "-", "iv*n": "*", "iv/n": "/"} {
		out = append(out, (&Def{Name: name, Min: 2, Max: 2, typ: typeIs(types.Void)}).operator().shown(showTry(func(a []string) string {
			return "(" + strings.Join(a, " "+sign+" ") + ")"
		})))
	}
	return append(out,
		(&Def{Name: "iv neg", Min: 1, Max: 1, typ: typeIs(types.Void)}).operator().shown(showSign("-")),
		(&Def{Name: "date+dt", Min: 2, Max: 2, typ: typeIs(types.Void)}).operator().shown(func(_ plan.Expr, a []string) string {
			return "date_add(" + a[0] + ", extractansiintervaldays(" + a[1] + "))"
		}),
		(&Def{Name: "date-dt", Min: 2, Max: 2, typ: typeIs(types.Void)}).operator().shown(func(_ plan.Expr, a []string) string {
			return "date_add(" + a[0] + ", (- extractansiintervaldays(" + a[1] + ")))"
		}),
	)
}

// IsTry tells whether a try_ function made the call: it gives NULL where the
// operator raises.
func IsTry(c *plan.Call) bool {
	_, ok := c.Const.(tryName)
	return ok
}

// showTry prints a call that a try_ function made by that function's name.
func showTry(plain func(a []string) string) func(plan.Expr, []string) string {
	return func(e plan.Expr, a []string) string {
		if c, ok := e.(*plan.Call); ok {
			if n, ok := c.Const.(tryName); ok {
				return string(n) + "(" + strings.Join(a, ", ") + ")"
			}
		}
		return plain(a)
	}
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
	if isTime(a) || isTime(b) || isInterval(a) || isInterval(b) {
		return timeArith(c, op, a, b)
	}
	if types.IsString(a) && types.IsString(b) {
		if c.ctx.ANSI {
			return nil, mismatch(c.ctx, "BINARY_OP_WRONG_TYPE", "Cannot resolve %q: the operator takes numbers, not %s.", c.text(), quoteType(a))
		}
		a, b = types.Double, types.Double
	}
	a, b = numericSide(a, b, c.ctx), numericSide(b, a, c.ctx)
	if !types.IsNumeric(a) || !types.IsNumeric(b) {
		return nil, mismatch(c.ctx, "BINARY_OP_DIFF_TYPES", "Cannot resolve %q: the operands have incompatible types (%s and %s).",
			c.text(), quoteType(c.args[0].Type()), quoteType(c.args[1].Type()))
	}
	if try {
		c.tryCasts()
	}
	return c.arith(op, a, b, try)
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

// numericSide is what a becomes beside b: a string what it means there, NULL
// the other's type.
func numericSide(a, b types.Type, ctx Context) types.Type {
	switch {
	case types.IsString(a) && !ctx.ANSI:
		return types.Double
	case types.IsString(a) && types.IsIntegral(b):
		return types.BigInt
	case types.IsString(a) && types.IsNumeric(b), types.IsString(a) && b == types.Void:
		return types.Double
	case a == types.Void && (b == types.Void || types.IsString(b)):
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
		if types.IsFloating(a) || types.IsFloating(b) {
			return nil, mismatch(c.ctx, "BINARY_OP_WRONG_TYPE", "Cannot resolve %q: div takes integers and decimals, not %s.", c.text(), quoteType(a))
		}
		t = types.BigInt
	default:
		t, _ = commonNumeric(a, b)
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
	var t types.Type = decimalResult(op, da, db)
	if op == "div" {
		t = types.BigInt
	}
	return c.arithCall(op, t, try), nil
}

func buildNegate(c *call) (plan.Expr, error) {
	t := unChar(c.args[0].Type())
	switch {
	case isInterval(t):
		return &plan.Call{Fn: "iv neg", Args: c.args, Typ: t, Null: c.args[0].Nullable(), Raises: c.ctx.ANSI, Pos: c.ctx.Pos}, nil
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
	case !types.IsNumeric(t) && !isInterval(t):
		return nil, unexpected(c, 0, `("NUMERIC" or "INTERVAL")`)
	}
	c.args[0] = CastTo(c.args[0], t, c.ctx)
	return c.finishAs("u+", t), nil
}

func (c *call) finishAs(name string, t types.Type) *plan.Call {
	return &plan.Call{Fn: name, Args: c.args, Typ: t, Null: anyNullable(c.args), Pos: c.ctx.Pos}
}

// timeArith is arithmetic with a date, timestamp or interval on a side.
func timeArith(c *call, op string, a, b types.Type) (plan.Expr, error) {
	fail := func() (plan.Expr, error) {
		return nil, mismatch(c.ctx, "BINARY_OP_DIFF_TYPES", "Cannot resolve %q: the operands have incompatible types (%s and %s).",
			c.text(), quoteType(c.args[0].Type()), quoteType(c.args[1].Type()))
	}
	switch {
	case op == "+" && isTime(b) && !isTime(a):
		c.args[0], c.args[1] = c.args[1], c.args[0]
		a, b = b, a
	case op == "*" && isInterval(b) && !isInterval(a):
		c.args[0], c.args[1] = c.args[1], c.args[0]
		a, b = b, a
	}
	switch {
	case op == "-" && (isTime(a) && (isTime(b) || types.IsString(b)) || types.IsString(a) && isTime(b)):
		return timeDifference(c, a, b)
	case (op == "+" || op == "-") && isTime(a) && (isInterval(b) || b == types.Calendar):
		return timePlusInterval(c, op, a, b)
	case (op == "+" || op == "-") && a == types.Date:
		name := map[string]string{"+": "date_add", "-": "date_sub"}[op]
		d := &call{d: Lookup(name), args: c.args, ctx: c.ctx, fromOperator: true}
		if err := fitDateAdd(d); err != nil {
			return nil, err
		}
		return d.finish(types.Date), nil
	case (op == "+" || op == "-") && isInterval(a) && (isInterval(b) || b == types.Void):
		t, ok := commonTime(a, b)
		if b == types.Void {
			t, ok = a, true
		}
		if !ok {
			return fail()
		}
		c.args[0], c.args[1] = CastTo(c.args[0], t, c.ctx), CastTo(c.args[1], t, c.ctx)
		return c.intervalCall("iv"+op+"iv", t), nil
	case (op == "*" || op == "/") && isInterval(a):
		return intervalTimes(c, op, a, b)
	case (op == "+" || op == "-") && isInterval(b) && types.IsString(a):
		c.args[0] = CastTo(c.args[0], types.Timestamp, c.ctx)
		return timePlusInterval(c, op, types.Timestamp, b)
	}
	return fail()
}

func (c *call) intervalCall(name string, t types.Type) plan.Expr {
	try := strings.HasPrefix(c.d.Name, "try_")
	call := c.finishAs(name, t)
	call.Raises = !try
	call.Null = call.Null || try
	if try {
		call.Const = tryName(c.d.Name)
	}
	return call
}

// tryName is the Const of interval arithmetic that a try_ function made.
type tryName string

func timeDifference(c *call, a, b types.Type) (plan.Expr, error) {
	if types.IsString(a) {
		a = b
	}
	if types.IsString(b) {
		b = a
	}
	t, ok := commonTime(a, b)
	if !ok {
		t = types.Timestamp
	}
	c.args[0], c.args[1] = CastTo(c.args[0], t, c.ctx), CastTo(c.args[1], t, c.ctx)
	if t == types.Date {
		return c.finishAs("date-date", types.DayTime{From: types.Day, To: types.Day}), nil
	}
	return c.finishAs("ts-ts", types.DayTime{From: types.Day, To: types.Second}), nil
}

func timePlusInterval(c *call, op string, a, b types.Type) (plan.Expr, error) {
	if b == types.Calendar {
		return c.intervalCall("t"+op+"calendar", a), nil
	}
	if _, ym := b.(types.YearMonth); ym {
		if a == types.Date {
			return c.intervalCall("date"+op+"ym", types.Date), nil
		}
		return c.intervalCall("ts"+op+"ym", a), nil
	}
	dt, _ := b.(types.DayTime)
	if a == types.Date && dt.From == types.Day && dt.To == types.Day {
		return c.intervalCall("date"+op+"dt", types.Date), nil
	}
	if a == types.Date {
		c.args[0] = CastTo(c.args[0], types.Timestamp, c.ctx)
		a = types.Timestamp
	}
	return c.intervalCall("ts"+op+"dt", a), nil
}

func intervalTimes(c *call, op string, a, b types.Type) (plan.Expr, error) {
	switch {
	case types.IsString(b):
		c.args[1] = CastTo(c.args[1], types.Double, c.ctx)
	case b == types.Void:
		c.args[1] = CastTo(c.args[1], types.Double, c.ctx)
	case !types.IsNumeric(b):
		return nil, mismatch(c.ctx, "BINARY_OP_DIFF_TYPES", "Cannot resolve %q: the operands have incompatible types (%s and %s).",
			c.text(), quoteType(a), quoteType(b))
	}
	var t types.Type = types.DayTime{From: types.Day, To: types.Second}
	if _, ok := a.(types.YearMonth); ok {
		t = types.YearMonth{From: types.Year, To: types.Month}
	}
	return c.intervalCall("iv"+op+"n", t), nil
}
