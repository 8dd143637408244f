// Package kernel is the set of functions that DuckDB gets from us where
// Spark's answers differ from its own or where it has none: a call handles a
// chunk of rows.
//
// A function is registered on demand by its Spec: a kind, the DuckDB types of
// its arguments and result, and constant parameters. Scalar kernels never
// raise for a value: what has no answer is NULL, and the SQL around the call
// decides what that means, for which some kinds tell why when their parameter
// Why is set. DuckDB moves calls about as if none could fail, so one that
// raised would fail queries for rows that a filter takes out. An aggregate may
// raise, for it sees the rows that it is asked about. Its state lies on Go's
// heap, bounded by its parameters or, for percentile with frequencies, by the
// number of different values, as in Spark.
//
// Register says what is wrong with a Spec.
package kernel
