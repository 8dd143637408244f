package funcs

import (
	"math/big"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func comparisonDefs() []*Def {
	var out []*Def
	for op, show := range map[string]string{"=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "<=>": "<=>"} {
		d := (&Def{Name: op, Min: 2, Max: 2, typ: typeIs(types.Boolean), fit: fitCompare}).operator().infix(show)
		switch op {
		case "<=>":
			d.neverNull().build = buildEquality
		case "=":
			d.build = buildEquality
		default:
			d.fit = fitOrder
		}
		out = append(out, d)
	}
	not := func(op string) func(c *call) (plan.Expr, error) {
		return func(c *call) (plan.Expr, error) {
			x, err := Resolve(op, c.args, c.ctx)
			if err != nil {
				return nil, err
			}
			return Resolve("not", []plan.Expr{x}, c.ctx)
		}
	}
	out = append(out,
		(&Def{Name: "<>", Min: 2, Max: 2, build: not("=")}).operator(),
		(&Def{Name: "equal_null", Min: 2, Max: 2, typ: typeIs(types.Boolean), fit: fitCompare}).neverNull(),
		(&Def{Name: "is distinct from", Min: 2, Max: 2, build: not("<=>")}).operator(),
		(&Def{Name: "is null", Min: 1, Max: 1, want: []want{wAny()}, typ: typeIs(types.Boolean), SQL: "($1 IS NULL)"}).operator().neverNull().
			shown(func(_ plan.Expr, a []string) string { return "(" + a[0] + " IS NULL)" }),
		(&Def{Name: "is not null", Min: 1, Max: 1, want: []want{wAny()}, typ: typeIs(types.Boolean), SQL: "($1 IS NOT NULL)"}).operator().neverNull().
			shown(func(_ plan.Expr, a []string) string { return "(" + a[0] + " IS NOT NULL)" }),
		(&Def{Name: "is true", Min: 1, Max: 1, want: []want{wBool()}, typ: typeIs(types.Boolean), SQL: "($1 IS NOT DISTINCT FROM true)"}).operator().neverNull().
			shown(func(_ plan.Expr, a []string) string { return "(" + a[0] + " = true)" }),
		(&Def{Name: "is false", Min: 1, Max: 1, want: []want{wBool()}, typ: typeIs(types.Boolean), SQL: "($1 IS NOT DISTINCT FROM false)"}).operator().neverNull().
			shown(func(_ plan.Expr, a []string) string { return "(" + a[0] + " = false)" }),
		(&Def{Name: "in", Min: 1, Max: -1, typ: typeIs(types.Boolean), fit: fitIn}).operator().
			shown(func(_ plan.Expr, a []string) string {
				return "(" + a[0] + " IN (" + strings.Join(a[1:], ", ") + "))"
			}),
		(&Def{Name: "between", Min: 3, Max: 3, build: buildBetween}).shown(showBetween),
	)
	return out
}

// buildEquality is = or <=>. Without ANSI, a BOOLEAN beside a number is cast to
// it; beside the constants 1 and 0 it stands for itself and its opposite.
func buildEquality(c *call) (plan.Expr, error) {
	a, b := unChar(c.args[0].Type()), unChar(c.args[1].Type())
	switch {
	case c.ctx.ANSI:
	case a == types.Boolean && types.IsNumeric(b):
		return c.booleanEquality(c.args[0], c.args[1])
	case b == types.Boolean && types.IsNumeric(a):
		return c.booleanEquality(c.args[1], c.args[0])
	}
	if err := c.fitArgs(); err != nil {
		return nil, err
	}
	return c.finish(types.Boolean), nil
}

func (c *call) booleanEquality(x, n plan.Expr) (plan.Expr, error) {
	if l, ok := n.(*plan.Literal); ok && l.Value != nil {
		truth, known := truthOf(l)
		var err error
		if known && !truth {
			if x, err = Resolve("not", []plan.Expr{x}, c.ctx); err != nil {
				return nil, err
			}
		}
		if known && c.d.Name == "=" {
			return x, nil
		}
		if known {
			set, err := Resolve("is not null", []plan.Expr{c.args[0]}, c.ctx)
			if c.args[0] == n {
				set, err = Resolve("is not null", []plan.Expr{c.args[1]}, c.ctx)
			}
			if err != nil {
				return nil, err
			}
			return Resolve("and", []plan.Expr{set, x}, c.ctx)
		}
	}
	for i := range c.args {
		c.args[i] = CastTo(c.args[i], unChar(n.Type()), c.ctx)
	}
	return c.finish(types.Boolean), nil
}

// truthOf tells whether a number is 1 or 0.
func truthOf(l *plan.Literal) (truth, known bool) {
	var f float64
	switch v := l.Value.(type) {
	case int64:
		f = float64(v)
	case float32:
		f = float64(v)
	case float64:
		f = v
	case *big.Int:
		d, _ := l.Typ.(types.Decimal)
		f, _ = new(big.Rat).SetFrac(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale)), nil)).Float64()
	}
	return f == 1, f == 1 || f == 0
}

