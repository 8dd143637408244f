package gen

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// table is a table of setup.sql as a query sees it.
type table struct {
	name string
	cols []Column
	key  string // a column that orders all rows, "" where there is none
}

func tables() []table {
	dec := func(p, s int) types.Type { return types.Decimal{Precision: p, Scale: s} }
	return []table{
		{"sales", []Column{{"id", types.Int}, {"shop", types.Int}, {"item", types.String}, {"qty", types.Int}, {"price", dec(8, 2)},
			{"day", types.Date}, {"at", types.Timestamp}, {"rate", types.Double}}, "id"},
		{"shops", []Column{{"shop", types.Int}, {"name", types.String}, {"region", types.String}, {"opened", types.Date}, {"boss", types.Int}, {"area", types.Double}}, "name"},
		{"items", []Column{{"item", types.String}, {"kind", types.String}, {"cost", dec(6, 3)}, {"weight", types.BigInt}}, "item"},
	}
}

// from is what stands behind FROM, with the columns that it offers.
type from struct {
	text string
	cols []Column
}

// maker makes one query.
type maker struct {
	g     *Generator
	r     *rand.Rand
	alias int
	with  []string
}

// Query is the nth random query.
func (g *Generator) Query(n int) Statement {
	m := &maker{g: g, r: g.rand(2, uint64(n))}
	st := Statement{ID: fmt.Sprintf("query-%d-%d", g.seed, n), Tolerance: 1e-9}
	shapes := []struct {
		group string
		make  func() (string, bool)
	}{
		{"join", m.join}, {"grouping", m.grouping}, {"window", m.window}, {"set operation", m.setOperation}, {"sub-query", m.subQuery},
		{"lateral", m.lateral}, {"order and limit", m.ordered}, {"distinct", m.distinct}, {"pivot", m.pivot}, {"nested", m.nested},
	}
	s := shapes[n%len(shapes)]
	st.Group = "query: " + s.group
	st.SQL, st.Ordered = s.make()
	if len(m.with) > 0 {
		st.SQL = "WITH " + strings.Join(m.with, ", ") + " " + st.SQL
	}
	return st
}

// table draws a table, now and then as a sub-query or CTE, under an alias.
func (m *maker) table(t table) from {
	m.alias++
	a := fmt.Sprintf("t%d", m.alias)
	f := from{text: t.name + " " + a}
	switch m.r.IntN(6) {
	case 0:
		f.text = fmt.Sprintf("(SELECT * FROM %s WHERE %s) %s", t.name, m.condition(t.cols), a)
	case 1:
		name := fmt.Sprintf("c%d", m.alias)
		m.with = append(m.with, fmt.Sprintf("%s AS (SELECT * FROM %s)", name, t.name))
		f.text = name + " AS " + a
	}
	for _, c := range t.cols {
		f.cols = append(f.cols, Column{a + "." + c.Name, c.Type})
	}
	return f
}

// condition is a BOOLEAN expression that raises nothing.
func (m *maker) condition(cols []Column) string {
	c := pick(m.r, cols)
	switch m.r.IntN(6) {
	case 0:
		return c.Name + pick(m.r, []string{" IS NULL", " IS NOT NULL"})
	case 1:
		return "NOT (" + m.condition(cols) + pick(m.r, []string{" AND ", " OR "}) + m.condition(cols) + ")"
	case 2:
		var same []string
		for _, o := range cols {
			if types.Equal(o.Type, c.Type) {
				same = append(same, o.Name)
			}
		}
		return c.Name + pick(m.r, []string{" = ", " <=> ", " < ", " >= ", " <> "}) + pick(m.r, same)
	case 3:
		return fmt.Sprintf("%s IN (%s, %s)", c.Name, m.constant(c.Type), m.constant(c.Type))
	}
	return c.Name + pick(m.r, []string{" = ", " < ", " > ", " >= ", " <> "}) + m.constant(c.Type)
}

// constant is a value that the tables hold or nearly.
func (m *maker) constant(t types.Type) string {
	switch t {
	case types.Int, types.BigInt:
		return pick(m.r, []string{"0", "1", "2", "5", "NULL"})
	case types.String:
		return pick(m.r, []string{"'nut'", "'bolt'", "'n'", "'Sur'", "''"})
	case types.Double:
		return pick(m.r, []string{"0.25D", "1.5", "80"})
	case types.Date:
		return pick(m.r, []string{"DATE'2024-01-02'", "'2015-01-31'"})
	case types.Timestamp:
		return pick(m.r, []string{"TIMESTAMP'2024-01-02 00:00:00'", "'2024-01-01 08:00:00'"})
	}
	return pick(m.r, []string{"1.25", "0.5", "10"})
}

