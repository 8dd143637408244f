package catalog_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/marisma/marisma/internal/catalog"
)

func open(t *testing.T, path string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

func names(all []catalog.Table) []string {
	out := []string{}
	for _, t := range all {
		out = append(out, t.FullName())
	}
	return out
}

func silver() catalog.Table {
	return catalog.Table{
		Catalog: "Plant", Schema: "IoT", Name: "Silver", Type: catalog.StreamingTable, Owner: "ana", Comment: "typed",
		Columns:    []catalog.Column{{"id", "string", false, "device"}, {"t", "decimal(10,2)", true, ""}},
		Properties: map[string]string{"quality": "silver"},
	}
}

func TestATableIsBornActivatedAndFoundInAnyCase(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "c?a #t%.db")
	c := open(t, path)
	check(t, c.EnsureSchema(ctx, "PLANT", "iot", "ana"))
	check(t, c.EnsureSchema(ctx, "plant", "IOT", "bob"))
	made, err := c.CreateTable(ctx, silver())
	check(t, err)
	if made.State != catalog.Creating || len(made.ID) != 36 || made.FullName() != "plant.iot.silver" {
		t.Errorf("made %+v", made)
	}
	birth, err := c.Creating(ctx)
	check(t, err)
	if diff := cmp.Diff([]catalog.Table{made}, birth); diff != "" {
		t.Error(diff)
	}
	active, err := c.AllTables(ctx)
	check(t, err)
	if len(active) != 0 {
		t.Errorf("listed before it is active: %v", names(active))
	}
	check(t, c.Activate(ctx, made.ID))
	check(t, c.Close())

	c = open(t, path)
	got, err := c.Table(ctx, "PLANT", "Iot", "SILVER")
	check(t, err)
	want := made
	want.State = catalog.Active
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(catalog.Table{}, "Updated")); diff != "" {
		t.Error(diff)
	}
	_, err = c.CreateTable(ctx, silver())
	wantErr(t, err, catalog.ErrExists)
	birth, err = c.Creating(ctx)
	check(t, err)
	if len(birth) != 0 {
		t.Errorf("still creating: %v", names(birth))
	}
}

func TestColumnsPropertiesAndTypeAreReplaced(t *testing.T) {
	ctx := t.Context()
	c := open(t, filepath.Join(t.TempDir(), "c.db"))
	check(t, c.EnsureSchema(ctx, "plant", "iot", "ana"))
	made, err := c.CreateTable(ctx, silver())
	check(t, err)
	cols := []catalog.Column{{"b", "int", true, "x"}, {"a", "struct<x:int>", false, ""}, {"c", "date", true, ""}}
	check(t, c.SetColumns(ctx, made.ID, cols, "new"))
	check(t, c.SetProperties(ctx, made.ID, map[string]string{"k": "v"}))
	check(t, c.Relocate(ctx, made.ID, catalog.External, map[string]string{"location": "/x"}))
	if moved, err := c.Table(ctx, "plant", "iot", "silver"); err != nil || moved.Type != catalog.External || moved.Properties["location"] != "/x" {
		t.Errorf("moved: %+v, %v", moved, err)
	}
	check(t, c.SetProperties(ctx, made.ID, map[string]string{"k": "v"}))
	check(t, c.SetType(ctx, made.ID, catalog.MaterializedView))
	got, err := c.Table(ctx, "plant", "iot", "silver")
	check(t, err)
	want := made
	want.Columns, want.Comment, want.Properties, want.Type = cols, "new", map[string]string{"k": "v"}, catalog.MaterializedView
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(catalog.Table{}, "Updated")); diff != "" {
		t.Error(diff)
	}
	check(t, c.DropTable(ctx, made.ID))
	_, err = c.Table(ctx, "plant", "iot", "silver")
	wantErr(t, err, catalog.ErrNotFound)
	for _, err := range []error{
		c.DropTable(ctx, made.ID), c.Activate(ctx, made.ID), c.SetColumns(ctx, made.ID, cols, ""), c.SetProperties(ctx, made.ID, nil),
	} {
		wantErr(t, err, catalog.ErrNotFound)
	}
}

