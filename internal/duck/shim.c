#include "shim.h"
#include "_cgo_export.h"

// What DuckDB keeps for us are handles of Go values in place of pointers.
static void drop(void *handle) { goScanFree((uintptr_t)handle); }

void md_bind(duckdb_bind_info info) { goScanBind(info); }
void md_init(duckdb_init_info info) { goScanInit(info); }
void md_scan(duckdb_function_info info, duckdb_data_chunk out) {
	goScan((uintptr_t)duckdb_function_get_init_data(info), info, out);
}

void md_set_registry(void *function, uintptr_t handle) {
	duckdb_table_function_set_extra_info(function, (void *)handle, drop);
}
void md_set_bind(duckdb_bind_info info, uintptr_t handle) { duckdb_bind_set_bind_data(info, (void *)handle, drop); }
void md_set_init(duckdb_init_info info, uintptr_t handle) { duckdb_init_set_init_data(info, (void *)handle, drop); }
uintptr_t md_registry(duckdb_bind_info info) { return (uintptr_t)duckdb_bind_get_extra_info(info); }
uintptr_t md_binding(duckdb_init_info info) { return (uintptr_t)duckdb_init_get_bind_data(info); }
