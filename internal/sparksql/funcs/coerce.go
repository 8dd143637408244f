package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// rule is how far a common type may reach.
type rule struct {
	ansi bool
	// strings allows that a string and another type meet.
	strings bool
	// tight joins decimals with narrower integers only (elements of arrays).
	tight bool
	// implicit is for the casts of a function's arguments, which leave the fields
	// of intervals alone.
	implicit bool
}

// CommonType is the type that set operations, CASE, coalesce, IN and array()
// bring two types to under ANSI; false when there is none.
func CommonType(a, b types.Type) (types.Type, bool) {
	return rule{ansi: true, strings: true}.common(a, b)
}

// Common is CommonType over several types, from the left. Without ansi a string
// wins over everything atomic.
func Common(ts []types.Type, ansi bool) (types.Type, bool) {
	return rule{ansi: ansi, strings: true}.all(ts)
}

// InlineType is the type of a column of VALUES, whatever ANSI says: strings meet
// strings only, and an integer beside a FLOAT is a FLOAT.
func InlineType(ts []types.Type) (types.Type, bool) { return rule{}.all(ts) }

func (r rule) all(ts []types.Type) (types.Type, bool) {
	if len(ts) == 0 {
		return types.Void, true
	}
	out := ts[0]
	for _, t := range ts[1:] {
		var ok bool
		if out, ok = r.common(out, t); !ok {
			return nil, false
		}
	}
	return unChar(out), true
}

func hasString(t types.Type) bool {
	switch t := t.(type) {
	case types.Array:
		return hasString(t.Elem)
	case types.Map:
		return hasString(t.Key) || hasString(t.Value)
	}
	return types.IsString(t)
}

func unChar(t types.Type) types.Type {
	if _, ok := t.(types.Char); ok {
		return types.String
	}
	return t
}

func (r rule) common(a, b types.Type) (types.Type, bool) {
	a, b = unChar(a), unChar(b)
	if types.Equal(a, b) {
		return mergeNull(a, b), true
	}
	if a == types.Void {
		return b, true
	}
	if b == types.Void {
		return a, true
	}
	if t, ok := r.commonNumeric(a, b); ok {
		_, da := a.(types.Decimal)
		_, db := b.(types.Decimal)
		switch {
		case !r.tight:
			return t, true
		case !da && !db:
			return rule{}.commonNumeric(a, b) // a FLOAT and an integer are a FLOAT here
		}
		return t, da != db && (types.Equal(t, a) || types.Equal(t, b)) && !types.IsFloating(t)
	}
	if isInterval(a) && r.implicit {
		return nil, false
	}
	if t, ok := commonTime(a, b); ok {
		return t, true
	}
	if t, ok := commonSpatial(a, b); ok || types.IsSpatial(a) || types.IsSpatial(b) {
		return t, ok
	}
	if types.IsString(a) && types.IsString(b) {
		return commonText(a, b), true
	}
	if types.IsString(a) || types.IsString(b) {
		return r.withString(a, b)
	}
	return r.nested(a, b)
}

// commonText is the type of two texts that differ in their collations: the one
// that has any. Callers have settled which one counts before.
func commonText(a, b types.Type) types.Type {
	x, ok1 := a.(types.Collated)
	_, ok2 := b.(types.Collated)
	switch {
	case ok1 && ok2:
		return types.Collated{Name: types.Indeterminate}
	case ok1:
		return x
	}
	return b
}

func (r rule) withString(a, b types.Type) (types.Type, bool) {
	other := a
	if types.IsString(a) {
		other = b
	}
	if !r.strings || !atomic(other) && other != types.Variant || hasTimes(other) && (r.ansi || other == types.Calendar) {
		return nil, false
	}
	if !r.ansi {
		if other == types.Boolean || other == types.Binary {
			return nil, false
		}
		return types.String, true
	}
	switch {
	case types.IsIntegral(other):
		return types.BigInt, true
	case types.IsNumeric(other):
		return types.Double, true
	}
	return other, true
}

