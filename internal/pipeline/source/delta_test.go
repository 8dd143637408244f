package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

var oneColumn = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)

// add commits a file with n rows.
func add(t *testing.T, tab *delta.Table, n int) {
	t.Helper()
	b := array.NewInt64Builder(memory.DefaultAllocator)
	for i := range n {
		b.Append(int64(i))
	}
	rec := array.NewRecordBatch(oneColumn, []arrow.Array{b.NewArray()}, int64(n))
	if _, err := tab.Append(context.Background(), delta.Batches(rec)); err != nil {
		t.Fatal(err)
	}
}

func newTable(t *testing.T, store objstore.Store, root string) *delta.Table {
	t.Helper()
	tab, err := delta.Create(context.Background(), store, root, oneColumn)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// batches walks the source to its end and gives the rows of each batch, as
// read back from the planned range.
func batches(t *testing.T, d *Delta, from json.RawMessage) (out []int64, end json.RawMessage, err error) {
	t.Helper()
	ctx := context.Background()
	if from == nil {
		if from, err = d.Start(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for {
		r, ok, err := d.Next(ctx, from)
		if err != nil || !ok {
			return out, from, err
		}
		files, err := d.Files(ctx, from, r.To)
		if err != nil {
			t.Fatal(err)
		}
		var rows int64
		for _, f := range files {
			rows += numRecords(f)
		}
		if rows != r.Rows {
			t.Errorf("planned %d rows, the range holds %d", r.Rows, rows)
		}
		out = append(out, rows)
		from = r.To
	}
}

func TestDeltaStreamTakesEachFileOnce(t *testing.T) {
	for name, c := range map[string]struct {
		opt  DeltaOptions
		lim  Limits
		want string
	}{
		"all":              {DeltaOptions{}, Limits{}, "[6] [9] []"},
		"two files":        {DeltaOptions{MaxFiles: 2}, Limits{}, "[3 3] [9] []"},
		"three rows":       {DeltaOptions{}, Limits{Rows: 3}, "[3 3] [4 5] []"},
		"bytes":            {DeltaOptions{MaxBytes: 1}, Limits{}, "[1 2 3] [4 5] []"},
		"starting version": {DeltaOptions{StartingVersion: new(int64(2))}, Limits{}, "[5] [9] []"},
		"latest":           {DeltaOptions{StartingLatest: true}, Limits{}, "[] [9] []"},
	} {
		ctx := context.Background()
		tab := newTable(t, objstore.Memory(), "t")
		for n := 1; n <= 3; n++ {
			add(t, tab, n)
		}
		d := NewDelta("c.s.t", tab, c.opt, c.lim)
		first, at, err := batches(t, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		add(t, tab, 4)
		if _, err := tab.Compact(ctx, delta.CompactOptions{MinFiles: 2}); err != nil {
			t.Fatal(err)
		}
		add(t, tab, 5)
		if b, err := d.Backlog(ctx, at); err != nil || b.Records != 9 || b.Files != 2 {
			t.Errorf("%s: backlog %+v, %v", name, b, err)
		}
		// A new source object goes on from the text alone.
		d = NewDelta("c.s.t", tab, c.opt, c.lim)
		second, at, err := batches(t, d, at)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tab.Compact(ctx, delta.CompactOptions{MinFiles: 2}); err != nil {
			t.Fatal(err)
		}
		third, _, err := batches(t, d, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(first, second, third); got != strings.ReplaceAll(c.want, "] [", "] [") {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestDeltaStreamRefusesOtherTablesAndChangedRows(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := newTable(t, store, "a")
	add(t, tab, 1)
	d := NewDelta("c.s.t", tab, DeltaOptions{}, Limits{})
	_, at, err := batches(t, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := NewDelta("c.s.t", newTable(t, store, "b"), DeltaOptions{}, Limits{})
	if _, _, err := other.Next(ctx, at); !errors.Is(err, ErrOther) || !strings.Contains(err.Error(), "DIFFERENT_DELTA_TABLE") {
		t.Errorf("a table made anew: %v", err)
	}
	ahead := json.RawMessage(fmt.Sprintf(`{"table":%q,"version":9,"index":0}`, tab.ID()))
	if _, _, err := d.Next(ctx, ahead); !errors.Is(err, ErrOther) {
		t.Errorf("a shrunken log: %v", err)
	}
	// Rows before the deletion are delivered first.
	add(t, tab, 2)
	if _, err := tab.Commit(ctx, delta.Commit{ReplaceAll: true, DataChange: true, ReadVersion: -1, Operation: "DELETE"}); err != nil {
		t.Fatal(err)
	}
	got, _, err := batches(t, d, at)
	if !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "DELTA_SOURCE_IGNORE_DELETE") || fmt.Sprint(got) != "[2]" {
		t.Errorf("a delete: %v, %v", got, err)
	}
	skip := NewDelta("c.s.t", tab, DeltaOptions{SkipChangeCommits: true}, Limits{})
	add(t, tab, 3)
	if got, _, err := batches(t, skip, at); err != nil || fmt.Sprint(got) != "[5]" {
		t.Errorf("skipChangeCommits: %v, %v", got, err)
	}
}
