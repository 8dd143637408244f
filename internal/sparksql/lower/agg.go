package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// aggCall is an aggregate under way: lowered arguments and what follows the
// function (FILTER, OVER).
type aggCall struct {
	l    *lowerer
	c    *plan.AggCall
	a    []string
	cond string // FILTER's condition or ""
	over string // " OVER (...)" or ""
}

// aggregate lowers an aggregate call, as a window function where over is set.
func (l *lowerer) aggregate(c *plan.AggCall, over string) string {
	c = l.collatedAggregate(c)
	g := &aggCall{l: l, c: c, over: over}
	if c.Filter != nil {
		g.cond = l.condition(c.Filter)
	}
	for _, x := range c.Args {
		text := l.expr(x)
		if c.Filter != nil && over == "" && l.canRaise(x) { // a window function's arguments are computed for all rows
			text = "CASE WHEN " + g.cond + " THEN " + text + " END"
		}
		g.a = append(g.a, text)
	}
	name, _ := baseName(c.Fn)
	dt := l.duckType(c.Typ)
	if spec, ok := c.Const.(funcs.SketchSpec); ok {
		return g.sketch(spec, dt)
	}
	switch name {
	case "count":
		return g.count()
	case "sum", "try_sum":
		return g.sum(dt)
	case "avg", "try_avg":
		return g.avg(dt)
	case "first", "last", "any_value":
		return g.first(name)
	case "collect_list":
		return "coalesce(" + g.on("list", g.a[0], "("+g.a[0]+") IS NOT NULL") + ", []::" + dt + ")"
	case "collect_set":
		d := *g
		d.c = withDistinct(c)
		return l.hashOrder("coalesce("+d.on("list", g.a[0], "("+g.a[0]+") IS NOT NULL")+", []::"+dt+")", c.Args[0].Type())
	case "schema_of_variant_agg":
		return l.call("schema_of_variants", []string{"coalesce(" + g.on("list", g.a[0], "("+g.a[0]+") IS NOT NULL") + ", []::" + variantBlob + "[])"},
			[]string{variantBlob + "[]"}, dt, nil)
	case "percentile_cont", "percentile_disc":
		return g.within(name, dt)
	case "listagg", "string_agg":
		sep := "''"
		if len(g.a) > 1 && c.Args[1].Type() != types.Void {
			if k, ok := funcs.Eval(c.Args[1]); ok && k.Value != nil || !ok && funcs.IsFoldable(c.Args[1]) {
				sep = g.a[1]
			}
		}
		return g.listagg(sep, dt)
	case "percentile", "percentile_approx":
		return g.percentile(name, dt)
	case "grouping", "grouping_id":
		for i, x := range g.a {
			if k, ok := l.keys[x]; ok {
				g.a[i] = k
			}
		}
		return cast("grouping("+strings.Join(g.a, ", ")+")", dt)
	}
	return g.simple(name, dt)
}

// within is percentile_cont or percentile_disc over (x, p).
func (g *aggCall) within(name, dt string) string {
	spec, _ := g.c.Const.(funcs.WithinSpec)
	desc := len(spec.Desc) == 1 && spec.Desc[0]
	ps, ok := funcs.Percentages(g.c.Args[1])
	if !ok {
		return g.l.unsupported(g.c.Pos, "The percentage of %s must be a plain number.", name)
	}
	_, several := g.c.Typ.(types.Array)
	if len(ps) == 0 {
		return g.nothing(dt)
	}
	f := "quantile_cont"
	if name == "percentile_disc" {
		f = "quantile_disc"
	}
	texts := make([]string, len(ps))
	for i, p := range ps {
		switch {
		case desc && name == "percentile_cont":
			texts[i] = floatText(1-p, 64)
		case desc:
			texts[i] = "-" + floatText(p, 64) // DuckDB's way to count from the largest
		default:
			texts[i] = floatText(p, 64)
		}
	}
	places := texts[0]
	if several {
		places = "[" + strings.Join(texts, ", ") + "]"
	}
	x := g.a[0]
	if isInterval(g.c.Args[0].Type()) {
		x = cast(x, "DOUBLE")
	}
	return g.spread(g.fn(f, x+", "+places))
}

// nothing is an aggregate that is NULL.
func (g *aggCall) nothing(dt string) string { return g.fn("first", "CAST(NULL AS "+dt+")") }

