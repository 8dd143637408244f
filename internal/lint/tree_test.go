package lint

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tracked are the repository's files; the test is skipped outside of one.
func tracked(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "-C", "../..", "ls-files", "-z").Output()
	if err != nil {
		t.Skip("not in a git work tree: ", err)
	}
	return strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
}

// The tree holds no path of somebody's machine and no host of a package
// registry. The patterns are put together so that this file does not match.
func TestTreeNamesNoMachineAndNoRegistry(t *testing.T) {
	bad := regexp.MustCompile(strings.Join([]string{
		`/wo` + `rk/(main|wt|shared)`, `/ro` + `ot/`, `/ho` + `me/[a-z]`,
		`proxy\.golang` + `\.org`, `registry\.npmjs` + `\.org`, `pypi` + `\.org`, `repo1?\.maven`,
	}, "|"))
	for _, f := range tracked(t) {
		if strings.HasPrefix(f, "internal/web/dist/") || strings.HasSuffix(f, "package-lock.json") {
			continue
		}
		b, err := os.ReadFile(filepath.Join("../..", f))
		if err != nil {
			if os.IsNotExist(err) {
				continue // removed, not yet committed
			}
			t.Fatal(err)
		}
		if bytes.IndexByte(b[:min(len(b), 8000)], 0) >= 0 {
			continue
		}
		for i, line := range strings.Split(string(b), "\n") {
			if m := bad.FindString(line); m != "" {
				t.Errorf("%s:%d names %q", f, i+1, m)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)

// Links of the documents lead to files that are there.
func TestDocLinksLeadSomewhere(t *testing.T) {
	for _, f := range tracked(t) {
		if !strings.HasSuffix(f, ".md") {
			continue
		}
		b, err := os.ReadFile(filepath.Join("../..", f))
		if err != nil {
			continue
		}
		for _, m := range link.FindAllSubmatch(b, -1) {
			to := string(m[1])
			if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join("../..", filepath.Dir(f), filepath.FromSlash(to))); err != nil {
				t.Errorf("%s links to %s, which is not there", f, to)
			}
		}
	}
}

// Each Go folder of the table of layers stands in the architecture's table.
func TestDocArchitectureNamesEachFolder(t *testing.T) {
	b, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for dir := range layer {
		if dir == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join("../..", dir)); err != nil {
			continue // a layer for what is to come
		}
		if !strings.Contains(text, "`"+dir+"`") {
			t.Errorf("docs/ARCHITECTURE.md has no line for %s", dir)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| [0-9–] \\| `([^`]+)`").FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Errorf("docs/ARCHITECTURE.md names %s, which is not there", m[1])
		}
	}
}

var fence = regexp.MustCompile("(?ms)^```(?:console|sql)\n(.*?)^```")

// commands are the console and SQL blocks of a document, without comments.
func commands(t *testing.T, name string) []string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range fence.FindAllSubmatch(b, -1) {
		for line := range strings.SplitSeq(string(m[1]), "\n") {
			line, _, _ = strings.Cut(line, "#")
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

// The Spanish first page shows the same commands as the English one.
func TestReadmesShowTheSameCommands(t *testing.T) {
	en, es := commands(t, "../../README.md"), commands(t, "../../README.es.md")
	if len(en) == 0 || !slices.Equal(en, es) {
		t.Errorf("README.md and README.es.md differ:\n%q\n%q", en, es)
	}
}

// A file that is too long to read is split.
func TestFilesAreNotTooLong(t *testing.T) {
	const limit = 800
	err := filepath.WalkDir("../..", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err == nil && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && p != "../..") {
				return fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		if n := bytes.Count(b, []byte("\n")); n > limit {
			t.Errorf("%s has %d lines, the limit is %d", p, n, limit)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
