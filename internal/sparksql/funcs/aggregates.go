package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func aggregateDefs() []*Def {
	big, dbl, boolean := types.BigInt, types.Double, types.Boolean
	wSummable := kindOf(`("NUMERIC" or "INTERVAL")`, func(t types.Type) bool { return types.IsNumeric(t) || isInterval(t) }, dbl, dbl)
	summed := func(c *call) error {
		if c.args[0].Type() == types.Timestamp { // its seconds
			c.args[0] = CastTo(c.args[0], dbl, c.ctx)
		}
		return c.fitOne(0, wSummable)
	}
	bits := func(name string) *Def {
		return agg(name, argType(0), "", kindOf(`"INTEGRAL"`, types.IsIntegral, types.Int, nil))
	}
	ordered := func(i int) func(c *call) error {
		return func(c *call) error {
			if t := c.args[i].Type(); !Orderable(t) {
				return mismatch(c.ctx, "INVALID_ORDERING_TYPE", "Cannot resolve %q: %s has no order.", c.text(), quoteType(t))
			}
			return nil
		}
	}
	return []*Def{
		(&Def{Name: "count", Kind: Aggregate, Min: 1, Max: -1, typ: typeIs(big)}).neverNull(),
		agg("count_if", typeIs(big), "", wBool()).neverNull(),
		agg("sum", sumType, "", wSummable).fitting(summed).withRaises(sumRaises), agg("try_sum", sumType, "", wSummable).fitting(summed),
		agg("avg", avgType, "", wSummable).fitting(summed).withRaises(sumRaises), agg("try_avg", avgType, "", wSummable).fitting(summed),
		agg("min", argType(0), "", wAny()).checked(ordered(0)), agg("max", argType(0), "", wAny()).checked(ordered(0)),
		firstDef("first"), firstDef("last"), firstDef("any_value"), valueDef("first_value", "first"), valueDef("last_value", "last"),
		agg("max_by", byType, "", wAny(), wAny(), wInt()).optional(1).checked(byKeys(ordered(1))), agg("min_by", byType, "", wAny(), wAny(), wInt()).optional(1).checked(byKeys(ordered(1))),
		agg("collect_list", listType, "", wAny()).neverNull(), agg("collect_set", listType, "", wAny()).neverNull().checked(noMap),
		agg("bool_and", typeIs(boolean), "", wBool()), agg("bool_or", typeIs(boolean), "", wBool()),
		bits("bit_and"), bits("bit_or"), bits("bit_xor"),
		agg("approx_count_distinct", typeIs(big), "", wAny(), wDbl()).optional(1).neverNull().sketched("approx_count_distinct", 1, distinctBits).fitting(fitDistinct).
			shown(func(_ plan.Expr, a []string) string { return "approx_count_distinct(" + a[0] + ")" }),
		agg("grouping", typeIs(types.TinyInt), "", wAny()).neverNull(), (&Def{Name: "grouping_id", Kind: Aggregate, Min: 0, Max: -1, typ: typeIs(big)}).neverNull(),
	}
}

// noMap refuses what collect_set cannot tell apart.
func noMap(c *call) error {
	if t := c.args[0].Type(); hasMap(t) {
		return mismatch(c.ctx, "UNSUPPORTED_INPUT_TYPE", "Cannot resolve %q: it does not take %s.", c.text(), quoteType(t))
	}
	return nil
}

// byType is max_by's: with a number of rows to give, an array.
func byType(c *call) types.Type {
	if len(c.args) == 3 {
		return types.Array{Elem: c.args[0].Type(), ContainsNull: true}
	}
	return c.args[0].Type()
}

// byKeys checks the number of rows that max_by gives.
func byKeys(check func(c *call) error) func(c *call) error {
	return func(c *call) error {
		if len(c.args) == 3 {
			if err := badConstant(c, 2, types.Int); err != nil {
				return err
			}
			n, ok := constInt(c.args[2])
			switch {
			case !ok:
				return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: the number of rows must be a constant.", c.text())
			case n < 1 || n > 100000:
				return mismatch(c.ctx, "VALUE_OUT_OF_RANGE", "Cannot resolve %q: the number of rows must be 1 to 100000, not %d.", c.text(), n)
			}
		}
		return check(c)
	}
}

func sumRaises(c *call) bool {
	return c.ctx.ANSI && !types.IsFloating(c.args[0].Type())
}

