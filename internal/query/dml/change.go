package dml

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Change runs UPDATE, DELETE and MERGE and tells how many rows it changed.
func Change(ctx context.Context, e Engine, c *plan.Change) (Counts, error) {
	begun := time.Now()
	t, err := open(e, c.Target)
	if err != nil {
		return Counts{}, err
	}
	if c.Touched != nil || c.Every {
		if err := t.appendOnly(); err != nil {
			return Counts{}, err
		}
	}
	if err := t.noFeed(c); err != nil {
		return Counts{}, err
	}
	out := delta.Commit{ReadVersion: t.snap.Version(), DataChange: true, Parameters: c.Parameters, Serializable: true}
	schema := t.snap.Schema()
	if c.Schema != nil {
		if schema, err = t.evolved(c.Schema); err != nil {
			return Counts{}, err
		}
		out.SchemaTo = schema
	}
	w, err := t.writer(ctx, out.SchemaTo)
	if err != nil {
		return Counts{}, commitError(err)
	}
	defer func() { _ = w.Abort() }() // after Close it does nothing
	r, s, err := rewrite(ctx, e, t, c, w, schema)
	if err != nil {
		return Counts{}, err
	}
	if out.Adds, err = w.Close(); err != nil {
		return Counts{}, err
	}
	counts := Counts{Deleted: r.deleted}
	if s != nil {
		n := s.result()
		counts.Updated, counts.Inserted, counts.Deleted = n.Updated, n.Inserted, counts.Deleted+n.Deleted
		if high := s.numbered(); high != nil {
			out.SchemaTo = high
		}
	}
	if counts == (Counts{}) && out.SchemaTo == nil {
		if err := t.table.Discard(context.WithoutCancel(ctx), out.Adds); err != nil {
			return counts, err
		}
		return counts, nil
	}
	out.Removes = removes(r.files, time.Now())
	out.Operation = [...]string{plan.ChangeUpdate: "UPDATE", plan.ChangeDelete: "DELETE", plan.ChangeMerge: "MERGE"}[c.Kind]
	out.Metrics = metrics(c.Kind, &out, counts, s)
	out.Metrics["executionTimeMs"], out.Metrics["scanTimeMs"] = ms(time.Since(begun)), ms(r.scan)
	out.Metrics["rewriteTimeMs"] = ms(time.Since(begun) - r.scan)
	return counts, t.commit(ctx, out)
}

// noFeed refuses a change of single rows where the table has a change feed,
// for which it would have to write the rows' images, too.
func (t target) noFeed(c *plan.Change) error {
	if c.Touched == nil && !c.Every || c.Rewrite == nil || t.snap.Metadata().Configuration["delta.enableChangeDataFeed"] != "true" {
		return nil
	}
	return &sparksql.Error{
		Class: "UNSUPPORTED_FEATURE.CHANGE_DATA_FEED", SQLState: "0A000", Phase: sparksql.PhaseRuntime, Pos: c.Pos,
		Message: "rows of a table with a change data feed are not changed yet.", Hint: "SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'false') ends the feed.",
	}
}

// rewritten are the files that a change takes out of the table.
type rewritten struct {
	files   []delta.Add
	deleted int64 // rows of files that went as a whole
	scan    time.Duration
}

// rewrite finds the files that c touches and writes what they hold afterwards.
// The sink is nil where nothing had to be written.
func rewrite(ctx context.Context, e Engine, t target, c *plan.Change, w *delta.Writer, schema *arrow.Schema) (rewritten, *sink, error) {
	var r rewritten
	begun := time.Now()
	if c.Rewrite == nil { // DELETE of all rows
		r.files = t.live()
		for _, a := range r.files {
			n, err := t.rows(ctx, e, a, c)
			if err != nil {
				return r, nil, err
			}
			r.deleted += n
		}
		return r, nil, nil
	}
	rows := c.Rewrite
	again := []delta.Add{} // to be written anew
	switch {
	case c.Touched != nil:
		found, most, err := touched(ctx, e, t, c)
		if err != nil {
			return r, nil, err
		}
		if most > 1 && c.Once != nil {
			rows = c.Once
		}
		for _, f := range found {
			r.files = append(r.files, f.add)
			if n, known := recordCount(f.add); c.Kind == plan.ChangeDelete && known && n == f.rows {
				r.deleted += n
				continue
			}
			again = append(again, f.add)
		}
		if c.Every {
			r.files = t.live()
			again = r.files
		}
	case c.Every:
		r.files = t.live()
		again = r.files
	default: // a MERGE that only inserts looks at the table, but leaves it
		files, err := e.Candidates(rows.Plan, c.Target)
		if err != nil {
			return r, nil, err
		}
		again = files
	}
	r.scan = time.Since(begun)
	if len(again) == 0 && c.Kind != plan.ChangeMerge {
		return r, nil, nil
	}
	s := newSink(w, schema, rows, c.Identity)
	return r, s, each(ctx, e, rows.Plan, c.Target, again, s.take)
}

