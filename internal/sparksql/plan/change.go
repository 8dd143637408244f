package plan

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Ordinals of a Scan that stand for no column of its source: the data file
// that a row comes from, as the runner named it (STRING), the row's position in
// that file from 0 (BIGINT) and, of tables with row tracking, the number by
// which the row stays known and the version that wrote it last (BIGINT).
const (
	FileOrdinal       = -1
	RowOrdinal        = -2
	RowIDOrdinal      = -3
	RowVersionOrdinal = -4
	MetadataOrdinal   = -5 // the struct of Source.Metadata
)

// Rules are what a table asks of the rows that are written to it. They come
// with the Source of a table that statements may change.
//
// A table with row tracking (TracksRows) knows its rows when they are changed.
type Rules struct {
	PartitionBy []string
	// Columns has one entry for each of Source.Columns.
	Columns []ColumnRule
	// Constraints are the table's CHECKs in the order of their names.
	Constraints []Constraint
	Properties  map[string]string
	// Features are the table features that the table has, by name.
	Features []string
	// ClusterBy are the columns that the table is clustered by, each a path.
	ClusterBy [][]string
	Comment   string
}

// ColumnRule is what a column asks, and what it is without a value. Texts are
// SQL expressions, "" for none.
type ColumnRule struct {
	Declared  types.Type // CHAR and VARCHAR, whose values are STRING; nil else
	Default   string
	Generated string
	Invariant string
	Identity  *IdentityRule
}

// TracksRows tells whether rows have ids and versions.
func (r *Rules) TracksRows() bool {
	return r != nil && strings.EqualFold(r.Properties["delta.enableRowTracking"], "true") && slices.Contains(r.Features, "rowTracking")
}

// IdentityRule says which numbers a column gets that the table counts.
type IdentityRule struct {
	Start, Step int64
	// High is the last number given out, nil before the first.
	High *int64
	// Explicit allows rows that bring their own number.
	Explicit bool
}

// Constraint is a CHECK.
type Constraint struct{ Name, Text string }

// CheckKind is what a Check guards.
type CheckKind uint8

// Check kinds.
const (
	CheckConstraint CheckKind = iota // a CHECK, or the value given for a generated column
	CheckLength                      // of CHAR and VARCHAR
	CheckReplace                     // REPLACE WHERE: new rows fulfil the condition
)

// Check is a condition that every new row must fulfil: NULL does not.
type Check struct {
	Kind CheckKind
	Name string // of the constraint or the column
	Text string
}

// Rows is a plan whose first outputs are a table's columns in order. One
// BOOLEAN for each of Checks follows, and, in a Change, the row's RowAction.
type Rows struct {
	Plan   Node
	Checks []Check
	// Placed says that behind the action stand the row's file and its position
	// there (as FileOrdinal and RowOrdinal give them), NULL for a new row.
	Placed bool
	// Before says that then the columns follow as they were before the change.
	Before bool
	// Tracked says that last come the row's id and version (as RowIDOrdinal and
	// RowVersionOrdinal give them), NULL for a new row.
	Tracked bool
	// OptimizeWrite is what the session says of optimised writes, nil where the
	// table's property counts.
	OptimizeWrite *bool
}

// Patch yields the rows to which something happens, new ones first, then the
// others in the order of their places.
type Patch struct {
	Rows
	// Kept are the table's columns that no row of it changes: they are NULL in
	// rows that are not new.
	Kept []bool
}

// Row actions of a Change (INT).
const (
	RowCopied int64 = iota
	RowUpdated
	RowDeleted
	RowInserted
)

// WriteMode says which rows an Insert replaces.
type WriteMode uint8

// Write modes.
const (
	WriteAppend    WriteMode = iota
	WriteOverwrite           // all rows
	WriteDynamic             // the partitions that new rows fall into
	WriteReplace             // the rows of Insert.Replace
)

// Insert adds the rows of Rows to a table.
type Insert struct {
	Target *Source
	Rows   Rows
	// Schema is the table's with the columns that the statement adds, nil where
	// it adds none.
	Schema []types.Field
	Mode   WriteMode
	// Replace deletes what WriteReplace replaces; its Text is the predicate.
	Replace *Change
	// Static are, for a table of files, the partition values of the rows that
	// WriteOverwrite replaces, as STRING by column; Lines are Rows as text
	// (FileTable.Lines).
	Static map[string]Expr
	Lines  Node
	// IfAbsent inserts only where the partition of Static has no files.
	IfAbsent bool
	// Identity names the columns that the table numbers: their outputs are NULL
	// in Rows where the runner shall give a number.
	Identity []string
	Pos      sparksql.Pos
}

// ChangeKind is the statement behind a Change.
type ChangeKind uint8

// Kinds of changes.
const (
	ChangeUpdate ChangeKind = iota
	ChangeDelete
	ChangeMerge
)

// Change is UPDATE, DELETE or MERGE: rows of a table are changed by writing
// anew the files that hold them.
type Change struct {
	Kind   ChangeKind
	Target *Source
	// Touched finds the files to write anew: each file (as FileOrdinal gives it)
	// with the number of its rows that change, and, for MERGE, the most source
	// rows that met one of them where that is an error, and where it is none.
	// Nil where the statement changes every row or none that is there.
	Touched Node
	// Every is set where all rows count as touched: DELETE without condition,
	// NOT MATCHED BY SOURCE.
	Every bool
	// Inserts tells that a MERGE has clauses for new rows, so that the rows of
	// the table which meet the source must be read although none changes.
	Inserts bool
	// Gone yields where each row lies that DELETE takes out of the touched files:
	// its file and its position there, as FileOrdinal and RowOrdinal give them.
	// Nil for other statements, and where all rows go.
	Gone Node
	// Rewrite yields the rows of the touched files and new ones; nil for DELETE.
	Rewrite *Rows
	// Once is Rewrite where rows of the table meet several source rows that
	// want the same; nil where Rewrite does.
	Once *Rows
	// Patch is Rewrite for changing rows in their places; nil where the table or
	// the statement asks for more than that.
	Patch *Patch
	// Schema as in Insert.
	Schema   []types.Field
	Identity []string
	// Parameters describe the statement in the table's history.
	Parameters map[string]string
	Pos        sparksql.Pos
}

// Truncate deletes all rows.
type Truncate struct {
	Target *Source
	Pos    sparksql.Pos
}

func (*Insert) isStatement()   {}
func (*Change) isStatement()   {}
func (*Truncate) isStatement() {}
