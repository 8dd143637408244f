#include "shim.h"
#include "_cgo_export.h"
#include <stdlib.h>

// What DuckDB keeps with the function.
typedef struct {
	uintptr_t handle;
	bool nulls; // the kernel handles NULL arguments itself
} mk_fn;

static void look(mk_vec *v, duckdb_vector vec) {
	v->vec = vec;
	v->data = duckdb_vector_get_data(vec);
	v->valid = duckdb_vector_get_validity(vec);
}

void mk_exec(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out) {
	mk_fn *f = duckdb_scalar_function_get_extra_info(info);
	mk_call c;
	c.n = duckdb_data_chunk_get_size(in);
	c.nargs = duckdb_data_chunk_get_column_count(in);
	if (c.nargs > MK_MAX_ARGS) {
		duckdb_scalar_function_set_error(info, "too many arguments");
		return;
	}
	look(&c.out, out);
	for (int64_t i = 0; i < c.nargs; i++) {
		look(&c.arg[i], duckdb_data_chunk_get_vector(in, i));
		// DuckDB does not propagate NULL, whatever its NULL handling flag says.
		if (f->nulls || !c.arg[i].valid) continue;
		if (!c.out.valid) {
			duckdb_vector_ensure_validity_writable(out);
			c.out.valid = duckdb_vector_get_validity(out);
		}
		uint64_t *to = c.out.valid, *from = c.arg[i].valid;
		for (int64_t w = 0; w < (c.n + 63) / 64; w++) to[w] &= from[w];
	}
	char *err = goKernel(f->handle, &c);
	if (err) {
		duckdb_scalar_function_set_error(info, err);
		free(err);
	}
}

static void drop(void *p) {
	mk_fn *f = p;
	goKernelFree(f->handle);
	free(f);
}

void mk_set_kernel(void *function, uintptr_t handle, bool nulls) {
	mk_fn *f = malloc(sizeof *f);
	*f = (mk_fn){handle, nulls};
	duckdb_scalar_function_set_extra_info(function, f, drop);
}
