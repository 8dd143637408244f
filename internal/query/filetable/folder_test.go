package filetable_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/query/filetable"
	"github.com/marisma/marisma/objstore"
)

// failing loses the process before the n-th object is put or deleted.
type failing struct {
	objstore.Store
	left int
}

var errGone = errors.New("the process is gone")

func (f *failing) step() error {
	if f.left--; f.left < 0 {
		return errGone
	}
	return nil
}

func (f *failing) Put(ctx context.Context, key string, r io.Reader, opt objstore.PutOptions) (objstore.Info, error) {
	if err := f.step(); err != nil {
		return objstore.Info{}, err
	}
	return f.Store.Put(ctx, key, r, opt)
}

func (f *failing) Delete(ctx context.Context, key string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.Store.Delete(ctx, key)
}

// onDisk is failing over files; their moves, which ask for paths, are steps, too.
type onDisk struct {
	*failing
	disk objstore.Pather
}

func (d onDisk) Path(key string) string {
	if err := d.step(); err != nil {
		panic(err)
	}
	return d.disk.Path(key)
}

func put(t *testing.T, s objstore.Store, key string) {
	t.Helper()
	if _, err := s.Put(t.Context(), key, strings.NewReader(key), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func paths(t *testing.T, f *filetable.Folder) ([]string, *filetable.Pin) {
	t.Helper()
	files, _, pin, err := f.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, x := range files {
		out = append(out, x.Path)
	}
	return out, pin
}

// overwrite replaces all files of a table by two others.
func overwrite(ctx context.Context, s objstore.Store, f *filetable.Folder) error {
	w := f.Begin()
	defer w.Abort(ctx)
	for _, p := range []string{"p=1/new", "p=2/new"} {
		if _, err := s.Put(ctx, w.Aside()+"/"+p, strings.NewReader(p), objstore.PutOptions{}); err != nil {
			return err
		}
		w.Add(p)
	}
	return w.Commit(ctx, func(p string) bool { return !strings.HasSuffix(p, "new") })
}

// crashing is what f gives, or the error with which it panics.
func crashing(f func() error) (err error) {
	defer func() {
		if e, ok := recover().(error); ok {
			err = e
		}
	}()
	return f()
}

func TestACrashAnywhereLeavesTheOldFilesOrTheNew(t *testing.T) {
	before, after := []string{"p=1/a", "p=1/b", "p=3/c"}, []string{"p=1/new", "p=2/new"}
	for _, local := range []bool{false, true} {
		for n, done := 0, false; !done; n++ {
			s := objstore.Memory()
			if local {
				s = objstore.Local(t.TempDir())
			}
			for _, p := range append([]string{"_SUCCESS", ".p.crc"}, before...) {
				put(t, s, "t/"+p)
			}
			lost := &failing{s, n}
			var store objstore.Store = lost
			if p, ok := s.(objstore.Pather); ok {
				store = onDisk{lost, p}
			}
			err := crashing(func() error { return overwrite(t.Context(), store, filetable.New(store, "t")) })
			got, _ := paths(t, filetable.New(s, "t"))
			old, fresh := slices.Equal(got, before), slices.Equal(got, after)
			if !old && !fresh || err == nil && !fresh {
				t.Errorf("local %v, lost at step %d (%v): %q", local, n, err, got)
			}
			done = err == nil
		}
	}
}

// A statement that fails is the next to touch the folder after a crash between
// the change file and the moves, a long time later.
func TestAFailedWriteLeavesWhatAChangeWaitsFor(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s := objstore.Local(dir)
	for _, p := range []string{"_temporary/x/p=1/new", "p=1/old"} {
		put(t, s, "t/"+p)
	}
	old := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "t/_temporary/x/p=1/new"), old, old); err != nil {
		t.Fatal(err)
	}
	change := `{"add":{"_temporary/x/p=1/new":"p=1/new"},"remove":["p=1/old"]}`
	if _, err := s.Put(ctx, "t/_marisma_change_x.json", strings.NewReader(change), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	f := filetable.New(s, "t")
	f.Begin().Abort(ctx)
	if got, _ := paths(t, f); !slices.Equal(got, []string{"p=1/new"}) {
		t.Errorf("after a write that failed: %q", got)
	}
}

func TestFilesStayForTheirReaders(t *testing.T) {
	s := objstore.Local(t.TempDir())
	put(t, s, "t/p=1/a")
	f := filetable.New(s, "t")
	_, pin := paths(t, f)
	if err := overwrite(t.Context(), s, f); err != nil {
		t.Fatal(err)
	}
	got, later := paths(t, f)
	if d := cmp.Diff([]string{"p=1/new", "p=2/new"}, got); d != "" {
		t.Error("a listing while an older one is read:", d)
	}
	second := pin.Again()
	pin.Release()
	later.Release()
	if _, err := s.Head(t.Context(), "t/p=1/a"); err != nil {
		t.Error("a file that is still read is gone:", err)
	}
	second.Release()
	if _, err := s.Head(t.Context(), "t/p=1/a"); !errors.Is(err, objstore.ErrNotFound) {
		t.Error("a file that nobody reads is left:", err)
	}
	if pin.Again() != nil {
		t.Error("a released pin keeps files")
	}
	for info, err := range s.List(t.Context(), "t/", "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(info.Key, "_") {
			t.Error("left behind:", info.Key)
		}
	}
}

func TestHiddenNames(t *testing.T) {
	for path, want := range map[string]bool{"a.csv": false, "p=1/_x.csv": true, ".a": true, "_p=1/a": false, "_temporary/x/a": true, "a/.b/c": true} {
		if got := filetable.Hidden(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}
