package analyze

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// structure makes a struct of a column's type from the fields of another.
func (s assigner) structure(x plan.Expr, from, to types.Struct, column string, pos sparksql.Pos) (plan.Expr, error) {
	ctx := s.a.fctx(pos)
	source := make([]int, len(to.Fields))
	used := make([]bool, len(from.Fields))
	for i, f := range to.Fields {
		source[i] = i
		if s.byName {
			source[i] = fieldAt(from.Fields, f.Name)
		}
		if source[i] >= 0 && source[i] < len(used) {
			used[source[i]] = true
			continue
		}
		source[i] = -1
		if !s.evolve {
			class, state := "DELTA_INSERT_COLUMN_ARITY_MISMATCH", "42802"
			if s.store == writeOverflow {
				class, state = "DELTA_UPDATE_SCHEMA_MISMATCH_EXPRESSION", "42846"
			}
			return nil, s.a.errorf(pos, class, state, "The value of the column %s lacks the field %s.", quote(column), quote(f.Name))
		}
	}
	for i, u := range used {
		if !u {
			class, state := "DELTA_METADATA_MISMATCH", "42KDG"
			if s.store == writeOverflow {
				class, state = "DELTA_UPDATE_SCHEMA_MISMATCH_EXPRESSION", "42846"
			}
			return nil, s.a.errorf(pos, class, state, "The column %s has no field %s.", quote(column), quote(from.Fields[i].Name))
		}
	}
	args := make([]plan.Expr, 0, len(to.Fields))
	names := make([]string, 0, len(to.Fields))
	for i, f := range to.Fields {
		var v plan.Expr = &plan.Literal{Typ: f.Type}
		part := s
		if part.old = nil; s.old != nil {
			part.old = &plan.Field{X: s.old, Ordinal: i, Name: f.Name, Typ: f.Type, Null: true}
			v = part.old
		}
		if at := source[i]; at >= 0 {
			ff := from.Fields[at]
			v = &plan.Field{X: x, Ordinal: at, Name: ff.Name, Typ: ff.Type, Null: x.Nullable() || ff.Nullable}
			var err error
			if v, err = part.assign(v, f.Type, column+"."+f.Name, pos); err != nil {
				return nil, err
			}
		}
		args, names = append(args, v), append(names, f.Name)
	}
	out, err := funcs.Struct(args, names, ctx)
	if err != nil || !x.Nullable() {
		return out, err
	}
	is, err := funcs.Resolve("is null", []plan.Expr{x}, ctx)
	if err != nil {
		return nil, err
	}
	return &plan.Case{When: []plan.When{{Cond: is, Then: &plan.Literal{Typ: out.Type()}}}, Else: out, Typ: out.Type()}, nil
}

// elements assigns an array or a map part by part, so that structs in it are
// matched as those in columns are; nil for other values, and where the policy
// casts as a whole.
func (s assigner) elements(x plan.Expr, from, to types.Type, column string, pos sparksql.Pos) (plan.Expr, error) {
	if p := strings.ToUpper(s.a.env.Conf["spark.sql.storeAssignmentPolicy"]); p != "" && p != "ANSI" {
		return nil, nil
	}
	ctx := s.a.fctx(pos)
	switch t := to.(type) {
	case types.Array:
		if f, ok := from.(types.Array); ok && s.shaped(f, t) {
			return s.each(x, f, t.Elem, column, pos)
		}
	case types.Map:
		f, ok := from.(types.Map)
		if !ok || !s.shaped(f, t) {
			return nil, nil
		}
		var parts [2]plan.Expr
		for i, part := range []struct {
			fn       string
			from, to types.Type
			null     bool
		}{{"map_keys", f.Key, t.Key, false}, {"map_values", f.Value, t.Value, f.ValueContainsNull}} {
			list, err := funcs.Resolve(part.fn, []plan.Expr{x}, ctx)
			if err != nil {
				return nil, err
			}
			if parts[i] = list; !types.Equal(part.from, part.to) {
				if parts[i], err = s.each(list, types.Array{Elem: part.from, ContainsNull: part.null}, part.to, column, pos); err != nil {
					return nil, err
				}
			}
		}
		return funcs.Resolve("map_from_arrays", parts[:], ctx)
	}
	return nil, nil
}

// shaped tells whether INSERT can assign the structs in an array or a map, whose
// fields must be as many; elsewhere fields go by their names.
func (s assigner) shaped(from, to types.Type) bool {
	if s.store != insertOverflow || s.evolve {
		return true
	}
	switch t := to.(type) {
	case types.Array:
		f, ok := from.(types.Array)
		return !ok || s.shaped(f.Elem, t.Elem)
	case types.Map:
		f, ok := from.(types.Map)
		return !ok || s.shaped(f.Key, t.Key) && s.shaped(f.Value, t.Value)
	case types.Struct:
		f, ok := from.(types.Struct)
		if !ok {
			return true
		}
		if len(f.Fields) != len(t.Fields) {
			return false
		}
		for i := range t.Fields {
			if !s.shaped(f.Fields[i].Type, t.Fields[i].Type) {
				return false
			}
		}
	}
	return true
}

// each assigns the elements of an array.
func (s assigner) each(x plan.Expr, from types.Array, to types.Type, column string, pos sparksql.Pos) (plan.Expr, error) {
	v := &plan.LambdaVar{Name: "e", ID: plan.NewID(), Typ: from.Elem, Null: from.ContainsNull}
	y, err := s.assign(v, to, column, pos)
	if err != nil {
		return nil, err
	}
	return funcs.Resolve("transform", []plan.Expr{x, &plan.Lambda{Params: []*plan.LambdaVar{v}, Body: y}}, s.a.fctx(pos))
}
