package gen

import (
	"fmt"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// form is an expression of type t in one of the language's own forms; nil
// where the form drawn does not give t.
func (s *scope) form(t types.Type, depth int) *Expr {
	switch s.r.IntN(7) {
	case 0:
		return s.cast(t, depth)
	case 1:
		return join(t, []string{"CASE WHEN ", " THEN ", " ELSE ", " END"}, s.of(types.Boolean, depth-1), s.of(t, depth-1), s.of(t, depth-1))
	case 2:
		k := pick(s.r, s.g.pool[:11]).typ
		return join(t, []string{"CASE ", " WHEN ", " THEN ", " WHEN ", " THEN ", " END"},
			s.of(k, depth-1), s.of(k, depth-1), s.of(t, depth-1), s.of(k, 0), s.of(t, 0))
	case 3:
		return s.part(t, depth)
	case 4:
		return s.time(t, depth)
	}
	return s.higher(t, depth)
}

func (s *scope) cast(t types.Type, depth int) *Expr {
	from := pick(s.r, s.g.pool).typ
	how := pick(s.r, []string{"CAST(", "CAST(", "try_cast("})
	return join(t, []string{how, " AS " + t.SQL() + ")"}, s.of(from, depth-1))
}

// part takes a field or an element.
func (s *scope) part(t types.Type, depth int) *Expr {
	array := func(e types.Type) types.Type { return types.Array{Elem: e, ContainsNull: true} }
	switch {
	case types.Equal(t, types.Int):
		switch s.r.IntN(4) {
		case 0:
			return leaf(t, "st.a")
		case 1:
			return join(t, []string{"mi[", "]"}, s.of(types.String, depth-1))
		case 2:
			unit := pick(s.r, []string{"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "DOW", "WEEK", "QUARTER"})
			at := pick(s.r, []types.Type{types.Timestamp, types.Date, types.TimestampNTZ})
			return join(t, []string{"extract(" + unit + " FROM ", ")"}, s.of(at, depth-1))
		}
		return join(t, []string{"", "[", "]"}, s.of(array(t), depth-1), leaf(types.Int, pick(s.r, []string{"0", "1", "2", "-1"})))
	case types.Equal(t, types.String):
		if s.r.IntN(3) == 0 {
			return leaf(t, "st.b")
		}
		return join(t, []string{pick(s.r, []string{"trim(BOTH 'a' FROM ", "trim(", "trim(LEADING FROM "}), ")"}, s.of(t, depth-1))
	}
	return nil
}

// time is arithmetic of dates and intervals.
func (s *scope) time(t types.Type, depth int) *Expr {
	days := leaf(nil, pick(s.r, []string{"INTERVAL '1' DAY", "INTERVAL '2 03:00' DAY TO MINUTE", "INTERVAL '90' SECOND"}))
	months := leaf(nil, pick(s.r, []string{"INTERVAL '1' MONTH", "INTERVAL '-13' MONTH", "INTERVAL '1' YEAR"}))
	sign := pick(s.r, []string{" + ", " - "})
	unit := pick(s.r, []string{"MONTH", "DAY", "HOUR", "SECOND", "QUARTER", "YEAR", "WEEK"})
	switch t {
	case types.Timestamp, types.TimestampNTZ:
		if s.r.IntN(3) == 0 {
			return join(t, []string{"timestampadd(" + unit + ", ", ", ", ")"}, s.of(types.Int, 0), s.of(t, depth-1))
		}
		return join(t, []string{"(", sign, ")"}, s.of(t, depth-1), pick(s.r, []*Expr{days, months}))
	case types.Date:
		return join(t, []string{"(", sign, ")"}, s.of(t, depth-1), pick(s.r, []*Expr{months, s.of(types.Int, 0)}))
	case types.BigInt:
		return join(t, []string{"timestampdiff(" + unit + ", ", ", ", ")"}, s.of(types.Timestamp, depth-1), s.of(types.Timestamp, depth-1))
	}
	if d, ok := t.(types.DayTime); ok {
		switch s.r.IntN(3) {
		case 0:
			at := pick(s.r, []types.Type{types.Timestamp, types.TimestampNTZ})
			return join(d, []string{"(", " - ", ")"}, s.of(at, depth-1), s.of(at, depth-1))
		case 1:
			return join(d, []string{"(", pick(s.r, []string{" * ", " / "}), ")"}, s.of(d, depth-1), s.of(pick(s.r, s.g.pool[1:8]).typ, 0))
		}
		return join(d, []string{"(", sign, ")"}, s.of(d, depth-1), s.of(d, 0))
	}
	if y, ok := t.(types.YearMonth); ok {
		return join(y, []string{"(", pick(s.r, []string{" * ", " / "}), ")"}, s.of(y, depth-1), s.of(pick(s.r, s.g.pool[1:8]).typ, 0))
	}
	return nil
}

// variable is a scope with one more name, for the body of a lambda.
func (s *scope) variable(t types.Type) (string, *scope) {
	in := *s
	in.vars++
	name := fmt.Sprintf("x%d", in.vars)
	in.cols = append([]Column{{name, t}, {name, t}}, s.cols...)
	return name, &in
}

// higher is a higher order function.
func (s *scope) higher(t types.Type, depth int) *Expr {
	elems := []types.Type{types.Int, types.String, types.Double}
	e := pick(s.r, elems)
	list := types.Array{Elem: e, ContainsNull: true}
	x, in := s.variable(e)
	body := func(of types.Type) *Expr { return in.of(of, min(depth-1, 2)) }
	pairs := types.Map{Key: types.String, Value: types.Int, ValueContainsNull: true}
	switch out := t.(type) {
	case types.Array:
		switch s.r.IntN(3) {
		case 0:
			x, in := s.variable(out.Elem)
			return join(t, []string{"filter(", ", " + x + " -> ", ")"}, s.of(t, depth-1), in.of(types.Boolean, min(depth-1, 2)))
		case 1:
			y, in2 := in.variable(e)
			return join(t, []string{"zip_with(", ", ", ", (" + x + ", " + y + ") -> ", ")"}, s.of(list, depth-1), s.of(list, 0), in2.of(out.Elem, min(depth-1, 2)))
		}
		return join(t, []string{"transform(", ", " + x + " -> ", ")"}, s.of(list, depth-1), body(out.Elem))
	case types.Map:
		k, in1 := s.variable(types.String)
		v, in2 := in1.variable(types.Int)
		switch s.r.IntN(3) {
		case 0:
			return join(t, []string{"map_filter(", ", (" + k + ", " + v + ") -> ", ")"}, s.of(pairs, depth-1), in2.of(types.Boolean, min(depth-1, 2)))
		case 1:
			return join(t, []string{"transform_keys(", ", (" + k + ", " + v + ") -> ", ")"}, s.of(pairs, depth-1), in2.of(types.String, 1))
		}
		return join(t, []string{"transform_values(", ", (" + k + ", " + v + ") -> ", ")"}, s.of(pairs, depth-1), in2.of(types.Int, min(depth-1, 2)))
	}
	if t == types.Boolean {
		f := pick(s.r, []string{"exists(", "forall("})
		return join(t, []string{f, ", " + x + " -> ", ")"}, s.of(list, depth-1), body(types.Boolean))
	}
	if s.r.IntN(2) == 0 {
		return nil
	}
	acc, in2 := in.variable(t)
	return join(t, []string{"aggregate(", ", ", ", (" + acc + ", " + x + ") -> ", ")"}, s.of(list, depth-1), s.of(t, 0), in2.of(t, min(depth-1, 2)))
}
