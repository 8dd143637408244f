package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	bundleFile     = "databricks.yml"
	localFile      = "marisma.yml"
	defaultCatalog = "main"
	defaultSchema  = "default"
)

// loader is one Load.
type loader struct {
	reader
	fs    fs.FS
	dir   string   // absolute path of fs
	files []string // of the folder, relative with slashes; read when first asked for
	scope *scope
}

// Load reads the project folder dir for a target ("" is the default one) with
// values of variables. The error is an Errors where the project is wrong.
func Load(dir, target string, vars map[string]string) (*Project, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return load(os.DirFS(abs), abs, target, vars)
}

func load(fsys fs.FS, abs, target string, vars map[string]string) (*Project, error) {
	l := &loader{reader: reader{&report{}}, fs: fsys, dir: abs}
	p := &Project{Dir: abs}
	root := l.read(bundleFile)
	if root == nil || root.kind == null {
		if len(l.errors) == 0 {
			l.errorf(Pos{File: bundleFile}, "the file is missing or empty in %s: a project needs it (marisma init writes one)", abs)
		}
		return nil, l.err()
	}
	if !l.isMap(root, bundleFile) {
		return nil, l.err()
	}
	root = l.include(root)
	l.topKeys(root)
	name, over := l.target(root, target)
	p.Target = name
	p.Name = l.bundleName(root, over)
	l.scope = &scope{rep: l.report, re: reference(), values: l.builtins(p.Name, p.Target)}
	l.variables(root, over, vars, l.scope.values)
	resources := merge(root.get("resources"), over.get("resources"))
	l.resourceIDs(resources)
	p.Pipelines = l.pipelines(resources, l.mode(root, over))
	l.local(p)
	if err := l.err(); err != nil {
		return nil, err
	}
	p.Warnings = ordered(l.warnings)
	return p, nil
}

// read parses a YAML file of the project; nil where it is missing or broken.
func (l *loader) read(name string) *node {
	data, err := fs.ReadFile(l.fs, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		l.errorf(Pos{File: name}, "cannot be read: %v", unwrapPath(err))
		return nil
	}
	return parseYAML(name, data, l.report)
}

// unwrapPath leaves out the path, which the position tells.
func unwrapPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// include lays the included files over the root.
func (l *loader) include(root *node) *node {
	done := map[string]bool{bundleFile: true}
	for _, item := range l.list(root.get("include"), "include") {
		pattern := l.word(item, "include")
		if pattern == "" {
			continue
		}
		before := len(l.errors)
		found := l.glob(path.Clean(pattern), item.pos)
		if len(found) == 0 && len(l.errors) == before && !strings.ContainsAny(pattern, "*?[") {
			l.errorf(item.pos, "include: there is no file %s", pattern)
		}
		for _, f := range found {
			if done[f] {
				continue
			}
			done[f] = true
			n := l.read(f)
			if !l.isMap(n, f) {
				continue
			}
			if inc := n.get("include"); inc != nil {
				l.errorf(inc.pos, "include: only %s may include files", bundleFile)
			}
			root = merge(root, n)
		}
	}
	return root
}

// glob lists the files that a pattern (cleaned, relative, with slashes) names;
// "**" stands for any number of folders.
func (l *loader) glob(pattern string, at Pos) []string {
	if pattern == ".." || strings.HasPrefix(pattern, "../") || path.IsAbs(pattern) {
		l.errorf(at, "%s lies outside the project folder", pattern)
		return nil
	}
	re, err := globRegexp(pattern)
	if err != nil {
		l.errorf(at, "%q is not a file pattern", pattern)
		return nil
	}
	var out []string
	for _, f := range l.allFiles() {
		if re.MatchString(f) {
			out = append(out, f)
		}
	}
	return out
}

