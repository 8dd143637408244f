package funcs

import (
	"slices"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func itoa(i int) string { return strconv.Itoa(i) }

func lambdaVar(t types.Type, null bool) plan.LambdaVar { return plan.LambdaVar{Typ: t, Null: null} }

// elemVars are (element) or (element, index).
func elemVars(c *call, i, n int) ([]plan.LambdaVar, error) {
	a, ok := c.args[0].Type().(types.Array)
	if !ok {
		return nil, unexpected(c, 0, `"ARRAY"`)
	}
	if i != 1 {
		return nil, notALambda(c)
	}
	out := []plan.LambdaVar{lambdaVar(a.Elem, a.ContainsNull)}
	if n == 2 {
		out = append(out, lambdaVar(types.Int, false))
	}
	return out, nil
}

func oneElemVar(c *call, i, _ int) ([]plan.LambdaVar, error) {
	vs, err := elemVars(c, i, 1)
	return vs, err
}

func notALambda(c *call) error {
	return errf(c.ctx, noLambda, "42K0D",
		"This argument of %s is not a lambda function.", quoteName(c.d.Name))
}

func entryVars(c *call, i, _ int) ([]plan.LambdaVar, error) {
	m, ok := c.args[0].Type().(types.Map)
	if !ok {
		return nil, unexpected(c, 0, `"MAP"`)
	}
	if i != 1 {
		return nil, notALambda(c)
	}
	return []plan.LambdaVar{lambdaVar(m.Key, false), lambdaVar(m.Value, m.ValueContainsNull)}, nil
}

// body is the lambda at argument i.
func body(c *call, i int) *plan.Lambda {
	if i < len(c.args) {
		if l, ok := c.args[i].(*plan.Lambda); ok {
			return l
		}
	}
	return &plan.Lambda{Body: litNull()}
}

func fitPredicate(c *call) error {
	if t := body(c, 1).Type(); t != types.Boolean && t != types.Void {
		return unexpected(c, 1, `"BOOLEAN"`)
	}
	if l := body(c, 1); l.Type() == types.Void {
		c.args[1] = &plan.Lambda{Params: l.Params, Body: &plan.Literal{Typ: types.Boolean}}
	}
	return nil
}

func fitLambda(*call) error { return nil }

// wrapLambdas takes any other expression in a lambda's place as one that
// ignores its arguments.
func (c *call) wrapLambdas() error {
	for i, x := range c.args {
		if _, ok := x.(*plan.Lambda); ok || i == 0 || x == nil {
			continue
		}
		c.emptyCollections(i)
		vs, err := c.d.vars(c, i, 1)
		if isNoLambda(err) {
			continue
		}
		if err != nil {
			return err
		}
		f := &plan.Lambda{Body: x}
		for j := range vs {
			vs[j].ID = plan.NewID()
			f.Params = append(f.Params, &vs[j])
		}
		c.args[i] = f
	}
	return nil
}

// emptyCollections makes NULL before argument i, where a collection is asked
// for, one without a type, which it may be where no lambda says more.
func (c *call) emptyCollections(i int) {
	var t types.Type = types.Array{Elem: types.Void, ContainsNull: true}
	switch c.d.Name {
	case "aggregate", "reduce":
		return
	case "map_filter", "map_zip_with", "transform_keys", "transform_values":
		t = types.Map{Key: types.Void, Value: types.Void, ValueContainsNull: true}
	}
	for j, x := range c.args[:i] {
		if x.Type() == types.Void {
			c.args[j] = CastTo(x, t, c.ctx)
		}
	}
}

const noLambda = "INVALID_LAMBDA_FUNCTION_CALL.PARAMETER_DOES_NOT_ACCEPT_LAMBDA_FUNCTION"

func isNoLambda(err error) bool { return sparksql.ClassOf(err) == noLambda }

func higher(name string, vars func(c *call, i, n int) ([]plan.LambdaVar, error), fit func(c *call) error, typ func(c *call) types.Type) *Def {
	return &Def{Name: name, Min: 2, Max: 2, vars: vars, fit: fit, typ: typ}
}

func lambdaDefs() []*Def {
	firstNullable := func(c *call) bool { return c.args[0].Nullable() }
	predicateNull := func(c *call) bool { return c.args[0].Nullable() || body(c, 1).Nullable() }
	return []*Def{
		higher("transform", elemVars, fitLambda, func(c *call) types.Type {
			return types.Array{Elem: body(c, 1).Type(), ContainsNull: body(c, 1).Nullable()}
		}),
		higher("filter", elemVars, fitPredicate, argType(0)),
		higher("exists", oneElemVar, fitPredicate, typeIs(types.Boolean)).withNull(predicateNull),
		higher("forall", oneElemVar, fitPredicate, typeIs(types.Boolean)).withNull(predicateNull),
		(&Def{Name: "aggregate", Min: 3, Max: 4, vars: foldVars, fit: fitFold, typ: foldType}).nullable(),
		(&Def{Name: "zip_with", Min: 3, Max: 3, vars: zipVars, fit: fitLambda, typ: func(c *call) types.Type {
			return types.Array{Elem: body(c, 2).Type(), ContainsNull: body(c, 2).Nullable()}
		}}).withNull(func(c *call) bool { return c.args[0].Nullable() || c.args[1].Nullable() }),
		higher("map_filter", entryVars, fitPredicate, argType(0)),
		higher("transform_values", entryVars, fitLambda, func(c *call) types.Type {
			m, _ := c.args[0].Type().(types.Map)
			return types.Map{Key: m.Key, Value: body(c, 1).Type(), ValueContainsNull: body(c, 1).Nullable()}
		}).withNull(firstNullable),
		higher("transform_keys", entryVars, fitLambda, func(c *call) types.Type {
			m, _ := c.args[0].Type().(types.Map)
			return types.Map{Key: body(c, 1).Type(), Value: m.Value, ValueContainsNull: m.ValueContainsNull}
		}).withNull(firstNullable).always().checked(mapKeys),
		(&Def{Name: "map_zip_with", Min: 3, Max: 3, vars: mapZipVars, fit: fitMapZip, typ: func(c *call) types.Type {
			m, _ := c.args[0].Type().(types.Map)
			return types.Map{Key: m.Key, Value: body(c, 2).Type(), ValueContainsNull: body(c, 2).Nullable()}
		}}).withNull(func(c *call) bool { return c.args[0].Nullable() || c.args[1].Nullable() }),
	}
}

// foldVars: merge (acc, element) at 2, finish (acc) at 3.
func foldVars(c *call, i, _ int) ([]plan.LambdaVar, error) {
	a, ok := c.args[0].Type().(types.Array)
	if !ok {
		return nil, unexpected(c, 0, `"ARRAY"`)
	}
	acc := lambdaVar(unChar(c.args[1].Type()), true)
	switch i {
	case 2:
		return []plan.LambdaVar{acc, lambdaVar(a.Elem, a.ContainsNull)}, nil
	case 3:
		return []plan.LambdaVar{acc}, nil
	}
	return nil, notALambda(c)
}

func fitFold(c *call) error {
	if len(c.args) == 3 {
		v := &plan.LambdaVar{Name: "acc", ID: plan.NewID(), Typ: unChar(c.args[1].Type()), Null: true}
		c.args = append(c.args, &plan.Lambda{Params: []*plan.LambdaVar{v}, Body: v})
	}
	merge := body(c, 2)
	acc := unChar(c.args[1].Type())
	if types.Equal(merge.Type(), acc) {
		return nil
	}
	if merge.Type() != types.Void && !sameUpToNames(merge.Type(), acc) {
		return unexpected(c, 2, quoteType(acc))
	}
	c.args[2] = &plan.Lambda{Params: merge.Params, Body: CastTo(merge.Body, acc, c.ctx)}
	return nil
}

// sameUpToNames tells whether two types are equal up to the names of fields and to
// where NULL may stand.
func sameUpToNames(a, b types.Type) bool {
	switch x := a.(type) {
	case types.Array:
		y, ok := b.(types.Array)
		return ok && sameUpToNames(x.Elem, y.Elem)
	case types.Map:
		y, ok := b.(types.Map)
		return ok && sameUpToNames(x.Key, y.Key) && sameUpToNames(x.Value, y.Value)
	case types.Struct:
		y, ok := b.(types.Struct)
		return ok && slices.EqualFunc(x.Fields, y.Fields, func(f, g types.Field) bool { return sameUpToNames(f.Type, g.Type) })
	}
	return types.Equal(a, b)
}

func foldType(c *call) types.Type {
	if len(c.args) == 4 {
		return body(c, 3).Type()
	}
	return unChar(c.args[1].Type())
}

func zipVars(c *call, i, _ int) ([]plan.LambdaVar, error) {
	if i != 2 {
		return nil, notALambda(c)
	}
	for k := range 2 {
		if !isArray(c.args[k].Type()) {
			return nil, unexpected(c, k, `"ARRAY"`)
		}
	}
	return []plan.LambdaVar{lambdaVar(elemOf(c, 0), true), lambdaVar(elemOf(c, 1), true)}, nil
}

func mapZipVars(c *call, i, _ int) ([]plan.LambdaVar, error) {
	if i != 2 {
		return nil, notALambda(c)
	}
	a, ok := c.args[0].Type().(types.Map)
	if !ok {
		return nil, unexpected(c, 0, `"MAP"`)
	}
	b, ok := c.args[1].Type().(types.Map)
	if !ok {
		return nil, unexpected(c, 1, `"MAP"`)
	}
	k, ok := zipKey(c, a, b)
	if !ok {
		return nil, mismatch(c.ctx, "MAP_ZIP_WITH_DIFF_TYPES", "The keys of map_zip_with have no common type: %s and %s.", quoteType(a.Key), quoteType(b.Key))
	}
	return []plan.LambdaVar{lambdaVar(k, false), lambdaVar(a.Value, true), lambdaVar(b.Value, true)}, nil
}

// fitMapZip gives both maps the keys' common type.
func fitMapZip(c *call) error {
	a, ok1 := c.args[0].Type().(types.Map)
	b, ok2 := c.args[1].Type().(types.Map)
	if !ok1 || !ok2 {
		return unexpected(c, 0, `"MAP"`)
	}
	if k, ok := zipKey(c, a, b); ok {
		c.args[0] = CastTo(c.args[0], types.Map{Key: k, Value: a.Value, ValueContainsNull: a.ValueContainsNull}, c.ctx)
		c.args[1] = CastTo(c.args[1], types.Map{Key: k, Value: b.Value, ValueContainsNull: b.ValueContainsNull}, c.ctx)
	}
	return fitLambda(c)
}

// withSortLambda gives array_sort its optional comparator.
func (d *Def) withSortLambda() *Def {
	d.Max = 2
	d.vars = func(c *call, i, _ int) ([]plan.LambdaVar, error) {
		vs, err := elemVars(c, i, 1)
		if err != nil {
			return nil, err
		}
		return append(vs, vs[0]), nil
	}
	// Without a comparator Spark prints its own.
	v := "namedlambdavariable()"
	standard := "lambdafunction((IF(((" + v + " IS NULL) AND (" + v + " IS NULL)), 0, (IF((" + v + " IS NULL), 1, (IF((" + v + " IS NULL), -1, (IF((" +
		v + " < " + v + "), -1, (IF((" + v + " > " + v + "), 1, 0)))))))))), " + v + ", " + v + ")"
	return d.shown(func(_ plan.Expr, a []string) string {
		if len(a) == 1 {
			a = append(a[:1:1], standard)
		}
		return d.Name + "(" + strings.Join(a, ", ") + ")"
	})
}

// fitSort takes a comparator that gives an INT.
func fitSort(c *call) error {
	if !isArray(c.args[0].Type()) {
		return unexpected(c, 0, `"ARRAY"`)
	}
	if len(c.args) > 1 && body(c, 1).Type() != types.Int {
		return mismatch(c.ctx, "UNEXPECTED_RETURN_TYPE", "Cannot resolve %q: the comparator must give an INT, but gives %s.", c.text(), quoteType(body(c, 1).Type()))
	}
	return nil
}

// zipKey is the common type of two maps' keys; without ANSI texts take all.
func zipKey(c *call, a, b types.Map) (types.Type, bool) {
	return rule{ansi: c.ctx.ANSI, strings: !c.ctx.ANSI}.common(a.Key, b.Key)
}
