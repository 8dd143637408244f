package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func miscDefs() []*Def {
	str := types.String
	out := []*Def{
		fn("typeof", str, "", wAny()).neverNull(), fn("version", str, "").neverNull(), fn("uuid", str, "CAST(uuid() AS VARCHAR)", wAny()).optional(1).fitting(fitUUID).shown(noArgs("uuid")).neverNull().volatile(),
		text("current_user", func(c Context) string { return c.User }), text("user", func(c Context) string { return c.User }),
		text("session_user", func(c Context) string { return c.User }),
		text("current_catalog", func(c Context) string { return c.Catalog }), text("current_schema", func(c Context) string { return c.Schema }),
		fn("raise_error", types.Void, "", wStr()).always().nullable().shown(func(_ plan.Expr, a []string) string {
			return "raise_error(USER_RAISED_EXCEPTION, map(errorMessage, " + a[0] + "))"
		}),
		(&Def{Name: "assert_true", Min: 1, Max: 2, want: []want{wBool(), wStr()}, typ: typeIs(types.Void), fit: fitAssert}).always().nullable(),
	}
	for name, t := range map[string]types.Type{"boolean": types.Boolean, "tinyint": types.TinyInt, "smallint": types.SmallInt, "int": types.Int,
		"bigint": types.BigInt, "float": types.Float, "double": types.Double, "string": str, "binary": types.Binary, "date": types.Date,
		"timestamp": types.Timestamp, "decimal": types.Decimal{Precision: 10}, "time": types.Time{Precision: 6}} {
		out = append(out, castDef(name, t))
	}
	return out
}

// castDef is a type's name as a function: int('5').
func castDef(name string, t types.Type) *Def {
	return &Def{Name: name, Min: 1, Max: 1, build: func(c *call) (plan.Expr, error) {
		x, err := ExplicitCast(c.args[0], t, c.ctx.CastMode(), c.ctx)
		if k, ok := x.(*plan.Cast); ok {
			k.Implicit = true // Spark prints the argument alone
		}
		return x, err
	}}
}

// text is a function of the session; its value is the call's Const.
func text(name string, value func(Context) string) *Def {
	return fn(name, types.String, "").neverNull().checked(func(c *call) error {
		c.konst = value(c.ctx)
		return nil
	})
}

func fitAssert(c *call) error {
	if len(c.args) == 1 {
		c.args = append(c.args, litStr("'"+SQLName(c.args[0])+"' is not true!"))
	}
	if err := c.fitOne(0, wBoolStrict()); err != nil {
		return err
	}
	return c.fitOne(1, wStr())
}

// aliases print under their own name and run as another.
func aliases() map[string]string {
	return map[string]string{
		"ifnull": "nvl", "iff": "if", "power": "pow", "lcase": "lower", "ucase": "upper", "character_length": "length", "char_length": "length", "len": "length",
		"char": "chr", "sha": "sha1", "printf": "format_string", "dayofmonth": "day", "date_diff": "datediff",
		"every": "bool_and", "some": "bool_or", "any": "bool_or", "std": "stddev", "stddev_samp": "stddev", "variance": "var_samp",
		"approx_percentile": "percentile_approx", "mean": "avg", "reduce": "aggregate",
		"datepart": "date_part", "getbit": "bit_get", "explode_outer": "explode", "posexplode_outer": "posexplode", "inline_outer": "inline", "substr": "substring", "position": "locate", "xpath_number": "xpath_double",
	}
}

// ownText is how an alias prints that prints unlike what it stands for; nil
// for the others.
func ownText(alias string) func(e plan.Expr, args []string) string {
	switch alias {
	case "datepart":
		return func(_ plan.Expr, a []string) string { return "datepart(" + strings.Join(a, " FROM ") + ")" }
	case "power":
		return func(_ plan.Expr, a []string) string { return "POWER(" + strings.Join(a, ", ") + ")" }
	}
	return nil
}

// hiddenAliases print as what they stand for.
func hiddenAliases() map[string]string {
	return map[string]string{
		"==": "=", "!=": "<>", "!": "not", "array_agg": "collect_list", "curdate": "current_date",
		"current_database": "current_schema", "random": "rand",
		"charindex": "locate", "integer": "int", "dateadd": "date_add",
	}
}

// fitUUID: a seed is a constant integer, and here says nothing.
func fitUUID(c *call) error {
	if len(c.args) == 0 {
		return nil
	}
	t := c.args[0].Type()
	if _, ok := c.args[0].(*plan.Literal); !ok || !types.IsIntegral(t) && t != types.Void {
		return errf(c.ctx, "INVALID_PARAMETER_VALUE.LONG", "22023", "The seed of uuid is an integer constant, not %q.", SQLName(c.args[0]))
	}
	return nil
}
