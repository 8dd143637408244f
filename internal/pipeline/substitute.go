package pipeline

import (
	"fmt"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
)

// substitute puts the values of the pipeline's configuration in place of
// ${key}. Unknown keys are errors at their places; all are reported.
func substitute(file, text string, conf map[string]string) (string, []error) {
	var out strings.Builder
	var errs []error
	for at := 0; ; {
		i := strings.Index(text[at:], "${")
		if i < 0 {
			out.WriteString(text[at:])
			return out.String(), errs
		}
		i += at
		out.WriteString(text[at:i])
		end := strings.IndexByte(text[i:], '}')
		if end < 0 || strings.ContainsAny(text[i:i+end], "\n") {
			errs = append(errs, parameterError(file, text, i, "this ${ has no closing }."))
			out.WriteString("${")
			at = i + 2
			continue
		}
		key := strings.TrimSpace(text[i+2 : i+end])
		value, ok := conf[key]
		if !ok {
			errs = append(errs, parameterError(file, text, i, fmt.Sprintf("the pipeline's configuration has no key %q.", key)))
		}
		out.WriteString(value)
		at = i + end + 1
	}
}

func parameterError(file, text string, offset int, message string) error {
	before := text[:offset]
	line := strings.Count(before, "\n")
	col := len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	return &sparksql.Error{
		Class: "UNBOUND_SQL_PARAMETER", SQLState: "42P02", Phase: sparksql.PhaseParse,
		Pos:     sparksql.Pos{File: file, Line: line + 1, Col: col + 1, Offset: offset},
		Message: message, Hint: "Values stand under `configuration` of the pipeline.",
	}
}
