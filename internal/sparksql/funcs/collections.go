package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func elemOf(c *call, i int) types.Type {
	a, _ := c.args[i].Type().(types.Array)
	if a.Elem == nil {
		return types.Void
	}
	return a.Elem
}

func containsNull(c *call, i int) bool {
	a, _ := c.args[i].Type().(types.Array)
	return a.ContainsNull
}

func elemType(i int) func(c *call) types.Type {
	return func(c *call) types.Type { return elemOf(c, i) }
}

func arrayDefs() []*Def {
	arr := func(name, sql string, w ...want) *Def { return fnOf(name, argType(0), sql, w...) }
	return []*Def{
		(&Def{Name: "array", Min: 0, Max: -1, fit: fitArray, typ: func(c *call) types.Type {
			if len(c.args) == 0 {
				return types.Array{Elem: types.Void}
			}
			return types.Array{Elem: c.args[0].Type(), ContainsNull: anyNullable(c.args)}
		}}).neverNull(),
		(&Def{Name: "[]", Min: 2, Max: 2, build: buildSubscript}).operator().shown(func(e plan.Expr, a []string) string { return a[0] + "[" + plainName(e.Children()[1]) + "]" }),
		fnOf("get", elemType(0), "", kindOf(`"ARRAY"`, isArray, nil, nil), wInt()).nullable(),
		(&Def{Name: "element_at", Min: 2, Max: 2, fit: fitElementAt, typ: elementType, raises: elementRaises, check: strictIndex}).withNull(elementNull),
		(&Def{Name: "try_element_at", Min: 2, Max: 2, fit: fitElementAt, typ: elementType}).nullable(),
		fn("size", types.Int, "", wAny()).fitting(fitSized).withNull(sizeNull), fn("cardinality", types.Int, "", wAny()).fitting(fitSized).withNull(sizeNull), fn("array_size", types.Int, "", wArray()),
		fn("array_contains", types.Boolean, "", wArray(), wAny()).fitting(fitElement).withNull(func(c *call) bool { return anyNullable(c.args) || containsNull(c, 0) }).checked(orderedElements),
		fn("array_position", types.BigInt, "", wArray(), wAny()).fitting(fitElement).checked(orderedElements),
		arr("array_distinct", "", wArray()).checked(orderedElements), arr("array_sort", "", wArray()).withSortLambda().fitting(fitSort).checked(orderedElements).withRaises(func(c *call) bool { return len(c.args) > 1 }),
		arr("sort_array", "", wArray(), wBoolStrict()).optional(1).defaults(litBool(true)).checked(sortable),
		fnOf("array_max", elemType(0), "", wArray()).nullable().checked(orderedElements), fnOf("array_min", elemType(0), "", wArray()).nullable().checked(orderedElements),
		fn("array_join", types.String, "", exactly(types.Array{Elem: types.String, ContainsNull: true}), only(types.String), only(types.String)).optional(1),
		arr("array_remove", "", wArray(), wAny()).fitting(fitElement).checked(orderedElements),
		arr("array_append", "", wArray(), wAny()).fitting(fitElement).typed(appendedType).withNull(func(c *call) bool { return c.args[0].Nullable() }),
		arr("array_prepend", "", wArray(), wAny()).fitting(fitElement).typed(appendedType).withNull(func(c *call) bool { return c.args[0].Nullable() }),
		arr("array_compact", "", wArray()).typed(func(c *call) types.Type { return types.Array{Elem: elemOf(c, 0)} }),
		arr("array_insert", "", wArray(), wInt(), wAny()).fitting(fitInsert).typed(func(c *call) types.Type {
			return types.Array{Elem: elemOf(c, 0), ContainsNull: true}
		}).withNull(func(c *call) bool { return c.args[0].Nullable() || c.args[1].Nullable() }).always(),
		fnOf("array_repeat", func(c *call) types.Type {
			return types.Array{Elem: c.args[0].Type(), ContainsNull: c.args[0].Nullable()}
		}, "", wAny(), only(types.Int)).withNull(func(c *call) bool { return c.args[1].Nullable() }),
		pairDef("array_union"), pairDef("array_intersect"), pairDef("array_except"),
		fn("arrays_overlap", types.Boolean, "", wArray(), wArray()).fitting(fitPair).withNull(func(c *call) bool {
			return anyNullable(c.args) || containsNull(c, 0) || containsNull(c, 1)
		}).checked(orderedElements),
		(&Def{Name: "arrays_zip", Min: 0, Max: -1, want: []want{wArray()}, typ: zipType}),
		fnOf("flatten", func(c *call) types.Type { return elemOf(c, 0) }, "", wArray()).fitting(fitFlatten).withNull(func(c *call) bool {
			return c.args[0].Nullable() || containsNull(c, 0)
		}),
		arr("slice", "", wArray(), wInt(), wInt()).always(),
		(&Def{Name: "sequence", Min: 2, Max: 3, fit: fitSequence, typ: func(c *call) types.Type { return types.Array{Elem: c.args[0].Type()} }}).always(),
		arr("shuffle", "", wArray(), wSeed()).optional(1).volatile().checked(seeded(1)).shown(func(_ plan.Expr, a []string) string { return "shuffle(" + a[0] + ")" }),
		fnOf("array field", argType(0), "", wArray()).operator().shown(func(e plan.Expr, a []string) string {
			if l, ok := e.Children()[1].(*plan.Lambda); ok {
				if f, ok := l.Body.(*plan.Field); ok {
					return a[0] + "." + f.Name
				}
			}
			return a[0]
		}),
	}
}

