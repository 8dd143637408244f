package query

import (
	"context"
	"errors"

	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql/lineage"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// madeByStatements is what makes a table that no pipeline fills.
const madeByStatements = "statements"

// noteLineage keeps where the rows come from that a statement has written to a
// table: besides what is known of it, or alone where nothing else is left.
// Rows of constants come from nowhere and change nothing.
func (e *Engine) noteLineage(ctx context.Context, t catalog.Table, st plan.Statement) error {
	l, replaces, ok := lineage.Write(st)
	if !ok || !ofStatements(t) || !inCatalog(t) || len(l.Sources) == 0 && !replaces {
		return nil
	}
	if !replaces {
		old, err := e.cfg.Catalog.Lineage(ctx, t.ID)
		switch {
		case err == nil:
			l = lineage.Union(old.Lineage, l)
		case !errors.Is(err, catalog.ErrNotFound):
			return err
		}
	}
	return e.cfg.Catalog.SetLineage(ctx, t.ID, madeByStatements, l)
}

// wrote is noteLineage for a statement over a table that was there.
func (e *Engine) wrote(ctx context.Context, src *plan.Source, st plan.Statement) error {
	h, ok := src.Handle.(*Handle)
	if !ok {
		return nil
	}
	return e.noteLineage(ctx, h.Table, st)
}
