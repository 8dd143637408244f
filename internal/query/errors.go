package query

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/worker"
)

// RuntimeError gives an error of execution its Spark class: *sparksql.Error
// where lowered SQL raised it or DuckDB's own error has a counterpart, err
// itself else.
func RuntimeError(err error) error {
	q, ok := worker.AsQueryError(err)
	if !ok {
		return err
	}
	out := &sparksql.Error{Class: q.Class, SQLState: q.SQLState, Phase: sparksql.PhaseRuntime, Message: q.Message}
	switch {
	case q.Memory:
		out.Class, out.SQLState = "OUT_OF_MEMORY", "53200"
		out.Message = "the statement needs more memory than it may use."
		out.Hint = "Read fewer rows or columns, or raise `memory` in marisma.yml."
	case q.Class != "":
	default:
		// Most of DuckDB's own errors cannot happen, for lowered SQL guards what
		// can raise; the rest keeps DuckDB's words.
		if e := lower.RuntimeError(q.Message); e != nil {
			return e
		}
		return err
	}
	return out
}

// maxPlaces bounds the places that an error lists.
const maxPlaces = 5

// placed is RuntimeError with the place in the statement: that of the one
// expression of n that can raise the error, or a list where there are more.
// Nothing is kept for it while a statement runs.
func placed(err error, n plan.Node, opt Options) error {
	err = RuntimeError(err)
	e, ok := errors.AsType[*sparksql.Error](err)
	if !ok || !e.Pos.IsZero() {
		return err
	}
	at := lower.Places(n, e.Class, opt.lowering())
	switch len(at) {
	case 0:
		return err
	case 1:
		e.Pos = at[0]
		return e
	}
	var list []string
	for _, p := range at[:min(len(at), maxPlaces)] {
		list = append(list, p.String())
	}
	if len(at) > maxPlaces {
		list = append(list, "...")
	}
	e.Hint = strings.TrimSpace(e.Hint + " One of these raised it: " + strings.Join(list, ", ") + ".")
	return e
}

// batches runs req, which n was lowered to. Errors that the statement raised
// are *sparksql.Error.
func (e *Engine) batches(ctx context.Context, req worker.Request, n plan.Node, opt Options) (Batches, error) {
	rows, err := e.cfg.Executor.Execute(ctx, req)
	if err != nil {
		return nil, placed(err, n, opt)
	}
	return &placing{rows, n, opt}, nil
}

// placing gives the errors of a running statement their place.
type placing struct {
	Batches
	n   plan.Node
	opt Options
}

// Next gives the next batch.
func (p *placing) Next(ctx context.Context) (arrow.RecordBatch, error) {
	rec, err := p.Batches.Next(ctx)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, placed(err, p.n, p.opt)
	}
	return rec, err
}
