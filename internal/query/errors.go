package query

import (
	"errors"

	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/worker"
)

// engineErrors maps the kinds of errors that DuckDB raises by itself to
// Spark's classes. Most cannot happen, for lowered SQL guards what can raise;
// what is left over keeps DuckDB's words.
var engineErrors = map[string][2]string{
	"Out of Range Error": {"ARITHMETIC_OVERFLOW", "22003"},
	"Conversion Error":   {"CAST_INVALID_INPUT", "22018"},
}

// RuntimeError gives an error of execution its Spark class: *sparksql.Error
// where lowered SQL raised it or DuckDB's own error has a counterpart, err
// itself else.
func RuntimeError(err error) error {
	var q *worker.QueryError
	if d, ok := errors.AsType[*duck.Error](err); ok {
		q = &worker.QueryError{Message: d.Message, Class: d.Class, SQLState: d.SQLState, Kind: d.Kind, Memory: errors.Is(err, duck.ErrMemory)}
	} else if q, ok = errors.AsType[*worker.QueryError](err); !ok {
		return err
	}
	out := &sparksql.Error{Class: q.Class, SQLState: q.SQLState, Phase: sparksql.PhaseRuntime, Message: q.Message}
	switch known, ok := engineErrors[q.Kind]; {
	case q.Memory:
		out.Class, out.SQLState = "OUT_OF_MEMORY", "53200"
		out.Message = "the statement needs more memory than it may use."
		out.Hint = "Read fewer rows or columns, or raise `memory` in marisma.yml."
	case q.Class != "":
	case ok:
		out.Class, out.SQLState = known[0], known[1]
	default:
		return err
	}
	return out
}
