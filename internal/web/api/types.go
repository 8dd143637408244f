package api

import (
	"fmt"
	"time"
)

// Status tells who runs and where.
type Status struct {
	Version   string            `json:"version"`
	Project   string            `json:"project"`
	Target    string            `json:"target"`
	PID       int               `json:"pid"`
	DataDir   string            `json:"data_dir"`
	Started   time.Time         `json:"started"`
	Addresses map[string]string `json:"addresses"` // http, mqtts, mqtt, websocket -> host:port
	Hub       Hub               `json:"hub"`
	Memory    int64             `json:"memory_bytes"` // resident set of the process
}

// Hub is the state of the device front.
type Hub struct {
	Name       string  `json:"name"`
	Topic      string  `json:"topic"`
	Partitions int     `json:"partitions"`
	Devices    int     `json:"devices"`
	Connected  int     `json:"connected"`
	Accepted   int64   `json:"accepted"`          // messages since the start
	Rejected   int64   `json:"rejected"`          // messages and connections refused since the start
	PerSecond  float64 `json:"per_second"`        // accepted, over the last seconds
	Records    int64   `json:"records"`           // kept in the log
	Problem    string  `json:"problem,omitempty"` // why the hub does not acknowledge, if it does not
}

// Pipeline is one pipeline with its graph.
type Pipeline struct {
	Key        string    `json:"key"`
	Name       string    `json:"name"`
	State      string    `json:"state"` // RUNNING, IDLE, FAILED, STOPPED
	Continuous bool      `json:"continuous"`
	UpdateID   string    `json:"update_id"`
	Started    time.Time `json:"started"`
	Error      string    `json:"error,omitempty"`
	Nodes      []Node    `json:"nodes"`
	Edges      []Edge    `json:"edges"`
}

// Node is a dataset or a source of a pipeline.
type Node struct {
	ID    string `json:"id"`    // full name; for sources a stable key
	Name  string `json:"name"`  // short name
	Kind  string `json:"kind"`  // LOG, FILES, TABLE, STREAMING_TABLE, MATERIALIZED_VIEW, VIEW
	State string `json:"state"` // RUNNING, WAITING, IDLE, FAILED
	Error string `json:"error,omitempty"`

	RowsIn         int64         `json:"rows_in"` // since the checkpoint began
	RowsOut        int64         `json:"rows_out"`
	RowsDropped    int64         `json:"rows_dropped"`
	RowsQuarantine int64         `json:"rows_quarantined"`
	PerSecond      float64       `json:"per_second"`
	Backlog        int64         `json:"backlog"`     // records not yet read
	LagSeconds     float64       `json:"lag_seconds"` // age of the oldest record not yet read
	Version        int64         `json:"version"`     // of the Delta table, -1 before the first commit
	Batch          int64         `json:"batch"`
	BatchSeconds   float64       `json:"batch_seconds"`
	LastCommit     time.Time     `json:"last_commit"`
	Comment        string        `json:"comment,omitempty"`
	Expectations   []Expectation `json:"expectations,omitempty"`
}

// Edge says that To reads From (node IDs).
type Edge struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Expectation is a rule with its counts since the checkpoint began.
type Expectation struct {
	Name   string `json:"name"`
	Text   string `json:"text"`
	Action string `json:"action"` // WARN, DROP, QUARANTINE, FAIL
	Passed int64  `json:"passed"`
	Failed int64  `json:"failed"`
}

// Device is one entry of the registry. Keys and ConnectionString are given
// only when the device is made or asked for by name.
type Device struct {
	ID               string    `json:"id"`
	Status           string    `json:"status"` // enabled, disabled
	Connected        bool      `json:"connected"`
	Created          time.Time `json:"created"`
	LastActivity     time.Time `json:"last_activity,omitzero"`
	PrimaryKey       string    `json:"primary_key,omitempty"`
	SecondaryKey     string    `json:"secondary_key,omitempty"`
	ConnectionString string    `json:"connection_string,omitempty"`
}

// Table is a table or view of the catalog.
type Table struct {
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	Owner   string    `json:"owner"`
	Comment string    `json:"comment,omitempty"`
	Columns []Column  `json:"columns"`
	Path    string    `json:"path,omitempty"`
	Updated time.Time `json:"updated"`
}

// Column is a result's or a table's column; Type is Spark's simpleString.
type Column struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
	Comment  string `json:"comment,omitempty"`
}

