package funcs

import (
	"encoding/json"
	"fmt"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// jsonSchema reads a type in the form in which Spark writes schemas as JSON:
// {"type":"struct","fields":[{"name":"a","type":"integer",...}]}. scalar reads
// the names of types that are not nested.
func jsonSchema(data []byte, scalar func(string) (types.Type, error)) (types.Type, error) {
	var name string
	if json.Unmarshal(data, &name) == nil {
		return scalar(name)
	}
	var t struct {
		Type, ElementType, KeyType, ValueType json.RawMessage
		ContainsNull, ValueContainsNull       bool
		Fields                                []struct {
			Name     string
			Type     json.RawMessage
			Nullable bool
		}
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("schema in JSON: %w", err)
	}
	switch string(t.Type) {
	case `"struct"`:
		out := types.Struct{Fields: make([]types.Field, len(t.Fields))}
		for i, f := range t.Fields {
			ft, err := jsonSchema(f.Type, scalar)
			if err != nil {
				return nil, err
			}
			out.Fields[i] = types.Field{Name: f.Name, Type: ft, Nullable: f.Nullable}
		}
		return out, nil
	case `"array"`:
		e, err := jsonSchema(t.ElementType, scalar)
		return types.Array{Elem: e, ContainsNull: t.ContainsNull}, err
	case `"map"`:
		k, err := jsonSchema(t.KeyType, scalar)
		if err != nil {
			return nil, err
		}
		v, err := jsonSchema(t.ValueType, scalar)
		return types.Map{Key: k, Value: v, ValueContainsNull: t.ValueContainsNull}, err
	}
	return nil, fmt.Errorf("schema in JSON: %s is no type", t.Type)
}