// sortable checks an array and the constant that says how to sort it.
func sortable(c *call) error {
	if err := constant(1, "order")(c); err != nil {
		return err
	}
	return orderedElements(c)
}

func fitArray(c *call) error {
	if len(c.args) == 0 {
		return nil
	}
	return fitRange(c, 0, len(c.args), rule{ansi: c.ctx.ANSI, strings: true})
}

// buildSubscript is a[i] or m[k]; NULL[x] is NULL.
func buildSubscript(c *call) (plan.Expr, error) {
	if c.args[0].Type() == types.Void {
		n := c.finishAs("[]", types.Void)
		n.Null = true
		return n, nil
	}
	switch t := c.args[0].Type().(type) {
	case types.Array:
		if name, ok := constText(c.args[1]); ok && isStruct(t.Elem) {
			return FieldOf(c.args[0], name, c.ctx)
		}
		if t := c.args[1].Type(); !types.IsIntegral(t) && t != types.Void {
			return nil, unexpected(c, 1, `"INTEGRAL"`)
		}
		if c.args[1].Type() == types.Void {
			c.args[1] = CastTo(c.args[1], types.Int, c.ctx)
		}
		n := c.finishAs("[]", t.Elem)
		n.Raises = c.ctx.ANSI
		n.Null = n.Null || t.ContainsNull || !n.Raises
		return n, nil
	case types.Map:
		if !StoreAssignable(c.args[1].Type(), t.Key) && !types.IsString(c.args[1].Type()) {
			return nil, unexpected(c, 1, quoteType(t.Key))
		}
		if k := c.args[1].Type(); t.Key == types.Void && k != types.Void {
			return nil, mismatch(c.ctx, "CAST_WITHOUT_SUGGESTION", "%s cannot be cast to %s, the type of the map's keys.", quoteType(k), quoteType(t.Key))
		}
		c.args[1] = CastTo(c.args[1], t.Key, c.ctx)
		n := c.finishAs("[]", t.Value)
		n.Null = true
		return n, nil
	case types.Struct:
		if name, ok := constText(c.args[1]); ok {
			return FieldOf(c.args[0], name, c.ctx)
		}
		return nil, errf(c.ctx, "INVALID_EXTRACT_FIELD_TYPE", "42000", "A field's name is a constant text, not %q.", SQLName(c.args[1]))
	}
	return nil, errf(c.ctx, "INVALID_EXTRACT_BASE_FIELD_TYPE", "42000",
		"Nothing can be taken out of %q by [..]: it is %s.", SQLName(c.args[0]), quoteType(c.args[0].Type()))
}