// Commit is a line of a table's history.
type Commit struct {
	Version    int64             `json:"version"`
	Time       time.Time         `json:"timestamp"`
	Operation  string            `json:"operation"`
	Parameters map[string]string `json:"operation_parameters,omitempty"`
	Metrics    map[string]string `json:"operation_metrics,omitempty"`
	Engine     string            `json:"engine_info,omitempty"`
}

// Lineage tells where a table's columns come from.
type Lineage struct {
	Table   string          `json:"table"`
	MadeBy  string          `json:"made_by"`
	Updated time.Time       `json:"updated"`
	Sources []LineageSource `json:"sources"` // what is read
	// Readers are the tables and views that read this one, by full name.
	Readers []string        `json:"readers"`
	Columns []LineageColumn `json:"columns"`
	Rows    []LineageInput  `json:"rows,omitempty"` // what decides which rows there are
}

// LineageSource is something that is read: Kind is table, kafka or files.
type LineageSource struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// LineageColumn is a column with its inputs.
type LineageColumn struct {
	Name   string         `json:"name"`
	Inputs []LineageInput `json:"inputs"`
}

// LineageInput is a source's column, or a field of it behind dots, and how it
// is used, in OpenLineage's words: Type DIRECT or INDIRECT, Subtype IDENTITY,
// TRANSFORMATION, AGGREGATION, JOIN, GROUP_BY, FILTER, SORT, WINDOW or
// CONDITIONAL.
type LineageInput struct {
	Source  LineageSource `json:"source"`
	Field   string        `json:"field"`
	Type    string        `json:"type"`
	Subtype string        `json:"subtype"`
	Masking bool          `json:"masking"`
}

// SQLRequest asks for a statement to be run. Limit bounds the rows sent, 0 is
// no bound.
type SQLRequest struct {
	Statement string `json:"statement"`
	Catalog   string `json:"catalog,omitempty"`
	Schema    string `json:"schema,omitempty"`
	Limit     int    `json:"limit,omitempty"`
	// Conf are the session's settings, as the last SQLDone gave them.
	Conf map[string]string `json:"conf,omitempty"`
	// Session names the session that the statement belongs to, as the client
	// likes: what statements of one session make (variables, temporary views
	// and functions, settings) lasts between them. Catalog, Schema and Conf
	// count at its start only. Without, the statement has a session of its own.
	Session string `json:"session,omitempty"`
}

// SQLLine is one line of the answer to an SQLRequest (application/x-ndjson):
// first Columns, then Rows several times, last Done or Error. Values are the
// texts of a CAST to STRING, null for NULL.
type SQLLine struct {
	Columns []Column    `json:"columns,omitempty"`
	Rows    [][]*string `json:"rows,omitempty"`
	Done    *SQLDone    `json:"done,omitempty"`
	Error   *Error      `json:"error,omitempty"`
}

// SQLDone ends a result.
type SQLDone struct {
	Rows      int64   `json:"rows"`
	Seconds   float64 `json:"seconds"`
	Truncated bool    `json:"truncated,omitempty"` // Limit cut it off
	// Catalog, Schema and Conf are the session's after the statement: USE and
	// SET change them. Without a session's name, send them with the next
	// statement.
	Catalog string            `json:"catalog,omitempty"`
	Schema  string            `json:"schema,omitempty"`
	Conf    map[string]string `json:"conf,omitempty"`
}

// Error is every error answer: Code is Spark's error class for statements,
// else an upper-case word (NOT_FOUND, UNAUTHENTICATED, INVALID_ARGUMENT, ...).
type Error struct {
	Code     string `json:"code"`
	Message  string `json:"message"`
	SQLState string `json:"sql_state,omitempty"`
	Line     int    `json:"line,omitempty"`
	Col      int    `json:"col,omitempty"`
	Hint     string `json:"hint,omitempty"`
}

// Error is the message with its place and code.
func (e *Error) Error() string {
	s := "[" + e.Code + "] " + e.Message
	if e.Line > 0 {
		s = fmt.Sprintf("%d:%d: %s", e.Line, e.Col, s)
	}
	if e.Hint != "" {
		s += " " + e.Hint
	}
	return s
}

// Live is what the page's event stream sends each second.
type Live struct {
	Time      time.Time  `json:"time"`
	Status    Status     `json:"status"`
	Pipelines []Pipeline `json:"pipelines"`
}
