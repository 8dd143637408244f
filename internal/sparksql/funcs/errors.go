package funcs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/typo"
)

const mismatchState = "42K09"

func errf(ctx Context, class, state, format string, a ...any) error {
	return &sparksql.Error{Class: class, SQLState: state, Phase: sparksql.PhaseAnalysis, Pos: ctx.Pos,
		Message: fmt.Sprintf(format, a...)}
}

func mismatch(ctx Context, sub, format string, a ...any) error {
	return errf(ctx, "DATATYPE_MISMATCH."+sub, mismatchState, format, a...)
}

func quoteName(n string) string { return types.Quote(n) }

func quoteType(t types.Type) string { return `"` + t.SQL() + `"` }

var ordinals = [...]string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"}

func ordinal(i int) string {
	if i < len(ordinals) {
		return ordinals[i]
	}
	return fmt.Sprintf("%dth", i+1)
}

// unexpected is the error of argument i that is not what w names.
func unexpected(c *call, i int, w string) error {
	return mismatch(c.ctx, "UNEXPECTED_INPUT_TYPE", "Cannot resolve %q: the %s parameter requires the %s type, but %q has the type %s.",
		c.text(), ordinal(i), w, SQLName(c.args[i]), quoteType(c.args[i].Type()))
}

// text prints the call as it stands, for messages.
func (c *call) text() string {
	return SQLName(&plan.Call{Fn: c.d.Name, Args: c.args, Typ: types.Void})
}

func arity(d *Def, n int, ctx Context) error {
	var want string
	switch {
	case d.Max < 0:
		want = fmt.Sprintf("at least %d", d.Min)
	case d.Min == d.Max:
		want = fmt.Sprint(d.Min)
	default:
		want = fmt.Sprintf("%d to %d", d.Min, d.Max)
	}
	if n < d.Min && d.params != nil {
		return errf(ctx, "REQUIRED_PARAMETER_NOT_FOUND", "4274K", "The function %s needs its parameter %s.", quoteName(d.Name), quoteName(d.params[n]))
	}
	if within[d.Name] && len(ctx.Within) == 0 {
		return withinMissing(d, ctx)
	}
	if d.Name == "count" {
		return errf(ctx, "WRONG_NUM_ARGS.WITH_SUGGESTION", "42605", "The function `count` takes at least 1 argument, but got %d; count(*) counts rows.", n)
	}
	return errf(ctx, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605",
		"The function %s takes %s arguments, but got %d.", quoteName(d.Name), want, n)
}

func unresolved(name string, ctx Context) error {
	if strings.EqualFold(name, "cast") {
		return errf(ctx, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The function `cast` takes a value and a type: CAST(value AS type).")
	}
	e := &sparksql.Error{Class: "UNRESOLVED_ROUTINE", SQLState: "42883", Phase: sparksql.PhaseAnalysis, Pos: ctx.Pos,
		Message: fmt.Sprintf("There is no function %s.", quoteName(name))}
	if near := nearest(strings.ToLower(name), Names()); near != "" {
		e.Hint = fmt.Sprintf("Did you mean %s?", quoteName(near))
	}
	return e
}

// nearest is the name with the least edit distance, "" when none is near.
func nearest(name string, names []string) string {
	best, least := "", max(1, len(name)/3)+1
	for _, n := range names {
		if d := len(name) - len(n); d >= least || -d >= least {
			continue // as many edits at least
		}
		if d := typo.Distance(name, n); d < least {
			best, least = n, d
		}
	}
	return best
}

func sortedNames(operators bool) []string {
	var out []string
	for n, d := range registry() {
		if operators || !d.Operator {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}
