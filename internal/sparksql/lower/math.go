package lower

import (
	"fmt"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func mathRules() map[string]rule {
	return map[string]rule{
		"log": func(l *lowerer, _ *plan.Call, a []string) string {
			ln := func(x string) string { return "CASE WHEN " + x + " > 0 THEN ln(" + x + ") END" }
			if len(a) == 1 {
				return l.let(a[0], ln)
			}
			return l.let2(a[0], a[1], func(b, x string) string { return "((" + ln(x) + ") / (" + ln(b) + "))" })
		},
		"ceil": ceiling("ceil"), "floor": ceiling("floor"), "round": rounding("round"), "bround": rounding("bround"),
		"hex": func(_ *lowerer, c *plan.Call, a []string) string { return "hex(" + a[0] + ")" },
		"unhex": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("unhex", a, []string{"VARCHAR"}, "BLOB", nil)
		},
		"conv": func(l *lowerer, c *plan.Call, a []string) string {
			ts := []string{"VARCHAR", "INTEGER", "INTEGER"}
			if !c.Raises {
				return l.call("conv", a, ts, "VARCHAR", nil)
			}
			return l.let(l.call("conv", a, ts, "VARCHAR", map[string]any{"strict": true}), func(x string) string {
				return "CASE WHEN " + x + " = '!' THEN " + raise("ARITHMETIC_OVERFLOW", "22003", "The number of conv does not fit into 64 bits.") + " ELSE " + x + " END"
			})
		},
		"hypot": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("hypot", a, []string{"DOUBLE", "DOUBLE"}, "DOUBLE", nil)
		},
		"width_bucket": widthBucket,
		"<<":           shiftLeft, "shiftleft": shiftLeft, ">>": shiftRight, "shiftright": shiftRight, ">>>": shiftUnsigned, "shiftrightunsigned": shiftUnsigned,
		"bit_get": func(l *lowerer, c *plan.Call, a []string) string {
			bits := map[types.Type]string{types.TinyInt: "8", types.SmallInt: "16", types.Int: "32", types.BigInt: "64"}[c.Args[0].Type()]
			return l.let2(a[0], a[1], func(x, n string) string {
				return "CASE WHEN " + x + " IS NOT NULL AND (" + n + " < 0 OR " + n + " >= " + bits + ") THEN " +
					raiseValue("INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", "22023", "There is no bit ", n, ".") +
					" ELSE CAST((CAST(" + x + " AS BIGINT) >> CAST(" + n + " AS BIGINT)) & 1 AS TINYINT) END"
			})
		},
	}
}

func bitWidth(t types.Type) string {
	if t == types.BigInt {
		return "64"
	}
	return "32"
}

func shiftLeft(l *lowerer, c *plan.Call, a []string) string {
	w := bitWidth(c.Typ)
	return wrapped("CAST("+a[0]+" AS HUGEINT) * (1::HUGEINT << ("+a[1]+" & ("+w+" - 1)))", c.Typ, l.duckType(c.Typ))
}

func shiftRight(l *lowerer, c *plan.Call, a []string) string {
	w := bitWidth(c.Typ)
	return "(" + a[0] + " >> CAST(" + a[1] + " & (" + w + " - 1) AS " + l.duckType(c.Typ) + "))"
}

func shiftUnsigned(l *lowerer, c *plan.Call, a []string) string {
	full := "4294967296::HUGEINT"
	if c.Typ == types.BigInt {
		full = "18446744073709551616::HUGEINT"
	}
	x := "CAST(" + a[0] + " AS HUGEINT)"
	return l.let(x, func(v string) string {
		return wrapped("(CASE WHEN "+v+" < 0 THEN "+v+" + "+full+" ELSE "+v+" END) >> CAST("+a[1]+" & ("+bitWidth(c.Typ)+" - 1) AS HUGEINT)", c.Typ, l.duckType(c.Typ))
	})
}

// ceiling is ceil and floor, with or without a scale.
func ceiling(f string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		dt := l.duckType(c.Typ)
		d, dec := isDecimal(c.Args[0].Type())
		if len(a) == 2 {
			if n, _ := constInt(c.Args[1]); int(n) >= d.Scale {
				return cast(a[0], dt)
			}
			return l.roundDecimal(c, a, f)
		}
		switch {
		case dec:
			return cast(f+"("+a[0]+")", dt)
		case types.IsIntegral(c.Args[0].Type()):
			return cast(a[0], dt)
		}
		return l.let(a[0], func(x string) string {
			return "CASE WHEN isnan(" + x + ") THEN 0::BIGINT WHEN " + x + " >= 9223372036854775807 THEN 9223372036854775807::BIGINT WHEN " + x +
				" <= -9223372036854775808 THEN (-9223372036854775808)::BIGINT ELSE CAST(" + f + "(" + x + ") AS BIGINT) END"
		})
	}
}

