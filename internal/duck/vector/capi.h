// The part of DuckDB's C API that is called here rather than through
// duckdb-go-bindings. The declarations are compatible with duckdb.h, so both
// can be included together: a test does so.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t idx_t;
typedef uint32_t sel_t;
typedef struct _duckdb_vector *duckdb_vector;
typedef struct _duckdb_data_chunk *duckdb_data_chunk;
typedef struct _duckdb_logical_type *duckdb_logical_type;
typedef struct _duckdb_selection_vector *duckdb_selection_vector;
typedef struct _duckdb_function_info *duckdb_function_info;
typedef struct _duckdb_bind_info *duckdb_bind_info;
typedef struct _duckdb_init_info *duckdb_init_info;
typedef struct _duckdb_scalar_function *duckdb_scalar_function;
typedef struct _duckdb_table_function *duckdb_table_function;
typedef struct _duckdb_aggregate_function *duckdb_aggregate_function;
typedef struct _duckdb_aggregate_state *duckdb_aggregate_state;
typedef struct _duckdb_connection *duckdb_connection;
typedef void (*duckdb_delete_callback_t)(void *);
typedef idx_t (*duckdb_aggregate_state_size)(duckdb_function_info);
typedef void (*duckdb_aggregate_init_t)(duckdb_function_info, duckdb_aggregate_state);
typedef void (*duckdb_aggregate_destroy_t)(duckdb_aggregate_state *, idx_t);
typedef void (*duckdb_aggregate_update_t)(duckdb_function_info, duckdb_data_chunk, duckdb_aggregate_state *);
typedef void (*duckdb_aggregate_combine_t)(duckdb_function_info, duckdb_aggregate_state *, duckdb_aggregate_state *, idx_t);
typedef void (*duckdb_aggregate_finalize_t)(duckdb_function_info, duckdb_aggregate_state *, duckdb_vector, idx_t, idx_t);

idx_t duckdb_data_chunk_get_size(duckdb_data_chunk);
void duckdb_data_chunk_set_size(duckdb_data_chunk, idx_t);
idx_t duckdb_data_chunk_get_column_count(duckdb_data_chunk);
duckdb_vector duckdb_data_chunk_get_vector(duckdb_data_chunk, idx_t);

duckdb_vector duckdb_create_vector(duckdb_logical_type, idx_t);
void duckdb_destroy_vector(duckdb_vector *);
void duckdb_vector_copy_sel(duckdb_vector, duckdb_vector, duckdb_selection_vector, idx_t, idx_t, idx_t);
duckdb_selection_vector duckdb_create_selection_vector(idx_t);
void duckdb_destroy_selection_vector(duckdb_selection_vector);
sel_t *duckdb_selection_vector_get_data_ptr(duckdb_selection_vector);

void *duckdb_vector_get_data(duckdb_vector);
uint64_t *duckdb_vector_get_validity(duckdb_vector);
void duckdb_vector_ensure_validity_writable(duckdb_vector);
duckdb_vector duckdb_struct_vector_get_child(duckdb_vector, idx_t);
duckdb_vector duckdb_list_vector_get_child(duckdb_vector);
duckdb_vector duckdb_array_vector_get_child(duckdb_vector);
idx_t duckdb_list_vector_get_size(duckdb_vector);
void duckdb_unsafe_vector_assign_string_element_len(duckdb_vector, idx_t, const char *, idx_t);

void *duckdb_scalar_function_get_extra_info(duckdb_function_info);
void duckdb_scalar_function_set_extra_info(duckdb_scalar_function, void *, duckdb_delete_callback_t);
void duckdb_scalar_function_set_error(duckdb_function_info, const char *);

duckdb_aggregate_function duckdb_create_aggregate_function(void);
void duckdb_destroy_aggregate_function(duckdb_aggregate_function *);
void duckdb_aggregate_function_set_name(duckdb_aggregate_function, const char *);
void duckdb_aggregate_function_add_parameter(duckdb_aggregate_function, duckdb_logical_type);
void duckdb_aggregate_function_set_return_type(duckdb_aggregate_function, duckdb_logical_type);
void duckdb_aggregate_function_set_functions(duckdb_aggregate_function, duckdb_aggregate_state_size, duckdb_aggregate_init_t,
	duckdb_aggregate_update_t, duckdb_aggregate_combine_t, duckdb_aggregate_finalize_t);
void duckdb_aggregate_function_set_destructor(duckdb_aggregate_function, duckdb_aggregate_destroy_t);
void duckdb_aggregate_function_set_special_handling(duckdb_aggregate_function);
void duckdb_aggregate_function_set_extra_info(duckdb_aggregate_function, void *, duckdb_delete_callback_t);
void *duckdb_aggregate_function_get_extra_info(duckdb_function_info);
void duckdb_aggregate_function_set_error(duckdb_function_info, const char *);

void duckdb_table_function_set_extra_info(duckdb_table_function, void *, duckdb_delete_callback_t);
void *duckdb_bind_get_extra_info(duckdb_bind_info);
void duckdb_bind_set_bind_data(duckdb_bind_info, void *, duckdb_delete_callback_t);
void *duckdb_init_get_bind_data(duckdb_init_info);
void duckdb_init_set_init_data(duckdb_init_info, void *, duckdb_delete_callback_t);
void *duckdb_function_get_init_data(duckdb_function_info);
