package query

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/duck/kernel"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/worker"
)

// Config of an Engine; Catalog, Tables and one of Workers and Executor are
// required.
type Config struct {
	Catalog *catalog.Catalog
	Tables  *Tables
	Workers *worker.Pool
	// Executor runs statements instead of Workers.
	Executor Executor
	// Keep, if set, spares data files that no version names yet from VACUUM; it
	// is asked with their paths below the table.
	Keep   func(path string) bool
	Logger *slog.Logger
}

// Engine compiles and runs statements. It is safe for concurrent use.
type Engine struct {
	cfg     Config
	globals globals
}

// New does no I/O.
func New(cfg Config) *Engine {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Executor == nil {
		cfg.Executor = workers{cfg.Workers}
	}
	return &Engine{cfg: cfg}
}

// Column of a result, with the name and type that Spark would give.
type Column struct {
	Name     string
	Type     types.Type
	Nullable bool
}

// Result of a statement. Close it.
type Result struct {
	Columns []Column
	rows    Batches // nil: no rows
}

// Next gives the next batch, the caller's to release; io.EOF at the end. Its
// columns are by position, under internal names. Errors that the statement
// raised are *sparksql.Error.
func (r *Result) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if r.rows == nil {
		return nil, io.EOF
	}
	return r.rows.Next(ctx)
}

// Close ends the statement.
func (r *Result) Close() {
	if r.rows != nil {
		r.rows.Close()
	}
}

// Run compiles and runs one statement as sess.
func (e *Engine) Run(ctx context.Context, sess *Session, text string) (*Result, error) {
	return e.run(ctx, sess, text, Args{}, false)
}

// RunWith is Run with values for the parameter markers of text.
func (e *Engine) RunWith(ctx context.Context, sess *Session, text string, args Args) (*Result, error) {
	return e.run(ctx, sess, text, args, false)
}

// RunText is Run with each value as the text of a CAST to STRING: the
// batches hold string columns only, Columns keep their types.
func (e *Engine) RunText(ctx context.Context, sess *Session, text string) (*Result, error) {
	return e.run(ctx, sess, text, Args{}, true)
}

func (e *Engine) query(ctx context.Context, sess *Session, n plan.Node, opt Options, asText bool) (*Result, error) {
	res := &Result{}
	for _, a := range n.Output() {
		res.Columns = append(res.Columns, Column{a.Name, a.Type, a.Nullable})
	}
	if asText {
		n = textPlan(n, sess.zone())
	}
	rows, err := e.execute(ctx, n, opt, Inputs(ctx, n, e.cfg.Tables))
	if err != nil {
		return nil, err
	}
	res.rows = rows
	return res, nil
}

// execute runs n over what inputs gives for each scan. Errors that the
// statement raised are *sparksql.Error.
func (e *Engine) execute(ctx context.Context, n plan.Node, opt Options, inputs func(*plan.Scan) (Input, error)) (Batches, error) {
	h, err := e.begin(ctx, n, opt, inputs)
	if err != nil && h != nil && h.again {
		h, err = e.begin(ctx, n, opt, inputs)
	}
	if err != nil {
		return nil, err
	}
	h.begin = func(ctx context.Context) (*held, error) { return e.begin(ctx, n, opt, inputs) }
	return h, nil
}

// begin is one attempt of execute; with an error the result only says whether
// another may do.
func (e *Engine) begin(ctx context.Context, n plan.Node, opt Options, inputs func(*plan.Scan) (Input, error)) (*held, error) {
	h := &held{}
	req, err := e.request(n, opt, func(s *plan.Scan) (Input, error) {
		in, err := inputs(s)
		h.inputs = append(h.inputs, in)
		return in, err
	})
	if err == nil {
		h.Batches, err = e.batches(ctx, req, n, opt)
	}
	if err != nil {
		h.again = learned(err, h.inputs)
		h.release()
	}
	return h, err
}

// held is a result that keeps the files it is read from.
type held struct {
	Batches
	inputs []Input
	again  bool
	given  bool // a batch
	begin  func(context.Context) (*held, error)
}

// Next gives the next batch. Where DuckDB does not know the pages of a file the
// statement begins anew, if nothing of it was given.
func (h *held) Next(ctx context.Context) (arrow.RecordBatch, error) {
	rec, err := h.Batches.Next(ctx)
	if err == nil {
		h.given = true
		return rec, nil
	}
	if errors.Is(err, io.EOF) || h.begin == nil || !learned(err, h.inputs) {
		return nil, err
	}
	if h.given {
		return nil, &sparksql.Error{
			Class: "FAILED_READ_FILE", SQLState: "KD001", Phase: sparksql.PhaseRuntime,
			Message: "a file has pages in a form that was not expected: " + err.Error() + ".", Hint: "The file is known by now: run the statement again.",
		}
	}
	h.Close()
	next, err := h.begin(ctx)
	if err != nil {
		h.Batches, h.begin = &buffered{}, nil
		return nil, err
	}
	h.Batches, h.inputs, h.begin = next.Batches, next.inputs, nil
	return h.Next(ctx)
}

func (h *held) release() {
	for _, in := range h.inputs {
		in.Release()
	}
	h.inputs = nil
}

// Close ends the statement and lets its files go.
func (h *held) Close() {
	h.Batches.Close()
	h.release()
}

// request lowers n for a worker, with the list of files that it may read.
func (e *Engine) request(n plan.Node, opt Options, inputs func(*plan.Scan) (Input, error)) (worker.Request, error) {
	var req worker.Request
	alone := len(plan.Scans(n)) == 1
	res, err := opt.lower(n, func(s *plan.Scan) (string, error) {
		in, err := inputs(s)
		if err != nil {
			return "", err
		}
		in.files(func(f File) { req.Files = append(req.Files, f.Path) })
		return filesSQL(s, in, alone, &req.Sources)
	})
	if err != nil {
		return req, err
	}
	req.SQL = res.SQL
	for _, k := range append(res.Kernels, scanKernel) {
		req.Kernels = append(req.Kernels, kernel.Spec(k))
	}
	return req, nil
}

// textPlan casts every output to STRING, as a client that shows text wants it.
func textPlan(n plan.Node, zone string) plan.Node {
	out := n.Output()
	p := &plan.Project{Input: n, Exprs: make([]plan.NamedExpr, len(out))}
	for i, a := range out {
		attr := plan.Attr{ID: plan.NewID(), Name: a.Name, Type: types.String, Nullable: a.Nullable}
		var x plan.Expr = &plan.Column{Attr: a}
		if !types.Equal(a.Type, types.String) {
			x = &plan.Cast{X: x, To: types.String, Mode: plan.CastANSI, Implicit: true, TimeZone: zone, Null: a.Nullable}
		}
		p.Exprs[i] = plan.NamedExpr{X: x, Attr: attr}
	}
	return p
}
