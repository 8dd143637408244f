package vfs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/vfs"
)

// family reduces an error to what callers may rely on.
func family(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, fs.ErrNotExist):
		return "not exist"
	case errors.Is(err, io.EOF):
		return "eof"
	}
	return "failed"
}

// session does random work on a file system; the same seed does the same work.
type session struct {
	fs    vfs.FS
	rng   *rand.Rand
	files []vfs.File
}

func (s *session) name() string {
	names := []string{"a", "b", "c", "d", "d/a", "d/b", "d/e", "d/e/a", "e", "e/a"}
	return names[s.rng.IntN(len(names))]
}

func (s *session) keep(f vfs.File, err error) string {
	if err == nil {
		s.files = append(s.files, f)
	}
	return family(err)
}

// step does one thing and tells what came of it.
func (s *session) step() string {
	a, b := s.name(), s.name()
	switch op := s.rng.IntN(16); op {
	case 0:
		return fmt.Sprint("create ", a, " ", s.keep(s.fs.Create(a)))
	case 1:
		return fmt.Sprint("createnew ", a, " ", s.keep(s.fs.CreateNew(a)))
	case 2:
		return fmt.Sprint("openrw ", a, " ", s.keep(s.fs.OpenRW(a)))
	case 3:
		return fmt.Sprint("remove ", a, " ", family(s.fs.Remove(a)))
	case 4:
		return fmt.Sprint("rename ", a, " ", b, " ", s.rename(a, b))
	case 5:
		return fmt.Sprint("link ", a, " ", b, " ", family(s.fs.Link(a, b)))
	case 6:
		return fmt.Sprint("mkdir ", a, " ", family(s.fs.MkdirAll(a)))
	case 7:
		return fmt.Sprint("syncdir ", a, " ", family(s.fs.SyncDir(a)))
	case 8:
		if s.rng.IntN(4) > 0 {
			return ""
		}
		return fmt.Sprint("removeall ", a, " ", family(s.fs.RemoveAll(a)))
	default:
		if len(s.files) == 0 {
			return ""
		}
		return s.file(op, s.files[s.rng.IntN(len(s.files))])
	}
}

// rename leaves out folders onto empty folders, which only the OS allows.
func (s *session) rename(a, b string) string {
	if st, err := s.fs.Stat(b); err == nil && st.IsDir() {
		return "left out"
	}
	return family(s.fs.Rename(a, b))
}

func (s *session) file(op int, f vfs.File) string {
	data := fmt.Append(nil, "<", s.rng.Uint32(), ">")
	off, size := s.rng.Int64N(200), s.rng.Int64N(300)
	switch op {
	case 9, 10:
		_, err := f.Write(data)
		return "write " + family(err)
	case 11, 12:
		_, err := f.WriteAt(data, off)
		return "writeat " + family(err)
	case 13:
		return "truncate " + family(f.Truncate(size))
	case 14:
		return "preallocate " + family(f.Preallocate(size))
	}
	buf := make([]byte, 40)
	n, err := f.Read(buf)
	return fmt.Sprintf("read %q %s, sync %s", buf[:n], family(err), family(f.Sync()))
}

// tree is all that is seen below a folder.
func tree(t *testing.T, fsys vfs.FS, dir string) []string {
	t.Helper()
	entries, err := fsys.ReadDir(dir)
	must(t, err)
	var out []string
	for _, e := range entries {
		name := dir + "/" + e.Name()
		if e.IsDir() {
			out = append(out, name+"/")
			out = append(out, tree(t, fsys, name)...)
			continue
		}
		out = append(out, name+" "+get(t, fsys, name))
	}
	return out
}

func TestMemBehavesAsTheMachine(t *testing.T) {
	for seed := range uint64(40) {
		disk := &session{fs: vfs.NewOS(t.TempDir()), rng: rand.New(rand.NewPCG(seed, 5))}
		mem := &session{fs: vfs.NewMem(), rng: rand.New(rand.NewPCG(seed, 5))}
		var log []string
		for range 150 {
			want, got := disk.step(), mem.step()
			log = append(log, want)
			if want != got {
				t.Fatalf("seed %d: the machine says %q, Mem says %q, after\n%q", seed, want, got, log)
			}
		}
		if diff := cmp.Diff(tree(t, disk.fs, "."), tree(t, mem.fs, ".")); diff != "" {
			t.Fatalf("seed %d: -machine +Mem\n%s\nafter %q", seed, diff, log)
		}
		for _, f := range slices.Concat(disk.files, mem.files) {
			must(t, f.Close())
		}
	}
}

func TestSyncedStateSurvivesAnyCrash(t *testing.T) {
	for seed := range uint64(40) {
		m := vfs.NewMem()
		s := &session{fs: m, rng: rand.New(rand.NewPCG(seed, 6))}
		for range 80 {
			s.step()
		}
		for _, f := range s.files {
			must(t, f.Sync())
		}
		sync := func(fsys vfs.FS) {
			must(t, fsys.SyncDir("."))
			for _, d := range tree(t, fsys, ".") {
				if d[len(d)-1] == '/' {
					must(t, fsys.SyncDir(d[:len(d)-1]))
				}
			}
		}
		sync(m)
		want := tree(t, m, ".")
		for n := range uint64(5) {
			c := m.Crash(rand.New(rand.NewPCG(seed, n)))
			if diff := cmp.Diff(want, tree(t, c, ".")); diff != "" {
				t.Fatalf("seed %d: -before +after the crash\n%s", seed, diff)
			}
		}
	}
}
