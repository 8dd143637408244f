package dml

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Lines gives the batches of n, whose last columns are the checks, to f once
// their rows have passed these. The batch stays the caller's.
func Lines(ctx context.Context, e Engine, n plan.Node, checks []plan.Check, f func(arrow.RecordBatch) error) error {
	var s sink
	return each(ctx, e, n, nil, nil, func(rec arrow.RecordBatch) error {
		from := int(rec.NumCols()) - len(checks)
		for i, c := range checks {
			if err := s.check(c, rec.Column(from+i)); err != nil {
				return err
			}
		}
		return f(rec)
	})
}
