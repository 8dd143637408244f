package xmltree

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/antchfx/xpath"
)

// ErrPath says that a text is no XPath expression.
var ErrPath = errors.New("xmltree: no XPath expression")

// maxPath bounds an expression, whose parser is recursive.
const maxPath = 4096

// Path is a compiled XPath 1.0 expression; one goroutine at a time may use it.
type Path struct{ expr *xpath.Expr }

// CompilePath compiles an expression.
func CompilePath(text string) (p *Path, err error) {
	defer func() {
		if r := recover(); r != nil { // the library panics on some malformed texts
			p, err = nil, fmt.Errorf("%w: %q", ErrPath, text)
		}
	}()
	if len(text) > maxPath {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrPath, maxPath)
	}
	e, err := xpath.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrPath, text, err)
	}
	return &Path{e}, nil
}

// Result is what an expression gives: a set of nodes, or one value: a bool, a
// float64 or a string.
type Result struct {
	Nodes []Found
	Value any
}

// Found is a node of a result. Leaf tells that it has a text of its own: an
// attribute, a text, a comment, an instruction.
type Found struct {
	Text string
	Leaf bool
}

// Eval evaluates the expression over a document.
func (p *Path) Eval(doc *Node) (r Result, err error) {
	defer func() {
		if x := recover(); x != nil { // the library panics on operands of a wrong type
			err = fmt.Errorf("%w: %v", ErrPath, x)
		}
	}()
	switch v := p.expr.Evaluate(&navigator{node: doc, attr: -1}).(type) {
	case *xpath.NodeIterator:
		var found []navigator
		for v.MoveNext() {
			if n, ok := v.Current().(*navigator); ok {
				found = append(found, *n)
			}
		}
		// A node set has no order and no node twice; what reads it takes the
		// order of the document.
		slices.SortFunc(found, func(a, b navigator) int {
			return cmp.Or(cmp.Compare(a.node.order, b.node.order), cmp.Compare(a.attr, b.attr))
		})
		for _, n := range slices.Compact(found) {
			r.Nodes = append(r.Nodes, Found{n.Value(), n.attr >= 0 || n.node.Kind > Element})
		}
	default:
		r.Value = v
	}
	return r, nil
}

// navigator is a cursor over a tree: at an attribute of node unless attr is -1.
type navigator struct {
	node *Node
	attr int
}

func (n *navigator) NodeType() xpath.NodeType {
	switch {
	case n.attr >= 0:
		return xpath.AttributeNode
	case n.node.Kind == Document:
		return xpath.RootNode
	case n.node.Kind == Text:
		return xpath.TextNode
	case n.node.Kind == Element:
		return xpath.ElementNode
	}
	return xpath.CommentNode
}

func (n *navigator) name() string {
	if n.attr >= 0 {
		return n.node.Attrs[n.attr].Name
	}
	return n.node.Name
}

// LocalName is the whole name: Spark's documents know no namespaces.
func (n *navigator) LocalName() string { return n.name() }

func (n *navigator) Prefix() string { return "" }

func (n *navigator) Value() string {
	if n.attr >= 0 {
		return n.node.Attrs[n.attr].Value
	}
	return n.node.Value()
}

func (n *navigator) Copy() xpath.NodeNavigator { c := *n; return &c }

func (n *navigator) MoveToRoot() {
	n.attr = -1
	for n.node.parent != nil {
		n.node = n.node.parent
	}
}

func (n *navigator) MoveToParent() bool {
	if n.attr >= 0 {
		n.attr = -1
		return true
	}
	if n.node.parent == nil {
		return false
	}
	n.node = n.node.parent
	return true
}

// MoveToNextAttribute leaves the declarations of namespaces out, which are no
// attributes to XPath.
func (n *navigator) MoveToNextAttribute() bool {
	for i := n.attr + 1; i < len(n.node.Attrs); i++ {
		if a := n.node.Attrs[i].Name; a != "xmlns" && !strings.HasPrefix(a, "xmlns:") {
			n.attr = i
			return true
		}
	}
	return false
}

func (n *navigator) MoveToChild() bool {
	if n.attr >= 0 || len(n.node.Children) == 0 {
		return false
	}
	n.node = n.node.Children[0]
	return true
}

func (n *navigator) MoveToFirst() bool { return n.sibling(-n.node.at) }

func (n *navigator) MoveToNext() bool { return n.sibling(1) }

func (n *navigator) MoveToPrevious() bool { return n.sibling(-1) }

func (n *navigator) sibling(by int) bool {
	p := n.node.parent
	if n.attr >= 0 || p == nil || by == 0 {
		return false
	}
	if at := n.node.at + by; at >= 0 && at < len(p.Children) {
		n.node = p.Children[at]
		return true
	}
	return false
}

func (n *navigator) MoveTo(to xpath.NodeNavigator) bool {
	t, ok := to.(*navigator)
	if ok {
		*n = *t
	}
	return ok
}
