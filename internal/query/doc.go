// Package query is the only way to compile and to run SQL. A Session says who
// asks and in which dialect; Engine resolves names against the catalog, has
// the text analysed into the typed plan, prunes the files of each table by
// partition and statistics, and runs the lowered plan in a worker process.
// Pipelines use the same pieces (Resolver, Run) on their own DuckDB pool with
// the inputs that their journal has pinned.
//
// Doors hold no SQL logic: they make a Session, call Engine.Run and hand the
// batches on. Everything here is safe for concurrent use except a Session and
// a Result, which are for one goroutine. The package keeps nothing durable.
package query
