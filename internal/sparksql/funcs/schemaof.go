package funcs

import (
	"encoding/json"
	"io"
	"sort"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/jsonarrow"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
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
	if strings.TrimSpace(text) == "" {
		return types.String.SQL(), true
	}
	spec, _ := c.Const.(JSONSpec)
	for _, s := range []string{text, strictJSON(text, spec.Options)} {
		dec := json.NewDecoder(strings.NewReader(s))
		dec.UseNumber()
		if t, err := inferJSON(dec, spec.Options); err == nil {
			return t.SQL(), true
		}
	}
	return "", false
}

// strictJSON writes a text anew that uses what the options allow beyond JSON;
// "" where it cannot be read.
func strictJSON(text string, opts map[string]string) string {
	on := func(key string) bool { return strings.EqualFold(opts[key], "true") }
	b, ok := jsonarrow.Rewrite([]byte(text), jsonarrow.Syntax{
		NoSingleQuotes: strings.EqualFold(opts["allowsinglequotes"], "false"), UnquotedNames: on("allowunquotedfieldnames"),
		LeadingZeros: on("allownumericleadingzeros"), AnyEscape: on("allowbackslashescapinganycharacter"),
		Comments: on("allowcomments"), ControlCharacter: on("allowunquotedcontrolchars"),
	})
	if !ok {
		return ""
	}
	return string(b)
}

// inferJSON reads one value and gives its type; NULL counts as STRING, and
// structs without fields are left out.
func inferJSON(dec *json.Decoder, opts map[string]string) (types.Type, error) {
	t, err := inferValue(dec, opts)
	if err != nil {
		return nil, err
	}
	drop := strings.EqualFold(opts["dropfieldifallnull"], "true")
	switch t := t.(type) {
	case types.Struct:
		if c, ok := canonical(t, drop); ok {
			return c, nil
		}
		return types.Struct{Fields: []types.Field{}}, nil
	case types.Array:
		if _, ok := t.Elem.(types.Struct); !ok {
			break
		}
		if c, ok := canonical(t, drop); ok {
			return c, nil
		}
		return types.Array{Elem: types.Struct{Fields: []types.Field{}}, ContainsNull: true}, nil
	}
	if c, ok := canonical(t, drop); ok {
		return c, nil
	}
	return types.String, nil
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
		return inferTime(v, opts), nil
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

// inferTime finds timestamps in texts where the options ask for it.
func inferTime(s string, opts map[string]string) types.Type {
	if !strings.EqualFold(opts["infertimestamp"], "true") {
		return types.String
	}
	zone, zones := cast.UTC(), cast.Zones{}
	if f, ok := opts["timestampformat"]; ok {
		p, err := cast.CompilePattern(f, true)
		if err != nil {
			return types.String
		}
		if _, _, ok := p.Parse([]byte(s), zone, &zones); ok {
			return types.Timestamp
		}
		return types.String
	}
	if _, ok := cast.Timestamp([]byte(s), zone, &zones); ok {
		return types.Timestamp
	}
	return types.String
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

// inferObject keeps names that come twice, as Spark does.
func inferObject(dec *json.Decoder, opts map[string]string) (types.Type, error) {
	s := types.Struct{Fields: []types.Field{}}
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
		s.Fields = append(s.Fields, types.Field{Name: name, Type: t, Nullable: true})
	}
	_, err := dec.Token()
	sort.SliceStable(s.Fields, func(i, j int) bool { return s.Fields[i].Name < s.Fields[j].Name })
	return s, err
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

// canonical is a type as a schema shows it; false where nothing is left of it.
// VOID is STRING, or left out.
func canonical(t types.Type, dropVoid bool) (types.Type, bool) {
	switch t := t.(type) {
	case types.Array:
		e, ok := canonical(t.Elem, dropVoid)
		return types.Array{Elem: e, ContainsNull: true}, ok
	case types.Struct:
		out := types.Struct{}
		for _, f := range t.Fields {
			if ft, ok := canonical(f.Type, dropVoid); ok && f.Name != "" {
				out.Fields = append(out.Fields, types.Field{Name: f.Name, Type: ft, Nullable: true})
			}
		}
		return out, len(out.Fields) > 0
	}
	if t == types.Void {
		return types.String, !dropVoid
	}
	return t, true
}
