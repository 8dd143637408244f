package query_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/sparksql"
)

// Errors that rows cause say where in the statement: the place of the one
// expression that can raise them, of a view's or function's use where it is in
// its text, or all that can have been it.
func TestErrorsOfRowsHaveTheirPlace(t *testing.T) {
	d := newDoor(t)
	d.must("CREATE TABLE t (a INT, b INT, s STRING)", "INSERT INTO t VALUES (1, 0, 'x'), (2147483647, 1, '7')",
		"CREATE VIEW v AS SELECT 1, a / b AS q FROM t", "CREATE FUNCTION f(x INT) RETURNS DOUBLE RETURN 1 / x",
		"CREATE TABLE g (a INT, h DOUBLE GENERATED ALWAYS AS (CAST(1 / a AS DOUBLE)))")
	for _, c := range []struct{ sql, class, at, hint string }{
		{"SELECT 1,\n  a / b FROM t", "DIVIDE_BY_ZERO", "2:5", ""},
		{"SELECT a % b + 1 / 2 FROM t", "REMAINDER_BY_ZERO", "1:10", ""},
		{"SELECT a / b, b / a FROM t", "DIVIDE_BY_ZERO", "", "1:10, 1:17"},
		{"SELECT CAST(s AS INT), a / 2 FROM t", "CAST_INVALID_INPUT", "1:8", ""},
		{"SELECT s + 1 FROM t", "CAST_INVALID_INPUT", "1:10", ""},
		{"SELECT a * 2, b FROM t", "ARITHMETIC_OVERFLOW", "1:10", ""},
		{"SELECT element_at(array(a), 3) FROM t", "INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "1:8", ""},
		{"SELECT transform(array(b), x -> 1 / x) FROM t", "DIVIDE_BY_ZERO", "1:35", ""},
		{"SELECT a FROM t WHERE 1 / b > 0", "DIVIDE_BY_ZERO", "1:25", ""},
		{"SELECT count(*) FROM t GROUP BY a / b", "DIVIDE_BY_ZERO", "1:35", ""},
		{"SELECT (SELECT max(1 / b) FROM t)", "DIVIDE_BY_ZERO", "1:22", ""},
		{"SELECT * FROM v", "DIVIDE_BY_ZERO", "1:15", ""},
		{"SELECT a, f(b) FROM t", "DIVIDE_BY_ZERO", "1:11", ""},
		{"UPDATE t SET s = CAST(a / b AS STRING)", "DIVIDE_BY_ZERO", "1:25", ""},
		{"DELETE FROM t WHERE a / b = 1", "DIVIDE_BY_ZERO", "1:23", ""},
		{"INSERT INTO t SELECT a, 1 / b, s FROM t", "DIVIDE_BY_ZERO", "1:27", ""},
		{"INSERT INTO g (a) VALUES (0)", "DIVIDE_BY_ZERO", "", ""},
		{"SELECT raise_error(s) FROM t", "USER_RAISED_EXCEPTION", "1:8", ""},
	} {
		_, err := d.run(t.Context(), c.sql)
		e, ok := errors.AsType[*sparksql.Error](err)
		if !ok || e.Class != c.class || e.Pos.String() != c.at || !strings.Contains(e.Hint, c.hint) || c.hint == "" && strings.Contains(e.Hint, "One of") {
			t.Errorf("%s: %v; want [%s] at %q, %q", c.sql, err, c.class, c.at, c.hint)
		}
	}
}
