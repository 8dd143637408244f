package eventlog

import (
	"errors"
	"fmt"
	"syscall"
)

var (
	// ErrFull says that the log takes no records now: no room on the disk for
	// a segment, or the hard cap is reached. The log recovers by itself.
	ErrFull = errors.New("eventlog: full")
	// ErrFailed says that a write or fsync of the partition failed; it takes
	// no records until the log is opened anew. Reads go on.
	ErrFailed = errors.New("eventlog: partition failed")
	// ErrClosed says that the log has stopped.
	ErrClosed = errors.New("eventlog: closed")
	// ErrTooLarge says that a record exceeds BatchBytes, or one Append MaxPending.
	ErrTooLarge = errors.New("eventlog: too large")
	// ErrShrunk says that the log ends before an offset that a consumer has
	// seen committed: the log was replaced or cut. See Log.CheckEnd.
	ErrShrunk = errors.New("eventlog: log is shorter than before")
	// ErrCorrupt says that stored bytes are not what was written.
	ErrCorrupt = errors.New("eventlog: corrupt")
	// ErrNoPartition says that the partition number is not of this log.
	ErrNoPartition = errors.New("eventlog: no such partition")
)

// ErrOutOfRange says that records asked for are not, or no longer, in the log.
type ErrOutOfRange struct {
	Start, End int64 // what the partition holds: Start <= offset < End
}

// Error implements error.
func (e ErrOutOfRange) Error() string {
	return fmt.Sprintf("eventlog: offset out of range, the partition holds [%d, %d)", e.Start, e.End)
}

// noSpace reports whether err is a full disk or quota.
func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
