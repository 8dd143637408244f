package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

type kind int

const (
	null kind = iota
	scalar
	mapping
	list
)

func (k kind) String() string {
	return [...]string{"nothing", "a value", "a map", "a list"}[k]
}

// node is a YAML value with its place. Nodes are not changed once made:
// merging and substituting make new ones.
type node struct {
	kind  kind
	pos   Pos
	text  string // of a scalar
	typ   string // of a scalar: string, int, float, bool
	keys  []entry
	items []*node
}

type entry struct {
	key string
	pos Pos
	val *node
}

// get is the value of a key, nil where it is missing; n may be nil.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for _, e := range n.keys {
		if e.key == key {
			return e.val
		}
	}
	return nil
}

// Bounds of a YAML file, against aliases that multiply.
const (
	maxNodes = 100_000
	maxDepth = 64
	maxYAML  = 4 << 20
)

// parseYAML reads a file's text; it is nil where the file is empty or broken.
func parseYAML(file string, data []byte, rep *report) (root *node) {
	whole := Pos{File: file, Line: 1, Col: 1}
	if len(data) > maxYAML {
		rep.errorf(whole, "the file is larger than %d MiB", maxYAML>>20)
		return nil
	}
	if !utf8.Valid(data) {
		rep.errorf(whole, "the file is not UTF-8")
		return nil
	}
	defer func() {
		// The YAML parser is someone else's; a slip of it is a broken file.
		if r := recover(); r != nil {
			rep.errorf(whole, "the YAML cannot be read: %v", r)
			root = nil
		}
	}()
	f, err := parser.ParseBytes(bytes.TrimPrefix(data, []byte("\ufeff")), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		type located interface {
			error
			GetToken() *token.Token
			GetMessage() string
		}
		if y, ok := errors.AsType[located](err); ok && y.GetToken() != nil {
			rep.errorf(place(file, y.GetToken()), "not YAML: %s", y.GetMessage())
		} else {
			rep.errorf(whole, "not YAML: %v", err)
		}
		return nil
	}
	c := converter{file: file, rep: rep, anchors: map[string]ast.Node{}}
	var bodies []ast.Node
	for _, d := range f.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType && d.Body.Type() != ast.CommentGroupType {
			bodies = append(bodies, d.Body)
		}
	}
	if len(bodies) == 0 {
		return nil
	}
	if len(bodies) > 1 {
		rep.errorf(c.at(bodies[1]), "a second YAML document; the file must hold one")
	}
	return c.convert(bodies[0], 0)
}

func place(file string, t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{File: file, Line: 1, Col: 1}
	}
	return Pos{File: file, Line: t.Position.Line, Col: t.Position.Column}
}

// converter turns the parser's tree into nodes.
type converter struct {
	file    string
	rep     *report
	anchors map[string]ast.Node
	open    []string // aliases being followed
	count   int
}

func (c *converter) at(n ast.Node) Pos { return place(c.file, n.GetToken()) }

func (c *converter) convert(n ast.Node, depth int) *node {
	if n == nil {
		return &node{pos: Pos{File: c.file, Line: 1, Col: 1}}
	}
	at := c.at(n)
	if c.count++; c.count > maxNodes || depth > maxDepth {
		if c.count == maxNodes+1 || depth == maxDepth+1 {
			c.rep.errorf(at, "the YAML is too large or too deep")
		}
		return &node{pos: at}
	}
	word := func(text, typ string) *node { return &node{kind: scalar, pos: at, text: text, typ: typ} }
	switch n := n.(type) {
	case *ast.NullNode:
		return &node{pos: at}
	case *ast.StringNode:
		return word(n.Value, "string")
	case *ast.LiteralNode:
		return word(n.Value.Value, "string")
	case *ast.IntegerNode:
		return word(n.Token.Value, "int")
	case *ast.FloatNode:
		return word(n.Token.Value, "float")
	case *ast.InfinityNode:
		return word(n.Token.Value, "float")
	case *ast.NanNode:
		return word(n.Token.Value, "float")
	case *ast.BoolNode:
		return word(fmt.Sprint(n.Value), "bool")
	case *ast.TagNode:
		return c.convert(n.Value, depth+1)
	case *ast.AnchorNode:
		c.anchors[n.Name.String()] = n.Value
		return c.convert(n.Value, depth+1)
	case *ast.AliasNode:
		return c.alias(n, at, depth)
	case *ast.MappingNode:
		return c.mapping(n.Values, at, depth)
	case *ast.MappingValueNode:
		return c.mapping([]*ast.MappingValueNode{n}, at, depth)
	case *ast.SequenceNode:
		out := &node{kind: list, pos: at}
		for _, v := range n.Values {
			out.items = append(out.items, c.convert(v, depth+1))
		}
		return out
	}
	c.rep.errorf(at, "YAML of this kind is not supported")
	return &node{pos: at}
}

