package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Arrange puts arguments into the order of the function's parameters; names
// holds the name that each of them was called by, "" for none. Parameters left
// out between them get their defaults.
func (d *Def) Arrange(args []plan.Expr, names []string, ctx Context) ([]plan.Expr, error) {
	refuse := func(class, format string, a ...any) ([]plan.Expr, error) {
		return nil, errf(ctx, class, "4274K", "The function %s "+format, append([]any{quoteName(d.Name)}, a...)...)
	}
	if d.params == nil {
		return refuse("NAMED_PARAMETERS_NOT_SUPPORTED", "takes no arguments by name.")
	}
	out := make([]plan.Expr, len(d.params))
	last := 0
	for i, x := range args {
		at := i
		if names[i] == "" {
			if i > 0 && names[i-1] != "" {
				return refuse("UNEXPECTED_POSITIONAL_ARGUMENT", "has an argument by position behind one by name.")
			}
		} else if at = d.param(names[i]); at < 0 {
			return refuse("UNRECOGNIZED_PARAMETER_NAME", "has no parameter %s, but %s.", quoteName(names[i]), strings.Join(d.params, ", "))
		}
		if at >= len(out) {
			return nil, arity(d, len(args), ctx)
		}
		if out[at] != nil {
			if d.positional(names) > at {
				return refuse("DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED", "gets %s twice.", quoteName(d.params[at]))
			}
			return refuse("DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE", "gets %s twice.", quoteName(d.params[at]))
		}
		out[at], last = x, max(last, at+1)
	}
	for i := range out[:last] {
		if out[i] != nil {
			continue
		}
		k := i - (len(out) - len(d.fill))
		if k < 0 {
			return refuse("REQUIRED_PARAMETER_NOT_FOUND", "needs its parameter %s.", quoteName(d.params[i]))
		}
		out[i] = d.fill[k]
	}
	return out[:last], nil
}

// param is the index of a parameter, -1 for an unknown one.
func (d *Def) param(name string) int {
	for i, p := range d.params {
		if strings.EqualFold(p, name) {
			return i
		}
	}
	return -1
}

// positional counts the arguments before the first that is named.
func (d *Def) positional(names []string) int {
	for i, n := range names {
		if n != "" {
			return i
		}
	}
	return len(names)
}
