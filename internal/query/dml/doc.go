// Package dml runs the statements that change tables. Analysis has made plans
// of them; here the plans run over the files that pruning leaves, rows go
// through a sink that checks them into a delta.Writer, and one commit takes
// the old files out and the new ones in.
//
// UPDATE, DELETE and MERGE copy on write: a first plan finds the files that
// hold rows to change, a second one yields what these files hold afterwards,
// each row with what happened to it. A file all of whose rows go is taken out
// without being read a second time. The sink is the one place that sees every
// row with its action.
//
// Nothing is half written: an error before the commit deletes the new files
// (what could not be deleted is named by delta.OrphanError), and the commit is
// one conditional put. Memory is bounded by the engine that runs the plans and
// by the writer; lists grow with the files of the table, never with its rows.
// Everything is safe for concurrent use.
package dml