// listagg joins the texts, in the order of WITHIN GROUP where it is given.
func (g *aggCall) listagg(sep, dt string) string {
	x := g.a[0]
	binary := g.c.Args[0].Type() == types.Binary
	if binary {
		x, sep = "hex("+x+")", "hex("+sep+")"
	}
	args := x + ", " + sep
	if spec, ok := g.c.Const.(funcs.WithinSpec); ok {
		var keys []string
		for i := range spec.Desc {
			if funcs.IsFoldable(g.c.Args[2+i]) {
				continue // DuckDB would take it for a column's place
			}
			dir, nulls := " ASC", " NULLS LAST"
			if spec.Desc[i] {
				dir = " DESC"
			}
			if spec.NullsFirst[i] {
				nulls = " NULLS FIRST"
			}
			keys = append(keys, g.a[2+i]+dir+nulls)
		}
		if len(keys) > 0 {
			order := " ORDER BY " + strings.Join(keys, ", ")
			if k, ok := g.c.Args[0].(*plan.Cast); ok && g.c.Distinct { // DuckDB orders distinct values by themselves
				v := &plan.LambdaVar{Name: g.l.fresh("v"), ID: plan.NewID(), Typ: k.X.Type(), Null: k.X.Nullable()}
				text := *k
				text.X, g.l.vars[v.ID] = v, v.Name
				return "array_to_string(list_transform(" + g.on("list", g.l.expr(k.X)+order, "("+g.l.expr(k.X)+") IS NOT NULL") +
					", lambda " + v.Name + ": " + g.l.expr(&text) + "), " + sep + ")"
			}
			args += order
		}
	}
	if binary {
		return "unhex(" + g.fn("string_agg", args) + ")"
	}
	return g.fn("string_agg", args)
}

func withDistinct(c *plan.AggCall) *plan.AggCall {
	d := *c
	d.Distinct = true
	return &d
}

// fn is name(args) with DISTINCT, FILTER and OVER.
func (g *aggCall) fn(name, args string) string { return g.on(name, args, "") }

// on adds a condition of the function's own to FILTER.
func (g *aggCall) on(name, args, own string) string {
	if g.c.Distinct {
		args = "DISTINCT " + args
	}
	cond := g.cond
	switch {
	case cond == "":
		cond = own
	case own != "":
		cond = "CASE WHEN " + cond + " THEN " + own + " ELSE false END"
	}
	if cond != "" {
		cond = " FILTER (WHERE " + cond + ")"
	}
	over := g.over
	if strings.HasPrefix(name, kernelPrefix) {
		over = kernelOver(over)
	}
	return name + "(" + args + ")" + cond + over
}

// simple are the aggregates that DuckDB has, by another name or type at most.
func (g *aggCall) simple(name, dt string) string {
	a := strings.Join(g.a, ", ")
	if (name == "min" || name == "max") && nested(g.c.Typ) {
		d := *g
		d.a = []string{g.a[0], g.l.orderKey(g.a[0], g.c.Typ)}
		return d.byKey(name + "_by")
	}
	switch name {
	case "mode":
		return g.mode(a, dt)
	case "count_if":
		return "coalesce(" + cast(g.fn("count_if", a), "BIGINT") + ", 0)"
	case "min", "max", "bool_and", "bool_or", "bit_and", "bit_or", "bit_xor":
		return cast(g.fn(name, a), dt)
	case "corr", "covar_pop", "covar_samp", "kurtosis", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy", "skewness":
		return g.moments(name)
	case "regr_avgx":
		return g.regrAvg(1, dt)
	case "regr_avgy":
		return g.regrAvg(0, dt)
	case "regr_count":
		return cast(g.fn(name, a), dt)
	case "max_by", "min_by":
		if t := g.c.Args[1].Type(); nested(t) {
			g.a[1] = g.l.orderKey(g.a[1], t)
		}
		if len(g.a) == 2 {
			g.a[1] = g.lastWins(name == "min_by")
		}
		return g.byKey(name)
	case "stddev", "stddev_pop", "var_samp", "var_pop":
		if g.over != "" {
			return g.moments(name)
		}
		return g.finite(func(g *aggCall) string { return g.fn(duckStatistic(name), g.a[0]) })
	case "median":
		if isInterval(g.c.Typ) {
			return cast("trunc("+g.fn("median", a)+")", dt)
		}
		return g.fn("median", a)
	}
	return g.l.unsupported(g.c.Pos, "The aggregate function `%s` cannot be executed.", g.c.Fn)
}

