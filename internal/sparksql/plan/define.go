package plan

import (
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// TableColumn is a column of a table that is made or altered.
type TableColumn struct {
	types.Field
	ColumnRule
}

// CreateTable is CREATE [OR REPLACE] TABLE and REPLACE TABLE.
type CreateTable struct {
	Name []string // as written, one to three parts
	// Old is the table that is there already, nil without.
	Old *Source
	// Create and Replace say what to do where there is none and one.
	Create, Replace bool
	// Skip tells that IF NOT EXISTS found the table.
	Skip        bool
	Columns     []TableColumn
	PartitionBy []string
	ClusterBy   [][]string
	Properties  map[string]string
	Comment     string
	// Location is where the table lies, "" for the catalog's own place; Path
	// tells that it is the table's name, too.
	Location string
	Path     bool
	// Adopt is the table that lies at Location already and becomes this one, nil
	// without.
	Adopt *Source
	// Rows are those of AS SELECT, nil without.
	Rows *Rows
	// Clone is the table of SHALLOW CLONE, nil without.
	Clone *Source
	// Files makes it a table of files, nil for a Delta table. Lines are its Rows
	// as text (FileTable.Lines).
	Files *FileTable
	Lines Node
	Pos   sparksql.Pos
}

// DropTable is DROP TABLE.
type DropTable struct {
	Name []string
	// Missing tells that IF EXISTS found no table.
	Missing bool
	Pos     sparksql.Pos
}

// EditKind is one change of a table's columns.
type EditKind uint8

// Edits of columns.
const (
	EditAdd EditKind = iota
	EditDrop
	EditRename
	EditType
	EditComment
	EditNotNull // SET NOT NULL with On, else DROP NOT NULL
	EditDefault // Text "" drops it
	EditMove
)

// Edit changes one column or field. Path leads to it, through "element", "key"
// and "value" of arrays and maps; of EditAdd, to the new one.
type Edit struct {
	Kind   EditKind
	Path   []string
	Column TableColumn // of EditAdd; Type of EditType
	Name   string      // of EditRename
	Text   string      // of EditComment and EditDefault
	On     bool
	// Position is "", "first" or "after" with After.
	Position, After string
}

// AlterTable changes what a table is. One of its parts is set.
type AlterTable struct {
	Target *Source
	Edits  []Edit
	// Properties are merged into the table's; an empty text deletes one.
	Properties map[string]string
	// Unset are, of a table of files, properties that go.
	Unset []string
	// Check is a new CHECK and the plan that finds rows which break it.
	Check     *Constraint
	Violation Node
	// RenameTo is the table's new name, nil without.
	RenameTo []string
	// ClusterBy replaces the clustering; Clustering tells that it is set.
	ClusterBy  [][]string
	Clustering bool
	// DropFeature is a table feature to take away, nil without.
	DropFeature *FeatureDrop
	// Location is the table that the name is to stand for, nil without.
	Location *Source
	// Operation and Parameters describe the statement in the table's history; ""
	// for one that makes no version.
	Operation  string
	Parameters map[string]string
	Pos        sparksql.Pos
}

// FeatureDrop is DROP FEATURE name [TRUNCATE HISTORY].
type FeatureDrop struct {
	Name     string
	Truncate bool
}

// Optimize merges small files and orders rows.
type Optimize struct {
	Target *Source
	// Where keeps to the partitions that fulfil it, a plan of the files; nil is all.
	Where  Node
	Text   string
	ZOrder []string
	Full   bool // all files of a clustered table
	Purge  bool // REORG ... APPLY (PURGE)
	// MinFileBytes and MaxFileBytes are the session's sizes of files to merge
	// and to make, 0 where it has none.
	MinFileBytes, MaxFileBytes int64
	Pos                        sparksql.Pos
}

// Vacuum deletes files that no version within the retention needs.
type Vacuum struct {
	Target *Source
	// Retain is the retention in hours, nil for the table's own.
	Retain *float64
	DryRun bool
	Pos    sparksql.Pos
}

// Restore makes the table what Source is, a version of it.
type Restore struct {
	Target, Source *Source
	Parameters     map[string]string
	Pos            sparksql.Pos
}

func (*CreateTable) isStatement() {}
func (*DropTable) isStatement()   {}
func (*AlterTable) isStatement()  {}
func (*Optimize) isStatement()    {}
func (*Vacuum) isStatement()      {}
func (*Restore) isStatement()     {}

// Fields are the columns' names and types.
func (c *CreateTable) Fields() []types.Field {
	out := make([]types.Field, len(c.Columns))
	for i, col := range c.Columns {
		out[i] = col.Field
	}
	return out
}
