package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// sequence steps by 1 or -1 where no step is given.
func sequence(l *lowerer, c *plan.Call, a []string) string {
	t := elem(c.Typ)
	dt := l.duckType(t)
	if types.IsIntegral(t) {
		return l.let2(a[0], a[1], func(x, y string) string {
			step := "(CASE WHEN " + x + " <= " + y + " THEN 1 ELSE -1 END)"
			check := ""
			if len(a) == 3 {
				step = a[2]
				check = "WHEN (" + step + " > 0 AND " + x + " > " + y + ") OR (" + step + " < 0 AND " + x + " < " + y + ") OR (" + step + " = 0 AND " + x + " <> " + y + ") THEN " +
					raise("INTERNAL_ERROR", "XX000", "The bounds of sequence lie against its step.") + " WHEN " + x + " = " + y + " THEN [" + x + "]::BIGINT[] "
			}
			big := func(v string) string { return cast(v, "BIGINT") }
			check += "WHEN abs((" + cast(y, "HUGEINT") + " - " + x + ") // nullif(" + step + ", 0)) >= " + maxElements + " THEN " + tooLong("sequence") + " "
			return cast("CASE WHEN "+x+" IS NULL OR "+y+" IS NULL OR "+step+" IS NULL THEN NULL "+check+"ELSE generate_series("+big(x)+", "+big(y)+", "+big(step)+") END", dt+"[]")
		})
	}
	return l.timeSequence(c, a, t, dt)
}

// timeSequence walks dates or timestamps, by a day at first: instants as such,
// others as wall times.
func (l *lowerer) timeSequence(c *plan.Call, a []string, t types.Type, dt string) string {
	k := caster{l: l, mode: plan.CastANSI, zone: l.opt.TimeZone}
	over := t
	if t == types.Date || isUTC(k.zone) {
		over = types.TimestampNTZ
	}
	x, y := k.cast(a[0], t, over), k.cast(a[1], t, over)
	step := stride{days: "(CASE WHEN " + a[0] + " <= " + a[1] + " THEN 1 ELSE -1 END)"}
	if len(a) == 3 {
		step = strideOf(a[2], c.Args[2].Type())
	}
	return cast(l.let2(x, y, func(x, y string) string { return l.walk(x, y, step, t, over, k) }), dt+"[]")
}

// stride is the step of a sequence in months, days and microseconds, "" for
// none.
type stride struct{ months, days, micros string }

func strideOf(x string, t types.Type) stride {
	switch t.(type) {
	case types.YearMonth:
		return stride{months: x}
	case types.DayTime:
		return stride{days: "(" + x + " // 86400000000)", micros: "(" + x + " % 86400000000)"}
	}
	part := func(unit string) string { return "datepart('" + unit + "', " + x + ")" }
	return stride{months: "(" + part("year") + " * 12 + " + part("month") + ")", days: part("day"),
		micros: "(" + part("hour") + " * 3600000000 + " + part("minute") + " * 60000000 + " + part("microseconds") + ")"}
}

// times is the n-th multiple added to x: months and days on the wall clock, the
// rest in time.
func (s stride) times(l *lowerer, x, n string, t types.Type) string {
	step := ""
	if s.months != "" {
		step += " + to_months(CAST(" + s.months + " * " + n + " AS INTEGER))"
	}
	if s.days != "" {
		step += " + to_days(CAST(" + s.days + " * " + n + " AS INTEGER))"
	}
	if t != types.Timestamp {
		x += step
		if s.micros != "" {
			x += " + to_microseconds(" + s.micros + " * " + n + ")"
		}
		return x
	}
	if step != "" {
		x = l.onClock(x, func(w string) string { return w + step })
	}
	if s.micros != "" {
		x = "make_timestamptz(epoch_us(" + x + ") + " + s.micros + " * " + n + ")"
	}
	return x
}

// least is about the length of the step, at least for months.
func (s stride) least() string {
	parts := []string{"0"}
	for _, part := range []struct{ n, us string }{{s.months, "2419200000000"}, {s.days, "86400000000"}, {s.micros, "1"}} {
		if part.n != "" {
			parts = append(parts, cast(part.n, "HUGEINT")+" * "+part.us)
		}
	}
	return "(" + strings.Join(parts, " + ") + ")"
}

// walk adds each multiple of the step to the start, so that the end of a month
// stays one, up to the end.
func (l *lowerer) walk(x, y string, s stride, t, over types.Type, k caster) string {
	i, e := l.fresh("i"), l.fresh("e")
	step, span := s.least(), "(epoch_us("+y+") - epoch_us("+x+"))"
	n := "CAST(" + span + " // nullif(" + step + ", 0) + 1 AS BIGINT)"
	more := ""
	if over == types.Timestamp { // days may be shorter
		more = " + 1"
	}
	all := "list_transform(range(" + n + more + "), lambda " + i + ": " + s.times(l, x, i, over) + ")"
	in := "list_filter(" + all + ", lambda " + e + ": CASE WHEN " + step + " > 0 THEN " + e + " <= " + y + " ELSE " + e + " >= " + y + " END)"
	v := l.fresh("v")
	out := "list_transform(" + in + ", lambda " + v + ": " + k.cast(v, over, t) + ")"
	guard := ""
	if t == types.Date {
		guard = " WHEN abs(" + step + ") < 86400000000 THEN " + raise("_LEGACY_ERROR_TEMP_3242", "", "The step of a sequence of dates is a day at least.")
	}
	return "CASE WHEN " + x + " IS NULL OR " + y + " IS NULL OR " + step + " IS NULL THEN NULL" + guard +
		" WHEN " + x + " = " + y + " THEN [" + k.cast(x, over, t) + "]" +
		" WHEN " + step + " = 0 OR (" + step + " > 0) <> (" + span + " > 0) THEN " + raise("INTERNAL_ERROR", "XX000", "The bounds of sequence lie against its step.") +
		" WHEN " + n + " > " + maxElements + " THEN " + tooLong("sequence") + " ELSE " + out + " END"
}
