// Package dml runs the statements that change tables. Analysis has made plans
// of them; here the plans run over the files that pruning leaves, rows go
// through a sink that checks them into a delta.Writer or a delta.Rewrite, and
// one commit takes the old files out and the new ones in.
//
// UPDATE, DELETE and MERGE run two plans: the first finds the files that hold
// rows to change, the second what happens to them. A file all of whose rows go
// is taken out without being read a second time. DELETE asks only where rows
// lie. UPDATE and MERGE ask for the new values of the columns that they set,
// in the order of the rows' places, and delta.Rewrite patches them into copies
// of the files. Where a table wants more of its changed rows (a change feed,
// deletion vectors, constraints, generated columns), where most rows change or
// move to other partitions, the second plan yields the rows as they are
// afterwards, each with what happened to it: all that the files hold, or, with
// deletion vectors, those that change. delta.Rewrite sees to files, vectors,
// the change feed, metrics and the commit.
//
// Nothing is half written: an error before the commit deletes the new files
// (what could not be deleted is named by delta.OrphanError), and the commit is
// one conditional put. Memory is bounded by the engine that runs the plans and
// by the writer; lists grow with the files of the table, and of rows there are
// only bitmaps of the positions of those that go.
// Everything is safe for concurrent use.
package dml
