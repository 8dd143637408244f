#include "aggregate.h"
#include "_cgo_export.h"
#include <stdlib.h>
#include <string.h>

// duckdb_state is an enum of duckdb.h: declared here only, see vector/shim.c.
int duckdb_register_aggregate_function(duckdb_connection, duckdb_aggregate_function);

// A state is the handle of a Go value, 0 before the first row. DuckDB may move
// and spill states: a handle stays good.
static idx_t state_size(duckdb_function_info info) { return sizeof(uint64_t); }
static void state_init(duckdb_function_info info, duckdb_aggregate_state s) { memset(s, 0, sizeof(uint64_t)); }

static void fail(duckdb_function_info info, char *err) {
	if (!err) return;
	duckdb_aggregate_function_set_error(info, err);
	free(err);
}

static uintptr_t self(duckdb_function_info info) { return (uintptr_t)duckdb_aggregate_function_get_extra_info(info); }

static void update(duckdb_function_info info, duckdb_data_chunk in, duckdb_aggregate_state *states) {
	mk_call c = {0};
	c.n = duckdb_data_chunk_get_size(in);
	c.nargs = duckdb_data_chunk_get_column_count(in);
	for (int64_t i = 0; i < c.nargs; i++) {
		duckdb_vector v = duckdb_data_chunk_get_vector(in, i);
		c.arg[i] = (mk_vec){v, duckdb_vector_get_data(v), duckdb_vector_get_validity(v)};
	}
	fail(info, goAggregateUpdate(self(info), &c, (uint64_t **)states));
}

static void combine(duckdb_function_info info, duckdb_aggregate_state *from, duckdb_aggregate_state *to, idx_t n) {
	fail(info, goAggregateCombine(self(info), (uint64_t **)from, (uint64_t **)to, n));
}

static void finalize(duckdb_function_info info, duckdb_aggregate_state *states, duckdb_vector out, idx_t n, idx_t offset) {
	fail(info, goAggregateResult(self(info), (uint64_t **)states, out, n, offset));
}

static void destroy(duckdb_aggregate_state *states, idx_t n) { goAggregateDrop((uint64_t **)states, n); }

static void drop(void *handle) { goAggregateFree((uintptr_t)handle); }

int mk_add_aggregate(void *connection, const char *name, void **args, idx_t n, void *ret, uintptr_t handle) {
	duckdb_aggregate_function f = duckdb_create_aggregate_function();
	duckdb_aggregate_function_set_name(f, name);
	for (idx_t i = 0; i < n; i++) duckdb_aggregate_function_add_parameter(f, args[i]);
	duckdb_aggregate_function_set_return_type(f, ret);
	duckdb_aggregate_function_set_special_handling(f);
	duckdb_aggregate_function_set_functions(f, state_size, state_init, update, combine, finalize);
	duckdb_aggregate_function_set_destructor(f, destroy);
	duckdb_aggregate_function_set_extra_info(f, (void *)handle, drop);
	int rc = duckdb_register_aggregate_function(connection, f);
	duckdb_destroy_aggregate_function(&f);
	return rc;
}
