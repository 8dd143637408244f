package source

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/marisma/marisma/internal/sparksql"
)

// Families of errors.
var (
	// ErrOther: the position belongs to another log or table than the one that
	// is there now.
	ErrOther = errors.New("source: not the one that was read before")
	// ErrLost: records or commits that were not read yet are gone.
	ErrLost = errors.New("source: data is gone that was not read yet")
	// ErrChanged: rows were changed or deleted in a table that is read as a stream.
	ErrChanged = errors.New("source: rows were changed or deleted")
)

// Limits bound one batch. A zero field is the source's default.
type Limits struct {
	Rows  int64
	Bytes int64
	Files int
}

// Defaults of Limits. A batch streams through memory, so they bound the size
// of a commit and the time to it rather than memory.
const (
	DefaultRows  = 500_000
	DefaultBytes = 512 << 20
	DefaultFiles = 1000
)

func (l Limits) orDefault() Limits {
	if l.Rows <= 0 {
		l.Rows = DefaultRows
	}
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.Files <= 0 {
		l.Files = DefaultFiles
	}
	return l
}

// Range is what the next batch takes.
type Range struct {
	To   json.RawMessage
	Rows int64 // an estimate where the source cannot know, -1 for unknown
	// More tells that the source holds more than the range.
	More bool
}

// Backlog is what a source holds after a position.
type Backlog struct {
	Records int64
	Bytes   int64
	Files   int64
	Seconds float64 // age of the oldest record, 0 where nothing waits
}

// optionError is an error about an argument of a source.
func optionError(pos sparksql.Pos, class, format string, args ...any) error {
	return &sparksql.Error{
		Class: class, SQLState: "42K0E", Phase: sparksql.PhaseAnalysis, Pos: pos,
		Message: fmt.Sprintf(format, args...),
	}
}
