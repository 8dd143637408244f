package query_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/vfs"
	"github.com/marisma/marisma/objstore"
)

// on is the landing with its tables on another disk.
func (l *landing) on(fs vfs.FS) *landing {
	tabs := query.NewTables(objstore.LocalOn(fs, "tables"))
	root, err := query.LocalRoot(l.dir)
	if err != nil {
		l.t.Fatal(err)
	}
	tabs.Allow(root)
	r := *l.r
	r.tabs = tabs
	return &landing{openDoor(l.t, &r), l.dir}
}

// TestCopyIntoAfterAPowerCut cuts the power after each write of a COPY INTO and
// runs it again: each file is loaded, and loaded once.
func TestCopyIntoAfterAPowerCut(t *testing.T) {
	l := newLanding(t)
	l.put("a.csv", "1\n2\n")
	l.put("b.csv", "3\n")
	schema := arrow.NewSchema([]arrow.Field{{Name: "_c0", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	for cut := 0; ; cut++ {
		if cut > 500 {
			t.Fatal("the statement never ends")
		}
		mem := vfs.NewMem()
		if err := mem.MkdirAll("tables"); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("t%d", cut)
		row, err := l.r.cat.CreateTable(t.Context(), catalog.Table{Catalog: "c", Schema: "s", Name: name, Type: catalog.Managed, Owner: "me"})
		if err == nil {
			err = l.r.cat.Activate(t.Context(), row.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := delta.Create(t.Context(), objstore.LocalOn(mem, "tables"), row.ID, schema); err != nil {
			t.Fatal(err)
		}
		sql := "COPY INTO " + name + " FROM '" + l.dir + "' FILEFORMAT = CSV"
		live := l.on(mem)
		mem.CutAt(cut)
		_, cutErr := live.run(t.Context(), sql)
		mem.CutAt(-1)
		for _, rng := range []*rand.Rand{nil, rand.New(rand.NewPCG(uint64(cut), 3))} {
			after := mem.Crash(rng)
			again := l.on(after)
			got, err := again.run(t.Context(), sql)
			if err != nil {
				t.Fatalf("cut %d: %v", cut, err)
			}
			if cutErr == nil && got[0] != "0|0|0" {
				t.Fatalf("cut %d: the statement returned, and the next one loads %s", cut, got[0])
			}
			if d := cmp.Diff(map[string]int{"1": 1, "2": 1, "3": 1}, again.values(row.ID)); d != "" {
				t.Fatalf("cut %d: %s", cut, d)
			}
		}
		if cutErr == nil {
			t.Logf("%d cuts", cut)
			return
		}
	}
}

// values counts the first column's values.
func (l *landing) values(table string) map[string]int {
	d, err := delta.Open(l.t.Context(), l.r.tabs.Store(), table)
	if err != nil {
		l.t.Fatal(err)
	}
	s, err := d.Snapshot(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	out := map[string]int{}
	for rec, err := range s.Read(l.t.Context(), nil) {
		if err != nil {
			l.t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			out[rec.Column(0).ValueStr(i)]++
		}
		rec.Release()
	}
	return out
}
