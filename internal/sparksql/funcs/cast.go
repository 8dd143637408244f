package funcs

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// CastTo casts x implicitly; x itself when its type is to already. It does not
// ask whether the cast is legal: callers took to from a common type or a
// function's signature.
func CastTo(x plan.Expr, to types.Type, ctx Context) plan.Expr {
	from := x.Type()
	if types.Equal(from, to) {
		return x
	}
	if l, ok := x.(*plan.Literal); ok && l.Value == nil {
		return &plan.Literal{Typ: to}
	}
	if _, ok := to.(types.Collated); ok { // a literal takes the collation on, and says so
		if l, ok := x.(*plan.Literal); ok && types.IsString(from) {
			return &plan.Literal{Value: l.Value, Typ: to}
		}
	}
	c := newCast(x, to, ctx.CastMode(), ctx)
	c.Implicit = true
	return c
}

func newCast(x plan.Expr, to types.Type, mode plan.CastMode, ctx Context) *plan.Cast {
	c := &plan.Cast{X: x, To: to, Mode: mode, Pos: ctx.Pos, Null: x.Nullable()}
	if castNeedsZone(x.Type(), to) {
		c.TimeZone = ctx.zone()
	}
	switch {
	case x.Type() == types.Void || x.Type() == types.Variant || to == types.Calendar:
		c.Null = true
	case mode != plan.CastANSI && !alwaysFits(x.Type(), to):
		c.Null = true
	case types.IsFloating(x.Type()):
		if _, ok := to.(types.Decimal); ok {
			c.Null = true
		}
	}
	return c
}

// alwaysFits tells whether no value of from becomes NULL as to.
func alwaysFits(from, to types.Type) bool {
	return types.Equal(from, to) || types.IsString(to) && atomic(from) || upCast(from, to) || isTime(from) && isTime(to)
}

func castNeedsZone(from, to types.Type) bool {
	switch {
	case types.Equal(from, to):
		return false
	case from == types.Variant || to == types.Variant:
		return true
	case from == types.Timestamp:
		return !types.IsNumeric(to)
	case to == types.Timestamp:
		return !types.IsNumeric(from)
	}
	switch f := from.(type) {
	case types.Array:
		t, ok := to.(types.Array)
		return types.IsString(to) && castNeedsZone(f.Elem, to) || ok && castNeedsZone(f.Elem, t.Elem)
	case types.Map:
		t, ok := to.(types.Map)
		return types.IsString(to) && (castNeedsZone(f.Key, to) || castNeedsZone(f.Value, to)) ||
			ok && (castNeedsZone(f.Key, t.Key) || castNeedsZone(f.Value, t.Value))
	case types.Struct:
		t, ok := to.(types.Struct)
		for i, fd := range f.Fields {
			if types.IsString(to) && castNeedsZone(fd.Type, to) || ok && i < len(t.Fields) && castNeedsZone(fd.Type, t.Fields[i].Type) {
				return true
			}
		}
	}
	return false
}

// CanCast tells whether CAST(from AS to) is legal.
func CanCast(from, to types.Type, ansi bool) bool {
	from, to = types.Collate(unChar(from), ""), types.Collate(unChar(to), "")
	switch {
	case types.Equal(from, to) || from == types.Void:
		return true
	case types.IsSpatial(from) || types.IsSpatial(to):
		return canCastSpatial(from, to)
	case to == types.String:
		return !types.Contains(from, types.IsSpatial)
	case from == types.Variant:
		return fromVariant(to)
	case to == types.Variant:
		return toVariant(from)
	}
	if nested, ok := canCastNested(from, to, ansi); nested {
		return ok
	}
	if ok, known := canCastTime(from, to); known {
		return ok
	}
	text := from == types.String
	fromNum, toNum := types.IsNumeric(from), types.IsNumeric(to)
	switch {
	case fromNum && toNum, text && toNum, from == types.Boolean && toNum:
		return true
	case to == types.Boolean:
		return text || fromNum || !ansi && (from == types.Date || from == types.Timestamp)
	case to == types.Binary:
		return text || !ansi && types.IsIntegral(from)
	case to == types.Timestamp:
		return text || isTime(from) || fromNum || !ansi && from == types.Boolean
	case to == types.TimestampNTZ || to == types.Date:
		return text || isTime(from)
	case from == types.Timestamp && toNum:
		return true
	case from == types.Date && toNum:
		return !ansi
	}
	return canCastInterval(from, to)
}

