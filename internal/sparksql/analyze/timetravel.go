package analyze

import (
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// timeTravel is what VERSION AS OF or TIMESTAMP AS OF behind a table says.
func (a *analyzer) timeTravel(t *ast.TableName) (TimeTravel, error) {
	var at TimeTravel
	var err error
	if t.Version != nil {
		if at.Version, err = a.version(t.Version); err != nil {
			return at, err
		}
	}
	if t.Timestamp != nil {
		at.Timestamp, err = a.travelTime(t.Timestamp)
	}
	return at, err
}

// version is the number of VERSION AS OF, which may be a text.
func (a *analyzer) version(x ast.Expr) (*int64, error) {
	lit, ok := x.(*ast.Literal)
	text := ""
	if ok {
		text = lit.Text
		if s, ok := lit.Value.(string); ok {
			text = s
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err == nil:
		return &v, nil
	case ok && (lit.Type == types.String || strings.Trim(lit.Text, "0123456789") == ""):
		return nil, a.errorf(x.Pos(), "DELTA_TIME_TRAVEL_INVALID_BEGIN_VALUE", "42604", "VERSION AS OF takes a version number.")
	}
	return nil, a.errorf(x.Pos(), "INVALID_TIME_TRAVEL_VERSION", "42K0E", "VERSION AS OF takes a version number.")
}

// specialTimes are words that stand for a time in literals only.
var specialTimes = map[string]bool{"epoch": true, "now": true, "today": true, "tomorrow": true, "yesterday": true}

// travelTime is the time of TIMESTAMP AS OF: any expression without columns.
func (a *analyzer) travelTime(e ast.Expr) (*time.Time, error) {
	x, err := a.expr(e, &scope{place: a.place()})
	if strings.HasPrefix(sparksql.ClassOf(err), "UNRESOLVED_COLUMN") {
		return nil, a.errorf(e.Pos(), "_LEGACY_ERROR_TEMP_0056", "", "TIMESTAMP AS OF cannot use columns.")
	}
	if err != nil {
		return nil, err
	}
	if volatile(x) {
		return nil, a.errorf(e.Pos(), "INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.NON_DETERMINISTIC", "42K0E", "TIMESTAMP AS OF takes a constant time.")
	}
	switch x.Type().(type) {
	case types.DayTime, types.YearMonth:
		return nil, a.errorf(e.Pos(), "INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.INPUT", "42K0E", "TIMESTAMP AS OF takes a time, not %s.", x.Type().SQL())
	}
	if t := x.Type(); types.IsNumeric(t) && !types.IsIntegral(t) { // seconds with a fraction
		if x, err = funcs.ExplicitCast(x, types.Timestamp, plan.CastLegacy, a.fctx(e.Pos())); err != nil {
			return nil, err
		}
	}
	lit, err := a.computed(x)
	if err != nil {
		return nil, err
	}
	if lit == nil || lit.Value == nil {
		return nil, a.errorf(e.Pos(), "INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.INPUT", "42K0E", "TIMESTAMP AS OF takes a constant time.")
	}
	us, ok := int64(0), false
	switch v := lit.Value.(type) {
	case string:
		if specialTimes[strings.ToLower(strings.TrimSpace(v))] {
			break
		}
		us, ok = funcs.TimeOfText(v, types.Timestamp, a.env.Now, a.zone())
	case int64:
		us, ok = v, true
		switch {
		case lit.Typ == types.Date:
			us = v * 86400e6
		case types.IsIntegral(lit.Typ): // seconds
			us = v * 1e6
		}
	}
	if !ok {
		return nil, a.errorf(e.Pos(), "INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.INPUT", "42K0E", "TIMESTAMP AS OF takes a time.")
	}
	tm := time.UnixMicro(us).UTC()
	return &tm, nil
}

// computed is the value of an expression without columns; nil where it has
// none that a constant can hold.
func (a *analyzer) computed(x plan.Expr) (*plan.Literal, error) {
	if lit, ok := funcs.Eval(x); ok {
		return lit, nil
	}
	if a.env.Compute == nil {
		return nil, nil
	}
	row, err := a.env.Compute(a.ctx, a.one([]plan.Expr{x}, []string{"value"}))
	if err != nil || len(row) != 1 {
		return nil, err
	}
	lit, _ := row[0].(*plan.Literal)
	return lit, nil
}
