// Package duck runs SQL in DuckDB over Arrow batches.
//
// A Pool holds a few DuckDB instances under one memory budget, each with one
// connection: settings, functions and memory are per instance in DuckDB, so
// nobody meets another's. Conn.Bind makes a Source of batches readable as a
// table function, scanned by as many threads as the instance has and only for
// the columns that the query needs; Conn.Query gives the result as a stream
// of batches that never lies in memory as a whole; Conn.Register adds scalar
// functions (package kernel). Spark's rules are not known here: package lower
// puts them into the SQL.
//
// Nothing here is durable: instances live in memory and spill to a temporary
// folder. The SQL must come from us, never from a user; the sandbox (files of
// Config.AllowedDirs only, no extensions, no settings) is the second wall.
package duck