// canCastTime knows the casts from and to TIME.
func canCastTime(from, to types.Type) (ok, known bool) {
	_, f := from.(types.Time)
	_, t := to.(types.Time)
	switch {
	case f && t:
		return true, true
	case f:
		return types.IsNumeric(to) && !types.IsFloating(to), true
	case t:
		return from == types.String, true
	}
	return false, false
}

// timeOff is the error of a cast to TIME, or of sums with it, where the session
// has it off.
func timeOff(ctx Context, ts ...types.Type) error {
	if strings.EqualFold(ctx.Conf["spark.sql.timeType.enabled"], "true") || !slices.ContainsFunc(ts, isClock) {
		return nil
	}
	return errf(ctx, "UNSUPPORTED_TIME_TYPE", "0A000", "The data type TIME is not supported here; `SET spark.sql.timeType.enabled = true` allows it.")
}

func canCastNested(from, to types.Type, ansi bool) (nested, ok bool) {
	switch x := from.(type) {
	case types.Array:
		y, ok := to.(types.Array)
		return true, ok && CanCast(x.Elem, y.Elem, ansi) && (y.ContainsNull || !x.ContainsNull)
	case types.Map:
		y, ok := to.(types.Map)
		return true, ok && CanCast(x.Key, y.Key, ansi) && (ansi || alwaysFits(x.Key, y.Key) || types.IsIntegral(x.Key) && types.IsIntegral(y.Key)) && CanCast(x.Value, y.Value, ansi) &&
			(y.ValueContainsNull || !x.ValueContainsNull)
	case types.Struct:
		y, ok := to.(types.Struct)
		if !ok || len(x.Fields) != len(y.Fields) {
			return true, false
		}
		for i, f := range x.Fields {
			if !CanCast(f.Type, y.Fields[i].Type, ansi) || f.Nullable && !y.Fields[i].Nullable {
				return true, false
			}
		}
		return true, true
	}
	return !atomic(to), false
}

func canCastInterval(from, to types.Type) bool {
	num := func(t types.Type) bool { return types.IsNumeric(t) && !types.IsFloating(t) }
	switch from.(type) {
	case types.YearMonth:
		_, ok := to.(types.YearMonth)
		return ok || num(to)
	case types.DayTime:
		_, ok := to.(types.DayTime)
		return ok || num(to)
	}
	if isInterval(to) {
		return types.IsString(from) || num(from)
	}
	return to == types.Calendar && types.IsString(from)
}

// ExplicitCast is CAST (mode ctx.CastMode()) or TRY_CAST (plan.CastTry).
func ExplicitCast(x plan.Expr, to types.Type, mode plan.CastMode, ctx Context) (plan.Expr, error) {
	ansi := mode != plan.CastLegacy
	to = unChar(to)
	if err := timeOff(ctx, to); err != nil {
		return nil, err
	}
	if !CanCast(x.Type(), to, ansi) || mode == plan.CastTry && !keysFit(x.Type(), to) {
		if from := x.Type(); ansi && (from == types.Date && types.IsNumeric(to) || to == types.Date && types.IsNumeric(from)) {
			return nil, mismatch(ctx, "CAST_WITH_FUNC_SUGGESTION", "%s cannot be cast to %s. Use unix_date or date_from_unix_date.", quoteType(from), quoteType(to))
		}
		if mode == plan.CastANSI && CanCast(x.Type(), to, false) {
			return nil, mismatch(ctx, "CAST_WITH_CONF_SUGGESTION",
				"%s cannot be cast to %s with ANSI mode on.", quoteType(x.Type()), quoteType(to))
		}
		return nil, mismatch(ctx, "CAST_WITHOUT_SUGGESTION", "%s cannot be cast to %s.", quoteType(x.Type()), quoteType(to))
	}
	return newCast(x, to, mode, ctx), nil
}

