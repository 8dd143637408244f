// Sql compares dashboard queries in Spark SQL over a Delta table, through
// parse, analysis and lowering, with DuckDB SQL written by hand over the same
// Parquet files, in one process, alternating. It prints the ratio of the
// medians for each query, the time of compilation, and what our functions
// cost per row beside DuckDB's nearest.
//
//	go run ./bench/sql -rows 10000000
//
// The table is made once, by the delta package from a query without chance,
// and kept in the folder -dir.
package main
