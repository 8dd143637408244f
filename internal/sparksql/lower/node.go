package lower

import (
	"fmt"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// node is a SELECT that yields n's output in columns named by Col.
func (l *lowerer) node(n plan.Node) string {
	switch n := n.(type) {
	case *plan.Scan:
		return l.scan(n)
	case *plan.Values:
		return l.values(n)
	case *plan.Project:
		n = staged(n)
		return "SELECT " + l.over(n.Input, func() string { return l.named(n.Exprs) }) + l.from(n.Input)
	case *plan.Filter:
		if numbersRows(n.Cond) {
			return "SELECT " + columns(n.Output()) + " FROM (SELECT *, " + l.condition(n.Cond) + " AS keep" + l.from(n.Input) + ") AS " + l.fresh("t") + " WHERE keep"
		}
		return "SELECT " + columns(n.Output()) + l.from(n.Input) + " WHERE " + l.over(n.Input, func() string { return l.condition(n.Cond) })
	case *plan.Join:
		return l.join(n)
	case *plan.Aggregate:
		return l.aggregateNode(n)
	case *plan.Window:
		return "SELECT " + l.over(n.Input, func() string { return columns(n.Input.Output(), l.items(n.Exprs)...) }) + l.from(n.Input)
	case *plan.Generate:
		return l.generate(n)
	case *plan.TimeWindow:
		return l.timeWindow(n)
	case *plan.Sort:
		return "SELECT " + columns(n.Output()) + l.from(n.Input) + " ORDER BY " + l.sortKeys(n.Keys)
	case *plan.Limit:
		return l.limit(n)
	case *plan.SetOp:
		return l.setOp(n)
	case *plan.Distinct:
		return l.distinct(n)
	case *plan.Watermark:
		return l.renamed(l.node(n.Input), n.Input.Output(), n.Attrs)
	case *plan.With:
		return l.with(n)
	case *plan.CTERef:
		return l.renamed(`SELECT * FROM `+cteName(n.CTE), n.CTE.Plan.Output(), n.Attrs)
	}
	return l.fail(fmt.Errorf("lower: node %T", n))
}

// numbersRows tells whether e asks for row numbers, which DuckDB knows as a
// window function: none may stand in WHERE.
func numbersRows(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(x plan.Expr) bool {
		c, ok := x.(*plan.Call)
		found = found || ok && c.Fn == "monotonically_increasing_id"
		return !found
	})
	return found
}

func (l *lowerer) from(n plan.Node) string {
	if v, ok := n.(*plan.Values); ok && len(v.Attrs) == 0 && len(v.Rows) == 1 {
		return ""
	}
	return " FROM (" + l.node(n) + ") AS " + l.fresh("t")
}

// columns lists attributes, each ID once, and further items.
func columns(attrs []plan.Attr, more ...string) string {
	seen := map[plan.ID]bool{}
	var items []string
	for _, a := range attrs {
		if !seen[a.ID] {
			seen[a.ID] = true
			items = append(items, Col(a))
		}
	}
	return list(append(items, more...))
}

// list joins select items; SQL needs at least one.
func list(items []string) string {
	if len(items) == 0 {
		return "1 AS one"
	}
	return strings.Join(items, ", ")
}

func (l *lowerer) items(exprs []plan.NamedExpr) []string {
	seen := map[plan.ID]bool{}
	var items []string
	for _, e := range exprs {
		if seen[e.Attr.ID] {
			continue
		}
		seen[e.Attr.ID] = true
		text := l.expr(e.X)
		if text != Col(e.Attr) {
			text += " AS " + Col(e.Attr)
		}
		items = append(items, text)
	}
	return items
}

func (l *lowerer) named(exprs []plan.NamedExpr) string { return list(l.items(exprs)) }

// renamed gives the columns of body new names by position.
func (l *lowerer) renamed(body string, from, to []plan.Attr) string {
	if len(from) != len(to) {
		return l.fail(fmt.Errorf("lower: %d columns renamed to %d", len(from), len(to)))
	}
	items := make([]string, len(from))
	for i := range from {
		items[i] = Col(from[i]) + " AS " + Col(to[i])
	}
	return "SELECT " + list(items) + " FROM (" + body + ") AS " + l.fresh("t")
}

