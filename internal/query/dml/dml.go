package dml

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Batches is a result that comes batch by batch; Next gives io.EOF at the end,
// its batches are the caller's to release.
type Batches interface {
	Next(ctx context.Context) (arrow.RecordBatch, error)
	Close()
}

// Engine runs plans and knows what stands behind their sources.
type Engine interface {
	// Run runs a plan. Scans of target read files alone; nil files are all that
	// the plan's conditions leave.
	Run(ctx context.Context, n plan.Node, target *plan.Source, files []delta.Add) (Batches, error)
	// Table is the table behind a source and the version that is read.
	Table(src *plan.Source) (*delta.Table, *delta.Snapshot, error)
	// Path is how FileOrdinal names a file.
	Path(s *delta.Snapshot, a delta.Add) string
	// Candidates are the files that may hold rows for which n's conditions hold.
	Candidates(n plan.Node, target *plan.Source) ([]delta.Add, error)
}

// Counts are the rows that a statement changed.
type Counts struct{ Updated, Deleted, Inserted int64 }

// target is the table that a statement changes.
type target struct {
	src   *plan.Source
	table *delta.Table
	snap  *delta.Snapshot
}

func open(e Engine, src *plan.Source) (target, error) {
	t, s, err := e.Table(src)
	return target{src, t, s}, err
}

// live are all files of the version that is read.
func (t target) live() []delta.Add {
	var out []delta.Add
	for a := range t.snap.All() {
		out = append(out, a)
	}
	return out
}

// reads tells whether a plan reads the table that it is to change.
func (t target) reads(e Engine, n plan.Node) bool {
	for _, s := range plan.Scans(n) {
		if o, _, err := e.Table(s.Source); err == nil && o == t.table {
			return true
		}
	}
	return false
}

// each gives the batches of a plan to f. While f works the engine goes on with
// the next ones.
func each(ctx context.Context, e Engine, n plan.Node, src *plan.Source, files []delta.Add, f func(arrow.RecordBatch) error) error {
	rows, err := e.Run(ctx, n, src, files)
	if err != nil {
		return err
	}
	defer rows.Close()
	ctx, cancel := context.WithCancel(ctx)
	ahead := make(chan arrow.RecordBatch, readAhead)
	var failed error // of the engine; to be read once ahead is closed
	go func() {
		defer close(ahead)
		for {
			rec, err := rows.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				failed = err
				return
			}
			select {
			case ahead <- rec:
			case <-ctx.Done():
				rec.Release()
				failed = ctx.Err()
				return
			}
		}
	}()
	defer func() {
		cancel()
		for rec := range ahead { // the reader must be gone before rows are closed
			rec.Release()
		}
	}()
	for rec := range ahead {
		err := f(rec)
		rec.Release()
		if err != nil {
			return err
		}
	}
	return failed
}

// readAhead is how many batches wait for their taker.
const readAhead = 2

func runtimeError(class, state, format string, args ...any) error {
	return &sparksql.Error{Class: class, SQLState: state, Phase: sparksql.PhaseRuntime, Message: fmt.Sprintf(format, args...)}
}

// commit makes c the table's next version; files of a commit that did not
// happen are deleted.
func (t target) commit(ctx context.Context, c delta.Commit) error {
	_, err := t.table.Commit(ctx, c)
	if err == nil || errors.Is(err, delta.ErrCommitStateUnknown) {
		return commitError(err)
	}
	return commitError(errors.Join(err, t.table.Discard(context.WithoutCancel(ctx), c.Adds)))
}

// commitError gives the errors of a commit Delta's classes.
func commitError(err error) error {
	var orphan *delta.OrphanError
	switch {
	case err == nil || errors.As(err, &orphan):
		return err
	case errors.Is(err, delta.ErrConstraint):
		return &sparksql.Error{Class: "DELTA_CANNOT_MODIFY_APPEND_ONLY", SQLState: "42809", Phase: sparksql.PhaseRuntime,
			Message: "the table takes new rows only (delta.appendOnly).", Hint: "ALTER TABLE ... UNSET TBLPROPERTIES ('delta.appendOnly') lifts it."}
	case errors.Is(err, delta.ErrNoColumn):
		return &sparksql.Error{Class: "DELTA_CANNOT_WRITE_EMPTY_SCHEMA.TABLE_ALL_VOID_COLUMNS", SQLState: "428GU", Phase: sparksql.PhaseAnalysis,
			Message: "all columns of the table are VOID, so that a row has nothing to keep.", Hint: "Add a column of another type."}
	case errors.Is(err, delta.ErrUnsupportedFeature):
		return &sparksql.Error{Class: "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", SQLState: "56038", Phase: sparksql.PhaseRuntime, Message: err.Error() + "."}
	}
	return err
}

// appendOnly refuses a change of an append-only table before anything is read.
func (t target) appendOnly() error {
	if t.snap.Metadata().Configuration["delta.appendOnly"] == "true" {
		return commitError(delta.ErrConstraint)
	}
	return nil
}

func num(n int64) string { return strconv.FormatInt(n, 10) }

func ms(d time.Duration) string { return num(d.Milliseconds()) }

// removeBytes is the size of files that go.
func removeBytes(rs []delta.Remove) string {
	var n int64
	for _, r := range rs {
		n += r.Size
	}
	return num(n)
}

// removes takes files out of the table.
func removes(files []delta.Add, at time.Time) []delta.Remove {
	out := make([]delta.Remove, len(files))
	for i, a := range files {
		out[i] = a.Remove(at.UnixMilli(), true)
	}
	return out
}
