package kernel

import (
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/marisma/marisma/internal/xmltree"
)

// member is a JSON value with its objects in order: nil, a text, []any, []pair.
type pair struct {
	name  string
	value any
}

// readMembers reads one JSON value.
func readMembers(d *json.Decoder) (any, error) {
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case json.Delim:
		if t == '[' {
			list := []any{}
			for d.More() {
				v, err := readMembers(d)
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			_, err = d.Token()
			return list, err
		}
		out := []pair{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, ok := key.(string)
			if !ok {
				return nil, io.ErrUnexpectedEOF
			}
			v, err := readMembers(d)
			if err != nil {
				return nil, err
			}
			out = append(out, pair{name, v})
		}
		_, err = d.Token()
		return out, err
	case bool:
		if t {
			return "true", nil
		}
		return "false", nil
	case json.Number:
		return t.String(), nil
	case string:
		return t, nil
	case nil:
		return nil, nil
	}
	return nil, errors.New("no JSON value")
}

type xmlWriter struct {
	xmltree.Names
	row, item, indent string
	variant           bool // NULLs of a VARIANT are empty elements
}

func (w *xmlWriter) line(b []byte) []byte {
	if w.indent == "" {
		return b
	}
	return append(b, '\n')
}

func (w *xmlWriter) lead(b []byte, level int) []byte {
	for range level {
		b = append(b, w.indent...)
	}
	return b
}

// element writes a value under a name; a list is one element for each of its
// own, and NULL is none.
func (w *xmlWriter) element(b []byte, name string, v any, level int) []byte {
	switch v := v.(type) {
	case nil:
		if w.variant {
			return w.object(b, name, nil, level)
		}
		if w.NullValue == nil {
			return b
		}
		return w.element(b, name, *w.NullValue, level)
	case []any:
		for _, e := range v {
			if inner, ok := e.([]any); ok {
				e = []pair{{w.item, inner}}
			}
			b = w.element(b, name, e, level)
		}
		return b
	case []pair:
		return w.object(b, name, v, level)
	}
	s, _ := v.(string)
	b = append(append(append(w.lead(b, level), '<'), name...), '>')
	b = escapeXML(b, s, false)
	return w.line(append(append(append(b, "</"...), name...), '>'))
}

func (w *xmlWriter) object(b []byte, name string, ps []pair, level int) []byte {
	b = append(append(w.lead(b, level), '<'), name...)
	var text *string
	var kids []pair
	for _, p := range ps {
		s, scalar := p.value.(string)
		attr, isAttr := strings.CutPrefix(p.name, w.AttributePrefix)
		switch {
		case p.name == w.ValueTag && scalar:
			text = &s
		case isAttr && w.AttributePrefix != "" && p.name != w.ValueTag && scalar:
			b = append(append(append(b, ' '), attr...), `="`...)
			b = append(escapeXML(b, s, true), '"')
		default:
			kids = append(kids, p)
		}
	}
	start := len(b)
	b = append(b, '>')
	if text != nil {
		b = escapeXML(b, *text, false)
	}
	inner := len(b)
	for _, k := range kids {
		if len(b) == inner {
			b = w.line(b)
		}
		before := len(b)
		if b = w.element(b, k.name, k.value, level+1); len(b) == before && before == inner+1 && w.indent != "" {
			b = b[:inner] // nothing came
		}
	}
	switch {
	case len(b) > inner:
		b = append(append(w.lead(b, level), "</"...), name...)
	case text != nil:
		b = append(append(b, "</"...), name...)
	default:
		b = append(b[:start], '/')
	}
	return w.line(append(b, '>'))
}

func escapeXML(b []byte, s string, attr bool) []byte {
	for _, r := range s {
		switch {
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '"' && attr:
			b = append(b, "&quot;"...)
		default:
			b = append(b, string(r)...)
		}
	}
	return b
}
