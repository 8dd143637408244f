package parquetfile

import (
	"bufio"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
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

// Writer writes one file. Memory is a row group.
type Writer struct {
	pq    *pqarrow.FileWriter
	buf   *bufio.Writer
	out   *counter
	group int64
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

// NewWriter begins a file on out, which the caller closes.
func NewWriter(out io.Writer, s *arrow.Schema, codec string, group int64) (*Writer, error) {
	c, err := Codec(codec)
	if err != nil {
		return nil, err
	}
	opts := []parquet.WriterProperty{
		parquet.WithCompression(c), parquet.WithCreatedBy("Marisma"), parquet.WithRootName("spark_schema"),
		parquet.WithMaxRowGroupLength(1 << 40), parquet.WithBatchSize(4096), parquet.WithDictionaryPageSizeLimit(256 << 10),
	}
	if codec == "zstd" {
		// The fastest level; measured on readings it costs no size.
		opts = append(opts, parquet.WithCompressionLevel(1))
	}
	opts = append(opts, encodings(s)...)
	floats, err := noFloatStatistics(s)
	if err != nil {
		return nil, err
	}
	opts = append(opts, floats...)
	w := &Writer{out: &counter{w: out}, group: group}
	w.buf = bufio.NewWriterSize(w.out, 128<<10)
	w.pq, err = pqarrow.NewFileWriter(s, struct{ io.Writer }{w.buf}, parquet.NewWriterProperties(opts...), pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	return w, nil
}

// noFloatStatistics leaves out the footer's statistics of floating columns, at
// any depth: they know no NaN, and engines that take them for bounds (DuckDB)
// answer v > 0 wrongly for NaN, which is the largest value in Spark. The log's
// statistics have NaN and stay.
func noFloatStatistics(s *arrow.Schema) ([]parquet.WriterProperty, error) {
	pq, err := pqarrow.ToParquet(s, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
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

// encodings spares columns a dictionary that seldom have repeated values.
func encodings(s *arrow.Schema) []parquet.WriterProperty {
	var out []parquet.WriterProperty
	for _, f := range s.Fields() {
		switch f.Type.ID() {
		case arrow.FLOAT32, arrow.FLOAT64, arrow.TIMESTAMP:
			out = append(out, parquet.WithDictionaryPath(parquet.ColumnPath{f.Name}, false))
		}
	}
	return out
}

// Write adds rows.
func (w *Writer) Write(rec arrow.RecordBatch) error {
	if w.pq.RowGroupTotalBytesWritten() >= w.group {
		if err := w.pq.NewBufferedRowGroupChecked(); err != nil {
			return err
		}
	}
	return w.pq.WriteBuffered(rec)
}

// Size is about how large the file is by now, in bytes.
func (w *Writer) Size() int64 {
	return w.out.n + int64(w.buf.Buffered()) + w.pq.RowGroupTotalCompressedBytes()
}

// Close ends the file.
func (w *Writer) Close() error {
	if err := w.pq.Close(); err != nil {
		return err
	}
	return w.buf.Flush()
}
