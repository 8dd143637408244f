package vfs_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/vfs"
)

// both runs a test on the machine's file system and on the one in memory.
func both(t *testing.T, name string, f func(t *testing.T, fsys vfs.FS)) {
	t.Helper()
	t.Run("os/"+name, func(t *testing.T) { f(t, vfs.NewOS(t.TempDir())) })
	t.Run("mem/"+name, func(t *testing.T) { f(t, vfs.NewMem()) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, fsys vfs.FS, name, text string) {
	t.Helper()
	f, err := fsys.Create(name)
	must(t, err)
	_, err = f.Write([]byte(text))
	must(t, err)
	must(t, f.Close())
}

func get(t *testing.T, fsys vfs.FS, name string) string {
	t.Helper()
	b, err := vfs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return "(none)"
	}
	must(t, err)
	return string(b)
}

func list(t *testing.T, fsys vfs.FS, name string) []string {
	t.Helper()
	entries, err := fsys.ReadDir(name)
	must(t, err)
	out := []string{}
	for _, e := range entries {
		n := e.Name()
		if e.IsDir() {
			n += "/"
		}
		out = append(out, n)
	}
	return out
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

func TestFilesAreReadAndWrittenAtPlaces(t *testing.T) {
	both(t, "places", func(t *testing.T, fsys vfs.FS) {
		f, err := fsys.Create("a")
		must(t, err)
		_, err = f.Write([]byte("hello "))
		must(t, err)
		_, err = f.Write([]byte("world"))
		must(t, err)
		_, err = f.WriteAt([]byte("J"), 0)
		must(t, err)
		_, err = f.WriteAt([]byte("!"), 13) // leaves a hole
		must(t, err)
		if n, err := f.Size(); n != 14 || err != nil {
			t.Errorf("Size = %d, %v", n, err)
		}
		b := make([]byte, 20)
		n, err := f.ReadAt(b, 6)
		if string(b[:n]) != "world\x00\x00!" || !errors.Is(err, io.EOF) {
			t.Errorf("ReadAt = %q, %v", b[:n], err)
		}
		if n, err := f.ReadAt(b[:5], 0); string(b[:n]) != "Jello" || err != nil {
			t.Errorf("ReadAt = %q, %v", b[:n], err)
		}
		if _, err := f.ReadAt(b[:1], 99); !errors.Is(err, io.EOF) {
			t.Errorf("ReadAt beyond the end = %v", err)
		}
		must(t, f.Truncate(5))
		must(t, f.Truncate(7))
		must(t, f.Sync())
		must(t, f.Close())
		if f.Sync() == nil {
			t.Error("synced a closed file")
		}
		_, err = f.Write(nil)
		wantErr(t, err, fs.ErrClosed)
		if got := get(t, fsys, "a"); got != "Jello\x00\x00" {
			t.Errorf("content %q", got)
		}
	})
}

func TestReadGoesThroughTheFileInPieces(t *testing.T) {
	both(t, "read", func(t *testing.T, fsys vfs.FS) {
		put(t, fsys, "a", "abcdef")
		f, err := fsys.Open("a")
		must(t, err)
		b := make([]byte, 4)
		var got []string
		for {
			n, err := f.Read(b)
			if n > 0 {
				got = append(got, string(b[:n]))
			}
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
		}
		if diff := cmp.Diff([]string{"abcd", "ef"}, got); diff != "" {
			t.Error(diff)
		}
		if _, err := f.Write([]byte("x")); err == nil {
			t.Error("wrote to a file opened for reading")
		}
		if _, err := f.ReadAt(b, -1); err == nil {
			t.Error("read at a negative offset")
		}
		must(t, f.Close())
	})
}

func TestOpeningTellsWhatIsThere(t *testing.T) {
	both(t, "open", func(t *testing.T, fsys vfs.FS) {
		_, err := fsys.Open("none")
		wantErr(t, err, fs.ErrNotExist)
		_, err = fsys.Create("no/dir")
		wantErr(t, err, fs.ErrNotExist)
		put(t, fsys, "a", "1")
		_, err = fsys.CreateNew("a")
		wantErr(t, err, fs.ErrExist)
		f, err := fsys.CreateNew("b")
		must(t, err)
		must(t, f.Close())
		f, err = fsys.OpenRW("a")
		must(t, err)
		_, err = f.WriteAt([]byte("2"), 1)
		must(t, err)
		must(t, f.Close())
		if got := get(t, fsys, "a"); got != "12" {
			t.Errorf("OpenRW lost the content: %q", got)
		}
		put(t, fsys, "a", "")
		if got := get(t, fsys, "a"); got != "" {
			t.Errorf("Create kept the content: %q", got)
		}
		must(t, fsys.MkdirAll("d"))
		if _, err := fsys.Create("d"); err == nil {
			t.Error("created a file over a folder")
		}
		if _, err := fsys.Create("a/b"); err == nil {
			t.Error("created a file below a file")
		}
		for _, bad := range []string{"../x", "/etc/passwd", "a/../../x", "nul\x00"} {
			_, err := fsys.Open(bad)
			wantErr(t, err, fs.ErrInvalid)
			wantErr(t, fsys.RemoveAll(bad), fs.ErrInvalid)
			wantErr(t, fsys.MkdirAll(bad), fs.ErrInvalid)
			wantErr(t, fsys.Rename("a", bad), fs.ErrInvalid)
		}
	})
}

func TestNamesAreLinkedRenamedAndRemoved(t *testing.T) {
	both(t, "names", func(t *testing.T, fsys vfs.FS) {
		must(t, fsys.MkdirAll("d/e"))
		must(t, fsys.MkdirAll("d/e"))
		must(t, fsys.MkdirAll("."))
		put(t, fsys, "a", "A")
		put(t, fsys, "b", "B")
		must(t, fsys.Link("a", "d/a2"))
		wantErr(t, fsys.Link("a", "b"), fs.ErrExist)
		wantErr(t, fsys.Link("none", "c"), fs.ErrNotExist)
		wantErr(t, fsys.Rename("none", "c"), fs.ErrNotExist)
		must(t, fsys.Rename("b", "a"))
		if got := get(t, fsys, "a") + get(t, fsys, "d/a2") + get(t, fsys, "b"); got != "BA(none)" {
			t.Errorf("after link and rename: %q", got)
		}
		must(t, fsys.Link("a", "same"))
		must(t, fsys.Rename("a", "same"))
		if diff := cmp.Diff([]string{"a", "d/", "same"}, list(t, fsys, ".")); diff != "" {
			t.Error(diff)
		}
		wantErr(t, fsys.MkdirAll("a"), fs.ErrExist)
		if err := fsys.Remove("d"); err == nil {
			t.Error("removed a folder that is not empty")
		}
		must(t, fsys.Remove("d/e"))
		must(t, fsys.Rename("d", "moved"))
		if got := get(t, fsys, "moved/a2"); got != "A" {
			t.Errorf("in the renamed folder: %q", got)
		}
		must(t, fsys.RemoveAll("moved"))
		must(t, fsys.RemoveAll("moved"))
		wantErr(t, fsys.Remove("moved"), fs.ErrNotExist)
		_, err := fsys.ReadDir("moved")
		wantErr(t, err, fs.ErrNotExist)
		wantErr(t, fsys.SyncDir("moved"), fs.ErrNotExist)
		must(t, fsys.SyncDir("."))
		info, err := fsys.Stat("a")
		must(t, err)
		if info.Size() != 1 || info.IsDir() || info.Name() != "a" || info.ModTime().IsZero() {
			t.Errorf("Stat: %+v", info)
		}
		_, err = fsys.Stat("b")
		wantErr(t, err, fs.ErrNotExist)
	})
}

func TestAnOpenFileOutlivesItsName(t *testing.T) {
	both(t, "outlives", func(t *testing.T, fsys vfs.FS) {
		f, err := fsys.Create("a")
		must(t, err)
		must(t, fsys.Remove("a"))
		_, err = f.Write([]byte("x"))
		must(t, err)
		b := make([]byte, 1)
		_, err = f.ReadAt(b, 0)
		must(t, err)
		if string(b) != "x" {
			t.Errorf("read %q", b)
		}
		must(t, f.Close())
	})
}

func TestPreallocateKeepsContentAndGrows(t *testing.T) {
	both(t, "prealloc", func(t *testing.T, fsys vfs.FS) {
		f, err := fsys.Create("a")
		must(t, err)
		_, err = f.Write([]byte("abc"))
		must(t, err)
		must(t, f.Preallocate(1<<16))
		must(t, f.Preallocate(10)) // never shrinks
		n, err := f.Size()
		must(t, err)
		if n != 1<<16 {
			t.Errorf("Size = %d", n)
		}
		b := make([]byte, 5)
		_, err = f.ReadAt(b, 0)
		must(t, err)
		if string(b) != "abc\x00\x00" {
			t.Errorf("content %q", b)
		}
		must(t, f.Close())
	})
}

func TestWriteFileReplacesAsAWhole(t *testing.T) {
	both(t, "writefile", func(t *testing.T, fsys vfs.FS) {
		must(t, fsys.MkdirAll("d"))
		for _, text := range []string{"first and long", "", "third"} {
			must(t, vfs.WriteFile(fsys, "d/f", []byte(text)))
			if got := get(t, fsys, "d/f"); got != text {
				t.Errorf("got %q, want %q", got, text)
			}
		}
		must(t, vfs.WriteFile(fsys, "top", nil))
		if diff := cmp.Diff([]string{"f"}, list(t, fsys, "d")); diff != "" {
			t.Error(diff)
		}
		wantErr(t, vfs.WriteFile(fsys, "none/f", nil), fs.ErrNotExist)
		must(t, fsys.MkdirAll("d/taken"))
		if err := vfs.WriteFile(fsys, "d/taken", nil); err == nil {
			t.Error("wrote over a folder")
		}
		if diff := cmp.Diff([]string{"f", "taken/"}, list(t, fsys, "d")); diff != "" {
			t.Errorf("a failed write left something: %s", diff)
		}
	})
}

func TestOSKeepsItsFilesPrivateAndTellsTheirPath(t *testing.T) {
	dir := t.TempDir()
	fsys := vfs.NewOS(dir + "/made")
	must(t, fsys.MkdirAll("."))
	put(t, fsys, "a", "x")
	info, err := os.Stat(fsys.Path("a"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if got, want := fsys.Path("a"), dir+"/made/a"; got != want {
		t.Errorf("Path = %s, want %s", got, want)
	}
	if got := fsys.Path("../a"); got != "" {
		t.Errorf("Path of a name outside = %q", got)
	}
}
