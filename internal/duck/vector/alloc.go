package vector

/*
#include <pthread.h>
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

// Blocks of 64 KiB to 4 MiB, which batches are made of, are kept for the next
// batch, KEEP bytes of them at most: memory fresh from the kernel costs more
// to touch than the work on it. A block begins with the capacity behind it.
enum { HEAD = 64, LOW = 16, HIGH = 22, SLOTS = 16, KEEP = 16 << 20 };
static struct {
	pthread_mutex_t mu;
	void *free[HIGH - LOW + 1][SLOTS];
	int n[HIGH - LOW + 1];
	size_t kept;
} blocks = {.mu = PTHREAD_MUTEX_INITIALIZER};

// The class of a capacity, -1 where blocks are not kept.
static int mv_class(size_t n) {
	int c = LOW;
	if (n < (size_t)1 << LOW || n > (size_t)1 << HIGH) return -1;
	while ((size_t)1 << c < n) c++;
	return c - LOW;
}

static void *mv_alloc(size_t n) {
	int c = mv_class(n);
	size_t cap = c < 0 ? (n + 63) & ~(size_t)63 : (size_t)1 << (c + LOW);
	char *p = NULL;
	if (c >= 0) {
		pthread_mutex_lock(&blocks.mu);
		if (blocks.n[c] > 0) {
			p = blocks.free[c][--blocks.n[c]];
			blocks.kept -= cap;
		}
		pthread_mutex_unlock(&blocks.mu);
	}
	if (!p && !(p = aligned_alloc(HEAD, HEAD + cap))) return NULL;
	*(size_t *)p = cap;
	memset(p + HEAD, 0, n);
	return p + HEAD;
}

static void mv_free(void *b) {
	char *p = (char *)b - HEAD;
	size_t cap = *(size_t *)p;
	int c = mv_class(cap);
	if (c >= 0) {
		pthread_mutex_lock(&blocks.mu);
		if (blocks.n[c] < SLOTS && blocks.kept + cap <= KEEP) {
			blocks.free[c][blocks.n[c]++] = p;
			blocks.kept += cap;
			p = NULL;
		}
		pthread_mutex_unlock(&blocks.mu);
	}
	free(p);
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
		C.mv_free(unsafe.Pointer(unsafe.SliceData(b)))
	}
}
