package query

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

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
	if c.Files != nil {
		return e.createFiles(ctx, sess, c, r)
	}
	at := dml.Place{Store: e.cfg.Tables.Store(), Options: e.cfg.Tables.Options(), Managed: true}
	row, born, err := e.rowOf(ctx, sess, c, &at)
	if err != nil {
		return nil, err
	}
	d, n, err := e.made(ctx, c, r, at)
	if err != nil {
		if born && !errors.Is(err, delta.ErrCommitStateUnknown) {
			err = e.unborn(ctx, row, err)
		}
		return nil, err
	}
	e.cfg.Tables.Put(row, d)
	if born {
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

// rowOf is the row of the table that a statement makes, and its place; born
// tells that the row was made for it.
func (e *Engine) rowOf(ctx context.Context, sess *Session, c *plan.CreateTable, at *dml.Place) (row catalog.Table, born bool, err error) {
	named := catalog.Table{Type: catalog.Managed}
	if c.Location != "" {
		p, err := e.cfg.Tables.place(c.Location)
		if err != nil {
			return row, false, e.cfg.Tables.outsideAt(c.Location, c.Pos)
		}
		at.Store, at.Root, at.Managed = p.root.Store, p.key, false
		named = catalog.Table{Type: catalog.External, Properties: map[string]string{locationKey: p.address}}
	}
	if c.Old != nil {
		h, ok := c.Old.Handle.(*Handle)
		if !ok {
			return row, false, fmt.Errorf("query: %v is no table", c.Old.Name)
		}
		if c.Location != "" && (h.Delta.Store() != at.Store || h.Delta.Root() != at.Root) {
			return row, false, fault(c.Pos, "DELTA_TABLE_LOCATION_MISMATCH", "42613", "the table lies at "+e.cfg.Tables.Location(h.Delta)+", not at "+c.Location+".", "Leave LOCATION out to replace it where it is.")
		}
		at.Old, at.Store, at.Root, at.Managed = h.Delta, h.Delta.Store(), h.Delta.Root(), h.Table.Type == catalog.Managed
		if inCatalog(h.Table) || c.Path {
			return h.Table, false, nil
		}
	}
	if c.Path {
		return pathTable(named.Properties[locationKey]), false, nil
	}
	if row, err = e.enter(ctx, sess, c, named); err != nil {
		return row, false, err
	}
	if c.Location == "" {
		at.Root = row.ID
	}
	return row, true, nil
}

// made makes the table at its place, or takes over the one that is there.
func (e *Engine) made(ctx context.Context, c *plan.CreateTable, r runner, at dml.Place) (*delta.Table, dml.CloneCounts, error) {
	if c.Adopt != nil {
		h, ok := c.Adopt.Handle.(*Handle)
		if !ok {
			return nil, dml.CloneCounts{}, fmt.Errorf("query: %v is no table", c.Adopt.Name)
		}
		return h.Delta, dml.CloneCounts{}, nil
	}
	if c.Location != "" && at.Old == nil {
		p, err := e.cfg.Tables.place(c.Location)
		if err != nil {
			return nil, dml.CloneCounts{}, e.cfg.Tables.outsideAt(c.Location, c.Pos)
		}
		switch empty, err := p.empty(ctx); {
		case err != nil:
			return nil, dml.CloneCounts{}, err
		case !empty:
			return nil, dml.CloneCounts{}, fault(c.Pos, "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION", "42601", "there are files at "+c.Location+", and they are no Delta table.", "CONVERT TO DELTA makes a table of Parquet files.")
		}
	}
	return dml.Define(ctx, r, c, at)
}

// enter makes the row of a table that is to be born.
func (e *Engine) enter(ctx context.Context, sess *Session, c *plan.CreateTable, row catalog.Table) (catalog.Table, error) {
	r := NewResolver(e.cfg.Catalog, e.cfg.Tables, sess.Catalog, sess.Schema)
	cat, schema, name, _ := r.full(c.Name)
	row.Catalog, row.Schema, row.Name, row.Owner, row.Comment = cat, schema, name, sess.Principal.Name, c.Comment
	row, err := e.cfg.Catalog.CreateTable(ctx, row)
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

// columnsIn are a table's columns as its log says.
func columnsIn(ctx context.Context, d *delta.Table) ([]catalog.Column, error) {
	s, err := d.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	fields, err := types.FromArrowFields(s.Schema().Fields())
	if err != nil {
		return nil, err
	}
	var cols []catalog.Column
	for _, f := range fields {
		cols = append(cols, catalog.Column{Name: f.Name, Type: f.Type.String(), Nullable: f.Nullable, Comment: f.Comment})
	}
	return cols, nil
}

// syncColumns writes what the log says of a table's columns into the catalog.
func (e *Engine) syncColumns(ctx context.Context, row catalog.Table, d *delta.Table) error {
	if !inCatalog(row) {
		return nil
	}
	cols, err := columnsIn(ctx, d)
	if err != nil {
		return err
	}
	s, err := d.Snapshot(ctx)
	if err != nil {
		return err
	}
	return e.cfg.Catalog.SetColumns(ctx, row.ID, cols, s.Metadata().Description)
}

// dropTable removes a table's name and then its files; a view goes, too.
func (e *Engine) dropTable(ctx context.Context, sess *Session, d *plan.DropTable) (*Result, error) {
	if d.Missing {
		return &Result{}, nil
	}
	if n := temporary(d.Name); n != "" && sess.state.View(n) != nil {
		delete(sess.state.views, strings.ToLower(n))
		return &Result{}, nil
	}
	r := NewResolver(e.cfg.Catalog, e.cfg.Tables, sess.Catalog, sess.Schema)
	cat, schema, name, _ := r.full(d.Name)
	if strings.EqualFold(schema, "delta") && isPath(name) { // it has no row to remove, and its files are their owner's
		return &Result{}, nil
	}
	t, err := e.cfg.Catalog.Table(ctx, cat, schema, name)
	if err != nil {
		return nil, err
	}
	if t.Type != catalog.View && !ofStatements(t) {
		return nil, &sparksql.Error{
			Class: "WRONG_COMMAND_FOR_OBJECT_TYPE", SQLState: "42809", Phase: sparksql.PhaseAnalysis, Pos: d.Pos,
			Message: fmt.Sprintf("%s is a %s.", t.FullName(), t.Type), Hint: "Tables of pipelines go when their pipeline no longer has them.",
		}
	}
	if err := e.cfg.Catalog.DropTable(ctx, t.ID); err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return nil, err
	}
	switch t.Type {
	case catalog.Managed:
		e.erase(t)
	case catalog.External: // its files are its owner's
		e.cfg.Tables.Forget(t)
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
	switch {
	case a.RenameTo != nil:
		return e.renameTable(ctx, sess, a)
	case a.Location != nil:
		return e.relocate(ctx, a)
	}
	if h, ok := a.Target.Handle.(*fileHandle); ok {
		return e.alterFiles(ctx, h, a)
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

// ofStatements tells whether statements may change a table: it is no pipeline's.
func ofStatements(t catalog.Table) bool {
	return t.Type == catalog.Managed || t.Type == catalog.External
}

// pipelineOwned refuses statements that change what a pipeline fills.
func pipelineOwned(t catalog.Table, pos sparksql.Pos) error {
	if ofStatements(t) {
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
	if h, ok := a.Target.Handle.(*fileHandle); ok {
		return &Result{}, e.cfg.Catalog.Rename(ctx, h.table.ID, a.RenameTo[len(a.RenameTo)-1])
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
