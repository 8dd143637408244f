package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
)

// recursion is the definition of a recursive CTE. A hidden column counts the
// rounds: all rows of a round have the same number.
func (l *lowerer) recursion(c *plan.CTE, r *plan.Recursion) string {
	level, m := `"round"`, l.fresh("m")
	cols := make([]string, len(r.Attrs))
	for i, a := range r.Attrs {
		cols[i] = Col(a)
	}
	anchor := l.recast(r.Anchor, r.Attrs)
	step := l.recast(r.Step, r.Attrs)
	tooDeep := "CASE WHEN max(" + level + ") >= " + itoa(r.MaxLevel) + " THEN CAST(" +
		raise("RECURSION_LEVEL_LIMIT_EXCEEDED", "42836", "The recursion goes beyond its limit of "+itoa(r.MaxLevel)+" levels.") +
		" AS INTEGER) ELSE max(" + level + ") + 1 END AS " + level
	names := strings.Join(append(cols, level), ", ")
	if r.MaxRows >= 0 {
		return l.counted(c, r, names, anchor, step, tooDeep)
	}
	return cteName(c) + "(" + names + ") AS (SELECT *, 0 AS " + level + " FROM (" + anchor + ") AS " + l.fresh("t") +
		" UNION ALL SELECT s.*, " + m + "." + level + " FROM (" + step + ") AS s, (SELECT " + tooDeep + " FROM " + cteName(c) + ") AS " + m + ")"
}

// counted is a recursion with a limit of rows: one more hidden column counts
// those of the rounds before.
func (l *lowerer) counted(c *plan.CTE, r *plan.Recursion, names, anchor, step, tooDeep string) string {
	m := l.fresh("m")
	sum := `max("rows") + count(*)`
	tooMany := "CASE WHEN " + sum + " > " + itoa(r.MaxRows) + " THEN CAST(" +
		raise("RECURSION_ROW_LIMIT_EXCEEDED", "42836", "The recursion makes more than "+itoa(r.MaxRows)+" rows.") + " AS BIGINT) ELSE " + sum + ` END AS "rows"`
	return cteName(c) + "(" + names + `, "rows") AS (SELECT *, 0 AS "round", 0::BIGINT AS "rows" FROM (` + anchor + ") AS " + l.fresh("t") +
		" UNION ALL SELECT s.*, " + m + `."round", ` + m + `."rows" FROM (` + step + ") AS s, (SELECT " + tooDeep + ", " + tooMany + " FROM " + cteName(c) + ") AS " + m + ")"
}

// recast gives n's columns the types and names of to by position.
func (l *lowerer) recast(n plan.Node, to []plan.Attr) string {
	from := n.Output()
	items := make([]string, len(to))
	for i := range to {
		items[i] = cast(Col(from[i]), l.duckType(to[i].Type)) + " AS " + Col(to[i])
	}
	return "SELECT " + list(items) + l.from2(n)
}
