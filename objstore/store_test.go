package objstore_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/marisma/marisma/internal/vfs"
	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/objstoretest"
)

func TestLocalConforms(t *testing.T) {
	objstoretest.Run(t, func(t *testing.T) objstore.Store { return objstore.Local(filepath.Join(t.TempDir(), "made")) })
}

func TestLocalOnMemConforms(t *testing.T) {
	objstoretest.Run(t, func(*testing.T) objstore.Store { return objstore.LocalOn(vfs.NewMem(), "tables") })
}

func TestMemoryConforms(t *testing.T) {
	objstoretest.Run(t, func(*testing.T) objstore.Store { return objstore.Memory() })
}

func TestOnlyStoresOnDiskTellPaths(t *testing.T) {
	dir := t.TempDir()
	p, ok := objstore.Local(dir).(objstore.Pather)
	if !ok {
		t.Fatal("Local is no Pather")
	}
	if got, want := p.Path("a/b"), filepath.Join(dir, "a", "b"); got != want {
		t.Errorf("Path = %q, want %q", got, want)
	}
	if got := p.Path("../b"); got != "" {
		t.Errorf("Path of a bad key = %q", got)
	}
	for name, s := range map[string]objstore.Store{"Memory": objstore.Memory(), "LocalOn(Mem)": objstore.LocalOn(vfs.NewMem(), ".")} {
		if _, ok := s.(objstore.Pather); ok {
			t.Errorf("%s is a Pather", name)
		}
	}
}

func TestAReplacedFileLosesHadoopsChecksum(t *testing.T) {
	dir := t.TempDir()
	s := objstore.Local(dir)
	crc := filepath.Join(dir, "log", ".1.json.crc")
	for _, change := range []func() error{
		func() error {
			_, err := s.Put(t.Context(), "log/1.json", strings.NewReader("x"), objstore.PutOptions{})
			return err
		},
		func() error { return s.Delete(t.Context(), "log/1.json") },
		func() error {
			_, err := s.Put(t.Context(), "log/1.json", strings.NewReader("x"), objstore.PutOptions{IfAbsent: true})
			return err
		},
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(crc), 0o700), os.WriteFile(crc, []byte("crc"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(crc); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the checksum is still there: %v", err)
		}
	}
}

// outcome is what a reader finds under the key after a crash.
func outcome(t *testing.T, m *vfs.Mem) string {
	t.Helper()
	s := objstore.LocalOn(m, "t")
	for info, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if info.Key != "log/1.json" {
			t.Fatalf("a crash left the object %s", info.Key)
		}
	}
	b, err := objstore.ReadAll(t.Context(), s, "log/1.json")
	if errors.Is(err, objstore.ErrNotFound) {
		return "(none)"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPutSurvivesAPowerCutAtEveryOperation(t *testing.T) {
	next := strings.Repeat("new ", 600)
	for _, c := range []struct {
		name, before string
		opt          objstore.PutOptions
	}{
		{"new", "(none)", objstore.PutOptions{}},
		{"absent", "(none)", objstore.PutOptions{IfAbsent: true}},
		{"replace", "old", objstore.PutOptions{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for n := 0; ; n++ {
				m := vfs.NewMem()
				s := objstore.LocalOn(m, "t")
				if c.before != "(none)" {
					if _, err := s.Put(t.Context(), "log/1.json", strings.NewReader(c.before), objstore.PutOptions{}); err != nil {
						t.Fatal(err)
					}
				}
				m.CutAt(n)
				_, err := s.Put(t.Context(), "log/1.json", strings.NewReader(next), c.opt)
				for seed := range uint64(40) {
					var rng *rand.Rand
					if seed > 0 {
						rng = rand.New(rand.NewPCG(seed, 3))
					}
					got := outcome(t, m.Crash(rng))
					if err == nil && got != next || err != nil && got != c.before && got != next {
						t.Fatalf("cut at %d, seed %d, error %v: %.40q", n, seed, err, got)
					}
				}
				if err == nil {
					if n < 4 {
						t.Fatalf("a put of only %d operations", n)
					}
					return
				}
				if !errors.Is(err, vfs.ErrPowerCut) {
					t.Fatal(err)
				}
			}
		})
	}
}

// Once an object says that it is durable it outlives a crash, and what was put
// after it is never there without it.
func TestAPutAfterOthersComesAfterThemInACrash(t *testing.T) {
	text := strings.Repeat("row ", 600)
	for n := 0; ; n++ {
		m := vfs.NewMem()
		d, ok := objstore.LocalOn(m, "t").(objstore.Deferrer)
		if !ok {
			t.Fatal("no Deferrer")
		}
		m.CutAt(n)
		_, durable, err := d.PutLater(t.Context(), "data", strings.NewReader(text), objstore.PutOptions{})
		if err == nil {
			_, err = d.PutAfter(t.Context(), "log/1.json", strings.NewReader(text), objstore.PutOptions{IfAbsent: true}, durable)
		}
		for seed := range uint64(40) {
			var rng *rand.Rand
			if seed > 0 {
				rng = rand.New(rand.NewPCG(seed, 3))
			}
			after := objstore.LocalOn(m.Crash(rng), "t")
			data, rerr := objstore.ReadAll(t.Context(), after, "data")
			logged, lerr := objstore.ReadAll(t.Context(), after, "log/1.json")
			switch {
			case lerr == nil && (string(logged) != text || rerr != nil || string(data) != text):
				t.Fatalf("cut at %d, seed %d: %.20q was put after %.20q (%v)", n, seed, logged, data, rerr)
			case lerr != nil && (err == nil || !errors.Is(lerr, objstore.ErrNotFound)):
				t.Fatalf("cut at %d, seed %d: the put gave %v; reading it: %v", n, seed, err, lerr)
			}
		}
		if err == nil {
			return
		}
		if n > 100 {
			t.Fatal(err)
		}
	}
}

func TestAFullDiskFailsThePutAndLeavesNothing(t *testing.T) {
	m := vfs.NewMem()
	s := objstore.LocalOn(m, ".")
	for _, op := range []vfs.Op{vfs.OpWrite, vfs.OpSync, vfs.OpRename, vfs.OpCreate} {
		m.Inject(func(o vfs.Op, _ string) error {
			if o == op {
				return syscall.ENOSPC
			}
			return nil
		})
		_, err := s.Put(t.Context(), "a", strings.NewReader("x"), objstore.PutOptions{})
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: error %v", op, err)
		}
		m.Inject(nil)
		if entries, _ := m.ReadDir("."); len(entries) != 0 {
			t.Errorf("%s: left %v", op, entries)
		}
	}
	m.Inject(func(o vfs.Op, _ string) error {
		if o == vfs.OpSyncDir {
			return syscall.EIO
		}
		return nil
	})
	_, err := s.Put(t.Context(), "a", strings.NewReader("x"), objstore.PutOptions{})
	if !errors.Is(err, objstore.ErrUnknownOutcome) {
		t.Errorf("a failed SyncDir: error %v", err)
	}
}