func (l *lowerer) scan(s *plan.Scan) string {
	if l.opt.Scan == nil {
		return l.fail(fmt.Errorf("lower: no scan for %s", strings.Join(s.Source.Name, ".")))
	}
	from, err := l.opt.Scan(s)
	if err != nil {
		return l.fail(err)
	}
	return "SELECT " + columns(s.Attrs) + " FROM " + from
}

func (l *lowerer) values(v *plan.Values) string {
	if len(v.Attrs) == 0 {
		rows := make([]string, len(v.Rows))
		for i := range rows {
			rows[i] = "(1)"
		}
		if len(rows) == 0 {
			return "SELECT 1 AS one WHERE false"
		}
		return "SELECT one FROM (VALUES " + strings.Join(rows, ", ") + ") AS " + l.fresh("t") + "(one)"
	}
	if len(v.Rows) == 0 {
		items := make([]string, len(v.Attrs))
		for i, a := range v.Attrs {
			items[i] = cast("NULL", l.duckType(a.Type)) + " AS " + Col(a)
		}
		return "SELECT " + list(items) + " WHERE false"
	}
	rows := make([]string, len(v.Rows))
	for i, r := range v.Rows {
		cells := l.exprs(r)
		for j, x := range r {
			if plan.CanRaise(x) {
				cells[j] = inlineErrors(cells[j])
			}
		}
		rows[i] = "(" + strings.Join(cells, ", ") + ")"
	}
	return "SELECT * FROM (VALUES " + strings.Join(rows, ", ") + ") AS " + l.fresh("t") + "(" + columns(v.Attrs) + ")"
}

func (l *lowerer) join(j *plan.Join) string {
	if j.Kind != plan.InnerJoin && j.Kind != plan.CrossJoin && j.Cond != nil && !j.Lateral {
		j = hoisted(j)
	}
	kinds := map[plan.JoinKind]string{plan.InnerJoin: "JOIN", plan.LeftJoin: "LEFT JOIN", plan.RightJoin: "RIGHT JOIN",
		plan.FullJoin: "FULL JOIN", plan.SemiJoin: "SEMI JOIN", plan.AntiJoin: "ANTI JOIN", plan.CrossJoin: "CROSS JOIN"}
	kind := kinds[j.Kind]
	if j.Kind == plan.InnerJoin && j.Cond == nil {
		kind = "CROSS JOIN"
	}
	lateral := ""
	if j.Lateral {
		lateral = "LATERAL "
	}
	sql := "SELECT " + columns(j.Attrs) + l.from2(j.Left) + " " + kind + " " + lateral + "(" + l.node(j.Right) + ") AS " + l.fresh("t")
	switch {
	case kind == "CROSS JOIN":
		if j.Cond != nil {
			sql += " WHERE " + l.condition(j.Cond)
		}
	case j.Cond != nil:
		sql += " ON " + l.condition(j.Cond)
	default:
		sql += " ON true"
	}
	return sql
}

// from2 is from for a side of a join, which always needs an item.
func (l *lowerer) from2(n plan.Node) string { return " FROM (" + l.node(n) + ") AS " + l.fresh("t") }

func (l *lowerer) sortKeys(keys []plan.SortKey) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		dir, nulls := " ASC", " NULLS LAST"
		if k.Desc {
			dir = " DESC"
		}
		if k.NullsFirst {
			nulls = " NULLS FIRST"
		}
		out[i] = l.sortable(k.X) + dir + nulls
	}
	return strings.Join(out, ", ")
}

// sortable keeps DuckDB from reading an integer constant as a column number.
func (l *lowerer) sortable(e plan.Expr) string {
	x := l.expr(e)
	if types.IsFloating(e.Type()) {
		return "(" + x + " + 0.0::DOUBLE)" // -0.0 sorts with 0.0
	}
	if nested(e.Type()) {
		return l.orderKey(x, e.Type())
	}
	return x
}

