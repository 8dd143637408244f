// Package kernel is the set of scalar functions that DuckDB gets from us
// where Spark's answers differ from its own: a call handles a chunk of rows.
//
// A function is registered on demand by its Spec: a kind, the DuckDB types of
// its arguments and result, and constant parameters. Kernels never raise for a
// value: what has no answer is NULL, and the SQL around the call decides what
// that means. DuckDB moves calls about as if none could fail, so one that
// raised would fail queries for rows that a filter takes out.
//
// Kinds lists what there is; Register says what is wrong with a Spec.
package kernel
