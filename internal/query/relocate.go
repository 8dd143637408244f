package query

import (
	"context"
	"fmt"
	"maps"

	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// relocate is ALTER TABLE ... SET LOCATION: the name stands for another table
// from then on. The files at the old place stay; a managed table becomes an
// external one, unless it goes back to its own folder.
func (e *Engine) relocate(ctx context.Context, a *plan.AlterTable) (*Result, error) {
	old, ok := a.Target.Handle.(*Handle)
	if !ok {
		return nil, fmt.Errorf("query: %v is no table", a.Target.Name)
	}
	to, ok := a.Location.Handle.(*Handle)
	if !ok {
		return nil, fmt.Errorf("query: %v is no table", a.Location.Name)
	}
	if err := pipelineOwned(old.Table, a.Pos); err != nil {
		return nil, err
	}
	row := old.Table
	row.Properties = maps.Clone(row.Properties)
	if row.Properties == nil {
		row.Properties = map[string]string{}
	}
	switch {
	case to.Delta.Store() == e.cfg.Tables.Store() && to.Delta.Root() == row.ID:
		row.Type = catalog.Managed
		delete(row.Properties, locationKey)
	case inCatalog(to.Table) && to.Table.Type != catalog.External:
		return nil, fault(a.Pos, "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "the files there are those of "+to.Table.FullName()+", which would take them along when it is dropped.",
			"Take a table that lies outside of the catalog's folder, or read "+to.Table.FullName()+" by its name.")
	default:
		row.Type = catalog.External
		row.Properties[locationKey] = to.Table.Properties[locationKey]
	}
	if err := e.cfg.Catalog.Relocate(ctx, row.ID, row.Type, row.Properties); err != nil {
		return nil, err
	}
	e.cfg.Tables.Forget(row)
	d, err := e.cfg.Tables.Open(ctx, row)
	if err != nil {
		return nil, err
	}
	return &Result{}, e.syncColumns(ctx, row, d)
}
