package reference

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed *.txt
var files embed.FS

// Entry describes one function.
type Entry struct {
	Name       string
	Family     string   // title of its family
	File       string   // where it stands
	Signatures []string // name(args) → result, one or more
	Meaning    string
	Example    string // a statement
}

// Entries reads all entries, family by family, in the order of the files.
func Entries() ([]Entry, error) {
	names, err := fs.Glob(files, "*.txt")
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, n := range names {
		text, err := files.ReadFile(n)
		if err != nil {
			return nil, err
		}
		es, err := parse(n, string(text))
		if err != nil {
			return nil, err
		}
		out = append(out, es...)
	}
	return out, nil
}

// Lookup finds the entry of a function by its name in lower case.
func Lookup(name string) (Entry, bool) {
	all, err := Entries()
	if err != nil { // a test reads them all
		return Entry{}, false
	}
	for _, e := range all {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

func parse(file, text string) ([]Entry, error) {
	title, rest, _ := strings.Cut(text, "\n")
	title, ok := strings.CutPrefix(title, "# ")
	if !ok {
		return nil, fmt.Errorf("%s: the first line is no title (# ...)", file)
	}
	var out []Entry
	for block := range strings.SplitSeq(strings.TrimSpace(rest), "\n\n") {
		e, err := entry(strings.TrimSpace(block))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		e.Family, e.File = title, file
		out = append(out, e)
	}
	return out, nil
}

func entry(block string) (Entry, error) {
	var e Entry
	var inner []string
	for l := range strings.Lines(block) {
		l = strings.TrimRight(l, "\n")
		if body, ok := strings.CutPrefix(l, "  "); ok {
			inner = append(inner, body)
			continue
		}
		name, _, ok := strings.Cut(l, "(")
		if !ok || !strings.Contains(l, " → ") {
			return e, fmt.Errorf("%q is no signature: name(args) → result", l)
		}
		if e.Name != "" && e.Name != name {
			return e, fmt.Errorf("%s and %s stand in one block", e.Name, name)
		}
		e.Name = name
		e.Signatures = append(e.Signatures, l)
	}
	if len(inner) != 2 {
		return e, fmt.Errorf("%s has %d lines below its signature instead of two: what it does, and an example", e.Name, len(inner))
	}
	e.Meaning, e.Example = inner[0], inner[1]
	if !strings.HasPrefix(e.Example, "SELECT ") {
		e.Example = "SELECT " + e.Example
	}
	return e, nil
}