func globRegexp(pattern string) (*regexp.Regexp, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(pattern); i++ {
		switch rest := pattern[i:]; {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(rest, "**"):
			b.WriteString(".*")
			i++
		case rest[0] == '*':
			b.WriteString("[^/]*")
		case rest[0] == '?':
			b.WriteString("[^/]")
		case rest[0] == '[' && strings.IndexByte(rest, ']') > 1:
			end := strings.IndexByte(rest, ']')
			set := strings.ReplaceAll(rest[1:end], `\`, `\\`)
			b.WriteString("[" + set + "]")
			i += end
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
		}
	}
	return regexp.Compile(b.String() + "$")
}

// maxFiles bounds the walk, should a project be rooted in a home folder.
const maxFiles = 200_000

// allFiles lists the project's files in order, without hidden and data folders.
func (l *loader) allFiles() []string {
	if l.files != nil {
		return l.files
	}
	l.files = []string{}
	err := fs.WalkDir(l.fs, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || l.isData(p)) {
				return fs.SkipDir
			}
			return nil
		}
		if l.files = append(l.files, p); len(l.files) > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		return nil
	})
	if err != nil {
		l.errorf(Pos{File: "."}, "the project folder cannot be listed: %v", err)
	}
	slices.Sort(l.files)
	return l.files
}

// isData tells a data folder by its stamp.
func (l *loader) isData(dir string) bool {
	_, err := fs.Stat(l.fs, path.Join(dir, "marisma.json"))
	return err == nil
}

// topKeys tells of keys of databricks.yml that do nothing here.
func (l *loader) topKeys(root *node) {
	quiet := []string{
		"bundle", "include", "variables", "targets", "resources", "workspace", "sync", "permissions", "run_as",
		"presets", "experimental", "environments", "python",
	}
	unused := []string{"artifacts", "scripts"}
	for _, e := range root.keys {
		switch {
		case slices.Contains(quiet, e.key):
		case slices.Contains(unused, e.key):
			l.warnf(e.pos, "%s are not run by this version", e.key)
		default:
			l.warnf(e.pos, "the key %q is not known and is passed over%s", e.key, meant(e.key, slices.Concat(quiet, unused)))
		}
	}
}

// target picks the target and gives its name and overlay (never nil).
func (l *loader) target(root *node, want string) (string, *node) {
	targets := root.get("targets")
	if targets == nil {
		targets = root.get("environments")
	}
	if !l.isMap(targets, "targets") || len(targets.keys) == 0 {
		if want != "" && want != defaultSchema {
			l.errorf(Pos{File: bundleFile}, "there is no target %q: the bundle has no targets", want)
		}
		return "default", &node{}
	}
	names := make([]string, 0, len(targets.keys))
	var defaults []entry
	pick := -1
	for i, e := range targets.keys {
		names = append(names, e.key)
		if e.key == want {
			pick = i
		}
		if l.isMap(e.val, "target "+e.key) {
			l.knownKeys(e.val, "target "+e.key, "default", "mode", "variables", "resources", "workspace", "bundle", "presets",
				"permissions", "run_as", "sync", "artifacts", "git", "cluster_id", "compute_id")
			if l.flag(e.val.get("default"), "default of target "+e.key) {
				defaults = append(defaults, e)
				if want == "" && pick < 0 {
					pick = i
				}
			}
		}
	}
	if len(defaults) > 1 {
		l.errorf(defaults[1].pos, "the target %q is default as well as %q: one may be", defaults[1].key, defaults[0].key)
	}
	if pick < 0 && want == "" && len(names) == 1 {
		pick = 0
	}
	switch {
	case pick >= 0:
		e := targets.keys[pick]
		if e.val.kind != mapping {
			return e.key, &node{}
		}
		return e.key, e.val
	case want == "":
		l.errorf(targets.pos, "no target is the default: mark one with `default: true`, or name one with -t: %s", strings.Join(names, ", "))
	default:
		l.errorf(targets.pos, "there is no target %q%s", want, meant(want, names))
	}
	return want, &node{}
}

func (l *loader) bundleName(root, over *node) string {
	b := merge(root.get("bundle"), over.get("bundle"))
	if b == nil {
		l.errorf(Pos{File: bundleFile, Line: 1, Col: 1}, "bundle.name is missing: write `bundle: {name: my_project}`")
		return ""
	}
	if !l.isMap(b, "bundle") {
		if b.kind == null {
			l.errorf(b.pos, "bundle.name is missing")
		}
		return ""
	}
	l.knownKeys(b, "bundle", "name", "uuid", "databricks_cli_version", "deployment", "git", "cluster_id", "compute_id", "engine")
	name := l.word(b.get("name"), "bundle.name")
	if name == "" && b.get("name").isEmpty() {
		l.errorf(b.pos, "bundle.name is missing")
	}
	return name
}

// isEmpty tells a missing or empty value from one of another kind.
func (n *node) isEmpty() bool {
	return n == nil || n.kind == null || n.kind == scalar && n.text == ""
}

// mode is what the target's mode and presets do to pipelines.
type mode struct {
	development bool
	prefix      string
}

func (l *loader) mode(root, over *node) mode {
	var m mode
	if n := over.get("mode"); n != nil {
		switch v := l.word(n, "mode"); v {
		case "development":
			m.development = true
			m.prefix = "[dev " + localName + "] "
		case "production", "":
		default:
			l.errorf(n.pos, "mode: expected development or production, found %q", v)
		}
	}
	presets := l.scope.substitute(merge(root.get("presets"), over.get("presets")), 0)
	if l.isMap(presets, "presets") {
		if p := presets.get("name_prefix"); p != nil {
			m.prefix = l.word(p, "presets.name_prefix")
		}
		if d := presets.get("pipelines_development"); d != nil {
			m.development = l.flag(d, "presets.pipelines_development")
		}
	}
	return m
}

// resourceIDs makes ${resources.pipelines.x.id} known.
func (l *loader) resourceIDs(resources *node) {
	if resources == nil || resources.kind != mapping {
		return
	}
	for _, typ := range resources.keys {
		for _, e := range typ.val.keys {
			full := "resources." + typ.key + "." + e.key
			l.scope.values[full+".id"] = text(e.key, e.pos)
			if n := e.val.get("name"); n != nil {
				l.scope.values[full+".name"] = n
			}
		}
	}
}
