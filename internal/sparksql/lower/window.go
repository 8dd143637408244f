package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// window lowers fn OVER (...).
func (l *lowerer) window(w *plan.WindowExpr) string {
	var parts []string
	if len(w.Partition) > 0 {
		parts = append(parts, "PARTITION BY "+strings.Join(l.exprs(allKeyed(w.Partition)), ", "))
	}
	if len(w.Order) > 0 {
		parts = append(parts, "ORDER BY "+l.sortKeys(w.Order))
	}
	if agg, ok := w.Fn.(*plan.AggCall); ok {
		w, agg = nullDistance(w, agg)
		switch {
		case emptyFrame(w.Frame) && (agg.Fn == "first" || agg.Fn == "last" || agg.Fn == "any_value" || agg.Fn == "first_value" || agg.Fn == "last_value"):
			return cast("NULL", l.duckType(agg.Typ))
		case emptyFrame(w.Frame):
			c := *agg
			c.Filter = &plan.Literal{Value: false, Typ: types.Boolean}
			agg = &c
		default:
			parts = append(parts, l.frame(w))
		}
		if agg.Filter != nil && firstOfRows(w, agg) {
			c := *agg
			c.Filter = nil
			agg = &c
		}
		return l.aggregate(agg, " OVER ("+strings.Join(parts, " ")+")")
	}
	c, ok := w.Fn.(*plan.Call)
	if !ok {
		return l.fail(errPlan)
	}
	if c.Fn == "nth_value" && emptyFrame(w.Frame) {
		return cast("NULL", l.duckType(c.Typ))
	}
	if c.Fn == "nth_value" {
		parts = append(parts, l.frame(w))
	}
	over := " OVER (" + strings.Join(parts, " ") + ")"
	nulls := ""
	if ignore, _ := c.Const.(funcs.IgnoreNulls); ignore {
		nulls = " IGNORE NULLS"
	}
	switch c.Fn {
	case "row_number", "rank", "dense_rank":
		return cast(c.Fn+"()"+over, "INTEGER")
	case "percent_rank", "cume_dist":
		return c.Fn + "()" + over
	case "ntile":
		return cast("ntile("+cast(l.expr(c.Args[0]), "BIGINT")+")"+over, "INTEGER")
	case "lag", "lead":
		return c.Fn + "(" + l.expr(c.Args[0]) + ", " + cast(l.expr(c.Args[1]), "BIGINT") + ", " + l.expr(c.Args[2]) + nulls + ")" + over
	case "nth_value":
		return "nth_value(" + l.expr(c.Args[0]) + ", " + cast(l.expr(c.Args[1]), "BIGINT") + nulls + ")" + over
	}
	return l.unsupported(c.Pos, "The window function `%s` cannot be executed.", c.Fn)
}

// firstOfRows tells whether agg is the first value of a frame of rows from the
// partition's start: Spark makes nth_value(x, 1) of it, and loses its FILTER.
func firstOfRows(w *plan.WindowExpr, agg *plan.AggCall) bool {
	return (agg.Fn == "first" || agg.Fn == "first_value" || agg.Fn == "any_value") && len(w.Order) > 0 && w.Frame.Unit == plan.FrameRows &&
		w.Frame.Start.Kind == plan.UnboundedPreceding && (w.Frame.End.Kind == plan.UnboundedFollowing || w.Frame.End.Kind == plan.CurrentRow)
}

// nullDistance rewrites bounds of a RANGE frame whose distance is NULL: they
// stand at the rows without a key, which come first or last.
func nullDistance(w *plan.WindowExpr, agg *plan.AggCall) (*plan.WindowExpr, *plan.AggCall) {
	if w.Frame.Unit != plan.FrameRange || len(w.Order) != 1 {
		return w, agg
	}
	out, keyless := *w, false
	for _, b := range []struct {
		bound *plan.Bound
		to    plan.BoundKind
		all   bool // no row is left out on this side
	}{
		{&out.Frame.Start, plan.UnboundedPreceding, w.Order[0].NullsFirst},
		{&out.Frame.End, plan.UnboundedFollowing, !w.Order[0].NullsFirst},
	} {
		if b.bound.X == nil {
			continue
		}
		if k, ok := funcs.Eval(b.bound.X); ok && k.Value == nil {
			*b.bound = plan.Bound{Kind: b.to}
			keyless = keyless || !b.all
		}
	}
	if !keyless {
		return &out, agg
	}
	c := *agg
	var only plan.Expr = &plan.Call{Fn: "isnull", Args: []plan.Expr{w.Order[0].X}, Typ: types.Boolean}
	if c.Filter != nil {
		only = &plan.Call{Fn: "and", Args: []plan.Expr{c.Filter, only}, Typ: types.Boolean, Null: true}
	}
	c.Filter = only
	return &out, &c
}

