package lower

import (
	"slices"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// carry is something from around a lambda that travels beside the elements of
// its list: DuckDB's list_reduce takes captured columns from the wrong rows.
type carry struct {
	name, text, duck string
	param            *plan.LambdaVar
}

// carried makes parameters of what a lambda takes from around it.
func (l *lowerer) carried(e plan.Expr) (*plan.Lambda, []carry) {
	f, ok := e.(*plan.Lambda)
	if !ok {
		l.fail(errPlan)
		return &plan.Lambda{Body: &plan.Literal{Typ: types.Void}}, nil
	}
	own := map[plan.ID]bool{} // parameters of f and of the lambdas inside it
	plan.Walk(f, func(x plan.Expr) bool {
		if in, ok := x.(*plan.Lambda); ok {
			for _, p := range in.Params {
				own[p.ID] = true
			}
		}
		return true
	})
	var out []carry
	use := func(x plan.Expr, text string) plan.Expr {
		i := slices.IndexFunc(out, func(c carry) bool { return c.text == text })
		if i < 0 {
			i = len(out)
			name := "c" + strconv.Itoa(i)
			out = append(out, carry{name, text, l.duckType(x.Type()), &plan.LambdaVar{Name: name, ID: plan.NewID(), Typ: x.Type(), Null: x.Nullable()}})
		}
		return out[i].param
	}
	body := plan.Transform(f.Body, func(x plan.Expr) plan.Expr {
		switch v := x.(type) {
		case *plan.Column:
			return use(x, Col(v.Attr))
		case *plan.Outer:
			return use(x, Col(v.Attr))
		case *plan.LambdaVar:
			if text, bound := l.vars[v.ID]; bound && !own[v.ID] {
				return use(x, text)
			}
		}
		return x
	})
	return &plan.Lambda{Params: f.Params, Body: body}, out
}

// within binds the carried parameters to the fields of an element.
func (l *lowerer) within(element string, cs []carry) {
	for _, c := range cs {
		l.vars[c.param.ID] = element + "." + c.name
	}
}

// fields are the carried values as further fields of a struct; NULL for a struct
// that only has their types.
func fields(cs []carry, null bool) string {
	var b strings.Builder
	for _, c := range cs {
		text := c.text
		if null {
			text = "NULL"
		}
		b.WriteString(", '" + c.name + "': " + cast(text, c.duck))
	}
	return b.String()
}
