package vector

/*
#include "shim.h"
*/
import "C"

import "unsafe"

// Vec is a flat vector of DuckDB.
type Vec struct {
	Ptr   unsafe.Pointer // duckdb_vector
	data  unsafe.Pointer
	valid unsafe.Pointer // *uint64, nil: no row is NULL
}

// Open looks a vector up.
func Open(vec unsafe.Pointer) Vec {
	var c C.mv_vec
	C.mv_get(vec, &c)
	return Vec{Ptr: vec, data: c.data, valid: unsafe.Pointer(c.valid)}
}

// Of is a vector whose parts are known already.
func Of(vec, data, valid unsafe.Pointer) Vec { return Vec{vec, data, valid} }

// Data is the vector as a slice of its physical values.
func Data[T any](v *Vec, n int) []T { return unsafe.Slice((*T)(v.data), n) }

// AllValid tells that no row is NULL; false says that some may be.
func (v *Vec) AllValid() bool { return v.valid == nil }

// Null tells whether row i is NULL.
func (v *Vec) Null(i int) bool {
	return v.valid != nil && *v.word(i)>>(uint(i)&63)&1 == 0
}

func (v *Vec) word(i int) *uint64 {
	return (*uint64)(unsafe.Add(v.valid, (i>>6)<<3))
}

// SetNull makes row i NULL; the fields of a STRUCT are the caller's matter.
func (v *Vec) SetNull(i int) {
	if v.valid == nil {
		v.valid = unsafe.Pointer(C.mv_nullable(v.Ptr))
	}
	*v.word(i) &^= 1 << (uint(i) & 63)
}

// Child is field i of a STRUCT.
func (v *Vec) Child(i int) Vec { return Open(C.mv_child(v.Ptr, C.idx_t(i))) }

// Elem is the child of a LIST or MAP.
func (v *Vec) Elem() Vec { return Open(C.mv_elem(v.Ptr)) }

// Array is the child of an ARRAY.
func (v *Vec) Array() Vec { return Open(C.mv_array(v.Ptr)) }

// ListSize is the number of elements in the child of a LIST or MAP.
func (v *Vec) ListSize() int { return int(C.mv_list_size(v.Ptr)) }

// Grow makes room for n elements in the child of a LIST or MAP and sets its
// size; the child must be opened again. It is false when memory ran out.
func (v *Vec) Grow(n int) bool { return C.mv_list_grow(v.Ptr, C.idx_t(n)) == 0 }

// Heap copies buf, of more than 12 bytes, into memory that lives as long as
// the vector and gives its address.
func (v *Vec) Heap(buf []byte) uintptr {
	return uintptr(unsafe.Pointer(C.mv_heap(v.Ptr, (*C.char)(unsafe.Pointer(unsafe.SliceData(buf))), C.idx_t(len(buf)))))
}

// Flat is a deep copy whose children are flat at every level. Destroy it.
func (v *Vec) Flat(t *Type, n int) Vec {
	l := t.Logical()
	defer destroyLogical(&l)
	return Open(C.mv_flat_copy(v.Ptr, l.Ptr, C.idx_t(n)))
}

// Destroy frees what Flat made.
func (v *Vec) Destroy() { C.mv_destroy(v.Ptr) }

// ChunkSize is the number of rows of a data chunk.
func ChunkSize(chunk unsafe.Pointer) int { return int(C.mv_chunk_size(chunk)) }

// SetChunkSize sets the number of rows of a data chunk.
func SetChunkSize(chunk unsafe.Pointer, n int) { C.mv_chunk_set_size(chunk, C.idx_t(n)) }

// ChunkVector is column i of a data chunk.
func ChunkVector(chunk unsafe.Pointer, i int) Vec {
	return Open(C.mv_chunk_vector(chunk, C.idx_t(i)))
}
