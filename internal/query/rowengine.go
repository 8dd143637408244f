package query

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// RowEngine is a delta.RowEngine: it runs Spark's SQL on the DuckDB instances
// of a pool, in this process. Each statement holds one instance.
type RowEngine struct {
	Pool     *duck.Pool
	TimeZone string // of expressions, UTC if empty
}

var (
	_ delta.RowEngine = (*RowEngine)(nil)
	_ delta.Pruner    = (*RowEngine)(nil)
)

// Select implements delta.RowEngine.
func (e *RowEngine) Select(ctx context.Context, text string, sources map[string]delta.RowSource) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		if err := e.run(ctx, text, sources, yield); err != nil {
			yield(nil, err)
		}
	}
}

// Prune implements delta.Pruner.
func (e *RowEngine) Prune(ctx context.Context, text string, sources map[string]delta.RowSource, name string) ([]delta.Predicate, error) {
	q, err := analyze.Query(ctx, text, analyze.Env{Resolver: given(sources), Now: time.Now(), TimeZone: e.TimeZone})
	if err != nil {
		return nil, err
	}
	known := Prune(q.Plan)
	var out []delta.Predicate
	seen := false
	for _, s := range plan.Scans(q.Plan) {
		if s.Source.Name[len(s.Source.Name)-1] != name {
			continue
		}
		if seen { // what one reading leaves out another may need
			return nil, nil
		}
		out, seen = known[s], true
	}
	return out, nil
}

// run gives the batches of a statement to yield, which may end it.
func (e *RowEngine) run(ctx context.Context, text string, sources map[string]delta.RowSource, yield func(arrow.RecordBatch, error) bool) error {
	now := time.Now()
	q, err := analyze.Query(ctx, text, analyze.Env{Resolver: given(sources), Now: now, TimeZone: e.TimeZone})
	if err != nil {
		return err
	}
	conn, err := e.Pool.Get(ctx)
	if err != nil {
		return err
	}
	defer conn.Put()
	ctx, cancel := context.WithCancel(ctx) // ends the reading of sources
	defer cancel()
	rows, err := Run(ctx, conn, q.Plan, Options{Now: now, TimeZone: e.TimeZone, ANSI: true, Encoded: true, Inputs: func(s *plan.Scan) (Input, error) {
		src, ok := s.Source.Handle.(delta.RowSource)
		if !ok {
			return Input{}, fmt.Errorf("query: %s is no source of rows", strings.Join(s.Source.Name, "."))
		}
		return Input{Batches: &rowSource{ctx: ctx, src: src}}, nil
	}})
	if err != nil {
		return err
	}
	defer rows.Close()
	out := q.Plan.Output()
	for {
		rec, err := rows.Next()
		if err == io.EOF { //nolint:errorlint // as Next says
			return nil
		}
		if err != nil {
			return err
		}
		named, err := named(rec, out)
		rec.Release()
		if err != nil {
			return err
		}
		if !yield(named, nil) {
			return nil
		}
	}
}

// named gives the columns of a batch the names of a plan's output.
func named(rec arrow.RecordBatch, out []plan.Attr) (arrow.RecordBatch, error) {
	return remade(rec, func(i int, f *arrow.Field) (arrow.Array, error) {
		f.Name, f.Nullable = out[i].Name, true
		return stored(rec.Column(i), out[i].Type)
	})
}

// remade is a batch of the columns that column makes of those of rec, whose
// fields it may change; their types follow.
func remade(rec arrow.RecordBatch, column func(i int, f *arrow.Field) (arrow.Array, error)) (arrow.RecordBatch, error) {
	fields := slices.Clone(rec.Schema().Fields())
	cols := make([]arrow.Array, 0, len(fields))
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for i := range fields {
		c, err := column(i, &fields[i])
		if err != nil {
			return nil, err
		}
		cols = append(cols, c)
		fields[i].Type = c.DataType()
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows()), nil
}

