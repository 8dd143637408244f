package funcs

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// furtherDefs are functions of no larger family: encryption, vectors, time
// buckets, row numbers, Java's methods, and what needs a data source that is
// not here.
func furtherDefs() []*Def {
	str, bin, big := types.String, types.Binary, types.BigInt
	mode, padding, none := litStr("GCM"), litStr("DEFAULT"), litStr("")
	wFloats := strictly(types.Array{Elem: types.Float})
	wFloats.to = exactFloats
	vectors := func(name string) *Def {
		return agg(name, typeIs(types.Array{Elem: types.Float, ContainsNull: true}), "", wFloats).sketched(name, 1, nil)
	}
	decrypt := func(name string) *Def {
		return fn(name, bin, "", wBin(), wBin(), wStr(), wStr(), wBin()).optional(3).defaults(mode, padding, none).nullable()
	}
	out := []*Def{
		fn("aes_encrypt", bin, "", wBin(), wBin(), wStr(), wStr(), wBin(), wBin()).optional(4).defaults(mode, padding, none, none).nullable().always(),
		decrypt("aes_decrypt").always(), decrypt("try_aes_decrypt"),
		vectors("vector_sum"), vectors("vector_avg"),
		fn("vector_normalize", types.Array{Elem: types.Float, ContainsNull: true}, "", wFloats, kindOf(`"FLOAT"`, func(t types.Type) bool { return t == types.Float }, nil, nil)).
			optional(1).defaults(&plan.Literal{Value: float32(2), Typ: types.Float}).nullable().always(),
		(&Def{Name: "time_bucket", Min: 2, Max: 3, typ: argType(1), fit: fitTimeBucket}),
		fn("monotonically_increasing_id", big, "").neverNull().volatile(),
		fn("input_file_block_start", big, "(-1)::BIGINT").neverNull(), fn("input_file_block_length", big, "(-1)::BIGINT").neverNull(),
		fn("current_path", str, "").neverNull().checked(func(c *call) error {
			c.konst = "system.builtin,system.session," + c.ctx.Catalog + "." + c.ctx.Schema
			return nil
		}),
		fn("sentences", types.Array{Elem: types.Array{Elem: str}}, "", wStr(), wStr(), wStr()).optional(2).defaults(none, none).withNull(func(c *call) bool { return c.args[0].Nullable() }),
		histogramDef(),
		(&Def{Name: "measure", Min: 1, Max: 1, Kind: Aggregate, build: func(c *call) (plan.Expr, error) {
			return nil, errf(c.ctx, "INTERNAL_ERROR", "XX000", "measure is for the measures of a metric view, and there is none here.")
		}}),
	}
	for name, least := range map[string]int{"java_method": 2, "reflect": 2, "try_reflect": 2} {
		out = append(out, (&Def{Name: name, Min: least, Max: -1, typ: typeIs(str), fit: fitReflect}).nullable().withRaises(func(*call) bool { return name != "try_reflect" }))
	}
	for name, source := range map[string]string{"to_avro": "AVRO", "from_avro": "AVRO", "schema_of_avro": "AVRO", "to_protobuf": "PROTOBUF", "from_protobuf": "PROTOBUF"} {
		out = append(out, notLoaded(name, source))
	}
	return out
}

func exactFloats(x plan.Expr, _ Context) (types.Type, bool) {
	a, ok := x.Type().(types.Array)
	return a, ok && a.Elem == types.Float
}

// notLoaded is a function of a data source that Spark, too, has only with a
// package of its own.
func notLoaded(name, source string) *Def {
	return &Def{Name: name, Min: 1, Max: 4, build: func(c *call) (plan.Expr, error) {
		return nil, errf(c.ctx, source+"_NOT_LOADED_SQL_FUNCTIONS_UNUSABLE", "22KD3", "%s needs the %s data source, which is not here.", quoteName(name), strings.ToLower(source))
	}}
}

// histogramDef is histogram_numeric; its Const tells the number of bins.
func histogramDef() *Def {
	wX := wOrdinal()
	typ := func(c *call) types.Type {
		return types.Array{Elem: types.Struct{Fields: []types.Field{{Name: "x", Type: c.args[0].Type(), Nullable: true}, {Name: "y", Type: types.Double, Nullable: true}}}, ContainsNull: true}
	}
	return agg("histogram_numeric", typ, "", wX, wInt()).sketched("histogram_numeric", 1, func(c *call) (map[string]any, error) {
		if err := badConstant(c, 1, types.Int); err != nil {
			return nil, err
		}
		v, err := constantAt(c, 1, "nb")
		if err != nil {
			return nil, err
		}
		n, _ := v.(int64)
		if n < 2 {
			return nil, mismatch(c.ctx, "VALUE_OUT_OF_RANGE", "Cannot resolve %q: the nb must be 2 at least, not %d.", c.text(), n)
		}
		return map[string]any{"k": n}, nil
	})
}

