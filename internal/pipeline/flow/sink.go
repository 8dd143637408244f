package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
	"github.com/marisma/marisma/internal/pipeline/journal"
)

// Columns that a quarantine table has besides the table's own.
const (
	FailedColumn = "_failed_expectations"
	TimeColumn   = "_quarantined_at"
)

// Sink is a Delta table that a flow writes; the flow is its only writer.
type Sink struct {
	Name   string // full
	Table  *delta.Table
	Schema *arrow.Schema // that files are written with
}

// sinkWriter writes the files of one batch for one sink; it opens the writer
// with the first row.
type sinkWriter struct {
	sink  *Sink
	w     *delta.Writer
	rows  int64
	made  []delta.Add // closed and not yet handed on
	index []int       // place in the batches of each column of the schema, -1: NULL
}

// groupBytes bounds a row group, which waits in memory until it is written:
// some 200,000 readings, as many as readers like to take at a time.
const groupBytes = 8 << 20

// write takes the columns of rec by name.
func (s *sinkWriter) write(ctx context.Context, rec arrow.RecordBatch) error {
	if s.w == nil {
		w, err := s.sink.Table.NewWriter(ctx, delta.WriterOptions{RowGroupBytes: groupBytes})
		if err != nil {
			return err
		}
		s.w = w
	}
	cols := make([]arrow.Array, s.sink.Schema.NumFields())
	for i, f := range s.sink.Schema.Fields() {
		if at := s.index[i]; at >= 0 {
			c, err := variant.Stored(rec.Column(at), f.Type)
			if err != nil {
				return err
			}
			cols[i] = c
		} else {
			cols[i] = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, int(rec.NumRows()))
		}
		defer cols[i].Release()
	}
	out := array.NewRecordBatch(s.sink.Schema, cols, rec.NumRows())
	defer out.Release()
	s.rows += rec.NumRows()
	return s.w.Write(out)
}

// close makes the files durable and gives the sink's share of the batch, nil
// without rows.
func (s *sinkWriter) close(overwrite bool) (*journal.TableCommit, error) {
	if s.w == nil && !overwrite {
		return nil, nil
	}
	c := &journal.TableCommit{Name: s.sink.Name, ID: s.sink.Table.ID(), Overwrite: overwrite, Rows: s.rows}
	if s.w == nil {
		return c, nil
	}
	adds, err := s.w.Close()
	if err != nil {
		return nil, err
	}
	s.w, s.made = nil, adds
	for _, a := range adds {
		text, err := json.Marshal(a)
		if err != nil {
			return nil, err
		}
		c.Adds = append(c.Adds, text)
		c.Bytes += a.Size
	}
	return c, nil
}

// abort deletes what was written.
func (s *sinkWriter) abort(ctx context.Context) error {
	if s.w != nil {
		w := s.w
		s.w = nil
		return w.Abort()
	}
	adds := s.made
	s.made = nil
	if len(adds) == 0 {
		return nil
	}
	return s.sink.Table.Discard(ctx, adds)
}

// commit puts a prepared share into the table; done before is done.
func (s *Sink) commit(ctx context.Context, c journal.TableCommit, checkpoint string, batch int64, operation string) (int64, error) {
	if c.ID != s.Table.ID() {
		return 0, fmt.Errorf("pipeline: batch %d was prepared for table %s with id %s, which has id %s now: it was made anew. Reset the table",
			batch, s.Name, c.ID, s.Table.ID())
	}
	adds := make([]delta.Add, len(c.Adds))
	for i, text := range c.Adds {
		if err := json.Unmarshal(text, &adds[i]); err != nil {
			return 0, fmt.Errorf("pipeline: prepared file of %s: %w", s.Name, err)
		}
	}
	mode := "Append"
	if c.Overwrite {
		mode = "Complete"
	}
	res, err := s.Table.Commit(ctx, delta.Commit{
		Adds: adds, ReplaceAll: c.Overwrite, DataChange: true, ReadVersion: -1,
		Txn:       &delta.Txn{AppID: checkpoint, Version: batch},
		Operation: operation,
		Parameters: map[string]string{
			"outputMode": mode, "queryId": checkpoint, "epochId": fmt.Sprint(batch),
		},
	})
	if done, ok := errors.AsType[*delta.AlreadyCommittedError](err); ok {
		return done.Version, nil
	}
	if err != nil {
		return 0, fmt.Errorf("table %s: %w", s.Name, err)
	}
	return res.Version, nil
}

// recorded is the last batch of a checkpoint that the table holds.
func (s *Sink) recorded(ctx context.Context, checkpoint string) (int64, error) {
	snap, err := s.Table.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	v, ok := snap.Txn(checkpoint)
	if !ok {
		return -1, nil
	}
	return v, nil
}

// quarantineBatch adds the reasons and the time to rows set aside.
func quarantineBatch(p part, at time.Time, alloc memory.Allocator) arrow.RecordBatch {
	n := int(p.aside.NumRows())
	tb := array.NewTimestampBuilder(alloc, &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"})
	defer tb.Release()
	tb.Reserve(n)
	for range n {
		tb.UnsafeAppend(arrow.Timestamp(at.UnixMicro()))
	}
	times := tb.NewArray()
	defer times.Release()
	fields := append(append([]arrow.Field{}, p.aside.Schema().Fields()...), QuarantineFields()...)
	cols := append(append([]arrow.Array{}, p.aside.Columns()...), p.names, times)
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, int64(n))
}

// QuarantineFields are the columns that a quarantine table has besides the
// table's own.
func QuarantineFields() []arrow.Field {
	return []arrow.Field{
		{
			Name: FailedColumn, Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true,
			Metadata: arrow.NewMetadata([]string{"comment"}, []string{"Expectations that the row failed"}),
		},
		{
			Name: TimeColumn, Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true,
			Metadata: arrow.NewMetadata([]string{"comment"}, []string{"Time of the batch that set the row aside"}),
		},
	}
}

// places finds where each column of the table stands in the result.
func places(schema *arrow.Schema, columns []string) []int {
	at := map[string]int{}
	for i, c := range columns {
		at[strings.ToLower(c)] = i
	}
	out := make([]int, schema.NumFields())
	for i, f := range schema.Fields() {
		out[i] = -1
		if p, ok := at[strings.ToLower(f.Name)]; ok {
			out[i] = p
		}
	}
	return out
}
