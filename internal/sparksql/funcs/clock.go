package funcs

import (
	"cmp"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// clockDefs are the functions of the type TIME.
func clockDefs() []*Def {
	t6 := types.Time{Precision: 6}
	gated := func(d *Def) *Def {
		inner := d.fit
		return d.fitting(func(c *call) error {
			if err := timeOff(c.ctx, t6); err != nil {
				return err
			}
			if inner != nil {
				return inner(c)
			}
			for i := range c.args {
				if err := c.fitOne(i, c.d.want[min(i, len(c.d.want)-1)]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	anyTime := func(t types.Type) bool { _, ok := t.(types.Time); return ok }
	clock := kindOf(`"TIME"`, anyTime, t6, nil) // no text
	wTime := kindOf(`"TIME"`, anyTime, t6, t6)
	whole := kindOf(`"INTEGRAL"`, types.IsIntegral, types.BigInt, nil)
	micros := func(name string) *Def { return gated(fn(name, t6, "", whole).fitting(fitBigOnly)).always() }
	// a constant pattern that is NULL leaves a STRING
	parsed := func(c *call) types.Type {
		if len(c.args) == 2 {
			if v, ok := Eval(c.args[1]); ok && v.Value == nil {
				return types.String
			}
		}
		return t6
	}
	ntz := func(name string) *Def {
		return fn(name, types.TimestampNTZ, "(CAST($1 AS TIMESTAMP) + to_microseconds($2))", only(types.Date), clock).operator()
	}
	part := func(name, sql string) *Def { return fn(name, types.Int, sql, wTime).operator() }
	return []*Def{
		{Name: "current_time", Max: 1, typ: func(c *call) types.Type { return c.konst.(types.Time) }, null: func(*call) bool { return false }, fit: func(c *call) error {
			p := int64(6)
			if len(c.args) == 1 {
				p, _ = constInt(c.args[0])
			}
			c.konst = types.Time{Precision: int(max(0, min(p, 6)))}
			return nil
		}, show: func(_ plan.Expr, a []string) string {
			return "current_time(" + strings.Join(append(a, "6")[:1], ", ") + ")"
		}},
		gated(fn("make_time", t6, "", wInt(), wInt(), exactly(types.Decimal{Precision: 16, Scale: 6}))).always(),
		gated(fn("to_time", t6, "", wStr(), wStr()).optional(1)).typed(parsed).always(),
		gated(fn("try_to_time", t6, "", wStr(), wStr()).optional(1)).typed(parsed).nullable().shown(func(_ plan.Expr, a []string) string {
			return "try_to_time(to_time(" + strings.Join(a, ", ") + "))"
		}),
		gated(fn("time_trunc", t6, "", wStr(), wTime)).always(), gated(fn("time_diff", types.BigInt, "", wStr(), wTime, wTime)).always(),
		gated(fn("time_from_seconds", t6, "", kindOf(`"NUMERIC"`, types.IsNumeric, types.BigInt, nil))).always(), micros("time_from_millis"), micros("time_from_micros"),
		gated(fn("time_to_seconds", types.Decimal{Precision: 14, Scale: 6}, "CAST($1 * 0.000001 AS DECIMAL(14,6))", wTime)),
		gated(fn("time_to_millis", types.BigInt, "($1 // 1000)", wTime)), gated(fn("time_to_micros", types.BigInt, "$1", wTime)),
		part("hour of time", "CAST($1 // 3600000000 AS INTEGER)").called("hour"), part("minute of time", "CAST($1 // 60000000 % 60 AS INTEGER)").called("minute"),
		part("second of time", "CAST($1 // 1000000 % 60 AS INTEGER)").called("second"),
		fn("timestamp of time", types.Timestamp, "", only(types.Date), clock, only(types.String)).optional(1).operator().called("make_timestamp"),
		fn("try timestamp of time", types.Timestamp, "", only(types.Date), clock, only(types.String)).optional(1).operator().called("try_make_timestamp"),
		ntz("timestamp_ntz of time").called("make_timestamp_ntz"), ntz("try timestamp_ntz of time").shown(func(_ plan.Expr, a []string) string {
			return "try_make_timestamp_ntz(make_timestamp_ntz(" + strings.Join(a, ", ") + "))"
		}),
	}
}

// timeOr makes hour(TIME) and the like of another function's call.
func (d *Def) timeOr(name string, at int) *Def {
	plainBuild, least := d.build, d.Min
	switch name {
	case "timestamp of time", "try timestamp of time":
		d.Min = 1
	case "timestamp_ntz of time", "try timestamp_ntz of time":
		d.Min = 2
	}
	d.build = func(c *call) (plan.Expr, error) {
		if d.Max < 0 { // further arguments count for nothing
			c.args = c.args[:least]
		}
		if n := len(c.args); strings.Contains(name, "timestamp") && n < least {
			if n == 1 { // the date, which is refused where it is none
				return nil, cmp.Or(c.fitOne(0, only(types.Date)), arity(d, n, c.ctx))
			}
			if n > 3 {
				return nil, arity(d, n, c.ctx)
			}
			return Resolve(name, c.args, c.ctx)
		}
		if at < len(c.args) {
			if _, ok := c.args[at].Type().(types.Time); ok {
				if !strings.Contains(name, "timestamp") {
					if err := timeOff(c.ctx, c.args[at].Type()); err != nil {
						return nil, err
					}
				}
				return Resolve(name, c.args, c.ctx)
			}
		}
		if plainBuild != nil {
			return plainBuild(c)
		}
		if len(c.args) < least {
			return nil, arity(d, len(c.args), c.ctx)
		}
		if err := c.fitArgs(); err != nil {
			return nil, err
		}
		return c.finish(d.typ(c)), nil
	}
	return d
}