// wOrdinal takes what lies on a line: numbers, times and intervals.
func wOrdinal() want {
	return kindOf(`("NUMERIC" or "DATE" or "TIMESTAMP" or "TIMESTAMP_NTZ" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND")`, func(t types.Type) bool {
		return types.IsNumeric(t) || isInterval(t) || t == types.Date || t == types.Timestamp || t == types.TimestampNTZ
	}, types.Double, types.Double)
}

// TimeBucketSpec is the Const of time_bucket: the size, and the origin, nil for
// the first of January 1970 by the clock that the buckets follow.
type TimeBucketSpec struct {
	Months, Micros int64
	Origin         plan.Expr
}

// fitTimeBucket checks time_bucket(size, time[, origin]).
func fitTimeBucket(c *call) error {
	size := c.args[0].Type()
	if !isInterval(size) && size != types.Void {
		return unexpected(c, 0, `("INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH")`)
	}
	if err := c.fitOne(1, strictly(types.Timestamp, types.TimestampNTZ)); err != nil {
		return err
	}
	at := c.args[1].Type()
	given := len(c.args) == 3
	if !given {
		c.args = append(c.args, &plan.Literal{Value: int64(0), Typ: at})
	}
	if err := c.fitOne(2, strictly(at)); err != nil {
		return err
	}
	if l, ok := Eval(c.args[0]); ok && l.Value == nil {
		c.konst = TimeBucketSpec{}
		return nil
	}
	v, err := constantAt(c, 0, "bucketSize")
	if err != nil {
		return err
	}
	if !IsFoldable(c.args[2]) {
		return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: the origin must be a constant, but %q is none.", c.text(), SQLName(c.args[2]))
	}
	n, _ := v.(int64)
	if n <= 0 {
		return mismatch(c.ctx, "VALUE_OUT_OF_RANGE", "Cannot resolve %q: the bucketSize must be positive.", c.text())
	}
	spec := TimeBucketSpec{Micros: n}
	if given {
		spec.Origin = c.args[2]
	}
	if _, ok := size.(types.YearMonth); ok {
		spec.Months, spec.Micros = n, 0
	}
	c.konst = spec
	return nil
}

// JavaMethod is the Const of reflect: a class and a method of it.
type JavaMethod struct{ Class, Method string }

// javaMethods are the methods that reflect runs, by class.
func javaMethods() map[string][]string {
	return map[string][]string{
		"java.lang.Integer":    {"parseInt", "valueOf", "toString"},
		"java.lang.Long":       {"parseLong", "valueOf", "toString"},
		"java.lang.Double":     {"parseDouble", "valueOf", "toString"},
		"java.lang.Boolean":    {"parseBoolean", "valueOf"},
		"java.lang.Math":       {"abs", "max", "min", "sqrt", "pow", "floor", "ceil", "exp", "log", "log10", "cbrt", "signum"},
		"java.lang.String":     {"valueOf"},
		"java.net.URLDecoder":  {"decode"},
		"java.net.URLEncoder":  {"encode"},
		"java.util.UUID":       {"randomUUID", "fromString"},
		"java.lang.System":     {},
		"java.lang.Character":  {},
		"java.lang.StrictMath": {},
	}
}

func fitReflect(c *call) error {
	names := [2]string{}
	for i := range names {
		l, ok := Eval(c.args[i])
		if ok && l.Value != nil {
			_, ok = l.Value.(string)
		}
		if !ok {
			return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: class and method must be constants.", c.text())
		}
		if l.Value == nil {
			return mismatch(c.ctx, "UNEXPECTED_NULL", "Cannot resolve %q: class and method must not be NULL.", c.text())
		}
		names[i], _ = l.Value.(string)
	}
	methods, known := javaMethods()[names[0]]
	if !known {
		return mismatch(c.ctx, "UNEXPECTED_CLASS_TYPE", "Cannot resolve %q: there is no class %s here.", c.text(), names[0])
	}
	if slices.Contains(methods, names[1]) {
		c.konst = JavaMethod{names[0], names[1]}
		return nil
	}
	return mismatch(c.ctx, "UNEXPECTED_STATIC_METHOD", "Cannot resolve %q: there is no method %s in %s here.", c.text(), names[1], names[0])
}
