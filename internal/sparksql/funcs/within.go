package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// WithinSpec is the Const of aggregates with WITHIN GROUP: the directions of
// the keys, which are the call's last arguments (percentile_cont, _disc and
// mode have one key, their first argument).
type WithinSpec struct {
	Desc       []bool
	NullsFirst []bool
}

// withinDefs are the aggregates that take WITHIN GROUP.
func withinDefs() []*Def {
	quantile := func(name string) *Def {
		d := agg(name, percentileType(name), "", wDbl(), wAny()).fitting(fitQuantile)
		d.within = true
		return d.shown(func(e plan.Expr, a []string) string {
			order := " WITHIN GROUP (ORDER BY " + a[0]
			if c, ok := e.(*plan.AggCall); ok {
				if spec, ok := c.Const.(WithinSpec); ok && len(spec.Desc) == 1 && spec.Desc[0] {
					order += " DESC"
				}
			}
			return name + "(" + a[1] + ")" + order + ")"
		})
	}
	listagg := func(name string) *Def {
		d := &Def{Name: name, Kind: Aggregate, Min: 1, Max: 2, within: true, fit: fitListagg, typ: argType(0), null: func(*call) bool { return true }}
		return d.shown(func(e plan.Expr, a []string) string {
			c, ok := e.(*plan.AggCall)
			spec, within := WithinSpec{}, false
			if ok {
				spec, within = c.Const.(WithinSpec)
			}
			if !within {
				return name + "(" + strings.Join(a, ", ") + ")"
			}
			keys := make([]string, len(spec.Desc))
			for i := range keys {
				keys[i] = a[2+i] + orderWords(plan.SortKey{Desc: spec.Desc[i], NullsFirst: spec.NullsFirst[i]})
			}
			return "listagg(" + strings.Join(a[:2], ", ") + ") WITHIN GROUP (ORDER BY " + strings.Join(keys, ", ") + ")"
		})
	}
	return []*Def{quantile("percentile_cont"), quantile("percentile_disc"), listagg("listagg"), listagg("string_agg"), modeDef()}
}

func withinSpec(keys []plan.SortKey) WithinSpec {
	var s WithinSpec
	for _, k := range keys {
		s.Desc, s.NullsFirst = append(s.Desc, k.Desc), append(s.NullsFirst, k.NullsFirst)
	}
	return s
}

// within are the aggregates whose argument stands in WITHIN GROUP.
var within = map[string]bool{"mode": true, "percentile_cont": true, "percentile_disc": true}

func distinctWithin(c *call) error {
	return errf(c.ctx, "INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED", "42K0K", "%s does not take DISTINCT.", quoteName(c.d.Name))
}

func withinMissing(d *Def, ctx Context) error {
	return errf(ctx, "INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING", "42K0K", "%s needs WITHIN GROUP (ORDER BY one expression).", quoteName(d.Name))
}

// fitQuantile takes percentile_cont(p) WITHIN GROUP (ORDER BY x) as (x, p).
func fitQuantile(c *call) error {
	if c.ctx.Distinct {
		return distinctWithin(c)
	}
	if len(c.ctx.Within) != 1 {
		return withinMissing(c.d, c.ctx)
	}
	if !isInterval(c.args[0].Type()) {
		if err := c.fitOne(0, wDbl()); err != nil {
			return err
		}
	}
	if !IsFoldable(c.args[1]) {
		return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: the percentage must be a constant.", c.text())
	}
	t := types.Type(types.Double)
	if isArray(c.args[1].Type()) {
		t = types.Array{Elem: types.Double}
	}
	if err := badConstant(c, 1, t); err != nil {
		return err
	}
	if err := c.fitOne(1, exactly(t)); err != nil {
		return err
	}
	if err := checkPercentages(c); err != nil {
		return err
	}
	c.konst = withinSpec(c.ctx.Within)
	return nil
}

// fitListagg adds the keys behind the separator.
func fitListagg(c *call) error {
	if err := c.fitOne(0, wStrBin()); err != nil {
		return err
	}
	if len(c.args) == 1 {
		c.args = append(c.args, litNull())
	}
	if !IsFoldable(c.args[1]) {
		return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "The delimiter of %s must be a constant.", quoteName(c.d.Name))
	}
	if x, sep := c.args[0].Type(), c.args[1].Type(); (x == types.Binary) != (sep == types.Binary) && sep != types.Void {
		return mismatch(c.ctx, "DATA_DIFF_TYPES", "Cannot resolve %q: the delimiter of %s cannot be %s.", c.text(), quoteType(x), quoteType(sep))
	}
	if c.args[1].Type() != types.Void {
		if err := c.fitOne(1, exactly(c.args[0].Type())); err != nil {
			return err
		}
	}
	if len(c.ctx.Within) == 0 {
		return nil
	}
	if c.ctx.Distinct && (len(c.ctx.Within) > 1 || SQLName(c.ctx.Within[0].X) != SQLName(c.args[0])) {
		return errf(c.ctx, "INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT", "42K0K", "With DISTINCT, listagg can be ordered by its argument only.")
	}
	if c.ctx.Distinct && types.IsFloating(c.ctx.Within[0].X.Type()) {
		return errf(c.ctx, "INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT_UNSAFE_CAST", "42K0K", "With DISTINCT, listagg cannot be ordered by %s, of whose values several have one text; cast it to a STRING.", quoteType(c.ctx.Within[0].X.Type()))
	}
	for _, k := range c.ctx.Within {
		c.args = append(c.args, k.X)
	}
	c.konst = withinSpec(c.ctx.Within)
	return nil
}

func modeDef() *Def {
	d := agg("mode", argType(0), "", wAny(), wBool()).optional(1).fitting(func(c *call) error {
		if c.ctx.Distinct {
			return distinctWithin(c)
		}
		if len(c.ctx.Within) > 0 {
			c.args, c.konst = c.args[:1], withinSpec(c.ctx.Within)
			return nil
		}
		if len(c.args) == 2 {
			if b, ok := Eval(c.args[1]); ok && b.Value == true {
				c.konst = WithinSpec{Desc: []bool{false}}
			}
		}
		if len(c.args) == 2 {
			if !isConst(c.args[1]) {
				return errf(c.ctx, "NON_FOLDABLE_ARGUMENT", "42K08", "The second argument of %s must be a constant.", quoteName(c.d.Name))
			}
			if t := c.args[1].Type(); t != types.Boolean {
				return errf(c.ctx, "UNEXPECTED_INPUT_TYPE", "42K09", "The second argument of %s must be BOOLEAN, not %s.", quoteName(c.d.Name), quoteType(t))
			}
			c.args = c.args[:1]
		}
		return c.fitOne(0, c.d.want[0])
	})
	d.within = true
	return d.shown(func(e plan.Expr, a []string) string {
		c, ok := e.(*plan.AggCall)
		if ok {
			if spec, ok := c.Const.(WithinSpec); ok {
				if spec.Desc[0] {
					return "mode() WITHIN GROUP (ORDER BY " + a[0] + ")"
				}
				return "mode() WITHIN GROUP (ORDER BY " + a[0] + " DESC)"
			}
		}
		return "mode(" + strings.Join(a, ", ") + ")"
	})
}
