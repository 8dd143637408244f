package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// timeArithmeticDefs are the nodes that arithmetic with dates, times and
// intervals becomes: "ts+dt", "date+ym", "ts+ym", "t+calendar", "ts-ts",
// "date-date", "iv+iv", "iv*n", "iv/n", "iv neg", ... Their operands are in
// that order, whatever the order in the text was.
func timeArithmeticDefs() []*Def {
	node := func(name string, show func(a []string) string) *Def {
		return (&Def{Name: name, Min: 2, Max: 2, typ: typeIs(types.Void)}).operator().
			shown(func(_ plan.Expr, a []string) string { return show(a) })
	}
	plain := func(name, sign string) *Def {
		return node(name, func(a []string) string { return strings.Join(a, " "+sign+" ") })
	}
	closed := func(name, sign string) *Def {
		return node(name, func(a []string) string { return "(" + strings.Join(a, " "+sign+" ") + ")" })
	}
	return []*Def{
		plain("date+ym", "+"), plain("date-ym", "-"), plain("t+calendar", "+"), plain("t-calendar", "-"),
		plain("ts+dt", "+"), plain("ts-dt", "-"), plain("ts+ym", "+"), plain("ts-ym", "-"),
		plain("time+dt", "+"), plain("time-dt", "-"), plain("time-time", "-"),
		closed("date-date", "-"), closed("iv*n", "*"), closed("iv+iv", "+"), closed("iv-iv", "-"), closed("iv/n", "/"), closed("ts-ts", "-"),
		node("calendar*n", func(a []string) string { return "multiply_interval(" + a[0] + ", " + a[1] + ")" }),
		node("calendar/n", func(a []string) string { return "divide_interval(" + a[0] + ", " + a[1] + ")" }),
		node("date+dt", func(a []string) string { return "date_add(" + a[0] + ", extractansiintervaldays(" + a[1] + "))" }),
		node("date-dt", func(a []string) string { return "date_add(" + a[0] + ", (- extractansiintervaldays(" + a[1] + ")))" }),
		(&Def{Name: "iv neg", Min: 1, Max: 1, typ: typeIs(types.Void)}).operator().shown(showSign("-")),
	}
}

// spelling is the Const of a node that is printed as the function that made it.
type spelling struct {
	name    string // "" prints the node's own form
	swapped bool   // the operands stand the other way around in the text
	try     bool   // NULL where the operator raises
}

func (s spelling) text(a []string) string {
	if s.swapped && len(a) == 2 {
		a = []string{a[1], a[0]}
	}
	return s.name + "(" + strings.Join(a, ", ") + ")"
}

// spelled is the spelling of c: operators print as their nodes do.
func (c *call) spelled(swapped bool) any {
	if c.d.Operator {
		return nil
	}
	return spelling{name: c.d.Name, swapped: swapped, try: strings.HasPrefix(c.d.Name, "try_")}
}

// IsTry tells whether a try_ function made the call: it gives NULL where the
// operator raises.
func IsTry(c *plan.Call) bool {
	s, ok := c.Const.(spelling)
	return ok && s.try
}

// timeArith is arithmetic with a date, timestamp or interval on a side; nil
// where the operator is the one of numbers.
func timeArith(c *call, op string, a, b types.Type) (plan.Expr, error) {
	if isClock(a) || isClock(b) {
		return clockSum(c, op, a, b)
	}
	switch op {
	case "+":
		return timePlus(c, a, b)
	case "-":
		return timeMinus(c, a, b)
	case "*":
		if hasTimes(b) && !hasTimes(a) {
			c.swap()
			return intervalTimes(c, "*", b, a, true)
		}
		if hasTimes(a) {
			return intervalTimes(c, "*", a, b, false)
		}
	case "/":
		if hasTimes(a) {
			return intervalTimes(c, "/", a, b, false)
		}
	case "div":
		return intervalDiv(c, a, b)
	}
	return nil, nil
}

func isClock(t types.Type) bool { _, ok := t.(types.Time); return ok }

// clockSum is TIME with an interval, and TIME - TIME.
func clockSum(c *call, op string, a, b types.Type) (plan.Expr, error) {
	if err := timeOff(c.ctx, a, b); err != nil {
		return nil, err
	}
	swapped := op == "+" && isDT(a)
	if swapped {
		c.swap()
		a, b = b, a
	}
	switch {
	case op == "+" && a == types.Void:
		c.swap()
		a, swapped = b, true
		fallthrough
	case op == "+" && b == types.Void:
		b = types.DayTime{From: types.Day, To: types.Second}
		c.args[1] = CastTo(c.args[1], b, c.ctx)
	case op == "-" && (types.IsString(a) || a == types.Void):
		a = types.Time{Precision: 6}
		c.args[0] = CastTo(c.args[0], a, c.ctx)
	case op == "-" && (types.IsString(b) || b == types.Void):
		b = types.Time{Precision: 6}
		c.args[1] = CastTo(c.args[1], b, c.ctx)
	}
	switch {
	case (op == "+" || op == "-") && isClock(a) && isDT(b):
		return c.intervalCall("time"+op+"dt", types.Time{Precision: 6}, swapped), nil
	case op == "-" && isClock(a) && isClock(b):
		n := c.finishAs("time-time", types.DayTime{From: types.Hour, To: types.Second})
		n.Const = c.spelled(false)
		return n, nil
	}
	return nil, nil
}

