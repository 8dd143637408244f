package flow

import (
	"testing"

	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/vfs"
)

type eventRecord = eventlog.Record

func values(m map[place]uint64) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

// copyFile puts a file of one file system into another, alone in its folder.
func copyFile(t *testing.T, from, to vfs.FS, name string) {
	t.Helper()
	data, err := vfs.ReadFile(from, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := to.RemoveAll("p/journal"); err != nil {
		t.Fatal(err)
	}
	if err := to.MkdirAll("p/journal"); err != nil {
		t.Fatal(err)
	}
	if err := vfs.WriteFile(to, name, data); err != nil {
		t.Fatal(err)
	}
}
