package iothub

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/vfs"
)

func openRegistry(t *testing.T, fs vfs.FS) *Registry {
	t.Helper()
	r, err := OpenRegistry(fs, "hub")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRegistrySurvivesRestart(t *testing.T) {
	fs := vfs.NewMem()
	r := openRegistry(t, fs)
	ctx := t.Context()
	a, err := r.Add(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != Enabled || a.PrimaryKey == a.SecondaryKey || a.GenerationID == "" || a.Created.IsZero() {
		t.Errorf("%+v", a)
	}
	if _, err := r.Add(ctx, "a"); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if _, err := r.Add(ctx, "x/m"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	for _, id := range []string{"a/m", "b", "b/m", "c"} {
		if _, err := r.Add(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.SetStatus(ctx, "c", Disabled); err != nil {
		t.Fatal(err)
	}
	if err := r.SetStatus(ctx, "c", "off"); err == nil {
		t.Error("status off was taken")
	}
	if err := errors.Join(r.Remove(ctx, "b"), r.Remove(ctx, "a/m")); err != nil {
		t.Fatal(err)
	}
	if err := r.Remove(ctx, "b/m"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	before := r.List()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = openRegistry(t, fs)
	if d := cmp.Diff(before, r.List()); d != "" {
		t.Error(d)
	}
	if len(before) != 2 || before[1].Status != Disabled {
		t.Errorf("%+v", before)
	}
	if again, err := r.Add(ctx, "b"); err != nil || again.GenerationID == "" {
		t.Error(err)
	}
}

func TestRegistryEnsure(t *testing.T) {
	fs := vfs.NewMem()
	r := openRegistry(t, fs)
	a, err := r.Add(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.Ensure(t.Context(), "c", "a", "b", "c"); n != 2 || err != nil {
		t.Error(n, err)
	}
	if n, err := r.Ensure(t.Context(), "a", "b"); n != 0 || err != nil {
		t.Error(n, err)
	}
	for _, bad := range []string{"x y", "a/m"} {
		if _, err := r.Ensure(t.Context(), "d", bad); !errors.Is(err, ErrBadID) {
			t.Error(bad, err)
		}
	}
	if d, _ := openRegistry(t, fs).Get("a"); d.PrimaryKey != a.PrimaryKey || r.Len() != 3 {
		t.Errorf("%+v of %d", d, r.Len())
	}
}

func TestRegistryIDs(t *testing.T) {
	for id, ok := range map[string]bool{"press-07": true, "a/b": true, "A.%_*?!(),:=@$'": true, "": false, "a/": false, "/a": false, "a/b/c": false, "a b": false, "ü": false, "a+": false, "a#": false} {
		if err := CheckID(id); (err == nil) != ok || !ok && !errors.Is(err, ErrBadID) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestRegistryIsCompacted(t *testing.T) {
	fs := vfs.NewMem()
	r := openRegistry(t, fs)
	if _, err := r.Add(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if err := r.SetStatus(t.Context(), "a", []string{Enabled, Disabled}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	r.Close()
	r = openRegistry(t, fs)
	if r.file.lines != 1 || r.Len() != 1 {
		t.Errorf("%d lines, %d devices", r.file.lines, r.Len())
	}
}

func TestRegistryRefusesDamage(t *testing.T) {
	fs := vfs.NewMem()
	r := openRegistry(t, fs)
	for _, id := range []string{"a", "b"} {
		if _, err := r.Add(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	r.Close()
	f, err := fs.OpenRW("hub/devices.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("#"), 0); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := OpenRegistry(fs, "hub"); err == nil {
		t.Error("a damaged registry was opened")
	}
}

// TestRegistryAfterPowerCut cuts the power at every operation of a series of
// changes: what was confirmed is there, what was not may be.
func TestRegistryAfterPowerCut(t *testing.T) {
	change := func(r *Registry) (confirmed map[string]string, err error) {
		confirmed = map[string]string{}
		for i := range 6 {
			id := fmt.Sprint("d", i)
			d, err := r.Add(t.Context(), id)
			if err != nil {
				return confirmed, err
			}
			confirmed[id] = d.PrimaryKey
		}
		return confirmed, nil
	}
	for cut := 1; ; cut++ {
		fs := vfs.NewMem()
		r := openRegistry(t, fs)
		fs.CutAt(cut)
		confirmed, err := change(r)
		if err == nil {
			if cut < 6 {
				t.Fatalf("%d cuts only", cut)
			}
			return
		}
		after := openRegistry(t, fs.Crash(rand.New(rand.NewPCG(1, uint64(cut)))))
		for id, key := range confirmed {
			if d, ok := after.Get(id); !ok || d.PrimaryKey != key {
				t.Fatalf("cut at %d: %s is lost", cut, id)
			}
		}
		if _, err := after.Add(t.Context(), "new"); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
}

// TestRegistryGoesOnAfterAFailedWrite: an error is told, and the next change
// finds a good file.
func TestRegistryGoesOnAfterAFailedWrite(t *testing.T) {
	for _, op := range []vfs.Op{vfs.OpWrite, vfs.OpSync} {
		fs := vfs.NewMem()
		r := openRegistry(t, fs)
		if _, err := r.Add(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		full := errors.New("no space")
		fs.Inject(func(o vfs.Op, _ string) error {
			if o == op {
				return full
			}
			return nil
		})
		if _, err := r.Add(t.Context(), "b"); !errors.Is(err, full) {
			t.Fatal(err)
		}
		if _, ok := r.Get("b"); ok {
			t.Error("a device that was not written is there")
		}
		fs.Inject(nil)
		if _, err := r.Add(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		r.Close()
		r = openRegistry(t, fs)
		if _, ok := r.Get("b"); ok || r.Len() != 2 {
			t.Errorf("%v", r.List())
		}
	}
}
