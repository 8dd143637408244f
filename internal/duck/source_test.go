package duck

import (
	"context"
	"io"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// picky gives only the columns that were asked for.
type picky struct {
	rec    arrow.RecordBatch
	left   int
	cols   []int
	asked  [][]int
	closed int
}

func (p *picky) Schema() *arrow.Schema { return p.rec.Schema() }

func (p *picky) Project(cols []int) {
	p.cols = slices.Clone(cols)
	p.asked = append(p.asked, p.cols)
}

func (p *picky) Close() { p.closed++ }

func (p *picky) Next(context.Context) (arrow.RecordBatch, error) {
	if p.left == 0 {
		return nil, io.EOF
	}
	p.left--
	var fs []arrow.Field
	var cs []arrow.Array
	for _, c := range p.cols {
		fs, cs = append(fs, p.rec.Schema().Field(c)), append(cs, p.rec.Column(c))
	}
	return array.NewRecordBatch(arrow.NewSchema(fs, nil), cs, p.rec.NumRows()), nil
}

func TestOnlyColumnsInUseAreAskedFor(t *testing.T) {
	c := get(t, open(t, Config{Instances: 1, Threads: 1}))
	b := randomBatch(t, Allocator(), 5, 3000)
	defer b.Release()
	for _, k := range []struct {
		sql  string
		cols []int
	}{
		{"SELECT count(*) FROM ", []int{0}}, // DuckDB counts the rows of some column
		{"SELECT c7, c3 FROM ", []int{7, 3}},
		{"SELECT max(c21) FROM ", []int{21}},
		{"SELECT c4 IS NULL, c4 FROM ", []int{4}},
		{"SELECT c0 FROM %s WHERE c7 > 'x'", []int{0, 7}},
	} {
		p := &picky{rec: b, left: 3}
		from, release, err := c.Bind(p)
		if err != nil {
			t.Fatal(err)
		}
		sql := k.sql + from
		if k.sql[len(k.sql)-1] == '\'' {
			sql = "SELECT c0 FROM " + from + " WHERE c7 > 'x'"
		}
		if err := c.Exec(t.Context(), sql); err != nil {
			t.Errorf("%s: %v", k.sql, err)
		}
		release()
		got := slices.Clone(p.asked[0])
		slices.Sort(got)
		want := slices.Sorted(slices.Values(k.cols))
		if len(p.asked) != 1 || !slices.Equal(got, want) {
			t.Errorf("%s: asked for %v, want %v", k.sql, p.asked, k.cols)
		}
		if p.closed != 1 {
			t.Errorf("%s: closed %d times", k.sql, p.closed)
		}
	}
}

func TestProjectedValuesAreThoseOfTheirColumns(t *testing.T) {
	c := get(t, open(t, Config{Instances: 1, Threads: 1}))
	b := randomBatch(t, Allocator(), 6, 100)
	defer b.Release()
	whole, release, err := c.Bind(Batches(b.Schema(), []arrow.RecordBatch{b}))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	some, release2, err := c.Bind(&picky{rec: b, left: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer release2()
	const cols = "SELECT c20, c3, c7, c14 FROM "
	if got, want := text(t, c, cols+some), text(t, c, cols+whole); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestASourceIsClosedWhenAQueryEndsEarly(t *testing.T) {
	c := get(t, open(t, Config{Instances: 1, Threads: 1}))
	b := ints(t, Allocator(), 5000, 0)
	defer b.Release()
	p := &picky{rec: b, left: 1 << 30}
	from, release, err := c.Bind(p)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if got := text(t, c, "SELECT i FROM "+from+" LIMIT 1"); got != `[{"i":0}]` {
		t.Error(got)
	}
	if p.closed != 1 {
		t.Errorf("closed %d times", p.closed)
	}
}
