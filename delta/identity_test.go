package delta_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

var counted = arrow.NewSchema([]arrow.Field{
	delta.WithIdentity(arrow.Field{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, delta.Identity{Start: 10, Step: 5}),
	delta.WithIdentity(arrow.Field{Name: "d", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, delta.Identity{Start: -1, Step: -1, ByDefault: true}),
	{Name: "v", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

// rowTexts are the rows of a table, in order.
func rowTexts(t *testing.T, tab *delta.Table) []string {
	t.Helper()
	var out []string
	for rec, err := range snap(t, tab).Read(t.Context(), nil) {
		check(t, err)
		for i := range int(rec.NumRows()) {
			var cells []string
			for _, c := range rec.Columns() {
				cells = append(cells, c.ValueStr(i))
			}
			out = append(out, strings.Join(cells, " "))
		}
		rec.Release()
	}
	slices.Sort(out)
	return out
}

// Rows get the numbers that the table gives them, in batches and over commits, and
// bring their own where it lets them.
func TestIdentityColumnsAreNumbered(t *testing.T) {
	ctx := t.Context()
	store := objstore.Memory()
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "t", counted))
	if p := snap(t, tab).Protocol(); p.MinWriterVersion != 7 && p.MinWriterVersion != 6 {
		t.Errorf("protocol %+v", p)
	}
	plain := arrow.NewSchema(counted.Fields()[2:], nil)
	_, err := tab.Append(ctx, delta.Batches(fromJSON(t, plain, `{"v":"a"}{"v":"b"}`), fromJSON(t, plain, `{"v":"c"}`)))
	check(t, err)
	_, err = tab.Append(ctx, delta.Batches(fromJSON(t, arrow.NewSchema(counted.Fields()[1:], nil), `{"d":7,"v":"d"}{"d":null,"v":"e"}`)))
	check(t, err)
	// Another handle goes on where this one came to.
	other := must[*delta.Table](t)(delta.Open(ctx, store, "t"))
	_, err = tab.Append(ctx, delta.Batches(fromJSON(t, plain, `{"v":"f"}`)))
	check(t, err)
	_, err = other.Append(ctx, delta.Batches(fromJSON(t, plain, `{"v":"g"}`)))
	check(t, err)
	want := []string{"10 -1 a", "15 -2 b", "20 -3 c", "25 7 d", "30 (null) e", "35 -4 f", "40 -5 g"}
	if got := rowTexts(t, tab); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for at, want := range map[int]int64{0: 40, 1: -5} {
		if id, ok := delta.IdentityOf(snap(t, tab).Schema().Field(at)); !ok || id.High == nil || *id.High != want {
			t.Errorf("column %d: %+v", at, id)
		}
	}
	_, err = tab.Append(ctx, delta.Batches(fromJSON(t, counted, `{"k":1,"d":1,"v":"x"}`)))
	if !errors.Is(err, delta.ErrConstraint) || !strings.Contains(err.Error(), "column k") {
		t.Errorf("a number of one's own: %v", err)
	}
	_, err = tab.Overwrite(ctx, delta.Batches(fromJSON(t, plain, `{"v":"h"}`)))
	check(t, err)
	if got := rowTexts(t, tab); !slices.Equal(got, []string{"45 -6 h"}) {
		t.Errorf("overwritten: %q", got)
	}
	if _, err := tab.NewWriter(ctx, delta.WriterOptions{}); !errors.Is(err, delta.ErrUnsupportedFeature) || !strings.Contains(err.Error(), "identityColumns") {
		t.Errorf("a writer that was not told to number: %v", err)
	}
}

// A commit whose numbers others were given meanwhile is refused, and leaves
// nothing; those who only read rows are not disturbed by numbers.
func TestNumbersAreGivenOnce(t *testing.T) {
	ctx := t.Context()
	store := objstore.Memory()
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "t", counted))
	plain := arrow.NewSchema(counted.Fields()[2:], nil)
	row := func(v string) arrow.RecordBatch { return fromJSON(t, plain, `{"v":"`+v+`"}`) }
	_, err := tab.Append(ctx, delta.Batches(row("a")))
	check(t, err)
	other := must[*delta.Table](t)(delta.Open(ctx, store, "t"))

	w := must[*delta.Writer](t)(tab.NewWriter(ctx, delta.WriterOptions{Identity: true}))
	check(t, w.Write(row("late")))
	adds := must[[]delta.Add](t)(w.Close())
	r := must[*delta.Rewrite](t)(snap(t, tab).NewRewrite(ctx, delta.RewriteOptions{}))
	_, err = other.Append(ctx, delta.Batches(row("b")))
	check(t, err)
	_, err = tab.Commit(ctx, delta.Commit{Adds: adds, Identity: w.Identity(), DataChange: true, ReadVersion: -1})
	if !errors.Is(err, delta.ErrTableChanged) {
		t.Errorf("numbers given twice: %v", err)
	}
	check(t, tab.Discard(ctx, adds))
	for a := range must[*delta.Snapshot](t)(tab.SnapshotAt(ctx, 1)).All() {
		check(t, r.Drop(a, 1))
	}
	if _, _, err := r.Commit(delta.Commit{Operation: "DELETE"}); err != nil {
		t.Errorf("a delete beside an append that numbers its rows: %v", err)
	}
	if got := rowTexts(t, tab); !slices.Equal(got, []string{"15 -2 b"}) {
		t.Errorf("%q", got)
	}
	// Redefinitions are disturbed, as by any change of the definition.
	s := snap(t, tab)
	_, err = other.Append(ctx, delta.Batches(row("c")))
	check(t, err)
	_, err = tab.Commit(ctx, delta.Commit{Properties: map[string]string{"a": "b"}, ReadVersion: s.Version()})
	if !errors.Is(err, delta.ErrTableChanged) {
		t.Errorf("a new property: %v", err)
	}
}

// Numbers end where BIGINT ends.
func TestNumbersEnd(t *testing.T) {
	n := delta.NewNumbering(delta.WithIdentity(arrow.Field{Name: "k"}, delta.Identity{Start: math.MaxInt64 - 1, Step: 1}))
	for range 2 {
		_, err := n.Next()
		check(t, err)
	}
	if v, err := n.Next(); !errors.Is(err, delta.ErrConstraint) {
		t.Errorf("%d, %v", v, err)
	}
	if r, ok := n.Range(); !ok || r.Last != math.MaxInt64 || r.Before != nil {
		t.Errorf("%+v", r)
	}
}
