package analyze

import (
	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// timeWindows collects the window(...) calls of one SELECT; equal ones are one.
type timeWindows struct {
	byKey map[string]*plan.TimeWindow
	list  []*plan.TimeWindow
}

// windowTime resolves the time of a window.
func (a *analyzer) windowTime(e ast.Expr, s *scope) (plan.Expr, error) {
	t, err := a.expr(e, s)
	if err != nil {
		return nil, err
	}
	ctx := a.fctx(e.Pos())
	switch t.Type() {
	case types.Timestamp, types.TimestampNTZ:
		return t, nil
	case types.Date, types.String, types.Void:
		return funcs.CastTo(t, types.Timestamp, ctx), nil
	}
	if !isWindow(t.Type()) {
		return nil, a.errorf(e.Pos(), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", "window needs a TIMESTAMP as its first argument, not %s.", t.Type().SQL())
	}
	return funcs.Resolve("window_time", []plan.Expr{t}, ctx)
}

// sessionWindow resolves session_window(ts, gap).
func (a *analyzer) sessionWindow(e *ast.Call, s *scope) (plan.Expr, error) {
	if s.times == nil {
		return nil, a.errorf(e.Pos(), "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "session_window(...) can stand in SELECT and GROUP BY only.")
	}
	if len(e.Args) != 2 {
		return nil, a.errorf(e.Pos(), "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The function `session_window` takes 2 arguments, but got %d.", len(e.Args))
	}
	t, err := a.windowTime(e.Args[0], s)
	if err != nil {
		return nil, err
	}
	w := &plan.TimeWindow{Time: t, Session: true}
	if err := a.gap(w, e.Args[1], s); err != nil {
		return nil, err
	}
	return a.addWindow(w, "session_window", e, s)
}

// gap reads the gap of a session: a constant without months in microseconds,
// anything else as what is added to a row's time. A text that is no interval
// counts as NULL, and such rows have no session.
func (a *analyzer) gap(w *plan.TimeWindow, e ast.Expr, s *scope) error {
	x, err := a.expr(e, s)
	if err != nil {
		return err
	}
	ctx := a.fctx(e.Pos())
	switch t := x.Type(); {
	case types.IsString(t), t == types.Void:
		if lit, ok := funcs.Eval(x); ok {
			if v, ok := lit.Value.(string); ok {
				if c, ok := cast.ParseCalendar([]byte(v)); ok && c.Months == 0 {
					w.Width = int64(c.Days)*unitMicros["day"] + c.Micros
					return nil
				}
			}
		}
		if x, err = funcs.ExplicitCast(x, types.Calendar, plan.CastTry, ctx); err != nil {
			return err
		}
	case t == types.Calendar:
	default:
		return a.errorf(e.Pos(), "_LEGACY_ERROR_TEMP_1040", "", "session_window takes its gap as text or as a calendar interval, not as %s.", t.SQL()).hint("Write it as in '5 minutes'.")
	}
	w.End, err = funcs.Resolve("+", []plan.Expr{w.Time, x}, ctx)
	return err
}

// timeWindow resolves window(ts, width[, slide[, start]]) to the column that a
// TimeWindow below the select will make.
func (a *analyzer) timeWindow(e *ast.Call, s *scope) (plan.Expr, error) {
	if s.times == nil {
		return nil, a.errorf(e.Pos(), "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "window(...) can stand in SELECT and GROUP BY only.")
	}
	if len(e.Args) < 2 || len(e.Args) > 4 {
		return nil, a.errorf(e.Pos(), "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The function `window` takes 2 to 4 arguments, but got %d.", len(e.Args))
	}
	t, err := a.windowTime(e.Args[0], s)
	if err != nil {
		return nil, err
	}
	w := &plan.TimeWindow{Time: t}
	durations := []*int64{&w.Width, &w.Slide, &w.Start}
	for i, arg := range e.Args[1:] {
		if *durations[i], err = a.duration(arg, s); err != nil {
			return nil, err
		}
	}
	if len(e.Args) == 2 {
		w.Slide = w.Width
	}
	if w.Width <= 0 || w.Slide <= 0 || w.Slide > w.Width || w.Start >= w.Slide || -w.Start >= w.Slide {
		if w.Width <= 0 || w.Slide <= 0 {
			return nil, a.errorf(e.Pos(), "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", "The width and the slide of a window must be greater than 0.")
		}
		return nil, a.errorf(e.Pos(), "DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", "42K09", "window needs 0 < slide <= width and a start within one slide.")
	}
	return a.addWindow(w, "window", e, s)
}

// addWindow gives the column of a window, the same for equal windows.
func (a *analyzer) addWindow(w *plan.TimeWindow, name string, e *ast.Call, s *scope) (plan.Expr, error) {
	t := w.Time
	k := name + key(t) + "|" + itoa(int(w.Width)) + "|" + itoa(int(w.Slide)) + "|" + itoa(int(w.Start))
	if w.End != nil {
		k += "|" + key(w.End)
	}
	if old, ok := s.times.byKey[k]; ok {
		return &plan.Column{Attr: old.Window}, nil
	}
	w.Window = plan.Attr{ID: plan.NewID(), Name: name, Type: types.Struct{Fields: []types.Field{
		{Name: "start", Type: t.Type(), Nullable: true}, {Name: "end", Type: t.Type(), Nullable: true}}}}
	if c, ok := t.(*plan.Column); ok {
		w.Window.EventTime = c.Attr.EventTime
	}
	if len(s.times.list) > 0 {
		return nil, a.errorf(e.Pos(), "UNSUPPORTED_FEATURE.MULTIPLE_TIME_WINDOWS", "0A000", "One query can have one time window only.")
	}
	if s.times.byKey == nil {
		s.times.byKey = map[string]*plan.TimeWindow{}
	}
	s.times.byKey[k] = w
	s.times.list = append(s.times.list, w)
	return &plan.Column{Attr: w.Window}, nil
}

func isWindow(t types.Type) bool {
	st, ok := t.(types.Struct)
	return ok && len(st.Fields) == 2 && st.Fields[0].Name == "start" && st.Fields[1].Name == "end"
}

// windowNodes puts the time window over the input of the select.
func (a *analyzer) windowNodes(sel *selection) error {
	for _, w := range sel.scope.times.list {
		c := *w
		c.Input = sel.node
		if c.Session {
			for _, s := range plan.Scans(sel.node) {
				if s.Streaming {
					return a.errorf(sel.ast.Pos(), "UNSUPPORTED_FEATURE.SESSION_WINDOW", "0A000", "session_window over a stream is not supported.").
						hint("Use window(...), or a materialized view.")
				}
			}
			if sel.group == nil {
				n, err := a.singleSessions(&c, sel)
				if err != nil {
					return err
				}
				sel.node = n
				continue
			}
			for _, k := range sel.group.keys {
				if col, ok := k.X.(*plan.Column); !ok || col.Attr.ID != c.Window.ID {
					c.Partition = append(c.Partition, k.X)
				}
			}
		}
		sel.node = &c
	}
	return nil
}

// singleSessions makes a session of each row, where nothing is grouped.
func (a *analyzer) singleSessions(w *plan.TimeWindow, sel *selection) (plan.Node, error) {
	ctx := a.fctx(sel.ast.Pos())
	end, err := w.End, error(nil)
	if end == nil {
		gap := &plan.Literal{Value: w.Width, Typ: types.DayTime{From: types.Day, To: types.Second}}
		if end, err = funcs.Resolve("+", []plan.Expr{w.Time, gap}, ctx); err != nil {
			return nil, err
		}
	}
	session, err := funcs.Resolve("named_struct", []plan.Expr{text("start"), w.Time, text("end"), end}, ctx)
	if err != nil {
		return nil, err
	}
	given, err := funcs.Resolve(">", []plan.Expr{end, w.Time}, ctx)
	if err != nil {
		return nil, err
	}
	p := &plan.Project{Input: &plan.Filter{Input: w.Input, Cond: given}}
	for _, at := range w.Input.Output() {
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: at}, Attr: at})
	}
	p.Exprs = append(p.Exprs, plan.NamedExpr{X: session, Attr: w.Window})
	return p, nil
}

// duration reads a constant like '5 minutes' in microseconds.
func (a *analyzer) duration(e ast.Expr, s *scope) (int64, error) {
	x, err := a.expr(e, &scope{place: s.place})
	if err != nil {
		return 0, err
	}
	lit, ok := funcs.Eval(x)
	if !ok {
		return 0, a.errorf(e.Pos(), "NON_FOLDABLE_ARGUMENT", "42K08", "window needs constant durations.")
	}
	switch v := lit.Value.(type) {
	case string:
		c, ok := cast.ParseCalendar([]byte(v))
		if !ok || c.Months != 0 {
			return 0, a.errorf(e.Pos(), "CANNOT_PARSE_INTERVAL", "22006", "%q is no duration for a window; write a number and a unit from microsecond to week, as in '5 minutes'.", v)
		}
		return int64(c.Days)*unitMicros["day"] + c.Micros, nil
	case int64:
		if types.IsIntegral(lit.Typ) {
			return v, nil
		}
	}
	return 0, a.errorf(e.Pos(), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", "window takes durations as text, as in '5 minutes', not %s.", lit.Typ.SQL())
}
