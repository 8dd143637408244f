package bundle

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/marisma/marisma/internal/typo"
)

// maxSQL bounds an SQL file.
const maxSQL = 4 << 20

// otherResources are what Databricks deploys and this version does not run.
func otherResources() []string {
	return []string{
		"alerts", "apps", "catalogs", "clusters", "dashboards", "database_catalogs", "database_instances", "experiments",
		"external_locations", "genie_spaces", "jobs", "model_serving_endpoints", "models", "postgres_branches",
		"postgres_endpoints", "postgres_projects", "quality_monitors", "registered_models", "schemas", "secret_scopes",
		"sql_warehouses", "synced_database_tables", "vector_search_endpoints", "volumes",
	}
}

func (l *loader) pipelines(resources *node, m mode) []Pipeline {
	if !l.isMap(resources, "resources") {
		return nil
	}
	var out []Pipeline
	for _, typ := range resources.keys {
		switch {
		case typ.key == "pipelines":
			if !l.isMap(typ.val, "resources.pipelines") {
				continue
			}
			for _, e := range typ.val.keys {
				if p, ok := l.pipeline(e, m); ok {
					out = append(out, p)
				}
			}
		case slices.Contains(otherResources(), typ.key):
			l.warnf(typ.pos, "%s are not run by this version", typ.key)
		default:
			l.warnf(typ.pos, "resources: the type %q is not known and is passed over%s", typ.key, meant(typ.key, append(otherResources(), "pipelines")))
		}
	}
	slices.SortFunc(out, func(a, b Pipeline) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// pipelineKeys are Databricks' settings of a pipeline: those that are read,
// those that only matter in a workspace, and those that would do something.
func pipelineKeys() (read, cloud, unused []string) {
	read = []string{"name", "catalog", "schema", "target", "configuration", "libraries", "continuous", "development"}
	cloud = []string{
		"serverless", "channel", "edition", "photon", "clusters", "tags", "budget_policy_id", "usage_policy_id",
		"permissions", "run_as", "root_path", "allow_duplicate_names", "lifecycle", "environment", "id", "deployment",
	}
	unused = []string{
		"event_log", "notifications", "parameters", "filters", "gateway_definition", "ingestion_definition",
		"restart_window", "trigger", "storage", "dry_run",
	}
	return read, cloud, unused
}

func (l *loader) pipeline(e entry, m mode) (Pipeline, bool) {
	p := Pipeline{Key: e.key, Pos: e.pos, Catalog: defaultCatalog, Schema: defaultSchema, Configuration: map[string]string{}}
	what := "pipeline " + e.key
	if !plainName(e.key) {
		l.errorf(e.pos, "the key %q of a pipeline: expected letters, digits, - and _", e.key)
	}
	raw := e.val
	if raw.kind != mapping {
		l.errorf(raw.pos, "%s: expected a map with libraries, found %s", what, raw.describe())
		return p, false
	}
	n := l.scope.substitute(raw, 0)
	read, cloud, unused := pipelineKeys()
	for _, k := range n.keys {
		switch {
		case slices.Contains(read, k.key), slices.Contains(cloud, k.key):
		case slices.Contains(unused, k.key):
			l.warnf(k.pos, "%s: %s is not run by this version", what, k.key)
		default:
			l.warnf(k.pos, "%s: the key %q is not known and is passed over%s", what, k.key, meant(k.key, slices.Concat(read, cloud, unused)))
		}
	}
	p.Name = m.prefix + cmp.Or(l.word(n.get("name"), what+": name"), e.key)
	l.identifier(&p.Catalog, n.get("catalog"), what+": catalog")
	schema := n.get("schema")
	if schema == nil {
		schema = n.get("target") // the older word
	}
	l.identifier(&p.Schema, schema, what+": schema")
	p.Continuous = l.flag(n.get("continuous"), what+": continuous")
	p.Development = l.flag(n.get("development"), what+": development") || m.development
	if conf := n.get("configuration"); l.isMap(conf, what+": configuration") {
		for _, c := range conf.keys {
			p.Configuration[c.key] = l.word(c.val, what+": configuration "+c.key)
		}
	}
	before := len(l.errors)
	p.Files = l.libraries(n, what)
	if len(p.Files) == 0 && len(l.errors) == before {
		l.noFiles(e, n, what)
	}
	return p, true
}

// noFiles says what to write, or which key is probably libraries.
func (l *loader) noFiles(e entry, n *node, what string) {
	for _, k := range n.keys {
		if k.key != "libraries" && typo.Distance(k.key, "libraries") <= 3 {
			l.errorf(k.pos, "%s: the key %q is not known; did you mean \"libraries\"?", what, k.key)
			return
		}
	}
	up := strings.Repeat("../", strings.Count(e.pos.File, "/"))
	l.errorf(e.pos, "%s has no SQL files: write `libraries: [{glob: {include: %ssrc/%s/**}}]`", what, up, e.key)
}

func plainName(s string) bool {
	return s != "" && len(s) <= 100 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// identifier reads the name of a catalog or a schema.
func (l *loader) identifier(into *string, n *node, what string) {
	v := l.word(n, what)
	if v == "" {
		return
	}
	if len(v) > 255 || strings.ContainsAny(v, "./ `\"'\\") || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' }) {
		l.errorf(n.pos, "%s: expected a name without dots, slashes, spaces and quotes, found %s", what, n.describe())
		return
	}
	*into = v
}

// libraries collects the SQL files of a pipeline, each once, in order.
func (l *loader) libraries(n *node, what string) []SourceFile {
	seen := map[string]bool{}
	var out []SourceFile
	for _, item := range l.list(n.get("libraries"), what+": libraries") {
		for _, f := range l.library(item, what) {
			if seen[f] {
				continue
			}
			seen[f] = true
			if text, ok := l.sql(f); ok {
				out = append(out, SourceFile{f, text})
			}
		}
	}
	slices.SortFunc(out, func(a, b SourceFile) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// library is the files of one item of libraries.
func (l *loader) library(item *node, what string) []string {
	const expected = "expected `glob: {include: pattern}` or `file: {path: name}`"
	if item.kind != mapping || len(item.keys) != 1 {
		l.errorf(item.pos, "%s: libraries: %s, found %s", what, expected, item.describe())
		return nil
	}
	e := item.keys[0]
	field := map[string]string{"glob": "include", "file": "path"}[e.key]
	switch e.key {
	case "glob", "file":
	case "notebook", "jar", "maven", "whl", "pypi":
		l.warnf(e.pos, "%s: a library of kind %s is not run by this version; SQL files are", what, e.key)
		return nil
	default:
		l.errorf(e.pos, "%s: libraries: the kind %q is not known; %s", what, e.key, expected)
		return nil
	}
	v := e.val.get(field)
	pattern := l.word(v, what+": "+e.key+"."+field)
	if pattern == "" {
		l.errorf(e.pos, "%s: libraries: %s", what, expected)
		return nil
	}
	rel := l.relative(pattern, v.pos)
	if e.key == "file" {
		if strings.ContainsAny(pattern, "*?") {
			l.errorf(v.pos, "%s: file.path names one file; patterns go under `glob: {include: ...}`", what)
			return nil
		}
		rel = strings.NewReplacer("[", "[[]").Replace(rel)
	}
	before := len(l.errors)
	found := l.glob(rel, v.pos)
	if len(found) == 0 && len(l.errors) == before {
		l.nothing(pattern, rel, v.pos, what)
	}
	return l.onlySQL(found, e.key == "file", v.pos, what)
}

// relative takes a path of a YAML file relative to the project folder.
func (l *loader) relative(pattern string, at Pos) string {
	if rest, ok := strings.CutPrefix(pattern, l.dir+"/"); ok {
		return path.Clean(rest)
	}
	if path.IsAbs(pattern) {
		return pattern
	}
	return path.Join(path.Dir(at.File), pattern)
}

// nothing tells why a pattern names no file.
func (l *loader) nothing(pattern, rel string, at Pos, what string) {
	if info, err := fs.Stat(l.fs, rel); err == nil && info.IsDir() {
		l.errorf(at, "%s: %s is a folder; write %s/**", what, pattern, strings.TrimSuffix(pattern, "/"))
		return
	}
	l.errorf(at, "%s: no file of the project is %s (it is relative to %s)", what, pattern, at.File)
}

func (l *loader) onlySQL(found []string, named bool, at Pos, what string) []string {
	var out []string
	for _, f := range found {
		switch ext := path.Ext(f); {
		case ext == ".sql":
			out = append(out, f)
		case ext == ".py" || ext == ".ipynb":
			l.warnf(at, "%s: %s is not run by this version; SQL files are", what, f)
		case named:
			l.errorf(at, "%s: expected an .sql file, found %s", what, f)
		}
	}
	return out
}

func (l *loader) sql(name string) (string, bool) {
	data, err := fs.ReadFile(l.fs, name)
	switch {
	case err != nil:
		l.errorf(Pos{File: name}, "cannot be read: %v", unwrapPath(err))
	case len(data) > maxSQL:
		l.errorf(Pos{File: name}, "is larger than %d MiB", maxSQL>>20)
	case !utf8.Valid(data):
		l.errorf(Pos{File: name}, "is not UTF-8")
	default:
		return strings.TrimPrefix(string(data), "\ufeff"), true
	}
	return "", false
}
