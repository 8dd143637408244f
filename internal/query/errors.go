package query

import (
	"errors"

	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/worker"
)

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
	switch {
	case q.Memory:
		out.Class, out.SQLState = "OUT_OF_MEMORY", "53200"
		out.Message = "the statement needs more memory than it may use."
		out.Hint = "Read fewer rows or columns, or raise `memory` in marisma.yml."
	case q.Class != "":
	default:
		// Most of DuckDB's own errors cannot happen, for lowered SQL guards what
		// can raise; the rest keeps DuckDB's words.
		if e := lower.RuntimeError(q.Message); e != nil {
			return e
		}
		return err
	}
	return out
}
