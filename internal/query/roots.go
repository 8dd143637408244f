package query

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/objstore"
)

// Root is a place outside of the catalog's own folder in which statements may
// read and write tables and files by their paths: a local folder, or a
// container, a bucket or a prefix in one.
type Root struct {
	// Address is the folder's absolute path, or the place's URI.
	Address string
	// Store holds what is below Address. Tables in a store that is no
	// objstore.Pather are read where it is a Fetcher.
	Store objstore.Store
}

// Fetcher is a store that can put an object into a local file until released;
// size is what the table's log says. *cache.Cache is one.
type Fetcher interface {
	Fetch(ctx context.Context, key string, size int64) (file string, release func(), err error)
}

// LocalRoot is a folder of this machine.
func LocalRoot(dir string) (Root, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Root{}, err
	}
	return Root{Address: abs, Store: objstore.Local(abs)}, nil
}

// Allow lets statements open what lies below roots. It comes before the first
// statement.
func (t *Tables) Allow(roots ...Root) { t.roots = append(t.roots, roots...) }

// place is a table or folder below a root.
type place struct {
	root    Root
	key     string // of the root's store
	address string // as it is kept: an absolute path or a URI
}

// ErrOutside says that a path lies in none of the places that statements may
// open.
var ErrOutside = errors.New("query: the path may not be opened")

// isPath tells whether the name of a table is a path.
func isPath(name string) bool { return strings.HasPrefix(name, "/") || strings.Contains(name, ":/") }

// place finds where an address lies: an absolute path with or without file:, or
// a URI of a cloud store. ErrOutside where no root has it.
func (t *Tables) place(address string) (place, error) {
	address = normalAddress(address)
	for _, r := range t.roots {
		at := strings.TrimSuffix(normalAddress(r.Address), "/")
		if at != address && !strings.HasPrefix(address, at+"/") {
			continue
		}
		key := strings.TrimPrefix(strings.TrimPrefix(address, at), "/")
		if strings.HasPrefix(at, "/") && escapes(at, address) {
			continue
		}
		if key != "" && objstore.CheckKey(key) != nil {
			continue
		}
		return place{r, key, address}, nil
	}
	return place{}, fmt.Errorf("%w: %s", ErrOutside, address)
}

// pathVersion takes the version off a path, path@v3 or path@yyyyMMddHHmmssSSS.
func pathVersion(address string) (string, analyze.TimeTravel) {
	i := strings.LastIndex(address, "@")
	if i < 0 {
		return address, analyze.TimeTravel{}
	}
	word := address[i+1:]
	if v, err := strconv.ParseInt(strings.TrimPrefix(word, "v"), 10, 64); err == nil && strings.HasPrefix(word, "v") && v >= 0 {
		return address[:i], analyze.TimeTravel{Version: &v}
	}
	if len(word) == 17 {
		if at, err := time.Parse("20060102150405.000", word[:14]+"."+word[14:]); err == nil {
			return address[:i], analyze.TimeTravel{Timestamp: &at}
		}
	}
	return address, analyze.TimeTravel{}
}

// normalAddress is a path without file: and needless slashes.
func normalAddress(a string) string {
	if rest, ok := strings.CutPrefix(a, "file:"); ok && strings.HasPrefix(rest, "/") {
		a = "/" + strings.TrimLeft(rest, "/")
		if d, err := url.PathUnescape(a); err == nil {
			a = d
		}
	}
	if strings.HasPrefix(a, "/") {
		return path.Clean(a)
	}
	scheme, rest, ok := strings.Cut(a, "://")
	if !ok {
		return a
	}
	return strings.ToLower(scheme) + "://" + strings.TrimSuffix(path.Clean(rest), "/")
}

// escapes tells whether a symbolic link leads from below a folder out of it.
func escapes(dir, p string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false // the folder is not there, and so nothing below it
	}
	for at := p; ; at = filepath.Dir(at) {
		to, err := filepath.EvalSymlinks(at)
		if err == nil {
			rel, err := filepath.Rel(real, to)
			return err != nil || rel != "." && !filepath.IsLocal(rel)
		}
		if at == dir || at == "/" {
			return false
		}
	}
}

