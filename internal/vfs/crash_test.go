package vfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/vfs"
)

func TestACrashLosesWhatWasNotSynced(t *testing.T) {
	m := vfs.NewMem()
	f, err := m.Create("a")
	must(t, err)
	_, err = f.Write([]byte("durable"))
	must(t, err)
	must(t, f.Sync())
	if got := list(t, m.Crash(nil), "."); len(got) != 0 {
		t.Errorf("a name without SyncDir survived: %v", got)
	}
	must(t, m.SyncDir("."))
	_, err = f.Write([]byte(" lost"))
	must(t, err)
	_, err = f.WriteAt([]byte("D"), 0)
	must(t, err)
	put(t, m, "b", "name and bytes lost")
	must(t, m.Link("a", "c"))
	c := m.Crash(nil)
	if got := get(t, c, "a"); got != "durable" {
		t.Errorf("after the crash: %q", got)
	}
	if diff := cmp.Diff([]string{"a"}, list(t, c, ".")); diff != "" {
		t.Error(diff)
	}
	if got := get(t, m, "a"); got != "Durable lost" {
		t.Errorf("the crash changed the original: %q", got)
	}
	must(t, m.SyncDir("."))
	c = m.Crash(nil)
	if got := get(t, c, "b"); got != "" {
		t.Errorf("unsynced bytes of a synced name: %q", got)
	}
	put(t, c, "a", "over")
	if got := get(t, c, "c"); got != "over" {
		t.Errorf("two names of a file came apart: %q", got)
	}
}

func TestACrashUndoesUnsyncedRemovesAndRenames(t *testing.T) {
	m := vfs.NewMem()
	must(t, m.MkdirAll("d"))
	must(t, vfs.WriteFile(m, "a", []byte("A")))
	must(t, vfs.WriteFile(m, "d/b", []byte("B")))
	must(t, m.Remove("a"))
	must(t, m.Rename("d/b", "b"))
	c := m.Crash(nil)
	if got := get(t, c, "a") + get(t, c, "d/b") + get(t, c, "b"); got != "AB(none)" {
		t.Errorf("got %s", got)
	}
	must(t, m.SyncDir("d")) // a rename is durable in both folders at once
	c = m.Crash(nil)
	if got := get(t, c, "d/b") + get(t, c, "b"); got != "(none)B" {
		t.Errorf("got %s", got)
	}
	must(t, m.RemoveAll("d"))
	if got := list(t, m.Crash(nil), "."); len(got) != 2 {
		t.Errorf("an unsynced RemoveAll took: %v", got)
	}
}

func TestMkdirAllIsDurable(t *testing.T) {
	m := vfs.NewMem()
	must(t, m.MkdirAll("x/y"))
	if diff := cmp.Diff([]string{"y/"}, list(t, m.Crash(nil), "x")); diff != "" {
		t.Error(diff)
	}
}

func TestTruncateAndPreallocateNeedSync(t *testing.T) {
	m := vfs.NewMem()
	must(t, vfs.WriteFile(m, "a", []byte("abcdef")))
	f, err := m.OpenRW("a")
	must(t, err)
	must(t, f.Truncate(3))
	must(t, f.Preallocate(5))
	if got := get(t, m.Crash(nil), "a"); got != "abcdef" {
		t.Errorf("got %q", got)
	}
	must(t, f.Sync())
	if got := get(t, m.Crash(nil), "a"); got != "abc\x00\x00" {
		t.Errorf("got %q", got)
	}
}