// value is a small expression over columns.
func (m *maker) value(cols []Column) string {
	c := pick(m.r, cols)
	switch m.r.IntN(5) {
	case 0:
		return fmt.Sprintf("coalesce(%s, %s)", c.Name, m.constant(c.Type))
	case 1:
		return fmt.Sprintf("CASE WHEN %s THEN %s END", m.condition(cols), c.Name)
	case 2:
		if types.IsNumeric(c.Type) {
			return c.Name + pick(m.r, []string{" + 1", " * 2", " - 0.5", " / 2", " % 3"})
		}
		if c.Type == types.String {
			return pick(m.r, []string{"upper(", "length(", "substring(2 FROM "}[:2]) + c.Name + ")"
		}
		return fmt.Sprintf("CAST(%s AS STRING)", c.Name)
	}
	return c.Name
}

func (m *maker) values(cols []Column, n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = m.value(cols)
		if m.r.IntN(3) == 0 {
			out[i] += fmt.Sprintf(" AS v%d", i)
		}
	}
	return strings.Join(out, ", ")
}

// joined is a join of two or three tables.
func (m *maker) joined() (from, bool) {
	ts := tables()
	left := m.table(ts[0])
	for range 1 + m.r.IntN(2) {
		k := 1 + m.r.IntN(2)
		right := m.table(ts[k])
		both := append(append([]Column{}, left.cols...), right.cols...)
		key := []string{"shop", "item"}[k-1]
		l, r := left.cols[k].Name, right.cols[0].Name
		how := pick(m.r, []string{"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL OUTER JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "CROSS JOIN"})
		on := fmt.Sprintf(" ON %s = %s", l, r)
		switch {
		case how == "CROSS JOIN":
			on = ""
		case m.r.IntN(3) == 0:
			on += " AND " + m.condition(both)
		case m.r.IntN(5) == 0:
			on = fmt.Sprintf(" ON %s <=> %s", l, r)
		case m.r.IntN(6) == 0 && how != "LEFT SEMI JOIN" && how != "LEFT ANTI JOIN" && m.alias == 2:
			left.text += " " + how + " " + right.text + " USING (" + key + ")"
			left.cols = both
			return left, true
		}
		left.text += " " + how + " " + right.text + on
		if how != "LEFT SEMI JOIN" && how != "LEFT ANTI JOIN" {
			left.cols = both
		}
	}
	return left, false
}

func (m *maker) join() (string, bool) {
	f, star := m.joined()
	what := m.values(f.cols, 1+m.r.IntN(4))
	if star || m.r.IntN(4) == 0 {
		what = "*"
	}
	q := "SELECT " + what + " FROM " + f.text
	if m.r.IntN(2) == 0 {
		q += " WHERE " + m.condition(f.cols)
	}
	return q, false
}

func (m *maker) source() from {
	if m.r.IntN(2) == 0 {
		f, _ := m.joined()
		return f
	}
	return m.table(pick(m.r, tables()))
}

// aggregate is a call whose answer does not depend on the order of rows.
func (m *maker) aggregate(cols []Column) string {
	c := pick(m.r, cols)
	out := "count(*)"
	switch k := m.r.IntN(8); {
	case k == 0:
		out = "count(DISTINCT " + c.Name + ")"
	case k == 1:
		out = "count(" + c.Name + ")"
	case k < 5 && types.IsNumeric(c.Type):
		out = pick(m.r, []string{"sum(", "avg(", "sum(DISTINCT ", "stddev(", "median("}) + c.Name + ")"
	case k < 7:
		out = pick(m.r, []string{"min(", "max("}) + c.Name + ")"
	case k == 7:
		out = "sort_array(collect_list(" + c.Name + "))"
	}
	if m.r.IntN(6) == 0 && !strings.HasPrefix(out, "sort_array") {
		out += " FILTER (WHERE " + m.condition(cols) + ")"
	}
	return out
}

func (m *maker) grouping() (string, bool) {
	f := m.source()
	keys := []string{pick(m.r, f.cols).Name}
	if k := m.value(f.cols); k != keys[0] {
		keys = append(keys, k)
	}
	aggs := make([]string, 1+m.r.IntN(3))
	for i := range aggs {
		aggs[i] = m.aggregate(f.cols)
		if m.r.IntN(2) == 0 {
			aggs[i] += fmt.Sprintf(" AS a%d", i)
		}
	}
	q := "SELECT " + strings.Join(keys, ", ") + ", " + strings.Join(aggs, ", ") + " FROM " + f.text
	if m.r.IntN(3) == 0 {
		q += " WHERE " + m.condition(f.cols)
	}
	ks := strings.Join(keys, ", ")
	q += " GROUP BY " + pick(m.r, []string{ks, ks, "ALL", "ROLLUP (" + ks + ")", "CUBE (" + ks + ")", "GROUPING SETS ((" + ks + "), (" + keys[0] + "), ())"})
	if m.r.IntN(3) == 0 {
		q += " HAVING count(*) > 1"
	}
	return q, false
}

func (m *maker) window() (string, bool) {
	f := m.table(tables()[0])
	id := f.cols[0].Name
	n := pick(m.r, f.cols[3:5]).Name
	fn := pick(m.r, []string{"row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", "ntile(3)", "lag(" + n + ")", "lead(" + n + ", 2, 0)",
		"first_value(" + n + ")", "last_value(" + n + ") IGNORE NULLS", "nth_value(" + n + ", 2)", "sum(" + n + ")", "avg(" + n + ")", "count(*)", "max(" + n + ")", "collect_list(" + n + ")"})
	order := "ORDER BY " + pick(m.r, []string{id, f.cols[5].Name + ", " + id, n + " DESC NULLS LAST, " + id})
	w := order
	if m.r.IntN(3) > 0 {
		w = "PARTITION BY " + pick(m.r, f.cols[1:3]).Name + " " + order
	}
	if strings.ContainsAny(fn, "_(") && (strings.HasPrefix(fn, "sum") || strings.HasPrefix(fn, "avg") || strings.HasPrefix(fn, "last") || strings.HasPrefix(fn, "c")) {
		w += pick(m.r, []string{"", " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", " ROWS UNBOUNDED PRECEDING", " ROWS BETWEEN 2 FOLLOWING AND UNBOUNDED FOLLOWING"})
		if strings.HasPrefix(fn, "cume") {
			w = order
		}
	}
	q := fmt.Sprintf("SELECT %s, %s OVER (%s)", id, fn, w)
	if m.r.IntN(3) == 0 {
		q = fmt.Sprintf("SELECT %s, %s OVER w AS x FROM %s WINDOW w AS (%s)", id, fn, f.text, w)
		return q, false
	}
	return q + " FROM " + f.text, false
}

func (m *maker) setOperation() (string, bool) {
	ts := tables()
	pairs := [][2]string{{"item", "name"}, {"qty", "boss"}, {"price", "area"}, {"day", "opened"}, {"at", "opened"}, {"rate", "shop"}}
	side := func(t int, column string) string {
		return "SELECT shop, " + column + " FROM " + m.table(ts[t]).text
	}
	p := pick(m.r, pairs)
	op := func() string {
		return pick(m.r, []string{" UNION ALL ", " UNION ", " EXCEPT ", " INTERSECT ", " EXCEPT ALL ", " INTERSECT ALL ", " MINUS "})
	}
	q := side(0, p[0]) + op() + side(1, p[1])
	if m.r.IntN(3) == 0 {
		q += op() + side(0, p[0])
	}
	return q, false
}

func (m *maker) subQuery() (string, bool) {
	f := m.table(tables()[0])
	in := m.table(tables()[1])
	a, b := f.cols[1].Name, in.cols[0].Name
	what := m.values(f.cols, 2)
	where := ""
	switch m.r.IntN(6) {
	case 0:
		where = fmt.Sprintf("%s%s IN (SELECT %s FROM %s WHERE %s)", a, pick(m.r, []string{"", " NOT"}), b, in.text, m.condition(in.cols))
	case 1:
		where = fmt.Sprintf("%sEXISTS (SELECT 1 FROM %s WHERE %s = %s AND %s)", pick(m.r, []string{"", "NOT "}), in.text, a, b, m.condition(in.cols))
	case 2:
		where = fmt.Sprintf("%s > (SELECT avg(%s) FROM %s)", f.cols[7].Name, in.cols[5].Name, in.text)
	case 3:
		what += fmt.Sprintf(", (SELECT max(%s) FROM %s WHERE %s = %s) AS m", pick(m.r, in.cols).Name, in.text, a, b)
	case 4:
		what += fmt.Sprintf(", (SELECT count(*) FROM %s WHERE %s = %s)", in.text, a, b)
	default:
		where = fmt.Sprintf("(%s, %s) IN (SELECT %s, %s FROM %s)", a, f.cols[5].Name, b, in.cols[3].Name, in.text)
	}
	if where == "" {
		where = m.condition(f.cols)
	}
	return "SELECT " + what + " FROM " + f.text + " WHERE " + where, false
}

func (m *maker) lateral() (string, bool) {
	outer := pick(m.r, []string{"", "OUTER "})
	switch m.r.IntN(4) {
	case 0:
		return "SELECT id, tag FROM sales LATERAL VIEW " + outer + "explode(tags) x AS tag WHERE " + m.condition([]Column{{"id", types.Int}, {"tag", types.String}}), false
	case 1:
		return "SELECT id, pos, tag FROM sales LATERAL VIEW " + outer + "posexplode(tags) x AS pos, tag", false
	case 2:
		in := m.table(tables()[1])
		how := pick(m.r, []string{", LATERAL", " LEFT JOIN LATERAL", " CROSS JOIN LATERAL"})
		on := ""
		if strings.Contains(how, "LEFT") {
			on = " ON true"
		}
		return fmt.Sprintf("SELECT s.id, l.* FROM sales s%s (SELECT %s AS n, %s AS o FROM %s WHERE %s = s.shop) l%s", how, in.cols[1].Name, in.cols[3].Name, in.text, in.cols[0].Name, on), false
	}
	return "SELECT tag, count(*) AS n, sum(qty) FROM sales LATERAL VIEW " + outer + "explode(tags) x AS tag GROUP BY tag", false
}

func (m *maker) ordered() (string, bool) {
	t := pick(m.r, tables())
	f := m.table(t)
	key := ""
	for _, c := range f.cols {
		if strings.HasSuffix(c.Name, "."+t.key) {
			key = c.Name
		}
	}
	q := "SELECT " + m.values(f.cols, 1+m.r.IntN(3)) + " FROM " + f.text + " ORDER BY " +
		m.value(f.cols) + pick(m.r, []string{"", " DESC", " ASC NULLS LAST", " DESC NULLS FIRST"}) + ", " + key
	q += pick(m.r, []string{"", " LIMIT 3", " LIMIT 4 OFFSET 2", " OFFSET 3"})
	return q, true
}

func (m *maker) distinct() (string, bool) {
	f := m.source()
	return "SELECT DISTINCT " + m.values(f.cols, 1+m.r.IntN(3)) + " FROM " + f.text, false
}

func (m *maker) pivot() (string, bool) {
	agg := pick(m.r, []string{"sum(qty)", "count(*)", "max(price)", "avg(rate)", "min(day)"})
	switch m.r.IntN(3) {
	case 0:
		return "SELECT * FROM (SELECT shop, item, qty, price, rate, day FROM sales) PIVOT (" + agg + " FOR item IN ('nut', 'bolt' AS b))", false
	case 1:
		return "SELECT * FROM (SELECT shop, item, qty, price, rate, day FROM sales) PIVOT (" + agg + " AS x, count(qty) AS n FOR (shop, item) IN ((1, 'nut'), (2, 'bolt')))", false
	}
	return "SELECT * FROM (SELECT id, qty, shop FROM sales) UNPIVOT " + pick(m.r, []string{"", "INCLUDE NULLS "}) + "(v FOR k IN (qty, shop AS s))", false
}

// nested is a query over a query.
func (m *maker) nested() (string, bool) {
	inner := []func() (string, bool){m.grouping, m.setOperation, m.window, m.distinct}
	q, _ := pick(m.r, inner)()
	m.alias++
	switch m.r.IntN(3) {
	case 0:
		return fmt.Sprintf("SELECT count(*) AS n FROM (%s) q%d", q, m.alias), false
	case 1:
		m.with = append(m.with, fmt.Sprintf("q%d AS (%s)", m.alias, q))
		return fmt.Sprintf("SELECT x.* FROM q%d x", m.alias), false
	}
	return fmt.Sprintf("SELECT DISTINCT q%d.* FROM (%s) q%d", m.alias, q, m.alias), false
}
