package flow

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"go.uber.org/goleak"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/pipeline/source"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/vfs"
	"github.com/marisma/marisma/objstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var tableSchema = arrow.NewSchema([]arrow.Field{
	{Name: "partition", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "offset", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
}, nil)

func quarantineSchema() *arrow.Schema {
	return arrow.NewSchema(append(slices.Clone(tableSchema.Fields()), QuarantineFields()...), nil)
}

// world is a log, two tables and a flow between them, on one file system.
type world struct {
	log    *eventlog.Log
	stop   func()
	flow   *Flow
	jnl    *journal.Journal
	main   *delta.Table
	aside  *delta.Table
	store  objstore.Store
	source *source.Log
}

// parity is the executor: rows with an even number pass, the others fail "even".
type parity struct{ w *world }

func (parity) Pins(context.Context) ([]journal.Pin, error) { return nil, nil }

func (p parity) Run(_ context.Context, pl *journal.Plan) (Batches, error) {
	rd, err := p.w.source.Open(pl.Ranges[0].From, pl.Ranges[0].To)
	if err != nil {
		return nil, err
	}
	return &parityRows{rd}, nil
}

type parityRows struct{ rd *source.LogReader }

func (*parityRows) Close() {}

func (r *parityRows) Next() (arrow.RecordBatch, error) {
	in, err := r.rd.Next(context.Background())
	if err != nil {
		return nil, err
	}
	defer in.Release()
	values := in.Column(1).(*array.Binary)
	nb := array.NewInt64Builder(memory.DefaultAllocator)
	eb := array.NewBooleanBuilder(memory.DefaultAllocator)
	for i := range values.Len() {
		n := binary.BigEndian.Uint64(values.Value(i))
		nb.Append(int64(n))
		switch n % 7 {
		case 3:
			eb.AppendNull() // NULL has failed too
		default:
			eb.Append(n%2 == 0)
		}
	}
	ns, es := nb.NewArray(), eb.NewArray()
	defer ns.Release()
	defer es.Release()
	s := arrow.NewSchema(append(slices.Clone(tableSchema.Fields()), arrow.Field{Name: "even", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}), nil)
	return array.NewRecordBatch(s, []arrow.Array{in.Column(3), in.Column(4), ns, es}, in.NumRows()), nil
}

func passes(n uint64) bool { return n%2 == 0 && n%7 != 3 }

// openWorld opens everything, with recovery. On an error what is open is closed.
func openWorld(ctx context.Context, fs vfs.FS) (w *world, err error) {
	w = &world{store: objstore.LocalOn(fs, "tables"), stop: func() {}}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.log, err = eventlog.Open(eventlog.Config{FS: fs, Dir: "log", Partitions: 2, SegmentBytes: 2048, BatchBytes: 1024}); err != nil {
		return w, err
	}
	run, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = w.log.Run(run) }()
	w.stop = func() { cancel(); <-ended; _ = w.log.Close() }
	if w.main, err = table(ctx, w.store, "silver", tableSchema); err != nil {
		return w, err
	}
	if w.aside, err = table(ctx, w.store, "aside", quarantineSchema()); err != nil {
		return w, err
	}
	if w.jnl, err = journal.Open(journal.Config{FS: fs, Dir: "p/journal", CompactBytes: 3000}); err != nil {
		return w, err
	}
	w.source = source.NewLog(w.log, source.LogOptions{Topic: "t", Starting: source.OffsetEarliest, FailOnDataLoss: true, MaxOffsets: 5}, source.Limits{}, memory.DefaultAllocator)
	w.flow = New(Config{
		Name: "c.s.silver", Hash: "h", Columns: []string{"partition", "offset", "n"},
		Rules:   []plan.Expectation{{Name: "even", Action: plan.ActionDrop}},
		Journal: w.jnl, Exec: parity{w}, Stream: w.source, Alloc: memory.DefaultAllocator,
		Main:  &Sink{Name: "c.s.silver", Table: w.main, Schema: tableSchema},
		Aside: &Sink{Name: "c.s.silver_quarantine", Table: w.aside, Schema: quarantineSchema()},
	})
	_, err = w.flow.Begin(ctx)
	return w, err
}

func table(ctx context.Context, s objstore.Store, root string, sc *arrow.Schema) (*delta.Table, error) {
	t, err := delta.Open(ctx, s, root)
	if errors.Is(err, delta.ErrNotATable) {
		t, err = delta.Create(ctx, s, root, sc)
	}
	return t, err
}

func (w *world) close() {
	w.stop()
	if w.jnl != nil {
		_ = w.jnl.Close()
	}
}

// drain does batches until nothing is left.
func (w *world) drain(ctx context.Context) error {
	for {
		did, _, err := w.flow.Step(ctx)
		if err != nil || !did {
			return err
		}
	}
}

func record(n uint64) eventlog.Record {
	return eventlog.Record{Key: []byte("k"), Value: binary.BigEndian.AppendUint64(nil, n), Timestamp: int64(1000 + n)}
}

// live appends numbers and carries them over in turns; it gives those that
// were acknowledged.
func (w *world) live(ctx context.Context, first uint64) (acked []uint64, err error) {
	n := first
	for round := range 3 {
		for p := range 2 {
			recs := []eventlog.Record{record(n), record(n + 1), record(n + 2)}
			if _, err := w.log.AppendWait(ctx, p, recs); err != nil {
				return acked, err
			}
			acked = append(acked, n, n+1, n+2)
			n += 3
		}
		if round == 1 {
			continue // let some pile up, so that a batch is cut by the limit
		}
		if err := w.drain(ctx); err != nil {
			return acked, err
		}
	}
	return acked, nil
}