// stored gives a column of a result with VARIANTs in it the form that files have.
func stored(a arrow.Array, t types.Type) (arrow.Array, error) {
	want, err := types.ToArrow(t)
	if err != nil { // a type that no table has
		a.Retain()
		return a, nil //nolint:nilerr // whoever takes it will say so
	}
	return variant.Stored(a, want)
}

// given resolves the names of sources.
type given map[string]delta.RowSource

// Table finds a source.
func (g given) Table(_ context.Context, name []string, _ analyze.TimeTravel) (*plan.Source, *analyze.View, error) {
	src, ok := g[name[len(name)-1]]
	if !ok {
		return nil, nil, nil
	}
	cols, err := types.FromArrowFields(src.Schema.Fields())
	if err != nil {
		return nil, nil, err
	}
	return &plan.Source{Kind: plan.SourceTable, Name: name, Columns: cols, Handle: src}, nil, nil
}

// Function refuses table functions: the sources are all that there is.
func (g given) Function(_ context.Context, name string, _ map[string]string, _ []types.Field) (*plan.Source, error) {
	return nil, &sparksql.Error{
		Class: "UNSUPPORTED_FEATURE.TABLE_FUNCTION", SQLState: "0A000", Phase: sparksql.PhaseAnalysis,
		Message: name + " reads what is no source of the operation.",
	}
}

// Names are the sources'.
func (g given) Names(context.Context) []string {
	var out []string
	for n := range g {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// rowSource gives a delta.RowSource to DuckDB, whose threads ask for batches
// one at a time: a goroutine of its own reads one ahead.
type rowSource struct {
	ctx     context.Context //nolint:containedctx // of the statement
	src     delta.RowSource
	columns []int
	batches chan arrow.RecordBatch
	cancel  context.CancelFunc
	ended   chan struct{}
	err     error // what the reading ended with, once batches is closed
}

// Schema is the source's with VARIANTs as bytes.
func (r *rowSource) Schema() *arrow.Schema {
	fields := r.src.Schema.Fields()
	for i := range fields {
		fields[i].Type = variant.EncodedType(fields[i].Type)
	}
	return arrow.NewSchema(fields, nil)
}

// Project chooses columns.
func (r *rowSource) Project(columns []int) { r.columns = slices.Clone(columns) }

// Rescan reads the source once more.
func (r *rowSource) Rescan() (duck.Source, error) {
	return &rowSource{ctx: r.ctx, src: r.src}, nil
}

// Next gives the next batch.
func (r *rowSource) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if r.batches == nil {
		r.begin()
	}
	select {
	case rec, ok := <-r.batches:
		if ok {
			return rec, nil
		}
		if r.err != nil {
			return nil, r.err
		}
		return nil, io.EOF
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (r *rowSource) begin() {
	ctx, cancel := context.WithCancel(r.ctx)
	r.batches, r.cancel, r.ended = make(chan arrow.RecordBatch), cancel, make(chan struct{})
	go func() {
		defer close(r.ended)
		defer close(r.batches)
		for rec, err := range r.src.Read(ctx, r.columns) {
			if err != nil {
				r.err = err
				return
			}
			if rec, err = encoded(rec); err != nil {
				r.err = err
				return
			}
			select {
			case r.batches <- rec:
			case <-ctx.Done():
				rec.Release()
				r.err = ctx.Err()
				return
			}
		}
	}()
}

// encoded gives a batch its VARIANTs as bytes; it takes rec over.
func encoded(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	defer rec.Release()
	return remade(rec, func(i int, _ *arrow.Field) (arrow.Array, error) { return variant.Encoded(rec.Column(i)) })
}

// Close ends the reading.
func (r *rowSource) Close() {
	if r.batches == nil {
		return
	}
	r.cancel()
	for rec := range r.batches {
		rec.Release()
	}
	<-r.ended
}
