package source

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/duck/kernel"
	"github.com/marisma/marisma/internal/jsonarrow"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
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
		p.Append(cast.AppendUTF8(nil, value))
	}
}