func sumType(c *call) types.Type {
	switch t := c.args[0].Type().(type) {
	case types.Decimal:
		return boundDecimal(t.Precision+10, t.Scale)
	case types.YearMonth, types.DayTime:
		return t
	}
	if types.IsIntegral(c.args[0].Type()) {
		return types.BigInt
	}
	return types.Double
}

func avgType(c *call) types.Type {
	switch t := c.args[0].Type().(type) {
	case types.Decimal:
		return boundDecimal(t.Precision+4, t.Scale+4)
	case types.YearMonth:
		return types.YearMonth{From: types.Year, To: types.Month}
	case types.DayTime:
		return types.DayTime{From: types.Day, To: types.Second}
	}
	return types.Double
}

func listType(c *call) types.Type { return types.Array{Elem: c.args[0].Type()} }

// firstDef takes ignoreNulls as a second argument, too.
func firstDef(name string) *Def {
	d := agg(name, argType(0), "", wAny(), wBool()).optional(1)
	d.fit = func(c *call) error {
		if len(c.args) == 1 {
			return nil
		}
		l, ok := Eval(c.args[1])
		b, isBool := false, false
		if ok {
			b, isBool = l.Value.(bool)
		}
		if !isBool {
			return errf(c.ctx, "_LEGACY_ERROR_TEMP_1210", "", "The second argument of %s must be a constant BOOLEAN.", c.d.Name)
		}
		c.ctx.IgnoreNulls = c.ctx.IgnoreNulls || b
		c.konst = byArgument{}
		c.args = c.args[:1]
		return nil
	}
	return d
}

// byArgument is the Const of first and last that got ignoreNulls as an argument.
type byArgument struct{}

// valueDef is first_value or last_value; with the words IGNORE NULLS Spark
// prints them as first or last.
func valueDef(name, base string) *Def {
	d := firstDef(name)
	d.Base = base
	return d.shown(func(e plan.Expr, a []string) string {
		if g, ok := e.(*plan.AggCall); ok && g.IgnoreNulls && g.Const == nil {
			return base + "(" + strings.Join(a, ", ") + ")"
		}
		return name + "(" + strings.Join(a, ", ") + ")"
	})
}

func statisticDefs() []*Def {
	one := func(name string) *Def { return agg(name, typeIs(types.Double), "", wDbl()) }
	two := func(name string) *Def { return agg(name, typeIs(types.Double), "", wDbl(), wDbl()) }
	average := func(name string, of int) *Def {
		return agg(name, func(c *call) types.Type {
			d := *c
			d.args = c.args[of : of+1]
			return avgType(&d)
		}, "", wNumeric(), wNumeric()).withRaises(sumRaises)
	}
	wSpread := kindOf(`("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH")`, func(t types.Type) bool { return types.IsNumeric(t) || isInterval(t) }, types.Double, types.Double)
	percentile := func(name string) *Def {
		w := wOrdinal()
		if name == "percentile" {
			w = wSpread
		}
		d := agg(name, percentileType(name), "", w, wAny(), wIntegral())
		d.Min = 2
		return d
	}
	return []*Def{
		one("stddev"), one("stddev_pop"), one("var_samp"), one("var_pop"), one("skewness"), one("kurtosis"),
		two("corr").withRaises(func(c *call) bool { return c.ctx.ANSI }), two("covar_pop"), two("covar_samp"), two("regr_slope"), two("regr_intercept"), two("regr_r2"),
		average("regr_avgx", 1), average("regr_avgy", 0), agg("regr_count", typeIs(types.BigInt), "", wDbl(), wDbl()).neverNull(), two("regr_sxx"), two("regr_syy"), two("regr_sxy"),
		agg("median", medianType, "", wAny()).fitting(fitMedian),
		percentile("percentile").fitting(fitPercentile(1)).always(), percentile("percentile_approx").fitting(fitPercentile(10000)),
	}
}

// fitMedian takes numbers and intervals.
func fitMedian(c *call) error {
	if isInterval(c.args[0].Type()) {
		return nil
	}
	return c.fitOne(0, wDbl())
}

func medianType(c *call) types.Type {
	switch c.args[0].Type().(type) {
	case types.YearMonth:
		return types.YearMonth{From: types.Year, To: types.Month}
	case types.DayTime:
		return types.DayTime{From: types.Day, To: types.Second}
	}
	return types.Double
}

// percentileType: the exact one is DOUBLE, the approximate one its input's; an
// array of percentages gives an array.
func percentileType(name string) func(c *call) types.Type {
	return func(c *call) types.Type {
		t := medianType(c)
		if strings.HasSuffix(name, "approx") {
			t = c.args[0].Type()
		}
		if isArray(c.args[1].Type()) {
			return types.Array{Elem: t}
		}
		return t
	}
}

