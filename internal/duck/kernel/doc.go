// Package kernel is the set of scalar functions that DuckDB gets from us
// where Spark's answers differ from its own.
package kernel