func (r rule) nested(a, b types.Type) (types.Type, bool) {
	switch x := a.(type) {
	case types.Array:
		if y, ok := b.(types.Array); ok {
			e, ok := r.common(x.Elem, y.Elem)
			return types.Array{Elem: e, ContainsNull: x.ContainsNull || y.ContainsNull}, ok
		}
	case types.Map:
		if y, ok := b.(types.Map); ok {
			k, ok1 := r.common(x.Key, y.Key)
			if ok1 && types.IsString(x.Key) != types.IsString(y.Key) && x.Key != types.Void && y.Key != types.Void && !types.IsString(k) {
				ok1 = false // the cast of a text may be NULL, which no key is
			}
			v, ok2 := r.common(x.Value, y.Value)
			return types.Map{Key: k, Value: v, ValueContainsNull: x.ValueContainsNull || y.ValueContainsNull}, ok1 && ok2
		}
	case types.Struct:
		y, ok := b.(types.Struct)
		if !ok || len(x.Fields) != len(y.Fields) {
			return nil, false
		}
		out := types.Struct{Fields: make([]types.Field, len(x.Fields))}
		for i, f := range x.Fields {
			g := y.Fields[i]
			if !strings.EqualFold(f.Name, g.Name) {
				return nil, false
			}
			t, ok := r.common(f.Type, g.Type)
			if !ok {
				return nil, false
			}
			out.Fields[i] = types.Field{Name: f.Name, Type: t, Nullable: f.Nullable || g.Nullable}
		}
		return out, true
	}
	return nil, false
}

// mergeNull joins the nullability of two types that are otherwise equal.
func mergeNull(a, b types.Type) types.Type {
	switch x := a.(type) {
	case types.Array:
		y, _ := b.(types.Array)
		return types.Array{Elem: mergeNull(x.Elem, y.Elem), ContainsNull: x.ContainsNull || y.ContainsNull}
	case types.Map:
		y, _ := b.(types.Map)
		return types.Map{Key: mergeNull(x.Key, y.Key), Value: mergeNull(x.Value, y.Value),
			ValueContainsNull: x.ValueContainsNull || y.ValueContainsNull}
	case types.Struct:
		y, _ := b.(types.Struct)
		out := types.Struct{Fields: make([]types.Field, len(x.Fields))}
		for i, f := range x.Fields {
			g := y.Fields[i]
			out.Fields[i] = types.Field{Name: f.Name, Type: mergeNull(f.Type, g.Type), Nullable: f.Nullable || g.Nullable, Comment: f.Comment}
		}
		return out
	}
	return a
}

// commonNumeric: an integer beside a FLOAT is a DOUBLE under ANSI, else a FLOAT.
func (r rule) commonNumeric(a, b types.Type) (types.Type, bool) {
	if !types.IsNumeric(a) || !types.IsNumeric(b) {
		return nil, false
	}
	da, aDec := a.(types.Decimal)
	db, bDec := b.(types.Decimal)
	switch {
	case aDec && bDec:
		return widerDecimal(da, db), true
	case aDec && types.IsIntegral(b):
		return widerDecimal(da, decimalOf(b)), true
	case bDec && types.IsIntegral(a):
		return widerDecimal(decimalOf(a), db), true
	case aDec || bDec:
		return types.Double, true
	}
	pa, _ := a.(types.Primitive)
	pb, _ := b.(types.Primitive)
	if r.ansi && pa != pb && (pa == types.Float || pb == types.Float) {
		return types.Double, true
	}
	return max(pa, pb), true
}

func commonTime(a, b types.Type) (types.Type, bool) {
	switch x := a.(type) {
	case types.Time:
		if y, ok := b.(types.Time); ok {
			return types.Time{Precision: max(x.Precision, y.Precision)}, true
		}
		return nil, false
	case types.YearMonth:
		if y, ok := b.(types.YearMonth); ok {
			return types.YearMonth{From: min(x.From, y.From), To: max(x.To, y.To)}, true
		}
		return nil, false
	case types.DayTime:
		if y, ok := b.(types.DayTime); ok {
			return types.DayTime{From: min(x.From, y.From), To: max(x.To, y.To)}, true
		}
		return nil, false
	}
	switch {
	case !isTime(a) || !isTime(b):
		return nil, false
	case a == types.Timestamp || b == types.Timestamp:
		return types.Timestamp, true
	case a == types.TimestampNTZ || b == types.TimestampNTZ:
		return types.TimestampNTZ, true
	}
	return types.Date, true
}

func isTime(t types.Type) bool {
	return t == types.Date || t == types.Timestamp || t == types.TimestampNTZ
}

