package lower

import (
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// run is the number that tells this call of a seeded function from others.
func (l *lowerer) run() string {
	l.n++
	return itoa(l.opt.Now.UnixNano()+int64(l.n)) + "::BIGINT"
}

// draw is a number in [0, 1), or one of the normal distribution.
func (l *lowerer) draw(c *plan.Call, normal bool) string {
	seed, ok := c.Const.(funcs.Seed)
	switch {
	case ok:
		return l.call("random_double", []string{l.run()}, []string{"BIGINT"}, "DOUBLE", map[string]any{"Seed": int64(seed), "Normal": normal})
	case normal:
		return "(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))"
	}
	return "random()"
}

// randomRules are rand and its kin. With a seed they draw from Spark's
// generators, row by row.
func randomRules() map[string]rule {
	return map[string]rule{
		"rand":  func(l *lowerer, c *plan.Call, _ []string) string { return l.draw(c, false) },
		"randn": func(l *lowerer, c *plan.Call, _ []string) string { return l.draw(c, true) },
		"randstr": func(l *lowerer, c *plan.Call, a []string) string {
			a[0] = "coalesce(" + a[0] + ", 0)" // NULL is no letter
			e := l.fresh("e")
			text := "coalesce(array_to_string(list_transform(range(" + a[0] + "), lambda " + e + ": substr('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 1 + CAST(floor(random() * 62) AS INTEGER), 1)), ''), '')"
			if seed, ok := c.Const.(funcs.Seed); ok {
				text = l.call("random_text", []string{l.run(), cast(a[0], "INTEGER")}, []string{"BIGINT", "INTEGER"}, "VARCHAR", map[string]any{"Seed": int64(seed)})
			}
			return "CASE WHEN " + a[0] + " < 0 THEN " + raise("INVALID_PARAMETER_VALUE.LENGTH", "22023", "The length of randstr is negative.") + " ELSE " + text + " END"
		},
		"uniform": func(l *lowerer, c *plan.Call, a []string) string {
			if isNull(c.Args[0]) || isNull(c.Args[1]) {
				return cast("NULL", l.duckType(c.Typ))
			}
			lo := cast(a[0], "DOUBLE")
			val := "(" + lo + " + " + l.draw(c, false) + " * (" + cast(a[1], "DOUBLE") + " - " + lo + "))"
			if types.IsIntegral(c.Typ) {
				val = "trunc(" + val + ")"
			}
			return cast(val, l.duckType(c.Typ))
		},
		"shuffle": func(l *lowerer, c *plan.Call, a []string) string {
			seed, ok := c.Const.(funcs.Seed)
			if !ok {
				e, s := l.fresh("e"), l.fresh("s")
				return "list_transform(list_sort(list_transform(" + a[0] + ", lambda " + e + ": {'k': random(), 'v': " + e + "})), lambda " + s + ": " + s + ".v)"
			}
			return l.let(a[0], func(x string) string {
				i := l.fresh("i")
				order := l.call("random_order", []string{l.run(), "len(" + x + ")"}, []string{"BIGINT", "BIGINT"}, "INTEGER[]", map[string]any{"Seed": int64(seed)})
				return "CASE WHEN " + x + " IS NOT NULL THEN list_transform(" + order + ", lambda " + i + ": list_extract(" + x + ", " + i + " + 1)) END"
			})
		},
	}
}
