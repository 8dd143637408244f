package funcs

import (
	"unicode/utf8"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// textDefs are further functions over texts, bytes and bits.
func textDefs() []*Def {
	str, big := types.String, types.BigInt
	wFloats := kindOf(`"ARRAY<FLOAT>"`, func(t types.Type) bool {
		a, ok := t.(types.Array)
		return ok && a.Elem == types.Float
	}, nil, nil)
	wBytes := kindOf(`"BINARY"`, func(t types.Type) bool { return t == types.Binary }, nil, nil)
	return []*Def{
		fn("luhn_check", types.Boolean, "", wStr()), fn("quote", str, "", wStr()),
		fn("mask", str, "", wTextOnly(), wTextOnly(), wTextOnly(), wTextOnly(), wTextOnly()).optional(4).defaults(litStr("X"), litStr("x"), litStr("n"), litNull()).named("str", "upperChar", "lowerChar", "digitChar", "otherChar").
			withNull(func(c *call) bool { return c.args[0].Nullable() }).checked(checkMask),
		fn("is_valid_utf8", types.Boolean, "", wAny()).fitting(fitBytes),
		fn("make_valid_utf8", str, "", wAny()).fitting(fitBytes),
		fn("validate_utf8", str, "", wAny()).fitting(fitBytes).always(), fn("try_validate_utf8", str, "", wAny()).fitting(fitBytes).nullable(),
		fn("try_url_decode", str, "", wStr()).nullable(), fn("try_to_binary", types.Binary, "", wStr(), wStr()).optional(1).nullable(),
		fn("bitmap_bit_position", big, "CASE WHEN $1 > 0 THEN ($1 - 1) % 32768 ELSE 0 - $1 % 32768 END", wBig()),
		fn("bitmap_bucket_number", big, "CASE WHEN $1 > 0 THEN 1 + ($1 - 1) // 32768 ELSE $1 // 32768 END", wBig()),
		fn("bitmap_count", big, "CASE WHEN octet_length($1) = 0 THEN 0::BIGINT ELSE CAST(length(replace(CAST(CAST($1 AS BIT) AS VARCHAR), '0', '')) AS BIGINT) END", wBytes),
		fn("spark_partition_id", types.Int, "0::INTEGER").neverNull().shown(upperCall("SPARK_PARTITION_ID")), fn("input_file_name", str, "''").neverNull(),
		fn("collation", str, "", wTextOnly()).neverNull().checked(func(c *call) error {
			c.konst = "SYSTEM.BUILTIN." + orBinary(nameOf(c.args[0].Type()))
			if c.konst == "SYSTEM.BUILTIN."+types.Indeterminate {
				c.konst = types.Indeterminate
			}
			return nil
		}),
		{Name: "collate", Min: 2, Max: 2, build: buildCollate}, fn("try_parse_url", str, "", wTextOnly(), wTextOnly(), wTextOnly()).optional(1).nullable(),
		fn("vector_inner_product", types.Float, "", wFloats, wFloats).always().nullable(),
		fn("vector_cosine_similarity", types.Float, "", wFloats, wFloats).always().nullable(),
		fn("vector_l2_distance", types.Float, "", wFloats, wFloats).always().nullable(),
		fn("vector_norm", types.Float, "", wFloats, kindOf(`"FLOAT"`, func(t types.Type) bool { return t == types.Float }, nil, nil)).optional(1).defaults(&plan.Literal{Value: float32(2), Typ: types.Float}).nullable().always(),
	}
}

// fitBytes takes BINARY as it is, and the text of every other value.
func fitBytes(c *call) error {
	if t := c.args[0].Type(); t != types.Binary {
		if err := c.fitOne(0, wStr()); err != nil {
			return err
		}
	}
	return c.fitOne(0, wBin())
}

func upperCall(name string) func(plan.Expr, []string) string {
	return func(plan.Expr, []string) string { return name + "()" }
}

// checkMask: what replaces a character is one character.
func checkMask(c *call) error {
	for i, a := range c.args[1:] {
		if s, ok := constText(a); ok && utf8.RuneCountInString(s) != 1 {
			return mismatch(c.ctx, "INPUT_SIZE_NOT_ONE", "The %s parameter of mask must be one character, not %q.", ordinal(i+1), s)
		}
	}
	return nil
}
