#include "shim.h"

// duckdb_state is an enum of duckdb.h: its two functions are declared here
// only, where duckdb.h is never included.
int duckdb_list_vector_set_size(duckdb_vector, idx_t);
int duckdb_list_vector_reserve(duckdb_vector, idx_t);

void mv_get(void *vec, mv_vec *out) {
	out->data = duckdb_vector_get_data(vec);
	out->valid = duckdb_vector_get_validity(vec);
}

uint64_t *mv_nullable(void *vec) {
	duckdb_vector_ensure_validity_writable(vec);
	return duckdb_vector_get_validity(vec);
}

void *mv_child(void *vec, idx_t i) { return duckdb_struct_vector_get_child(vec, i); }
void *mv_elem(void *vec) { return duckdb_list_vector_get_child(vec); }
void *mv_array(void *vec) { return duckdb_array_vector_get_child(vec); }
idx_t mv_list_size(void *vec) { return duckdb_list_vector_get_size(vec); }

int mv_list_grow(void *vec, idx_t size) {
	int rc = duckdb_list_vector_reserve(vec, size);
	return rc ? rc : duckdb_list_vector_set_size(vec, size);
}

// Copies n > 12 bytes to the string heap of the vector and gives their
// address; element 0 is left as it was.
const char *mv_heap(void *vec, const char *buf, idx_t n) {
	struct str {
		uint32_t n;
		char prefix[4];
		char *ptr;
	} *row = duckdb_vector_get_data(vec), save = *row;
	duckdb_unsafe_vector_assign_string_element_len(vec, 0, buf, n);
	const char *p = row->ptr;
	*row = save;
	return p;
}

idx_t mv_chunk_size(void *chunk) { return duckdb_data_chunk_get_size(chunk); }
void mv_chunk_set_size(void *chunk, idx_t n) { duckdb_data_chunk_set_size(chunk, n); }
void *mv_chunk_vector(void *chunk, idx_t i) { return duckdb_data_chunk_get_vector(chunk, i); }

// A deep copy whose children are flat too (those of an argument may be
// constant or dictionary vectors, which the C API cannot show).
void *mv_flat_copy(void *src, void *logical_type, idx_t n) {
	duckdb_vector dst = duckdb_create_vector(logical_type, n);
	duckdb_selection_vector sel = duckdb_create_selection_vector(n);
	sel_t *ix = duckdb_selection_vector_get_data_ptr(sel);
	for (idx_t i = 0; i < n; i++) ix[i] = (sel_t)i;
	duckdb_vector_copy_sel(src, dst, sel, n, 0, 0);
	duckdb_destroy_selection_vector(sel);
	return dst;
}

void mv_destroy(void *vec) {
	duckdb_vector v = vec;
	duckdb_destroy_vector(&v);
}
