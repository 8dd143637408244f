package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// generate appends a generator's columns: the input is unnested over a list of
// values or structs.
func (l *lowerer) generate(n *plan.Generate) string {
	name, _ := baseName(n.Gen.Fn)
	input := l.from2(n.Input)
	if name == "json_tuple" {
		return "SELECT " + columns(n.Input.Output(), l.jsonTuple(n)...) + input
	}
	listText, takes := l.generated(name, n)
	outer := n.Outer || strings.HasSuffix(n.Gen.Fn, "_outer")
	if outer {
		listText = l.let(listText, func(x string) string { return "CASE WHEN len(" + x + ") > 0 THEN " + x + " ELSE [NULL] END" })
	}
	if takes == nil {
		return "SELECT " + columns(n.Input.Output(), "unnest("+listText+") AS "+Col(n.Attrs[0])) + input
	}
	g := l.fresh("g")
	items := make([]string, len(takes))
	for i, take := range takes {
		items[i] = take(g) + " AS " + Col(n.Attrs[i])
	}
	return "SELECT " + columns(n.Input.Output(), items...) + " FROM (SELECT " + columns(n.Input.Output(), "unnest("+listText+") AS "+g) + input + ") AS " + l.fresh("t")
}

// generated is the list to unnest, and how each column is taken out of an
// element; nil for the element itself.
func (l *lowerer) generated(name string, n *plan.Generate) (list string, takes []func(g string) string) {
	field := func(f string) func(string) string {
		return func(g string) string { return "struct_extract(" + g + ", " + quote(f) + ")" }
	}
	c := n.Gen
	switch name {
	case "explode":
		x := l.expr(c.Args[0])
		if _, ok := c.Args[0].Type().(types.Map); ok {
			return "map_entries(" + x + ")", []func(string) string{field("key"), field("value")}
		}
		return x, nil
	case "posexplode":
		return l.positions(l.expr(c.Args[0]), c.Args[0].Type())
	case "inline":
		a, _ := c.Args[0].Type().(types.Array)
		st, _ := a.Elem.(types.Struct)
		for _, name := range fieldNames(st) {
			takes = append(takes, field(name))
		}
		return l.expr(c.Args[0]), takes
	case "range":
		return l.rangeList(c), nil
	case "variant_explode":
		entries := l.call("variant_entries", []string{l.expr(c.Args[0])}, []string{variantBlob}, `STRUCT("pos" INTEGER, "key" VARCHAR, "value" BLOB)[]`, nil)
		return entries, []func(string) string{field("pos"), field("key"), field("value")}
	case "stack":
		return l.stack(n)
	}
	return l.unsupported(c.Pos, "The generator `%s` cannot be executed.", c.Fn), nil
}

func (l *lowerer) positions(x string, t types.Type) (list string, takes []func(g string) string) {
	e, i := l.fresh("e"), l.fresh("i")
	names := []string{"pos", "col"}
	pair := "'col': " + e
	if _, ok := t.(types.Map); ok {
		x, names = "map_entries("+x+")", []string{"pos", "key", "value"}
		pair = "'key': " + e + ".key, 'value': " + e + ".value"
	}
	for _, f := range names {
		takes = append(takes, func(g string) string { return "struct_extract(" + g + ", '" + f + "')" })
	}
	return "list_transform(" + x + ", lambda " + e + ", " + i + ": {'pos': CAST(" + i + " - 1 AS INTEGER), " + pair + "})", takes
}

func (l *lowerer) stack(n *plan.Generate) (list string, takes []func(g string) string) {
	args := l.exprs(n.Gen.Args)[1:]
	width := len(n.Attrs)
	rows, _ := constInt(n.Gen.Args[0])
	var parts []string
	for r := range int(rows) {
		cells := make([]string, width)
		for k := range cells {
			cells[k] = "'f" + itoa(int64(k)) + "': "
			if i := r*width + k; i < len(args) {
				cells[k] += args[i]
			} else {
				cells[k] += cast("NULL", l.duckType(n.Attrs[k].Type))
			}
		}
		parts = append(parts, "{"+strings.Join(cells, ", ")+"}")
	}
	for k := range width {
		takes = append(takes, func(g string) string { return "struct_extract(" + g + ", 'f" + itoa(int64(k)) + "')" })
	}
	return "[" + strings.Join(parts, ", ") + "]", takes
}

func (l *lowerer) jsonTuple(n *plan.Generate) []string {
	x := l.expr(n.Gen.Args[0])
	items := make([]string, len(n.Attrs))
	for i, a := range n.Attrs {
		items[i] = l.call("json_member", []string{x, l.expr(n.Gen.Args[i+1])}, []string{"VARCHAR", "VARCHAR"}, "VARCHAR", nil) + " AS " + Col(a)
	}
	return items
}