func fitElementAt(c *call) error {
	switch t := c.args[0].Type().(type) {
	case types.Array:
		it := c.args[1].Type()
		if it == types.BigInt || !types.IsIntegral(it) {
			return unexpected(c, 1, `"INT"`)
		}
		c.args[1] = CastTo(c.args[1], types.Int, c.ctx)
		return nil
	case types.Map:
		at := unChar(c.args[1].Type())
		k, ok := rule{ansi: c.ctx.ANSI, implicit: true}.common(t.Key, at)
		if !ok || !types.Equal(k, t.Key) && !widerKey(t.Key, at, k) || types.HasCollation(t.Key) && !types.Equal(t.Key, at) {
			return mismatch(c.ctx, "MAP_FUNCTION_DIFF_TYPES", "Cannot resolve %q: the key has the type %s, but the map's keys are %s.",
				c.text(), quoteType(c.args[1].Type()), quoteType(t.Key))
		}
		c.args[0] = CastTo(c.args[0], types.Map{Key: k, Value: t.Value, ValueContainsNull: t.ValueContainsNull}, c.ctx)
		c.args[1] = CastTo(c.args[1], k, c.ctx)
		return nil
	}
	return unexpected(c, 0, `("ARRAY" or "MAP")`)
}

// widerKey tells whether a map's keys may become of the type of the key that
// is looked for: where one holds all values of the other, without DECIMAL.
func widerKey(key, at, common types.Type) bool {
	_, fromDecimal := key.(types.Decimal)
	return types.Equal(common, at) && !types.IsString(key) && !types.IsString(at) && !fromDecimal && !isDecimalType(at) || key == types.Void
}

func isDecimalType(t types.Type) bool { _, ok := t.(types.Decimal); return ok }

func elementType(c *call) types.Type {
	if m, ok := c.args[0].Type().(types.Map); ok {
		return m.Value
	}
	return elemOf(c, 0)
}

// Strict is the Const of element_at that raises beyond the array's end.
type Strict bool

func strictIndex(c *call) error {
	c.konst = Strict(c.ctx.ANSI)
	return nil
}

func elementRaises(c *call) bool { return isArray(c.args[0].Type()) }

func elementNull(c *call) bool {
	return isMap(c.args[0].Type()) || anyNullable(c.args) || containsNull(c, 0) || !c.ctx.ANSI
}

// LegacySize is the Const of size() that gives -1 for NULL.
type LegacySize bool

func sizeNull(c *call) bool { return !legacySize(c) && c.args[0].Nullable() }

func legacySize(c *call) bool {
	return !c.ctx.ANSI && !strings.EqualFold(c.ctx.Conf["spark.sql.legacy.sizeOfNull"], "false")
}

func fitSized(c *call) error {
	t := c.args[0].Type()
	c.konst = LegacySize(legacySize(c))
	if !isArray(t) && !isMap(t) && t != types.Void {
		return unexpected(c, 0, `("ARRAY" or "MAP")`)
	}
	return nil
}

// fitElement fits (array, value of its element type).
func fitElement(c *call) error {
	if err := nullArray(c); err != nil {
		return err
	}
	if c.d.Name == "array_position" && elemOf(c, 0) == types.Void && c.args[1].Type() == types.Void {
		return mismatch(c.ctx, "NULL_TYPE", "Cannot resolve %q: its arguments must not be of the type VOID.", c.text())
	}
	if (c.d.Name == "array_remove" || c.d.Name == "array_position") && c.args[1].Type() == types.Void {
		if err := c.fitOne(0, wArray()); err != nil {
			return err
		}
		c.args[1] = CastTo(c.args[1], elemOf(c, 0), c.ctx)
		return nil
	}
	if err := c.fitOne(0, wArray()); err != nil {
		return err
	}
	a, _ := c.args[0].Type().(types.Array)
	t, ok := rule{ansi: c.ctx.ANSI, implicit: true, tight: c.d.Name != "array_contains"}.common(a.Elem, unChar(c.args[1].Type()))
	if !ok || c.args[1].Type() == types.Void && c.d.Name != "array_append" && c.d.Name != "array_prepend" {
		if c.args[1].Type() == types.Void {
			return mismatch(c.ctx, "NULL_TYPE", "Cannot resolve %q: its arguments must not be of the type VOID.", c.text())
		}
		return mismatch(c.ctx, "ARRAY_FUNCTION_DIFF_TYPES", "Cannot resolve %q: the array %s and the value %s have no common type.",
			c.text(), quoteType(a), quoteType(c.args[1].Type()))
	}
	c.args[0] = CastTo(c.args[0], types.Array{Elem: t, ContainsNull: a.ContainsNull}, c.ctx)
	c.args[1] = CastTo(c.args[1], t, c.ctx)
	return nil
}

