package query

import (
	"context"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/query/dml"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// runner is the engine as package dml needs it, for one statement.
type runner struct {
	e     *Engine
	opt   Options
	files *statementFiles
}

// newRunner begins a statement; its files stay until close.
func (e *Engine) newRunner(opt Options) runner {
	opt.Encoded = true // as tables take rows
	return runner{e, opt, &statementFiles{tables: e.cfg.Tables, at: map[string]heldFile{}}}
}

func (r runner) close() { r.files.close() }

// statementFiles keeps the files that the plans of one statement read, so that
// each has one path throughout.
type statementFiles struct {
	tables *Tables
	mu     sync.Mutex
	at     map[string]heldFile
}

type heldFile struct {
	path    string
	release func()
}

// File puts a file where the engine can read it, until the statement ends.
func (f *statementFiles) File(ctx context.Context, s *delta.Snapshot, a delta.Add) (string, func(), error) {
	k := fmt.Sprintf("%p %s", s.Store(), s.Locate(a))
	f.mu.Lock()
	h, ok := f.at[k]
	f.mu.Unlock()
	if ok {
		return h.path, func() {}, nil
	}
	p, release, err := f.tables.File(ctx, s, a)
	if err != nil {
		return "", nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if h, ok := f.at[k]; ok { // another scan was faster
		release()
		return h.path, func() {}, nil
	}
	f.at[k] = heldFile{p, release}
	return p, func() {}, nil
}

// Address is where a file is, whatever was made of it to read it.
func (f *statementFiles) Address(s *delta.Snapshot, a delta.Add) string {
	return f.tables.Address(s, a)
}

// path is where a file is read, "" for one that was not.
func (f *statementFiles) path(s *delta.Snapshot, a delta.Add) string {
	if p := f.tables.local(s.Store(), s.Locate(a)); p != "" {
		return p
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at[fmt.Sprintf("%p %s", s.Store(), s.Locate(a))].path
}

func (f *statementFiles) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.at {
		h.release()
	}
	clear(f.at)
}

var _ dml.Engine = runner{}

// Run runs n; scans of target read files alone.
func (r runner) Run(ctx context.Context, n plan.Node, target *plan.Source, files []delta.Add) (dml.Batches, error) {
	inputs := Inputs(ctx, n, r.files)
	return r.e.execute(ctx, n, r.opt, func(s *plan.Scan) (Input, error) {
		h, ok := s.Source.Handle.(*Handle)
		if files == nil || !ok || s.Source != target {
			return inputs(s)
		}
		return AddsInput(ctx, h.Snapshot, files, r.files)
	})
}

// Table is the table behind a source.
func (r runner) Table(src *plan.Source) (*delta.Table, *delta.Snapshot, error) {
	h, ok := src.Handle.(*Handle)
	if !ok {
		return nil, nil, fmt.Errorf("query: %v is no table", src.Name)
	}
	return h.Delta, h.Snapshot, nil
}

// Path is where a file is read.
func (r runner) Path(s *delta.Snapshot, a delta.Add) string { return r.files.path(s, a) }

// Candidates are the files of target that n's conditions leave.
func (r runner) Candidates(n plan.Node, target *plan.Source) ([]delta.Add, error) {
	preds := Prune(n)
	for _, s := range plan.Scans(n) {
		if s.Source != target {
			continue
		}
		_, snap, err := r.Table(target)
		if err != nil {
			return nil, err
		}
		files, _, err := snap.Files(preds[s]...)
		return files, err
	}
	return nil, nil
}

// change runs a statement that changes a table's rows.
func (e *Engine) change(ctx context.Context, st plan.Statement, opt Options) (*Result, error) {
	r := e.newRunner(opt)
	defer r.close()
	if err := notOfAPipeline(st); err != nil {
		return nil, err
	}
	switch st := st.(type) {
	case *plan.Insert:
		if h, ok := st.Target.Handle.(*fileHandle); ok {
			return &Result{}, e.insertFiles(ctx, h, st, r)
		}
		if err := dml.Insert(ctx, r, st); err != nil {
			return nil, err
		}
		if err := e.wrote(ctx, st.Target, st); err != nil {
			return nil, err
		}
		return &Result{}, e.evolved(ctx, st.Target, st.Schema)
	case *plan.Truncate:
		return &Result{}, dml.Truncate(ctx, r, st)
	case *plan.Change:
		n, err := dml.Change(ctx, r, st)
		if err == nil {
			err = e.evolved(ctx, st.Target, st.Schema)
		}
		if err == nil {
			err = e.wrote(ctx, st.Target, st)
		}
		if err != nil {
			return nil, err
		}
		all := n.Updated + n.Deleted + n.Inserted
		if st.Kind == plan.ChangeMerge {
			return counts([]string{"num_affected_rows", "num_updated_rows", "num_deleted_rows", "num_inserted_rows"}, all, n.Updated, n.Deleted, n.Inserted), nil
		}
		return counts([]string{"num_affected_rows"}, all), nil
	}
	return nil, fmt.Errorf("query: %T changes no table", st)
}

// notOfAPipeline refuses to change the rows of a table that a pipeline fills:
// it would take them for its own, and streams that read it could not follow.
func notOfAPipeline(st plan.Statement) error {
	var target *plan.Source
	var pos sparksql.Pos
	switch st := st.(type) {
	case *plan.Insert:
		target, pos = st.Target, st.Pos
	case *plan.Truncate:
		target, pos = st.Target, st.Pos
	case *plan.Change:
		target, pos = st.Target, st.Pos
	}
	if target == nil {
		return nil
	}
	if h, ok := target.Handle.(*Handle); ok {
		return pipelineOwned(h.Table, pos)
	}
	return nil
}

// evolved tells the catalog of columns that a statement has added.
func (e *Engine) evolved(ctx context.Context, src *plan.Source, to []types.Field) error {
	h, ok := src.Handle.(*Handle)
	if to == nil || !ok {
		return nil
	}
	return e.syncColumns(ctx, h.Table, h.Delta)
}

// counts is one row of numbers.
func counts(names []string, values ...int64) *Result {
	res := &Result{}
	fields := make([]arrow.Field, len(names))
	for i, n := range names {
		res.Columns = append(res.Columns, Column{n, types.BigInt, true})
		fields[i] = arrow.Field{Name: n, Type: arrow.PrimitiveTypes.Int64, Nullable: true}
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for i, v := range values {
		b.Field(i).(*array.Int64Builder).Append(v)
	}
	res.rows = &oneBatch{rec: b.NewRecordBatch()}
	return res
}
