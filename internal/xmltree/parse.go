package xmltree

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Limits of one document.
const (
	MaxDepth = 256
	maxNodes = 1 << 20
)

// ErrMalformed says that a text is no well-formed XML, or passes a limit.
var ErrMalformed = errors.New("xmltree: malformed XML")

// Kind is what a node is.
type Kind uint8

// Kinds of nodes.
const (
	Document Kind = iota
	Element
	Text
	Comment
	Instruction
)

// Attr is an attribute; Name has its prefix.
type Attr struct{ Name, Value string }

// Node is a node of a parsed text. Trees are not changed once made.
type Node struct {
	Kind     Kind
	Name     string // of an element with its prefix, of an instruction its target
	Attrs    []Attr
	Children []*Node
	Text     string // of Text, Comment and Instruction
	// Inner is what an element holds as it was written.
	Inner string

	parent *Node
	at     int // among the parent's children
	order  int // in the document
}

// Parse reads a text into a Document node. With first, what follows the root
// element is not looked at, and entities of a DTD are not known.
func Parse(text string, first bool) (*Node, error) {
	p := &parser{dec: xml.NewDecoder(strings.NewReader(text)), text: text, first: first, doc: &Node{}}
	p.dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it is a string already
	p.top = p.doc
	for !p.done {
		tok, err := p.dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = p.token(tok)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	if p.top != p.doc || p.doc.Root() == nil {
		return nil, fmt.Errorf("%w: unexpected end", ErrMalformed)
	}
	return p.doc, nil
}

// Root is the element of a document.
func (n *Node) Root() *Node {
	for _, c := range n.Children {
		if c.Kind == Element {
			return c
		}
	}
	return nil
}

// Value is the text of a node and all below it, as XPath's string().
func (n *Node) Value() string {
	if len(n.Children) == 0 {
		return n.Text
	}
	var b strings.Builder
	n.appendValue(&b)
	return b.String()
}

func (n *Node) appendValue(b *strings.Builder) {
	for _, c := range n.Children {
		switch c.Kind {
		case Text:
			b.WriteString(c.Text)
		case Element:
			c.appendValue(b)
		}
	}
}

type parser struct {
	dec   *xml.Decoder
	text  string
	first bool
	doc   *Node
	top   *Node
	open  []int64 // where the content of each open element begins
	nodes int
	done  bool
}

func (p *parser) token(tok xml.Token) error {
	switch t := tok.(type) {
	case xml.StartElement:
		if p.top == p.doc && p.doc.Root() != nil {
			return errors.New("a second root element")
		}
		if len(p.open) >= MaxDepth {
			return fmt.Errorf("more than %d levels", MaxDepth)
		}
		n := &Node{Kind: Element, Name: fullName(t.Name)}
		for _, a := range t.Attr {
			n.Attrs = append(n.Attrs, Attr{fullName(a.Name), a.Value})
		}
		if err := p.add(n); err != nil {
			return err
		}
		p.top = n
		p.open = append(p.open, p.dec.InputOffset())
	case xml.EndElement:
		return p.end(fullName(t.Name))
	case xml.CharData:
		return p.chars(t)
	case xml.Comment:
		return p.add(&Node{Kind: Comment, Text: string(t)})
	case xml.ProcInst:
		if strings.EqualFold(t.Target, "xml") {
			return nil
		}
		return p.add(&Node{Kind: Instruction, Name: t.Target, Text: string(t.Inst)})
	case xml.Directive:
		if !p.first {
			p.entities(t)
		}
	}
	return nil
}

func fullName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

func (p *parser) add(n *Node) error {
	if p.nodes++; p.nodes > maxNodes {
		return fmt.Errorf("more than %d nodes", maxNodes)
	}
	n.parent, n.at, n.order = p.top, len(p.top.Children), p.nodes
	p.top.Children = append(p.top.Children, n)
	return nil
}

func (p *parser) chars(t xml.CharData) error {
	if p.top == p.doc {
		if len(bytes.TrimSpace(t)) > 0 {
			return errors.New("text outside of the root element")
		}
		return nil
	}
	if k := len(p.top.Children); k > 0 && p.top.Children[k-1].Kind == Text { // beside CDATA
		p.top.Children[k-1].Text += string(t)
		return nil
	}
	return p.add(&Node{Kind: Text, Text: string(t)})
}

func (p *parser) end(name string) error {
	if p.top == p.doc || p.top.Name != name {
		return fmt.Errorf("</%s> closes nothing", name)
	}
	from, to := p.open[len(p.open)-1], p.dec.InputOffset()
	if at := strings.LastIndex(p.text[from:to], "</"); at >= 0 {
		p.top.Inner = p.text[from : from+int64(at)]
	}
	p.open = p.open[:len(p.open)-1]
	p.top = p.top.parent
	p.done = p.first && p.top == p.doc
	return nil
}

var entity = regexp.MustCompile(`<!ENTITY\s+([A-Za-z_][\w.-]*)\s+("[^"&<%]*"|'[^'&<%]*')\s*>`)

// entities takes the plain internal entities of a DTD over: a name and a text
// that holds no other entity, so that none grows.
func (p *parser) entities(d xml.Directive) {
	if !bytes.HasPrefix(d, []byte("DOCTYPE")) {
		return
	}
	for _, m := range entity.FindAllSubmatch(d, 64) {
		if len(m[2]) > 1024 {
			continue
		}
		if p.dec.Entity == nil {
			p.dec.Entity = map[string]string{}
		}
		p.dec.Entity[string(m[1])] = string(m[2][1 : len(m[2])-1])
	}
}