func fitInsert(c *call) error {
	if err := nullArray(c); err != nil {
		return err
	}
	if c.args[1].Type() == types.Void {
		return unexpected(c, 1, `"INT"`)
	}
	if err := c.fitOne(0, wArray()); err != nil {
		return err
	}
	if t := c.args[1].Type(); !types.IsIntegral(t) || t == types.BigInt {
		return unexpected(c, 1, `"INT"`)
	}
	c.args[1] = CastTo(c.args[1], types.Int, c.ctx)
	a, _ := c.args[0].Type().(types.Array)
	t, ok := rule{ansi: c.ctx.ANSI, implicit: true, tight: true}.common(a.Elem, unChar(c.args[2].Type()))
	if !ok {
		return mismatch(c.ctx, "ARRAY_FUNCTION_DIFF_TYPES", "Cannot resolve %q: the array %s and the value %s have no common type.",
			c.text(), quoteType(a), quoteType(c.args[2].Type()))
	}
	c.args[0] = CastTo(c.args[0], types.Array{Elem: t, ContainsNull: a.ContainsNull}, c.ctx)
	c.args[2] = CastTo(c.args[2], t, c.ctx)
	return nil
}

func appendedType(c *call) types.Type {
	return types.Array{Elem: mergeNull(elemOf(c, 0), c.args[1].Type()), ContainsNull: containsNull(c, 0) || c.args[1].Nullable()}
}

func pairDef(name string) *Def {
	return fnOf(name, func(c *call) types.Type {
		return types.Array{Elem: elemOf(c, 0), ContainsNull: containsNull(c, 0) || name == "array_union" && containsNull(c, 1)}
	}, "", wArray(), wArray()).fitting(fitPair).checked(orderedElements)
}

func fitPair(c *call) error {
	a, ok1 := c.args[0].Type().(types.Array)
	b, ok2 := c.args[1].Type().(types.Array)
	if !ok1 || !ok2 {
		return mismatch(c.ctx, "BINARY_ARRAY_DIFF_TYPES", "Cannot resolve %q: it takes two arrays of one element type, not %s and %s.",
			c.text(), quoteType(c.args[0].Type()), quoteType(c.args[1].Type()))
	}
	t, ok := rule{ansi: c.ctx.ANSI, implicit: true, tight: true}.common(a.Elem, b.Elem)
	if !ok {
		return mismatch(c.ctx, "BINARY_ARRAY_DIFF_TYPES", "Cannot resolve %q: it takes two arrays of one element type, not %s and %s.",
			c.text(), quoteType(a), quoteType(b))
	}
	c.args[0] = CastTo(c.args[0], types.Array{Elem: t, ContainsNull: a.ContainsNull}, c.ctx)
	c.args[1] = CastTo(c.args[1], types.Array{Elem: t, ContainsNull: b.ContainsNull}, c.ctx)
	return distinguished(c)
}

func zipType(c *call) types.Type {
	s := types.Struct{}
	for i, a := range c.args {
		name := itoa(i)
		switch x := a.(type) {
		case *plan.Column:
			name = x.Attr.Name
		case *plan.Field:
			name = x.Name
		case *plan.Call: // the fields of an array's structs
			if x.Fn != "array field" {
				break
			}
			if l, ok := x.Args[1].(*plan.Lambda); ok {
				if f, ok := l.Body.(*plan.Field); ok {
					name = f.Name
				}
			}
		}
		s.Fields = append(s.Fields, types.Field{Name: name, Type: elemOf(c, i), Nullable: true})
	}
	return types.Array{Elem: s}
}

