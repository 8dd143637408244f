package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	duckdb "github.com/duckdb/duckdb-go-bindings"
)

// ErrOption is the family of options of CSV that need one character.
var ErrOption = errors.New("one character is needed")

// csvParam are the options of CSV texts, with Spark's defaults filled in by
// the caller.
type csvParam struct {
	Sep, Quote, Escape, Comment string
	NullValue, EmptyValue       string
	TrimLeft, TrimRight         bool
	QuoteAll                    bool
}

func (g *sig) csv() (csvParam, error) {
	var p csvParam
	if err := g.param(&p); err != nil {
		return p, err
	}
	if p.Sep == "" {
		return p, fmt.Errorf("%w: the separator is empty", ErrOption)
	}
	for _, o := range [][2]string{{"quote", p.Quote}, {"escape", p.Escape}, {"comment", p.Comment}} {
		if len(o[1]) > 1 {
			return p, fmt.Errorf("%w: %s is %q", ErrOption, o[0], o[1])
		}
	}
	return p, nil
}

// csvSplit cuts a record into its fields; a field that is NULL comes as the
// empty text with a mark before it: "-" for NULL, "+" for a value.
func csvSplit(g *sig) (kernel, error) {
	p, err := g.csv()
	if err != nil {
		return kernel{}, err
	}
	return kernel{run: func(c *call) error {
		out := newList(&c.out, c.n)
		clear(out.rows)
		for i, s := range c.strs(0) {
			if c.null(i) {
				continue
			}
			first := len(out.ends)
			p.fields(s.Bytes(), func(f []byte, null bool) {
				if null {
					out.add([]byte("-"))
				} else {
					out.add(append([]byte("+"), f...))
				}
			})
			out.end(i, first)
		}
		return out.close()
	}}, g.want(duckdb.TypeList, duckdb.TypeVarchar)
}

func (p *csvParam) fields(s []byte, add func(f []byte, null bool)) {
	if len(s) == 0 || p.Comment != "" && bytes.HasPrefix(s, []byte(p.Comment)) {
		return
	}
	for {
		f, quoted, rest, more := p.field(s)
		switch {
		case quoted && len(f) == 0:
			add([]byte(p.EmptyValue), false)
		case !quoted && string(f) == p.NullValue:
			add(nil, true)
		default:
			add(f, false)
		}
		if !more {
			return
		}
		s = rest
	}
}

// field takes one field off; more tells that a separator follows.
func (p *csvParam) field(s []byte) (f []byte, quoted bool, rest []byte, more bool) {
	start := s
	if p.TrimLeft {
		start = bytes.TrimLeft(s, " \t")
	}
	if p.Quote != "" && bytes.HasPrefix(start, []byte(p.Quote)) {
		if f, rest, more, ok := p.quoted(start[1:]); ok {
			return f, true, rest, more
		}
	}
	f, rest, more = bytes.Cut(start, []byte(p.Sep))
	if p.TrimRight {
		f = bytes.TrimRight(f, " \t")
	}
	return f, false, rest, more
}

// quoted reads up to the closing quote, which must stand before a separator or
// the end; false where it does not.
func (p *csvParam) quoted(s []byte) (f, rest []byte, more, ok bool) {
	q := p.Quote[0]
	for i := 0; i < len(s); i++ {
		c := s[i]
		if p.Escape != "" && c == p.Escape[0] && i+1 < len(s) && (s[i+1] == q || s[i+1] == c && c != q) {
			i++
			f = append(f, s[i])
			continue
		}
		if c != q {
			f = append(f, c)
			continue
		}
		after := bytes.TrimLeft(s[i+1:], " ")
		if len(after) == 0 {
			return f, nil, false, true
		}
		if rest, found := bytes.CutPrefix(after, []byte(p.Sep)); found {
			return f, rest, true, true
		}
		return nil, nil, false, false
	}
	return f, nil, false, true
}

// csvField writes one field.
func csvField(g *sig) (kernel, error) {
	p, err := g.csv()
	if err != nil {
		return kernel{}, err
	}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		return p.append(b, string(str(c, 0, i))), true
	})}, g.want(duckdb.TypeVarchar, duckdb.TypeVarchar)
}

func (p *csvParam) append(b []byte, s string) []byte {
	if p.TrimLeft {
		s = strings.TrimLeft(s, " \t")
	}
	if p.TrimRight {
		s = strings.TrimRight(s, " \t")
	}
	if s == "" {
		return append(b, p.EmptyValue...)
	}
	special := strings.Contains(s, p.Sep) || strings.ContainsAny(s, p.Quote+"\r\n") || s[0] == '#'
	if !special && !p.QuoteAll {
		return append(b, s...)
	}
	b = append(b, p.Quote...)
	for i := range len(s) {
		if c := string(s[i]); c == p.Quote || c == p.Escape {
			b = append(b, p.Escape...)
		}
		b = append(b, s[i])
	}
	return append(b, p.Quote...)
}
