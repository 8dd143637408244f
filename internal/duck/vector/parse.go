package vector

import (
	"fmt"
	"strconv"
	"strings"

	duckdb "github.com/duckdb/duckdb-go-bindings"
)

// ParseType reads a type as DuckDB writes it, or by a common synonym:
// "DECIMAL(10,2)", "STRUCT(a INTEGER, \"b c\" VARCHAR[])", "MAP(VARCHAR, INTEGER)".
func ParseType(text string) (Type, error) {
	p := typeParser{s: text}
	t, err := p.typ(0)
	if err == nil {
		if p.space(); p.i < len(p.s) {
			err = fmt.Errorf("unexpected %q", p.s[p.i:])
		}
	}
	if err != nil {
		return Type{}, fmt.Errorf("type %q: %w", text, err)
	}
	return t, nil
}

// maxDepth bounds nesting, so that no text can exhaust the stack.
const maxDepth = 64

type typeParser struct {
	s string
	i int
}

func (p *typeParser) space() {
	for p.i < len(p.s) && p.s[p.i] <= ' ' {
		p.i++
	}
}

func (p *typeParser) eat(c byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *typeParser) want(c byte) error {
	if !p.eat(c) {
		return fmt.Errorf("expected %q at byte %d", c, p.i)
	}
	return nil
}

// word reads an identifier, quoted or not.
func (p *typeParser) word() (w string, quoted bool) {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == '"' {
		var b strings.Builder
		for p.i++; p.i < len(p.s); p.i++ {
			if p.s[p.i] == '"' {
				if p.i++; p.i >= len(p.s) || p.s[p.i] != '"' {
					return b.String(), true
				}
			}
			b.WriteByte(p.s[p.i])
		}
		return b.String(), true
	}
	start := p.i
	for p.i < len(p.s) && (p.s[p.i] == '_' || p.s[p.i] >= 0x80 || isAlnum(p.s[p.i])) {
		p.i++
	}
	return p.s[start:p.i], false
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (p *typeParser) number() (int, error) {
	w, _ := p.word()
	n, err := strconv.ParseUint(w, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("expected a number, got %q", w)
	}
	return int(n), nil
}

func (p *typeParser) typ(depth int) (Type, error) {
	if depth > maxDepth {
		return Type{}, fmt.Errorf("more than %d levels", maxDepth)
	}
	t, err := p.base(depth)
	for err == nil && p.eat('[') {
		e := t
		if p.eat(']') {
			t = Type{ID: duckdb.TypeList, Elem: &e}
			continue
		}
		var n int
		if n, err = p.number(); err == nil {
			t, err = Type{ID: duckdb.TypeArray, Elem: &e, Size: n}, p.want(']')
		}
	}
	return t, err
}

func (p *typeParser) base(depth int) (Type, error) {
	w, _ := p.word()
	switch name := strings.ToUpper(w); name {
	case "DECIMAL", "NUMERIC":
		return p.decimal()
	case "STRUCT", "ROW":
		return p.structure(depth)
	case "MAP":
		if err := p.want('('); err != nil {
			return Type{}, err
		}
		k, err := p.typ(depth + 1)
		if err != nil {
			return Type{}, err
		}
		if err := p.want(','); err != nil {
			return Type{}, err
		}
		v, err := p.typ(depth + 1)
		if err != nil {
			return Type{}, err
		}
		return Type{ID: duckdb.TypeMap, Key: &k, Elem: &v}, p.want(')')
	case "TIMESTAMP":
		at := p.i
		for _, want := range []string{"WITH", "TIME", "ZONE"} {
			if w, _ := p.word(); !strings.EqualFold(w, want) {
				p.i = at
				return Type{ID: duckdb.TypeTimestamp}, nil
			}
		}
		return Type{ID: duckdb.TypeTimestampTZ}, nil
	default:
		if id, ok := synonyms[name]; ok {
			return Type{ID: id}, nil
		}
		for id, s := range scalars {
			if s == name {
				return Type{ID: id}, nil
			}
		}
		return Type{}, fmt.Errorf("unknown type %q", w)
	}
}

func (p *typeParser) decimal() (Type, error) {
	t := Type{ID: duckdb.TypeDecimal, Precision: 18, Scale: 3}
	if !p.eat('(') {
		return t, nil
	}
	n, err := p.number()
	if err != nil {
		return t, err
	}
	s := 0
	if p.eat(',') {
		if s, err = p.number(); err != nil {
			return t, err
		}
	}
	if n < 1 || n > 38 || s > n {
		return t, fmt.Errorf("DECIMAL(%d,%d) is out of range", n, s)
	}
	t.Precision, t.Scale = uint8(n), uint8(s)
	return t, p.want(')')
}

func (p *typeParser) structure(depth int) (Type, error) {
	t := Type{ID: duckdb.TypeStruct}
	if err := p.want('('); err != nil {
		return t, err
	}
	for {
		name, quoted := p.word()
		if name == "" && !quoted {
			return t, fmt.Errorf("expected the name of a field at byte %d", p.i)
		}
		ft, err := p.typ(depth + 1)
		if err != nil {
			return t, err
		}
		t.Fields = append(t.Fields, Field{name, ft})
		if !p.eat(',') {
			return t, p.want(')')
		}
	}
}
