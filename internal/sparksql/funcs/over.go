package funcs

import (
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Over makes fn OVER (...). A nil frame is the default one: the whole
// partition without order, up to the current row's peers with it; window
// functions that have a frame of their own get it.
func Over(fn plan.Expr, part []plan.Expr, order []plan.SortKey, frame *plan.Frame, ctx Context) (*plan.WindowExpr, error) {
	w := &plan.WindowExpr{Fn: fn, Partition: part, Order: order}
	switch f := fn.(type) {
	case *plan.AggCall:
		if f.Distinct {
			return nil, errf(ctx, "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "0A000",
				"DISTINCT does not go with a window: %q.", SQLName(fn))
		}
		if within[f.Fn] && f.Fn != "mode" && (len(order) > 0 || frame != nil) {
			return nil, errf(ctx, "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC", "42601",
				"%q takes neither ORDER BY nor a frame in its window.", SQLName(fn))
		}
		if f.Fn == "grouping" || f.Fn == "grouping_id" {
			return nil, errf(ctx, "UNSUPPORTED_EXPR_FOR_WINDOW", "42P20", "%q does not go with a window.", SQLName(fn))
		}
		if unordered(f) && (len(order) > 0 || frame != nil) {
			return nil, errf(ctx, "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC", "42601",
				"%q takes neither ORDER BY nor a frame in its window.", SQLName(fn))
		}
	case *plan.Cast, *plan.Literal, *plan.Column, *plan.Case: // what a call of a cast or a constant became
		return nil, errf(ctx, "UNSUPPORTED_EXPR_FOR_WINDOW", "42P20", "%q does not go with a window.", SQLName(fn))
	case *plan.Call:
		d := Lookup(f.Fn)
		if d != nil && d.Kind == Generator {
			return nil, errf(ctx, "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E", "A generator takes no window: %q.", SQLName(fn))
		}
		if d == nil || d.Kind != Window {
			return nil, errf(ctx, "UNSUPPORTED_EXPR_FOR_WINDOW", "42P20", "%q does not go with a window.", SQLName(fn))
		}
		own, err := ownFrame(f, order, frame, ctx)
		if err != nil {
			return nil, err
		}
		if own != nil {
			w.Frame = *own
			return w, nil
		}
	}
	if frame == nil {
		w.Frame = defaultFrame(order)
		return w, nil
	}
	w.Frame = *frame
	return w, checkFrame(w, ctx)
}

// unordered are the aggregates that order their rows by themselves.
func unordered(f *plan.AggCall) bool {
	switch f.Fn {
	case "median", "percentile_cont", "percentile_disc":
		return true
	case "listagg":
		spec, ok := f.Const.(WithinSpec)
		return ok && len(spec.Desc) > 0
	}
	return false
}

func defaultFrame(order []plan.SortKey) plan.Frame {
	if len(order) == 0 {
		return plan.Frame{Unit: plan.FrameRows, Start: plan.Bound{Kind: plan.UnboundedPreceding}, End: plan.Bound{Kind: plan.UnboundedFollowing}}
	}
	return plan.Frame{Unit: plan.FrameRange, Start: plan.Bound{Kind: plan.UnboundedPreceding}, End: plan.Bound{Kind: plan.CurrentRow}}
}

// ownFrame is the frame that a window function brings, nil when it takes any.
func ownFrame(f *plan.Call, order []plan.SortKey, frame *plan.Frame, ctx Context) (*plan.Frame, error) {
	if f.Fn == "nth_value" && len(order) > 0 {
		return nil, nil
	}
	if len(order) == 0 {
		return nil, errf(ctx, "WINDOW_FUNCTION_FRAME_NOT_ORDERED", "42601", "%q needs an ORDER BY in its window.", SQLName(f))
	}
	own := &plan.Frame{Unit: plan.FrameRows, Start: plan.Bound{Kind: plan.UnboundedPreceding}, End: plan.Bound{Kind: plan.CurrentRow}}
	switch f.Fn {
	case "lag", "lead":
		off := f.Args[1]
		if f.Fn == "lag" {
			if n, ok := constInt(off); ok {
				off = &plan.Literal{Value: -n, Typ: types.Int}
			}
		}
		b := plan.Bound{Kind: plan.Following, X: off}
		own = &plan.Frame{Unit: plan.FrameRows, Start: b, End: b}
	case "cume_dist":
		own.Unit = plan.FrameRange
	}
	if frame != nil && !sameFrame(*frame, *own) {
		if f.Fn != "lag" && f.Fn != "lead" {
			return nil, errf(ctx, "_LEGACY_ERROR_TEMP_1036", "", "%q has a frame of its own.", SQLName(f))
		}
		return nil, errf(ctx, "WINDOW_FUNCTION_AND_FRAME_MISMATCH", "42K0E", "%q has a frame of its own.", SQLName(f))
	}
	return own, nil
}

func sameFrame(a, b plan.Frame) bool {
	return a.Unit == b.Unit && a.Start.Kind == b.Start.Kind && a.End.Kind == b.End.Kind && a.Start.X == nil && b.Start.X == nil
}

func checkFrame(w *plan.WindowExpr, ctx Context) error {
	f := w.Frame
	offsets := f.Start.X != nil || f.End.X != nil
	for _, b := range []plan.Bound{f.Start, f.End} { // x PRECEDING is -x FOLLOWING
		if b.Kind == plan.Preceding && b.X != nil && !negatable(b.X.Type()) {
			return mismatch(ctx, "UNEXPECTED_INPUT_TYPE", "A distance of %s has no negative.", quoteType(b.X.Type()))
		}
	}
	if f.Unit == plan.FrameRange && len(w.Order) == 1 {
		for _, b := range []*plan.Bound{&w.Frame.Start, &w.Frame.End} {
			if t := w.Order[0].X.Type(); b.X != nil && types.IsNumeric(t) && IsFoldable(b.X) && negatable(b.X.Type()) && CanCast(b.X.Type(), t, true) {
				b.X = CastTo(b.X, t, ctx)
			}
		}
		f = w.Frame
	}
	if a, b := f.Start.X, f.End.X; f.Unit == plan.FrameRange && a != nil && b != nil && !types.Equal(a.Type(), b.Type()) {
		return mismatch(ctx, "SPECIFIED_WINDOW_FRAME_DIFF_TYPES", "The bounds of a frame must have one type, not %s and %s.", quoteType(a.Type()), quoteType(b.Type()))
	}
	if f.Unit == plan.FrameRange && offsets {
		if len(w.Order) == 0 {
			return mismatch(ctx, "RANGE_FRAME_WITHOUT_ORDER", "A RANGE frame needs an ORDER BY.")
		}
		if len(w.Order) != 1 {
			return mismatch(ctx, "RANGE_FRAME_MULTI_ORDER", "A RANGE frame with an offset needs exactly one ORDER BY key, not %d.", len(w.Order))
		}
		if t := w.Order[0].X.Type(); !types.IsNumeric(t) && !isTime(t) && !isInterval(t) {
			return mismatch(ctx, "SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "A RANGE frame needs a number or a time to order by, not %s.", quoteType(t))
		}
		for _, b := range []plan.Bound{f.Start, f.End} {
			if t := w.Order[0].X.Type(); b.X != nil && !rangeOffset(t, b.X.Type()) {
				return mismatch(ctx, "RANGE_FRAME_INVALID_TYPE", "Rows ordered by %s have no distance of %s.", quoteType(t), quoteType(b.X.Type()))
			}
		}
		if f.Start.X != nil && f.End.X != nil && !types.IsNumeric(w.Order[0].X.Type()) && !types.Equal(f.Start.X.Type(), f.End.X.Type()) {
			return mismatch(ctx, "SPECIFIED_WINDOW_FRAME_DIFF_TYPES", "The bounds %q and %q of the frame differ in their types.", SQLName(f.Start.X), SQLName(f.End.X))
		}
	}
	if f.Unit == plan.FrameRange && len(w.Order) == 0 && (f.Start.Kind != plan.UnboundedPreceding || f.End.Kind != plan.UnboundedFollowing) {
		return mismatch(ctx, "RANGE_FRAME_WITHOUT_ORDER", "A RANGE frame needs an ORDER BY.")
	}
	if f.Start.Kind == plan.UnboundedFollowing || f.End.Kind == plan.UnboundedPreceding {
		return mismatch(ctx, "SPECIFIED_WINDOW_FRAME_INVALID_BOUND", "The upper bound of the frame does not follow its lower bound.")
	}
	if f.Unit == plan.FrameRows {
		for _, b := range []plan.Bound{f.Start, f.End} {
			if b.X != nil && !IsFoldable(b.X) {
				return mismatch(ctx, "SPECIFIED_WINDOW_FRAME_WITHOUT_FOLDABLE", "The bound %q of the frame is no constant.", SQLName(b.X))
			}
			if b.X != nil && b.X.Type() != types.Int {
				return mismatch(ctx, "SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "The bound %q of a frame of rows is no INT.", SQLName(b.X))
			}
		}
	}
	if from, to := frameOffset(f.Start), frameOffset(f.End); f.Start.X != nil && f.End.X != nil && from > to {
		return mismatch(ctx, "SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "The lower bound of the frame lies above its upper bound.")
	}
	return nil
}

// negatable tells whether values of type t have a negative; texts are read as numbers.
func negatable(t types.Type) bool {
	return types.IsNumeric(t) || types.IsString(t) || t == types.Void || isInterval(t)
}

// frameOffset is a constant bound's distance from the current row.
func frameOffset(b plan.Bound) int64 {
	if b.X == nil {
		return 0
	}
	k, ok := Eval(b.X)
	if !ok {
		return 0
	}
	n, _ := k.Value.(int64)
	if b.Kind == plan.Preceding {
		return -n
	}
	return n
}

// rangeOffset tells whether keys of type t can be x apart.
func rangeOffset(t, x types.Type) bool {
	dt, days := x.(types.DayTime)
	_, months := x.(types.YearMonth)
	switch t {
	case types.Date:
		return x == types.Int || months || days && dt.From == types.Day && dt.To == types.Day
	case types.Timestamp, types.TimestampNTZ:
		return days || months || x == types.Calendar
	}
	if types.IsNumeric(t) {
		return types.IsNumeric(x) || types.IsString(x)
	}
	_, ok := commonTime(t, x)
	return ok
}
