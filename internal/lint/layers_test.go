package lint

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/marisma/marisma"

// layer gives each folder its level; a package imports only lower ones. The
// longest matching prefix decides, so sub-packages share their parent's level.
var layer = map[string]int{
	"objstore": 0, "internal/vfs": 0, "internal/auth": 0, "internal/obs": 0,
	"internal/collation": 0, "internal/spatial": 0, "internal/typo": 0, "internal/xmltree": 0,
	"delta": 1, "internal/sparksql": 1, "internal/eventlog": 1, "internal/mqtt": 1,
	"internal/duck": 1, "internal/jsonarrow": 1, "internal/bundle": 1,
	"internal/catalog": 2, "internal/secret": 2,
	"internal/query": 3, "internal/worker": 3,
	"internal/pipeline": 4, "internal/jobs": 4, "internal/alert": 4, "internal/maintain": 4,
	"internal/iothub": 5, "internal/web": 5, "internal/fleet": 5,
	"internal/app": 6, "": 6,
	"cmd/marisma": 7,
}

// free folders stand beside the layers: nothing imports them.
var free = []string{"internal/lint", "bench", "interop", "e2e", "tools", "examples", "crash"}

// equal lists the imports between packages of one level, each with its reason.
var equal = map[[2]string]string{
	{"delta", "internal/jsonarrow"}:             "shredded VARIANTs are put together by the code that knows their values",
	{"objstore", "internal/vfs"}:                "the local store writes through vfs, so that power cuts can be tested",
	{"internal/auth", "internal/vfs"}:           "keys and certificates are files of the data folder",
	{"internal/duck", "internal/jsonarrow"}:     "the from_json kernel and the fused reader share one parser (rule 5)",
	{"internal/sparksql", "internal/jsonarrow"}: "constants of a statement are read and printed by the code that casts values; schema_of_json reads texts as from_json does",
	{"internal/app", ""}:                        "the root package hands its Config to app",
	{"", "internal/app"}:                        "the root package is a thin face over app",
	{"internal/query", "internal/worker"}:       "ad-hoc SQL runs in worker processes",
}

func home(path string) (string, int, bool) {
	best, lvl, ok := "", 0, false
	for dir, l := range layer {
		if path == dir || dir != "" && strings.HasPrefix(path, dir+"/") {
			if !ok || len(dir) > len(best) {
				best, lvl, ok = dir, l, true
			}
		}
	}
	return best, lvl, ok
}

func isFree(path string) bool {
	for _, f := range free {
		if path == f || strings.HasPrefix(path, f+"/") {
			return true
		}
	}
	return false
}

// packages maps each folder with Go files to the module's folders that its
// non-test files import.
func packages(t *testing.T) map[string]map[string]bool {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]bool{}
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			n := d.Name()
			if p != root && (strings.HasPrefix(n, ".") || n == "testdata" || n == "node_modules" || n == "ui") {
				return fs.SkipDir
			}
			if p != root {
				if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil {
					return fs.SkipDir
				}
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel == "." {
			rel = ""
		}
		if out[rel] == nil {
			out[rel] = map[string]bool{}
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, im := range f.Imports {
			s, err := strconv.Unquote(im.Path.Value)
			if err != nil {
				return err
			}
			if s == module {
				out[rel][""] = true
			} else if dir, ok := strings.CutPrefix(s, module+"/"); ok {
				out[rel][dir] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEachPackageImportsOnlyLowerLayers(t *testing.T) {
	for pkg, imports := range packages(t) {
		if isFree(pkg) {
			continue
		}
		from, level, ok := home(pkg)
		if !ok {
			t.Errorf("%s has no layer: give it one in layers_test.go", pkg)
			continue
		}
		for im := range imports {
			to, l, ok := home(im)
			switch {
			case !ok:
				t.Errorf("%s imports %s, which has no layer", pkg, im)
			case from == to:
			case l > level, l == level && equal[[2]string{from, to}] == "":
				t.Errorf("%s (layer %d) imports %s (layer %d)", pkg, level, im, l)
			}
		}
	}
}

func TestEachPackageHasADocFile(t *testing.T) {
	for pkg := range packages(t) {
		dir := filepath.Join("../..", filepath.FromSlash(pkg))
		if _, err := os.Stat(filepath.Join(dir, "doc.go")); err != nil && !strings.HasPrefix(pkg, "cmd/") {
			t.Errorf("%s has no doc.go", pkg)
		}
	}
}
