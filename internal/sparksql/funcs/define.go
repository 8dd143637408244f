package funcs

import (
	"math/big"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// The wants that most functions use.
func wStr() want  { return exactly(types.String) }
func wInt() want  { return exactly(types.Int) }
func wBig() want  { return exactly(types.BigInt) }
func wDbl() want  { return exactly(types.Double) }
func wBool() want { return exactly(types.Boolean) }
func wDate() want { return exactly(types.Date) }
func wTs() want   { return exactly(types.Timestamp) }
func wBin() want  { return exactly(types.Binary) }

func wStrBin() want { return oneOf(types.String, types.Binary) }

func wAny() want {
	return want{name: `"ANY"`, to: func(x plan.Expr, _ Context) (types.Type, bool) { return unChar(x.Type()), true }}
}

func wArray() want {
	return kindOf(`"ARRAY"`, isArray, types.Array{Elem: types.Void, ContainsNull: true}, nil)
}

func wMap() want {
	return kindOf(`"MAP"`, isMap, types.Map{Key: types.Void, Value: types.Void, ValueContainsNull: true}, nil)
}

func wNumeric() want {
	return kindOf(`"NUMERIC"`, types.IsNumeric, types.Double, types.Double)
}

func wIntegral() want {
	return kindOf(`"INTEGRAL"`, types.IsIntegral, types.BigInt, nil)
}

// only takes t (and NULL), without a cast.
func only(t types.Type) want {
	return kindOf(quoteType(t), func(x types.Type) bool { return types.Collate(x, "") == t }, t, nil)
}

// wBoolStrict takes BOOLEAN (and NULL) only.
func wBoolStrict() want {
	return kindOf(`"BOOLEAN"`, func(t types.Type) bool { return t == types.Boolean }, types.Boolean, nil)
}

// fn is a scalar function with a fixed result type.
func fn(name string, ret types.Type, sql string, w ...want) *Def {
	return fnOf(name, func(*call) types.Type { return ret }, sql, w...)
}

// fnOf is a scalar function whose result type follows from its arguments.
func fnOf(name string, typ func(*call) types.Type, sql string, w ...want) *Def {
	return &Def{Name: name, Min: len(w), Max: len(w), SQL: sql, want: w, typ: typ}
}

// agg is an aggregate function.
func agg(name string, typ func(*call) types.Type, sql string, w ...want) *Def {
	d := fnOf(name, typ, sql, w...)
	d.Kind = Aggregate
	d.null = func(*call) bool { return true }
	return d
}

// typeIs is a constant result type.
func typeIs(t types.Type) func(*call) types.Type { return func(*call) types.Type { return t } }

// argType is the type of argument i.
func argType(i int) func(*call) types.Type {
	return func(c *call) types.Type { return c.args[i].Type() }
}

func (d *Def) optional(n int) *Def { d.Min -= n; return d }
func (d *Def) atLeast(n int) *Def  { d.Min = n; return d }
func (d *Def) many() *Def          { d.Max = -1; return d }
func (d *Def) raising() *Def       { d.Raises = true; return d }
func (d *Def) volatile() *Def      { d.Volatile = true; return d }
func (d *Def) operator() *Def      { d.Operator = true; return d }

// always raises, whatever the ANSI mode.
func (d *Def) always() *Def { return d.raisingWhere(func(*call) bool { return true }) }

// raisingWhere: the call may raise where f says so, whatever the ANSI mode.
func (d *Def) raisingWhere(f func(*call) bool) *Def { d.raises = f; return d }

// nullable: the result may be NULL for any input.
func (d *Def) nullable() *Def { d.null = func(*call) bool { return true }; return d }

// neverNull: the result is never NULL.
func (d *Def) neverNull() *Def { d.null = func(*call) bool { return false }; return d }

func (d *Def) checked(f func(c *call) error) *Def { d.check = f; return d }
func (d *Def) fitting(f func(c *call) error) *Def { d.fit = f; return d }
func (d *Def) shown(f func(e plan.Expr, a []string) string) *Def {
	d.show = f
	return d
}

// upper prints the name in capitals.
func (d *Def) upper() *Def { return d.called(strings.ToUpper(d.Name)) }

// called prints the call under another name.
func (d *Def) called(name string) *Def {
	return d.shown(func(_ plan.Expr, a []string) string { return name + "(" + strings.Join(a, ", ") + ")" })
}

// infix prints (a op b).
func (d *Def) infix(sign string) *Def {
	return d.shown(func(_ plan.Expr, a []string) string { return "(" + strings.Join(a, " "+sign+" ") + ")" })
}

// defaults fills missing trailing arguments in before anything else.
func (d *Def) defaults(vs ...plan.Expr) *Def {
	n := len(d.want)
	d.fill = vs
	inner := d.fit
	d.fit = func(c *call) error {
		for len(c.args) < n {
			c.args = append(c.args, vs[len(vs)-(n-len(c.args))])
		}
		if inner != nil {
			return inner(c)
		}
		for i := range c.args {
			if err := c.fitOne(i, d.want[min(i, n-1)]); err != nil {
				return err
			}
		}
		return nil
	}
	return d
}

// named lets a call name its arguments.
func (d *Def) named(params ...string) *Def {
	d.params = params
	return d
}

func litInt(n int64) plan.Expr  { return &plan.Literal{Value: n, Typ: types.Int} }
func litStr(s string) plan.Expr { return &plan.Literal{Value: s, Typ: types.String} }
func zeroBig() *big.Int         { return new(big.Int) }

func litNull() plan.Expr       { return &plan.Literal{Typ: types.Void} }
func litBool(b bool) plan.Expr { return &plan.Literal{Value: b, Typ: types.Boolean} }
func isConst(e plan.Expr) bool { _, ok := Eval(e); return ok }

// constant demands that argument i is a constant.
func constant(i int, what string) func(c *call) error {
	return func(c *call) error {
		if i < len(c.args) && !IsFoldable(c.args[i]) {
			return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: the %s must be a constant, but %q is none.",
				c.text(), what, SQLName(c.args[i]))
		}
		return nil
	}
}

// buildRegistry gathers all families.
func buildRegistry() map[string]*Def {
	out := map[string]*Def{}
	for _, family := range [][]*Def{
		arithmeticDefs(), comparisonDefs(), logicDefs(), mathDefs(), stringDefs(), regexDefs(), timeDefs(), zoneDefs(),
		arrayDefs(), mapDefs(), lambdaDefs(), jsonDefs(), csvDefs(), xmlDefs(), variantDefs(), numberFormatDefs(), clockDefs(), spatialDefs(), miscDefs(), textDefs(), randomDefs(), aggregateDefs(), withinDefs(), statisticDefs(), windowDefs(), generatorDefs(),
		furtherDefs(), sketchDefs(),
	} {
		for _, d := range family {
			out[d.Name] = d
		}
	}
	for alias, name := range aliases() {
		d := *out[name]
		d.Name, d.Base = alias, d.Name
		if show := ownText(alias); show != nil {
			d.show = show
		}
		out[alias] = &d
	}
	for name, same := range hiddenAliases() {
		out[name] = out[same]
	}
	return out
}