func TestARandomCrashKeepsDropsAndTears(t *testing.T) {
	m := vfs.NewMem()
	must(t, vfs.WriteFile(m, "a", []byte("start")))
	f, err := m.OpenRW("a")
	must(t, err)
	_, err = f.WriteAt([]byte(strings.Repeat("x", 3*512)), 5)
	must(t, err)
	put(t, m, "b", "")
	seen := map[string]int{}
	for seed := range uint64(400) {
		c := m.Crash(rand.New(rand.NewPCG(seed, 1)))
		again := m.Crash(rand.New(rand.NewPCG(seed, 1)))
		got := get(t, c, "a")
		if got != get(t, again, "a") || get(t, c, "b") != get(t, again, "b") {
			t.Fatal("one seed gave two outcomes")
		}
		if !strings.HasPrefix(got, "start") {
			t.Fatalf("synced bytes were lost: %.20q", got)
		}
		switch n := strings.Count(got, "x"); {
		case n == 3*512:
			seen["kept"]++
		case len(got) == 5:
			seen["dropped"]++
		case n == 0:
			seen["length only"]++
		default:
			seen["torn"]++
		}
		seen["name "+get(t, c, "b")]++
	}
	for _, want := range []string{"kept", "dropped", "length only", "torn", "name ", "name (none)"} {
		if seen[want] < 10 {
			t.Errorf("outcome %q came %d times in 400", want, seen[want])
		}
	}
}

func TestWriteFileSurvivesACutAtEveryOperation(t *testing.T) {
	for n := 0; ; n++ {
		m := vfs.NewMem()
		must(t, m.MkdirAll("d"))
		must(t, vfs.WriteFile(m, "d/f", []byte("old")))
		m.CutAt(n)
		err := vfs.WriteFile(m, "d/f", []byte("new"))
		for seed := range uint64(50) {
			var rng *rand.Rand
			if seed > 0 {
				rng = rand.New(rand.NewPCG(seed, 7))
			}
			got := get(t, m.Crash(rng), "d/f")
			if err == nil && got != "new" || err != nil && got != "old" && got != "new" {
				t.Fatalf("cut at %d, seed %d, error %v: %q", n, seed, err, got)
			}
		}
		if err == nil {
			if n < 4 {
				t.Fatalf("only %d operations: temp, write, sync, rename and syncdir were expected", n)
			}
			return
		}
		wantErr(t, err, vfs.ErrPowerCut)
	}
}

func TestAfterThePowerCutEverythingFails(t *testing.T) {
	m := vfs.NewMem()
	put(t, m, "a", "x")
	f, err := m.Open("a")
	must(t, err)
	before := m.Ops()
	m.CutAt(1)
	must(t, m.SyncDir("."))
	_, rerr := f.Read(make([]byte, 1))
	_, serr := f.Size()
	_, oerr := m.Open("a")
	_, cerr := m.CreateNew("b")
	_, lerr := m.ReadDir(".")
	_, terr := m.Stat("a")
	for i, err := range []error{
		rerr, serr, oerr, cerr, lerr, terr, f.Sync(), f.Truncate(0), m.Remove("a"), m.RemoveAll("a"),
		m.Rename("a", "b"), m.Link("a", "b"), m.MkdirAll("d"), m.MkdirAll("."), m.SyncDir("."),
	} {
		if !errors.Is(err, vfs.ErrPowerCut) && !errors.Is(err, syscall.EBADF) {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	if n := m.Ops() - before; n != 1 {
		t.Errorf("%d operations counted after the cut", n)
	}
	m.CutAt(-1)
	if got := get(t, m, "a"); got != "x" {
		t.Errorf("power back: %q", got)
	}
}

func TestInjectedErrorsComeBeforeTheDeed(t *testing.T) {
	m := vfs.NewMem()
	f, err := m.Create("a")
	must(t, err)
	var seen []string
	m.Inject(func(op vfs.Op, name string) error {
		seen = append(seen, fmt.Sprint(op, " ", name))
		if op == vfs.OpWrite {
			return syscall.ENOSPC
		}
		return nil
	})
	_, err = f.Write([]byte("x"))
	wantErr(t, err, syscall.ENOSPC)
	must(t, f.Sync())
	must(t, m.Rename("a", "b"))
	m.Inject(nil)
	if got := get(t, m, "b"); got != "" {
		t.Errorf("a refused write wrote %q", got)
	}
	if diff := cmp.Diff([]string{"write a", "sync a", "rename a"}, seen); diff != "" {
		t.Error(diff)
	}
	if _, err := m.Open("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
