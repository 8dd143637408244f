#pragma once
#include "shim.h"

// Registers an aggregate function; handle names it in Go. 0: done.
int mk_add_aggregate(void *connection, const char *name, void **args, idx_t n, void *ret, uintptr_t handle);
