#pragma once
#include "vector/capi.h"

void md_bind(duckdb_bind_info);
void md_init(duckdb_init_info);
void md_scan(duckdb_function_info, duckdb_data_chunk);
void md_set_registry(void *function, uintptr_t handle);
void md_set_bind(duckdb_bind_info, uintptr_t handle);
void md_set_init(duckdb_init_info, uintptr_t handle);
uintptr_t md_registry(duckdb_bind_info);
uintptr_t md_binding(duckdb_init_info);
