package app

import (
	"context"
	"errors"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/pipeline"
	"github.com/marisma/marisma/internal/web/api"
)

// Validate analyses every pipeline of the project without a server or a data
// folder and gives their graphs; all errors are joined.
func Validate(ctx context.Context, p *bundle.Project) ([]api.Pipeline, error) {
	var out []api.Pipeline
	var errs []error
	for _, b := range p.Pipelines {
		st, err := pipeline.Check(ctx, b, p.Hub.Topic)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, apiPipeline(st))
	}
	return out, errors.Join(errs...)
}
