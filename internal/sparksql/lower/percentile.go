package lower

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// percentile interpolates between the values around its place; the
// approximate one takes the first value at or above it.
func (g *aggCall) percentile(name, dt string) string {
	ps, ok := funcs.Percentages(g.c.Args[1])
	if !ok {
		return g.l.unsupported(g.c.Pos, "The percentage of %s must be a plain number.", g.c.Fn)
	}
	_, several := g.c.Typ.(types.Array)
	if len(ps) == 0 {
		return g.nothing(dt)
	}
	if k, ok := constInt(g.c.Args[2]); name == "percentile" && (!ok || k != 1) {
		return g.weighted(ps, several)
	}
	accuracy, known := constInt(g.c.Args[2])
	texts := make([]string, len(ps))
	for i, p := range ps {
		switch share := 1 / float64(accuracy); {
		case name == "percentile" || !known || accuracy < 1:
		case p <= share: // Spark's summary answers with its ends so near to them
			p = 0
		case p >= 1-share:
			p = 1
		}
		texts[i] = floatText(p, 64)
	}
	places := texts[0]
	if several {
		places = "[" + strings.Join(texts, ", ") + "]"
	}
	if name == "percentile" {
		return g.spread(g.fn("quantile_cont", cast(g.a[0], "DOUBLE")+", "+places))
	}
	return cast(g.fn("quantile_disc", g.a[0]+", "+places), dt)
}

// weighted is percentile of values that come several times each.
func (g *aggCall) weighted(ps []float64, several bool) string {
	k := g.l.kernel("percentile", []string{"DOUBLE", "BIGINT"}, "DOUBLE[]", map[string]any{"ranks": ps})
	x := g.fn(k, cast(g.a[0], "DOUBLE")+", "+cast(g.a[2], "BIGINT"))
	if !several {
		x = "list_extract(" + x + ", 1)"
	}
	return g.spread(x)
}

// spread brings a DOUBLE, or a list of them, to the type of a percentile:
// intervals are cut to whole units.
func (g *aggCall) spread(x string) string {
	t := g.c.Typ
	if a, ok := t.(types.Array); ok {
		if t = a.Elem; isInterval(t) {
			v := g.l.fresh("v")
			return "list_transform(" + x + ", lambda " + v + ": " + cast("trunc("+v+")", g.l.duckType(t)) + ")"
		}
		return cast(x, g.l.duckType(g.c.Typ))
	}
	if isInterval(t) {
		return cast("trunc("+x+")", g.l.duckType(t))
	}
	return cast(x, g.l.duckType(t))
}