// duckStatistic is DuckDB's name of stddev, stddev_pop, var_samp and var_pop.
func duckStatistic(name string) string {
	if name == "stddev" {
		return "stddev_samp"
	}
	return name
}

// finite is a statistic of the second order or higher, which is NaN (NULL for
// one row of a sample's) where a value's square leaves the range of DOUBLE.
// DuckDB raises there.
func (g *aggCall) finite(val func(g *aggCall) string) string {
	sum := "abs(" + strings.Join(g.a, ") + abs(") + ")"
	inside := sum + " < 1e154"
	d := *g
	d.a = append([]string{"CASE WHEN " + inside + " THEN " + g.a[0] + " END"}, g.a[1:]...)
	odd := "'NaN'::DOUBLE"
	if n, _ := baseName(g.c.Fn); n == "stddev" || n == "var_samp" {
		odd = "CASE WHEN " + g.fn("count", sum) + " > 1 THEN " + odd + " END"
	}
	return "CASE WHEN " + g.fn("bool_or", "NOT "+inside) + " THEN " + odd + " ELSE " + val(&d) + " END"
}

// byKey is max_by and min_by, whose value may be NULL while keys may not.
func (g *aggCall) byKey(name string) string {
	if len(g.a) == 3 {
		e := g.l.fresh("e")
		return "list_transform(" + g.on(name, "{'v': "+g.a[0]+"}, "+g.a[1]+", "+cast(g.a[2], "BIGINT"), "("+g.a[1]+") IS NOT NULL") + ", lambda " + e + ": " + e + ".v)"
	}
	return "struct_extract(" + g.on(name, "{'v': "+g.a[0]+"}, "+g.a[1], "("+g.a[1]+") IS NOT NULL") + ", 'v')"
}

// lastWins is the key of max_by or min_by with the row's place in it: of rows
// with equal keys Spark takes the last, DuckDB the first.
func (g *aggCall) lastWins(smallest bool) string {
	place := g.l.call("arrival", []string{"0::BIGINT"}, []string{"BIGINT"}, "BIGINT", nil)
	if smallest {
		place = "-" + place
	}
	k, sql := g.a[1], ""
	switch t := g.c.Args[1].Type(); {
	case types.IsIntegral(t):
		sql = k
	case t == types.Date:
		sql = "(" + k + " - DATE '1970-01-01')"
	case t == types.Timestamp, t == types.TimestampNTZ:
		sql = "epoch_us(" + k + ")"
	default:
		return "CASE WHEN (" + k + ") IS NOT NULL THEN {'k': " + k + ", 'p': " + place + "} END"
	}
	return "(CAST(" + sql + " AS HUGEINT) * 4611686018427387904 + " + place + ")"
}

// moments is a statistic by the kernel that adds value by value as Spark does.
func (g *aggCall) moments(name string) string {
	ts := []string{"DOUBLE", "DOUBLE"}[:len(g.a)]
	return g.fn(g.l.kernel("moments", ts, "DOUBLE", map[string]any{"function": name, "raises": g.c.Raises}), strings.Join(g.a, ", "))
}

// regrAvg is the average of one side of the pairs that have both.
func (g *aggCall) regrAvg(side int, dt string) string {
	d, c := *g, *g.c
	c.Args = g.c.Args[side : side+1]
	d.c = &c
	d.a = []string{"CASE WHEN " + g.a[0] + " IS NOT NULL THEN CASE WHEN " + g.a[1] + " IS NOT NULL THEN " + g.a[side] + " END END"}
	return cast(d.avg(dt), dt)
}

// count counts rows where no argument is NULL.
func (g *aggCall) count() string {
	if len(g.a) == 1 {
		if k, ok := g.c.Args[0].(*plan.Literal); ok && k.Value != nil && !g.c.Distinct {
			return g.fn("count", "*")
		}
		return g.fn("count", g.a[0])
	}
	var conds []string
	for i, x := range g.c.Args {
		if x.Nullable() {
			conds = append(conds, "("+g.a[i]+") IS NOT NULL")
		}
	}
	row := "row(" + strings.Join(g.a, ", ") + ")"
	return g.on("count", row, strings.Join(conds, " AND "))
}