// LegacyIntervals tells whether spark.sql.legacy.interval.enabled is on:
// literals and differences are intervals of all units together.
func LegacyIntervals(conf map[string]string) bool {
	return strings.EqualFold(conf["spark.sql.legacy.interval.enabled"], "true")
}

// hasTimes tells whether t is an interval of any kind.
func hasTimes(t types.Type) bool { return isInterval(t) || t == types.Calendar }

func (c *call) swap() { c.args[0], c.args[1] = c.args[1], c.args[0] }

func isYM(t types.Type) bool { _, ok := t.(types.YearMonth); return ok }
func isDT(t types.Type) bool { _, ok := t.(types.DayTime); return ok }

// clockInterval is an interval that moves a clock: days to seconds, or all.
func clockInterval(t types.Type) bool { return isDT(t) || t == types.Calendar }

func timePlus(c *call, a, b types.Type) (plan.Expr, error) {
	if x, err := c.sumOfIntervals("+", a, b); x != nil || err != nil {
		return x, err
	}
	switch {
	case isTime(a) && (hasTimes(b) || b == types.Void):
		return c.shiftTime("+", a, b, false)
	case isTime(b) && (hasTimes(a) || a == types.Void):
		c.swap()
		return c.shiftTime("+", b, a, true)
	case clockInterval(b):
		return c.shiftOther("+", a, b, false)
	case clockInterval(a):
		c.swap()
		return c.shiftOther("+", b, a, true)
	case a == types.Date:
		return c.shiftDays("date_add", false)
	case b == types.Date:
		c.swap()
		return c.shiftDays("date_add", true)
	}
	return nil, nil
}

func timeMinus(c *call, a, b types.Type) (plan.Expr, error) {
	if x, err := c.sumOfIntervals("-", a, b); x != nil || err != nil {
		return x, err
	}
	stamp := func(t types.Type) bool { return isTime(t) && t != types.Date }
	switch {
	case isTime(a) && hasTimes(b):
		return c.shiftTime("-", a, b, false)
	case clockInterval(b):
		return c.shiftOther("-", a, b, false)
	case stamp(a) || stamp(b):
		return c.timeDifference(types.Timestamp)
	case b == types.Date, a == types.Date && b == types.Void, a == types.Date && types.IsString(b) && c.ctx.ANSI:
		return c.timeDifference(types.Date)
	case a == types.Date:
		return c.shiftDays("date_sub", false)
	}
	return nil, nil
}

// intervalOf is the type of two intervals of one kind; NULL takes the other's.
func intervalOf(a, b types.Type) (types.Type, bool) {
	switch {
	case isInterval(a) && b == types.Void:
		return a, true
	case a == types.Void && isInterval(b):
		return b, true
	case isInterval(a) && isInterval(b):
		return commonTime(a, b)
	}
	return nil, false
}

// sumOfIntervals adds intervals of one kind; NULL takes the other's type.
func (c *call) sumOfIntervals(op string, a, b types.Type) (plan.Expr, error) {
	t, ok := intervalOf(a, b)
	if a == types.Calendar && (b == types.Calendar || b == types.Void && op == "-") {
		t, ok = a, true
	}
	if !ok {
		return nil, nil
	}
	c.args[0], c.args[1] = CastTo(c.args[0], t, c.ctx), CastTo(c.args[1], t, c.ctx)
	return c.intervalCall("iv"+op+"iv", t, false), nil
}

// shiftTime is a date or timestamp with an interval; NULL counts as an
// interval of days to seconds.
func (c *call) shiftTime(op string, a, b types.Type, swapped bool) (plan.Expr, error) {
	if b == types.Void {
		b = types.DayTime{From: types.Day, To: types.Second}
		c.args[1] = CastTo(c.args[1], b, c.ctx)
	}
	if b == types.Calendar {
		return c.intervalCall("t"+op+"calendar", a, swapped), nil
	}
	if isYM(b) {
		if a == types.Date {
			return c.intervalCall("date"+op+"ym", types.Date, swapped), nil
		}
		return c.intervalCall("ts"+op+"ym", a, swapped), nil
	}
	dt, _ := b.(types.DayTime)
	if a == types.Date && dt.From == types.Day && dt.To == types.Day {
		return c.intervalCall("date"+op+"dt", types.Date, swapped), nil
	}
	if a == types.Date {
		c.args[0] = CastTo(c.args[0], types.Timestamp, c.ctx)
		a = types.Timestamp
	}
	return c.intervalCall("ts"+op+"dt", a, swapped), nil
}

