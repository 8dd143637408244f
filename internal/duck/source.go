package duck

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// Source gives batches to DuckDB.
type Source interface {
	// Schema of the whole source, before any projection.
	Schema() *arrow.Schema
	// Next gives the next batch, which the caller releases, or io.EOF. It is
	// called by one thread at a time, and not again after an error. With a
	// Projector the batch holds the projected columns in their order, else
	// all columns. The memory may be of any kind.
	Next(ctx context.Context) (arrow.RecordBatch, error)
}

// Projector is a Source that can leave columns out. Project is called before
// the first Next, with indexes into Schema (each once). Where a query counts
// rows only, DuckDB asks for the first column.
type Projector interface {
	Project(columns []int)
}

// Rescanner is a Source that a query may read more than once: every scan
// reads a Source of its own. Others fail the second scan with ErrScanned.
type Rescanner interface {
	Rescan() (Source, error)
}

// Sizer is a Source that knows about how many rows it has.
type Sizer interface {
	Rows() int64
}

// Closer is a Source that wants to know when its scan is over.
type Closer interface {
	Close()
}

// Batches is a Source over batches in memory, which must all have the schema.
// It can be scanned any number of times. The batches stay the caller's and
// must not be released before the binding is.
func Batches(schema *arrow.Schema, batches []arrow.RecordBatch) Source {
	return &batchSource{schema: schema, batches: batches}
}

type batchSource struct {
	schema  *arrow.Schema
	batches []arrow.RecordBatch
	next    int
}

func (s *batchSource) Schema() *arrow.Schema { return s.schema }

func (s *batchSource) Rescan() (Source, error) { return Batches(s.schema, s.batches), nil }

func (s *batchSource) Rows() (n int64) {
	for _, b := range s.batches {
		n += b.NumRows()
	}
	return n
}

func (s *batchSource) Next(context.Context) (arrow.RecordBatch, error) {
	if s.next == len(s.batches) {
		return nil, io.EOF
	}
	b := s.batches[s.next]
	s.next++
	b.Retain()
	return b, nil
}
