package query

import (
	"context"
	"errors"
	"strings"

	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// nothing is for statements by which Spark keeps caches that do not exist
// here: tables are always read at their latest version.
func (e *Engine) nothing(context.Context, *Session, *plan.Command) (*Result, error) {
	return &Result{}, nil
}

// upkeep is REFRESH, UNCACHE and ANALYZE TABLE: there is no cache to drop and
// Delta keeps its statistics itself, but the table must be there.
func (e *Engine) upkeep(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	if c.Verb == "analyze tables" {
		_, err := e.schema(ctx, sess, c)
		return &Result{}, err
	}
	cols, err := e.columns(ctx, sess, c)
	if err != nil {
		if c.Args["if exists"] == "true" && sparksql.ClassOf(err) == "TABLE_OR_VIEW_NOT_FOUND" {
			return &Result{}, nil
		}
		return nil, err
	}
	if t, err := e.table(ctx, sess, c); err == nil && c.Verb == "analyze table" && t.Type != catalog.View && !ofFiles(t) {
		return nil, fault(c.Pos, "NOT_SUPPORTED_COMMAND_FOR_V2_TABLE", "0A000", "ANALYZE TABLE is not for Delta tables, whose log has their statistics.", "")
	}
	for want := range strings.SplitSeq(c.Args["columns"], "\x00") {
		known := want == ""
		for _, col := range cols {
			known = known || strings.EqualFold(col.Name, want)
		}
		if !known {
			return nil, fault(c.Pos, "COLUMN_NOT_FOUND", "42703", "there is no column "+want+".", "")
		}
	}
	return &Result{}, nil
}

// refreshFunction is REFRESH FUNCTION: functions are always read anew.
func (e *Engine) refreshFunction(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	_, err := e.function(ctx, sess, c)
	if sparksql.ClassOf(err) == "UNRESOLVED_ROUTINE" {
		return nil, fault(c.Pos, "ROUTINE_NOT_FOUND", "42883", "there is no function "+strings.Join(c.Name, ".")+".", "")
	}
	return &Result{}, err
}

// cacheTable is CACHE TABLE: with a query it makes a temporary view, as in
// Spark, which reads its tables each time.
func (e *Engine) cacheTable(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	text := c.Args["query"]
	if text == "" {
		return e.upkeep(ctx, sess, c)
	}
	s := (&task{e: e, sess: sess}).step()
	q, err := analyze.Query(ctx, text, s.env)
	if err != nil {
		return nil, err
	}
	v := &plan.CreateView{Name: c.Name, Temporary: true, Text: text, Plan: q.Plan, Pos: c.Pos}
	return &Result{}, e.temporaryView(sess, v)
}

// dropView removes a view: a temporary one, or one of the catalog.
func (e *Engine) dropView(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	if n := temporary(c.Name); n != "" && sess.state.View(n) != nil {
		delete(sess.state.views, strings.ToLower(n))
		return &Result{}, nil
	}
	if len(c.Name) == 2 && strings.EqualFold(c.Name[0], globalSchema) && e.globals.drop(c.Name[1]) {
		return &Result{}, nil
	}
	t, err := e.table(ctx, sess, c)
	if err != nil {
		if c.Args["if exists"] == "true" && sparksql.ClassOf(err) == "TABLE_OR_VIEW_NOT_FOUND" {
			return &Result{}, nil
		}
		return nil, err
	}
	if t.Type != catalog.View {
		return nil, fault(c.Pos, "WRONG_COMMAND_FOR_OBJECT_TYPE", "42809", t.FullName()+" is no view but a "+string(t.Type)+".", "DROP TABLE drops tables; those of pipelines go when their pipeline no longer has them.")
	}
	err = e.cfg.Catalog.DropTable(ctx, t.ID)
	if errors.Is(err, catalog.ErrNotFound) { // dropped by another session meanwhile
		err = nil
	}
	return &Result{}, err
}