// rounding is round (half up) and bround (half even).
func rounding(f string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		dt := l.duckType(c.Typ)
		n, ok := constInt(c.Args[1])
		if isNull(c.Args[1]) {
			return cast("NULL", dt)
		}
		if !ok { // a scale that raises
			return cast(a[1], dt)
		}
		t := c.Args[0].Type()
		_, dec := isDecimal(t)
		switch {
		case dec && (f == "bround" || n < 0):
			return l.roundDecimal(c, a, f)
		case dec:
			return cast(fmt.Sprintf("round(%s, %d)", a[0], n), dt)
		case types.IsIntegral(t) && n >= 0:
			return a[0]
		case types.IsIntegral(t):
			return l.roundInteger(c, a[0], f, int(-n))
		}
		return l.call(f+"_double", a, []string{l.duckType(t), "INTEGER"}, dt, nil)
	}
}

// roundDecimal rounds a DECIMAL to the places of the second argument.
func (l *lowerer) roundDecimal(c *plan.Call, a []string, how string) string {
	round := func(v string) string {
		return l.call("decimal_round", []string{v, a[1]}, []string{l.duckType(c.Args[0].Type()), "INTEGER"}, l.duckType(c.Typ), map[string]any{"How": how})
	}
	if !c.Raises {
		return round(a[0])
	}
	return l.let(a[0], func(v string) string {
		return "CASE WHEN " + v + " IS NOT NULL THEN coalesce(" + round(v) + ", " +
			raise("NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION", "22003", "The rounded number has more than 38 digits.") + ") END"
	})
}

// roundInteger rounds to 10^n.
func (l *lowerer) roundInteger(c *plan.Call, x, f string, n int) string {
	dt := l.duckType(c.Typ)
	if n > 19 {
		return "CASE WHEN " + x + " IS NOT NULL THEN " + cast("0", dt) + " END"
	}
	unit := "1" + zeros(n) + "::HUGEINT"
	h := cast(x, "HUGEINT")
	up := "((" + h + " + sign(" + h + ") * (" + unit + " // 2)) // " + unit + " * " + unit + ")"
	if f == "bround" {
		up = "(CASE WHEN abs(" + h + " % " + unit + ") * 2 = " + unit + " AND (" + h + " // " + unit + ") % 2 = 0 THEN " + h + " // " + unit + " * " + unit + " ELSE " + up + " END)"
	}
	if c.Raises {
		return cast(up, dt)
	}
	return wrapped(up, c.Typ, dt)
}

func zeros(n int) string { return fmt.Sprintf("%0*d", max(n, 1), 0)[:n] }

func widthBucket(l *lowerer, _ *plan.Call, a []string) string {
	v, lo, hi, n := cast(a[0], "DOUBLE"), cast(a[1], "DOUBLE"), cast(a[2], "DOUBLE"), a[3] // intervals are counts
	return "CASE WHEN " + v + " IS NULL OR " + lo + " IS NULL OR " + hi + " IS NULL OR " + n + " <= 0 OR " + n + " = 9223372036854775807 OR " + lo + " = " + hi + " OR NOT isfinite(" + lo + ") OR NOT isfinite(" + hi + ") OR isnan(" + v + ") THEN NULL" +
		" WHEN " + lo + " < " + hi + " THEN CASE WHEN " + v + " < " + lo + " THEN 0 WHEN " + v + " >= " + hi + " THEN " + n + " + 1 ELSE CAST(floor(" + n + " * (" + v + " - " + lo + ") / (" + hi + " - " + lo + ")) AS BIGINT) + 1 END" +
		" ELSE CASE WHEN " + v + " > " + lo + " THEN 0 WHEN " + v + " <= " + hi + " THEN " + n + " + 1 ELSE CAST(floor(" + n + " * (" + lo + " - " + v + ") / (" + lo + " - " + hi + ")) AS BIGINT) + 1 END END"
}