func (c *converter) alias(n *ast.AliasNode, at Pos, depth int) *node {
	name := n.Value.String()
	target, ok := c.anchors[name]
	if !ok || slices.Contains(c.open, name) {
		c.rep.errorf(at, "there is no anchor &%s before *%s", name, name)
		return &node{pos: at}
	}
	c.open = append(c.open, name)
	defer func() { c.open = c.open[:len(c.open)-1] }()
	return c.convert(target, depth+1)
}

func (c *converter) mapping(values []*ast.MappingValueNode, at Pos, depth int) *node {
	out := &node{kind: mapping, pos: at}
	if len(values) > 0 {
		out.pos = c.at(values[0].Key)
	}
	var merged []*node
	for _, v := range values {
		if v.Key.IsMergeKey() {
			merged = append(merged, c.convert(v.Value, depth+1))
			continue
		}
		key := c.convert(v.Key, depth+1)
		if key.kind != scalar {
			c.rep.errorf(key.pos, "a key must be a word, not %s", key.kind)
			continue
		}
		if out.get(key.text) != nil {
			c.rep.errorf(key.pos, "the key %q is here twice", key.text)
			continue
		}
		out.keys = append(out.keys, entry{key.text, key.pos, c.convert(v.Value, depth+1)})
	}
	for _, m := range merged {
		sources := []*node{m}
		if m.kind == list {
			sources = m.items
		}
		for _, s := range sources {
			for _, e := range s.keys {
				if out.get(e.key) == nil {
					out.keys = append(out.keys, e)
				}
			}
		}
	}
	return out
}

// merge lays over on base, as Databricks does: maps key by key, lists one
// after the other, anything else is replaced.
func merge(base, over *node) *node {
	switch {
	case base == nil || base.kind == null:
		return over
	case over == nil || over.kind == null:
		return base
	case base.kind == mapping && over.kind == mapping:
		out := *base
		out.keys = slices.Clone(base.keys)
		for _, e := range over.keys {
			i := slices.IndexFunc(out.keys, func(o entry) bool { return o.key == e.key })
			if i < 0 {
				out.keys = append(out.keys, e)
			} else {
				out.keys[i].val = merge(out.keys[i].val, e.val)
			}
		}
		return &out
	case base.kind == list && over.kind == list:
		out := *base
		out.items = slices.Concat(base.items, over.items)
		return &out
	}
	return over
}

// reader reads typed values out of nodes and reports those of another type.
type reader struct{ *report }

func (r reader) isMap(n *node, what string) bool {
	if n == nil || n.kind == null {
		return false
	}
	if n.kind != mapping {
		r.errorf(n.pos, "%s: expected a map, found %s", what, n.describe())
		return false
	}
	return true
}

func (r reader) list(n *node, what string) []*node {
	if n == nil || n.kind == null {
		return nil
	}
	if n.kind != list {
		r.errorf(n.pos, "%s: expected a list, found %s", what, n.describe())
		return nil
	}
	return n.items
}

// word is a scalar's text, "" where it is missing or of another kind.
func (r reader) word(n *node, what string) string {
	if n == nil || n.kind == null {
		return ""
	}
	if n.kind != scalar {
		r.errorf(n.pos, "%s: expected a text, found %s", what, n.describe())
		return ""
	}
	return n.text
}

func (r reader) flag(n *node, what string) bool {
	if n == nil || n.kind == null {
		return false
	}
	if n.kind == scalar && (n.text == "true" || n.text == "false") {
		return n.text == "true"
	}
	r.errorf(n.pos, "%s: expected true or false, found %s", what, n.describe())
	return false
}

// describe tells what a node is, for messages.
func (n *node) describe() string {
	if n.kind != scalar {
		return n.kind.String()
	}
	text := n.text
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i] + "..."
	}
	if utf8.RuneCountInString(text) > 60 {
		text = string([]rune(text)[:60]) + "..."
	}
	return fmt.Sprintf("%q", text)
}
