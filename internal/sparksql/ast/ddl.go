package ast

import "github.com/marisma/marisma/internal/sparksql/types"

// Identity is GENERATED {ALWAYS | BY DEFAULT} AS IDENTITY (START WITH n INCREMENT BY n).
type Identity struct {
	Always      bool
	Start, Step int64
}

// TableColumn is a column of CREATE TABLE and ALTER TABLE ADD COLUMNS.
type TableColumn struct {
	At
	Path      Name // more than one part adds a field to a struct
	Type      types.Type
	NotNull   bool
	Comment   string
	Default   Expr
	Generated Expr
	// Text is the text of Default or of Generated.
	Text     string
	Identity *Identity
	// Position is "", "first" or "after" with After.
	Position string
	After    Ident
}

// PartitionItem is a term of PARTITIONED BY: a column's name, a column with its
// type, or a transform such as days(ts).
type PartitionItem struct {
	At
	Name      Name
	Type      types.Type // nil for a name alone
	Transform string     // the function's name, "" without
}

// Clone is SHALLOW CLONE t [VERSION | TIMESTAMP AS OF x].
type Clone struct {
	Source             Target
	Version, Timestamp Expr
}

// CreateTable is CREATE [OR REPLACE] TABLE and REPLACE TABLE.
type CreateTable struct {
	Stmt
	// Create is false for REPLACE TABLE, Replace true there and for OR REPLACE.
	Create, Replace bool
	IfNotExists     bool
	External        bool
	Target          Target
	Columns         []TableColumn
	Provider        string
	PartitionBy     []PartitionItem
	ClusterBy       []Name
	Clustered       bool // CLUSTER BY was written
	Buckets         bool // CLUSTERED BY ... INTO n BUCKETS
	Properties      []Property
	Options         []Property
	Comment         string
	Location        string
	// Constraint is the first table constraint's word, "" without: none of
	// them is kept by a Delta table.
	Constraint string
	Like       Target
	Clone      *Clone
	Query      *Query
}

// DropTable is DROP TABLE [IF EXISTS] t [PURGE].
type DropTable struct {
	Stmt
	Target   Target
	IfExists bool
	Purge    bool
}

// AlterTable is ALTER TABLE t with one action.
type AlterTable struct {
	Stmt
	Target Target
	View   bool // ALTER VIEW
	Action AlterAction
}

// AlterAction is what ALTER TABLE does.
type AlterAction interface {
	Node
	isAlter()
}

// AddColumns is ADD COLUMN[S]; with Replace, REPLACE COLUMNS.
type AddColumns struct {
	At
	Columns []TableColumn
	Replace bool
}

// DropColumns is DROP COLUMN[S] [IF EXISTS].
type DropColumns struct {
	At
	IfExists bool
	Columns  []Name
}

// RenameColumn is RENAME COLUMN a.b TO c.
type RenameColumn struct {
	At
	From Name
	To   Ident
}

// AlterColumn is one column's change of ALTER COLUMN or CHANGE COLUMN; several
// of one statement stand in AlterColumns.
type AlterColumn struct {
	At
	Column  Name
	NewName *Ident // CHANGE COLUMN a b ...
	Type    types.Type
	Comment *string
	NotNull *bool // SET and DROP NOT NULL
	Default Expr
	Text    string // the default as written
	// DropDefault, Position, After and Sync are DROP DEFAULT, FIRST | AFTER x and
	// SYNC IDENTITY.
	DropDefault bool
	Position    string
	After       Ident
	Sync        bool
}

// AlterColumns is ALTER COLUMN a ..., b ...
type AlterColumns struct {
	At
	Columns []AlterColumn
}

// SetProperties is SET TBLPROPERTIES.
type SetProperties struct {
	At
	Properties []Property
}

// UnsetProperties is UNSET TBLPROPERTIES [IF EXISTS].
type UnsetProperties struct {
	At
	IfExists bool
	Keys     []Property
}

// AddConstraint is ADD CONSTRAINT name CHECK (x), or a key.
type AddConstraint struct {
	At
	Name Ident
	// Kind is "check", "primary key", "foreign key" or "unique".
	Kind string
	Cond Expr
	Text string // the condition, its tokens with blanks between
}

// DropConstraint is DROP CONSTRAINT [IF EXISTS] name.
type DropConstraint struct {
	At
	Name     Ident
	IfExists bool
}

// RenameTable is RENAME TO name.
type RenameTable struct {
	At
	To Name
}

// AlterClusterBy is CLUSTER BY (a, b.c) or CLUSTER BY NONE, without columns.
type AlterClusterBy struct {
	At
	Columns []Name
}

// DropFeature is DROP FEATURE name [TRUNCATE HISTORY].
type DropFeature struct {
	At
	Name     string
	Truncate bool
}

// SetLocation is SET LOCATION 'path'.
type SetLocation struct {
	At
	Path string
}

// AlterOther is an action that tables of this engine do not have; What names it:
// "partition", "serde" or "recover partitions". Of partitions, Verb is "add",
// "drop" or "repair", "" for another; Lenient is IF [NOT] EXISTS.
type AlterOther struct {
	At
	What    string
	Verb    string
	Specs   [][]PartitionValue
	Lenient bool
}

func (*AddColumns) isAlter()      {}
func (*DropColumns) isAlter()     {}
func (*RenameColumn) isAlter()    {}
func (*AlterColumns) isAlter()    {}
func (*SetProperties) isAlter()   {}
func (*UnsetProperties) isAlter() {}
func (*AddConstraint) isAlter()   {}
func (*DropConstraint) isAlter()  {}
func (*RenameTable) isAlter()     {}
func (*AlterClusterBy) isAlter()  {}
func (*DropFeature) isAlter()     {}
func (*SetLocation) isAlter()     {}
func (*AlterOther) isAlter()      {}
