package xmltree

// Field is a member of an element: an attribute, a text, or an element below
// it. Node is nil but for an element.
type Field struct {
	Name string
	Text string
	Node *Node
}

// Fields are the members of an element in the order of the document:
// attributes under their prefix, texts under the value tag.
func (n *Node) Fields(o *Names) []Field {
	var out []Field
	if !o.ExcludeAttributes {
		for _, a := range n.Attrs {
			out = append(out, Field{Name: o.AttributePrefix + o.name(a.Name), Text: o.text(a.Value)})
		}
	}
	for _, c := range n.Children {
		switch c.Kind {
		case Element:
			out = append(out, Field{Name: o.name(c.Name), Node: c})
		case Text:
			if t := o.text(c.Text); t != "" {
				out = append(out, Field{Name: o.ValueTag, Text: t})
			}
		}
	}
	return out
}

// Scalar tells that an element holds a text alone, and gives it: attributes
// make it a record, unless they are left out.
func (n *Node) Scalar(o *Names) (string, bool) {
	if len(n.Attrs) > 0 && !o.ExcludeAttributes {
		return "", false
	}
	for _, c := range n.Children {
		if c.Kind == Element {
			return "", false
		}
	}
	return o.text(n.Value()), true
}
