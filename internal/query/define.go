package query

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/query/dml"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// cloneColumns are those of SHALLOW CLONE's result.
var cloneColumns = []string{"source_table_size", "source_num_of_files", "num_removed_files", "num_copied_files", "removed_files_size", "copied_files_size"}

// createTable makes a table: its row is CREATING until commit 0 is there.
func (e *Engine) createTable(ctx context.Context, sess *Session, c *plan.CreateTable, r runner) (*Result, error) {
	if c.Skip {
		if c.Clone == nil {
			return &Result{}, nil
		}
		res := counts(cloneColumns, make([]int64, len(cloneColumns))...)
		res.Close()
		return &Result{Columns: res.Columns}, nil
	}
	at := dml.Place{Store: e.cfg.Tables.Store(), Options: e.cfg.Tables.Options(), Managed: true}
	var row catalog.Table
	var err error
	if c.Old != nil {
		h, ok := c.Old.Handle.(*Handle)
		if !ok {
			return nil, fmt.Errorf("query: %v is no table", c.Old.Name)
		}
		row, at.Old, at.Root = h.Table, h.Delta, h.Delta.Root()
	} else if row, err = e.enter(ctx, sess, c); err != nil {
		return nil, err
	}
	at.Root = row.ID
	d, n, err := dml.Define(ctx, r, c, at)
	if err != nil {
		if c.Old == nil && !errors.Is(err, delta.ErrCommitStateUnknown) {
			err = e.unborn(ctx, row, err)
		}
		return nil, err
	}
	e.cfg.Tables.Put(row, d)
	if c.Old == nil {
		if err := e.cfg.Catalog.Activate(ctx, row.ID); err != nil {
			return nil, err
		}
	}
	if err := e.syncColumns(ctx, row, d); err != nil {
		return nil, err
	}
	if err := e.noteLineage(ctx, row, c); err != nil {
		return nil, err
	}
	if c.Clone != nil {
		return counts(cloneColumns, n.Bytes, n.Files, 0, 0, 0, 0), nil
	}
	return &Result{}, nil
}

// enter makes the row of a table that is to be born.
func (e *Engine) enter(ctx context.Context, sess *Session, c *plan.CreateTable) (catalog.Table, error) {
	r := NewResolver(e.cfg.Catalog, e.cfg.Tables, sess.Catalog, sess.Schema)
	cat, schema, name, _ := r.full(c.Name)
	row, err := e.cfg.Catalog.CreateTable(ctx, catalog.Table{
		Catalog: cat, Schema: schema, Name: name, Type: catalog.Managed, Owner: sess.Principal.Name, Comment: c.Comment,
	})
	switch {
	case errors.Is(err, catalog.ErrExists):
		return row, &sparksql.Error{
			Class: "TABLE_OR_VIEW_ALREADY_EXISTS", SQLState: "42P07", Phase: sparksql.PhaseAnalysis, Pos: c.Pos,
			Message: fmt.Sprintf("%s.%s.%s is there already.", cat, schema, name), Hint: "Use another name, CREATE OR REPLACE TABLE or IF NOT EXISTS.",
		}
	case errors.Is(err, catalog.ErrNotFound):
		return row, &sparksql.Error{
			Class: "SCHEMA_NOT_FOUND", SQLState: "42704", Phase: sparksql.PhaseAnalysis, Pos: c.Pos,
			Message: fmt.Sprintf("there is no schema %s.%s.", cat, schema), Hint: "`SHOW SCHEMAS` lists what there is.",
		}
	}
	return row, err
}

// unborn takes the row of a table back that could not be made.
func (e *Engine) unborn(ctx context.Context, row catalog.Table, cause error) error {
	if err := e.cfg.Catalog.DropTable(context.WithoutCancel(ctx), row.ID); err != nil {
		return errors.Join(cause, err)
	}
	return cause
}

