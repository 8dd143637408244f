#pragma once
#include "capi.h"

// What one vector is made of: filled by one call.
typedef struct {
	void *data;
	uint64_t *valid; // NULL: no row is null
} mv_vec;

void mv_get(void *vec, mv_vec *out);
uint64_t *mv_nullable(void *vec);
void *mv_child(void *vec, idx_t i);
void *mv_elem(void *vec);
void *mv_array(void *vec);
idx_t mv_list_size(void *vec);
int mv_list_grow(void *vec, idx_t size);
const char *mv_heap(void *vec, const char *buf, idx_t n);
idx_t mv_chunk_size(void *chunk);
void mv_chunk_set_size(void *chunk, idx_t n);
void *mv_chunk_vector(void *chunk, idx_t i);
void *mv_flat_copy(void *src, void *logical_type, idx_t n);
void mv_destroy(void *vec);