// shiftOther is a text with an interval: it is read as a TIMESTAMP, and the
// sum is a text again. Spark refuses every other type there.
func (c *call) shiftOther(op string, a, b types.Type, swapped bool) (plan.Expr, error) {
	switch {
	case a == types.Void:
		return nil, mismatch(c.ctx, "CAST_WITHOUT_SUGGESTION", "Cannot resolve %q: \"TIMESTAMP\" cannot be cast to \"VOID\".", c.text())
	case !types.IsString(a):
		return nil, unexpected(c, 0, `"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)"`)
	}
	c.args[0] = CastTo(c.args[0], types.Timestamp, c.ctx)
	x, err := c.shiftTime(op, types.Timestamp, b, swapped)
	if err != nil {
		return nil, err
	}
	return CastTo(x, types.String, c.ctx), nil
}

// shiftDays is a DATE and a number of days.
func (c *call) shiftDays(name string, swapped bool) (plan.Expr, error) {
	d := &call{d: Lookup(name), args: c.args, ctx: c.ctx, fromOperator: true}
	if err := fitDateAdd(d); err != nil {
		return nil, err
	}
	d.konst = c.spelled(swapped)
	return d.finish(types.Date), nil
}

// timeDifference is the interval between two dates or timestamps, of which at
// least one is of the kind t.
func (c *call) timeDifference(t types.Type) (plan.Expr, error) {
	a, b := unChar(c.args[0].Type()), unChar(c.args[1].Type())
	for i, x := range []types.Type{a, b} {
		text := types.IsString(x) && (c.ctx.ANSI || t == types.Date)
		if !isTime(x) && x != types.Void && !text {
			return nil, unexpected(c, i, quoteType(t))
		}
	}
	if t != types.Date && (a == types.TimestampNTZ || b == types.TimestampNTZ) && a != types.Timestamp && b != types.Timestamp {
		t = types.TimestampNTZ
	}
	c.args[0], c.args[1] = CastTo(c.args[0], t, c.ctx), CastTo(c.args[1], t, c.ctx)
	name, ret := "ts-ts", types.DayTime{From: types.Day, To: types.Second}
	if t == types.Date {
		name, ret = "date-date", types.DayTime{From: types.Day, To: types.Day}
	}
	if LegacyIntervals(c.ctx.Conf) {
		n := c.finishAs(name, types.Calendar)
		n.Const = c.spelled(false)
		return n, nil
	}
	n := c.finishAs(name, ret)
	n.Const = c.spelled(false)
	return n, nil
}

// intervalTimes multiplies or divides an interval by a number, a text or NULL.
func intervalTimes(c *call, op string, a, b types.Type, swapped bool) (plan.Expr, error) {
	switch {
	case types.IsString(b), b == types.Void, a == types.Calendar && types.IsNumeric(b):
		c.args[1] = CastTo(c.args[1], types.Double, c.ctx)
	case !types.IsNumeric(b):
		return nil, unexpected(c, 1, `"NUMERIC"`)
	}
	switch {
	case a == types.Calendar:
		n := c.intervalCall("calendar"+op+"n", a, swapped)
		n.Raises = n.Raises && (c.ctx.ANSI || op == "*") // without ANSI a division by zero is NULL
		n.Null = n.Null || !c.ctx.ANSI
		return n, nil
	case isYM(a):
		return c.intervalCall("iv"+op+"n", types.YearMonth{From: types.Year, To: types.Month}, swapped), nil
	}
	return c.intervalCall("iv"+op+"n", types.DayTime{From: types.Day, To: types.Second}, swapped), nil
}

// intervalDiv is how often an interval fits into another.
func intervalDiv(c *call, a, b types.Type) (plan.Expr, error) {
	t, ok := intervalOf(a, b)
	if !ok {
		return nil, nil
	}
	c.args[0], c.args[1] = CastTo(c.args[0], t, c.ctx), CastTo(c.args[1], t, c.ctx)
	return c.arithCall("div", types.BigInt, false), nil
}

func (c *call) intervalCall(name string, t types.Type, swapped bool) *plan.Call {
	n := c.finishAs(name, t)
	n.Const = c.spelled(swapped)
	n.Raises = !IsTry(n)
	n.Null = n.Null || !n.Raises
	return n
}
