// Package vector moves data between DuckDB's vectors and Arrow arrays and
// holds what both sides of that border share: DuckDB's types and strings.
//
// Everything is copied when it crosses: DuckDB never holds a pointer into
// Arrow memory nor Arrow one into a vector, so batches may lie on the Go heap,
// may be slices, and may be released as soon as a call returns. A copy costs
// less than a nanosecond a value, and spares every question of lifetime that a
// shared buffer raises.
//
// Vectors and chunks are DuckDB's handles as unsafe.Pointer. They are used by
// one goroutine at a time and only while DuckDB keeps them: during a callback,
// or until the chunk is destroyed.
package vector
