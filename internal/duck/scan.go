package duck

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/cgo"
	"runtime/debug"
	"slices"
	"sync"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// chunkRows is DuckDB's vector size: the most rows of one chunk.
const chunkRows = 2048

// newRegistry makes the table function of an instance.
func newRegistry(conn duckdb.Connection, threads int) (*registry, error) {
	g := &registry{threads: threads, srcs: map[int64]*binding{}}
	f := duckdb.CreateTableFunction()
	defer duckdb.DestroyTableFunction(&f)
	duckdb.TableFunctionSetName(f, scanFunction)
	id := duckdb.CreateLogicalType(duckdb.TypeBigInt)
	defer duckdb.DestroyLogicalType(&id)
	duckdb.TableFunctionAddParameter(f, id)
	C.md_set_registry(f.Ptr, C.uintptr_t(cgo.NewHandle(g))) // freed by DuckDB with the instance
	duckdb.TableFunctionSetBind(f, unsafe.Pointer(C.md_bind))
	duckdb.TableFunctionSetInit(f, unsafe.Pointer(C.md_init))
	duckdb.TableFunctionSetFunction(f, unsafe.Pointer(C.md_scan))
	duckdb.TableFunctionSupportsProjectionPushdown(f, true)
	if duckdb.RegisterTableFunction(conn, f) == duckdb.StateError {
		return nil, fmt.Errorf("duck: registering %s failed", scanFunction)
	}
	return g, nil
}

// scan is one reading of a source, shared by DuckDB's threads.
type scan struct {
	bind *binding
	src  Source
	ctx  context.Context //nolint:containedctx // of the query that the callbacks serve
	cols []int           // per column of the chunk: the column of the batches, -1 for none
	typ  []*vector.Type

	mu     sync.Mutex
	rec    arrow.RecordBatch // being cut into chunks
	off    int
	over   bool
	closed bool
}

//export goScanFree
func goScanFree(h C.uintptr_t) {
	handle := cgo.Handle(h)
	if s, ok := handle.Value().(*scan); ok {
		s.close()
		s.bind.remove(s)
	}
	handle.Delete()
}

// close releases the batch in hand and tells the source.
func (s *scan) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed, s.over = true, true
	if s.rec != nil {
		s.rec.Release()
		s.rec = nil
	}
	if c, ok := s.src.(Closer); ok {
		c.Close()
	}
}

//export goScanBind
func goScanBind(info C.duckdb_bind_info) {
	bi := duckdb.BindInfo{Ptr: unsafe.Pointer(info)}
	defer func() {
		if r := recover(); r != nil {
			duckdb.BindSetError(bi, panicText(r))
		}
	}()
	v := duckdb.BindGetParameter(bi, 0)
	id := duckdb.GetInt64(v)
	duckdb.DestroyValue(&v)
	b := cgo.Handle(C.md_registry(info)).Value().(*registry).find(id)
	if b == nil {
		duckdb.BindSetError(bi, fmt.Sprintf("no source is bound as %d", id))
		return
	}
	for i, f := range b.src.Schema().Fields() {
		l := b.types[i].Logical()
		duckdb.BindAddResultColumn(bi, f.Name, l)
		duckdb.DestroyLogicalType(&l)
	}
	if s, ok := b.src.(Sizer); ok {
		duckdb.BindSetCardinality(bi, duckdb.IdxT(s.Rows()), false)
	}
	C.md_set_bind(info, C.uintptr_t(cgo.NewHandle(&bound{b, cgo.Handle(C.md_registry(info)).Value().(*registry)})))
}

// bound is the bind data of one place in a query.
type bound struct {
	*binding
	reg *registry
}

