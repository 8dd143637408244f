package query

import (
	"context"
	"fmt"

	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Args are the values of a statement's parameter markers, each the text of a
// constant SQL expression ("1", "'x'", "array(1, 2)").
type Args struct {
	Named      map[string]string // of :name, without the colon
	Positional []string          // of ?, in order
}

// bind analyses the values in env and puts them into it.
func (a Args) bind(ctx context.Context, env *analyze.Env) error {
	named := make(map[string]plan.Expr, len(a.Named))
	for name, text := range a.Named {
		x, err := analyze.Expression(ctx, text, nil, *env)
		if err != nil {
			return fmt.Errorf("parameter :%s: %w", name, err)
		}
		named[name] = x
	}
	var positional []plan.Expr
	for i, text := range a.Positional {
		x, err := analyze.Expression(ctx, text, nil, *env)
		if err != nil {
			return fmt.Errorf("parameter %d: %w", i+1, err)
		}
		positional = append(positional, x)
	}
	env.Params, env.Positional = named, positional
	return nil
}