// rootNames are the addresses of the roots, for messages.
func (t *Tables) rootNames() string {
	names := make([]string, len(t.roots))
	for i, r := range t.roots {
		names[i] = r.Address
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// outside says which paths may be opened.
func (t *Tables) outside(address string) *sparksql.Error {
	return &sparksql.Error{
		Class: "PATH_NOT_FOUND", SQLState: "42K03", Phase: sparksql.PhaseAnalysis,
		Message: "there is nothing at `" + address + "` that this session may open.",
		Hint:    "Paths may lie in: " + t.rootNames() + "; `paths` of marisma.yml adds others.",
	}
}

// outsideAt is outside with a place in a statement.
func (t *Tables) outsideAt(address string, pos sparksql.Pos) error {
	e := t.outside(address)
	e.Pos = pos
	return e
}

// locationKey is the property of a catalog row that says where an external
// table lies.
const locationKey = "location"

// pathTable is the row of a table that is named by its path and not in the
// catalog.
func pathTable(address string) catalog.Table {
	return catalog.Table{ID: "path:" + address, Schema: "delta", Name: address, Type: catalog.External, Properties: map[string]string{locationKey: address}}
}

// inCatalog tells whether a row is the catalog's.
func inCatalog(t catalog.Table) bool { return !strings.HasPrefix(t.ID, "path:") }

// byPath finds the table at a path: one of the catalog where it lies in its
// folder; ErrNotATable where there is none.
func (r *Resolver) byPath(ctx context.Context, address string) (catalog.Table, *delta.Table, error) {
	address = normalAddress(address)
	if id := r.tables.idAt(address); id != "" {
		all, err := r.catalog.AllTables(ctx)
		if err != nil {
			return catalog.Table{}, nil, err
		}
		for _, t := range all {
			if t.ID == id {
				d, err := r.tables.Open(ctx, t)
				return t, d, err
			}
		}
		return catalog.Table{}, nil, delta.ErrNotATable
	}
	row := pathTable(address)
	d, err := r.tables.Open(ctx, row)
	if errors.Is(err, delta.ErrNotATable) && !r.tables.exists(ctx, address) {
		err = r.tables.outside(address)
	}
	return row, d, err
}

// exists tells whether something lies at a path or below it.
func (t *Tables) exists(ctx context.Context, address string) bool {
	p, err := t.place(address)
	if err != nil {
		return false
	}
	if f := t.local(p.root.Store, p.key); f != "" {
		_, err := os.Stat(f)
		return err == nil
	}
	for range p.root.Store.List(ctx, p.key+"/", "") {
		return true
	}
	return false
}

// empty tells whether no object lies below a place.
func (p place) empty(ctx context.Context) (bool, error) {
	prefix := p.key
	if prefix != "" {
		prefix += "/"
	}
	for _, err := range p.root.Store.List(ctx, prefix, "") {
		return false, err
	}
	return true, nil
}

// idAt is the id of the catalog's table that lies at a path, "" elsewhere.
func (t *Tables) idAt(address string) string {
	p, ok := t.store.(objstore.Pather)
	if !ok || !strings.HasPrefix(address, "/") {
		return ""
	}
	rel, err := filepath.Rel(filepath.Dir(p.Path("x")), address)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	id, rest, _ := strings.Cut(filepath.ToSlash(rel), "/")
	if rest != "" {
		return ""
	}
	return id
}

// local is the path of a table's file or folder on this machine, "" where it is
// elsewhere. A path in the log of a table stands for itself where statements
// may open it.
func (t *Tables) local(store objstore.Store, located string) string {
	p, ok := store.(objstore.Pather)
	switch {
	case !ok:
		return ""
	case filepath.IsAbs(located):
		if own := t.LocalPath(located); own != "" {
			return own
		}
		if _, err := t.place(located); err != nil {
			return ""
		}
		return located
	}
	return p.Path(located)
}

// File puts a data file of a snapshot where the engine can read it, until
// release is called.
func (t *Tables) File(ctx context.Context, s *delta.Snapshot, a delta.Add) (file string, release func(), err error) {
	return t.fetch(ctx, s.Store(), s.Locate(a), a.Size)
}

// fetch is File for an object of a store, of a size in bytes.
func (t *Tables) fetch(ctx context.Context, store objstore.Store, key string, size int64) (file string, release func(), err error) {
	if p := t.local(store, key); p != "" {
		return p, func() {}, nil
	}
	f, ok := store.(Fetcher)
	if !ok || filepath.IsAbs(key) {
		return "", nil, fmt.Errorf("%w: %w: %s lies outside of what statements may read (%s)", delta.ErrUnsupportedFeature, ErrOutside, key, t.rootNames())
	}
	file, release, err = f.Fetch(ctx, key, size)
	if err != nil {
		return "", nil, fmt.Errorf("fetching %s: %w", key, err)
	}
	return file, release, nil
}

// Place is where a table of the catalog lies: its folder, the address that an
// external table was given, or "" in a store that is not local.
func (t *Tables) Place(c catalog.Table) string {
	if l := c.Properties[locationKey]; l != "" {
		return l
	}
	return t.LocalPath(c.ID)
}

// Location is where a table lies, as a URI.
func (t *Tables) Location(d *delta.Table) string {
	if p := t.local(d.Store(), d.Root()); p != "" {
		return "file:" + p
	}
	for _, r := range t.roots {
		if r.Store == d.Store() {
			return strings.TrimSuffix(r.Address, "/") + "/" + d.Root()
		}
	}
	return d.Root()
}
