package query

import (
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/worker"
)

// RuntimeError gives an error of execution its Spark class: *sparksql.Error
// where lowered SQL raised it or DuckDB's own error has a counterpart, err
// itself else.
func RuntimeError(err error) error {
	q, ok := worker.AsQueryError(err)
	if !ok {
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
