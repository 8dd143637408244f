package gen

import (
	"reflect"
	"testing"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

// text is what a statement asks.
func text(s Statement) string {
	if s.SQL != "" {
		return s.SQL
	}
	return "SELECT " + s.Text + " " + s.From
}

func TestFunctionsAreCalledOrExcludedWithReason(t *testing.T) {
	missing := 0
	called := map[string]bool{}
	for _, f := range New(1).Functions() {
		called[f] = true
	}
	for _, name := range funcs.All() {
		d := funcs.Lookup(name)
		if called[name] || excluded()[name] != "" || excluded()[d.Base] != "" || d.Operator && operators()[name] == nil {
			continue
		}
		missing++
		t.Logf("%s: no types were found that it takes; give it words, or a reason to be excluded", name)
	}
	if all := len(funcs.All()); missing > all/20 {
		t.Errorf("%d of %d functions are not called", missing, all)
	}
}

func TestSameSeedSameStatements(t *testing.T) {
	a, b, other := New(7), New(7), New(8)
	same := 0
	for n := range 300 {
		if x, y := a.Expression(n), b.Expression(n); !reflect.DeepEqual(x, y) {
			t.Fatalf("%d: %s and %s", n, text(x), text(y))
		}
		if x, y := a.Query(n), b.Query(n); x.SQL != y.SQL {
			t.Fatalf("%d: %s and %s", n, x.SQL, y.SQL)
		}
		if text(a.Expression(n)) == text(other.Expression(n)) {
			same++
		}
	}
	if same > 100 {
		t.Errorf("%d of 300 statements do not depend on the seed", same)
	}
}

func TestStatementsParse(t *testing.T) {
	g, bad := New(3), 0
	const n = 400
	for i := range n {
		for _, s := range []Statement{g.Expression(i), g.Query(i)} {
			if _, err := parse.Statement("", text(s)); err != nil {
				if bad++; bad < 4 {
					t.Logf("%s: %v", text(s), err)
				}
			}
		}
	}
	if bad > n/50 {
		t.Errorf("%d of %d statements do not parse", bad, 2*n)
	}
}

func TestSmallerExpressionsAreSmaller(t *testing.T) {
	g := New(5)
	for n := range 200 {
		e := g.Expression(n).Expr
		for _, s := range e.Smaller() {
			if s.size() >= e.size() {
				t.Fatalf("%s is no smaller than %s", s, e)
			}
		}
	}
}
