package parquetfile

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// flatWriter writes batches without nested columns; it encodes columns on all
// cores, which pqarrow's writer does not.
type flatWriter struct {
	pq      *file.Writer
	schema  *arrow.Schema
	group   file.BufferedRowGroupWriter // nil before the first
	present []int16                     // definition levels of values that are there
}

// flat tells whether flatWriter can write a schema.
func flat(s *arrow.Schema) bool {
	return !slices.ContainsFunc(s.Fields(), func(f arrow.Field) bool {
		_, nested := f.Type.(arrow.NestedType)
		return nested || f.Type.ID() == arrow.EXTENSION || f.Type.ID() == arrow.DICTIONARY
	})
}

func newFlatWriter(s *arrow.Schema, out io.Writer, props *parquet.WriterProperties) (*flatWriter, error) {
	ps, err := pqarrow.ToParquet(s, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, err
	}
	pq, err := file.NewParquetWriterWithError(out, ps.Root(), file.WithWriterProps(props))
	if err != nil {
		return nil, err
	}
	return &flatWriter{pq: pq, schema: s}, nil
}

// NewBufferedRowGroupChecked ends the row group and begins another.
func (w *flatWriter) NewBufferedRowGroupChecked() (err error) {
	if w.group != nil {
		if err := w.group.Close(); err != nil {
			return err
		}
	}
	w.group, err = w.pq.AppendBufferedRowGroupChecked()
	return err
}

// RowGroupTotalBytesWritten is what the row group has taken, in bytes, before
// compression.
func (w *flatWriter) RowGroupTotalBytesWritten() int64 {
	if w.group == nil {
		return 0
	}
	return w.group.TotalBytesWritten()
}

// RowGroupTotalCompressedBytes is how large the row group's ended pages are.
func (w *flatWriter) RowGroupTotalCompressedBytes() int64 {
	if w.group == nil {
		return 0
	}
	return w.group.TotalCompressedBytes()
}

// fewRows are not worth the handing over to other cores.
const fewRows = 2048

// WriteBuffered adds rows to the row group.
func (w *flatWriter) WriteBuffered(rec arrow.RecordBatch) error {
	if !rec.Schema().Equal(w.schema) {
		return fmt.Errorf("the batch has the schema %s, the file %s", rec.Schema(), w.schema)
	}
	if rec.NumRows() == 0 {
		return nil
	}
	if w.group == nil {
		if err := w.NewBufferedRowGroupChecked(); err != nil {
			return err
		}
	}
	for n := int(rec.NumRows()); len(w.present) < n; {
		w.present = append(w.present, 1)
	}
	workers := min(runtime.GOMAXPROCS(0), int(rec.NumCols()))
	if rec.NumRows() < fewRows {
		workers = 1
	}
	errs := make([]error, rec.NumCols())
	var next atomic.Int32
	work := func() {
		for i := int(next.Add(1)) - 1; i < len(errs); i = int(next.Add(1)) - 1 {
			errs[i] = w.column(i, rec.Column(i))
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("column %s: %w", w.schema.Field(i).Name, err)
		}
	}
	return nil
}

func (w *flatWriter) column(i int, a arrow.Array) (err error) {
	defer func() {
		if p := recover(); p != nil { // not to end the process from another goroutine
			err = fmt.Errorf("writing Parquet: %v", p)
		}
	}()
	cw, err := w.group.Column(i)
	if err != nil {
		return err
	}
	var defs []int16
	nullable := w.schema.Field(i).Nullable
	if nullable {
		defs = w.present[:a.Len()]
		if a.NullN() > 0 {
			defs = make([]int16, a.Len())
			for j := range defs {
				if a.IsValid(j) {
					defs[j] = 1
				}
			}
		}
	}
	props := pqarrow.DefaultWriterProps()
	return pqarrow.WriteArrowToColumn(pqarrow.NewArrowWriteContext(context.Background(), &props), cw, a, defs, nil, nullable)
}

// Close ends the file.
func (w *flatWriter) Close() error {
	if w.group != nil {
		if err := w.group.Close(); err != nil {
			return err
		}
	}
	return w.pq.Close()
}