func isInterval(t types.Type) bool {
	switch t.(type) {
	case types.YearMonth, types.DayTime:
		return true
	}
	return false
}

// atomic is neither VOID, VARIANT nor nested.
func atomic(t types.Type) bool {
	switch t.(type) {
	case types.Array, types.Map, types.Struct:
		return false
	}
	return t != types.Void && t != types.Variant
}

// StoreAssignable is ANSI store assignment, which is also what arguments are
// cast by implicitly.
func StoreAssignable(from, to types.Type) bool {
	from, to = unChar(from), unChar(to)
	switch {
	case types.Equal(from, to) || from == types.Void:
		return true
	case types.IsNumeric(from) && types.IsNumeric(to):
		return true
	case types.IsString(to):
		return atomic(from) && !types.IsSpatial(from)
	case isTime(from) && isTime(to):
		return true
	}
	switch x := from.(type) {
	case types.YearMonth:
		_, ok := to.(types.YearMonth)
		return ok
	case types.DayTime:
		_, ok := to.(types.DayTime)
		return ok
	case types.Array:
		y, ok := to.(types.Array)
		return ok && StoreAssignable(x.Elem, y.Elem)
	case types.Map:
		y, ok := to.(types.Map)
		return ok && StoreAssignable(x.Key, y.Key) && StoreAssignable(x.Value, y.Value)
	case types.Struct:
		y, ok := to.(types.Struct)
		if !ok || len(x.Fields) != len(y.Fields) {
			return false
		}
		for i := range x.Fields {
			if !StoreAssignable(x.Fields[i].Type, y.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return false
}

// upCast tells whether every value of from is one of to.
func upCast(from, to types.Type) bool {
	c, ok := rule{ansi: true}.commonNumeric(from, to)
	return ok && types.Equal(c, to)
}

// want is an expected argument type: it gives the type to cast to.
type want struct {
	name string
	to   func(x plan.Expr, ctx Context) (types.Type, bool)
}

// textual tells whether a value of type t may stand for a STRING: without ANSI
// an INTERVAL of the calendar may not.
func textual(t types.Type, ctx Context) bool { return ctx.ANSI || t != types.Calendar }

// exactly wants t; what can be assigned to t, and any string where t is
// atomic, is cast.
func exactly(t types.Type) want {
	return want{name: quoteType(t), to: func(x plan.Expr, ctx Context) (types.Type, bool) {
		from := unChar(x.Type())
		if types.Equal(from, t) {
			return from, true
		}
		if types.IsString(t) && !textual(from, ctx) {
			return nil, false
		}
		return t, StoreAssignable(from, t) || types.IsString(from) && atomic(t) || from == types.Variant && t == types.String
	}}
}

// oneOf takes any of ts; else the first that the argument widens to, a string
// goes to the first.
func oneOf(ts ...types.Type) want {
	names := make([]string, len(ts))
	for i, t := range ts {
		names[i] = quoteType(t)
	}
	name := "(" + strings.Join(names, " or ") + ")"
	return want{name: name, to: func(x plan.Expr, ctx Context) (types.Type, bool) {
		from := unChar(x.Type())
		for _, t := range ts {
			if types.Equal(from, t) {
				return from, true
			}
		}
		if from == types.Void || types.IsString(from) {
			return ts[0], true
		}
		for _, t := range ts {
			if upCast(from, t) || isTime(from) && isTime(t) || t == types.String && textual(from, ctx) && (atomic(from) && !types.IsSpatial(from) || from == types.Variant) {
				return t, true
			}
		}
		return nil, false
	}}
}

// kindOf takes what is accepts; VOID becomes def, a string becomes str (nil: no).
func kindOf(name string, is func(types.Type) bool, def, str types.Type) want {
	return want{name: name, to: func(x plan.Expr, _ Context) (types.Type, bool) {
		t := unChar(x.Type())
		switch {
		case is(t):
			return t, true
		case t == types.Void && def != nil:
			return def, true
		case types.IsString(t) && str != nil:
			return str, true
		}
		return nil, false
	}}
}

func isArray(t types.Type) bool { _, ok := t.(types.Array); return ok }
func isMap(t types.Type) bool   { _, ok := t.(types.Map); return ok }
func isStruct(t types.Type) bool {
	_, ok := t.(types.Struct)
	return ok
}
