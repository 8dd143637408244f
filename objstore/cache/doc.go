// Package cache keeps copies of immutable objects on the local disk, in front
// of a store that is far: data files and deletion vectors of Delta tables are read
// once over the network and then from files, which DuckDB, too, can read in
// place (Fetch). A log's commits, checkpoints and hint are not kept: they are
// asked for each time.
//
// It is no objstore.Pather, which promises that an object is the file at a path
// for good: a bounded cache can promise that only while the file is fetched.
//
// # What is kept
//
// An object whose key Options.Immutable takes is copied as a whole at its first
// Get or Fetch, if it is no larger than Options.MaxObject; larger ones are read
// through. A copy belongs to a key, a size and an ETag: Fetch is told the size
// that the table's log gives and replaces a copy of another. The copies take at
// most Options.MaxBytes, downloads under way counted; the ones that were used
// longest ago give way. A copy that somebody has fetched stays until it is
// released.
//
// # What a crash can lose
//
// Nothing but copies. A download becomes a copy by a rename after all of it is
// written and synced; what a crash leaves of one is removed by Open. Open takes
// the copies of the process before over, so one process at a time may have the
// folder.
//
// All methods are safe for concurrent use; several that want the same object
// share one download.
package cache