// fitOrder is fitCompare for < <= > >=, where Spark puts a whole number in
// place of a decimal constant beside an integer.
func fitOrder(c *call) error {
	up := map[string][2]bool{"<": {false, true}, "<=": {true, false}, ">": {true, false}, ">=": {false, true}}[c.d.Name]
	for i := range c.args {
		if l, ok := c.args[i].(*plan.Literal); ok && isDecimal(l.Typ) && l.Value != nil && types.IsIntegral(c.args[1-i].Type()) {
			if n, ok := wholeLiteral(l, up[i]); ok {
				c.args[i] = n
			}
			break
		}
	}
	return fitCompare(c)
}

// wholeLiteral is a decimal constant rounded up or down to an integer.
func wholeLiteral(l *plan.Literal, up bool) (*plan.Literal, bool) {
	v, ok := l.Value.(*big.Int)
	d, _ := l.Typ.(types.Decimal)
	if !ok {
		return nil, false
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale)), nil)
	q, r := new(big.Int).DivMod(v, unit, new(big.Int)) // rounds down
	if up && r.Sign() != 0 {
		q.Add(q, big.NewInt(1))
	}
	t := types.BigInt
	if q.IsInt64() && inRange(q.Int64(), types.Int) {
		t = types.Int
	}
	return &plan.Literal{Value: q.Int64(), Typ: t}, q.IsInt64()
}

// fitCompare brings two operands of a comparison to one type.
func fitCompare(c *call) error {
	a, b := unChar(c.args[0].Type()), unChar(c.args[1].Type())
	t, ok := compareType(c, a, b)
	if !ok {
		return mismatch(c.ctx, "BINARY_OP_DIFF_TYPES", "Cannot resolve %q: the operands have incompatible types (%s and %s).",
			c.text(), quoteType(a), quoteType(b))
	}
	if !Orderable(t) {
		return mismatch(c.ctx, "INVALID_ORDERING_TYPE", "Cannot resolve %q: %s has no order.", c.text(), quoteType(t))
	}
	if !types.Equal(a, t) || !types.Equal(b, t) {
		if err := timeOff(c.ctx, t); err != nil {
			return err
		}
	}
	c.args[0], c.args[1] = CastTo(c.args[0], t, c.ctx), CastTo(c.args[1], t, c.ctx)
	return nil
}

func compareType(c *call, a, b types.Type) (types.Type, bool) {
	if da, ok := a.(types.Decimal); ok && types.IsIntegral(b) {
		return widerDecimal(da, operandDecimal(c.args[1])), true
	}
	if db, ok := b.(types.Decimal); ok && types.IsIntegral(a) {
		return widerDecimal(operandDecimal(c.args[0]), db), true
	}
	if !atomic(a) && !atomic(b) && a != types.Void && b != types.Void {
		if types.Equal(a, b) {
			return mergeNull(a, b), true
		}
		if s, ok := sameShape(a, b); ok {
			return s, true
		}
		return rule{ansi: c.ctx.ANSI, tight: true}.common(a, b)
	}
	if hasTimes(a) != hasTimes(b) && a != types.Void && b != types.Void {
		return nil, false
	}
	if !c.ctx.ANSI {
		return legacyCompare(a, b)
	}
	return CommonType(a, b)
}

