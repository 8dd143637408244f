package delta

import (
	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/stats"
)

// The actions of the protocol. Their JSON forms are the log's, so that they
// can be stored and committed later.
type (
	// Add says that a data file belongs to the table.
	Add = action.Add
	// Remove says that a data file no longer belongs to the table.
	Remove = action.Remove
	// Values are partition values by column; an empty text is NULL.
	Values = action.Values
	// DeletionVector describes deleted rows of a file.
	DeletionVector = action.DeletionVector
	// Change names a file of change data.
	Change = action.Change
	// Metadata describes a table.
	Metadata = action.Metadata
	// Protocol says what readers and writers must support.
	Protocol = action.Protocol
	// Txn records how far an application has written.
	Txn = action.Txn
	// CommitInfo says who wrote a commit and how.
	CommitInfo = action.CommitInfo
)

// Predicate compares a column with a value; files that cannot hold a match are
// left out. Several predicates are joined by AND.
type Predicate = stats.Predicate

// Op is a predicate's comparison.
type Op = stats.Op

// The comparisons.
const (
	Eq        = stats.Eq
	Lt        = stats.Lt
	LtEq      = stats.LtEq
	Gt        = stats.Gt
	GtEq      = stats.GtEq
	In        = stats.In
	IsNull    = stats.IsNull
	IsNotNull = stats.IsNotNull
)
