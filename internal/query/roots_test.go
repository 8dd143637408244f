package query

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/marisma/marisma/objstore"
)

func TestPlacesLieBelowRoots(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"in/t", "out"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "out"), filepath.Join(dir, "in", "link")); err != nil {
		t.Fatal(err)
	}
	root, err := LocalRoot(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	tabs := NewTables(objstore.Local(filepath.Join(dir, "tables")))
	tabs.Allow(root, Root{Address: "abfss://c@a.dfs.core.windows.net/lake", Store: objstore.Memory()})
	for address, key := range map[string]string{
		root.Address + "/t": "t", "file:" + root.Address + "/t/": "t", "file://" + root.Address + "//t": "t", root.Address + "/x/../t": "t",
		"ABFSS://c@a.dfs.core.windows.net/lake/t": "t", "abfss://c@a.dfs.core.windows.net/lake/a/t/": "a/t",
	} {
		if p, err := tabs.place(address); err != nil || p.key != key {
			t.Errorf("%s: %q, %v", address, p.key, err)
		}
	}
	for _, address := range []string{
		filepath.Join(dir, "out"), root.Address + "/../out", root.Address + "/link/t", root.Address + "2/t", "/etc/passwd", "relative",
		"abfss://c@a.dfs.core.windows.net/lakes/t", "abfss://c@a.dfs.core.windows.net/lake/../t", "s3://c/lake/t", "file:/etc",
	} {
		if p, err := tabs.place(address); !errors.Is(err, ErrOutside) {
			t.Errorf("%s may be opened: %q, %v", address, p.key, err)
		}
	}
}

func TestPathsCarryVersions(t *testing.T) {
	if p, at := pathVersion("/a/t@v3"); p != "/a/t" || at.Version == nil || *at.Version != 3 {
		t.Errorf("%s %v", p, at)
	}
	if p, at := pathVersion("/a/t@20240229101112013"); p != "/a/t" || at.Timestamp == nil || at.Timestamp.Format("2006-01-02 15:04:05.000") != "2024-02-29 10:11:12.013" {
		t.Errorf("%s %v", p, at)
	}
	if p, at := pathVersion("abfss://c@a.dfs.core.windows.net/t"); p != "abfss://c@a.dfs.core.windows.net/t" || at.Version != nil || at.Timestamp != nil {
		t.Errorf("%s %v", p, at)
	}
}
