package duck

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// Batches that leave have at most about this many rows and bytes.
const (
	batchRows  = 32 << 10
	batchBytes = 16 << 20
)

// Reader is the result of a query, as a stream: DuckDB computes while it is
// read and waits when it is not. It holds one batch of memory at most.
type Reader struct {
	conn   *Conn
	ctx    context.Context //nolint:containedctx // covers the life of the result, as database/sql has it
	cancel context.CancelFunc
	stop   func()
	stmt   duckdb.PreparedStatement
	res    duckdb.Result
	schema *arrow.Schema
	cols   []*vector.Column
	err    error
	closed bool
}

func newReader(ctx context.Context, c *Conn, stmt duckdb.PreparedStatement) (*Reader, error) {
	r := &Reader{conn: c, stmt: stmt}
	r.ctx, r.cancel = context.WithCancel(ctx)
	c.in.scans.enter(r.ctx)
	r.stop = c.watch(r.ctx)
	if err := r.start(ctx); err != nil {
		r.stop()
		r.cancel()
		return nil, err
	}
	return r, nil
}

func (r *Reader) start(ctx context.Context) error {
	var p duckdb.PendingResult
	defer duckdb.DestroyPending(&p)
	if duckdb.PendingPreparedStreaming(r.stmt, &p) == duckdb.StateError {
		return r.conn.fail(ctx, duckdb.PendingError(p))
	}
	if duckdb.ExecutePending(p, &r.res) == duckdb.StateError {
		err := r.conn.fail(ctx, duckdb.ResultError(&r.res))
		duckdb.DestroyResult(&r.res)
		return err
	}
	if err := r.columns(); err != nil {
		duckdb.DestroyResult(&r.res)
		return err
	}
	return nil
}

func (r *Reader) columns() error {
	var fields []arrow.Field
	for i := range duckdb.ColumnCount(&r.res) {
		name := duckdb.ColumnName(&r.res, i)
		l := duckdb.ColumnLogicalType(&r.res, i)
		t := vector.FromLogical(l)
		duckdb.DestroyLogicalType(&l)
		col, err := vector.NewColumn(t, vector.Allocator{})
		if err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
		r.cols = append(r.cols, col)
		fields = append(fields, arrow.Field{Name: name, Type: col.Type(), Nullable: true})
	}
	r.schema = arrow.NewSchema(fields, nil)
	return nil
}

// Schema of the batches. Every field is nullable: DuckDB does not know better.
func (r *Reader) Schema() *arrow.Schema { return r.schema }

// Next gives the next batch, the caller's to Release, or io.EOF. Memory of a
// batch is outside the Go heap. After an error there is nothing more to read.
func (r *Reader) Next() (arrow.RecordBatch, error) {
	if r.err != nil {
		return nil, r.err
	}
	rows, bytes := 0, 0
	for rows == 0 || rows+chunkRows <= batchRows && bytes < batchBytes {
		n, err := r.chunk(true)
		if err != nil {
			r.err = err
			r.drop()
			return nil, err
		}
		if n == 0 {
			r.err = io.EOF
			break
		}
		rows += n
		bytes = 0
		for _, c := range r.cols {
			bytes += c.Bytes()
		}
	}
	if rows == 0 {
		return nil, io.EOF
	}
	arrs := make([]arrow.Array, len(r.cols))
	for i, c := range r.cols {
		arrs[i] = c.Finish()
		defer arrs[i].Release()
	}
	return array.NewRecordBatch(r.schema, arrs, int64(rows)), nil
}

// chunk fetches a chunk and, with keep, appends it to the columns. 0: the end.
func (r *Reader) chunk(keep bool) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, r.conn.fail(r.ctx, "query was stopped")
	}
	ch := duckdb.FetchChunk(r.res)
	defer duckdb.DestroyDataChunk(&ch)
	if ch.Ptr == nil {
		if msg := duckdb.ResultError(&r.res); msg != "" {
			return 0, r.conn.fail(r.ctx, msg)
		}
		return 0, nil
	}
	n := vector.ChunkSize(ch.Ptr)
	if !keep {
		return n, nil
	}
	for i, c := range r.cols {
		if err := c.Append(vector.ChunkVector(ch.Ptr, i), 0, n); err != nil {
			return 0, fmt.Errorf("column %s: %w", r.schema.Field(i).Name, err)
		}
	}
	return n, nil
}

// drain runs the query to its end without keeping rows.
func (r *Reader) drain() error {
	for {
		n, err := r.chunk(false)
		if n == 0 || err != nil {
			if r.err = err; err == nil {
				r.err = io.EOF
			}
			return err
		}
	}
}

func (r *Reader) drop() {
	for _, c := range r.cols {
		c.Drop()
	}
}

// Close ends the query and frees its result; batches already given stay good.
// It may be called any number of times.
func (r *Reader) Close() {
	if r.closed {
		return
	}
	r.closed = true
	if r.err == nil {
		// Not read to its end: wake a source that waits, interrupt the query.
		r.cancel()
	}
	duckdb.DestroyResult(&r.res)
	duckdb.DestroyPrepare(&r.stmt)
	r.stop()
	r.cancel()
	r.drop()
	if r.err == nil {
		r.err = io.EOF
	}
	r.conn.reader = nil
}
