#pragma once
#include "../vector/capi.h"

enum { MK_MAX_ARGS = 8 };

typedef struct {
	void *vec;
	void *data;
	void *valid; // NULL: no row is null
} mk_vec;

// One chunk of at most 2048 rows, gathered before Go is called. Arguments are
// flat: DuckDB flattens constants and dictionaries.
typedef struct mk_call {
	int64_t n;
	int64_t nargs;
	mk_vec out;
	mk_vec arg[MK_MAX_ARGS];
} mk_call;

void mk_exec(duckdb_function_info, duckdb_data_chunk, duckdb_vector);
void mk_set_kernel(void *function, uintptr_t handle, bool nulls);
