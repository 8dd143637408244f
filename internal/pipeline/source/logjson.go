package source

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/duck/kernel"
	"github.com/marisma/marisma/internal/jsonarrow"
)

// JSONColumn is a column that the reader parses from the values as
// from_json(CAST(value AS STRING), ...) does.
type JSONColumn struct {
	Name   string
	Type   arrow.DataType
	Params json.RawMessage // of the from_json kernel
}

func (c *JSONColumn) field() arrow.Field {
	return arrow.Field{Name: c.Name, Type: c.Type, Nullable: true}
}

func (c *JSONColumn) parser() (*jsonarrow.Parser, error) { return kernel.NewJSONParser(c.Params) }

// parse adds a value as a row.
func parse(p *jsonarrow.Parser, value []byte) {
	switch {
	case value == nil:
		p.AppendNull()
	case utf8.Valid(value):
		p.Append(value)
	default:
		p.Append(replaceInvalid(value))
	}
}

// replaceInvalid puts U+FFFD in place of each sequence that is no UTF-8, as
// the JVM's String does.
func replaceInvalid(b []byte) []byte {
	out := make([]byte, 0, len(b)+8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			n = malformed(b)
		}
		out = utf8.AppendRune(out, r)
		b = b[n:]
	}
	return out
}

// malformed is how many bytes at the start of b one U+FFFD stands for: those
// that could begin a sequence, or one.
func malformed(b []byte) int {
	lo, hi, n := byte(0x80), byte(0xBF), 0
	switch c := b[0]; {
	case c >= 0xC2 && c <= 0xDF:
		n = 2
	case c >= 0xE0 && c <= 0xEF:
		n = 3
		if c == 0xE0 {
			lo = 0xA0
		}
		if c == 0xED && len(b) > 2 && b[1]&0xE0 == 0xA0 && b[2]&0xC0 == 0x80 {
			return 3 // a surrogate
		}
	case c >= 0xF0 && c <= 0xF4:
		n = 4
		if c == 0xF0 {
			lo = 0x90
		}
		if c == 0xF4 {
			hi = 0x8F
		}
	default:
		return 1
	}
	i := 1
	for i < n && i < len(b) && b[i] >= lo && b[i] <= hi {
		lo, hi = 0x80, 0xBF
		i++
	}
	return i
}
