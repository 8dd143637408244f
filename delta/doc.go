// Package delta reads and writes Delta Lake tables on any objstore.Store.
//
// A Table is a handle: Snapshot gives the table as of its newest version,
// SnapshotAt and SnapshotAsOf an older one; a Snapshot does not change. Writing
// has two stages. A Writer makes data files durable and tells them as Adds,
// which nobody sees yet and which can be kept as JSON; Commit makes them part
// of the table in one step. Append and Overwrite do both.
//
// # What a crash can lose
//
// Nothing that Commit returned: data files are durable before the commit, and
// the commit is one conditional put. A crash before the commit leaves data
// files that no version names; they are invisible. Checkpoints, log clean-up
// and compaction can be cut off anywhere: the table then reads as before or as
// after.
//
// # Several writers
//
// Commits are conditional: of writers that race for a version one wins, the
// others check whether what the winner did contradicts them and try the next
// version, with growing pauses. If an answer of the store is lost, the commit
// is read back and recognised by its transaction id. Commits with a Txn are
// applied once, however often they are tried (ErrAlreadyCommitted).
//
// # What is read
//
// Tables of every reader version, with deletion vectors, column mapping, type
// widening and checkpoints of the second kind. Features that are not known are
// refused by name (ErrUnsupportedFeature). New tables are of protocol 1/2 with
// classic checkpoints, which every engine reads, unless their properties ask
// for more.
//
// Methods are safe for concurrent use unless they say otherwise. Arrow batches
// that a caller hands in stay the caller's; batches handed out are the
// caller's to release.
package delta
