package query

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/query/filetable"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/worker"
	"github.com/marisma/marisma/objstore"
)

// copyFile is a file that COPY INTO may load.
type copyFile struct {
	address string // whole, as roots have it
	key     string // of its root's store
	rel     string // below the statement's path
	size    int64
	at      place
	loads   int64 // how often the table has it afterwards
	local   string
	old     bool // keeps old dates in a calendar that DuckDB does not know
}

// copySource are the files of a statement, as a source of plans.
type copySource struct {
	files   []copyFile
	columns []types.Field
	text    *worker.Text // nil: Parquet
	release []func()
}

func (s *copySource) close() {
	for _, f := range s.release {
		f()
	}
	s.release = nil
}

func (s *copySource) input() Input {
	in := Input{Text: s.text}
	for _, f := range s.files {
		in.Files = append(in.Files, File{Path: f.local, Own: f.old})
	}
	return in
}

// fetch puts files where workers can read them. Parquet files whose footer cannot
// be read are left out where skip is set; it tells how many.
func (s *copySource) fetch(ctx context.Context, t *Tables, files []copyFile, skip bool) (skipped int, err error) {
	for _, f := range files {
		var release func()
		if f.local, release, err = t.fetch(ctx, f.at.root.Store, f.key, f.size); err != nil {
			return 0, fmt.Errorf("%s: %w", f.address, err)
		}
		s.release = append(s.release, release)
		f.old = s.text == nil && t.Old(f.local)
		if skip {
			if _, err := delta.FileSchema(f.local); err != nil {
				skipped++
				continue
			}
		}
		s.files = append(s.files, f)
	}
	return skipped, nil
}

// list finds the statement's files in the order of their names.
func (c *copier) list(ctx context.Context) ([]copyFile, error) {
	t := c.e.cfg.Tables
	base, glob := globBase(c.ast.Path)
	p, err := t.place(base)
	if err != nil {
		return nil, t.outside(c.ast.Path)
	}
	wanted, err := c.wanted(glob)
	if err != nil {
		return nil, err
	}
	found, err := below(ctx, t, p)
	if err != nil {
		return nil, err
	}
	var out []copyFile
	names := map[string]bool{}
	for _, f := range found {
		if strings.HasPrefix(f.rel, "_delta_log/") || strings.Contains(f.rel, "/_delta_log/") {
			return nil, c.copyFault("COPY_INTO_SOURCE_FILE_FORMAT_NOT_SUPPORTED", "0A000", "there is a Delta table at "+c.ast.Path+".", "Write INSERT INTO ... SELECT * FROM delta.`path`.")
		}
		if !filetable.Hidden(f.rel) && wanted(f.rel) {
			out = append(out, f)
			names[f.rel] = true
		}
	}
	for _, n := range c.ast.Files {
		if !names[strings.TrimPrefix(n, "/")] {
			return nil, c.copyFault("PATH_NOT_FOUND", "42K03", "there is no file "+n+" below "+c.ast.Path+".", "")
		}
	}
	switch {
	case len(found) == 0 && !t.exists(ctx, base):
		return nil, c.copyFault("PATH_NOT_FOUND", "42K03", "there is nothing at "+c.ast.Path+".", "")
	case len(out) == 0:
		return nil, c.copyFault("COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED", "42KD9", "there is no file to load at "+c.ast.Path+".", "Names that begin with _ or . are not read; see PATTERN and FILES.")
	}
	return out, nil
}

// below are the files at a place or in it.
func below(ctx context.Context, t *Tables, p place) ([]copyFile, error) {
	var out []copyFile
	prefix := p.key
	if prefix != "" {
		prefix += "/"
	}
	root := strings.TrimSuffix(normalAddress(p.root.Address), "/") + "/"
	for info, err := range p.root.Store.List(ctx, prefix, "") {
		if err != nil {
			return nil, err
		}
		f := copyFile{address: root + info.Key, key: info.Key, rel: strings.TrimPrefix(info.Key, prefix), size: info.Size, at: p}
		if _, err := t.place(f.address); err != nil {
			return nil, t.outside(f.address) // a link leads out
		}
		out = append(out, f)
	}
	if len(out) > 0 || p.key == "" {
		return out, nil
	}
	info, err := p.root.Store.Head(ctx, p.key)
	if errors.Is(err, objstore.ErrNotFound) {
		return nil, nil
	}
	if err != nil { // a folder without files
		return nil, nil //nolint:nilerr // whoever asks says that nothing is there
	}
	return []copyFile{{address: root + p.key, key: p.key, rel: path.Base(p.key), size: info.Size, at: p}}, nil
}

// wanted tells which files the pattern of the path, PATTERN and FILES leave.
func (c *copier) wanted(glob string) (func(rel string) bool, error) {
	var patterns []*regexp.Regexp
	for _, g := range []string{glob, c.ast.Pattern} {
		if g == "" {
			continue
		}
		re, err := globRegexp(g)
		if err != nil {
			return nil, c.copyFault("INVALID_PARAMETER_VALUE", "22023", "the pattern "+g+" is malformed.", "")
		}
		patterns = append(patterns, re)
	}
	named := map[string]bool{}
	for _, f := range c.ast.Files {
		named[strings.TrimPrefix(f, "/")] = true
	}
	return func(rel string) bool {
		for _, re := range patterns {
			if !re.MatchString(rel) {
				return false
			}
		}
		return len(named) == 0 || named[rel]
	}, nil
}

// globBase parts a path at the first folder that is a pattern.
func globBase(address string) (base, glob string) {
	i := strings.IndexAny(address, "*?[{")
	if i < 0 {
		return address, ""
	}
	at := strings.LastIndex(address[:i], "/") + 1
	return strings.TrimSuffix(address[:at], "/"), address[at:]
}

// globRegexp reads a pattern: * and ? within a name, ** across names, [a-c],
// {a,b}. A pattern that names a folder takes what is in it.
func globRegexp(glob string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString("^(?:")
	depth := 0
	for i := 0; i < len(glob); i++ {
		switch ch := glob[i]; {
		case ch == '*' && strings.HasPrefix(glob[i:], "**"):
			b.WriteString(".*")
			i++
		case ch == '*':
			b.WriteString("[^/]*")
		case ch == '?':
			b.WriteString("[^/]")
		case ch == '[':
			end := strings.IndexByte(glob[i:], ']')
			if end < 2 {
				return nil, errors.New("query: [ without ]")
			}
			set := glob[i+1 : i+end]
			if strings.HasPrefix(set, "!") {
				set = "^" + set[1:]
			}
			b.WriteString("[" + strings.ReplaceAll(set, `\`, `\\`) + "]")
			i += end
		case ch == '{':
			b.WriteString("(?:")
			depth++
		case ch == '}' && depth > 0:
			b.WriteString(")")
			depth--
		case ch == ',' && depth > 0:
			b.WriteString("|")
		default:
			b.WriteString(regexp.QuoteMeta(string(ch)))
		}
	}
	b.WriteString(")(?:/.*)?$")
	return regexp.Compile(b.String())
}
