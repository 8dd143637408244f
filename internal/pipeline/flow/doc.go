// Package flow carries one dataset's rows through the pipeline's journal:
// Plan, run, Prepared, commit of each table, Done. It knows neither SQL nor
// DuckDB: an Executor gives the rows of a planned batch, the expectations'
// answers as boolean columns behind the table's own; the flow parts them into
// kept, quarantined and dropped rows, writes the files and commits them.
//
// After any crash Begin finishes what was prepared, and Step repeats what was
// only planned, over exactly the planned ranges. Each commit carries
// txn{checkpoint, batch}, so that finishing twice commits once.
//
// A Flow is locked by its caller (Lock) over Begin, Step and Reset; State may
// be read at any time.
package flow
