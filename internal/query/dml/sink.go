package dml

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// sink takes the rows of plan.Rows: it checks them, numbers new ones and hands
// them on with what happened to each.
type sink struct {
	// put takes rows of the table with their actions, nil where all are new, and
	// the values that they had before, nil where the plan does not say.
	put    func(rows, before arrow.RecordBatch, acts []delta.RowAction) error
	schema *arrow.Schema // of the table
	checks []plan.Check
	number []*numbering // by column, nil where the table does not number it
	// gone are the rows to take out of files, nil where files are written anew.
	gone *places
	at   layout
	acts []delta.RowAction // scratch
	// replaces says that the rows stand in for those of a condition.
	replaces bool
}

// layout says where in a batch what stands; -1 for what it lacks.
type layout struct{ action, place, before, tracked int }

func layoutOf(rows *plan.Rows, columns int) layout {
	out, next := layout{-1, -1, -1, -1}, columns+len(rows.Checks)
	if len(rows.Plan.Output()) == next {
		return out
	}
	out.action, next = next, next+1
	if rows.Placed {
		out.place, next = next, next+2
	}
	if rows.Before {
		out.before = next
	}
	if rows.Tracked {
		out.tracked = len(rows.Plan.Output()) - 2
	}
	return out
}

// newSink takes rows for a table of this schema; columns are matched by place.
func newSink(put func(rows, before arrow.RecordBatch, acts []delta.RowAction) error, schema *arrow.Schema, rows *plan.Rows, identity []string) *sink {
	s := &sink{put: put, schema: schema, checks: rows.Checks, number: make([]*numbering, schema.NumFields())}
	s.at = layoutOf(rows, schema.NumFields())
	for i, f := range schema.Fields() {
		for _, name := range identity {
			if strings.EqualFold(name, f.Name) {
				if n := delta.NewNumbering(f); n != nil {
					s.number[i] = &numbering{n}
				}
			}
		}
	}
	return s
}

// into has a writer take new rows.
func into(w *delta.Writer) func(rows, before arrow.RecordBatch, acts []delta.RowAction) error {
	return func(rows, _ arrow.RecordBatch, _ []delta.RowAction) error { return w.Write(rows) }
}

// take takes a batch, which stays the caller's.
func (s *sink) take(rec arrow.RecordBatch) error {
	n := s.schema.NumFields()
	if int(rec.NumCols()) < n+len(s.checks) {
		return fmt.Errorf("dml: %d columns instead of %d", rec.NumCols(), n+len(s.checks))
	}
	for i, c := range s.checks {
		if err := s.check(c, rec.Column(n+i)); err != nil {
			return err
		}
	}
	acts, err := s.actions(rec)
	if err != nil {
		return err
	}
	table, err := s.columns(rec, acts)
	if err != nil {
		return err
	}
	defer table.Release()
	if s.gone != nil && acts != nil {
		leaves := func(i int) bool { return acts[i] == delta.RowUpdated || acts[i] == delta.RowDeleted }
		if err := s.gone.add(rec, s.at.place, leaves); err != nil {
			return err
		}
	}
	var before arrow.RecordBatch
	if s.at.before >= 0 {
		if before, err = s.named(rec, s.at.before); err != nil {
			return err
		}
		defer before.Release()
	}
	known := s.known(rec, table)
	defer known.Release()
	err = writeError(s.put(known, before, acts))
	if s.replaces && sparksql.ClassOf(err) == "DELTA_NOT_NULL_CONSTRAINT_VIOLATED" {
		return errReplace
	}
	return err
}

// actions are what happened to the rows of a batch, nil where all are new. They
// are good until the next call.
func (s *sink) actions(rec arrow.RecordBatch) ([]delta.RowAction, error) {
	if s.at.action < 0 {
		return nil, nil
	}
	col, ok := rec.Column(s.at.action).(*array.Int32)
	if !ok {
		return nil, fmt.Errorf("dml: the action is %s", rec.Column(s.at.action).DataType())
	}
	s.acts = s.acts[:0]
	for _, a := range col.Int32Values() {
		switch int64(a) {
		case plan.RowCopied:
			s.acts = append(s.acts, delta.RowCopied)
		case plan.RowUpdated:
			s.acts = append(s.acts, delta.RowUpdated)
		case plan.RowDeleted:
			s.acts = append(s.acts, delta.RowDeleted)
		case plan.RowInserted:
			s.acts = append(s.acts, delta.RowInserted)
		default:
			return nil, fmt.Errorf("dml: no action %d", a)
		}
	}
	return s.acts, nil
}

