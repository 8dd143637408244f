package ast

// Target is the table that a statement changes. One of Name and NameExpr
// (IDENTIFIER(x)) is set.
type Target struct {
	At
	Name     Name
	NameExpr Expr
	Alias    *Ident
}

// Prelude is WITH in front of a statement that changes a table.
type Prelude struct {
	With      []CTE
	Recursive bool
}

// PartitionValue is p = 'x' in PARTITION (...), or p alone: Value is nil.
type PartitionValue struct {
	Name  Ident
	Value Expr
}

// Insert is INSERT INTO and INSERT OVERWRITE.
type Insert struct {
	Stmt
	Prelude
	Target      Target
	Overwrite   bool
	Evolve      bool // WITH SCHEMA EVOLUTION
	Partition   []PartitionValue
	IfNotExists bool
	Columns     []Ident
	ByName      bool
	// Replace is "" or the word behind REPLACE: "where", "using" or "on".
	Replace     string
	ReplaceCond Expr   // of REPLACE WHERE and ON
	ReplaceText string // as written
	Query       *Query
}

// Inserts are several INSERTs behind one FROM, in the order in which they run.
type Inserts struct {
	Stmt
	List []*Insert
}

// Assignment is a.b = x; Value is a Column named DEFAULT for SET a = DEFAULT.
type Assignment struct {
	At
	Target Name
	Value  Expr
}

// Update is UPDATE t SET ... WHERE ...
type Update struct {
	Stmt
	Prelude
	Target Target
	Set    []Assignment
	Where  Expr
}

// Delete is DELETE FROM t WHERE ...
type Delete struct {
	Stmt
	Prelude
	Target    Target
	Where     Expr
	WhereText string // the condition as written
}

// MergeKind says which rows a clause of MERGE is for.
type MergeKind uint8

// The rows of a clause.
const (
	Matched MergeKind = iota
	NotMatched
	NotMatchedBySource
)

// MergeAction is what a clause of MERGE does.
type MergeAction uint8

// Actions of MERGE. All is UPDATE SET * and INSERT *.
const (
	MergeUpdate MergeAction = iota
	MergeDelete
	MergeInsert
)

// MergeClause is one WHEN of MERGE.
type MergeClause struct {
	At
	Kind   MergeKind
	Cond   Expr
	Text   string // of the condition as written
	Action MergeAction
	All    bool
	// Set are an UPDATE's assignments, and an INSERT's: each column with its
	// value.
	Set []Assignment
}

// Merge is MERGE INTO t USING s ON ... WHEN ...
type Merge struct {
	Stmt
	Prelude
	Target  Target
	Evolve  bool
	Using   TableRef
	On      Expr
	Clauses []MergeClause
}

// Truncate is TRUNCATE TABLE t [PARTITION (...)].
type Truncate struct {
	Stmt
	Target    Target
	Partition []PartitionValue
}

// Optimize is OPTIMIZE t [FULL] [WHERE ...] [ZORDER BY (...)].
type Optimize struct {
	Stmt
	Target    Target
	Full      bool
	Where     Expr
	WhereText string // the condition as written
	ZOrder    []Name
}

// Vacuum is VACUUM t [FULL | LITE] [RETAIN n HOURS] [DRY RUN].
type Vacuum struct {
	Stmt
	Target Target
	Lite   bool
	Retain *float64 // hours
	DryRun bool
}

// Restore is RESTORE [TABLE] t TO VERSION | TIMESTAMP AS OF x.
type Restore struct {
	Stmt
	Target             Target
	Version, Timestamp Expr
}

// Reorg is REORG TABLE t [WHERE ...] APPLY (PURGE | UPGRADE UNIFORM (...)).
type Reorg struct {
	Stmt
	Target Target
	Where  Expr
	Apply  string // "purge" or "upgrade uniform"
}