func fitFlatten(c *call) error {
	a, ok := c.args[0].Type().(types.Array)
	if !ok || !isArray(a.Elem) {
		return unexpected(c, 0, `"ARRAY" of "ARRAY"`)
	}
	return nil
}

// fitSequence: integers with integers, dates and timestamps with intervals.
func fitSequence(c *call) error {
	wrong := func() error {
		return mismatch(c.ctx, "SEQUENCE_WRONG_INPUT_TYPES", "Cannot resolve %q: sequence takes integers, or dates or timestamps with an interval as step.", c.text())
	}
	ts := make([]types.Type, len(c.args))
	for i, x := range c.args {
		ts[i] = unChar(x.Type())
	}
	if len(ts) == 3 && (isInterval(ts[2]) || ts[2] == types.Calendar) {
		ts = ts[:2]
	} else if len(ts) == 3 && !types.IsString(ts[2]) && !types.IsString(ts[0]) && !types.IsString(ts[1]) {
		ts = ts[:2]
	}
	t, ok := Common(ts, c.ctx.ANSI)
	if !ok || !types.IsIntegral(t) && !isTime(t) {
		return wrong()
	}
	c.args[0], c.args[1] = CastTo(c.args[0], t, c.ctx), CastTo(c.args[1], t, c.ctx)
	if len(c.args) == 3 {
		s := c.args[2].Type()
		if types.IsString(s) && types.IsIntegral(t) {
			s = t
		}
		switch {
		case types.IsIntegral(t) && (types.IsIntegral(s) || s == types.Void):
			w, _ := rule{ansi: true}.common(t, s)
			for i := range c.args {
				c.args[i] = CastTo(c.args[i], w, c.ctx)
			}
		case isTime(t) && (isInterval(s) || s == types.Calendar):
		default:
			return wrong()
		}
	}
	return nil
}

func mapDefs() []*Def {
	keys := func(c *call) types.Type {
		m, _ := c.args[0].Type().(types.Map)
		return types.Array{Elem: m.Key}
	}
	return []*Def{
		(&Def{Name: "map", Min: 0, Max: -1, fit: fitMap, typ: mapType}).neverNull().always().checked(dedup),
		fnOf("map_keys", keys, "map_keys($1)", wMap()),
		fnOf("map_values", func(c *call) types.Type {
			m, _ := c.args[0].Type().(types.Map)
			return types.Array{Elem: m.Value, ContainsNull: m.ValueContainsNull}
		}, "map_values($1)", wMap()),
		fnOf("map_entries", func(c *call) types.Type {
			m, _ := c.args[0].Type().(types.Map)
			return types.Array{Elem: types.Struct{Fields: []types.Field{{Name: "key", Type: m.Key}, {Name: "value", Type: m.Value, Nullable: m.ValueContainsNull}}}}
		}, "map_entries($1)", wMap()),
		fnOf("map_from_arrays", func(c *call) types.Type {
			return types.Map{Key: elemOf(c, 0), Value: elemOf(c, 1), ValueContainsNull: containsNull(c, 1)}
		}, "", wArray(), wArray()).always().checked(mapKeys),
		fnOf("map_from_entries", entriesType, "", wArray()).fitting(fitEntries).withNull(func(c *call) bool {
			return c.args[0].Nullable() || containsNull(c, 0)
		}).always().checked(mapKeys),
		fn("map_contains_key", types.Boolean, "", wMap(), wAny()).fitting(fitMapKey),
		(&Def{Name: "map_concat", Min: 0, Max: -1, fit: fitCommonMaps, typ: mapConcatType}).always().checked(dedup),
		(&Def{Name: "named_struct", Min: 0, Max: -1, fit: fitNamedStruct, typ: structType}).neverNull(),
		(&Def{Name: "struct", Min: 0, Max: -1, build: buildStruct}).neverNull().shown(showStruct),
	}
}

