package parquetfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// flatWriter writes batches without nested columns. It encodes columns on all
// cores, which pqarrow's writer does not, and each value once.
type flatWriter struct {
	out     io.Writer
	at      int64 // bytes written
	schema  *arrow.Schema
	meta    *metadata.FileMetaDataBuilder
	columns []*chunk
	rows    int64 // of the row group
	groups  int
}

// magic begins and ends a file.
const magic = "PAR1"

func newFlatWriter(s *arrow.Schema, columns []*chunk, out io.Writer, props *parquet.WriterProperties, codec compress.Compression) (*flatWriter, error) {
	ps, err := pqarrow.ToParquet(s, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, err
	}
	pack, err := packer(codec)
	if err != nil {
		return nil, err
	}
	w := &flatWriter{out: out, schema: s, columns: columns, meta: metadata.NewFileMetadataBuilder(ps, props, nil)}
	for _, c := range columns {
		c.pack = pack
		c.begin()
	}
	return w, w.write([]byte(magic))
}

// newChunks are the columns of a schema, if they can be written as chunks.
func newChunks(s *arrow.Schema) ([]*chunk, bool) {
	out := make([]*chunk, s.NumFields())
	for i, f := range s.Fields() {
		if out[i] = newChunk(f); out[i] == nil {
			return nil, false
		}
	}
	return out, true
}

func (w *flatWriter) write(b []byte) error {
	n, err := w.out.Write(b)
	w.at += int64(n)
	return err
}

// NewBufferedRowGroupChecked ends the row group and begins another.
func (w *flatWriter) NewBufferedRowGroupChecked() error {
	if w.rows == 0 {
		return nil
	}
	if w.groups == math.MaxInt16 {
		return errors.New("writing Parquet: too many row groups")
	}
	if err := w.each(w.rows, func(_ int, c *chunk) { c.endPage() }); err != nil {
		return err
	}
	group := w.meta.AppendRowGroup()
	group.SetNumRows(int(w.rows))
	for _, c := range w.columns {
		pages, err := c.end(w.at, group.NextColumnChunk())
		if err != nil {
			return err
		}
		for _, p := range pages {
			if err := w.write(p); err != nil {
				return err
			}
		}
		c.begin()
	}
	if err := group.Finish(0, int16(w.groups)); err != nil {
		return err
	}
	w.groups++
	w.rows = 0
	return nil
}

// RowGroupTotalBytesWritten is what the row group has in memory, in bytes.
func (w *flatWriter) RowGroupTotalBytesWritten() int64 {
	var n int64
	for _, c := range w.columns {
		n += c.memory()
	}
	return n
}

// RowGroupTotalCompressedBytes is how large the row group's ended pages are.
func (w *flatWriter) RowGroupTotalCompressedBytes() int64 {
	var n int64
	for _, c := range w.columns {
		n += c.packed
	}
	return n
}

// fewRows are not worth the handing over to other cores.
const fewRows = 2048

// WriteBuffered adds rows to the row group.
func (w *flatWriter) WriteBuffered(rec arrow.RecordBatch) error {
	if !w.takes(rec.Schema()) {
		return fmt.Errorf("the batch has the schema %s, the file %s", rec.Schema(), w.schema)
	}
	for i, c := range w.columns {
		if !c.nullable && rec.Column(i).NullN() > 0 {
			return fmt.Errorf("column %s: a null where none may be", w.schema.Field(i).Name)
		}
	}
	w.rows += rec.NumRows()
	return w.each(rec.NumRows(), func(i int, c *chunk) { c.add(rec.Column(i)) })
}

// each does f with each column, on all cores where it is about many rows.
func (w *flatWriter) each(rows int64, f func(i int, c *chunk)) error {
	workers := min(runtime.GOMAXPROCS(0), len(w.columns))
	if rows < fewRows {
		workers = 1
	}
	errs := make([]error, len(w.columns))
	var next atomic.Int32
	one := func(i int) {
		defer func() {
			if p := recover(); p != nil { // not to end the process from another goroutine
				errs[i] = fmt.Errorf("writing Parquet: column %s: %v", w.schema.Field(i).Name, p)
			}
		}()
		f(i, w.columns[i])
	}
	work := func() {
		for i := int(next.Add(1)) - 1; i < len(errs); i = int(next.Add(1)) - 1 {
			one(i)
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return errors.Join(errs...)
}

// Close ends the file.
func (w *flatWriter) Close() error {
	if err := w.NewBufferedRowGroupChecked(); err != nil {
		return err
	}
	md, err := w.meta.Finish()
	if err != nil {
		return err
	}
	var footer bytes.Buffer
	for _, c := range w.columns {
		c.values.free()
	}
	w.columns = nil
	n, err := md.WriteTo(&footer, nil)
	if err != nil {
		return err
	}
	footer.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
	footer.WriteString(magic)
	return w.write(footer.Bytes())
}
