package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func furtherRules() map[string]rule {
	aesTypes := []string{"BLOB", "BLOB", "VARCHAR", "VARCHAR", "BLOB", "BLOB"}
	return map[string]rule{
		"aes_encrypt": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.fallible("aes_encrypt", a, aesTypes, "BLOB", nil)
		},
		"aes_decrypt": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.fallible("aes_decrypt", a, aesTypes[:5], "BLOB", nil)
		},
		"try_aes_decrypt": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.call("aes_decrypt", a, aesTypes[:5], "BLOB", nil)
		},
		"vector_norm": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.fallible("vector_norm", a, []string{"FLOAT[]", "FLOAT"}, "FLOAT", nil)
		},
		"vector_normalize": func(l *lowerer, _ *plan.Call, a []string) string {
			return l.fallible("vector_normalize", a, []string{"FLOAT[]", "FLOAT"}, "FLOAT[]", nil)
		},
		"sentences": func(l *lowerer, c *plan.Call, a []string) string {
			val := l.call("sentences", a[:1], []string{"VARCHAR"}, "VARCHAR[][]", nil)
			for i, x := range c.Args[1:] { // language and country do not matter, but what they raise does
				if l.canRaise(x) {
					val = "CASE WHEN length(" + a[i+1] + ") < 0 THEN NULL ELSE " + val + " END"
				}
			}
			return val
		},
		"current_path": func(_ *lowerer, c *plan.Call, _ []string) string {
			s, _ := c.Const.(string)
			return quote(s)
		},
		"monotonically_increasing_id": func(*lowerer, *plan.Call, []string) string { return "(row_number() OVER () - 1)" },
		"time_bucket":                 timeBucket,
		"java_method":                 reflected, "reflect": reflected, "try_reflect": reflected,
	}
}

// timeBucket counts buckets by the session's clock where they are days or
// months of instants.
func timeBucket(l *lowerer, c *plan.Call, a []string) string {
	spec, ok := c.Const.(funcs.TimeBucketSpec)
	if !ok {
		return l.fail(errPlan)
	}
	const day = 86_400_000_000
	t := c.Args[1].Type()
	dt := l.duckType(t)
	if spec == (funcs.TimeBucketSpec{}) {
		return cast("NULL", dt)
	}
	params := map[string]any{"months": spec.Months, "micros": spec.Micros, "zone": l.opt.TimeZone,
		"local": t == types.Timestamp && (spec.Months > 0 || spec.Micros%day == 0)}
	if spec.Origin != nil {
		origin, ok := constInt(spec.Origin)
		switch {
		case isNull(spec.Origin):
			return cast("NULL", dt)
		case !ok:
			return l.unsupported(c.Pos, "The origin of time_bucket must be a plain TIMESTAMP.")
		}
		params["origin"] = origin
	}
	return l.call("time_bucket", a[1:2], []string{dt}, dt, params)
}

// reflected runs a method of Java's own library.
func reflected(l *lowerer, c *plan.Call, a []string) string {
	m, ok := c.Const.(funcs.JavaMethod)
	if !ok {
		return l.fail(errPlan)
	}
	args := c.Args[2:]
	x, t, known := l.javaCall(m, args, a[2:])
	if !known {
		return l.fail(&sparksql.Error{Class: "DATATYPE_MISMATCH.UNEXPECTED_STATIC_METHOD", SQLState: "42K09", Phase: sparksql.PhaseAnalysis, Pos: c.Pos,
			Message: "There is no static method " + m.Method + " of " + m.Class + " for these arguments here."})
	}
	text := caster{l: l, mode: plan.CastTry, zone: l.opt.TimeZone}.cast(x, t, types.String)
	if c.Fn == "try_reflect" || m.Class == "java.lang.Math" || len(args) == 0 {
		return text
	}
	return "coalesce(" + text + ", " + raise("FAILED_FUNCTION_CALL", "38000", m.Class+"."+m.Method+" raised an exception.") + ")"
}

// javaCall is the text and type of a method's value, NULL where it throws.
func (l *lowerer) javaCall(m funcs.JavaMethod, args []plan.Expr, a []string) (text string, t types.Type, known bool) {
	k := caster{l: l, mode: plan.CastTry, zone: l.opt.TimeZone}
	var first types.Type = types.Void
	if len(args) > 0 {
		first = args[0].Type()
	}
	same := len(args) == 2 && types.Equal(first, args[1].Type())
	parsed := func(to types.Type) (string, types.Type, bool) {
		if types.IsString(first) && (to != types.Int && to != types.BigInt) {
			return k.cast(a[0], types.String, to), to, len(args) == 1
		}
		if types.IsString(first) {
			return "CASE WHEN regexp_full_match(" + a[0] + ", '[+-]?[0-9]+') THEN " + k.cast(a[0], types.String, to) + " END", to, len(args) == 1
		}
		return a[0], to, len(args) == 1 && types.Equal(first, to)
	}
	switch m.Class {
	case "java.lang.Integer":
		return parsed(types.Int)
	case "java.lang.Long":
		return parsed(types.BigInt)
	case "java.lang.Double":
		return parsed(types.Double)
	case "java.lang.Boolean":
		return "(lower(" + strings.Join(a, "") + ") = 'true')", types.Boolean, len(args) == 1 && types.IsString(first)
	case "java.lang.String":
		return strings.Join(a, ""), first, len(args) == 1 && first != types.Void
	case "java.net.URLDecoder", "java.net.URLEncoder":
		if len(args) == 0 || len(args) > 2 || !types.IsString(first) {
			return "", nil, false
		}
		return l.call("url_"+m.Method, a[:1], []string{"VARCHAR"}, "VARCHAR", nil), types.String, true
	case "java.util.UUID":
		if m.Method == "randomUUID" {
			return "CAST(uuid() AS VARCHAR)", types.String, len(args) == 0
		}
		return "CAST(TRY_CAST(" + strings.Join(a, "") + " AS UUID) AS VARCHAR)", types.String, len(args) == 1 && types.IsString(first)
	case "java.lang.Math":
		f := map[string]string{"max": "greatest", "min": "least"}[m.Method]
		number := first == types.Int || first == types.BigInt || types.IsFloating(first)
		switch {
		case f != "":
			return f + "(" + strings.Join(a, ", ") + ")", first, same && number
		case m.Method == "abs":
			return "abs(" + a[0] + ")", first, len(args) == 1 && number
		case m.Method == "pow":
			return "pow(" + strings.Join(a, ", ") + ")", types.Double, same && first == types.Double
		case m.Method == "log":
			f = "ln"
		case m.Method == "signum":
			return cast("sign("+a[0]+")", "DOUBLE"), types.Double, len(args) == 1 && first == types.Double
		default:
			f = m.Method
		}
		return f + "(" + strings.Join(a, "") + ")", types.Double, len(args) == 1 && first == types.Double
	}
	return "", nil, false
}
