package dml

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Copy runs the INSERT that a COPY INTO stands for and tells how many rows it
// wrote. The commit records loaded, and is not made where the table has one of
// these: *delta.AlreadyCommittedError.
func Copy(ctx context.Context, e Engine, ins *plan.Insert, loaded []delta.Txn) (int64, error) {
	t, err := open(e, ins.Target)
	if err != nil {
		return 0, err
	}
	c := delta.Commit{
		ReadVersion: -1, DataChange: true, Operation: "COPY INTO", Txns: loaded,
		Parameters: map[string]string{"partitionBy": partitionText(t), "statsOnLoad": "false"},
	}
	schema, err := t.taking(ins, &c)
	if err != nil {
		return 0, err
	}
	rows, err := t.fill(ctx, e, ins, schema, &c)
	if err != nil {
		return 0, err
	}
	return rows, t.commit(ctx, c)
}

// Check does all of an INSERT but the commit: its rows are computed, checked and
// written to files that go away again.
func Check(ctx context.Context, e Engine, ins *plan.Insert) error {
	t, err := open(e, ins.Target)
	if err != nil {
		return err
	}
	var c delta.Commit
	schema, err := t.taking(ins, &c)
	if err != nil {
		return err
	}
	w, err := t.table.NewWriter(ctx, delta.WriterOptions{SchemaTo: c.SchemaTo, OptimizeWrite: ins.Rows.OptimizeWrite})
	if err != nil {
		return commitError(err)
	}
	s := newSink(into(w), schema, &ins.Rows, ins.Identity)
	if err := each(ctx, e, ins.Rows.Plan, nil, nil, s.take); err != nil {
		_ = w.Abort() // what matters is said
		return err
	}
	return w.Abort()
}

// taking is the schema of the rows that an INSERT writes, which c gives the table
// where it is another one.
func (t target) taking(ins *plan.Insert, c *delta.Commit) (*arrow.Schema, error) {
	if ins.Schema == nil {
		return t.snap.Schema(), nil
	}
	schema, err := t.evolved(ins.Schema)
	if err != nil {
		return nil, err
	}
	c.SchemaTo = schema
	return schema, nil
}
