package duck

import (
	"context"
	"errors"
	"strings"

	"github.com/marisma/marisma/internal/duck/kernel"
)

// Families of errors, for errors.Is.
var (
	// ErrMemory: the query needs more than the instance's share of the budget.
	ErrMemory = errors.New("duckdb: out of memory")
	// ErrClosed: the pool is closed, or the Conn was given back.
	ErrClosed = errors.New("duckdb: pool or connection is closed")
	// ErrBusy: the connection still has an open Reader.
	ErrBusy = errors.New("duckdb: connection has an open result")
	// ErrScanned: a query reads a Source twice that can be read once.
	ErrScanned = errors.New("duckdb: source can be scanned only once")
	// ErrRefused: a statement that the sandbox does not allow.
	ErrRefused = errors.New("duckdb: statement not allowed in the sandbox")
)

// Error is what DuckDB said about a query.
type Error struct {
	Message  string // without DuckDB's prefix where the SQL raised it with a class
	Class    string // Spark's error class when the SQL raised it, else ""
	SQLState string // of Class, else ""
	Kind     string // DuckDB's kind: "Binder Error", "Conversion Error", ...
	cause    error
}

// Error is the message, with its class before it.
func (e *Error) Error() string {
	if e.Class != "" {
		s := "[" + e.Class + "] " + e.Message
		if e.SQLState != "" {
			s += " SQLSTATE: " + e.SQLState
		}
		return s
	}
	return "duckdb: " + e.Message
}

// Unwrap is the error of the Source or the context that stopped the query, or
// ErrMemory, or nil.
func (e *Error) Unwrap() error { return e.cause }

// newError reads DuckDB's text: "Kind Error: [MARISMA:[CLASS]] message".
func newError(text string, cause error) error {
	e := &Error{Message: text, cause: cause}
	if kind, _, ok := strings.Cut(text, ": "); ok && strings.HasSuffix(kind, "Error") && len(kind) < 40 {
		e.Kind = kind
	}
	if strings.HasPrefix(text, "Out of Memory Error") && cause == nil {
		e.cause = ErrMemory
	}
	_, rest, ok := strings.Cut(text, kernel.Marker)
	if !ok {
		return e
	}
	e.Message = rest
	if class, msg, ok := strings.Cut(rest, "] "); ok && strings.HasPrefix(class, "[") {
		e.Class, e.Message = class[1:], msg
	}
	if i := strings.LastIndex(e.Message, "SQLSTATE: "); i >= 0 {
		state, _, _ := strings.Cut(e.Message[i+len("SQLSTATE: "):], "\n")
		e.SQLState, e.Message = strings.TrimSpace(state), strings.TrimSpace(e.Message[:i])
	}
	return e
}

// fail makes the error of a query: why it was stopped counts more than what
// DuckDB says about having been stopped.
func (c *Conn) fail(ctx context.Context, text string) error {
	if err := c.sourceError(); err != nil {
		return newError(text, err)
	}
	if err := ctx.Err(); err != nil {
		return newError(text, context.Cause(ctx))
	}
	return newError(text, nil)
}