func TestViewsReplaceViewsButNotTables(t *testing.T) {
	ctx := t.Context()
	c := open(t, filepath.Join(t.TempDir(), "c.db"))
	check(t, c.EnsureSchema(ctx, "plant", "iot", "ana"))
	v := catalog.Table{Catalog: "plant", Schema: "iot", Name: "v", ViewText: "SELECT 1", ViewCatalog: "plant", ViewSchema: "iot"}
	first, err := c.CreateView(ctx, v)
	check(t, err)
	v.ViewText = "SELECT 2"
	second, err := c.CreateView(ctx, v)
	check(t, err)
	got, err := c.Table(ctx, "plant", "iot", "v")
	check(t, err)
	if got.ViewText != "SELECT 2" || got.ID != first.ID || second.ID != first.ID || got.State != catalog.Active || got.Type != catalog.View {
		t.Errorf("got %+v", got)
	}
	_, err = c.CreateTable(ctx, silver())
	check(t, err)
	v.Name = "silver"
	_, err = c.CreateView(ctx, v)
	wantErr(t, err, catalog.ErrExists)
	v.Schema = "none"
	_, err = c.CreateView(ctx, v)
	wantErr(t, err, catalog.ErrNotFound)
	_, err = c.CreateTable(ctx, catalog.Table{Catalog: "plant", Schema: "iot", Name: "x", Type: catalog.View})
	wantErr(t, err, catalog.ErrInvalid)
}

func TestListsAreInOrderOfNames(t *testing.T) {
	ctx := t.Context()
	c := open(t, filepath.Join(t.TempDir(), "c.db"))
	for _, n := range []string{"b.y.2", "a.x.1", "b.x.3", "b.x.1"} {
		cat, sch, name := n[:1], n[2:3], n[4:]
		check(t, c.EnsureSchema(ctx, cat, sch, "ana"))
		_, err := c.CreateView(ctx, catalog.Table{Catalog: cat, Schema: sch, Name: name})
		check(t, err)
	}
	all, err := c.AllTables(ctx)
	check(t, err)
	some, err := c.Tables(ctx, "B", "X")
	check(t, err)
	cats, err := c.Catalogs(ctx)
	check(t, err)
	schemas, err := c.Schemas(ctx, "B")
	check(t, err)
	every, err := c.Schemas(ctx, "")
	check(t, err)
	if diff := cmp.Diff([]string{"a.x.1", "b.x.1", "b.x.3", "b.y.2"}, names(all)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b.x.1", "b.x.3"}, names(some)); diff != "" {
		t.Error(diff)
	}
	if len(cats) != 2 || cats[0].Name != "a" || cats[0].Owner != "ana" || cats[0].Created.IsZero() {
		t.Errorf("catalogs %+v", cats)
	}
	if len(schemas) != 2 || schemas[0].Name != "x" || schemas[1].Catalog != "b" || len(every) != 3 {
		t.Errorf("schemas %+v of %+v", schemas, every)
	}
}

func TestBadNamesAreRefused(t *testing.T) {
	ctx := t.Context()
	c := open(t, filepath.Join(t.TempDir(), "c.db"))
	for _, bad := range []string{"", "a.b", "a/b", "a b", "a\x00", string(make([]byte, 300))} {
		wantErr(t, c.EnsureSchema(ctx, "plant", bad, ""), catalog.ErrInvalid)
		_, err := c.Table(ctx, "plant", "iot", bad)
		wantErr(t, err, catalog.ErrInvalid)
	}
}

func TestOneNameHasOneWinnerAndWritersDoNotCollide(t *testing.T) {
	ctx := t.Context()
	c := open(t, filepath.Join(t.TempDir(), "c.db"))
	check(t, c.EnsureSchema(ctx, "plant", "iot", "ana"))
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		wg.Go(func() {
			_, err := c.CreateTable(ctx, silver())
			other := silver()
			other.Name = fmt.Sprint("t", i)
			_, oerr := c.CreateTable(ctx, other)
			if oerr != nil {
				t.Error(oerr)
			}
			if _, rerr := c.Creating(ctx); rerr != nil {
				t.Error(rerr)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			wantErr(t, err, catalog.ErrExists)
		}
	}
	if won != 1 {
		t.Errorf("%d winners", won)
	}
}

func TestADatabaseOfALaterVersionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	check(t, open(t, path).Close())
	db, err := sql.Open("sqlite", path)
	check(t, err)
	var mode string
	check(t, db.QueryRow("PRAGMA journal_mode").Scan(&mode))
	if mode != "wal" {
		t.Errorf("journal mode %s", mode)
	}
	_, err = db.Exec("PRAGMA user_version = 99")
	check(t, errors.Join(err, db.Close()))
	_, err = catalog.Open(context.Background(), path)
	wantErr(t, err, catalog.ErrNewer)
}
