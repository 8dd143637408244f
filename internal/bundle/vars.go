package bundle

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// reference is "${a.b.c}" as bundles write it.
func reference() *regexp.Regexp {
	return regexp.MustCompile(`\$\{([a-zA-Z][\w-]*(?:\.[a-zA-Z0-9_][\w-]*)*)\}`)
}

// Bounds of references: how deep values refer to values, how many are resolved
// in all, and how many bytes the resolved values may have together.
const (
	maxReferences = 16
	maxResolved   = 20_000
	maxBytes      = 16 << 20
)

// stand-ins for what only a workspace knows.
const (
	localUser = "local@localhost"
	localName = "local"
)

// scope resolves references.
type scope struct {
	rep    *report
	re     *regexp.Regexp
	values map[string]*node // full name -> value
	count  int              // references resolved so far
	bytes  int              // of the values they gave

	stopped bool // a bound was passed, and told
}

// substitute gives n with its references resolved.
func (s *scope) substitute(n *node, depth int) *node {
	if n == nil {
		return nil
	}
	switch n.kind {
	case scalar:
		return s.scalar(n, depth)
	case mapping:
		out := *n
		out.keys = slices.Clone(n.keys)
		for i := range out.keys {
			out.keys[i].val = s.substitute(out.keys[i].val, depth)
		}
		return &out
	case list:
		out := *n
		out.items = slices.Clone(n.items)
		for i := range out.items {
			out.items[i] = s.substitute(out.items[i], depth)
		}
		return &out
	}
	return n
}

func (s *scope) scalar(n *node, depth int) *node {
	found := s.re.FindAllStringSubmatchIndex(n.text, -1)
	if found == nil {
		return n
	}
	if depth >= maxReferences {
		s.rep.errorf(n.pos, "references go in a circle: %s", n.describe())
		return &node{pos: n.pos}
	}
	var b strings.Builder
	last := 0
	for _, m := range found {
		name := n.text[m[2]:m[3]]
		v := s.lookup(name, n.pos, depth)
		if m[0] == 0 && m[1] == len(n.text) {
			// The whole value: it keeps the type of what it refers to, and
			// its own place, which is where a reader looks.
			out := *v
			out.pos = n.pos
			return &out
		}
		if v.kind != scalar && v.kind != null {
			s.rep.errorf(n.pos, "${%s} is %s and cannot stand within a text", name, v.kind)
		}
		b.WriteString(n.text[last:m[0]])
		b.WriteString(v.text)
		last = m[1]
	}
	b.WriteString(n.text[last:])
	return &node{kind: scalar, pos: n.pos, text: b.String(), typ: "string"}
}

func (s *scope) lookup(name string, at Pos, depth int) *node {
	if s.stopped {
		return &node{pos: at}
	}
	if s.count++; s.count > maxResolved || s.bytes > maxBytes {
		s.stopped = true
		s.rep.errorf(at, "references multiply: more than %d of them, or of %d MiB of text", maxResolved, maxBytes>>20)
		return &node{pos: at}
	}
	if v, ok := s.values[name]; ok {
		if v == nil {
			s.rep.errorf(at, "the variable %q has no value: give it a default, a value in the target, or --var %[1]s=...", strings.TrimPrefix(name, "var."))
			return &node{pos: at}
		}
		out := s.substitute(v, depth+1)
		s.bytes += len(out.text)
		return out
	}
	known := slices.Sorted(maps.Keys(s.values))
	s.rep.errorf(at, "${%s} is not known%s", name, meant(name, known))
	return &node{pos: at}
}

// text makes a node of a plain value.
func text(v string, at Pos) *node { return &node{kind: scalar, pos: at, text: v, typ: "string"} }

// builtins are the references that need no variable.
func (l *loader) builtins(name, target string) map[string]*node {
	at := Pos{File: bundleFile}
	files := l.dir
	out := map[string]*node{}
	for k, v := range map[string]string{
		"bundle.name":                                 name,
		"bundle.target":                               target,
		"bundle.environment":                          target,
		"workspace.file_path":                         files,
		"workspace.root_path":                         files,
		"workspace.resource_path":                     path.Join(files, "resources"),
		"workspace.artifact_path":                     path.Join(files, "artifacts"),
		"workspace.state_path":                        path.Join(files, "state"),
		"workspace.host":                              "http://localhost",
		"workspace.current_user.userName":             localUser,
		"workspace.current_user.short_name":           localName,
		"workspace.current_user.domain_friendly_name": localName,
	} {
		out[k] = text(v, at)
	}
	return out
}

// variables adds the values of the variables to the scope: --var wins over the
// target, the target over the default.
func (l *loader) variables(root, target *node, vars map[string]string, into map[string]*node) {
	declared := root.get("variables")
	if !l.isMap(declared, "variables") {
		declared = &node{}
	}
	names := make([]string, 0, len(declared.keys))
	for _, e := range declared.keys {
		names = append(names, e.key)
		into["var."+e.key] = l.variable(e)
	}
	if over := target.get("variables"); l.isMap(over, "variables of the target") {
		for _, e := range over.keys {
			if !slices.Contains(names, e.key) {
				l.errorf(e.pos, "the variable %q is not declared under variables%s", e.key, meant(e.key, names))
				continue
			}
			v := e.val
			if v.kind == mapping && (v.get("default") != nil || v.get("lookup") != nil) {
				v = l.variable(e)
			}
			into["var."+e.key] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if !slices.Contains(names, name) {
			l.errorf(Pos{File: bundleFile}, "--var %s: the bundle declares no such variable%s", name, meant(name, names))
			continue
		}
		into["var."+name] = text(vars[name], Pos{File: "--var " + name})
	}
}

// variable is the default of a declared variable, nil where it has none.
func (l *loader) variable(e entry) *node {
	if e.val.kind == null {
		return nil
	}
	if !l.isMap(e.val, "variable "+e.key) {
		return text("", e.pos)
	}
	l.knownKeys(e.val, "variable "+e.key, "default", "description", "type", "lookup")
	if lk := e.val.get("lookup"); lk != nil && e.val.get("default") == nil {
		l.errorf(lk.pos, "the variable %q looks up a workspace's object, which is not there locally: give it a default, or a value in the local target", e.key)
		return text("", e.pos)
	}
	return e.val.get("default")
}

// knownKeys warns of keys that Databricks would not know either.
func (l *loader) knownKeys(n *node, what string, known ...string) {
	for _, e := range n.keys {
		if !slices.Contains(known, e.key) {
			l.warnf(e.pos, "%s: the key %q is not known and is passed over%s", what, e.key, meant(e.key, known))
		}
	}
}
