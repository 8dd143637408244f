package dml

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// sink takes the rows of plan.Rows: it checks them, counts what happened to
// each and writes those that stay.
type sink struct {
	w      *delta.Writer
	schema *arrow.Schema // of the table
	checks []plan.Check
	// acted tells that rows come with an action; without it all are new.
	acted  bool
	number []*numbering // by column, nil where the table does not number it
	counts [plan.RowInserted + 1]int64
}

// newSink writes rows of a table of this schema; columns are matched by place.
func newSink(w *delta.Writer, schema *arrow.Schema, rows *plan.Rows, identity []string) *sink {
	s := &sink{w: w, schema: schema, checks: rows.Checks, number: make([]*numbering, schema.NumFields())}
	s.acted = len(rows.Plan.Output()) > schema.NumFields()+len(rows.Checks)
	for i, f := range schema.Fields() {
		for _, name := range identity {
			if strings.EqualFold(name, f.Name) {
				s.number[i] = numberingOf(f)
			}
		}
	}
	return s
}

// take writes a batch; it stays the caller's.
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
	var actions *array.Int32
	if s.acted {
		a, ok := rec.Column(n + len(s.checks)).(*array.Int32)
		if !ok {
			return fmt.Errorf("dml: the action is %s", rec.Column(n+len(s.checks)).DataType())
		}
		actions = a
	}
	table, err := s.columns(rec, actions)
	if err != nil {
		return err
	}
	defer table.Release()
	if actions == nil {
		s.counts[plan.RowInserted] += rec.NumRows()
		return writeError(s.w.Write(table))
	}
	kept, err := s.kept(table, actions)
	if err != nil {
		return err
	}
	defer kept.Release()
	return writeError(s.w.Write(kept))
}

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
		switch c.Kind {
		case plan.CheckLength:
			return runtimeError("DELTA_EXCEED_CHAR_VARCHAR_LIMIT", "22001", "a value of the column %s is too long for %s.", c.Name, c.Text)
		case plan.CheckReplace:
			return runtimeError("DELTA_REPLACE_WHERE_MISMATCH", "44000", "a new row does not fulfil the condition of REPLACE WHERE.")
		}
		return runtimeError("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", "23001", "a row breaks the constraint %s (%s).", c.Name, c.Text)
	}
	return nil
}

// columns are the table's columns of rec under their names; the caller releases
// the batch. Columns without type hold nothing and are left out.
func (s *sink) columns(rec arrow.RecordBatch, actions *array.Int32) (arrow.RecordBatch, error) {
	var fields []arrow.Field
	var cols []arrow.Array
	for i, f := range s.schema.Fields() {
		if f.Type.ID() == arrow.NULL {
			continue
		}
		c := rec.Column(i)
		if s.number[i] != nil {
			next, err := s.number[i].fill(c, actions)
			if err != nil {
				return nil, err
			}
			defer next.Release()
			c = next
		}
		fields = append(fields, arrow.Field{Name: f.Name, Type: c.DataType(), Nullable: true})
		cols = append(cols, c)
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows()), nil
}

// kept are the rows that are not deleted; the caller releases them.
func (s *sink) kept(rec arrow.RecordBatch, actions *array.Int32) (arrow.RecordBatch, error) {
	mask := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer mask.Release()
	mask.Reserve(actions.Len())
	all := true
	for i := range actions.Len() {
		act := int64(actions.Value(i))
		if act < 0 || act > plan.RowInserted {
			return nil, fmt.Errorf("dml: no action %d", act)
		}
		s.counts[act]++
		mask.UnsafeAppend(act != plan.RowDeleted)
		all = all && act != plan.RowDeleted
	}
	if all {
		rec.Retain()
		return rec, nil
	}
	m := mask.NewBooleanArray()
	defer m.Release()
	return compute.FilterRecordBatch(context.Background(), rec, m, compute.DefaultFilterOptions())
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

func (s *sink) result() Counts {
	return Counts{Updated: s.counts[plan.RowUpdated], Deleted: s.counts[plan.RowDeleted], Inserted: s.counts[plan.RowInserted]}
}
