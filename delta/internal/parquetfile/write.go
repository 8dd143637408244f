package parquetfile

import (
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// Codec gives a compression by name.
func Codec(name string) (compress.Compression, error) {
	switch name {
	case "zstd":
		return compress.Codecs.Zstd, nil
	case "snappy":
		return compress.Codecs.Snappy, nil
	case "none":
		return compress.Codecs.Uncompressed, nil
	}
	return 0, fmt.Errorf("delta: unknown compression %q", name)
}

// batchWriter is pqarrow.FileWriter, or what is faster where it can be used.
type batchWriter interface {
	WriteBuffered(rec arrow.RecordBatch) error
	NewBufferedRowGroupChecked() error
	RowGroupTotalBytesWritten() int64
	RowGroupTotalCompressedBytes() int64
	Close() error
}

// Writer writes one file. Memory is a row group.
type Writer struct {
	pq    batchWriter
	out   *counter
	group int64
	begin func(first arrow.RecordBatch) error // opens pq, nil afterwards
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// NewWriter begins a file on out, which the caller closes; it is written to in
// small pieces.
func NewWriter(out io.Writer, s *arrow.Schema, codec string, group int64) (*Writer, error) {
	c, err := Codec(codec)
	if err != nil {
		return nil, err
	}
	opts := []parquet.WriterProperty{parquet.WithCompression(c), parquet.WithCreatedBy("Marisma"), parquet.WithRootName("spark_schema")}
	w := &Writer{out: &counter{w: out}, group: group}
	if columns, ok := newChunks(s); ok {
		w.pq, err = newFlatWriter(s, columns, w.out, parquet.NewWriterProperties(opts...), c)
	} else {
		err = w.nested(s, codec, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	return w, nil
}

// nested has pqarrow write the file, once its first rows are known.
func (w *Writer) nested(s *arrow.Schema, codec string, opts []parquet.WriterProperty) error {
	opts = append(opts,
		parquet.WithMaxRowGroupLength(1<<40), parquet.WithBatchSize(4096), parquet.WithDictionaryPageSizeLimit(maxDictionary),
		parquet.WithDataPageSize(maxPage))
	if codec == "zstd" {
		opts = append(opts, parquet.WithCompressionLevel(1)) // as packer
	}
	floats, err := noFloatStatistics(s)
	if err != nil {
		return err
	}
	opts = append(opts, floats...)
	w.begin = func(first arrow.RecordBatch) error {
		props := parquet.NewWriterProperties(append(opts, encodings(s, first)...)...)
		to := struct{ io.Writer }{w.out} // the file is closed by who opened it
		var err error
		if w.pq, err = pqarrow.NewFileWriter(s, to, props, pqarrow.DefaultWriterProps()); err != nil {
			return fmt.Errorf("delta: %w", err)
		}
		w.begin = nil
		return nil
	}
	return nil
}

// noFloatStatistics leaves out the footer's statistics of floating columns, at
// any depth, as newChunk does.
func noFloatStatistics(s *arrow.Schema) ([]parquet.WriterProperty, error) {
	pq, err := pqarrow.ToParquet(s, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, err
	}
	var out []parquet.WriterProperty
	for i := range pq.NumColumns() {
		switch c := pq.Column(i); c.PhysicalType() {
		case parquet.Types.Float, parquet.Types.Double:
			out = append(out, parquet.WithStatsFor(c.Path(), false))
		}
	}
	return out, nil
}

// encodings spares columns a dictionary that seldom have repeated values: by
// their type, or by what the file's first rows hold (nil: none).
func encodings(s *arrow.Schema, first arrow.RecordBatch) []parquet.WriterProperty {
	var out []parquet.WriterProperty
	for i, f := range s.Fields() {
		plain := false
		switch f.Type.ID() {
		case arrow.FLOAT32, arrow.FLOAT64, arrow.TIMESTAMP:
			plain = true
		case arrow.INT64:
			plain = first != nil && mostlyDistinct(first.Column(i))
		}
		if plain {
			out = append(out, parquet.WithDictionaryPath(parquet.ColumnPath{f.Name}, false))
		}
	}
	return out
}

// sampleRows are looked at to tell counters and offsets from codes.
const sampleRows = 1024

// mostlyDistinct tells whether more than half of the first values differ.
func mostlyDistinct(col arrow.Array) bool {
	a, ok := col.(*array.Int64)
	if !ok {
		return false
	}
	n := min(a.Len(), sampleRows)
	seen := make(map[int64]struct{}, n)
	for i := range n {
		if a.IsValid(i) {
			seen[a.Value(i)] = struct{}{}
		}
	}
	return n >= sampleRows/8 && len(seen) > n/2
}

// Write adds rows.
func (w *Writer) Write(rec arrow.RecordBatch) error {
	if w.begin != nil {
		if err := w.begin(rec); err != nil {
			return err
		}
	}
	if w.pq.RowGroupTotalBytesWritten() >= w.group {
		if err := w.pq.NewBufferedRowGroupChecked(); err != nil {
			return err
		}
	}
	return w.pq.WriteBuffered(rec)
}

// Size is about how large the file is by now, in bytes.
func (w *Writer) Size() int64 {
	if w.pq == nil {
		return 0
	}
	return w.out.n + w.pq.RowGroupTotalCompressedBytes()
}

// Close ends the file.
func (w *Writer) Close() error {
	if w.begin != nil {
		if err := w.begin(nil); err != nil {
			return err
		}
	}
	return w.pq.Close()
}