// fitPercentile takes the value, the percentages, and the frequency of
// percentile (1 without one) or the accuracy of percentile_approx.
func fitPercentile(third int64) func(c *call) error {
	return func(c *call) error {
		if len(c.args) == 2 {
			c.args = append(c.args, litInt(third))
		}
		if err := c.fitOne(0, c.d.want[0]); err != nil {
			return err
		}
		t := types.Type(types.Double)
		if a, ok := c.args[1].Type().(types.Array); ok {
			if t = (types.Array{Elem: types.Double}); a.ContainsNull && a.Elem != types.Void {
				return unexpected(c, 1, `("DOUBLE" or "ARRAY<DOUBLE>")`)
			}
		}
		if !IsFoldable(c.args[1]) {
			return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: the percentage must be a constant.", c.text())
		}
		if err := badConstant(c, 1, t); err != nil {
			return err
		}
		if !isArray(t) && !types.IsString(c.args[1].Type()) && !StoreAssignable(c.args[1].Type(), t) {
			return unexpected(c, 1, `"DOUBLE"`)
		}
		c.args[1] = CastTo(c.args[1], t, c.ctx)
		if err := checkPercentages(c); err != nil {
			return err
		}
		if types.IsString(c.args[2].Type()) {
			return unexpected(c, 2, `"INTEGRAL"`)
		}
		if err := c.fitOne(2, c.d.want[2]); err != nil || c.d.Name == "percentile" {
			return err
		}
		v, err := constantAt(c, 2, "accuracy")
		if err != nil {
			return err
		}
		if n, _ := v.(int64); n <= 0 || n > 1<<31-1 {
			return mismatch(c.ctx, "VALUE_OUT_OF_RANGE", "Cannot resolve %q: the accuracy must be positive.", c.text())
		}
		return nil
	}
}

// Percentages are the constant percentages of percentile, one or several;
// false where one is no plain number.
func Percentages(e plan.Expr) ([]float64, bool) {
	for {
		x, ok := e.(*plan.Cast)
		if !ok || !isArray(x.To) {
			break
		}
		e = x.X
	}
	parts := []plan.Expr{e}
	if c, ok := e.(*plan.Call); ok && c.Fn == "array" {
		parts = c.Args
	}
	out := []float64{}
	for _, p := range parts {
		l, ok := Eval(&plan.Cast{X: p, To: types.Double})
		if !ok {
			return nil, false
		}
		f, ok := l.Value.(float64)
		if !ok {
			return nil, false
		}
		out = append(out, f)
	}
	return out, true
}

func checkPercentages(c *call) error {
	if l, ok := Eval(c.args[1]); ok && l.Value == nil {
		return mismatch(c.ctx, "UNEXPECTED_NULL", "Cannot resolve %q: the percentage must not be NULL.", c.text())
	}
	ps, _ := Percentages(c.args[1])
	for _, p := range ps {
		if !(p >= 0 && p <= 1) {
			return mismatch(c.ctx, "VALUE_OUT_OF_RANGE", "Cannot resolve %q: the percentage must lie between 0 and 1.", c.text())
		}
	}
	return nil
}

func windowDefs() []*Def {
	win := func(name string, t types.Type) *Def {
		d := fn(name, t, "")
		d.Kind = Window
		return d.neverNull()
	}
	ranking := func(name string, t types.Type) *Def { // arguments count for nothing
		return win(name, t).many().shown(upperCall(strings.ToUpper(name)))
	}
	shifted := func(name string) *Def {
		d := &Def{Name: name, Kind: Window, Max: 4, typ: argType(0), fit: fitLag}
		return d.withNull(func(c *call) bool { return true })
	}
	nth := &Def{Name: "nth_value", Kind: Window, Min: 2, Max: 2, want: []want{wAny(), wInt()}, typ: argType(0)}
	return []*Def{
		win("row_number", types.Int), ranking("rank", types.Int), ranking("dense_rank", types.Int), ranking("percent_rank", types.Double), win("cume_dist", types.Double),
		(&Def{Name: "ntile", Kind: Window, Max: 1, want: []want{only(types.Int)}, typ: typeIs(types.Int)}).neverNull().defaults(litInt(1)).checked(positive(0, "number of buckets")),
		shifted("lag"), shifted("lead"), nth.nullable().checked(positive(1, "offset")).withIgnoreNulls(),
	}
}

