package query

import (
	"errors"
	"regexp"
	"strings"

	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/worker"
)

// marker stands before the errors that lowered SQL raises itself.
const marker = "MARISMA:"

// raised is "[CLASS] message SQLSTATE: 12345" as lower writes it.
var raised = regexp.MustCompile(`(?s)^\[([A-Z0-9_.]+)\] (.*?)(?: SQLSTATE: ([0-9A-Z]{5}))?$`)

// engineErrors maps what DuckDB raises by itself to Spark's classes, by the
// beginning of its message. Most of it cannot happen, for lowered SQL guards
// what can raise; what is left over keeps DuckDB's words.
var engineErrors = []struct{ prefix, class, state string }{
	{"Out of Range Error", "ARITHMETIC_OVERFLOW", "22003"},
	{"Conversion Error", "CAST_INVALID_INPUT", "22018"},
	{"Out of Memory Error", "OUT_OF_MEMORY", "53200"},
}

// RuntimeError gives an error of execution its Spark class: *sparksql.Error
// where lowered SQL raised it or DuckDB's own error has a counterpart, err
// itself else.
func RuntimeError(err error) error {
	if err == nil {
		return nil
	}
	text, memory, ok := engineMessage(err)
	if !ok {
		return err
	}
	if memory {
		return &sparksql.Error{
			Class: "OUT_OF_MEMORY", SQLState: "53200", Phase: sparksql.PhaseRuntime,
			Message: "the statement needs more memory than it may use.",
			Hint:    "Read fewer rows or columns, or raise `memory` in marisma.yml.",
		}
	}
	if _, own, ok := strings.Cut(text, marker); ok {
		own, _, _ = strings.Cut(own, "\n\n")
		if m := raised.FindStringSubmatch(strings.TrimSpace(own)); m != nil {
			return &sparksql.Error{Class: m[1], SQLState: m[3], Phase: sparksql.PhaseRuntime, Message: m[2]}
		}
	}
	for _, e := range engineErrors {
		if rest, ok := strings.CutPrefix(text, e.prefix); ok {
			return &sparksql.Error{
				Class: e.class, SQLState: e.state, Phase: sparksql.PhaseRuntime,
				Message: strings.TrimPrefix(rest, ": "),
			}
		}
	}
	return err
}

// engineMessage is the text of an error that came out of DuckDB here or in a worker.
func engineMessage(err error) (text string, memory, ok bool) {
	if qe, ok := errors.AsType[*worker.QueryError](err); ok {
		return qe.Message, qe.Memory, true
	}
	if de, ok := errors.AsType[*duck.Error](err); ok {
		return de.Error(), errors.Is(err, duck.ErrMemory), true
	}
	return "", false, false
}
