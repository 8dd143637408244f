package funcs

import (
	"encoding/json"
	"io"
	"sort"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// SchemaOfJSON is the DDL type text that a schema_of_json call gives; false
// when its text is no JSON.
func SchemaOfJSON(c *plan.Call) (string, bool) {
	text, ok := constText(c.Args[0])
	if !ok {
		return "", false
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	spec, _ := c.Const.(JSONSpec)
	t, err := inferJSON(dec, spec.Options)
	if err != nil {
		return "", false
	}
	return t.SQL(), true
}

// inferJSON reads one value and gives its type; NULL counts as STRING.
func inferJSON(dec *json.Decoder, opts map[string]string) (types.Type, error) {
	t, err := inferValue(dec, opts)
	if err != nil {
		return nil, err
	}
	return voidToString(t), nil
}

func inferValue(dec *json.Decoder, opts map[string]string) (types.Type, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	text := opts["primitivesasstring"] == "true"
	switch v := tok.(type) {
	case nil:
		return types.Void, nil
	case bool:
		if text {
			return types.String, nil
		}
		return types.Boolean, nil
	case string:
		return types.String, nil
	case json.Number:
		if text {
			return types.String, nil
		}
		return inferNumber(v.String(), opts), nil
	case json.Delim:
		if v == '[' {
			return inferArray(dec, opts)
		}
		return inferObject(dec, opts)
	}
	return nil, io.ErrUnexpectedEOF
}

func inferNumber(s string, opts map[string]string) types.Type {
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return types.BigInt
	}
	digits := strings.TrimLeft(s, "-")
	if !strings.ContainsAny(digits, ".eE") && len(digits) <= types.MaxPrecision {
		return types.Decimal{Precision: len(digits)}
	}
	whole, frac, dot := strings.Cut(digits, ".")
	if opts["prefersdecimal"] == "true" && dot && !strings.ContainsAny(frac, "eE") && len(whole)+len(frac) <= types.MaxPrecision {
		return types.Decimal{Precision: max(len(strings.TrimLeft(whole, "0"))+len(frac), len(frac)), Scale: len(frac)}
	}
	return types.Double
}

func inferArray(dec *json.Decoder, opts map[string]string) (types.Type, error) {
	var elem types.Type = types.Void
	for dec.More() {
		t, err := inferValue(dec, opts)
		if err != nil {
			return nil, err
		}
		elem = mergeJSON(elem, t)
	}
	_, err := dec.Token()
	return types.Array{Elem: elem, ContainsNull: true}, err
}

func inferObject(dec *json.Decoder, opts map[string]string) (types.Type, error) {
	byName := map[string]types.Type{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		t, err := inferValue(dec, opts)
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		if old, ok := byName[name]; ok {
			t = mergeJSON(old, t)
		}
		byName[name] = t
	}
	_, err := dec.Token()
	return structOf(byName), err
}

func structOf(byName map[string]types.Type) types.Struct {
	s := types.Struct{Fields: []types.Field{}}
	for n, t := range byName {
		s.Fields = append(s.Fields, types.Field{Name: n, Type: t, Nullable: true})
	}
	sort.Slice(s.Fields, func(i, j int) bool { return s.Fields[i].Name < s.Fields[j].Name })
	return s
}

// mergeJSON is the type that holds values of both; what does not fit is text.
func mergeJSON(a, b types.Type) types.Type {
	if x, ok := a.(types.Struct); ok {
		if y, ok := b.(types.Struct); ok {
			byName := map[string]types.Type{}
			for _, f := range append(append([]types.Field{}, x.Fields...), y.Fields...) {
				if old, ok := byName[f.Name]; ok {
					byName[f.Name] = mergeJSON(old, f.Type)
				} else {
					byName[f.Name] = f.Type
				}
			}
			return structOf(byName)
		}
	}
	if x, ok := a.(types.Array); ok {
		if y, ok := b.(types.Array); ok {
			return types.Array{Elem: mergeJSON(x.Elem, y.Elem), ContainsNull: true}
		}
	}
	if t, ok := (rule{ansi: true}).common(a, b); ok {
		return t
	}
	return types.String
}

func voidToString(t types.Type) types.Type {
	switch t := t.(type) {
	case types.Array:
		return types.Array{Elem: voidToString(t.Elem), ContainsNull: true}
	case types.Struct:
		out := types.Struct{Fields: make([]types.Field, len(t.Fields))}
		for i, f := range t.Fields {
			out.Fields[i] = types.Field{Name: f.Name, Type: voidToString(f.Type), Nullable: true}
		}
		return out
	}
	if t == types.Void {
		return types.String
	}
	return t
}
