package app

import (
	"context"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/catalog/folder"
	"github.com/marisma/marisma/internal/pipeline"
	"github.com/marisma/marisma/internal/web/api"
)

// Validate analyses every pipeline of the project without a server or a data
// folder and gives their graphs; all errors are joined.
func Validate(ctx context.Context, p *bundle.Project) ([]api.Pipeline, error) {
	c, err := pipeline.CheckAll(ctx, p.Pipelines, p.Hub.Topic, nil)
	if err != nil {
		return nil, err
	}
	out := make([]api.Pipeline, len(c.Graphs))
	for i, st := range c.Graphs {
		out[i] = apiPipeline(st)
	}
	return out, nil
}

// checkNew analyses the pipelines before a data folder is made, so that a
// project with errors leaves nothing behind. Where there is a folder, the
// pipelines may read what it holds: they are checked against its catalog.
func checkNew(ctx context.Context, p *bundle.Project) error {
	st, err := folder.Peek(p.DataDir())
	if err != nil || st.Exists {
		return nil // opening the folder tells what is wrong with it
	}
	_, err = Validate(ctx, p)
	return err
}