// keysFit tells whether no key of a MAP in from may be NULL as one of to, which
// TRY_CAST makes of what does not fit.
func keysFit(from, to types.Type) bool {
	switch x := from.(type) {
	case types.Array:
		y, ok := to.(types.Array)
		return !ok || keysFit(x.Elem, y.Elem)
	case types.Map:
		y, ok := to.(types.Map)
		return !ok || (alwaysFits(x.Key, y.Key) || types.IsIntegral(x.Key) && types.IsIntegral(y.Key)) && keysFit(x.Key, y.Key) && keysFit(x.Value, y.Value)
	case types.Struct:
		y, ok := to.(types.Struct)
		if !ok {
			return true
		}
		for i, f := range x.Fields {
			if i < len(y.Fields) && !keysFit(f.Type, y.Fields[i].Type) {
				return false
			}
		}
	}
	return true
}

// StoreAssign casts x to a column's declared type, as a write does: always the
// ANSI cast, whatever can be cast at all.
func StoreAssign(x plan.Expr, to types.Type, ctx Context) (plan.Expr, error) {
	if types.Equal(x.Type(), to) {
		return x, nil
	}
	to = unChar(to)
	if !CanCast(x.Type(), nullableInside(to), true) {
		return nil, errf(ctx, "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000",
			"%s cannot be written to a column of type %s.", quoteType(x.Type()), quoteType(to))
	}
	ctx.ANSI = true
	return CastTo(x, to, ctx), nil
}

// nullableInside is t with every nested value nullable.
func nullableInside(t types.Type) types.Type {
	switch t := t.(type) {
	case types.Array:
		return types.Array{Elem: nullableInside(t.Elem), ContainsNull: true}
	case types.Map:
		return types.Map{Key: nullableInside(t.Key), Value: nullableInside(t.Value), ValueContainsNull: true}
	case types.Struct:
		out := types.Struct{Fields: make([]types.Field, len(t.Fields))}
		for i, f := range t.Fields {
			out.Fields[i] = types.Field{Name: f.Name, Type: nullableInside(f.Type), Nullable: true}
		}
		return out
	}
	return t
}

// Condition checks that x may stand as the condition of what: WHERE, HAVING,
// JOIN, CASE, ... .
func Condition(x plan.Expr, what string, ctx Context) (plan.Expr, error) {
	if x.Type() == types.Boolean {
		return x, nil
	}
	switch what {
	case "JOIN", "ON":
		return nil, errf(ctx, "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE", "42K0E",
			"The join condition %q has the type %s, expected BOOLEAN.", SQLName(x), quoteType(x.Type()))
	case "CASE":
		return nil, mismatch(ctx, "UNEXPECTED_INPUT_TYPE",
			"The condition %q of CASE WHEN has the type %s, expected BOOLEAN.", SQLName(x), quoteType(x.Type()))
	}
	return nil, mismatch(ctx, "FILTER_NOT_BOOLEAN", "The condition %q of %s has the type %s, expected BOOLEAN.",
		SQLName(x), what, quoteType(x.Type()))
}

// Case makes CASE WHEN; els nil is NULL.
func Case(when []plan.When, els plan.Expr, ctx Context) (plan.Expr, error) {
	var ts []types.Type
	out := &plan.Case{}
	for _, w := range when {
		cond, err := Condition(w.Cond, "CASE", ctx)
		if err != nil {
			return nil, err
		}
		out.When = append(out.When, plan.When{Cond: cond, Then: w.Then})
		ts = append(ts, w.Then.Type())
	}
	if els == nil {
		els, out.Open = &plan.Literal{Typ: types.Void}, true
	}
	ts = append(ts, els.Type())
	t, ok := Common(ts, ctx.ANSI)
	if ok && slices.ContainsFunc(ts, types.HasCollation) {
		values := []plan.Expr{els}
		for _, w := range when {
			values = append(values, w.Then)
		}
		one, err := meet("coalesce", values, ctx)
		if err != nil {
			return nil, err
		}
		t = types.Collate(t, one.name)
	}
	if !ok {
		return nil, mismatch(ctx, "DATA_DIFF_TYPES", "The branches of CASE have no common type: %s.", typeList(ts))
	}
	for i := range out.When {
		out.When[i].Then = CastTo(out.When[i].Then, t, ctx)
	}
	out.Else, out.Typ = CastTo(els, t, ctx), t
	return out, nil
}

func typeList(ts []types.Type) string {
	texts := make([]string, len(ts))
	for i, t := range ts {
		texts[i] = quoteType(t)
	}
	return strings.Join(texts, ", ")
}
