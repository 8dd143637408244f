// Package source reads what flows read: the hub's log (read_kafka), Delta
// tables commit by commit, and CSV files (read_files). A source plans the
// range of the next batch from a position, and opens exactly a planned range
// again; positions are JSON texts that the pipeline's journal keeps. They
// carry the identity of what they belong to, so that another log or a table
// made anew under the old name is refused (ErrOther) rather than read.
//
// Batches are built in the memory of the allocator that the caller gives,
// which for DuckDB is C memory, and are bounded by Limits and by the size of
// one Arrow batch.
package source