func (g *aggCall) sum(dt string) string {
	t := g.c.Args[0].Type()
	x := g.a[0]
	if t == types.Float {
		x = cast(x, "DOUBLE")
	}
	text := g.fn("sum", x)
	if types.IsFloating(g.c.Typ) {
		return text
	}
	if d, ok := isDecimal(t); ok && d.Precision+10 > types.MaxPrecision {
		return g.wideSum(text, dt)
	}
	switch {
	case isInterval(g.c.Typ) && g.c.Fn == "sum":
		v := g.l.fresh("v")
		return "list_extract(list_transform([" + text + "], lambda " + v + ": CASE WHEN " + v + " IS NOT NULL THEN coalesce(TRY_CAST(" + v + " AS " + dt + "), " +
			raise("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "22015", "Overflow in sum of intervals.") + ") END), 1)"
	case g.c.Typ == types.BigInt && !g.c.Raises && g.c.Fn == "sum": // it goes round
		v := g.l.fresh("v")
		return "list_extract(list_transform([" + text + "], lambda " + v + ": CAST(CASE WHEN " + v + " BETWEEN -9223372036854775808 AND 9223372036854775807 THEN " + v +
			" ELSE ((" + v + " % 18446744073709551616 + 27670116110564327424) % 18446744073709551616) - 9223372036854775808 END AS BIGINT)), 1)"
	case !g.c.Raises:
		return "TRY_CAST(" + text + " AS " + dt + ")"
	}
	return cast(text, dt)
}

// wideSum checks a sum's digits: DuckDB lets DECIMAL(38) grow past them.
func (g *aggCall) wideSum(text, dt string) string {
	over := "NULL"
	if g.c.Raises {
		over = raise("ARITHMETIC_OVERFLOW", "22003", "Overflow in sum of decimals.")
		if g.over != "" || g.c.Distinct && len(g.l.keys) == 0 { // which Spark adds up as a column of the type of the sum
			over = raise("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", "Overflow in sum of decimals.")
		}
	}
	v := g.l.fresh("v")
	return "list_extract(list_transform([" + text + "], lambda " + v + ": CASE WHEN length(translate(ltrim(CAST(" + v + " AS VARCHAR), '-0'), '.', '')) > 38 THEN " + over +
		" ELSE CAST(" + v + " AS " + dt + ") END), 1)"
}

func (g *aggCall) avg(dt string) string {
	x := g.a[0]
	switch t := g.c.Args[0].Type().(type) {
	case types.Decimal:
		sum := types.Decimal{Precision: min(types.MaxPrecision, t.Precision+10), Scale: t.Scale}
		st := g.l.duckType(sum)
		total := g.fn("sum", x)
		if t.Precision+10 > types.MaxPrecision {
			total = g.wideSum(total, st)
		}
		count := cast(g.fn("count", x), "DECIMAL(20,0)")
		val := g.l.call("decimal_div", []string{cast(total, st), "nullif(" + count + ", 0)"}, []string{st, "DECIMAL(20,0)"}, dt, nil)
		if d, ok := isDecimal(g.c.Typ); g.c.Raises && ok && t.Precision+10 > types.MaxPrecision {
			return "CASE WHEN " + count + " > 0 THEN coalesce(" + val + ", " + decimalResult(d) + ") END"
		}
		return val
	case types.YearMonth, types.DayTime:
		return halfUp("("+g.fn("sum", x)+" / "+g.fn("count", x)+"::DOUBLE)", dt)
	}
	return g.fn("avg", cast(x, g.avgInput()))
}

// avgInput keeps integers exact while they are summed.
func (g *aggCall) avgInput() string {
	if types.IsIntegral(g.c.Args[0].Type()) {
		return "BIGINT"
	}
	return "DOUBLE"
}

func (g *aggCall) first(name string) string {
	f := map[string]string{"first": "first", "last": "last", "any_value": "first"}[name]
	own := ""
	if g.c.IgnoreNulls {
		own = "(" + g.a[0] + ") IS NOT NULL"
	}
	if g.over == "" {
		return g.on(f, g.a[0], own)
	}
	f += "_value"
	args := g.a[0]
	if g.cond != "" { // the rows of FILTER are those with a struct
		if own != "" {
			own = " AND " + own
		}
		args = "CASE WHEN (" + g.cond + ")" + own + " THEN {'v': " + args + "} END IGNORE NULLS"
		return "struct_extract(" + f + "(" + args + ")" + g.over + ", 'v')"
	}
	if g.c.IgnoreNulls {
		args += " IGNORE NULLS"
	}
	return f + "(" + args + ")" + g.over
}
