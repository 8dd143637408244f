package funcs

import (
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Seed is the Const of random functions that are called with a seed: their
// values are those of Spark's generator on one partition.
type Seed int64

// wSeed takes INT and BIGINT (and NULL, which is 0).
func wSeed() want {
	return kindOf(`("INT" or "BIGINT")`, func(t types.Type) bool { return t == types.Int || t == types.BigInt }, types.BigInt, nil)
}

// seeded checks the seed at argument i, where there is one.
func seeded(i int) func(c *call) error {
	return func(c *call) error {
		if i >= len(c.args) {
			return nil
		}
		k, ok := Eval(c.args[i])
		switch {
		case !ok && !IsFoldable(c.args[i]) && (c.d.Name == "uniform" || c.d.Name == "randstr"):
			return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "The seed of %s must be a constant.", c.d.Name)
		case !ok && !IsFoldable(c.args[i]) && c.d.Name == "shuffle":
			return errf(c.ctx, "INVALID_PARAMETER_VALUE.LONG", "22023", "The seed %q of shuffle must be a constant.", SQLName(c.args[i]))
		case !ok:
			return errf(c.ctx, "SEED_EXPRESSION_IS_UNFOLDABLE", "42K08", "The seed %q of %q must be a constant.", SQLName(c.args[i]), c.text())
		}
		n, _ := k.Value.(int64)
		c.konst = Seed(n)
		return nil
	}
}

// randomDefs are rand and its kin.
func randomDefs() []*Def {
	return []*Def{
		fn("rand", types.Double, "", wSeed()).optional(1).volatile().neverNull().checked(seeded(0)),
		fn("randn", types.Double, "", wSeed()).optional(1).volatile().neverNull().checked(seeded(0)),
		fn("randstr", types.String, "", wInt(), wSeed()).optional(1).volatile().always().checked(func(c *call) error {
			if !IsFoldable(c.args[0]) {
				return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "The length of randstr must be a constant.")
			}
			return seeded(1)(c)
		}),
		fnOf("uniform", uniformType, "", wAny(), wAny(), wSeed()).optional(1).volatile().fitting(fitUniform).checked(seeded(2)),
	}
}

// fitUniform takes two numbers that are constant.
func fitUniform(c *call) error {
	for i, x := range c.args[:2] {
		t := unChar(x.Type())
		if !types.IsNumeric(t) && t != types.Void {
			return unexpected(c, i, "integer or floating-point")
		}
		if !IsFoldable(x) {
			return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "The bounds of uniform must be constants.")
		}
	}
	if len(c.args) > 2 {
		return c.fitOne(2, wSeed())
	}
	return nil
}

// uniformType is the wider type of the bounds: DOUBLE before FLOAT before
// DECIMAL, which keeps its digits beside an integer.
func uniformType(c *call) types.Type {
	a, b := c.args[0].Type(), c.args[1].Type()
	if a == types.Void || b == types.Void {
		return types.Double
	}
	_, decA := a.(types.Decimal)
	_, decB := b.(types.Decimal)
	switch {
	case a == types.Double || b == types.Double:
		return types.Double
	case a == types.Float || b == types.Float:
		return types.Float
	case decA && !decB:
		return a
	case decB && !decA:
		return b
	case decA:
		if upCast(b, a) {
			return a
		}
		return b
	}
	if t, ok := (rule{ansi: c.ctx.ANSI}).commonNumeric(a, b); ok {
		return t
	}
	return types.Double
}
