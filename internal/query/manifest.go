package query

import (
	"context"
	"errors"
	"strings"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// generate is GENERATE symlink_format_manifest: lists of data files for engines
// that do not read the log.
func (e *Engine) generate(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	t, err := e.deltaTable(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(c.Args["mode"], "symlink_format_manifest") {
		return nil, &sparksql.Error{
			Class: "DELTA_MODE_NOT_SUPPORTED", SQLState: "0AKDC", Phase: sparksql.PhaseRuntime, Pos: c.Pos,
			Message: "there is no mode " + c.Args["mode"] + ".", Hint: "Write GENERATE symlink_format_manifest FOR TABLE ...",
		}
	}
	d, err := e.cfg.Tables.Open(ctx, t)
	if err != nil {
		return nil, err
	}
	err = d.WriteManifests(ctx)
	if errors.Is(err, delta.ErrDeletedRows) {
		return nil, &sparksql.Error{
			Class: "DELTA_UNSUPPORTED_GENERATE_WITH_DELETION_VECTORS", SQLState: "0A000", Phase: sparksql.PhaseRuntime, Pos: c.Pos,
			Message: t.FullName() + " has files with deletion vectors, which readers of the manifests would not see.", Hint: "REORG TABLE ... APPLY (PURGE) writes these files anew.",
		}
	}
	return &Result{}, err
}

// index is CREATE INDEX and DROP INDEX, which no table here has.
func (e *Engine) index(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	t, err := e.table(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	if t.Type == catalog.View {
		return nil, fault(c.Pos, "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", t.FullName()+" is a view and has no indexes.", "")
	}
	cols, err := e.columns(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	for want := range strings.SplitSeq(c.Args["columns"], "\x00") {
		name, _, _ := strings.Cut(want, ".")
		known := want == ""
		for _, col := range cols {
			known = known || strings.EqualFold(col.Name, name)
		}
		if !known {
			return nil, fault(c.Pos, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "there is no column "+want+".", "")
		}
	}
	return nil, fault(c.Pos, "_LEGACY_ERROR_TEMP_1332", "", "tables have no indexes.", "OPTIMIZE ... ZORDER BY and CLUSTER BY put rows that are read together into the same files.")
}