// positive wants a constant greater than 0 at argument i.
func positive(i int, what string) func(c *call) error {
	return func(c *call) error {
		if err := constant(i, what)(c); err != nil {
			return err
		}
		if l, ok := Eval(c.args[i]); c.args[i].Type() == types.Void || ok && l.Value == nil && c.d.Name == "ntile" {
			return mismatch(c.ctx, "UNEXPECTED_INPUT_TYPE", "Cannot resolve %q: the %s must be an INT, not VOID.", c.text(), what)
		}
		if x, ok := c.args[i].(*plan.Cast); ok && types.IsString(x.X.Type()) {
			if _, ok := Eval(x); !ok {
				return errf(c.ctx, "CAST_INVALID_INPUT", "22018", "The %s %s is no INT.", what, SQLName(x.X))
			}
		}
		if n, ok := constInt(c.args[i]); !ok || n < 1 {
			return mismatch(c.ctx, "VALUE_OUT_OF_RANGE", "Cannot resolve %q: the %s must be greater than 0, not %s.", c.text(), what, SQLName(c.args[i]))
		}
		return nil
	}
}

// withIgnoreNulls and the fit of lag keep IGNORE NULLS in the call's Const.
func (d *Def) withIgnoreNulls() *Def {
	check := d.check
	d.check = func(c *call) error {
		c.konst = IgnoreNulls(c.ctx.IgnoreNulls)
		return check(c)
	}
	return d
}

// IgnoreNulls is the Const of lag, lead and nth_value.
type IgnoreNulls bool

// badConstant is the error of a constant text at argument i that is no t,
// which Spark finds when it folds the cast.
func badConstant(c *call, i int, t types.Type) error {
	x := c.args[i]
	if k, ok := x.(*plan.Cast); ok && k.Implicit {
		x = k.X
	}
	l, ok := Eval(x)
	if !ok || l.Value == nil || !types.IsString(l.Typ) || !c.ctx.ANSI {
		return nil
	}
	if _, ok := Eval(&plan.Cast{X: l, To: t}); ok {
		return nil
	}
	return errf(c.ctx, "CAST_INVALID_INPUT", "22018", "The value %s of %s cannot be cast to %s.", SQLName(l), quoteName(c.d.Name), quoteType(t))
}

func fitLag(c *call) error {
	if len(c.args) == 4 {
		if l, ok := Eval(c.args[3]); !ok || l.Typ != types.Boolean {
			return errf(c.ctx, "INVALID_PARAMETER_VALUE.BOOLEAN", "22023", "The fourth argument of %s must be true or false, not %s.", quoteName(c.d.Name), SQLName(c.args[3]))
		} else if l.Value == true {
			c.ctx.IgnoreNulls = true
		}
		c.args = c.args[:3]
	}
	c.args = append(c.args, []plan.Expr{litNull(), litInt(1), litNull()}[len(c.args):]...)
	if l, ok := Eval(c.args[1]); ok && l.Value == nil {
		return errf(c.ctx, "_LEGACY_ERROR_TEMP_1035", "", "The offset of %s may not be NULL.", c.d.Name)
	}
	if t := c.args[1].Type(); IsFoldable(c.args[1]) && (isDecimalType(t) || types.IsFloating(t) || t == types.BigInt) {
		return errf(c.ctx, "_LEGACY_ERROR_TEMP_1035", "", "The offset of %s must be an INT, not %s.", c.d.Name, SQLName(c.args[1]))
	} else if IsFoldable(c.args[1]) && !types.IsNumeric(t) {
		if _, ok := Eval(CastTo(c.args[1], types.Int, c.ctx)); !ok {
			return errf(c.ctx, "FAILED_FUNCTION_CALL", "38000", "The offset of %s must be an INT, not %s.", c.d.Name, SQLName(c.args[1]))
		}
	}
	if err := c.fitOne(1, wInt()); err != nil {
		return err
	}
	if !IsFoldable(c.args[1]) {
		return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: the offset must be a constant.", c.text())
	}
	t := unChar(c.args[0].Type())
	if t == types.Void {
		t = unChar(c.args[2].Type())
		c.args[0] = CastTo(c.args[0], t, c.ctx)
	}
	if err := c.fitOne(2, exactly(t)); err != nil { // the default gives way
		return err
	}
	c.konst = IgnoreNulls(c.ctx.IgnoreNulls)
	return nil
}