// sameShape are two structs that differ in names only: the left's names count.
func sameShape(a, b types.Type) (types.Type, bool) {
	x, ok1 := a.(types.Struct)
	y, ok2 := b.(types.Struct)
	if !ok1 || !ok2 || len(x.Fields) != len(y.Fields) {
		return nil, false
	}
	for i := range x.Fields {
		if !types.Equal(x.Fields[i].Type, y.Fields[i].Type) {
			return nil, false
		}
	}
	return nullableInside(x), true
}

// legacyCompare is the common type of a comparison without ANSI: the string
// gives way.
func legacyCompare(a, b types.Type) (types.Type, bool) {
	other := a
	if types.IsString(a) {
		other = b
	} else if !types.IsString(b) {
		return rule{}.common(a, b)
	}
	switch {
	case other == types.Void:
		return types.String, true
	case types.IsIntegral(other) && other != types.BigInt:
		return types.Int, true
	case types.IsNumeric(other) && other != types.BigInt:
		return types.Double, true
	}
	return other, atomic(other)
}

// Orderable types can be compared with <: no value of theirs holds a MAP,
// VARIANT, geometry or an interval of months and days, at any depth.
func Orderable(t types.Type) bool {
	return !types.Contains(t, func(t types.Type) bool {
		return isMap(t) || t == types.Variant || t == types.Calendar || types.IsSpatial(t)
	})
}

func hasMap(t types.Type) bool { return types.Contains(t, isMap) }

func fitIn(c *call) error {
	ts := make([]types.Type, len(c.args))
	same := true
	for i, a := range c.args {
		ts[i] = unChar(a.Type())
		same = same && types.Equal(ts[0], ts[i])
	}
	t, ok := Common(ts, c.ctx.ANSI)
	if same {
		t, ok = ts[0], true
	}
	if !ok {
		return mismatch(c.ctx, "DATA_DIFF_TYPES", "Cannot resolve %q: its values have no common type: %s.", c.text(), typeList(ts))
	}
	if !Orderable(t) {
		return mismatch(c.ctx, "INVALID_ORDERING_TYPE", "Cannot resolve %q: %s has no order.", c.text(), quoteType(t))
	}
	if same {
		return nil
	}
	for i := range c.args {
		c.args[i] = CastTo(c.args[i], t, c.ctx)
	}
	return nil
}

// buildBetween is x >= lo AND x <= hi, printed as between.
func buildBetween(c *call) (plan.Expr, error) {
	bound := func(op string, i int) (plan.Expr, error) {
		b := &call{d: Lookup(op), args: []plan.Expr{c.args[0], c.args[i]}, ctx: c.ctx}
		if err := fitCompare(b); err != nil {
			return nil, err
		}
		return b.finish(types.Boolean), nil
	}
	lo, err := bound(">=", 1)
	if err != nil {
		return nil, err
	}
	hi, err := bound("<=", 2)
	if err != nil {
		return nil, err
	}
	c.args = []plan.Expr{lo, hi}
	return c.finishAs("between", types.Boolean), nil
}

// showBetween prints the two comparisons that between holds as it was written.
func showBetween(e plan.Expr, a []string) string {
	lo, ok1 := e.Children()[0].(*plan.Call)
	hi, ok2 := e.Children()[1].(*plan.Call)
	if !ok1 || !ok2 || len(lo.Args) != 2 || len(hi.Args) != 2 {
		return "between(" + strings.Join(a, ", ") + ")"
	}
	return "between(" + plainName(lo.Args[0]) + ", " + plainName(lo.Args[1]) + ", " + plainName(hi.Args[1]) + ")"
}

