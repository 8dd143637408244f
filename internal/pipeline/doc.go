// Package pipeline runs Lakeflow SQL pipelines: it builds the graph of their
// datasets from the SQL files, keeps a Delta table for each, and carries rows
// from the hub's log and from tables into them in micro-batches.
//
// A batch of a flow goes Plan, run, Prepared, commit of each table, Done; the
// words in capitals are records of the pipeline's journal (package journal).
// Before Prepared a crash repeats the batch over exactly the planned ranges;
// after it the batch is only finished. Commits carry txn{checkpoint, batch},
// so that finishing twice commits once. Each row of a source lands in exactly
// one of the table, its quarantine table, and the count of dropped rows.
//
// What a crash can lose: nothing that was committed, and no row of a source.
// Events that wait for the event log table (a few seconds' worth) are lost,
// and files of a batch that was not prepared lie unused in the table's folder.
//
// The order of locks: flow.mu (a batch, a reset) before flow.state.
package pipeline
