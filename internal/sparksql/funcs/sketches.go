package funcs

import (
	"math"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// SketchSpec is the Const of the functions that kernels of package sketch run:
// the kernel's kind, how many arguments it takes, and the constants.
type SketchSpec struct {
	Kind string
	Args int
	// Params are the kernel's constants by name.
	Params map[string]any
}

// Sketches' parameters when none are given.
const (
	defaultLgK     = 12
	defaultTopK    = 5
	defaultTracked = 10000
	maxTracked     = 1_000_000
)

// strictly takes nothing but ts, and NULL as the first of them.
func strictly(ts ...types.Type) want {
	w := oneOf(ts...)
	if len(ts) == 1 {
		w.name = quoteType(ts[0])
	}
	w.to = func(x plan.Expr, _ Context) (types.Type, bool) {
		from := unChar(x.Type())
		for _, t := range ts {
			if types.Equal(bare(from), bare(t)) {
				return from, true
			}
		}
		return ts[0], from == types.Void
	}
	return w
}

// bare is an array's type without regard to NULLs in it.
func bare(t types.Type) types.Type {
	if a, ok := t.(types.Array); ok {
		return types.Array{Elem: a.Elem}
	}
	return t
}

func keyTypes() []types.Type {
	return []types.Type{types.Array{Elem: types.Int}, types.Array{Elem: types.BigInt}, types.Binary, types.Double, types.Float, types.Int, types.BigInt, types.String}
}

// sketched makes the Const; args are the arguments that the kernel sees.
func (d *Def) sketched(kind string, args int, params func(c *call) (map[string]any, error)) *Def {
	check := d.check
	d.check = func(c *call) error {
		if check != nil {
			if err := check(c); err != nil {
				return err
			}
		}
		spec := SketchSpec{Kind: kind, Args: args, Params: map[string]any{}}
		if params != nil {
			p, err := params(c)
			if err != nil {
				return err
			}
			spec.Params = p
		}
		spec.Params["function"] = c.d.Name
		c.konst = spec
		return nil
	}
	return d
}

// sketchDefs are HLL, Theta and count-min sketches, and bitmaps.
func sketchDefs() []*Def {
	bin, binary := strictly(types.Binary), types.Binary
	binAgg := func(name string, w ...want) *Def { return agg(name, typeIs(binary), "", w...).neverNull() }
	wKey, wI := strictly(keyTypes()...), strictly(types.Int)
	wRow := strictly(types.TinyInt, types.SmallInt, types.Int, types.BigInt, types.String, types.Binary)
	out := []*Def{
		binAgg("hll_sketch_agg", strictly(types.Int, types.BigInt, types.String, types.Binary), wI).optional(1).defaults(litInt(defaultLgK)).
			sketched("hll_sketch_agg", 1, func(c *call) (map[string]any, error) { return lgConfigK(c, 1) }),
		fn("hll_sketch_estimate", types.BigInt, "", bin).always().sketched("hll_sketch_estimate", 1, nil),
		fn("hll_union", binary, "", bin, bin, strictly(types.Boolean)).optional(1).defaults(litBool(false)).always().sketched("hll_union", 3, nil),
		binAgg("hll_union_agg", bin, strictly(types.Boolean)).optional(1).defaults(litBool(false)).sketched("hll_union_agg", 2, nil),
		binAgg("theta_sketch_agg", wKey, wI).optional(1).defaults(litInt(defaultLgK)).sketched("theta_sketch_agg", 1, lgEntriesAt1),
		binAgg("theta_union_agg", bin, wI).optional(1).defaults(litInt(defaultLgK)).sketched("theta_union_agg", 1, lgEntriesAt1),
		binAgg("theta_intersection_agg", bin).sketched("theta_intersection_agg", 1, nil),
		fn("theta_sketch_estimate", types.BigInt, "", bin).always().sketched("theta_sketch_estimate", 1, nil),
		fn("theta_union", binary, "", bin, bin, wI).optional(1).defaults(litInt(defaultLgK)).always().sketched("theta_union", 3, nil),
		fn("theta_intersection", binary, "", bin, bin).always().sketched("theta_intersection", 2, nil),
		fn("theta_difference", binary, "", bin, bin).always().sketched("theta_difference", 2, nil),
		binAgg("count_min_sketch", wRow, strictly(types.Double), strictly(types.Double), strictly(types.Int, types.BigInt)).named("column", "epsilon", "confidence", "seed").sketched("count_min_sketch", 1, countMin),
		binAgg("bitmap_construct_agg", wBig()).sketched("bitmap_construct_agg", 1, nil),
		binAgg("bitmap_or_agg", bin).sketched("bitmap_or_agg", 1, nil),
		binAgg("bitmap_and_agg", bin).sketched("bitmap_and_agg", 1, nil),
	}
	out = append(out, kllDefs()...)
	out = append(out, tupleDefs()...)
	return append(out, topKDefs()...)
}

// constantOr0 is a constant integer, NULL as 0.
func constantOr0(e plan.Expr) (int64, bool) {
	l, ok := Eval(e)
	if !ok {
		return 0, false
	}
	n, _ := l.Value.(int64)
	return n, true
}

func lgConfigK(c *call, i int) (map[string]any, error) {
	n, ok := constantOr0(c.args[i])
	if !ok {
		return nil, errf(c.ctx, "HLL_K_MUST_BE_CONSTANT", "42K0E", "The K of %s must be a constant.", quoteName(c.d.Name))
	}
	if n < 4 || n > 21 {
		return nil, errf(c.ctx, "HLL_INVALID_LG_K", "22546", "The lgConfigK of %s lies between 4 and 21; %d does not.", quoteName(c.d.Name), n)
	}
	return map[string]any{"lgk": n}, nil
}

func badLgEntries(c *call, n int64) error {
	return errf(c.ctx, "SKETCH_INVALID_LG_NOM_ENTRIES", "22003", "The lgNomEntries of %s lies between 4 and 26; %d does not.", quoteName(c.d.Name), n)
}

func lgEntriesAt1(c *call) (map[string]any, error) {
	n, ok := constantOr0(c.args[1])
	if !ok {
		return nil, errf(c.ctx, "THETA_LG_NOM_ENTRIES_MUST_BE_CONSTANT", "42K0E", "The lgNomEntries of %s must be a constant.", quoteName(c.d.Name))
	}
	if n < 4 || n > 26 {
		return nil, badLgEntries(c, n)
	}
	return map[string]any{"lgk": n}, nil
}

func countMin(c *call) (map[string]any, error) {
	names := []string{"", "eps", "conf", "seed"}
	p := map[string]any{}
	for i := 1; i < 4; i++ {
		l, ok := Eval(c.args[i])
		switch {
		case !ok:
			return nil, mismatch(c.ctx, "NON_FOLDABLE_INPUT", "The %s parameter of count_min_sketch must be a constant.", ordinal(i))
		case l.Value == nil:
			return nil, mismatch(c.ctx, "UNEXPECTED_NULL", "The %s parameter of count_min_sketch must not be NULL.", ordinal(i))
		}
		p[names[i]] = l.Value
	}
	if seed, ok := p["seed"].(int64); ok {
		p["seed"] = int32(seed)
	}
	if eps, ok := p["eps"].(float64); !ok || !(eps > 0) {
		return nil, mismatch(c.ctx, "VALUE_OUT_OF_RANGE", "The relative error of count_min_sketch must be positive.")
	}
	if conf, ok := p["conf"].(float64); !ok || !(conf > 0 && conf < 1) {
		return nil, mismatch(c.ctx, "VALUE_OUT_OF_RANGE", "The confidence of count_min_sketch must lie between 0 and 1.")
	}
	return p, nil
}

// fitDistinct makes address bits of the relative standard deviation.
func fitDistinct(c *call) error {
	deviation := 0.05
	if len(c.args) == 2 {
		l, ok := Eval(&plan.Cast{X: c.args[1], To: types.Double})
		_, isDecimal := c.args[1].Type().(types.Decimal)
		if !ok || l.Value == nil || !isDecimal && c.args[1].Type() != types.Double {
			return errf(c.ctx, "_LEGACY_ERROR_TEMP_1104", "", "The second argument of %s must be a constant DOUBLE.", quoteName(c.d.Name))
		}
		deviation, _ = l.Value.(float64)
	}
	const most = 24 // 16 MB a group
	bits := math.Ceil(2 * math.Log2(1.106/deviation))
	if !(bits >= 4 && bits <= most) {
		return errf(c.ctx, "FAILED_FUNCTION_CALL", "38000", "The relative standard deviation of %s must lie between 0.0003 and 0.39; %v does not.", quoteName(c.d.Name), deviation)
	}
	c.konst = int64(bits)
	return c.fitOne(0, c.d.want[0])
}

func distinctBits(c *call) (map[string]any, error) { return map[string]any{"bits": c.konst}, nil }

// hint is the mismatch of a constant that Spark words freely.
func hint(c *call, format string, a ...any) error {
	return mismatch(c.ctx, "TYPE_CHECK_FAILURE_WITH_HINT", format, a...)
}

// constantAt is a constant argument that is not NULL.
func constantAt(c *call, i int, name string) (any, error) {
	l, ok := Eval(c.args[i])
	switch {
	case !ok || !IsFoldable(c.args[i]):
		return nil, mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: %s must be a constant, but %q is none.", c.text(), name, SQLName(c.args[i]))
	case l.Value == nil:
		return nil, mismatch(c.ctx, "UNEXPECTED_NULL", "Cannot resolve %q: %s must not be NULL.", c.text(), name)
	}
	return l.Value, nil
}

// kllItems are the types of KLL sketches, with what each of them takes.
func kllItems() map[string][]types.Type {
	return map[string][]types.Type{
		"bigint": {types.TinyInt, types.Int, types.BigInt, types.SmallInt},
		"double": {types.Float, types.Double},
		"float":  {types.Float},
	}
}

func kllDefs() []*Def {
	var out []*Def
	for item, takes := range kllItems() {
		t := map[string]types.Type{"bigint": types.BigInt, "double": types.Double, "float": types.Float}[item]
		of := func(*call) (map[string]any, error) { return map[string]any{"item": item}, nil }
		withK := func(c *call) (map[string]any, error) {
			p := map[string]any{"item": item}
			if len(c.args) < 2 {
				return p, nil
			}
			v, err := constantAt(c, 1, "k")
			if err != nil {
				return nil, err
			}
			k, _ := v.(int64)
			if k < 8 || k > 65535 {
				return nil, hint(c, "The k of %s lies between 8 and 65535; %d does not.", quoteName(c.d.Name), k)
			}
			p["k"] = k
			return p, nil
		}
		withDefault := func(c *call) (map[string]any, error) {
			p, err := withK(c)
			if err == nil && p["k"] == nil {
				p["k"] = int64(200)
			}
			return p, err
		}
		several := func(name, kind string, arg types.Type, ret func(list bool) types.Type) *Def {
			d := fnOf(name, func(c *call) types.Type { return ret(isArray(c.args[1].Type())) }, "", wBin(), wAny()).fitting(fitOneOrMany(arg))
			return d.nullable().always().sketched(kind, 2, of)
		}
		listOf := func(e types.Type) func(bool) types.Type {
			return func(list bool) types.Type {
				if list {
					return types.Array{Elem: e}
				}
				return e
			}
		}
		out = append(out,
			agg("kll_sketch_agg_"+item, typeIs(types.Binary), "", strictly(takes...), wInt()).optional(1).neverNull().sketched("kll_sketch_agg", 1, withDefault),
			agg("kll_merge_agg_"+item, typeIs(types.Binary), "", strictly(types.Binary), wInt()).optional(1).neverNull().sketched("kll_merge_agg", 1, withK),
			fn("kll_sketch_get_n_"+item, types.BigInt, "", wBin()).always().sketched("kll_sketch_get_n", 1, of),
			fn("kll_sketch_to_string_"+item, types.String, "", wBin()).always().sketched("kll_sketch_to_string", 1, of),
			fn("kll_sketch_merge_"+item, types.Binary, "", wBin(), wBin()).always().sketched("kll_sketch_merge", 2, of),
			several("kll_sketch_get_quantile_"+item, "kll_sketch_get_quantile", types.Double, listOf(t)),
			several("kll_sketch_get_rank_"+item, "kll_sketch_get_rank", t, listOf(types.Double)),
		)
	}
	return out
}

// fitOneOrMany takes a sketch and a constant t or an array of them.
func fitOneOrMany(t types.Type) func(c *call) error {
	return func(c *call) error {
		if err := c.fitOne(0, wBin()); err != nil {
			return err
		}
		w := exactly(t)
		if a, ok := c.args[1].Type().(types.Array); ok {
			if a.ContainsNull && a.Elem != types.Void {
				return unexpected(c, 1, "("+quoteType(t)+` or "ARRAY<`+t.SQL()+`>")`)
			}
			w = exactly(types.Array{Elem: t})
		}
		if !IsFoldable(c.args[1]) {
			return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: the second argument must be a constant, but %q is none.", c.text(), SQLName(c.args[1]))
		}
		return c.fitOne(1, w)
	}
}

func tupleDefs() []*Def {
	var out []*Def
	for item, t := range map[string]types.Type{"integer": types.Int, "double": types.Double} {
		bin, one := strictly(types.Binary), exactly(t)
		// params reads lgNomEntries at lg and the mode at mode, -1 for none.
		params := func(lg, mode int) func(c *call) (map[string]any, error) {
			return func(c *call) (map[string]any, error) {
				p := map[string]any{"item": item}
				if lg >= 0 {
					v, err := constantAt(c, lg, "lgNomEntries")
					if err != nil {
						return nil, err
					}
					n, _ := v.(int64)
					if n < 4 || n > 26 {
						return nil, hint(c, "The lgNomEntries of %s lies between 4 and 26; %d does not.", quoteName(c.d.Name), n)
					}
					p["lgk"] = n
				}
				if mode >= 0 {
					v, err := constantAt(c, mode, "mode")
					if err != nil {
						return nil, err
					}
					m, _ := v.(string)
					m = strings.ToLower(m)
					if m != "sum" && m != "min" && m != "max" && m != "alwaysone" {
						return nil, hint(c, "The mode of %s is sum, min, max or alwaysone, not %q.", quoteName(c.d.Name), m)
					}
					p["mode"] = m
				}
				return p, nil
			}
		}
		lg, sum := litInt(defaultLgK), litStr("sum")
		binAgg := func(name string, w ...want) *Def { return agg(name+item, typeIs(types.Binary), "", w...).neverNull() }
		bins := func(name string, w ...want) *Def { return fn(name+item, types.Binary, "", w...).always() }
		summary := types.Type(types.BigInt)
		if item == "double" {
			summary = types.Double
		}
		out = append(out,
			binAgg("tuple_sketch_agg_", wTupleKey(), one, wInt(), wStr()).optional(2).defaults(lg, sum).sketched("tuple_sketch_agg", 2, params(2, 3)),
			binAgg("tuple_union_agg_", wBin(), wInt(), wStr()).optional(2).defaults(lg, sum).sketched("tuple_union_agg", 1, params(1, 2)),
			binAgg("tuple_intersection_agg_", wBin(), wStr()).optional(1).defaults(sum).sketched("tuple_intersection_agg", 1, params(-1, 1)),
			fn("tuple_sketch_estimate_"+item, types.Double, "", bin).always().sketched("tuple_sketch_estimate", 1, params(-1, -1)),
			fn("tuple_sketch_theta_"+item, types.Double, "", bin).always().sketched("tuple_sketch_theta", 1, params(-1, -1)),
			fn("tuple_sketch_summary_"+item, summary, "", bin, wStr()).optional(1).defaults(sum).always().sketched("tuple_sketch_summary", 1, params(-1, 1)),
		)
		for kind, more := range map[string]int{"union": 2, "intersection": 1, "difference": 0} {
			for _, other := range []string{"_", "_theta_"} {
				d := bins("tuple_"+kind+other, []want{bin, bin, wInt(), wStr()}[:2]...)
				switch more {
				case 2:
					d = bins("tuple_"+kind+other, bin, bin, wInt(), wStr()).optional(2).defaults(lg, sum)
					d.sketched("tuple_"+strings.TrimSuffix(kind+other, "_"), 2, params(2, 3))
				case 1:
					d = bins("tuple_"+kind+other, bin, bin, wStr()).optional(1).defaults(sum)
					d.sketched("tuple_"+strings.TrimSuffix(kind+other, "_"), 2, params(-1, 2))
				default:
					d.sketched("tuple_"+strings.TrimSuffix(kind+other, "_"), 2, params(-1, -1))
				}
				out = append(out, d)
			}
		}
	}
	return out
}

// wTupleKey also takes what can be cast to a key's type: numbers and arrays of
// them, and all others but nested ones as texts.
func wTupleKey() want {
	w := strictly(keyTypes()...)
	strict := w.to
	w.to = func(x plan.Expr, ctx Context) (types.Type, bool) {
		if t, ok := strict(x, ctx); ok {
			return t, true
		}
		a, isList := x.Type().(types.Array)
		switch t := x.Type(); {
		case isList && types.IsNumeric(a.Elem):
			return types.Array{Elem: types.Int, ContainsNull: a.ContainsNull}, true
		case types.IsNumeric(t):
			return types.Double, true
		case atomic(t) || hasTimes(t):
			return types.String, true
		}
		return nil, false
	}
	return w
}

// topKDefs are the functions over sketches of frequent items.
func topKDefs() []*Def {
	entry := func(t types.Type) types.Type {
		return types.Array{Elem: types.Struct{Fields: []types.Field{{Name: "item", Type: t, Nullable: true}, {Name: "count", Type: types.BigInt}}}}
	}
	state := func(t types.Type) types.Type {
		return types.Struct{Fields: []types.Field{{Name: "sketch", Type: types.Binary}, {Name: "maxItemsTracked", Type: types.Int},
			{Name: "itemDataType", Type: t, Nullable: true}, {Name: "itemDataTypeDDL", Type: types.String}}}
	}
	wState := kindOf(`"STRUCT"`, func(t types.Type) bool { return isStruct(t) || t == types.Void }, nil, nil)
	k, tracked := litInt(defaultTopK), litInt(defaultTracked)
	item := func(c *call) types.Type {
		s, _ := c.args[0].Type().(types.Struct)
		return s.Fields[2].Type
	}
	return []*Def{
		agg("approx_top_k", func(c *call) types.Type { return entry(c.args[0].Type()) }, "", wAny(), wInt(), wInt()).optional(2).defaults(k, tracked).neverNull().
			checked(itemSupported).sketched("approx_top_k", 1, func(c *call) (map[string]any, error) { return topKParams(c, 1, 2) }),
		agg("approx_top_k_accumulate", func(c *call) types.Type { return state(c.args[0].Type()) }, "", wAny(), wInt()).optional(1).defaults(tracked).neverNull().
			checked(itemSupported).sketched("approx_top_k", 1, func(c *call) (map[string]any, error) { return topKParams(c, -1, 1) }),
		agg("approx_top_k_combine", func(c *call) types.Type { return state(item(c)) }, "", wState, wInt()).optional(1).neverNull().fitting(fitCombine).
			checked(isState).sketched("approx_top_k_combine", 3, func(c *call) (map[string]any, error) {
			if _, ok := c.konst.(unset); ok {
				return map[string]any{}, nil
			}
			return topKParams(c, -1, 1)
		}),
		fnOf("approx_top_k_estimate", func(c *call) types.Type { return entry(item(c)) }, "", wState, wInt()).optional(1).defaults(k).always().
			checked(isState).sketched("approx_top_k_estimate", 2, func(c *call) (map[string]any, error) { return topKParams(c, 1, -1) }),
	}
}

// unset marks that approx_top_k_combine was not told how many items to track:
// its inputs say, and Spark prints -1.
type unset struct{}

func fitCombine(c *call) error {
	if len(c.args) == 1 {
		c.args, c.konst = append(c.args, litInt(-1)), unset{}
	}
	if err := c.fitOne(0, c.d.want[0]); err != nil {
		return err
	}
	return c.fitOne(1, c.d.want[1])
}

func itemSupported(c *call) error {
	t := c.args[0].Type()
	if types.IsNumeric(t) || types.IsString(t) {
		return nil
	}
	switch t {
	case types.Boolean, types.Date, types.Timestamp, types.TimestampNTZ:
		return nil
	}
	return hint(c, "Cannot resolve %q: items of type %s are not supported.", c.text(), quoteType(t))
}

// isState checks the fields of a state of approx_top_k_accumulate.
func isState(c *call) error {
	s, ok := c.args[0].Type().(types.Struct)
	if !ok || len(s.Fields) != 4 || s.Fields[0].Type != types.Binary || s.Fields[1].Type != types.Int || s.Fields[3].Type != types.String {
		return hint(c, "Cannot resolve %q: a state is a STRUCT of a sketch (BINARY), the items tracked (INT), a value of the items' type and its DDL (STRING), not %s.",
			c.text(), quoteType(c.args[0].Type()))
	}
	return nil
}

// topKParams reads k and the items tracked, -1 for none; items tracked stay
// unknown until the statement runs where only k is given.
func topKParams(c *call, k, tracked int) (map[string]any, error) {
	p := map[string]any{}
	read := func(i int, name, key string) (int64, error) {
		if !IsFoldable(c.args[i]) {
			return 0, hint(c, "Cannot resolve %q: %s must be a constant.", c.text(), name)
		}
		l, ok := Eval(c.args[i])
		if ok && l.Value == nil {
			return 0, errf(c.ctx, "APPROX_TOP_K_NULL_ARG", "22004", "The %s of %s must not be NULL.", name, quoteName("approx_top_k"))
		}
		var n int64
		if ok {
			n, ok = l.Value.(int64)
		}
		if !ok {
			return 0, errf(c.ctx, "CAST_INVALID_INPUT", "22018", "The %s of %s must be an integer, not %q.", name, quoteName("approx_top_k"), SQLName(c.args[i]))
		}
		if n <= 0 {
			return 0, errf(c.ctx, "APPROX_TOP_K_NON_POSITIVE_ARG", "22023", "The %s of %s must be positive, not %d.", name, quoteName("approx_top_k"), n)
		}
		p[key] = n
		return n, nil
	}
	n := int64(0)
	if k >= 0 {
		var err error
		if n, err = read(k, "k", "k"); err != nil {
			return nil, err
		}
	}
	if tracked >= 0 {
		most, err := read(tracked, "maxItemsTracked", "max")
		if err != nil {
			return nil, err
		}
		if most > maxTracked {
			return nil, errf(c.ctx, "APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT", "22023", "%s tracks %d items at most, not %d.", quoteName("approx_top_k"), maxTracked, most)
		}
		if most < n {
			return nil, errf(c.ctx, "APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K", "22023", "%s tracks %d items, fewer than its k of %d.", quoteName("approx_top_k"), most, n)
		}
	}
	return p, nil
}
