package pipeline

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/vfs"
	"github.com/marisma/marisma/objstore"
)

// written writes one file of a table that no version names.
func written(t *testing.T, d *delta.Table, schema *arrow.Schema) []delta.Add {
	t.Helper()
	w, err := d.NewWriter(t.Context(), delta.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).Append(7)
	rec := b.NewRecordBatch()
	defer rec.Release()
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	adds, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return adds
}

func TestAPreparedBatchSurvivesAVacuumThatRetainsNothing(t *testing.T) {
	fs := vfs.NewMem()
	j, err := journal.Open(journal.Config{FS: fs, Dir: "p"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	p := &Pipeline{journal: j}
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	d, err := delta.Create(t.Context(), objstore.LocalOn(fs, "tables"), "t", schema)
	if err != nil {
		t.Fatal(err)
	}
	kept, left := written(t, d, schema), written(t, d, schema)
	text, err := json.Marshal(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	if err := j.Begin(journal.Begin{Flow: "f", Checkpoint: "c", Hash: "h", Time: at}); err != nil {
		t.Fatal(err)
	}
	if err := j.Plan(journal.Plan{Flow: "f", Checkpoint: "c", Batch: 1, Time: at, Hash: "h"}); err != nil {
		t.Fatal(err)
	}
	if err := j.Prepare(journal.Prepared{Flow: "f", Checkpoint: "c", Batch: 1, Tables: []journal.TableCommit{{Name: "t", ID: "t", Adds: []json.RawMessage{text}, Rows: 1}}}); err != nil {
		t.Fatal(err)
	}
	soon := -time.Minute // as if VACUUM RETAIN 0 HOURS came later
	res, err := d.Vacuum(t.Context(), delta.VacuumOptions{Retention: &soon, Force: true, Keep: p.Spares, List: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Keys) != 1 || res.Keys[0] != "t/"+delta.DataPath(left[0]) {
		t.Errorf("VACUUM deleted %v, not only %s", res.Keys, delta.DataPath(left[0]))
	}
	if _, err := d.Commit(t.Context(), delta.Commit{Adds: kept, ReadVersion: -1, DataChange: true}); err != nil {
		t.Fatal(err)
	}
	if err := j.Done(journal.Done{Flow: "f", Checkpoint: "c", Batch: 1}); err != nil {
		t.Fatal(err)
	}
	if p.Spares(delta.DataPath(kept[0])) {
		t.Error("the files of a batch that is done are still spared")
	}
}
