package kernel

import (
	"encoding/json"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
)

// JSONType is the type of the rows that a from_json kernel with these
// parameters makes. ret is the DuckDB type that the plan expects; an error
// says that they differ or that the parameters are not good.
func JSONType(params json.RawMessage, ret string) (arrow.DataType, error) {
	_, t, err := jsonParser(params)
	if err != nil {
		return nil, err
	}
	want, err := vector.ParseType(ret)
	if err != nil {
		return nil, err
	}
	if d, err := vector.FromArrow(t); err != nil || !d.Equal(want) {
		return nil, fmt.Errorf("schema %s does not make %s", t, ret)
	}
	return t, nil
}

// NewJSONParser makes the parser that a from_json kernel with these parameters
// uses, for a source that parses documents itself. Its rows lie outside the Go
// heap.
func NewJSONParser(params json.RawMessage) (*jsonarrow.Parser, error) {
	p, _, err := jsonParser(params)
	return p, err
}

// encodeVariant makes the bytes of a VARIANT out of JSON.
func encodeVariant(json []byte) ([]byte, bool) {
	v, err := variant.ParseJSON(json)
	if err != nil {
		return nil, false
	}
	return variant.Encode(nil, v), true
}

func jsonParser(params json.RawMessage) (*jsonarrow.Parser, arrow.DataType, error) {
	var p jsonParam
	if err := (&sig{params: params}).param(&p); err != nil {
		return nil, nil, err
	}
	t, err := jsonarrow.SparkType(p.Schema)
	if err != nil {
		return nil, nil, err
	}
	opt, err := p.fromOptions()
	if err != nil {
		return nil, nil, err
	}
	opt.Memory, opt.Variant = vector.Allocator{}, encodeVariant
	ps, err := jsonarrow.NewType(t, opt)
	return ps, jsonarrow.Physical(t), err
}
