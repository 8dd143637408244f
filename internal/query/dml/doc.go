// Package dml runs the statements that change tables. Analysis has made plans
// of them; here the plans run over the files that pruning leaves, rows go
// through a sink that checks them into a delta.Writer or a delta.Rewrite, and
// one commit takes the old files out and the new ones in.
//
// UPDATE, DELETE and MERGE run two plans: the first finds the files that hold
// rows to change, the second yields what these files hold afterwards, each row
// with what happened to it. A file all of whose rows go is taken out without
// being read a second time. Files are written anew, or, where the table asks
// for deletion vectors, lose the changed rows by one, and only new rows are
// written. delta.Rewrite gets every row with its action, and sees to files,
// vectors, the change feed, metrics and the commit.
//
// Nothing is half written: an error before the commit deletes the new files
// (what could not be deleted is named by delta.OrphanError), and the commit is
// one conditional put. Memory is bounded by the engine that runs the plans and
// by the writer; lists grow with the files of the table, never with its rows.
// Everything is safe for concurrent use.
package dml