// showNullif prints the comparison that nullif holds as it was written.
func showNullif(e plan.Expr, a []string) string {
	if eq, ok := e.Children()[0].(*plan.Call); ok && len(eq.Args) == 2 {
		return "nullif(" + a[1] + ", " + plainName(eq.Args[1]) + ")"
	}
	return "nullif(" + strings.Join(a, ", ") + ")"
}

func logicDefs() []*Def {
	bool2 := func(name, sign, sql string) *Def {
		return fn(name, types.Boolean, sql, wBool(), wBool()).fitting(fitLogic).operator().infix(sign)
	}
	return []*Def{
		bool2("and", "AND", ""), bool2("or", "OR", ""),
		fn("not", types.Boolean, "(NOT $1)", wBool()).fitting(func(c *call) error {
			if !c.ctx.ANSI && types.IsString(c.args[0].Type()) {
				return unexpected(c, 0, `"BOOLEAN"`)
			}
			return c.fitOne(0, wBool())
		}).operator().
			shown(func(_ plan.Expr, a []string) string { return "(NOT " + a[0] + ")" }),
		(&Def{Name: "coalesce", Min: 1, Max: -1, typ: argType(0), fit: fitCommon}).withNull(allNullable),
		(&Def{Name: "nvl", Min: 2, Max: 2, typ: argType(0), fit: fitCommon}).withNull(allNullable).shown(func(e plan.Expr, _ []string) string {
			name, x := "nvl", e.Children()
			if c, ok := e.(*plan.Call); ok {
				name = c.Fn
			}
			return name + "(" + plainName(x[0]) + ", " + plainName(x[1]) + ")"
		}),
		(&Def{Name: "nvl2", Min: 3, Max: 3, typ: argType(1), fit: fitCommonFrom(1)}).withNull(func(c *call) bool {
			return c.args[1].Nullable() || c.args[2].Nullable()
		}),
		(&Def{Name: "if", Min: 3, Max: 3, typ: argType(1), fit: fitIf}).withNull(func(c *call) bool {
			return c.args[1].Nullable() || c.args[2].Nullable()
		}).shown(func(_ plan.Expr, a []string) string { return "(IF(" + strings.Join(a, ", ") + "))" }),
		(&Def{Name: "nullif", Min: 2, Max: 2, build: buildNullif}).shown(showNullif),
		(&Def{Name: "nullifzero", Min: 1, Max: 1, build: buildNullifzero}).shown(showNullifzero),
		(&Def{Name: "zeroifnull", Min: 1, Max: 1, fit: fitZeroifnull, typ: argType(0)}).neverNull(),
		(&Def{Name: "greatest", Min: 2, Max: -1, typ: argType(0), fit: fitStrictCommon}).withNull(allNullable),
		(&Def{Name: "least", Min: 2, Max: -1, typ: argType(0), fit: fitStrictCommon}).withNull(allNullable),
		fn("isnull", types.Boolean, "($1 IS NULL)", wAny()).neverNull().shown(func(_ plan.Expr, a []string) string { return "(" + a[0] + " IS NULL)" }),
		fn("isnotnull", types.Boolean, "($1 IS NOT NULL)", wAny()).neverNull().shown(func(_ plan.Expr, a []string) string { return "(" + a[0] + " IS NOT NULL)" }),
		fn("isnan", types.Boolean, "coalesce(isnan($1), false)", oneOf(types.Double, types.Float)).neverNull(),
		(&Def{Name: "nanvl", Min: 2, Max: 2, fit: fitNanvl, typ: argType(0),
			SQL: "CASE WHEN isnan($1) THEN $2 ELSE $1 END"}),
	}
}

// fitLogic takes BOOLEAN, NULL and, under ANSI, a text beside a BOOLEAN.
func fitLogic(c *call) error {
	a, b := unChar(c.args[0].Type()), unChar(c.args[1].Type())
	fits := func(t, other types.Type) bool {
		return t == types.Boolean || t == types.Void || types.IsString(t) && c.ctx.ANSI && other == types.Boolean
	}
	if !fits(a, b) || !fits(b, a) {
		return c.refuseOperands(a, b)
	}
	c.args[0], c.args[1] = CastTo(c.args[0], types.Boolean, c.ctx), CastTo(c.args[1], types.Boolean, c.ctx)
	return nil
}