func (l *lowerer) limit(n *plan.Limit) string {
	var sql string
	if s, ok := n.Input.(*plan.Sort); ok {
		sql = l.node(s)
	} else {
		sql = "SELECT " + columns(n.Output()) + l.from2(n.Input)
	}
	if n.N != nil {
		sql += " LIMIT " + l.count(n.N)
	}
	if n.Offset != nil {
		sql += " OFFSET " + l.count(n.Offset)
	}
	return sql
}

func (l *lowerer) count(e plan.Expr) string {
	if n, ok := constInt(e); ok {
		return fmt.Sprint(n)
	}
	return "(" + l.expr(e) + ")"
}

func (l *lowerer) setOp(n *plan.SetOp) string {
	words := map[plan.SetOpKind]string{plan.Union: "UNION", plan.Intersect: "INTERSECT", plan.Except: "EXCEPT"}
	word := words[n.Kind]
	if n.All {
		word += " ALL"
	}
	left := l.renamed(l.node(n.Left), n.Left.Output(), n.Attrs)
	right := l.renamed(l.node(n.Right), n.Right.Output(), n.Attrs)
	if (n.Kind != plan.Union || !n.All) && slices.ContainsFunc(n.Attrs, func(a plan.Attr) bool { return types.HasCollation(a.Type) }) {
		return l.collatedSet(n, left, right)
	}
	if n.Kind == plan.Union && !n.All || n.Kind != plan.Union && n.All {
		left, right = l.unsigned(left, n.Attrs), l.unsigned(right, n.Attrs) // Spark groups the rows
	}
	return "(" + left + ") " + word + " (" + right + ")"
}

// unsigned makes -0.0 one with 0.0 in the columns of a query.
func (l *lowerer) unsigned(sql string, attrs []plan.Attr) string {
	if !slices.ContainsFunc(attrs, func(a plan.Attr) bool { return types.IsFloating(a.Type) }) {
		return sql
	}
	items := make([]string, len(attrs))
	for i, a := range attrs {
		items[i] = Col(a)
		if types.IsFloating(a.Type) {
			items[i] = unsignedZero(Col(a), l.duckType(a.Type)) + " AS " + Col(a)
		}
	}
	return "SELECT " + list(items) + " FROM (" + sql + ") AS " + l.fresh("s")
}

// collatedSet is a set operation that compares some columns by their keys.
func (l *lowerer) collatedSet(n *plan.SetOp, left, right string) string {
	if n.All {
		return l.unsupported(noPos, "INTERSECT ALL and EXCEPT ALL of texts with a collation are not supported.")
	}
	cols, keys := make([]string, len(n.Attrs)), make([]string, len(n.Attrs))
	same := make([]string, len(n.Attrs))
	x, y := l.fresh("x"), l.fresh("y")
	for i, a := range n.Attrs {
		cols[i], keys[i] = Col(a), l.collationKey(Col(a), a.Type)
		same[i] = l.collationKey(x+"."+Col(a), a.Type) + " IS NOT DISTINCT FROM " + l.collationKey(y+"."+Col(a), a.Type)
	}
	on := "SELECT DISTINCT ON (" + strings.Join(keys, ", ") + ") " + strings.Join(cols, ", ")
	if n.Kind == plan.Union {
		return on + " FROM ((" + left + ") UNION ALL (" + right + ")) AS " + x
	}
	not := map[plan.SetOpKind]string{plan.Intersect: "", plan.Except: "NOT "}[n.Kind]
	return on + " FROM (" + left + ") AS " + x + " WHERE " + not + "EXISTS (SELECT 1 FROM (" + right + ") AS " + y + " WHERE " + strings.Join(same, " AND ") + ")"
}

func (l *lowerer) distinct(n *plan.Distinct) string {
	var items, on []string
	collated := false
	seen := map[plan.ID]bool{}
	for _, a := range n.Output() {
		if seen[a.ID] {
			continue
		}
		seen[a.ID] = true
		on = append(on, l.collationKey(Col(a), a.Type))
		collated = collated || types.HasCollation(a.Type)
		item := Col(a)
		if types.IsFloating(a.Type) {
			item = unsignedZero(Col(a), l.duckType(a.Type)) + " AS " + Col(a)
		}
		items = append(items, item)
	}
	if collated {
		return "SELECT DISTINCT ON (" + strings.Join(on, ", ") + ") " + list(items) + l.from2(n.Input)
	}
	return "SELECT DISTINCT " + list(items) + l.from2(n.Input)
}

