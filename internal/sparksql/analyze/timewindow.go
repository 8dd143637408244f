package analyze

import (
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

// timeWindow resolves window(ts, width[, slide[, start]]) to the column that a
// TimeWindow below the select will make.
func (a *analyzer) timeWindow(e *ast.Call, s *scope) (plan.Expr, error) {
	if s.times == nil {
		return nil, a.errorf(e.Pos(), "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "window(...) can stand in SELECT and GROUP BY only.")
	}
	if len(e.Args) < 2 || len(e.Args) > 4 {
		return nil, a.errorf(e.Pos(), "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The function `window` takes 2 to 4 arguments, but got %d.", len(e.Args))
	}
	t, err := a.expr(e.Args[0], s)
	if err != nil {
		return nil, err
	}
	ctx := a.fctx(e.Args[0].Pos())
	switch t.Type() {
	case types.Timestamp, types.TimestampNTZ:
	case types.Date, types.String, types.Void:
		t = funcs.CastTo(t, types.Timestamp, ctx)
	default:
		if !isWindow(t.Type()) {
			return nil, a.errorf(e.Args[0].Pos(), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", "window needs a TIMESTAMP as its first argument, not %s.", t.Type().SQL())
		}
		if t, err = funcs.Resolve("window_time", []plan.Expr{t}, ctx); err != nil {
			return nil, err
		}
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
		return nil, a.errorf(e.Pos(), "DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", "42K09", "window needs 0 < slide <= width and a start within one slide.")
	}
	k := key(t) + "|" + itoa(int(w.Width)) + "|" + itoa(int(w.Slide)) + "|" + itoa(int(w.Start))
	if old, ok := s.times.byKey[k]; ok {
		return &plan.Column{Attr: old.Window}, nil
	}
	w.Window = plan.Attr{ID: plan.NewID(), Name: "window", Type: types.Struct{Fields: []types.Field{
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

// node puts the time window over the input of the select.
func (t *timeWindows) node(in plan.Node) plan.Node {
	for _, w := range t.list {
		c := *w
		c.Input = in
		in = &c
	}
	return in
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
		months, us, err := parseIntervalText(v)
		if err != nil || months != 0 {
			return 0, a.errorf(e.Pos(), "CANNOT_PARSE_INTERVAL", "22006", "%q is no duration for a window; write a number and a unit from microsecond to week, as in '5 minutes'.", v)
		}
		return us, nil
	case int64:
		if types.IsIntegral(lit.Typ) {
			return v, nil
		}
	}
	return 0, a.errorf(e.Pos(), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", "window takes durations as text, as in '5 minutes', not %s.", lit.Typ.SQL())
}