// syncColumns writes what the log says of a table's columns into the catalog.
func (e *Engine) syncColumns(ctx context.Context, row catalog.Table, d *delta.Table) error {
	s, err := d.Snapshot(ctx)
	if err != nil {
		return err
	}
	fields, err := types.FromArrowFields(s.Schema().Fields())
	if err != nil {
		return err
	}
	var cols []catalog.Column
	for _, f := range fields {
		cols = append(cols, catalog.Column{Name: f.Name, Type: f.Type.String(), Nullable: f.Nullable, Comment: f.Comment})
	}
	return e.cfg.Catalog.SetColumns(ctx, row.ID, cols, s.Metadata().Description)
}

// dropTable removes a table's name and then its files; a view goes, too.
func (e *Engine) dropTable(ctx context.Context, sess *Session, d *plan.DropTable) (*Result, error) {
	if d.Missing {
		return &Result{}, nil
	}
	r := NewResolver(e.cfg.Catalog, e.cfg.Tables, sess.Catalog, sess.Schema)
	cat, schema, name, _ := r.full(d.Name)
	t, err := e.cfg.Catalog.Table(ctx, cat, schema, name)
	if err != nil {
		return nil, err
	}
	if t.Type != catalog.View && t.Type != catalog.Managed {
		return nil, &sparksql.Error{
			Class: "WRONG_COMMAND_FOR_OBJECT_TYPE", SQLState: "42809", Phase: sparksql.PhaseAnalysis, Pos: d.Pos,
			Message: fmt.Sprintf("%s is a %s.", t.FullName(), t.Type), Hint: "Tables of pipelines go when their pipeline no longer has them.",
		}
	}
	if err := e.cfg.Catalog.DropTable(ctx, t.ID); err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return nil, err
	}
	if t.Type == catalog.Managed {
		e.erase(t)
	}
	return &Result{}, nil
}

// erase deletes the files of a table whose name is gone. Files that cannot be
// deleted are no one's.
func (e *Engine) erase(t catalog.Table) {
	e.cfg.Tables.Forget(t)
	if p := e.cfg.Tables.LocalPath(t.ID); p != "" && t.ID != "" {
		if err := os.RemoveAll(p); err != nil {
			e.cfg.Logger.Warn("files of a dropped table are left", "table", t.FullName(), "folder", p, "error", err)
		}
	}
}

// alterTable changes a table's definition or its name.
func (e *Engine) alterTable(ctx context.Context, sess *Session, a *plan.AlterTable, r runner) (*Result, error) {
	if a.RenameTo != nil {
		return e.renameTable(ctx, sess, a)
	}
	h, ok := a.Target.Handle.(*Handle)
	if !ok {
		return nil, fmt.Errorf("query: %v is no table", a.Target.Name)
	}
	if err := pipelineOwned(h.Table, a.Pos); err != nil {
		return nil, err
	}
	if err := dml.Alter(ctx, r, a); err != nil {
		return nil, err
	}
	return &Result{}, e.syncColumns(ctx, h.Table, h.Delta)
}

// pipelineOwned refuses statements that change what a pipeline fills.
func pipelineOwned(t catalog.Table, pos sparksql.Pos) error {
	if t.Type == catalog.Managed {
		return nil
	}
	return &sparksql.Error{
		Class: "UNSUPPORTED_FEATURE.TABLE_OPERATION", SQLState: "0A000", Phase: sparksql.PhaseAnalysis, Pos: pos,
		Message: fmt.Sprintf("%s is a %s, which its pipeline fills.", t.FullName(), t.Type), Hint: "Change the pipeline's statement.",
	}
}

func (e *Engine) renameTable(ctx context.Context, _ *Session, a *plan.AlterTable) (*Result, error) {
	if a.Target == nil {
		return nil, &sparksql.Error{
			Class: "UNSUPPORTED_FEATURE.RENAME_VIEW", SQLState: "0A000", Phase: sparksql.PhaseAnalysis, Pos: a.Pos,
			Message: "views are not renamed.", Hint: "Make the view anew under the other name.",
		}
	}
	h, ok := a.Target.Handle.(*Handle)
	if !ok {
		return nil, fmt.Errorf("query: %v is no table", a.Target.Name)
	}
	if err := pipelineOwned(h.Table, a.Pos); err != nil {
		return nil, err
	}
	return &Result{}, e.cfg.Catalog.Rename(ctx, h.Table.ID, a.RenameTo[len(a.RenameTo)-1])
}
