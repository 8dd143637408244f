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
	// feed takes what happens to rows, nil where the table has no change feed.
	feed *feed
	// gone are the rows to take out of files, nil where files are written anew.
	gone map[string]*delta.RowSet
	at   layout
}

// layout says where in a batch what stands; -1 for what it lacks.
type layout struct{ action, place, before int }

func layoutOf(rows *plan.Rows, columns int) layout {
	out, next := layout{-1, -1, -1}, columns+len(rows.Checks)
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
	return out
}

// newSink writes rows of a table of this schema; columns are matched by place.
func newSink(w *delta.Writer, schema *arrow.Schema, rows *plan.Rows, identity []string) *sink {
	s := &sink{w: w, schema: schema, checks: rows.Checks, number: make([]*numbering, schema.NumFields())}
	s.at = layoutOf(rows, schema.NumFields())
	s.acted = s.at.action >= 0
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
		a, ok := rec.Column(s.at.action).(*array.Int32)
		if !ok {
			return fmt.Errorf("dml: the action is %s", rec.Column(s.at.action).DataType())
		}
		actions = a
	}
	table, err := s.columns(rec, actions)
	if err != nil {
		return err
	}
	defer table.Release()
	if err := s.note(rec, table, actions); err != nil {
		return err
	}
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

// note gives the change feed a batch, and marks its rows as gone.
func (s *sink) note(rec, table arrow.RecordBatch, actions *array.Int32) error {
	if s.gone != nil && actions != nil {
		if err := s.mark(rec, actions); err != nil {
			return err
		}
	}
	if s.feed == nil {
		return nil
	}
	var before arrow.RecordBatch
	if s.at.before >= 0 {
		before = s.named(rec, s.at.before)
		defer before.Release()
	}
	return writeError(s.feed.take(before, table, actions))
}

// mark notes the rows that leave their files.
func (s *sink) mark(rec arrow.RecordBatch, actions *array.Int32) error {
	files, ok1 := rec.Column(s.at.place).(*array.String)
	rows, ok2 := rec.Column(s.at.place + 1).(*array.Int64)
	if !ok1 || !ok2 {
		return fmt.Errorf("dml: places of rows are %s, %s", rec.Column(s.at.place).DataType(), rec.Column(s.at.place+1).DataType())
	}
	for i := range actions.Len() {
		if act := int64(actions.Value(i)); act != plan.RowUpdated && act != plan.RowDeleted {
			continue
		}
		set := s.gone[files.Value(i)]
		if set == nil {
			set = &delta.RowSet{}
			s.gone[strings.Clone(files.Value(i))] = set
		}
		set.Add(uint64(rows.Value(i)))
	}
	return nil
}

// named are the table's columns of rec from a place on, under their names; the
// caller releases them.
func (s *sink) named(rec arrow.RecordBatch, from int) arrow.RecordBatch {
	var fields []arrow.Field
	var cols []arrow.Array
	for i, f := range s.schema.Fields() {
		if f.Type.ID() != arrow.NULL {
			c := rec.Column(from + i)
			fields = append(fields, arrow.Field{Name: f.Name, Type: c.DataType(), Nullable: true})
			cols = append(cols, c)
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows())
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
	for i := range actions.Len() {
		act := int64(actions.Value(i))
		if act < 0 || act > plan.RowInserted {
			return nil, fmt.Errorf("dml: no action %d", act)
		}
		s.counts[act]++
	}
	return pick(rec, actions, func(act int64) bool { return act != plan.RowDeleted })
}

// pick keeps the rows whose action is wanted; the caller releases them.
func pick(rec arrow.RecordBatch, actions *array.Int32, want func(act int64) bool) (arrow.RecordBatch, error) {
	mask := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer mask.Release()
	mask.Reserve(actions.Len())
	all := true
	for i := range actions.Len() {
		ok := want(int64(actions.Value(i)))
		mask.UnsafeAppend(ok)
		all = all && ok
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
