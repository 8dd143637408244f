package plan

import (
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Statement is an analysed statement: *Query, *CreateDataset, *CreateView,
// *Command, and those of session.go.
type Statement interface{ isStatement() }

// Query is a SELECT.
type Query struct{ Plan Node }

// DatasetKind is what a pipeline statement defines.
type DatasetKind uint8

// Dataset kinds.
const (
	StreamingTable DatasetKind = iota
	MaterializedView
	TemporaryView // a view of the pipeline that is not published
)

// Action is what a violated expectation does.
type Action uint8

// Expectation actions; ActionWarn keeps the row and counts it.
const (
	ActionWarn Action = iota
	ActionDrop
	ActionFail
)

// Expectation is CONSTRAINT name EXPECT (cond) [ON VIOLATION ...]. Cond is
// over the query's output attributes.
type Expectation struct {
	Name   string
	Text   string // the condition as written
	Cond   Expr
	Action Action
	Pos    sparksql.Pos
}

// CreateDataset is a pipeline's CREATE [OR REFRESH] STREAMING TABLE /
// MATERIALIZED VIEW / TEMPORARY VIEW.
type CreateDataset struct {
	Kind         DatasetKind
	Name         []string      // as written, one to three parts
	Columns      []types.Field // declared columns with types, nil when only the query says; Comment filled
	Comment      string
	Properties   map[string]string
	PartitionBy  []string
	ClusterBy    []string
	Expectations []Expectation
	// Plan yields exactly the table's columns: names from the column list where
	// given, values cast to the declared types. It is nil for a table that only
	// flows fill.
	Plan Node
	Text string // the statement's text
	Pos  sparksql.Pos
}

// CreateView is a view over a query; Text is the query as written, Query are
// the names of its columns, one for each of Columns.
type CreateView struct {
	Name        []string
	Columns     []types.Field
	Query       []string
	Comment     string
	Properties  map[string]string
	SchemaMode  string // "" is COMPENSATION
	Temporary   bool
	Global      bool // of all sessions
	Replace     bool
	IfNotExists bool
	Plan        Node
	Text        string
	Pos         sparksql.Pos
}

// Explain shows the plan of a statement instead of running it. Mode is "",
// "extended", "formatted", "codegen" or "cost". Err is set instead of Of where
// the statement cannot be analysed.
type Explain struct {
	Mode string
	Of   Statement
	Err  error
}

// Command is a statement without a plan that the session runs itself (SHOW,
// DESCRIBE, USE, SET, CREATE SCHEMA, ...).
type Command struct {
	Verb    string            // "show tables", "describe table", "use schema", "set", "create schema", "drop schema", ...
	Name    []string          // the object, where the verb has one
	Args    map[string]string // like "pattern", "key", "value", "comment"; flags hold "true"
	Columns []Attr            // the result's columns
	Pos     sparksql.Pos
}

func (*Query) isStatement()         {}
func (*CreateDataset) isStatement() {}
func (*CreateView) isStatement()    {}
func (*Command) isStatement()       {}
func (*Explain) isStatement()       {}
