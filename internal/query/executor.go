package query

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/worker"
)

// Executor runs a lowered statement where the engine is told to: in worker
// processes, or in this process (InProcess). It is safe for concurrent use.
type Executor interface {
	// Execute begins the statement; ending ctx ends it.
	Execute(ctx context.Context, req worker.Request) (Batches, error)
}

// Batches is a result that comes batch by batch; Next gives io.EOF at the end,
// its batches are the caller's to release.
type Batches interface {
	Next(ctx context.Context) (arrow.RecordBatch, error)
	Close()
}

// workers is the Executor over worker processes.
type workers struct{ *worker.Pool }

// Execute begins req in a worker.
func (w workers) Execute(ctx context.Context, req worker.Request) (Batches, error) {
	rows, err := w.Query(ctx, req)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// InProcess runs statements on DuckDB instances of this process. The pool's
// own limits and sandbox count; those of the requests do not. A statement
// that exhausts memory takes the process with it, so this is for tools and
// tests.
type InProcess struct{ Pool *duck.Pool }

// Execute begins req on an instance of the pool.
func (p InProcess) Execute(ctx context.Context, req worker.Request) (Batches, error) {
	conn, err := p.Pool.Get(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range req.Kernels {
		if err := conn.Register(k); err != nil {
			conn.Put()
			return nil, err
		}
	}
	sql, _, err := worker.Bind(conn, req.SQL, req.Sources) // Put ends it
	if err != nil {
		conn.Put()
		return nil, err
	}
	rd, err := conn.Query(ctx, sql)
	if err != nil {
		conn.Put()
		return nil, err
	}
	return &inProcess{conn, rd}, nil
}

type inProcess struct {
	conn *duck.Conn
	rd   *duck.Reader
}

// Next gives the next batch.
func (r *inProcess) Next(context.Context) (arrow.RecordBatch, error) { return r.rd.Next() }

// Close gives the instance back.
func (r *inProcess) Close() {
	r.rd.Close()
	r.conn.Put()
}
