package query_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
)

// Statements read the tables of other writers as the delta package does: the
// tables below $GOLDEN, by default the shared golden tables where they are.
func TestForeignTablesInStatements(t *testing.T) {
	root := os.Getenv("GOLDEN")
	if root == "" {
		root = filepath.FromSlash("../../../shared/golden")
	}
	if _, err := os.Stat(root); err != nil {
		t.Skip("the golden tables are not here")
	}
	r := newRig(t, t.TempDir())
	if err := r.cat.EnsureSchema(t.Context(), "c", "s", "me"); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() != "_delta_log" {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		n++
		t.Run(rel, func(t *testing.T) { r.foreign(t, filepath.Dir(p), fmt.Sprintf("t%d", n)) })
		return fs.SkipDir
	})
	if err != nil {
		t.Fatal(err)
	}
}

var variantText = regexp.MustCompile(`"\{(?:\\"|[^"\\])*\}"`)

// foreign compares what a statement reads of a copy of a table with what the
// delta package reads of it.
func (r *rig) foreign(t *testing.T, dir, name string) {
	ctx := t.Context()
	row, err := r.cat.CreateTable(ctx, catalog.Table{Catalog: "c", Schema: "s", Name: name, Type: catalog.Managed, Owner: "me"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(r.dir, "tables", row.ID), os.DirFS(dir)); err != nil { // a link would lead out of the store
		t.Fatal(err)
	}
	if err := r.cat.Activate(ctx, row.ID); err != nil {
		t.Fatal(err)
	}
	want, refused := r.batches(t, row)
	got, err := r.ask("SELECT * FROM " + name)
	for i := range got { // texts of VARIANTs inside of other values
		got[i] = variantText.ReplaceAllStringFunc(got[i], func(s string) string { return strings.ReplaceAll(s[1:len(s)-1], `\"`, `"`) })
	}
	switch {
	case refused != nil && err == nil:
		t.Errorf("a statement reads %d rows; the package refuses the table: %v", len(got), refused)
	case refused == nil && err != nil:
		t.Error(err)
	case !slices.Equal(got, want):
		t.Errorf("%d rows, want %d\n got %.1500q\nwant %.1500q", len(got), len(want), without(got, want), without(want, got))
	}
}

// batches are the rows that the delta package reads.
func (r *rig) batches(t *testing.T, row catalog.Table) (out []string, err error) {
	ctx := t.Context()
	d, err := delta.Open(ctx, r.tabs.Store(), row.ID)
	if err != nil {
		return nil, err
	}
	s, err := d.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if s.Bytes() > 500_000 && os.Getenv("GOLDEN") == "" {
		t.Skip("large; set GOLDEN to read it")
	}
	for rec, err := range s.Read(ctx, nil) {
		if err != nil {
			return nil, err
		}
		for _, l := range lines(rec) {
			out = append(out, strings.ReplaceAll(l, "(null)", "NULL")) // how Arrow shows a void column
		}
		rec.Release()
	}
	slices.Sort(out)
	return out, nil
}

// without are the lines of a that are not in b, in one text.
func without(a, b []string) string {
	var out []string
	for _, l := range a {
		if _, ok := slices.BinarySearch(b, l); !ok && len(out) < 3 {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}
