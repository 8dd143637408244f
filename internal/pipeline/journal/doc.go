// Package journal is the memory of a pipeline: one append-only file in which
// each flow writes what a batch is going to do (Plan), which files are ready
// to be committed (Prepared) and that the batch is over (Done). The bytes are
// described in docs/formats/journal.md.
//
// What a crash can lose: nothing of a record whose call returned. A call that
// did not return has happened as a whole or not at all; a torn record at the
// end of the file is cut off at the next Open. Several flows that append at
// the same time share one fsync. A failed write or fsync closes the journal
// for good (ErrFailed): what the disk holds then is unknown until it is opened
// again.
//
// A Journal is safe for concurrent use; the records of one flow are appended
// by one goroutine at a time, in order (ErrOrder otherwise).
package journal
