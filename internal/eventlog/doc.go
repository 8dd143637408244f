// Package eventlog is the buffer between devices and pipelines: partitions of
// records, kept as Kafka record batches (v2) in preallocated segment files,
// acknowledged after fsync. The bytes on disk are in docs/formats/segment.md.
//
// # What a crash can lose
//
// Nothing that was acknowledged: done callbacks (and AppendWait's return)
// follow the fdatasync of the records' segment and, for a new segment, the
// fsync of its folder. Records that were appended and not acknowledged may be
// there after a crash or not, in whole batches and in order; offsets stay
// contiguous, and no offset is given twice to acknowledged records. A failed
// append (ErrFull, ErrFailed) may likewise show up after a crash, so a sender
// that repeats it may see it twice. Consumer floors are not kept: their owners
// set them again at start.
//
// # How it works
//
// Append encodes into the partition's open batch under the partition's lock;
// that is all the work of a sender. One scheduler commits for all partitions:
// it takes what every partition holds at that moment, writes and syncs the
// partitions in parallel, publishes the new ends, then runs the callbacks.
// While it syncs, the next group gathers, so batches grow with the load and
// a quiet log answers in one fsync. A group never spans two segments: when it
// does not fit, the partition rolls first, and a full disk shows there, before
// anything was written.
//
// Base offsets are given at commit (they are outside the batch's CRC), so a
// group that could not be written leaves no hole.
//
// Readers open the segment files themselves and are bounded by the committed
// end; they share nothing with the writer but atomics. A segment that
// retention removes under a reader stays readable to it.
//
// # Trouble
//
// No room at a roll: the waiting appends get ErrFull, further ones are refused,
// Problem says why, and the scheduler tries again until there is room. A write
// or sync that fails otherwise closes the partition (ErrFailed) until the
// next Open, whose recovery reads what the disk really holds; the other
// partitions go on. Recovery starts at the recovery point, checks CRCs, and
// cuts a torn tail durably before the first new append.
//
// Lock order: partition.mu and partition.segMu are leaves; none is held while
// the other is taken, nor during I/O.
package eventlog
