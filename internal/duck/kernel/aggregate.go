package kernel

/*
#include <stdlib.h>
#include "aggregate.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime/cgo"
	"runtime/debug"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// Marker stands before the class in the text of an error that is Spark's.
const Marker = "MARISMA:"

// accumulator is the state of one group of an aggregate function. It is used
// by one thread at a time. An error ends the query: rows that reach an
// aggregate are those that it is asked about, so unlike a scalar kernel it may
// raise.
type accumulator interface {
	add(r *row) error
	// merge adds what another one of the same function has seen, and leaves it
	// as it was: DuckDB may use it again.
	merge(o accumulator) error
	result() (any, error) // in a form that writeColumn takes
}

// aggregateMaker compiles an aggregate for a signature into what makes a new
// state.
type aggregateMaker func(*sig) (func() accumulator, error)

// aggregate is a registered one.
type aggregate struct {
	make func() accumulator
	args []vector.Type
	ret  vector.Type
}

// addAggregate registers an aggregate function.
func (s *Set) addAggregate(name string, g *sig, mk func() accumulator) error {
	a := &aggregate{make: mk, args: g.args, ret: g.ret}
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	args := make([]unsafe.Pointer, len(g.args)+1)
	for i, t := range g.args {
		l := t.Logical()
		defer duckdb.DestroyLogicalType(&l)
		args[i] = l.Ptr
	}
	l := g.ret.Logical()
	defer duckdb.DestroyLogicalType(&l)
	rc := C.mk_add_aggregate(s.conn.Ptr, cname, &args[0], C.idx_t(len(g.args)), l.Ptr, C.uintptr_t(cgo.NewHandle(a)))
	if rc != 0 {
		return errors.New("DuckDB refuses the aggregate function")
	}
	return nil
}

// guarded runs f and gives its error or panic as a C string, nil for none.
func guarded(f func() error) (failed *C.char) {
	defer func() {
		if r := recover(); r != nil {
			failed = C.CString(fmt.Sprintf("panic in an aggregate: %v\n%s", r, debug.Stack()))
		}
	}()
	err := f()
	if err == nil {
		return nil
	}
	text := err.Error()
	if e, ok := errors.AsType[*raised](err); ok {
		text = Marker + e.Error()
	}
	return C.CString(text)
}

func states(p **C.uint64_t, n int) []*C.uint64_t { return unsafe.Slice(p, n) }

//export goAggregateUpdate
func goAggregateUpdate(h C.uintptr_t, cc *C.mk_call, p **C.uint64_t) *C.char {
	return guarded(func() error {
		a, n := cgo.Handle(h).Value().(*aggregate), int(cc.n)
		r := row{cols: make([]tree, len(a.args))}
		for k := range a.args {
			v := vector.Of(cc.arg[k].vec, cc.arg[k].data, cc.arg[k].valid)
			if a.args[k].Nested() {
				v = v.Flat(&a.args[k], n)
				defer v.Destroy()
			}
			r.cols[k] = openTree(v, &a.args[k])
		}
		var last C.uint64_t
		var acc accumulator
		for i, s := range states(p, n) {
			if *s == 0 {
				acc = a.make()
				*s = C.uint64_t(cgo.NewHandle(acc))
			} else if *s != last {
				acc = cgo.Handle(*s).Value().(accumulator)
			}
			last, r.i = *s, i
			if err := acc.add(&r); err != nil {
				return err
			}
		}
		return nil
	})
}

//export goAggregateCombine
func goAggregateCombine(h C.uintptr_t, from, to **C.uint64_t, n C.idx_t) *C.char {
	return guarded(func() error {
		a := cgo.Handle(h).Value().(*aggregate)
		target := states(to, int(n))
		for i, s := range states(from, int(n)) {
			if *s == 0 {
				continue
			}
			if *target[i] == 0 {
				*target[i] = C.uint64_t(cgo.NewHandle(a.make()))
			}
			acc := cgo.Handle(*target[i]).Value().(accumulator)
			if err := acc.merge(cgo.Handle(*s).Value().(accumulator)); err != nil {
				return err
			}
		}
		return nil
	})
}

//export goAggregateResult
func goAggregateResult(h C.uintptr_t, p **C.uint64_t, out unsafe.Pointer, n, offset C.idx_t) *C.char {
	return guarded(func() error {
		a := cgo.Handle(h).Value().(*aggregate)
		vals := make([]any, int(n))
		for i, s := range states(p, int(n)) {
			acc := a.make()
			if *s != 0 {
				acc = cgo.Handle(*s).Value().(accumulator)
			}
			var err error
			if vals[i], err = acc.result(); err != nil {
				return err
			}
		}
		v := vector.Open(out)
		return writeColumn(&v, &a.ret, int(offset), vals)
	})
}

//export goAggregateDrop
func goAggregateDrop(p **C.uint64_t, n C.idx_t) {
	for _, s := range states(p, int(n)) {
		if *s != 0 {
			cgo.Handle(*s).Delete()
			*s = 0
		}
	}
}

//export goAggregateFree
func goAggregateFree(h C.uintptr_t) { cgo.Handle(h).Delete() }
