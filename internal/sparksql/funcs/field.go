package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// FieldOf is x.name: a field of a STRUCT, that field of each element of an
// ARRAY of STRUCT, or the value of a MAP's key. Names match without case.
func FieldOf(x plan.Expr, name string, ctx Context) (plan.Expr, error) {
	switch t := x.Type().(type) {
	case types.Struct:
		i, err := fieldIndex(t, name, ctx)
		if err != nil {
			return nil, err
		}
		f := t.Fields[i]
		return &plan.Field{X: x, Ordinal: i, Name: name, Typ: f.Type, Null: x.Nullable() || f.Nullable}, nil
	case types.Array:
		s, ok := t.Elem.(types.Struct)
		if !ok { // as x['name'], which no array has
			return Resolve("[]", []plan.Expr{x, litStr(name)}, ctx)
		}
		i, err := fieldIndex(s, name, ctx)
		if err != nil {
			return nil, err
		}
		f := s.Fields[i]
		v := &plan.LambdaVar{Name: "x", ID: plan.NewID(), Typ: s, Null: t.ContainsNull}
		body := &plan.Field{X: v, Ordinal: i, Name: name, Typ: f.Type, Null: t.ContainsNull || f.Nullable}
		return &plan.Call{Fn: "array field", Args: []plan.Expr{x, &plan.Lambda{Params: []*plan.LambdaVar{v}, Body: body}},
			Typ: types.Array{Elem: f.Type, ContainsNull: body.Null}, Null: x.Nullable(), Pos: ctx.Pos}, nil
	case types.Map:
		return Resolve("[]", []plan.Expr{x, litStr(name)}, ctx)
	}
	if x.Type() == types.Void {
		return Resolve("[]", []plan.Expr{x, litStr(name)}, ctx)
	}
	return nil, errf(ctx, "INVALID_EXTRACT_BASE_FIELD_TYPE", "42000",
		"A field cannot be taken from %q: it is %s, and only STRUCT, ARRAY and MAP have fields.", SQLName(x), quoteType(x.Type()))
}

func fieldIndex(s types.Struct, name string, ctx Context) (int, error) {
	found, exact := -1, strings.EqualFold(ctx.Conf["spark.sql.caseSensitive"], "true")
	for i, f := range s.Fields {
		if f.Name != name && (exact || !strings.EqualFold(f.Name, name)) {
			continue
		}
		if found >= 0 {
			return 0, errf(ctx, "AMBIGUOUS_REFERENCE_TO_FIELDS", "42000", "The field %s is there more than once.", quoteName(name))
		}
		found = i
	}
	if found < 0 {
		names := make([]string, len(s.Fields))
		for i, f := range s.Fields {
			names[i] = quoteName(f.Name)
		}
		return 0, errf(ctx, "FIELD_NOT_FOUND", "42704", "There is no field %s in %s.", quoteName(name), strings.Join(names, ", "))
	}
	return found, nil
}
