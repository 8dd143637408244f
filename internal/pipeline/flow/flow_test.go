package flow

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/vfs"
)

// script is an executor of a view whose pins and rows a test sets.
type script struct {
	version int64
	rows    []int64
	err     error
	runs    int
}

func (s *script) Pins(context.Context) ([]journal.Pin, error) {
	return []journal.Pin{{Name: "c.s.in", ID: "id", Version: s.version}}, nil
}

func (s *script) Run(context.Context, *journal.Plan) (Batches, error) {
	s.runs++
	if s.err != nil {
		return nil, s.err
	}
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(s.rows, nil)
	rec := array.NewRecordBatch(viewSchema, []arrow.Array{b.NewArray()}, int64(len(s.rows)))
	return &fixed{recs: []arrow.RecordBatch{rec}}, nil
}

type fixed struct{ recs []arrow.RecordBatch }

func (*fixed) Close() {}

func (f *fixed) Next() (arrow.RecordBatch, error) {
	if len(f.recs) == 0 || f.recs[0].NumRows() == 0 {
		return nil, io.EOF
	}
	r := f.recs[0]
	f.recs = f.recs[1:]
	return r, nil
}

var viewSchema = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)

func view(t *testing.T, w *world, fs vfs.FS, s *script, hash string) *Flow {
	t.Helper()
	tab, err := table(context.Background(), w.store, "view", viewSchema)
	if err != nil {
		t.Fatal(err)
	}
	f := New(Config{
		Name: "c.s.view", Hash: hash, Columns: []string{"n"}, Journal: w.jnl, Exec: s, Alloc: memory.DefaultAllocator,
		Main: &Sink{Name: "c.s.view", Table: tab, Schema: viewSchema},
	})
	if _, err := f.Begin(context.Background()); err != nil {
		t.Fatal(err)
	}
	return f
}

func step(t *testing.T, f *Flow, wantDid bool, wantVersion int64) {
	t.Helper()
	did, _, err := f.Step(context.Background())
	if err != nil || did != wantDid {
		t.Fatalf("did %v, %v", did, err)
	}
	s, err := f.cfg.Main.Table.Snapshot(context.Background())
	if err != nil || s.Version() != wantVersion {
		t.Fatalf("the table is at version %d, want %d (%v)", s.Version(), wantVersion, err)
	}
}

func TestViewCommitsOnlyAnotherResult(t *testing.T) {
	fs := vfs.NewMem()
	w, err := openWorld(context.Background(), fs)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	s := &script{version: 1, rows: []int64{1, 2, 3}}
	f := view(t, w, fs, s, "h")
	step(t, f, true, 1)
	step(t, f, false, 1) // the same input
	s.version, s.rows = 2, []int64{3, 2, 1}
	step(t, f, true, 1) // the same result in another order
	s.version, s.rows = 3, []int64{3, 2}
	step(t, f, true, 2)
	if s.runs != 3 {
		t.Errorf("the query ran %d times", s.runs)
	}
	if snap, _ := f.cfg.Main.Table.Snapshot(context.Background()); snap.NumFiles() != 1 {
		t.Errorf("%d files are live", snap.NumFiles())
	}
	// A changed query is computed anew over the same input.
	f = view(t, w, fs, s, "other")
	s.rows = nil
	step(t, f, true, 3)
	if snap, _ := f.cfg.Main.Table.Snapshot(context.Background()); snap.NumFiles() != 0 {
		t.Errorf("%d files are live", snap.NumFiles())
	}
}

func TestFailedBatchLeavesNothingAndIsTriedAgain(t *testing.T) {
	fs := vfs.NewMem()
	w, err := openWorld(context.Background(), fs)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	s := &script{version: 1, err: errors.New("a row is bad")}
	f := view(t, w, fs, s, "h")
	for range 2 {
		if _, _, err := f.Step(context.Background()); !errors.Is(err, s.err) {
			t.Fatal(err)
		}
	}
	s.err, s.rows = nil, []int64{7}
	step(t, f, true, 1)
	s.err, s.version = ErrPins, 2
	if did, _, err := f.Step(context.Background()); err != nil || !did {
		t.Fatalf("a gone pin: %v, %v", did, err)
	}
	s.err, s.rows = nil, []int64{8}
	step(t, f, true, 2)
}

func TestStreamReplaysExactlyThePlan(t *testing.T) {
	ctx := context.Background()
	w, err := openWorld(ctx, vfs.NewMem())
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if _, err := w.live(ctx, 0); err != nil {
		t.Fatal(err)
	}
	n := record(100)
	if _, err := w.log.AppendWait(ctx, 1, []eventRecord{n}); err != nil {
		t.Fatal(err)
	}
	st, _ := w.jnl.Flow("c.s.silver")
	p, _, err := w.flow.plan(ctx, st)
	if err != nil || p == nil {
		t.Fatal(err)
	}
	if err := w.jnl.Plan(*p); err != nil {
		t.Fatal(err)
	}
	if _, err := w.log.AppendWait(ctx, 1, []eventRecord{record(102)}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.flow.Step(ctx); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(values(rows(t, w, w.main))); slices.Contains(got, 102) || !slices.Contains(got, 100) {
		t.Errorf("the planned batch brought %v", got)
	}
	// Reset: from the start, into emptied tables.
	if err := w.flow.Reset(ctx); err != nil {
		t.Fatal(err)
	}
	if got := rows(t, w, w.main); len(got) != 0 {
		t.Errorf("after the reset: %v", got)
	}
	if err := w.drain(ctx); err != nil {
		t.Fatal(err)
	}
	verify(t, "after the reset", w, nil)
}

func TestJournalBehindItsTablesIsRefused(t *testing.T) {
	ctx := context.Background()
	fs := vfs.NewMem()
	w, err := openWorld(ctx, fs)
	if err != nil {
		t.Fatal(err)
	}
	old := fs.Crash(nil)
	if _, err := w.live(ctx, 0); err != nil {
		t.Fatal(err)
	}
	w.close()
	copyFile(t, old, fs, "p/journal/journal-0000000001")
	if w, err := openWorld(ctx, fs); err == nil {
		w.close()
		t.Fatal("an old journal was taken")
	}
}
