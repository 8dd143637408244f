// Package delta reads and writes Delta Lake tables on any objstore.Store.
//
// A Table is a handle: Snapshot gives the table as of its newest version,
// SnapshotAt and SnapshotAsOf an older one; a Snapshot does not change. Writing
// has two stages. A Writer makes data files durable and tells them as Adds,
// which nobody sees yet and which can be kept as JSON; Commit makes them part
// of the table in one step. Append and Overwrite do both.
//
// # Reading
//
// Snapshot.Read yields Arrow batches of the files that may satisfy predicates;
// Files names these files for an engine that reads Parquet itself; OldDates and
// OldCalendar tell for which of them it has to know the calendar. Older
// versions are snapshots, too (SnapshotAt, SnapshotAsOf). Changes tells what
// each version did file by file, ReadChanges row by row where the table has a
// change feed (delta.enableChangeDataFeed). History tells who did what.
//
// # Changing rows
//
// Append and Overwrite need nothing else, nor does ReplacePartitions, which
// replaces the partitions that new rows fall into. Delete, Update, Merge and
// ReplaceWhere take expressions in Spark's SQL, which a RowEngine computes
// (WithRowEngine): so do CHECK constraints, invariants, generated columns and
// column defaults of tables that have them. What needs an engine is refused
// without one, by name, before anything is written. Identity columns
// (WithIdentity) need none: new rows leave them out and are numbered; where
// another writer was given the same numbers meanwhile, the commit is an
// ErrTableChanged. Rows that change are
// marked in deletion vectors where the table has them switched on
// (delta.enableDeletionVectors), else the files that hold them are written
// anew. Rewrite is the piece below all of them, for callers that know the
// places of rows.
//
// # Definition
//
// Create, NewDraft and Redefine define tables; a Commit can change schema
// (SchemaTo), properties, description and clustering. Properties switch
// features on, never silently: deletion vectors, the change feed, column
// mapping (delta.columnMapping.mode), in-commit timestamps
// (delta.enableInCommitTimestamps), row tracking (delta.enableRowTracking),
// checkpoints of the second kind (delta.checkpointPolicy=v2), and any other
// feature by delta.feature.<name>=supported. ShallowClone makes a table that
// names the files of another.
//
// # Files
//
// A Writer keeps a file open for each partition that rows fall into, up to a
// number; where more come at a time, partitions get several small files. Optimised
// writes (delta.autoOptimize.optimizeWrite, or WriterOptions.OptimizeWrite) have
// the rows of the others wait, in memory and beyond 64 MiB on disk, so that each
// partition gets as few files as its size asks for. Changes of rows (Update, Merge,
// Rewrite) always do so unless the property is false. Files are of 128 MiB or
// delta.targetFileSize; delta.tuneFileSizesForRewrites makes those that are written
// anew smaller, 64 MiB.
//
// # Upkeep
//
// Maintain, called now and then, writes checkpoints and deletes old log files
// when they are due. Compact merges small files as they come. Optimize, called
// now and then, merges all of them, and orders rows along a space-filling curve
// so that fewer files hold what a reader looks for: by ZOrderBy, or by a
// clustered table's columns (WithClusterBy), of which it orders only what is
// not in order yet; AutoCompact, called after commits, does so for tables with
// delta.autoOptimize.autoCompact. Vacuum deletes files that no reader needs any
// more and refuses to do so within the table's retention unless told to. Restore
// makes the table what it was in a snapshot, DropFeature frees it of a feature,
// and ConvertFromParquet makes a table of a folder of Parquet files.
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
// widening and checkpoints of the second kind. Log compaction files are passed
// over, checksum files are compared with what was read. Features that are not known are
// refused by name (ErrUnsupportedFeature). New tables are of protocol 1/2 with
// classic checkpoints, which every engine reads, unless their properties ask
// for more. Geometries and geographies are read as well-known binary, with
// GeoArrow's metadata of what they mean on their fields; they are not written.
//
// Methods are safe for concurrent use unless they say otherwise. Arrow batches
// that a caller hands in stay the caller's; batches handed out are the
// caller's to release.
package delta
