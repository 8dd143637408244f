package ast

// Statement is one statement of a file.
type Statement interface {
	Node
	// Source is the statement's text without the semicolon.
	Source() string
	isStatement()
}

// Stmt is what every statement embeds.
type Stmt struct {
	At
	Text string
	// Dynamic: a name in the statement is IDENTIFIER(x); see Resolve.
	Dynamic bool
}

// Source is the statement's text.
func (s Stmt) Source() string { return s.Text }

// SetSource sets the statement's text, once the parser knows where it ends.
func (s *Stmt) SetSource(text string) { s.Text = text }

// SetDynamic marks that a name in the statement is IDENTIFIER(x).
func (s *Stmt) SetDynamic() { s.Dynamic = true }

// HasDynamic tells whether a name in the statement is IDENTIFIER(x).
func (s Stmt) HasDynamic() bool { return s.Dynamic }

func (Stmt) isStatement() {}

// QueryStatement is a query as a statement.
type QueryStatement struct {
	Stmt
	Query *Query
}

// DatasetKind is what a pipeline statement makes.
type DatasetKind uint8

// Dataset kinds.
const (
	StreamingTable DatasetKind = iota
	MaterializedView
	TemporaryView
)

// Expectation is CONSTRAINT name EXPECT (cond) [ON VIOLATION action].
type Expectation struct {
	At
	Name Ident
	Cond Expr
	Text string // the condition as written
	// Action is "", "drop" or "fail".
	Action string
}

// Clauses are the clauses that datasets and views share.
type Clauses struct {
	Columns      []ColumnDef
	Expectations []Expectation
	Comment      string
	Properties   []Property
	PartitionBy  []Ident
	ClusterBy    []Ident
	Provider     string // USING delta
	SchemaMode   string // WITH SCHEMA of a view: "" or as in AlterView
	// Unsupported lists clauses that are understood but change what Marisma
	// does not do: SCHEDULE, ROW FILTER, MASK, LOCATION, ...
	Unsupported []Ident
}

// CreateDataset is CREATE [OR REFRESH] STREAMING TABLE / MATERIALIZED VIEW, or
// a pipeline's CREATE TEMPORARY VIEW with expectations.
type CreateDataset struct {
	Stmt
	Kind        DatasetKind
	Refresh     bool // OR REFRESH
	Replace     bool // OR REPLACE
	Private     bool
	IfNotExists bool
	Name        Name
	Clauses
	Query *Query    // nil for a table that flows fill
	Flow  *FlowSpec // FLOW ... instead of AS query
}

// FlowSpec is what a flow does: append a query, or apply changes.
type FlowSpec struct {
	At
	Once   bool
	ByName bool
	Query  *Query // nil for AUTO CDC
	CDC    *AutoCDC
}

// AutoCDC is AUTO CDC INTO / APPLY CHANGES INTO.
type AutoCDC struct {
	At
	Source            TableRef
	Keys              []Ident
	IgnoreNullUpdates bool
	DeleteWhen        Expr
	TruncateWhen      Expr
	SequenceBy        Expr
	Columns           []Ident
	ExceptColumns     []Ident
	// SCD is 1 or 2.
	SCD                int
	TrackHistory       []Ident
	TrackHistoryExcept []Ident
}

// CreateFlow is CREATE FLOW name AS INSERT INTO t ... or AS AUTO CDC INTO t ...
type CreateFlow struct {
	Stmt
	Name    Name
	Comment string
	Target  Name
	Flow    FlowSpec
}

// CreateView is CREATE VIEW.
type CreateView struct {
	Stmt
	Name        Name
	Replace     bool
	Temporary   bool
	Global      bool
	IfNotExists bool
	Clauses
	Query *Query
}

// Command is a statement that the session runs without a plan; Args as in
// plan.Command.
type Command struct {
	Stmt
	Verb string
	Name Name
	Args map[string]string
}

// Explain is EXPLAIN [mode] statement; Mode is "", "extended", "formatted",
// "codegen" or "cost".
type Explain struct {
	Stmt
	Mode      string
	Statement Statement
}

// Unsupported is a statement that is recognised by its first words and not
// parsed further: those that change data or tables.
type Unsupported struct {
	Stmt
	Word string // "INSERT", "ALTER TABLE", ...
}