// LastWins is the Const of what makes maps: of a key that is there twice the
// last value counts, where it would raise otherwise.
type LastWins bool

func dedup(c *call) error {
	c.konst = LastWins(strings.EqualFold(c.ctx.Conf["spark.sql.mapKeyDedupPolicy"], "LAST_WIN"))
	return nil
}

// mapKeys is dedup for maps whose keys are not checked one by one.
func mapKeys(c *call) error {
	if m, ok := c.d.typ(c).(types.Map); ok && noKey(m.Key) {
		return mismatch(c.ctx, "INVALID_MAP_KEY_TYPE", "Cannot resolve %q: a map cannot be a key.", c.text())
	}
	return dedup(c)
}

// noKey tells of a type that no key of a map can have.
func noKey(t types.Type) bool {
	return types.Contains(t, func(t types.Type) bool { return isMap(t) || t == types.Variant })
}

// distinguished wants elements that can be told apart.
func distinguished(c *call) error {
	if a, ok := c.args[0].Type().(types.Array); ok && noKey(a.Elem) {
		return mismatch(c.ctx, "INVALID_ORDERING_TYPE", "Cannot resolve %q: %s has no order.", c.text(), quoteType(a))
	}
	return nil
}

func fitMap(c *call) error {
	if len(c.args)%2 != 0 {
		return errf(c.ctx, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The function `map` takes an even number of arguments, but got %d.", len(c.args))
	}
	for side := range 2 {
		var ts []types.Type
		for i := side; i < len(c.args); i += 2 {
			ts = append(ts, unChar(c.args[i].Type()))
		}
		if len(ts) == 0 {
			return nil
		}
		t, ok := Common(ts, c.ctx.ANSI)
		if !ok {
			sub := [...]string{"CREATE_MAP_KEY_DIFF_TYPES", "CREATE_MAP_VALUE_DIFF_TYPES"}[side]
			return mismatch(c.ctx, sub, "Cannot resolve %q: there is no common type of %s.", c.text(), typeList(ts))
		}
		if side == 0 && noKey(t) {
			return mismatch(c.ctx, "INVALID_MAP_KEY_TYPE", "Cannot resolve %q: a map cannot be a key.", c.text())
		}
		for i := side; i < len(c.args); i += 2 {
			c.args[i] = CastTo(c.args[i], t, c.ctx)
		}
	}
	return nil
}

func mapType(c *call) types.Type {
	if len(c.args) == 0 {
		return types.Map{Key: types.Void, Value: types.Void}
	}
	m := types.Map{Key: c.args[0].Type(), Value: c.args[1].Type()}
	for i := 1; i < len(c.args); i += 2 {
		m.ValueContainsNull = m.ValueContainsNull || c.args[i].Nullable()
	}
	return m
}

func fitEntries(c *call) error {
	a, _ := c.args[0].Type().(types.Array)
	if s, ok := a.Elem.(types.Struct); !ok || len(s.Fields) != 2 {
		return unexpected(c, 0, `"ARRAY" of pair "STRUCT"`)
	}
	return nil
}

func entriesType(c *call) types.Type {
	s, _ := elemOf(c, 0).(types.Struct)
	return types.Map{Key: s.Fields[0].Type, Value: s.Fields[1].Type, ValueContainsNull: s.Fields[1].Nullable}
}

func fitMapKey(c *call) error {
	m, ok := c.args[0].Type().(types.Map)
	switch {
	case !ok:
		return mismatch(c.ctx, "MAP_FUNCTION_DIFF_TYPES", "Cannot resolve %q: its first argument is %s, no map.", c.text(), quoteType(c.args[0].Type()))
	case c.args[1].Type() == types.Void:
		return mismatch(c.ctx, "NULL_TYPE", "Cannot resolve %q: its arguments must not be of the type VOID.", c.text())
	}
	k, ok := rule{ansi: c.ctx.ANSI, implicit: true}.common(m.Key, unChar(c.args[1].Type()))
	if !ok {
		return mismatch(c.ctx, "MAP_FUNCTION_DIFF_TYPES", "Cannot resolve %q: the key has the type %s, but the map's keys are %s.",
			c.text(), quoteType(c.args[1].Type()), quoteType(m.Key))
	}
	c.args[0] = CastTo(c.args[0], types.Map{Key: k, Value: m.Value, ValueContainsNull: m.ValueContainsNull}, c.ctx)
	c.args[1] = CastTo(c.args[1], k, c.ctx)
	return nil
}

func fitCommonMaps(c *call) error {
	for i, a := range c.args {
		if !isMap(a.Type()) {
			return mismatch(c.ctx, "MAP_CONCAT_DIFF_TYPES", "Cannot resolve %q: argument %d is no map but %s.", c.text(), i+1, quoteType(a.Type()))
		}
	}
	if len(c.args) == 0 {
		return nil
	}
	return fitRange(c, 0, len(c.args), rule{ansi: c.ctx.ANSI, strings: true})
}

func mapConcatType(c *call) types.Type {
	if len(c.args) == 0 {
		return types.Map{Key: types.String, Value: types.String}
	}
	return concatType(c)
}

func fitNamedStruct(c *call) error {
	if len(c.args)%2 != 0 {
		return errf(c.ctx, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The function `named_struct` takes 2n arguments, but got %d.", len(c.args))
	}
	for i := 0; i < len(c.args); i += 2 {
		if _, ok := constText(c.args[i]); !ok {
			return mismatch(c.ctx, "CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", "Only constant strings are allowed as names of fields, not %q.", SQLName(c.args[i]))
		}
	}
	return nil
}

func structType(c *call) types.Type {
	s := types.Struct{Fields: []types.Field{}}
	for i := 0; i < len(c.args); i += 2 {
		name, _ := constText(c.args[i])
		s.Fields = append(s.Fields, types.Field{Name: name, Type: unChar(c.args[i+1].Type()), Nullable: c.args[i+1].Nullable()})
	}
	return s
}

// buildStruct is named_struct with the names of its arguments, col1.. else.
func buildStruct(c *call) (plan.Expr, error) {
	var args []plan.Expr
	for i, a := range c.args {
		name := "col" + itoa(i+1)
		switch x := a.(type) {
		case *plan.Column:
			name = x.Attr.Name
		case *plan.Field:
			name = x.Name
		case *plan.LambdaVar:
			name = x.Name
		}
		args = append(args, litStr(name), a)
	}
	c.args = args
	n := c.finishAs("struct", structType(c))
	n.Null = false
	return n, nil
}

// aliased is the Const of struct(): which fields are written with AS.
type aliased []bool

// Struct makes struct(x [AS name], ...); names are "" where none is written.
func Struct(args []plan.Expr, names []string, ctx Context) (plan.Expr, error) {
	e, err := Resolve("struct", args, ctx)
	c, ok := e.(*plan.Call)
	if err != nil || !ok {
		return e, err
	}
	marks := make(aliased, len(args))
	for i, n := range names {
		if n != "" && i < len(args) {
			marks[i] = true
			c.Args[2*i] = litStr(n)
		}
	}
	c.Const = marks
	c.Typ = structType(&call{args: c.Args})
	return c, nil
}

// quoteIfNeeded puts a name that is not plain between backticks.
func quoteIfNeeded(name string) string {
	plain := strings.Trim(name, "0123456789") != ""
	for _, r := range name {
		plain = plain && (r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	}
	if plain {
		return name
	}
	return quoteName(name)
}

func showStruct(e plan.Expr, a []string) string {
	var out []string
	var marks aliased
	if c, ok := e.(*plan.Call); ok {
		marks, _ = c.Const.(aliased)
	}
	for i := 1; i < len(a); i += 2 {
		if i/2 < len(marks) && marks[i/2] {
			a[i] += " AS " + quoteIfNeeded(a[i-1])
		}
		out = append(out, a[i])
	}
	return "struct(" + strings.Join(out, ", ") + ")"
}
