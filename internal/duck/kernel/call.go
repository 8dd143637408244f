package kernel

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"runtime/debug"
	"sync"
	"unsafe"

	"github.com/marisma/marisma/internal/duck/vector"
)

// call is one chunk. It and everything taken from it die with the call.
type call struct {
	n    int
	args []vector.Vec
	out  vector.Vec
}

// null tells that the result of row i is NULL already.
func (c *call) null(i int) bool { return c.out.Null(i) }

// run is a compiled kernel. It may be called by many threads at once.
type run func(*call) error

//export goKernel
func goKernel(h C.uintptr_t, cc *C.mk_call) (failed *C.char) {
	defer func() {
		if r := recover(); r != nil {
			failed = C.CString(fmt.Sprintf("panic in a kernel: %v\n%s", r, debug.Stack()))
		}
	}()
	var args [C.MK_MAX_ARGS]vector.Vec
	c := call{n: int(cc.n), out: vector.Of(cc.out.vec, cc.out.data, cc.out.valid)}
	for i := range int(cc.nargs) {
		a := &cc.arg[i]
		args[i] = vector.Of(a.vec, a.data, a.valid)
	}
	c.args = args[:cc.nargs]
	if err := cgo.Handle(h).Value().(run)(&c); err != nil {
		return C.CString(err.Error())
	}
	return nil
}

//export goKernelFree
func goKernelFree(h C.uintptr_t) { cgo.Handle(h).Delete() }

func setKernel(function unsafe.Pointer, f run, nulls bool) {
	C.mk_set_kernel(function, C.uintptr_t(cgo.NewHandle(f)), C.bool(nulls))
}

func execPtr() unsafe.Pointer { return unsafe.Pointer(C.mk_exec) }

var scratch = sync.Pool{New: func() any { return new([]byte) }}

// texts writes a VARCHAR or BLOB vector. Texts of more than 12 bytes are
// collected in buf and moved to DuckDB's heap with one call by close.
type texts struct {
	vec  *vector.Vec
	rows []vector.Str
	p    *[]byte
	buf  []byte // append the text of a row here, then call end
}

func newTexts(v *vector.Vec, n int) texts {
	p := scratch.Get().(*[]byte)
	return texts{vec: v, rows: vector.Data[vector.Str](v, n), p: p, buf: (*p)[:0]}
}

// end makes buf[start:] the text of row i.
func (t *texts) end(i, start int) {
	s := t.buf[start:]
	t.rows[i] = vector.MakeStr(s, uintptr(start))
	if len(s) <= 12 {
		t.buf = t.buf[:start]
	}
}

func (t *texts) set(i int, s []byte) {
	start := len(t.buf)
	t.buf = append(t.buf, s...)
	t.end(i, start)
}

// skip is for a row that is NULL already.
func (t *texts) skip(i int) { t.rows[i] = vector.Str{} }

func (t *texts) null(i int) {
	t.rows[i] = vector.Str{}
	t.vec.SetNull(i)
}

func (t *texts) close() {
	if len(t.buf) > 12 {
		base := t.vec.Heap(t.buf)
		for i := range t.rows {
			t.rows[i].Rebase(base)
		}
	}
	*t.p = t.buf
	scratch.Put(t.p)
}

// strs is argument i as strings.
func (c *call) strs(i int) []vector.Str { return vector.Data[vector.Str](&c.args[i], c.n) }