type place struct {
	partition int32
	offset    int64
}

// rows reads a table with a Parquet reader of its own.
func rows(t *testing.T, w *world, tab *delta.Table) map[place]uint64 {
	t.Helper()
	ctx := context.Background()
	snap, err := tab.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	adds, _, err := snap.Files()
	if err != nil {
		t.Fatal(err)
	}
	out := map[place]uint64{}
	// A stream that reads the table sees each commit: no file comes twice.
	seen := map[string]bool{}
	for c, err := range tab.Changes(ctx, -1) {
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range c.Adds {
			if seen[a.Path] {
				t.Errorf("version %d adds %s again", c.Version, a.Path)
			}
			seen[a.Path] = true
		}
	}
	for _, a := range adds {
		data, err := objstore.ReadAll(ctx, w.store, snap.Locate(a))
		if err != nil {
			t.Fatal(err)
		}
		pf, err := file.NewParquetReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		rd, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		tb, err := rd.ReadTable(ctx)
		if err != nil {
			t.Fatal(err)
		}
		tr := array.NewTableReader(tb, 0)
		for tr.Next() {
			rec := tr.RecordBatch()
			p, o, n := rec.Column(0).(*array.Int32), rec.Column(1).(*array.Int64), rec.Column(2).(*array.Int64)
			for i := range int(rec.NumRows()) {
				at := place{p.Value(i), o.Value(i)}
				if _, twice := out[at]; twice {
					t.Errorf("%v is twice in the table", at)
				}
				out[at] = uint64(n.Value(i))
			}
		}
		_ = pf.Close()
	}
	return out
}

// verify compares tables with the log: each record in exactly one of them.
func verify(t *testing.T, when string, w *world, acked []uint64) {
	t.Helper()
	ctx := context.Background()
	want, wantAside := map[place]uint64{}, map[place]uint64{}
	have := map[uint64]bool{}
	for p := range 2 {
		err := w.log.Read(ctx, p, w.log.Start(p), w.log.End(p), func(o int64, r *eventlog.Record) bool {
			n := binary.BigEndian.Uint64(r.Value)
			have[n] = true
			if passes(n) {
				want[place{int32(p), o}] = n
			} else {
				wantAside[place{int32(p), o}] = n
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range acked {
		if !have[n] {
			t.Errorf("%s: acknowledged %d is not in the log", when, n)
		}
	}
	if got := rows(t, w, w.main); !maps.Equal(got, want) {
		t.Errorf("%s: silver has %v, want %v", when, got, want)
	}
	if got := rows(t, w, w.aside); !maps.Equal(got, wantAside) {
		t.Errorf("%s: quarantine has %v, want %v", when, got, wantAside)
	}
	st, _ := w.jnl.Flow("c.s.silver")
	if int(st.Totals.Out) != len(want) || int(st.Totals.Quarantined) != len(wantAside) {
		t.Errorf("%s: counted %d and %d, want %d and %d", when, st.Totals.Out, st.Totals.Quarantined, len(want), len(wantAside))
	}
}

// TestPowerCutAtEveryWrite cuts the power at each mutating operation of the
// log, the journal and both tables' files and commits, recovers from what is
// left (with a second cut at some moment of the recovery), goes on, and
// compares: every record of the log is in silver or in quarantine, once.
func TestPowerCutAtEveryWrite(t *testing.T) {
	ctx := context.Background()
	whole := vfs.NewMem()
	w, err := openWorld(ctx, whole)
	if err != nil {
		t.Fatal(err)
	}
	acked, err := w.live(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	verify(t, "without a cut", w, acked)
	w.close()
	ops := int(whole.Ops())
	step := 1
	if testing.Short() {
		step = 7
	}
	for cut := 0; cut < ops; cut += step {
		rng := rand.New(rand.NewPCG(uint64(cut), 1))
		fs := vfs.NewMem()
		fs.CutAt(cut)
		var acked []uint64
		w, err := openWorld(ctx, fs)
		if err == nil {
			acked, err = w.live(ctx, 0)
			w.close()
		}
		if err == nil && cut < ops-40 {
			t.Fatalf("cut %d of %d was not felt", cut, ops)
		}
		var torn *rand.Rand
		if cut%3 > 0 {
			torn = rng
		}
		fs = fs.Crash(torn)
		// The recovery is cut, too, at a random place.
		fs.CutAt(rng.IntN(60))
		if w, err := openWorld(ctx, fs); err == nil {
			_ = w.drain(ctx)
			w.close()
		}
		fs = fs.Crash(torn)
		when := fmt.Sprintf("cut %d", cut)
		w, err = openWorld(ctx, fs)
		if err != nil {
			t.Fatalf("%s: recovery: %v", when, err)
		}
		more, err := w.live(ctx, 1000)
		if err != nil {
			t.Fatalf("%s: after recovery: %v", when, err)
		}
		verify(t, when, w, append(acked, more...))
		w.close()
		if t.Failed() {
			return
		}
	}
	t.Logf("%d places", ops)
}