// unsignedZero makes -0.0 one with 0.0, as grouping wants it.
func unsignedZero(x, dt string) string { return cast("("+x+" + 0)", dt) }

func cteName(c *plan.CTE) string { return fmt.Sprintf(`"w%d"`, c.ID) }

func (l *lowerer) with(n *plan.With) string {
	var parts []string
	with := "WITH "
	for _, c := range n.CTEs {
		if l.refs[c.ID] == 0 {
			continue // analysed, never run
		}
		if r, ok := c.Plan.(*plan.Recursion); ok {
			with = "WITH RECURSIVE "
			parts = append(parts, l.recursion(c, r))
			continue
		}
		how := " AS ("
		if l.refs[c.ID] > 1 {
			how = " AS MATERIALIZED ("
		}
		parts = append(parts, cteName(c)+how+l.node(c.Plan)+")")
	}
	body := l.node(n.Body)
	if len(parts) == 0 {
		return body
	}
	return with + strings.Join(parts, ", ") + " SELECT " + columns(n.Body.Output()) + " FROM (" + body + ") AS " + l.fresh("t")
}

// aggregateNode names the keys first, so that grouping sets and the select
// list mean the same.
func (l *lowerer) aggregateNode(n *plan.Aggregate) string {
	inner := n.Input.Output()
	var computed []string
	keys, shown := make([]string, len(n.Keys)), make([]string, len(n.Keys))
	for i, k := range n.Keys {
		keys[i] = Col(k.Attr)
		text := l.expr(k.X)
		if types.IsFloating(k.X.Type()) {
			text = unsignedZero(text, l.duckType(k.X.Type()))
		}
		if text != keys[i] {
			computed = append(computed, text+" AS "+keys[i])
			inner = without(inner, k.Attr.ID)
		}
		shown[i] = keys[i]
		if t := k.X.Type(); types.HasCollation(t) { // one of the equal values stands for the group
			keys[i] = fmt.Sprintf(`"k%d"`, k.Attr.ID)
			computed = append(computed, l.collationKey(text, t)+" AS "+keys[i])
			shown[i] = "first(" + shown[i] + ") AS " + shown[i]
			if n.Sets != nil {
				shown[i] = "CASE WHEN grouping(" + keys[i] + ") = 0 THEN first(" + Col(k.Attr) + ") END AS " + Col(k.Attr)
			}
		}
	}
	from := l.from2(n.Input)
	if len(computed) > 0 {
		from = " FROM (SELECT " + columns(inner, computed...) + from + ") AS " + l.fresh("t")
	}
	outer := l.keys
	l.keys = map[string]string{}
	for i, k := range n.Keys {
		l.keys[l.expr(k.X)] = keys[i]
	}
	sql := "SELECT " + list(append(shown, l.items(n.Aggs)...)) + from
	l.keys = outer
	switch {
	case n.Sets != nil:
		sets := make([]string, len(n.Sets))
		for i, s := range n.Sets {
			var in []string
			for _, k := range s {
				in = append(in, keys[k])
			}
			sets[i] = "(" + strings.Join(in, ", ") + ")"
		}
		sql += " GROUP BY GROUPING SETS (" + strings.Join(sets, ", ") + ")"
		if len(keys) > 0 && slices.ContainsFunc(n.Sets, func(s []int) bool { return len(s) == 0 }) {
			sql += " HAVING count(*) > 0" // no rows give no total beside other sets
		}
	case len(keys) > 0:
		sql += " GROUP BY " + strings.Join(keys, ", ")
	case len(n.Aggs) == 0:
		sql += " LIMIT 1" // one row of nothing
	}
	return sql
}

// without leaves an attribute out.
func without(attrs []plan.Attr, id plan.ID) []plan.Attr {
	var out []plan.Attr
	for _, a := range attrs {
		if a.ID != id {
			out = append(out, a)
		}
	}
	return out
}
