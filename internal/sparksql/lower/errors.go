package lower

import (
	"regexp"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
)

// Marker stands before the error class in the text that error() raises.
const Marker = "MARISMA:"

// raise is a call that raises a Spark error; detail is a SQL text or "".
func raise(class, state, message string) string {
	return "error(" + quote(Marker+"["+class+"] "+message+" SQLSTATE: "+state) + ")"
}

// raiseValue names the value at hand in the message, which stands before and
// after it.
func raiseValue(class, state, before, value, after string) string {
	return "error(" + quote(Marker+"["+class+"] "+before) + " || coalesce(" + cast(value, "VARCHAR") + ", 'NULL') || " +
		quote(after+" SQLSTATE: "+state) + ")"
}

// inlineErrors makes the errors that a cell of VALUES raises those of the
// inline table.
func inlineErrors(sql string) string {
	sql = raisedHead.ReplaceAllString(sql, "error('"+Marker+"[INVALID_INLINE_TABLE.FAILED_SQL_EXPRESSION_EVALUATION] $1: ")
	return raisedTail.ReplaceAllString(sql, "$1 SQLSTATE: 42000')")
}

// The head and the tail of a call that raise or raiseValue printed; a literal
// cannot hold them, since its quotes are doubled.
var (
	raisedHead = regexp.MustCompile(`error\('` + Marker + `\[([A-Z0-9_.]+)\] `)
	raisedTail = regexp.MustCompile(`((?:error\('` + Marker + `|\|\| ')(?:[^']|'')*) SQLSTATE: [0-9A-Z]{5}'\)`)
)

var marked = regexp.MustCompile(`(?s)MARISMA:\[([A-Z0-9_.]+)\] (.*?)(?: SQLSTATE: ([0-9A-Z]{5}))?\s*$`)

// native are DuckDB's own texts of errors and the Spark classes they mean.
var native = []struct{ text, class, state, message string }{
	{"Overflow in addition of INT8", "BINARY_ARITHMETIC_OVERFLOW", "22003", ""}, {"Overflow in addition of INT16", "BINARY_ARITHMETIC_OVERFLOW", "22003", ""},
	{"Overflow in subtraction of INT8", "BINARY_ARITHMETIC_OVERFLOW", "22003", ""}, {"Overflow in subtraction of INT16", "BINARY_ARITHMETIC_OVERFLOW", "22003", ""},
	{"Overflow in multiplication of INT8", "BINARY_ARITHMETIC_OVERFLOW", "22003", ""}, {"Overflow in multiplication of INT16", "BINARY_ARITHMETIC_OVERFLOW", "22003", ""},
	{"of DECIMAL", "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", "A DECIMAL result does not fit."},
	{"Overflow in", "ARITHMETIC_OVERFLOW", "22003", ""},
	{"Overflow on abs", "ARITHMETIC_OVERFLOW", "22003", ""},
	{"Date and time not in timestamp range", "DATETIME_OVERFLOW", "22008", ""},
	{"Argument for ntile must be greater than zero", "INVALID_PARAMETER_VALUE", "22023", ""},
	{"Type INT128 with value", "ARITHMETIC_OVERFLOW", "22003", "A sum does not fit into BIGINT."},
	{"to DECIMAL(", "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", ""},
	{"to type DECIMAL(", "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", ""},
	{"the value is out of range for the destination type", "CAST_OVERFLOW", "22003", ""},
	{"Failed to cast decimal value", "CAST_OVERFLOW", "22003", ""},
	{"Map keys must be unique", "DUPLICATED_MAP_KEY", "23505", "A map got a key twice."},
	{"Map keys can not be NULL", "NULL_MAP_KEY", "2200E", "A map's key is NULL."},
	{"More than one row returned by a subquery", "SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000", "A scalar sub-query gave more than one row."},
	{"Max expression depth limit", "FAILED_TO_PARSE_TOO_COMPLEX", "54001", "The statement has too many operators or queries in a row: group or split them."},
	{"out of range", "DATETIME_OVERFLOW", "22008", ""},
}

// RuntimeError reads Spark's error out of the text of an error that DuckDB
// gave back; nil when it is none that a statement's data can cause.
func RuntimeError(text string) *sparksql.Error {
	if m := marked.FindStringSubmatch(text); m != nil {
		return &sparksql.Error{Class: m[1], SQLState: m[3], Phase: sparksql.PhaseRuntime, Message: strings.TrimSpace(m[2])}
	}
	for _, n := range native {
		if strings.Contains(text, n.text) {
			msg := n.message
			if msg == "" {
				_, msg, _ = strings.Cut(text, "Error: ")
				msg, _, _ = strings.Cut(msg, "\n\nLINE ") // what DuckDB ran is not the user's text
			}
			return &sparksql.Error{Class: n.class, SQLState: n.state, Phase: sparksql.PhaseRuntime, Message: msg}
		}
	}
	return nil
}
