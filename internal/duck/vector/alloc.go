package vector

/*
#include <stdlib.h>
#include <string.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

static void mv_tune(int arenas) {
#if defined(__GLIBC__)
	mallopt(M_ARENA_MAX, arenas);
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	mallopt(M_TRIM_THRESHOLD, 2 << 20);
#endif
}

static void *mv_alloc(size_t n) {
	void *p = aligned_alloc(64, (n + 63) & ~(size_t)63);
	if (p) memset(p, 0, n);
	return p;
}
*/
import "C"

import "unsafe"

// Tune has the C library, whose memory DuckDB and Allocator use, give back
// what is free instead of keeping it in a pool for each thread. It concerns
// the whole process and does nothing where the library is not glibc.
func Tune(arenas int) { C.mv_tune(C.int(arenas)) }

// Allocator gives memory outside the Go heap, zeroed and aligned to 64 bytes.
// It has no state and is safe for concurrent use. Memory that is not released
// is lost: the collector does not see it.
type Allocator struct{}

// Allocate gives size bytes. Like the Go heap it ends the process when the
// machine has no memory left.
func (Allocator) Allocate(size int) []byte {
	if size == 0 {
		return []byte{}
	}
	p := C.mv_alloc(C.size_t(size))
	if p == nil {
		panic("vector: out of memory")
	}
	return unsafe.Slice((*byte)(p), size)
}

// Reallocate moves b to a place of size bytes; more bytes are zero.
func (a Allocator) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) && size > 0 && size*2 >= cap(b) {
		old := len(b)
		b = b[:size]
		if size > old {
			clear(b[old:])
		}
		return b
	}
	n := a.Allocate(size)
	copy(n, b)
	a.Free(b)
	return n
}

// Free gives memory back.
func (Allocator) Free(b []byte) {
	if cap(b) > 0 {
		C.free(unsafe.Pointer(unsafe.SliceData(b)))
	}
}