// emptyFrame tells whether a frame of rows ends before it begins, which DuckDB
// refuses.
func emptyFrame(f plan.Frame) bool {
	from, ok1 := rowOffset(f.Start)
	to, ok2 := rowOffset(f.End)
	return f.Unit == plan.FrameRows && ok1 && ok2 && from > to
}

// rowOffset is a bound's distance from the current row.
func rowOffset(b plan.Bound) (int64, bool) {
	switch b.Kind {
	case plan.CurrentRow:
		return 0, true
	case plan.Preceding, plan.Following:
		n, ok := constInt(b.X)
		if b.Kind == plan.Preceding {
			n = -n
		}
		return n, ok
	}
	return 0, false
}

// DuckDB computes an aggregate over a whole partition once, and then hands
// functions of its C API a single state where they are to find one per row. A
// frame with a distance, too far to leave a row out, keeps it from doing so.
const (
	wholeFrame  = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
	kernelFrame = "ROWS BETWEEN 4611686018427387904 PRECEDING AND UNBOUNDED FOLLOWING"
)

// kernelOver is an OVER clause for an aggregate that is a kernel.
func kernelOver(over string) string { return strings.Replace(over, wholeFrame, kernelFrame, 1) }

func (l *lowerer) frame(w *plan.WindowExpr) string {
	unbounded := w.Frame.Start.Kind == plan.UnboundedPreceding && w.Frame.End.Kind == plan.UnboundedFollowing
	if unbounded || w.Frame.Unit == plan.FrameRange && len(w.Order) == 0 {
		return wholeFrame // without an order all rows are peers
	}
	unit := "RANGE"
	if w.Frame.Unit == plan.FrameRows {
		unit = "ROWS"
	}
	start, end := l.bound2(w, w.Frame.Start), l.bound2(w, w.Frame.End)
	if unit == "RANGE" { // DuckDB refuses what is empty by its words; a distance of nothing says the same
		switch {
		case strings.HasSuffix(start, " FOLLOWING") && end == "CURRENT ROW":
			end = l.nothing(w, w.Frame.Start) + " FOLLOWING"
		case start == "CURRENT ROW" && strings.HasSuffix(end, " PRECEDING"):
			start = l.nothing(w, w.Frame.End) + " PRECEDING"
		}
	}
	return unit + " BETWEEN " + start + " AND " + end
}

// nothing is the distance zero in the type of a bound's.
func (l *lowerer) nothing(w *plan.WindowExpr, b plan.Bound) string { return l.rangeOffset(w, "0", b.X) }

// bound2 prints a frame's bound; negative offsets turn around, because DuckDB
// refuses them.
func (l *lowerer) bound2(w *plan.WindowExpr, b plan.Bound) string {
	switch b.Kind {
	case plan.UnboundedPreceding:
		return "UNBOUNDED PRECEDING"
	case plan.CurrentRow:
		return "CURRENT ROW"
	case plan.UnboundedFollowing:
		return "UNBOUNDED FOLLOWING"
	}
	word := " FOLLOWING"
	if b.Kind == plan.Preceding {
		word = " PRECEDING"
	}
	b.X = likeKey(w, b.X)
	if n, ok := constInt(b.X); ok {
		if n < 0 {
			n = -n
			word = map[string]string{" FOLLOWING": " PRECEDING", " PRECEDING": " FOLLOWING"}[word]
		}
		if w.Frame.Unit == plan.FrameRows {
			return itoa(n) + word
		}
		return l.rangeOffset(w, itoa(n), b.X) + word
	}
	return l.rangeOffset(w, l.expr(b.X), b.X) + word
}

// likeKey is an offset in the type of the whole numbers that rows are ordered by.
func likeKey(w *plan.WindowExpr, x plan.Expr) plan.Expr {
	if w.Frame.Unit != plan.FrameRange || len(w.Order) != 1 {
		return x
	}
	if t := w.Order[0].X.Type(); types.IsIntegral(t) && !types.Equal(t, x.Type()) {
		return funcs.CastTo(x, t, funcs.Context{ANSI: true})
	}
	return x
}

// rangeOffset gives the offset the type that its order key is compared in.
func (l *lowerer) rangeOffset(w *plan.WindowExpr, x string, e plan.Expr) string {
	if len(w.Order) != 1 {
		return x
	}
	switch e.Type().(type) {
	case types.YearMonth:
		return "to_months(" + x + ")"
	case types.DayTime:
		return "to_microseconds(" + x + ")"
	}
	if t := w.Order[0].X.Type(); t == types.Date {
		return "to_days(CAST(" + x + " AS INTEGER))"
	} else if types.IsNumeric(t) {
		return cast(x, l.duckType(t))
	}
	return x
}
