package sparksql

import (
	"errors"
	"fmt"
	"strings"
)

// Pos is a place in a source text. Line and Col count from 1, Col in Unicode
// code points as editors do; Offset is the byte offset from 0. The zero Pos
// is "unknown".
type Pos struct {
	File   string
	Line   int
	Col    int
	Offset int
}

// IsZero tells whether the position is unknown.
func (p Pos) IsZero() bool { return p.Line == 0 }

// String is "file:line:col", "line:col" without a file, "" when unknown.
func (p Pos) String() string {
	switch {
	case p.IsZero():
		return ""
	case p.File == "":
		return fmt.Sprintf("%d:%d", p.Line, p.Col)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Phase says when an error was found.
type Phase string

// The phases of a statement, as Spark tells them apart.
const (
	PhaseParse    Phase = "parse"
	PhaseAnalysis Phase = "analysis"
	PhaseRuntime  Phase = "runtime"
)

// Error is a statement's error with Spark's error class and SQLSTATE (the
// names are Spark's, see its error-conditions; the words are ours).
type Error struct {
	Class    string // UNRESOLVED_COLUMN.WITH_SUGGESTION, PARSE_SYNTAX_ERROR, ...
	SQLState string // 42703, ...
	Phase    Phase
	Pos      Pos
	Message  string // what is wrong, in one sentence, without class and place
	Hint     string // what to do: the nearest name, where it would run; may be empty
}

// Error prints "file:line:col: [CLASS] message hint SQLSTATE: state".
func (e *Error) Error() string {
	var b strings.Builder
	if p := e.Pos.String(); p != "" {
		b.WriteString(p)
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "[%s] %s", e.Class, e.Message)
	if e.Hint != "" {
		b.WriteString(" " + e.Hint)
	}
	if e.SQLState != "" {
		b.WriteString(" SQLSTATE: " + e.SQLState)
	}
	return b.String()
}

// ClassOf is the error class of err, or "" where err holds no *Error.
func ClassOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return ""
}
