package pipeline

import "time"

// States of a pipeline; nodes have those of package flow.
const (
	StateRunning = "RUNNING"
	StateIdle    = "IDLE"
	StateFailed  = "FAILED"
	StateStopped = "STOPPED"
)

// Kinds of nodes.
const (
	KindLog       = "LOG"
	KindFiles     = "FILES"
	KindTable     = "TABLE"
	KindStreaming = "STREAMING_TABLE"
	KindView      = "VIEW"
	KindMatView   = "MATERIALIZED_VIEW"
)

// Status is a pipeline as it is now.
type Status struct {
	Key        string
	Name       string
	State      string // RUNNING, IDLE, FAILED, STOPPED
	Continuous bool
	UpdateID   string
	Started    time.Time
	Error      string
	Nodes      []Node
	Edges      []Edge
}

// Node is a dataset or a source.
type Node struct {
	ID             string // full name; a stable key for sources
	Name           string
	Kind           string
	State          string // RUNNING, WAITING, IDLE, FAILED
	Error          string
	RowsIn         int64 // since the checkpoint began, like all counts
	RowsOut        int64
	RowsDropped    int64
	RowsQuarantine int64
	PerSecond      float64 // rows in, over the last seconds
	Backlog        int64   // records not yet read
	LagSeconds     float64 // age of the oldest of them
	Version        int64   // of the Delta table, -1 without one
	Batch          int64
	BatchSeconds   float64 // how long the last batch took
	LastCommit     time.Time
	Comment        string
	Expectations   []Expectation
}

// Edge says that To reads From (IDs of nodes).
type Edge struct {
	From string
	To   string
}

// Expectation is a rule with its counts.
type Expectation struct {
	Name   string
	Text   string
	Action string // WARN, DROP, QUARANTINE, FAIL
	Passed int64
	Failed int64
}
