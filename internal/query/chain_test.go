package query_test

import (
	"strings"
	"testing"
	"time"
)

// DuckDB's planner takes a minute for hundreds of operators in one SELECT.
func TestLongRowsOfOperators(t *testing.T) {
	r := newRig(t, t.TempDir())
	began := time.Now()
	r.want("SELECT id"+strings.Repeat(" + 1", 900)+" AS x FROM VALUES (5L) t(id)", "905")
	r.want("SELECT s"+strings.Repeat(" || 'a'", 600)+" AS x FROM VALUES ('x') t(s)", "x"+strings.Repeat("a", 600))
	r.want("SELECT id"+strings.Repeat(" + 1", 300)+strings.Repeat(" * 1", 300)+" AS x FROM VALUES (1L) t(id)", "301")
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("took %s", d)
	}
}
