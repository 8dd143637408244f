package query

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

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

// outOfRange is DuckDB's word for a number that a narrower type does not hold.
var outOfRange = regexp.MustCompile(`Type \w+ with value (\S+) can't be cast because the value is out of range for the destination type (INT\d+)`)

// engineTypes are Spark's names of DuckDB's storage types.
var engineTypes = map[string]string{"INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INT", "INT64": "BIGINT"}

// engineMessage is DuckDB's message without the text that it ran, which is not
// the user's, and without the kind, which the class tells.
func engineMessage(m string) string {
	m, _, _ = strings.Cut(m, "\n\nLINE ")
	if _, rest, ok := strings.Cut(m, " Error: "); ok {
		m = rest
	}
	return strings.TrimSpace(m)
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
		out.Message = engineMessage(q.Message)
		if m := outOfRange.FindStringSubmatch(out.Message); m != nil {
			out.Class, out.SQLState = "CAST_OVERFLOW", "22003"
			out.Message = fmt.Sprintf("the value %s does not fit into %s.", m[1], engineTypes[m[2]])
			out.Hint = "Use try_cast to get NULL instead."
		}
	default:
		return err
	}
	return out
}