func (d *Def) withNull(f func(c *call) bool) *Def { d.null = f; return d }

func allNullable(c *call) bool {
	for _, a := range c.args {
		if !a.Nullable() {
			return false
		}
	}
	return true
}

func fitCommon(c *call) error {
	return fitRange(c, 0, len(c.args), rule{ansi: c.ctx.ANSI, strings: true})
}

func fitStrictCommon(c *call) error {
	if err := fitRange(c, 0, len(c.args), rule{ansi: c.ctx.ANSI}); err != nil {
		return err
	}
	if !Orderable(c.args[0].Type()) {
		return mismatch(c.ctx, "INVALID_ORDERING_TYPE", "Cannot resolve %q: %s has no order.", c.text(), quoteType(c.args[0].Type()))
	}
	return nil
}

func fitCommonFrom(i int) func(c *call) error {
	return func(c *call) error { return fitRange(c, i, len(c.args), rule{ansi: c.ctx.ANSI, strings: true}) }
}

func fitIf(c *call) error {
	if err := c.fitOne(0, wBoolStrict()); err != nil {
		return err
	}
	return fitRange(c, 1, 3, rule{ansi: c.ctx.ANSI, strings: true})
}

// fitRange brings the arguments from..to to their common type.
func fitRange(c *call, from, to int, r rule) error {
	ts := make([]types.Type, 0, to-from)
	for _, a := range c.args[from:to] {
		ts = append(ts, unChar(a.Type()))
	}
	t, ok := r.all(ts)
	if !ok {
		return mismatch(c.ctx, "DATA_DIFF_TYPES", "Cannot resolve %q: its arguments have no common type: %s.", c.text(), typeList(ts))
	}
	for i := from; i < to; i++ {
		if !types.Equal(c.args[i].Type(), t) {
			if err := timeOff(c.ctx, t); err != nil {
				return err
			}
		}
		c.args[i] = CastTo(c.args[i], t, c.ctx)
	}
	return nil
}

// buildNullif keeps the first argument's type; the comparison casts.
func buildNullif(c *call) (plan.Expr, error) {
	eq, err := Resolve("=", c.args, c.ctx)
	if err != nil {
		return nil, err
	}
	c.args = []plan.Expr{eq, c.args[0]}
	n := c.finishAs("nullif", c.args[1].Type())
	n.Null = true
	return n, nil
}

// buildNullifzero is nullif(x, 0).
func buildNullifzero(c *call) (plan.Expr, error) {
	eq, err := Resolve("=", []plan.Expr{c.args[0], litInt(0)}, c.ctx)
	if err != nil {
		return nil, err
	}
	c.args = []plan.Expr{eq, c.args[0]}
	n := c.finishAs("nullifzero", c.args[1].Type())
	n.Null = true
	return n, nil
}

func showNullifzero(_ plan.Expr, a []string) string { return "nullifzero(" + a[len(a)-1] + ")" }

// fitZeroifnull takes the type of coalesce(x, 0).
func fitZeroifnull(c *call) error {
	with := &call{d: c.d, args: []plan.Expr{c.args[0], litInt(0)}, ctx: c.ctx}
	if err := fitCommon(with); err != nil {
		return err
	}
	c.args[0] = with.args[0]
	return nil
}

// fitNanvl: FLOAT beside FLOAT stays, everything else is DOUBLE.
func fitNanvl(c *call) error {
	t := types.Type(types.Double)
	if b := c.args[1].Type(); c.args[0].Type() == types.Float && (b == types.Float || b == types.Void) {
		t = types.Float
	}
	for i := range c.args {
		if err := c.fitOne(i, exactly(t)); err != nil {
			return err
		}
	}
	return nil
}
