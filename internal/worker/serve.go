package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/marisma/marisma/internal/duck"
)

// Serve is the worker's main: it answers the requests that come over in on
// out, one after the other. It returns when in ends, giving up a statement
// that still runs. Errors of statements go to the other side; the returned
// error is one of the pipes.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	requests := make(chan Request)
	go func() {
		defer close(requests)
		cancel(receive(ctx, bufio.NewReader(in), requests))
	}()
	w := bufio.NewWriterSize(out, dataFrame)
	for req := range requests {
		if err := answer(ctx, req, w); err != nil {
			return err
		}
	}
	if err := context.Cause(ctx); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// receive reads requests until r ends; the error is io.EOF then.
func receive(ctx context.Context, r io.Reader, to chan<- Request) error {
	for {
		kind, n, err := readHead(r)
		if err != nil {
			return err
		}
		if kind != frameRequest {
			return fmt.Errorf("%w: kind %q", errFrame, kind)
		}
		b, err := readPayload(r, n)
		if err != nil {
			return err
		}
		var req Request
		if err := json.Unmarshal(b, &req); err != nil {
			return fmt.Errorf("%w: %w", errFrame, err)
		}
		select {
		case to <- req:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// answer runs one request; its error is one of the pipe.
func answer(ctx context.Context, req Request, w *bufio.Writer) error {
	err := run(ctx, req, w)
	if pe, ok := errors.AsType[*pipeError](err); ok {
		return pe.error
	}
	if err != nil {
		return writeJSON(w, frameError, queryError(err))
	}
	if err := writeFrame(w, frameDone, nil); err != nil {
		return err
	}
	return w.Flush()
}

// pipeError marks that the other side cannot be told.
type pipeError struct{ error }

func (p *pipeError) Unwrap() error { return p.error }

// run opens an instance that can read req.Files only, since the sandbox of an
// instance is locked for its life.
func run(ctx context.Context, req Request, w *bufio.Writer) error {
	pool, err := duck.Open(duck.Config{
		Memory: req.Memory, Threads: req.Threads, TempDir: req.TempDir, Instances: 1, AllowedFiles: req.Files, ReadOnlySandbox: true,
	})
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }() // one statement's; its result is out
	conn, err := pool.Get(ctx)
	if err != nil {
		return err
	}
	defer conn.Put()
	for _, k := range req.Kernels {
		if err := conn.Register(k); err != nil {
			return err
		}
	}
	sql, release, err := Bind(conn, req.SQL, req.Sources)
	if err != nil {
		return err
	}
	defer release()
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	enc := ipc.NewWriter(dataWriter{w}, ipc.WithSchema(rows.Schema()))
	for {
		rec, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		err = enc.Write(rec)
		rec.Release()
		if err != nil {
			return &pipeError{err}
		}
		// Whoever reads sees rows as they come.
		if err := w.Flush(); err != nil {
			return &pipeError{err}
		}
	}
	if err := enc.Close(); err != nil {
		return &pipeError{err}
	}
	return nil
}