// timeWindow repeats each row for each window that its time falls into.
func (l *lowerer) timeWindow(n *plan.TimeWindow) string {
	st, ok := n.Window.Type.(types.Struct)
	if !ok || len(st.Fields) != 2 {
		return l.fail(errPlan)
	}
	if n.Session {
		return l.sessionWindow(n, st)
	}
	make1 := "make_timestamptz"
	if st.Fields[0].Type == types.TimestampNTZ {
		make1 = "make_timestamp"
	}
	slide := n.Slide
	if slide <= 0 {
		slide = n.Width
	}
	s, u := l.fresh("s"), l.fresh("u")
	off := "(" + u + " - " + itoa(n.Start) + "::BIGINT)"
	w := itoa(slide) + "::BIGINT"
	last := "(" + u + " - ((" + off + " % " + w + " + " + w + ") % " + w + "))"
	in := n.Input.Output()
	inner := "SELECT " + columns(in, "epoch_us("+l.expr(n.Time)+") AS "+u) + l.from2(n.Input)
	start := "SELECT " + columns(in, last+" AS "+s) + " FROM (" + inner + ") AS " + l.fresh("t") + " WHERE " + u + " IS NOT NULL"
	if slide < n.Width {
		steps := (n.Width + slide - 1) / slide
		start = "SELECT " + columns(in, s, u) + " FROM (SELECT " + columns(in, u, last+" - unnest(range("+itoa(steps)+")) * "+w+" AS "+s) + " FROM (" + inner + ") AS " + l.fresh("t") +
			" WHERE " + u + " IS NOT NULL) AS " + l.fresh("t") + " WHERE " + s + " + " + itoa(n.Width) + " > " + u
	}
	window := "{" + quote(st.Fields[0].Name) + ": " + make1 + "(" + s + "), " + quote(st.Fields[1].Name) + ": " + make1 + "(" + s + " + " + itoa(n.Width) + "::BIGINT)} AS " + Col(n.Window)
	return "SELECT " + columns(in, window) + " FROM (" + start + ") AS " + l.fresh("t")
}

// sessionWindow numbers the sessions of each partition: one begins where a row
// comes later than the end of all before it.
func (l *lowerer) sessionWindow(n *plan.TimeWindow, st types.Struct) string {
	in := n.Input.Output()
	s, e, prev, id := l.fresh("s"), l.fresh("e"), l.fresh("p"), l.fresh("n")
	parts := l.exprs(n.Partition)
	var keys []string
	var keyItems []string
	for _, p := range parts {
		k := l.fresh("k")
		keys, keyItems = append(keys, k), append(keyItems, p+" AS "+k)
	}
	over := func(order string, more ...string) string {
		by := append(append([]string(nil), keys...), more...)
		if len(by) > 0 {
			return "(PARTITION BY " + strings.Join(by, ", ") + order + ")"
		}
		return "(" + strings.TrimPrefix(order, " ") + ")"
	}
	sub := func(items string, from string) string {
		return "SELECT " + items + " FROM (" + from + ") AS " + l.fresh("t")
	}
	t := l.expr(n.Time)
	end := "(" + t + " + to_microseconds(" + itoa(n.Width) + "::BIGINT))"
	if n.End != nil {
		end = l.expr(n.End)
	}
	sql := "SELECT " + columns(in, append(keyItems, t+" AS "+s, end+" AS "+e)...) + l.from2(n.Input) + " WHERE " + t + " IS NOT NULL"
	sql = "SELECT * FROM (" + sql + ") AS " + l.fresh("t") + " WHERE " + e + " > " + s
	sql = sub("*, max("+e+") OVER "+over(" ORDER BY "+s+" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING")+" AS "+prev, sql)
	sql = sub("*, sum(CASE WHEN "+s+" <= "+prev+" THEN 0 ELSE 1 END) OVER "+over(" ORDER BY "+s+" ROWS UNBOUNDED PRECEDING")+" AS "+id, sql)
	window := "{" + quote(st.Fields[0].Name) + ": min(" + s + ") OVER " + over("", id) + ", " + quote(st.Fields[1].Name) + ": max(" + e + ") OVER " + over("", id) + "} AS " + Col(n.Window)
	return sub(columns(in, window), sql)
}

// rangeList is the table function range([start,] end[, step[, parts]]).
func (l *lowerer) rangeList(c *plan.Call) string {
	a := l.exprs(c.Args)
	if len(a) > 3 {
		a = a[:3]
	}
	for i := range a {
		a[i] = cast(a[i], "BIGINT")
	}
	return "range(" + strings.Join(a, ", ") + ")"
}
