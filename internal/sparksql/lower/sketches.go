package lower

import (
	"maps"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// fallible is a kernel that can tell why a row has no value: the text raises
// what it tells.
func (l *lowerer) fallible(kind string, a, argTypes []string, dt string, params map[string]any) string {
	return l.letAll(a, func(a []string) string {
		why := map[string]any{"why": true}
		maps.Copy(why, params)
		given := make([]string, len(a))
		for i, x := range a {
			given[i] = "(" + x + ") IS NOT NULL"
		}
		return "CASE WHEN " + strings.Join(given, " AND ") + " THEN coalesce(" + l.call(kind, a, argTypes, dt, constants(params)) + ", error(" + quote(Marker) + " || " +
			l.call(kind, a, argTypes, "VARCHAR", why) + ")) END"
	})
}

// constants are a kernel's parameters, nil for none.
func constants(p map[string]any) any {
	if len(p) == 0 {
		return nil
	}
	return p
}

// letAll binds all of a.
func (l *lowerer) letAll(a []string, body func(a []string) string) string {
	bound := make([]string, len(a))
	var bind func(i int) string
	bind = func(i int) string {
		if i == len(a) {
			return body(bound)
		}
		return l.let(a[i], func(v string) string {
			bound[i] = v
			return bind(i + 1)
		})
	}
	return bind(0)
}

func (l *lowerer) duckTypes(es []plan.Expr) []string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = l.duckType(e.Type())
	}
	return out
}

// sketchScalar lowers a scalar function over sketches.
func (l *lowerer) sketchScalar(c *plan.Call, spec funcs.SketchSpec, a []string) string {
	dt := l.duckType(c.Typ)
	if spec.Kind == "approx_top_k_estimate" {
		state, _ := c.Args[0].Type().(types.Struct)
		return l.let(a[0], func(s string) string {
			return l.topKEstimate("struct_extract("+s+", 'sketch')", "struct_extract("+s+", 'maxItemsTracked')", state.Fields[2].Type, spec.Params, dt)
		})
	}
	args := a[:spec.Args]
	return l.fallible(spec.Kind, args, l.duckTypes(c.Args[:spec.Args]), dt, spec.Params)
}

// topKEstimate lists the items of a sketch.
func (l *lowerer) topKEstimate(sketch, tracked string, item types.Type, params map[string]any, dt string) string {
	p := map[string]any{"k": params["k"], "item": l.duckType(item)}
	return l.fallible("approx_top_k_estimate", []string{sketch, tracked}, []string{"BLOB", "INTEGER"}, dt, p)
}

// sketch lowers an aggregate that a kernel runs.
func (g *aggCall) sketch(spec funcs.SketchSpec, dt string) string {
	l := g.l
	call := func(kind string, args, argTypes []string, ret string, params map[string]any) string {
		return g.fn(l.kernel(kind, argTypes, ret, constants(params)), strings.Join(args, ", "))
	}
	params := spec.Params
	if g.over != "" && strings.HasPrefix(spec.Kind, "kll_") {
		params = map[string]any{"over": true}
		maps.Copy(params, spec.Params)
	}
	args, argTypes := g.a[:min(spec.Args, len(g.a))], l.duckTypes(g.c.Args[:min(spec.Args, len(g.a))])
	item := g.c.Args[0].Type()
	switch spec.Kind {
	case "approx_top_k":
		tracking := map[string]any{"max": spec.Params["max"]}
		if g.over != "" {
			tracking["over"] = true
		}
		blob := call(spec.Kind, args, argTypes, "BLOB", tracking)
		if spec.Params["k"] != nil {
			return l.topKEstimate(blob, itoa(1_000_000), item, spec.Params, dt)
		}
		most, _ := spec.Params["max"].(int64)
		return cast("{'sketch': "+blob+", 'maxItemsTracked': "+itoa(most)+", 'itemDataType': NULL, 'itemDataTypeDDL': "+quote(itemDDL(item))+"}", dt)
	case "approx_top_k_combine":
		s := g.a[0]
		args = []string{"struct_extract(" + s + ", 'sketch')", "struct_extract(" + s + ", 'maxItemsTracked')", "struct_extract(" + s + ", 'itemDataTypeDDL')"}
		return call(spec.Kind, args, []string{"BLOB", "INTEGER", "VARCHAR"}, dt, spec.Params)
	case "histogram_numeric":
		x := call(spec.Kind, []string{l.ordinal(g.a[0], item)}, []string{"DOUBLE"}, "STRUCT(x DOUBLE, y DOUBLE)[]", spec.Params)
		v := l.fresh("b")
		return cast("list_transform("+x+", lambda "+v+": {'x': "+l.fromOrdinal("struct_extract("+v+", 'x')", item)+", 'y': struct_extract("+v+", 'y')})", dt)
	case "approx_count_distinct":
		x := g.a[0]
		h := l.call("xxhash64", []string{x}, argTypes, "BIGINT", map[string]any{"types": []string{item.String()}})
		return call(spec.Kind, []string{"CASE WHEN (" + x + ") IS NOT NULL THEN " + h + " END"}, []string{"BIGINT"}, dt, spec.Params)
	case "vector_sum", "vector_avg", "bitmap_construct_agg", "bitmap_or_agg", "bitmap_and_agg":
		return call(spec.Kind, args, argTypes, dt, nil)
	}
	return call(spec.Kind, args, argTypes, dt, params)
}

// itemDDL is how Spark writes the type of a sketch's items.
func itemDDL(t types.Type) string {
	if types.IsString(t) {
		return "item string not null"
	}
	return "item " + t.SQL() + " NOT NULL"
}

// ordinal is the place of a value on the line of numbers, as DOUBLE.
func (l *lowerer) ordinal(x string, t types.Type) string {
	switch t {
	case types.Date:
		return cast("("+x+" - DATE '1970-01-01')", "DOUBLE")
	case types.Timestamp, types.TimestampNTZ:
		return cast("epoch_us("+x+")", "DOUBLE")
	}
	return cast(x, "DOUBLE")
}

// fromOrdinal is the value at a place; whole numbers are cut off.
func (l *lowerer) fromOrdinal(x string, t types.Type) string {
	switch t {
	case types.Date:
		return "CAST(DATE '1970-01-01' + CAST(trunc(" + x + ") AS INTEGER) AS DATE)"
	case types.Timestamp:
		return "make_timestamptz(CAST(trunc(" + x + ") AS BIGINT))"
	case types.TimestampNTZ:
		return "make_timestamp(CAST(trunc(" + x + ") AS BIGINT))"
	case types.Float, types.Double:
		return cast(x, l.duckType(t))
	}
	if _, ok := isDecimal(t); ok {
		return cast(x, l.duckType(t))
	}
	return cast("trunc("+x+")", l.duckType(t))
}