// named are the table's columns of rec from a place on, under their names; the
// caller releases them.
func (s *sink) named(rec arrow.RecordBatch, from int) (arrow.RecordBatch, error) {
	var fields []arrow.Field
	var cols []arrow.Array
	defer release(&cols)
	for i, f := range s.schema.Fields() {
		if f.Type.ID() != arrow.NULL {
			c, err := variant.Stored(rec.Column(from+i), f.Type)
			if err != nil {
				return nil, err
			}
			fields = append(fields, arrow.Field{Name: f.Name, Type: c.DataType(), Nullable: true})
			cols = append(cols, c)
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows()), nil
}

// release gives up what an operation has made by its end.
func release(cols *[]arrow.Array) {
	for _, c := range *cols {
		c.Release()
	}
}

// known gives a batch of the table's columns those of row tracking, where the
// plan has them. The caller releases it.
func (s *sink) known(rec, table arrow.RecordBatch) arrow.RecordBatch {
	if s.at.tracked < 0 {
		table.Retain()
		return table
	}
	fields := append(slices.Clone(table.Schema().Fields()), arrow.Field{Name: delta.RowID, Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		arrow.Field{Name: delta.RowCommitVersion, Type: arrow.PrimitiveTypes.Int64, Nullable: true})
	cols := append(slices.Clone(table.Columns()), rec.Column(s.at.tracked), rec.Column(s.at.tracked+1))
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, table.NumRows())
}

// errReplace is, as in Delta, what is said of any rule that a new row in the
// place of others breaks, the table's own among them.
var errReplace = runtimeError("DELTA_REPLACE_WHERE_MISMATCH", "44000", "a new row does not fulfil the condition by which rows are replaced, or breaks a rule of the table.")

// check refuses a batch with a row that breaks a rule.
func (s *sink) check(c plan.Check, a arrow.Array) error {
	b, ok := a.(*array.Boolean)
	if !ok {
		return fmt.Errorf("dml: the check %s is %s", c.Name, a.DataType())
	}
	for i := range b.Len() {
		if b.IsValid(i) && b.Value(i) {
			continue
		}
		if s.replaces {
			return errReplace
		}
		switch c.Kind {
		case plan.CheckLength:
			return runtimeError("DELTA_EXCEED_CHAR_VARCHAR_LIMIT", "22001", "a value of the column %s is too long for %s.", c.Name, c.Text)
		}
		return runtimeError("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", "23001", "a row breaks the constraint %s (%s).", c.Name, c.Text)
	}
	return nil
}

// columns are the table's columns of rec under their names; the caller releases
// the batch. Columns without type hold nothing and are left out.
func (s *sink) columns(rec arrow.RecordBatch, acts []delta.RowAction) (arrow.RecordBatch, error) {
	var fields []arrow.Field
	var cols []arrow.Array
	defer release(&cols)
	for i, f := range s.schema.Fields() {
		if f.Type.ID() == arrow.NULL {
			continue
		}
		c, err := variant.Stored(rec.Column(i), f.Type)
		if s.number[i] != nil {
			c.Release()
			c, err = s.number[i].fill(rec.Column(i), acts)
		}
		if err != nil {
			return nil, err
		}
		fields = append(fields, arrow.Field{Name: f.Name, Type: c.DataType(), Nullable: true})
		cols = append(cols, c)
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows()), nil
}

// writeError gives the errors of a writer Delta's classes.
func writeError(err error) error {
	if errors.Is(err, delta.ErrConstraint) {
		return runtimeError("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "23502", "%s.", err)
	}
	if errors.Is(err, delta.ErrSchemaMismatch) {
		return runtimeError("TASK_WRITE_FAILED", "58030", "%s.", err)
	}
	return err
}
