package funcs

import (
	"math"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func mathDefs() []*Def {
	one := func(name, sql string) *Def { return fn(name, types.Double, sql, wDbl()) }
	up := func(name, sql string) *Def { return one(name, sql).upper() }
	defs := []*Def{
		up("sqrt", "CASE WHEN $1 < 0 THEN 'NaN'::DOUBLE ELSE sqrt($1) END"), up("cbrt", "CASE WHEN $1 = 0 OR NOT isfinite($1) THEN $1 ELSE cbrt($1) - (pow(cbrt($1), 3) - $1) / (3 * pow(cbrt($1), 2)) END"), up("exp", "exp($1)"), up("expm1", "CASE WHEN $1 = 0 THEN $1 WHEN abs($1) < 1e-9 THEN $1 + $1 * $1 / 2 ELSE exp($1) - 1 END"),
		one("ln", "CASE WHEN $1 > 0 THEN ln($1) WHEN isnan($1) THEN $1 END").nullable(),
		up("log10", "CASE WHEN $1 > 0 THEN log10($1) WHEN isnan($1) THEN $1 END").nullable(),
		up("log2", "CASE WHEN $1 > 0 THEN log2($1) WHEN isnan($1) THEN $1 END").nullable(),
		up("log1p", "CASE WHEN abs($1) < 1e-9 THEN $1 - $1 * $1 / 2 WHEN $1 > -1 THEN ln(1 + $1) WHEN isnan($1) THEN $1 END").nullable(),
		fn("log", types.Double, "", wDbl(), wDbl()).optional(1).nullable().shown(showLog),
		up("sin", trig("sin")), up("cos", trig("cos")), up("tan", trig("tan")),
		up("cot", "(1.0::DOUBLE / "+trig("tan")+")"), up("sec", "(1.0::DOUBLE / "+trig("cos")+")"), up("csc", "(1.0::DOUBLE / "+trig("sin")+")"),
		up("asin", "CASE WHEN $1 BETWEEN -1 AND 1 THEN asin($1) WHEN $1 IS NOT NULL THEN 'NaN'::DOUBLE END"),
		up("acos", "CASE WHEN $1 BETWEEN -1 AND 1 THEN acos($1) WHEN $1 IS NOT NULL THEN 'NaN'::DOUBLE END"),
		up("atan", "atan($1)"), up("sinh", "sinh($1)"), up("cosh", "cosh($1)"), up("tanh", "tanh($1)"),
		up("asinh", "asinh($1)"), up("acosh", "CASE WHEN $1 < 1 THEN 'NaN'::DOUBLE ELSE acosh($1) END"),
		up("atanh", "CASE WHEN abs($1) > 1 THEN 'NaN'::DOUBLE WHEN abs($1) = 1 THEN $1 * 'Infinity'::DOUBLE ELSE atanh($1) END"),
		up("degrees", "degrees($1)"), up("radians", "radians($1)"),
		fn("atan2", types.Double, "atan2($1 + 0.0::DOUBLE, $2 + 0.0::DOUBLE)", wDbl(), wDbl()).upper(),
		fn("hypot", types.Double, "", wDbl(), wDbl()).upper(),
		fn("pow", types.Double, "CASE WHEN abs($1) = 1 AND NOT isfinite($2) THEN 'NaN'::DOUBLE ELSE pow($1, $2) END", wDbl(), wDbl()),
		fn("pi", types.Double, "pi()").upper().neverNull(), fn("e", types.Double, "exp(1.0::DOUBLE)").upper().neverNull(),
		one("rint", "CASE WHEN abs($1) < 4503599627370496 THEN round_even($1, 0) ELSE $1 END"),
		fn("factorial", types.BigInt, "CASE WHEN $1 BETWEEN 0 AND 20 THEN CAST(factorial($1) AS BIGINT) END", wInt()).nullable(),
		(&Def{Name: "abs", Min: 1, Max: 1, want: []want{wNumberOrInterval()}, typ: argType(0), raises: raisesUnlessFloat}),
		signDef("sign"),
		signDef("signum").upper(),
		(&Def{Name: "ceil", Min: 1, Max: 2, fit: fitCeil, typ: ceilType, raises: raisesRounding}).shown(showCeil("ceil")),
		(&Def{Name: "ceiling", Base: "ceil", Min: 1, Max: 2, fit: fitCeil, typ: ceilType, raises: raisesRounding}),
		(&Def{Name: "floor", Min: 1, Max: 2, fit: fitCeil, typ: ceilType, raises: raisesRounding}).shown(showCeil("floor")),
		(&Def{Name: "round", Min: 1, Max: 2, want: []want{wNumeric(), wInt()}, typ: roundType, raises: raisesRounding}).defaults(litInt(0)).checked(constant(1, "scale")),
		(&Def{Name: "bround", Min: 1, Max: 2, want: []want{wNumeric(), wInt()}, typ: roundType, raises: raisesRounding}).defaults(litInt(0)).checked(constant(1, "scale")),
		fn("mod", types.Void, ""), // replaced below
		fn("bin", types.String, "CASE WHEN $1 IS NULL THEN NULL ELSE bin($1) END", wBig()),
		(&Def{Name: "hex", Min: 1, Max: 1, want: []want{oneOf(types.BigInt, types.Binary, types.String)}, fit: fitHex, typ: typeIs(types.String)}),
		fn("unhex", types.Binary, "", wStr()).nullable(),
		fn("conv", types.String, "", wStr(), wInt(), wInt()).nullable().withRaises(func(c *call) bool { return c.ctx.ANSI }),
		fn("width_bucket", types.BigInt, "", wDbl(), wDbl(), wDbl(), wBig()).fitting(fitWidthBucket).nullable(),
		fn("bit_count", types.Int, "CAST(bit_count($1) AS INTEGER)", wBig()).fitting(fitBitCount),
		bitOp("&"), bitOp("|"), bitOp("^"),
		fnOf("~", argType(0), "(~$1)", kindOf(`"INTEGRAL"`, types.IsIntegral, types.Int, nil)).operator().
			shown(func(_ plan.Expr, a []string) string { return "~" + a[0] }),
		shift("<<"), shift(">>"), shift(">>>"),
		shift("shiftleft"), shift("shiftright"), shift("shiftrightunsigned"),
		fn("bit_get", types.TinyInt, "", wIntegral(), wInt()).always(),
	}
	for i, d := range defs {
		if d.Name == "mod" {
			defs[i] = &Def{Name: "mod", Min: 2, Max: 2, build: func(c *call) (plan.Expr, error) {
				x, err := buildNamed("%")(c)
				if k, ok := x.(*plan.Call); ok && k.Fn == "%" {
					k.Fn = "mod"
				}
				return x, err
			}}
		}
	}
	return defs
}

// trig gives NaN for infinities, where DuckDB raises.
func trig(f string) string { return "CASE WHEN isinf($1) THEN 'NaN'::DOUBLE ELSE " + f + "($1) END" }

func buildNamed(name string) func(c *call) (plan.Expr, error) {
	return func(c *call) (plan.Expr, error) { return Resolve(name, c.args, c.ctx) }
}

// showCeil prints capitals without a scale only.
func showCeil(name string) func(plan.Expr, []string) string {
	return func(_ plan.Expr, a []string) string {
		if len(a) == 1 {
			return strings.ToUpper(name) + "(" + a[0] + ")"
		}
		return name + "(" + strings.Join(a, ", ") + ")"
	}
}

func showLog(_ plan.Expr, a []string) string {
	if len(a) == 1 {
		return "LOG(E(), " + a[0] + ")"
	}
	return "LOG(" + a[0] + ", " + a[1] + ")"
}

func raisesUnlessFloat(c *call) bool {
	return c.ctx.ANSI && !types.IsFloating(c.args[0].Type())
}

// raisesRounding: a rounded DECIMAL may need a digit more than there are, an
// integer may leave its range.
func raisesRounding(c *call) bool {
	d, ok := c.args[0].Type().(types.Decimal)
	if !ok {
		return types.IsIntegral(c.args[0].Type()) && c.ctx.ANSI
	}
	n := int64(0)
	if len(c.args) > 1 {
		n, _ = constInt(c.args[1])
	}
	return d == types.Decimal{Precision: types.MaxPrecision} && n < 0
}

// roundType keeps numbers' types; a DECIMAL keeps what the scale leaves.
func roundType(c *call) types.Type {
	d, ok := c.args[0].Type().(types.Decimal)
	if !ok {
		return c.args[0].Type()
	}
	n, _ := constInt(c.args[1])
	whole := d.Precision - d.Scale + 1
	if n < 0 {
		return types.Decimal{Precision: min(types.MaxPrecision, max(whole, int(-n)+1))}
	}
	s := min(int(n), d.Scale)
	return types.Decimal{Precision: min(types.MaxPrecision, whole+s), Scale: s}
}

// fitCeil: one argument is BIGINT, DECIMAL or DOUBLE; with a scale everything
// becomes a DECIMAL.
func fitCeil(c *call) error {
	t := unChar(c.args[0].Type())
	_, dec := t.(types.Decimal)
	switch {
	case types.IsString(t), t == types.Void, t == types.Float:
		t = types.Double
	case types.IsIntegral(t):
		t = types.BigInt
	case !types.IsNumeric(t):
		return unexpected(c, 0, `("DECIMAL" or "DOUBLE" or "BIGINT")`)
	}
	if len(c.args) == 1 {
		c.args[0] = CastTo(c.args[0], t, c.ctx)
		return nil
	}
	if c.args[1].Type() != types.Int || !isConst(c.args[1]) {
		return errf(c.ctx, "NON_FOLDABLE_ARGUMENT", "42K08", "The scale of %s must be a constant INT.", c.d.Name)
	}
	c.args[1] = CastTo(c.args[1], types.Int, c.ctx)
	if !dec {
		c.args[0] = CastTo(c.args[0], decimalOf(c.args[0].Type()), c.ctx)
	}
	return nil
}

func ceilType(c *call) types.Type {
	d, ok := c.args[0].Type().(types.Decimal)
	if !ok {
		return types.BigInt
	}
	switch {
	case len(c.args) > 1:
		return roundType(c)
	case d.Scale == 0:
		return d
	}
	return types.Decimal{Precision: d.Precision - d.Scale + 1}
}

// fitWidthBucket takes three numbers or three intervals of one kind.
func fitWidthBucket(c *call) error {
	each := func(is func(types.Type) bool) bool {
		return is(c.args[0].Type()) && is(c.args[1].Type()) && is(c.args[2].Type())
	}
	span := func(t types.Type) bool { return isYM(t) || isDT(t) }
	for i, x := range c.args[:3] {
		if each(isYM) || each(isDT) {
			break
		}
		if span(x.Type()) {
			return mismatch(c.ctx, "DATA_DIFF_TYPES", "Cannot resolve %q: a value and its bounds are numbers, or intervals of one kind.", c.text())
		}
		if err := c.fitOne(i, wDbl()); err != nil {
			return err
		}
	}
	return c.fitOne(3, wBig())
}

func fitHex(c *call) error {
	t := unChar(c.args[0].Type())
	switch {
	case t == types.Binary || types.IsString(t):
	case types.IsNumeric(t) || t == types.Void:
		c.args[0] = CastTo(c.args[0], types.BigInt, c.ctx)
	case t == types.Boolean || isTime(t) || hasTimes(t):
		c.args[0] = CastTo(c.args[0], types.String, c.ctx)
	default:
		return unexpected(c, 0, `("BIGINT" or "BINARY" or "STRING")`)
	}
	return nil
}

func fitBitCount(c *call) error {
	t := unChar(c.args[0].Type())
	switch {
	case t == types.Boolean:
		c.args[0] = CastTo(c.args[0], types.Int, c.ctx)
	case !types.IsIntegral(t) && t != types.Void:
		return unexpected(c, 0, `("INTEGRAL" or "BOOLEAN")`)
	}
	c.args[0] = CastTo(c.args[0], types.BigInt, c.ctx)
	return nil
}

// bitOp takes integers only; under ANSI a text beside one is a BIGINT.
func bitOp(op string) *Def {
	sql := "($1 " + op + " $2)"
	if op == "^" {
		sql = "xor($1, $2)"
	}
	d := &Def{Name: op, Min: 2, Max: 2, SQL: sql, typ: argType(0), fit: func(c *call) error {
		a, b := unChar(c.args[0].Type()), unChar(c.args[1].Type())
		side := func(t, other types.Type) types.Type {
			switch {
			case t == types.Void && types.IsIntegral(other):
				return other
			case t == types.Void && other == types.Void:
				return types.Int
			case types.IsString(t) && types.IsIntegral(other) && c.ctx.ANSI:
				return types.BigInt
			}
			return t
		}
		x, y := side(a, b), side(b, a)
		if !types.IsIntegral(x) || !types.IsIntegral(y) {
			return c.refuseOperands(a, b)
		}
		t, _ := rule{}.commonNumeric(x, y)
		c.args[0], c.args[1] = CastTo(c.args[0], t, c.ctx), CastTo(c.args[1], t, c.ctx)
		return nil
	}}
	return d.operator().infix(op)
}

func shift(name string) *Def {
	d := &Def{Name: name, Min: 2, Max: 2, typ: argType(0), fit: func(c *call) error {
		t := unChar(c.args[0].Type())
		if t != types.BigInt {
			if !StoreAssignable(t, types.Int) && !types.IsString(t) {
				return unexpected(c, 0, `("INT" or "BIGINT")`)
			}
			t = types.Int
		}
		c.args[0] = CastTo(c.args[0], t, c.ctx)
		return c.fitOne(1, wInt())
	}}
	switch name {
	case "<<", ">>", ">>>":
		return d.operator().infix(name)
	}
	return d
}

// maxInt is Spark's default length of substring.
const maxInt = math.MaxInt32

// wNumberOrInterval takes numbers as they are, and intervals.
func wNumberOrInterval() want {
	return kindOf(`("NUMERIC" or "INTERVAL")`, func(t types.Type) bool { return types.IsNumeric(t) || isInterval(t) }, types.Double, types.Double)
}

// signDef is the sign of a number or an interval.
func signDef(name string) *Def {
	d := fnOf(name, typeIs(types.Double), "CAST(CASE WHEN isnan($1::DOUBLE) OR $1 = 0 THEN $1 ELSE sign($1) END AS DOUBLE)", wDbl())
	return d.fitting(func(c *call) error {
		if isInterval(c.args[0].Type()) {
			return nil
		}
		return c.fitOne(0, wDbl())
	})
}