//export goScanInit
func goScanInit(info C.duckdb_init_info) {
	ii := duckdb.InitInfo{Ptr: unsafe.Pointer(info)}
	defer func() {
		if r := recover(); r != nil {
			duckdb.InitSetError(ii, panicText(r))
		}
	}()
	b := cgo.Handle(C.md_binding(info)).Value().(*bound)
	src, err := b.open()
	if err != nil {
		b.setErr(err)
		duckdb.InitSetError(ii, err.Error())
		return
	}
	s := &scan{bind: b.binding, src: src, ctx: b.reg.context()}
	var want []int // distinct columns, in the order of their first use
	for i := range duckdb.InitGetColumnCount(ii) {
		c := int(duckdb.InitGetColumnIndex(ii, i))
		if c < 0 || c >= len(b.types) { // no column: only rows are counted
			s.cols, s.typ = append(s.cols, -1), append(s.typ, nil)
			continue
		}
		if !slices.Contains(want, c) {
			want = append(want, c)
		}
		s.cols, s.typ = append(s.cols, c), append(s.typ, &b.types[c])
	}
	if p, ok := src.(Projector); ok {
		p.Project(want)
		for i, c := range s.cols {
			s.cols[i] = slices.Index(want, c)
		}
	}
	duckdb.InitSetMaxThreads(ii, duckdb.IdxT(b.reg.threads))
	b.add(s)
	C.md_set_init(info, C.uintptr_t(cgo.NewHandle(s)))
}

//export goScan
func goScan(h C.uintptr_t, info C.duckdb_function_info, out C.duckdb_data_chunk) {
	s := cgo.Handle(h).Value().(*scan)
	chunk := unsafe.Pointer(out)
	err := s.safeFill(chunk)
	if err == nil {
		return
	}
	vector.SetChunkSize(chunk, 0)
	s.bind.setErr(err)
	duckdb.FunctionSetError(duckdb.FunctionInfo{Ptr: unsafe.Pointer(info)}, err.Error())
}

func (s *scan) safeFill(chunk unsafe.Pointer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New(panicText(r))
		}
	}()
	return s.fill(chunk)
}

func panicText(r any) string {
	return fmt.Sprintf("panic in a source: %v\n%s", r, debug.Stack())
}

// fill writes the next chunk; size 0 ends the scan for the calling thread.
func (s *scan) fill(chunk unsafe.Pointer) error {
	rec, from, n, err := s.take()
	if rec == nil || err != nil {
		vector.SetChunkSize(chunk, 0)
		return err
	}
	defer rec.Release()
	for i, c := range s.cols {
		if c < 0 {
			continue
		}
		v := vector.ChunkVector(chunk, i)
		if err := vector.Write(&v, s.typ[i], rec.Column(c), from, n); err != nil {
			return fmt.Errorf("column %s: %w", rec.ColumnName(c), err)
		}
	}
	vector.SetChunkSize(chunk, n)
	return nil
}

// take claims the next rows for one thread, which holds the batch meanwhile.
func (s *scan) take() (rec arrow.RecordBatch, from, n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.rec == nil || s.off >= int(s.rec.NumRows()) {
		if s.rec != nil {
			s.rec.Release()
			s.rec = nil
		}
		if s.over {
			return nil, 0, 0, nil
		}
		if s.rec, err = s.src.Next(s.ctx); err != nil {
			s.over, s.rec = true, nil
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return nil, 0, 0, err
		}
		s.off = 0
		if err := s.check(); err != nil {
			s.over = true
			return nil, 0, 0, err
		}
	}
	from = s.off
	n = min(chunkRows, int(s.rec.NumRows())-from)
	s.off += n
	s.rec.Retain()
	return s.rec, from, n, nil
}

// check refuses a batch whose columns are not those of the schema: writing
// one would be wild writes into DuckDB's memory.
func (s *scan) check() error {
	for i, c := range s.cols {
		if c < 0 {
			continue
		}
		if c >= int(s.rec.NumCols()) {
			return fmt.Errorf("batch has %d columns, column %d is wanted", s.rec.NumCols(), c)
		}
		t, err := vector.FromArrow(s.rec.Column(c).DataType())
		if err != nil {
			return err
		}
		if !t.Equal(*s.typ[i]) {
			return fmt.Errorf("column %s is %s, the schema says %s", s.rec.ColumnName(c), t, s.typ[i])
		}
	}
	return nil
}