func generatorDefs() []*Def {
	gen := func(name string, minArgs, maxArgs int, fit func(c *call) error, cols func(c *plan.Call) []types.Field) *Def {
		return &Def{Name: name, Kind: Generator, Min: minArgs, Max: maxArgs, fit: fit, cols: cols, typ: func(c *call) types.Type {
			return types.Array{Elem: types.Struct{Fields: cols(&plan.Call{Args: c.args})}}
		}}
	}
	return []*Def{
		gen("explode", 1, 1, fitExplode, explodeCols).named("collection"), gen("posexplode", 1, 1, fitExplode, func(c *plan.Call) []types.Field {
			return append([]types.Field{{Name: "pos", Type: types.Int}}, explodeCols(c)...)
		}).named("collection"),
		gen("inline", 1, 1, fitInline, inlineCols).named("input"), gen("stack", 2, -1, fitStack, stackCols),
		gen("json_tuple", 2, -1, fitTuple, func(c *plan.Call) []types.Field {
			var out []types.Field
			for i := range c.Args[1:] {
				out = append(out, types.Field{Name: "c" + itoa(i), Type: types.String, Nullable: true})
			}
			return out
		}),
	}
}

func fitExplode(c *call) error {
	if t := c.args[0].Type(); !isArray(t) && !isMap(t) {
		return unexpected(c, 0, `("ARRAY" or "MAP")`)
	}
	return nil
}

func explodeCols(c *plan.Call) []types.Field {
	if m, ok := c.Args[0].Type().(types.Map); ok {
		return []types.Field{{Name: "key", Type: m.Key}, {Name: "value", Type: m.Value, Nullable: m.ValueContainsNull}}
	}
	a, _ := c.Args[0].Type().(types.Array)
	return []types.Field{{Name: "col", Type: a.Elem, Nullable: a.ContainsNull}}
}

func fitInline(c *call) error {
	a, _ := c.args[0].Type().(types.Array)
	s, ok := a.Elem.(types.Struct)
	if !ok {
		return unexpected(c, 0, `"ARRAY<STRUCT>"`)
	}
	if len(s.Fields) == 0 {
		return errf(c.ctx, "UNSUPPORTED_FEATURE", "0A000", "%s of structs without fields has no columns.", quoteName(c.d.Name))
	}
	return nil
}

func inlineCols(c *plan.Call) []types.Field {
	a, _ := c.Args[0].Type().(types.Array)
	s, _ := a.Elem.(types.Struct)
	out := append([]types.Field{}, s.Fields...)
	for i := range out {
		out[i].Nullable = out[i].Nullable || a.ContainsNull
	}
	return out
}

// fitStack gives every column of the stack one type.
func fitStack(c *call) error {
	if t := c.args[0].Type(); !types.IsIntegral(t) {
		return unexpected(c, 0, `"INT"`)
	}
	n, ok := constInt(c.args[0])
	if !ok {
		return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "The number of rows of stack must be a constant.")
	}
	if n <= 0 {
		return mismatch(c.ctx, "VALUE_OUT_OF_RANGE", "The number of rows of stack must be positive, not %d.", n)
	}
	width := (len(c.args) - 2 + int(n)) / int(n)
	for col := range width {
		var ts []types.Type
		for i := 1 + col; i < len(c.args); i += width {
			ts = append(ts, c.args[i].Type())
		}
		t, ok := oneType(ts)
		if !ok {
			return mismatch(c.ctx, "STACK_COLUMN_DIFF_TYPES", "The values of column %d of stack have no common type: %s.", col, typeList(ts))
		}
		for i := 1 + col; i < len(c.args); i += width {
			c.args[i] = CastTo(c.args[i], t, c.ctx)
		}
	}
	return nil
}

// oneType is the type that all of ts have, NULLs left out.
func oneType(ts []types.Type) (types.Type, bool) {
	var out types.Type = types.Void
	for _, t := range ts {
		switch {
		case t == types.Void || types.Equal(t, out):
		case out == types.Void:
			out = t
		default:
			return nil, false
		}
	}
	return out, true
}

func stackCols(c *plan.Call) []types.Field {
	n, _ := constInt(c.Args[0])
	if n <= 0 {
		return nil
	}
	width := (len(c.Args) - 2 + int(n)) / int(n)
	out := make([]types.Field, width)
	for i := range out {
		out[i] = types.Field{Name: "col" + itoa(i), Type: c.Args[1+i].Type(), Nullable: true}
	}
	return out
}

func fitTuple(c *call) error {
	for _, a := range c.args {
		if !types.IsString(a.Type()) {
			return mismatch(c.ctx, "NON_STRING_TYPE", "Cannot resolve %q: all arguments of `json_tuple` must be strings.", c.text())
		}
	}
	return nil
}
