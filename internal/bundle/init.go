package bundle

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed starter
var starter embed.FS

// Init writes a small project into the folder dir, which it makes if need be:
// a pipeline from bronze to gold and three devices. It gives the files that it
// wrote. It writes nothing where one of them is there already.
func Init(dir string) ([]string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("init: %w", err)
	}
	content, err := starterFiles(projectName(filepath.Base(abs)))
	if err != nil {
		return nil, fmt.Errorf("init: %w", err)
	}
	for _, f := range content {
		if _, err := os.Lstat(filepath.Join(abs, f.Path)); err == nil {
			return nil, fmt.Errorf("init: %s is there already; name another folder", filepath.Join(dir, f.Path))
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("init: %w", err)
		}
	}
	var out []string
	for _, f := range content {
		name := filepath.Join(abs, f.Path)
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			return out, fmt.Errorf("init: %w", err)
		}
		//nolint:gosec // the project's own text, shared by version control
		if err := os.WriteFile(name, []byte(f.Text), 0o644); err != nil {
			return out, fmt.Errorf("init: %w", err)
		}
		out = append(out, filepath.Join(dir, f.Path))
	}
	return out, nil
}

// starterFiles are the project's files in order of their names, called name.
func starterFiles(name string) ([]SourceFile, error) {
	var out []SourceFile
	err := fs.WalkDir(starter, "starter", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := starter.ReadFile(p)
		if err != nil {
			return err
		}
		rel := filepath.FromSlash(strings.TrimPrefix(p, "starter/"))
		if rel == "gitignore" { // embed leaves out hidden files
			rel = ".gitignore"
		}
		text := string(data)
		if rel == bundleFile || rel == "README.md" {
			text = strings.Replace(text, "starter", name, 1)
		}
		out = append(out, SourceFile{rel, text})
		return nil
	})
	slices.SortFunc(out, func(a, b SourceFile) int { return strings.Compare(a.Path, b.Path) })
	return out, err
}

// projectName makes a bundle's name of a folder's.
func projectName(folder string) string {
	name := strings.Map(func(r rune) rune {
		if plainName(string(r)) {
			return r
		}
		return '_'
	}, strings.ToLower(folder))
	if name = strings.Trim(name, "_-"); name == "" || name == "null" {
		return "my_project"
	}
	return name[:min(len(name), 60)]
}