// hit is a file with rows to change.
type hit struct {
	add  delta.Add
	rows int64
}

// touched runs c.Touched: the files with how many rows of each change, and the
// most source rows that met one row.
func touched(ctx context.Context, e Engine, t target, c *plan.Change) ([]hit, int64, error) {
	byPath := map[string]delta.Add{}
	for a := range t.snap.All() {
		byPath[e.Path(t.snap, a)] = a
	}
	var out []hit
	var most int64
	err := each(ctx, e, c.Touched, c.Target, nil, func(rec arrow.RecordBatch) error {
		files, ok := rec.Column(0).(*array.String)
		if !ok {
			return fmt.Errorf("dml: file names are %s", rec.Column(0).DataType())
		}
		for i := range files.Len() {
			add, ok := byPath[files.Value(i)]
			if !ok {
				return fmt.Errorf("dml: %s is no file of the table", files.Value(i))
			}
			h := hit{add: add, rows: intAt(rec.Column(1), i)}
			if rec.NumCols() > 2 { // MERGE
				if intAt(rec.Column(2), i) > 1 {
					return runtimeError("DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE", "21506",
						"several rows of the source match one row of the table, and it is not clear which to apply; make the source's keys unique first.")
				}
				most = max(most, intAt(rec.Column(3), i))
				if h.rows == 0 && !c.Every && !c.Inserts {
					continue
				}
			}
			out = append(out, h)
		}
		return nil
	})
	return out, most, err
}

func intAt(a arrow.Array, i int) int64 {
	switch x := a.(type) {
	case *array.Int64:
		if x.IsValid(i) {
			return x.Value(i)
		}
	case *array.Int32:
		if x.IsValid(i) {
			return int64(x.Value(i))
		}
	}
	return 0
}

// recordCount is how many rows a file's statistics say that it has.
func recordCount(a delta.Add) (int64, bool) {
	return delta.RecordCount(a)
}

// rows is how many rows a file has, read from it where its statistics do not say.
func (t target) rows(ctx context.Context, e Engine, a delta.Add, c *plan.Change) (int64, error) {
	if n, ok := recordCount(a); ok {
		return n, nil
	}
	scan := &plan.Scan{Source: c.Target}
	var n int64
	err := each(ctx, e, scan, c.Target, []delta.Add{a}, func(rec arrow.RecordBatch) error {
		n += rec.NumRows()
		return nil
	})
	return n, err
}

// metrics are the numbers that Delta's history has for the operation.
func metrics(k plan.ChangeKind, c *delta.Commit, n Counts, s *sink) map[string]string {
	var copied int64
	if s != nil {
		copied = s.counts[plan.RowCopied]
	}
	out := map[string]string{"numFiles": "", "numOutputRows": "", "numOutputBytes": "", "numRemovedFiles": ""}
	added, gone := num(int64(len(c.Adds))), num(int64(len(c.Removes)))
	if k == plan.ChangeMerge {
		maps.Copy(out, map[string]string{
			"numTargetRowsInserted": num(n.Inserted), "numTargetRowsUpdated": num(n.Updated), "numTargetRowsDeleted": num(n.Deleted),
			"numTargetRowsCopied": num(copied), "numOutputRows": num(copied + n.Inserted + n.Updated),
			"numTargetFilesAdded": added, "numTargetFilesRemoved": gone, "numTargetBytesAdded": addBytes(c.Adds),
			"numTargetBytesRemoved": removeBytes(c.Removes), "numTargetChangeFilesAdded": "0",
			"numTargetDeletionVectorsAdded": "0", "numTargetDeletionVectorsRemoved": "0", "numTargetDeletionVectorsUpdated": "0",
		})
		return out
	}
	maps.Copy(out, map[string]string{
		"numAddedFiles": added, "numRemovedFiles": gone, "numAddedBytes": addBytes(c.Adds), "numRemovedBytes": removeBytes(c.Removes),
		"numCopiedRows": num(copied), "numAddedChangeFiles": "0",
		"numDeletionVectorsAdded": "0", "numDeletionVectorsRemoved": "0", "numDeletionVectorsUpdated": "0",
	})
	if k == plan.ChangeUpdate {
		out["numUpdatedRows"] = num(n.Updated)
	} else {
		out["numDeletedRows"] = num(n.Deleted)
	}
	return out
}

// Truncate runs TRUNCATE TABLE.
func Truncate(ctx context.Context, e Engine, c *plan.Truncate) error {
	t, err := open(e, c.Target)
	if err != nil {
		return err
	}
	if err := t.appendOnly(); err != nil {
		return err
	}
	files := removes(t.live(), time.Now())
	return t.commit(ctx, delta.Commit{
		Removes: files, ReadVersion: t.snap.Version(), DataChange: true, Serializable: true, Operation: "TRUNCATE",
		Parameters: map[string]string{},
		Metrics: map[string]string{
			"numFiles": "", "numOutputRows": "", "numOutputBytes": "", "numRemovedFiles": num(int64(len(files))), "numRemovedBytes": removeBytes(files),
		},
	})
}
